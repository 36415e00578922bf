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

use super::StoreError;
use crate::policy::{MAX_FILE_SIZE, Policy, PolicyErrors, is_policy_file, written::random::hex};

/// Held by whoever writes; shared by those who read. Holds the digest of what was last written.
const LOCK: &str = ".pathward.lock";
/// A change of more than one file, from when it is decided until it is done.
const JOURNAL: &str = ".pathward.journal";
/// A file before it replaces another. Hidden, so that it is no part of the policy; one that a process
/// left behind which was killed is overwritten by the next.
const BESIDE: &str = ".pathward.new";
/// How long a writer waits for others.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a reader waits for a writer, which may have been stopped in the middle.
const READ_PATIENCE: Duration = Duration::from_millis(500);

/// The policy files of a folder, by name.
pub(super) type Files = BTreeMap<String, Arc<[u8]>>;

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
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Keeps every other process, and thread, from writing. Finishes what one that was killed began.
    pub(super) fn exclusive(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(LOCK);
        let failed = |error| io_error(&path, error);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(failed)?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if began.elapsed() > PATIENCE => {
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
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io_error(&path, error)),
        };
        let wrong = || io_error(&path, io::Error::other("it is no journal of ours: look at it"));
        let journal: Journal = serde_json::from_slice(&text).map_err(|_| wrong())?;
        let mut edits = Edits::new();
        for (name, bytes) in journal.files {
            let bytes = bytes.map(|bytes| STANDARD.decode(bytes).map_err(|_| wrong()));
            if !is_policy_file(&name) || name.contains('/') {
                return Err(wrong());
            }
            edits.insert(name, bytes.transpose()?);
        }
        tracing::warn!(target: "pathward::store", "finishing a change that was interrupted");
        self.write_each(folder, &edits)?;
        fs::remove_file(&path).map_err(|error| io_error(&path, error))?;
        sync_folder(folder)
    }

    /// Makes changes: all of them or none, whatever happens. On the disk when it returns.
    pub(super) fn write(
        &self,
        folder: &Path,
        edits: &Edits,
        after: &Files,
    ) -> Result<(), StoreError> {
        let path = folder.join(JOURNAL);
        if edits.len() > 1 {
            let encode = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|b| STANDARD.encode(b));
            let files = edits.iter().map(|(name, bytes)| (name.clone(), encode(bytes))).collect();
            let text = serde_json::to_vec(&Journal { files })
                .map_err(|error| io_error(&path, error.into()))?;
            replace(&path, &text)?;
            sync_folder(folder)?;
        }
        self.write_each(folder, edits)?;
        if edits.len() > 1 {
            fs::remove_file(&path).map_err(|error| io_error(&path, error))?;
            sync_folder(folder)?;
        }
        // For those who follow: these files are whole. That it cannot be said only makes them wait.
        drop(self.record(after));
        Ok(())
    }

    fn write_each(&self, folder: &Path, edits: &Edits) -> Result<(), StoreError> {
        for (name, bytes) in edits {
            let path = folder.join(name);
            match bytes {
                Some(bytes) => replace(&path, bytes)?,
                None => match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(io_error(&path, error));
                    }
                    _ => {}
                },
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
        let mut text = String::new();
        let file = &self.file;
        file.take(64).read_to_string(&mut text).is_ok() && text == digest(files)
    }
}

#[derive(Serialize, Deserialize)]
struct Journal {
    /// The bytes in base64, or nothing for a file that goes.
    files: BTreeMap<String, Option<String>>,
}

/// Whether a change was interrupted.
pub(super) fn is_interrupted(folder: &Path) -> bool {
    folder.join(JOURNAL).exists()
}

pub(super) fn io_error(path: &Path, error: io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), error }
}

/// Makes the folder, if it is not there.
pub(super) fn make(folder: &Path) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| io_error(folder, error))?;
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => Ok(()),
    }
}

/// Replaces a file, or makes it. Where it is a link, what it leads to.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let target = match path.is_symlink() {
        true => fs::canonicalize(path).map_err(|error| io_error(path, error))?,
        false => path.to_owned(),
    };
    let beside = target.with_file_name(BESIDE);
    let write = || {
        let mut file = File::create(&beside)?;
        if let Ok(meta) = fs::metadata(&target) {
            file.set_permissions(meta.permissions())?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &target)?;
        // A link's target is in another folder, perhaps.
        match target.parent() {
            Some(parent) if target != path => File::open(parent)?.sync_all(),
            _ => Ok(()),
        }
    };
    write().map_err(|error| {
        drop(fs::remove_file(&beside));
        io_error(path, error)
    })
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    // Windows opens no folders.
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| io_error(folder, error))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// What can be seen of the folder's policy files.
pub(super) fn stamp(folder: &Path) -> io::Result<Stamp> {
    let mut stamp = Stamp { newest: changed(&fs::metadata(folder)?), ..Stamp::default() };
    for (name, path) in names(folder)? {
        let meta = match fs::metadata(&path) {
            Ok(meta) => meta,
            // Gone meanwhile, or a link that leads nowhere: reading it says so.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
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

fn names(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_policy_file(&name) && !path.is_dir() {
            names.push((name, path));
        }
    }
    Ok(names)
}

/// The folder's policy files.
pub(super) fn read(folder: &Path) -> Result<Files, StoreError> {
    let mut files = Files::new();
    for (name, path) in names(folder).map_err(|error| io_error(folder, error))? {
        let read = || -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            let limit = MAX_FILE_SIZE as u64 + 1;
            File::open(&path)?.take(limit).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        files.insert(name, read().map_err(|error| io_error(&path, error))?.into());
    }
    Ok(files)
}

/// The policy that the files make; without files, the one that allows nothing.
pub(super) fn policy(folder: &Path, files: &Files) -> Result<Policy, PolicyErrors> {
    if files.is_empty() {
        return Ok(Policy::empty());
    }
    let files = files.iter().map(|(name, bytes)| (name.clone(), bytes.to_vec())).collect();
    Policy::from_files(&folder.to_string_lossy(), files)
}

/// A file's revision.
pub(super) fn revision(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).get(..16).unwrap_or_default())
}

fn digest(files: &Files) -> String {
    let mut all = Sha256::new();
    for (name, bytes) in files {
        for part in [name.as_bytes(), bytes] {
            all.update((part.len() as u64).to_be_bytes());
            all.update(part);
        }
    }
    hex(&all.finalize())
}
