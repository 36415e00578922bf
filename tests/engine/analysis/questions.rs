//! Questions about one policy and two languages.

use std::collections::HashMap;

use pathward::{
    Access, AccessSet, Effect, Path, Restriction,
    analysis::{Answer, Language, States},
};

use super::brute::{Paths, chance, connection, language, reads, rounds, some_rules};
use crate::common::{CpuTime, Rule, entries, glob, path_near, plain, show};

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
    let start = CpuTime::now();
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
