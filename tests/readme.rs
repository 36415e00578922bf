//! The policies, questions and tests of the README, and of the page of questions, do what they say.

#![cfg(feature = "cli")]
#![expect(clippy::expect_used, reason = "tests fail by panicking")]

use std::{fs, path::Path, process::Command};

/// The pages for people who use Pathward.
const PAGES: [&str; 3] = ["README.md", "policies/README.md", "src/gateway/README.md"];

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect(name)
}

/// The blocks of this language, in order.
fn blocks(page_name: &str, language: &str) -> Vec<String> {
    let text = page(page_name);
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

/// Runs the page's examples there. Returns how many there are.
fn ask(page_name: &str, folder: &Path) -> usize {
    let mut asked = 0;
    for block in blocks(page_name, "console") {
        for example in block.split("$ pathward ").skip(1) {
            let (command, expected) = example.split_once('\n').expect("what it prints");
            let arguments: Vec<&str> = command.split_whitespace().collect();
            let printed = pathward(folder, &arguments);
            // An ellipsis on a line of its own stands for what is left out.
            let (expected, is_whole) = match expected.split_once("  …\n") {
                Some((start, _)) => (start, false),
                None => (expected, true),
            };
            assert!(printed.starts_with(expected), "{command}\n{printed}");
            assert!(!is_whole || printed == expected, "{command}\n{printed}");
            asked += 1;
        }
    }
    asked
}

#[test]
fn the_examples_of_the_readme_are_what_happens() {
    let folder = tempfile::tempdir().expect("a folder");
    let yaml = blocks("README.md", "yaml");
    let [policy, tests] = &yaml[..] else { panic!("a policy and its tests, not {}", yaml.len()) };
    fs::write(folder.path().join("policy.yaml"), policy).expect("written");
    fs::write(folder.path().join("policy.test.yaml"), tests).expect("written");
    assert_eq!(ask("README.md", folder.path()), 2);

    let printed = pathward(folder.path(), &["test", "--policy", "policy.yaml"]);
    assert_eq!(printed, "1 passed, 0 failed; 7 of 7 expectations met\n");
}

#[test]
fn the_examples_of_the_questions_are_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(ask("policies/README.md", root), 9);
}

/// What a page calls a heading in an address, as code hosts do.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn what_the_pages_link_to_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut links = 0;
    for name in PAGES {
        let text = page(name);
        for link in text.split("](").skip(1) {
            let (target, _) = link.split_once(')').expect("a link ends");
            if target.starts_with("https://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = match file {
                "" => root.join(name),
                file => root.join(name).parent().expect("a folder").join(file),
            };
            assert!(file.exists(), "{name}: {target}");
            if !heading.is_empty() {
                let linked = fs::read_to_string(&file).expect(target);
                let mut headings = linked.lines().filter(|line| line.starts_with('#'));
                assert!(headings.any(|line| anchor(line) == heading), "{name}: {target}");
            }
            links += 1;
        }
    }
    assert!(links > 30, "{links} links");
}

/// The library's pages are not published: an address of them leads nowhere.
#[test]
fn the_readme_lists_its_sections_and_links_to_nothing_that_is_not_published() {
    let text = page("README.md");
    let (first, _) = text.split_once("\n## ").expect("sections");
    let sections = text.lines().filter_map(|line| line.strip_prefix("## "));
    for section in sections.filter(|section| *section != "Licence") {
        assert!(first.contains(&format!("[{section}](#{})", anchor(section))), "{section}");
    }
    assert!(!text.contains("docs.rs/pathward"));
    assert!(text.contains("](src/manage/README.md)"));
}

/// The page says that each line that changed is a mistake; before it there was none.
#[test]
fn lint_finds_nothing_in_the_policy_before_the_change() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
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
