//! A page that says one thing.

use askama::Template;

use super::{Frame, filters};

/// A page that says one thing, such as that there is no such page.
#[derive(Debug, Template)]
#[template(path = "notice.html")]
pub(in crate::portal) struct NoticePage {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) lines: Vec<String>,
    /// Where to go from here: the address, and what it is called.
    pub(in crate::portal) back: (String, &'static str),
}
