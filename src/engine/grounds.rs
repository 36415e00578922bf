//! What an approval rests on, and what is left of it by the policy that holds now.

use std::{fmt, sync::Arc};

use super::{Caller, Reason, Withdrawn, caller::Rights, line::Line};
use crate::{
    access::AccessSet,
    policy::{Connection, ConnectionId, Policy},
};

/// What an approval rests on: the connection as it was, the rights of whoever asked, and the line of
/// policies of which the newest may have taken some of it away.
pub(super) struct Grounds {
    pub(super) connection: Arc<Connection>,
    rights: Rights,
    line: Arc<Line>,
}

impl Grounds {
    pub(super) fn new(connection: &Arc<Connection>, caller: Caller<'_>, line: &Arc<Line>) -> Self {
        Self {
            connection: Arc::clone(connection),
            rights: Rights::of(caller),
            line: Arc::clone(line),
        }
    }

    /// Asks something of the caller and the connection as they are now, both by one policy.
    pub(super) fn now<T>(
        &self,
        question: impl FnOnce(Caller<'_>, &Arc<Connection>) -> Result<T, Withdrawn>,
    ) -> Result<T, Withdrawn> {
        self.line.ask(|policy| {
            let owner = self.connection.owner();
            let caller = self.rights.caller(policy, owner).ok_or(Withdrawn::Key)?;
            let Some(connection) = connection_of(policy, caller, self.connection.id()) else {
                return Err(Withdrawn::Denied(Reason::UnknownConnection));
            };
            match connection.has_same_server(&self.connection) {
                true => question(caller, connection),
                false => Err(Withdrawn::Server),
            }
        })
    }

    /// Whether something is so of the connection as it was, and is so of it as it is now, for a caller
    /// who still has these accesses.
    pub(super) fn are_such(
        &self,
        accesses: AccessSet,
        question: impl Fn(&Connection) -> bool,
    ) -> bool {
        question(&self.connection)
            && self
                .now(|caller, connection| {
                    // The connection is mostly the one that it was, and is then not asked twice.
                    let is_so = Arc::ptr_eq(connection, &self.connection) || question(connection);
                    Ok(is_so && caller.permission().intersection(accesses) == accesses)
                })
                .unwrap_or(false)
    }
}

impl fmt::Debug for Grounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grounds").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// The rules of a connection as they are at one time: [`Approved::present`](super::Approved::present).
///
/// Two are equal if the rules are, whatever else of the policy changed between them.
#[derive(Clone)]
pub struct Present(pub(super) Arc<Connection>);

impl PartialEq for Present {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.has_same_rules(&other.0)
    }
}

impl Eq for Present {}

impl fmt::Debug for Present {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Present").field(&self.0).finish()
    }
}

/// The connection that a caller means, if the caller's key reaches it. A name that the key does not
/// say is not even looked up, so that it takes as long whether or not there is one.
pub(super) fn connection_of<'p>(
    policy: &'p Policy,
    caller: Caller<'_>,
    id: &ConnectionId<'_>,
) -> Option<&'p Arc<Connection>> {
    if id.label().is_some() && !caller.reach().includes(id) {
        return None;
    }
    let connection = policy.connection(caller.name(), id)?;
    caller.reach().includes(connection.id()).then_some(connection)
}
