//! Deciding by a few patterns, side by side.
//!
//! Of each pattern's literal start the last eight bytes stand in one array, and are compared with
//! the path's bytes at their place, all patterns without a branch. What is left, usually none or one, is
//! compared whole.

use super::{
    Automaton, Effect, RuleId, Verdict,
    compile::{Item, Shape},
};
use crate::access::Access;

/// The most patterns that are listed: about where the index is faster.
const MOST: usize = 16;
/// No starred pattern.
const NONE: u32 = u32::MAX;

/// The patterns, those without wildcards before their end first. Sets of them are bits.
#[derive(Debug, Default)]
pub(super) struct Listed {
    count: usize,
    ends: [End; MOST],
    /// The patterns that allow an access, that deny it, and that allow only others.
    allows: [u32; 3],
    denies: [u32; 3],
    others: [u32; 3],
    patterns: [Pattern; MOST],
}

/// What paths that a pattern can match have in common.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    /// The last eight bytes of its literal start, or all of them with zeros behind.
    bytes: u64,
    /// Which bits of those count.
    mask: u64,
    /// Where they stand.
    at: u32,
    least_len: u32,
    /// The longest path that it can match, but one.
    before_len: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pattern {
    rule: u32,
    /// The node that its literal start leads to.
    node: u32,
    /// Its place among the starred patterns.
    starred: u32,
}

impl Listed {
    /// Lists these items, with their nodes and the places of the starred ones, if they are few.
    pub(super) fn new(items: &[Item<'_>], nodes: &[u32], places: &[u32]) -> Option<Box<Self>> {
        if items.len() > MOST {
            return None;
        }
        let mut listed = Box::<Self>::default();
        let mut places = places.iter();
        let mut starred = Vec::new();
        for (item, node) in items.iter().zip(nodes) {
            match item.shape {
                Shape::Tokens(_) => starred.push((item, *node, *places.next()?)),
                Shape::Anything | Shape::Nothing => listed.push(item, *node, NONE),
            }
        }
        // In the order in which a walk asks them.
        starred.sort_by_key(|(_, _, place)| *place);
        for (item, node, place) in starred {
            listed.push(item, node, place);
        }
        Some(listed)
    }

    fn push(&mut self, item: &Item<'_>, node: u32, starred: u32) {
        let place = self.count;
        self.count += 1;
        let literal = item.literal;
        let tail = &literal[literal.len().saturating_sub(8)..];
        self.ends[place] = End {
            bytes: word(tail),
            mask: u64::MAX.checked_shr(64 - 8 * tail.len() as u32).unwrap_or(0),
            at: (literal.len() - tail.len()) as u32,
            least_len: literal.len() as u32,
            before_len: match item.shape {
                Shape::Nothing => literal.len() as u32 + 1,
                Shape::Anything | Shape::Tokens(_) => u32::MAX,
            },
        };
        self.patterns[place] = Pattern { rule: item.rule, node, starred };
        for access in Access::ALL {
            let sets = match (item.effect, item.access.contains(access)) {
                (Effect::Allow, true) => &mut self.allows,
                (Effect::Allow, false) => &mut self.others,
                (Effect::Deny, true) => &mut self.denies,
                (Effect::Deny, false) => continue,
            };
            sets[place_of(access)] |= 1 << place;
        }
    }

    /// The patterns whose literal start ends as the path has it there, and whose length fits.
    #[inline]
    fn candidates(&self, path: &[u8]) -> u32 {
        let mut short = [0; 8];
        let bytes = match path.len() {
            8.. => path,
            len => {
                short[..len].copy_from_slice(path);
                &short
            }
        };
        let last = bytes.len() - 8;
        let mut candidates = 0;
        for (place, end) in self.ends[..self.count].iter().enumerate() {
            let at = last.min(end.at as usize);
            let stands = word(&bytes[at..at + 8]) & end.mask == end.bytes;
            let fits = path.len() >= end.least_len as usize && path.len() < end.before_len as usize;
            candidates |= u32::from(stands & fits) << place;
        }
        candidates
    }
}

/// Up to eight bytes as a number.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

#[inline]
fn place_of(access: Access) -> usize {
    (access as u8).trailing_zeros() as usize
}

impl Automaton {
    /// Decides by the list.
    #[inline]
    pub(super) fn here_listed(&self, listed: &Listed, path: &[u8], access: Access) -> Verdict {
        let candidates = listed.candidates(path);
        let place = place_of(access);
        if let Some(rule) = self.first_listed(listed, candidates & listed.denies[place], path) {
            return Verdict::Denied(rule);
        }
        if let Some(rule) = self.first_listed(listed, candidates & listed.allows[place], path) {
            return Verdict::Allowed(rule);
        }
        match self.first_listed(listed, candidates & listed.others[place], path) {
            Some(rule) => Verdict::OtherAccess(rule),
            None => Verdict::NoMatch,
        }
    }

    /// The first of these candidates that matches.
    #[inline]
    fn first_listed(&self, listed: &Listed, mut candidates: u32, path: &[u8]) -> Option<RuleId> {
        while candidates != 0 {
            let pattern = &listed.patterns[candidates.trailing_zeros() as usize];
            let literal = self.trie.leading_to(&self.trie.nodes[pattern.node as usize]);
            let is_match = path.starts_with(literal)
                && match self.starred.all.get(pattern.starred as usize) {
                    Some(starred) => self.starred.matches(starred, path),
                    None => true,
                };
            if is_match {
                return Some(RuleId(pattern.rule));
            }
            candidates &= candidates - 1;
        }
        None
    }
}
