//! What the pages show, as plain data. Every text in here is a text: the templates escape it.

mod browse;
mod edit;
#[expect(unreachable_pub, reason = "what the macro of filters makes")]
mod filters;
mod keys;
mod list;
mod notice;
mod remove;
mod review;
mod sign_in;

pub(super) use self::{
    browse::{BrowsePage, Crumb, Denial, Entry},
    edit::{
        AttemptView, CredentialsView, EditPage, Finding, FormView, Line, Problem, RowView, Said,
        Tested,
    },
    keys::{KeyRow, KeyShownPage, KeysPage},
    list::{SourceRow, SourcesPage},
    notice::NoticePage,
    remove::RemovePage,
    review::{Delta, Field, ReviewPage},
    sign_in::{FirstPage, SignInPage},
};
use super::assets;

/// What every page has around its content.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// The page's title.
    pub(super) title: String,
    /// Who is signed in.
    pub(super) owner: Option<String>,
    /// What every form of the session holds. Empty when nobody is signed in.
    pub(super) csrf: String,
    /// The part of the portal that the page is in: `sources`, `keys` or none.
    pub(super) at: &'static str,
    /// What has just been done.
    pub(super) said: Option<String>,
    /// Why the store's newest state is not served.
    pub(super) warning: Option<String>,
    /// The style sheet's address.
    pub(super) css: &'static str,
    /// The script's.
    pub(super) script: &'static str,
    /// The icon's.
    pub(super) icon: &'static str,
}

impl Frame {
    /// The frame of a page that needs nobody to be signed in.
    pub(super) fn new(title: impl Into<String>) -> Self {
        let [css, script, icon] = assets::addresses();
        Self { title: title.into(), css, script, icon, ..Self::default() }
    }
}

#[cfg(test)]
mod tests;
