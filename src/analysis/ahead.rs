//! Where searches start: behind a literal, and for patterns without one behind those of the others.

use super::{
    States,
    domain::{End, Phase},
    field::{ALIASED, Colors, Field, Gained, OWN, Part},
    goal::Goal,
    search::{Exhausted, Found, search},
};
use crate::{
    path::Path,
    restriction::{Pattern, Token},
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
    /// What the pattern has behind its literal.
    pub(super) tail: Pattern,
    pub(super) on: Colors,
    pub(super) here: Colors,
}

impl Start {
    /// Further along a literal. The patterns of `except` count as if they were not there.
    ///
    /// # Errors
    ///
    /// The states are used up.
    fn descend(
        &self,
        field: &Field<'_>,
        rest: &[u8],
        except: &[u32],
        states: &mut States,
    ) -> Result<Option<Self>, Exhausted> {
        let mut start = self.clone();
        for byte in rest {
            states.pass(start.part.live.len() + start.own.len())?;
            let Some((phase, is_aliased)) = start.phase.step(*byte) else { return Ok(None) };
            let mut gained = Gained { on: start.on, ..Gained::default() };
            if is_aliased {
                gained.on |= ALIASED;
            }
            let mut own = Vec::new();
            field.advance(&start.own, *byte, |_| OWN, &mut own, &mut gained);
            if own.is_empty() && (gained.on | gained.here) & OWN == 0 {
                return Ok(None);
            }
            start.part = field.step(&start.part, *byte, except, &mut gained);
            start.own = if gained.on & OWN != 0 { Box::default() } else { field.settle_own(own) };
            (start.phase, start.on, start.here) = (phase, gained.on, gained.here);
            start.word.push(*byte);
        }
        Ok(Some(start))
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
/// How many states a search may visit, where any word will do, before words are tried.
const FEW: usize = 256;
/// How many states' worth of places it may cost to try words.
const TRYING: usize = 4_096;

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
    if states.most() == 0 {
        return Err(Exhausted);
    }
    let (lo, hi) = (start.part.lo, start.part.hi);
    let behind = Part { live: start.part.live.clone(), ..Part::default() };
    let has_already = (start.on | start.here | field.ahead(&behind)) & needs != 0;
    let is_together = hi - lo <= MANY || has_already || needs == 0;
    if any {
        // Most are found at once, and most others by trying.
        let mut few = States::new(FEW.min(states.most()));
        if is_together && let Ok(found) = search(field, goal, start, most, &mut few) {
            return Ok(found);
        }
        if let Some(found) = guess(field, goal, start, except, states) {
            return Ok(Some(found));
        }
    }
    if is_together {
        let found = search(field, goal, start, most, states);
        // A path is an answer, if not the shortest.
        return found.or_else(|gone| match guess(field, goal, start, except, states) {
            Some(found) if found.word.len() <= most => Ok(Some(found)),
            _ => Err(gone),
        });
    }
    let mut best: Option<Found> = None;
    for item in field.items().get(lo as usize..hi as usize).unwrap_or_default() {
        if item.colors & needs == 0 {
            continue;
        }
        let rest = item.literal().get(start.word.len()..).unwrap_or_default();
        let deeper = match start.descend(field, rest, except, states) {
            Ok(Some(deeper)) => deeper,
            Ok(None) => continue,
            Err(Exhausted) if best.is_some() => return Ok(best),
            Err(Exhausted) => return Err(Exhausted),
        };
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

/// A path that meets a goal, by trying some words that the pattern matches. Where many patterns are
/// open at once a search is long, and yet almost any word will do.
fn guess(
    field: &Field<'_>,
    goal: &Goal<'_>,
    start: &Start,
    except: &[u32],
    states: &mut States,
) -> Option<Found> {
    let mut trying = States::new(TRYING);
    let found = guess_within(field, goal, start, except, &mut trying);
    states.share(&trying);
    found
}

fn guess_within(
    field: &Field<'_>,
    goal: &Goal<'_>,
    start: &Start,
    except: &[u32],
    states: &mut States,
) -> Option<Found> {
    let tokens = start.tail.tokens();
    let mut best = None;
    for first in ["", "/a", "aaa/", "zz/z", "z"] {
        for other in ["", "z", "-"] {
            let mut rest = Vec::new();
            let mut is_first = true;
            for token in tokens {
                match token {
                    Token::Literal(bytes) => rest.extend_from_slice(bytes),
                    Token::One(set) => {
                        rest.extend((b'a'..=b'z').chain(0..=255).find(|b| set.contains(*b)))
                    }
                    Token::Run(set) => {
                        let filler = if std::mem::take(&mut is_first) { first } else { other };
                        rest.extend(filler.bytes().filter(|byte| set.contains(*byte)));
                    }
                }
            }
            let end = match start.descend(field, &rest, except, states) {
                Ok(Some(end)) => end,
                Ok(None) => continue,
                Err(Exhausted) => return best,
            };
            if !goal.is_met(end.on | end.here) || Path::new(&end.word).is_err() {
                continue;
            }
            let is_object = match end.phase.end() {
                End::Object => true,
                End::Bucket => false,
                End::None => continue,
            };
            best = Found::better(best, Some(Found { word: end.word, odd: u32::MAX, is_object }));
        }
    }
    best
}
