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
//! the other; from there on forks look at the first byte that differs, as a trie does, which is clean.

/// The most strings of a leaf.
const LEAF: usize = 4;
/// How many strings are looked at to choose where a fork looks.
const SAMPLE: usize = 64;
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
    /// Prepares these strings with their ids; `BACK` has them turned round. They are sorted and
    /// distinct.
    pub(super) fn build(strings: &[(&[u8], u32)]) -> Self {
        let mut forks = Self::default();
        let mut strings = strings.to_vec();
        forks.root = forks.way_of(&mut strings, FREE);
        forks.forks.shrink_to_fit();
        forks.slots.0.shrink_to_fit();
        forks.leaves.shrink_to_fit();
        forks
    }

    fn way_of(&mut self, strings: &mut [(&[u8], u32)], free: usize) -> Way {
        match strings {
            [] => Way::NONE,
            [(_, id)] => Way::new(ONE, *id as usize),
            few if few.len() <= LEAF => self.leaf(few),
            many => self.fork(many, free),
        }
    }

    fn leaf(&mut self, strings: &mut [(&[u8], u32)]) -> Way {
        strings.sort_unstable();
        let (at, mask) = best_place(strings);
        let mut leaf = Leaf { at: at as u16, count: strings.len() as u8, mask, ..Leaf::default() };
        for (place, (string, id)) in strings.iter().enumerate() {
            leaf.bytes[place] = lane_bytes::<false>(string, at) & mask;
            leaf.ids[place] = *id;
        }
        self.leaves.push(leaf);
        Way::new(LEAVES, self.leaves.len() - 1)
    }

    fn fork(&mut self, strings: &mut [(&[u8], u32)], free: usize) -> Way {
        let look = if free > 0 { best_look(strings) } else { first_difference(strings) };
        strings.sort_by_cached_key(|(string, _)| look.of(string));
        let short = strings.partition_point(|(string, _)| look.of(string).is_none());
        let (short, long) = strings.split_at_mut(short);
        let hash_of = |string: &[u8]| look.of(string).map_or(0, hash);
        long.sort_by_cached_key(|(string, _)| hash_of(string));
        // About as many slots as there are different bytes. A single byte can be parted by the upper
        // eight bits of its hash, whatever the others are.
        let different = long.chunk_by(|a, b| hash_of(a.0) == hash_of(b.0)).count();
        let mut bits = different.next_power_of_two().trailing_zeros().max(1);
        let parts = |bits: u32| {
            long.chunk_by(|a, b| hash_of(a.0) >> (64 - bits) == hash_of(b.0) >> (64 - bits))
                .all(|same| hash_of(same[0].0) == hash_of(same[same.len() - 1].0))
        };
        while free == 0 && bits < 8 && !parts(bits) {
            bits += 1;
        }
        let is_clean = short.len() <= 1 && parts(bits);
        let free = free - usize::from(!is_clean);
        let shift = 64 - bits;
        let slots = self.slots.len();
        self.slots.add(1 << bits);
        let place = self.forks.len();
        self.forks.push(Fork { look, shift: shift as u8, slots: slots as u32, short: Way::NONE });
        for same in long.chunk_by_mut(|a, b| hash_of(a.0) >> shift == hash_of(b.0) >> shift) {
            let (first, last) = (hash_of(same[0].0), hash_of(same[same.len() - 1].0));
            let way = self.way_of(same, free);
            let slot = slots + (first >> shift) as usize;
            self.slots.set(slot, Slot { tag: if first == last { tag_of(first) } else { 0 }, way });
        }
        self.forks[place].short = self.way_of(short, free);
        Way::new(FORKS, place)
    }

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
                } else if fork.short != Way::NONE
                    && let Some(free) = later.get_mut(later_count)
                {
                    *free = fork.short;
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

    pub(super) fn bytes(&self) -> usize {
        self.forks.capacity() * size_of::<Fork>()
            + self.slots.0.capacity()
            + self.leaves.capacity() * size_of::<Leaf>()
    }
}

impl Leaf {
    #[inline]
    fn follow<const BACK: bool>(&self, path: &[u8], each: &mut impl FnMut(u32)) {
        let bytes = lane_bytes::<BACK>(path, usize::from(self.at)) & self.mask;
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

/// The place where four bytes, or as many as all have, tell most of a few sorted strings apart; and
/// the bits of those bytes.
fn best_place(strings: &[(&[u8], u32)]) -> (usize, u32) {
    let shortest = strings.iter().map(|(string, _)| string.len()).min().unwrap_or_default();
    let mask_at = |at: usize| match shortest.saturating_sub(at) {
        width @ 0..4 => (1 << (8 * width)) - 1,
        _ => u32::MAX,
    };
    let alike = |at: &usize| {
        let bytes = |string: &[u8]| lane_bytes::<false>(string, *at) & mask_at(*at);
        let pairs = strings.iter().flat_map(|one| strings.iter().map(move |two| (one.0, two.0)));
        pairs.filter(|(one, two)| bytes(one) == bytes(two)).count()
    };
    // Neighbours differ first where they part.
    let parts = strings.windows(2).map(|two| shared(two[0].0, two[1].0));
    let places = parts.flat_map(|part| part.saturating_sub(3)..=part);
    let at = places.min_by_key(alike).unwrap_or_default();
    (at, mask_at(at))
}

/// How many bytes two strings start with alike.
pub(super) fn shared(a: &[u8], b: &[u8]) -> usize {
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
    (hash >> 40) as u16 | 1
}

/// One number for another, the upper bits being the best. Different bytes have different hashes, and
/// if they differ only in the upper byte, the hashes do.
#[inline]
fn hash(bytes: u64) -> u64 {
    bytes.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds all strings that each path starts with, or ends with (they are turned round); and how many forks that takes.
    fn check<const BACK: bool>(mut strings: Vec<Vec<u8>>, paths: &[Vec<u8>]) -> usize {
        strings.sort();
        strings.dedup();
        let ids: Vec<(&[u8], u32)> = strings.iter().map(|string| &string[..]).zip(0..).collect();
        let forks = Forks::<BACK>::build(&ids);
        let mut most = 0;
        for path in paths {
            let mut turned = path.clone();
            if BACK {
                turned.reverse();
            }
            let mut found = Vec::new();
            forks.each(path, &mut |id| found.push(id));
            let starts = |id: &u32| turned.starts_with(&strings[*id as usize]);
            found.retain(starts);
            found.sort_unstable();
            let expected: Vec<u32> = (0..strings.len() as u32).filter(starts).collect();
            assert_eq!(found, expected, "{}", path.escape_ascii());
            most = most.max(forks.passed(path));
        }
        most
    }

    impl<const BACK: bool> Forks<BACK> {
        /// How many forks a path passes.
        fn passed(&self, path: &[u8]) -> usize {
            let mut ways = vec![self.root];
            let mut passed = 0;
            while let Some(way) = ways.pop() {
                if way.kind() == FORKS {
                    let fork = &self.forks[way.place()];
                    ways.extend([fork.short, self.way_on(fork, path)]);
                    passed += 1;
                }
            }
            passed
        }
    }

    fn texts(texts: impl IntoIterator<Item = String>) -> Vec<Vec<u8>> {
        texts.into_iter().map(String::into_bytes).collect()
    }

    #[test]
    fn ordinary_strings_are_told_apart_in_a_few_steps() {
        let strings = texts((0..20_000).map(|n| format!("bucket-{}/dir-{}/{n}/", n % 7, n % 311)));
        let paths = texts((0..500).map(|n| format!("bucket-{}/dir-{}/{n}/x", n % 7, n % 311)));
        assert!(check::<false>(strings, &paths) <= 6);
    }

    /// Each step parts one string from the others, whose bytes the path has.
    #[test]
    fn strings_that_part_one_by_one_take_no_more_steps_than_bytes() {
        let strings: Vec<Vec<u8>> = (0..1_000)
            .flat_map(|n| [b"a".repeat(n), [&b"a".repeat(n)[..], b"b"].concat()])
            .collect();
        let paths = [b"a".repeat(1_024), [&b"a".repeat(500)[..], b"b"].concat(), b"".to_vec()];
        for most in [check::<false>(strings.clone(), &paths), check::<true>(strings, &paths)] {
            assert!(most <= 1_024, "{most} forks");
        }
    }

    /// A fork whose strings all had one slot was made again and again once, without end: here all
    /// eight bytes differ and the upper bits of their hashes do not.
    #[test]
    fn bytes_whose_hashes_meet_are_parted_elsewhere() {
        // Differences that the multiplication takes to below the bits that number a slot.
        let inverse = (0..6).fold(1_u64, |x, _| {
            x.wrapping_mul(2_u64.wrapping_sub(x.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        });
        let strings: Vec<Vec<u8>> = (0..600_u64)
            .map(|n| [&n.wrapping_mul(inverse).to_le_bytes()[..], b"/tail"].concat())
            .collect();
        let met = strings.iter().filter_map(|s| s.first_chunk()).map(|b| u64::from_le_bytes(*b));
        assert!(met.clone().all(|bytes| hash(bytes) >> 32 == 0), "the test's own premise");
        check::<false>(strings.clone(), &strings);
    }

    #[test]
    fn nothing_and_single_strings() {
        check::<false>(vec![], &texts(["a".into(), String::new()]));
        check::<false>(texts([String::new()]), &texts(["a".into(), String::new()]));
        check::<true>(texts(["csv".into()]), &texts(["a.csv".into(), "csva".into()]));
    }
}
