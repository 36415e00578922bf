//! `pathward connection`: the connections of a store.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{StoreArgs, draft::DraftArgs, failure};
use crate::{
    analysis,
    cli::{
        exit::Exit,
        output::{Failure, Format, Output},
        validate::{STATES, plural},
    },
    escape::escape,
    policy::{ConnectionId, CredentialsRef, Severity},
    store::{Draft, DraftRule, Store, Stored},
};

/// Makes, shows, changes and deletes the connections of a store.
#[derive(Debug, Args)]
pub struct ConnectionArgs {
    #[command(subcommand)]
    command: ConnectionCommand,
}

/// What can be done with connections.
#[derive(Debug, Subcommand)]
enum ConnectionCommand {
    /// Make a connection
    New(ChangeArgs),
    /// List a user's connections
    List(ListArgs),
    /// Show a connection
    Show(OneArgs),
    /// Change what is given of a connection, and nothing else
    Set(ChangeArgs),
    /// Make a connection the one that bare `s3` names
    Default(OneArgs),
    /// Delete a connection, and revoke the API keys that are for it alone
    Rm(OneArgs),
}

/// Whose connections.
#[derive(Debug, Args)]
struct ListArgs {
    /// Whose connections
    #[arg(long, value_name = "NAME")]
    owner: String,

    #[command(flatten)]
    store: StoreArgs,
}

/// One connection.
#[derive(Debug, Args)]
struct OneArgs {
    /// The connection, `s3+label`
    #[arg(value_name = "CONNECTION")]
    connection: String,

    /// Whose connection
    #[arg(long, value_name = "NAME")]
    owner: String,

    /// Only if it still has this revision, as `show` says it
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,

    #[command(flatten)]
    store: StoreArgs,
}

/// One connection, and what becomes of it.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward connection new s3+saha --owner steph --store data/ --profile saha --allow 'Algorithmia/*'
  pathward connection set s3+saha --owner steph --store data/ --access read-write
  pathward connection set s3+saha --owner steph --store data/ --seal-key seal.key \\
    --access-key-id AKIAEXAMPLE < secret

The secret of an access key is the first line of standard input, and the token of its session the
second, where there is one: what stands in a command line is seen by every user of the machine. Both are
sealed, and never shown again.

A change is made in the text of the connection's file, where comments and whatever else does not
change stay as they are. A gateway that follows the store takes it within a second.

Exit codes: 0 done, 1 the store cannot be changed, or was changed by someone else, 2 wrong usage, or a
label that is taken, 3 the connection, or the store as it was, does not load.")]
struct ChangeArgs {
    #[command(flatten)]
    one: OneArgs,

    #[command(flatten)]
    draft: DraftArgs,
}

pub(in crate::cli) fn run(args: &ConnectionArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    match &args.command {
        ConnectionCommand::New(args) => {
            let label = label(&args.one.connection)?;
            let mut draft = Draft::new(label);
            args.draft.apply(&mut draft)?;
            let store = args.one.store.open()?;
            let made = store.create(&args.one.owner, &draft).map_err(failure)?;
            let exit = show(&made, output)?;
            warn(&args.one.owner, &draft, output)?;
            if !args.draft.says_what_is_allowed() {
                warn_of_everything(&args.one, &made, output)?;
            }
            Ok(exit)
        }
        ConnectionCommand::Set(args) => {
            if args.draft.is_empty() {
                let id = escape(&args.one.connection);
                return Err(Failure::question(format!(
                    "there is nothing to set of `{id}`: give what is to be another, of {}",
                    DraftArgs::options()
                )));
            }
            let store = args.one.store.open()?;
            let found = args.one.find(&store)?;
            let mut draft = found.draft();
            args.draft.apply(&mut draft)?;
            let (owner, revision) = (&args.one.owner, args.one.revision(&found));
            let changed = store.change(owner, &found.identity, revision, &draft);
            let exit = show(&changed.map_err(failure)?, output)?;
            warn(owner, &draft, output)?;
            Ok(exit)
        }
        ConnectionCommand::List(args) => {
            let store = args.store.open()?;
            list(&store.list(&args.owner).map_err(failure)?, output)
        }
        ConnectionCommand::Show(args) => show(&args.find(&args.store.open()?)?, output),
        ConnectionCommand::Default(args) => {
            let store = args.store.open()?;
            let found = args.find(&store)?;
            let revision = args.revision(&found);
            let now = store.make_default(&args.owner, &found.identity, revision);
            show(&now.map_err(failure)?, output)
        }
        ConnectionCommand::Rm(args) => {
            let store = args.store.open()?;
            let found = args.find(&store)?;
            let revision = args.revision(&found);
            let mut keys = store.keys(&args.owner).map_err(failure)?;
            let id = found.connection.id();
            keys.retain(|key| key.reach.names_only(id));
            store.delete(&args.owner, &found.identity, revision).map_err(failure)?;
            for key in &keys {
                let key = escape(&key.id);
                output.note(format_args!("the API key `{key}` was for it alone and is revoked"))?;
            }
            if output.format == Format::Json {
                let connection = id.to_string();
                let (identity, owner) = (&*found.identity, &*args.owner);
                let revoked_keys = keys.iter().map(|key| &*key.id).collect();
                let deleted = true;
                output.json(&DeletedJson { identity, connection, owner, deleted, revoked_keys })?;
            }
            Ok(Exit::Fine)
        }
    }
}

/// Says on standard error what is probably not meant in a connection, as `validate` does of a policy.
fn warn(owner: &str, draft: &Draft, output: &mut Output<'_>) -> Result<(), Failure> {
    output.out.flush()?;
    let mut say = |message: &str, help: &str| {
        writeln!(output.err, "warning: {}\nhelp: {}", escape(message), escape(help))
    };
    for found in draft.problems(owner) {
        if found.severity == Severity::Warning {
            say(&found.message, found.help.as_deref().unwrap_or("take it out if it is not meant"))?;
        }
    }
    if let Ok(policy) = draft.check(owner) {
        for finding in analysis::left_open(&policy, STATES) {
            say(&finding.message, &finding.help_in_form())?;
        }
    }
    Ok(())
}

/// Says on standard error that a new connection allows everything, because nobody said what it allows.
fn warn_of_everything(
    args: &OneArgs,
    made: &Stored,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let (id, access) = (made.connection.id(), made.connection.access());
    writeln!(
        output.err,
        "warning: `{id}` allows everything that its credentials reach ({access}): neither `--allow` nor \
         `--allow-glob` was given\n\
         help: say what it allows, `pathward connection set {id} --owner {} --store {} --allow \
         bucket/folder/`; with `--allow-all`, `connection new` does not warn",
        escape(&args.owner),
        escape(&args.store.store.to_string_lossy()),
    )?;
    Ok(())
}

/// The label of `s3+label`.
fn label(connection: &str) -> Result<String, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::question(format!("`{}` names no connection: {why}", escape(connection)))
    };
    let id = ConnectionId::parse(connection).map_err(|error| wrong(&error))?;
    match id.label() {
        Some(label) => Ok(label.to_owned()),
        None => Err(wrong(&"write its label, as in `s3+reports`")),
    }
}

impl OneArgs {
    fn find(&self, store: &Store) -> Result<Stored, Failure> {
        let wrong = |why: &dyn std::fmt::Display| {
            Failure::question(format!("`{}` {why}", escape(&self.connection)))
        };
        let id = ConnectionId::parse(&self.connection).map_err(|error| wrong(&error))?;
        let owner = escape(&self.owner);
        store
            .find(&self.owner, &id)
            .map_err(|_| wrong(&format_args!("is no connection of {owner} in this store")))
    }

    /// The revision that a change is decided on.
    fn revision<'a>(&'a self, found: &'a Stored) -> &'a str {
        self.revision.as_deref().unwrap_or(&found.revision)
    }
}

fn list(all: &[Stored], output: &mut Output<'_>) -> Result<Exit, Failure> {
    match output.format {
        Format::Json => {
            let connections = all.iter().map(StoredJson::new).collect();
            output.json(&ListJson { connections })?;
        }
        Format::Text => {
            for stored in all {
                let connection = &stored.connection;
                writeln!(
                    output.out,
                    "{:<24} {:<12} {}{}",
                    connection.id().to_string(),
                    connection.access().to_string(),
                    plural(connection.rules().len(), "rule"),
                    if connection.is_default() { "  default" } else { "" },
                )?;
            }
        }
    }
    Ok(Exit::Fine)
}

fn show(stored: &Stored, output: &mut Output<'_>) -> Result<Exit, Failure> {
    if output.format == Format::Json {
        output.json(&StoredJson::new(stored))?;
        return Ok(Exit::Fine);
    }
    let (connection, draft) = (&stored.connection, stored.draft());
    let out = &mut output.out;
    writeln!(out, "{} of {}", connection.id(), escape(connection.owner()))?;
    let mut line = |name: &str, value: &str| writeln!(out, "  {name:<13} {}", escape(value));
    if draft.is_default {
        line("default", "answers to bare s3")?;
    }
    for (name, value) in [("endpoint", connection.endpoint()), ("region", connection.region())] {
        if let Some(value) = value {
            line(name, value)?;
        }
    }
    line("keys", connection.keys().name())?;
    line("conditions", connection.conditions().name())?;
    match connection.credentials() {
        Some(CredentialsRef::Sealed(sealed)) => {
            line("credentials", &format!("sealed, of the access key …{}", sealed.id_ends()))?;
        }
        Some(reference) => {
            let (kind, place) = reference.kind_and_place();
            line("credentials", &format!("{kind} {place}"))?;
        }
        None => {}
    }
    line("access", &connection.access().to_string())?;
    let everything = [DraftRule::path("*")];
    let allowed = draft.restrictions.as_deref().unwrap_or(&everything);
    for (name, rules) in [("restrictions", allowed), ("deny", &draft.deny)] {
        for (n, rule) in rules.iter().enumerate() {
            let kind = if rule.glob { "glob: " } else { "" };
            let own = rule.access.map(|access| format!("  ({access})")).unwrap_or_default();
            let name = if n == 0 { name } else { "" };
            line(name, &format!("{kind}{}{own}", rule.text))?;
        }
    }
    line("file", &stored.file.to_string_lossy())?;
    line("revision", &stored.revision)?;
    Ok(Exit::Fine)
}

/// The answer of `connection list` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct ListJson<'s> {
    connections: Vec<StoredJson<'s>>,
}

/// The answer of `connection rm` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct DeletedJson<'s> {
    identity: &'s str,
    connection: String,
    owner: &'s str,
    deleted: bool,
    revoked_keys: Vec<&'s str>,
}

/// A connection in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct StoredJson<'s> {
    identity: &'s str,
    revision: &'s str,
    connection: String,
    owner: &'s str,
    default: bool,
    endpoint: Option<&'s str>,
    region: Option<&'s str>,
    keys: &'static str,
    conditions: &'static str,
    credentials: Option<CredentialsJson<'s>>,
    access: Vec<&'static str>,
    restrictions: Option<Vec<RuleJson>>,
    deny: Vec<RuleJson>,
    file: String,
}

#[derive(Serialize)]
struct CredentialsJson<'s> {
    kind: &'static str,
    at: &'s str,
}

#[derive(Serialize)]
struct RuleJson {
    text: String,
    dialect: &'static str,
    access: Option<Vec<&'static str>>,
}

impl RuleJson {
    fn new(rule: DraftRule) -> Self {
        Self {
            text: rule.text,
            dialect: if rule.glob { "glob" } else { "plain" },
            access: rule.access.map(|access| access.iter().map(|one| one.name()).collect()),
        }
    }
}

impl<'s> StoredJson<'s> {
    fn new(stored: &'s Stored) -> Self {
        let (connection, draft) = (&*stored.connection, stored.draft());
        let rules = |rules: Vec<DraftRule>| rules.into_iter().map(RuleJson::new).collect();
        Self {
            identity: &stored.identity,
            revision: &stored.revision,
            connection: connection.id().to_string(),
            owner: connection.owner(),
            default: connection.is_default(),
            endpoint: connection.endpoint(),
            region: connection.region(),
            keys: connection.keys().name(),
            conditions: connection.conditions().name(),
            credentials: connection.credentials().map(|reference| {
                let (kind, at) = reference.kind_and_place();
                CredentialsJson { kind, at }
            }),
            access: connection.access().iter().map(|one| one.name()).collect(),
            restrictions: draft.restrictions.map(rules),
            deny: rules(draft.deny),
            file: stored.file.to_string_lossy().into_owned(),
        }
    }
}
