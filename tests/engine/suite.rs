//! One table of cases, read by everything that can answer them.
//!
//! `tests/suite/*.yaml` holds groups of policies with the paths that each is asked about. Every
//! case goes to: the reference matcher with the oracle of `below`; the automaton; the engine with
//! a policy file of these rules (for paths and rules that a policy can have); and globset, where
//! its dialect coincides. What is left out of a reader is listed in [`skipped_by_globset`] and
//! [`skipped_by_engine`], and counted.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails panics, and says what it compared"
)]

use std::{collections::BTreeMap, path::PathBuf};

use pathward::{
    Access, AccessSet, Below, Caller, ConnectionId, Dialect, Effect, Engine, Path, Policy,
    Restriction,
    engine::{DeleteObject, DeleteTree, ListDirectory, Outcome, ReadObject, WriteObject},
};
use serde::Deserialize;

use crate::common::{
    Oracle, Rule, assert_below, assert_here, compile, from_letters, has, letters, matching,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    cases: Vec<Case>,
    #[serde(default)]
    refused: Vec<Refused>,
}

/// Some rules, and what they say of some paths.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// `[text, access]`, the access as letters of `rwd`.
    #[serde(default)]
    allow: Vec<(String, String)>,
    #[serde(default)]
    globs: Vec<(String, String)>,
    #[serde(default)]
    deny: Vec<(String, String)>,
    #[serde(default)]
    deny_globs: Vec<(String, String)>,
    /// `[path, here, some below, all below]`, each as letters; a path may be made with `<n>` for
    /// n times the byte before it.
    paths: Vec<(String, String, String, String)>,
}

/// A text that is no restriction.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    text: String,
    #[serde(default)]
    glob: bool,
    /// The name of the `RestrictionErrorKind`.
    kind: String,
}

impl Case {
    fn rules(&self) -> Vec<Rule> {
        let read = |list: &[(String, String)], glob, effect| -> Vec<Rule> {
            list.iter()
                .map(|(text, access)| {
                    let text = repeat(text);
                    let restriction = match glob {
                        true => Restriction::parse_glob(&text),
                        false => Restriction::parse(&text),
                    };
                    let restriction = restriction
                        .unwrap_or_else(|error| panic!("{}: {text}: {error}", self.name));
                    Rule { restriction, access: from_letters(access), effect }
                })
                .collect()
        };
        let mut rules = read(&self.allow, false, Effect::Allow);
        rules.extend(read(&self.globs, true, Effect::Allow));
        rules.extend(read(&self.deny, false, Effect::Deny));
        rules.extend(read(&self.deny_globs, true, Effect::Deny));
        rules
    }
}

/// `a<3>` is `aaa`.
fn repeat(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        out.push_str(before);
        match behind.split_once('>').and_then(|(n, rest)| Some((n.parse::<usize>().ok()?, rest))) {
            Some((n, behind)) => {
                let last = out.pop().expect("something stands before `<n>`");
                out.extend(std::iter::repeat_n(last, n));
                rest = behind;
            }
            None => {
                out.push('<');
                rest = behind;
            }
        }
    }
    out + rest
}

/// All files, in the order of their names.
fn files() -> BTreeMap<String, File> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    let files: BTreeMap<String, File> = std::fs::read_dir(directory)
        .expect("tests/suite is there")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("a readable file");
            let file = serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, file)
        })
        .collect();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let all = [
        "denies",
        "dots",
        "glob",
        "limits",
        "literals",
        "regressions",
        "slashes",
        "stars",
        "trailing-slash",
        "unicode",
    ];
    assert_eq!(names, all, "every group is read, and every file is a group");
    files
}

/// Calls with `group: case: path`, the case's rules, the path, and the three sets expected.
fn each(mut run: impl FnMut(&str, &[Rule], &[u8], AccessSet, Below)) -> u64 {
    let mut expectations = 0;
    for (group, file) in files() {
        for case in &file.cases {
            let rules = case.rules();
            for (path, here, some, all) in &case.paths {
                let path = repeat(path);
                let name = format!("{group}: {}: {path:?}", case.name);
                let below = Below { some: from_letters(some), all: from_letters(all) };
                run(&name, &rules, path.as_bytes(), from_letters(here), below);
                expectations += 9;
            }
        }
    }
    expectations
}

/// From so many rules on, a case is about a crowd that shares a prefix and a suffix. Its states are
/// exponential in the rules, so what is below is as the table says, for the automaton alone.
const CROWD: usize = 17;

#[test]
fn reference() {
    let expectations = each(|name, rules, path, here, below| {
        let found = has(rules, matching(rules, path));
        assert_eq!(found, here, "{name}: here is {}", letters(found));
        if rules.len() >= CROWD {
            return;
        }
        let oracle = Oracle::new(rules, 10_000).unwrap_or_else(|| panic!("{name}: many states"));
        let found = oracle.facts(rules).below[oracle.walk(path)];
        let text = format!("some {} all {}", letters(found.some), letters(found.all));
        assert_eq!(found, below, "{name}: below is {text}");
    });
    println!("suite: {expectations} expectations");
    assert!(expectations >= 300);
}

#[test]
fn automaton() {
    each(|name, rules, path, here, below| {
        let automaton = compile(rules).unwrap_or_else(|error| panic!("{name}: {error}"));
        let matching = matching(rules, path);
        assert_here(rules, &automaton, path, matching);
        assert_eq!(has(rules, matching), here, "{name}");
        assert_below(rules, &automaton, path, below);
    });
}

/// The order of the rules and a rule written twice change nothing.
#[test]
fn automaton_of_the_rules_reversed_and_doubled() {
    each(|name, rules, path, _, below| {
        let mut twice: Vec<Rule> = rules.iter().rev().cloned().collect();
        twice.extend(rules.iter().take(20).cloned());
        let automaton = compile(&twice).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_here(&twice, &automaton, path, matching(&twice, path));
        assert_below(&twice, &automaton, path, below);
    });
}

// ---- the engine -----------------------------------------------------------------------------

/// Why a path is not asked of the engine: it is not canonical, so there is no decision about it.
fn skipped_by_engine(path: &[u8]) -> bool {
    Path::new(path).is_err()
}

fn yaml(rules: &[Rule]) -> String {
    let list = |effect| {
        rules
            .iter()
            .filter(|rule| rule.effect == effect)
            .map(|rule| {
                let key = match rule.restriction.dialect() {
                    Dialect::Plain => "path",
                    Dialect::Glob => "glob",
                };
                let accesses: Vec<_> = rule.access.iter().map(Access::name).collect();
                let text = serde_json::to_string(rule.restriction.text()).expect("text");
                format!("      - {{ {key}: {text}, access: [{}] }}\n", accesses.join(", "))
            })
            .collect::<String>()
    };
    let mut text = String::from("connections:\n  - id: s3+t\n    owner: o\n    restrictions:\n");
    text.push_str(&list(Effect::Allow));
    let deny = list(Effect::Deny);
    if !deny.is_empty() {
        text.push_str("    deny:\n");
        text.push_str(&deny);
    }
    text
}

#[test]
fn engine() {
    let (mut asked, mut skipped) = (0, 0);
    let id = ConnectionId::parse("s3+t").expect("an id");
    each(|name, rules, bytes, here, below| {
        if skipped_by_engine(bytes) {
            skipped += 1;
            return;
        }
        let policy = Policy::from_yaml("suite.yaml", &yaml(rules))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let engine = Engine::new(policy);
        let caller = Caller::with_full_permission("o");
        let path = Path::new(bytes).expect("not skipped");
        let read = engine.decide(caller, &id, &ReadObject { path: path.clone() });
        let write = engine.decide(caller, &id, &WriteObject { path: path.clone() });
        let delete = engine.decide(caller, &id, &DeleteObject { path: path.clone() });
        for (access, decision) in Access::ALL.into_iter().zip([read, write, delete]) {
            let expected = match here.contains(access) {
                true => Outcome::Allow,
                false => Outcome::Deny,
            };
            // An object that S3 could not have is refused before the rules, whatever they say.
            if decision.outcome() != Outcome::Invalid {
                assert_eq!(decision.outcome(), expected, "{name}: {access}");
            }
        }
        if path.is_root() || bytes.ends_with(b"/") {
            let list = engine.decide(caller, &id, &ListDirectory { path: path.clone() });
            assert_eq!(list.is_allowed(), below.some.contains(Access::Read), "{name}: list");
        }
        if bytes.ends_with(b"/") {
            let tree = engine.decide(caller, &id, &DeleteTree { path });
            if tree.outcome() != Outcome::Invalid {
                let all = below.all.contains(Access::Delete);
                assert_eq!(tree.is_allowed(), all, "{name}: delete the tree");
            }
        }
        asked += 1;
    });
    println!("suite: the engine: {asked} paths asked, {skipped} skipped as not canonical");
    assert!(asked > skipped);
}

// ---- globset --------------------------------------------------------------------------------

/// The globs for which globset answers another question, and why.
fn skipped_by_globset(text: &str) -> Option<&'static str> {
    if !text.is_ascii() && text.contains(['?', '[']) {
        return Some("globset's `?` and `[!a]` are a byte, ours are a character");
    }
    None
}

/// Paths for which globset answers another question, and why.
fn path_skipped_by_globset(text: &str, path: &[u8]) -> Option<&'static str> {
    if text.contains(['?', '[']) && !path.is_ascii() {
        return Some("globset's `?` and `[!a]` are a byte, ours are a character");
    }
    None
}

/// Plain restrictions are asked as the glob of the same meaning: every literal escaped, `*` as it
/// is, and no separator, so that `*` crosses `/` as ours does.
fn as_glob(restriction: &Restriction) -> (String, bool) {
    use pathward::restriction::Token;
    if restriction.dialect() == Dialect::Glob {
        // globset lets a negated class match `/`; ours never does (pitfall P2).
        return (restriction.text().replace("[!", "[!/").replace("[^", "[^/"), true);
    }
    let mut glob = String::new();
    for token in restriction.patterns()[0].tokens() {
        match token {
            Token::Literal(literal) => {
                for character in std::str::from_utf8(literal).expect("from a text").chars() {
                    if "\\*?[]{},!".contains(character) {
                        glob.push('\\');
                    }
                    glob.push(character);
                }
            }
            _ => glob.push('*'),
        }
    }
    (glob, false)
}

#[test]
fn globset() {
    let (mut asked, mut skipped) = (0, 0);
    each(|name, rules, path, _, _| {
        for rule in rules {
            let text = rule.restriction.text();
            let skip = skipped_by_globset(text).or_else(|| path_skipped_by_globset(text, path));
            if rule.restriction.dialect() == Dialect::Glob && skip.is_some() {
                skipped += 1;
                continue;
            }
            let (glob, separator) = as_glob(&rule.restriction);
            let glob = globset::GlobBuilder::new(&glob)
                .literal_separator(separator)
                .backslash_escape(true)
                .build()
                .unwrap_or_else(|error| panic!("{name}: {text}: {error}"));
            let regex = glob.compile_matcher();
            let path = std::str::from_utf8(path).expect("the suite is text");
            let ours = rule.restriction.matches(path.as_bytes());
            assert_eq!(regex.is_match(path), ours, "{name}: {text:?} as {:?}", glob.glob());
            asked += 1;
        }
    });
    println!("suite: globset: {asked} asked, {skipped} skipped (listed in skipped_by_globset)");
    assert!(asked > 300 && skipped < 20, "{asked} asked, {skipped} skipped");
}

// ---- refusals -------------------------------------------------------------------------------

#[test]
fn refused() {
    let mut refused = 0;
    for (group, file) in files() {
        for case in &file.refused {
            let text = repeat(&case.text);
            let result = match case.glob {
                true => Restriction::parse_glob(&text),
                false => Restriction::parse(&text),
            };
            let error = match result {
                Err(error) => error,
                Ok(read) => panic!("{group}: {:?} is read as {read}", case.text),
            };
            assert_eq!(format!("{:?}", error.kind()), case.kind, "{group}: {:?}", case.text);
            assert!(!error.help().is_empty(), "{group}: {:?} has no help", case.text);
            assert!(error.at() <= text.len(), "{group}: {:?}", case.text);
            refused += 1;
        }
    }
    println!("suite: {refused} refusals");
    assert!(refused >= 30);
}
