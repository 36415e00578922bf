//! `replay`: which decisions of a log flip.

use super::{Folder, POLICY};

const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A line of the gateway's log.
fn logged(connection: &str, op: &str, path: &str, decision: &str) -> String {
    let (bucket, key) = path.split_once('/').expect("bucket/key");
    let reason = if decision == "allow" { "allowed.rule" } else { "deny.no_match" };
    format!(
        "{{\"target\":\"pathward::decision\",\"connection\":\"{connection}\",\"caller\":\"steph\",\
         \"key_id\":\"laptop\",\"op\":\"{op}\",\"bucket\":\"{bucket}\",\"key\":\"{key}\",\
         \"key_encoding\":\"utf8\",\"decision\":\"{decision}\",\"reason_code\":\"{reason}\"}}\n"
    )
}

fn with_key(access: &str) -> String {
    format!(
        "{POLICY}users:\n  - name: steph\n    keys:\n      - {{ id: laptop, sha256: {HASH}, access: {access} }}\n"
    )
}

#[test]
fn flips_are_grouped_by_what_decides_and_fail() {
    let folder = Folder::with(&with_key("read-write"));
    let log: String = [
        ("s3+saha", "read", "Algorithmia/team.jpg", "allow"),
        ("s3+saha", "read", "Algorithmia/data/secret/a", "allow"),
        ("s3+saha", "read", "Algorithmia/data/secret/b", "allow"),
        ("s3+saha", "write", "Algorithmia/out/x", "deny"),
        ("s3+saha", "read", "other/x", "allow"),
        ("s3+gone", "read", "pub/x", "allow"),
        ("s3+gone", "read", "pub/x", "deny"),
    ]
    .map(|(connection, op, path, decision)| logged(connection, op, path, decision))
    .concat();
    folder.file("log.jsonl", log.as_bytes());
    let ran = folder.ask("replay --log log.jsonl --examples 1");
    assert_eq!(ran.code, 4);
    assert_eq!(
        ran.err,
        "note: 2 records of `s3+gone`: `steph` has no connection `s3+gone`; there is `s3+saha`, `s3+plain`, `s3+shared`, \
         `s3+all`, `s3+tree`\nnote: 7 lines: 7 records\n"
    );
    assert_eq!(
        ran.out,
        "\
s3+gone of steph
  - 1 no longer: deny.unknown_connection, was allowed.rule
      line 6: read pub/x
s3+saha of steph
  - 1 no longer: deny.no_match, was allowed.rule
      nearest: Algorithmia/team.jpg (policy.yaml:7:9)
      line 5: read other/x
  - 2 no longer: deny.rule by Algorithmia/data/secret/ (policy.yaml:11:9), was allowed.rule
      line 2: read Algorithmia/data/secret/a
  + 1 newly allowed: allowed.rule by Algorithmia/out/ (policy.yaml:9:17), was deny.no_match
      line 4: write Algorithmia/out/x
5 of 7 decisions flip: 1 newly allowed, 4 no longer
"
    );
    let json = folder.ask("replay --log log.jsonl --format json").json();
    assert_eq!(
        (&json["compared"], &json["opened"], &json["closed"]),
        (&7.into(), &1.into(), &4.into())
    );
    let group = &json["groups"][2];
    assert_eq!((&group["flip"], &group["count"]), (&"closed".into(), &2.into()));
    assert_eq!((&group["rule"]["id"], &group["rule"]["line"]), (&3.into(), &11.into()));
    assert_eq!(group["examples"][1]["path"], "Algorithmia/data/secret/b");
    assert_eq!(group["nearest"], serde_json::Value::Null);
    assert_eq!(json["groups"][1]["nearest"]["line"], 7);
}

/// What a gateway no longer allowed before it was done.
#[test]
fn what_was_withdrawn_was_denied() {
    let folder = Folder::with(&with_key("read-write"));
    let codes = ["deny.unknown_key", "deny.changed_connection", "deny.access"];
    let log = codes.map(|code| {
        let line = logged("s3+saha", "read", "Algorithmia/team.jpg", "deny");
        let line = line.replace("deny.no_match", code);
        line.replace("}\n", ",\"upstream_error\":\"withdrawn\"}\n")
    });
    folder.file("log.jsonl", log.concat().as_bytes());
    let replayed = folder.ask("replay --log log.jsonl");
    assert_eq!(replayed.code, 4, "{}", replayed.err);
    for code in codes {
        let group = format!(
            "+ 1 newly allowed: allowed.rule by Algorithmia/team.jpg (policy.yaml:7:9), was {code}\n"
        );
        assert!(replayed.out.contains(&group), "{}", replayed.out);
    }
    let suggested = folder.ask("suggest --log log.jsonl --format json").json();
    for code in codes {
        assert_eq!(suggested["connections"][0]["denied"][code], 1, "{suggested}");
    }
    assert_eq!(
        suggested["connections"][0]["yaml"].as_str().unwrap_or("").matches("team").count(),
        0
    );
}

#[test]
fn api_keys_are_those_of_the_new_policy() {
    let log = logged("s3+saha", "write", "Algorithmia/out/x", "allow");
    for (policy, args, code, part) in [
        (with_key("read-write"), "", 0, "0 of 1 decisions flip"),
        (with_key("read-only"), "", 4, "deny.key_permission, was allowed.rule"),
        (with_key("read-write, connections: [s3+saha]"), "", 0, "0 of 1 decisions flip"),
        (
            with_key("read-write, connections: [s3+other]"),
            "",
            4,
            "deny.unknown_connection, was allowed.rule",
        ),
        (POLICY.to_owned(), "", 4, "unknown_key, was allowed.rule"),
        (POLICY.to_owned(), "--ignore-keys", 0, "0 of 1 decisions flip"),
    ] {
        let folder = Folder::with(&policy);
        let ran = folder.feed(&format!("replay --log - {args}"), log.as_bytes());
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains(part), "{}", ran.out);
    }
}

#[test]
fn a_list_is_compared_with_the_old_policy_or_not_at_all() {
    let folder = Folder::new();
    folder.file("old.yaml", POLICY.replace("Algorithmia/data/*", "Algorithmia/*").as_bytes());
    let list = b"read s3+saha://Algorithmia/x\nread s3+saha://Algorithmia/data/x\n";
    let ran = folder.feed("replay --log - --old old.yaml", list);
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(
        ran.out.contains(
            "  - 1 no longer: deny.no_match, was allowed.rule by Algorithmia/* (old.yaml:8:9)\n"
        ),
        "{}",
        ran.out
    );
    let ran = folder.feed("replay --log -", list);
    assert_eq!((ran.code, &*ran.out), (2, ""));
    assert!(ran.err.contains("name the policy that decided with `--old`"), "{}", ran.err);
    // Beside decisions they are counted.
    let mixed =
        [b"allow\tallowed.rule\tread\ts3+saha://Algorithmia/team.jpg\n", &list[..]].concat();
    let ran = folder.feed("replay --log -", &mixed);
    assert_eq!((ran.code, &*ran.out), (0, "0 of 1 decisions flip: 0 newly allowed, 0 no longer\n"));
    assert!(ran.err.contains("2 records not compared"), "{}", ran.err);
}

/// What a policy decides, replayed by the same policy, flips nothing: whatever `check` writes.
#[test]
fn answers_of_check_are_read_back() {
    let folder = Folder::new();
    let batch = "read\tAlgorithmia/team.jpg\nlist\tAlgorithmia\nwrite\tAlgorithmia/out/x\n\
                 delete\tAlgorithmia/data/x\ncopy\tAlgorithmia/team.jpg\tAlgorithmia/out/\u{202e}y\n\
                 read\tAlgorithmia/../x\nread\tAlgorithmia/data/secret/\u{ad}z\nlist\t\n";
    for format in ["text", "json"] {
        let answers = folder
            .feed(&format!("check s3+saha --batch - --quiet --format {format}"), batch.as_bytes());
        let replay = "replay --connection s3+saha --log -";
        let ran = folder.feed(replay, answers.out.as_bytes());
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert_eq!(ran.out, "0 of 7 decisions flip: 0 newly allowed, 0 no longer\n");
        assert!(ran.err.contains("7 records, 1 malformed when they were decided"), "{}", ran.err);
    }
}

#[test]
fn lines_that_cannot_be_read_are_named_and_are_no_success() {
    let folder = Folder::new();
    let log = b"allow\tallowed.rule\tread\tAlgorithmia/team.jpg\n\nnonsense\n{\"op\":1}\n";
    let ran = folder.feed("replay --connection s3+saha --log -", log);
    assert_eq!(ran.code, 2);
    assert!(ran.err.starts_with("line 3: no operation: "), "{}", ran.err);
    assert!(ran.err.contains("line 4: it is no JSON of a decision: "), "{}", ran.err);
    assert!(ran.err.ends_with("4 lines: 1 records, 2 that cannot be read\n"), "{}", ran.err);
    assert_eq!(folder.feed("replay --connection s3+saha --ignore-invalid --log -", log).code, 0);
    // Flips are what a gate is about.
    let flips = [&log[..], b"deny\tdeny.rule\tread\tAlgorithmia/team.jpg\n"].concat();
    assert_eq!(folder.feed("replay --connection s3+saha --log -", &flips).code, 4);
    for (args, part) in [
        ("replay --log -", "the log does not say of which connection"),
        ("replay --log - --connection s3+shared", "several owners have a connection"),
        ("replay --log - --connection nothing", "`nothing` names no connection"),
        ("replay --log - --op look", "no operation `look`"),
    ] {
        let ran = folder.feed(args, log);
        assert_eq!(ran.code, 2, "{args}");
        assert!(ran.err.contains(part), "{args}: {}", ran.err);
    }
    assert_eq!(folder.ask("replay --log missing.jsonl").code, 1);
}
