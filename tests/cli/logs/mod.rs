//! Lists and logs as people have them: from Windows, from AWS, from other servers, with connections that nobody has.
//! `replay`, `suggest` and `check --batch` never pass on nothing.

mod foreign;

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Folder, Ran};

const POLICY: &str = "\
connections:
  - id: s3+lake
    owner: ada
    access: read-write
    restrictions: [lake/]
";

const TWO: &str = "\
connections:
  - id: s3+lake
    owner: ada
    access: read-write
    restrictions: [lake/]
  - id: s3+pond
    owner: ada
    restrictions: [pond/]
";

fn folder() -> Folder {
    let folder = Folder::with(POLICY);
    folder.file("new.yaml", POLICY.replace("[lake/]", "[lake/in/]").as_bytes());
    folder
}

fn suggest(folder: &Folder, log: &[u8], args: &str) -> Ran {
    folder.feed(&format!("suggest --log - {args}"), log)
}

/// A command that names its policy itself.
fn run_with(folder: &Folder, args: &str, log: &[u8]) -> Ran {
    folder.file("log", log);
    folder.run(args.replace("--log -", "--log log").split_whitespace())
}

/// The restrictions that are suggested.
fn suggested(ran: &Ran) -> Vec<String> {
    let lines = ran.out.lines().filter_map(|line| line.strip_prefix("      - "));
    lines.map(str::to_owned).collect()
}

/// A line of the S3 server access log of the bucket `lake`.
fn access(operation: &str, key: &str, request: &str, status: &str) -> String {
    format!(
        "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be lake [06/Feb/2026:00:00:38 +0000] 192.0.2.3 \
         arn:aws:iam::111122223333:user/ada 3E57427F3EXAMPLE {operation} {key} {request} {status} 113 113 7 5 \"-\" \
         \"Boto3/1.34\" - s9lz= SigV4 ECDHE AuthHeader lake.s3.eu-west-1.amazonaws.com TLSv1.2 - -\n"
    )
}

fn trail(name: &str, parameters: &Value) -> Value {
    json!({
        "eventVersion": "1.10",
        "userIdentity": { "type": "IAMUser", "userName": "ada" },
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "requestParameters": parameters,
        "eventCategory": "Data",
    })
}

/// A line of the gateway's log.
fn decision(request: u32, op: &str, key: &str, decision: &str, more: &Value) -> String {
    let mut line = json!({
        "target": "pathward::decision", "request_id": format!("r{request}"), "connection": "s3+lake", "caller": "ada",
        "key_id": "k", "op": op, "bucket": "lake", "key": key, "key_encoding": "utf8", "decision": decision,
        "reason_code": if decision == "allow" { "allowed.rule" } else { "deny.no_match" },
    });
    let more = more.as_object().cloned().unwrap_or_default();
    line.as_object_mut().expect("an object").extend(more);
    format!("{line}\n")
}

// ---- nothing --------------------------------------------------------------------------------

#[test]
fn nothing_is_no_success() {
    let folder = folder();
    let skipped = access("REST.GET.ACL", "a", "\"GET /a?acl HTTP/1.1\"", "200 -");
    let other = b"{\"target\":\"pathward::request\"}\n";
    for (log, said) in [
        (&b""[..], "nothing was decided: the log is empty"),
        (b"\n\n \r\n", "nothing was decided: of 3 lines none is a decision"),
        (b"\0\0\0\0", "nothing was decided: the log is empty"),
        (b"\xef\xbb\xbf", "nothing was decided: the log is empty"),
        (other, "nothing was decided: of 1 line none is a decision"),
        (b"invalid\tinvalid.path\tread\tlake/../a\n", "nothing was decided: of 1 line"),
        (
            skipped.as_bytes(),
            "1 operation left out, which no connection gives or which failed: 1 REST.GET.ACL",
        ),
        (b"{\"Records\":[]}", "nothing was decided: the log is empty"),
        (b"[]", "nothing was decided: the log is empty"),
        (
            b"read s3+nobody://lake/a\n",
            "nothing was decided: all records are of connections that nobody has",
        ),
    ] {
        for command in ["suggest", "replay --old policy.yaml"] {
            for more in ["", " --ignore-invalid"] {
                let ran = folder.feed(&format!("{command} --log -{more}"), log);
                assert_eq!(ran.code, 2, "{command} {log:?}: {}", ran.err);
                assert!(ran.err.contains(said), "{command} {log:?}: {}", ran.err);
            }
            let ran = folder.feed(&format!("{command} --log - --format json"), log);
            assert_eq!(ran.code, 2, "{command} {log:?}");
            assert!(ran.json()["lines"].is_number());
        }
    }
    // A list that is decided is a question to each line; a gate has to have some.
    let ran = folder.feed("check s3+lake read --batch -", b"");
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("note: nothing was decided: the batch is empty"), "{}", ran.err);
    assert_eq!(folder.feed("check s3+lake read --batch - --fail-on-deny", b"").code, 2);
}

#[test]
fn connections_that_nobody_has_are_told() {
    let folder = Folder::with(TWO);
    let list =
        b"read s3://lake/a\nread s3://lake/b\nread s3+lake://lake/c\nread s3+gone://lake/d\n";
    for (command, code) in [("suggest", 2), ("replay --old policy.yaml", 2)] {
        let ran = folder.feed(&format!("{command} --log -"), list);
        assert_eq!(ran.code, code, "{command}: {}", ran.err);
        for part in [
            "note: 2 records of `s3`: the policy has no default connection of `s3` (none says `default: true`); there \
             is `s3+lake`, `s3+pond`",
            "note: 1 record of `s3+gone`: the policy has no connection `s3+gone`",
        ] {
            assert!(ran.err.contains(part), "{command}: {part}\n{}", ran.err);
        }
        let json = folder.feed(&format!("{command} --log - --format json"), list).json();
        assert_eq!(
            json["unknown_connections"],
            json!([
                { "connection": "s3", "caller": "", "count": 2 },
                { "connection": "s3+gone", "caller": "", "count": 1 },
            ])
        );
        assert_eq!(folder.feed(&format!("{command} --log - --ignore-invalid"), list).code, 0);
    }
    // One that is named is meant by `s3://`, but a default one is what it says.
    let ran = folder.feed("suggest --connection s3+lake --log -", &list[..34]);
    assert_eq!((ran.code, suggested(&ran)), (0, vec!["lake/a".into(), "lake/b".into()]));
    let default = Folder::with(&TWO.replace("s3+pond\n", "s3+pond\n    default: true\n"));
    let ran =
        default.feed("suggest --connection s3+lake --log -", b"read s3://pond/a\nread lake/b\n");
    assert_eq!((ran.code, suggested(&ran)), (0, vec!["lake/b".into(), "pond/a".into()]));
    // What was denied because there is no such connection is as it was.
    let denied = b"deny\tdeny.unknown_connection\tread\ts3://lake/a\nallow\tallowed.rule\tread\ts3+lake://lake/a\n";
    let ran = folder.feed("replay --log -", denied);
    assert_eq!((ran.code, &*ran.out), (0, "0 of 2 decisions flip: 0 newly allowed, 0 no longer\n"));
}

#[test]
fn uris_are_of_the_connection_that_is_meant() {
    let folder = folder();
    for list in [
        &b"read s3://lake/a\n"[..],
        b"read S3://lake/a\r\n",
        b"read\ts3+lake://lake/a",
        b"read\tS3+lake://lake/a\n\n",
        b"{\"op\":\"read\",\"path\":\"s3://lake/a\"}\n",
        b"\xef\xbb\xbfread s3://lake/a\n",
    ] {
        let ran = run_with(&folder, "replay --old policy.yaml --policy new.yaml --log -", list);
        assert_eq!(ran.code, 4, "{list:?} {}", ran.err);
        assert!(ran.out.contains("line 1: read lake/a"), "{list:?} {}", ran.out);
        let ran = suggest(&folder, list, "");
        assert_eq!((ran.code, suggested(&ran)), (0, vec!["lake/a".into()]), "{list:?} {}", ran.err);
    }
    let ran =
        folder.feed("check s3+lake read --batch -", b"s3://lake/a\nS3+lake://lake/b\nlake/c\n");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        ran.lines(),
        [
            "allow\tallowed.rule\ts3://lake/a",
            "allow\tallowed.rule\tS3+lake://lake/b",
            "allow\tallowed.rule\tlake/c"
        ]
    );
    // The answers are read back.
    let ran = folder.feed("replay --op read --log -", ran.out.as_bytes());
    assert_eq!((ran.code, &*ran.out), (0, "0 of 3 decisions flip: 0 newly allowed, 0 no longer\n"));
    let answers = folder
        .feed("check s3+lake --batch - --format json --quiet", b"copy\ts3://lake/a\ts3://lake/b\n");
    let ran = folder.feed("replay --log -", answers.out.as_bytes());
    assert_eq!((ran.code, &*ran.out), (0, "0 of 1 decisions flip: 0 newly allowed, 0 no longer\n"));

    // Of another connection it is no question of this batch.
    let two = Folder::with(&TWO.replace("s3+pond\n", "s3+pond\n    default: true\n"));
    for (line, code, said) in [
        ("s3+pond://lake/a", 2, "the URI is of another connection than the batch"),
        ("s3://lake/a", 2, "the URI is of another connection than the batch"),
        ("s3+gone://lake/a", 2, "the URI is of another connection than the batch"),
        ("s3+lake://lake/a", 0, "1 allow"),
        ("s3a://lake/a", 2, "Hadoop's `s3a://` is no connection: write `s3://bucket/key`"),
        ("https://lake.s3.amazonaws.com/a", 2, "this is an address of the web"),
        ("arn:aws:s3:::lake/a", 2, "this is an ARN: write what stands behind"),
    ] {
        let ran = two.feed("check s3+lake read --batch -", line.as_bytes());
        assert_eq!(ran.code, code, "{line}: {}", ran.err);
        assert!(ran.err.contains(said), "{line}: {}", ran.err);
    }
    let ran = two.feed("check s3 read --batch -", b"s3+pond://pond/a\ns3://pond/b\npond/c\n");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let ran = suggest(&folder, b"read arn:aws:s3:::lake/a\nread gs://lake/a\nread lake/b\n", "");
    assert_eq!(ran.code, 2);
    for part in ["line 1: this is an ARN", "line 2: what stands before `://` is no connection"] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
}

// ---- encodings ------------------------------------------------------------------------------

#[test]
fn lists_are_read_however_they_end_their_lines() {
    let folder = folder();
    for list in [
        &b"lake/a\nlake/b\n"[..],
        b"lake/a\r\nlake/b\r\n",
        b"lake/a\r\nlake/b",
        b"\xef\xbb\xbflake/a\nlake/b\n",
        b"\xef\xbb\xbflake/a\r\nlake/b\r\n",
        b"lake/a\nlake/b\n\0\0\0\0",
        b"lake/a\0\nlake/b\0",
        b"\0\0lake/a\nlake/b\n",
    ] {
        let ran = folder.feed("check s3+lake read --batch -", list);
        assert_eq!((ran.code, ran.lines().len()), (0, 2), "{list:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("2 lines: 2 allow"), "{list:?}: {}", ran.err);
        let ran = suggest(&folder, list, "--op read");
        assert_eq!(
            (ran.code, suggested(&ran)),
            (0, vec!["lake/a".into(), "lake/b".into()]),
            "{list:?}"
        );
    }
    let utf16: Vec<u8> = "lake/a\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (list, said) in [
        (
            [b"\xff\xfe", &utf16[..]].concat(),
            "is UTF-16, as the `>` of Windows' PowerShell writes it",
        ),
        (utf16, "is UTF-16"),
        (
            b"\x1f\x8b\x08\0\0\0\0\0".to_vec(),
            "is packed with gzip: unpack it before, with `gzip -dc FILE |`",
        ),
        (b"\x28\xb5\x2f\xfd\0\0".to_vec(), "is packed with zstd"),
        (
            b"PK\x03\x04\0\0".to_vec(),
            "is packed with zip: unpack it before, with `unzip -p FILE |`",
        ),
    ] {
        for command in [
            "check s3+lake read --batch -",
            "suggest --op read --log -",
            "replay --old policy.yaml --op read --log -",
        ] {
            let ran = folder.feed(command, &list);
            assert_eq!((ran.code, &*ran.out), (2, ""), "{command} {list:?}");
            assert!(ran.err.contains(said), "{command}: {}", ran.err);
        }
    }
    for (list, said) in [
        (&b"lake/abc\0lake/b\0lake/c"[..], "where NUL bytes separate the lines, give `--null`"),
        (b"lake/a\rlake/b\r", "where nothing else ends the lines, use `tr "),
    ] {
        for command in ["check s3+lake read --batch -", "suggest --op read --log -"] {
            let ran = folder.feed(command, list);
            assert_eq!(ran.code, 2, "{command} {list:?}");
            assert!(ran.err.contains(said), "{command}: {}", ran.err);
        }
    }
    let ran = folder.feed("check s3+lake read --batch - --null", b"a\0b\0lake/c");
    assert_eq!(ran.lines().len(), 3, "{}", ran.err);
}
