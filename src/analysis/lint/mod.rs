//! What loads and is probably not meant: restrictions that do nothing, or more than they look like.
//!
//! * `shape`: what one restriction's text shows.
//! * `open`: what a deny leaves open although its text says it.
//! * `cover`: what a restriction adds to the others of its connection, over all paths.
//! * `overlap`: what two connections of one owner say of the same path.
//! * `keys`: what API keys name that is not there.

mod cover;
mod keys;
mod open;
mod overlap;
mod shape;

use std::fmt;

#[cfg(feature = "portal")]
pub(crate) use self::overlap::overlaps;

use super::{Budget, States};
use crate::{
    path::Path,
    policy::{Connection, Diagnostic, Location, Policy},
    restriction::{Dialect, Restriction},
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
pub const CODES: [(&str, &str); 13] = [
    ("lint.crosses_buckets", "a star behind the start of a bucket's name catches other buckets"),
    ("lint.raw_prefix", "a star behind the start of a name catches other names that start so"),
    ("lint.bare_bucket", "a bucket without `/` matches its name alone, and no object in it"),
    (
        "lint.not_directory",
        "an entry without `/` at its end (a glob: `/**`) is about one path, and about nothing below it: a \
         deny below which something is allowed, or a restriction with others below it",
    ),
    (
        "lint.star_star",
        "`**/` in a text that is no glob, where it stands for a folder at least, and not for none",
    ),
    ("lint.write_everything", "everything may be written or deleted"),
    (
        "lint.no_restrictions",
        "a connection without `restrictions`, of which everything may be read",
    ),
    ("lint.shadowed", "an entry whose paths others give or take already"),
    ("lint.denied", "a restriction all of whose paths a deny takes"),
    ("lint.plain_keys", "a restriction all of whose paths `keys: plain` refuses"),
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
    /// What to do about it.
    pub help: String,
    /// The restriction that `help` says to write, where it says one: it was read.
    pub instead: Option<Restriction>,
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
        let mut budget = Budget::new(states);
        open::look(connection, true, &mut budget, &mut lint.findings);
        lint.undecided += budget.undecided;
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

/// What denies leave open although their texts say it: of what [`lint`] finds, what is to be known
/// whenever a policy is loaded. The denies of all connections are looked at with eight times so many
/// `states`; those for which they are too few are left out.
///
/// ```
/// use pathward::{Policy, analysis::{self, States}};
///
/// let policy = Policy::from_yaml("policy.yaml", "
/// connections:
///   - id: s3+saha
///     owner: steph
///     restrictions: [pub/]
///     deny: [{ glob: \"**/secret\" }]
/// ")?;
/// let open = analysis::left_open(&policy, States::default());
/// assert_eq!(open[0].code, "lint.not_directory");
/// assert_eq!(open[0].witness.as_ref().unwrap().to_string(), "pub/secret/a");
/// # Ok::<(), pathward::PolicyErrors>(())
/// ```
pub fn left_open(policy: &Policy, states: States) -> Vec<Finding<'_>> {
    let mut budget = Budget::new(states);
    let mut findings = Vec::new();
    for connection in policy.connections() {
        open::look(connection, false, &mut budget, &mut findings);
    }
    findings
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
        instead: None,
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
        instead: Instead,
    ) -> Self {
        let location = connection.rules().get(rule).and_then(|rule| rule.location.clone());
        Self {
            code,
            level,
            connection: Some(connection),
            rule: Some(rule),
            message,
            help: instead.help,
            instead: instead.restriction,
            witness: None,
            by: Vec::new(),
            location,
        }
    }

    /// The help for somebody who sees a form with the texts and not the file.
    #[cfg(any(feature = "portal", all(feature = "cli", feature = "store")))]
    pub(crate) fn help_in_form(&self) -> String {
        let Some(instead) = &self.instead else { return self.help.clone() };
        self.help.replace(&in_file(instead), &format!("`{}` as a glob", instead.text()))
    }
}

/// What to do about a finding; with a restriction to write, which was read.
struct Instead {
    help: String,
    restriction: Option<Restriction>,
}

impl Instead {
    /// Words alone.
    fn words(help: impl Into<String>) -> Self {
        Self { help: help.into(), restriction: None }
    }

    /// Words that lead to a text. `None` where the text is refused.
    fn new(lead: &str, dialect: Dialect, text: &str) -> Option<Self> {
        let read = Restriction::parse_as(dialect, text).ok()?;
        Some(Self { help: format!("{lead}`{text}`"), restriction: Some(read) })
    }

    /// The same for a glob in place of a plain text, which in a file is a field.
    fn new_glob(lead: &str, text: &str) -> Option<Self> {
        let read = Restriction::parse_glob(text).ok()?;
        Some(Self { help: format!("{lead}{}", in_file(&read)), restriction: Some(read) })
    }
}

/// A glob as an entry of a file.
fn in_file(glob: &Restriction) -> String {
    match glob.text().contains(['"', '\\']) {
        true => format!("`{{ glob: '{}' }}`", glob.text().replace('\'', "''")),
        false => format!("`{{ glob: \"{}\" }}`", glob.text()),
    }
}
