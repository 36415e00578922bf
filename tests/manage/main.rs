//! The management API from a client's socket to the store's files and a backend. Every answer is held
//! against `src/manage/openapi.json` as it comes, and searched for the secrets that were entered.

#![cfg(all(feature = "portal", feature = "embedded"))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    clippy::print_stderr,
    reason = "tests"
)]

#[path = "../support/canary.rs"]
#[expect(dead_code, reason = "the tests of the gateway use all of it")]
mod canary;

mod broken;
mod cheap;
mod connections;
mod connectors;
mod every;
mod hostile;
mod keys;
mod limits;
mod look;
mod page;
mod questions;
mod readme;
mod review;
mod who;
mod world;
