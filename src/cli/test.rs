//! `pathward test`: stub.
use super::{
    exit::Exit,
    output::{Failure, Output},
};
use clap::Args;

/// Stub.
#[derive(Debug, Args)]
pub struct TestArgs {}

pub(super) fn run(_: &TestArgs, _: &mut Output<'_>) -> Result<Exit, Failure> {
    Ok(Exit::Fine)
}
