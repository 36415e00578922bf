//! The one connection that a command is about: of `graph` and `export`.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use super::{
    output::Failure,
    question::{CallerArgs, KeyAccess, Target, caller, load},
};
use crate::{
    engine::Caller,
    escape::escape,
    policy::{Connection, ConnectionId, Policy},
};

/// How many connections a message names.
const NAMED: usize = 8;

/// A policy, and which of its connections is meant.
#[derive(Debug, Args)]
pub(super) struct ChosenArgs {
    /// The policy: a file, or a folder whose files make one policy
    #[arg(long, short, value_name = "FILE|DIR")]
    policy: PathBuf,

    /// `s3+label`, or `s3` for the owner's default connection. May be left out when there is but one
    #[arg(value_name = "CONNECTION")]
    connection: Option<OsString>,

    /// Whose connection. May be left out when one owner alone has a connection of this name
    #[arg(long = "as", value_name = "OWNER")]
    owner: Option<String>,
}

impl ChosenArgs {
    /// Where the policy is.
    pub(super) fn policy(&self) -> &Path {
        &self.policy
    }

    /// The connection that is meant. `whole` is what to do instead of giving a path with it.
    pub(super) fn find(&self, whole: &str) -> Result<Arc<Connection>, Failure> {
        let target = self.connection.as_deref().map(Target::parse).transpose()?;
        if target.as_ref().is_some_and(|target| target.path.is_some()) {
            return Err(Failure::question(whole));
        }
        let policy = load(&self.policy)?;
        let Some(Target { id, .. }) = target else {
            return self.only(&policy).map(Arc::clone);
        };
        let args = CallerArgs { caller: self.owner.clone(), key_access: KeyAccess::ReadWrite };
        let caller = caller(&policy, &id, &args)?;
        policy
            .connection(caller.name(), &id)
            .map(Arc::clone)
            .ok_or_else(|| Failure::question(unknown(&policy, &id, caller)))
    }

    /// The only connection that there is.
    fn only<'p>(&self, policy: &'p Policy) -> Result<&'p Arc<Connection>, Failure> {
        let owner = self.owner.as_deref().unwrap_or_default();
        let mut connections = owned(policy, owner);
        match (connections.next(), connections.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(Failure::question(format!(
                "name one of the connections: there is {}",
                names(policy, owner)
            ))),
        }
    }
}

/// Says which connections there are when the one that was asked for is not among them.
pub(super) fn unknown(policy: &Policy, id: &ConnectionId<'_>, caller: Caller<'_>) -> String {
    let who = match caller.name() {
        "" => "the policy".to_owned(),
        name => format!("`{}`", escape(name)),
    };
    let what = match id.label() {
        Some(_) => format!("no connection `{id}`"),
        None => format!("no default connection of `{id}` (none says `default: true`)"),
    };
    format!("{who} has {what}; there is {}", names(policy, caller.name()))
}

/// The connections of this owner; of everybody, for the empty name.
fn owned<'p>(policy: &'p Policy, owner: &str) -> impl Iterator<Item = &'p Arc<Connection>> {
    policy.connections().iter().filter(move |known| owner.is_empty() || known.owner() == owner)
}

/// The names of an owner's connections, as many as a message takes.
fn names(policy: &Policy, owner: &str) -> String {
    let mut names: Vec<String> =
        owned(policy, owner).take(NAMED).map(|known| format!("`{}`", known.id())).collect();
    match owned(policy, owner).count() {
        0 => return "none at all".to_owned(),
        all if all > NAMED => names.push(format!("{} more", all - NAMED)),
        _ => {}
    }
    names.join(", ")
}
