//! The API keys of an owner.

use std::fmt;

use askama::Template;

use super::{Frame, filters};

/// The API keys of an owner, and the form for another one.
#[derive(Debug, Template)]
#[template(path = "keys.html")]
pub(in crate::portal) struct KeysPage {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) rows: Vec<KeyRow>,
    /// Why the key was not made, by the field that it is about, and what was filled in.
    pub(in crate::portal) problem: Option<(&'static str, String)>,
    pub(in crate::portal) id: String,
    pub(in crate::portal) access: String,
    pub(in crate::portal) manage: bool,
    /// Whether it is to be for some data sources alone.
    pub(in crate::portal) is_for_some: bool,
    /// The data sources: whether each is ticked, and `s3+label`.
    pub(in crate::portal) sources: Vec<(bool, String)>,
    /// What a key may do with data: values and texts.
    pub(in crate::portal) accesses: &'static [(&'static str, &'static str)],
}

/// One key of the list.
#[derive(Debug)]
pub(in crate::portal) struct KeyRow {
    pub(in crate::portal) id: String,
    /// The id, as it stands in an address.
    pub(in crate::portal) href: String,
    pub(in crate::portal) access: String,
    pub(in crate::portal) writes: bool,
    pub(in crate::portal) manage: bool,
    /// Whether the session was opened with it.
    pub(in crate::portal) is_own: bool,
    /// The data sources that it is for: whether each is there, and `s3+label`. `None` for all.
    pub(in crate::portal) reach: Option<Vec<(bool, String)>>,
}

impl KeysPage {
    /// Whether the problem is about the field.
    fn is_wrong(&self, name: &str) -> bool {
        self.problem.as_ref().is_some_and(|(field, _)| *field == name)
    }
}

/// Shows a new key, once.
#[derive(Template)]
#[template(path = "key_shown.html")]
pub(in crate::portal) struct KeyShownPage {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) id: String,
    pub(in crate::portal) secret: String,
    /// What it may do with data, in words.
    pub(in crate::portal) access: String,
    pub(in crate::portal) manage: bool,
    /// Whether it was made by the one-time link.
    pub(in crate::portal) is_first: bool,
    /// The gateway's address, where it is known.
    pub(in crate::portal) gateway: Option<String>,
    /// Where to go from here: the address, and what it is called.
    pub(in crate::portal) next: (&'static str, &'static str),
}

impl fmt::Debug for KeyShownPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyShownPage").field("id", &self.id).finish_non_exhaustive()
    }
}
