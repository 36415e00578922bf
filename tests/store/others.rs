//! What those do who do not take the lock, and what is broken beside what is changed.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use pathward::{
    AccessSet, Reach,
    store::{Draft, DraftRule, Store, StoreError},
};

use super::{draft, files, store};

/// Waits for a second at most until it is so.
fn soon(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(2), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn keys(store: &Store, user: &str) -> usize {
    store.keys(user).unwrap().len()
}

#[test]
fn a_key_is_revoked_beside_a_file_that_does_not_load() {
    let (folder, store) = store();
    for id in ["a", "b", "c"] {
        store.create_key("ana", id, AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
    }
    let made = store.create("ana", &draft("x", &["aaa/*"])).unwrap();
    fs::write(folder.path().join("wrong.yaml"), "connections: [").unwrap();
    store.revoke_key("ana", "a").unwrap();
    assert_eq!(keys(&store, "ana"), 2);
    let text = || files(folder.path())["user-ana.yaml"].clone();
    assert!(!text().contains("id: a,") && text().contains("id: b,"), "{}", text());
    assert!(store.snapshot().invalid().is_some_and(|why| why.contains("wrong.yaml")));
    store.delete("ana", &made.identity, &made.revision).unwrap();
    assert!(!made.file.exists() && store.list("ana").unwrap().is_empty());
    // Of one that has seen nothing that loads, such as the command.
    let other = Store::open_as_is(folder.path(), None).unwrap();
    other.revoke_key("ana", "b").unwrap();
    assert!(!text().contains("id: b,"));
    // Its own file does not load: it would come back with it.
    let good = text();
    fs::write(folder.path().join("user-ana.yaml"), format!("{good}oops: 1\n")).unwrap();
    assert!(matches!(store.revoke_key("ana", "c"), Err(StoreError::Broken(_))));
    // What gives more is not done.
    assert!(store.create_key("ben", "a", AccessSet::READ_ONLY, false, &Reach::ALL).is_err());
    assert!(matches!(store.revoke_key("cleo", "a"), Err(StoreError::Broken(_))));
    fs::write(folder.path().join("user-ana.yaml"), good).unwrap();
    fs::remove_file(folder.path().join("wrong.yaml")).unwrap();
    store.revoke_key("ana", "c").unwrap();
    assert!(store.snapshot().invalid().is_none());
    assert_eq!(keys(&store, "ana"), 0);
}

/// Somebody else follows the store, as a gateway does. Whatever is broken beside it, what is gone is gone for
/// them too; and what is not gone stays, and nothing is added.
#[test]
fn what_is_gone_is_not_served_beside_a_file_that_does_not_load() {
    let twice = "connections:\n  - { id: s3+y, owner: ana, restrictions: [bbb/] }\n";
    for wrong in ["connections: [", "connections: [{ id: s3+x }]\n", twice, "plain text\n"] {
        let (folder, store) = store();
        let ids = ["a", "b", "c", "d"];
        for id in ids {
            store.create_key("ana", id, AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
        }
        store.create_key("ben", "a", AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
        let [one, _other] =
            ["x", "y"].map(|label| store.create("ana", &draft(label, &["aaa/*"])).unwrap());
        let gateway = Store::open(folder.path(), None).unwrap();
        let _follower = gateway.follow().unwrap();
        fs::write(folder.path().join("wrong.yaml"), wrong).unwrap();
        soon(wrong, || gateway.snapshot().invalid().is_some());
        Store::revoke_key_in(folder.path(), "ana", "b").unwrap();
        soon("a key that is revoked", || keys(&gateway, "ana") == 3);
        store.delete("ana", &one.identity, &one.revision).unwrap();
        soon("a connection that is removed", || gateway.list("ana").unwrap().len() == 1);
        // By hand: of a file that does not load itself nothing is taken, nor is what another has now.
        let path = folder.path().join("user-ana.yaml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}oops: 1\n")).unwrap();
        fs::rename(folder.path().join("user-ben.yaml"), folder.path().join("ben.yaml")).unwrap();
        let more = "connections:\n  - { id: s3+z, owner: ana, restrictions: [bbb/] }\n";
        fs::write(folder.path().join("more.yaml"), more).unwrap();
        soon("what is wrong with it", || {
            gateway.snapshot().invalid().is_some_and(|why| why.contains("user-ana.yaml"))
        });
        assert_eq!((keys(&gateway, "ana"), keys(&gateway, "ben")), (3, 1), "{wrong}");
        assert_eq!(gateway.list("ana").unwrap().len(), 1);
        fs::remove_file(&path).unwrap();
        fs::remove_file(folder.path().join("ben.yaml")).unwrap();
        let has_user = |name: &str| {
            gateway
                .snapshot()
                .policy()
                .users()
                .iter()
                .any(|user| *user.name == *name && !user.keys.is_empty())
        };
        soon("whole files", || !has_user("ana") && !has_user("ben"));
        assert!(gateway.snapshot().invalid().is_some());
        fs::remove_file(folder.path().join("wrong.yaml")).unwrap();
        soon("all of it loads", || gateway.snapshot().invalid().is_none());
        assert_eq!(gateway.list("ana").unwrap().len(), 2);
    }
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_reported_and_followed_again() {
    let (folder, store) = store();
    store.create("ana", &draft("x", &["aaa/*"])).unwrap();
    let _follower = store.follow().unwrap();
    let away = folder.path().with_extension("away");
    fs::rename(folder.path(), &away).unwrap();
    let invalid = || store.snapshot().invalid().map(str::to_owned).unwrap_or_default();
    soon("the folder is gone", || invalid().starts_with("cannot be read: "));
    assert_eq!(store.list("ana").unwrap().len(), 1);
    fs::rename(&away, folder.path()).unwrap();
    soon("it is there again", || invalid().is_empty());
    // A journal that is none keeps nothing from being read.
    let journal = folder.path().join(".pathward.journal");
    fs::create_dir(&journal).unwrap();
    soon("the journal", || invalid().contains(".pathward.journal"));
    assert_eq!(Store::open(folder.path(), None).unwrap().list("ana").unwrap().len(), 1);
    fs::write(folder.path().join("y.yaml"), "connections: [{ id: s3+y, owner: ana }]\n").unwrap();
    soon("what is beside it", || store.list("ana").unwrap().len() == 2);
    soon("the journal", || invalid().contains(".pathward.journal"));
    fs::remove_dir(&journal).unwrap();
    soon("no journal", || invalid().is_empty());
}

#[cfg(unix)]
#[test]
fn names_and_files_that_no_policy_has_are_reported_by_name() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, os::unix::fs::symlink};

    let (folder, store) = store();
    store.create("ana", &draft("x", &["aaa/*"])).unwrap();
    let _follower = store.follow().unwrap();
    let invalid = || store.snapshot().invalid().map(str::to_owned).unwrap_or_default();
    let text = "connections: [{ id: s3+y, owner: ana }]\n";
    for (name, shown) in [(&b"a\\ana-x.yaml"[..], "ana-x.yaml"), (b"\xff.yaml", "not UTF-8")] {
        let path = folder.path().join(OsStr::from_bytes(name));
        fs::write(&path, text).unwrap();
        soon(shown, || invalid().contains(shown));
        assert_eq!(store.list("ana").unwrap().len(), 1);
        fs::remove_file(&path).unwrap();
        soon("it is gone", || invalid().is_empty());
    }
    // A pipe would be waited for.
    let pipe = folder.path().join("pipe.yaml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    soon("a pipe", || invalid().contains("pipe.yaml"));
    assert!(matches!(Store::open(folder.path(), None), Err(StoreError::Broken(_))));
    fs::remove_file(&pipe).unwrap();
    let link = folder.path().join("link.yaml");
    symlink("nowhere", &link).unwrap();
    soon("a link", || invalid().contains("link.yaml"));
    store.create_key("ana", "a", AccessSet::NONE, false, &Reach::ALL).unwrap_err();
    fs::remove_file(&link).unwrap();
    soon("nothing", || invalid().is_empty());
}

#[cfg(unix)]
#[test]
fn what_is_made_is_for_the_owner_alone_and_stays_whose_it_was() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

    let outside = tempfile::tempdir().unwrap();
    let path = outside.path().join("a/store");
    let store = Store::open(&path, None).unwrap();
    let made = store.create("ana", &draft("x", &["aaa/*"])).unwrap();
    let mode = |name: &str| fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode(".pathward.lock")), (0o700, 0o600));
    store.create_key("ana", "job", AccessSet::NONE, false, &Reach::ALL).unwrap();
    let files = [made.file.file_name().unwrap().to_str().unwrap(), "user-ana.yaml"].map(mode);
    assert_eq!(files, [0o600, 0o600]);
    // A folder that a group may enter is one that the group may read.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
    store.create_key("ben", "job", AccessSet::NONE, false, &Reach::ALL).unwrap();
    assert_eq!(mode("user-ben.yaml") & 0o137, 0, "{:o}", mode("user-ben.yaml"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let ignored = fs::read_to_string(path.join(".gitignore")).unwrap();
    assert!(ignored.contains(".pathward.*\n") && ignored.contains(".*.store\n"));
    // As the superuser, who may: as anyone else, it is one's own and stays so.
    let is_root = chown(&made.file, Some(1234), Some(1235)).is_ok();
    fs::set_permissions(&made.file, fs::Permissions::from_mode(0o600)).unwrap();
    let before = fs::metadata(&made.file).unwrap();
    store.change("ana", &made.identity, &made.revision, &draft("x", &["bbb/*"])).unwrap();
    let after = fs::metadata(&made.file).unwrap();
    assert_ne!(before.ino(), after.ino());
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    assert_eq!(after.mode() & 0o777, 0o600);
    assert!(!is_root || after.uid() == 1234);
    if is_root {
        chown(&path, Some(1234), Some(1235)).unwrap();
        fs::remove_file(path.join(".pathward.lock")).unwrap();
        let new = store.create("ana", &draft("y", &["aaa/*"])).unwrap();
        for file in [new.file, path.join(".pathward.lock")] {
            assert_eq!(fs::metadata(&file).unwrap().uid(), 1234, "{}", file.display());
        }
    }
}

#[test]
fn names_of_users_that_differ_in_case_or_are_long_have_files_of_their_own() {
    let (folder, store) = store();
    let long = "é".repeat(64);
    for name in ["ana", "Ana", &long] {
        store.create_user(name).unwrap();
    }
    let names: Vec<String> =
        files(folder.path()).into_keys().map(|name| name.to_ascii_lowercase()).collect();
    assert!(names.contains(&"user-ana.yaml".to_owned()) && names.len() == 3, "{names:?}");
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), 3, "{names:?}");
    assert_eq!(Store::open(folder.path(), None).unwrap().users().len(), 3);
}

#[cfg(unix)]
#[test]
fn a_lock_that_was_taken_away_is_made_again() {
    let (folder, store) = store();
    store.create("ana", &draft("x", &["aaa/*"])).unwrap();
    let path = folder.path().join(".pathward.lock");
    // Someone has the lock; its file is taken away, and another has the new one.
    let old = fs::File::options().write(true).open(&path).unwrap();
    old.lock().unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| store.create("ana", &draft("y", &["aaa/*"])));
        thread::sleep(Duration::from_millis(200));
        fs::remove_file(&path).unwrap();
        let new = fs::File::create_new(&path).unwrap();
        new.lock().unwrap();
        drop(old);
        thread::sleep(Duration::from_millis(300));
        assert!(!waiting.is_finished(), "it wrote while another had the lock");
        drop(new);
        waiting.join().unwrap().unwrap();
    });
}

/// Whoever takes a right away waits for the lock: it is not held while somebody else's change is compiled.
#[test]
fn a_change_that_takes_long_keeps_nobody_from_writing() {
    let (folder, store) = store();
    store.create_user("ana").unwrap();
    let text = |n| format!("logs/{{app,web,db,api}}{n}/**/part-{n}-*.{{gz,zst}}");
    let glob = |n| DraftRule { glob: true, ..DraftRule::path(text(n)) };
    let mut draft = Draft::new("heavy");
    draft.restrictions = Some((0..200).map(glob).collect());
    let lock = fs::File::open(folder.path().join(".pathward.lock")).unwrap();
    let (took, longest) = thread::scope(|scope| {
        let change = scope.spawn(|| {
            let began = Instant::now();
            store.create("mallory", &draft).unwrap();
            began.elapsed()
        });
        let (mut longest, mut since) = (Duration::ZERO, None);
        while !change.is_finished() {
            match lock.try_lock_shared() {
                Ok(()) => {
                    lock.unlock().unwrap();
                    since = None;
                }
                Err(_) => longest = longest.max(since.get_or_insert_with(Instant::now).elapsed()),
            }
            thread::sleep(Duration::from_millis(1));
        }
        (change.join().unwrap(), longest)
    });
    assert!(longest < took / 5, "{longest:?} of {took:?}");
}
