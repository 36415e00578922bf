//! `check`: decisions, exit codes, and questions that are none.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

use super::Folder;

#[test]
fn a_policy_that_cannot_be_read_is_one_that_does_not_load() {
    let folder = Folder::new();
    for args in ["check -p none.yaml s3+saha read a/b", "validate -p none.yaml", "inspect -p none"]
    {
        assert_eq!(folder.run(args.split(' ')).code, 3, "{args}");
    }
    assert_eq!(folder.ask("check s3+saha read --batch none").code, 1);
}

#[test]
fn a_decision_is_one_line_and_an_exit_code() {
    let folder = Folder::new();
    for (question, code, line) in [
        (
            "s3+saha read Algorithmia/data/x.csv",
            0,
            "allow  s3+saha read Algorithmia/data/x.csv  allowed.rule  policy.yaml:8:9 \
             \"Algorithmia/data/*\"",
        ),
        (
            "S3+saha://Algorithmia/team.jpg write",
            5,
            "deny   s3+saha write Algorithmia/team.jpg  deny.access  policy.yaml:7:9 \
             \"Algorithmia/team.jpg\"",
        ),
        (
            "s3 read Algorithmia/data/secret/x",
            5,
            "deny   s3 read Algorithmia/data/secret/x  deny.rule  policy.yaml:11:9 \
             \"Algorithmia/data/secret/\"",
        ),
        ("s3+saha read other/x", 5, "deny   s3+saha read other/x  deny.no_match"),
        (
            "s3+all write other",
            2,
            "invalid  s3+all write other  invalid.operation  an object has a key behind its \
             bucket, `bucket/key`, and a directory's path ends with `/`; the root and buckets can only be listed",
        ),
        ("s3+all read-acl pub/x", 5, "deny   s3+all read-acl pub/x  deny.acl"),
        (
            "s3+saha list",
            0,
            "allow  s3+saha list (root)  allowed.rule  narrowed to what may be read",
        ),
        (
            "s3+all list pub",
            0,
            "allow  s3+all list pub  allowed.rule  everything below may be shown",
        ),
        (
            "s3+saha copy Algorithmia/data/x --to Algorithmia/data/y",
            5,
            "deny   s3+saha copy Algorithmia/data/x -> Algorithmia/data/y  deny.access (write at \
             the destination)  policy.yaml:8:9 \"Algorithmia/data/*\"",
        ),
        ("s3+all read pub/x --key-access none", 5, "deny   s3+all read pub/x  deny.key_permission"),
        (
            "s3+all write pub/x --key-access read-only",
            5,
            "deny   s3+all write pub/x  deny.key_permission",
        ),
        (
            "s3+all delete pub/x",
            0,
            "allow  s3+all delete pub/x  allowed.rule  no `restrictions` key \"*\"",
        ),
    ] {
        let ran = folder.ask(&format!("check {question}"));
        assert_eq!((ran.code, ran.out.trim_end()), (code, line), "{question}\n{}", ran.err);
        assert_eq!(ran.err, "", "{question}");
    }
}

#[test]
fn a_malformed_path_is_invalid_and_neither_allowed_nor_denied() {
    // Security catalogue, N1 and N2, and its neighbours. `s3+all` allows everything.
    let folder = Folder::new();
    for path in [
        "pub/data/../secret.txt",
        "pub/..",
        "pub/.",
        "pub/./x",
        "../pub/x",
        "/pub/x",
        "pub/a\u{1b}[31m",
        "ab/x",
    ] {
        for arguments in [vec!["s3+all", "read", path], vec![&format!("s3+all://{path}"), "read"]] {
            let args = [&["check", "--policy", "policy.yaml"], &arguments[..]].concat();
            let ran = folder.run(&args);
            assert_eq!(ran.code, 2, "{arguments:?}");
            assert!(ran.out.starts_with("invalid  s3+all read "), "{}", ran.out);
            assert!(ran.out.contains("  invalid.path  "), "{}", ran.out);
            let ran = folder.run(args.iter().chain(&["--format", "json"]));
            assert_eq!((ran.code, &ran.json()["decision"]), (2, &"invalid".into()));
            assert_eq!(ran.json()["reason"], "invalid.path");
            assert_eq!(ran.json()["path"], path);
        }
    }
    // A path that this connection's server could read as another.
    for path in ["pub//x", "pub/a\\b"] {
        let ran = folder.run(["check", "-p", "policy.yaml", "s3+plain", "read", path]);
        assert_eq!(ran.code, 2);
        assert!(ran.out.starts_with(&format!("invalid  s3+plain read {path}  invalid.path  the ")));
    }
}

#[test]
fn who_puts_a_uri_or_the_operation_in_the_wrong_place_is_told_the_right_one() {
    let folder = Folder::new();
    for command in ["check", "explain"] {
        let ran = folder.ask(&format!("{command} s3+all read s3+all://pub/x"));
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains("write `s3+all://pub/x read`"), "{}", ran.err);
        let ran = folder.ask(&format!("{command} read s3+all://pub/x"));
        assert_eq!((ran.code, &*ran.out), (2, ""));
        assert!(ran.err.contains("`read` names no connection"), "{}", ran.err);
        assert!(ran.err.contains("the connection comes before the operation"), "{}", ran.err);
    }
    // A name that is just wrong, and keys that have the sign: nothing to add.
    assert!(!folder.ask("check reed pub/x").err.contains("before the operation"));
    assert_eq!(folder.ask("check s3+all read pub/s3+all://x").err, "");
}

#[test]
fn bytes_that_are_not_utf_8_are_shown_as_numbers() {
    let folder = Folder::new();
    let path = OsStr::from_bytes(b"pub/\xff");
    let args = ["check", "-p", "policy.yaml", "s3+all", "read"].map(OsStr::new);
    let ran = folder.run(args.iter().chain(&[path]));
    assert_eq!(ran.code, 2);
    assert!(ran.out.starts_with("invalid  s3+all read pub/\\xff  invalid.encoding"), "{}", ran.out);
    let ran = folder.run(args.iter().chain(&[path, OsStr::new("--format=json")]));
    let json = ran.json();
    assert_eq!((&json["path"], &json["lossy"]), (&"pub/\\xff".into(), &true.into()));
    assert_eq!(json["reason"], "invalid.encoding");
}

#[test]
fn json_has_the_documented_fields() {
    let folder = Folder::new();
    let ran = folder.ask("check s3+saha read Algorithmia/data/x --format json");
    let json = ran.json();
    assert_eq!(ran.code, 0);
    for (field, value) in [
        ("/connection", "s3+saha"),
        ("/caller", "steph"),
        ("/op", "read"),
        ("/path", "Algorithmia/data/x"),
        ("/decision", "allow"),
        ("/reason", "allowed.rule"),
        ("/rule/text", "Algorithmia/data/*"),
        ("/rule/effect", "allow"),
        ("/rule/dialect", "plain"),
        ("/rule/file", "policy.yaml"),
        ("/need/access", "read"),
        ("/need/scope", "here"),
    ] {
        assert_eq!(json.pointer(field).and_then(|v| v.as_str()), Some(value), "{field}: {json}");
    }
    assert_eq!(json["rule"]["line"], 8);
    assert_eq!(json["rule"]["column"], 9);
    assert_eq!(json["rule"]["id"], 1);
    assert_eq!(json["rule"]["access"], serde_json::json!(["read"]));
    assert_eq!(json["revision"].as_str().map(str::len), Some(16));

    let json = folder.ask("check s3+saha list --format json").json();
    assert_eq!((&json["list"], &json["path"]), (&"narrow".into(), &"".into()));
    let json = folder.ask("check s3+nobody read pub/x --format json").json();
    assert_eq!(json["reason"], "deny.unknown_connection");
    assert!(json["rule"].is_null() && json["caller"].is_null());
}

#[test]
fn the_format_may_come_from_the_environment() {
    let folder = Folder::new();
    let run = |value: &str, args: &str| {
        let mut command = folder.command();
        command.env("PATHWARD_FORMAT", value).args(args.split(' '));
        super::ran(&mut command)
    };
    let question = "check -p policy.yaml s3+all read pub/x";
    assert_eq!(run("json", question).json()["decision"], "allow");
    assert!(run("json", &format!("{question} --format text")).out.starts_with("allow "));
    assert!(run("", question).out.starts_with("allow "));
    let ran = run("\u{1b}yaml", question);
    assert_eq!((ran.code, &*ran.out), (2, ""));
    assert!(ran.err.contains("PATHWARD_FORMAT is `\\u{1b}yaml`; write `text` or `json`"));
}

#[test]
fn a_wrong_question_is_2_and_says_what_to_write() {
    let folder = Folder::new();
    for (args, says) in [
        ("check s3+saha", "OP is missing behind `s3+saha`"),
        ("check s3+saha read", "PATH is missing: write `s3+saha read bucket/key`"),
        ("check s3+saha fly pub/x", "there is no operation `fly`; there are read, stat, write"),
        ("check s3+saha://pub/x read pub/y", "the path is given twice"),
        ("check s3+saha copy pub/x", "`copy` needs a second path: write `--to PATH`"),
        ("check s3+saha read pub/x --to pub/y", "`--to` is for `copy` alone"),
        ("check data+x read pub/x", "`data+x` names no connection"),
        ("check s3+a+b read pub/x", "`s3+a+b` names no connection"),
        ("check s3+saha read pub/x --key-access all", "invalid value 'all'"),
        ("check s3+saha read pub/x --quiet", "--batch"),
        ("check", "required arguments were not provided"),
        ("frobnicate", "unrecognized subcommand"),
        ("explain s3+saha", "OP is missing"),
        ("inspect s3+nobody", "no such connection"),
    ] {
        let ran = folder.ask(args);
        assert_eq!((ran.code, &*ran.out), (2, ""), "{args}");
        assert!(ran.err.contains(says) && ran.err.starts_with("error: "), "{args}: {}", ran.err);
    }
    let ran = folder.ask("check s3+saha read --format json");
    let error: serde_json::Value = serde_json::from_str(&ran.err).expect("JSON");
    assert_eq!((ran.code, &error["error"]["exit"]), (2, &2.into()));
}

#[test]
fn owners_are_never_guessed() {
    let folder = Folder::new();
    let ran = folder.ask("check s3+shared read pub/x");
    assert_eq!((ran.code, &*ran.out), (2, ""));
    assert_eq!(
        ran.err,
        "error: 2 owners have a connection `s3+shared`: say whose is meant with `--as dana` or \
         `--as steph`\n"
    );
    assert_eq!(folder.ask("check s3+shared read pub/x --as steph").code, 0);
    assert_eq!(folder.ask("check s3+shared read pub/x --as dana").code, 5);

    // Another owner's connection is as one that does not exist.
    for args in ["s3+saha read Algorithmia/team.jpg --as dana", "s3+nobody read pub/x --as dana"] {
        let ran = folder.ask(&format!("check {args}"));
        assert_eq!(ran.code, 5);
        assert!(ran.out.contains("deny.unknown_connection"), "{}", ran.out);
        assert!(ran.err.starts_with("note: `dana` has no connection `s3+"), "{}", ran.err);
        assert!(ran.err.trim_end().ends_with("there is `s3+shared`"), "{}", ran.err);
    }
    // Nobody has it, so that it does not matter who asks.
    let ran = folder.ask("check s3+sahaa read pub/x");
    assert_eq!(ran.code, 5);
    assert!(ran.err.contains("note: the policy has no connection `s3+sahaa`; there is `s3+saha`"));
}

#[test]
fn nothing_hidden_reaches_a_terminal() {
    let folder = Folder::new();
    let hidden = "pub/\u{202e}gpj.exe\u{9b}31m";
    for command in ["check", "explain"] {
        let args = [command, "-p", "policy.yaml", "s3+shared", "--as", "dana", "read", hidden];
        let ran = folder.run(args);
        assert_eq!(ran.code, 2 + 3 * i32::from(ran.out.starts_with("deny")), "{}", ran.out);
        assert!(ran.out.contains("\\u{202e}gpj.exe\\u{9b}31m"), "{}", ran.out);
        let ran_json = folder.run(args.iter().chain(&["--format", "json"]));
        assert_eq!(ran_json.json()["path"], hidden);
        for text in [ran.out, ran.err, ran_json.out, ran_json.err] {
            assert!(!text.contains(['\u{202e}', '\u{9b}', '\u{1b}']), "{text:?}");
        }
    }
    for args in [
        ["check", "-p", "policy.yaml", "s3+all", "\u{1b}]0;x\u{7}", "pub/x"],
        ["check", "-p", "policy.yaml", "\u{1b}[2J", "read", "pub/x"],
        ["check", "-p", "\u{1b}[2J", "s3+all", "read", "pub/x"],
        ["check", "-p", "policy.yaml", "s3+all", "read", "--\u{1b}[2J\u{202e}"],
        ["check", "-p", "policy.yaml", "--as=\u{202e}\u{1b}", "s3+all", "read"],
    ] {
        let ran = folder.run(args);
        assert!(
            ran.code != 0 && !ran.err.contains(['\u{1b}', '\u{7}', '\u{202e}']),
            "{:?}",
            ran.err
        );
        assert_eq!(ran.out, "");
    }
}

#[test]
fn help_and_version_are_asked_for_and_not_errors() {
    let folder = Folder::new();
    let help = folder.run(["--help"]);
    assert_eq!((help.code, &*help.err), (0, ""));
    for command in ["check", "explain", "validate", "inspect", "test"] {
        assert!(help.out.contains(command));
        let ran = folder.run([command, "--help"]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("Examples:") && ran.out.contains("Exit codes:"), "{}", ran.out);
    }
    let version = folder.run(["--version"]);
    assert_eq!(version.out, format!("pathward {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(folder.run::<&str>([]).code, 2);
}

#[test]
fn a_policy_that_does_not_load_is_3() {
    let folder = Folder::with("connections:\n  - id: s3+saha\n    owner: steph\n    dney: [x]\n");
    for args in ["check s3+saha read pub/x", "explain s3+saha read pub/x", "inspect"] {
        let ran = folder.ask(args);
        assert_eq!((ran.code, &*ran.out), (3, ""), "{args}");
        assert!(ran.err.contains("policy.yaml:4:5"), "{}", ran.err);
        let ran = folder.ask(&format!("{args} --format json"));
        assert_eq!((ran.code, &*ran.out), (3, ""), "{args}");
        let error: serde_json::Value = serde_json::from_str(&ran.err).expect("JSON");
        assert_eq!(error["error"]["exit"], 3);
    }
}

/// It was said with `bucket/key` in it, and of one in place of the operation that there is no such operation.
#[test]
fn a_uri_in_place_of_a_path_says_what_to_write() {
    let folder = Folder::new();
    for (question, write) in [
        ("s3+saha read s3://pub/a.csv", "`s3+saha://pub/a.csv read`"),
        ("s3+saha stat s3+other://pub/a", "`s3+saha://pub/a stat`"),
        ("s3+saha s3://pub/a.csv", "`s3+saha://pub/a.csv read`"),
        ("s3+saha s3://pub/a.csv read", "`s3+saha://pub/a.csv read`"),
        ("s3+saha read https://pub.s3.amazonaws.com/a", "`s3+saha://bucket/key read`"),
        ("s3+saha read s3://", "`s3+saha://bucket/key read`"),
    ] {
        let ran = folder.ask(&format!("check {question}"));
        assert_eq!(ran.code, 2, "{question}");
        let says = format!("in place of the connection and has the path: write {write}");
        assert!(ran.err.contains(&says), "{question}: {}", ran.err);
    }
}

/// It was said that the subcommand is not recognised.
#[cfg(not(feature = "gateway"))]
#[test]
fn a_subcommand_of_a_larger_build_says_what_that_needs() {
    let folder = Folder::new();
    for (args, feature) in [
        ("serve --demo", "gateway"),
        #[cfg(not(feature = "executor"))]
        ("probe --policy policy.yaml s3+saha", "executor"),
        #[cfg(not(feature = "store"))]
        ("connection new s3+saha --owner steph --store data", "store"),
        #[cfg(not(feature = "store"))]
        ("key new --policy policy.yaml --user steph --id laptop", "gateway"),
    ] {
        let ran = folder.run(args.split(' '));
        let name = args.split(' ').next().expect("a word");
        assert_eq!((ran.code, &*ran.out), (2, ""), "{args}");
        assert_eq!(
            ran.err,
            format!(
                "error: `{name}` is not in this build, which lacks the feature `{feature}`: build it with \
                 `--features {feature}`, or without `--no-default-features` for everything\n"
            )
        );
    }
    let other = folder.run(["searve"]);
    assert!(other.code == 2 && other.err.contains("unrecognized subcommand"), "{}", other.err);
}
