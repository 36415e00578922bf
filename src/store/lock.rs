//! The lock of a folder, and what is done under it: changes that happen whole or not at all.
//!
//! A file is replaced by a rename of one that is on the disk already. Where two files change together,
//! both are on the disk first, in `.pathward.journal`, and whoever locks the folder next finishes what
//! was begun.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::{self, Read as _, Write as _},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{
    StoreError,
    folder::{Disk, Edits, Files, bytes_of, digest, edited, io_error, read, revision},
    replace::{Expected, is_still, open_lock, remove, replace, sync_folder},
};
use crate::{escape::escape, policy::is_policy_file};

/// Held by whoever writes; shared by those who read. Holds the digest of what was last written.
const LOCK: &str = ".pathward.lock";
/// A change of more than one file, from when it is decided until it is done.
const JOURNAL: &str = ".pathward.journal";
/// A change that was interrupted and cannot be finished any more.
const ASIDE: &str = ".pathward.journal.aside";
/// How long a writer waits for others.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a reader waits for a writer, which may have been stopped in the middle.
const READ_PATIENCE: Duration = Duration::from_millis(500);

/// A folder that is locked, for as long as this is there.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Keeps every other process, and thread, from writing. Finishes what one that was killed began.
    pub(crate) fn exclusive(folder: &Path) -> Result<Self, StoreError> {
        Self::exclusive_within(folder, PATIENCE)
    }

    /// Does so if others let it in that time.
    fn exclusive_within(folder: &Path, patience: Duration) -> Result<Self, StoreError> {
        let path = folder.join(LOCK);
        let failed = |error| io_error(&path, error);
        let began = Instant::now();
        let mut file = open_lock(folder, &path).map_err(failed)?;
        loop {
            match file.try_lock() {
                // Someone took the file away meanwhile, and others lock another.
                Ok(()) if !is_still(&path, &file) => {
                    file = open_lock(folder, &path).map_err(failed)?;
                }
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if began.elapsed() >= patience => {
                    return Err(StoreError::Busy);
                }
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(2)),
            }
        }
        let lock = Self { file };
        lock.recover(folder)?;
        Ok(lock)
    }

    /// Keeps others from writing while files are read. `None` where there is no lock, or a writer
    /// does not let go of it: then what is read may be of two revisions.
    pub(super) fn shared(folder: &Path) -> Option<Self> {
        let file = File::open(folder.join(LOCK)).ok()?;
        let began = Instant::now();
        loop {
            match file.try_lock_shared() {
                Ok(()) => return Some(Self { file }),
                Err(TryLockError::WouldBlock) if began.elapsed() < READ_PATIENCE => {
                    thread::sleep(Duration::from_millis(2));
                }
                Err(_) => return None,
            }
        }
    }

    fn recover(&self, folder: &Path) -> Result<(), StoreError> {
        let path = folder.join(JOURNAL);
        let Some(text) = bytes_of(&path)? else { return Ok(()) };
        let wrong = || io_error(&path, io::Error::other("it is no journal of ours: look at it"));
        let journal: Journal = serde_json::from_slice(&text).map_err(|_| wrong())?;
        let (mut edits, mut is_whole) = (Edits::new(), true);
        for (name, bytes) in journal.files {
            let bytes = bytes.map(|bytes| STANDARD.decode(bytes).map_err(|_| wrong()));
            if !is_policy_file(&name) || name.contains('/') {
                return Err(wrong());
            }
            let (bytes, now) = (bytes.transpose()?, bytes_of(&folder.join(&name))?);
            let was = journal.before.get(&name);
            let is_as_it_was = was.is_none_or(|was| *was == now.as_deref().map(revision));
            if is_as_it_was {
                edits.insert(name, bytes);
            } else if now != bytes {
                // Whoever changed it since knows better than a change that was never finished.
                is_whole = false;
                tracing::error!(
                    target: "pathward::store",
                    "`{}` was changed after a change of it was interrupted, and stays as it is",
                    escape(&name)
                );
            }
        }
        let loads = || -> Result<bool, StoreError> {
            let disk = read(folder)?;
            let after = Disk { files: edited(&disk.files, &edits), ..disk };
            Ok(after.policy(folder, &[]).is_ok())
        };
        // Without the part that was changed since, the rest may be no policy: two defaults, say.
        if !is_whole && !loads()? {
            let aside = folder.join(ASIDE);
            tracing::error!(
                target: "pathward::store",
                "a change that was interrupted does not fit to what was changed since, and is not \
                 finished: it is in `{}`, which can be removed",
                escape(&aside.to_string_lossy())
            );
            fs::rename(&path, &aside).map_err(|error| io_error(&path, error))?;
            return sync_folder(folder);
        }
        tracing::warn!(target: "pathward::store", "finishing a change that was interrupted");
        self.write_each(folder, &edits, |_| Expected::Anything)?;
        fs::remove_file(&path).map_err(|error| io_error(&path, error))?;
        sync_folder(folder)
    }

    /// Makes changes: all of them or none, whatever happens. On the disk when it returns. What is
    /// changed has to be as it was `before`: not everyone who writes takes the lock.
    pub(super) fn write(
        &self,
        folder: &Path,
        edits: &Edits,
        (before, after): (&Files, &Files),
    ) -> Result<(), StoreError> {
        let path = folder.join(JOURNAL);
        let as_before = |name: &str| match before.get(name) {
            Some(bytes) => Expected::Bytes(bytes),
            None => Expected::Absent,
        };
        if edits.len() > 1 {
            for name in edits.keys() {
                as_before(name).check(&folder.join(name))?;
            }
            let encode = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|b| STANDARD.encode(b));
            let files = edits.iter().map(|(name, bytes)| (name.clone(), encode(bytes))).collect();
            let was = |name: &String| before.get(name).map(|bytes| revision(bytes));
            let before = edits.keys().map(|name| (name.clone(), was(name))).collect();
            let text = serde_json::to_vec(&Journal { files, before })
                .map_err(|error| io_error(&path, error.into()))?;
            replace(&path, &text, &Expected::Anything)?;
            sync_folder(folder)?;
            // From here on all of it happens.
            self.write_each(folder, edits, |_| Expected::Anything)?;
        } else {
            self.write_each(folder, edits, as_before)?;
        }
        if edits.len() > 1 {
            fs::remove_file(&path).map_err(|error| io_error(&path, error))?;
            sync_folder(folder)?;
        }
        // For those who follow: these files are whole. That it cannot be said only makes them wait.
        drop(self.record(after));
        Ok(())
    }

    fn write_each<'e>(
        &self,
        folder: &Path,
        edits: &Edits,
        expected: impl Fn(&str) -> Expected<'e>,
    ) -> Result<(), StoreError> {
        for (name, bytes) in edits {
            let path = folder.join(name);
            let expected = expected(name);
            match bytes {
                Some(bytes) => replace(&path, bytes, &expected)?,
                None => {
                    expected.check(&path)?;
                    remove(&path).map_err(|error| io_error(&path, error))?;
                }
            }
        }
        sync_folder(folder)
    }

    fn record(&self, files: &Files) -> io::Result<()> {
        use std::io::{Seek as _, SeekFrom};
        let mut file = &self.file;
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(digest(files).as_bytes())
    }

    /// Whether these are the files that a store wrote last: then nobody is writing any of them.
    pub(super) fn knows(&self, files: &Files) -> bool {
        recorded_in(&self.file).is_some_and(|text| text == digest(files))
    }
}

fn recorded_in(file: &File) -> Option<String> {
    let mut text = String::new();
    file.take(64).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The digest of what a store wrote last, if one did.
pub(super) fn recorded(folder: &Path) -> Option<String> {
    recorded_in(&File::open(folder.join(LOCK)).ok()?)
}

#[derive(Serialize, Deserialize)]
struct Journal {
    /// The bytes in base64, or nothing for a file that goes.
    files: BTreeMap<String, Option<String>>,
    /// The revisions that they had, or nothing for one that is new.
    #[serde(default)]
    before: BTreeMap<String, Option<String>>,
}

/// Finishes a change that was interrupted, if nobody is at it.
pub(super) fn finish(folder: &Path) -> Result<(), StoreError> {
    if !folder.join(JOURNAL).exists() {
        return Ok(());
    }
    match Lock::exclusive_within(folder, Duration::ZERO) {
        // Whoever holds the lock is at it, or will finish it.
        Ok(_) | Err(StoreError::Busy) => Ok(()),
        Err(error) => Err(error),
    }
}
