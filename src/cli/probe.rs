//! `pathward probe`: how does a connection's server read keys, and does it honour conditions?

use std::ffi::OsString;

use clap::Args;
use serde::Serialize;

use super::{
    exit::Exit,
    output::{Failure, Format, Output, escape_bytes},
    server::ServerArgs,
};
use crate::{
    escape::escape,
    executor::{Alias, Conditional, ExecuteError, Heed, ProbeError, ProbeReport, Treatment, probe},
    path::Path,
    policy::{Conditions, Connection, Keys},
};

/// Finds out whether a connection's server keeps keys exactly and honours conditions, with a few objects under
/// a prefix.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward probe s3+lake --policy policy.yaml --under lake/tmp/
  pathward probe s3+lake --policy policy.yaml --as ana --under lake/tmp/ --format json

Writes, reads and deletes a dozen tiny objects and one of 9 MiB in a new directory under the prefix, with the
connection's credentials, whatever its restrictions say. One key outside it is read: that
directory's with a `/` before it. The prefix should be one that nothing else depends on.

Exit codes: 0 the connection's `keys` and `conditions` are right for its server, 1 the server cannot
be probed, 2 no such connection or prefix, 3 the policy does not load, 4 the server takes keys for
others that the connection does not refuse, or ignores conditions that it takes.")]
pub struct ProbeArgs {
    #[command(flatten)]
    server: ServerArgs,

    /// Where objects may be written and deleted: a directory in a bucket, `bucket/prefix/`
    #[arg(long, value_name = "BUCKET/PREFIX/")]
    under: OsString,
}

pub(super) fn run(args: &ProbeArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let target = args.server.target()?;
    let under = args.under.as_encoded_bytes();
    let path = Path::new(under).and_then(Path::into_directory).map_err(|error| {
        Failure::question(format!("`{}` is no prefix: {error}", escape_bytes(under)))
    })?;
    let policy = args.server.policy()?;
    let owner = args.server.owner(&policy, &target.id)?;
    let connection = policy.connection(&owner, &target.id).ok_or_else(|| {
        Failure::question(format!("the policy has no connection `{}`", target.id))
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let executor = args.server.executor()?;
    let report = runtime.block_on(probe(&executor, connection, &path));
    let report = report.map_err(|error| match error {
        ProbeError::Prefix => Failure::question(error.to_string()),
        ProbeError::Execute(ExecuteError::Missing) => {
            Failure::Said(Exit::Error, "there is no such bucket".to_owned())
        }
        ProbeError::Execute(ExecuteError::Credentials) => {
            let place = super::inspect::credentials(connection);
            let place = place.map(|(kind, text)| format!(": {kind} {}", escape(text)));
            Failure::Said(Exit::Error, format!("{error}{}", place.unwrap_or_default()))
        }
        _ => Failure::Said(Exit::Error, error.to_string()),
    })?;
    let is_right = is_guarded(connection, &report) && heeds(connection, &report);
    output.decided = if is_right { Exit::Fine } else { Exit::Findings };
    match output.format {
        Format::Text => write_text(connection, &report, output)?,
        Format::Json => output.json(&ProbeJson::new(connection, &report))?,
    }
    if !report.is_clean {
        output.note(format_args!(
            "not all that was written could be deleted: look for `pathward-probe-` under `{}`",
            escape_bytes(under)
        ))?;
    }
    Ok(output.decided)
}

/// Whether no two keys that the connection takes are one to its server.
fn is_guarded(connection: &Connection, report: &ProbeReport) -> bool {
    let is_plain = connection.keys() == Keys::Plain;
    report.aliases().all(|alias| is_plain && alias.is_refused_by_plain())
}

/// Whether the server ignores no condition that the connection takes.
fn heeds(connection: &Connection, report: &ProbeReport) -> bool {
    connection.conditions() == Conditions::None || report.conditions() == Conditions::Honoured
}

fn write_text(
    connection: &Connection,
    report: &ProbeReport,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let out = &mut output.out;
    let endpoint = connection.endpoint().map_or("AWS".into(), escape);
    writeln!(out, "{} at {endpoint}", connection.id())?;
    for (alias, treatment) in &report.findings {
        let [one, other] = alias.keys().map(escape);
        let said = match treatment {
            Treatment::Exact => "are two objects",
            Treatment::Aliased => "ARE ONE OBJECT",
            Treatment::Refused => "are not both stored",
        };
        writeln!(out, "  {:<14}  `{one}` and `{other}` {said}", alias.name())?;
    }
    for (conditional, heed) in &report.conditional {
        let said = match heed {
            Heed::Honoured => "is honoured",
            Heed::Ignored => "IS IGNORED",
            Heed::Refused => "is refused",
        };
        let what = match conditional {
            Conditional::Put => "a condition on storing an object",
            Conditional::Complete => "a condition on completing an upload in parts",
            Conditional::Delete => "a condition on deleting an object",
        };
        writeln!(out, "  {:<14}  {what} {said}", conditional.name())?;
    }
    let (right, has) = (report.keys().name(), connection.keys().name());
    writeln!(out, "`keys: {right}` is right for this server; the connection has `keys: {has}`")?;
    let (right, has) = (report.conditions().name(), connection.conditions().name());
    writeln!(
        out,
        "`conditions: {right}` is right for this server; the connection has `conditions: {has}`"
    )?;
    let unguarded: Vec<&str> = report.unguarded().map(Alias::name).collect();
    if !unguarded.is_empty() {
        writeln!(
            out,
            "no setting helps against {}: write restrictions that allow both keys, or neither",
            unguarded.join(", ")
        )?;
    }
    Ok(())
}

/// The answer of `probe` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct ProbeJson<'j> {
    connection: String,
    owner: &'j str,
    endpoint: Option<&'j str>,
    keys: &'static str,
    right: &'static str,
    guarded: bool,
    conditions: &'static str,
    right_conditions: &'static str,
    conditional: Vec<ConditionalJson>,
    clean: bool,
    findings: Vec<FindingJson>,
}

#[derive(Serialize)]
struct ConditionalJson {
    name: &'static str,
    heed: &'static str,
}

#[derive(Serialize)]
struct FindingJson {
    alias: &'static str,
    keys: [&'static str; 2],
    treatment: &'static str,
}

impl<'j> ProbeJson<'j> {
    fn new(connection: &'j Connection, report: &ProbeReport) -> Self {
        let finding = |(alias, treatment): &(Alias, Treatment)| FindingJson {
            alias: alias.name(),
            keys: alias.keys(),
            treatment: treatment.name(),
        };
        Self {
            connection: connection.id().to_string(),
            owner: connection.owner(),
            endpoint: connection.endpoint(),
            keys: connection.keys().name(),
            right: report.keys().name(),
            guarded: is_guarded(connection, report),
            conditions: connection.conditions().name(),
            right_conditions: report.conditions().name(),
            conditional: report
                .conditional
                .iter()
                .map(|(conditional, heed)| ConditionalJson {
                    name: conditional.name(),
                    heed: heed.name(),
                })
                .collect(),
            clean: report.is_clean,
            findings: report.findings.iter().map(finding).collect(),
        }
    }
}
