//! Walking a field along the literals of its patterns, to where searches start.

use super::{
    States,
    ahead::Start,
    domain::Phase,
    field::{ALIASED, Colors, Field, Gained, Part},
    search::Exhausted,
};

/// Where a field stands along one literal. Literals that are asked for in their order share the
/// way that they have in common.
#[derive(Debug)]
pub(super) struct Walk<'f, 'p> {
    field: &'f Field<'p>,
    literal: &'p [u8],
    /// The first is of the empty word; all but the last byte of the literal have one.
    stops: Vec<Stop>,
}

#[derive(Clone, Debug)]
struct Stop {
    phase: Phase,
    part: Part,
    on: Colors,
    here: Colors,
}

impl<'f, 'p> Walk<'f, 'p> {
    pub(super) fn new(field: &'f Field<'p>) -> Self {
        Self { field, literal: b"", stops: vec![first(field, &[])] }
    }

    /// Where a search for paths of one pattern starts. The patterns of `except` count as if they
    /// were not there; each of them is the pattern itself or has a literal of its own that is no
    /// shorter. `None` if no path starts with the literal.
    ///
    /// # Errors
    ///
    /// The states are used up.
    pub(super) fn start(
        &mut self,
        item: usize,
        except: &[u32],
        states: &mut States,
    ) -> Result<Option<Start>, Exhausted> {
        let literal = self.field.items()[item].literal();
        let Some((last, before)) = literal.split_last() else {
            return Ok(Some(start(self.field, item, first(self.field, except))));
        };
        let same = self.literal.iter().zip(before).take_while(|(a, b)| a == b).count();
        self.stops.truncate(same + 1);
        self.literal = before;
        for byte in before.get(self.stops.len() - 1..).unwrap_or_default() {
            let Some(stop) = self.stops.last() else { return Ok(None) };
            states.pass(stop.part.live.len())?;
            let Some(next) = step(self.field, stop, *byte, &[]) else { return Ok(None) };
            self.stops.push(next);
        }
        let stop = self.stops.last().and_then(|stop| step(self.field, stop, *last, except));
        Ok(stop.map(|stop| start(self.field, item, stop)))
    }
}

/// The same for one of several patterns that belong together, and count as if they were not there.
///
/// # Errors
///
/// The states are used up.
pub(super) fn start_without(
    field: &Field<'_>,
    item: usize,
    except: &[u32],
    states: &mut States,
) -> Result<Option<Start>, Exhausted> {
    let mut stop = first(field, except);
    for byte in field.items()[item].literal() {
        states.pass(stop.part.live.len())?;
        let Some(next) = step(field, &stop, *byte, except) else { return Ok(None) };
        stop = next;
    }
    Ok(Some(start(field, item, stop)))
}

fn start(field: &Field<'_>, item: usize, stop: Stop) -> Start {
    let Stop { phase, part, on, here } = stop;
    let mut gained = Gained { on, here, ..Gained::default() };
    let own = field.own_start(item, &mut gained);
    let item = &field.items()[item];
    let word = item.literal().to_vec();
    let behind = usize::from(!word.is_empty());
    let tail = item.pattern.tokens().iter().skip(behind).cloned().collect();
    Start { word, phase, part, own, tail, on: gained.on, here: gained.here }
}

fn first(field: &Field<'_>, except: &[u32]) -> Stop {
    let mut gained = Gained::default();
    let part = field.start(except, &mut gained);
    Stop { phase: Phase::START, part, on: gained.on, here: gained.here }
}

fn step(field: &Field<'_>, stop: &Stop, byte: u8, except: &[u32]) -> Option<Stop> {
    let (phase, is_aliased) = stop.phase.step(byte)?;
    let mut gained = Gained { on: stop.on, ..Gained::default() };
    if is_aliased {
        gained.on |= ALIASED;
    }
    let part = field.step(&stop.part, byte, except, &mut gained);
    Some(Stop { phase, part, on: gained.on, here: gained.here })
}
