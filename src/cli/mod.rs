//! The command `pathward`: everything the library knows, for people and for scripts.
//!
//! It decides nothing itself. Answers go to standard output, everything else to standard error.
//! Whatever comes from files, paths and arguments is escaped before people see it
//! ([`crate::escape`]), on terminals and off them; JSON has the same characters as
//! `\uXXXX`.
//!
//! # Exit codes
//!
//! | code | meaning |
//! |---|---|
//! | 0 | allowed, or fine |
//! | 1 | an unexpected error, such as a batch that cannot be read, or a full disk; or a question that is not decided within its budget |
//! | 2 | the question is wrong: usage, a malformed path |
//! | 3 | the policy does not load, for whatever reason: also when its file is missing or cannot be read |
//! | 4 | findings, or a test failed |
//! | 5 | denied |
//!
//! A reader of the output that goes away is no error, and changes no code: what was decided is still
//! what the command ends with. A batch stops there; it ends with the code of the lines that it had
//! decided by then. What cannot be said on standard error changes no code either.
//!
//! # JSON
//!
//! With `--format json`, or `PATHWARD_FORMAT=json`. Fields are added and never renamed.
//!
//! * `check`: `connection`, `caller` (null when nobody has the connection), `op`, `path`, `to`
//!   (copy alone), `lossy` (true when a path is not UTF-8, and shown with `\xNN`), `decision`
//!   (`allow`, `deny`, `invalid`), `reason`, `message` (invalid alone), `need` (`index`, `access`,
//!   `scope`: what decided), `rule` or null, `list` (`pass` or `narrow`), `revision`.
//! * a rule: `id` (its place: restrictions, then denies), `text`, `canonical`, `dialect`, `effect`,
//!   `access`, `file`, `line`, `column`.
//! * `check --batch`: a line each: `line` (from 1), `op`, `path`, `to`, `lossy`, `decision`,
//!   `reason`, `rule` or `message`; then the summary on standard error: `summary` (`lines`,
//!   `allow`, `deny`, `invalid`, `reasons`, `seconds`, `per_second`).
//! * `explain`: as `check`, and `needs`: `access`, `scope`, `path`, `reason`, `deciding` and
//!   `nearest` (ids of rules), `considered_total`, `considered` (the first 10,000): `rule`,
//!   `carries` (the access), `fit` (`whole`, `part`, `apart`), `parting` (`at`, `agreed`,
//!   `expected`, `expected_text`, `found`), `remedies` (what would turn the decision): `change`: `step`
//!   (`allow`, `deny`, `widen`, `take-out`), `restriction` or `rule`, `access`; `also` (another path that it
//!   opens or closes) or null, `decided`.
//! * `validate`: `valid`, `policies`: `policy`, `valid`, `revision`, `counts`, `diagnostics`
//!   (`severity`, `code`, `message`, `help`, `note`, `file`, `line`, `column`), `more`.
//! * `inspect`: `revision`, `connections`: `connection`, `owner`, `default`, `access`, `endpoint`,
//!   `keys`, `conditions`, `region`, `credentials` (`kind`, `at`), `file`, `line`, `column`, `rules`, `compiled`.
//! * `test`: `passed`, `failed`, `expectations`, `unmet`, `files`: `file`, `tests`: `name`,
//!   `connection`, `caller`, `line`, `column`, `passed`, `expectations`, `failures`: `op`, `path`,
//!   `expected`, `expected_reason`, `got`, `reason`, `rule`, `line`, `column`; of a `never` the same, with
//!   `never` (the restriction), `expected` `never`, and as `path` the path that has the access. With
//!   `--coverage`, `coverage`: `rules`, `exercised`, `percent`, `threshold`, `unexercised` (`connection`,
//!   `owner`, `rule`). With `--format junit`: JUnit's XML.
//! * `lint`: `findings`: `code`, `level` (`note`, `warning`, `error`), `connection`, `owner`, `message`,
//!   `help`, `witness` (a path) or null, `rule` or null, `by` (rules), `file`, `line`, `column`; `ignored`,
//!   `undecided` (questions). With `--format sarif`: SARIF 2.1.0.
//! * `diff`: `equal`, `new_access`, `undecided` (questions), `connections`: `connection`, `owner`,
//!   `change` (`added`, `removed`, `changed`), `settings` (`field`, `old`, `new`, `new_access`),
//!   `opened_total`, `closed_total`, `undecided`, `opened` and `closed` (the first 10,000 each): `access`,
//!   `cause` (`restriction`, `deny`, `keys`), `rule` or null, `extent` (`whole`, `part`), `witness`;
//!   and `keys`: `user`, `id`, `old` and `new` (accesses or null), `other`, `manage`, `new_access`.
//! * `graph`: `connection`, `owner`, `keys`, `under`, `access`, `places` (the first is the root): `here`
//!   (what is decided for paths that end there, or null where none can) and `below` (for all that start
//!   so): `given`, `denied` and `shut` (none of them has any access); `lists`, `rules` (ids); `ways`: `from`, `to`, `texts`; `rules`, and `idle`
//!   (rules that make no difference). With `--format svg` or `dot`: a picture.
//! * a log, as `suggest` and `replay` read it: `lines`, `records`, `other` (no decisions), `invalid`
//!   (malformed when they were decided), `malformed` (cannot be read), `malformed_lines` (the first): `line`, `message`;
//!   `formats` (whose logs were read beside ours: `s3-access-log`, `cloudtrail`, `minio-audit`, `ceph-ops`), `left_out`
//!   (operations that no connection gives, or that failed) and `left_out_operations`: `operation`, `count`;
//!   `decoded_twice` (keys that could be read in two ways), and `unknown_connections` (that their callers do not have):
//!   `connection`, `caller`, `count`. Of a document of JSON a line is a record.
//! * `suggest`: the log; `unknown` (records of connections that their callers do not have), `undecided` (questions),
//!   `connections`: `connection`, `owner`, `uses`, `denied` (by reason), `closed` (of them allowed in the log), `missing` (reads of what was not there, no uses), `stand_ins` (listings in place of a read, no uses), `depth`
//!   (how many levels of its paths were told apart, if not all) or null, `restrictions`: `text`, `dialect`, `access`; `yaml` (the same as a policy has them), `proofs`: `access`, `opens_nothing`, `covers`,
//!   `no_longer` (a path) or null; `not_used` (accesses), `unused` (rules), `unused_deny`: `rule`, `takes` (whether
//!   it takes something of what is suggested); `openings` (as `restrictions`), `denies`: `rule`, `count`; and
//!   `absent` (connections that the log does not name): `connection`, `owner`.
//! * `replay`: the log; `compared`, `opened`, `closed`, `not_compared`, `ungrouped` (flips beyond the first
//!   10,000 groups), `groups`: `connection`, `caller`, `flip` (`opened`, `closed`), `count`, `reason` (a code, or
//!   `unknown_key`), `rule` or null, `was` (a code), `old_rule` or null,
//!   `nearest` or null (of a denial by no rule, the restriction that came nearest), `examples`: `line`, `op`, `path`, `to`.
//! * `export iam`: `connection`, `owner`, `policy` (as IAM has it), `relations`: `of` (an access, or `list`),
//!   `relation` (`equal`, `wider`, `narrower`, `neither`, `undecided`), `wider` and `narrower` (a path, or
//!   null); `inexact` (rules), `characters`, `fits` (`inline`, `session`, `managed`), `hides_buckets`.
//! * `import iam`: `policy` (YAML), `relations`, `restrictions` and `deny` (how many), `under` (where in the file the
//!   policy is; empty where it is the file), `left_out`: `place`, `action`, `example`, `kind` (`s3`, `service`, `part`);
//!   and `notes` (what else is left out): `place`, `message`.
//! * `connection list`: `connections`, each as the answer of `new`, `show`, `set` and `default`: `identity`,
//!   `revision`, `connection`, `owner`, `default`, `endpoint`, `region`, `keys`, `conditions`, `credentials` (`kind`, `at`),
//!   `access`, `restrictions` (null for everything) and `deny`: `text`, `dialect`, `access` or null; `file`.
//!   `connection rm`: `identity`, `connection`, `owner`, `deleted`.
//! * `key new`: `key` (this once), `user`, `id`, `access`, `manage`, `file` (of `--policy`). `key list`: `keys`:
//!   `id`, `access`, `manage`. `key revoke`: `user`, `id`, `revoked`, and of each gateway that
//!   follows the store `gateways` (`name`, `pid`, `taken`, `fails`). `key seal`: `file`, `resealed`.
//! * `probe`: `connection`, `owner`, `endpoint`, `keys` (what the connection has), `right` (what is
//!   right for its server), `guarded` (whether the connection refuses every alias), `clean`,
//!   `findings`: `alias`, `keys` (the two), `treatment` (`exact`, `aliased`, `refused`); `conditions` and
//!   `right_conditions`, likewise, and `conditional`: `name` (`put`, `complete`, `delete`), `heed` (`honoured`,
//!   `ignored`, `refused`).
//! * `uploads`: `connection`, `owner`, `under`, `uploads`: `path`, `id` (the server's), `initiated` (seconds since
//!   1970) and `age` (seconds), null where the server does not say, `aborted` (null where that was not wanted),
//!   `error` (why it was not).
//! * errors, on standard error: `error` (`exit`, `message`). Usage errors of the command line
//!   itself are text.

mod answer;
mod batch;
mod check;
mod chosen;
mod coverage;
mod create;
#[cfg(all(feature = "portal", feature = "embedded"))]
mod demo;
mod diff;
mod encoding;
mod exit;
mod explain;
mod graph;
pub(crate) mod iam;
mod inspect;
mod junit;
#[cfg(any(feature = "gateway", feature = "store"))]
mod key;
#[cfg(feature = "gateway")]
mod limits;
mod lint;
mod log;
mod output;
#[cfg(feature = "portal")]
mod portal;
#[cfg(feature = "executor")]
mod probe;
mod question;
mod records;
mod remedy;
mod replay;
mod revision;
mod sarif;
#[cfg(feature = "gateway")]
mod serve;
#[cfg(feature = "executor")]
mod server;
#[cfg(feature = "gateway")]
mod server_key;
#[cfg(feature = "gateway")]
mod signals;
#[cfg(feature = "store")]
mod store;
mod suggest;
mod tally;
mod test;
#[cfg(feature = "gateway")]
mod tls;
#[cfg(feature = "executor")]
mod uploads;
mod uri;
mod validate;

use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
};

use clap::{
    Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};
use serde::Serialize;

#[cfg(any(feature = "gateway", feature = "store"))]
use self::key::KeyArgs;
use self::output::{Failure, Output, Special, write_json};
#[cfg(feature = "executor")]
pub use self::probe::ProbeArgs;
#[cfg(feature = "gateway")]
use self::serve::ServeArgs;
#[cfg(feature = "store")]
pub use self::store::ConnectionArgs;
#[cfg(feature = "executor")]
pub use self::uploads::UploadsArgs;
pub use self::{
    batch::BatchArgs,
    check::CheckArgs,
    diff::DiffArgs,
    exit::Exit,
    explain::ExplainArgs,
    graph::GraphArgs,
    iam::{ExportArgs, ImportArgs},
    inspect::InspectArgs,
    lint::{FailLevel, LintArgs},
    log::LogArgs,
    output::{AnyFormat, Format},
    question::{CallerArgs, KeyAccess, PolicyArgs, QuestionArgs},
    replay::ReplayArgs,
    suggest::SuggestArgs,
    test::TestArgs,
    validate::ValidateArgs,
};
use crate::escape::escape;

/// The last example of the help: the gateway, where this build has it.
#[cfg(feature = "gateway")]
const LAST_EXAMPLE: &str = "pathward serve --demo";
#[cfg(not(feature = "gateway"))]
const LAST_EXAMPLE: &str =
    "(`serve` and `key` are not in this build: they need the feature `gateway`)";

/// The subcommands that this build does not have, each with the feature that it is in.
const LEFT_OUT: &[(&str, &str)] = &[
    #[cfg(not(feature = "store"))]
    ("connection", "store"),
    #[cfg(not(any(feature = "gateway", feature = "store")))]
    ("key", "gateway"),
    #[cfg(not(feature = "gateway"))]
    ("serve", "gateway"),
    #[cfg(not(feature = "executor"))]
    ("probe", "executor"),
    #[cfg(not(feature = "executor"))]
    ("uploads", "executor"),
];

/// Gives code that is not fully trusted exactly the object-storage paths it may have.
#[derive(Debug, Parser)]
#[command(name = "pathward", version, max_term_width = 100)]
#[command(after_help = format!("\
Examples:
  pathward check --policy policy.yaml s3+saha read Algorithmia/team.jpg
  pathward explain --policy policy.yaml s3+saha://Algorithmia2/x write
  pathward validate --policy policy.yaml
  {LAST_EXAMPLE}

Exit codes: 0 allowed or fine, 1 unexpected error or undecided, 2 wrong usage or malformed path, 3
invalid policy, 4 findings or failed tests, 5 denied."))]
pub struct Cli {
    /// How answers are written [default: text, or what PATHWARD_FORMAT says]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    format: Option<AnyFormat>,

    #[command(subcommand)]
    command: Command,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Decide one operation, or every line of a batch
    Check(CheckArgs),
    /// Decide, and say which restrictions were considered and why
    Explain(ExplainArgs),
    /// Load policies, and show everything that is wrong with them
    Validate(ValidateArgs),
    /// Show each connection as it was understood
    Inspect(InspectArgs),
    /// Run the tests that stand beside a policy
    Test(TestArgs),
    /// Look for restrictions that do nothing, or more than they look like
    Lint(LintArgs),
    /// Show which paths a new policy allows that the old one did not, and which no longer
    Diff(DiffArgs),
    /// The same as `diff --no-new-access`: exit code 4 if a new policy allows anything new
    CheckNoNewAccess(DiffArgs),
    /// Draw a connection: what is allowed where
    Graph(GraphArgs),
    /// Suggest the tightest restrictions that allow what was used
    Suggest(SuggestArgs),
    /// Decide a log again by a new policy, and show which decisions flip
    Replay(ReplayArgs),
    /// Say a connection as an IAM policy
    Export(ExportArgs),
    /// Read a connection from an IAM policy
    Import(ImportArgs),
    /// Make, show, change and delete the connections of a store
    #[cfg(feature = "store")]
    Connection(ConnectionArgs),
    /// Make, list and revoke API keys, and make the key that seals secrets
    #[cfg(any(feature = "gateway", feature = "store"))]
    Key(KeyArgs),
    /// Serve the Data API
    #[cfg(feature = "gateway")]
    Serve(ServeArgs),
    /// Find out how a connection's server reads keys
    #[cfg(feature = "executor")]
    Probe(ProbeArgs),
    /// List uploads in parts that have not ended, and end old ones
    #[cfg(feature = "executor")]
    Uploads(UploadsArgs),
}

/// Runs the command with the arguments of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error).into(),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    // Not locked: the progress of a batch writes there too.
    let mut err = io::stderr();
    let asked = match cli.format {
        Some(format) => Ok(format.split()),
        None => Format::from_env().map(|format| (format.unwrap_or_default(), None)),
    };
    let (format, special) = match asked.and_then(|asked| known(asked, &cli.command)) {
        Ok(formats) => formats,
        Err(failure) => return say(&failure, Format::Text, &mut err).into(),
    };
    let is_said = cli.format.is_some();
    let (out, err) = (&mut out, &mut err);
    let mut output = Output { format, special, is_said, out, err, decided: Exit::Fine };
    let result = match &cli.command {
        Command::Check(args) => check::run(args, &mut output),
        Command::Explain(args) => explain::run(args, &mut output),
        Command::Validate(args) => validate::run(args, &mut output),
        Command::Inspect(args) => inspect::run(args, &mut output),
        Command::Test(args) => test::run(args, &mut output),
        Command::Lint(args) => lint::run(args, &mut output),
        Command::Diff(args) => diff::run(args, false, &mut output),
        Command::CheckNoNewAccess(args) => diff::run(args, true, &mut output),
        Command::Graph(args) => graph::run(args, &mut output),
        Command::Suggest(args) => suggest::run(args, &mut output),
        Command::Replay(args) => replay::run(args, &mut output),
        Command::Export(args) => iam::run_export(args, &mut output),
        Command::Import(args) => iam::run_import(args, &mut output),
        #[cfg(feature = "store")]
        Command::Connection(args) => store::run(args, &mut output),
        #[cfg(any(feature = "gateway", feature = "store"))]
        Command::Key(args) => key::run(args, &mut output),
        #[cfg(feature = "gateway")]
        Command::Serve(args) => serve::run(args, &mut output),
        #[cfg(feature = "executor")]
        Command::Probe(args) => probe::run(args, &mut output),
        #[cfg(feature = "executor")]
        Command::Uploads(args) => uploads::run(args, &mut output),
    };
    // What was answered before a failure is shown before it.
    let decided = *result.as_ref().unwrap_or(&output.decided);
    let flushed = out.flush().map_err(Failure::from);
    match result.and_then(|exit| flushed.map(|()| exit)) {
        Ok(exit) => exit.into(),
        // Nobody reads any more, but a script still sees the code.
        Err(Failure::BrokenPipe) => decided.into(),
        Err(failure) => say(&failure, format, err).into(),
    }
}

/// Refuses a format that the command does not have.
fn known(
    (format, special): (Format, Option<Special>),
    command: &Command,
) -> Result<(Format, Option<Special>), Failure> {
    match (special, command) {
        (None, _) => {}
        (Some(Special::Sarif), Command::Lint(_))
        | (Some(Special::Junit), Command::Test(_))
        | (Some(Special::Svg | Special::Dot), Command::Graph(_)) => {}
        (Some(Special::Sarif), _) => {
            return Err(Failure::question("`--format sarif` is for `lint` alone; write `json`"));
        }
        (Some(Special::Junit), _) => {
            return Err(Failure::question("`--format junit` is for `test` alone; write `json`"));
        }
        (Some(Special::Svg | Special::Dot), _) => {
            let message = "`--format svg` and `dot` are for `graph` alone; write `json`";
            return Err(Failure::question(message));
        }
    }
    Ok((format, special))
}

/// Says why there is no answer. When even that cannot be written, the exit code has to do.
fn say(failure: &Failure, format: Format, err: &mut dyn Write) -> Exit {
    #[derive(Serialize)]
    struct Outer<'m> {
        error: Inner<'m>,
    }
    #[derive(Serialize)]
    struct Inner<'m> {
        exit: u8,
        message: &'m str,
    }
    match failure {
        Failure::BrokenPipe => Exit::Fine,
        Failure::Said(exit, message) => {
            let written = match format {
                // The errors of a policy say themselves that they are errors.
                Format::Text if *exit == Exit::Policy => writeln!(err, "{message}"),
                Format::Text => writeln!(err, "error: {message}"),
                Format::Json => {
                    let error = Inner { exit: exit.code(), message };
                    write_json(&mut *err, &Outer { error })
                        .map_err(io::Error::from)
                        .and_then(|()| writeln!(err))
                }
            };
            drop(written);
            *exit
        }
    }
}

/// Help and versions, which were asked for, and complaints about arguments, which were not.
fn usage(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        // A reader that goes away has seen enough.
        drop(error.print());
        return Exit::Fine;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        drop(error.print());
        return Exit::Question;
    }
    let name = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(name)) => name.as_str(),
        _ => "",
    };
    if let Some((name, feature)) = LEFT_OUT.iter().find(|(left_out, _)| *left_out == name) {
        let message = format!(
            "`{name}` is not in this build, which lacks the feature `{feature}`: build it with `--features \
             {feature}`, or without `--no-default-features` for everything"
        );
        return say(&Failure::question(message), Format::Text, &mut io::stderr());
    }
    // Without colours, so that what is escaped is what the arguments brought in.
    let text = error.render().to_string();
    let mut err = io::stderr().lock();
    for line in text.lines() {
        if writeln!(err, "{}", escape(line)).is_err() {
            break;
        }
    }
    Exit::Question
}
