//! Patterns side by side, each with colours: which of them a word can still be matched by.
//!
//! What stands before a pattern's first wildcard is its literal; the literals are sorted, and those
//! that a word has followed so far are a range of them, so that ten thousand prefixes cost a step no
//! more than a search in a sorted list. Only patterns that a word has entered behind their literals
//! are kept one by one, as places. Nothing is compiled: states come into being as they are reached.

use super::alphabet::Alphabet;
use crate::restriction::{ByteSet, Pattern, Token};

/// Which sets of patterns match, as bits.
pub(super) type Colors = u16;

/// A word that a connection with `keys: plain` refuses, as if a pattern matched it.
pub(super) const ALIASED: Colors = 1;
/// The pattern that a search starts from.
pub(super) const OWN: Colors = 2;
/// The first of the colours that questions give out; the next is twice as large.
pub(super) const FIRST: Colors = 4;

/// One pattern of a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'p> {
    pub(super) pattern: &'p Pattern,
    pub(super) colors: Colors,
    /// Whatever the asker knows it by.
    pub(super) tag: u32,
    tail: Tail,
}

/// What stands behind a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing: the pattern is one word.
    End,
    /// `*`: everything that starts so.
    All,
    /// Something else, from this place on.
    Places(u32),
}

impl<'p> Item<'p> {
    pub(super) fn new(pattern: &'p Pattern, colors: Colors, tag: u32) -> Self {
        Self { pattern, colors, tag, tail: Tail::End }
    }

    pub(super) fn literal(&self) -> &'p [u8] {
        self.pattern.prefix()
    }
}

/// A place in the tail of a pattern.
#[derive(Clone, Copy, Debug)]
enum Step {
    Byte(u8),
    One(u16),
    Run(u16),
    End,
}

/// Patterns side by side.
#[derive(Debug)]
pub(super) struct Field<'p> {
    items: Vec<Item<'p>>,
    steps: Vec<Step>,
    /// The item that each place is of.
    owners: Vec<u32>,
    sets: Vec<ByteSet>,
    /// For each colour, how many of the items before each have it.
    sums: Vec<(Colors, Vec<u32>)>,
    alphabet: Alphabet,
}

/// Where a word stands in a field: the literals that it has followed whole, and the places.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Part {
    pub(super) lo: u32,
    pub(super) hi: u32,
    pub(super) depth: u32,
    pub(super) live: Box<[u32]>,
}

/// What a step adds to the colours.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gained {
    /// Whatever follows.
    pub(super) on: Colors,
    /// If the word ends here.
    pub(super) here: Colors,
    /// Whether some literal ends here.
    pub(super) is_literal: bool,
}

impl<'p> Field<'p> {
    pub(super) fn new(mut items: Vec<Item<'p>>) -> Self {
        items.sort_by(|a, b| {
            (a.literal(), a.pattern.tokens(), a.tag).cmp(&(b.literal(), b.pattern.tokens(), b.tag))
        });
        let (mut steps, mut owners, mut sets) = (Vec::new(), Vec::new(), vec![ByteSet::ALL]);
        for (n, item) in items.iter_mut().enumerate() {
            let tokens = item.pattern.tokens();
            let rest = if item.literal().is_empty() { tokens } else { &tokens[1..] };
            item.tail = match rest {
                [] => Tail::End,
                [Token::Run(set)] if *set == ByteSet::ALL => Tail::All,
                _ => Tail::Places(steps.len() as u32),
            };
            if !matches!(item.tail, Tail::Places(_)) {
                continue;
            }
            let mut number = |set: &ByteSet| {
                let found = sets.iter().position(|known| known == set);
                found.unwrap_or_else(|| {
                    sets.push(*set);
                    sets.len() - 1
                }) as u16
            };
            for token in rest {
                match token {
                    Token::Literal(bytes) => steps.extend(bytes.iter().map(|b| Step::Byte(*b))),
                    Token::One(set) => steps.push(Step::One(number(set))),
                    Token::Run(set) => steps.push(Step::Run(number(set))),
                }
            }
            steps.push(Step::End);
            owners.resize(steps.len(), n as u32);
        }
        let used = items.iter().fold(0, |colors, item| colors | item.colors);
        let sums = (0..Colors::BITS)
            .map(|bit| 1 << bit)
            .filter(|color| used & color != 0)
            .map(|color| {
                let mut sum = 0;
                let has = |item: &Item<'_>| u32::from(item.colors & color != 0);
                let before = std::iter::once(0).chain(items.iter().map(|item| {
                    sum += has(item);
                    sum
                }));
                (color, before.collect())
            })
            .collect();
        let alphabet = Alphabet::new(&sets);
        Self { items, steps, owners, sets, sums, alphabet }
    }

    pub(super) fn items(&self) -> &[Item<'p>] {
        &self.items
    }

    pub(super) fn alphabet(&self) -> &Alphabet {
        &self.alphabet
    }

    /// The items that may match what one matches: those whose literal starts its own, the shortest
    /// first, then those whose literals its own starts. Some of them, where they are more than `most`.
    pub(super) fn near(&self, place: usize, most: usize) -> Vec<usize> {
        let literal = self.items[place].literal();
        let mut near: Vec<usize> = Vec::new();
        let mut part = Part { lo: 0, hi: self.items.len() as u32, ..Part::default() };
        for byte in literal.iter().map(Some).chain([None]) {
            while part.lo < part.hi {
                if self.items[part.lo as usize].literal().len() as u32 > part.depth {
                    break;
                }
                near.push(part.lo as usize);
                part.lo += 1;
            }
            if near.len() >= most {
                near.truncate(most);
                return near;
            }
            if let Some(byte) = byte {
                (part.lo, part.hi) = self.narrow(&part, *byte);
                part.depth += 1;
            }
        }
        near.extend((part.lo as usize..part.hi as usize).take(most - near.len()));
        near
    }

    /// All colours that some item of a range has.
    fn colors_of(&self, lo: u32, hi: u32) -> Colors {
        let (lo, hi) = (lo as usize, hi as usize);
        if hi - lo <= 4 {
            return self.items[lo..hi].iter().fold(0, |colors, item| colors | item.colors);
        }
        self.sums
            .iter()
            .filter(|(_, before)| before[hi] > before[lo])
            .fold(0, |colors, (color, _)| colors | color)
    }

    /// All colours that a word may still gain.
    pub(super) fn ahead(&self, part: &Part) -> Colors {
        let color = |place: &u32| self.items[self.owners[*place as usize] as usize].colors;
        part.live.iter().fold(self.colors_of(part.lo, part.hi), |all, place| all | color(place))
    }

    /// The part of the empty word.
    pub(super) fn start(&self, except: &[u32], gained: &mut Gained) -> Part {
        let mut part = Part { lo: 0, hi: self.items.len() as u32, ..Part::default() };
        let mut live = Vec::new();
        self.arrive(&mut part, except, &mut live, gained);
        part.live = self.settle(live, gained.on);
        part
    }

    /// Enters the patterns whose literals end here.
    fn arrive(&self, part: &mut Part, except: &[u32], live: &mut Vec<u32>, gained: &mut Gained) {
        while part.lo < part.hi {
            let item = &self.items[part.lo as usize];
            if item.literal().len() as u32 > part.depth {
                break;
            }
            if except.is_empty() || !except.contains(&part.lo) {
                gained.is_literal |= part.depth > 0;
                match item.tail {
                    Tail::End => gained.here |= item.colors,
                    Tail::All => gained.on |= item.colors,
                    Tail::Places(place) => self.enter(place, item.colors, live, gained),
                }
            }
            part.lo += 1;
        }
        // Nothing that lies ahead can be news.
        if part.lo == part.hi || self.colors_of(part.lo, part.hi) & !gained.on == 0 {
            (part.lo, part.hi, part.depth) = (0, 0, 0);
        }
    }

    /// Adds a place and those behind the runs that it starts with.
    fn enter(&self, mut place: u32, colors: Colors, live: &mut Vec<u32>, gained: &mut Gained) {
        loop {
            match self.steps[place as usize] {
                Step::Byte(_) | Step::One(_) => {
                    live.push(place);
                    return;
                }
                Step::End => {
                    gained.here |= colors;
                    return;
                }
                Step::Run(0) if matches!(self.steps[place as usize + 1], Step::End) => {
                    gained.on |= colors;
                    return;
                }
                Step::Run(_) => {
                    live.push(place);
                    place += 1;
                }
            }
        }
    }

    /// The places behind one more byte. `color` is what a pattern gives when it has matched.
    pub(super) fn advance(
        &self,
        from: &[u32],
        byte: u8,
        color: impl Fn(&Item<'_>) -> Colors,
        live: &mut Vec<u32>,
        gained: &mut Gained,
    ) {
        for &place in from {
            let colors = color(&self.items[self.owners[place as usize] as usize]);
            match self.steps[place as usize] {
                Step::Byte(own) if own == byte => self.enter(place + 1, colors, live, gained),
                Step::One(set) if self.sets[usize::from(set)].contains(byte) => {
                    self.enter(place + 1, colors, live, gained);
                }
                Step::Run(set) if self.sets[usize::from(set)].contains(byte) => {
                    self.enter(place, colors, live, gained);
                }
                _ => {}
            }
        }
    }

    /// One more byte: the literals and the places.
    pub(super) fn step(&self, part: &Part, byte: u8, except: &[u32], gained: &mut Gained) -> Part {
        let mut live = Vec::new();
        self.advance(&part.live, byte, |item| item.colors, &mut live, gained);
        let (lo, hi) = self.narrow(part, byte);
        let mut next = Part { lo, hi, depth: part.depth + 1, live: Box::default() };
        self.arrive(&mut next, except, &mut live, gained);
        next.live = self.settle(live, gained.on);
        next
    }

    /// The range of the literals that go on with this byte.
    fn narrow(&self, part: &Part, byte: u8) -> (u32, u32) {
        let depth = part.depth as usize;
        let range = &self.items[part.lo as usize..part.hi as usize];
        // Every literal of the range is longer than the word so far.
        let from = range.partition_point(|item| item.literal()[depth] < byte);
        let len = range[from..].partition_point(|item| item.literal()[depth] == byte);
        (part.lo + from as u32, part.lo + (from + len) as u32)
    }

    /// The bytes that the literals go on with.
    pub(super) fn next_bytes(&self, part: &Part, mut each: impl FnMut(u8)) {
        let depth = part.depth as usize;
        let mut range = &self.items[part.lo as usize..part.hi as usize];
        while let Some(item) = range.first() {
            let byte = item.literal()[depth];
            each(byte);
            range = &range[range.partition_point(|item| item.literal()[depth] == byte)..];
        }
    }

    /// The single bytes that places go on with.
    pub(super) fn place_bytes(&self, live: &[u32], mut each: impl FnMut(u8)) {
        for place in live {
            if let Step::Byte(byte) = self.steps[*place as usize] {
                each(byte);
            }
        }
    }

    /// Whether a word stands in the midst of a name that the literals have: behind a byte that is
    /// not `/`, and at the end of none of them.
    pub(super) fn in_name(&self, part: &Part) -> bool {
        let depth = part.depth as usize;
        if part.lo == part.hi || depth == 0 {
            return false;
        }
        let next = self.items[part.lo as usize].literal();
        let ends = part.lo > 0 && {
            let before = self.items[part.lo as usize - 1].literal();
            before == &next[..depth]
        };
        next[depth - 1] != b'/' && !ends
    }

    /// Sorts places and leaves out those that can make no difference: of a pattern, all before a
    /// `*` that is reached too; and all of patterns whose colours are there already.
    pub(super) fn settle(&self, mut live: Vec<u32>, on: Colors) -> Box<[u32]> {
        if live.is_empty() {
            return Box::default();
        }
        live.sort_unstable();
        live.dedup();
        let mut passed = u32::MAX;
        let mut kept = live.len();
        for n in (0..live.len()).rev() {
            let place = live[n];
            let owner = self.owners[place as usize];
            if owner == passed || self.items[owner as usize].colors & !on == 0 {
                continue;
            }
            if matches!(self.steps[place as usize], Step::Run(0)) {
                passed = owner;
            }
            kept -= 1;
            live[kept] = place;
        }
        live[kept..].into()
    }

    /// The same for the places of the pattern that a search starts from, which count for
    /// themselves whatever other patterns match.
    pub(super) fn settle_own(&self, mut live: Vec<u32>) -> Box<[u32]> {
        live.sort_unstable();
        live.dedup();
        let last = live.iter().rposition(|p| matches!(self.steps[*p as usize], Step::Run(0)));
        live[last.unwrap_or(0)..].into()
    }

    /// Leaves out of a part what has none of these colours.
    pub(super) fn trim(&self, part: &mut Part, colors: Colors) {
        if self.colors_of(part.lo, part.hi) & colors == 0 {
            (part.lo, part.hi, part.depth) = (0, 0, 0);
        }
        let has =
            |place: &u32| self.items[self.owners[*place as usize] as usize].colors & colors != 0;
        if !part.live.iter().all(has) {
            part.live = part.live.iter().copied().filter(|place| has(place)).collect();
        }
    }

    /// The places that a tail starts with, for a search that starts behind its literal.
    pub(super) fn own_start(&self, item: usize, gained: &mut Gained) -> Box<[u32]> {
        let mut live = Vec::new();
        match self.items[item].tail {
            Tail::End => gained.here |= OWN,
            Tail::All => gained.on |= OWN,
            Tail::Places(place) => self.enter(place, OWN, &mut live, gained),
        }
        self.settle_own(live)
    }
}
