//! The pages before someone is signed in.

use askama::Template;

use super::{Frame, filters};

/// Where someone signs in.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub(in crate::portal) struct SignInPage {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) problem: Option<String>,
    /// Where to go afterwards: a path of the portal.
    pub(in crate::portal) next: String,
}

/// What the one-time link opens.
#[derive(Template)]
#[template(path = "first.html")]
pub(in crate::portal) struct FirstPage {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) problem: Option<String>,
    /// What is in the link.
    pub(in crate::portal) link: String,
    pub(in crate::portal) name: String,
    /// Users that there are already.
    pub(in crate::portal) known: Vec<String>,
}
