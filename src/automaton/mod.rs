//! Restrictions and accesses to one automaton over path bytes.

use crate::{
    access::{Access, AccessSet},
    restriction::Restriction,
};

/// Whether a rule gives or takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// An entry of `restrictions`: what it matches has its accesses.
    Allow,
    /// An entry of `deny`: what it matches has not, whatever allows it.
    Deny,
}

/// Names a rule of a connection: its place in the list that was compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(u32);

impl RuleId {
    /// The place in the list, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One rule, as the automaton is compiled from it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What it matches.
    pub restriction: &'a Restriction,
    /// The accesses that it gives or takes.
    pub access: AccessSet,
    /// Which of the two.
    pub effect: Effect,
}

/// What an automaton says of one access at one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A rule gives it, and no deny takes it.
    Allowed(RuleId),
    /// A deny takes it, whether or not a rule gives it.
    Denied(RuleId),
    /// No deny takes it, and a rule that matches gives only other accesses.
    OtherAccess(RuleId),
    /// No deny takes it, and no restriction matches.
    NoMatch,
}

/// What an automaton knows of all paths that start with one path, itself included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Below {
    /// The accesses that some such path has.
    pub some: AccessSet,
    /// The accesses that every such path has.
    pub all: AccessSet,
}

/// A connection's rules, compiled.
#[derive(Debug)]
pub struct Automaton {
    rules: Vec<(Restriction, AccessSet, Effect)>,
}

/// Rules that are too many or too large to be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The first rule beyond the limit.
    pub rule: RuleId,
    /// The limit's name, such as `limit.starred_rules`.
    pub limit: &'static str,
    /// The limit.
    pub most: usize,
}

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "more than {} ({})", self.most, self.limit)
    }
}

impl std::error::Error for TooLarge {}

impl Automaton {
    /// Compiles rules; their ids are their places in the list.
    ///
    /// # Errors
    ///
    /// [`TooLarge`] when a limit is passed.
    pub fn compile<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> Result<Self, TooLarge> {
        Ok(Self {
            rules: entries
                .into_iter()
                .map(|e| (e.restriction.clone(), e.access, e.effect))
                .collect(),
        })
    }

    /// Decides one access at one path.
    pub fn here(&self, path: &[u8], access: Access) -> Verdict {
        let mut verdict = Verdict::NoMatch;
        for (n, (restriction, accesses, effect)) in self.rules.iter().enumerate() {
            let id = RuleId(n as u32);
            let carries = accesses.contains(access);
            if !restriction.matches(path) {
                continue;
            }
            match (effect, carries, verdict) {
                (Effect::Deny, true, _) => return Verdict::Denied(id),
                (Effect::Allow, true, Verdict::NoMatch | Verdict::OtherAccess(_)) => {
                    verdict = Verdict::Allowed(id);
                }
                (Effect::Allow, false, Verdict::NoMatch) => verdict = Verdict::OtherAccess(id),
                _ => {}
            }
        }
        verdict
    }

    /// Decides all accesses below one path, itself included.
    pub fn below(&self, _path: &[u8]) -> Below {
        Below::default()
    }
}
