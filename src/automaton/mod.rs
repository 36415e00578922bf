//! Restrictions and accesses to one automaton over path bytes.
//!
//! No subset construction stands between what an author types and a decision: that would be
//! exponential in the restrictions. Instead each restriction is split at its stars:
//!
#![doc = include_str!("automaton.svg")]
//!
//! * `trie`: literals and prefixes, with what they give and take at their nodes. What another
//!   restriction covers for the same accesses is left out.
//! * `forks`: which nodes a path may pass, found in a few steps instead of a byte at a time.
//! * `starred`: a node whose prefix has more wildcards behind it has a group of patterns. The
//!   suffix leaves few of them, which are matched piece by piece (`chain` for globs). `asked` asks
//!   the groups that a path has passed.
//! * `crowd`: patterns that prefix and suffix do not tell apart are searched together, in one
//!   pass of Aho–Corasick; a `sieve` before it finds the few that an ordinary path can match. `heavy`
//!   keeps those apart that no path can meet together.
//! * `only`, `listed`: one pattern is compared, and a few are side by side, without any of that.
//! * `here` decides a path, `batch` several side by side; `below` decides all paths that start with
//!   one, and walks the trie.
//! * `subset`: only where a connection has globs, whose unions can cover each other in ways that
//!   no single restriction shows, a subset construction within a budget makes `below` exact.
//!
//! # What `below` means, and where it is exact
//!
//! The questions are about all byte strings that start with the path, itself included, as a
//! prefix of an S3 listing has it. The key to the plain form is a byte that no restriction has a
//! literal of: if a pattern with that byte for each `*` is matched by a deny, the deny's stars match
//! those bytes, hence anything, and the pattern is covered whole. So "is anything left?" is one
//! match of one word, and a few more where the path ends with the start of a piece. Without denies
//! that have stars before their end no word is needed at all.
//!
//! Where such denies meet such allows, up to [`MAX_WORDS`] words are tried for one path (fewer with
//! more than 256 such denies), and globs are exact up to [`MAX_SUBSET_STATES`]. Beyond, the answer
//! errs to "nothing below" and "not all below"; decisions of [`Automaton::here`] are always exact.
//! [`Stats::below_is_exact`] says whether any path of this connection can be beyond.

mod alike;
mod asked;
mod batch;
mod below;
mod chain;
mod compile;
mod crowd;
mod denied;
mod fill;
mod forks;
mod groups;
mod heavy;
mod here;
mod leads;
mod listed;
mod looks;
mod only;
mod sieve;
mod starred;
mod subset;
mod trie;

use std::fmt;

pub(crate) use self::{alike::starts_with, compile::Form};
pub use self::{
    below::MAX_WORDS,
    compile::{Budget, MAX_DENY_WORK, MAX_RULES, WHOLE_BUDGET},
    groups::{MAX_GLOBS_ON_ONE_PATH, MAX_PIECES_ON_ONE_PATH, MAX_STARRED_ON_ONE_PATH},
    leads::MAX_LEADS,
    subset::MAX_SUBSET_STATES,
};
use self::{
    crowd::Crowd, forks::Forks, listed::Listed, only::Only, starred::StarredSet, subset::Subset,
    trie::Trie,
};
use crate::{access::AccessSet, restriction::Restriction};

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
///
/// ```
/// use pathward::{Access, AccessSet, Automaton, Effect, Entry, Restriction, Verdict};
///
/// let docs = Restriction::parse("pub/docs/")?;
/// let secret = Restriction::parse("pub/docs/*.key")?;
/// let automaton = Automaton::compile([
///     Entry { restriction: &docs, access: AccessSet::READ_WRITE, effect: Effect::Allow },
///     Entry { restriction: &secret, access: AccessSet::READ_ONLY, effect: Effect::Deny },
/// ])?;
/// assert!(matches!(automaton.here(b"pub/docs/a.txt", Access::Read), Verdict::Allowed(_)));
/// assert!(matches!(automaton.here(b"pub/docs/a.key", Access::Read), Verdict::Denied(_)));
///
/// let below = automaton.below(b"pub/");
/// assert_eq!(below.some, AccessSet::READ_WRITE);
/// assert_eq!(below.all, AccessSet::NONE);
/// let below = automaton.below(b"pub/docs/");
/// assert_eq!(below.all.to_string(), "write, delete");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Automaton {
    /// The only pattern.
    only: Option<Only>,
    /// A few patterns, side by side.
    listed: Option<Box<Listed>>,
    /// The nodes that a path can pass.
    forks: Option<Forks<false>>,
    trie: Trie,
    /// What ends at nodes at which more than one rule ends, or that have a group.
    extras: Vec<Extra>,
    terminals: Vec<Terminal>,
    starred: StarredSet,
    /// The patterns that are searched together: allows, and denies.
    crowds: [Crowd; 2],
    subset: Option<Subset>,
    /// The accesses that some starred deny takes.
    starred_denies: AccessSet,
    /// Of these, the ones that a glob takes.
    glob_denies: AccessSet,
    /// The accesses of which one word for each allow does not tell what denies leave.
    untold: AccessSet,
    /// How many words `below` may try.
    words: u32,
    /// How many patterns with wildcards before their end one path can meet; a glob counts as 64.
    most_on_one_path: usize,
    stats: Stats,
}

/// What ends at a node: terminals, and a group of starred patterns.
#[derive(Clone, Copy, Debug)]
struct Extra {
    terminals: u32,
    terminal_count: u32,
    group: Group,
}

/// The starred patterns whose prefix ends at one node: places in [`StarredSet::all`].
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    start: u32,
    /// Up to here they are matched one by one, sorted by suffix; the others are in the crowd.
    direct_end: u32,
    end: u32,
    /// Of a group of many, its place in [`StarredSet::many`] and one more; else 0.
    many: u32,
}

/// How a group of many patterns is searched.
#[derive(Clone, Copy, Debug)]
struct Many {
    /// Where the forks are that find those by suffix which are matched one by one, if there are forks.
    suffixes: u32,
    /// The blocks of the two crowds that the others are in: the first, and the one behind the last.
    blocks: [(u32, u32); 2],
}

/// One literal or prefix that ends at a node.
#[derive(Clone, Copy, Debug)]
struct Terminal {
    rule: u32,
    access: AccessSet,
    kind: Kind,
}

/// The kinds of terminals, each the place of its three bits in a node's flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    PrefixAllow = 0,
    ExactAllow = 3,
    PrefixDeny = 6,
    ExactDeny = 9,
}

/// What a node's flags say beside [`Kind`].
mod flag {
    /// The accesses that something at or under the node has, denies considered.
    pub(super) const LIVE: u32 = 12;
    /// The accesses that some deny at or under the node takes from some path.
    pub(super) const DENY_BELOW: u32 = 15;
    /// The accesses of the group's allows.
    pub(super) const GROUP_ALLOW: u32 = 18;
    /// The accesses of the group's denies.
    pub(super) const GROUP_DENY: u32 = 21;
    /// The node has a group.
    pub(super) const GROUP: u32 = 1 << 24;
    /// `extra` is a place in `extras`; else it is the one rule that ends here.
    pub(super) const EXTRA: u32 = 1 << 25;
    /// Anything ends at the node, or it has a group.
    pub(super) const ANY_HERE: u32 = 0o7777 | GROUP;
    /// The accesses that something at or under the node may have: [`LIVE`], and what globs deny
    /// but perhaps not all of.
    pub(super) const LEADS: u32 = 26;
}

/// The three bits of a node's flags from a place on.
#[inline]
fn bits(flags: u32, place: u32) -> AccessSet {
    AccessSet::from_bits((flags >> place & 7) as u8)
}

/// How large an automaton is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Rules that it was compiled from.
    pub rules: usize,
    /// Patterns that are left out because another covers them.
    pub covered: usize,
    /// Nodes of the trie.
    pub nodes: usize,
    /// Patterns with wildcards before their end.
    pub starred: usize,
    /// Of these, the ones that are searched together.
    pub crowd: usize,
    /// States of the subset construction, where one was made.
    pub subset_states: usize,
    /// Memory, in bytes.
    pub bytes: usize,
    /// Whether [`Automaton::below`] is exact for every path: the construction for globs stayed
    /// within its budget, and no path can need more words than are tried. Else it errs on the closed
    /// side where it is not.
    pub below_is_exact: bool,
}

/// Rules that are too many or too large to be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The first rule beyond the limit.
    pub rule: RuleId,
    /// The limit's name, such as `limit.starred_on_one_path`.
    pub limit: &'static str,
    /// The limit.
    pub most: usize,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the rules pass a limit: at most {} ({})", self.most, self.limit)
    }
}

impl std::error::Error for TooLarge {}

impl fmt::Debug for Automaton {
    /// Its size: what is in it is for `inspect` to say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Automaton").field(&self.stats).finish()
    }
}

impl Automaton {
    /// How large it is.
    pub fn stats(&self) -> Stats {
        self.stats
    }
}
