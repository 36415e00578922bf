//! What one owner may take of the process: places for answers, and memory for uploads.
//!
//! What a caller or a server takes is taken from its owner's share, and not from anybody else. A server
//! that never answers, or never ends, is its owner's trouble alone, whoever chose it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

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

/// A place for what is long, for as long as anybody holds it.
#[derive(Debug)]
pub(super) struct Place(
    #[expect(dead_code, reason = "it is given back when dropped")] OwnedSemaphorePermit,
);

/// Where one operation has its place: all that is long of its answers shares one. So nobody who has a place
/// waits for another.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    place: Weak<Place>,
    /// Of an answer that came, until it was taken on by whoever asked.
    of_answer: Option<Arc<Place>>,
}

tokio::task_local! {
    /// Of the operation that asks.
    static SLOT: Slot;
}

impl Slot {
    /// That of the operation that asks, or one that nobody else has.
    pub(super) fn of_operation() -> Self {
        SLOT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Asks as the operation whose slot it is.
    pub(super) async fn scope<T>(&self, asks: impl Future<Output = T>) -> T {
        SLOT.scope(self.clone(), asks).await
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the place of an answer for whoever asked.
    pub(super) fn keep(&self, place: &Arc<Place>) {
        self.taken().of_answer = Some(Arc::clone(place));
    }

    /// The place of the answer that came last, if that was long.
    pub(super) fn of_answer(&self) -> Option<Arc<Place>> {
        self.taken().of_answer.take()
    }
}

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

    /// A place for what is long, for an operation: the one that it has, or another. Waits until there is one.
    pub(super) async fn long(&self, slot: &Slot) -> Option<Arc<Place>> {
        let has = slot.taken().place.upgrade();
        if has.is_some() {
            return has;
        }
        let place = Arc::new(Place(Arc::clone(&self.long).acquire_owned().await.ok()?));
        slot.taken().place = Arc::downgrade(&place);
        Some(place)
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
            held.push(share.long(&Slot::default()).await);
        }
        let wait = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(wait, share.long(&Slot::default())).await.is_err());
        // Another owner's are others.
        assert!(Share::new(&room, &sockets).long(&Slot::default()).await.is_some());
        // A share that something is taken from is not forgotten for a fresh one.
        assert!(!share.is_alone());
        held.clear();
        assert!(share.is_alone());
        let large: Vec<_> = (0..LARGE).map(|_| share.large()).collect();
        assert!(large.iter().all(Option::is_some) && share.large().is_none());
        assert!(!share.is_alone());
    }

    #[tokio::test]
    async fn an_operation_has_one_place_for_as_long_as_it_holds_it() {
        let share = Share::new(&Room::new(1 << 30), &Sockets::new(64));
        let slots: Vec<_> = (0..LONG).map(|_| Slot::default()).collect();
        let mut held = Vec::new();
        for slot in &slots {
            held.push(share.long(slot).await);
        }
        // Nobody who has one waits for another.
        let again = share.long(&slots[0]).await.unwrap();
        slots[0].keep(&again);
        drop(again);
        held.remove(0);
        let wait = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(wait, share.long(&Slot::default())).await.is_err());
        assert!(slots[0].of_answer().is_some() && slots[0].of_answer().is_none());
        assert!(share.long(&Slot::default()).await.is_some());
    }
}
