//! What deciding yields: an outcome, its reason, and the rule that decided.

use std::fmt;

use super::Scope;
use crate::{
    access::Access,
    automaton::RuleId,
    policy::{Connection, Rule},
};

/// Allow, deny, or neither because the question is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It may be done.
    Allow,
    /// It may not.
    Deny,
    /// What was asked is not a question about this connection: it is refused before any rule.
    Invalid,
}

/// Why a decision is what it is. The codes are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A rule allows it.
    Allowed,
    /// No restriction matches.
    NoMatch,
    /// A restriction matches, without this access.
    Access,
    /// A deny takes it.
    Rule,
    /// The caller has no connection of this name.
    UnknownConnection,
    /// The caller's key does not carry this access.
    KeyPermission,
    /// The operation is about access control lists.
    Acl,
    /// The connection's server could read this path as another one.
    InvalidPath,
    /// The operation asks for nothing, or is on a path that it cannot be on.
    InvalidOperation,
}

impl Reason {
    /// The stable code, as logs and tests have it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Allowed => "allowed.rule",
            Self::NoMatch => "deny.no_match",
            Self::Access => "deny.access",
            Self::Rule => "deny.rule",
            Self::UnknownConnection => "deny.unknown_connection",
            Self::KeyPermission => "deny.key_permission",
            Self::Acl => "deny.acl",
            Self::InvalidPath => "invalid.path",
            Self::InvalidOperation => "invalid.operation",
        }
    }

    /// What it means, in words for the owner.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::NoMatch => "no restriction matches",
            Self::Access => "a restriction matches, without this access",
            Self::Rule => "a deny takes it",
            Self::UnknownConnection => "the caller has no such connection",
            Self::KeyPermission => {
                "the caller's key does not carry this access, so no restriction was looked at"
            }
            Self::Acl => "never given: permissions change only where the connection is configured",
            Self::InvalidPath => {
                "the connection has `keys: plain`, and its server may read this path (an empty \
                 segment, or a `\\`) as another one"
            }
            Self::InvalidOperation => {
                "an object has a key behind its bucket, `bucket/key`, and a directory's path ends \
                 with `/`; the root and buckets can only be listed"
            }
        }
    }

    /// The outcome that goes with it.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Allowed => Outcome::Allow,
            Self::NoMatch
            | Self::Access
            | Self::Rule
            | Self::UnknownConnection
            | Self::KeyPermission
            | Self::Acl => Outcome::Deny,
            Self::InvalidPath | Self::InvalidOperation => Outcome::Invalid,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// How much of a listing may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListMode {
    /// Everything below is readable: it is passed through.
    Pass,
    /// Some of it is: each entry is checked.
    Narrow,
}

/// The answer to "may this caller do this with this connection?".
///
/// Copied freely; it proves nothing. What runs needs an [`Approved`](super::Approved).
#[derive(Clone, Copy, Debug)]
pub struct Decision<'e> {
    pub(super) reason: Reason,
    pub(super) connection: Option<&'e Connection>,
    pub(super) rule: Option<RuleId>,
    pub(super) need: Option<DecidedNeed>,
    pub(super) list: Option<ListMode>,
}

/// Which of an operation's needs a decision is about: the first that was not met, else the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecidedNeed {
    /// Its place among [`Operate::accesses`](super::Operate::accesses).
    pub index: usize,
    /// The access.
    pub access: Access,
    /// How far it reaches.
    pub scope: Scope,
}

impl fmt::Display for Decision<'_> {
    /// The outcome, the code and what it means. For the owner: a caller is told the code at most.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.reason.meaning())
    }
}

/// So that `engine.approve(…)?` returns a denial.
impl std::error::Error for Decision<'_> {}

impl<'e> Decision<'e> {
    /// What is said of a name that is not among the caller's connections, whoever else has it.
    pub(super) const UNKNOWN_CONNECTION: Self = Self {
        reason: Reason::UnknownConnection,
        connection: None,
        rule: None,
        need: None,
        list: None,
    };

    /// Whether it may be done.
    pub fn is_allowed(&self) -> bool {
        self.outcome() == Outcome::Allow
    }

    /// Allow, deny or invalid.
    pub fn outcome(&self) -> Outcome {
        self.reason.outcome()
    }

    /// Why.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The caller's connection of that name, if there is one.
    pub fn connection(&self) -> Option<&'e Connection> {
        self.connection
    }

    /// The rule that decided, where one did. Questions about all paths below one may be decided
    /// by many rules together, and then have none here.
    pub fn rule(&self) -> Option<&'e Rule> {
        self.connection?.rule(self.rule?)
    }

    /// The id of that rule within its connection.
    pub fn rule_id(&self) -> Option<RuleId> {
        self.rule
    }

    /// Which of the operation's needs this is about.
    pub fn need(&self) -> Option<DecidedNeed> {
        self.need
    }

    /// For an allowed listing, how much of it may be shown.
    pub fn list(&self) -> Option<ListMode> {
        self.list
    }
}
