//! `pathward export iam` and `pathward import iam`: policies of AWS.

mod condition;
mod export;
mod import;
mod left_out;
mod open;
mod read;
mod resource;
mod template;

use clap::{Args, Subcommand};

use self::{export::ExportIamArgs, import::ImportIamArgs};
pub(super) use self::{export::run as run_export, import::run as run_import};
pub(crate) use self::{import::yaml, read::read};

/// Says a connection in another language.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(subcommand)]
    command: ExportCommand,
}

/// In which.
#[derive(Debug, Subcommand)]
pub(super) enum ExportCommand {
    /// The IAM policy for the connection's own key: what the connection gives, and no more
    Iam(ExportIamArgs),
}

/// Reads restrictions from another language.
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(subcommand)]
    command: ImportCommand,
}

/// From which.
#[derive(Debug, Subcommand)]
pub(super) enum ImportCommand {
    /// A connection with the paths of an IAM policy
    Iam(ImportIamArgs),
}
