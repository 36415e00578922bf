//! The files of a folder, as they are on the disk.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use sha2::{Digest as _, Sha256};

use super::StoreError;
use crate::{
    escape::hex,
    policy::{MAX_FILE_SIZE, Policy, PolicyErrors, is_policy_file},
};

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

/// What is in a file, if there is one.
pub(super) fn bytes_of(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(path, error)),
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
    /// one of `before` are not read again.
    pub(super) fn policy(&self, folder: &Path, before: &[&Policy]) -> Result<Policy, PolicyErrors> {
        if self.unread.is_empty() {
            return policy(folder, &self.files, before);
        }
        Policy::from_read(&folder.to_string_lossy(), listed(&self.files), &self.unread, before)
    }
}

/// The policy that files make; without files, the one that allows nothing. Files that made a part of one of
/// `before` are not read again.
pub(super) fn policy(
    folder: &Path,
    files: &Files,
    before: &[&Policy],
) -> Result<Policy, PolicyErrors> {
    if files.is_empty() {
        return Ok(Policy::empty());
    }
    Policy::from_read(&folder.to_string_lossy(), listed(files), &BTreeMap::new(), before)
}

/// One file and the policy that it makes by itself, if it makes one.
pub(super) fn alone(
    folder: &Path,
    (name, bytes): (&String, &Arc<[u8]>),
    before: &Policy,
) -> Option<(Files, Policy)> {
    let one = Files::from([(name.clone(), Arc::clone(bytes))]);
    policy(folder, &one, &[before]).ok().map(|policy| (one, policy))
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
