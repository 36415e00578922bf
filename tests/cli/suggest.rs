//! `suggest`: restrictions for what a log says was used.

use super::Folder;

const POLICY: &str = "\
connections:
  - id: s3+lake
    owner: dana
    access: read-write
    restrictions:
      - lake/raw/
      - \"*.csv\"
      - { path: lake/models/, access: read-only }
      - { glob: \"logs/*/app?.gz\", access: read-only }
      - lake/old/
    deny:
      - lake/raw/private/
      - lake/models/locked/
      - unrelated/
  - id: s3+other
    owner: dana
    restrictions: [pub/]
";

const LIST: &str = "\
read s3+lake://lake/raw/a
read s3+lake://lake/raw/b
stat s3+lake://lake/raw/c
read s3+lake://lake/raw/d
write s3+lake://lake/raw/d
read s3+lake://tables/2026/1.csv
read s3+lake://tables/2026/2.csv
read s3+lake://tables/2026/3.csv
read s3+lake://tables/2026/4.csv
list s3+lake://logs/web
read s3+lake://lake/models/bert/*weird*
read s3+lake://lake/raw/private/x
write s3+lake://lake/models/new
read s3+nobody://lake/x
";

#[test]
fn the_restrictions_are_what_was_used_and_no_more_than_is_granted() {
    let folder = Folder::with(POLICY);
    folder.file("list.txt", LIST.as_bytes());
    let ran = folder.ask("suggest --log list.txt --openings");
    // One of the records is of a connection that nobody has.
    assert_eq!(ran.code, 2);
    assert_eq!(
        ran.err,
        "note: 1 record of `s3+nobody`: the policy has no connection `s3+nobody`; there is `s3+lake`, `s3+other`\n\
         note: 14 lines: 14 records\n"
    );
    assert_eq!(folder.ask("suggest --log list.txt --ignore-invalid").code, 0);
    assert_eq!(
        ran.out,
        "\
# s3+lake of dana: 11 uses; all covered and nothing opened, which is proved
    access: read-only
    restrictions:
      - \"lake/models/bert/\\\\*weird\\\\*\"
      - lake/raw/
      - { path: lake/raw/d, access: [write] }
      - { glob: \"logs/*/app?.gz\" }
      - logs/web/*.csv
      - tables/2026/*.csv
# read no longer, such as aaa/.csv
# write no longer, such as aaa/.csv
# delete no longer: it was not used
# unused: lake/old/ (policy.yaml:10:9)
# denied nothing: lake/models/locked/ (policy.yaml:13:9)
# denied nothing: unrelated/ (policy.yaml:14:9)
# denied, and not opened: 1 deny.access, 1 deny.rule
# OPENING, not granted today: - { path: lake/models/new, access: [write] }
# no restriction opens what a deny takes: lake/raw/private/ (policy.yaml:12:9), 1 time
# s3+other of dana: not in the log
# 1 record of connections that their callers do not have
"
    );
}

/// The block takes the place of the restrictions, and then nothing is new and nothing flips.
#[test]
fn what_is_suggested_can_be_pasted() {
    let folder = Folder::with(POLICY);
    folder.file("list.txt", LIST.as_bytes());
    for args in ["", "--max 1", "--max 3 --folder-from 2", "--folder-from 100"] {
        let json = folder.ask(&format!("suggest --log list.txt --format json {args}")).json();
        let yaml = json["connections"][0]["yaml"].as_str().expect("a block").to_owned();
        let (start, rest) = POLICY.split_once("    restrictions:\n").expect("the field");
        let (_, end) = rest.split_once("    deny:\n").expect("the field");
        // Its access is replaced too, where one is suggested.
        let own = if yaml.starts_with("    access:") { "    access: read-write\n" } else { "" };
        let start = start.replacen(own, "", 1);
        folder.file("new.yaml", format!("{start}{yaml}    deny:\n{end}").as_bytes());
        let ran = folder.run(["check-no-new-access", "policy.yaml", "new.yaml"]);
        assert_eq!(ran.code, 0, "{args}: {yaml}{}{}", ran.out, ran.err);
        let replay = "replay --policy new.yaml --old policy.yaml --log list.txt --ignore-invalid";
        let ran = folder.run(replay.split(' '));
        assert_eq!(ran.code, 0, "{args}: {yaml}{}{}", ran.out, ran.err);
        // What is suggested for the same log once more is the same.
        let again = folder.run(
            "suggest --policy new.yaml --log list.txt --format json"
                .split(' ')
                .chain(args.split_whitespace()),
        );
        let json = again.json();
        let proofs = json["connections"][0]["proofs"].as_array().expect("proofs");
        assert!(
            proofs.iter().all(|proof| proof["opens_nothing"] == true && proof["covers"] == true)
        );
    }
}

/// YAML has no U+FFFE and U+FFFF, nor most control characters, unless they are escaped.
#[test]
fn what_yaml_has_not_can_be_pasted_too() {
    let folder = Folder::with("connections:\n  - { id: s3+t, owner: o, restrictions: [pub/] }\n");
    for hidden in
        ["\u{fffe}", "\u{ffff}", "\u{feff}", "\u{85}", "\u{2028}", "\u{e0041}", "\u{1fffe}"]
    {
        let log = format!("read pub/a{hidden}b\nlist pub/{hidden}\n");
        let json = folder.feed("suggest --log - --format json", log.as_bytes()).json();
        let block = json["connections"][0]["yaml"].as_str().expect("a block");
        let new = format!("connections:\n  - id: s3+t\n    owner: o\n{block}");
        folder.file("new.yaml", new.as_bytes());
        let path = format!("pub/a{hidden}b");
        for (path, code) in [(&*path, 0), ("pub/ab", 5)] {
            let ran = folder.run(["check", "--policy", "new.yaml", "s3+t", "read", path]);
            assert_eq!(ran.code, code, "{new:?}: {}{}", ran.out, ran.err);
        }
    }
}

/// A copy needs two paths; which one is wrong is said, and its URIs are read.
#[test]
fn of_a_copy_both_paths_are_used() {
    let folder = Folder::with(
        "connections:\n  - { id: s3+t, owner: o, access: read-write, restrictions: [pub/] }\n",
    );
    let log = "copy s3+t://pub/a\ts3+t://pub/b\ncopy pub/a\ncopy pub/a pub/b\ncopy \tpub/b\ncopy pub/a\t\n\
        copy pub/a\tpub/../b\ncopy s3+t://pub/a\ts3+u://pub/b\n";
    let ran = folder.feed("suggest --log -", log.as_bytes());
    assert_eq!(ran.code, 2);
    for (line, part) in [
        (2, "`copy` has no destination"),
        (3, "`copy` has no destination"),
        (4, "`copy` has no source"),
        (5, "`copy` has no destination"),
        (6, "the destination of the copy: "),
        (7, "a copy stays in its connection: the source is of `s3+t`, the destination of `s3+u`"),
    ] {
        assert!(ran.err.contains(&format!("line {line}: {part}")), "{line}: {}", ran.err);
    }
    assert!(!ran.err.contains("no such operation"), "{}", ran.err);
    for entry in ["- { path: pub/a, access: read-only }\n", "- pub/b\n"] {
        assert!(ran.out.contains(entry), "{}", ran.out);
    }
}

#[test]
fn the_same_log_in_json_says_the_same_and_denials_are_not_used() {
    let folder = Folder::with(POLICY);
    let answers = folder.feed(
        "check s3+lake --batch - --quiet --format json",
        b"read\tlake/raw/a\nread\tlake/raw/private/x\nread\tlake/raw/b\n",
    );
    // Logged as denied, though it is allowed today.
    let log = format!(
        "{}deny\tdeny.no_match\tread\tlake/raw/c\nallow\tallowed.rule\tread\tnowhere/x\n",
        answers.out
    );
    let json =
        folder.feed("suggest --connection s3+lake --log - --format json", log.as_bytes()).json();
    let lake = &json["connections"][0];
    assert_eq!((&lake["uses"], &lake["closed"]), (&2.into(), &1.into()));
    assert_eq!(lake["denied"]["deny.no_match"], 2);
    assert_eq!(lake["denied"]["deny.rule"], 1);
    let texts: Vec<_> =
        lake["restrictions"].as_array().expect("a list").iter().map(|r| &r["text"]).collect();
    assert_eq!(texts, ["lake/raw/a", "lake/raw/b"]);
    let denies: Vec<_> = lake["unused_deny"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|deny| (deny["rule"]["text"].as_str().expect("text"), deny["takes"] == true))
        .collect();
    assert_eq!(denies, [("lake/models/locked/", false), ("unrelated/", false)]);
    assert_eq!(json["absent"][0]["connection"], "s3+other");
}

#[test]
fn a_deny_that_suggestions_need_is_said_to_be_needed() {
    let folder = Folder::with(POLICY);
    let list: String = (0..5).map(|n| format!("read s3+lake://lake/raw/{n}\n")).collect();
    let ran = folder.feed("suggest --log -", list.as_bytes());
    assert!(
        ran.out.contains(
            "# denied nothing: lake/raw/private/ (policy.yaml:12:9), and takes from what is suggested\n"
        ),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("    access: read-only\n    restrictions:\n      - lake/raw/\n"));
}

#[test]
fn what_is_asked_wrongly_is_refused() {
    let folder = Folder::with(POLICY);
    for (args, code) in [
        ("suggest --log - --max 0", 2),
        ("suggest --log - --folder-from 1001", 2),
        ("suggest --log missing", 1),
        ("suggest", 2),
    ] {
        assert_eq!(folder.feed(args, b"").code, code, "{args}");
    }
    let ran = folder.feed("suggest --log -", b"");
    assert_eq!((ran.code, ran.lines().len()), (2, 2));
    assert!(ran.err.ends_with("note: nothing was decided: the log is empty\n"), "{}", ran.err);
    let ran = folder.feed("suggest --log - --states 1", LIST.as_bytes());
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("NOT PROVED within the budget"), "{}", ran.out);
}
