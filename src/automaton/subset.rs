//! The subset construction, within a budget: what makes [`below`](super::below) exact for globs.
//!
//! One state for each set of places that all patterns can be at. Which paths are allowed is then
//! a question about one state, and what is allowed below it one about the states it leads to.

use std::collections::HashMap;

use super::{Below, Effect, chain::byte_classes, compile::Item};
use crate::{
    access::{Access, AccessSet},
    restriction::{ByteSet, Token},
};

/// The most states of the construction.
pub const MAX_SUBSET_STATES: usize = 4_096;
/// The most moves: states times classes of bytes.
const MAX_MOVES: usize = 1 << 18;
/// The most places that are visited while it is made.
pub(super) const MAX_WORK: usize = 1 << 22;

/// A deterministic automaton of all patterns together.
#[derive(Debug)]
pub(super) struct Subset {
    classes: Box<[u8; 256]>,
    class_count: usize,
    moves: Vec<u16>,
    below: Vec<Below>,
}

/// A place in a pattern.
#[derive(Clone, Copy)]
enum Place {
    /// Before a step over a byte of the set.
    One(ByteSet),
    /// At a run, which may also be left.
    Run(ByteSet),
    /// At the end.
    End(Effect, AccessSet),
}

impl Subset {
    /// Builds it, or gives up at the budget.
    pub(super) fn build(items: &[Item<'_>], budget: &mut usize) -> Option<Self> {
        let most_work = MAX_WORK.min(*budget);
        let mut places = Vec::new();
        let mut starts = Vec::new();
        for item in items {
            starts.push(places.len() as u32);
            let literal = |byte: &u8| Place::One(ByteSet::NONE.with(*byte));
            places.extend(item.literal.iter().map(literal));
            for token in item.rest() {
                match token {
                    Token::Literal(bytes) => places.extend(bytes.iter().map(literal)),
                    Token::One(set) => places.push(Place::One(*set)),
                    Token::Run(set) => places.push(Place::Run(*set)),
                }
            }
            places.push(Place::End(item.effect, item.access));
            if places.len() > MAX_WORK / 16 {
                return None;
            }
        }
        let (classes, samples) = classes(&places);
        let class_count = samples.len();

        let mut states: Vec<Box<[u32]>> = Vec::new();
        let mut numbers: HashMap<Box<[u32]>, u16> = HashMap::new();
        let mut moves = Vec::new();
        let mut work = 0;
        let first = enter(&places, starts.iter().copied());
        states.push(first.clone());
        numbers.insert(first, 0);
        let mut next = 0;
        while let Some(state) = states.get(next).cloned() {
            for sample in &samples {
                work += state.len() + 1;
                let moved = state.iter().filter_map(|place| match places[*place as usize] {
                    Place::One(set) => set.contains(*sample).then_some(place + 1),
                    Place::Run(set) => set.contains(*sample).then_some(*place),
                    Place::End(..) => None,
                });
                let to = enter(&places, moved);
                let number = match numbers.get(&to) {
                    Some(number) => *number,
                    None => {
                        let number = states.len() as u16;
                        states.push(to.clone());
                        numbers.insert(to, number);
                        number
                    }
                };
                moves.push(number);
            }
            let over = states.len() > MAX_SUBSET_STATES || moves.len() > MAX_MOVES;
            if over || work > most_work {
                *budget -= work.min(*budget);
                return None;
            }
            next += 1;
        }
        *budget -= work.min(*budget);
        let here: Vec<AccessSet> = states.iter().map(|state| here(&places, state)).collect();
        let below = spread(&here, &moves, class_count);
        moves.shrink_to_fit();
        Some(Self { classes: Box::new(classes), class_count, moves, below })
    }

    /// What is known of all byte strings that start with a path.
    pub(super) fn below(&self, path: &[u8]) -> Below {
        let mut state = 0;
        for byte in path {
            let class = usize::from(self.classes[usize::from(*byte)]);
            state = usize::from(self.moves[state * self.class_count + class]);
        }
        self.below[state]
    }

    /// How many states it has.
    pub(super) fn states(&self) -> usize {
        self.below.len()
    }

    pub(super) fn bytes(&self) -> usize {
        256 + self.moves.capacity() * 2 + self.below.capacity() * size_of::<Below>()
    }
}

/// Numbers the bytes so that no place tells bytes of the same number apart, and gives one byte of each.
fn classes(places: &[Place]) -> ([u8; 256], Vec<u8>) {
    let mut sets: Vec<ByteSet> = places
        .iter()
        .filter_map(|place| match place {
            Place::One(set) | Place::Run(set) => Some(*set),
            Place::End(..) => None,
        })
        .collect();
    sets.sort_unstable();
    sets.dedup();
    byte_classes(sets.iter())
}

/// The places, and those behind the runs among them.
fn enter(places: &[Place], from: impl Iterator<Item = u32>) -> Box<[u32]> {
    let mut all = Vec::new();
    for mut place in from {
        all.push(place);
        while let Place::Run(_) = places[place as usize] {
            place += 1;
            all.push(place);
        }
    }
    all.sort_unstable();
    all.dedup();
    all.into()
}

/// The accesses at a path that leads to these places.
fn here(places: &[Place], state: &[u32]) -> AccessSet {
    let mut sides = [AccessSet::NONE; 2];
    for place in state {
        if let Place::End(effect, access) = places[*place as usize] {
            let side = &mut sides[effect as usize];
            *side = side.union(access);
        }
    }
    sides[Effect::Allow as usize].without(sides[Effect::Deny as usize])
}

/// Carries what holds at each state back to all that lead to it.
fn spread(here: &[AccessSet], moves: &[u16], class_count: usize) -> Vec<Below> {
    let mut sources: Vec<Vec<u16>> = vec![Vec::new(); here.len()];
    for (from, to) in moves
        .chunks(class_count)
        .zip(0..)
        .flat_map(|(tos, from)| tos.iter().map(move |to| (from, usize::from(*to))))
    {
        if sources[to].last() != Some(&from) {
            sources[to].push(from);
        }
    }
    let lead_to = |is: &dyn Fn(AccessSet) -> bool| {
        let mut reached: Vec<bool> = here.iter().map(|access| is(*access)).collect();
        let mut open: Vec<usize> = (0..here.len()).filter(|state| reached[*state]).collect();
        while let Some(state) = open.pop() {
            for source in &sources[state] {
                let source = usize::from(*source);
                if !std::mem::replace(&mut reached[source], true) {
                    open.push(source);
                }
            }
        }
        reached
    };
    let mut below = vec![Below::default(); here.len()];
    for access in Access::ALL {
        let some = lead_to(&|set| set.contains(access));
        let not_all = lead_to(&|set| !set.contains(access));
        for ((below, some), not_all) in below.iter_mut().zip(some).zip(not_all) {
            if some {
                below.some = below.some.with(access);
            }
            if !not_all {
                below.all = below.all.with(access);
            }
        }
    }
    below
}
