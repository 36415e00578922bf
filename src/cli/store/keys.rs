//! `pathward key new`, `list` and `revoke` on a store.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::failure;
use crate::{
    access::AccessSet,
    cli::{
        exit::Exit,
        output::{Failure, Format, Output, text_of_ids},
    },
    escape::escape,
    policy::Reach,
    store::{KeyInfo, Store},
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
}

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
    // What others have broken does not keep a key valid.
    let store = Store::open_as_is(&args.store, None).map_err(failure)?;
    store.revoke_key(&args.user, &args.id).map_err(failure)?;
    if output.format == Format::Json {
        output.json(&RevokedJson { user: &args.user, id: &args.id, revoked: true })?;
    }
    Ok(Exit::Fine)
}
