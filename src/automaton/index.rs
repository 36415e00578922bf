//! Where a path leaves the trie, found without walking it.
//!
//! A walk's every step waits for the one before: at many restrictions that is a cache miss a level.
//! Here nothing waits. The index knows the node for each *stop*: what a restriction has up to its
//! last `/`, and exact paths whole. A path's own stops are its starts up to each `/`, and itself; all
//! are hashed in one pass and looked up side by side, and the longest one that is known is where
//! the path leaves the trie, but for what may follow within a segment. The node's bytes are
//! compared with the path's before anything is made of it, so that hashes decide nothing.
//!
//! The table is a perfect hash: a pilot for each bucket of keys, chosen so that no two keys share a
//! slot (Belazzougui, Botelho, Dietzfelbinger, *Hash, Displace, and Compress*, ESA 2009). A look-up
//! is one pilot and one slot, whatever the keys. Keys that cannot be placed so are tried with
//! other seeds, which nobody outside can know.

use std::hash::{BuildHasher, RandomState};

use super::NO_NODE;

/// The seed that is tried first: the same for every process, so that equal policies make equal
/// automata.
const FIRST_SEED: u64 = 0x243f_6a88_85a3_08d3;
/// Further seeds that are tried, from the process's own randomness.
const MORE_SEEDS: usize = 7;
/// Keys for each pilot.
const BUCKET: usize = 3;

/// The look-up table.
#[derive(Debug)]
pub(super) struct Index {
    seed: u64,
    pilots: Vec<u8>,
    slots: Vec<Slot>,
}

/// One key: part of its hash, and its node.
#[derive(Clone, Copy, Debug)]
struct Slot {
    tag: u32,
    node: u32,
}

/// Where a path's longest known stop is, if hashes tell the truth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) node: u32,
    /// How many bytes of the path the stop has.
    pub(super) len: usize,
}

impl Index {
    /// Builds the index of these stops, each the first bytes of a path and the node that they lead
    /// to or into. `None` if they cannot be told apart, which is chance of a kind that nobody meets.
    pub(super) fn build(stops: &[(&[u8], u32)]) -> Option<Self> {
        let random = RandomState::new();
        let more = (0..MORE_SEEDS).map(|n| random.hash_one(n));
        std::iter::once(FIRST_SEED).chain(more).find_map(|seed| Self::with_seed(stops, seed))
    }

    fn with_seed(stops: &[(&[u8], u32)], seed: u64) -> Option<Self> {
        let hash = |(stop, _): &(&[u8], u32)| Hasher::new(seed).whole(stop);
        let mut keys: Vec<(u64, u32)> = stops.iter().map(hash).zip(0..).collect();
        keys.sort_unstable();
        let stop = |key: u32| stops[key as usize].0;
        if keys.windows(2).any(|two| two[0].0 == two[1].0 && stop(two[0].1) != stop(two[1].1)) {
            return None;
        }
        keys.dedup_by_key(|(hash, _)| *hash);

        // Sorted by hash they are sorted by bucket. The large ones choose first.
        let bucket_count = keys.len() / BUCKET + 1;
        let mut buckets: Vec<&[(u64, u32)]> = keys
            .chunk_by(|a, b| bucket_of(a.0, bucket_count) == bucket_of(b.0, bucket_count))
            .collect();
        buckets.sort_by_key(|bucket| std::cmp::Reverse(bucket.len()));
        let slot_count = keys.len() + keys.len() / 8 + 1;
        let mut pilots = vec![0; bucket_count];
        let mut slots = vec![Slot { tag: 0, node: NO_NODE }; slot_count];
        let mut chosen = Vec::new();
        for bucket in buckets {
            let pilot = (0..=u8::MAX).find(|pilot| {
                chosen.clear();
                bucket.iter().all(|(hash, _)| {
                    let slot = slot_of(*hash, *pilot, slot_count);
                    let is_free = slots[slot].node == NO_NODE && !chosen.contains(&slot);
                    chosen.push(slot);
                    is_free
                })
            })?;
            pilots[bucket_of(bucket[0].0, bucket_count)] = pilot;
            for ((hash, key), slot) in bucket.iter().zip(&chosen) {
                slots[*slot] = Slot { tag: *hash as u32, node: stops[*key as usize].1 };
            }
        }
        Some(Self { seed, pilots, slots })
    }

    /// The longest stop of a path that is known. Its bytes are still to be compared.
    #[inline]
    pub(super) fn longest(&self, path: &[u8]) -> Option<Found> {
        let mut found = Found { node: NO_NODE, len: 0 };
        let whole =
            Hasher::new(self.seed).stops(path, |hash, len| self.look_up(hash, len, &mut found));
        self.look_up(whole, path.len(), &mut found);
        (found.node != NO_NODE).then_some(found)
    }

    #[inline]
    fn look_up(&self, hash: u64, len: usize, found: &mut Found) {
        let pilot = self.pilots[bucket_of(hash, self.pilots.len())];
        let slot = self.slots[slot_of(hash, pilot, self.slots.len())];
        let is_known = slot.tag == hash as u32 && slot.node != NO_NODE;
        found.node = if is_known { slot.node } else { found.node };
        found.len = if is_known { len } else { found.len };
    }

    pub(super) fn bytes(&self) -> usize {
        self.pilots.capacity() + self.slots.capacity() * size_of::<Slot>()
    }
}

#[inline]
fn bucket_of(hash: u64, count: usize) -> usize {
    ((hash >> 32) * count as u64 >> 32) as usize
}

#[inline]
fn slot_of(hash: u64, pilot: u8, count: usize) -> usize {
    let mixed = (hash ^ u64::from(pilot).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_mul(0xd6e8_feb8_6659_fd93);
    ((mixed >> 32) * count as u64 >> 32) as usize
}

/// Hashes of the starts of one string of bytes.
///
/// Eight bytes a step, each folded with a key of its place; the hash of a start is the sum of its
/// words, so that no step waits for the one before.
struct Hasher {
    key: u64,
    sum: u64,
}

/// How the keys of neighbouring words differ.
const STEP: u64 = 0xa076_1d64_78bd_642f;

impl Hasher {
    fn new(seed: u64) -> Self {
        Self { key: seed, sum: 0 }
    }

    /// The hash of a start that ends in this word, of which it has the bytes that are not zero.
    #[inline]
    fn ended(&self, word: u64, len: usize) -> u64 {
        let sum = self.sum.wrapping_add(fold(word ^ self.key, 0xe703_7ed1_a0b4_28db));
        fold(sum ^ len as u64, 0x8ebc_6af0_9c88_c6e3)
    }

    /// Goes on behind a word that a start has whole.
    #[inline]
    fn pass(&mut self, word: u64) {
        self.sum = self.sum.wrapping_add(fold(word ^ self.key, 0xe703_7ed1_a0b4_28db));
        self.key = self.key.wrapping_add(STEP);
    }

    /// Hands on the hash and length of each start of the bytes that ends with `/`, and returns the
    /// hash of the whole.
    #[inline]
    fn stops(mut self, bytes: &[u8], mut each: impl FnMut(u64, usize)) -> u64 {
        let mut spent = 0;
        // The last word has one to eight bytes, so that no start ends where a word begins.
        while bytes.len() - spent > 8 {
            let word = word_at(bytes, spent);
            self.stops_in(word, spent, &mut each);
            self.pass(word);
            spent += 8;
        }
        let word = last_word(bytes, spent);
        self.stops_in(word, spent, &mut each);
        self.ended(word, bytes.len())
    }

    #[inline]
    fn stops_in(&self, word: u64, spent: usize, each: &mut impl FnMut(u64, usize)) {
        let mut slashes = slashes(word);
        while slashes != 0 {
            // The highest bit of the first `/`.
            let bit = slashes.trailing_zeros();
            let len = spent + bit as usize / 8 + 1;
            each(self.ended(word & u64::MAX >> (63 - bit), len), len);
            slashes &= slashes - 1;
        }
    }

    fn whole(self, bytes: &[u8]) -> u64 {
        self.stops(bytes, |_, _| {})
    }
}

/// Eight bytes as a number.
#[inline]
fn word_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word))
}

/// What is left of the bytes, at most eight, with zeros behind.
#[inline]
fn last_word(bytes: &[u8], spent: usize) -> u64 {
    let left = bytes.len() - spent;
    match bytes.last_chunk() {
        Some(_) if left == 0 => 0,
        Some(word) => u64::from_le_bytes(*word) >> (64 - 8 * left),
        None => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

#[inline]
fn fold(word: u64, by: u64) -> u64 {
    let product = u128::from(word) * u128::from(by);
    product as u64 ^ (product >> 64) as u64
}

/// The highest bit of each byte of a word that is a `/`, exactly.
#[inline]
fn slashes(word: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let differs = word ^ 0x2f2f_2f2f_2f2f_2f2f;
    !((differs & LOW).wrapping_add(LOW) | differs | LOW)
}
