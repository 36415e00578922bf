//! The policy, questions and tests of the README, and of the page on a change, do what they say.

#![cfg(feature = "cli")]
#![expect(clippy::expect_used, reason = "tests fail by panicking")]

use std::{fs, path::Path, process::Command};

/// The blocks of this language in a page, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(page).expect("the page");
    let mut blocks = Vec::new();
    let mut rest = &text[..];
    while let Some((_, behind)) = rest.split_once(&format!("```{language}\n")) {
        let (block, behind) = behind.split_once("```").expect("a block ends");
        blocks.push(block.to_owned());
        rest = behind;
    }
    blocks
}

/// What it prints: the answer, then the remarks beside it.
fn pathward(folder: &Path, arguments: &[&str]) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_pathward"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("PATHWARD_FORMAT")
        .output()
        .expect("it runs");
    String::from_utf8([ran.stdout, ran.stderr].concat()).expect("text")
}

/// Runs the examples of a page in a folder, and says how many there are.
fn as_printed(page: &str, folder: &Path) -> usize {
    let mut asked = 0;
    for block in blocks(page, "console") {
        for example in block.split("$ pathward ").skip(1) {
            let (command, expected) = example.split_once('\n').expect("what it prints");
            let arguments: Vec<&str> = command.split_whitespace().collect();
            let printed = pathward(folder, &arguments);
            // An ellipsis on a line of its own stands for what is left out.
            let (expected, is_whole) = match expected.split_once("  …\n") {
                Some((start, _)) => (start, false),
                None => (expected, true),
            };
            assert!(printed.starts_with(expected), "{page}: {command}\n{printed}");
            assert!(!is_whole || printed == expected, "{page}: {command}\n{printed}");
            asked += 1;
        }
    }
    asked
}

#[test]
fn the_page_on_a_change_has_what_the_commands_print() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(as_printed("policies/review/README.md", root), 10);
}

#[test]
fn the_examples_of_the_readme_are_what_happens() {
    let folder = tempfile::tempdir().expect("a folder");
    let yaml = blocks("README.md", "yaml");
    let [policy, tests] = &yaml[..] else { panic!("a policy and its tests, not {}", yaml.len()) };
    fs::write(folder.path().join("policy.yaml"), policy).expect("written");
    fs::write(folder.path().join("policy.test.yaml"), tests).expect("written");

    let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    fs::create_dir_all(folder.path().join("policies/review")).expect("a folder");
    for name in ["review/old.yaml", "review/new.yaml", "algorithmia.yaml"] {
        let to = folder.path().join("policies").join(name);
        fs::copy(policies.join(name), to).expect("copied");
    }
    assert_eq!(as_printed("README.md", folder.path()), 4);

    let printed = pathward(folder.path(), &["test", "--policy", "policy.yaml"]);
    assert_eq!(printed, "1 passed, 0 failed; 7 of 7 expectations met\n");
}

/// What the README says of the change that it shows.
#[test]
fn lint_finds_what_the_readme_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let printed = pathward(root, &["lint", "--policy", "policies/review/new.yaml"]);
    for code in ["lint.crosses_buckets", "lint.not_directory", "lint.shadowed"] {
        assert_eq!(printed.matches(code).count(), 1, "{code}\n{printed}");
    }
    assert!(printed.ends_with("0 errors, 3 warnings, 0 notes\n"), "{printed}");
    let printed = pathward(root, &["lint", "--policy", "policies/review/old.yaml"]);
    assert_eq!(printed, "0 errors, 0 warnings, 0 notes\n");
}

#[test]
fn the_picture_of_a_policy_is_what_the_command_draws() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let policy = "policies/agent-sandbox.yaml";
    let printed = pathward(root, &["graph", "--policy", policy, "s3+task", "--format", "svg"]);
    let kept = fs::read_to_string(root.join("policies/agent-sandbox.svg")).expect("the picture");
    assert_eq!(
        printed, kept,
        "draw it again: pathward graph --policy {policy} s3+task -o policies/agent-sandbox.svg"
    );
}

/// What the README says of globs, and of their signs in plain restrictions.
#[test]
fn what_the_readme_says_of_globs_is_so() {
    for glob in ["a**", "{a,}", "pub/[a/b]", "pub/[é]", "pub/a/"] {
        assert!(pathward::Restriction::parse_glob(glob).is_err(), "{glob}");
    }
    let plain = pathward::Restriction::parse("logs/[0-9]*").expect("those signs mean themselves");
    assert!(plain.matches(b"logs/[0-9]x") && !plain.matches(b"logs/7"));
}
