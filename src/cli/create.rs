//! Files that answers are written to.

use std::{fs::File, path::Path as FilePath};
#[cfg(any(feature = "store", feature = "gateway"))]
use std::{
    fs::OpenOptions,
    io::{self, Write as _},
};

use same_file::Handle;

use super::output::Failure;

/// Opens the output for writing, and empties it if it is neither what is read nor the policy.
pub(super) fn create(path: &FilePath, read: &[Handle], policy: &FilePath) -> Result<File, Failure> {
    let failed = |error| Failure::file("cannot write", path, &error);
    let refused =
        |what| Failure::question(format!("the output would overwrite {what}: name another file"));
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => FilePath::new("."),
    };
    // Before it is there: it would be part of the policy from now on.
    if is_part_of_policy(path)
        && policy.is_dir()
        && same_file::is_same_file(folder, policy).unwrap_or_default()
    {
        return Err(refused("or join the policy"));
    }
    // Not emptied yet: another name of a file that is read is only known when it is open.
    let file =
        File::options().write(true).create(true).truncate(false).open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        // Terminals, pipes and `/dev/null` may be read from and written to.
        return Ok(file);
    }
    let output = file.try_clone().and_then(Handle::from_file).map_err(failed)?;
    if read.contains(&output) {
        return Err(refused("the batch"));
    }
    // What is no ordinary file is not opened again: a pipe would wait for its writer.
    let is_output = |path: &FilePath| {
        path.is_file() && Handle::from_path(path).is_ok_and(|handle| handle == output)
    };
    let in_folder = || policy.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    if is_output(policy) || in_folder().any(|path| is_part_of_policy(&path) && is_output(&path)) {
        return Err(refused("the policy"));
    }
    file.set_len(0).map_err(failed)?;
    Ok(file)
}

/// Whether a file has a name that a policy's files have.
fn is_part_of_policy(path: &FilePath) -> bool {
    path.extension().is_some_and(|end| end == "yaml" || end == "yml")
}

/// Writes a new file that only this user can read.
#[cfg(any(feature = "store", feature = "gateway"))]
pub(super) fn write_private(file: &FilePath, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file)?;
    opened.write_all(bytes)?;
    opened.sync_all()?;
    sync_folder(file)
}

/// A file is there for good once its folder is on the disk.
#[cfg(any(feature = "store", feature = "gateway"))]
pub(super) fn sync_folder(file: &FilePath) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => FilePath::new("."),
    };
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}
