//! Changes that others make: taken within a second, whole or not at all.

use std::{
    fs,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use pathward::{AccessSet, Reach, store::Store};

use super::{draft, heavy, store};

/// Waits until it is so; returns how long that took.
fn within(limit: Duration, what: &str, is_so: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < limit, "{what} took more than {limit:?}");
        thread::sleep(Duration::from_millis(5));
    }
    began.elapsed()
}

fn count(store: &Store) -> usize {
    store.snapshot().policy().connections().len()
}

fn put(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_another_process_or_an_editor_writes_is_taken_within_a_second() {
    let (folder, store) = store();
    let _follower = store.follow().unwrap();
    let other = Store::open(folder.path(), None).unwrap();
    let made = other.create("ana", &draft("x", &["aaa/*"])).unwrap();
    within(SECOND, "another store's change", || count(&store) == 1);
    put(folder.path(), "hand.yaml", "connections: [{ id: s3+y, owner: ana }]\n");
    within(SECOND, "an editor's change", || count(&store) == 2);
    // The same size, within the same tick of the clock as can be.
    put(folder.path(), "hand.yaml", "connections: [{ id: s3+z, owner: ana }]\n");
    let id = pathward::ConnectionId::parse("s3+z").unwrap();
    within(SECOND, "a change of the same size", || store.find("ana", &id).is_ok());
    fs::remove_file(folder.path().join("hand.yaml")).unwrap();
    within(SECOND, "a file that goes", || count(&store) == 1);
    other.delete("ana", "ana-x", &made.revision).unwrap();
    within(SECOND, "the last file that goes", || count(&store) == 0);
}

/// Whatever somebody else has, it takes no longer to take a right away: files that did not change are neither
/// read nor compiled again. A policy of 3,000 globs kept a revoked key valid for two seconds and more.
#[test]
fn a_change_of_one_file_compiles_no_other() {
    let (folder, store) = store();
    let heavy = heavy(300);
    put(folder.path(), "mallory.yaml", &heavy);
    let _follower = store.follow().unwrap();
    within(20 * SECOND, "the heavy one", || count(&store) == 1);
    let heavy = Arc::clone(&store.snapshot().policy().connections()[0]);
    let is_kept = || {
        let now = store.snapshot();
        now.policy().connections().iter().any(|one| Arc::ptr_eq(one, &heavy))
    };
    // What another process changes, an editor, and the store itself.
    let other = Store::open(folder.path(), None).unwrap();
    other.create_key("ana", "k", AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
    within(SECOND, "a key", || !store.snapshot().policy().users().is_empty());
    assert!(is_kept());
    other.revoke_key("ana", "k").unwrap();
    let keys =
        || store.snapshot().policy().users().iter().map(|user| user.keys.len()).sum::<usize>();
    within(SECOND, "a revocation", || keys() == 0);
    assert!(is_kept());
    put(folder.path(), "hand.yaml", "connections: [{ id: s3+y, owner: bob }]\n");
    within(SECOND, "an editor's change", || count(&store) == 2);
    assert!(is_kept());
    store.create("ana", &draft("x", &["aaa/*"])).unwrap();
    assert!(count(&store) == 3 && is_kept());
    // What does not load, and loads again.
    put(folder.path(), "hand.yaml", "connections: [{ id: s3+x, owner: ana }]\n");
    within(SECOND, "what is twice", || store.snapshot().invalid().is_some());
    fs::remove_file(folder.path().join("hand.yaml")).unwrap();
    within(SECOND, "what is right again", || store.snapshot().invalid().is_none());
    assert!(count(&store) == 2 && is_kept());
}

#[test]
fn what_does_not_load_keeps_the_last_good_revision_and_is_reported() {
    let (folder, store) = store();
    let _follower = store.follow().unwrap();
    store.create("ana", &draft("x", &["aaa/*"])).unwrap();
    let good = store.snapshot();
    put(folder.path(), "wrong.yaml", "connections:\n  - id: s3+y\n    owner: ana\n    dney: [x]\n");
    within(SECOND, "what is wrong", || store.snapshot().invalid().is_some());
    let now = store.snapshot();
    assert!(now.invalid().unwrap().contains("wrong.yaml:4"), "{:?}", now.invalid());
    assert_eq!(now.policy().revision(), good.policy().revision());
    assert_eq!(store.list("ana").unwrap().len(), 1);
    // Two of one label, which each file alone does not show.
    put(folder.path(), "wrong.yaml", "connections:\n  - id: s3+x\n    owner: ana\n");
    within(SECOND, "what is twice", || {
        store.snapshot().invalid().is_some_and(|why| why.contains("twice"))
    });
    put(folder.path(), "wrong.yaml", "connections:\n  - id: s3+y\n    owner: ana\n");
    within(SECOND, "what is right again", || store.snapshot().invalid().is_none());
    assert_eq!(count(&store), 2);
}

/// An editor that writes in place, slowly: what is read in between would load, and allow more.
#[test]
fn a_file_that_is_being_written_is_not_taken_before_it_is_whole() {
    let (folder, store) = store();
    let whole = "connections:\n  - id: s3+x\n    owner: ana\n    restrictions:\n      - aaa/*\n    deny:\n      - aaa/secret/\n";
    put(folder.path(), "x.yaml", whole);
    let _follower = store.follow().unwrap();
    within(SECOND, "the first", || count(&store) == 1);
    let file = fs::File::create(folder.path().join("x.yaml")).unwrap();
    let changed = whole.replace("aaa/*", "bbb/*");
    for part in changed.as_bytes().chunks(4) {
        std::io::Write::write_all(&mut &file, part).unwrap();
        thread::sleep(Duration::from_millis(30));
        let snapshot = store.snapshot();
        assert!(snapshot.invalid().is_none());
        assert_eq!(snapshot.policy().connections()[0].rules().len(), 2);
    }
    let text = || store.list("ana").unwrap()[0].draft().restrictions.unwrap()[0].text.clone();
    within(SECOND, "the whole", || text() == "bbb/*");
}
