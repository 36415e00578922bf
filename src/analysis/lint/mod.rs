//! What loads and is probably not meant: restrictions that do nothing, or more than they look like.
//!
//! * `shape`: what one restriction's text shows.
//! * `cover`: what a restriction adds to the others of its connection, over all paths.
//! * `overlap`: what two connections of one owner say of the same path.
//! * `keys`: what API keys name that is not there.

mod cover;
mod keys;
mod overlap;
mod shape;

use std::fmt;

#[cfg(feature = "portal")]
pub(crate) use self::overlap::overlaps;

use super::States;
use crate::{
    path::Path,
    policy::{Connection, Diagnostic, Location, Policy},
};

/// How much a [`Finding`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Perhaps meant; worth knowing.
    Note,
    /// Probably not meant.
    Warning,
    /// Surely wrong.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// The codes of findings, which are stable, and what each means. Warnings of the policy's reader,
/// such as `policy.glob_signs`, have codes of their own.
pub const CODES: [(&str, &str); 10] = [
    ("lint.crosses_buckets", "a star behind the start of a bucket's name catches other buckets"),
    ("lint.raw_prefix", "a star behind the start of a name catches other names that start so"),
    ("lint.bare_bucket", "a bucket without `/` matches its name alone, and no object in it"),
    (
        "lint.not_directory",
        "an entry without `/` at its end is about one path, and about nothing below it: a deny below which \
         something is allowed, or a restriction with others below it",
    ),
    ("lint.write_everything", "everything may be written or deleted"),
    ("lint.shadowed", "an entry whose paths others give or take already"),
    ("lint.denied", "a restriction all of whose paths a deny takes"),
    ("lint.idle_deny", "a deny that takes nothing, because nothing gives it"),
    ("lint.overlap", "two connections of one owner give different accesses at one path"),
    ("lint.key_connection", "an API key that is for a connection which its user does not have"),
];

/// Something that is probably not meant.
#[derive(Clone, Debug)]
pub struct Finding<'p> {
    /// What kind it is: stable, one of [`CODES`] or a code of the policy's reader.
    pub code: &'static str,
    /// How much it matters.
    pub level: Level,
    /// The connection that it is about.
    pub connection: Option<&'p Connection>,
    /// The place of the rule that it is about, among the connection's rules.
    pub rule: Option<usize>,
    /// What is the matter. Text of the policy is in it as it is: escape it for a terminal.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// A path that shows it.
    pub witness: Option<Path<'static>>,
    /// The rules that make it so, such as those that shadow one.
    pub by: Vec<usize>,
    /// Where it is written.
    pub location: Option<Location>,
}

/// What was found in a policy.
#[derive(Clone, Debug, Default)]
pub struct Lint<'p> {
    /// The findings, in the order of the files.
    pub findings: Vec<Finding<'p>>,
    /// How many questions were not decided within the budget.
    pub undecided: usize,
    /// Whether not all pairs of connections were compared for `lint.overlap`: there are more than 2,000, or
    /// the budget ended.
    pub uncompared: bool,
}

/// Looks for what is probably not meant.
///
/// ```
/// use pathward::{Policy, analysis::{self, States}};
///
/// let policy = Policy::from_yaml("policy.yaml", "
/// connections:
///   - id: s3+saha
///     owner: steph
///     restrictions: [pub/*, pub/data/*]
///     deny: [logs/]
/// ")?;
/// let lint = analysis::lint(&policy, States::default());
/// let codes: Vec<_> = lint.findings.iter().map(|finding| finding.code).collect();
/// assert_eq!(codes, ["lint.shadowed", "lint.idle_deny"]);
/// assert_eq!(lint.findings[0].by, [0]);
/// # Ok::<(), pathward::PolicyErrors>(())
/// ```
pub fn lint(policy: &Policy, states: States) -> Lint<'_> {
    let mut lint = Lint::default();
    for warning in policy.warnings() {
        lint.findings.push(of_reader(policy, warning));
    }
    for connection in policy.connections() {
        let starts = shape::Starts::of(connection);
        for (n, rule) in connection.rules().iter().enumerate() {
            shape::look(connection, &starts, n, rule, &mut lint.findings);
        }
        cover::look(connection, states, &mut lint);
    }
    overlap::look(policy, states, &mut lint);
    keys::look(policy, &mut lint.findings);
    lint.findings.sort_by(|a, b| {
        let place = |finding: &Finding<'_>| {
            let of = finding.location.as_ref();
            let connection = finding.connection.map(|connection| connection.location());
            let of = of.or(connection).map(|l| (l.file.clone(), l.line, l.column));
            (of, finding.rule)
        };
        place(a).cmp(&place(b))
    });
    lint
}

/// A warning of the policy's reader, with the connection that it stands in.
fn of_reader<'p>(policy: &'p Policy, warning: &Diagnostic) -> Finding<'p> {
    let at = warning.location();
    let connection = policy
        .connections()
        .iter()
        .filter(|c| c.location().file == at.file && c.location().line <= at.line)
        .max_by_key(|c| c.location().line);
    let mut message = warning.message().to_owned();
    if let Some(note) = warning.note() {
        message.push_str("; ");
        message.push_str(note);
    }
    Finding {
        code: warning.code(),
        level: Level::Warning,
        connection: connection.map(|connection| &**connection),
        rule: None,
        message,
        help: warning.help().unwrap_or("take it out if it is not meant").to_owned(),
        witness: None,
        by: Vec::new(),
        location: Some(at.clone()),
    }
}

impl<'p> Finding<'p> {
    /// A finding about one rule.
    fn of_rule(
        code: &'static str,
        level: Level,
        connection: &'p Connection,
        rule: usize,
        message: String,
        help: String,
    ) -> Self {
        let location = connection.rules().get(rule).and_then(|rule| rule.location.clone());
        Self {
            code,
            level,
            connection: Some(connection),
            rule: Some(rule),
            message,
            help,
            witness: None,
            by: Vec::new(),
            location,
        }
    }
}
