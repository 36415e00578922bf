//! How much of a store may be one owner's.

use super::StoreError;
use crate::{
    automaton::WHOLE_BUDGET,
    policy::{Connection, ConnectionId, Policy, User},
    restriction::{Restriction, Token},
    store::Draft,
};

/// How much of a store may be one owner's, where owners change it themselves: a folder makes one policy,
/// with limits that all of its owners share, and nobody is to use them up for the others.
///
/// What is more already, by the operator's hand, stays; it can be changed as long as it does not grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Connections.
    pub connections: usize,
    /// Restrictions and denies, of all connections together. Each alternative of a glob's braces counts.
    pub rules: usize,
    /// The text of those, in bytes.
    pub bytes: usize,
    /// API keys.
    pub keys: usize,
    /// What compiling all connections may cost, of [`WHOLE_BUDGET`].
    pub budget: u32,
}

impl Default for Quota {
    /// 1,000 connections, 50,000 restrictions and denies of 8 MiB together, 100 keys, and a sixteenth of
    /// the budget.
    fn default() -> Self {
        Self {
            connections: 1_000,
            rules: 50_000,
            bytes: 8 << 20,
            keys: 100,
            budget: WHOLE_BUDGET / 16,
        }
    }
}

const RULES: &str = "restrictions and denies";
const BYTES: &str = "bytes of restrictions and denies";

/// What an owner has.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    connections: usize,
    rules: usize,
    bytes: usize,
    budget: u64,
}

impl Usage {
    fn add(&mut self, one: &Connection) {
        self.connections += 1;
        for rule in one.rules() {
            self.add_rule(&rule.restriction);
        }
        self.budget += u64::from(one.budget_spent());
    }
}

impl Usage {
    /// Counts a restriction: the longer of what its author wrote, and what it was taken apart into.
    fn add_rule(&mut self, restriction: &Restriction) {
        let len = |token: &Token| match token {
            Token::Literal(bytes) => bytes.len(),
            Token::One(_) | Token::Run(_) => 1,
        };
        let patterns = restriction.patterns();
        let tokens = patterns.iter().flat_map(|pattern| pattern.tokens());
        self.rules += patterns.len();
        self.bytes += tokens.map(len).sum::<usize>().max(restriction.text().len());
    }
}

impl Quota {
    /// Refuses a draft that is more by itself than its owner may have, and than what it takes the place
    /// of: before anything of it is compiled.
    pub(super) fn check_draft(
        &self,
        draft: &Draft,
        old: Option<&Connection>,
    ) -> Result<(), StoreError> {
        let (mut had, mut has) = (Usage::default(), Usage::default());
        if let Some(old) = old {
            had.add(old);
        }
        for row in draft.restrictions.iter().flatten().chain(&draft.deny) {
            let read = match row.glob {
                true => Restriction::parse_glob(&row.text),
                false => Restriction::parse(&row.text),
            };
            match read {
                Ok(restriction) => has.add_rule(&restriction),
                Err(_) => (has.rules, has.bytes) = (has.rules + 1, has.bytes + row.text.len()),
            }
            for (what, has, most, had) in [
                (RULES, has.rules, self.rules, had.rules),
                (BYTES, has.bytes, self.bytes, had.bytes),
            ] {
                if has > most.max(had) {
                    return Err(StoreError::Quota { what, most });
                }
            }
        }
        Ok(())
    }

    /// Refuses a connection with which its owner has too much: `new`, in the place of the one with the
    /// id `old`.
    pub(super) fn check(
        &self,
        policy: &Policy,
        new: &Connection,
        old: Option<&ConnectionId<'_>>,
    ) -> Result<(), StoreError> {
        let (mut before, mut after) = (Usage::default(), Usage::default());
        for one in policy.connections().iter().filter(|one| one.owner() == new.owner()) {
            before.add(one);
            if Some(one.id()) != old {
                after.add(one);
            }
        }
        after.add(new);
        let too_many = |what, before: usize, after: usize, most: usize| match after > most {
            true if after > before => Err(StoreError::Quota { what, most }),
            _ => Ok(()),
        };
        too_many("connections", before.connections, after.connections, self.connections)?;
        too_many(RULES, before.rules, after.rules, self.rules)?;
        too_many(BYTES, before.bytes, after.bytes, self.bytes)?;
        match after.budget > u64::from(self.budget) && after.budget > before.budget {
            true => Err(StoreError::QuotaOfWork),
            false => Ok(()),
        }
    }

    /// Refuses one key more than a user may have.
    pub(super) fn check_keys(&self, user: &User) -> Result<(), StoreError> {
        match user.keys.len() < self.keys {
            true => Ok(()),
            false => Err(StoreError::Quota { what: "API keys", most: self.keys }),
        }
    }
}
