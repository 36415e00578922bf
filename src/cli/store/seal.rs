//! `pathward key seal`: the key that seals the secrets of a store.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{SealKeyArgs, failure, seal_key_of};
use crate::{
    cli::{
        exit::Exit,
        output::{Failure, Format, Output},
        validate::plural,
    },
    escape::escape,
    store::{SealKey, Store, StoreError},
};

/// The key that seals secrets.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward key seal seal.key
  pathward key seal seal.key --rotate --store data/
  pathward key seal seal.key --forget-old --store data/
  pathward key seal new.key --store data/ --seal-key old.key

The first makes a key: a file that only this user can read, in the form of age. Keep it apart from the
store, and keep a copy: without it, no secret of the store opens.

The second makes another key and seals everything with it. The old key stays in the file behind the new
one, for copies of the store and for other stores: what is sealed with either opens. A gateway that has
the file seals with the new one from then on. If it is interrupted, give the command again.

The third takes the old keys out of the file, once the new one alone opens every secret of the store. It
can be given together with `--rotate`. Do so when every gateway has the new file, and no other store is
sealed with an old key.

The fourth changes from one key, or passphrase, to that of another file, which is made if it is not
there; a gateway has to be started with that one.

Exit codes: 0 done, 1 a file cannot be written or a secret does not open, 2 wrong usage, 3 the store
does not load.")]
pub(in crate::cli) struct SealArgs {
    /// The file of the key
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Make another key, and seal everything with it
    #[arg(long, requires = "store")]
    rotate: bool,

    /// Take the old keys out of the file, if the first one opens every secret of the store
    #[arg(long, requires = "store")]
    forget_old: bool,

    /// The store whose secrets are sealed anew
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,

    #[command(flatten)]
    seal: SealKeyArgs,
}

/// The answer of `key seal` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct SealJson<'a> {
    file: &'a str,
    resealed: usize,
}

pub(in crate::cli) fn seal_key(args: &SealArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let failed = |error: &io::Error| Failure::file("cannot write", &args.file, error);
    let resealed = match &args.store {
        None => {
            make(&args.file).map_err(|error| failed(&error))?;
            0
        }
        Some(folder) if args.rotate || args.forget_old => {
            let resealed = if args.rotate { rotate(&args.file, folder)? } else { 0 };
            if args.forget_old {
                forget_old(&args.file, folder)?;
            }
            resealed
        }
        Some(folder) => {
            if !args.file.exists() {
                make(&args.file).map_err(|error| failed(&error))?;
            }
            let new = SealKey::read(&args.file).map_err(said)?;
            let store = Store::open(folder, seal_key_of(&args.seal)?).map_err(failure)?;
            store.reseal(Some(&new)).map_err(failure)?
        }
    };
    let file = args.file.to_string_lossy();
    match output.format {
        Format::Json => output.json(&SealJson { file: &file, resealed })?,
        Format::Text if args.store.is_some() => {
            output.note(format_args!("{} sealed anew", plural(resealed, "secret")))?;
        }
        Format::Text => output.note(format_args!(
            "the key is in {}: keep a copy, without it no secret that it seals opens again",
            escape(&file)
        ))?,
    }
    Ok(Exit::Fine)
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn said(error: crate::store::SealKeyError) -> Failure {
    Failure::question(error.to_string())
}

/// Makes a key in a file that is not there yet.
fn make(file: &Path) -> io::Result<()> {
    crate::cli::create::write_private(file, text(&[SealKey::generate().as_str()]).as_bytes())
}

/// Makes another key, beside the old ones, and seals everything with it.
fn rotate(file: &Path, folder: &Path) -> Result<usize, Failure> {
    let _turn = turn(file)?;
    let failed = |error: &io::Error| Failure::file("cannot change", file, error);
    let old = keys(file)?;
    let new = SealKey::generate();
    let all: Vec<&str> =
        std::iter::once(new.as_str()).chain(old.iter().map(|key| key.as_str())).collect();
    // From here on a gateway that has the file seals with the new key, too.
    replace(file, &text(&all)).map_err(|error| failed(&error))?;
    let store = Store::open(folder, Some(SealKey::read(file).map_err(said)?)).map_err(failure)?;
    let new = SealKey::parse(&new).map_err(said)?;
    store.reseal(Some(&new)).map_err(failure)
}

/// Takes all keys but the first out of a file, if that one opens everything.
fn forget_old(file: &Path, folder: &Path) -> Result<(), Failure> {
    let _turn = turn(file)?;
    let all = keys(file)?;
    let Some(first) = all.first() else { return Ok(()) };
    let key = SealKey::parse(first).map_err(said)?;
    let store = Store::open(folder, None).map_err(failure)?;
    let forget = || {
        replace(file, &text(&[first.as_str()]))
            .map_err(|error| StoreError::Io { path: file.to_owned(), error })
    };
    store.while_all_open(&key, forget).map_err(failure)
}

/// The keys of a file, which is none with a passphrase.
fn keys(file: &Path) -> Result<Vec<Zeroizing<String>>, Failure> {
    let text = fs::read_to_string(file)
        .map(Zeroizing::new)
        .map_err(|error| Failure::file("cannot change", file, &error))?;
    SealKey::parse(&text).map_err(said)?;
    let lines = text.lines().map(str::trim).filter(|line| line.starts_with("AGE-SECRET-KEY-"));
    let keys: Vec<_> = lines.map(|line| Zeroizing::new(line.to_owned())).collect();
    if keys.is_empty() {
        return Err(Failure::question(
            "a passphrase is not rotated in its file: write another one into another file, and give \
             `pathward key seal NEW --store DIR --seal-key OLD`",
        ));
    }
    Ok(keys)
}

/// Keeps others from changing the file of the key, for as long as this is there.
fn turn(file: &Path) -> Result<fs::File, Failure> {
    let failed = |error: &io::Error| Failure::file("cannot change", file, error);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!(".{name}.lock"));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let lock = options.open(beside).map_err(|error| failed(&error))?;
    lock.lock().map_err(|error| failed(&error))?;
    Ok(lock)
}

fn text(keys: &[&str]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::from(
        "# Seals the secrets of a store of pathward. Keep it secret.\n",
    ));
    text.reserve(keys.len() * 80);
    for key in keys {
        text.push_str(key);
        text.push('\n');
    }
    text
}

/// Replaces a file whole or not at all.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!(".{name}.new"));
    // One that was left behind, or put there: it is not written into.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    crate::cli::create::write_private(&beside, text.as_bytes())?;
    fs::set_permissions(&beside, fs::metadata(file)?.permissions())?;
    fs::rename(&beside, file)?;
    crate::cli::create::sync_folder(file)
}
