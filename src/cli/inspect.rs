//! `pathward inspect`: what each connection amounts to.

use std::ffi::OsString;

use clap::Args;
use serde::Serialize;

use super::{
    exit::Exit,
    output::{Failure, Format, LocationJson, Output, RuleJson, dialect_name, place},
    question::{PolicyArgs, Target, load},
};
use crate::{
    access::Access,
    automaton::Effect,
    escape::escape,
    policy::{Conditions, Connection, CredentialsRef, Keys, Rule},
};

/// Shows each connection as it was understood: restrictions, accesses, sizes of the compiled form.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward inspect --policy policy.yaml
  pathward inspect --policy policies/ s3+saha --as steph --format json

Restrictions are shown in their one canonical spelling (`dir/` is `dir/*`). Credentials are shown
as what the policy has, which is where they are and never what they are.

Exit codes: 0 shown, 2 no such connection, 3 the policy does not load.")]
pub struct InspectArgs {
    #[command(flatten)]
    policy: PolicyArgs,

    /// Only this connection, `s3+label` or `s3`
    #[arg(value_name = "CONNECTION")]
    connection: Option<OsString>,

    /// Only this owner's connections
    #[arg(long = "as", value_name = "OWNER")]
    owner: Option<String>,
}

pub(super) fn run(args: &InspectArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let target = args.connection.as_deref().map(Target::parse).transpose()?;
    let policy = load(&args.policy.policy)?;
    let is_meant = |connection: &Connection| {
        args.owner.as_deref().is_none_or(|owner| owner == connection.owner())
            && target.as_ref().is_none_or(|target| {
                let named = policy.connection(connection.owner(), &target.id);
                named.is_some_and(|named| named.id() == connection.id())
            })
    };
    let connections: Vec<&Connection> =
        policy.connections().iter().map(|shared| &**shared).filter(|c| is_meant(c)).collect();
    if connections.is_empty() && (target.is_some() || args.owner.is_some()) {
        return Err(Failure::question("the policy has no such connection"));
    }
    match output.format {
        Format::Text => {
            writeln!(output.out, "revision {}", policy.revision())?;
            for connection in connections {
                write_connection(connection, output)?;
            }
        }
        Format::Json => output.json(&InspectionJson {
            revision: policy.revision().to_string(),
            connections: connections.into_iter().map(ConnectionJson::new).collect(),
        })?,
    }
    Ok(Exit::Fine)
}

fn write_connection(connection: &Connection, output: &mut Output<'_>) -> Result<(), Failure> {
    let out = &mut output.out;
    let default = if connection.is_default() { ", also as the default" } else { "" };
    let at = place(Some(connection.location()));
    let owner = escape(connection.owner());
    writeln!(out, "\n{} of {owner}{default}  {at}", connection.id())?;
    writeln!(out, "  access       {}", connection.access())?;
    writeln!(out, "  endpoint     {}", connection.endpoint().map_or("AWS".into(), escape))?;
    writeln!(
        out,
        "  keys         {}",
        match connection.keys() {
            Keys::Exact => "exact: a key is its bytes",
            Keys::Plain => "plain: paths with an empty segment or a `\\` are malformed",
        }
    )?;
    writeln!(
        out,
        "  conditions   {}",
        match connection.conditions() {
            Conditions::Honoured => "honoured: its server does what has one only if it is met",
            Conditions::None => "none: writes that have one are refused",
        }
    )?;
    if let Some(region) = connection.region() {
        writeln!(out, "  region       {}", escape(region))?;
    }
    writeln!(
        out,
        "  credentials  {}",
        match credentials(connection) {
            Some((kind, text)) => format!("{kind} {}", escape(text)),
            None => "the provider chain of the AWS tools".to_owned(),
        }
    )?;
    for (effect, title) in [(Effect::Allow, "restrictions"), (Effect::Deny, "deny")] {
        let rules: Vec<&Rule> =
            connection.rules().iter().filter(|rule| rule.effect == effect).collect();
        if rules.is_empty() {
            continue;
        }
        writeln!(out, "  {title}")?;
        for rule in rules {
            let restriction = rule.restriction.to_string();
            writeln!(
                out,
                "    {:<16}  {:<5}  \"{}\"  {}",
                rule.access.to_string(),
                dialect_name(rule.restriction.dialect()),
                escape(&restriction),
                place(rule.location.as_ref())
            )?;
        }
    }
    let stats = connection.automaton().stats();
    let exact = if stats.below_is_exact { "exact" } else { "careful: errs to less" };
    writeln!(
        out,
        "  compiled     {} rules, {} covered by others, {} nodes, {} starred, {} bytes; below a \
         path: {exact}",
        stats.rules, stats.covered, stats.nodes, stats.starred, stats.bytes
    )?;
    Ok(())
}

/// Where a connection's credentials are: the kind of place, and the place.
pub(super) fn credentials(connection: &Connection) -> Option<(&'static str, &str)> {
    connection.credentials().map(CredentialsRef::kind_and_place)
}

/// The answer of `inspect` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct InspectionJson<'j> {
    revision: String,
    connections: Vec<ConnectionJson<'j>>,
}

#[derive(Serialize)]
struct ConnectionJson<'j> {
    connection: String,
    owner: &'j str,
    default: bool,
    access: Vec<&'static str>,
    endpoint: Option<&'j str>,
    keys: &'static str,
    conditions: &'static str,
    region: Option<&'j str>,
    credentials: Option<CredentialsJson<'j>>,
    #[serde(flatten)]
    location: LocationJson<'j>,
    rules: Vec<RuleJson<'j>>,
    compiled: CompiledJson,
}

#[derive(Serialize)]
struct CredentialsJson<'j> {
    kind: &'static str,
    at: &'j str,
}

/// What [`Stats`](crate::automaton::Stats) says.
#[derive(Serialize)]
struct CompiledJson {
    rules: usize,
    covered: usize,
    nodes: usize,
    starred: usize,
    crowd: usize,
    subset_states: usize,
    bytes: usize,
    below_is_exact: bool,
}

impl<'j> ConnectionJson<'j> {
    fn new(connection: &'j Connection) -> Self {
        let stats = connection.automaton().stats();
        Self {
            connection: connection.id().to_string(),
            owner: connection.owner(),
            default: connection.is_default(),
            access: connection.access().iter().map(Access::name).collect(),
            endpoint: connection.endpoint(),
            keys: connection.keys().name(),
            conditions: connection.conditions().name(),
            region: connection.region(),
            credentials: credentials(connection).map(|(kind, at)| CredentialsJson { kind, at }),
            location: LocationJson::new(Some(connection.location())),
            rules: connection
                .rules()
                .iter()
                .enumerate()
                .map(|(id, rule)| RuleJson::new(id, rule))
                .collect(),
            compiled: CompiledJson {
                rules: stats.rules,
                covered: stats.covered,
                nodes: stats.nodes,
                starred: stats.starred,
                crowd: stats.crowd,
                subset_states: stats.subset_states,
                bytes: stats.bytes,
                below_is_exact: stats.below_is_exact,
            },
        }
    }
}
