//! What a store does and refuses.

use std::{fs, thread};

use pathward::{
    AccessSet, ConnectionId,
    store::{Draft, DraftRule, Store, StoreError},
};

use super::{draft, files, store};

#[test]
fn a_connection_is_made_renamed_and_deleted() {
    let (folder, store) = store();
    let made = store.create("steph", &draft("saha", &["Algorithmia/*"])).unwrap();
    assert_eq!(made.identity, "steph-saha");
    assert_eq!(
        files(folder.path())["steph-saha.yaml"],
        "connections:\n  - id: \"s3+saha\"\n    owner: steph\n    access: read-only\n    \
         restrictions:\n      - Algorithmia/*\n"
    );
    let mut renamed = made.draft();
    renamed.label = "reports".into();
    let after = store.change("steph", &made.identity, &made.revision, &renamed).unwrap();
    assert_eq!(after.identity, made.identity);
    assert_ne!(after.revision, made.revision);
    assert!(store.find("steph", &ConnectionId::parse("s3+saha").unwrap()).is_err());
    // What says the same is no change.
    let same = store.change("steph", &after.identity, &after.revision, &after.draft()).unwrap();
    assert_eq!(same.revision, after.revision);
    store.delete("steph", &after.identity, &after.revision).unwrap();
    assert!(files(folder.path()).is_empty());
    assert!(store.snapshot().policy().connections().is_empty());
}

#[test]
fn a_change_that_was_decided_on_an_older_revision_is_a_conflict() {
    let (_folder, store) = store();
    let made = store.create("ana", &draft("x", &["aaa/*"])).unwrap();
    let other = Store::open(store.folder(), None).unwrap();
    let after = other.change("ana", "ana-x", &made.revision, &draft("x", &["bbb/*"])).unwrap();
    for result in [
        store.change("ana", "ana-x", &made.revision, &draft("x", &["ccc/*"])).map(drop),
        store.delete("ana", "ana-x", &made.revision),
        store.make_default("ana", "ana-x", &made.revision).map(drop),
    ] {
        match result {
            Err(StoreError::Conflict { current }) => assert_eq!(current, after.revision),
            other => panic!("{other:?}"),
        }
    }
    let again = Store::open(store.folder(), None).unwrap();
    let text = again.list("ana").unwrap()[0].draft().restrictions.unwrap()[0].text.clone();
    assert_eq!(text, "bbb/*");
}

#[test]
fn a_label_and_the_default_are_each_owners_own() {
    let (_folder, store) = store();
    let mut first = draft("x", &["aaa/*"]);
    first.is_default = true;
    store.create("ana", &first).unwrap();
    assert!(matches!(store.create("ana", &draft("x", &["bbb/*"])), Err(StoreError::Taken { .. })));
    let mut second = draft("y", &["aaa/*"]);
    second.is_default = true;
    assert!(matches!(store.create("ana", &second), Err(StoreError::Taken { .. })));
    second.is_default = false;
    let second = store.create("ana", &second).unwrap();
    let mut renamed = second.draft();
    renamed.label = "x".into();
    let taken = store.change("ana", &second.identity, &second.revision, &renamed);
    assert!(matches!(taken, Err(StoreError::Taken { what: "the label" })), "{taken:?}");
    // Another owner has their own; and labels that differ in case alone are two, in two files.
    store.create("ben", &first).unwrap();
    let upper = store.create("ana", &draft("X", &["bbb/*"])).unwrap();
    assert_eq!(upper.identity, "ana-X-2");
    // What is another's is not there.
    assert!(matches!(store.get("ben", "ana-x"), Err(StoreError::Missing)));
    assert!(matches!(
        store.delete("ben", &second.identity, &second.revision),
        Err(StoreError::Missing)
    ));
}

#[test]
fn the_default_moves_from_one_file_to_another() {
    let (folder, store) = store();
    let mut first = draft("x", &["aaa/*"]);
    first.is_default = true;
    store.create("ana", &first).unwrap();
    let second = store.create("ana", &draft("y", &["aaa/*"])).unwrap();
    let now = store.make_default("ana", &second.identity, &second.revision).unwrap();
    assert!(now.connection.is_default());
    let bare = ConnectionId::parse("s3").unwrap();
    assert_eq!(store.find("ana", &bare).unwrap().identity, second.identity);
    assert!(!folder.path().join(".pathward.journal").exists());
}

#[test]
fn a_change_of_two_files_that_was_interrupted_is_finished() {
    let (folder, store) = store();
    store.create("ana", &draft("x", &["aaa/*"])).unwrap();
    // As a process leaves it that is killed once the journal is on the disk.
    let other = "connections:\n  - id: s3+x\n    owner: ana\n    restrictions: [bbb]\n";
    let bytes = base64(other.as_bytes());
    let journal = format!("{{\"files\":{{\"ana-x.yaml\":\"{bytes}\",\"gone.yaml\":null}}}}");
    fs::write(folder.path().join(".pathward.journal"), journal).unwrap();
    fs::write(folder.path().join(".pathward.new"), "half of someth").unwrap();
    let again = Store::open(folder.path(), None).unwrap();
    assert_eq!(again.list("ana").unwrap()[0].draft().restrictions.unwrap()[0].text, "bbb");
    assert!(!folder.path().join(".pathward.journal").exists());
    // The other store sees it before it changes anything.
    let old = store.get("ana", "ana-x").unwrap();
    assert!(matches!(
        store.delete("ana", "ana-x", &old.revision),
        Err(StoreError::Conflict { .. })
    ));
}

/// It wrote over what somebody had written into one of the files since.
#[test]
fn a_change_that_was_interrupted_is_not_finished_over_a_later_one() {
    let (folder, store) = store();
    let [one, two] =
        ["one", "two"].map(|label| store.create("ana", &draft(label, &["aaa/*"])).unwrap());
    let text = |label: &str, path: &str| {
        format!("connections:\n  - id: s3+{label}\n    owner: ana\n    restrictions: [{path}]\n")
    };
    let journal = format!(
        "{{\"files\":{{\"ana-one.yaml\":\"{}\",\"ana-two.yaml\":\"{}\"}},\"before\":{{\"ana-one.yaml\":\"{}\",\"ana-two.yaml\":\"{}\"}}}}",
        base64(text("one", "new").as_bytes()),
        base64(text("two", "new").as_bytes()),
        one.revision,
        two.revision,
    );
    fs::write(folder.path().join("ana-two.yaml"), text("two", "by-hand")).unwrap();
    fs::write(folder.path().join(".pathward.journal"), journal).unwrap();
    let again = Store::open(folder.path(), None).unwrap();
    let restriction = |label: &str| {
        let id = ConnectionId::parse(label).unwrap();
        again.find("ana", &id).unwrap().draft().restrictions.unwrap()[0].text.clone()
    };
    assert_eq!([restriction("s3+one"), restriction("s3+two")], ["new", "by-hand"]);
    assert!(!folder.path().join(".pathward.journal").exists());
}

/// Without the part that somebody changed since, the rest made a second default, and nothing loaded.
#[test]
fn a_change_that_was_interrupted_is_left_where_it_would_not_load() {
    let (folder, store) = store();
    let defaults = |label: &str| Draft { is_default: true, ..draft(label, &["aaa/*"]) };
    let one = store.create("ana", &defaults("one")).unwrap();
    let two = store.create("ana", &draft("two", &["aaa/*"])).unwrap();
    let path = |name: &str| folder.path().join(name);
    let now = |name: &str| fs::read_to_string(path(name)).unwrap();
    let without = now("ana-one.yaml").replace("    default: true\n", "");
    let with =
        now("ana-two.yaml").replace("    owner: ana\n", "    owner: ana\n    default: true\n");
    assert!(without != now("ana-one.yaml") && with != now("ana-two.yaml"));
    let journal = format!(
        "{{\"files\":{{\"ana-one.yaml\":\"{}\",\"ana-two.yaml\":\"{}\"}},\"before\":{{\"ana-one.yaml\":\"{}\",\"ana-two.yaml\":\"{}\"}}}}",
        base64(without.as_bytes()),
        base64(with.as_bytes()),
        one.revision,
        two.revision,
    );
    let by_hand = now("ana-one.yaml").replace("aaa/*", "by-hand/");
    fs::write(path("ana-one.yaml"), &by_hand).unwrap();
    fs::write(path(".pathward.journal"), &journal).unwrap();
    let again = Store::open(folder.path(), None).unwrap();
    let bare = ConnectionId::parse("s3").unwrap();
    let default = again.find("ana", &bare).unwrap();
    assert_eq!((&*default.identity, now("ana-one.yaml")), ("ana-one", by_hand));
    // Nothing of it is lost, and nothing is in the way.
    assert_eq!(now(".pathward.journal.aside"), journal);
    assert!(!path(".pathward.journal").exists());
    again.make_default("ana", "ana-two", &two.revision).unwrap();
    assert_eq!(again.find("ana", &bare).unwrap().identity, "ana-two");
}

fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        for n in 0..4 {
            let sign = SIGNS[(bits >> (18 - 6 * n) & 63) as usize] as char;
            text.push(if n <= three.len() { sign } else { '=' });
        }
    }
    text
}

#[test]
fn what_is_no_connection_is_refused_with_its_field_and_row() {
    let (folder, store) = store();
    let mut draft = draft("a b", &["fine/*", "/no", "fine"]);
    draft.endpoint = Some("s3.example".into());
    draft.deny = vec![DraftRule::path("xxx/*"), DraftRule::path("a\\b")];
    assert!(matches!(store.create("ana", &draft), Err(StoreError::Invalid(_))));
    assert!(files(folder.path()).is_empty());
    let problems = draft.problems("ana");
    let places: Vec<_> = problems.iter().map(|problem| (problem.field, problem.row)).collect();
    assert_eq!(
        places,
        [("id", None), ("endpoint", None), ("restrictions", Some(1)), ("deny", Some(1))]
    );
    assert_eq!(draft.row_of(2), Some(("restrictions", 2)));
    assert_eq!(draft.row_of(4), Some(("deny", 1)));
    let mut all = Draft::new("all");
    all.deny = vec![DraftRule::path("xxx/*")];
    assert_eq!((all.row_of(0), all.row_of(1)), (None, Some(("deny", 0))));
}

/// Texts that YAML, a terminal or a file system could take for something else.
#[test]
fn hostile_texts_stay_texts() {
    let hostile = [
        "a: b",
        "- x",
        "*",
        "&a",
        "!t",
        "#c",
        "a #b",
        "\"",
        "'",
        "\\\\",
        "a\nb",
        "a\r\nb",
        "{a}",
        "[a]",
        "null",
        "~",
        "true",
        "1e3",
        "a/../b",
        "\u{202e}x",
        "é/ü",
        "%0a",
        "\u{0}",
        "a\tb",
        "---",
        "...",
        "? a",
        "|",
        ">",
        "@x",
        "`x",
        " a",
        "a ",
        "",
    ];
    let (folder, store) = store();
    let mut made = 0;
    for (n, text) in hostile.into_iter().enumerate() {
        for (path, owner) in [(text, "ana"), ("fine/*", text)] {
            let mut draft = draft(&format!("l{n}"), &[path]);
            draft.region = n.is_multiple_of(2).then(|| "eu".to_owned());
            match store.create(owner, &draft) {
                Ok(stored) => {
                    made += 1;
                    assert_eq!(stored.connection.owner(), owner);
                    let rules = stored.draft().restrictions.unwrap();
                    assert_eq!((rules.len(), &*rules[0].text), (1, path));
                }
                Err(StoreError::Invalid(_)) => {}
                Err(error) => panic!("{text:?}: {error}"),
            }
            for (label, region) in [(text, "eu"), ("l", text)] {
                let mut odd = super::draft(label, &["aaa/*"]);
                odd.region = Some(region.to_owned());
                odd.endpoint = Some(text.to_owned());
                if let Ok(policy) = odd.check("ana") {
                    assert_eq!(policy.connections().len(), 1);
                    assert_eq!(policy.connections()[0].region(), Some(region));
                }
            }
        }
    }
    assert!(made > 30, "{made}");
    // Nothing got out of the folder, and all of it loads.
    let again = Store::open(folder.path(), None).unwrap();
    assert_eq!(again.snapshot().policy().connections().len(), made);
}

/// A connection's identity told of another owner's by a `-2` behind it.
#[test]
fn an_identity_tells_nothing_of_another_owners_connections() {
    let owners = ["a", "a-b", "A-B", "a b", "a_b", "ab", "user", "a-", "a~b", "a=b"];
    let labels = ["c", "b-c", "-c", "b~c", "test", "c-2"];
    let (folder, all) = store();
    for owner in owners {
        let (_alone, alone) = store();
        for label in labels {
            let Ok(made) = alone.create(owner, &draft(label, &["aaa"])) else { continue };
            let same = all.create(owner, &draft(label, &["aaa"])).unwrap();
            assert_eq!(same.identity, made.identity, "{owner} {label}");
            // It stays when the label changes.
            let other = draft(&format!("{label}x"), &["aaa"]);
            let renamed = alone.change(owner, &made.identity, &made.revision, &other).unwrap();
            assert_eq!(renamed.identity, made.identity, "{owner} {label}");
            alone.delete(owner, &renamed.identity, &renamed.revision).unwrap();
        }
    }
    let again = Store::open(folder.path(), None).unwrap();
    assert_eq!(again.snapshot().policy().connections().len(), owners.len() * (labels.len() - 1));
}

#[test]
fn a_connection_is_not_taken_for_a_user_or_a_test() {
    let (folder, store) = store();
    store.create("user", &draft("ana", &["aaa/*"])).unwrap();
    store.create("ana", &draft("x.test", &["aaa/*"])).unwrap();
    store.create_user("ana").unwrap();
    store.create_user("x.test").unwrap();
    let names: Vec<_> = files(folder.path()).into_keys().collect();
    assert_eq!(
        names,
        ["ana-x-test.yaml", "user-782e74657374.yaml", "user-ana.yaml", "user=ana.yaml"]
    );
    let again = Store::open(folder.path(), None).unwrap();
    assert_eq!(again.snapshot().policy().connections().len(), 2);
    assert_eq!(again.users().len(), 2);
}

#[test]
fn two_who_edit_at_once_lose_nothing() {
    const EACH: usize = 40;
    let (folder, first) = store();
    let made = first.create("ana", &draft("x", &["start"])).unwrap();
    let mut conflicts = 0;
    thread::scope(|scope| {
        let editors: Vec<_> = ["l", "r"]
            .map(|side| {
                let folder = folder.path();
                let identity = &made.identity;
                scope.spawn(move || {
                    // A store of its own, as another process has it.
                    let mut conflicts = 0;
                    for n in 0..EACH {
                        loop {
                            let store = Store::open(folder, None).unwrap();
                            let stored = store.get("ana", identity).unwrap();
                            let mut draft = stored.draft();
                            let rules = draft.restrictions.as_mut().unwrap();
                            rules.push(DraftRule::path(format!("side-{side}/{n}")));
                            match store.change("ana", identity, &stored.revision, &draft) {
                                Ok(_) => break,
                                Err(StoreError::Conflict { .. }) => conflicts += 1,
                                Err(error) => panic!("{error}"),
                            }
                        }
                    }
                    conflicts
                })
            })
            .into_iter()
            .collect();
        conflicts = editors.into_iter().map(|editor| editor.join().unwrap()).sum();
    });
    let all = Store::open(folder.path(), None).unwrap().get("ana", &made.identity).unwrap();
    let rules = all.draft().restrictions.unwrap();
    assert_eq!(rules.len(), 1 + 2 * EACH, "with {conflicts} conflicts");
    for side in ["l", "r"] {
        for n in 0..EACH {
            let text = format!("side-{side}/{n}");
            assert_eq!(rules.iter().filter(|rule| rule.text == text).count(), 1, "{text}");
        }
    }
}

#[test]
fn nothing_is_changed_while_the_folder_does_not_load() {
    let (folder, store) = store();
    let made = store.create("ana", &draft("x", &["aaa/*"])).unwrap();
    fs::write(folder.path().join("wrong.yaml"), "connections: [").unwrap();
    let refused = store.change("ana", "ana-x", &made.revision, &draft("x", &["bbb/*"]));
    assert!(matches!(refused, Err(StoreError::Broken(_))), "{refused:?}");
    assert!(matches!(Store::open(folder.path(), None), Err(StoreError::Broken(_))));
    fs::remove_file(folder.path().join("wrong.yaml")).unwrap();
    let mut wide = draft("x", &["bbb/*"]);
    wide.access = AccessSet::READ_WRITE;
    store.change("ana", "ana-x", &made.revision, &wide).unwrap();
}
