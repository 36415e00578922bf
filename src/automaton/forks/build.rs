//! Choosing where forks and leaves look.

use super::{FORKS, FREE, Fork, Forks, LEAF, LEAVES, Leaf, Look, ONE, Slot, Way, hash, tag_of};
use crate::automaton::looks::{best_place, four_at, lowest, shared};

/// How many strings are looked at to choose where a fork looks.
const SAMPLE: usize = 64;
/// How many times twice as many slots as there are different bytes a fork may have to part them.
const SPARE: u32 = 2;

/// A string, its id, and what the fork at hand makes of it: whether it is too short, and the hash.
#[derive(Clone, Copy)]
struct Entry<'a> {
    string: &'a [u8],
    id: u32,
    is_long: bool,
    hash: u64,
}

/// Sorted strings that have the same byte at a place.
type Same<'s, 'a> = (u8, &'s mut [Entry<'a>]);

impl<const BACK: bool> Forks<BACK> {
    /// Prepares these strings with their ids; `BACK` has them turned round. They are sorted and
    /// distinct.
    pub(in super::super) fn build(strings: &[(&[u8], u32)]) -> Self {
        let mut forks = Self::default();
        let entries =
            strings.iter().map(|&(string, id)| Entry { string, id, is_long: true, hash: 0 });
        let mut strings: Vec<Entry<'_>> = entries.collect();
        forks.root = forks.way_of(&mut strings, FREE);
        forks.forks.shrink_to_fit();
        forks.slots.0.shrink_to_fit();
        forks.leaves.shrink_to_fit();
        forks
    }

    fn way_of(&mut self, strings: &mut [Entry<'_>], free: usize) -> Way {
        if free > 0 && strings.len() > LEAF {
            return self.fork(strings, free);
        }
        strings.sort_unstable_by_key(|entry| entry.string);
        self.branch(strings, 0)
    }

    fn leaf(&mut self, strings: &[Entry<'_>]) -> Way {
        let texts: Vec<&[u8]> = strings.iter().map(|entry| entry.string).collect();
        let shortest = texts.iter().map(|text| text.len()).min().unwrap_or_default();
        // Four bytes, or as many as all have.
        let mask_at = |at: usize| lowest(shortest.saturating_sub(at).min(4)) as u32;
        let at = best_place(&texts, |at, one, two| {
            (four_at::<false>(one, at) ^ four_at::<false>(two, at)) & mask_at(at) == 0
        });
        let mask = mask_at(at);
        let mut leaf = Leaf { at: at as u16, count: strings.len() as u8, mask, ..Leaf::default() };
        for (place, entry) in strings.iter().enumerate() {
            leaf.bytes[place] = four_at::<false>(entry.string, at) & mask;
            leaf.ids[place] = entry.id;
        }
        self.leaves.push(leaf);
        Way::new(LEAVES, self.leaves.len() - 1)
    }

    /// Parts strings where that tells most of them apart.
    fn fork(&mut self, strings: &mut [Entry<'_>], free: usize) -> Way {
        let Some(look) = best_look(strings) else { return self.way_of(strings, 0) };
        for entry in strings.iter_mut() {
            let bytes = look.at::<false>(entry.string);
            (entry.is_long, entry.hash) = (bytes.is_some(), bytes.map_or(0, hash));
        }
        strings.sort_unstable_by_key(|entry| (entry.is_long, entry.hash));
        let count = strings.partition_point(|entry| !entry.is_long);
        let (short, long) = strings.split_at_mut(count);
        // About as many slots as there are different bytes.
        let different = long.chunk_by(|a, b| a.hash == b.hash).count();
        let bits = different.next_power_of_two().trailing_zeros().max(1);
        let shift = 64 - bits;
        let slots_used = long.chunk_by(|a, b| a.hash >> shift == b.hash >> shift).count();
        if short.is_empty() && slots_used <= 1 {
            // Hashes that meet, perhaps made to.
            return self.way_of(strings, 0);
        }
        let is_clean = short.len() <= 1 && slots_used == different;
        let free = free - usize::from(!is_clean);
        let (place, slots) = self.add_fork(look, bits);
        for same in long.chunk_by_mut(|a, b| a.hash >> shift == b.hash >> shift) {
            let (first, last) = (same[0].hash, same[same.len() - 1].hash);
            let way = self.way_of(same, free);
            let slot = slots + (first >> shift) as usize;
            self.slots.set(slot, Slot { tag: if first == last { tag_of(first) } else { 0 }, way });
        }
        self.forks[place].short = self.way_of(short, free);
        Way::new(FORKS, place)
    }

    /// Parts sorted strings, which agree in the `known` first bytes, by the first byte in which some
    /// of them differ.
    fn branch(&mut self, strings: &mut [Entry<'_>], known: usize) -> Way {
        let [first, .., last] = &*strings else {
            return strings.first().map_or(Way::NONE, |only| Way::new(ONE, only.id as usize));
        };
        if strings.len() <= LEAF {
            return self.leaf(strings);
        }
        let at = known + shared(&first.string[known..], &last.string[known..]);
        // They are distinct: at most the first ends there.
        let short = usize::from(first.string.len() == at);
        let (short, mut rest) = strings.split_at_mut(short);
        let mut groups: Vec<Same<'_, '_>> = Vec::new();
        while let Some(first) = rest.first() {
            let byte = first.string[at];
            let count = rest.partition_point(|entry| entry.string[at] == byte);
            let (same, others) = rest.split_at_mut(count);
            groups.push((byte, same));
            rest = others;
        }
        let short = self.branch(short, at);
        self.part(groups, at, short)
    }

    /// A fork for strings that have different bytes at a place.
    fn part(&mut self, groups: Vec<Same<'_, '_>>, at: usize, short: Way) -> Way {
        let bytes: Vec<u8> = groups.iter().map(|(byte, _)| *byte).collect();
        let (unused, bits) = window(&bytes);
        let (place, slots) = self.add_fork(Look { at: at as u16, unused }, bits);
        self.forks[place].short = short;
        let mut parted: Vec<Vec<Same<'_, '_>>> = (0..1 << bits).map(|_| Vec::new()).collect();
        for same in groups {
            parted[slot_of(same.0, unused, bits)].push(same);
        }
        for (slot, mut groups) in (slots..).zip(parted).filter(|(_, groups)| !groups.is_empty()) {
            let way = match &mut groups[..] {
                [(_, same)] => self.branch(same, at + 1),
                few if few.iter().map(|(_, same)| same.len()).sum::<usize>() <= LEAF => {
                    let few: Vec<Entry<'_>> =
                        few.iter().flat_map(|(_, same)| &**same).copied().collect();
                    self.leaf(&few)
                }
                _ => self.part(groups, at, Way::NONE),
            };
            // The hash of one byte has nothing beyond the slot's number.
            self.slots.set(slot, Slot { tag: 0, way });
        }
        Way::new(FORKS, place)
    }

    /// Adds a fork with empty slots: its place, and that of its first slot.
    fn add_fork(&mut self, look: Look, bits: u32) -> (usize, usize) {
        let slots = self.slots.len();
        self.slots.add(1 << bits);
        let shift = (64 - bits) as u8;
        self.forks.push(Fork { look, shift, slots: slots as u32, short: Way::NONE });
        (self.forks.len() - 1, slots)
    }
}

/// The slot of a fork that looks at one byte.
fn slot_of(byte: u8, unused: u8, bits: u32) -> usize {
    (hash(u64::from(byte) << unused) >> (64 - bits)) as usize
}

/// What of the hash of one byte tells these bytes apart, as [`Look::unused`] and a number of bits: all of them
/// if few bits do that, and else as many as possible, at least two of them.
///
/// The hash's upper bits are those of the byte times an odd number. With the byte's upper bits left out,
/// the product's are, so that any few of its bits in a row can be had.
fn window(bytes: &[u8]) -> (u8, u32) {
    let least = bytes.len().next_power_of_two().trailing_zeros().max(1);
    let windows = (least..=(least + SPARE).min(8))
        .flat_map(|bits| (56..=64 - bits as u8).map(move |unused| (unused, bits)));
    let parts = |(unused, bits): (u8, u32)| {
        let mut used = [false; 256];
        bytes.iter().for_each(|byte| used[slot_of(*byte, unused, bits)] = true);
        used.iter().filter(|used| **used).count()
    };
    let mut best = (0, (56, least));
    for window in windows {
        let parted = parts(window);
        if parted > best.0 {
            best = (parted, window);
        }
        if parted == bytes.len() {
            break;
        }
    }
    best.1
}

/// Where a fork tells most of these strings apart, as far as a sample shows.
fn best_look(strings: &[Entry<'_>]) -> Option<Look> {
    let step = strings.len().div_ceil(SAMPLE);
    let mut sample: Vec<&[u8]> = strings.iter().step_by(step).map(|entry| entry.string).collect();
    sample.sort_unstable();
    // What is left to look at behind it: a short string always, another one together with those
    // that agree with it. Nothing if all stay together.
    let mut seen = Vec::new();
    let mut left = |look: Look| {
        seen.clear();
        seen.extend(sample.iter().filter_map(|string| look.at::<false>(string)));
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
            let look = Look { at: part.saturating_sub(before) as u16, unused: 64 - 8 * width };
            match left(look) {
                Some(left) if left == sample.len() => return Some(look),
                Some(left) if best.is_none_or(|(least, _)| left < least) => {
                    best = Some((left, look));
                }
                _ => {}
            }
        }
    }
    best.map(|(_, look)| look)
}
