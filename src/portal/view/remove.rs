//! Asking before something is removed.

use askama::Template;

use super::{Frame, filters};

/// Asks before a data source is deleted or a key revoked. Its title says what is to be done, such as
/// `Delete s3+saha`.
#[derive(Debug, Template)]
#[template(path = "remove.html")]
pub(in crate::portal) struct RemovePage {
    pub(in crate::portal) frame: Frame,
    /// What goes with it.
    pub(in crate::portal) lines: Vec<String>,
    /// Where the answer goes to.
    pub(in crate::portal) action: String,
    /// What it holds.
    pub(in crate::portal) hidden: Vec<(&'static str, String)>,
    pub(in crate::portal) button: String,
    /// Where one is when one cancels.
    pub(in crate::portal) cancel: String,
    /// The list that the thing is in: its address and name.
    pub(in crate::portal) back: &'static str,
    pub(in crate::portal) list: &'static str,
}
