//! `check --batch`: nothing is lost, whatever the lines are.

use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

use serde_json::Value;

use super::Folder;

#[test]
fn each_line_has_one_answer_in_its_order() {
    let folder = Folder::new();
    let lines = "\
Algorithmia/data/a
other/x
Algorithmia/data/secret/x
pub/../x

Algorithmia/data/\tb
Algorithmia/team.jpg";
    let ran = folder.feed("check s3+saha read --batch -", lines.as_bytes());
    assert_eq!(
        ran.lines(),
        [
            "allow\tallowed.rule\tAlgorithmia/data/a",
            "deny\tdeny.no_match\tother/x",
            "deny\tdeny.rule\tAlgorithmia/data/secret/x",
            "invalid\tinvalid.path\tpub/../x",
            "invalid\tinvalid.operation\t",
            "invalid\tinvalid.path\tAlgorithmia/data/\\tb",
            "allow\tallowed.rule\tAlgorithmia/team.jpg",
        ]
    );
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("line 4: the segment at byte 4 is `.` or `..`"), "{}", ran.err);
    assert!(ran.err.contains("line 5: an object has a key behind its bucket"), "{}", ran.err);
    assert!(ran.err.contains("line 6: a control byte (0x09) stands at byte 17"), "{}", ran.err);
    assert!(ran.err.contains("7 lines: 2 allow, 2 deny, 3 invalid; "), "{}", ran.err);
    assert!(ran.err.contains("           1  deny     deny.no_match\n"), "{}", ran.err);
}

#[test]
fn exit_codes_of_a_batch_are_asked_for() {
    let folder = Folder::new();
    for (lines, flags, code) in [
        ("Algorithmia/data/a\n", "", 0),
        ("Algorithmia/data/a\nother/x\n", "", 0),
        ("Algorithmia/data/a\nother/x\n", "--fail-on-deny", 5),
        ("Algorithmia/data/a\n", "--fail-on-deny", 0),
        ("/\n", "", 2),
        ("/\nother/x\n", "--fail-on-deny", 2),
        ("/\n", "--ignore-invalid", 0),
        ("/\nother/x\n", "--ignore-invalid --fail-on-deny", 5),
        ("", "", 0),
    ] {
        let ran = folder.feed(&format!("check s3+saha read --batch - {flags}"), lines.as_bytes());
        assert_eq!(ran.code, code, "{lines:?} {flags}");
    }
}

#[test]
fn lines_may_name_their_operation() {
    let folder = Folder::new();
    let lines = b"read\tAlgorithmia/data/a\nwrite\tAlgorithmia/out/x\nlist\t\n\
        copy\tAlgorithmia/data/a\tAlgorithmia/out/b\ncopy\tpub/a\nfly\tpub/a\npub/a\n\xff\tpub/a\n\
        read-acl\tpub/x\nread\tAlgorithmia/data/a\tb";
    let ran = folder.feed("check s3+saha --batch -", lines);
    assert_eq!(
        ran.lines(),
        [
            "allow\tallowed.rule\tread\tAlgorithmia/data/a",
            "allow\tallowed.rule\twrite\tAlgorithmia/out/x",
            "allow\tallowed.rule\tlist\t",
            "allow\tallowed.rule\tcopy\tAlgorithmia/data/a\tAlgorithmia/out/b",
            "invalid\tinvalid.operation\tcopy\tpub/a",
            "invalid\tinvalid.operation\tfly\tpub/a",
            "invalid\tinvalid.operation\tpub/a",
            "invalid\tinvalid.operation\t\\xff\tpub/a",
            "deny\tdeny.acl\tread-acl\tpub/x",
            "invalid\tinvalid.path\tread\tAlgorithmia/data/a\\tb",
        ]
    );
}

#[test]
fn json_has_an_object_for_each_line() {
    let folder = Folder::new();
    let input = b"Algorithmia/data/\"q\\\n/\npub/\xff\nAlgorithmia/data/\xe2\x80\xae";
    let ran = folder.feed("check s3+saha read --batch - --format json", input);
    let lines: Vec<Value> =
        ran.lines().iter().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["path"], "Algorithmia/data/\"q\\");
    assert_eq!(lines[0]["rule"]["text"], "Algorithmia/data/*");
    assert_eq!((&lines[1]["line"], &lines[1]["reason"]), (&2.into(), &"invalid.path".into()));
    assert!(lines[1]["message"].as_str().is_some_and(|m| m.contains("leave the first `/` out")));
    assert_eq!((&lines[2]["path"], &lines[2]["lossy"]), (&"pub/\\xff".into(), &true.into()));
    assert_eq!(lines[2]["reason"], "invalid.encoding");
    assert_eq!(lines[3]["path"], "Algorithmia/data/\u{202e}");
    assert!(!ran.out.contains('\u{202e}'));
    let summary: Value = serde_json::from_str(&ran.err).expect("JSON");
    assert_eq!(summary["summary"]["lines"], 4);
    assert_eq!(summary["summary"]["reasons"]["invalid.encoding"], 1);
}

#[test]
fn nul_separates_and_line_feeds_are_then_bytes() {
    let folder = Folder::new();
    let input = b"Algorithmia/data/a\0Algorithmia/data/b\nc\0\0other/x";
    let ran = folder.feed("check s3+saha read --batch - --null --ignore-invalid", input);
    assert_eq!(
        ran.lines(),
        [
            "allow\tallowed.rule\tAlgorithmia/data/a",
            "invalid\tinvalid.path\tAlgorithmia/data/b\\nc",
            "invalid\tinvalid.operation\t",
            "deny\tdeny.no_match\tother/x",
        ]
    );
    assert_eq!(ran.code, 0);
}

#[test]
fn nothing_hidden_gets_into_the_output() {
    let folder = Folder::new();
    let input = "Algorithmia/data/\u{202e}x\npub/\u{1b}[31m\nfly\u{1b}\tpub/x\n";
    for flags in ["read", ""] {
        let ran = folder.feed(&format!("check s3+saha {flags} --batch -"), input.as_bytes());
        assert_eq!(ran.lines().len(), 3);
        assert!(!(ran.out + &ran.err).contains(['\u{202e}', '\u{1b}']));
    }
}

#[test]
fn files_in_and_files_out() {
    let folder = Folder::new();
    folder.file("paths", b"Algorithmia/data/a\nother/x\n");
    let ran = folder.ask("check s3+saha read --batch paths -o answers");
    assert_eq!((ran.code, &*ran.out), (0, ""));
    assert!(ran.err.starts_with("2 lines: 1 allow, 1 deny, 0 invalid; "));
    let answers = std::fs::read_to_string(folder.0.path().join("answers")).expect("written");
    assert_eq!(answers, "allow\tallowed.rule\tAlgorithmia/data/a\ndeny\tdeny.no_match\tother/x\n");

    let ran = folder.ask("check s3+saha read --batch paths --quiet");
    assert_eq!((ran.code, &*ran.err, ran.lines().len()), (0, "", 2));
    let ran = folder.ask("check s3+saha read --batch paths --summary-only");
    assert_eq!((ran.code, &*ran.err), (0, ""));
    assert!(ran.out.starts_with("2 lines: 1 allow, 1 deny, 0 invalid; "));

    let ran = folder.ask("check s3+saha read --batch nowhere");
    assert_eq!((ran.code, &*ran.out), (1, ""));
    assert!(ran.err.starts_with("error: cannot read `nowhere`: "), "{}", ran.err);
    let ran = folder.ask("check s3+saha read --batch paths -o no/where");
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("error: cannot write `no/where`: "), "{}", ran.err);
    let ran = folder.ask("check s3+saha read --batch paths -o ./paths");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("would overwrite the batch"), "{}", ran.err);
    assert_eq!(folder.ask("check s3+saha read --batch paths").lines().len(), 2);
    for args in ["s3+saha read pub/x", "s3+saha://pub read", "s3+saha copy --to pub/x"] {
        let ran = folder.ask(&format!("check {args} --batch paths"));
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("a batch has its paths in its lines"), "{}", ran.err);
    }
}

#[test]
fn a_line_longer_than_anything_is_one_invalid_line() {
    let folder = Folder::new();
    let mut input = vec![b'x'; 3 << 20];
    input.extend_from_slice(b"\nAlgorithmia/data/a\n");
    let ran = folder.feed("check s3+saha read --batch -", &input);
    assert_eq!(ran.lines().len(), 2);
    assert!(ran.out.starts_with("invalid\tinvalid.path\txxxx"));
    assert_eq!(ran.lines()[1], "allow\tallowed.rule\tAlgorithmia/data/a");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new();
    let paths = "Algorithmia/data/a\n".repeat(200_000);
    folder.file("paths", paths.as_bytes());
    for args in [
        "check s3+saha read --batch paths",
        "check s3+saha read --batch paths --format json",
        "inspect",
        "--help",
    ] {
        let mut command = folder.command();
        command.args(args.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped());
        if args != "--help" {
            command.args(["--policy", "policy.yaml"]);
        }
        let mut child = command.spawn().expect("runs");
        let mut first = String::new();
        // The pipe is closed here.
        let pipe = child.stdout.take().expect("a pipe");
        BufReader::with_capacity(64, pipe).read_line(&mut first).expect("a line");
        let output = child.wait_with_output().expect("ends");
        assert_eq!(output.status.code(), Some(0), "{args}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args}");
    }
}

#[test]
fn a_reader_that_goes_away_changes_no_exit_code() {
    let folder = Folder::new();
    folder.file("denied", "other/x\n".repeat(200_000).as_bytes());
    folder.file("malformed", "/\n".repeat(200_000).as_bytes());
    folder.file("bad.yaml", b"connections: x\n");
    folder.file("failing.test.yaml", b"tests:\n  - { name: x, connection: s3+all, as: steph, check: [{ path: other/x, read: deny }] }\n");
    for (args, code) in [
        ("check s3+saha read other/x", 5),
        ("check s3+saha read other/x --format json", 5),
        ("check s3+saha read /", 2),
        ("check s3+nobody read other/x", 5),
        ("explain s3+saha read other/x", 5),
        ("explain s3+saha read other/x --format json", 5),
        ("test failing.test.yaml", 4),
        ("check s3+saha read --batch denied --fail-on-deny", 5),
        ("check s3+saha read --batch denied --fail-on-deny --format json", 5),
        ("check s3+saha read --batch denied --fail-on-deny --summary-only", 5),
        ("check s3+saha read --batch malformed", 2),
        ("check s3+saha read --batch denied", 0),
        ("check s3+saha read Algorithmia/data/a", 0),
    ] {
        for closed in ["out", "both"] {
            let mut command = folder.command();
            command.args(args.split(' ')).args(["--policy", "policy.yaml"]);
            assert_eq!(code_without_reader(&mut command, closed == "both"), Some(code), "{args}");
        }
    }
    let mut command = folder.command();
    command.args(["validate", "-p", "policy.yaml", "bad.yaml"]);
    assert_eq!(code_without_reader(&mut command, false), Some(3));
}

/// The exit code of a command whose output goes into a pipe that nobody reads.
fn code_without_reader(command: &mut std::process::Command, err_too: bool) -> Option<i32> {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    if err_too {
        command.stderr(writer.try_clone().expect("a handle"));
    } else {
        command.stderr(Stdio::null());
    }
    command.stdout(writer).status().expect("runs").code()
}

#[test]
fn the_output_destroys_nothing_that_is_read() {
    use std::{fs, os::unix::fs::symlink};

    let folder = Folder::new();
    let at = |name: &str| folder.0.path().join(name);
    let lines = "Algorithmia/data/a\n";
    folder.file("paths", lines.as_bytes());
    fs::hard_link(at("paths"), at("hard")).expect("a link");
    symlink("paths", at("soft")).expect("a link");
    fs::hard_link(at("policy.yaml"), at("policy-hard")).expect("a link");
    fs::create_dir(at("rules")).expect("a folder");
    fs::copy(at("policy.yaml"), at("rules/a.yaml")).expect("a copy");
    fs::hard_link(at("rules/a.yaml"), at("a-hard")).expect("a link");
    for (batch, policy, output, what) in [
        ("paths", "policy.yaml", "paths", "the batch"),
        ("paths", "policy.yaml", "./soft", "the batch"),
        ("paths", "policy.yaml", "hard", "the batch"),
        ("-", "policy.yaml", "paths", "the batch"),
        ("-", "policy.yaml", "hard", "the batch"),
        ("paths", "policy.yaml", "policy.yaml", "the policy"),
        ("paths", "policy.yaml", "policy-hard", "the policy"),
        ("paths", "rules", "rules/a.yaml", "or join the policy"),
        ("paths", "rules", "rules/new.yml", "or join the policy"),
        ("paths", "rules", "a-hard", "the policy"),
    ] {
        let mut command = folder.command();
        command.args(["check", "s3+saha", "read", "-p", policy, "--batch", batch, "-o", output]);
        command.stdin(fs::File::open(at("paths")).expect("opens"));
        let ran = super::ran(&mut command);
        assert_eq!(ran.code, 2, "{batch} {policy} {output}: {}", ran.err);
        assert!(ran.err.contains(&format!("would overwrite {what}: ")), "{}", ran.err);
        assert_eq!(fs::read_to_string(at("paths")).expect("there"), lines, "{output}");
        for policy in ["policy.yaml", "rules/a.yaml"] {
            assert_eq!(fs::read_to_string(at(policy)).expect("there"), super::POLICY, "{output}");
        }
        assert!(!at("rules/new.yml").exists());
    }
    // What is neither is written, and emptied before.
    folder.file("answers", &[b'x'; 1_000]);
    for (batch, output) in [("paths", "answers"), ("-", "answers"), ("-", "rules/answers.tsv")] {
        let args = format!("check s3+saha read --batch {batch} -o {output}");
        assert_eq!(folder.feed(&args, lines.as_bytes()).code, 0);
        let answers = fs::read_to_string(at(output)).expect("there");
        assert_eq!(answers, "allow\tallowed.rule\tAlgorithmia/data/a\n");
    }
    assert_eq!(folder.ask("check s3+saha read --batch - -o /dev/null").code, 0);
}

#[test]
fn whoever_asks_line_by_line_is_answered_line_by_line() {
    let folder = Folder::new();
    let mut child = folder
        .command()
        .args(["check", "-p", "policy.yaml", "s3+saha", "read", "--batch", "-", "--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut answers = BufReader::new(child.stdout.take().expect("a pipe"));
    for (path, answer) in [
        ("Algorithmia/data/a", "allow\tallowed.rule\tAlgorithmia/data/a\n"),
        ("other/x", "deny\tdeny.no_match\tother/x\n"),
    ] {
        writeln!(stdin, "{path}").expect("asked");
        let mut line = String::new();
        answers.read_line(&mut line).expect("answered");
        assert_eq!(line, answer);
    }
    drop(stdin);
    assert!(child.wait().expect("ends").success());
}

#[test]
#[cfg(target_os = "linux")]
fn progress_on_a_terminal_does_not_stand_in_the_way() {
    // Once, the lock on standard error was held while the bar wanted to draw: both waited for ever.
    let folder = Folder::new();
    folder.file("paths", format!("{}/bad\n", "Algorithmia/data/a\n".repeat(300_000)).as_bytes());
    let run = concat!(
        env!("CARGO_BIN_EXE_pathward"),
        " check -p policy.yaml s3+saha read --batch paths -o answers"
    );
    let output = std::process::Command::new("timeout")
        .args(["60", "script", "-qec", run, "/dev/null"])
        .current_dir(folder.0.path())
        .stdin(Stdio::null())
        .output()
        .expect("`timeout` and `script` are there on any Linux");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    assert!(shown.contains("line 300001: a path starts with its bucket"), "{shown}");
    assert!(shown.contains("300001 lines: 300000 allow, 0 deny, 1 invalid"), "{shown}");
}

#[test]
fn lines_that_are_nearly_right_say_what_is_wrong() {
    let folder = Folder::new();
    let ran = folder.feed("check s3+saha read --batch -", b"Algorithmia/team.jpg\rx");
    assert!(ran.err.contains("line 1: a control byte (0x0d) stands at byte 20: a carriage return"));
    assert!(ran.err.contains("where nothing else ends the lines, use `tr "), "{}", ran.err);
    let ran = folder.feed("check s3+saha --batch -", b"read Algorithmia/team.jpg\n");
    assert!(ran.err.contains("line 1: no operation: a line is the operation, a tab and the path"));
}
