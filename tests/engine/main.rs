//! What the light library answers: all tests that need no feature, as one binary.
//!
//! `cargo test --no-default-features --test engine` builds the engine and this, nothing of S3, HTTP
//! or the command; `--profile engine-tests` optimises it. What must have a binary of its own stays
//! beside this folder: `no_alloc`, for its allocator, and `compile_fail`.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/slow.rs"]
mod slow;

mod agreement;
mod analysis;
mod approvals;
mod budgets;
mod catalogue;
mod doubts;
mod exhaustive;
mod fuzz_corpus;
mod glob_differential;
mod graph;
mod help;
mod hostile;
mod iam;
mod lint;
mod policies;
mod policy_errors;
mod properties;
mod regressions;
mod suggest;
mod suite;
mod unreached;
