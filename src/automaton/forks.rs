//! Which of many strings a path starts with, or ends with, found in a few steps.
//!
//! A walk over bytes waits at each of them for the one before. Here a step looks at eight bytes
//! at once, at a place where they tell most of the strings apart: a *fork* hashes them to the few
//! strings that have them there. Those that are too short to have them follow another way, which
//! is taken too. A *leaf* has up to [`LEAF`] strings, told apart by four bytes at a place of its own,
//! all at once. What is left is compared whole by whoever asks, so that hashes decide nothing.
//!
//! A fork with more than one string that is too short takes two ways on, so there may be at most
//! [`SPLITS`] of those one behind the other. After that a fork looks where no string ends, or at the first
//! byte in which its strings differ, as a trie does. So whatever the strings, time is linear in the path.

/// The most strings of a leaf.
const LEAF: usize = 16;
/// How many strings are looked at to choose where a fork looks.
const SAMPLE: usize = 64;
/// How many forks one behind the other may leave several strings that are too short.
const SPLITS: usize = 7;

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
    width: u8,
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

#[derive(Clone, Copy, Debug)]
struct Leaf {
    at: u16,
    /// Its lanes, in fours.
    start: u32,
    count: u32,
}

/// Four strings side by side: their bytes where the leaf looks, which of them count, and their ids.
#[derive(Clone, Copy, Debug)]
struct Lanes {
    bytes: [u32; 4],
    masks: [u32; 4],
    ids: [u32; 4],
}

impl Lanes {
    /// Four that nothing agrees with.
    const NONE: Self = Self { bytes: [1; 4], masks: [0; 4], ids: [0; 4] };
}

/// The strings. `BACK` says that they are read, and asked for, from their ends.
#[derive(Debug, Default)]
pub(super) struct Forks<const BACK: bool> {
    root: Way,
    forks: Vec<Fork>,
    slots: Slots,
    leaves: Vec<Leaf>,
    lanes: Vec<Lanes>,
}

impl<const BACK: bool> Forks<BACK> {
    /// Prepares these strings with their ids; `BACK` has them turned round. They are sorted and
    /// distinct.
    pub(super) fn build(strings: &[(&[u8], u32)]) -> Self {
        let mut forks = Self::default();
        let mut strings = strings.to_vec();
        forks.root = forks.way_of(&mut strings, SPLITS);
        forks.forks.shrink_to_fit();
        forks.slots.0.shrink_to_fit();
        forks.leaves.shrink_to_fit();
        forks.lanes.shrink_to_fit();
        forks
    }

    fn way_of(&mut self, strings: &mut [(&[u8], u32)], splits: usize) -> Way {
        match strings {
            [] => Way::NONE,
            [(_, id)] => Way::new(ONE, *id as usize),
            few if few.len() <= LEAF => self.leaf(few),
            many => self.fork(many, splits),
        }
    }

    fn leaf(&mut self, strings: &mut [(&[u8], u32)]) -> Way {
        strings.sort_unstable();
        let at = best_place(strings);
        let start = self.lanes.len();
        for four in strings.chunks(4) {
            let mut lanes = Lanes::NONE;
            for (place, (string, id)) in four.iter().enumerate() {
                (lanes.bytes[place], lanes.masks[place]) = bytes_at(string, at);
                lanes.ids[place] = *id;
            }
            self.lanes.push(lanes);
        }
        let count = (self.lanes.len() - start) as u32;
        self.leaves.push(Leaf { at: at as u16, count, start: start as u32 });
        Way::new(LEAVES, self.leaves.len() - 1)
    }

    fn fork(&mut self, strings: &mut [(&[u8], u32)], mut splits: usize) -> Way {
        let mut look = best_look(strings);
        let is_short = |look: Look, string: &[u8]| string.len() < look.end();
        if splits == 0 && strings.iter().any(|(string, _)| is_short(look, string)) {
            look = first_difference(strings);
        }
        strings.sort_by_cached_key(|(string, _)| look.of(string));
        let short = strings.partition_point(|(string, _)| is_short(look, string));
        let (short, long) = strings.split_at_mut(short);
        splits -= usize::from(short.len() > 1);
        // About as many slots as there are different bytes.
        let different = long.chunk_by(|a, b| look.of(a.0) == look.of(b.0)).count();
        let bits = different.next_power_of_two().trailing_zeros().max(1);
        let shift = 64 - bits;
        let slots = self.slots.len();
        self.slots.add(1 << bits);
        let place = self.forks.len();
        self.forks.push(Fork { look, shift: shift as u8, slots: slots as u32, short: Way::NONE });
        long.sort_by_cached_key(|(string, _)| look.of(string).map(hash));
        let slot_of = |string: &[u8]| look.of(string).map_or(0, |bytes| hash(bytes) >> shift);
        for same in long.chunk_by_mut(|a, b| slot_of(a.0) == slot_of(b.0)) {
            let bytes = look.of(same[0].0).unwrap_or_default();
            let slot = slots + (hash(bytes) >> shift) as usize;
            let alike = same.iter().all(|(string, _)| look.of(string) == Some(bytes));
            let way = self.way_of(same, splits);
            self.slots.set(slot, Slot { tag: if alike { tag_of(hash(bytes)) } else { 0 }, way });
        }
        self.forks[place].short = self.way_of(short, splits);
        Way::new(FORKS, place)
    }

    /// Hands on the ids of the strings that the path may start with: all that it does start with,
    /// and few others.
    #[inline]
    pub(super) fn each(&self, path: &[u8], each: &mut impl FnMut(u32)) {
        let mut way = self.root;
        let mut later = [Way::NONE; SPLITS];
        let mut later_count = 0;
        loop {
            while way.kind() == FORKS {
                let fork = &self.forks[way.place()];
                if fork.short.kind() == ONE {
                    each(fork.short.place() as u32);
                } else if fork.short != Way::NONE
                    && let Some(free) = later.get_mut(later_count)
                {
                    *free = fork.short;
                    later_count += 1;
                }
                way = self.way_on(fork, path);
            }
            if way.kind() == LEAVES {
                self.follow_leaf(self.leaves[way.place()], path, each);
            } else if way.kind() == ONE {
                each(way.place() as u32);
            }
            if later_count == 0 {
                return;
            }
            later_count -= 1;
            way = later.get(later_count).copied().unwrap_or_default();
        }
    }

    /// Where a path goes on that is long enough for a fork to look at.
    #[inline]
    fn way_on(&self, fork: &Fork, path: &[u8]) -> Way {
        let Some(bytes) = fork.look.in_path::<BACK>(path) else { return Way::NONE };
        let hash = hash(bytes);
        let slot = self.slots.slot(fork.slots as usize + (hash >> fork.shift) as usize);
        if slot.is_for(hash) { slot.way } else { Way::NONE }
    }

    #[inline]
    fn follow_leaf(&self, leaf: Leaf, path: &[u8], each: &mut impl FnMut(u32)) {
        let bytes = lane_bytes::<BACK>(path, usize::from(leaf.at));
        let start = leaf.start as usize;
        for lanes in &self.lanes[start..start + leaf.count as usize] {
            let mut agree = 0_u32;
            for place in 0..4 {
                agree |= u32::from(bytes & lanes.masks[place] == lanes.bytes[place]) << place;
            }
            while agree != 0 {
                each(lanes.ids[agree.trailing_zeros() as usize & 3]);
                agree &= agree - 1;
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.forks.capacity() * size_of::<Fork>()
            + self.slots.0.capacity()
            + self.leaves.capacity() * size_of::<Leaf>()
            + self.lanes.capacity() * size_of::<Lanes>()
    }
}

impl Look {
    /// Where what it sees ends.
    fn end(self) -> usize {
        usize::from(self.at) + usize::from(self.width)
    }

    /// What it sees of a string, if the string has it.
    #[inline]
    fn of(self, string: &[u8]) -> Option<u64> {
        self.in_path::<false>(string)
    }

    #[inline]
    fn in_path<const BACK: bool>(self, path: &[u8]) -> Option<u64> {
        let at = usize::from(self.at);
        let bytes = match BACK {
            false => path.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)),
            true => {
                let end = path.len().checked_sub(at)?;
                path[..end].last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
            }
        };
        let unused = 64 - 8 * u32::from(self.width);
        match bytes {
            Some(bytes) => Some(bytes << unused),
            None => self.in_short::<BACK>(path),
        }
    }

    /// The same where the path ends within eight bytes.
    #[cold]
    fn in_short<const BACK: bool>(self, path: &[u8]) -> Option<u64> {
        let (at, width) = (usize::from(self.at), usize::from(self.width));
        if path.len() < at + width {
            return None;
        }
        let byte = |place| path[if BACK { path.len() - 1 - place } else { place }];
        Some((at..at + width).rev().fold(0, |bytes, place| bytes << 8 | u64::from(byte(place))))
            .map(|bytes| bytes << (64 - 8 * width))
    }
}

/// Four bytes of a path from a place on, with zeros for those that it has not.
#[inline]
fn lane_bytes<const BACK: bool>(path: &[u8], at: usize) -> u32 {
    let four = match BACK {
        false => path.get(at..).and_then(|rest| rest.first_chunk()).map(|b| u32::from_le_bytes(*b)),
        true => path
            .len()
            .checked_sub(at)
            .and_then(|end| path[..end].last_chunk())
            .map(|bytes| u32::from_be_bytes(*bytes)),
    };
    four.unwrap_or_else(|| {
        let last = path.len().min(at + 4);
        let byte = |place| path[if BACK { path.len() - 1 - place } else { place }];
        (at..last).rev().fold(0, |bytes, place| bytes << 8 | u32::from(byte(place)))
    })
}

/// Up to four bytes of a string from a place on, as a number, and which bits of it they are.
pub(super) fn bytes_at(string: &[u8], at: usize) -> (u32, u32) {
    let bytes = string.get(at..).unwrap_or_default().iter().take(4).rev();
    bytes.fold((0, 0), |(bytes, mask), byte| (bytes << 8 | u32::from(*byte), mask << 8 | 0xff))
}

/// The place where four bytes tell most of a few sorted strings apart.
pub(super) fn best_place(strings: &[(&[u8], u32)]) -> usize {
    let sample = &strings[..strings.len().min(LEAF)];
    let alike = |at: &usize| {
        let ends = sample.iter().map(|(string, _)| bytes_at(string, *at));
        let pairs = ends.clone().flat_map(|one| ends.clone().map(move |other| (one, other)));
        pairs.filter(|((a, mask_a), (b, mask_b))| (a ^ b) & mask_a & mask_b == 0).count()
    };
    // Neighbours differ first where they part.
    let parts = sample.windows(2).map(|two| shared(two[0].0, two[1].0));
    parts.flat_map(|part| part.saturating_sub(3)..=part).min_by_key(alike).unwrap_or_default()
}

/// How many bytes two strings start with alike.
fn shared(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Where a fork tells most of these strings apart, as far as a sample shows.
fn best_look(strings: &[(&[u8], u32)]) -> Look {
    let step = strings.len().div_ceil(SAMPLE);
    let mut sample: Vec<&[u8]> = strings.iter().step_by(step).map(|(string, _)| *string).collect();
    sample.sort_unstable();
    // What is left to look at behind it: a short string always, another one together with those
    // that agree with it. Nothing if all stay together.
    let mut seen = Vec::new();
    let mut left = |look: Look| {
        seen.clear();
        seen.extend(sample.iter().filter_map(|string| look.of(string)));
        seen.sort_unstable();
        let short = sample.len() - seen.len();
        let alike: usize = seen.chunk_by(|a, b| a == b).map(|same| same.len().pow(2)).sum();
        let parts = short < sample.len() && (short > 0 || alike < sample.len().pow(2));
        // Few short ones: each costs every path.
        (parts && short <= sample.len() / 2).then_some(alike + 2 * short * sample.len())
    };
    // Neighbours differ first where they part.
    let mut parts: Vec<usize> = sample.windows(2).map(|two| shared(two[0], two[1])).collect();
    parts.sort_unstable();
    parts.dedup();
    let mut best: Option<(usize, Look)> = None;
    for (width, before) in [(8, 7), (8, 4), (8, 0), (4, 3), (4, 0), (1, 0)] {
        for part in &parts {
            let look = Look { at: part.saturating_sub(before) as u16, width };
            match left(look) {
                Some(left) if left == sample.len() => return look,
                Some(left) if best.is_none_or(|(least, _)| left < least) => {
                    best = Some((left, look));
                }
                _ => {}
            }
        }
    }
    // If the sample agrees everywhere, all the strings are looked at.
    best.map_or_else(|| first_difference(strings), |(_, look)| look)
}

/// The first byte in which some of these strings differ. One of them at most ends there.
fn first_difference(strings: &[(&[u8], u32)]) -> Look {
    let first = strings.iter().min().map_or(&b""[..], |(string, _)| string);
    let last = strings.iter().max().map_or(&b""[..], |(string, _)| string);
    Look { at: shared(first, last) as u16, width: 1 }
}

/// What a slot keeps of a hash: never 0.
#[inline]
fn tag_of(hash: u64) -> u16 {
    hash as u16 | 1
}

#[inline]
fn hash(bytes: u64) -> u64 {
    let product = u128::from(bytes ^ 0x9e37_79b9_7f4a_7c15)
        .wrapping_mul(u128::from(0xd6e8_feb8_6659_fd93_u64));
    product as u64 ^ (product >> 64) as u64
}
