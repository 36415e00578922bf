//! What IAM policies say, as sets of paths: a connection as a policy, and a policy as restrictions.
//!
//! An owner gives a connection credentials of its own, which should reach no further than the
//! connection does. IAM's resources have `*` and `?` over all of `bucket/key`, `/` included, much as
//! plain restrictions do, so that most connections can be said exactly; where one cannot, a
//! [`Relation`] says by how much, with a path. JSON is for the command: here a policy is a
//! [`Document`].
//!
//! Of `:` in a key the documentation says that a `*` at the end of a resource crosses it, and of others
//! nothing; that any does, as any crosses `/`, is how it is read here: the part behind
//! `arn:aws:s3:::` is one segment, whatever is in it.
//!
//! * `action`: the actions that connections give, and what the text of an action stands for; `catalogue`: the
//!   other actions of S3, by name.
//! * `text`: a pattern as the text of a resource, and back.
//! * `export`: a connection's statements.
//! * `import`: the restrictions of statements, or why there are none; `rules`: those that statements say one by one,
//!   `settle`: those that take a question about all of them, `listing`: what is denied of listings.
//! * `relation`: how what a policy allows is related to what a connection does.

mod action;
mod catalogue;
mod export;
mod import;
mod listing;
mod relation;
mod rules;
mod settle;
mod text;

pub use self::{
    action::{Action, Actions, Meant},
    export::{Export, MAX_PLACES, Rounding, export},
    import::{Imported, Note, Problem, import},
    relation::{Relation, Relations},
};
use crate::{access::AccessSet, automaton::Effect};

/// The version of the policy language in which `${*}`, `${?}` and `${$}` mean what they name.
pub const VERSION: &str = "2012-10-17";
/// The most characters of all inline policies of a user. White space does not count.
pub const MAX_USER: usize = 2_048;
/// The same of a group.
pub const MAX_GROUP: usize = 5_120;
/// The same of a role.
pub const MAX_ROLE: usize = 10_240;
/// The most characters of a managed policy. White space does not count.
pub const MAX_MANAGED: usize = 6_144;
/// The most characters of a session policy. White space counts.
pub const MAX_SESSION: usize = 2_048;

/// The partitions of AWS that ARNs name, each with what the names of its regions start with. A policy
/// means nothing in another partition than its own.
pub const PARTITIONS: [(&str, &str); 8] = [
    ("aws-cn", "cn-"),
    ("aws-us-gov", "us-gov-"),
    ("aws-iso", "us-iso-"),
    ("aws-iso-b", "us-isob-"),
    ("aws-iso-e", "eu-isoe-"),
    ("aws-iso-f", "us-isof-"),
    ("aws-eusc", "eusc-"),
    ("aws", ""),
];

/// The partition of a region; `aws` where none is said.
pub fn partition(region: Option<&str>) -> &'static str {
    let region = region.unwrap_or_default();
    let of = PARTITIONS.iter().find(|(_, start)| region.starts_with(start));
    of.map_or("aws", |(partition, _)| partition)
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `Allow` or `Deny`.
    pub effect: Effect,
    /// Its actions.
    pub actions: Vec<Action>,
    /// Its resources, without the `arn:aws:s3:::` before them; `*` is everything.
    pub resources: Vec<String>,
    /// Whether it is about all resources but these: `NotResource`.
    pub is_inverted: bool,
    /// The values of `StringLike` on `s3:prefix`, where it has that condition.
    pub prefixes: Option<Vec<String>>,
    /// Whether it has the condition that `s3:delimiter` is `/`: names are then shown up to the next
    /// `/` behind the prefix.
    pub is_delimited: bool,
    /// Its other conditions, which no connection knows, as messages name them: `Bool` on `aws:SecureTransport`. The
    /// statement holds for a request or it does not; which of the two is not known.
    pub conditions: Vec<String>,
}

impl Statement {
    /// These actions on these resources, without conditions.
    pub fn new(effect: Effect, actions: Vec<Action>, resources: Vec<String>) -> Self {
        Self {
            effect,
            actions,
            resources,
            is_inverted: false,
            prefixes: None,
            is_delimited: false,
            conditions: Vec::new(),
        }
    }

    /// The accesses that its actions are.
    fn access(&self) -> AccessSet {
        self.actions.iter().filter_map(|action| action.access()).collect()
    }

    /// Whether it holds for some listings only.
    fn is_of_prefixes(&self) -> bool {
        self.prefixes.is_some() || self.is_delimited
    }
}

/// A policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Its statements, in order.
    pub statements: Vec<Statement>,
}
