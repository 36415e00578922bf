//! Questions about policies, against brute force over all short paths.
//!
//! The answers come from automata; here every path up to some length is simply tried, by the
//! reference matcher. A path that an answer names must show what it is said to show, and none that
//! is shorter may.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that fails panics, and says what it compared"
)]

mod common;

use std::collections::HashMap;

use common::{Chance, Rule, entries, from_env, glob, has, matching, path_near, plain, show};
use pathward::{
    Access, AccessSet, ConnectionId, Effect, Path, Policy, Restriction,
    analysis::{self, Also, Answer, Cause, Change, Extent, Language, States, Step},
};

/// Every path over some characters, up to a length in bytes.
struct Paths {
    objects: Vec<Vec<u8>>,
    buckets: Vec<Vec<u8>>,
    most: usize,
}

impl Paths {
    fn new(characters: &str, most: usize) -> Self {
        let (mut objects, mut buckets) = (Vec::new(), Vec::new());
        let mut level = vec![String::new()];
        while !level.is_empty() {
            let mut longer = Vec::new();
            for stem in &level {
                for character in characters.chars() {
                    let word = format!("{stem}{character}");
                    if word.len() > most || word.starts_with('/') {
                        continue;
                    }
                    if let Ok(path) = Path::new(&word) {
                        let side = if path.key().is_empty() { &mut buckets } else { &mut objects };
                        side.push(word.clone().into_bytes());
                    }
                    longer.push(word);
                }
            }
            level = longer;
        }
        objects.sort_by_key(Vec::len);
        buckets.sort_by_key(Vec::len);
        Self { objects, buckets, most }
    }

    /// The shortest object for which `is` holds, else the shortest bucket.
    fn shortest(&self, is: impl Fn(&[u8]) -> bool) -> Option<&[u8]> {
        let found = self.objects.iter().find(|word| is(word));
        found.or_else(|| self.buckets.iter().find(|word| is(word))).map(Vec::as_slice)
    }

    /// Holds an answer against what is found by trying: `is` says which paths contradict it.
    fn check(&self, answer: &Answer, is: impl Fn(&[u8]) -> bool, what: &dyn Fn() -> String) {
        let tried = self.shortest(&is);
        let is_object = |word: &[u8]| !Path::new(word).expect("a path").key().is_empty();
        match answer {
            Answer::Undecided { .. } => panic!("undecided: {}", what()),
            Answer::Holds => assert_eq!(
                tried.map(<[u8]>::escape_ascii).map(|e| e.to_string()),
                None,
                "{}",
                what()
            ),
            Answer::Fails(path) => {
                let word = path.as_bytes();
                assert!(Path::new(word).is_ok() && !path.is_root(), "{path:?}: {}", what());
                assert!(is(word), "{path:?} does not show it: {}", what());
                match tried.filter(|tried| is_object(tried) || !is_object(word)) {
                    Some(tried) => {
                        let shown = format!("{path:?}, {}: {}", tried.escape_ascii(), what());
                        assert_eq!(is_object(tried), is_object(word), "{shown}");
                        assert_eq!(tried.len(), word.len(), "{shown}");
                    }
                    // An object comes before a bucket, however long.
                    None => assert!(word.len() > self.most, "{path:?}: {}", what()),
                }
            }
        }
    }
}

/// A text that has something in common with most others.
fn text(chance: &mut Chance, letters: &[&str]) -> String {
    let start = *chance.pick(&["", "aab", "aab/", "aaa/", "aab/a", "*", "*a", "aa*"]);
    let rest: String = (0..chance.below(5)).map(|_| *chance.pick(letters)).collect();
    let text = format!("{start}{rest}");
    if text.is_empty() { "*".into() } else { text }
}

fn some_rules(chance: &mut Chance, letters: &[&str], globs: &[&str]) -> Vec<Rule> {
    (0..1 + chance.below(4))
        .map(|_| {
            let restriction = if !globs.is_empty() && chance.one_in(2) {
                let pieces: String =
                    (0..1 + chance.below(4)).map(|_| *chance.pick(globs)).collect();
                let start = *chance.pick(&["aab/", "", "*/", "**/"]);
                match Restriction::parse_glob(&format!("{start}{pieces}")) {
                    Ok(_) => glob(&format!("{start}{pieces}")),
                    Err(_) => plain(&text(chance, letters)),
                }
            } else {
                plain(&text(chance, letters))
            };
            let effect = if chance.one_in(3) { Effect::Deny } else { Effect::Allow };
            Rule { restriction, access: AccessSet::READ_WRITE, effect }
        })
        .collect()
}

fn reads(rules: &[Rule], path: &[u8]) -> bool {
    has(rules, matching(rules, path)).contains(Access::Read)
}

fn chance() -> Chance {
    let seed = from_env("PATHWARD_SEED").unwrap_or(11);
    println!("PATHWARD_SEED={seed}");
    Chance(seed)
}

fn rounds(release: usize, debug: usize) -> usize {
    if cfg!(debug_assertions) { debug } else { release }
}

/// Every question about two sets of rules.
fn all_questions(paths: &Paths, one: &[Rule], other: &[Rule]) {
    let what = |name: &str| format!("{name} [{}] [{}]", show(one), show(other));
    let (a, b) = (
        Language::of_entries(entries(one), Access::Read),
        Language::of_entries(entries(other), Access::Read),
    );
    let states = States::default();
    let known: HashMap<&[u8], (bool, bool)> = paths
        .objects
        .iter()
        .chain(&paths.buckets)
        .map(|word| (&word[..], (reads(one, word), reads(other, word))))
        .collect();
    let both = |word: &[u8]| match known.get(word) {
        Some(known) => *known,
        None => (reads(one, word), reads(other, word)),
    };
    paths.check(&a.implies(&b, states), |w| matches!(both(w), (true, false)), &|| what("implies"));
    let differs = |w: &[u8]| {
        let (a, b) = both(w);
        a != b
    };
    paths.check(&a.equivalent(&b, states), differs, &|| what("equivalent"));
    paths.check(&a.disjoint(&b, states), |w| both(w) == (true, true), &|| what("disjoint"));
    paths.check(&a.is_empty(states), |w| both(w).0, &|| what("empty"));
    paths.check(&a.is_universal(states), |w| !both(w).0, &|| what("universal"));
    assert_eq!(a.equivalent(&a, states), Answer::Holds);
}

#[test]
fn answers_are_those_of_brute_force() {
    let paths = Paths::new("abc/.", 8);
    let letters = ["a", "b", "/", "*", "/", "*", ".", "ab", "**", "a*b"];
    let mut chance = chance();
    for _ in 0..rounds(200, 60) {
        let one = some_rules(&mut chance, &letters, &[]);
        let other = some_rules(&mut chance, &letters, &[]);
        all_questions(&paths, &one, &other);
    }
}

#[test]
fn answers_about_globs_and_long_characters_are_those_of_brute_force() {
    let paths = Paths::new("ab/éüz", 8);
    let letters = ["a", "é", "/", "*", "*é"];
    let globs = ["a", "?", "*", "/", "[ab]", "[!a]", "{a,é}", "{?,b/*}", "/**", "é", "**/a"];
    let mut chance = chance();
    for _ in 0..rounds(200, 50) {
        let one = some_rules(&mut chance, &letters, &globs);
        let other = some_rules(&mut chance, &letters, &globs);
        all_questions(&paths, &one, &other);
    }
}

/// A change of a policy, as most are: some rules more, some less, and most as they were.
#[test]
fn what_two_policies_have_alike_changes_no_answer() {
    let paths = Paths::new("abc/.", 7);
    let letters = ["a", "b", "/", "*", ".", "ab", "a*b"];
    let mut chance = chance();
    for _ in 0..rounds(200, 50) {
        let mut one = some_rules(&mut chance, &letters, &[]);
        one.extend(some_rules(&mut chance, &letters, &[]));
        let mut other = one.clone();
        other.remove(chance.below(other.len()));
        other.extend(some_rules(&mut chance, &letters, &[]).into_iter().take(1));
        all_questions(&paths, &one, &other);
        all_questions(&paths, &other, &one);
    }
}

/// Where no path is short enough to be tried: what an answer says is held against paths made from
/// the rules, and shown paths against the reference.
#[test]
fn answers_hold_for_paths_near_the_rules() {
    let mut chance = chance();
    let starts = ["logs/", "logs/app-*/", "prod*", "*/data/", "prod/data/2026-*", "*.parquet"];
    let ends = ["", "*", "part-*.parquet", "x/*", "*/y", "2026", "é*", "\\**"];
    let mut compared = 0;
    for _ in 0..rounds(1_500, 300) {
        let mut side = || -> Vec<Rule> {
            (0..1 + chance.below(12))
                .map(|_| {
                    let text = format!("{}{}", chance.pick(&starts), chance.pick(&ends));
                    let effect = if chance.one_in(3) { Effect::Deny } else { Effect::Allow };
                    Rule { restriction: plain(&text), access: AccessSet::READ_WRITE, effect }
                })
                .collect()
        };
        let (one, other) = (side(), side());
        let both: Vec<Rule> = one.iter().chain(&other).cloned().collect();
        let (a, b) = (
            Language::of_entries(entries(&one), Access::Read),
            Language::of_entries(entries(&other), Access::Read),
        );
        let implies = a.implies(&b, States::default());
        let disjoint = a.disjoint(&b, States::default());
        if let Some(path) = implies.witness() {
            assert!(reads(&one, path.as_bytes()) && !reads(&other, path.as_bytes()), "{path:?}");
        }
        if let Some(path) = disjoint.witness() {
            assert!(reads(&one, path.as_bytes()) && reads(&other, path.as_bytes()), "{path:?}");
        }
        for _ in 0..40 {
            let word = path_near(&both, b"abx/.-026\xc3\xa9", &mut chance);
            let Ok(path) = Path::new(&word) else { continue };
            if path.is_root() {
                continue;
            }
            let (in_one, in_other) = (reads(&one, &word), reads(&other, &word));
            assert_eq!((a.contains(&path), b.contains(&path)), (in_one, in_other));
            let shorter = |answer: &Answer| match answer {
                Answer::Fails(shown) => {
                    path.key().is_empty() || shown.as_bytes().len() <= word.len()
                }
                _ => false,
            };
            let what = || format!("{path:?} [{}] [{}]", show(&one), show(&other));
            assert!(!in_one || in_other || shorter(&implies), "{implies}: {}", what());
            assert!(!in_one || !in_other || shorter(&disjoint), "{disjoint}: {}", what());
            compared += 1;
        }
    }
    println!("analysis: {compared} paths near the rules");
    assert!(compared > 1_000);
}

fn connection(fields: &str) -> Policy {
    let text = format!("connections:\n  - id: s3+t\n    owner: o\n{fields}");
    Policy::from_yaml("p.yaml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn language(policy: &Policy) -> Language<'_> {
    let id = ConnectionId::parse("s3+t").expect("an id");
    Language::of_connection(policy.connection("o", &id).expect("it"), Access::Read)
}

#[test]
fn plain_keys_take_paths_away() {
    let paths = Paths::new("ab/\\", 8);
    let exact = connection("    restrictions: [aab/*]\n");
    let keys = connection("    keys: plain\n    restrictions: [aab/*]\n");
    let part = connection("    restrictions: [aab/*]\n    deny: [\"aab/*b*\"]\n");
    let tight = connection("    keys: plain\n    restrictions: [aab/*]\n    deny: [\"aab/*b*\"]\n");
    let alias = |w: &[u8]| Path::new(w).expect("a path").alias_at().is_some();
    let in_all = |w: &[u8]| w.starts_with(b"aab/");
    let in_part = |w: &[u8]| in_all(w) && !w[4..].contains(&b'b');
    let states = States::default();
    let [exact, keys, part, tight] = [&exact, &keys, &part, &tight].map(language);
    let check = |answer: Answer, is: &dyn Fn(&[u8]) -> bool| {
        paths.check(&answer, is, &|| "keys".into());
    };
    check(exact.implies(&keys, states), &|w| in_all(w) && alias(w));
    check(keys.implies(&exact, states), &|_| false);
    check(part.implies(&keys, states), &|w| in_part(w) && alias(w));
    check(keys.implies(&part, states), &|w| in_all(w) && !alias(w) && !in_part(w));
    check(tight.equivalent(&part, states), &|w| in_part(w) && alias(w));
    check(tight.is_universal(states), &|w| alias(w) || !in_part(w));
    check(keys.disjoint(&part, states), &|w| in_part(w) && !alias(w));
}

/// The same set in several spellings.
#[test]
fn spellings_of_the_same_are_equivalent() {
    for (one, other) in [
        (vec![plain("pub/")], vec![plain("pub/*")]),
        (vec![plain("pub/**")], vec![plain("pub/*"), plain("pub/data/")]),
        (vec![glob("pub/{a,b}/**")], vec![plain("pub/a/*"), plain("pub/b/")]),
        (vec![glob("**/*.csv")], vec![plain("*.csv")]),
        (vec![glob("pub/**")], vec![plain("pub/")]),
        (vec![plain("*"), plain("a*")], vec![glob("**")]),
        // No path holds a control byte, a dot segment or half a character.
        (vec![plain("pub/*")], vec![glob("pub/**"), plain("pub/../*")]),
        (vec![glob("pub/?")], vec![glob("pub/[!a]"), plain("pub/a")]),
    ] {
        let side = |restrictions: &[Restriction]| -> Vec<Rule> {
            restrictions.iter().map(|r| Rule::allow(r.clone(), AccessSet::READ_ONLY)).collect()
        };
        let (one, other) = (side(&one), side(&other));
        let languages = [&one, &other].map(|r| Language::of_entries(entries(r), Access::Read));
        let answer = languages[0].equivalent(&languages[1], States::default());
        assert_eq!(answer, Answer::Holds, "[{}] [{}]", show(&one), show(&other));
    }
}

#[test]
fn paths_are_plausible() {
    let shows = |allow: &[&str], deny: &[&str], within: &str| {
        let rules: Vec<Rule> = allow
            .iter()
            .map(|text| Rule::allow(plain(text), AccessSet::READ_ONLY))
            .chain(deny.iter().map(|text| Rule::deny(plain(text), AccessSet::READ_ONLY)))
            .collect();
        let within = plain(within);
        let language = Language::of_entries(entries(&rules), Access::Read);
        let answer = language.disjoint(&Language::of(&within), States::default());
        answer.witness().map(ToString::to_string)
    };
    let path = |text: &str| Some(text.to_owned());
    assert_eq!(shows(&["*"], &[], "*"), path("aaa/a"));
    assert_eq!(shows(&["*.csv"], &[], "*"), path("aaa/.csv"));
    assert_eq!(shows(&["pub/reports/*"], &[], "*"), path("pub/reports/"));
    assert_eq!(shows(&["Algorithmia*"], &["Algorithmia/*"], "*"), path("Algorithmiaa/a"));
    assert_eq!(shows(&["*"], &["aaa/*"], "*/x"), path("baa/x"));
    // What is named is preferred to what is not, where both are as long.
    assert_eq!(shows(&["*"], &["dev/*.tmp"], "*/x*"), path("dev/x"));
    assert_eq!(shows(&["pub/*"], &["pub/a*"], "*"), path("pub/b"));
    assert_eq!(shows(&["pub/*"], &["pub/*"], "*"), None);
    assert_eq!(shows(&["pub"], &[], "*"), path("pub"));
}

/// Lengths that no path has make a difference of none.
#[test]
fn what_is_longer_than_a_path_is_no_difference() {
    let key = |len: usize| format!("pub/{}", "k".repeat(len));
    let empty = |texts: &[&str]| {
        let rules: Vec<Rule> =
            texts.iter().map(|text| Rule::allow(plain(text), AccessSet::READ_ONLY)).collect();
        Language::of_entries(entries(&rules), Access::Read).is_empty(States::default())
    };
    assert!(!empty(&[&key(1_024)]).holds() && empty(&[&key(1_025)]).holds());
    assert!(!empty(&[&format!("{}*", key(1_024))]).holds());
    assert!(empty(&[&format!("{}*x", key(1_024))]).holds());
    assert!(!empty(&[&"b".repeat(255)]).holds() && empty(&[&"b".repeat(256)]).holds());
    assert!(!empty(&[&format!("*{}/x", "b".repeat(255))]).holds());
    // A bucket can take a part of what is too much for a key alone.
    let pieces = |count| format!("x{}", format!("*{}", "k".repeat(100)).repeat(count));
    let witness = empty(&[&pieces(11)]);
    let path = witness.witness().expect("a bucket of 201 and a key of 900");
    assert_eq!((path.bucket().len(), path.key().len()), (201, 900));
    assert!(!empty(&[&pieces(12)]).holds() && empty(&[&pieces(13)]).holds());
    let long = |len: usize| format!("bbb*/{}", "k".repeat(len));
    assert!(empty(&[&long(1_025)]).holds() && !empty(&[&long(1_024)]).holds());
}

#[test]
fn a_question_made_to_be_hard_ends_at_its_budget() {
    let stars = |letter: char| -> Vec<Rule> {
        (0..40)
            .map(|n| {
                let piece: String =
                    (0..12).map(|bit| if n >> (bit % 6) & 1 == 1 { letter } else { 'b' }).collect();
                Rule::allow(plain(&format!("*{piece}*{piece}*{letter}b")), AccessSet::READ_ONLY)
            })
            .collect()
    };
    let (one, other) = (stars('a'), stars('c'));
    let (a, b) = (
        Language::of_entries(entries(&one), Access::Read),
        Language::of_entries(entries(&other), Access::Read),
    );
    let start = std::time::Instant::now();
    let everything = plain("*");
    let (all, most) = (Language::of(&everything), States::new(5_000));
    let without =
        [&one[..], &[Rule::deny(plain("*ab*ab*ab*cb*ab*"), AccessSet::READ_ONLY)]].concat();
    let without = Language::of_entries(entries(&without), Access::Read);
    for answer in
        [a.implies(&without, most), a.disjoint(&b, States::new(200)), all.implies(&b, most)]
    {
        match answer {
            Answer::Undecided { states } => assert!(states == 200 || states == 5_000),
            Answer::Fails(path) => assert!(a.contains(&path) || all.contains(&path)),
            Answer::Holds => panic!("it does not hold"),
        }
    }
    assert_eq!(a.disjoint(&b, States::new(20)).to_string(), "not decided within 20 states");
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

/// A policy of one connection with these rules.
fn policy_of(rules: &[Rule], keys: &str) -> Policy {
    let list = |effect| -> String {
        let of = rules.iter().filter(|rule| rule.effect == effect);
        of.map(|rule| {
            let names: Vec<_> = rule.access.iter().map(Access::name).collect();
            let text = rule.restriction.text();
            format!("      - {{ path: '{text}', access: [{}] }}\n", names.join(", "))
        })
        .collect()
    };
    let deny = match list(Effect::Deny) {
        none if none.is_empty() => none,
        some => format!("    deny:\n{some}"),
    };
    connection(&format!("    keys: {keys}\n    restrictions:\n{}{deny}", list(Effect::Allow)))
}

/// What a difference says, against every short path: each that has changed is matched by a change
/// that is listed, all that a whole change matches has changed, and what shows it is shortest.
#[test]
fn differences_are_those_of_brute_force() {
    let paths = Paths::new("ab/.", 8);
    let letters = ["a", "b", "/", "*", "ab", "a*b"];
    let mut chance = chance();
    let mut some = 0;
    for _ in 0..rounds(200, 60) {
        let mut side = || -> Vec<Rule> {
            let mut rules = vec![Rule::allow(plain("aab/a"), AccessSet::READ_ONLY)];
            let wanted = 1 + chance.below(5);
            while rules.len() <= wanted {
                let text = text(&mut chance, &letters);
                let Ok(restriction) = Restriction::parse(&text) else { continue };
                let effect = if chance.one_in(3) { Effect::Deny } else { Effect::Allow };
                let access = AccessSet::from_bits(1 + chance.below(7) as u8);
                rules.push(Rule { restriction, access, effect });
            }
            rules
        };
        let (old, new) = (side(), side());
        let policies = [policy_of(&old, "exact"), policy_of(&new, "exact")];
        let diff = analysis::diff(&policies[0], &policies[1], States::default());
        assert_eq!(diff.undecided(), 0);
        let what = || format!("[{}] -> [{}]", show(&old), show(&new));
        let none: &[Change<'_>] = &[];
        let (opened, closed) = match &diff.connections[..] {
            [] => (none, none),
            [only] => (&only.opened[..], &only.closed[..]),
            more => panic!("{}", more.len()),
        };
        some += opened.len() + closed.len();
        let given = |rules: &[Rule], word: &[u8]| has(rules, matching(rules, word));
        for (changes, from, to) in [(opened, &old, &new), (closed, &new, &old)] {
            let gained = |word: &[u8]| given(to, word).without(given(from, word));
            let rule = |change: &Change<'_>| match change.cause {
                Cause::Rule(rule) => rule.restriction.clone(),
                Cause::Keys => panic!("both are exact"),
            };
            for word in paths.objects.iter().chain(&paths.buckets) {
                let listed = changes.iter().filter(|change| rule(change).matches(word));
                let said = listed.clone().fold(AccessSet::NONE, |set, c| set.union(c.access));
                let gained = gained(word);
                assert!(
                    gained.without(said).is_empty(),
                    "{:?}: {}",
                    word.escape_ascii().to_string(),
                    what()
                );
                for change in listed.filter(|change| change.extent == Extent::Whole) {
                    assert!(change.access.without(gained).is_empty(), "{change:?}: {}", what());
                }
            }
            for change in changes {
                let shows = |word: &[u8]| {
                    rule(change).matches(word) && change.access.without(gained(word)).is_empty()
                };
                paths.check(&Answer::Fails(change.witness.clone()), shows, &what);
            }
        }
        let turned = analysis::diff(&policies[1], &policies[0], States::default());
        let count = |changes: &[Change<'_>]| changes.len();
        let back =
            turned.connections.first().map_or((0, 0), |c| (count(&c.opened), count(&c.closed)));
        assert_eq!(back, (closed.len(), opened.len()), "{}", what());
        assert!(analysis::diff(&policies[0], &policies[0], States::default()).is_empty());
    }
    println!("analysis: {some} changes");
    assert!(some > 50);
}

#[test]
fn other_keys_are_a_difference() {
    let rules = [Rule::allow(plain("aab/*"), AccessSet::READ_ONLY)];
    let (exact, keys) = (policy_of(&rules, "exact"), policy_of(&rules, "plain"));
    let diff = analysis::diff(&keys, &exact, States::default());
    let [change] = &diff.connections[0].opened[..] else { panic!("{diff:?}") };
    assert!(matches!(change.cause, Cause::Keys));
    assert_eq!(change.witness.as_bytes().len(), 5);
    assert!(change.witness.alias_at().is_some() && diff.opens());
    let diff = analysis::diff(&exact, &keys, States::default());
    assert!(diff.connections[0].opened.is_empty() && diff.connections[0].closed.len() == 1);
    assert!(!diff.opens());
}

/// Ten changes of ten thousand restrictions are a question about ten.
#[test]
fn a_difference_of_large_policies_is_fast() {
    let policy = |changed: usize| {
        let list: String = (0..10_000)
            .map(|n| match n % 1_000 {
                0 => format!("      - tenants/team-{n:05}-{changed}/data/*\n"),
                _ => format!("      - tenants/team-{n:05}/data/*\n"),
            })
            .collect();
        connection(&format!("    access: read-write\n    restrictions:\n{list}"))
    };
    let (old, new) = (policy(1), policy(2));
    let start = std::time::Instant::now();
    let diff = analysis::diff(&old, &new, States::default());
    let took = start.elapsed();
    let change = &diff.connections[0];
    assert_eq!((change.opened.len(), change.closed.len()), (10, 10));
    assert!(
        change
            .opened
            .iter()
            .all(|c| c.extent == Extent::Whole && c.access == AccessSet::READ_WRITE)
    );
    println!("analysis: the difference of 2 × 10,000 took {took:?}");
    let most = if cfg!(debug_assertions) { 8_000 } else { 1_000 };
    assert!(took.as_millis() < most, "{took:?}");
    // What starts nowhere is looked for behind every folder.
    let secret = plain("*/secret/*");
    let start = std::time::Instant::now();
    let answer = language(&old).disjoint(&Language::of(&secret), States::default());
    assert_eq!(
        answer.witness().map(ToString::to_string).as_deref(),
        Some("tenants/team-00001/data/secret/")
    );
    let backup = Language::of(&secret).implies(&language(&old), States::default());
    assert_eq!(backup.witness().map(ToString::to_string).as_deref(), Some("aaa/secret/"));
    println!("analysis: a pattern without a start over 10,000 took {:?}", start.elapsed());
    assert!(start.elapsed().as_millis() < 2 * most, "{:?}", start.elapsed());
}

/// Every change that is named turns the decision, and opens or closes what it says it does.
#[test]
fn remedies_do_what_they_say() {
    let paths = Paths::new("ab/.", 7);
    let letters = ["a", "b", "/", "*", "ab", "a*b"];
    let mut chance = chance();
    let mut tried = 0;
    for _ in 0..rounds(500, 80) {
        let mut rules = vec![Rule::allow(plain("aab/a"), AccessSet::READ_ONLY)];
        let wanted = 1 + chance.below(5);
        while rules.len() <= wanted {
            let Ok(restriction) = Restriction::parse(&text(&mut chance, &letters)) else {
                continue;
            };
            let effect = if chance.one_in(3) { Effect::Deny } else { Effect::Allow };
            rules.push(Rule {
                restriction,
                access: AccessSet::from_bits(1 + chance.below(7) as u8),
                effect,
            });
        }
        rules.sort_by_key(|rule| rule.effect);
        let policy = policy_of(&rules, "exact");
        let connection = &policy.connections()[0];
        for _ in 0..6 {
            let word = chance.pick(&paths.objects).clone();
            let path = Path::new(&word).expect("a path");
            let access = *chance.pick(&Access::ALL);
            let given =
                |rules: &[Rule], word: &[u8]| has(rules, matching(rules, word)).contains(access);
            let remedies = analysis::remedies(connection, access, &path, States::default());
            assert!(!remedies.is_empty());
            for remedy in remedies {
                let mut changed: Vec<Option<Rule>> = rules.iter().cloned().map(Some).collect();
                for step in &remedy.change {
                    match step {
                        Step::Allow(more) => {
                            changed.push(Some(Rule::allow(more.clone(), access.into())))
                        }
                        Step::Deny(more) => {
                            changed.push(Some(Rule::deny(more.clone(), access.into())))
                        }
                        Step::Widen(n, _) => {
                            let rule = changed[*n].as_mut().expect("it is there");
                            rule.access = rule.access.with(access);
                        }
                        Step::TakeOut(n, _) => changed[*n] = None,
                    }
                }
                let changed: Vec<Rule> = changed.into_iter().flatten().collect();
                let what = || format!("{access} at {path:?}: {remedy:?} [{}]", show(&rules));
                assert_ne!(given(&rules, &word), given(&changed, &word), "{}", what());
                let answer = match &remedy.also {
                    Also::Nothing => Answer::Holds,
                    Also::Path(path) => Answer::Fails(path.clone()),
                    Also::Undecided(_) => panic!("{}", what()),
                };
                let differs = |w: &[u8]| w != word && given(&rules, w) != given(&changed, w);
                paths.check(&answer, differs, &what);
                tried += 1;
            }
        }
    }
    println!("analysis: {tried} remedies");
}

/// Hundreds of patterns that are all open at once, with the budget that is the default.
#[test]
fn a_hostile_pair_ends_in_time() {
    let mut chance = Chance(3);
    let mut side = |count: usize| -> Vec<Rule> {
        (0..count)
            .map(|n| {
                let piece = |chance: &mut Chance| -> String {
                    (0..6).map(|_| *chance.pick(&['a', 'b'])).collect()
                };
                let pieces: Vec<String> = (0..5).map(|_| piece(&mut chance)).collect();
                let effect = if n % 4 == 3 { Effect::Deny } else { Effect::Allow };
                let restriction = plain(&format!("*{}*", pieces.join("*")));
                Rule { restriction, access: AccessSet::READ_ONLY, effect }
            })
            .collect()
    };
    let count = if cfg!(debug_assertions) { 60 } else { 400 };
    let (one, other) = (side(count), side(count));
    let [a, b] = [&one, &other].map(|rules| Language::of_entries(entries(rules), Access::Read));
    let states = States::default();
    for (name, ask) in [
        ("implies", &(|| a.implies(&b, states)) as &dyn Fn() -> Answer),
        ("disjoint", &|| a.disjoint(&b, states)),
        ("equivalent", &|| a.equivalent(&b, states)),
        ("universal", &|| a.is_universal(states)),
    ] {
        let start = std::time::Instant::now();
        let answer = ask();
        println!("analysis: hostile: {name} {answer} in {:?}", start.elapsed());
        assert!(!answer.holds(), "{name}");
        assert!(start.elapsed().as_secs() < 120, "{name}: {:?}", start.elapsed());
    }
}
