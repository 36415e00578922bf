//! Many patterns with the same prefix and the same suffix, searched together.
//!
//! One pass of Aho–Corasick over a path finds where any of their pieces stands. Each pattern waits
//! for its next piece; when that is found behind the one before, the pattern waits for the piece
//! after it. Those that wait for one piece stand in the order in which their last pieces ended, so
//! that only those that move are looked at. A pattern whose pieces are all found matches if its
//! prefix and suffix do. So a path costs its length, what it contains of pieces, and the patterns
//! that really move, however many there are.
//!
//! Few paths get there: a [`Sieve`] finds the few patterns that an ordinary path can match.
//!
//! Patterns are searched in blocks, so that what a search remembers has a fixed size and lives on
//! the stack. Which patterns share a block is for [`fill`](super::fill) to say.

use std::ops::Range;

use aho_corasick::{
    Anchored, PatternID,
    automaton::{Automaton as _, StateID},
    nfa::contiguous::NFA,
};

use super::{
    alike::{ends_with, starts_with},
    sieve::Sieve,
    starred::{Starred, StarredSet},
    trie::Trie,
};

/// The most patterns of a block.
pub(super) const BLOCK_PATTERNS: usize = 4_096;
/// The most distinct pieces of a block.
pub(super) const BLOCK_PIECES: usize = 8_192;
/// No pattern, and no piece.
pub(super) const NONE: u16 = u16::MAX;
/// In place of what a pattern waits for: its pieces do not stand in the path in their order.
const NEVER: u16 = u16::MAX;

/// Patterns that are searched in one pass.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) search: NFA,
    /// Places in [`StarredSet::all`].
    pub(super) patterns: Vec<u32>,
    /// For each pattern, where its pieces start in `pieces`; one more at the end.
    pub(super) piece_starts: Vec<u32>,
    /// The number of each piece in `search`; longer pieces have lower numbers.
    pub(super) pieces: Vec<u16>,
    /// For each piece, the longest other piece that it ends with; [`NONE`] if there is none.
    pub(super) ends_with: Vec<u16>,
    /// For each piece, where its patterns start in `first`; one more at the end.
    pub(super) first_starts: Vec<u16>,
    /// The patterns whose first piece it is, shortest prefix first.
    pub(super) first: Vec<u16>,
}

/// All patterns that are searched together.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    pub(super) sieve: Option<Box<Sieve>>,
    pub(super) blocks: Vec<Block>,
}

impl Crowd {
    /// How many patterns a block has.
    pub(super) fn size(&self, block: u32) -> usize {
        self.blocks[block as usize].patterns.len()
    }

    /// Hands every pattern that matches the path to `found`, until that says to stop. Says whether it
    /// never did, or `None` where the path has to be searched block by block.
    pub(super) fn sift(
        &self,
        set: &StarredSet,
        trie: &Trie,
        path: &[u8],
        found: &mut impl FnMut(&Starred) -> bool,
    ) -> Option<bool> {
        let candidates = self.sieve.as_ref()?.candidates(path)?;
        Some(candidates.patterns().iter().all(|pattern| {
            let starred = &set.all[*pattern as usize];
            let fits = starts_with(path, trie.leading_to(&trie.nodes[starred.node as usize]))
                && set.matches(starred, path);
            !fits || found(starred)
        }))
    }

    /// Hands every pattern of a block that matches the path to `found`, until that says to stop.
    /// Says whether it never did.
    pub(super) fn search(
        &self,
        block: u32,
        set: &StarredSet,
        trie: &Trie,
        path: &[u8],
        found: &mut impl FnMut(&Starred) -> bool,
    ) -> bool {
        let mut checked = |starred: &Starred| {
            let fits = starts_with(path, trie.leading_to(&trie.nodes[starred.node as usize]))
                && ends_with(path, set.bytes_of(starred.suffix));
            !fits || found(starred)
        };
        self.blocks[block as usize].search_in(set, path, &mut checked)
    }

    pub(super) fn bytes(&self) -> usize {
        let blocks = self.blocks.iter();
        let blocks = blocks
            .map(|block| {
                size_of::<Block>()
                    + block.search.memory_usage()
                    + (block.patterns.capacity() + block.piece_starts.capacity()) * 4
                    + (block.pieces.capacity()
                        + block.ends_with.capacity()
                        + block.first_starts.capacity()
                        + block.first.capacity())
                        * 2
            })
            .sum::<usize>();
        blocks + self.sieve.as_ref().map_or(0, |sieve| size_of::<Sieve>() + sieve.bytes())
    }
}

/// Where the pieces of a block stand in a path.
struct Stands<const PIECES: usize> {
    /// For each piece, where the first one ends; the greatest number if there is none.
    first: [u32; PIECES],
    /// For each piece, where the last one ends; 0 if there is none.
    last: [u32; PIECES],
}

/// What a search remembers.
struct Waiting<const PATTERNS: usize, const PIECES: usize> {
    /// For each pattern, the place of the piece it waits for among its pieces, or [`NEVER`].
    at: [u16; PATTERNS],
    /// For each pattern, where the piece before that ended.
    end: [u32; PATTERNS],
    /// For each pattern, the next one that waits for the same piece.
    next: [u16; PATTERNS],
    /// For each piece, the first and the last pattern that wait for it as their second or a later
    /// piece, in the order in which the pieces before ended.
    head: [u16; PIECES],
    tail: [u16; PIECES],
    /// For each piece, how many patterns with it as their first have found it.
    begun: [u16; PIECES],
}

impl Block {
    /// Hands over every pattern whose pieces stand in the path, behind its prefix's length and
    /// before its suffix's. Says whether to go on.
    fn search_in(
        &self,
        set: &StarredSet,
        path: &[u8],
        found: &mut impl FnMut(&Starred) -> bool,
    ) -> bool {
        // A search that may start anywhere always has a state to start from.
        let Ok(start) = self.search.start_state(Anchored::No) else { return true };
        let Some(first) = self.next_match(start, path, 0) else { return true };
        // What is remembered has to be cleared for each search: no more of it than the block needs.
        match (self.patterns.len(), self.first_starts.len()) {
            (..=32, ..=64) => self.follow::<32, 64>(set, path, first, found),
            (..=256, ..=512) => self.follow::<256, 512>(set, path, first, found),
            (..=1_024, ..=2_048) => self.follow::<1_024, 2_048>(set, path, first, found),
            _ => self.follow::<BLOCK_PATTERNS, BLOCK_PIECES>(set, path, first, found),
        }
    }

    /// Follows the patterns from the first piece found on. Never a part of its callers: they would
    /// prepare a stack for the largest block at every call.
    #[inline(never)]
    fn follow<const PATTERNS: usize, const PIECES: usize>(
        &self,
        set: &StarredSet,
        path: &[u8],
        mut at: (StateID, usize),
        found: &mut impl FnMut(&Starred) -> bool,
    ) -> bool {
        let mut waiting = Waiting::<PATTERNS, PIECES> {
            at: [NEVER; PATTERNS],
            end: [0; PATTERNS],
            next: [NONE; PATTERNS],
            head: [NONE; PIECES],
            tail: [NONE; PIECES],
            begun: [0; PIECES],
        };
        if !self.begin::<PIECES>(set, path, at, &mut waiting.at) {
            return true;
        }
        loop {
            let (state, end) = at;
            for place in 0..self.search.match_len(state) {
                let piece = self.search.match_pattern(state, place);
                let start = (end - self.search.pattern_len(piece)) as u32;
                let (piece, end) = (piece.as_usize(), end as u32);
                if !self.find(set, piece, start..end, path, &mut waiting, found) {
                    return false;
                }
            }
            match self.next_match(state, path, end) {
                Some(next) => at = next,
                None => return true,
            }
        }
    }

    /// Says of each pattern whether its pieces can stand in the path in their order, by where each of them
    /// stands first and last: then it waits for its first. Says whether any does.
    #[inline(never)]
    fn begin<const PIECES: usize>(
        &self,
        set: &StarredSet,
        path: &[u8],
        mut at: (StateID, usize),
        waits: &mut [u16],
    ) -> bool {
        let mut stands = Stands { first: [u32::MAX; PIECES], last: [0; PIECES] };
        loop {
            let (state, end) = at;
            // The longest, as the others are in this one's end.
            let piece = self.search.match_pattern(state, 0).as_usize();
            stands.first[piece] = stands.first[piece].min(end as u32);
            stands.last[piece] = end as u32;
            match self.next_match(state, path, end) {
                Some(next) => at = next,
                None => break,
            }
        }
        for (piece, shorter) in self.ends_with.iter().enumerate() {
            if *shorter != NONE {
                let shorter = usize::from(*shorter);
                stands.first[shorter] = stands.first[shorter].min(stands.first[piece]);
                stands.last[shorter] = stands.last[shorter].max(stands.last[piece]);
            }
        }
        let pieces = self.piece_starts.array_windows().map(|[start, end]| *start..*end);
        let mut any = false;
        for ((pattern, pieces), waits) in self.patterns.iter().zip(pieces).zip(waits) {
            let starred = &set.all[*pattern as usize];
            let mut from = u32::from(starred.prefix_len);
            let in_order =
                self.pieces[pieces.start as usize..pieces.end as usize].iter().all(|piece| {
                    let piece = usize::from(*piece);
                    let len = self.search.pattern_len(PatternID::new_unchecked(piece)) as u32;
                    let fits = from + len <= stands.last[piece];
                    from = (from + len).max(stands.first[piece]);
                    fits
                });
            if in_order && from as usize + usize::from(starred.suffix.len) <= path.len() {
                *waits = 0;
                any = true;
            }
        }
        any
    }

    /// The next state from a place on that pieces end at, and where that is.
    #[inline]
    fn next_match(&self, mut state: StateID, path: &[u8], from: usize) -> Option<(StateID, usize)> {
        for (at, byte) in path.iter().enumerate().skip(from) {
            state = self.search.next_state(Anchored::No, state, *byte);
            if self.search.is_match(state) {
                return Some((state, at + 1));
            }
        }
        None
    }

    /// A piece stands here. Says whether to go on.
    #[inline]
    fn find<const PATTERNS: usize, const PIECES: usize>(
        &self,
        set: &StarredSet,
        piece: usize,
        here: Range<u32>,
        path: &[u8],
        waiting: &mut Waiting<PATTERNS, PIECES>,
        found: &mut impl FnMut(&Starred) -> bool,
    ) -> bool {
        // Those that wait for it as a later piece, and whose last piece ended before it.
        while let Some(pattern) = Some(waiting.head[piece]).filter(|first| *first != NONE) {
            if waiting.end[usize::from(pattern)] > here.start {
                break;
            }
            waiting.head[piece] = waiting.next[usize::from(pattern)];
            if !self.advance(set, pattern, here.end, path, waiting, found) {
                return false;
            }
        }
        let first = &self.first
            [usize::from(self.first_starts[piece])..usize::from(self.first_starts[piece + 1])];
        while let Some(pattern) = first.get(usize::from(waiting.begun[piece])) {
            let starred = &set.all[self.patterns[usize::from(*pattern)] as usize];
            if u32::from(starred.prefix_len) > here.start {
                break;
            }
            waiting.begun[piece] += 1;
            if waiting.at[usize::from(*pattern)] == NEVER {
                continue;
            }
            if !self.advance(set, *pattern, here.end, path, waiting, found) {
                return false;
            }
        }
        true
    }

    /// A pattern's awaited piece was found, ending at `end`. Says whether to go on.
    fn advance<const PATTERNS: usize, const PIECES: usize>(
        &self,
        set: &StarredSet,
        pattern: u16,
        end: u32,
        path: &[u8],
        waiting: &mut Waiting<PATTERNS, PIECES>,
        found: &mut impl FnMut(&Starred) -> bool,
    ) -> bool {
        let place = usize::from(pattern);
        let pieces =
            &self.pieces[self.piece_starts[place] as usize..self.piece_starts[place + 1] as usize];
        waiting.at[place] += 1;
        waiting.end[place] = end;
        if let Some(piece) = pieces.get(usize::from(waiting.at[place])) {
            let piece = usize::from(*piece);
            waiting.next[place] = NONE;
            match waiting.head[piece] {
                NONE => waiting.head[piece] = pattern,
                _ => waiting.next[usize::from(waiting.tail[piece])] = pattern,
            }
            waiting.tail[piece] = pattern;
            return true;
        }
        let starred = &set.all[self.patterns[place] as usize];
        end as usize + usize::from(starred.suffix.len) > path.len() || found(starred)
    }
}
