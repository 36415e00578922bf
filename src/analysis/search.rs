//! The shortest path that a pattern matches and that meets a goal: breadth first through the states
//! of a [`Field`], which come into being as they are reached.
//!
//! A search starts behind the literal of one pattern, because no path it looks for starts otherwise,
//! and goes on only where the goal can still be met. Of the shortest paths the one is found that looks
//! least odd: what the literals of the field go on with comes first, then letters.

use std::{collections::HashMap, rc::Rc};

use super::{
    States,
    ahead::Start,
    alphabet::oddness,
    domain::{End, Phase},
    field::{ALIASED, Colors, Field, Gained, OWN, Part},
    goal::{Goal, Outlook},
};
use crate::path::{MAX_BUCKET_LEN, MAX_KEY_LEN, MAX_PATH_LEN};

/// What it costs to leave a name of the field in its midst.
const LEAVING: u32 = 100;

/// A state: all that decides how a word can go on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    phase: Phase,
    on: Colors,
    part: Part,
    own: Box<[u32]>,
}

/// How a state was reached first.
#[derive(Clone, Copy, Debug)]
struct Reached {
    from: u32,
    byte: u8,
    len: u32,
    /// How many of its bytes are of the key.
    key: u32,
    odd: u32,
}

/// A word that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) word: Vec<u8>,
    pub(super) odd: u32,
    /// Whether an object can be there, and not only a bucket.
    pub(super) is_object: bool,
}

impl Found {
    /// What is better comes first: objects, then what is short, then what is not odd.
    fn rank(&self) -> (bool, usize, u32) {
        (!self.is_object, self.word.len(), self.odd)
    }

    /// The better of two.
    pub(super) fn better(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) if other.rank() < one.rank() => Some(other),
            (Some(one), _) => Some(one),
            (None, other) => other,
        }
    }
}

/// The budget was used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

/// A byte by which a word goes on.
#[derive(Clone, Copy, Debug)]
struct By {
    byte: u8,
    /// A literal of the field goes on with it.
    known: bool,
    /// What it costs if none does.
    leaving: u32,
}

/// In which order words are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Those with the fewest bytes first.
    Path,
    /// Those with the fewest bytes of key first: for where the shortest path has too long a key.
    Key,
}

/// Looks for the shortest path that the pattern of `start` matches and that meets the goal. Paths of
/// objects come before buckets, however long. `most` is a length beyond which none is wanted.
///
/// # Errors
///
/// The states are used up, and nothing was found before.
pub(super) fn search(
    field: &Field<'_>,
    goal: &Goal<'_>,
    start: &Start,
    most: usize,
    states: &mut States,
) -> Result<Option<Found>, Exhausted> {
    let found = Search::new(field, goal, start, Order::Path, most).run(states)?;
    let key_len = |word: &[u8]| memchr::memchr(b'/', word).map_or(0, |at| word.len() - at - 1);
    match found {
        Some(found) if key_len(&found.word) > MAX_KEY_LEN => {
            Search::new(field, goal, start, Order::Key, most).run(states)
        }
        found => Ok(found),
    }
}

struct Search<'s, 'p> {
    field: &'s Field<'p>,
    goal: &'s Goal<'s>,
    start: &'s Start,
    order: Order,
    most: usize,
    seen: HashMap<Rc<State>, u32>,
    reached: Vec<Reached>,
    /// The states of words that have one byte more.
    next: Vec<(Rc<State>, u32)>,
    /// Words that have left the bucket, while buckets are tried.
    held: Vec<(Rc<State>, u32)>,
    /// The best end of the words that are one byte longer: how odd, from where, by which byte.
    object: Option<(u32, u32, u8)>,
    /// The best bucket so far.
    bucket: Option<Found>,
}

impl<'s, 'p> Search<'s, 'p> {
    fn new(
        field: &'s Field<'p>,
        goal: &'s Goal<'s>,
        start: &'s Start,
        order: Order,
        most: usize,
    ) -> Self {
        Self {
            field,
            goal,
            start,
            order,
            most,
            seen: HashMap::new(),
            reached: Vec::new(),
            next: Vec::new(),
            held: Vec::new(),
            object: None,
            bucket: None,
        }
    }

    fn run(mut self, states: &mut States) -> Result<Option<Found>, Exhausted> {
        let Some(first) = self.first() else { return Ok(None) };
        let (state, is_object) = first;
        let literal = &self.start.word[..];
        if is_object {
            return Ok(Some(Found { word: literal.to_vec(), odd: 0, is_object }));
        }
        let Some(state) = state else { return Ok(self.bucket) };
        states.spend(1)?;
        let state = Rc::new(state);
        let len = literal.len() as u32;
        let key = memchr::memchr(b'/', literal).map_or(0, |at| len - at as u32 - 1);
        self.reached.push(Reached { from: 0, byte: 0, len, key, odd: 0 });
        self.seen.insert(Rc::clone(&state), 0);
        let mut level = vec![(state, 0)];
        loop {
            for (state, id) in level.drain(..) {
                if let Err(Exhausted) = self.expand(&state, id, states) {
                    // A bucket that was found is an answer, if not the one that is liked best.
                    return self.bucket.map(Some).ok_or(Exhausted);
                }
            }
            if let Some((odd, from, byte)) = self.object {
                let mut word = self.word(from);
                word.push(byte);
                return Ok(Some(Found { word, odd, is_object: true }));
            }
            std::mem::swap(&mut level, &mut self.next);
            if level.is_empty() {
                std::mem::swap(&mut level, &mut self.held);
            }
            if level.is_empty() {
                return Ok(self.bucket);
            }
        }
    }

    /// The state behind the literal, if anything can come of it, and whether it is an answer itself.
    fn first(&mut self) -> Option<(Option<State>, bool)> {
        let Start { word: ref literal, phase, ref part, ref own, on, here, .. } = *self.start;
        let bucket = memchr::memchr(b'/', literal).unwrap_or(literal.len());
        let is_too_long = bucket > MAX_BUCKET_LEN || literal.len() > bucket + 1 + MAX_KEY_LEN;
        if is_too_long || literal.len() > self.most {
            return None;
        }
        if self.goal.is_met(on | here) {
            match phase.end() {
                End::Object => return Some((None, true)),
                End::Bucket => {
                    let word = literal.clone();
                    self.bucket = Some(Found { word, odd: 0, is_object: false });
                }
                End::None => {}
            }
        }
        Some((self.close(State { phase, on, part: part.clone(), own: own.clone() }), false))
    }

    /// Leaves out of a state what no longer matters; `None` if nothing can come of it.
    fn close(&self, mut state: State) -> Option<State> {
        let own = if state.own.is_empty() { 0 } else { OWN };
        let ahead = self.field.ahead(&state.part) | own | ALIASED;
        match self.goal.outlook(state.on, ahead) {
            Outlook::Dead => None,
            Outlook::Open { on, ahead } => {
                state.on = on;
                self.field.trim(&mut state.part, ahead);
                if ahead & OWN == 0 {
                    state.own = Box::default();
                }
                Some(state)
            }
        }
    }

    /// Every way in which a word goes on from a state.
    fn expand(&mut self, state: &State, id: u32, states: &mut States) -> Result<(), Exhausted> {
        let field = self.field;
        let Reached { len, key, .. } = self.reached[id as usize];
        let len = len + 1;
        let is_key_too_long = self.order == Order::Key && key as usize >= MAX_KEY_LEN;
        if len as usize > self.most.min(MAX_PATH_LEN) || is_key_too_long {
            return Ok(());
        }
        let (mut known, mut asked) = ([false; 256], [false; 256]);
        let mut singles: Vec<u8> = Vec::new();
        field.next_bytes(&state.part, |byte| {
            known[usize::from(byte)] = true;
            asked[usize::from(byte)] = true;
            singles.push(byte);
        });
        for places in [&state.part.live, &state.own] {
            field.place_bytes(places, |byte| {
                if !std::mem::replace(&mut asked[usize::from(byte)], true) {
                    singles.push(byte);
                }
            });
        }
        singles.sort_by_key(|byte| (oddness(*byte), *byte));
        let leaving = if field.in_name(&state.part) { LEAVING } else { 0 };
        let by = |byte: u8| By { byte, known: known[usize::from(byte)], leaving };
        for byte in singles {
            self.step(state, id, by(byte), states)?;
        }
        let mut is_wide_covered = false;
        for class in &field.alphabet().classes {
            let Some(&byte) = class.iter().find(|byte| !asked[usize::from(**byte)]) else {
                continue;
            };
            let is_within_character = matches!(state.phase, Phase::Character(_));
            if !byte.is_ascii() && is_wide_covered && !is_within_character {
                continue;
            }
            is_wide_covered |= field.alphabet().like_wide.contains(byte);
            self.step(state, id, by(byte), states)?;
        }
        Ok(())
    }

    fn step(
        &mut self,
        state: &State,
        id: u32,
        by: By,
        states: &mut States,
    ) -> Result<(), Exhausted> {
        let byte = by.byte;
        let Some((phase, is_aliased)) = state.phase.step(byte) else { return Ok(()) };
        let Reached { len, key, odd, .. } = self.reached[id as usize];
        let len = len + 1;
        let key = if state.phase.is_bucket() { 0 } else { key + 1 };
        if phase.is_bucket() && len as usize > MAX_BUCKET_LEN {
            return Ok(());
        }
        let mut gained = Gained { on: state.on, ..Gained::default() };
        if is_aliased {
            gained.on |= ALIASED;
        }
        let mut own = Vec::new();
        self.field.advance(&state.own, byte, |_| OWN, &mut own, &mut gained);
        if own.is_empty() && (gained.on | gained.here) & OWN == 0 {
            return Ok(());
        }
        let part = self.field.step(&state.part, byte, &[], &mut gained);
        let own = if gained.on & OWN != 0 { Box::default() } else { self.field.settle_own(own) };
        // What goes on as a literal does is not odd, while the literal matters.
        let follows = |part: &Part| by.known && (part.lo < part.hi || gained.is_literal);
        let odd_if = |follows: bool| if follows { odd } else { odd + by.leaving + oddness(byte) };
        if self.goal.is_met(gained.on | gained.here) {
            let odd = odd_if(follows(&part));
            match phase.end() {
                End::Object if self.object.is_none_or(|(best, ..)| odd < best) => {
                    self.object = Some((odd, id, byte));
                }
                End::Bucket => {
                    let mut word = self.word(id);
                    word.push(byte);
                    let found = Found { word, odd, is_object: false };
                    self.bucket = Found::better(self.bucket.take(), Some(found));
                }
                _ => {}
            }
        }
        // Words that are longer than one that was found are not wanted.
        if self.object.is_some() {
            return Ok(());
        }
        let Some(next) = self.close(State { phase, on: gained.on, part, own }) else {
            return Ok(());
        };
        let odd = odd_if(follows(&next.part));
        if let Some(&known) = self.seen.get(&next) {
            let known = &mut self.reached[known as usize];
            if known.len == len && odd < known.odd {
                *known = Reached { from: id, byte, len, key, odd };
            }
            return Ok(());
        }
        states.spend(1 + (next.part.live.len() + next.own.len()) / 8)?;
        let next = Rc::new(next);
        let number = self.reached.len() as u32;
        self.reached.push(Reached { from: id, byte, len, key, odd });
        self.seen.insert(Rc::clone(&next), number);
        let is_held = self.order == Order::Key && state.phase.is_bucket() && !phase.is_bucket();
        if is_held { &mut self.held } else { &mut self.next }.push((next, number));
        Ok(())
    }

    /// The word by which a state was reached.
    fn word(&self, mut id: u32) -> Vec<u8> {
        let mut word = Vec::new();
        while id != 0 {
            let Reached { from, byte, .. } = self.reached[id as usize];
            word.push(byte);
            id = from;
        }
        word.extend(self.start.word.iter().rev());
        word.reverse();
        word
    }
}
