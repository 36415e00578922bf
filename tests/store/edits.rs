//! Files that were written by hand, and changed: what does not change stays as it is, comments
//! and all.

use std::{fs, path::PathBuf};

use pathward::{
    Access, AccessSet, Policy,
    store::{Draft, DraftCredentials, DraftRule, Store, StoreError, Stored},
};

/// A store of this one file.
fn opened(text: &str) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("hand.yaml"), text).unwrap();
    let store = Store::open(folder.path(), None).unwrap();
    (folder, store)
}

fn text(folder: &tempfile::TempDir) -> String {
    fs::read_to_string(folder.path().join("hand.yaml")).unwrap()
}

fn only(store: &Store) -> Stored {
    let mut all = store.list("ana").unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn change(before: &str, edit: impl FnOnce(&mut Draft)) -> Result<String, StoreError> {
    let (folder, store) = opened(before);
    let stored = only(&store);
    let mut draft = stored.draft();
    edit(&mut draft);
    let mut expected = draft.clone();
    expected.credentials = DraftCredentials::Keep;
    let changed = store.change("ana", &stored.identity, &stored.revision, &draft)?;
    assert_eq!(changed.identity, stored.identity);
    assert_eq!(format!("{:?}", changed.draft()), format!("{expected:?}"));
    Ok(text(&folder))
}

fn rules(paths: &[&str]) -> Option<Vec<DraftRule>> {
    Some(paths.iter().map(|path| DraftRule::path(*path)).collect())
}

const BLOCK: &str = "\
# The reports of the year.
connections:
  # Asked for by Ben.
  - id: s3+reports   # a label
    owner: ana
    region: eu-west-1
    # What they may see:
    restrictions:
      - aaa/*          # the first
      # Only those of 2026.
      - 'bbb/2026*'
      - { path: ccc/, access: read-write }  # theirs
    deny:
      - aaa/secret/
# The end.
";

#[test]
fn a_value_is_changed_where_it_stands() {
    let changed = change(BLOCK, |draft| {
        draft.label = "yearly".into();
        draft.region = Some("us-west-2".into());
    });
    let expected = BLOCK.replace("s3+reports ", "\"s3+yearly\" ").replace("eu-west-1", "us-west-2");
    assert_eq!(changed.unwrap(), expected);
}

#[test]
fn entries_of_lists_come_and_go_and_the_others_keep_their_lines() {
    let changed = change(BLOCK, |draft| {
        let rules = draft.restrictions.as_mut().unwrap();
        rules.remove(0);
        rules.push(DraftRule { text: "ddd/{x,y}/*".into(), glob: true, access: None });
        draft.deny.insert(0, DraftRule::path("*.key"));
    });
    let expected = BLOCK
        .replace("      - aaa/*          # the first\n", "")
        .replace("# theirs\n", "# theirs\n      - { glob: \"ddd/{x,y}/*\" }\n")
        .replace("      - aaa/secret/\n", "      - \"*.key\"\n      - aaa/secret/\n");
    assert_eq!(changed.unwrap(), expected);
}

#[test]
fn an_entry_that_is_changed_keeps_what_stands_behind_it() {
    let changed = change(BLOCK, |draft| {
        let rules = draft.restrictions.as_mut().unwrap();
        rules[0].text = "aaa/public/*".into();
        rules[2].access = Some(AccessSet::READ_ONLY.with(Access::Write));
    });
    let expected =
        BLOCK.replace("- aaa/*  ", "- aaa/public/*  ").replace("read-write", "[read, write]");
    assert_eq!(changed.unwrap(), expected);
}

#[test]
fn fields_come_and_go_with_their_lines() {
    let changed = change(BLOCK, |draft| {
        draft.region = None;
        draft.is_default = true;
        draft.access = AccessSet::READ_WRITE;
        draft.deny.clear();
    });
    let expected = BLOCK
        .replace("    region: eu-west-1\n", "    default: true\n    access: read-write\n")
        .replace("    deny:\n      - aaa/secret/\n", "");
    assert_eq!(changed.unwrap(), expected);
    let changed = change(BLOCK, |draft| draft.restrictions = None).unwrap();
    assert!(!changed.contains("restrictions") && changed.contains("# What they may see:"));
}

#[test]
fn brackets_stay_brackets() {
    let before =
        "connections: [{ id: s3+x, owner: ana, restrictions: [aaa/*, \"bbb\"], region: r }]\n";
    let changed = change(before, |draft| {
        draft.restrictions = rules(&["aaa/*", "bbb", "ccc"]);
        draft.region = None;
        draft.is_default = true;
        draft.deny = rules(&["aaa/x", "aaa/y"]).unwrap();
    });
    let expected = "connections: [{ id: s3+x, owner: ana, default: true, \
                    restrictions: [aaa/*, \"bbb\", ccc], deny: [aaa/x, aaa/y] }]\n";
    assert_eq!(changed.unwrap(), expected);
}

#[test]
fn a_file_without_a_line_feed_at_its_end_and_one_with_two_signs_for_it() {
    let changed = change("connections:\n- id: s3+x\n  owner: ana", |draft| {
        draft.restrictions = rules(&["aaa/*"]);
    });
    let expected = "connections:\n- id: s3+x\n  owner: ana\n  restrictions:\n    - aaa/*";
    assert_eq!(changed.unwrap(), expected);
    let changed = change("connections:\r\n  - id: s3+x\r\n    owner: ana\r\n", |draft| {
        draft.deny = rules(&["aaa/*"]).unwrap();
    });
    let expected =
        "connections:\r\n  - id: s3+x\r\n    owner: ana\r\n    deny:\r\n      - aaa/*\r\n";
    assert_eq!(changed.unwrap(), expected);
}

#[test]
fn what_cannot_be_changed_without_loss_is_refused_and_stays() {
    let before = "connections:\n  - id: s3+x\n    owner: ana\n    restrictions: [\n      aaa/*, # why\n      bbb\n    ]\n";
    match change(before, |draft| draft.restrictions = rules(&["bbb"])) {
        Err(StoreError::NotEditable { file, why }) => {
            assert!(file.ends_with("hand.yaml") && why.contains("comment"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    // What else is in the file can be changed.
    let changed = change(before, |draft| draft.is_default = true).unwrap();
    assert_eq!(changed, before.replace("owner: ana\n", "owner: ana\n    default: true\n"));
}

#[test]
fn credentials_over_several_lines_are_replaced() {
    let before = "connections:\n  - id: s3+x\n    owner: ana\n    credentials:\n      profile: saha\n    region: r\n";
    let changed = change(before, |draft| draft.credentials = DraftCredentials::None).unwrap();
    assert_eq!(changed, before.replace("    credentials:\n      profile: saha\n", ""));
}

/// Every policy of this repository, with every connection changed in several ways.
#[test]
fn hand_written_policies_are_changed_without_losing_a_comment() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("policies");
    let mut changes = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !pathward::policy::is_policy_file(&name) || path.is_dir() {
            continue;
        }
        let before = fs::read_to_string(&path).unwrap();
        let comments = |text: &str| -> Vec<String> {
            let lines = text.lines().map(str::trim).filter(|line| line.starts_with('#'));
            lines.map(str::to_owned).collect()
        };
        let policy = Policy::from_yaml(&name, &before).unwrap();
        for connection in policy.connections().iter().take(5) {
            let (kept, store) = opened(&before);
            let owner = connection.owner();
            let mut stored = store.find(owner, connection.id()).unwrap();
            for round in 0..4 {
                let mut draft = stored.draft();
                match round {
                    0 => draft.label = "another".into(),
                    1 => draft.deny.push(DraftRule::path("xxx/y z")),
                    2 => draft.access = AccessSet::READ_WRITE,
                    _ => draft
                        .restrictions
                        .get_or_insert_default()
                        .insert(0, DraftRule::path("qqq/*")),
                }
                stored = store
                    .change(owner, &stored.identity, &stored.revision, &draft)
                    .or_else(|error| match error {
                        // In a file of several, the label is part of the identity.
                        StoreError::Missing => store.find(owner, stored.connection.id()),
                        error => Err(error),
                    })
                    .unwrap_or_else(|error| panic!("{name} {round}: {error}"));
                if round == 0 {
                    stored = store.find(owner, stored.connection.id()).unwrap();
                }
                changes += 1;
            }
            assert_eq!(comments(&text(&kept)), comments(&before), "{name}");
            let after = Policy::from_yaml(&name, &text(&kept)).unwrap();
            assert_eq!(after.connections().len(), policy.connections().len());
        }
    }
    assert!(changes >= 40, "{changes}");
}

#[test]
fn connections_of_one_file_are_deleted_one_by_one() {
    let both = "connections:\n  # One.\n  - id: s3+a\n    owner: ana\n\n  # Two.\n  - { id: s3+b, owner: ben }\n";
    let (folder, store) = opened(both);
    let one = only(&store);
    assert_eq!(one.identity, "hand~a");
    store.delete("ana", &one.identity, &one.revision).unwrap();
    assert_eq!(text(&folder), "connections:\n  # One.\n\n  # Two.\n  - { id: s3+b, owner: ben }\n");
    let two = store.list("ben").unwrap().remove(0);
    store.delete("ben", &two.identity, &two.revision).unwrap();
    assert!(!folder.path().join("hand.yaml").exists());
    assert!(store.snapshot().policy().connections().is_empty());
    // With users beside it, the file stays.
    let with_users = "connections:\n  - id: s3+a\n    owner: ana\nusers:\n  - name: ana\n";
    let (folder, store) = opened(with_users);
    let one = only(&store);
    store.delete("ana", &one.identity, &one.revision).unwrap();
    assert_eq!(text(&folder), "users:\n  - name: ana\n");
}
