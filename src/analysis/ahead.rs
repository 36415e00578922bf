//! Where searches start: behind a literal, and for patterns without one behind those of the others.

use super::{
    States,
    domain::Phase,
    field::{ALIASED, Colors, Field, Gained, OWN, Part},
    goal::Goal,
    search::{Exhausted, Found, search},
};

/// Where a search starts: behind the literal of a pattern, or deeper.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// What all words start with.
    pub(super) word: Vec<u8>,
    pub(super) phase: Phase,
    pub(super) part: Part,
    /// The places of the pattern itself.
    pub(super) own: Box<[u32]>,
    pub(super) on: Colors,
    pub(super) here: Colors,
}

impl Start {
    /// Further along a literal. The patterns of `except` count as if they were not there.
    fn descend(&self, field: &Field<'_>, rest: &[u8], except: &[u32]) -> Option<Self> {
        let mut start = self.clone();
        for byte in rest {
            let (phase, is_aliased) = start.phase.step(*byte)?;
            let mut gained = Gained { on: start.on, ..Gained::default() };
            if is_aliased {
                gained.on |= ALIASED;
            }
            let mut own = Vec::new();
            field.advance(&start.own, *byte, |_| OWN, &mut own, &mut gained);
            if own.is_empty() && (gained.on | gained.here) & OWN == 0 {
                return None;
            }
            start.part = field.step(&start.part, *byte, except, &mut gained);
            start.own = if gained.on & OWN != 0 { Box::default() } else { field.settle_own(own) };
            (start.phase, start.on, start.here) = (phase, gained.on, gained.here);
            start.word.push(*byte);
        }
        Some(start)
    }
}

/// What is wanted of a search that may start from many literals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'e> {
    /// Colours of which every word that meets the goal has one.
    pub(super) needs: Colors,
    /// Patterns that count as if they were not there.
    pub(super) except: &'e [u32],
    /// The first word will do, whether or not it is the shortest.
    pub(super) any: bool,
    /// How long it may be.
    pub(super) most: usize,
}

/// How many literals may lie ahead of a search before it is made from each of them.
const MANY: u32 = 64;

/// As [`search`], of a pattern with many literals ahead, such as `*/secret/*` over ten thousand
/// folders. Going along all of them at once would be a state for each of their bytes; so, where a
/// word has to be matched by one of them, the search is made behind each.
///
/// # Errors
///
/// As [`search`].
pub(super) fn search_ahead(
    field: &Field<'_>,
    goal: &Goal<'_>,
    start: &Start,
    wanted: Wanted<'_>,
    states: &mut States,
) -> Result<Option<Found>, Exhausted> {
    let Wanted { needs, except, any, most } = wanted;
    let (lo, hi) = (start.part.lo, start.part.hi);
    let behind = Part { live: start.part.live.clone(), ..Part::default() };
    let has_already = (start.on | start.here | field.ahead(&behind)) & needs != 0;
    if hi - lo <= MANY || has_already || needs == 0 {
        return search(field, goal, start, most, states);
    }
    let mut best: Option<Found> = None;
    for item in field.items().get(lo as usize..hi as usize).unwrap_or_default() {
        if item.colors & needs == 0 {
            continue;
        }
        let rest = item.literal().get(start.word.len()..).unwrap_or_default();
        let Some(deeper) = start.descend(field, rest, except) else { continue };
        let most = best.as_ref().filter(|b| b.is_object).map_or(most, |b| most.min(b.word.len()));
        match search(field, goal, &deeper, most, states) {
            Ok(found) => best = Found::better(best, found),
            Err(Exhausted) if best.is_some() => return Ok(best),
            Err(Exhausted) => return Err(Exhausted),
        }
        if any && best.is_some() {
            break;
        }
    }
    Ok(best)
}
