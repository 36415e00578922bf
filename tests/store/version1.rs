//! What version 1 wrote into a store is read for good: `tests/version1`.

use std::{fs, path::Path};

use pathward::{
    AccessSet, ConnectionId,
    store::{Draft, SealKey, Store},
};
use tempfile::TempDir;

use super::secrets::sealed;

/// A copy of a folder of version 1, so that what is changed is not what is checked in.
fn copy(name: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(written(name)).expect("it is there") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("copied");
    }
    folder
}

fn written(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/version1").join(name)
}

fn seal_key() -> SealKey {
    SealKey::parse(&fs::read_to_string(written("seal.key")).expect("a key")).expect("it is one")
}

fn labels(store: &Store, owner: &str) -> Vec<String> {
    let mut labels: Vec<String> = store
        .list(owner)
        .expect("it loads")
        .iter()
        .map(|stored| stored.connection.id().to_string())
        .collect();
    labels.sort();
    labels
}

/// One secret was sealed before the key was changed and sealed anew, and one behind it.
#[test]
fn a_store_opens_and_so_do_its_secrets() {
    let folder = copy("store");
    let store = Store::open(folder.path(), Some(seal_key())).expect("opens");
    assert_eq!(store.snapshot().invalid(), None);
    assert_eq!(labels(&store, "ana"), ["s3+profile", "s3+sealed", "s3+vars"]);
    assert_eq!(labels(&store, "bo"), ["s3+file", "s3+later", "s3+plain"]);
    for (owner, label, id, secret) in [
        ("ana", "sealed", "AKIAVERSION1ANA", "version-1-secret-of-ana"),
        ("bo", "later", "AKIAVERSION1BO", "version-1-secret-of-bo"),
    ] {
        let opened = store.unseal().unseal(&sealed(&store, owner, label), owner, None);
        let opened = opened.unwrap_or_else(|error| panic!("{owner}: {error}"));
        assert_eq!(opened.access_key_id.as_str(), id);
        assert_eq!(opened.secret_access_key.as_str(), secret);
    }
    let keys: Vec<_> = store.keys("ana").expect("keys").into_iter().map(|key| key.id).collect();
    assert_eq!(keys, ["laptop", "agent", "portal"]);

    // And it can be changed: what is written now stands beside what version 1 wrote.
    let found = store.find("ana", &ConnectionId::parse("s3+sealed").expect("an id")).expect("one");
    let mut draft: Draft = found.draft();
    draft.access = AccessSet::READ_ONLY;
    store.change("ana", &found.identity, &found.revision, &draft).expect("changed");
    let again = Store::open(folder.path(), Some(seal_key())).expect("opens");
    assert!(again.unseal().unseal(&sealed(&again, "ana", "sealed"), "ana", None).is_ok());
}

#[test]
fn a_passphrase_opens_what_it_sealed() {
    let folder = copy("passphrase.store");
    let passphrase = fs::read_to_string(written("passphrase")).expect("a passphrase");
    let key = SealKey::parse(&passphrase).expect("it is one");
    let store = Store::open(folder.path(), Some(key)).expect("opens");
    let opened = store.unseal().unseal(&sealed(&store, "cy", "phrase"), "cy", None).expect("opens");
    assert_eq!(opened.secret_access_key.as_str(), "version-1-secret-of-cy");
}

/// `connection default` was killed between its two files: the journal has the whole change.
#[test]
fn a_change_that_version_1_left_in_its_journal_is_finished() {
    let folder = copy("interrupted.store");
    assert!(folder.path().join(".pathward.journal").exists());
    let store = Store::open(folder.path(), Some(seal_key())).expect("opens");
    let default = |label: &str| {
        let id = ConnectionId::parse(label).expect("an id");
        store.find("ana", &id).expect("one").connection.is_default()
    };
    assert!(default("s3+vars") && !default("s3+profile"));
    assert!(!folder.path().join(".pathward.journal").exists());
}
