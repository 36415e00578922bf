//! What commands have that ask a connection's server.

use std::ffi::OsString;

use clap::Args;

use super::{
    output::Failure,
    question::{CallerArgs, KeyAccess, PolicyArgs, Target, caller, load},
};
use crate::{
    executor::S3,
    policy::{ConnectionId, Policy},
};

/// A connection whose server is asked.
#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    /// The connection, `s3+label` or `s3`
    #[arg(value_name = "CONNECTION")]
    connection: OsString,

    #[command(flatten)]
    policy: PolicyArgs,

    /// Whose connection. May be left out when one owner alone has a connection of this name
    #[arg(long = "as", value_name = "OWNER")]
    owner: Option<String>,

    #[cfg(feature = "store")]
    #[command(flatten)]
    seal: super::store::SealKeyArgs,
}

impl ServerArgs {
    /// The connection's name.
    pub(super) fn target(&self) -> Result<Target<'_>, Failure> {
        Target::parse(&self.connection)
    }

    /// The policy that it is in.
    pub(super) fn policy(&self) -> Result<Policy, Failure> {
        load(&self.policy.policy)
    }

    /// Whose it is, by name.
    pub(super) fn owner(&self, policy: &Policy, id: &ConnectionId<'_>) -> Result<String, Failure> {
        let owner = CallerArgs { caller: self.owner.clone(), key_access: KeyAccess::ReadWrite };
        Ok(caller(policy, id, &owner)?.name().to_owned())
    }

    /// What asks its server, with the key that opens what is sealed.
    pub(super) fn executor(&self) -> Result<S3, Failure> {
        let executor = S3::default();
        #[cfg(feature = "store")]
        let executor = match super::store::seal_key_of(&self.seal)? {
            Some(key) => executor.unseal_by(std::sync::Arc::new(key)),
            None => executor,
        };
        Ok(executor)
    }
}
