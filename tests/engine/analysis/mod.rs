//! Questions about policies, against brute force over all short paths.
//!
//! The answers come from automata; here every path up to some length is simply tried, by the
//! reference matcher. A path that an answer names must show what it is said to show, and none that
//! is shorter may.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that fails panics, and says what it compared"
)]

mod brute;
mod cost;
mod differences;
mod questions;
mod remedies_below;
