//! One file replaced whole: what it was before, and whose it is, stay true.

use std::{
    fs::{self, DirBuilder, File, Metadata},
    io::{self, Write as _},
    path::Path,
};

use super::{
    StoreError,
    folder::{bytes_of, io_error, revision},
};

/// A file before it replaces another. Hidden, so that it is no part of the policy; one that a process
/// left behind which was killed is taken away by the next.
const BESIDE: &str = ".pathward.new";
/// What of a store is not for git: the lock, and what is there while something changes.
const NOT_FOR_GIT: &str = ".pathward.*\n.*.store\n.*.new\n";

/// What a file has to be, for it to be replaced.
pub(super) enum Expected<'e> {
    /// Whatever it is.
    Anything,
    /// Not there.
    Absent,
    /// What a change was decided on.
    Bytes(&'e [u8]),
}

impl Expected<'_> {
    /// Refuses what someone changed who does not take the lock.
    pub(super) fn check(&self, path: &Path) -> Result<(), StoreError> {
        let expected = match self {
            Self::Anything => return Ok(()),
            Self::Absent => None,
            Self::Bytes(bytes) => Some(*bytes),
        };
        match bytes_of(path)? {
            now if now.as_deref() == expected => Ok(()),
            Some(bytes) => Err(StoreError::Conflict { current: revision(&bytes) }),
            None => Err(StoreError::Missing),
        }
    }
}

/// Makes the folder, if it is not there: for its owner alone.
pub(super) fn make(folder: &Path) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let failed = |error| io_error(folder, error);
    if folder.exists() {
        let what = "this is a file, and a store is a folder: name a folder, which is made if it is not there";
        return Err(failed(io::Error::new(io::ErrorKind::NotADirectory, what)));
    }
    builder.create(folder).map_err(failed)?;
    // Another process that makes it, too, writes the same.
    fs::write(folder.join(".gitignore"), NOT_FOR_GIT).map_err(failed)?;
    sync_folder(folder)?;
    sync_folder(parent(folder))
}

/// The folder that something is in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Replaces a file, or makes it, if it is what is expected. Where it is a link, what it leads to.
pub(super) fn replace(
    path: &Path,
    bytes: &[u8],
    expected: &Expected<'_>,
) -> Result<(), StoreError> {
    let failed = |error| io_error(path, error);
    let target = match path.is_symlink() {
        true => fs::canonicalize(path).map_err(failed)?,
        false => path.to_owned(),
    };
    let beside = target.with_file_name(BESIDE);
    let write = || {
        remove(&beside)?;
        let mut file = File::create_new(&beside)?;
        let before = fs::metadata(&target).ok();
        let folder = fs::metadata(parent(&target))?;
        keep_owner(&file, before.as_ref(), &folder)?;
        file.set_permissions(match &before {
            Some(before) => before.permissions(),
            None => permissions_in(&folder, &file.metadata()?),
        })?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    let put = || {
        expected.check(&target)?;
        match expected {
            Expected::Absent => link(&beside, &target)?,
            _ => fs::rename(&beside, &target).map_err(failed)?,
        }
        // A link's target is in another folder, perhaps.
        if target == path { Ok(()) } else { sync_folder(parent(&target)) }
    };
    write().map_err(failed).and_then(|()| put()).inspect_err(|_| drop(fs::remove_file(&beside)))
}

/// Gives a file its name, unless something has it.
fn link(beside: &Path, target: &Path) -> Result<(), StoreError> {
    let done = match fs::hard_link(beside, target) {
        Ok(()) => fs::remove_file(beside),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Expected::Absent.check(target)?;
            Err(error)
        }
        // Not every file system has links.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
            ) =>
        {
            fs::rename(beside, target)
        }
        Err(error) => Err(error),
    };
    done.map_err(|error| io_error(target, error))
}

/// Who may read and write a new file: nobody who may not do so with its folder.
#[cfg(unix)]
fn permissions_in(folder: &Metadata, new: &Metadata) -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    fs::Permissions::from_mode(new.permissions().mode() & folder.permissions().mode() & 0o666)
}

#[cfg(not(unix))]
fn permissions_in(_: &Metadata, new: &Metadata) -> fs::Permissions {
    new.permissions()
}

/// Gives a new file to the owner of what it replaces, or to the folder's. Where that is not possible,
/// refuses what the folder's owner could not read any more.
#[cfg(unix)]
fn keep_owner(file: &File, before: Option<&Metadata>, folder: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let owner = before.unwrap_or(folder);
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (owner.uid(), owner.gid())
        || fchown(file, Some(owner.uid()), Some(owner.gid())).is_ok()
    {
        return Ok(());
    }
    let has_group = now.gid() == owner.gid() || fchown(file, None, Some(owner.gid())).is_ok();
    let mode = before.unwrap_or(&now).mode();
    let is_read = now.uid() == folder.uid()
        || folder.uid() == 0
        || mode & 0o004 != 0
        || mode & 0o040 != 0 && has_group && owner.gid() == folder.gid();
    match is_read {
        true => Ok(()),
        false => Err(io::Error::other(
            "its owner cannot be kept, and the owner of the folder could not read it any more: do \
             this as that user",
        )),
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: Option<&Metadata>, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// The file that is locked, made if it is not there: for the folder's owner alone.
pub(super) fn open_lock(folder: &Path, path: &Path) -> io::Result<File> {
    match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create_for_owner(folder, path),
        opened => opened,
    }
}

/// A file of a folder that nobody but its owner reads, made if it is not there.
pub(super) fn create_for_owner(folder: &Path, path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        let owner = fs::metadata(folder)?;
        // Only the superuser can, and has to.
        if file.metadata()?.uid() != owner.uid() {
            drop(fchown(&file, Some(owner.uid()), Some(owner.gid())));
        }
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(file)
}

/// Whether this is still the file that is there.
#[cfg(unix)]
pub(super) fn is_still(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let place = |meta: Metadata| (meta.dev(), meta.ino());
    match (fs::metadata(path), file.metadata()) {
        (Ok(there), Ok(ours)) => place(there) == place(ours),
        _ => false,
    }
}

/// Windows removes no file that is open.
#[cfg(not(unix))]
pub(super) fn is_still(_: &Path, _: &File) -> bool {
    true
}

/// What is in a folder is there for good once the folder is on the disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    // Windows opens no folders.
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| io_error(folder, error))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_someone_changed_who_takes_no_lock_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.yaml");
        fs::write(&path, "theirs").unwrap();
        for expected in [Expected::Bytes(b"before"), Expected::Absent] {
            let refused = replace(&path, b"ours", &expected);
            assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
            assert!(expected.check(&path).is_err());
        }
        // One that came after it was looked for.
        let beside = folder.path().join("beside");
        fs::write(&beside, "ours").unwrap();
        assert!(matches!(link(&beside, &path), Err(StoreError::Conflict { .. })));
        fs::remove_file(&beside).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
        replace(&path, b"ours", &Expected::Bytes(b"theirs")).unwrap();
        fs::remove_file(&path).unwrap();
        let gone = replace(&path, b"ours", &Expected::Bytes(b"ours"));
        assert!(matches!(gone, Err(StoreError::Missing)), "{gone:?}");
        replace(&path, b"new", &Expected::Absent).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_in_the_place_of_the_new_file_is_not_written_into() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other");
        fs::write(&other, "theirs").unwrap();
        std::os::unix::fs::symlink(&other, folder.path().join(BESIDE)).unwrap();
        let path = folder.path().join("x.yaml");
        replace(&path, b"ours", &Expected::Absent).unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"theirs");
        assert!(!path.is_symlink());
        assert_eq!(parent(Path::new("data")), Path::new("."));
    }
}
