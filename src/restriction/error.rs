//! A restriction that is refused, in words for its author.

use std::fmt;

use super::{
    Dialect, Restriction,
    help::{self, Help},
    kind::{Refused, RestrictionErrorKind},
};

/// A restriction that cannot be read, or that no path could ever match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestrictionError {
    kind: RestrictionErrorKind,
    at: usize,
    help: Box<Help>,
}

impl RestrictionError {
    pub(super) fn new(refused: Refused, text: &str, dialect: Dialect) -> Self {
        let help = Box::new(help::of_error(refused, text, dialect));
        Self { kind: refused.kind, at: refused.at, help }
    }

    /// What is wrong.
    pub fn kind(&self) -> RestrictionErrorKind {
        self.kind
    }

    /// Where in the text it is wrong, in bytes.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What to do about it.
    pub fn help(&self) -> &str {
        self.help.text()
    }

    /// The texts that [`help`](Self::help) says to write, in its order: each was read.
    pub fn instead(&self) -> impl Iterator<Item = &Restriction> {
        self.help.instead()
    }

    /// What to do about it, in words and texts.
    pub(crate) fn help_parts(&self) -> &Help {
        &self.help
    }
}

impl fmt::Display for RestrictionError {
    /// What is wrong, without the help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for RestrictionError {}
