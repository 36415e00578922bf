//! Questions about policies, answered exactly, each "no" with the path that shows it.
//!
//! Restrictions are regular languages, so whether one set of paths is in another, or whether two have
//! anything in common, has an exact answer, and no path need ever be tried to find it. A
//! [`Language`] is such a set: of a restriction, or of a connection and an access.
//!
//! * `domain`: which bytes are a path at all, as a small automaton.
//! * `field`: patterns side by side, each with colours (allowed here, denied there, …);
//!   `alphabet`: the bytes to try where none of them names one.
//! * `goal`: a condition on colours, and what can still become of it.
//! * `behind`: what of a pattern is left once it has read some bytes.
//! * `walk`, `ahead`, `search`, `known`: the shortest path that one pattern matches and that meets a goal. States
//!   come into being as they are reached, start behind the pattern's literal, and end where the
//!   goal can no longer be met: a question about ten changes of ten thousand restrictions is about
//!   the ten.
//! * `lint`: what loads and is probably not meant.
//! * `remedy`: what would change a decision, and what else that would change.
//! * `graph`: a connection as places and ways, for people to look at.
//! * `suggest`: from what was used, the restrictions that allow it.
//! * [`iam`]: what IAM policies say, as the same sets of paths.
//! * `diff`: what a new policy allows that the old one did not, and what it no longer allows.
//!
//! Some questions have no short answer (patterns with many stars can be made so). Each has a budget,
//! [`States`], and where that ends the answer is [`Answer::Undecided`]: never a wrong one.

mod ahead;
mod alphabet;
mod behind;
mod diff;
mod domain;
mod field;
mod goal;
mod graph;
pub mod iam;
mod known;
mod language;
mod lint;
mod remedy;
mod search;
mod suggest;
mod walk;

use std::fmt;

#[cfg(feature = "portal")]
pub(crate) use self::lint::overlaps;
use self::search::Exhausted;
pub use self::{
    diff::{Cause, Change, ConnectionDiff, Extent, KeyDiff, PolicyDiff, Setting, diff},
    graph::{Decided, Graph, GraphError, Place, Scope, Way},
    language::Language,
    lint::{CODES, Finding, Level, Lint, left_open, lint},
    remedy::{Also, Remedy, Step, remedies, remedies_below},
    suggest::{Suggestion, Usage, Used, openings, reaches, suggest},
};
use crate::{escape::escape, path::Path};

/// How many states a question may visit before it is given up. A state in which many patterns are
/// still open counts as several, so that the budget bounds memory too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct States {
    most: usize,
    left: usize,
    /// Places that were gone through and are not counted yet.
    passed: usize,
}

/// So many places of patterns, gone through along a literal, cost what a state does.
const PASSED: usize = 128;

impl States {
    /// So many.
    pub const fn new(most: usize) -> Self {
        Self { most, left: most, passed: 0 }
    }

    /// How many there were at first.
    pub const fn most(&self) -> usize {
        self.most
    }

    /// Uses some up; where they are too few, all: what is asked next is not to do the same work again.
    fn spend(&mut self, states: usize) -> Result<(), Exhausted> {
        let left = self.left.checked_sub(states);
        self.left = left.unwrap_or_default();
        left.map(drop).ok_or(Exhausted)
    }

    /// The same for places that are gone through without a state.
    fn pass(&mut self, places: usize) -> Result<(), Exhausted> {
        self.passed += places;
        let states = self.passed / PASSED;
        self.passed %= PASSED;
        self.spend(states)
    }

    /// Uses up what another question of its own has, as far as there is so much.
    fn share(&mut self, other: &Self) {
        self.left = self.left.saturating_sub(other.most - other.left);
    }

    /// Whether nothing is left.
    fn are_gone(&self) -> bool {
        self.left == 0
    }
}

impl Default for States {
    /// 524,288: a hundred megabytes and a second or two at most, for questions made to be hard.
    fn default() -> Self {
        Self::new(1 << 19)
    }
}

/// The states of many questions: so many for each, and eight times as many for all of them.
#[derive(Debug)]
struct Budget {
    each: States,
    left: usize,
    /// How many were not decided.
    undecided: usize,
}

impl Budget {
    fn new(each: States) -> Self {
        Self { each, left: each.most().saturating_mul(8), undecided: 0 }
    }

    /// Whether every question that follows is undecided.
    fn is_gone(&self) -> bool {
        self.left == 0
    }

    /// Asks one. `None` where it is not decided.
    fn ask<T>(&mut self, ask: impl FnOnce(&mut States) -> Result<T, Exhausted>) -> Option<T> {
        if self.is_gone() {
            self.undecided += 1;
            return None;
        }
        let mut states = States::new(self.each.most().min(self.left));
        let answer = ask(&mut states);
        self.left -= states.most() - states.left;
        self.undecided += usize::from(answer.is_err());
        answer.ok()
    }
}

/// The answer to a question about all paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is so, for every path.
    Holds,
    /// It is not, and this path shows it: the shortest, and of those one that looks plausible. (Where
    /// the budget ends after some path was found, it is that one.)
    Fails(Path<'static>),
    /// The budget ended before.
    Undecided {
        /// The budget.
        states: usize,
    },
}

impl Answer {
    /// Whether it is so. An answer that was not found is none.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Holds)
    }

    /// The path that shows that it is not so.
    pub fn witness(&self) -> Option<&Path<'static>> {
        match self {
            Self::Fails(path) => Some(path),
            Self::Holds | Self::Undecided { .. } => None,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("holds"),
            Self::Fails(path) => write!(f, "fails at {}", escape(&path.to_string())),
            Self::Undecided { states } => write!(f, "not decided within {states} states"),
        }
    }
}
