//! Following what others do to the folder.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use super::{
    Store, StoreError,
    folder::{self, Lock, Stamp, io_error},
    update::unread,
};

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_millis(200);
/// How long a file that no store wrote has to have been left alone: an editor may be writing it.
const SETTLED: Duration = Duration::from_millis(150);
/// For how long after a change two changes may bear the same time.
const RECENT: Duration = Duration::from_secs(2);

/// Follows what others do to the folder, until it is dropped: a change is served within a second.
#[derive(Debug)]
pub struct Follower {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            drop(thread.join());
        }
    }
}

impl Store {
    /// Follows what others change, from now on. What does not load is reported in the log and in
    /// [`Snapshot::invalid`](super::Snapshot::invalid), and the last revision that did stays.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`]: there is no thread to follow in.
    pub fn follow(&self) -> Result<Follower, StoreError> {
        let stop = Arc::new(AtomicBool::new(false));
        let (store, stopped) = (self.clone(), Arc::clone(&stop));
        let thread = thread::Builder::new()
            .name("pathward-store".into())
            .spawn(move || {
                let mut seen = Seen::default();
                while !stopped.load(Ordering::Relaxed) {
                    if let Err(error) = store.look(&mut seen) {
                        store.is_unread(&unread(&error));
                    }
                    thread::park_timeout(EVERY);
                }
            })
            .map_err(|error| io_error(self.folder(), error))?;
        Ok(Follower { stop, thread: Some(thread) })
    }

    /// Looks at the folder, and takes what it says now if that is something else.
    fn look(&self, seen: &mut Seen) -> Result<(), StoreError> {
        let folder = self.folder();
        let failed = |error| io_error(folder, error);
        // What cannot be finished keeps nothing from being read, and is reported at the end.
        let unfinished = folder::finish(folder);
        let sees_again = unfinished.is_ok() && self.is_blind();
        let now = SystemTime::now();
        let stamp = folder::stamp(folder).map_err(failed)?;
        let age = stamp.newest.and_then(|newest| now.duration_since(newest).ok());
        let is_recent = age.is_none_or(|age| age < RECENT);
        if seen.stamp.as_ref() == Some(&stamp) && !seen.was_recent && !sees_again {
            return unfinished;
        }
        let generation = self.generation();
        let lock = Lock::shared(folder);
        let disk = folder::read(folder)?;
        if self.has_seen(&disk) && !sees_again {
            *seen = Seen { stamp: Some(stamp), was_recent: is_recent, ..Seen::default() };
            return unfinished;
        }
        let is_old =
            age.is_some_and(|age| age > SETTLED) || seen.unsettled.as_ref() == Some(&stamp);
        let is_settled = is_old && folder::stamp(folder).map_err(failed)? == stamp;
        if !is_settled && !lock.as_ref().is_some_and(|lock| lock.knows(&disk.files)) {
            seen.unsettled = Some(stamp);
            return unfinished;
        }
        if self.take(generation, disk) {
            *seen = Seen { stamp: Some(stamp), was_recent: is_recent, ..Seen::default() };
        }
        unfinished
    }
}

/// What was seen of the folder the last time that its files were read.
#[derive(Default)]
struct Seen {
    stamp: Option<Stamp>,
    /// So recent a change that another one may bear the same time.
    was_recent: bool,
    /// What was not read because it may not have been written to its end.
    unsettled: Option<Stamp>,
}
