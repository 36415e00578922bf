//! Keys that change while others seal: no secret is lost by it.

use std::{fs, sync::Barrier, thread};

use pathward::store::{SealKey, Store, StoreError, Unseal as _, UnsealError};

use super::secrets::{sealed, with_secret};

#[test]
fn who_runs_meanwhile_seals_with_the_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let (old, new) = (SealKey::generate(), SealKey::generate());
    fs::write(&file, old.as_str()).unwrap();
    let inside = folder.path().join("store");
    let running = Store::open(&inside, Some(SealKey::read(&file).unwrap())).unwrap();
    let first = running.create("ana", &with_secret("x")).unwrap();
    fs::write(&file, format!("{}\n{}\n", new.as_str(), old.as_str())).unwrap();
    running.create("ana", &with_secret("y")).unwrap();
    running.change("ana", &first.identity, &first.revision, &with_secret("x")).unwrap();
    let alone = SealKey::parse(&new).unwrap();
    for label in ["x", "y"] {
        alone.unseal(&sealed(&running, "ana", label), "ana", None).unwrap();
    }
    // A key that is gone is no reason to go on with what was in it.
    fs::remove_file(&file).unwrap();
    let refused = running.create("ana", &with_secret("z"));
    assert!(matches!(refused, Err(StoreError::SealKey(_))), "{refused:?}");
}

#[test]
fn an_old_key_is_not_taken_away_while_something_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (SealKey::generate(), SealKey::generate());
    let both = format!("{}\n{}\n", new.as_str(), old.as_str());
    let before = Store::open(folder.path(), Some(SealKey::parse(&old).unwrap())).unwrap();
    before.create("ana", &with_secret("x")).unwrap();
    let store = Store::open(folder.path(), Some(SealKey::parse(&both).unwrap())).unwrap();
    store.create("ana", &with_secret("y")).unwrap();
    let key = SealKey::parse(&both).unwrap();
    let mut done = 0;
    let mut forget = |store: &Store| {
        store.while_all_open(&key, || {
            done += 1;
            Ok(())
        })
    };
    // The second key opens it: that is the one to go.
    assert!(matches!(forget(&store), Err(StoreError::Sealed(UnsealError::WrongKey))));
    assert_eq!(store.reseal(Some(&SealKey::parse(&new).unwrap())).unwrap(), 2);
    forget(&store).unwrap();
    // Someone who has the old key alone, and goes on.
    before.create("ana", &with_secret("z")).unwrap();
    assert!(matches!(forget(&store), Err(StoreError::Sealed(UnsealError::WrongKey))));
    assert_eq!(done, 1);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_sealed_again_is_an_error_and_nothing_is_changed() {
    let (folder, store) = super::store();
    store.create("ana", &with_secret("x")).unwrap();
    let before = fs::read(folder.path().join("ana-x.yaml")).unwrap();
    let text = String::from_utf8(before.clone()).unwrap();
    // A name that is taken for a folder's and a file's, so that the file is not found again.
    fs::write(folder.path().join("a\\b.yaml"), text.replace("s3+x", "s3+y")).unwrap();
    let refused = store.reseal(None);
    let is_right = matches!(refused, Err(StoreError::NotEditable { .. } | StoreError::Broken(_)));
    assert!(is_right, "{refused:?}");
    assert_eq!(fs::read(folder.path().join("ana-x.yaml")).unwrap(), before);
}

/// Each has the old key and a new one of its own.
#[test]
fn of_two_who_rotate_at_once_one_does_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let old = SealKey::generate();
    let open = || Store::open(folder.path(), Some(SealKey::parse(&old).unwrap())).unwrap();
    let first = open();
    for label in ["x", "y", "z"] {
        first.create("ana", &with_secret(label)).unwrap();
    }
    let (start, new) = (Barrier::new(2), [SealKey::generate(), SealKey::generate()]);
    let rotated = thread::scope(|scope| {
        let run = |new: &str| {
            let (store, new) = (open(), SealKey::parse(new).unwrap());
            let start = &start;
            scope.spawn(move || {
                start.wait();
                store.reseal(Some(&new))
            })
        };
        let both = new.each_ref().map(|new| run(new));
        both.map(|one| one.join().unwrap())
    });
    let winner = rotated.iter().position(|done| matches!(done, Ok(3))).expect("one of them");
    let other = &rotated[1 - winner];
    assert!(matches!(other, Err(StoreError::Sealed(UnsealError::WrongKey))), "{other:?}");
    let (after, key) = (open(), SealKey::parse(&new[winner]).unwrap());
    for label in ["x", "y", "z"] {
        key.unseal(&sealed(&after, "ana", label), "ana", None).unwrap();
    }
}
