//! `pathward key`: API keys, shown once and kept as hashes; and the key that seals secrets.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    exit::Exit,
    output::{Failure, Format, Output, text_of_ids},
    question::{KeyAccess, load},
};
use crate::{
    access::AccessSet,
    escape::{escape, hex},
    policy::{
        ConnectionId, Policy, Reach, User,
        written::{random::random_key, text},
    },
};

/// Makes API keys.
#[derive(Debug, Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

/// What can be done with API keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make an API key, show it once, and write its hash into the policy or store
    New(NewArgs),
    /// List the API keys of a store's user
    #[cfg(feature = "store")]
    List(super::store::ListKeysArgs),
    /// Revoke an API key of a store: a gateway that follows the store denies it within a second
    #[cfg(feature = "store")]
    Revoke(super::store::RevokeArgs),
    /// Make the key that seals the secrets of a store, or change it
    #[cfg(feature = "store")]
    Seal(super::store::SealArgs),
    /// Make the key that several gateways share, so that one goes on with what another began
    #[cfg(feature = "gateway")]
    Server(super::server_key::ServerArgs),
}

/// The key to make.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward key new --policy policies/ --user steph --id laptop
  export ALGORITHMIA_API_KEY=$(pathward key new --policy policies/ --user steph --id job)
  pathward key new --store data/ --user steph --id agent --connection s3+scratch
  pathward key new --store data/ --user steph --id portal --manage

The key alone goes to standard output. The policy keeps its SHA-256: a lost key cannot be shown
again, only replaced. A user that the policy does not know yet gets a file `user-NAME.yaml` in the
folder, or a place at the end of a file that has no users. The policy is replaced whole or not at
all, and loads with the key before it is. A gateway that runs takes the key when it loads the policy
again, at SIGHUP.

Exit codes: 0 made, 1 the policy cannot be changed, 2 wrong usage, 3 the policy does not load.")]
pub(super) struct NewArgs {
    /// The policy: a file, or a folder whose files make one policy
    #[arg(long, short, value_name = "FILE|DIR")]
    #[cfg_attr(feature = "store", arg(required_unless_present = "store"))]
    #[cfg_attr(not(feature = "store"), arg(required = true))]
    policy: Option<PathBuf>,

    /// The store, which a gateway may be following
    #[cfg(feature = "store")]
    #[arg(long, value_name = "DIR", conflicts_with = "policy")]
    store: Option<PathBuf>,

    /// Whose key
    #[arg(long, value_name = "NAME")]
    user: String,

    /// What to call it, in the policy and in the log
    #[arg(long, value_name = "ID")]
    id: String,

    /// What the key may do with data, on top of what each connection allows
    #[arg(long, value_name = "PERMISSION", value_enum, default_value_t = KeyAccess::ReadOnly)]
    access: KeyAccess,

    /// A connection of the user that the key is for: with one or more, the others are not there for it
    #[arg(long, value_name = "ID", value_parser = connection)]
    connection: Vec<ConnectionId<'static>>,

    /// The key may change the user's own connections and keys: not for code that is not trusted
    #[arg(long, conflicts_with = "connection")]
    manage: bool,
}

impl NewArgs {
    fn reach(&self) -> Reach {
        match self.connection.is_empty() {
            true => Reach::ALL,
            false => Reach::only(self.connection.iter().cloned()),
        }
    }
}

/// Reads a connection's id with its label.
fn connection(text: &str) -> Result<ConnectionId<'static>, String> {
    match ConnectionId::parse(text) {
        Ok(id) if id.label().is_none() => {
            Err("it has no label: name it as in `s3+saha`".to_owned())
        }
        Ok(id) => Ok(id.into_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The answer of `key new` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct KeyJson<'a> {
    key: &'a str,
    user: &'a str,
    id: &'a str,
    access: String,
    manage: bool,
    connections: Option<Vec<String>>,
    file: String,
}

pub(super) fn run(args: &KeyArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    #[cfg_attr(
        not(any(feature = "store", feature = "gateway")),
        expect(
            clippy::infallible_destructuring_match,
            reason = "with other features there are more"
        )
    )]
    let args = match &args.command {
        KeyCommand::New(args) => args,
        #[cfg(feature = "store")]
        KeyCommand::List(args) => return super::store::list_keys(args, output),
        #[cfg(feature = "store")]
        KeyCommand::Revoke(args) => return super::store::revoke_key(args, output),
        #[cfg(feature = "store")]
        KeyCommand::Seal(args) => return super::store::seal_key(args, output),
        #[cfg(feature = "gateway")]
        KeyCommand::Server(args) => return super::server_key::make(args, output),
    };
    #[cfg(feature = "store")]
    if let Some(folder) = &args.store {
        let (access, manage) = (args.access.into(), args.manage);
        let who = (&*args.user, &*args.id);
        return super::store::new_key(folder, who, access, manage, &args.reach(), output);
    }
    let Some(path) = &args.policy else {
        return Err(Failure::question("name a policy: `--policy FILE|DIR`"));
    };
    // Those who change a store take turns: a key that is revoked meanwhile is not to come back.
    #[cfg(feature = "store")]
    let _turn = match path.is_dir() {
        true => Some(crate::store::Lock::exclusive(path).map_err(super::store::failure)?),
        false => None,
    };
    let policy = load(path)?;
    let user = policy.users().iter().find(|user| *user.name == *args.user);
    if user.is_some_and(|user| user.keys.iter().any(|key| *key.id == *args.id)) {
        let id = escape(&args.id);
        return Err(Failure::question(format!(
            "the user has a key `{id}` already; choose another id"
        )));
    }
    let key = random_key()
        .map_err(|_| Failure::Said(Exit::Error, "the system gives no random bytes".to_owned()))?;
    let access: AccessSet = args.access.into();
    let reach = args.reach();
    let hash = hex(&Sha256::digest(&key));
    let entry = text::key(&args.id, &hash, access, args.manage, &reach);
    let change = Change::new(path, &policy, &args.user, user, &entry)?;
    change.apply(path, &args.user, &args.id)?;

    let file = change.file.to_string_lossy().into_owned();
    match output.format {
        Format::Text => {
            writeln!(output.out, "{key}")?;
            output.note(format_args!(
                "key `{}` of {} is in {}: keep it now, it is not shown again",
                escape(&args.id),
                escape(&args.user),
                escape(&file)
            ))?;
            let own = policy.connections().iter().filter(|known| *known.owner() == *args.user);
            let ids: Vec<_> = own.map(|own| own.id()).collect();
            if ids.is_empty() {
                output.note(format_args!(
                    "no connection has {} as its owner: the key reaches nothing",
                    escape(&args.user)
                ))?;
            } else if let Some(id) =
                reach.named().unwrap_or_default().iter().find(|id| !ids.contains(id))
            {
                output.note(format_args!("{} has no connection {id}", escape(&args.user)))?;
            }
        }
        Format::Json => {
            let (user, id, manage) = (&args.user, &args.id, args.manage);
            let (access, connections) = (access.to_string(), reach.named().map(text_of_ids));
            output.json(&KeyJson { key: &key, user, id, access, manage, connections, file })?;
        }
    }
    Ok(Exit::Fine)
}

/// A file and what it will say.
struct Change {
    file: PathBuf,
    text: String,
    /// What it said; `None` for one that is not there.
    before: Option<String>,
}

impl Change {
    fn new(
        policy: &Path,
        loaded: &Policy,
        name: &str,
        user: Option<&User>,
        entry: &str,
    ) -> Result<Self, Failure> {
        let by_hand = |file: &Path, how: &str| {
            let file = escape(&file.to_string_lossy()).into_owned();
            let message = format!("`{file}` is not laid out so that a key can be added: {how}");
            Failure::Said(Exit::Error, message)
        };
        let Some(user) = user else {
            let text =
                format!("users:\n  - name: {}\n    keys:\n      - {entry}\n", text::quoted(name));
            if !policy.is_dir() {
                if !loaded.users().is_empty() {
                    let how = format!(
                        "put a line `- name: {}` under its `users`, and ask again",
                        escape(&text::quoted(name))
                    );
                    return Err(by_hand(policy, &how));
                }
                let before = fs::read_to_string(policy)
                    .map_err(|error| Failure::file("cannot read", policy, &error))?;
                let mut whole = before.clone();
                if !whole.ends_with('\n') {
                    whole.push('\n');
                }
                whole.push_str(&text);
                return Ok(Self { file: policy.to_owned(), text: whole, before: Some(before) });
            }
            let safe =
                name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
            let file = match safe {
                true => format!("user-{name}.yaml"),
                false => format!("user-{}.yaml", hex(name.as_bytes())),
            };
            return Ok(Self { file: policy.join(file), text, before: None });
        };
        let named = PathBuf::from(&*user.location.file);
        // Where a link leads: it stays a link.
        let file = match named.is_symlink() {
            true => fs::canonicalize(&named)
                .map_err(|error| Failure::file("cannot read", &named, &error))?,
            false => named,
        };
        let text = fs::read_to_string(&file)
            .map_err(|error| Failure::file("cannot read", &file, &error))?;
        match inserted(&text, user, entry) {
            Some(changed) => Ok(Self { file, text: changed, before: Some(text) }),
            None => Err(by_hand(
                &file,
                "write the user and each of its keys as lines that start with `- `, and ask again",
            )),
        }
    }

    /// Replaces the file, once it is known to say what it should.
    fn apply(&self, policy: &Path, user: &str, id: &str) -> Result<(), Failure> {
        let name = self.file.to_string_lossy();
        let written = Policy::from_yaml(&name, &self.text)
            .map_err(|errors| Failure::Said(Exit::Error, errors.to_string()))?;
        let has_key = written
            .users()
            .iter()
            .any(|known| *known.name == *user && known.keys.iter().any(|key| *key.id == *id));
        if !has_key {
            let message = format!("`{}` cannot take the key", escape(&name));
            return Err(Failure::Said(Exit::Error, message));
        }
        let failed = |error: std::io::Error| Failure::file("cannot write", &self.file, &error);
        let file_name = self.file.file_name().unwrap_or_default().to_string_lossy();
        // Hidden, so that a policy that is loaded meanwhile does not have it twice. One name for all
        // who change the file, so that they do so one after the other.
        let beside = self.file.with_file_name(format!(".{file_name}.new"));
        let mut file = File::create_new(&beside).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                let beside = escape(&beside.to_string_lossy()).into_owned();
                Failure::Said(
                    Exit::Error,
                    format!(
                        "the policy is being changed: try again, and if nothing changes it, remove \
                         `{beside}`"
                    ),
                )
            }
            _ => failed(error),
        })?;
        let mut replace = || {
            file.write_all(self.text.as_bytes())?;
            match &self.before {
                None => {
                    file.sync_all()?;
                    // Not over a file that came meanwhile.
                    fs::hard_link(&beside, &self.file)?;
                    fs::remove_file(&beside)
                }
                Some(before) => {
                    if fs::read_to_string(&self.file)? != *before {
                        return Err(std::io::Error::other("it was changed meanwhile; try again"));
                    }
                    file.set_permissions(fs::metadata(&self.file)?.permissions())?;
                    file.sync_all()?;
                    fs::rename(&beside, &self.file)
                }
            }
        };
        replace().map_err(|error| {
            drop(fs::remove_file(&beside));
            failed(error)
        })?;
        load(policy).map(drop)
    }
}

/// A policy's text with one more key of a user; `None` when it is not laid out in a way that this
/// knows: a list of keys with a line each for `- {…}`, or no `keys` yet.
fn inserted(text: &str, user: &User, entry: &str) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let last = user.keys.iter().max_by_key(|key| key.location.line);
    let at = last.map_or(user.location.line, |key| key.location.line);
    let at = usize::try_from(at).ok()?.checked_sub(1)?;
    let line = lines.get(at)?;
    let dash = line.len() - line.trim_start_matches(' ').len();
    let rest = line.get(dash..)?;
    let new = match last {
        Some(_) if rest.starts_with("- ") => format!("{:dash$}- {entry}\n", ""),
        None if rest.starts_with("- name:") => {
            format!("{0:1$}keys:\n{0:1$}  - {entry}\n", "", dash + 2)
        }
        _ => return None,
    };
    // The entry goes on while lines are indented further than its dash.
    let goes_on = |line: &&str| line.len() - line.trim_start_matches(' ').len() > dash;
    let end = match last {
        Some(_) => at + 1 + lines.get(at + 1..)?.iter().take_while(|line| goes_on(line)).count(),
        None => at + 1,
    };
    let mut changed = lines.get(..end)?.concat();
    if !changed.ends_with('\n') {
        changed.push('\n');
    }
    changed.push_str(&new);
    changed.push_str(&lines.get(end..)?.concat());
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "{ id: job, sha256: 1111111111111111111111111111111111111111111111111111111111111111, access: none }";

    /// The text with the key, if it loads and has that key and all others.
    fn changed(text: &str) -> Option<String> {
        let policy = Policy::from_yaml("p.yaml", text).unwrap();
        let user = policy.users().iter().find(|user| &*user.name == "ana").unwrap();
        let changed = inserted(text, user, ENTRY)?;
        let after = Policy::from_yaml("p.yaml", &changed).ok()?;
        let keys =
            |policy: &Policy| policy.users().iter().map(|user| user.keys.len()).sum::<usize>();
        assert_eq!(keys(&after), keys(&policy) + 1, "{changed}");
        let ana = after.users().iter().find(|user| &*user.name == "ana").unwrap();
        assert_eq!(ana.keys.iter().filter(|key| &*key.id == "job").count(), 1);
        Some(changed)
    }

    #[test]
    fn a_key_is_added_where_the_users_keys_are() {
        let zeros = "0".repeat(64);
        let texts = [
            format!(
                "users:\n  - name: ana\n    keys:\n      - {{ id: a, sha256: {zeros}, access: none }}\n  - name: bob\n"
            ),
            format!(
                "users:\n- name: ana\n  keys:\n  - id: a\n    sha256: {zeros}\n    access: none\n- name: bob\n"
            ),
            format!(
                "users:\n  - name: ana\n    keys:\n      - {{ id: a, sha256: {zeros}, access: none }}"
            ),
            "users:\n  - name: bob\n  - name: ana\n".to_owned(),
            "users:\n  - name: ana".to_owned(),
        ];
        for text in texts {
            let changed = changed(&text);
            assert!(changed.is_some_and(|changed| changed.contains(ENTRY)), "{text}");
        }
        // Laid out otherwise: left alone.
        let flow = format!(
            "users:\n  - name: ana\n    keys: [{{ id: a, sha256: {zeros}, access: none }}]\n"
        );
        assert_eq!(changed(&flow), None);
        assert_eq!(changed("users: [{ name: ana }]\n"), None);
    }
}
