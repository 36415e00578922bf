//! Memory for bodies of unknown length, which are held in parts before they are sent.
//!
//! All owners share it, and each has at most an eighth. What is counted is what is held: an upload takes
//! more as more of it comes. Since uploads that wait for one another would wait for ever, each owner may
//! finish one part beyond that, whatever is taken: whoever gets that place sends its part, and gives back
//! what it has.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::S3Options;
use crate::executor::ExecuteError;

/// What is counted, in bytes.
const UNIT: usize = 64 << 10;
/// One owner's share of all, as its divisor.
const OWNERS: usize = 8;

/// The memory of all.
#[derive(Debug)]
pub(super) struct Room {
    all: Arc<Semaphore>,
    units: usize,
}

impl Room {
    /// So many bytes of it.
    pub(super) fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT).min(Semaphore::MAX_PERMITS);
        Self { all: Arc::new(Semaphore::new(units)), units }
    }

    /// An owner's share.
    pub(super) fn of_owner(&self) -> OwnRoom {
        OwnRoom {
            all: Arc::clone(&self.all),
            own: Arc::new(Semaphore::new(self.units / OWNERS)),
            last: Arc::new(Semaphore::new(1)),
        }
    }
}

/// An owner's share of the memory.
#[derive(Clone, Debug)]
pub(super) struct OwnRoom {
    all: Arc<Semaphore>,
    own: Arc<Semaphore>,
    /// The one part that is finished whatever is taken.
    last: Arc<Semaphore>,
}

impl OwnRoom {
    /// Nothing yet of it, for one part.
    pub(super) fn part(&self, options: &S3Options) -> Held {
        Held { room: self.clone(), wait: options.stall_timeout, units: 0, permits: Vec::new() }
    }

    /// Whether nobody else has this share, or takes anything from it.
    pub(super) fn is_alone(&self) -> bool {
        [&self.own, &self.last].map(Arc::strong_count) == [1, 1]
    }

    /// So much of the share and of all; or the last place, if that is free first, which is then `true`.
    async fn take(&self, units: u32) -> Option<(Vec<OwnedSemaphorePermit>, bool)> {
        let shared = async {
            let own = Arc::clone(&self.own).acquire_many_owned(units).await.ok()?;
            Some(vec![own, Arc::clone(&self.all).acquire_many_owned(units).await.ok()?])
        };
        tokio::select! {
            biased;
            taken = shared => taken.map(|taken| (taken, false)),
            last = Arc::clone(&self.last).acquire_owned() => last.ok().map(|last| (vec![last], true)),
        }
    }
}

/// What one part has of the memory. It goes back when this is let go of.
#[derive(Debug)]
pub(super) struct Held {
    room: OwnRoom,
    wait: std::time::Duration,
    units: usize,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Held {
    /// Has so many bytes from now on. Waits for room as long as a server may stall.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), ExecuteError> {
        let more = bytes.div_ceil(UNIT).saturating_sub(self.units);
        if more == 0 {
            return Ok(());
        }
        let busy = ExecuteError::Busy { retry_after: None };
        let more_units = u32::try_from(more).map_err(|_| busy.clone())?;
        let taken = timeout(self.wait, self.room.take(more_units)).await;
        let Ok(Some((permits, is_last))) = taken else { return Err(busy) };
        self.permits.extend(permits);
        // Nothing more has to be asked for.
        self.units = if is_last { usize::MAX } else { self.units + more };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MIB: usize = 1 << 20;

    fn options(wait: u64) -> S3Options {
        S3Options { stall_timeout: Duration::from_millis(wait), ..S3Options::default() }
    }

    #[tokio::test]
    async fn an_owner_has_an_eighth_and_one_part_more() {
        let room = Room::new(128 * MIB);
        let (mallory, victim) = (room.of_owner(), room.of_owner());
        let mut held = Vec::new();
        for _ in 0..16 {
            let mut part = mallory.part(&options(10));
            part.grow(MIB).await.unwrap();
            held.push(part);
        }
        // The share is taken. One grows beyond it, and no other.
        held[3].grow(8 * MIB).await.unwrap();
        held[3].grow(64 * MIB).await.unwrap();
        assert!(held[4].grow(2 * MIB).await.is_err());
        assert!(mallory.part(&options(10)).grow(1).await.is_err());
        // What it has it has.
        held[4].grow(MIB).await.unwrap();
        let mut other = victim.part(&options(0));
        other.grow(8 * MIB).await.unwrap();
        // What goes back is for those who wait.
        held.remove(3);
        held[4].grow(2 * MIB).await.unwrap();
        held.clear();
        assert!(mallory.is_alone() && !victim.is_alone());
        let mut part = mallory.part(&options(0));
        part.grow(16 * MIB).await.unwrap();
    }

    #[tokio::test]
    async fn an_owner_finishes_a_part_whatever_others_have() {
        let room = Room::new(64 * MIB);
        let mut held = Vec::new();
        for _ in 0..8 {
            let mut part = room.of_owner().part(&options(0));
            part.grow(8 * MIB).await.unwrap();
            held.push(part);
        }
        let victim = room.of_owner();
        let mut one = victim.part(&options(10));
        one.grow(8 * MIB).await.unwrap();
        assert!(victim.part(&options(10)).grow(1).await.is_err());
    }

    /// Each waits for what the others have: without the last place, none would end.
    #[tokio::test]
    async fn parts_that_wait_for_one_another_are_all_finished() {
        let own = Room::new(64 * MIB).of_owner();
        let parts = (0..100).map(|_| async {
            let mut part = own.part(&options(5_000));
            for size in [MIB / 2, 2 * MIB, 8 * MIB] {
                part.grow(size).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        futures_util::future::join_all(parts).await;
        assert!(own.is_alone());
    }
}
