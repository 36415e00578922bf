//! The store: what becomes of files, of those who change them at once, and of secrets.
#![cfg(feature = "store")]
#![expect(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod changes;
mod edits;
mod follow;
mod others;
mod rotate;
mod secrets;
mod users;
mod version1;

#[cfg(unix)]
mod crash;
#[cfg(feature = "gateway")]
mod load;
#[cfg(all(feature = "cli", feature = "gateway", feature = "embedded"))]
mod trace;

use std::{collections::BTreeMap, fs, path::Path};

use pathward::store::{Draft, DraftRule, SealKey, Store};
use tempfile::TempDir;

/// A store in a folder of its own.
pub(crate) fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let key = SealKey::parse(&SealKey::generate()).expect("a key");
    let store = Store::open(folder.path(), Some(key)).expect("opens");
    (folder, store)
}

/// A draft that allows these paths.
pub(crate) fn draft(label: &str, paths: &[&str]) -> Draft {
    let mut draft = Draft::new(label);
    draft.restrictions = Some(paths.iter().map(|path| DraftRule::path(*path)).collect());
    draft
}

/// What is in a folder, but for the lock.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, String> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.file_name() != ".pathward.lock")
        .map(|entry| {
            let text = fs::read_to_string(entry.path()).expect("text");
            (entry.file_name().into_string().expect("a name"), text)
        })
        .collect()
}

/// A file of somebody else's connection with so many globs, which take long to compile.
pub(crate) fn heavy(globs: usize) -> String {
    let rule =
        |n| format!("      - {{ glob: 'logs/{{app,web,db,api}}{n}/**/part-{n}-*.{{gz,zst}}' }}\n");
    let rules: String = (0..globs).map(rule).collect();
    format!("connections:\n  - id: s3+heavy\n    owner: mallory\n    restrictions:\n{rules}")
}
