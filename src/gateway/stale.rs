//! Whether what is served is what is configured.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// How long what is configured may be unread before that is told: reading takes some time, too.
const NOTICED: Duration = Duration::from_secs(5);

/// What is known of the policy that is configured.
#[derive(Debug)]
pub(super) struct Sight {
    started: Instant,
    /// It does not load, and what is served is older.
    is_stale: AtomicBool,
    /// Since when it is not read: in milliseconds after the start, and one; 0 where it is read.
    unread: AtomicU64,
}

impl Default for Sight {
    fn default() -> Self {
        let (is_stale, unread) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { started: Instant::now(), is_stale, unread }
    }
}

impl Sight {
    pub(super) fn set_stale(&self, is_stale: bool) {
        self.is_stale.store(is_stale, Ordering::Relaxed);
    }

    pub(super) fn set_unread(&self, since: Option<Instant>) {
        let millis = since.map_or(0, |since| {
            let after = since.saturating_duration_since(self.started).as_millis();
            u64::try_from(after).unwrap_or(u64::MAX - 1) + 1
        });
        self.unread.store(millis, Ordering::Relaxed);
    }

    /// How long what is configured is unread, if it is.
    fn unread_for(&self) -> Option<Duration> {
        let millis = self.unread.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.started.elapsed().saturating_sub(Duration::from_millis(millis)))
    }

    /// Whether what is served may be older than what is configured.
    pub(super) fn is_stale(&self) -> bool {
        self.is_stale.load(Ordering::Relaxed)
            || self.unread_for().is_some_and(|unread| unread > NOTICED)
    }

    /// Whether what is configured is unread for longer than this.
    pub(super) fn is_over(&self, most: Option<Duration>) -> bool {
        most.is_some_and(|most| self.unread_for().is_some_and(|unread| unread > most))
    }
}
