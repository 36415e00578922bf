//! The policies in `policies/` load and say what their tests say; large and hostile files.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests fail like tests")]

use std::{
    fmt::Write,
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

use pathward::{
    Caller, ConnectionId, Engine, Policy, PolicyErrors,
    engine::{Operation, Outcome},
    policy::{
        Expected, MAX_FILE_SIZE, MAX_RULES, MAX_YAML_DEPTH, MAX_YAML_NODES, PolicyTest, TestFile,
    },
};

use crate::common::CpuTime;

#[expect(dead_code, reason = "its `main` is for the example")]
#[path = "../../examples/thousand-tenants.rs"]
mod thousand_tenants;

fn policies() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir("policies")
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .filter(|path| !path.to_string_lossy().ends_with(".test.yaml"))
        .collect();
    files.sort();
    files
}

fn load(path: &Path) -> Policy {
    let policy = Policy::load(path).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(policy.warnings().is_empty(), "{:?}", policy.warnings());
    policy
}

#[test]
fn every_policy_loads_alone_and_all_load_as_a_folder() {
    let alone: usize = policies().iter().map(|path| load(path).connections().len()).sum();
    let together = load(Path::new("policies"));
    assert!(policies().len() >= 6 && alone > 1_000, "{alone}");
    assert_eq!(together.connections().len(), alone);
    let owners: Vec<&str> = together.connections().iter().map(|c| c.owner()).collect();
    assert_eq!((owners.first(), owners.last()), (Some(&"agent-7"), Some(&"tenant-0999")));
}

#[test]
fn the_generated_policy_is_what_the_generator_prints() {
    let printed = thousand_tenants::policy().expect("writes to a string");
    let file = fs::read_to_string("policies/thousand-tenants.yaml").unwrap_or_default();
    assert!(printed == file, "run the command in examples/thousand-tenants.rs");
}

#[test]
fn every_policy_says_what_its_tests_say() {
    let mut checked = 0;
    for path in policies() {
        let engine = Engine::new(load(&path));
        let tests = TestFile::load(&path.with_extension("test.yaml"))
            .unwrap_or_else(|errors| panic!("{errors}"));
        for test in &tests.tests {
            checked += run(&engine, test);
        }
    }
    assert!(checked > 120, "{checked}");
}

fn run(engine: &Engine, test: &PolicyTest) -> usize {
    let mut checked = 0;
    let id = ConnectionId::parse(&test.connection).expect("checked when it was read");
    for check in &test.checks {
        for (name, expected) in &check.expectations {
            let (outcome, reason) = match pathward::Path::new(&check.path) {
                Ok(path) => {
                    let operation = Operation::named(name, path).expect("short");
                    let operation = operation.expect("an operation");
                    let decision =
                        engine.decide(Caller::with_full_permission(&test.caller), &id, &operation);
                    (decision.outcome(), decision.reason().code())
                }
                Err(error) => (Outcome::Invalid, error.code()),
            };
            let outcome = match outcome {
                Outcome::Allow => Expected::Allow,
                Outcome::Deny => Expected::Deny,
                Outcome::Invalid => Expected::Invalid,
            };
            let at = &check.location;
            assert_eq!(outcome, *expected, "{at}: {name} {} is {reason}", check.path);
            if let Some(expected) = &check.reason {
                assert_eq!(reason, expected, "{at}: {name} {}", check.path);
            }
            checked += 1;
        }
    }
    checked
}

fn errors(text: &str) -> PolicyErrors {
    Policy::from_yaml("policy.yaml", text).expect_err("a mistake")
}

fn codes(errors: &PolicyErrors) -> Vec<&'static str> {
    errors.diagnostics().iter().map(|found| found.code()).collect()
}

const CONNECTION: &str = "connections:\n  - id: s3+saha\n    owner: steph\n    restrictions:\n";

fn many(rules: usize) -> String {
    let mut text = CONNECTION.to_owned();
    for n in 0..rules {
        writeln!(text, "      - data-lake/team-{}/set-{n}/part-{n}.csv", n % 97).expect("fits");
    }
    text
}

#[test]
fn a_hundred_thousand_restrictions_load() {
    let text = many(100_000);
    let start = CpuTime::now();
    let policy = Policy::from_yaml("policy.yaml", &text).expect("loads");
    println!("100,000 restrictions in {:?}", start.elapsed());
    assert_eq!(policy.connections()[0].rules().len(), 100_000);
}

#[test]
#[ignore = "takes memory and time; run it when the loader changes"]
fn half_a_million_restrictions_take_five_times_as_long() {
    for rules in [100_000, 200_000, 500_000] {
        let text = many(rules);
        let start = CpuTime::now();
        let policy = Policy::from_yaml("policy.yaml", &text).expect("loads");
        println!("{rules} restrictions, {} bytes, in {:?}", text.len(), start.elapsed());
        assert_eq!(policy.connections()[0].rules().len(), rules);
    }
}

#[test]
fn more_rules_than_the_limit_are_refused_by_its_name() {
    // Over several files, so that none of them is too large.
    let folder = tempfile::tempdir().expect("a folder");
    for n in 0..3 {
        let mut text = format!("connections:\n  - id: s3+c{n}\n    owner: o\n    restrictions:\n");
        (0..MAX_RULES / 3 + 1).for_each(|n| writeln!(text, "    - b{n:07}").expect("fits"));
        fs::write(folder.path().join(format!("{n}.yaml")), text).expect("written");
    }
    let errors = Policy::load(folder.path()).expect_err("too many");
    assert_eq!(codes(&errors), ["limit.rules"]);
    assert!(errors.to_string().contains("more than 1048576 rules"), "{errors}");
    assert!(errors.to_string().contains("2.yaml:349529:7"), "{errors}");
}

#[test]
fn a_file_over_the_limit_is_refused_unread() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy.yaml");
    File::create(&path).and_then(|file| file.set_len(100 << 20)).expect("a sparse file");
    let start = CpuTime::now();
    let errors = Policy::load(&path).expect_err("too large");
    assert_eq!(codes(&errors), ["limit.file_size"]);
    assert!(start.elapsed() < Duration::from_secs(1));
    assert!(errors.to_string().starts_with("error: the file has more than 32 MiB"), "{errors}");

    let text = " ".repeat(MAX_FILE_SIZE + 1);
    assert_eq!(codes(&self::errors(&text)), ["limit.file_size"]);
}

#[test]
fn nesting_has_a_limit_in_both_styles() {
    for text in [
        format!("connections: {}", "[".repeat(100_000)),
        format!("connections: {}", "{a: ".repeat(100_000)),
        format!("connections:\n  {}x", "- ".repeat(100_000)),
        (0..2_000).fold(String::new(), |text, n| text + &" ".repeat(n) + "a:\n"),
        format!("connections: {}1{}", "[".repeat(MAX_YAML_DEPTH), "]".repeat(MAX_YAML_DEPTH)),
    ] {
        let start = CpuTime::now();
        let errors = errors(&text);
        assert_eq!(codes(&errors).last(), Some(&"limit.yaml_depth"), "{errors}");
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}

#[test]
fn the_number_of_values_has_a_limit() {
    let text = format!("connections: [{}]", "a,".repeat(MAX_YAML_NODES));
    assert_eq!(codes(&errors(&text)), ["limit.yaml_nodes"]);
}

#[test]
fn many_keys_and_many_aliases_take_no_more_than_their_number() {
    let start = CpuTime::now();
    let mut text = String::from("users:\n  - name: steph\n    keys:\n");
    for n in 0..20_000 {
        writeln!(text, "      - {{ id: k{n}, sha256: {n:064x}, access: none }}").expect("fits");
    }
    let policy = Policy::from_yaml("policy.yaml", &text).expect("loads");
    assert_eq!(policy.users()[0].keys.len(), 20_000);
    let aliases = format!("{CONNECTION}      - [{}]\n", "*a,".repeat(200_000));
    assert_eq!(errors(&aliases).more(), 199_001);
    assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
}

#[test]
fn aliases_are_refused_and_never_expanded() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..30 {
        let alias = format!("*a{}, ", n - 1).repeat(9);
        writeln!(text, "a{n}: &a{n} [{alias}*a{}]", n - 1).expect("fits");
    }
    text.push_str("connections: *a29\n");
    let start = CpuTime::now();
    let errors = errors(&text);
    assert!(start.elapsed() < Duration::from_secs(1));
    let codes = codes(&errors);
    assert!(codes.contains(&"policy.yaml_alias") && codes.contains(&"policy.yaml_anchor"));

    // One that refers to itself, and merges of one that does.
    for text in ["connections: &c [*c]\n", "connections: &c\n  - <<: *c\n", "&a *a : *a\n"] {
        assert!(self::errors(text).errors().count() > 0, "{text}");
    }
}

#[test]
fn a_million_mistakes_are_counted_and_the_first_of_them_shown() {
    let mut text = CONNECTION.to_owned();
    (0..200_000).for_each(|_| text.push_str("      - /x\n"));
    let start = CpuTime::now();
    let errors = errors(&text);
    assert_eq!((errors.diagnostics().len(), errors.more()), (1_000, 199_000));
    assert!(errors.to_string().ends_with("and 199000 more like these"));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn a_long_line_is_as_good_as_many() {
    let items: Vec<String> = (0..100_000).map(|n| format!("bucket/{n}")).collect();
    let head = "connections: [{id: s3+saha, owner: steph, restrictions: [";
    let good = format!("{head}{}]}}]", items.join(", "));
    let start = CpuTime::now();
    assert_eq!(Policy::from_yaml("p", &good).expect("loads").connections().len(), 1);
    let bad = format!("{head}/{}]}}]", items.join(", /"));
    assert_eq!(errors(&bad).more(), 99_000);
    assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
}

#[test]
fn a_folder_is_its_yaml_files_in_the_order_of_their_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("written");
    };
    let errors = Policy::load(folder.path()).expect_err("no file");
    assert_eq!(codes(&errors), ["policy.empty"]);

    let connection = |label| format!("connections:\n  - id: s3+{label}\n    owner: steph\n");
    write("b.yaml", &connection("b"));
    write("a.yml", &connection("a"));
    write("a.test.yaml", "tests: nonsense");
    write(".hidden.yaml", "nonsense: [");
    write("readme.md", "# nonsense");
    fs::create_dir(folder.path().join("deeper.yaml")).expect("a folder");
    let policy = Policy::load(folder.path()).expect("loads");
    let labels: Vec<_> = policy.connections().iter().map(|c| c.id().label()).collect();
    assert_eq!(labels, [Some("a"), Some("b")]);

    write("c.yaml", &connection("a"));
    let errors = Policy::load(folder.path()).expect_err("defined twice");
    assert_eq!(codes(&errors), ["policy.duplicate"]);
    let said = errors.to_string();
    assert!(said.contains("c.yaml:2:9") && said.contains("a.yml:2:9"), "{said}");
}

#[test]
fn a_policy_that_defines_nothing_is_refused() {
    for text in ["{}", "connections: []", "users: []", "{ connections: [], users: [] }"] {
        assert_eq!(codes(&errors(text)), ["policy.empty"], "{text}");
    }
    // One file of a folder may be empty so far, if another is not.
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.yaml"), "connections: []\n").expect("written");
    assert_eq!(codes(&Policy::load(folder.path()).expect_err("nothing")), ["policy.empty"]);
    fs::write(folder.path().join("b.yaml"), "users: [{ name: steph }]\n").expect("written");
    assert_eq!(Policy::load(folder.path()).expect("loads").users().len(), 1);
}

#[test]
fn what_is_not_a_text_file_is_refused_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy.yaml");
    fs::write(&path, b"connections:\n  - id: s3+\xff\n").expect("written");
    let errors = Policy::load(&path).expect_err("not UTF-8");
    assert_eq!(codes(&errors), ["policy.encoding"]);
    assert_eq!(
        (errors.diagnostics()[0].location().line, errors.diagnostics()[0].location().column),
        (2, 12)
    );
    assert_eq!(
        codes(&Policy::load(&folder.path().join("none.yaml")).expect_err("none")),
        ["policy.io"]
    );
}

#[test]
fn the_revision_is_that_of_the_files() {
    let (one, other) = (many(1), many(2));
    let revision = |name: &str, text: &str| {
        Policy::from_yaml(name, text).expect("loads").revision().to_string()
    };
    assert_eq!(revision("a", &one), revision("a", &one));
    assert_ne!(revision("a", &one), revision("b", &one));
    assert_ne!(revision("a", &one), revision("a", &other));
}

#[test]
fn scalars_keep_the_text_of_their_author() {
    let names =
        ["on", "1e3", "0x1F", "2026-01", "true", "123", "1_000", "012", "yes", ".5", "a: b"];
    for name in names {
        let text = format!(
            "{CONNECTION}      - \"bucket/{name}\"\n      - bucket-{}\n",
            name.replace(": ", "")
        );
        let policy = Policy::from_yaml("policy.yaml", &text).expect("loads");
        assert_eq!(policy.connections()[0].rules()[0].restriction.text(), format!("bucket/{name}"));
    }
    for name in ["0x1F", "1e3", "2026-01", "true", "123", "1_000", "0o17", "012", "+12", "off"] {
        let text = format!("connections:\n  - id: s3+saha\n    owner: {name}\n");
        let policy = Policy::from_yaml("policy.yaml", &text).expect("loads");
        assert_eq!(policy.connections()[0].owner(), name);
    }
}

#[test]
fn tests_have_errors_with_places_too() {
    let test = "tests:\n  - name: x\n    connection: s3+saha\n    as: steph\n    check:\n";
    for (check, said) in [
        ("      - { path: a/b, raed: allow }\n", "did you mean `read`?"),
        ("      - { path: a/b, read: alow }\n", "`alow` cannot be expected"),
        ("      - { path: a/b }\n", "checks nothing"),
        ("      - { read: allow }\n", "has no `path`"),
        (
            "      - { path: a/b, read: deny, reason: deny.nomatch }\n",
            "did you mean `deny.no_match`?",
        ),
        ("      []\n", "empty list"),
    ] {
        let errors = TestFile::parse("t.test.yaml", &format!("{test}{check}")).expect_err(said);
        assert!(errors.to_string().contains(said), "{errors}");
        assert_eq!(errors.diagnostics()[0].location().line, 6, "{errors}");
    }
}

#[test]
fn one_long_line_of_mistakes_is_refused_in_time() {
    // Once, everything before a mistake was looked at for each of them.
    let items: Vec<String> = (0..60_000).map(|n| format!("pub/{n:08}")).collect();
    let connection = "{id: s3+a, owner: o, rstr: aa}";
    let text = format!(
        "connections: [{{id: s3+a, owner: o, restrictions: [{}]}}, {}]",
        items.join(", "),
        vec![connection; 10_000].join(", ")
    );
    assert!(text.len() > 1_000_000);
    let start = CpuTime::now();
    let errors = errors(&text);
    assert_eq!(errors.diagnostics().len(), 1_000);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());

    // Signs that make a line hard to read.
    for sign in [":", "1:", "a@:", "secre ", "://", "\n ", " ", "env/"] {
        let text = format!("connections: [\"{}\", {}]", sign.repeat(200_000), connection.repeat(2));
        let text = format!("{text}\n{}", format!("x: {}\n", sign.repeat(500)).repeat(300));
        let start = CpuTime::now();
        self::errors(&text);
        assert!(start.elapsed() < Duration::from_secs(20), "{sign:?}: {:?}", start.elapsed());
    }
}

#[test]
fn a_test_can_name_every_operation_on_one_path() {
    for name in Operation::NAMES {
        let text = format!(
            "tests:\n  - name: t\n    connection: s3+a\n    as: o\n    check:\n      - {{ path: pub/x, {name}: deny }}\n"
        );
        let file = TestFile::parse("t.yaml", &text).expect(name);
        assert_eq!(file.tests[0].checks[0].expectations[0].0, name);
    }
}
