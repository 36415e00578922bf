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
    /// What [`DirectoryPage::next`] of the page before was: the page starts behind it. `None` for the first
    /// page.
    pub after: Option<Box<str>>,
    /// Which entries.
    pub want: Want,
    /// How many at most. Zero asks only whether the directory is there.
    pub limit: usize,
    /// Whether one look has to do to find out that the directory is there: one page of what the server has of
    /// it. A directory of which that shows nothing is then taken not to be there. For a name that is denied
    /// unless a directory has it, so that a denial costs little and tells nothing of what is hidden.
    pub brief: bool,
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
    /// Whether there is such a directory: whether it is a bucket, or something is in it that may be shown, be
    /// it as a folder or as the directory's own marker. `false` where that was not found out before the first
    /// page ended because much is hidden: how much is, is not to be learned. The root is always there.
    pub exists: bool,
    /// The names of folders, without `/`.
    pub folders: Vec<String>,
    /// The files.
    pub files: Vec<FileEntry>,
    /// Where the next page starts, for [`PageRequest::after`]. `None` when nothing follows that may be shown.
    ///
    /// Where there is much that may not be shown a page ends before it is full, and may be empty; then more
    /// *may* follow. A text that begins with a NUL is then a place between entries that are not shown: it is for
    /// no caller's eyes, and neither is its length. Any other is the last entry of the page, a folder's with
    /// its `/`.
    pub next: Option<Box<str>>,
}
