//! Differences of two policies, and what turns a decision.

use pathward::{
    Access, AccessSet, Effect, Path, Policy, Restriction,
    analysis::{self, Also, Answer, Cause, Change, Extent, Language, States, Step},
};

use super::brute::{Paths, chance, connection, language, rounds, text};
use crate::common::{Chance, CpuTime, Rule, entries, has, is_long, matching, plain, show};

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

/// Keys that the connection refuses anyway are no part that is left: with `plain`, nothing was whole.
#[test]
fn with_plain_keys_a_change_of_all_of_a_restriction_is_whole() {
    for keys in ["plain", "exact"] {
        let of =
            |rules: &str| connection(&format!("    keys: {keys}\n    restrictions: [{rules}]\n"));
        let (old, new) = (of("{ path: aab/x/, access: [read] }"), of("aab/x/, aab/y/"));
        let diff = analysis::diff(&old, &new, States::default());
        let [opened] = &diff.connections[0].opened[..] else { panic!("{diff:?}") };
        assert_eq!(opened.extent, Extent::Whole, "{keys}");
        let wider = of("aab/");
        let diff = analysis::diff(&old, &wider, States::default());
        assert_eq!(diff.connections[0].opened[0].extent, Extent::Part, "{keys}");
    }
    // All of it but what one of the two refuses by its keys.
    let of = |keys: &str, rules: &str| {
        connection(&format!("    keys: {keys}\n    restrictions: [{rules}]\n"))
    };
    let (plain, exact) = (of("plain", "aab/x/"), of("exact", "aab/x/, aab/y/"));
    let diff = analysis::diff(&plain, &exact, States::default());
    let extents: Vec<_> = diff.connections[0].opened.iter().map(|c| c.extent).collect();
    assert_eq!(extents, [Extent::Whole, Extent::Part]);
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
    let start = CpuTime::now();
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
    let start = CpuTime::now();
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
    let count = if is_long() { 400 } else { 60 };
    let (one, other) = (side(count), side(count));
    let [a, b] = [&one, &other].map(|rules| Language::of_entries(entries(rules), Access::Read));
    let states = States::default();
    for (name, ask) in [
        ("implies", &(|| a.implies(&b, states)) as &dyn Fn() -> Answer),
        ("disjoint", &|| a.disjoint(&b, states)),
        ("equivalent", &|| a.equivalent(&b, states)),
        ("universal", &|| a.is_universal(states)),
    ] {
        let start = CpuTime::now();
        let answer = ask();
        println!("analysis: hostile: {name} {answer} in {:?}", start.elapsed());
        assert!(!answer.holds(), "{name}");
        assert!(start.elapsed().as_secs() < 120, "{name}: {:?}", start.elapsed());
    }
}
