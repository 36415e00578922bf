//! How often something may fail: so many times at once, and one more after each of so many moments.

use std::time::{Duration, Instant};

/// A limit. What has failed is kept as one time: when all of it will be forgotten.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// How many failures there may be at once.
    pub(crate) burst: u32,
    /// How long it takes until one more may be.
    pub(crate) every: Duration,
}

impl Limit {
    /// How long until one more may fail, if it may not now.
    pub(crate) fn wait(self, clear: Instant, now: Instant) -> Option<Duration> {
        let debt = clear.checked_duration_since(now)?;
        // One more has to fit in.
        (debt + self.every).checked_sub(self.every * self.burst).filter(|wait| !wait.is_zero())
    }

    /// Counts a failure.
    pub(crate) fn count(self, clear: &mut Instant, now: Instant) {
        *clear = (*clear).max(now) + self.every;
    }
}
