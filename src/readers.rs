//! Files with secrets: read, and told of where others can.

use std::path::Path;
#[cfg(feature = "gateway")]
use std::{
    fs::File,
    io::{self, Read as _},
};

#[cfg(feature = "gateway")]
use zeroize::Zeroizing;

/// Why a file with a secret was not read.
#[cfg(feature = "gateway")]
#[derive(Debug)]
pub(crate) enum Unread {
    Io(io::Error),
    NotAFile,
    TooLong,
}

/// What a file has in it, of at most so many bytes. It is overwritten when it is dropped.
#[cfg(feature = "gateway")]
pub(crate) fn read_secret(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, Unread> {
    // What is no file may never end, or never begin.
    if !std::fs::metadata(path).map_err(Unread::Io)?.is_file() {
        return Err(Unread::NotAFile);
    }
    let file = File::open(path).map_err(Unread::Io)?;
    let length = file.metadata().map_err(Unread::Io)?.len();
    // All at once, so that no part of a secret is left behind where there was too little room.
    let room = usize::try_from(length.min(most)).unwrap_or_default() + 1;
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    file.take(most + 1).read_to_end(&mut text).map_err(Unread::Io)?;
    match text.len() as u64 > most {
        true => Err(Unread::TooLong),
        false => Ok(text),
    }
}

/// Says so when others than its owner's group may read or change a file with secrets, which `what` names.
/// Not an error: what mounts secrets into containers often does it so.
#[cfg(unix)]
pub(crate) fn warn_of_readers(path: &Path, what: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    const OTHERS: u32 = 0o006;
    if std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & OTHERS != 0) {
        tracing::warn!(
            path = %crate::escape::escape(&path.display().to_string()),
            "every user of this machine can read or change {what}: `chmod o= FILE`"
        );
    }
}

#[cfg(not(unix))]
pub(crate) fn warn_of_readers(_: &Path, _: &str) {}
