//! Tests of policies: what somebody may and may not do, written beside the policy.
//!
//! ```yaml
//! tests:
//!   - name: the folder is readable, and nothing beside it
//!     connection: s3+saha
//!     as: steph
//!     check:
//!       - { path: Algorithmia/team.jpg, read: allow, write: deny }
//!       - { path: Algorithmia2/x, read: deny, reason: deny.no_match }
//!       - { path: Algorithmia/../x, read: invalid }
//!     never:
//!       write: prod/*
//!       delete: [prod/*, { glob: "**/*.lock" }]
//! ```
//!
//! A `check` is about one path; `never` is about all paths that a restriction matches.

use std::{path::Path, sync::Arc};

use super::{
    ConnectionId, Location, PolicyErrors,
    advice::{Advice, Candidate},
    fields::{self, Fields, Shape},
    load::{self, MAX_FILE_SIZE, ReadError},
    report::{Report, Span},
    rules, schema, traps,
    yaml::{self, Node, Value},
};
use crate::{
    access::{Access, AccessSet},
    automaton::Effect,
    restriction::Restriction,
};

static FILE: Shape =
    Shape { name: "a file of tests", fields: &["tests"], elsewhere: &[], secret: None };
static TEST: Shape = Shape {
    name: "a test",
    fields: &["name", "connection", "as", "check", "never"],
    elsewhere: &[("user", "as"), ("caller", "as"), ("checks", "check"), ("id", "connection")],
    secret: None,
};
static NEVER: Shape =
    Shape { name: "`never`", fields: &["read", "write", "delete"], elsewhere: &[], secret: None };
/// The operations are named as [`Operate::name`](crate::engine::Operate::name) names them.
static CHECK: Shape = Shape {
    name: "a check",
    fields: &[
        "path",
        "reason",
        "read",
        "stat",
        "write",
        "create-directory",
        "delete",
        "list",
        "delete-directory",
        "delete-tree",
        "create-upload",
        "upload-part",
        "list-parts",
        "complete-upload",
        "abort-upload",
        "list-prefix",
        "list-uploads",
        "read-acl",
        "write-acl",
    ],
    elsewhere: &[("get", "read"), ("put", "write"), ("head", "stat")],
    secret: None,
};
/// Every reason code that a decision, or a path that is none, can have.
const REASONS: [&str; 10] = [
    "allowed.rule",
    "deny.no_match",
    "deny.access",
    "deny.rule",
    "deny.unknown_connection",
    "deny.key_permission",
    "deny.acl",
    "invalid.path",
    "invalid.encoding",
    "invalid.operation",
];

/// What a check expects of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// It may be done.
    Allow,
    /// It may not.
    Deny,
    /// The path is malformed, so that it is neither.
    Invalid,
}

/// One path, and what is expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The path, as it is written: perhaps malformed.
    pub path: String,
    /// Operations by their names, and what is expected of each; at least one.
    pub expectations: Vec<(String, Expected)>,
    /// The reason code that every one of the decisions has to have.
    pub reason: Option<String>,
    /// Where it is written.
    pub location: Location,
}

/// An access that no path of a restriction may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Never {
    /// The access.
    pub access: Access,
    /// The paths.
    pub restriction: Restriction,
    /// Where it is written.
    pub location: Location,
}

/// A test: what one caller may do with one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyTest {
    /// What it says.
    pub name: String,
    /// The connection, such as `s3+saha`. Perhaps not one of the caller's, which is a test too.
    pub connection: String,
    /// The caller (`as`).
    pub caller: String,
    /// What is checked.
    pub checks: Vec<Check>,
    /// What may nowhere be done. There is at least one of the two.
    pub never: Vec<Never>,
    /// Where it is written.
    pub location: Location,
}

/// The tests of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestFile {
    /// The tests, in the order of the file; at least one.
    pub tests: Vec<PolicyTest>,
}

impl TestFile {
    /// Reads the tests of a file.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is larger than [`MAX_FILE_SIZE`], or as [`TestFile::parse`].
    pub fn load(path: &Path) -> Result<Self, PolicyErrors> {
        let file: Arc<str> = path.to_string_lossy().into();
        let bytes = load::read_file(path).map_err(|error| match error {
            ReadError::Io(error) => {
                let message = format!("the file cannot be read: {error}");
                whole_file(&file, "policy.io", &message, "name a file that can be read")
            }
            ReadError::Size => too_large(&file),
        })?;
        let text = load::utf8(&file, &bytes)
            .map_err(|(diagnostics, more)| PolicyErrors { diagnostics, more })?;
        Self::parse(&file, text)
    }

    /// Reads tests from a text. `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it: what is not YAML, an unknown field or operation, an
    /// expectation that is none of `allow`, `deny` and `invalid`, a test that checks nothing.
    pub fn parse(name: &str, text: &str) -> Result<Self, PolicyErrors> {
        let file: Arc<str> = name.into();
        if text.len() > MAX_FILE_SIZE {
            return Err(too_large(&file));
        }
        let mut report = Report::new(file, text, |report| drop(read(report)));
        let tests = read(&mut report);
        let failed = report.failed();
        let (diagnostics, more) = report.finish();
        match tests {
            Some(tests) if !failed => Ok(Self { tests }),
            _ => Err(PolicyErrors { diagnostics, more }),
        }
    }
}

fn read(report: &mut Report<'_>) -> Option<Vec<PolicyTest>> {
    let root = yaml::parse(report)?;
    tests(report, &root)
}

fn whole_file(
    file: &Arc<str>,
    code: &'static str,
    message: &str,
    help: &'static str,
) -> PolicyErrors {
    let mut report = Report::of_file(Arc::clone(file));
    report.error(code, Span::FILE, message).help(help);
    let (diagnostics, more) = report.finish();
    PolicyErrors { diagnostics, more }
}

fn too_large(file: &Arc<str>) -> PolicyErrors {
    let most = MAX_FILE_SIZE >> 20;
    let message = format!("the file has more than {most} MiB (limit.file_size)");
    whole_file(file, "limit.file_size", &message, "make several files of it")
}

fn tests(report: &mut Report<'_>, root: &Node<'_>) -> Option<Vec<PolicyTest>> {
    let fields = Fields::read(report, root, &FILE)?;
    let node = fields.require(report, "tests", "the tests stand in the field `tests`", None)?;
    let items = some_items(report, node, "`tests`")?;
    Some(items.iter().filter_map(|item| test(report, item)).collect())
}

fn test(report: &mut Report<'_>, node: &Node<'_>) -> Option<PolicyTest> {
    let fields = Fields::read(report, node, &TEST)?;
    let name = fields
        .require(report, "name", "say what the test shows", Some("name: the folder is readable"))
        .and_then(|node| fields::text(report, node, "`name`"));
    let connection = fields
        .require(report, "connection", "name the connection", Some("connection: s3+saha"))
        .and_then(|node| connection(report, node));
    let caller = fields
        .require(report, "as", "name the caller", Some("as: steph"))
        .and_then(|node| schema::name(report, node, "`as`"));
    let never = match fields.get("never") {
        Some(node) => Some(never(report, node)?),
        None => None,
    };
    let checks = match fields.get("check") {
        None if never.is_some() => Some(Vec::new()),
        _ => fields
            .require(
                report,
                "check",
                "say what is checked",
                Some("check: [{ path: bucket/x, read: allow }]"),
            )
            .and_then(|node| some_items(report, node, "`check`"))
            .map(|items| items.iter().filter_map(|item| check(report, item)).collect()),
    };
    Some(PolicyTest {
        name: name?.to_owned(),
        connection: connection?.to_owned(),
        caller: caller?.to_owned(),
        checks: checks?,
        never: never.unwrap_or_default(),
        location: report.location(node.span),
    })
}

fn connection<'n>(report: &mut Report<'_>, node: &'n Node<'_>) -> Option<&'n str> {
    let text = fields::text(report, node, "`connection`")?;
    if let Err(error) = ConnectionId::parse(text) {
        schema::refuse_id(report, node, text, &error);
        return None;
    }
    Some(text)
}

fn never(report: &mut Report<'_>, node: &Node<'_>) -> Option<Vec<Never>> {
    let whole = node.whole().range();
    let example = Advice::words("name the access, and the paths that may nowhere have it")
        .write(Candidate::example(": write ", whole, "{ write: \"prod/*\" }"));
    let fields = Fields::read(report, node, &NEVER)?;
    let mut all = Vec::new();
    for (name, value) in fields.iter() {
        let access = Access::from_name(name)?;
        let items = match &value.value {
            Value::Sequence(_) => some_items(report, value, &format!("`{name}`"))?,
            _ => std::slice::from_ref(value),
        };
        for item in items {
            let what = "what `never` names";
            let Some(entry) = rules::entry(report, item, what, Effect::Deny, access.into()) else {
                continue;
            };
            if entry.rule.access != AccessSet::from(access) {
                report
                    .error(
                        "policy.entry",
                        item.span,
                        "the access of `never` stands before the path",
                    )
                    .advise(example.clone());
            }
            let location = report.location(item.span);
            all.push(Never { access, restriction: entry.rule.restriction, location });
        }
    }
    if all.is_empty() && !report.failed() {
        report.error("policy.empty_list", node.span, "`never` names nothing").advise(example);
    }
    Some(all)
}

fn check(report: &mut Report<'_>, node: &Node<'_>) -> Option<Check> {
    let fields = Fields::read(report, node, &CHECK)?;
    let path = fields
        .require(
            report,
            "path",
            "name the path, which is empty for the root",
            Some("path: bucket/x"),
        )
        .and_then(|node| fields::text(report, node, "`path`"));
    let reason = match fields.get("reason") {
        Some(node) => Some(reason(report, node)?),
        None => None,
    };
    let mut expectations = Vec::new();
    for (name, value) in fields.iter().filter(|(name, _)| !matches!(*name, "path" | "reason")) {
        let expected = match fields::text(report, value, &format!("`{name}`"))? {
            "allow" => Expected::Allow,
            "deny" => Expected::Deny,
            "invalid" => Expected::Invalid,
            other => {
                let message = format!("`{}` cannot be expected", traps::shorten(other));
                let one = |lead, word| Candidate::example(lead, value.whole().range(), word);
                report.error("policy.expectation", value.span, message).advise(
                    Advice::default().write_each([
                        one("write ", "allow"),
                        one(", ", "deny"),
                        one(" or ", "invalid"),
                    ]),
                );
                return None;
            }
        };
        expectations.push((name.to_owned(), expected));
    }
    if expectations.is_empty() {
        let advice = Advice::words("name an operation and what is expected of it")
            .write(fields.added(report.text, "read: allow"));
        report
            .error("policy.empty_list", node.span, "a check without an operation checks nothing")
            .advise(advice);
        return None;
    }
    Some(Check {
        path: path?.to_owned(),
        expectations,
        reason: reason.map(str::to_owned),
        location: report.location(node.span),
    })
}

fn reason<'n>(report: &mut Report<'_>, node: &'n Node<'_>) -> Option<&'n str> {
    let text = fields::text(report, node, "`reason`")?;
    if !REASONS.contains(&text) {
        let message = format!("`{}` is not a reason", traps::shorten(text));
        let near = fields::nearest(text, &REASONS).map(|near| {
            Candidate::example("did you mean ", node.whole().range(), near).ending("?")
        });
        let reasons = format!("reasons are {}", REASONS.join(", "));
        report
            .error("policy.reason", node.span, message)
            .advise(Advice::default().write_or(near, reasons));
        return None;
    }
    Some(text)
}

/// The items of a list that may not be empty.
fn some_items<'n, 't>(
    report: &mut Report<'_>,
    node: &'n Node<'t>,
    what: &str,
) -> Option<&'n [Node<'t>]> {
    let items = fields::items(report, node, what)?;
    if items.is_empty() {
        report
            .error("policy.empty_list", node.span, format!("{what} is an empty list"))
            .help("a test that checks nothing passes whatever the policy says");
    }
    Some(items)
}
