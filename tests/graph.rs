//! The drawing of a connection, read back, against the reference matcher.
//!
//! What is drawn is an automaton: places, and ways with texts. Here it is followed as its readers
//! follow it, on every short path and on near misses.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that fails panics, and says what it compared"
)]

mod common;

use common::{
    Chance, Rule, comparisons, from_env, glob, has, matching, path_near, plain, show, words,
};
use pathward::{
    Access, AccessSet, Connection, ConnectionId, Dialect, Effect, Path, Policy,
    analysis::{Graph, Scope, States},
};

const EVERYTHING: Scope<'static> = Scope { under: b"", access: AccessSet::READ_WRITE, most: 1_000 };

/// The rules as a policy's connection; `None` where a policy refuses one of them.
fn policy(rules: &[Rule], keys: &str) -> Option<Policy> {
    let list = |effect| -> String {
        let line = |rule: &Rule| {
            let key = match rule.restriction.dialect() {
                Dialect::Plain => "path",
                Dialect::Glob => "glob",
            };
            let accesses: Vec<_> = rule.access.iter().map(Access::name).collect();
            let text = rule.restriction.text();
            format!("      - {{ {key}: '{text}', access: [{}] }}\n", accesses.join(", "))
        };
        rules.iter().filter(|rule| rule.effect == effect).map(line).collect()
    };
    let (allow, deny) = (list(Effect::Allow), list(Effect::Deny));
    let deny = if deny.is_empty() { deny } else { format!("    deny:\n{deny}") };
    let yaml = format!(
        "connections:\n  - id: s3+t\n    owner: o\n    keys: {keys}\n    restrictions:\n{allow}{deny}"
    );
    Policy::from_yaml("policy.yaml", &yaml).ok()
}

fn connection(policy: &Policy) -> &Connection {
    let id = ConnectionId::parse("s3+t").expect("an id");
    policy.connection("o", &id).expect("it is there")
}

fn some_rules(chance: &mut Chance) -> Vec<Rule> {
    let starts = ["aab", "aab/", "aaa/", "aab/a", "*", "*a", "aa*", "aab/ab/", "aab/*/"];
    let letters = ["a", "b", "/", "*", "/", "a/", "b/", "ab", "*/", "a*b", ".b"];
    let globs = ["a", "?", "*", "/", "[ab]", "[!a]", "{a,b}", "{?,b/*}", "/**", "**/a", "{a,b}/"];
    let accesses = ["r", "r", "w", "rw", "rwd", "d"];
    (0..1 + chance.below(6))
        .map(|_| {
            let start = *chance.pick(&starts);
            let is_glob = chance.one_in(4);
            let pieces = if is_glob { &globs[..] } else { &letters[..] };
            let rest: String = (0..chance.below(4)).map(|_| *chance.pick(pieces)).collect();
            let text = format!("{start}{rest}");
            let restriction = match pathward::Restriction::parse_glob(&text) {
                Ok(_) if is_glob => glob(&text),
                _ => plain(&text),
            };
            let effect = if chance.one_in(3) { Effect::Deny } else { Effect::Allow };
            Rule { restriction, access: common::from_letters(*chance.pick(&accesses)), effect }
        })
        .collect()
}

fn reference(rules: &[Rule], path: &Path<'_>) -> AccessSet {
    match path.is_root() {
        true => AccessSet::NONE,
        false => has(rules, matching(rules, path.as_bytes())),
    }
}

/// Every place says of itself what is so: what it gives is had by the paths that lead to it, unless
/// another place denies it, and what lists leads to something readable.
#[test]
fn the_drawing_says_what_the_reference_says() {
    let seed = from_env("PATHWARD_SEED").unwrap_or(5);
    println!("PATHWARD_SEED={seed}");
    let mut chance = Chance(seed);
    let texts = words("ab/.", 0, 7);
    let short: Vec<Path<'_>> = texts.iter().filter_map(|text| Path::new(text).ok()).collect();
    let (mut compared, mut denied, mut merged) = (0, 0, 0);
    while compared < comparisons(3_000_000, 300_000) {
        let rules = some_rules(&mut chance);
        let keys = if chance.one_in(4) { "plain" } else { "exact" };
        let Some(policy) = policy(&rules, keys) else { continue };
        let under: &[u8] = *chance.pick(&[&b""[..], b"", b"aab/", b"aa", b"aab/a"]);
        let access = if chance.one_in(4) { AccessSet::READ_ONLY } else { AccessSet::READ_WRITE };
        let scope = Scope { under, access, ..EVERYTHING };
        let graph = Graph::new(connection(&policy), scope, States::default())
            .unwrap_or_else(|error| panic!("{error}: {}", show(&rules)));
        merged += graph.ways().iter().filter(|way| way.texts.len() > 1).count();
        denied += graph.places().iter().filter(|place| !place.below.denied.is_empty()).count();
        let near: Vec<Vec<u8>> =
            (0..100).map(|_| path_near(&rules, b"ab/.c", &mut chance)).collect();
        let near = near.iter().filter_map(|bytes| Path::new(bytes).ok());
        // As many as make the paths of one policy a small part of the whole.
        let from = chance.below(7);
        for path in short.iter().skip(from).step_by(7).cloned().chain(near) {
            let refused = keys == "plain" && path.alias_at().is_some();
            if refused || !path.as_bytes().starts_with(under) {
                continue;
            }
            let expected = reference(&rules, &path).intersection(access);
            assert_eq!(graph.has(&path), expected, "{path:?} under {under:?}: {}", show(&rules));
            compared += 1;
        }
    }
    println!("{compared} comparisons, {merged} ways with several texts, {denied} denies");
    assert!(merged > 50 && denied > 50, "{merged} {denied}");
}

/// Without any one of its ways, a drawing says something else: there is none too many.
#[test]
fn every_place_is_needed() {
    let mut chance = Chance(7);
    let texts = words("ab/.", 3, 8);
    let short: Vec<Path<'_>> = texts.iter().filter_map(|text| Path::new(text).ok()).collect();
    let mut dropped = 0;
    for _ in 0..if cfg!(debug_assertions) { 60 } else { 300 } {
        let rules = some_rules(&mut chance);
        let Some(policy) = policy(&rules, "exact") else { continue };
        let connection = connection(&policy);
        let graph = Graph::new(connection, EVERYTHING, States::default()).expect("small");
        // Without those that are idle, all paths have what they had.
        let ordered: Vec<&pathward::Rule> = connection.rules().iter().collect();
        let left: Vec<Rule> = ordered
            .iter()
            .enumerate()
            .filter(|(n, _)| !graph.idle().contains(n))
            .map(|(_, rule)| Rule {
                restriction: rule.restriction.clone(),
                access: rule.access,
                effect: rule.effect,
            })
            .collect();
        dropped += graph.idle().len();
        for path in short.iter().step_by(5) {
            assert_eq!(
                reference(&left, path),
                reference(&rules, path),
                "{path:?} {}",
                show(&rules)
            );
        }
        // What a place says of listing is so for some path that it leads to.
        let reads = short.iter().any(|path| reference(&rules, path).contains(Access::Read));
        assert!(graph.places()[0].lists || !reads, "{}", show(&rules));
    }
    assert!(dropped > 10, "{dropped}");
}

#[test]
fn the_same_paths_are_the_same_drawing() {
    let draw = |lines: &[&str]| {
        let rules: Vec<Rule> = lines
            .iter()
            .map(|line| {
                let (effect, text) = line.split_at(1);
                let effect = if effect == "+" { Effect::Allow } else { Effect::Deny };
                Rule { restriction: plain(text), access: AccessSet::READ_ONLY, effect }
            })
            .collect();
        let policy = policy(&rules, "exact").expect("a policy");
        let graph = Graph::new(connection(&policy), EVERYTHING, States::default()).expect("small");
        let shape = |place: &pathward::analysis::Place| (place.here, place.below, place.lists);
        let places: Vec<_> = graph.places().iter().map(shape).collect();
        (places, graph.ways().to_vec())
    };
    let plain = draw(&["+pub/a/", "-pub/a/x/"]);
    for other in [
        &["+pub/a/**", "-pub/a/x/*"][..],
        &["+pub/a/", "+pub/a/b", "+pub/a/c/", "-pub/a/x/", "-pub/a/x/y"],
        &["+pub/a/", "-pub/a/x/", "-pub/b/", "-other"],
    ] {
        assert_eq!(draw(other), plain, "{other:?}");
    }
    assert_ne!(draw(&["+pub/a/", "-pub/a/x"]), plain);
}
