//! Every small policy against every short path: nothing is left to chance.
//!
//! The alphabet `a b / *` makes every way in which literals and stars can overlap; the fresh byte
//! `z` stands for all bytes that no restriction names. `PATHWARD_LONG=1` takes all of it, in an
//! optimised build; without it, it is smaller.

#![expect(clippy::expect_used, reason = "a test that fails panics, and says what it compared")]

use std::sync::atomic::{AtomicU64, Ordering};

use pathward::{AccessSet, Automaton, Effect, Restriction};

use crate::common::{
    ALL, CpuTime, Oracle, READ, Rule, assert_below, assert_here, brute_below, bytes, compile,
    from_letters, has, is_long, matching, plain, show, words,
};

static COMPARED: AtomicU64 = AtomicU64::new(0);

/// One test, so that the count covers all parts and is printed once, at the end.
#[test]
fn exhaustive() {
    for (name, part) in [
        ("oracle", the_oracle_equals_trying_extensions as fn()),
        ("singles", singles),
        ("pairs", pairs),
        ("triples", triples),
        ("longer pairs", longer_pairs),
        ("longer triples", longer_triples),
    ] {
        let before = COMPARED.load(Ordering::Relaxed);
        let start = CpuTime::now();
        part();
        let compared = COMPARED.load(Ordering::Relaxed) - before;
        println!("exhaustive: {name}: {compared} comparisons in {:.1?}", start.elapsed());
    }
    println!("exhaustive: {} comparisons", COMPARED.load(Ordering::Relaxed));
}

/// A restriction up to 5 bytes against a path up to 7: every shape and every way to miss it.
fn singles() {
    let paths = words("ab/", 0, if is_long() { 7 } else { 5 });
    for text in words("ab/*", 1, if is_long() { 5 } else { 3 }) {
        let rules = [Rule::allow(plain(&text), READ)];
        let automaton = compile(&rules).expect("one rule is within every limit");
        let oracle = Oracle::new(&rules, 10_000).expect("five bytes make few states");
        let facts = oracle.facts(&rules);
        let mut compared = 0;
        for path in &paths {
            let path = path.as_bytes();
            let state = oracle.walk(path);
            // The reference matcher, not the oracle, is what `here` is held against.
            let matching = matching(&rules, path);
            assert_eq!(matching, oracle.matching(state), "{text} {}: the oracle", bytes(path));
            compared += assert_here(&rules, &automaton, path, matching);
            compared += assert_below(&rules, &automaton, path, facts.below[state]);
        }
        COMPARED.fetch_add(compared, Ordering::Relaxed);
    }
}

/// Two restrictions up to 3 bytes, as two allows and as an allow and a deny.
fn pairs() {
    let texts = words("ab/*", 1, if is_long() { 3 } else { 2 });
    let restrictions: Vec<Restriction> = texts.iter().map(|text| plain(text)).collect();
    let paths = words("ab/z", 0, if is_long() { 5 } else { 4 });
    let mixes = [
        [(Effect::Allow, "r"), (Effect::Allow, "r")],
        [(Effect::Allow, "r"), (Effect::Allow, "wd")],
        [(Effect::Allow, "rw"), (Effect::Allow, "wd")],
        [(Effect::Allow, "rwd"), (Effect::Deny, "rwd")],
        [(Effect::Allow, "rwd"), (Effect::Deny, "w")],
        [(Effect::Allow, "r"), (Effect::Deny, "rd")],
    ];
    for first in &restrictions {
        for second in &restrictions {
            compare_mixes(&[first, second], &mixes, &paths);
        }
    }
}

/// Three restrictions up to 2 bytes: two allows and a deny, an allow and two denies.
fn triples() {
    let texts = words("ab/*", 1, if is_long() { 2 } else { 1 });
    let restrictions: Vec<Restriction> = texts.iter().map(|text| plain(text)).collect();
    let paths = words("ab/z", 0, 4);
    let mixes = [
        [(Effect::Allow, "r"), (Effect::Allow, "rw"), (Effect::Deny, "r")],
        [(Effect::Allow, "rwd"), (Effect::Allow, "w"), (Effect::Deny, "wd")],
        [(Effect::Allow, "rwd"), (Effect::Deny, "r"), (Effect::Deny, "rw")],
        [(Effect::Allow, "rd"), (Effect::Deny, "d"), (Effect::Deny, "w")],
    ];
    for first in &restrictions {
        for second in &restrictions {
            for third in &restrictions {
                compare_mixes(&[first, second, third], &mixes, &paths);
            }
        }
    }
}

/// An allow and a deny up to 4 bytes: two stars in both, and a literal between or around them.
fn longer_pairs() {
    if !is_long() {
        return;
    }
    let restrictions: Vec<Restriction> =
        words("ab/*", 1, 4).iter().map(|text| plain(text)).collect();
    let paths = words("ab/z", 0, 4);
    for allow in &restrictions {
        for deny in &restrictions {
            let mix = [(Effect::Allow, "rw"), (Effect::Deny, "rd")];
            compare_mixes(&[allow, deny], &[mix], &paths);
        }
    }
}

/// Three restrictions up to 3 bytes, over fewer letters.
fn longer_triples() {
    if !is_long() {
        return;
    }
    let restrictions: Vec<Restriction> =
        words("ab*", 1, 3).iter().map(|text| plain(text)).collect();
    let paths = words("abz", 0, 5);
    let mixes = [
        [(Effect::Allow, "rwd"), (Effect::Deny, "r"), (Effect::Deny, "rw")],
        [(Effect::Allow, "r"), (Effect::Allow, "rw"), (Effect::Deny, "rw")],
    ];
    for first in &restrictions {
        for second in &restrictions {
            for third in &restrictions {
                compare_mixes(&[first, second, third], &mixes, &paths);
            }
        }
    }
}

fn compare_mixes<const N: usize>(
    restrictions: &[&Restriction; N],
    mixes: &[[(Effect, &str); N]],
    paths: &[String],
) {
    let rules_of = |mix: &[(Effect, &str); N]| -> Vec<Rule> {
        restrictions
            .iter()
            .zip(mix)
            .map(|(restriction, (effect, access))| Rule {
                restriction: (*restriction).clone(),
                access: from_letters(access),
                effect: *effect,
            })
            .collect()
    };
    // Which restrictions match does not depend on who allows and who denies.
    let oracle = Oracle::new(&rules_of(&mixes[0]), 10_000).expect("few bytes make few states");
    let states: Vec<usize> = paths.iter().map(|path| oracle.walk(path.as_bytes())).collect();
    let mut compared = 0;
    for mix in mixes {
        let rules = rules_of(mix);
        let facts = oracle.facts(&rules);
        let automaton: Automaton = compile(&rules).expect("three rules are within every limit");
        for (path, state) in paths.iter().zip(&states) {
            let path = path.as_bytes();
            compared += assert_here(&rules, &automaton, path, oracle.matching(*state));
            compared += assert_below(&rules, &automaton, path, facts.below[*state]);
        }
    }
    COMPARED.fetch_add(compared, Ordering::Relaxed);
}

/// The oracle of `below` is itself held against trying every extension.
///
/// The length that decides: from any state, a shortest extension that reaches (or misses) an
/// access visits no state twice, so extensions shorter than the number of states are enough. The
/// subset construction gives that number, and only policies with at most 1 + LEN states are
/// compared; that they are enough of all is asserted.
fn the_oracle_equals_trying_extensions() {
    const LEN: usize = 5;
    let texts = words("ab/*", 1, 2);
    let paths = words("abz", 0, 2);
    let mut compared = 0;
    let mut skipped = 0;
    let step = if is_long() { 1 } else { 7 };
    for (n, first) in texts.iter().enumerate() {
        for second in texts.iter().skip(n % step).step_by(step) {
            for (effect, access) in [(Effect::Allow, ALL), (Effect::Deny, AccessSet::READ_ONLY)] {
                let rules = [
                    Rule::allow(plain(first), from_letters("rw")),
                    Rule { restriction: plain(second), access, effect },
                ];
                let oracle = Oracle::new(&rules, 10_000).expect("few states");
                if oracle.states() > LEN + 1 {
                    skipped += 1;
                    continue;
                }
                let facts = oracle.facts(&rules);
                for path in paths.iter().step_by(step) {
                    let state = oracle.walk(path.as_bytes());
                    let tried = brute_below(&rules, path.as_bytes(), b"ab/z", LEN);
                    assert_eq!(facts.below[state], tried, "{path:?} [{}]", show(&rules));
                    assert_eq!(facts.here[state], has(&rules, matching(&rules, path.as_bytes())));
                    compared += 1;
                }
            }
        }
    }
    assert!(compared >= 100 && skipped < 10 * compared, "{compared} compared, {skipped} skipped");
    COMPARED.fetch_add(compared, Ordering::Relaxed);
}
