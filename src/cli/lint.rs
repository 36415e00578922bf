//! `pathward lint`: what loads and is probably not meant.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{
    exit::Exit,
    output::{
        Failure, Format, LocationJson, Output, RuleJson, Special, escape_bytes, place, text_of,
    },
    question::load,
    sarif,
    validate::plural,
};
use crate::{
    analysis::{self, CODES, Finding, Level, States},
    escape::escape,
    policy::ConnectionId,
};

/// Looks for restrictions that do nothing, or more than they look like.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward lint --policy policy.yaml
  pathward lint --policy policies --ignore lint.raw_prefix --ignore lint.overlap@s3+saha
  pathward lint --policy policies --format sarif > lint.sarif

Findings (and the warnings of `validate`, by their own codes):
  lint.crosses_buckets   a star behind the start of a bucket's name catches other buckets
  lint.raw_prefix        a star behind the start of a name catches other names (a note)
  lint.bare_bucket       a bucket without `/` matches its name alone, and no object in it
  lint.not_directory     a deny without `/` (of a glob: `/**`) at its end denies one path, and nothing below
                         it; a restriction without one, where others are about what is below it (a note)
  lint.star_star         `**/` in a text that is no glob, where it is no \"any folder or none\"
  lint.write_everything  everything may be written or deleted
  lint.no_restrictions   a connection without `restrictions`, of which everything may be read
  lint.shadowed          an entry whose paths others give or take already
  lint.denied            a restriction all of whose paths a deny takes
  lint.plain_keys        a restriction all of whose paths `keys: plain` refuses
  lint.idle_deny         a deny that takes nothing, because nothing gives it
  lint.overlap           two connections of one owner give different accesses at one path (a note)
  lint.key_connection    an API key that is for a connection which its user does not have

Exit codes: 0 nothing at or above the level, 4 findings, 1 something was not decided within the
budget, 3 the policy does not load.")]
pub struct LintArgs {
    /// The policy: a file, or a folder whose files make one policy
    #[arg(long, short, value_name = "FILE|DIR")]
    policy: PathBuf,

    /// A code to leave out, everywhere or for one connection; may be repeated
    #[arg(long, value_name = "CODE[@CONNECTION]")]
    ignore: Vec<String>,

    /// The level from which findings make the exit code 4
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = FailLevel::Warning)]
    fail_level: FailLevel,

    /// How many states a question may visit before it is given up
    #[arg(long, value_name = "N", default_value_t = States::default().most())]
    states: usize,
}

/// From which level on findings are a failure.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FailLevel {
    /// Every finding.
    Note,
    /// What is probably not meant.
    Warning,
    /// What is surely wrong.
    Error,
    /// None.
    Never,
}

impl FailLevel {
    fn takes(self, level: Level) -> bool {
        match self {
            Self::Note => true,
            Self::Warning => level >= Level::Warning,
            Self::Error => level >= Level::Error,
            Self::Never => false,
        }
    }
}

/// What `--ignore` leaves out.
struct Ignored<'a> {
    code: &'a str,
    connection: Option<ConnectionId<'a>>,
}

impl<'a> Ignored<'a> {
    fn parse(text: &'a str) -> Result<Self, Failure> {
        let (code, connection) = match text.split_once('@') {
            Some((code, connection)) => (code, Some(connection)),
            None => (text, None),
        };
        let is_known = CODES.iter().any(|(known, _)| *known == code) || code.starts_with("policy.");
        if !is_known {
            let codes: Vec<_> = CODES.iter().map(|(code, _)| *code).collect();
            return Err(Failure::question(format!(
                "there is no finding `{}`; there are {}, and those of `validate`, `policy.…`",
                escape(code),
                codes.join(", ")
            )));
        }
        let connection = connection.map(ConnectionId::parse).transpose().map_err(|error| {
            Failure::question(format!("`{}` names no connection: {error}", escape(text)))
        })?;
        Ok(Self { code, connection })
    }

    fn takes(&self, finding: &Finding<'_>) -> bool {
        self.code == finding.code
            && self
                .connection
                .as_ref()
                .is_none_or(|id| finding.connection.is_some_and(|c| c.id() == id))
    }
}

pub(super) fn run(args: &LintArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let ignored_codes: Vec<_> =
        args.ignore.iter().map(|text| Ignored::parse(text)).collect::<Result<_, _>>()?;
    let policy = load(&args.policy)?;
    let mut lint = analysis::lint(&policy, States::new(args.states));
    let all = lint.findings.len();
    lint.findings.retain(|finding| !ignored_codes.iter().any(|ignored| ignored.takes(finding)));
    let ignored = all - lint.findings.len();
    let fails = lint.findings.iter().any(|finding| args.fail_level.takes(finding.level));
    // Where nobody asked for it, it need not be complete.
    let uncompared = lint.uncompared
        && !ignored_codes.iter().any(|one| one.code == "lint.overlap" && one.connection.is_none());
    output.decided = match (fails, lint.undecided > 0 || uncompared) {
        (true, _) => Exit::Findings,
        (false, false) => Exit::Fine,
        (false, true) => Exit::Error,
    };
    match (output.special, output.format) {
        (Some(Special::Sarif), _) => output.json(&sarif::log(&lint.findings))?,
        (_, Format::Json) => output.json(&LintJson {
            findings: lint.findings.iter().map(FindingJson::new).collect(),
            ignored,
            undecided: lint.undecided,
            uncompared,
        })?,
        (_, Format::Text) => write_text(&lint.findings, ignored, output)?,
    }
    output.note_undecided(lint.undecided, args.states)?;
    if uncompared {
        output.note(format_args!(
            "lint.overlap: not all pairs of connections were compared, which ends at 2,000 pairs or at the \
             budget; `--ignore lint.overlap` does without"
        ))?;
    }
    Ok(output.decided)
}

fn write_text(
    findings: &[Finding<'_>],
    ignored: usize,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let out = &mut output.out;
    for finding in findings {
        let at = finding.location.as_ref().or(finding.connection.map(|c| c.location()));
        writeln!(
            out,
            "{}: {} ({})\n  --> {}",
            finding.level,
            escape(&finding.message),
            finding.code,
            place(at)
        )?;
        if let Some(connection) = finding.connection {
            writeln!(out, "  connection: {} of {}", connection.id(), escape(connection.owner()))?;
        }
        writeln!(out, "  help: {}\n", escape(&finding.help))?;
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let mut line = format!(
        "{}, {}, {}",
        plural(count(Level::Error), "error"),
        plural(count(Level::Warning), "warning"),
        plural(count(Level::Note), "note")
    );
    if ignored > 0 {
        line.push_str(&format!("; {ignored} ignored"));
    }
    writeln!(out, "{line}")?;
    Ok(())
}

/// The answer of `lint` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct LintJson<'j> {
    findings: Vec<FindingJson<'j>>,
    ignored: usize,
    undecided: usize,
    uncompared: bool,
}

#[derive(Serialize)]
struct FindingJson<'j> {
    code: &'static str,
    level: String,
    connection: Option<String>,
    owner: Option<&'j str>,
    message: &'j str,
    help: &'j str,
    witness: Option<String>,
    rule: Option<RuleJson<'j>>,
    by: Vec<RuleJson<'j>>,
    #[serde(flatten)]
    location: LocationJson<'j>,
}

impl<'j> FindingJson<'j> {
    fn new(finding: &'j Finding<'j>) -> Self {
        let rule = |n: usize| Some(RuleJson::new(n, finding.connection?.rules().get(n)?));
        Self {
            code: finding.code,
            level: finding.level.to_string(),
            connection: finding.connection.map(|connection| connection.id().to_string()),
            owner: finding.connection.map(|connection| connection.owner()),
            message: &finding.message,
            help: &finding.help,
            witness: finding.witness.as_ref().map(|path| text_of(path.as_bytes()).0.into_owned()),
            rule: finding.rule.and_then(rule),
            by: finding.by.iter().filter_map(|n| rule(*n)).collect(),
            location: LocationJson::new(finding.location.as_ref()),
        }
    }
}

/// What a finding says, on one line.
pub(super) fn message(finding: &Finding<'_>) -> String {
    let of = match finding.connection {
        Some(c) => format!(" ({} of {})", c.id(), escape(c.owner())),
        None => String::new(),
    };
    format!("{}{of}: {}", escape(&finding.message), escape_bytes(finding.help.as_bytes()))
}
