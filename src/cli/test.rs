//! `pathward test`: does a policy say what its author meant?

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{
    answer::Answer,
    exit::Exit,
    output::{Failure, Format, Output, RuleJson, escape_bytes, outcome_name, place, text_of},
    question::{PolicyArgs, load, operation},
    validate::plural,
};
use crate::{
    engine::{Caller, Engine, Outcome},
    escape::escape,
    policy::{Check, ConnectionId, Expected, PolicyTest, TestFile},
};

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

Exit codes: 0 all pass, 4 one failed, 2 there are no tests, 3 the policy or a file of tests does
not load.")]
pub struct TestArgs {
    #[command(flatten)]
    policy: PolicyArgs,

    /// The files of tests
    #[arg(value_name = "TESTFILE")]
    files: Vec<PathBuf>,
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
    let files: Vec<FileJson<'_>> = tests
        .iter()
        .map(|(path, file)| FileJson {
            file: text_of(path.as_os_str().as_encoded_bytes()).0.into_owned(),
            tests: file.tests.iter().map(|test| run_test(&engine, test)).collect(),
        })
        .collect();
    let all = || files.iter().flat_map(|file| &file.tests);
    let failed = all().filter(|test| !test.failures.is_empty()).count();
    let report = ReportJson {
        passed: all().count() - failed,
        failed,
        expectations: all().map(|test| test.expectations).sum(),
        unmet: all().map(|test| test.failures.len()).sum(),
        files,
    };
    output.decided = if failed > 0 { Exit::Findings } else { Exit::Fine };
    match output.format {
        Format::Text => write_text(&report, output)?,
        Format::Json => output.json(&report)?,
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

fn run_test<'t>(engine: &'t Engine, test: &'t PolicyTest) -> TestJson<'t> {
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
                let path = if failure.path.is_empty() { "(root)" } else { failure.path };
                let Place { line, column } = failure.at;
                writeln!(out, "  {name}:{line}:{column}  {} {}", failure.op, escape(path))?;
                let because = failure
                    .expected_reason
                    .map(|reason| format!(" ({reason})"))
                    .unwrap_or_default();
                writeln!(out, "  - expected {}{because}", failure.expected)?;
                let by = failure.by.as_deref().unwrap_or_default();
                writeln!(out, "  + got {} ({}){by}", failure.got, failure.reason)?;
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

/// The answer of `test` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct ReportJson<'j> {
    passed: usize,
    failed: usize,
    expectations: usize,
    unmet: usize,
    files: Vec<FileJson<'j>>,
}

#[derive(Serialize)]
struct FileJson<'j> {
    file: String,
    tests: Vec<TestJson<'j>>,
}

#[derive(Serialize)]
struct TestJson<'j> {
    name: &'j str,
    connection: &'j str,
    caller: &'j str,
    line: u32,
    column: u32,
    passed: bool,
    expectations: usize,
    failures: Vec<FailureJson<'j>>,
}

#[derive(Serialize)]
struct FailureJson<'j> {
    op: &'j str,
    path: &'j str,
    expected: &'static str,
    expected_reason: Option<&'j str>,
    got: &'static str,
    reason: &'static str,
    rule: Option<RuleJson<'j>>,
    #[serde(flatten)]
    at: Place,
    /// The rule, for people.
    #[serde(skip)]
    by: Option<String>,
}

#[derive(Serialize)]
struct Place {
    line: u32,
    column: u32,
}

impl<'j> FailureJson<'j> {
    fn new(check: &'j Check, op: &'j str, meant: Outcome, answer: &Answer<'j>) -> Self {
        let decided = match answer {
            Answer::Decided(decision) => decision.rule_id().zip(decision.rule()),
            Answer::Refused(_) => None,
        };
        Self {
            op,
            path: &check.path,
            expected: outcome_name(meant),
            expected_reason: check.reason.as_deref(),
            got: outcome_name(answer.outcome()),
            reason: answer.code(),
            rule: decided.map(|(id, rule)| RuleJson::new(id.index(), rule)),
            at: Place { line: check.location.line, column: check.location.column },
            by: decided.map(|(_, rule)| {
                let text = escape(rule.restriction.text());
                format!(" by {} \"{text}\"", place(rule.location.as_ref()))
            }),
        }
    }
}
