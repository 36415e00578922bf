//! What one owner may take of the process: places for answers, and memory for uploads.
//!
//! What a caller or a server takes is taken from its owner's share, and not from anybody else. A server
//! that never answers, or never ends, is its owner's trouble alone, whoever chose it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    lookup::Lookup,
    room::{OwnRoom, Room},
    sockets::{OwnSockets, Sockets},
};

/// How many answers that are kept whole may be long at once.
const LONG: usize = 8;
/// How many answers are read in large pieces at once. Each takes up to 1 MiB.
const LARGE: usize = 8;

/// One owner's share.
#[derive(Clone, Debug)]
pub(super) struct Share {
    long: Arc<Semaphore>,
    large: Arc<Semaphore>,
    room: OwnRoom,
    lookup: Lookup,
    sockets: OwnSockets,
}

impl Share {
    pub(super) fn new(room: &Room, sockets: &Sockets) -> Self {
        Self {
            long: Arc::new(Semaphore::new(LONG)),
            large: Arc::new(Semaphore::new(LARGE)),
            room: room.of_owner(),
            lookup: Lookup::of_owner(),
            sockets: sockets.of_owner(),
        }
    }

    /// A place for a long answer. Waits until there is one.
    pub(super) async fn long(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.long).acquire_owned().await.ok()
    }

    /// A place for an answer in large pieces, if there is one.
    pub(super) fn large(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.large).try_acquire_owned().ok()
    }

    /// Memory for uploads of unknown length.
    pub(super) fn room(&self) -> &OwnRoom {
        &self.room
    }

    /// Names of the servers that the owner chose, all together.
    pub(super) fn lookup(&self) -> Lookup {
        self.lookup.clone()
    }

    /// Connections to the servers that the owner chose, all together.
    pub(super) fn sockets(&self) -> OwnSockets {
        self.sockets.clone()
    }

    /// Whether nobody else has this share, or takes anything from it.
    pub(super) fn is_alone(&self) -> bool {
        [&self.long, &self.large].map(Arc::strong_count) == [1, 1]
            && self.room.is_alone()
            && self.lookup.is_idle()
            && self.sockets.is_idle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn so_many_places_there_are_and_no_more() {
        let (room, sockets) = (Room::new(1 << 30), Sockets::new(64));
        let share = Share::new(&room, &sockets);
        let mut held = Vec::new();
        for _ in 0..LONG {
            held.push(share.long().await);
        }
        let wait = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(wait, share.long()).await.is_err());
        // Another owner's are others.
        assert!(Share::new(&room, &sockets).long().await.is_some());
        // A share that something is taken from is not forgotten for a fresh one.
        assert!(!share.is_alone());
        held.clear();
        assert!(share.is_alone());
        let large: Vec<_> = (0..LARGE).map(|_| share.large()).collect();
        assert!(large.iter().all(Option::is_some) && share.large().is_none());
        assert!(!share.is_alone());
    }
}
