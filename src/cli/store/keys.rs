//! `pathward key new`, `list` and `revoke` on a store.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use serde::Serialize;

use super::failure;
use crate::{
    access::AccessSet,
    cli::{
        exit::Exit,
        output::{Failure, Format, Output, text_of_ids},
        validate::plural,
    },
    escape::escape,
    policy::Reach,
    store::{FollowedBy, KeyInfo, Store},
};

/// Whose keys.
#[derive(Debug, Args)]
pub(in crate::cli) struct ListKeysArgs {
    /// The store
    #[arg(long, value_name = "DIR")]
    store: PathBuf,

    /// Whose keys
    #[arg(long, value_name = "NAME")]
    user: String,
}

/// The key to revoke.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Once this is done the store has the key no more, and says which gateways that follow it have taken that: it
waits for them, two seconds at most. A gateway that has not taken it is named: it answers to the key until
it has, or stops. `pathward serve --max-stale` has one stop that cannot read its store any more. Gateways of
version 0.1 do not say what they serve, and take it within a second.

Exit codes: 0 revoked, whether every gateway has taken it or not, 1 the store cannot be changed, 2 there is
no such key, 3 what the store says of the user does not load.")]
pub(in crate::cli) struct RevokeArgs {
    /// The store
    #[arg(long, value_name = "DIR")]
    store: PathBuf,

    /// Whose key
    #[arg(long, value_name = "NAME")]
    user: String,

    /// What it is called
    #[arg(long, value_name = "ID")]
    id: String,
}

/// The answer of `key new` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct NewJson<'a> {
    key: &'a str,
    user: &'a str,
    #[serde(flatten)]
    info: InfoJson<'a>,
}

/// A key in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct InfoJson<'a> {
    id: &'a str,
    access: String,
    manage: bool,
    connections: Option<Vec<String>>,
}

impl<'a> InfoJson<'a> {
    fn new(key: &'a KeyInfo) -> Self {
        let (id, access, manage) = (&key.id, key.access.to_string(), key.manage);
        Self { id, access, manage, connections: key.reach.named().map(text_of_ids) }
    }
}

/// The answer of `key list` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct ListJson<'a> {
    keys: Vec<InfoJson<'a>>,
}

/// The answer of `key revoke` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct RevokedJson<'a> {
    user: &'a str,
    id: &'a str,
    revoked: bool,
    gateways: Vec<GatewayJson<'a>>,
}

/// A gateway that follows the store, in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct GatewayJson<'a> {
    name: &'a str,
    pid: u32,
    taken: bool,
    /// Whether it cannot take it, because what the store says does not load there, or cannot be read.
    fails: bool,
}

/// How long gateways are waited for. They look at the store five times a second.
const PATIENCE: Duration = Duration::from_secs(2);

pub(in crate::cli) fn new_key(
    folder: &Path,
    (user, id): (&str, &str),
    access: AccessSet,
    manage: bool,
    reach: &Reach,
    output: &mut Output<'_>,
) -> Result<Exit, Failure> {
    let store = Store::open(folder, None).map_err(failure)?;
    let (info, key) = store.create_key(user, id, access, manage, reach).map_err(failure)?;
    match output.format {
        Format::Text => {
            writeln!(output.out, "{}", key.as_str())?;
            output.note(format_args!(
                "key `{}` of {}: keep it now, it is not shown again",
                escape(id),
                escape(user)
            ))?;
        }
        Format::Json => {
            output.json(&NewJson { key: &key, user, info: InfoJson::new(&info) })?;
        }
    }
    Ok(Exit::Fine)
}

pub(in crate::cli) fn list_keys(
    args: &ListKeysArgs,
    output: &mut Output<'_>,
) -> Result<Exit, Failure> {
    let store = Store::open(&args.store, None).map_err(failure)?;
    let keys = store.keys(&args.user).map_err(failure)?;
    if output.format == Format::Json {
        output.json(&ListJson { keys: keys.iter().map(InfoJson::new).collect() })?;
        return Ok(Exit::Fine);
    }
    for key in &keys {
        let manage = if key.manage { "  manage" } else { "" };
        let reach = key.reach.named().map(|_| format!("  {}", key.reach)).unwrap_or_default();
        writeln!(output.out, "{:<24} {}{manage}{reach}", escape(&key.id), key.access)?;
    }
    Ok(Exit::Fine)
}

pub(in crate::cli) fn revoke_key(
    args: &RevokeArgs,
    output: &mut Output<'_>,
) -> Result<Exit, Failure> {
    // Neither what others have broken nor what they have that is large keeps a key valid.
    Store::revoke_key_in(&args.store, &args.user, &args.id).map_err(failure)?;
    let gateways = Store::followers_in(&args.store, PATIENCE);
    match output.format {
        Format::Text => {
            let (user, id) = (escape(&args.user), escape(&args.id));
            writeln!(output.out, "key `{id}` of {user} is revoked: {}", taken_by(&gateways))?;
        }
        Format::Json => {
            let gateways = gateways.iter().map(|gateway| GatewayJson {
                name: &gateway.name,
                pid: gateway.pid,
                taken: gateway.has_taken,
                fails: gateway.fails,
            });
            output.json(&RevokedJson {
                user: &args.user,
                id: &args.id,
                revoked: true,
                gateways: gateways.collect(),
            })?;
        }
    }
    Ok(Exit::Fine)
}

/// Which gateways have taken a change, in words.
fn taken_by(gateways: &[FollowedBy]) -> String {
    let taken = gateways.iter().filter(|gateway| gateway.has_taken).count();
    let others: Vec<String> = gateways
        .iter()
        .filter(|gateway| !gateway.has_taken)
        .map(|FollowedBy { name, pid, fails, .. }| {
            let why = match fails {
                true => "the store does not load there, or cannot be read: its log says why",
                false => "it has not looked at the store since",
            };
            format!("{} (process {pid}), where the key is still valid: {why}", escape(name))
        })
        .collect();
    let taken = plural(taken, "gateway");
    match (gateways.is_empty(), others.is_empty()) {
        (true, _) => "no running gateway says that it follows this store".to_owned(),
        (false, true) => format!("taken by {taken}"),
        (false, false) => format!("taken by {taken}, NOT taken by {}", others.join("; ")),
    }
}
