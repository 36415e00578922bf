//! The commands on a store: `pathward connection …`, and the parts of `pathward key` that need one.

mod connection;
mod draft;
mod keys;
mod seal;

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use clap::Args;

pub use self::connection::ConnectionArgs;
pub(super) use self::{
    connection::run,
    keys::{ListKeysArgs, RevokeArgs, list_keys, new_key, revoke_key},
    seal::{SealArgs, seal_key},
};
use super::{exit::Exit, output::Failure};
use crate::store::{SealKey, Store, StoreError};

/// Where the store is.
#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// The store: a folder, made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(super) store: PathBuf,

    #[command(flatten)]
    pub(super) seal: SealKeyArgs,
}

/// What secrets are sealed with.
#[derive(Debug, Args)]
pub(super) struct SealKeyArgs {
    /// The key that secrets are sealed with: a file of `pathward key seal`, or with a passphrase in
    /// one line. Without it, the variable PATHWARD_SEAL_KEY may hold either
    #[arg(long, value_name = "FILE")]
    pub(super) seal_key: Option<PathBuf>,
}

/// The key that secrets are sealed with, if there is one.
pub(super) fn seal_key_of(args: &SealKeyArgs) -> Result<Option<SealKey>, Failure> {
    let key = match &args.seal_key {
        Some(path) => {
            crate::readers::warn_of_readers(path, "the seal key");
            SealKey::read(path).map(Some)
        }
        None => SealKey::from_env(),
    };
    key.map_err(|error| Failure::question(error.to_string()))
}

/// Opens a store.
pub(super) fn open(folder: &Path, seal: &SealKeyArgs) -> Result<Store, Failure> {
    Store::open(folder, seal_key_of(seal)?).map_err(failure)
}

impl StoreArgs {
    pub(super) fn open(&self) -> Result<Store, Failure> {
        open(&self.store, &self.seal)
    }
}

/// What a command says when the store does not do what it was asked.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub(in crate::cli) fn failure(error: StoreError) -> Failure {
    let exit = match &error {
        StoreError::Broken(errors) | StoreError::Invalid(errors) => {
            return Failure::Said(Exit::Policy, errors.to_string());
        }
        StoreError::Io { error, .. } if error.kind() == ErrorKind::NotADirectory => Exit::Question,
        StoreError::Taken { .. }
        | StoreError::Missing
        | StoreError::NoConnection { .. }
        | StoreError::NamedByKey { .. }
        | StoreError::NoSealKey
        | StoreError::SealKey(_)
        | StoreError::SecretNeeded
        | StoreError::InvalidSecret { .. } => Exit::Question,
        _ => Exit::Error,
    };
    Failure::Said(exit, error.to_string())
}
