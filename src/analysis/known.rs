//! What was found behind one literal, for searches behind others that go on alike.
//!
//! Of ten thousand folders and one `*/secret/*`, the shortest path that is denied goes on behind each
//! folder as it does behind the first.

use std::collections::HashMap;

use super::{
    States,
    ahead::{Start, Wanted, search_ahead},
    domain::Phase,
    field::{Colors, Field},
    goal::Goal,
    search::{Exhausted, Found},
};
use crate::{path::MAX_KEY_LEN, restriction::Pattern};

/// The searches for one goal so far.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<Place, Way>);

/// All that decides how a word can go on, but for how long it is already.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Place {
    phase: Phase,
    on: Colors,
    here: Colors,
    live: Box<[u32]>,
    tail: Pattern,
}

/// What was found.
#[derive(Debug)]
struct Way {
    /// How much of the key the literal had.
    key: usize,
    /// How the word goes on; `None` if no word does.
    rest: Option<(Vec<u8>, u32, bool)>,
}

impl Known {
    /// As [`search_ahead`]. What has literals ahead of it, or may end in the bucket's name, is searched
    /// for each time.
    ///
    /// # Errors
    ///
    /// As [`search_ahead`].
    pub(super) fn search(
        &mut self,
        field: &Field<'_>,
        goal: &Goal<'_>,
        start: &Start,
        wanted: Wanted<'_>,
        states: &mut States,
    ) -> Result<Option<Found>, Exhausted> {
        let key = memchr::memchr(b'/', &start.word).map(|slash| start.word.len() - slash - 1);
        let Some(key) = key.filter(|_| start.part.lo == start.part.hi) else {
            return search_ahead(field, goal, start, wanted, states);
        };
        let place = Place {
            phase: start.phase,
            on: start.on,
            here: start.here,
            live: start.part.live.clone(),
            tail: start.tail.clone(),
        };
        match self.0.get(&place) {
            Some(Way { rest: Some((rest, odd, is_object)), .. })
                if key + rest.len() <= MAX_KEY_LEN =>
            {
                let word = [&start.word[..], rest].concat();
                return Ok(Some(Found { word, odd: *odd, is_object: *is_object }));
            }
            // Behind a longer key fewer words fit.
            Some(Way { rest: None, key: shorter }) if *shorter <= key => return Ok(None),
            _ => {}
        }
        let found = search_ahead(field, goal, start, wanted, states)?;
        // Where the budget ended, it need not be the shortest.
        if !states.are_gone() {
            let rest = found.as_ref().map(|found| {
                let rest = found.word.get(start.word.len()..).unwrap_or_default();
                (rest.to_vec(), found.odd, found.is_object)
            });
            self.0.insert(place, Way { key, rest });
        }
        Ok(found)
    }
}
