//! A page of a directory.

use std::time::SystemTime;

/// Which entries are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Folders and files.
    All,
    /// Folders alone.
    Folders,
    /// Files alone.
    Files,
}

/// Which part of a directory is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// The name of the last entry that was shown, a folder's with its `/`: the page starts behind
    /// it. `None` for the first page.
    pub after: Option<Box<str>>,
    /// Which entries.
    pub want: Want,
    /// How many at most. Zero asks only whether the directory is there.
    pub limit: usize,
}

/// A file in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name, one segment.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed.
    pub last_modified: Option<SystemTime>,
}

/// Part of a directory: what may be shown and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryPage {
    /// Whether there is such a directory: whether it is a bucket, or the server has anything in it
    /// that the listing asked for. The root is always there.
    pub exists: bool,
    /// The names of folders, without `/`.
    pub folders: Vec<String>,
    /// The files.
    pub files: Vec<FileEntry>,
    /// The last entry of the page in the order of the listing, to go on from: `Some` only when
    /// another entry that may be shown follows.
    pub next: Option<Box<str>>,
}
