//! What a change does, before it is saved.

use askama::Template;

use super::{Frame, filters};

/// What a change does, before it is saved.
#[derive(Template)]
#[template(path = "review.html")]
pub(in crate::portal) struct ReviewPage {
    pub(in crate::portal) frame: Frame,
    /// The data source as it is stored: `s3+label`.
    pub(in crate::portal) id: String,
    pub(in crate::portal) action: String,
    /// Something to know about the change.
    pub(in crate::portal) note: Option<String>,
    pub(in crate::portal) fields: Vec<Field>,
    pub(in crate::portal) opened: Vec<Delta>,
    pub(in crate::portal) lost: Vec<Delta>,
    /// What could not be found out.
    pub(in crate::portal) undecided: Option<String>,
    /// The form, as it was filled in: never with a secret.
    pub(in crate::portal) hidden: Vec<(String, String)>,
}

/// A field that changes.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::portal) struct Field {
    pub(in crate::portal) name: &'static str,
    pub(in crate::portal) was: Option<String>,
    pub(in crate::portal) now: String,
    pub(in crate::portal) note: Option<&'static str>,
}

/// Paths that are newly allowed, or no longer.
#[derive(Debug)]
pub(in crate::portal) struct Delta {
    pub(in crate::portal) access: String,
    /// Which paths, in words.
    pub(in crate::portal) words: String,
    /// One of them.
    pub(in crate::portal) example: String,
}
