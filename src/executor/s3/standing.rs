//! Approvals age: what takes its time asks again whether it is still allowed.
//!
//! Each request that changes something asks before it goes out, and again before it is sent once more. One
//! that only asks also ends within a second while there is no answer, and shows nothing of one that comes too
//! late. A transfer asks every second, and before the last bytes of an object go out. What is no longer allowed
//! ends.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use crate::{
    engine::{Approved, Operate, Withdrawn},
    executor::ExecuteError,
};

/// How long a transfer goes on before it asks again.
pub(super) const AGAIN: Duration = Duration::from_secs(1);

/// An approval, of whatever it is, that can be asked again.
#[derive(Clone)]
pub(super) struct Standing(Arc<dyn Stands>);

trait Stands: Send + Sync {
    fn stands(&self) -> Result<(), Withdrawn>;
}

impl<Op: Operate + Send + Sync> Stands for Approved<Op> {
    fn stands(&self) -> Result<(), Withdrawn> {
        self.still_stands()
    }
}

impl Standing {
    pub(super) fn of<Op: Operate + Send + Sync + 'static>(approved: &Arc<Approved<Op>>) -> Self {
        let approved: Arc<Approved<Op>> = Arc::clone(approved);
        Self(approved)
    }

    /// Whether what was approved is allowed now.
    pub(super) fn ask(&self) -> Result<(), Withdrawn> {
        self.0.stands()
    }

    /// Fails once what was approved is not allowed any more.
    pub(super) fn stands(&self) -> Result<(), ExecuteError> {
        self.ask().map_err(ExecuteError::Withdrawn)
    }

    /// Waits for something that takes its time, for as long as it is allowed.
    pub(super) async fn during<T>(
        &self,
        other: impl Future<Output = T>,
    ) -> Result<T, ExecuteError> {
        let mut other = std::pin::pin!(other);
        loop {
            match tokio::time::timeout(AGAIN, &mut other).await {
                Ok(came) => return Ok(came),
                Err(_) => self.stands()?,
            }
        }
    }
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standing").finish_non_exhaustive()
    }
}
