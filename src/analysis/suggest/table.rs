//! What covering something costs, by how many restrictions it may take.

/// What a choice of restrictions opens: how many have no `/` before their first `*`, how many one, and so
/// on, sixteen bits each, the widest first. Exact paths open nothing. Costs add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost(u128);

/// From here on, depth makes no difference.
const DEPTHS: usize = 8;

/// The most restrictions that are counted at all, so that costs stay apart.
pub(super) const MOST: usize = 1 << 13;

impl Cost {
    /// That of one restriction which has so many `/` before its first `*`.
    pub(super) fn at_depth(depth: usize) -> Self {
        Self(1 << (16 * (DEPTHS - 1 - depth.min(DEPTHS - 1))))
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// The least cost with at most `least`, `least + 1`, … restrictions; what more would not change is left out.
#[derive(Clone, Debug)]
pub(super) struct Table {
    least: usize,
    costs: Vec<Cost>,
}

impl Table {
    /// It cannot be done.
    pub(super) const NEVER: Self = Self { least: 0, costs: Vec::new() };

    /// It takes this many and costs this.
    pub(super) fn one(count: usize, cost: Cost, most: usize) -> Self {
        if count > most {
            return Self::NEVER;
        }
        Self { least: count, costs: vec![cost] }
    }

    /// How many it takes at least, if it can be done.
    pub(super) fn least(&self) -> Option<usize> {
        self.costs.first().map(|_| self.least)
    }

    /// The least cost with at most so many.
    pub(super) fn with(&self, most: usize) -> Option<Cost> {
        let at = most.checked_sub(self.least)?.min(self.costs.len().checked_sub(1)?);
        self.costs.get(at).copied()
    }

    /// Both, with at most so many together.
    pub(super) fn and(&self, other: &Self, most: usize) -> Self {
        let least = self.least + other.least;
        if self.costs.is_empty() || other.costs.is_empty() || least > most {
            return Self::NEVER;
        }
        let len = (self.costs.len() + other.costs.len() - 1).min(most - least + 1);
        let cost = |total: usize| {
            let ours = total.saturating_sub(other.costs.len() - 1)..self.costs.len().min(total + 1);
            ours.map(|n| self.costs[n].plus(other.costs[total - n])).min().unwrap_or_default()
        };
        Self { least, costs: (0..len).map(cost).collect() }.tidy()
    }

    /// One or the other, whichever costs less.
    pub(super) fn or(&self, other: &Self) -> Self {
        let (Some(_), Some(_)) = (self.costs.first(), other.costs.first()) else {
            return if self.costs.is_empty() { other.clone() } else { self.clone() };
        };
        let least = self.least.min(other.least);
        let end = (self.least + self.costs.len()).max(other.least + other.costs.len());
        let cost = |n| match (self.with(n), other.with(n)) {
            (Some(a), Some(b)) => a.min(b),
            (a, b) => a.or(b).unwrap_or_default(),
        };
        Self { least, costs: (least..end).map(cost).collect() }.tidy()
    }

    /// Leaves out what more restrictions do not make less.
    fn tidy(mut self) -> Self {
        for n in 1..self.costs.len() {
            self.costs[n] = self.costs[n].min(self.costs[n - 1]);
        }
        while let [.., a, b] = self.costs[..] {
            if a > b {
                break;
            }
            self.costs.pop();
        }
        self
    }
}
