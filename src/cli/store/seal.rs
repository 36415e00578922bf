//! `pathward key seal`: the key that seals the secrets of a store.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
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
    store::{SealKey, Store},
};

/// The key that seals secrets.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward key seal seal.key
  pathward key seal seal.key --rotate --store data/
  pathward key seal new.key --store data/ --seal-key old.key

The first makes a key: a file that only this user can read, in the form of age. Keep it apart from the
store, and keep a copy: without it, no secret of the store opens.

The second makes another key and seals everything with it. Until that is done the file holds both keys,
so that a gateway which has the file opens what is sealed with either; then only the new one. If it is
interrupted, give the command again. The third changes from one key, or passphrase, to that of another
file, which is made if it is not there; a gateway has to be started with that one.

Exit codes: 0 done, 1 a file cannot be written or a secret does not open, 2 wrong usage, 3 the store
does not load.")]
pub(in crate::cli) struct SealArgs {
    /// The file of the key
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Make another key, and seal everything with it
    #[arg(long, requires = "store")]
    rotate: bool,

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
        Some(folder) if args.rotate => rotate(&args.file, folder)?,
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
    write(file, &text(&[SealKey::generate().as_str()]), true)
}

/// Makes another key, first beside the old ones and then alone.
fn rotate(file: &Path, folder: &Path) -> Result<usize, Failure> {
    let failed = |error: &io::Error| Failure::file("cannot change", file, error);
    let before = fs::read_to_string(file).map(Zeroizing::new).map_err(|error| failed(&error))?;
    SealKey::parse(&before).map_err(said)?;
    let old: Vec<&str> =
        before.lines().map(str::trim).filter(|line| line.starts_with("AGE-SECRET-KEY-")).collect();
    if old.is_empty() {
        return Err(Failure::question(
            "a passphrase is not rotated in its file: write another one into another file, and give \
             `pathward key seal NEW --store DIR --seal-key OLD`",
        ));
    }
    let new = SealKey::generate();
    let mut all = vec![new.as_str()];
    all.extend(old);
    replace(file, &text(&all)).map_err(|error| failed(&error))?;
    let key = SealKey::read(file).map_err(said)?;
    let store = Store::open(folder, Some(key)).map_err(failure)?;
    let resealed = store.reseal(None).map_err(failure)?;
    replace(file, &text(&[new.as_str()])).map_err(|error| failed(&error))?;
    Ok(resealed)
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
    write(&beside, text, false)?;
    fs::set_permissions(&beside, fs::metadata(file)?.permissions())?;
    fs::rename(&beside, file)?;
    sync_folder(file)
}

/// Writes a file that only this user can read.
fn write(file: &Path, text: &str, is_new: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    match is_new {
        true => options.create_new(true),
        false => options.create(true).truncate(true),
    };
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file)?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all()?;
    sync_folder(file)
}

/// A file is there for good once its folder is on the disk.
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match cfg!(unix) {
        true => fs::File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}
