//! The list of data sources.

use askama::Template;

use super::{Frame, filters};

/// The list of data sources.
#[derive(Debug, Template)]
#[template(path = "sources.html")]
pub(in crate::portal) struct SourcesPage {
    pub(in crate::portal) frame: Frame,
    /// What was searched for; empty for everything.
    pub(in crate::portal) search: String,
    pub(in crate::portal) rows: Vec<SourceRow>,
    /// Whether the owner has none at all.
    pub(in crate::portal) is_empty: bool,
}

/// One data source of the list.
#[derive(Debug)]
pub(in crate::portal) struct SourceRow {
    /// `s3+label`.
    pub(in crate::portal) id: String,
    pub(in crate::portal) href: String,
    pub(in crate::portal) is_default: bool,
    /// The server, and the region if one is given.
    pub(in crate::portal) place: String,
    /// Where its credentials are, without them.
    pub(in crate::portal) credentials: String,
    /// The first restrictions.
    pub(in crate::portal) paths: Vec<String>,
    /// How many more there are, in words.
    pub(in crate::portal) more: Option<String>,
    pub(in crate::portal) access: String,
    /// Whether anything of it may be written or deleted.
    pub(in crate::portal) writes: bool,
}
