//! Whose requests run on a listener's connections, so that no owner's take all of its places.
//!
//! A request of a known key is not closed for another, and may last for as long as its caller likes: slow
//! uploads of one owner would be in every place, and everybody else would wait for them. So an owner has
//! half of a listener's places for requests, and all owners together three quarters: of the others, each
//! may be closed for a new one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The places of a listener that requests have.
#[derive(Debug)]
pub(super) struct Shares {
    /// How many one owner may have.
    of_one: usize,
    /// How many there may be on which nothing is closed for others.
    kept: usize,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    of: HashMap<Box<str>, usize>,
    kept: usize,
}

/// The place of one owner's request, until this is dropped.
#[derive(Debug)]
pub(super) struct Share {
    shares: Arc<Shares>,
    owner: Box<str>,
    is_kept: bool,
}

impl Shares {
    /// Of so many places. Where there is one alone, a request takes it.
    pub(super) fn of(places: usize) -> Arc<Self> {
        Arc::new(Self {
            of_one: (places / 2).max(1),
            kept: (places - places.div_ceil(4)).max(1),
            now: Mutex::default(),
        })
    }

    /// A place for a request of this owner. `None` where the owner has as many as one may have.
    pub(super) fn take(self: &Arc<Self>, owner: &str) -> Option<Share> {
        let mut now = self.lock();
        if let Some(count) = now.of.get_mut(owner) {
            if *count >= self.of_one {
                return None;
            }
            *count += 1;
        } else {
            now.of.insert(owner.into(), 1);
        }
        drop(now);
        Some(Share { shares: Arc::clone(self), owner: owner.into(), is_kept: false })
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Whether it is this owner's.
    pub(super) fn is_of(&self, owner: &str) -> bool {
        *self.owner == *owner
    }

    /// Whether the connection is not closed for others.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Keeps the connection from being closed for others, if there is room for that.
    pub(super) fn keep(&mut self) -> bool {
        let mut now = self.shares.lock();
        if !self.is_kept && now.kept < self.shares.kept {
            now.kept += 1;
            self.is_kept = true;
        }
        self.is_kept
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut now = self.shares.lock();
        now.kept -= usize::from(self.is_kept);
        if let Some(count) = now.of.get_mut(&self.owner) {
            *count -= 1;
            if *count == 0 {
                now.of.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(shares: &Arc<Shares>, owner: &str) -> Vec<Share> {
        std::iter::from_fn(|| shares.take(owner)).collect()
    }

    /// How many are kept, and of how many owners there are some.
    fn now(shares: &Shares) -> (usize, usize) {
        let now = shares.lock();
        (now.kept, now.of.len())
    }

    #[test]
    fn one_has_half_and_all_have_three_quarters() {
        for (places, half, most) in [(1, 1, 1), (2, 1, 1), (3, 1, 2), (8, 4, 6), (314, 157, 235)] {
            let shares = Shares::of(places);
            let mut all: Vec<_> = ["ana", "bob"].map(|owner| taken(&shares, owner)).into();
            assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [half, half], "{places}");
            let kept = all.iter_mut().flatten().filter_map(|share| share.keep().then_some(()));
            assert_eq!(kept.count(), most.min(2 * half), "{places}");
            // What ends gives its place back, and asking twice takes no second one.
            let mut last = all.pop().unwrap().pop().unwrap();
            all.clear();
            assert!(last.keep() && last.keep());
            assert_eq!(now(&shares), (1, 1));
            assert_eq!(taken(&shares, "bob").len(), half - 1);
            assert_eq!(taken(&shares, "ana").len(), half);
            drop(last);
            assert_eq!(now(&shares), (0, 0));
        }
    }
}
