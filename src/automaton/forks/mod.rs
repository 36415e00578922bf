//! Which of many strings a path starts with, or ends with, found in a few steps.
//!
//! A walk over bytes waits at each of them for the one before. Here a step looks at eight bytes
//! at once, at a place where they tell most of the strings apart: a *fork* hashes them to the few
//! strings that have them there. Those that are too short to have them follow another way, which
//! is taken too. A *leaf* has up to [`LEAF`] strings, told apart by up to four bytes at a place of its
//! own, all at once. What is left is compared whole by whoever asks, so that hashes decide nothing.
//!
//! Whatever the strings, time is linear in the path. A fork is *clean* if at most one string is too
//! short for it, and if the strings behind each slot have the same bytes where it looked. Behind a clean
//! fork at least one byte more is known to agree, so a path passes no more of them than it has bytes. Others
//! are not cleanly parted, by lengths or by hashes, and there are at most [`FREE`] of them one behind
//! the other; from there on, and where hashes tell nothing apart, forks look at the first byte that differs, as a
//! trie does, each at some bits of it: one fork for a byte, as a rule, and never more than eight.
//! Each of the [`FREE`] may have a path go two ways, so the factor is at most 2 to the [`FREE`].

mod build;
#[cfg(test)]
mod tests;

use super::looks::{eight_at, few_at, four_at};

/// The most strings of a leaf.
const LEAF: usize = 4;
/// How many forks one behind the other may be other than clean.
const FREE: usize = 7;

/// A way on: nothing, one string, a leaf or a fork, by the two highest bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Way(u32);

const ONE: u32 = 1;
const LEAVES: u32 = 2;
const FORKS: u32 = 3;

impl Way {
    const NONE: Self = Self(0);

    fn new(kind: u32, place: usize) -> Self {
        Self(kind << 30 | place as u32)
    }

    #[inline]
    fn kind(self) -> u32 {
        self.0 >> 30
    }

    #[inline]
    fn place(self) -> usize {
        (self.0 & ((1 << 30) - 1)) as usize
    }
}

#[derive(Clone, Copy, Debug)]
struct Fork {
    look: Look,
    /// How far a hash is shifted to be a place among the slots.
    shift: u8,
    slots: u32,
    /// The strings that end before what is looked at does.
    short: Way,
}

/// Up to eight bytes of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    at: u16,
    /// How many upper bits of the eight bytes from there on, the first being the lowest, are not looked at.
    unused: u8,
}

/// What leads on from a fork: part of the hash of the bytes that do, or 0 if several do; and the
/// way. Six bytes, since there is one for about each string.
#[derive(Clone, Copy)]
struct Slot {
    tag: u16,
    way: Way,
}

/// The bytes of a slot.
const SLOT: usize = 6;

impl Slot {
    #[inline]
    fn is_for(self, hash: u64) -> bool {
        self.tag == 0 || self.tag == tag_of(hash)
    }
}

/// Slots, as bytes: two more at the end, so that each is read as eight.
#[derive(Debug)]
struct Slots(Vec<u8>);

impl Default for Slots {
    fn default() -> Self {
        Self(vec![0; 8 - SLOT])
    }
}

impl Slots {
    fn len(&self) -> usize {
        self.0.len() / SLOT
    }

    /// Adds this many empty ones.
    fn add(&mut self, count: usize) {
        self.0.resize(self.0.len() + count * SLOT, 0);
    }

    fn set(&mut self, place: usize, Slot { tag, way: Way(way) }: Slot) {
        let bytes = &mut self.0[place * SLOT..][..SLOT];
        bytes[..2].copy_from_slice(&tag.to_le_bytes());
        bytes[2..].copy_from_slice(&way.to_le_bytes());
    }

    #[inline]
    fn slot(&self, place: usize) -> Slot {
        let bytes = self.0.get(place * SLOT..).and_then(<[u8]>::first_chunk);
        let bytes = u64::from_le_bytes(bytes.copied().unwrap_or_default());
        Slot { tag: bytes as u16, way: Way((bytes >> 16) as u32) }
    }
}

/// A few strings side by side: what they have where the leaf looks, and their ids.
#[derive(Clone, Copy, Debug, Default)]
struct Leaf {
    at: u16,
    count: u8,
    /// Which bits of four bytes all of the strings have.
    mask: u32,
    bytes: [u32; LEAF],
    ids: [u32; LEAF],
}

/// The strings. `BACK` says that they are read, and asked for, from their ends.
#[derive(Debug, Default)]
pub(super) struct Forks<const BACK: bool> {
    root: Way,
    forks: Vec<Fork>,
    slots: Slots,
    leaves: Vec<Leaf>,
}

impl<const BACK: bool> Forks<BACK> {
    /// Hands on the ids of the strings that the path may start with: all that it does start with,
    /// and few others.
    #[inline]
    pub(super) fn each(&self, path: &[u8], each: &mut impl FnMut(u32)) {
        self.each_from(self.root, path, each);
    }

    /// The same for several paths, step by step together, with the number of the path.
    #[inline]
    pub(super) fn each_of<const PATHS: usize>(
        &self,
        paths: &[&[u8]; PATHS],
        each: &mut impl FnMut(usize, u32),
    ) {
        let mut ways = [self.root; PATHS];
        let mut has_forks = true;
        while has_forks {
            has_forks = false;
            for ((lane, path), way) in paths.iter().enumerate().zip(&mut ways) {
                if way.kind() == FORKS {
                    let fork = &self.forks[way.place()];
                    if fork.short != Way::NONE {
                        self.each_from(fork.short, path, &mut |id| each(lane, id));
                    }
                    *way = self.way_on(fork, path);
                    has_forks |= way.kind() == FORKS;
                }
            }
        }
        for ((lane, path), way) in paths.iter().enumerate().zip(ways) {
            self.each_from(way, path, &mut |id| each(lane, id));
        }
    }

    #[inline(always)]
    fn each_from(&self, mut way: Way, path: &[u8], each: &mut impl FnMut(u32)) {
        let mut later = [Way::NONE; FREE];
        let mut later_count = 0;
        loop {
            while way.kind() == FORKS {
                let fork = &self.forks[way.place()];
                if fork.short.kind() == ONE {
                    each(fork.short.place() as u32);
                } else if fork.short != Way::NONE {
                    // There is room: such a fork is not clean. A way must not be lost, as a deny may be on it.
                    later[later_count] = fork.short;
                    later_count += 1;
                }
                way = self.way_on(fork, path);
            }
            if way.kind() == LEAVES {
                self.leaves[way.place()].follow::<BACK>(path, each);
            } else if way.kind() == ONE {
                each(way.place() as u32);
            }
            if later_count == 0 {
                return;
            }
            later_count -= 1;
            way = later[later_count];
        }
    }

    /// Where a path goes on that is long enough for a fork to look at.
    #[inline]
    fn way_on(&self, fork: &Fork, path: &[u8]) -> Way {
        let Some(bytes) = fork.look.at::<BACK>(path) else { return Way::NONE };
        let hash = hash(bytes);
        let slot = self.slots.slot(fork.slots as usize + (hash >> fork.shift) as usize);
        if slot.is_for(hash) { slot.way } else { Way::NONE }
    }

    pub(super) fn bytes(&self) -> usize {
        self.forks.capacity() * size_of::<Fork>()
            + self.slots.0.capacity()
            + self.leaves.capacity() * size_of::<Leaf>()
    }
}

impl Leaf {
    #[inline]
    fn follow<const BACK: bool>(&self, path: &[u8], each: &mut impl FnMut(u32)) {
        let bytes = four_at::<BACK>(path, usize::from(self.at)) & self.mask;
        let mut agree = 0_u32;
        for place in 0..LEAF {
            agree |= u32::from(bytes == self.bytes[place]) << place;
        }
        agree &= (1 << self.count) - 1;
        while agree != 0 {
            each(self.ids[agree.trailing_zeros() as usize % LEAF]);
            agree &= agree - 1;
        }
    }
}

impl Look {
    /// What it sees of a string, or of one turned round, in the upper bits; if the string has it.
    #[inline]
    fn at<const BACK: bool>(self, string: &[u8]) -> Option<u64> {
        let at = usize::from(self.at);
        match eight_at::<BACK>(string, at) {
            Some(bytes) => Some(bytes << self.unused),
            None => self.in_short::<BACK>(string),
        }
    }

    /// The same where the string ends within eight bytes.
    #[cold]
    fn in_short<const BACK: bool>(self, string: &[u8]) -> Option<u64> {
        let at = usize::from(self.at);
        let is_there = string.len() >= at + 8 - usize::from(self.unused / 8);
        is_there.then(|| few_at::<BACK>(string, at) << self.unused)
    }
}

/// What a slot keeps of a hash: never 0.
#[inline]
fn tag_of(hash: u64) -> u16 {
    (hash >> 40) as u16 | 1
}

/// One number for another, the upper bits being the best. Different bytes have different hashes, and
/// if they differ only in the upper byte, the hashes do.
#[inline]
fn hash(bytes: u64) -> u64 {
    bytes.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
