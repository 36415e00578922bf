//! The drawing of a connection, read back, against the reference matcher.
//!
//! What is drawn is an automaton: places, and ways with texts. Here it is followed as its readers
//! follow it, on every short path and on near misses.

#![expect(clippy::expect_used, reason = "a test that fails panics")]

use pathward::{
    Access, AccessSet, Connection, ConnectionId, Dialect, Effect, Path, Policy,
    analysis::{Decided, Graph, Scope, States},
    restriction::Token,
};

use crate::common::{
    Chance, Rule, comparisons, from_env, glob, has, is_long, matching, path_near, plain, show,
    words,
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
            let access: &str = chance.pick::<&str>(&accesses);
            Rule { restriction, access: crate::common::from_letters(access), effect }
        })
        .collect()
}

fn reference(rules: &[Rule], path: &Path<'_>) -> AccessSet {
    match path.is_root() {
        true => AccessSet::NONE,
        false => has(rules, matching(rules, path.as_bytes())),
    }
}

/// Where in a path the ways to each place can end, by the reference matcher.
fn ends(graph: &Graph, rest: &[u8]) -> Vec<Vec<usize>> {
    let mut ends = vec![Vec::new(); graph.places().len()];
    ends[0].push(0);
    for way in graph.ways() {
        let mut reached = Vec::new();
        for &start in &ends[way.from] {
            for end in start..=rest.len() {
                if way.texts.iter().any(|text| text.matches(&rest[start..end])) {
                    reached.push(end);
                }
            }
        }
        ends[way.to] = reached;
    }
    ends
}

/// What a place says is so for this path, which leads to it.
fn check_place(decided: Decided, path: &Path<'_>, rules: &[Rule], what: &dyn Fn() -> String) {
    let union = |effect| {
        rules
            .iter()
            .filter(|rule| rule.effect == effect && rule.restriction.matches(path.as_bytes()))
            .fold(AccessSet::NONE, |set, rule| set.union(rule.access))
    };
    assert!(decided.given.without(union(Effect::Allow)).is_empty(), "{path:?} {}", what());
    assert!(decided.denied.without(union(Effect::Deny)).is_empty(), "{path:?} {}", what());
}

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
        let under: &[u8] = chance.pick::<&[u8]>(&[&b""[..], b"", b"aab/", b"aa", b"aab/a"]);
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
            if path.is_root() {
                continue;
            }
            let rest = &path.as_bytes()[under.len()..];
            let mut has = Decided::default();
            for (place, ends) in graph.places().iter().zip(ends(&graph, rest)) {
                let what = || format!("{place:?} under {under:?}: {}", show(&rules));
                let here = place.here.filter(|_| ends.contains(&rest.len()));
                assert!(place.here.is_some() || !ends.contains(&rest.len()), "{path:?} {}", what());
                let below = Some(place.below).filter(|_| !ends.is_empty());
                for decided in here.into_iter().chain(below) {
                    check_place(decided, &path, &rules, &what);
                    assert!(!decided.is_shut || expected.is_empty(), "{path:?} {}", what());
                    has.given = has.given.union(decided.given);
                    has.denied = has.denied.union(decided.denied);
                }
                let lists = ends.is_empty() || place.lists || !expected.contains(Access::Read);
                assert!(lists, "{path:?} {}", what());
            }
            assert_eq!(has.has(), expected, "{path:?} under {under:?}: {}", show(&rules));
            compared += 1;
        }
        // Where a listing is said to show something, the engine's automaton does not say that it is
        // empty: the other way round was tried above.
        let automaton = connection(&policy).automaton();
        let mut paths = vec![Some(under.to_vec())];
        for way in graph.ways() {
            let text = match &way.texts[..] {
                [text] => text.tokens(),
                _ => &[],
            };
            paths.push(match (&paths[way.from], text) {
                (Some(path), [Token::Literal(literal)]) => Some([&path[..], literal].concat()),
                _ => None,
            });
        }
        for (place, path) in graph.places().iter().zip(paths) {
            let Some(path) = path else { continue };
            let some = automaton.below(&path).some.contains(Access::Read);
            assert!(some || !place.lists, "{place:?} at {path:?}: {}", show(&rules));
        }
    }
    println!("{compared} comparisons, {merged} ways with several texts, {denied} denies");
    assert!(merged > 50 && denied > 50, "{merged} {denied}");
}

/// What is not drawn because it makes no difference makes none.
#[test]
fn without_what_is_idle_all_paths_have_what_they_had() {
    let mut chance = Chance(7);
    let texts = words("ab/.", 3, 8);
    let short: Vec<Path<'_>> = texts.iter().filter_map(|text| Path::new(text).ok()).collect();
    let mut idle = 0;
    for _ in 0..if is_long() { 300 } else { 60 } {
        let rules = some_rules(&mut chance);
        let Some(policy) = policy(&rules, "exact") else { continue };
        let connection = connection(&policy);
        let graph = Graph::new(connection, EVERYTHING, States::default()).expect("small");
        idle += graph.idle().len();
        let left = connection.rules().iter().enumerate().filter(|(n, _)| !graph.idle().contains(n));
        let left: Vec<Rule> = left
            .map(|(_, rule)| Rule {
                restriction: rule.restriction.clone(),
                access: rule.access,
                effect: rule.effect,
            })
            .collect();
        for path in short.iter().step_by(5) {
            assert_eq!(
                reference(&left, path),
                reference(&rules, path),
                "{path:?} {}",
                show(&rules)
            );
        }
    }
    assert!(idle > 10, "{idle}");
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
