//! Which of many patterns a path can match at all, by a few bytes of one of their pieces.
//!
//! Of each pattern one piece is chosen, and there the four bytes in a row that the fewest other
//! patterns have. Every four bytes of a path are looked up, each for itself, so that no step waits for
//! the one before. Ordinary paths have a piece of few patterns or none; those are matched one by one.
//! For a path with many the sieve gives up early, and the crowd is searched in a way that bears
//! any number of them.

use std::collections::HashMap;

use super::{
    looks::four_at,
    starred::{Middle, StarredSet},
};

/// The most patterns that one path is compared with.
const MOST: usize = 16;
/// The most entries that are looked at for one path.
const MOST_LOOKS: usize = 128;
/// How many bits there are for each pattern to say that some bytes are none of theirs.
const BITS: usize = 32;

/// The sieve. `WIDTH` bytes are looked at, four unless some pattern has only shorter pieces.
#[derive(Debug)]
pub(super) struct Sieve {
    /// Which bits of four bytes are looked at, and how many bytes those are.
    mask: u32,
    width: usize,
    /// A bit for each hash: whether a pattern's bytes have it. A power of two of words.
    bits: Vec<u64>,
    /// How far a hash is shifted to be the number of a bit, and of a slot.
    bit_shift: u32,
    slot_shift: u32,
    /// Where the entries of each slot start; one more at the end.
    starts: Vec<u32>,
    entries: Vec<Entry>,
}

/// A pattern, and the bytes that it is found by.
#[derive(Clone, Copy, Debug)]
struct Entry {
    bytes: u32,
    /// A place in [`StarredSet::all`].
    pattern: u32,
}

impl Sieve {
    /// The sieve for these patterns; none where pieces are too short to say much, or there are none.
    pub(super) fn new(set: &StarredSet, patterns: &[u32]) -> Option<Self> {
        let pieces = |pattern: u32| match set.all[pattern as usize].middle {
            Middle::Pieces { start, count } => set.pieces_of(start, count),
            Middle::Chain(_) => &[],
        };
        let texts = |pattern: u32| pieces(pattern).iter().map(|span| set.bytes_of(*span));
        let longest = |pattern: &u32| texts(*pattern).map(<[u8]>::len).max().unwrap_or_default();
        let width = patterns.iter().map(longest).min().unwrap_or_default().min(4);
        if width < 2 {
            return None;
        }
        let mask = u32::MAX >> (32 - 8 * width);
        let windows =
            |pattern: u32| texts(pattern).flat_map(|text| text.windows(width)).map(number);
        let mut counts: HashMap<u32, u32> = HashMap::new();
        for window in patterns.iter().flat_map(|pattern| windows(*pattern)) {
            *counts.entry(window).or_default() += 1;
        }
        let slots = patterns.len().next_power_of_two().max(2);
        let words = (patterns.len() * BITS / 64).next_power_of_two().max(2);
        let mut sieve = Self {
            mask,
            width,
            bits: vec![0; words],
            bit_shift: 32 - (words * 64).trailing_zeros(),
            slot_shift: 32 - slots.trailing_zeros(),
            starts: Vec::with_capacity(slots + 1),
            entries: Vec::with_capacity(patterns.len()),
        };
        for pattern in patterns {
            let rarest = windows(*pattern).min_by_key(|window| counts[window]);
            sieve.entries.extend(rarest.map(|bytes| Entry { bytes, pattern: *pattern }));
        }
        let slot = |entry: &Entry| hash(entry.bytes) >> sieve.slot_shift;
        sieve.entries.sort_unstable_by_key(|entry| (slot(entry), entry.bytes, entry.pattern));
        let first = |slot_number: u32| sieve.entries.partition_point(|e| slot(e) < slot_number);
        sieve.starts = (0..=slots as u32).map(|number| first(number) as u32).collect();
        for entry in &sieve.entries {
            let bit = (hash(entry.bytes) >> sieve.bit_shift) as usize;
            sieve.bits[bit / 64] |= 1 << (bit % 64);
        }
        Some(sieve)
    }

    /// The patterns that a path has the bytes of, or `None` if those are many.
    pub(super) fn candidates(&self, path: &[u8]) -> Option<Candidates> {
        let mut candidates = Candidates { patterns: [0; MOST], count: 0 };
        let mut looks = 0;
        let mut from = 0;
        while let Some(rest) = path.get(from..).filter(|rest| rest.len() >= self.width) {
            let mut hits = self.hits(rest);
            while hits != 0 {
                let at = from + hits.trailing_zeros() as usize;
                hits &= hits - 1;
                let bytes = number(&path[at..at + self.width]);
                let slot = (hash(bytes) >> self.slot_shift) as usize;
                let entries = self.starts[slot] as usize..self.starts[slot + 1] as usize;
                for entry in &self.entries[entries] {
                    looks += 1;
                    if looks > MOST_LOOKS || entry.bytes == bytes && !candidates.add(entry.pattern)
                    {
                        return None;
                    }
                }
            }
            from += 64;
        }
        Some(candidates)
    }

    /// At which of the next 64 places bytes stand that may be a pattern's.
    #[inline]
    fn hits(&self, rest: &[u8]) -> u64 {
        let is_hit = |bytes: u32| {
            let bit = (hash(bytes & self.mask) >> self.bit_shift) as usize;
            self.bits.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
        };
        let mut hits = 0;
        for (at, four) in rest.array_windows().take(64).enumerate() {
            hits |= u64::from(is_hit(u32::from_le_bytes(*four))) << at;
        }
        // Where fewer than four bytes are left, but enough.
        for at in (rest.len().saturating_sub(3)..=rest.len() - self.width).filter(|at| *at < 64) {
            hits |= u64::from(is_hit(number(&rest[at..at + self.width]))) << at;
        }
        hits
    }

    pub(super) fn bytes(&self) -> usize {
        self.bits.capacity() * 8
            + self.starts.capacity() * 4
            + self.entries.capacity() * size_of::<Entry>()
    }
}

/// A few patterns, each once.
pub(super) struct Candidates {
    patterns: [u32; MOST],
    count: usize,
}

impl Candidates {
    /// Whether there was room.
    fn add(&mut self, pattern: u32) -> bool {
        if self.patterns().contains(&pattern) {
            return true;
        }
        let Some(free) = self.patterns.get_mut(self.count) else { return false };
        *free = pattern;
        self.count += 1;
        true
    }

    /// Their places in [`StarredSet::all`].
    pub(super) fn patterns(&self) -> &[u32] {
        &self.patterns[..self.count]
    }
}

/// Up to four bytes as a number.
#[inline]
fn number(bytes: &[u8]) -> u32 {
    four_at::<false>(bytes, 0)
}

#[inline]
fn hash(bytes: u32) -> u32 {
    bytes.wrapping_mul(0x9e37_79b1)
}
