//! `test`: what may nowhere be done, what the tests exercise, and JUnit's XML.

use super::Folder;

const POLICY: &str = "\
connections:
  - id: s3+saha
    owner: steph
    access: read-write
    restrictions:
      - Algorithmia/
      - pub/*.csv
    deny:
      - prod/
      - { path: Algorithmia/locked/, access: [write, delete] }
";

fn run(tests: &str, args: &str) -> super::Ran {
    let folder = Folder::with(POLICY);
    folder.file("policy.test.yaml", tests.as_bytes());
    folder.ask(&format!("test {args}"))
}

fn test(rest: &str) -> String {
    format!("tests:\n  - name: it holds\n    connection: s3+saha\n    as: steph\n{rest}")
}

#[test]
fn never_is_proved_for_all_paths() {
    for never in [
        "{ write: prod/* }",
        "{ write: Algorithmia/locked/, delete: [Algorithmia/locked/x, \"Algorithmia/locked/*.tmp\"] }",
        "{ read: [logs/, { glob: \"pub/**/*.parquet\" }] }",
        "{ write: { path: prod/ } }",
    ] {
        let ran = run(&test(&format!("    never: {never}\n")), "");
        assert_eq!(ran.code, 0, "{never}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn a_never_that_is_not_so_fails_with_the_shortest_path() {
    let ran = run(
        &test("    never: { read: [prod/, \"*/locked/*\", \"*.csv\"], write: \"*.csv\" }\n"),
        "",
    );
    assert_eq!((ran.code, &*ran.err), (4, ""));
    assert_eq!(
        ran.out,
        "\
failed: it holds (s3+saha as steph)
  policy.test.yaml:5:28  never read */locked/*
  - expected never
  + got allow at pub/locked/.csv (allowed.rule) by policy.yaml:7:9 \"pub/*.csv\"
  policy.test.yaml:5:42  never read *.csv
  - expected never
  + got allow at pub/.csv (allowed.rule) by policy.yaml:7:9 \"pub/*.csv\"
  policy.test.yaml:5:59  never write *.csv
  - expected never
  + got allow at pub/.csv (allowed.rule) by policy.yaml:7:9 \"pub/*.csv\"

0 passed, 1 failed; 1 of 4 expectations met
"
    );
    let ran = run(&test("    never: { write: \"*.csv\" }\n"), "--format json");
    let failure = &ran.json()["files"][0]["tests"][0]["failures"][0];
    assert_eq!((&failure["never"], &failure["path"]), (&"*.csv".into(), &"pub/.csv".into()));
    assert_eq!((&failure["op"], &failure["got"]), (&"write".into(), &"allow".into()));
}

#[test]
fn a_never_proves_nothing_of_a_connection_that_is_not_there() {
    let tests = test("    never: { write: prod/ }\n").replace("s3+saha", "s3+sahra");
    let ran = run(&tests, "");
    assert_eq!(ran.code, 4);
    assert!(ran.out.contains("  + got unknown (deny.unknown_connection)\n"), "{}", ran.out);
}

#[test]
fn a_never_that_is_not_decided_is_an_error() {
    let ran = run(&test("    never: { write: \"*a*b*c\" }\n"), "--states 1");
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("  + got undecided (budget.states)\n"), "{}", ran.out);
    // What has failed has failed.
    let tests =
        test("    check: [{ path: pub/x, read: allow }]\n    never: { write: \"*a*b*c\" }\n");
    assert_eq!(run(&tests, "--states 1").code, 4);
}

#[test]
fn a_never_that_cannot_be_read_is_refused() {
    for (rest, says) in [
        ("    never: { wirte: prod/ }\n", "unknown field `wirte`"),
        ("    never: { write: [] }\n", "empty list"),
        ("    never: {}\n", "`never` names nothing"),
        ("    never: { write: ../x }\n", "`.` or `..`"),
        ("    never: { write: { path: prod/, access: [read] } }\n", "stands before the path"),
        ("", "a test has no `check`"),
    ] {
        let ran = run(&test(rest), "");
        assert_eq!(ran.code, 3, "{rest}: {}", ran.out);
        assert!(ran.err.contains(says), "{rest}: {}", ran.err);
    }
}

#[test]
fn what_no_test_exercised_is_said() {
    let tests = test(
        "    check:\n      - { path: Algorithmia/x, read: allow }\n      - { path: prod/x, read: deny }\n",
    );
    let ran = run(&tests, "--coverage");
    assert_eq!(ran.code, 0);
    assert_eq!(
        ran.out,
        "\
1 passed, 0 failed; 2 of 2 expectations met
coverage: 2 of 4 rules exercised, 50 %
  not exercised: s3+saha of steph: pub/*.csv (policy.yaml:7:9)
  not exercised: s3+saha of steph: Algorithmia/locked/ (policy.yaml:10:17)
"
    );
    assert_eq!(run(&tests, "--threshold 50").code, 0);
    let ran = run(&tests, "--threshold 51");
    assert_eq!(ran.code, 4);
    assert!(ran.out.contains("50 %, less than 51 %\n"), "{}", ran.out);
    let json = run(&tests, "--coverage --format json").json();
    assert_eq!(json["coverage"]["unexercised"][0]["rule"]["text"], "pub/*.csv");
    // A proof exercises what it is about.
    let ran =
        run(&format!("{tests}    never: {{ write: Algorithmia/locked/ }}\n"), "--threshold 75");
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert_eq!(run(&tests, "--threshold 101").code, 2);
}

#[test]
fn junit_has_a_case_for_each_test() {
    let tests = format!(
        "{}  - name: <b> & \"so\"\n    connection: s3+saha\n    as: steph\n    check: [{{ path: pub/x, read: allow }}]\n",
        test("    check: [{ path: Algorithmia/x, read: allow }]\n")
    );
    let ran = run(&tests, "--format junit");
    assert_eq!(ran.code, 4);
    assert_eq!(
        ran.out,
        "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"pathward\" tests=\"2\" failures=\"1\">
  <testsuite name=\"policy.test.yaml\" tests=\"2\" failures=\"1\">
    <testcase name=\"it holds\" classname=\"s3+saha as steph\" file=\"policy.test.yaml\" line=\"2\"/>
    <testcase name=\"&lt;b&gt; &amp; &quot;so&quot;\" classname=\"s3+saha as steph\" file=\"policy.test.yaml\" line=\"6\">
      <failure message=\"read pub/x: expected allow, got deny\" type=\"deny.no_match\">policy.test.yaml:9:13</failure>
    </testcase>
  </testsuite>
</testsuites>
"
    );
}
