//! Uploads in parts, and what is said about them.

use std::{fmt, time::SystemTime};

use super::{Body, Checksum, Metadata, ReadConditions};

/// The server's name of an upload in parts. For its caller alone: whoever has it and may write to the upload's path can
/// add to the upload. `Debug` says how long it is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UploadId(Box<str>);

impl UploadId {
    /// The longest that a server may give: those that are known have some two hundred bytes.
    pub const MAX_LEN: usize = 1_024;

    /// A name that a server gave. `None` for an empty one, or one that is too long.
    pub fn new(text: &str) -> Option<Self> {
        (1..=Self::MAX_LEN).contains(&text.len()).then(|| Self(text.into()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadId").field("len", &self.0.len()).finish_non_exhaustive()
    }
}

/// The number of a part, 1 to 10,000: parts stand in the object in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNumber(u16);

impl PartNumber {
    /// The largest.
    pub const MAX: Self = Self(10_000);

    /// This number, if a part can have it.
    pub const fn new(number: u16) -> Option<Self> {
        match number {
            1..=10_000 => Some(Self(number)),
            _ => None,
        }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for PartNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A part on its way.
#[derive(Debug)]
pub struct PartUpload {
    /// Its number. A part that is there under it is replaced.
    pub number: PartNumber,
    /// The bytes.
    pub body: Body,
    /// How many there are, at most 5 GiB. A body of another length fails.
    pub length: u64,
    /// The checksums that they are to have. A body with another one fails.
    pub checksums: Vec<Checksum>,
}

/// What a part is copied from: the object of the [`CopyPart`](crate::engine::CopyPart), or some of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartCopy {
    /// The part's number.
    pub number: PartNumber,
    /// Which of the object's bytes, the first and the last; all of them without one.
    pub range: Option<(u64, u64)>,
    /// When, by what the object is.
    pub conditions: ReadConditions,
}

/// A part, as whoever completes the upload names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number.
    pub number: PartNumber,
    /// Its entity tag, as it was given when the part was stored.
    pub etag: Box<str>,
}

/// A part that the server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartInfo {
    /// Its number, by which parts are sorted.
    pub number: PartNumber,
    /// How many bytes it has.
    pub size: u64,
    /// Its entity tag, as the server gives it: quoted.
    pub etag: Option<Box<str>>,
    /// When it was stored.
    pub last_modified: Option<SystemTime>,
}

/// Some of the parts of an upload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartsPage {
    /// The parts, sorted.
    pub parts: Vec<PartInfo>,
    /// Behind which the next page begins, if there is one.
    pub next: Option<PartNumber>,
}

/// An upload in parts that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedUpload {
    /// The key that its object is to have, in the bucket.
    pub key: String,
    /// The server's name of it.
    pub id: UploadId,
    /// When it was begun.
    pub initiated: Option<SystemTime>,
}

/// Some of the uploads in parts that have not ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadsPage {
    /// Those that may be shown.
    pub uploads: Vec<UnfinishedUpload>,
    /// Behind which the next page begins, if there is one: what may not be shown may be what it says.
    pub next: Option<UploadsMark>,
}

/// A place among the uploads of a bucket: behind one that a server named.
#[derive(Clone, PartialEq, Eq)]
pub struct UploadsMark {
    /// Its key.
    pub key: Box<str>,
    /// The server's name of it; empty for all that have its key.
    pub id: Box<str>,
}

impl fmt::Debug for UploadsMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadsMark").finish_non_exhaustive()
    }
}

/// How an object is copied. By default with all that is kept with it, whatever is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// What is kept with the copy in place of what is kept with the source.
    pub metadata: Option<Metadata>,
    /// When, by what the source is.
    pub conditions: ReadConditions,
}

/// An object, or a part, that was made of what the server has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Its entity tag, as the server gives it: quoted.
    pub etag: Option<String>,
    /// When it was made, where the server says so.
    pub last_modified: Option<SystemTime>,
}
