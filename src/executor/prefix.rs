//! A page of what starts with a prefix.

use std::{fmt, time::SystemTime};

/// Which part of what starts with a prefix is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixRequest {
    /// Where the page starts.
    pub start: PrefixStart,
    /// Whether keys with a `/` behind the prefix are taken together, up to the first.
    pub is_delimited: bool,
    /// How many entries at most: 1 to 1,000.
    pub limit: usize,
}

/// Where a page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrefixStart {
    /// With the first.
    First,
    /// Behind this key, which need not be there. Where keys are taken together, behind all that it would be taken
    /// together with.
    After(Box<str>),
    /// Behind the page before.
    Continued(Continuation),
}

/// Where the page behind one starts. For no caller's eyes, and neither is its length: it may be a place between
/// entries that are not shown. Whoever hands it out seals it.
#[derive(Clone, PartialEq, Eq)]
pub struct Continuation {
    /// Behind this key.
    pub after: Box<str>,
    /// The server's own token for the place, where it gave one. Good for the very prefix and the way in which keys
    /// were taken together, and for as long as everything is shown.
    pub server: Option<Box<str>>,
}

impl fmt::Debug for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Continuation").finish_non_exhaustive()
    }
}

/// What a page has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrefixEntry {
    /// An object.
    Object(ListedObject),
    /// What the keys of several objects start with, up to a `/`. Some of them may be shown.
    Prefix(String),
}

impl PrefixEntry {
    /// Its key, or what keys start with.
    pub fn name(&self) -> &str {
        match self {
            Self::Object(object) => &object.key,
            Self::Prefix(prefix) => prefix,
        }
    }
}

/// An object, as listings tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key, all of it.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its entity tag, as the server gives it: quoted.
    pub etag: Option<Box<str>>,
    /// When it was last changed.
    pub last_modified: Option<SystemTime>,
}

/// Part of what starts with a prefix: what may be shown and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixPage {
    /// The entries, in the order of the server, which S3 says is that of their bytes.
    pub entries: Vec<PrefixEntry>,
    /// Where the next page starts. `None` when nothing follows that may be shown.
    ///
    /// Where there is much that may not be shown a page ends before it is full, and may be empty; then more *may*
    /// follow.
    pub next: Option<Continuation>,
}
