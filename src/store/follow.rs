//! Following what others do to the folder.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use super::{
    Store, StoreError,
    folder::{self, Disk, Stamp, io_error},
    lock::{self, Lock},
    serving::Presence,
    update::unread,
};
use crate::policy::reserve::Reserve;

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
        self.follow_as("", |_| {})
    }

    /// Follows what others change as [`Store::follow`] does, and says so under this name in a file of the
    /// folder: others can find out whether a change of theirs was taken ([`Store::followers`]).
    ///
    /// `unread` hears since when the folder, or a file in it, cannot be read. It hears so before each
    /// look, too, and nothing (`None`) once the look has read everything: of a look that never ends it has heard.
    /// What is read and does not load is read.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`]: there is no thread to follow in.
    pub fn follow_as(
        &self,
        name: &str,
        unread: impl Fn(Option<Instant>) + Send + 'static,
    ) -> Result<Follower, StoreError> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut following = Following {
            store: self.clone(),
            seen: Seen::default(),
            reserve: Reserve::new(),
            presence: Presence::new(self.folder(), name),
            unread: Unread { since: None, tell: Box::new(unread) },
        };
        // Whoever changes the store from now on knows that somebody follows.
        following.presence.say(&self.heard());
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("pathward-store".into())
            .spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    following.look();
                    thread::park_timeout(EVERY);
                }
            })
            .map_err(|error| io_error(self.folder(), error))?;
        Ok(Follower { stop, thread: Some(thread) })
    }
}

/// One who follows.
#[derive(Debug)]
struct Following {
    store: Store,
    seen: Seen,
    reserve: Reserve,
    presence: Presence,
    unread: Unread,
}

impl Following {
    /// Looks at the folder, and takes what it says now if that is something else.
    fn look(&mut self) {
        let Self { store, seen, reserve, presence, unread: blind } = self;
        let began = Instant::now();
        blind.begin(began);
        let read =
            reserve.read(|| store.read(seen), |read| read.as_ref().is_ok_and(|read| read.is_whole));
        if read.as_ref().is_ok_and(|read| read.is_whole) {
            blind.end();
        }
        let looked = read.and_then(|read| {
            if let Some(new) = read.new
                && store.take(new.generation, new.disk)
                && read.is_whole
            {
                *seen = new.seen;
            }
            // What cannot be finished keeps nothing from being read.
            read.unfinished
        });
        if let Err(error) = looked {
            store.is_unread(&unread(&error));
        }
        presence.say(&store.heard());
    }
}

impl Store {
    /// Reads what the folder says now, unless that is known.
    fn read(&self, seen: &mut Seen) -> Result<Read, StoreError> {
        let folder = self.folder();
        let failed = |error| io_error(folder, error);
        let unfinished = lock::finish(folder);
        let sees_again = unfinished.is_ok() && self.is_blind();
        let now = SystemTime::now();
        let stamp = folder::stamp(folder).map_err(failed)?;
        let age = stamp.newest.and_then(|newest| now.duration_since(newest).ok());
        let is_recent = age.is_none_or(|age| age < RECENT);
        if seen.stamp.as_ref() == Some(&stamp) && !seen.was_recent && !sees_again {
            return Ok(Read { is_whole: true, unfinished, new: None });
        }
        let generation = self.generation();
        let lock = Lock::shared(folder);
        let disk = folder::read(folder)?;
        let is_whole = !disk.has_failed;
        let now_seen =
            Seen { stamp: Some(stamp.clone()), was_recent: is_recent, ..Seen::default() };
        if self.has_seen(&disk) && !sees_again {
            // What cannot be read is looked at again, though nothing changes.
            if is_whole {
                *seen = now_seen;
            }
            return Ok(Read { is_whole, unfinished, new: None });
        }
        let is_old =
            age.is_some_and(|age| age > SETTLED) || seen.unsettled.as_ref() == Some(&stamp);
        let is_settled = is_old && folder::stamp(folder).map_err(failed)? == stamp;
        if !is_settled && !lock.as_ref().is_some_and(|lock| lock.knows(&disk.files)) {
            seen.unsettled = Some(stamp);
            return Ok(Read { is_whole, unfinished, new: None });
        }
        let new = Some(New { generation, disk, seen: now_seen });
        Ok(Read { is_whole, unfinished, new })
    }
}

/// What a look at the folder came to.
struct Read {
    /// Whether everything was read that there is.
    is_whole: bool,
    /// Whether what was begun and interrupted is finished.
    unfinished: Result<(), StoreError>,
    /// What is to be taken.
    new: Option<New>,
}

/// What others wrote.
struct New {
    /// Of the state that it follows.
    generation: u64,
    disk: Disk,
    seen: Seen,
}

/// What was seen of the folder the last time that its files were read.
#[derive(Debug, Default)]
struct Seen {
    stamp: Option<Stamp>,
    /// So recent a change that another one may bear the same time.
    was_recent: bool,
    /// What was not read because it may not have been written to its end.
    unsettled: Option<Stamp>,
}

/// Since when the folder cannot be read, and who hears of it.
struct Unread {
    since: Option<Instant>,
    tell: Box<dyn Fn(Option<Instant>) + Send>,
}

impl fmt::Debug for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unread").field("since", &self.since).finish_non_exhaustive()
    }
}

impl Unread {
    fn begin(&mut self, now: Instant) {
        if self.since.is_none() {
            self.since = Some(now);
            (self.tell)(self.since);
        }
    }

    fn end(&mut self) {
        self.since = None;
        (self.tell)(None);
    }
}

impl Drop for Unread {
    /// Whoever does not look any more, by a panic for one, does not read either.
    fn drop(&mut self) {
        self.begin(Instant::now());
    }
}
