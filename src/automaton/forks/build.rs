//! Choosing where forks and leaves look.

use super::{
    FORKS, FREE, Fork, Forks, LEAF, LEAVES, Leaf, Look, ONE, Slot, Way, hash, lane_bytes, tag_of,
};

/// How many strings are looked at to choose where a fork looks.
const SAMPLE: usize = 64;

/// A string, its id, and what the fork at hand makes of it: whether it is too short, and the hash.
#[derive(Clone, Copy)]
struct Entry<'a> {
    string: &'a [u8],
    id: u32,
    is_long: bool,
    hash: u64,
}

impl<const BACK: bool> Forks<BACK> {
    /// Prepares these strings with their ids; `BACK` has them turned round. They are sorted and
    /// distinct.
    pub(in super::super) fn build(strings: &[(&[u8], u32)]) -> Self {
        let mut forks = Self::default();
        let entries =
            strings.iter().map(|&(string, id)| Entry { string, id, is_long: true, hash: 0 });
        let mut strings: Vec<Entry<'_>> = entries.collect();
        forks.root = forks.way_of(&mut strings, FREE, 0);
        forks.forks.shrink_to_fit();
        forks.slots.0.shrink_to_fit();
        forks.leaves.shrink_to_fit();
        forks
    }

    fn way_of(&mut self, strings: &mut [Entry<'_>], free: usize, known: usize) -> Way {
        match strings {
            [] => Way::NONE,
            [only] => Way::new(ONE, only.id as usize),
            few if few.len() <= LEAF => self.leaf(few),
            many => self.fork(many, free, known),
        }
    }

    fn leaf(&mut self, strings: &mut [Entry<'_>]) -> Way {
        strings.sort_unstable_by_key(|entry| entry.string);
        let (at, mask) = best_place(strings);
        let mut leaf = Leaf { at: at as u16, count: strings.len() as u8, mask, ..Leaf::default() };
        for (place, entry) in strings.iter().enumerate() {
            leaf.bytes[place] = lane_bytes::<false>(entry.string, at) & mask;
            leaf.ids[place] = entry.id;
        }
        self.leaves.push(leaf);
        Way::new(LEAVES, self.leaves.len() - 1)
    }

    fn fork(&mut self, strings: &mut [Entry<'_>], free: usize, known: usize) -> Way {
        let look = if free > 0 { best_look(strings) } else { first_difference(strings, known) };
        for entry in strings.iter_mut() {
            let bytes = look.of(entry.string);
            (entry.is_long, entry.hash) = (bytes.is_some(), bytes.map_or(0, hash));
        }
        strings.sort_unstable_by_key(|entry| (entry.is_long, entry.hash));
        let short = strings.partition_point(|entry| !entry.is_long);
        let (short, long) = strings.split_at_mut(short);
        // About as many slots as there are different bytes. A single byte can be parted by the upper
        // eight bits of its hash, whatever the others are.
        let different = long.chunk_by(|a, b| a.hash == b.hash).count();
        let mut bits = different.next_power_of_two().trailing_zeros().max(1);
        let parts = |bits: u32| {
            long.windows(2).all(|two| {
                two[0].hash == two[1].hash
                    || two[0].hash >> (64 - bits) != two[1].hash >> (64 - bits)
            })
        };
        while free == 0 && bits < 8 && !parts(bits) {
            bits += 1;
        }
        let is_clean = short.len() <= 1 && parts(bits);
        let known = if free == 0 { usize::from(look.at) + 1 } else { 0 };
        let free = free - usize::from(!is_clean);
        let shift = 64 - bits;
        let slots = self.slots.len();
        self.slots.add(1 << bits);
        let place = self.forks.len();
        self.forks.push(Fork { look, shift: shift as u8, slots: slots as u32, short: Way::NONE });
        for same in long.chunk_by_mut(|a, b| a.hash >> shift == b.hash >> shift) {
            let (first, last) = (same[0].hash, same[same.len() - 1].hash);
            let way = self.way_of(same, free, known);
            let slot = slots + (first >> shift) as usize;
            self.slots.set(slot, Slot { tag: if first == last { tag_of(first) } else { 0 }, way });
        }
        self.forks[place].short = self.way_of(short, free, 0);
        Way::new(FORKS, place)
    }
}

/// The place where four bytes, or as many as all have, tell most of a few sorted strings apart; and
/// the bits of those bytes.
fn best_place(strings: &[Entry<'_>]) -> (usize, u32) {
    let shortest = strings.iter().map(|entry| entry.string.len()).min().unwrap_or_default();
    let mask_at = |at: usize| match shortest.saturating_sub(at) {
        width @ 0..4 => (1 << (8 * width)) - 1,
        _ => u32::MAX,
    };
    let alike = |at: &usize| {
        let bytes = |string: &[u8]| lane_bytes::<false>(string, *at) & mask_at(*at);
        let pairs =
            strings.iter().flat_map(|one| strings.iter().map(move |two| (one.string, two.string)));
        pairs.filter(|(one, two)| bytes(one) == bytes(two)).count()
    };
    // Neighbours differ first where they part.
    let parts = strings.windows(2).map(|two| shared(two[0].string, two[1].string));
    let places = parts.flat_map(|part| part.saturating_sub(3)..=part);
    let at = places.min_by_key(alike).unwrap_or_default();
    (at, mask_at(at))
}

/// How many bytes two strings start with alike.
pub(in super::super) fn shared(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Where a fork tells most of these strings apart, as far as a sample shows.
fn best_look(strings: &[Entry<'_>]) -> Look {
    let step = strings.len().div_ceil(SAMPLE);
    let mut sample: Vec<&[u8]> = strings.iter().step_by(step).map(|entry| entry.string).collect();
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
    best.map_or_else(|| first_difference(strings, 0), |(_, look)| look)
}

/// The first byte in which some of these strings differ, which agree in the `known` ones before.
/// One of them at most ends there.
fn first_difference(strings: &[Entry<'_>], known: usize) -> Look {
    let ends = || strings.iter().map(|entry| entry.string.get(known..).unwrap_or_default());
    let (first, last) = (ends().min().unwrap_or_default(), ends().max().unwrap_or_default());
    Look { at: (known + shared(first, last)) as u16, width: 1 }
}
