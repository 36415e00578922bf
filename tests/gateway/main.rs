//! The gateway from a caller's socket to a backend's: every request here is bytes on a connection,
//! and the backend is an S3 server behind a recorder that keeps what it was sent.
//!
//! Tests that pin an entry of the security catalogue are named after it: `n01` to `s07`.

#![cfg(all(feature = "gateway", feature = "embedded"))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    clippy::print_stderr,
    reason = "tests"
)]

#[path = "../support/backend.rs"]
#[expect(dead_code, unused_imports, reason = "the tests of the executor use all of it")]
mod backend;

#[path = "../support/canary.rs"]
mod canaries;
mod canary;
#[path = "../support/tls.rs"]
mod certificates;
mod chance;
mod conditions;
mod dates;
mod directories;
mod executors;
mod faults;
mod headers;
mod hostile;
mod listings;
mod log;
mod paths;
mod plumbing;
mod ranges;
mod reach;
mod routes;
mod shares;
mod tls;
mod verbs;
mod world;
