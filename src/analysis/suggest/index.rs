//! Restrictions, looked up by the paths that they match.

use std::collections::HashSet;

use super::part::whole;
use crate::restriction::{Restriction, Token};

/// Restrictions of one access: folders and keys by their bytes, and the few that are neither.
pub(super) struct Index<'r> {
    /// Of what is everything behind some bytes, those.
    whole: HashSet<&'r [u8]>,
    keys: HashSet<&'r [u8]>,
    others: Vec<&'r Restriction>,
}

impl<'r> Index<'r> {
    pub(super) fn new(restrictions: &'r [Restriction]) -> Self {
        let mut index = Self { whole: HashSet::new(), keys: HashSet::new(), others: Vec::new() };
        for restriction in restrictions {
            match (whole(restriction), key(restriction)) {
                (Some(start), _) => drop(index.whole.insert(start)),
                (None, Some(key)) => drop(index.keys.insert(key)),
                (None, None) => index.others.push(restriction),
            }
        }
        index
    }

    /// Whether one of them is everything behind a start of these bytes that is not the whole of `but`.
    pub(super) fn has_start_of(&self, bytes: &[u8], but: Option<&[u8]>) -> bool {
        let starts = (0..=bytes.len()).map(|end| &bytes[..end]);
        starts.filter(|start| Some(*start) != but).any(|start| self.whole.contains(start))
    }

    /// Whether one of them that is neither a folder nor a key matches a path, by the reference matcher.
    pub(super) fn others_match(&self, path: &[u8]) -> bool {
        self.others.iter().any(|other| other.matches(path))
    }

    /// Whether one of them matches a path.
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        self.keys.contains(path) || self.has_start_of(path, None) || self.others_match(path)
    }
}

/// Of a restriction that is one path, that.
pub(super) fn key(restriction: &Restriction) -> Option<&[u8]> {
    match restriction.patterns() {
        [pattern] => match pattern.tokens() {
            [Token::Literal(path)] => Some(path),
            _ => None,
        },
        _ => None,
    }
}
