//! What a caller sees through a data source.

use askama::Template;

use super::{Frame, filters};

/// A page of a listing, as a caller sees it.
#[derive(Debug, Template)]
#[template(path = "browse.html")]
pub(in crate::portal) struct BrowsePage {
    pub(in crate::portal) frame: Frame,
    /// The data source: `s3+label`, and where its page is.
    pub(in crate::portal) id: String,
    pub(in crate::portal) href: String,
    /// The directory.
    pub(in crate::portal) path: String,
    /// The directories that lead to it, and it.
    pub(in crate::portal) crumbs: Vec<Crumb>,
    pub(in crate::portal) entries: Vec<Entry>,
    /// Why there is no listing.
    pub(in crate::portal) denial: Option<Denial>,
    /// Where the listing goes on.
    pub(in crate::portal) next: Option<String>,
}

/// A directory on the way.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::portal) struct Crumb {
    pub(in crate::portal) name: String,
    pub(in crate::portal) href: String,
}

/// A folder, which has an address, or a file.
#[derive(Debug)]
pub(in crate::portal) struct Entry {
    pub(in crate::portal) name: String,
    pub(in crate::portal) href: Option<String>,
    pub(in crate::portal) size: String,
    pub(in crate::portal) changed: String,
}

/// Why there is no listing.
#[derive(Debug)]
pub(in crate::portal) struct Denial {
    pub(in crate::portal) title: String,
    pub(in crate::portal) text: String,
}
