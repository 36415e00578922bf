//! How long something kept a processor.

use std::{
    thread::{self, ThreadId},
    time::Duration,
};

/// The time that this thread had of a processor, where the system counts it: what another thread took
/// meanwhile is not ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worked {
    thread: ThreadId,
    at: At,
}

impl Worked {
    /// Up to now.
    pub(crate) fn now() -> Self {
        Self { thread: thread::current().id(), at: now() }
    }

    /// Since then; nothing on another thread, whose time tells nothing.
    pub(crate) fn elapsed(self) -> Duration {
        match self.thread == thread::current().id() {
            true => since(self.at),
            false => Duration::ZERO,
        }
    }
}

#[cfg(unix)]
type At = Duration;

#[cfg(unix)]
fn now() -> At {
    use rustix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

#[cfg(unix)]
fn since(at: At) -> Duration {
    now().saturating_sub(at)
}

#[cfg(not(unix))]
type At = std::time::Instant;

#[cfg(not(unix))]
fn now() -> At {
    At::now()
}

#[cfg(not(unix))]
fn since(at: At) -> Duration {
    at.elapsed()
}
