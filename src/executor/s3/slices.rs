//! Work in slices, so that nobody's work holds up a thread that others wait for.
//!
//! One decision takes microseconds, or milliseconds by a policy that is made for it, and a page has a thousand.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use crate::worked::Worked;

/// How long work goes on before others have their turn.
const SLICE: Duration = Duration::from_millis(1);

/// The work of one request.
#[derive(Debug)]
pub(super) struct Slices {
    /// When the slice began.
    began: Instant,
    worked: Worked,
    used: Duration,
}

impl Slices {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), worked: Worked::now(), used: Duration::ZERO }
    }

    /// After each step of the work: lets others have their turn when a slice is over.
    pub(super) async fn step(&mut self) {
        if self.began.elapsed() >= SLICE {
            self.wait(tokio::task::yield_now()).await;
        }
    }

    /// Waits for what is no work of ours.
    pub(super) async fn wait<T>(&mut self, other: impl Future<Output = T>) -> T {
        self.used += self.worked.elapsed();
        let came = other.await;
        (self.began, self.worked) = (Instant::now(), Worked::now());
        came
    }

    /// How long it has worked: what others had of the processor meanwhile is not its own.
    pub(super) fn used(&self) -> Duration {
        self.used + self.worked.elapsed()
    }
}
