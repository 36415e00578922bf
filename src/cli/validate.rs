//! `pathward validate`: does a policy load?

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{
    exit::Exit,
    output::{Failure, Format, Output, escape_bytes, place, text_of},
};
use crate::{
    analysis::{self, Finding, States},
    automaton::Effect,
    escape::escape,
    policy::{Diagnostic, Policy, PolicyErrors, Severity},
};

/// What one question about a deny may cost, so that loading a policy stays as fast as it is.
pub(super) const STATES: States = States::new(1 << 12);

/// Loads policies and says everything that is wrong with them.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward validate --policy policy.yaml
  pathward validate --policy policies/ other.yaml --format json

Each FILE or DIR is one policy of its own. All errors are shown, not the first alone, on standard
error; warnings too, and a policy with warnings is valid. Among the warnings are denies that leave open
what their text says, of what `lint` finds. With `--format json` errors and warnings
are in the answer, on standard output.

Exit codes: 0 all load, 3 one does not.")]
pub struct ValidateArgs {
    /// The policies: a file each, or a folder whose files make one policy
    #[arg(long, short, value_name = "FILE|DIR", required = true, num_args = 1..)]
    policy: Vec<PathBuf>,
}

pub(super) fn run(args: &ValidateArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let mut exit = Exit::Fine;
    let mut is_read = true;
    let mut answers = Vec::new();
    for path in &args.policy {
        let loaded = Policy::load(path);
        if loaded.is_err() {
            exit = Exit::Policy;
        }
        let name = path.as_os_str().as_encoded_bytes();
        match output.format {
            Format::Text if is_read => match write_text(name, &loaded, output) {
                // The others are still loaded, for the exit code.
                Err(Failure::BrokenPipe) => is_read = false,
                written => written?,
            },
            Format::Text => {}
            Format::Json => answers.push(PolicyJson::new(name, &loaded)),
        }
    }
    output.decided = exit;
    if output.format == Format::Json {
        output.json(&ValidationJson { valid: exit == Exit::Fine, policies: answers })?;
    }
    Ok(exit)
}

fn write_text(
    name: &[u8],
    loaded: &Result<Policy, PolicyErrors>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let name = escape_bytes(name);
    match loaded {
        Ok(policy) => {
            let counts = Counts::new(policy);
            let open = analysis::left_open(policy, STATES);
            writeln!(
                output.out,
                "{name}: valid, revision {}: {}, {}, {}, {}, {}",
                policy.revision(),
                plural(counts.connections, "connection"),
                plural(counts.users, "user"),
                plural(counts.restrictions, "restriction"),
                match counts.denies {
                    1 => "1 deny".to_owned(),
                    many => format!("{many} denies"),
                },
                plural(policy.warnings().len() + open.len(), "warning"),
            )?;
            output.out.flush()?;
            for warning in policy.warnings() {
                writeln!(output.err, "{warning}\n")?;
            }
            for finding in &open {
                let at = place(finding.location.as_ref());
                let (message, help) = (escape(&finding.message), escape(&finding.help));
                writeln!(output.err, "warning: {message}\n --> {at}\nhelp: {help}\n")?;
            }
        }
        Err(errors) => {
            output.out.flush()?;
            let count = errors.errors().count() + errors.more();
            writeln!(output.err, "{errors}\n\n{name}: invalid, {}", plural(count, "error"))?;
        }
    }
    Ok(())
}

/// `1 rule`, `2 rules`.
pub(super) fn plural(count: impl TryInto<u64>, what: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

/// How much of what is in a policy.
#[derive(Serialize)]
struct Counts {
    connections: usize,
    users: usize,
    restrictions: usize,
    denies: usize,
}

impl Counts {
    fn new(policy: &Policy) -> Self {
        let rules = |effect| {
            let of = policy.connections().iter().flat_map(|connection| connection.rules());
            of.filter(|rule| rule.effect == effect).count()
        };
        Self {
            connections: policy.connections().len(),
            users: policy.users().len(),
            restrictions: rules(Effect::Allow),
            denies: rules(Effect::Deny),
        }
    }
}

/// The answer of `validate` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct ValidationJson {
    valid: bool,
    policies: Vec<PolicyJson>,
}

#[derive(Serialize)]
struct PolicyJson {
    policy: String,
    valid: bool,
    revision: Option<String>,
    counts: Option<Counts>,
    diagnostics: Vec<DiagnosticJson>,
    /// How many more were found than are listed.
    more: usize,
}

impl PolicyJson {
    fn new(name: &[u8], loaded: &Result<Policy, PolicyErrors>) -> Self {
        let policy = loaded.as_ref().ok();
        let diagnostics = match loaded {
            Ok(policy) => policy.warnings(),
            Err(errors) => errors.diagnostics(),
        };
        let open = policy.map(|policy| analysis::left_open(policy, STATES)).unwrap_or_default();
        let open = open.iter().map(DiagnosticJson::of_finding);
        Self {
            policy: text_of(name).0.into_owned(),
            valid: policy.is_some(),
            revision: policy.map(|policy| policy.revision().to_string()),
            counts: policy.map(Counts::new),
            diagnostics: diagnostics.iter().map(DiagnosticJson::new).chain(open).collect(),
            more: loaded.as_ref().err().map_or(0, PolicyErrors::more),
        }
    }
}

/// One diagnostic, in every command's JSON.
#[derive(Serialize)]
pub(super) struct DiagnosticJson {
    severity: &'static str,
    code: &'static str,
    message: String,
    help: Option<String>,
    note: Option<String>,
    file: String,
    line: u32,
    column: u32,
}

impl DiagnosticJson {
    /// A warning of what a deny leaves open.
    fn of_finding(finding: &Finding<'_>) -> Self {
        let location = finding.location.as_ref();
        Self {
            severity: "warning",
            code: finding.code,
            message: escape(&finding.message).into_owned(),
            help: Some(escape(&finding.help).into_owned()),
            note: None,
            file: location.map(|at| at.file.to_string()).unwrap_or_default(),
            line: location.map_or(0, |at| at.line),
            column: location.map_or(0, |at| at.column),
        }
    }

    fn new(diagnostic: &Diagnostic) -> Self {
        Self {
            severity: match diagnostic.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code: diagnostic.code(),
            message: diagnostic.message().to_owned(),
            help: diagnostic.help().map(str::to_owned),
            note: diagnostic.note().map(str::to_owned),
            file: diagnostic.location().file.to_string(),
            line: diagnostic.location().line,
            column: diagnostic.location().column,
        }
    }
}
