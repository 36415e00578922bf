//! What the machine needs for parts of a decision, whoever decides.

use std::{collections::HashSet as StdSet, hash::BuildHasher, hint::black_box};

use hashbrown::{DefaultHashBuilder, HashSet};

use crate::{
    engine::{About, Ask, Engine, Kind, Task},
    order::shuffled,
    workload::REQUESTS,
};

/// Bytes of a cache line.
const LINE: usize = 64;

/// The loop, and loading the path.
pub(crate) struct Load;

impl Engine for Load {
    const ABOUT: About = About {
        id: "load",
        title: "loop and load the path",
        crates: &[],
        kind: Kind::Limit,
        bias: "One byte of each cache line of the path is read. What every number here includes.",
    };

    type Question<'q> = &'q str;

    fn build(_: &Task) -> Result<Self, String> {
        Ok(Self)
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        ask.path
    }

    #[inline]
    fn decide(&mut self, path: &Self::Question<'_>) -> bool {
        path.as_bytes().chunks(LINE).fold(0, |sum: u8, line| sum ^ line[0]) & 1 == 0
    }

    fn expected(ask: &Ask<'_>) -> Option<bool> {
        let lines = ask.path.as_bytes().chunks(LINE);
        Some(lines.filter(|line| line[0] & 1 == 1).count() % 2 == 0)
    }
}

/// Comparing the path with a string that is equal.
pub(crate) struct Compare;

impl Engine for Compare {
    const ABOUT: About = About {
        id: "compare",
        title: "compare with one equal string",
        crates: &[],
        kind: Kind::Limit,
        bias: "Each path is compared with a copy of itself in other memory: what it costs at least \
               to know that a path is one of the restrictions.",
    };

    type Question<'q> = (&'q str, Box<str>);

    fn build(_: &Task) -> Result<Self, String> {
        Ok(Self)
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path, ask.path.into())
    }

    #[inline]
    fn decide(&mut self, (path, copy): &Self::Question<'_>) -> bool {
        *path == &**copy
    }

    fn expected(_: &Ask<'_>) -> Option<bool> {
        Some(true)
    }
}

/// Hashing the path.
pub(crate) struct Hash(DefaultHashBuilder);

impl Engine for Hash {
    const ABOUT: About = About {
        id: "hash",
        title: "hash the path",
        crates: &["foldhash"],
        kind: Kind::Limit,
        bias: "foldhash, hashbrown's default, over the whole path.",
    };

    type Question<'q> = &'q str;

    fn build(_: &Task) -> Result<Self, String> {
        Ok(Self(DefaultHashBuilder::default()))
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        ask.path
    }

    #[inline]
    fn decide(&mut self, path: &Self::Question<'_>) -> bool {
        black_box(self.0.hash_one(path)) & 1 == 0
    }

    fn expected(_: &Ask<'_>) -> Option<bool> {
        None
    }
}

/// Hashing the path and looking it up: the yardstick of the ratios.
pub(crate) struct Probe(HashSet<Box<str>>);

impl Engine for Probe {
    const ABOUT: About = About {
        id: "probe",
        title: "hash-and-probe",
        crates: &["hashbrown", "foldhash"],
        kind: Kind::Limit,
        bias: "Hash, probe and verify in a `hashbrown::HashSet<Box<str>>` with its default hasher. \
               The table owns its entries, each an allocation of its own, made in another order than \
               requests come in, as a policy's strings are not the request's memory. It always has \
               10,000 distinct entries: where the requests have fewer distinct paths, paths like \
               them fill it up. Every probe finds its path. Were the entries borrowed from the \
               requests themselves, a probe would be some nanoseconds cheaper, for no table that \
               anyone could have.",
    };

    type Question<'q> = &'q str;

    fn build(task: &Task) -> Result<Self, String> {
        let mut seen = StdSet::with_capacity(REQUESTS);
        let mut paths: Vec<String> = Vec::with_capacity(REQUESTS);
        for request in &task.requests {
            if seen.insert(&*request.path) {
                paths.push(request.path.clone());
            }
        }
        // As long as a real one, and no other's.
        let mut number = 0;
        while paths.len() < REQUESTS {
            let like = &task.requests[number % task.requests.len()].path;
            let end = like.len().saturating_sub(6);
            let start = like.get(..end).unwrap_or(like);
            paths.push(format!("{start}~{number:05}"));
            number += 1;
        }
        let mut table = HashSet::with_capacity(REQUESTS);
        for place in shuffled(paths.len(), 1) {
            table.insert(paths[place].as_str().into());
        }
        match table.len() == paths.len() {
            true => Ok(Self(table)),
            false => Err(format!("{} distinct entries", table.len())),
        }
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        ask.path
    }

    #[inline]
    fn decide(&mut self, path: &Self::Question<'_>) -> bool {
        self.0.contains(*path)
    }

    fn expected(_: &Ask<'_>) -> Option<bool> {
        Some(true)
    }
}

/// States of the table of [`Step`]: 8 KiB, so that it stays in the first cache.
const STATES: usize = 16;

/// One step of a table for each byte of the path.
pub(crate) struct Step(Box<[u16]>);

impl Engine for Step {
    const ABOUT: About = About {
        id: "step",
        title: "one table step per byte",
        crates: &[],
        kind: Kind::Limit,
        bias: "A DFA's loop over a table of 16 states that stays in the first cache, each step \
               waiting for the last: no automaton that takes a byte a step is faster.",
    };

    type Question<'q> = &'q [u8];

    fn build(_: &Task) -> Result<Self, String> {
        let next = |entry| ((entry * 0x9e37_79b9) >> 7) % STATES;
        Ok(Self((0..STATES << 8).map(|entry: usize| (next(entry) << 8) as u16).collect()))
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        ask.path.as_bytes()
    }

    #[inline]
    fn decide(&mut self, path: &Self::Question<'_>) -> bool {
        let step = |state: u16, byte: &u8| self.0[usize::from(state | u16::from(*byte))];
        black_box(path.iter().fold(0, step)) & 256 == 0
    }

    fn expected(_: &Ask<'_>) -> Option<bool> {
        None
    }
}
