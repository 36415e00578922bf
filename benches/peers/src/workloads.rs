//! What is measured: mixtures by size, and the sets that are of one size.

use crate::{
    engine::{Rule, Task},
    hostile,
    workload::{Mix, Workload},
};

/// The mixtures of `benches/workload`.
pub(crate) const MIXES: [(&str, Mix); 3] = [("M1", Mix::M1), ("M2", Mix::M2), ("M3", Mix::M3)];
/// M2 with a thousand restrictions, asked with paths of 1,024 bytes.
pub(crate) const LONG: &str = "long";
/// The sizes of mixtures.
pub(crate) const SIZES: [usize; 7] = [1, 5, 10, 100, 1_000, 10_000, 100_000];
/// The largest M3 that is measured unless asked for. 100,000 are more than Pathward takes: a path
/// meets at most 16,384 restrictions with stars, and in M3 it meets all.
const LARGEST_M3: usize = 10_000;

/// One set of restrictions and requests.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cell {
    /// `M1`, `M2`, `M3`, `long`, or `A1` to `A6`.
    pub(crate) name: &'static str,
    /// How many restrictions.
    pub(crate) n: usize,
}

impl Cell {
    /// All cells of these names and sizes; none of either means all.
    pub(crate) fn all(names: &[String], sizes: &[usize]) -> Vec<Self> {
        let is_asked = |name: &str| names.is_empty() || names.iter().any(|asked| asked == name);
        let is_hostile_asked = |name| is_asked(name) || names.iter().any(|name| name == "hostile");
        let mut cells = Vec::new();
        for (name, mix) in MIXES.into_iter().filter(|(name, _)| is_asked(name)) {
            let sizes = match sizes {
                [] if mix == Mix::M3 => SIZES.iter().filter(|n| **n <= LARGEST_M3).collect(),
                [] => SIZES.iter().collect(),
                sizes => sizes.iter().collect::<Vec<_>>(),
            };
            cells.extend(sizes.into_iter().map(|n| Self { name, n: *n }));
        }
        if is_asked(LONG) {
            cells.push(Self { name: LONG, n: 1_000 });
        }
        let sets = hostile::SETS.into_iter().filter(|name| is_hostile_asked(name));
        cells.extend(sets.map(|name| Self { name, n: hostile::len(name) }));
        cells
    }

    /// The names that [`Cell::all`] knows.
    pub(crate) fn is_name(name: &str) -> bool {
        let mut mixes = MIXES.iter().map(|(name, _)| *name);
        mixes.any(|mix| mix == name)
            || [LONG, "hostile"].contains(&name)
            || hostile::SETS.contains(&name)
    }

    /// Whether requests are to be timed one by one as well, for the worst of them.
    pub(crate) fn has_worst(&self) -> bool {
        self.name == LONG || self.is_hostile()
    }

    /// Whether it is one of the hostile sets.
    pub(crate) fn is_hostile(&self) -> bool {
        hostile::SETS.contains(&self.name)
    }

    /// Whether it is measured with cold caches.
    pub(crate) fn has_cold(&self) -> bool {
        self.name == "M2" && [10, 1_000].contains(&self.n)
    }

    /// The restrictions and requests.
    pub(crate) fn task(&self) -> Option<Task> {
        let mix = MIXES.into_iter().find(|(name, _)| *name == self.name);
        match (mix, self.name) {
            (Some((_, mix)), _) => Some(mixture(mix, self.n)),
            (None, LONG) => Some(hostile::lengthen(mixture(Mix::M2, self.n))),
            (None, name) => hostile::set(name),
        }
    }
}

fn mixture(mix: Mix, n: usize) -> Task {
    let Workload { rules, requests } = Workload::new(mix, n);
    let rules = rules
        .into_iter()
        .map(|(restriction, access)| Rule { text: restriction.to_string(), access })
        .collect();
    Task { rules, requests }
}
