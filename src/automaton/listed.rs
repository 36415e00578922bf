//! Deciding by a few patterns, side by side.
//!
//! Four bytes at one place, chosen when the patterns are listed, tell most of them apart: they are
//! compared with those of all patterns at once, without a branch. What is left, usually none or one
//! pattern, is compared whole.

use super::{
    Automaton, Effect, RuleId, Verdict,
    alike::starts_with,
    compile::{Item, Shape},
    looks::{best_place, four_at, lowest},
};
use crate::access::Access;

/// The most patterns that are listed: about where the trie is faster.
const MOST: usize = 16;

/// The patterns: denies before allows, and there those without wildcards before their end first.
/// Sets of them are bits.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Where the bytes stand that tell the patterns apart.
    at: usize,
    /// What each pattern's literal start has there, four patterns side by side.
    lanes: Vec<Lanes>,
    /// All patterns.
    all: u32,
    /// Read, write, delete.
    sets: [Sets; 3],
    patterns: Vec<Pattern>,
}

/// Up to four bytes of each of four patterns, as far as they have them, and which bits those are.
#[derive(Clone, Copy, Debug, Default)]
struct Lanes {
    bytes: [u32; 4],
    masks: [u32; 4],
}

/// What patterns say of an access.
#[derive(Clone, Copy, Debug, Default)]
struct Sets {
    allows: u32,
    denies: u32,
    /// Those, and what allows other accesses.
    matter: u32,
}

#[derive(Debug)]
struct Pattern {
    literal: Box<[u8]>,
    rest: Rest,
    rule: u32,
}

/// What may follow the literal start.
#[derive(Clone, Copy, Debug)]
enum Rest {
    Anything,
    Nothing,
    /// A starred pattern, by its place.
    Starred(u32),
}

impl Listed {
    /// Lists these items, with the places of the starred ones, if they are few.
    pub(super) fn new(items: &[Item<'_>], places: &[u32]) -> Option<Box<Self>> {
        if items.len() > MOST {
            return None;
        }
        let literals: Vec<&[u8]> = items.iter().map(|item| item.literal).collect();
        let mut listed = Box::new(Self { at: best_place(&literals, are_alike), ..Self::default() });
        let mut places = places.iter();
        let mut patterns = Vec::with_capacity(items.len());
        for item in items {
            let rest = match item.shape {
                Shape::Anything => Rest::Anything,
                Shape::Nothing => Rest::Nothing,
                Shape::Tokens(_) => Rest::Starred(*places.next()?),
            };
            patterns.push((item, rest));
        }
        patterns.sort_by_key(|(item, rest)| match rest {
            Rest::Anything | Rest::Nothing => (item.effect == Effect::Allow, None),
            // In the order in which a walk asks them.
            Rest::Starred(place) => (item.effect == Effect::Allow, Some(*place)),
        });
        for (item, rest) in patterns {
            listed.push(item, rest);
        }
        listed.lanes.shrink_to_fit();
        listed.patterns.shrink_to_fit();
        Some(listed)
    }

    fn push(&mut self, item: &Item<'_>, rest: Rest) {
        let place = self.patterns.len();
        if place.is_multiple_of(4) {
            self.lanes.push(Lanes::default());
        }
        let lanes = &mut self.lanes[place / 4];
        (lanes.bytes[place % 4], lanes.masks[place % 4]) = bytes_at(item.literal, self.at);
        self.all |= 1 << place;
        self.patterns.push(Pattern { literal: item.literal.into(), rest, rule: item.rule });
        for access in Access::ALL {
            let sets = &mut self.sets[access.place()];
            let is_carried = item.access.contains(access);
            sets.allows |= u32::from(is_carried && item.effect == Effect::Allow) << place;
            sets.denies |= u32::from(is_carried && item.effect == Effect::Deny) << place;
            sets.matter |= u32::from(is_carried || item.effect == Effect::Allow) << place;
        }
    }

    /// The patterns that have the path's bytes where they are looked at.
    #[inline]
    fn candidates(&self, path: &[u8]) -> u32 {
        let Some(bytes) = path.get(self.at..).and_then(<[u8]>::first_chunk) else {
            return self.all;
        };
        let bytes = u32::from_le_bytes(*bytes);
        let mut candidates = 0;
        for (four, lanes) in self.lanes.iter().enumerate() {
            let mut agree = 0;
            for place in 0..4 {
                let is_one = bytes & lanes.masks[place] == lanes.bytes[place];
                agree |= u32::from(is_one) << place;
            }
            candidates |= agree << (4 * four);
        }
        candidates & self.all
    }

    pub(super) fn bytes(&self) -> usize {
        let literals: usize = self.patterns.iter().map(|pattern| pattern.literal.len()).sum();
        size_of::<Self>()
            + self.lanes.capacity() * size_of::<Lanes>()
            + self.patterns.capacity() * size_of::<Pattern>()
            + literals
    }
}

/// Up to four bytes of a string from a place on, and which bits of them it has.
fn bytes_at(string: &[u8], at: usize) -> (u32, u32) {
    (four_at::<false>(string, at), lowest(string.len().saturating_sub(at).min(4)) as u32)
}

/// Whether two strings have the same bytes at a place, as far as both have them.
fn are_alike(at: usize, one: &[u8], two: &[u8]) -> bool {
    let ((a, mask_a), (b, mask_b)) = (bytes_at(one, at), bytes_at(two, at));
    (a ^ b) & mask_a & mask_b == 0
}

impl Automaton {
    /// Decides by the list.
    #[inline(never)]
    pub(super) fn here_listed(&self, listed: &Listed, path: &[u8], access: Access) -> Verdict {
        let sets = &listed.sets[access.place()];
        let mut candidates = listed.candidates(path) & sets.matter;
        let mut other = None;
        while candidates != 0 {
            let place = candidates.trailing_zeros();
            let Some(pattern) = listed.patterns.get(place as usize) else { break };
            let is_match = (pattern.literal.is_empty() || starts_with(path, &pattern.literal))
                && match pattern.rest {
                    Rest::Anything => true,
                    Rest::Nothing => path.len() == pattern.literal.len(),
                    Rest::Starred(place) => {
                        self.starred.matches(&self.starred.all[place as usize], path)
                    }
                };
            if is_match {
                let rule = RuleId(pattern.rule);
                if sets.denies >> place & 1 == 1 {
                    return Verdict::Denied(rule);
                }
                if sets.allows >> place & 1 == 1 {
                    return Verdict::Allowed(rule);
                }
                other = other.or(Some(rule));
            }
            candidates &= candidates - 1;
        }
        other.map_or(Verdict::NoMatch, Verdict::OtherAccess)
    }
}
