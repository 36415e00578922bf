//! `validate`, `inspect` and `test`: what files say.

use super::Folder;

#[test]
fn a_policy_that_loads_is_counted() {
    let folder = Folder::new();
    let ran = folder.ask("validate");
    assert_eq!((ran.code, ran.lines().len()), (0, 1), "{}", ran.err);
    assert!(ran.out.starts_with("policy.yaml: valid, revision "), "{}", ran.out);
    assert!(ran.out.contains(": 6 connections, "), "{}", ran.out);
    assert!(ran.out.contains(", 8 restrictions, 1 deny, "), "{}", ran.out);
    let json = folder.ask("validate --format json").json();
    assert_eq!((&json["valid"], &json["policies"][0]["valid"]), (&true.into(), &true.into()));
    assert_eq!(json["policies"][0]["counts"]["connections"], 6);
}

#[test]
fn all_errors_are_shown_and_the_code_is_3() {
    let folder = Folder::new();
    folder.file(
        "wrong.yaml",
        b"connections:\n  - id: s3+a\n    owner: steph\n    dney: [x]\n    restrictions: []\n",
    );
    let ran = folder.run(["validate", "--policy", "policy.yaml", "wrong.yaml"]);
    assert_eq!((ran.code, ran.lines().len()), (3, 1));
    assert!(ran.err.contains("wrong.yaml:4:5") && ran.err.contains("wrong.yaml:5"), "{}", ran.err);
    assert!(ran.err.trim_end().ends_with("wrong.yaml: invalid, 2 errors"), "{}", ran.err);
    let ran = folder.run(["validate", "-p", "policy.yaml", "wrong.yaml", "--format=json"]);
    let json = ran.json();
    assert_eq!((ran.code, &*ran.err, &json["valid"]), (3, "", &false.into()));
    let first = &json["policies"][1]["diagnostics"][0];
    assert_eq!((&first["severity"], &first["line"]), (&"error".into(), &4.into()));
    assert_eq!((&first["column"], &first["file"]), (&5.into(), &"wrong.yaml".into()));
    assert_eq!(folder.run(["validate", "--policy", "nowhere.yaml"]).code, 3);
}

#[test]
fn what_is_too_wide_loads() {
    let folder = Folder::with(
        "connections:\n  - id: s3+a\n    owner: steph\n    restrictions: [Algorithmia*]\n",
    );
    let ran = folder.ask("validate");
    assert_eq!(ran.code, 0);
    // That it is too wide is for `lint` to say.
    assert!(ran.out.contains("0 warnings"), "{} {}", ran.out, ran.err);
}

#[test]
fn inspect_shows_what_was_understood() {
    let folder = Folder::new();
    let ran = folder.ask("inspect");
    assert_eq!((ran.code, &*ran.err), (0, ""));
    for line in [
        "s3+saha of steph, also as the default  policy.yaml:2:5",
        "    read-only         plain  \"Algorithmia/data/*\"  policy.yaml:8:9",
        "    read-write        plain  \"Algorithmia/out/*\"  policy.yaml:9:17",
        "  endpoint     https://s3.example",
        "  credentials  profile saha",
        "  keys         plain: paths with an empty segment or a `\\` are malformed",
        "    read-write        plain  \"*\"  no `restrictions` key",
    ] {
        assert!(ran.lines().contains(&line), "{line}\n{}", ran.out);
    }
    assert!(ran.out.contains("  compiled     4 rules, "), "{}", ran.out);

    let json = folder.ask("inspect s3 --as steph --format json").json();
    let connections = json["connections"].as_array().expect("a list");
    assert_eq!(connections.len(), 1);
    assert_eq!(connections[0]["connection"], "s3+saha");
    assert_eq!(connections[0]["rules"][2]["canonical"], "Algorithmia/out/*");
    assert_eq!(connections[0]["rules"][3]["effect"], "deny");
    assert_eq!(connections[0]["compiled"]["rules"], 4);
    let json = folder.ask("inspect s3+shared --format json").json();
    assert_eq!(json["connections"].as_array().map(Vec::len), Some(2));
}

const TESTS: &str = "\
tests:
  - name: the data is readable
    connection: s3+saha
    as: steph
    check:
      - { path: Algorithmia/data/x, read: allow, write: deny, list: allow }
      - { path: Algorithmia/data/secret/x, read: deny, reason: deny.rule }
      - { path: Algorithmia/../x, read: invalid }
      - { path: \"\", list: allow }
  - name: nobody else's
    connection: s3+saha
    as: dana
    check:
      - { path: Algorithmia/data/x, read: deny, reason: deny.unknown_connection }
";

#[test]
fn tests_that_pass_are_counted() {
    let folder = Folder::new();
    folder.file("policy.test.yaml", TESTS.as_bytes());
    for policy in ["policy.yaml", "."] {
        let ran = folder.run(["test", "--policy", policy]);
        assert_eq!((ran.code, &*ran.err), (0, ""), "{}", ran.out);
        assert_eq!(ran.out, "2 passed, 0 failed; 7 of 7 expectations met\n");
    }
    let json = folder.ask("test --format json").json();
    assert_eq!((&json["passed"], &json["failed"]), (&2.into(), &0.into()));
    assert_eq!(json["files"][0]["file"], "policy.test.yaml");
}

#[test]
fn what_failed_is_shown_as_a_difference_and_the_code_is_4() {
    let folder = Folder::new();
    let tests = TESTS.replace("write: deny", "write: allow").replace("deny.rule", "deny.no_match");
    let other = folder.file("other.test.yaml", tests.as_bytes());
    let ran = folder.ask("test other.test.yaml");
    assert_eq!((ran.code, &*ran.err), (4, ""));
    assert_eq!(
        ran.out,
        "\
failed: the data is readable (s3+saha as steph)
  other.test.yaml:6:9  write Algorithmia/data/x
  - expected allow
  + got deny (deny.access) by policy.yaml:8:9 \"Algorithmia/data/*\"
  other.test.yaml:7:9  read Algorithmia/data/secret/x
  - expected deny (deny.no_match)
  + got deny (deny.rule) by policy.yaml:11:9 \"Algorithmia/data/secret/\"

1 passed, 1 failed; 5 of 7 expectations met
"
    );
    let ran = folder.ask(&format!("test {} --format json", other.display()));
    let json = ran.json();
    assert_eq!((ran.code, &json["failed"]), (4, &1.into()));
    let failure = &json["files"][0]["tests"][0]["failures"][0];
    assert_eq!((&failure["expected"], &failure["got"]), (&"allow".into(), &"deny".into()));
    assert_eq!((&failure["line"], &failure["reason"]), (&6.into(), &"deny.access".into()));
    assert_eq!(failure["rule"]["line"], 8);
}

#[test]
fn no_tests_is_no_success() {
    let folder = Folder::new();
    let ran = folder.ask("test");
    assert_eq!((ran.code, &*ran.out), (2, ""));
    assert!(ran.err.contains("there are no tests: write `policy.test.yaml`"), "{}", ran.err);
    let ran = folder.run(["test", "-p", "."]);
    assert_eq!(ran.code, 2);
    folder.file("policy.test.yaml", b"tests:\n  - name: x\n    chekc: []\n");
    let ran = folder.ask("test");
    assert_eq!((ran.code, &*ran.out), (3, ""));
    assert!(ran.err.contains("policy.test.yaml:3:5"), "{}", ran.err);
    assert_eq!(folder.ask("test nowhere.test.yaml").code, 3);
}
