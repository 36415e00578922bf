//! How much of what blocks runs at once: for one owner, and for all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use super::answers::Refusal;

/// How many calls run at once for one owner. One of them computes: what someone types is answered in
/// its order, and whoever else asks finds another processor free.
const OF_ONE: usize = 4;
/// How long a call waits for a place before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);
/// From how many owners on those that have nothing running are forgotten.
const REMEMBERED: usize = 1_024;

/// The places. Whoever gives up waiting for a result leaves its place taken until the work is done:
/// work that nobody waits for any more counts like any other.
#[derive(Debug)]
pub(super) struct Places {
    owners: Mutex<HashMap<String, [Arc<Semaphore>; 2]>>,
    thinking: Arc<Semaphore>,
    patience: Duration,
}

impl Places {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let thinking = Arc::new(Semaphore::new(cores));
        Self { owners: Mutex::default(), thinking, patience: PATIENCE }
    }

    /// Runs what waits, for files and locks.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        owner: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let [calls, _] = self.of(owner);
        self.run_in(&[calls], work).await
    }

    /// Runs what computes: for all owners together no more at once than there are processors.
    pub(super) async fn think<T: Send + 'static>(
        &self,
        owner: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let [calls, thought] = self.of(owner);
        self.run_in(&[calls, thought, Arc::clone(&self.thinking)], work).await
    }

    async fn run_in<T: Send + 'static>(
        &self,
        all: &[Arc<Semaphore>],
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let mut places = Vec::with_capacity(all.len());
        for semaphore in all {
            let place = timeout(self.patience, Arc::clone(semaphore).acquire_owned()).await;
            places.push(place.map_err(|_| Refusal::busy())?.map_err(|_| Refusal::busy())?);
        }
        let worked = spawn_blocking(move || {
            let result = work();
            drop(places);
            result
        });
        worked.await.map_err(|_| Refusal::internal())
    }

    /// The places of an owner's calls, and of one that computes.
    fn of(&self, owner: &str) -> [Arc<Semaphore>; 2] {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        if owners.len() >= REMEMBERED {
            owners.retain(|_, places| places.iter().any(|one| Arc::strong_count(one) > 1));
        }
        let new = || [OF_ONE, 1].map(|most| Arc::new(Semaphore::new(most)));
        owners.entry(owner.to_owned()).or_insert_with(new).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_owner_waits_and_another_does_not() {
        let patience = Duration::from_millis(50);
        let places = Arc::new(Places { patience, ..Places::new() });
        let (release, held) = std::sync::mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        for _ in 0..OF_ONE {
            let (places, held) = (Arc::clone(&places), Arc::clone(&held));
            tokio::spawn(async move {
                places.run("ana", move || held.lock().unwrap().recv().is_ok()).await
            });
        }
        tokio::task::yield_now().await;
        let refused = places.run("ana", || ()).await.unwrap_err();
        assert_eq!(refused.status, http::StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(places.run("bob", || 7).await, Ok(7));
        drop(release);
        assert_eq!(places.run("ana", || 8).await, Ok(8));
    }

    #[tokio::test]
    async fn a_panic_ends_one_call_and_gives_its_place_back() {
        let places = Places::new();
        for _ in 0..OF_ONE + 1 {
            let failed = places.think("ana", || -> () { panic!("a test") }).await.unwrap_err();
            assert_eq!(failed.status, http::StatusCode::INTERNAL_SERVER_ERROR);
        }
        assert_eq!(places.think("ana", || 1).await, Ok(1));
    }
}
