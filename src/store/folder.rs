//! The folder on disk: read whole, written whole or not at all, by one process at a time.
//!
//! A file is replaced by a rename of one that is on the disk already. Where two files change together,
//! both are on the disk first, in `.pathward.journal`, and whoever locks the folder next finishes what
//! was begun.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    StoreError,
    replace::{Expected, is_still, open_lock, remove, replace, sync_folder},
};
use crate::{
    escape::escape,
    policy::{MAX_FILE_SIZE, Policy, PolicyErrors, is_policy_file, written::random::hex},
};

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

/// The policy files of a folder, by name.
pub(super) type Files = BTreeMap<String, Arc<[u8]>>;

/// The policy files as they are on the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Disk {
    pub(super) files: Files,
    /// Those that cannot be read, and why: nothing loads while there are any.
    pub(super) unread: BTreeMap<String, String>,
    /// Whether one of these is a policy file all the same, as far as can be seen: the disk, its permissions or
    /// the process is what keeps it from being read, and that may pass by itself.
    pub(super) has_failed: bool,
}

/// What becomes of files: their new bytes, or `None` for one that goes.
pub(super) type Edits = BTreeMap<String, Option<Vec<u8>>>;

/// What can be seen of the files without reading them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    files: BTreeMap<String, FileStamp>,
    /// The last time that anything changed.
    pub(super) newest: Option<SystemTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileStamp {
    len: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

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
            Ok(after.policy(folder, &Policy::empty()).is_ok())
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

/// What is in a file, if there is one.
pub(super) fn bytes_of(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(path, error)),
    }
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

pub(super) fn io_error(path: &Path, error: io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), error }
}

/// What can be seen of the folder's policy files.
pub(super) fn stamp(folder: &Path) -> io::Result<Stamp> {
    let mut stamp = Stamp { newest: changed(&fs::metadata(folder)?), ..Stamp::default() };
    for (name, path, _) in names(folder)? {
        let meta = match fs::metadata(&path) {
            Ok(meta) => meta,
            // Gone meanwhile, or a link that leads nowhere: reading it says so.
            Err(_) => continue,
        };
        stamp.newest = stamp.newest.max(changed(&meta));
        let one =
            FileStamp { len: meta.len(), modified: meta.modified().ok(), inode: inode(&meta) };
        stamp.files.insert(name, one);
    }
    Ok(stamp)
}

#[cfg(unix)]
fn inode(meta: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

/// When a file was last changed, whatever time it was given.
#[cfg(unix)]
fn changed(meta: &fs::Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt as _;
    let seconds = Duration::from_secs(u64::try_from(meta.ctime()).ok()?);
    let nanos = Duration::from_nanos(u64::try_from(meta.ctime_nsec()).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(seconds)?.checked_add(nanos)
}

#[cfg(not(unix))]
fn changed(meta: &fs::Metadata) -> Option<SystemTime> {
    meta.modified().ok()
}

/// The policy files, each with what is wrong with its name.
fn names(folder: &Path) -> io::Result<Vec<(String, PathBuf, Option<&'static str>)>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let bytes = path.file_name().unwrap_or_default();
        let name = bytes.to_string_lossy().into_owned();
        if !is_policy_file(&name) || path.is_dir() {
            continue;
        }
        let odd = match bytes.to_str() {
            None => Some("its name is not UTF-8: give it another"),
            // Elsewhere that is a folder and a file.
            Some(name) if name.contains('\\') => Some("its name has a backslash: give it another"),
            Some(_) => None,
        };
        names.push((name, path, odd));
    }
    Ok(names)
}

/// The folder's policy files. What cannot be read of them is among the [`Disk::unread`].
pub(super) fn read(folder: &Path) -> Result<Disk, StoreError> {
    let mut disk = Disk::default();
    for (name, path, odd) in names(folder).map_err(|error| io_error(folder, error))? {
        let read = || -> io::Result<Vec<u8>> {
            if let Some(odd) = odd {
                return Err(io::Error::other(odd));
            }
            // Opening a pipe would wait for its writer.
            if !fs::metadata(&path)?.is_file() {
                return Err(io::Error::other("it is no ordinary file"));
            }
            let mut bytes = Vec::new();
            let limit = MAX_FILE_SIZE as u64 + 1;
            File::open(&path)?.take(limit).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => drop(disk.files.insert(name, bytes.into())),
            // Gone meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {}
            Err(error) => {
                // What is said here is of our own making.
                disk.has_failed |= error.raw_os_error().is_some();
                disk.unread.insert(name, error.to_string());
            }
        }
    }
    Ok(disk)
}

impl Disk {
    /// The policy that the files make; without files, the one that allows nothing. Files that made a part of
    /// `before` are not read again.
    pub(super) fn policy(&self, folder: &Path, before: &Policy) -> Result<Policy, PolicyErrors> {
        if self.unread.is_empty() {
            return policy(folder, &self.files, before);
        }
        Policy::from_read(&folder.to_string_lossy(), listed(&self.files), &self.unread, before)
    }
}

/// The policy that files make; without files, the one that allows nothing. Files that made a part of `before`
/// are not read again.
pub(super) fn policy(
    folder: &Path,
    files: &Files,
    before: &Policy,
) -> Result<Policy, PolicyErrors> {
    if files.is_empty() {
        return Ok(Policy::empty());
    }
    Policy::from_read(&folder.to_string_lossy(), listed(files), &BTreeMap::new(), before)
}

/// The users of the files, without a connection.
pub(super) fn users(folder: &Path, files: &Files) -> Result<Policy, PolicyErrors> {
    Policy::users_from_read(&folder.to_string_lossy(), listed(files))
}

fn listed(files: &Files) -> Vec<(&str, &[u8])> {
    files.iter().map(|(name, bytes)| (&**name, &**bytes)).collect()
}

/// Files after a change.
pub(super) fn edited(before: &Files, edits: &Edits) -> Files {
    let mut after = before.clone();
    for (name, bytes) in edits {
        match bytes {
            Some(bytes) => after.insert(name.clone(), bytes.as_slice().into()),
            None => after.remove(name),
        };
    }
    after
}

/// A file's revision.
pub(super) fn revision(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).get(..16).unwrap_or_default())
}

/// What tells files from all others.
pub(super) fn digest(files: &Files) -> String {
    let mut all = Sha256::new();
    for (name, bytes) in files {
        for part in [name.as_bytes(), bytes] {
            all.update((part.len() as u64).to_be_bytes());
            all.update(part);
        }
    }
    hex(&all.finalize())
}
