//! Choosing where forks and leaves look.

use super::{
    FORKS, FREE, Fork, Forks, LEAF, LEAVES, Leaf, Look, ONE, Slot, Way, hash, lane_bytes, tag_of,
};

/// How many strings are looked at to choose where a fork looks.
const SAMPLE: usize = 64;

impl<const BACK: bool> Forks<BACK> {
    /// Prepares these strings with their ids; `BACK` has them turned round. They are sorted and
    /// distinct.
    pub(in super::super) fn build(strings: &[(&[u8], u32)]) -> Self {
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
pub(in super::super) fn shared(a: &[u8], b: &[u8]) -> usize {
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
