//! Who has which connections, for lines that do not say who asked.

use std::collections::HashMap;

use super::super::output::Failure;
use crate::policy::{ConnectionId, Policy};

/// Who has which connections.
pub(super) struct Owners<'p> {
    policies: Vec<&'p Policy>,
    by_id: HashMap<String, Option<&'p str>>,
    /// The only connection there is.
    only: Option<&'p ConnectionId<'static>>,
}

impl<'p> Owners<'p> {
    pub(super) fn new(policies: &[&'p Policy]) -> Self {
        let mut by_id: HashMap<String, Option<&'p str>> = HashMap::new();
        let mut named: Vec<&'p ConnectionId<'static>> = Vec::new();
        for connection in policies.iter().flat_map(|policy| policy.connections()) {
            let id = connection.id();
            if named.len() < 2 && !named.contains(&id) {
                named.push(id);
            }
            let bare = connection.is_default().then(|| id.protocol().name().to_owned());
            for id in [id.to_string()].into_iter().chain(bare) {
                let owner = connection.owner();
                let known = by_id.entry(id).or_insert(Some(owner));
                *known = known.filter(|known| *known == owner);
            }
        }
        let only = match named[..] {
            [only] => Some(only),
            _ => None,
        };
        Self { policies: policies.to_vec(), by_id, only }
    }

    /// The only connection there is.
    pub(super) fn only(&self) -> Option<ConnectionId<'p>> {
        self.only.cloned()
    }

    /// The one who can be meant; the empty name, which owns nothing, where nobody has it.
    pub(super) fn of(&self, id: &ConnectionId<'_>) -> Result<&'p str, Failure> {
        match self.by_id.get(&id.to_string()) {
            Some(Some(owner)) => Ok(owner),
            Some(None) => Err(Failure::question(format!(
                "several owners have a connection `{id}`, and the log does not say who asked: say \
                 whose is meant with `--as OWNER`"
            ))),
            None => Ok(""),
        }
    }

    /// Whether an owner has it, in one of the policies.
    pub(super) fn has(&self, owner: &str, id: &ConnectionId<'_>) -> bool {
        self.policies.iter().any(|policy| policy.connection(owner, id).is_some())
    }

    /// Whether the owner has a default connection of this protocol; without an owner, whether anybody has.
    pub(super) fn have_default(&self, id: &ConnectionId<'_>, owner: Option<&str>) -> bool {
        match owner {
            Some(owner) => self.has(owner, id),
            None => self.by_id.contains_key(&id.to_string()),
        }
    }
}
