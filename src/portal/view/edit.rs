//! The form of a data source.

use askama::Template;

use super::{Frame, filters};

/// Values of a choice, with their texts.
pub(in crate::portal) type Choices = &'static [(&'static str, &'static str)];

/// The form of a data source, new or stored, with what is said of it.
#[derive(Debug, Template)]
#[template(path = "edit.html")]
pub(in crate::portal) struct EditPage {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) heading: String,
    /// The stored one: `s3+label`. `None` for a new one.
    pub(in crate::portal) id: Option<String>,
    /// Where the form goes to.
    pub(in crate::portal) action: String,
    pub(in crate::portal) form: FormView,
    pub(in crate::portal) credentials: CredentialsView,
    pub(in crate::portal) restrictions: Vec<RowView>,
    pub(in crate::portal) deny: Vec<RowView>,
    /// The row that a script adds.
    pub(in crate::portal) blank: RowView,
    /// All that keeps it from being saved, for the top of the page.
    pub(in crate::portal) problems: Vec<Problem>,
    /// The same, and warnings, by field.
    pub(in crate::portal) said: Said,
    /// Findings that are about no row.
    pub(in crate::portal) findings: Vec<Finding>,
    /// Something to know that is no mistake of the form.
    pub(in crate::portal) note: Option<String>,
    pub(in crate::portal) attempt: Option<AttemptView>,
    /// Whether the backend can be tried from here, and what that said.
    pub(in crate::portal) can_test: bool,
    pub(in crate::portal) tested: Option<Tested>,
    /// The gateway's address, where it is known.
    pub(in crate::portal) gateway: Option<String>,
    pub(in crate::portal) accesses: Choices,
    pub(in crate::portal) deny_accesses: Choices,
    pub(in crate::portal) details: Choices,
    pub(in crate::portal) operations: Choices,
}

/// What the fields hold. Never a key or a secret.
#[derive(Clone, Debug, Default)]
pub(in crate::portal) struct FormView {
    pub(in crate::portal) revision: String,
    /// The name of a key that was entered and is not saved yet, or nothing.
    pub(in crate::portal) held: String,
    pub(in crate::portal) label: String,
    pub(in crate::portal) is_default: bool,
    pub(in crate::portal) region: String,
    pub(in crate::portal) endpoint: String,
    pub(in crate::portal) keys: String,
    pub(in crate::portal) conditions: String,
    pub(in crate::portal) server_open: bool,
    pub(in crate::portal) reference_kind: String,
    pub(in crate::portal) reference_name: String,
    pub(in crate::portal) write_access: bool,
    pub(in crate::portal) access_detail: String,
    pub(in crate::portal) try_operation: String,
    pub(in crate::portal) try_path: String,
}

/// What is said of the credentials.
#[derive(Debug)]
pub(in crate::portal) struct CredentialsView {
    /// What is stored, in a sentence.
    pub(in crate::portal) stored: Option<String>,
    pub(in crate::portal) references_allowed: bool,
    pub(in crate::portal) other_open: bool,
    pub(in crate::portal) kinds: Choices,
}

/// An entry of `restrictions` or `deny`.
#[derive(Clone, Debug, Default)]
pub(in crate::portal) struct RowView {
    /// What its fields' names hold: a number, or what a script replaces with one.
    pub(in crate::portal) n: String,
    /// Its place, from 1.
    pub(in crate::portal) number: usize,
    pub(in crate::portal) text: String,
    pub(in crate::portal) glob: bool,
    pub(in crate::portal) access: String,
    pub(in crate::portal) problems: Vec<Problem>,
    /// What it means.
    pub(in crate::portal) words: Option<String>,
    pub(in crate::portal) findings: Vec<Finding>,
}

/// Something wrong.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Problem {
    /// The id of the field on the page.
    pub(in crate::portal) field: String,
    pub(in crate::portal) message: String,
    pub(in crate::portal) help: Option<String>,
}

/// What is wrong, by field.
#[derive(Debug, Default)]
pub(in crate::portal) struct Said {
    pub(in crate::portal) label: Vec<Problem>,
    pub(in crate::portal) credentials: Vec<Problem>,
    pub(in crate::portal) region: Vec<Problem>,
    pub(in crate::portal) endpoint: Vec<Problem>,
    pub(in crate::portal) restrictions: Vec<Problem>,
}

/// What the linter found.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Finding {
    /// `error`, `warning` or `note`: also a class of the style sheet.
    pub(in crate::portal) level: &'static str,
    pub(in crate::portal) message: String,
    /// A path that shows it.
    pub(in crate::portal) witness: Option<String>,
    pub(in crate::portal) fix: Option<String>,
}

/// What became of a path that was tried.
#[derive(Debug)]
pub(in crate::portal) struct AttemptView {
    /// `allow`, `deny` or `invalid`: a class of the style sheet.
    pub(in crate::portal) kind: &'static str,
    pub(in crate::portal) title: &'static str,
    pub(in crate::portal) words: String,
    /// The line that decided.
    pub(in crate::portal) line: Option<Line>,
    /// The reason's code.
    pub(in crate::portal) reason: String,
}

/// A line of the form.
#[derive(Debug)]
pub(in crate::portal) struct Line {
    pub(in crate::portal) field: String,
    pub(in crate::portal) name: String,
    pub(in crate::portal) text: String,
}

/// What became of a test of the backend.
#[derive(Debug)]
pub(in crate::portal) struct Tested {
    pub(in crate::portal) ok: bool,
    pub(in crate::portal) words: String,
}
