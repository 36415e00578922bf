//! Users and keys.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use pathward::{
    Access, AccessSet, ConnectionId, Reach,
    store::{Store, StoreError},
};

use super::{draft, files, heavy, store};

#[test]
fn keys_are_made_listed_and_revoked() {
    let (folder, store) = store();
    assert!(!store.has_users());
    let (info, key) =
        store.create_key("ana", "job", AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
    assert!(!info.manage && key.starts_with("sim") && !store.has_users());
    store.create_key("ana", "portal 1", AccessSet::NONE, true, &Reach::ALL).unwrap();
    assert!(store.has_users());
    let keys = store.keys("ana").unwrap();
    assert_eq!(keys.iter().map(|key| &*key.id).collect::<Vec<_>>(), ["job", "portal 1"]);
    assert_eq!(keys.iter().map(|key| key.manage).collect::<Vec<_>>(), [false, true]);
    let taken = store.create_key("ana", "job", AccessSet::NONE, false, &Reach::ALL);
    assert!(matches!(taken, Err(StoreError::Taken { .. })));
    let half = AccessSet::READ_ONLY.with(Access::Write);
    assert!(matches!(
        store.create_key("ana", "x", half, false, &Reach::ALL),
        Err(StoreError::Invalid(_))
    ));
    assert!(matches!(
        store.create_key("a\nb", "x", half, false, &Reach::ALL),
        Err(StoreError::Invalid(_))
    ));
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
    store.create_key("ana", "c", AccessSet::READ_ONLY, true, &Reach::ALL).unwrap();
    store.create_key("ben", "d", AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
    store.revoke_key("ana", "a").unwrap();
    store.revoke_key("ana", "c").unwrap();
    store.revoke_key("ben", "d").unwrap();
    let gone = format!("      - id: a\n        sha256: {zeros} # a\n        access: none\n");
    assert_eq!(fs::read_to_string(&file).unwrap(), before.replace(&gone, ""));
}

#[test]
fn keys_that_are_for_some_connections_follow_them() {
    let id = |id: &'static str| ConnectionId::parse(id).unwrap();
    let (folder, store) = store();
    let [one, two] =
        ["one", "two"].map(|label| store.create("ana", &draft(label, &["aaa/"])).unwrap());
    let both = Reach::only([id("s3+two"), id("s3+one")]);
    let read = AccessSet::READ_ONLY;
    store.create_key("ana", "all", read, false, &Reach::ALL).unwrap();
    let (info, _) = store.create_key("ana", "both", read, false, &both).unwrap();
    assert_eq!(info.reach.to_string(), "s3+one, s3+two");
    store.create_key("ana", "first", read, false, &Reach::only([id("s3+one")])).unwrap();
    let absent = store.create_key("ben", "x", read, false, &both);
    assert!(matches!(absent, Err(StoreError::NoConnection { .. })), "{absent:?}");
    let manages = store.create_key("ana", "x", read, true, &both);
    assert!(matches!(manages, Err(StoreError::Invalid(_))));
    let reaches = || {
        let keys = store.keys("ana").unwrap();
        let reach = keys.iter().map(|key| format!("{}: {}", key.id, key.reach));
        reach.collect::<Vec<_>>().join("; ")
    };

    // A change that is no change of the label leaves the keys' file alone.
    let before = files(folder.path())["user-ana.yaml"].clone();
    let one = store.change("ana", &one.identity, &one.revision, &draft("one", &["bbb/"])).unwrap();
    assert_eq!(files(folder.path())["user-ana.yaml"], before);
    let one = store.change("ana", &one.identity, &one.revision, &draft("uno", &["bbb/"])).unwrap();
    assert_eq!(reaches(), "all: all connections; both: s3+two, s3+uno; first: s3+uno");
    store.delete("ana", &two.identity, &two.revision).unwrap();
    assert_eq!(reaches(), "all: all connections; both: s3+uno; first: s3+uno");
    store.create("ana", &draft("two", &["aaa/"])).unwrap();
    assert_eq!(reaches(), "all: all connections; both: s3+uno; first: s3+uno");
    store.delete("ana", &one.identity, &one.revision).unwrap();
    assert_eq!(reaches(), "all: all connections");
}

/// The two changes were of one place, and were not made: the keys kept the name of what was gone.
#[test]
fn keys_in_one_line_are_changed_and_revoked_together() {
    let id = |id: &'static str| ConnectionId::parse(id).unwrap();
    let (folder, store) = store();
    fs::write(folder.path().join("user-ana.yaml"), "users:\n  - { name: ana, keys: [] }\n")
        .unwrap();
    let store = Store::open(store.folder(), None).unwrap();
    let one = store.create("ana", &draft("one", &["aaa/"])).unwrap();
    store.create("ana", &draft("two", &["aaa/"])).unwrap();
    for (key, reach) in [
        ("first", Reach::only([id("s3+one")])),
        ("both", Reach::only([id("s3+one"), id("s3+two")])),
        ("other", Reach::only([id("s3+one")])),
        ("all", Reach::ALL),
    ] {
        store.create_key("ana", key, AccessSet::READ_ONLY, false, &reach).unwrap();
    }
    store.delete("ana", &one.identity, &one.revision).unwrap();
    let keys = store.keys("ana").unwrap();
    let left: Vec<_> = keys.iter().map(|key| format!("{} {}", key.id, key.reach)).collect();
    assert_eq!(left, ["both s3+two", "all all connections"]);
}

/// A key of a file that could not be changed kept the name, and had whatever was called so next.
#[test]
fn a_label_that_a_key_names_is_given_to_nothing() {
    let (folder, store) = store();
    let text = format!(
        "users:\n  - name: ana\n    keys:\n      - {{ id: job, sha256: {}, access: none, connections: \
         [s3+x] }}\n",
        "ab".repeat(32)
    );
    fs::write(folder.path().join("user-ana.yaml"), text).unwrap();
    let store = Store::open(store.folder(), None).unwrap();
    let refused = store.create("ana", &draft("x", &["aaa/"]));
    assert!(matches!(refused, Err(StoreError::NamedByKey { .. })), "{refused:?}");
    let other = store.create("ana", &draft("y", &["aaa/"])).unwrap();
    let refused = store.change("ana", &other.identity, &other.revision, &draft("x", &["aaa/"]));
    assert!(matches!(refused, Err(StoreError::NamedByKey { .. })), "{refused:?}");
    // Ben's is another one.
    store.create("ben", &draft("x", &["aaa/"])).unwrap();
    store.revoke_key("ana", "job").unwrap();
    store.create("ana", &draft("x", &["aaa/"])).unwrap();
}

/// In the file of the user, a key kept the name of what was gone, for whatever is called so next.
#[test]
fn keys_end_with_their_connection_also_where_something_else_does_not_load() {
    let id = ConnectionId::parse("s3+one").unwrap();
    let (folder, store) = store();
    let one = store.create("ana", &draft("one", &["aaa/"])).unwrap();
    let reach = Reach::only([id]);
    store.create_key("ana", "job", AccessSet::READ_ONLY, false, &reach).unwrap();
    store.create_key("ana", "all", AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
    fs::write(folder.path().join("ben.yaml"), "connections: [").unwrap();
    store.delete("ana", &one.identity, &one.revision).unwrap();
    let served = store.keys("ana").unwrap();
    assert_eq!(served.iter().map(|key| &*key.id).collect::<Vec<_>>(), ["all"]);
    let left = files(folder.path());
    assert_eq!(left.keys().collect::<Vec<_>>(), ["ben.yaml", "user-ana.yaml"]);
    assert!(!left["user-ana.yaml"].contains("job") && left["user-ana.yaml"].contains("id: all"));
}

#[test]
fn keys_and_connections_of_one_file_change_together_and_keep_what_is_between() {
    let hash = |digit: &str| digit.repeat(64);
    let (a, b, c) = (hash("a"), hash("b"), hash("c"));
    let before = format!(
        "# All.\nconnections:\n  - id: s3+x # the one\n    owner: ana\n  - id: s3+y\n    owner: ana\nusers:\n  - \
         name: ana\n    keys:\n      # Hers.\n      - id: a\n        sha256: {a}\n        access: none\n        \
         connections: # those\n          - S3+x # x\n          - s3+y\n      - {{ id: b, sha256: {b}, access: none, \
         connections: [s3+x] }}\n      - {{ id: c, sha256: {c}, access: none }}\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.yaml");
    fs::write(&file, &before).unwrap();
    let store = Store::open(folder.path(), None).unwrap();
    let find = |id| store.find("ana", &ConnectionId::parse(id).unwrap()).unwrap();
    let x = find("s3+x");
    let draft = pathward::store::Draft { label: "z".to_owned(), ..x.draft() };
    store.change("ana", &x.identity, &x.revision, &draft).unwrap();
    let renamed = before
        .replace("S3+x", "s3+z")
        .replace("id: s3+x", "id: \"s3+z\"")
        .replace("[s3+x]", "[s3+z]");
    assert_eq!(fs::read_to_string(&file).unwrap(), renamed);
    let z = find("s3+z");
    store.delete("ana", &z.identity, &z.revision).unwrap();
    let gone = format!("      - {{ id: b, sha256: {b}, access: none, connections: [s3+z] }}\n");
    let left = renamed
        .replace("  - id: \"s3+z\" # the one\n    owner: ana\n", "")
        .replace("          - s3+z # x\n", "")
        .replace(&gone, "");
    assert_eq!(fs::read_to_string(&file).unwrap(), left);
}

#[test]
fn who_listens_has_heard_of_a_revocation_when_it_returns() {
    let (_folder, store) = store();
    store.create_key("ana", "a", AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
    let keys = Arc::new(AtomicUsize::new(9));
    let heard = Arc::clone(&keys);
    store.on_change(Box::new(move |snapshot| {
        let count = snapshot.policy().users().iter().map(|user| user.keys.len()).sum();
        heard.store(count, Ordering::SeqCst);
    }));
    store.create_key("ana", "b", AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
    assert_eq!(keys.load(Ordering::SeqCst), 2);
    store.revoke_key("ana", "a").unwrap();
    assert_eq!(keys.load(Ordering::SeqCst), 1);
}

/// Only the users are read: whatever others have in the store is neither compiled nor has to load.
#[test]
fn a_key_is_revoked_without_loading_the_store() {
    let (folder, store) = store();
    for id in ["a", "b", "c", "d", "last"] {
        let user = if id == "last" { "ben" } else { "ana" };
        store.create_key(user, id, AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
    }
    let revoke = |user: &str, id: &str| Store::revoke_key_in(folder.path(), user, id);
    let left = || ids(folder.path()).join(" ");
    revoke("ana", "a").unwrap();
    assert_eq!(left(), "b c d last");
    for (user, id) in [("ana", "a"), ("nobody", "b"), ("ben", "b")] {
        assert!(matches!(revoke(user, id), Err(StoreError::Missing)), "{user} {id}");
    }
    // What takes long to compile takes no part in it.
    let heavy = heavy(2_000);
    fs::write(folder.path().join("mallory.yaml"), heavy).unwrap();
    let began = Instant::now();
    drop(Store::open(folder.path(), None).unwrap());
    let (opened, began) = (began.elapsed(), Instant::now());
    revoke("ana", "b").unwrap();
    let revoked = began.elapsed();
    println!("opened in {opened:?}, revoked in {revoked:?}");
    assert!(revoked * 2 < opened, "{revoked:?} of {opened:?}");
    // Nor what does not load, be it read as far as its users or not at all.
    for text in ["connections: [{ id: s3+x, owner: ana, dney: [x] }]\n", "connections: [\n"] {
        let id = if text.len() > 20 { "c" } else { "d" };
        fs::write(folder.path().join("mallory.yaml"), text).unwrap();
        revoke("ana", id).unwrap();
        assert!(!left().contains(id), "{text}");
    }
    fs::remove_file(folder.path().join("mallory.yaml")).unwrap();
    revoke("ben", "last").unwrap();
    assert_eq!(left(), "");
    assert!(matches!(revoke("ben", "last"), Err(StoreError::Missing)));
}

/// The ids of all keys, as the files have them.
fn ids(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.filter(|path| path.extension().is_some_and(|end| end == "yaml"));
    let texts: String = texts.map(|path| fs::read_to_string(path).unwrap()).collect();
    let keys = texts.lines().filter_map(|line| line.trim().strip_prefix("- { id: "));
    let mut ids: Vec<_> = keys.filter_map(|key| Some(key.split(',').next()?.to_owned())).collect();
    ids.sort();
    ids
}
