//! Users and keys.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use pathward::{
    Access, AccessSet,
    store::{Store, StoreError},
};

use super::{files, store};

#[test]
fn keys_are_made_listed_and_revoked() {
    let (folder, store) = store();
    assert!(!store.has_users());
    let (info, key) = store.create_key("ana", "job", AccessSet::READ_ONLY, false).unwrap();
    assert!(!info.manage && key.starts_with("sim") && !store.has_users());
    store.create_key("ana", "portal 1", AccessSet::NONE, true).unwrap();
    assert!(store.has_users());
    let keys = store.keys("ana").unwrap();
    assert_eq!(keys.iter().map(|key| &*key.id).collect::<Vec<_>>(), ["job", "portal 1"]);
    assert_eq!(keys.iter().map(|key| key.manage).collect::<Vec<_>>(), [false, true]);
    let taken = store.create_key("ana", "job", AccessSet::NONE, false);
    assert!(matches!(taken, Err(StoreError::Taken { .. })));
    let half = AccessSet::READ_ONLY.with(Access::Write);
    assert!(matches!(store.create_key("ana", "x", half, false), Err(StoreError::Invalid(_))));
    assert!(matches!(store.create_key("a\nb", "x", half, false), Err(StoreError::Invalid(_))));
    store.revoke_key("ana", "job").unwrap();
    assert!(matches!(store.revoke_key("ana", "job"), Err(StoreError::Missing)));
    assert!(matches!(store.revoke_key("ben", "portal 1"), Err(StoreError::Missing)));
    store.revoke_key("ana", "portal 1").unwrap();
    assert_eq!(files(folder.path())["user-ana.yaml"], "users:\n  - name: ana\n");
    assert!(!files(folder.path()).values().any(|text| text.contains(key.as_str())));
}

#[test]
fn keys_in_files_of_others_hands_come_and_go_without_the_rest() {
    let zeros = "0".repeat(64);
    let ones = "1".repeat(64);
    let before = format!(
        "connections:\n  - {{ id: s3+x, owner: ana }}\nusers:\n  # Ben.\n  - name: ben\n  - name: ana # she\n    \
         keys:\n      # Hers.\n      - id: a\n        sha256: {zeros} # a\n        access: none\n      \
         - {{ id: b, sha256: {ones}, access: none }}\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.yaml");
    fs::write(&file, &before).unwrap();
    let store = Store::open(folder.path(), None).unwrap();
    store.create_key("ana", "c", AccessSet::READ_ONLY, true).unwrap();
    store.create_key("ben", "d", AccessSet::READ_ONLY, false).unwrap();
    store.revoke_key("ana", "a").unwrap();
    store.revoke_key("ana", "c").unwrap();
    store.revoke_key("ben", "d").unwrap();
    let gone = format!("      - id: a\n        sha256: {zeros} # a\n        access: none\n");
    assert_eq!(fs::read_to_string(&file).unwrap(), before.replace(&gone, ""));
}

#[test]
fn who_listens_has_heard_of_a_revocation_when_it_returns() {
    let (_folder, store) = store();
    store.create_key("ana", "a", AccessSet::READ_ONLY, false).unwrap();
    let keys = Arc::new(AtomicUsize::new(9));
    let heard = Arc::clone(&keys);
    store.on_change(Box::new(move |snapshot| {
        let count = snapshot.policy().users().iter().map(|user| user.keys.len()).sum();
        heard.store(count, Ordering::SeqCst);
    }));
    store.create_key("ana", "b", AccessSet::READ_ONLY, false).unwrap();
    assert_eq!(keys.load(Ordering::SeqCst), 2);
    store.revoke_key("ana", "a").unwrap();
    assert_eq!(keys.load(Ordering::SeqCst), 1);
}
