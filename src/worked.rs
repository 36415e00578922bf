//! How long something kept a processor.

use std::time::Duration;

/// The time that this thread had of a processor, where the system counts it: what another thread took
/// meanwhile is not ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worked(#[cfg(unix)] Duration, #[cfg(not(unix))] std::time::Instant);

#[cfg(unix)]
impl Worked {
    /// Up to now.
    pub(super) fn now() -> Self {
        use rustix::time::{ClockId, clock_gettime};
        Self(clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default())
    }

    /// Since then, on the same thread.
    pub(super) fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}

#[cfg(not(unix))]
impl Worked {
    /// Up to now.
    pub(super) fn now() -> Self {
        Self(std::time::Instant::now())
    }

    /// Since then.
    pub(super) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
