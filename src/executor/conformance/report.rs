//! What the checks found.

use std::{fmt, time::Duration};

use tokio::time::timeout;

use crate::executor::ExecuteError;

/// No operation of a check takes as long on a server that works.
const LONG: Duration = Duration::from_secs(60);

/// How a check ended; an error says what was found.
pub(super) type Outcome = Result<Done, String>;

/// A check that found nothing wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// It looked at everything.
    Passed,
    /// It cannot be asked here, for this reason.
    Skipped(&'static str),
}

/// What the checks found. Its `Display` has a line for each.
#[derive(Clone, Debug, Default)]
#[must_use = "what failed is in it"]
pub struct Report {
    passed: Vec<&'static str>,
    skipped: Vec<(&'static str, &'static str)>,
    failed: Vec<(&'static str, String)>,
}

impl Report {
    /// Whether no check failed.
    pub fn is_passed(&self) -> bool {
        self.failed.is_empty()
    }

    /// The names of those that passed.
    pub fn passed(&self) -> &[&'static str] {
        &self.passed
    }

    /// Those that could not be asked of this place, each with its reason.
    pub fn skipped(&self) -> &[(&'static str, &'static str)] {
        &self.skipped
    }

    /// Those that failed, each with what was found.
    pub fn failed(&self) -> &[(&'static str, String)] {
        &self.failed
    }

    pub(super) fn note(&mut self, name: &'static str, outcome: Outcome) {
        match outcome {
            Ok(Done::Passed) => self.passed.push(name),
            Ok(Done::Skipped(why)) => self.skipped.push((name, why)),
            Err(found) => self.failed.push((name, found)),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, found) in &self.failed {
            writeln!(f, "FAILED   {name}: {found}")?;
        }
        for (name, why) in &self.skipped {
            writeln!(f, "skipped  {name}: {why}")?;
        }
        for name in &self.passed {
            writeln!(f, "passed   {name}")?;
        }
        Ok(())
    }
}

/// Waits for what may hang.
pub(super) async fn within<T>(what: &str, does: impl Future<Output = T>) -> Result<T, String> {
    timeout(LONG, does).await.map_err(|_| format!("{what}: not done within {LONG:?}"))
}

/// Whether what came is what was to come.
pub(super) fn same<T: PartialEq + fmt::Debug>(
    what: &str,
    came: &T,
    wanted: &T,
) -> Result<(), String> {
    match came == wanted {
        true => Ok(()),
        false => Err(format!("{what}: {came:?}, and not {wanted:?}")),
    }
}

/// Says of an outcome that it is passed when all before is.
pub(super) fn passed() -> Outcome {
    Ok(Done::Passed)
}

/// What came of the first thing that an executor may leave out: `None` where it is left out.
pub(super) fn offered<T>(what: &str, came: Result<T, ExecuteError>) -> Result<Option<T>, String> {
    match came {
        Err(ExecuteError::NotOffered) => Ok(None),
        came => done(what, came).map(Some),
    }
}

/// What came of something that has to be done.
pub(super) fn done<T>(what: &str, came: Result<T, ExecuteError>) -> Result<T, String> {
    came.map_err(|error| format!("{what}: {error:?}"))
}
