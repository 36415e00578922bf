//! `pathward test`: does a policy say what its author meant?

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Serialize;

use super::{
    answer::Answer,
    coverage::{Coverage, CoverageJson},
    exit::Exit,
    junit,
    output::{
        Failure, Format, Output, RuleJson, Special, escape_bytes, outcome_name, place, text_of,
    },
    question::{PolicyArgs, load, operation},
    validate::plural,
};
use crate::{
    analysis::{self, Language, States},
    automaton::Verdict,
    engine::{Caller, Engine, Outcome, Reason},
    escape::escape,
    policy::{Check, ConnectionId, Expected, Never, PolicyTest, Rule, TestFile},
};

/// What a `never` got that was not decided.
const UNDECIDED: &str = "undecided";

/// Runs the tests of a policy and shows what came out differently.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward test --policy policy.yaml
  pathward test --policy policies/ more.test.yaml --format json

Without TESTFILE: the files `*.test.yaml` in the policy's folder; for a policy that is a file, such
as `policy.yaml`, the file `policy.test.yaml` beside it. A file of tests:

  tests:
    - name: the folder is readable, and nothing beside it
      connection: s3+saha
      as: steph
      check:
        - { path: Algorithmia/team.jpg, read: allow, write: deny }
        - { path: Algorithmia2/x, read: deny, reason: deny.no_match }
        - { path: Algorithmia/../x, read: invalid }
      never:
        write: [Algorithmia/*, prod/*]

`check` is about one path each; `never` is proved for all paths that its restriction matches, or fails
with the shortest that has the access.

Exit codes: 0 all pass, 4 one failed or too little is covered, 1 a `never` was not decided within the
budget, 2 there are no tests, 3 the policy or a file of tests does not load.")]
pub struct TestArgs {
    #[command(flatten)]
    policy: PolicyArgs,

    /// The files of tests
    #[arg(value_name = "TESTFILE")]
    files: Vec<PathBuf>,

    /// Say which restrictions no test exercised
    #[arg(long)]
    coverage: bool,

    /// Fail if fewer restrictions are exercised, in percent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    threshold: Option<u8>,

    /// How many states a `never` may visit before it is given up
    #[arg(long, value_name = "N", default_value_t = States::default().most())]
    states: usize,
}

pub(super) fn run(args: &TestArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let engine = Engine::new(load(&args.policy.policy)?);
    let files = match &*args.files {
        [] => beside(&args.policy.policy)?,
        given => given.to_vec(),
    };
    let mut tests = Vec::new();
    for path in files {
        let file = TestFile::load(&path)
            .map_err(|errors| Failure::Said(Exit::Policy, errors.to_string()))?;
        tests.push((path, file));
    }
    let states = States::new(args.states);
    let files: Vec<FileJson<'_>> = tests
        .iter()
        .map(|(path, file)| FileJson {
            file: text_of(path.as_os_str().as_encoded_bytes()).0.into_owned(),
            tests: file.tests.iter().map(|test| run_test(&engine, test, states)).collect(),
        })
        .collect();
    let all = || files.iter().flat_map(|file| &file.tests);
    let failed = all().filter(|test| !test.failures.is_empty()).count();
    let coverage = (args.coverage || args.threshold.is_some()).then(|| {
        let tests = tests.iter().flat_map(|(_, file)| &file.tests);
        Coverage::new(&engine, tests, args.threshold, states)
    });
    let is_undecided = all().any(|test| test.failures.iter().any(|f| f.got == UNDECIDED));
    let is_unmet = all().any(|test| test.failures.iter().any(|f| f.got != UNDECIDED));
    let is_covered = coverage.as_ref().is_none_or(Coverage::is_enough);
    let report = ReportJson {
        passed: all().count() - failed,
        failed,
        expectations: all().map(|test| test.expectations).sum(),
        unmet: all().map(|test| test.failures.len()).sum(),
        coverage: coverage.as_ref().map(Coverage::json),
        files,
    };
    output.decided = match (is_unmet || !is_covered, is_undecided) {
        (true, _) => Exit::Findings,
        (false, true) => Exit::Error,
        (false, false) => Exit::Fine,
    };
    match (output.special, output.format) {
        (Some(Special::Junit), _) => junit::write(&report, output.out)?,
        (_, Format::Json) => output.json(&report)?,
        (_, Format::Text) => {
            write_text(&report, output)?;
            if let Some(coverage) = &coverage {
                coverage.write_text(output)?;
            }
        }
    }
    Ok(output.decided)
}

/// The files of tests that belong to a policy.
fn beside(policy: &Path) -> Result<Vec<PathBuf>, Failure> {
    const ENDS: [&str; 2] = [".test.yaml", ".test.yml"];
    let mut found = Vec::new();
    let looked_for = if policy.is_dir() {
        let failed = |error| Failure::file("cannot read", policy, &error);
        for entry in policy.read_dir().map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_test = ENDS.iter().any(|end| name.ends_with(end)) && !name.starts_with('.');
            if is_test && !path.is_dir() {
                found.push(path);
            }
        }
        found.sort();
        policy.join("NAME.test.yaml")
    } else {
        let with = |end: &str| {
            let mut name = policy.file_stem().unwrap_or_default().to_owned();
            name.push(end);
            policy.with_file_name(name)
        };
        found.extend(ENDS.into_iter().map(with).filter(|path| path.exists()));
        with(ENDS[0])
    };
    if found.is_empty() {
        return Err(Failure::question(format!(
            "there are no tests: write `{}`, or name the files of tests",
            escape_bytes(looked_for.as_os_str().as_encoded_bytes())
        )));
    }
    Ok(found)
}

fn run_test<'t>(engine: &'t Engine, test: &'t PolicyTest, states: States) -> TestJson<'t> {
    let mut failures = Vec::new();
    let mut expectations = 0;
    for check in &test.checks {
        for (op, expected) in &check.expectations {
            expectations += 1;
            let answer = answer(engine, test, check, op);
            let meant = match expected {
                Expected::Allow => Outcome::Allow,
                Expected::Deny => Outcome::Deny,
                Expected::Invalid => Outcome::Invalid,
            };
            let reason = check.reason.as_deref();
            if answer.outcome() != meant || reason.is_some_and(|reason| reason != answer.code()) {
                failures.push(FailureJson::new(check, op, meant, &answer));
            }
        }
    }
    for never in &test.never {
        expectations += 1;
        failures.extend(run_never(engine, test, never, states));
    }
    TestJson {
        name: &test.name,
        connection: &test.connection,
        caller: &test.caller,
        line: test.location.line,
        column: test.location.column,
        passed: failures.is_empty(),
        expectations,
        failures,
    }
}

/// Proves that an access is nowhere, or says where it is.
fn run_never<'t>(
    engine: &'t Engine,
    test: &PolicyTest,
    never: &'t Never,
    states: States,
) -> Option<FailureJson<'t>> {
    let failure = |got, reason| FailureJson {
        op: never.access.name(),
        path: Cow::Borrowed(""),
        never: Some(never.restriction.text()),
        expected: "never",
        expected_reason: None,
        got,
        reason,
        rule: None,
        at: Place { line: never.location.line, column: never.location.column },
        by: None,
    };
    let id = ConnectionId::parse(&test.connection).ok();
    let Some(connection) = id.and_then(|id| engine.policy().connection(&test.caller, &id)) else {
        // Of nothing, everything is true: a misspelt name would prove whatever is asked.
        return Some(failure("unknown", Reason::UnknownConnection.code()));
    };
    let given = Language::of_connection(connection, never.access);
    match given.disjoint(&Language::of(&never.restriction), states) {
        analysis::Answer::Holds => None,
        analysis::Answer::Undecided { .. } => Some(failure(UNDECIDED, "budget.states")),
        analysis::Answer::Fails(path) => {
            let rule = match connection.automaton().here(path.as_bytes(), never.access) {
                Verdict::Allowed(id) => connection.rule(id).map(|rule| (id, rule)),
                _ => None,
            };
            Some(FailureJson {
                path: Cow::Owned(text_of(path.as_bytes()).0.into_owned()),
                rule: rule.map(|(id, rule)| RuleJson::new(id.index(), rule)),
                by: rule.map(|(_, rule)| by(rule)),
                ..failure("allow", Reason::Allowed.code())
            })
        }
    }
}

fn answer<'e>(engine: &'e Engine, test: &PolicyTest, check: &Check, op: &str) -> Answer<'e> {
    match operation(op, check.path.as_bytes(), None) {
        Err(refused) => Answer::Refused(refused),
        Ok(operation) => match ConnectionId::parse(&test.connection) {
            Ok(id) => Answer::Decided(engine.decide(
                Caller::with_full_permission(&test.caller),
                &id,
                &operation,
            )),
            // Ids that are none do not load.
            Err(_) => Answer::Refused(super::question::Refused::Operation),
        },
    }
}

fn write_text(report: &ReportJson<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
    let out = &mut output.out;
    for file in &report.files {
        let name = escape(&file.file);
        for test in file.tests.iter().filter(|test| !test.passed) {
            writeln!(
                out,
                "failed: {} ({} as {})",
                escape(test.name),
                escape(test.connection),
                escape(test.caller)
            )?;
            for failure in &test.failures {
                let Place { line, column } = failure.at;
                writeln!(out, "  {name}:{line}:{column}  {}", asked(failure))?;
                let because = failure
                    .expected_reason
                    .map(|reason| format!(" ({reason})"))
                    .unwrap_or_default();
                writeln!(out, "  - expected {}{because}", failure.expected)?;
                let by = failure.by.as_deref().unwrap_or_default();
                writeln!(out, "  + got {} ({}){by}", got(failure), failure.reason)?;
            }
            writeln!(out)?;
        }
    }
    let ReportJson { passed, failed, expectations, unmet, .. } = report;
    writeln!(
        out,
        "{passed} passed, {failed} failed; {} of {} met",
        expectations - unmet,
        plural(*expectations, "expectation"),
    )?;
    Ok(())
}

/// What was asked, for people.
pub(super) fn asked(failure: &FailureJson<'_>) -> String {
    match failure.never {
        Some(text) => format!("never {} {}", failure.op, escape(text)),
        None if failure.path.is_empty() => format!("{} (root)", failure.op),
        None => format!("{} {}", failure.op, escape(&failure.path)),
    }
}

/// What came out, for people.
pub(super) fn got(failure: &FailureJson<'_>) -> String {
    match failure.never {
        Some(_) if !failure.path.is_empty() => {
            format!("{} at {}", failure.got, escape(&failure.path))
        }
        _ => failure.got.to_owned(),
    }
}

/// ` by …`: the rule that decided.
fn by(rule: &Rule) -> String {
    format!(" by {} \"{}\"", place(rule.location.as_ref()), escape(rule.restriction.text()))
}

/// The answer of `test` in JSON. See [`crate::cli`].
#[derive(Serialize)]
pub(super) struct ReportJson<'j> {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) expectations: usize,
    pub(super) unmet: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) coverage: Option<CoverageJson<'j>>,
    pub(super) files: Vec<FileJson<'j>>,
}

#[derive(Serialize)]
pub(super) struct FileJson<'j> {
    pub(super) file: String,
    pub(super) tests: Vec<TestJson<'j>>,
}

#[derive(Serialize)]
pub(super) struct TestJson<'j> {
    pub(super) name: &'j str,
    pub(super) connection: &'j str,
    pub(super) caller: &'j str,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) passed: bool,
    pub(super) expectations: usize,
    pub(super) failures: Vec<FailureJson<'j>>,
}

#[derive(Serialize)]
pub(super) struct FailureJson<'j> {
    pub(super) op: &'j str,
    pub(super) path: Cow<'j, str>,
    /// The restriction of a `never`; `path` is then the path that has the access.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) never: Option<&'j str>,
    pub(super) expected: &'static str,
    pub(super) expected_reason: Option<&'j str>,
    pub(super) got: &'static str,
    pub(super) reason: &'static str,
    pub(super) rule: Option<RuleJson<'j>>,
    #[serde(flatten)]
    pub(super) at: Place,
    /// The rule, for people.
    #[serde(skip)]
    pub(super) by: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl<'j> FailureJson<'j> {
    fn new(check: &'j Check, op: &'j str, meant: Outcome, answer: &Answer<'j>) -> Self {
        let decided = match answer {
            Answer::Decided(decision) => decision.rule_id().zip(decision.rule()),
            Answer::Refused(_) => None,
        };
        Self {
            op,
            path: Cow::Borrowed(&check.path),
            never: None,
            expected: outcome_name(meant),
            expected_reason: check.reason.as_deref(),
            got: outcome_name(answer.outcome()),
            reason: answer.code(),
            rule: decided.map(|(id, rule)| RuleJson::new(id.index(), rule)),
            at: Place { line: check.location.line, column: check.location.column },
            by: decided.map(|(_, rule)| by(rule)),
        }
    }
}
