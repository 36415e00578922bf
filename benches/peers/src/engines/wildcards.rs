//! Lists of patterns that are matched one after the other.

use pathward::{Access, AccessSet};
use wildmatch::WildMatch;

use crate::engine::{About, Ask, Engine, Kind, Task};

/// What S3 servers do.
pub(crate) struct Star(List<Box<[u8]>>);

impl Engine for Star {
    const ABOUT: About = About {
        id: "star",
        title: "linear star match, as S3 servers do",
        crates: &[],
        kind: Kind::Peer,
        bias: "The one-backtrack matcher of MinIO and SeaweedFS, ours in Rust, over the list of \
               restrictions until one matches. For it: the bare loop, without their policies' \
               statements, conditions and variables. Against it: the restrictions are not sorted \
               by how often they match.",
    };

    type Question<'q> = (&'q [u8], Access);

    fn build(task: &Task) -> Result<Self, String> {
        Ok(Self(List::build(task, |text| text.as_bytes().into())))
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path.as_bytes(), ask.access)
    }

    #[inline]
    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        self.0.any(*access, |pattern| star_match(pattern, path))
    }
}

/// What S3 servers did.
pub(crate) struct Recursive(List<Box<[u8]>>);

impl Engine for Recursive {
    const ABOUT: About = About {
        id: "recursive",
        title: "recursive star match, as older MinIO did",
        crates: &[],
        kind: Kind::Peer,
        bias: "The matcher that tries each end of a star by calling itself, ours in Rust after the \
               one that MinIO had: here for the hostile set A1, which is made for it. Exponential \
               in the stars.",
    };

    type Question<'q> = (&'q [u8], Access);

    fn build(task: &Task) -> Result<Self, String> {
        Ok(Self(List::build(task, |text| text.as_bytes().into())))
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path.as_bytes(), ask.access)
    }

    #[inline]
    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        self.0.any(*access, |pattern| recursive_match(pattern, path))
    }
}

/// The crate wildmatch.
pub(crate) struct Wildmatch(List<WildMatch>);

impl Engine for Wildmatch {
    const ABOUT: About = About {
        id: "wildmatch",
        title: "wildmatch",
        crates: &["wildmatch"],
        kind: Kind::Peer,
        bias: "A list of `WildMatch`, until one matches. It works on characters, so that each path \
               is decoded once for each restriction. Its `?` is a wildcard that cannot be escaped; \
               no restriction here has one.",
    };

    type Question<'q> = (&'q str, Access);

    fn build(task: &Task) -> Result<Self, String> {
        Ok(Self(List::build(task, WildMatch::new)))
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path, ask.access)
    }

    #[inline]
    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        self.0.any(*access, |pattern| pattern.matches(path))
    }
}

/// Patterns in the order of the rules, each with its accesses.
struct List<T>(Vec<(T, AccessSet)>);

impl<T> List<T> {
    fn build(task: &Task, pattern: impl Fn(&str) -> T) -> Self {
        Self(task.rules.iter().map(|rule| (pattern(&rule.text), rule.access)).collect())
    }

    #[inline]
    fn any(&self, access: Access, matches: impl Fn(&T) -> bool) -> bool {
        self.0.iter().any(|(pattern, set)| set.contains(access) && matches(pattern))
    }
}

/// Whether a pattern matches a path: goes back to the last star when something does not fit.
/// Quadratic at worst.
pub(super) fn star_match(pattern: &[u8], path: &[u8]) -> bool {
    let (mut p, mut s) = (0, 0);
    let mut back = None;
    while s < path.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, s));
                p += 1;
            }
            Some(byte) if *byte == path[s] => {
                p += 1;
                s += 1;
            }
            _ => match &mut back {
                Some((star, at)) => {
                    *at += 1;
                    p = *star + 1;
                    s = *at;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Whether a pattern matches a path, by trying every end of each star.
fn recursive_match(mut pattern: &[u8], mut path: &[u8]) -> bool {
    while let Some((first, rest)) = pattern.split_first() {
        match first {
            b'*' => {
                return recursive_match(rest, path)
                    || path.split_first().is_some_and(|(_, path)| recursive_match(pattern, path));
            }
            byte => match path.split_first() {
                Some((other, others)) if byte == other => (pattern, path) = (rest, others),
                _ => return false,
            },
        }
    }
    path.is_empty()
}
