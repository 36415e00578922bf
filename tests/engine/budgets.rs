//! What happens beyond the budgets of `Automaton::below`: the answer errs on the closed side, and
//! says so where that can be known when the policy is loaded.

#![expect(clippy::expect_used, reason = "tests fail by panicking")]

use pathward::{
    Access, AccessSet, Automaton, Below, Effect, Entry, Restriction,
    automaton::{MAX_SUBSET_STATES, MAX_WORDS},
};

/// An automaton of these rules, all of them about reading. A `glob:` before a text makes it one.
fn automaton(allow: &[String], deny: &[String]) -> Automaton {
    let parse = |text: &String| {
        match text.strip_prefix("glob:") {
            Some(glob) => Restriction::parse_glob(glob),
            None => Restriction::parse(text),
        }
        .expect(text)
    };
    let allow: Vec<Restriction> = allow.iter().map(parse).collect();
    let deny: Vec<Restriction> = deny.iter().map(parse).collect();
    let entry =
        |effect| move |restriction| Entry { restriction, access: AccessSet::READ_ONLY, effect };
    let allow = allow.iter().map(entry(Effect::Allow));
    let deny = deny.iter().map(entry(Effect::Deny));
    Automaton::compile(allow.chain(deny)).expect("within the limits")
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// `n` allows that a deny each takes wherever there is a `/tmp/`, and one that none takes.
fn swallowed(n: u32) -> Automaton {
    let mut allow: Vec<String> = (0..n).map(|n| format!("pub/*/f{n:03}.csv")).collect();
    allow.push("pub/*/zz.csv".to_owned());
    let deny: Vec<String> = (0..n).map(|n| format!("pub/*/tmp/*/f{n:03}.csv")).collect();
    automaton(&allow, &deny)
}

#[test]
fn up_to_the_words_that_are_tried_what_is_left_is_found() {
    let automaton = swallowed(MAX_WORDS / 2 - 1);
    assert!(automaton.stats().below_is_exact);
    assert_eq!(automaton.below(b"pub/x/tmp/y").some, AccessSet::READ_ONLY);
    // One may need two words, here where the path ends with the `/` that its suffix starts with.
    assert_eq!(automaton.below(b"pub/x/tmp/y/").some, AccessSet::READ_ONLY);
}

#[test]
fn beyond_the_words_nothing_is_claimed_and_decisions_stay_right() {
    let automaton = swallowed(MAX_WORDS + 10);
    assert!(!automaton.stats().below_is_exact);
    assert_eq!(automaton.below(b"pub/x/tmp/y"), Below::default());
    // Where no deny takes anything, one word is enough however many allows there are.
    assert_eq!(automaton.below(b"pub/x/").some, AccessSet::READ_ONLY);
    let here = |path: &[u8]| automaton.here(path, Access::Read);
    assert!(matches!(here(b"pub/x/tmp/y/zz.csv"), pathward::Verdict::Allowed(_)));
    assert!(matches!(here(b"pub/x/tmp/y/f001.csv"), pathward::Verdict::Denied(_)));
}

/// Globs whose union is everything below `pub/`, which no one of them is.
const TOGETHER: [&str; 2] = ["glob:pub/*", "glob:pub/*/**"];
/// A glob whose states multiply: one for each set of places at which the last twenty `a` stood.
const MULTIPLIES: &str = "glob:other/*a????????????????????";

#[test]
fn globs_that_cover_together_are_seen_within_the_budget() {
    let open = automaton(&texts(&TOGETHER), &[]);
    let stats = open.stats();
    assert!(stats.below_is_exact && stats.subset_states <= MAX_SUBSET_STATES);
    assert_eq!(open.below(b"pub/").all, AccessSet::READ_ONLY);

    let closed = automaton(&texts(&["pub/"]), &texts(&TOGETHER));
    assert!(closed.stats().below_is_exact);
    assert_eq!(closed.below(b"pub/").some, AccessSet::NONE);
}

#[test]
fn beyond_the_budget_globs_claim_nothing_that_is_not_so() {
    let open = automaton(&texts(&[TOGETHER[0], TOGETHER[1], MULTIPLIES]), &[]);
    assert!(!open.stats().below_is_exact);
    assert_eq!(open.stats().subset_states, 0);
    // All of it is readable; that this is so together is no longer seen, so it is not claimed.
    assert_eq!(open.below(b"pub/").all, AccessSet::NONE);
    assert_eq!(open.below(b"pub/").some, AccessSet::READ_ONLY);
    assert_eq!(open.below(b"other/xa").some, AccessSet::READ_ONLY);
    assert_eq!(open.below(b"other/x/").some, AccessSet::NONE);

    let closed = automaton(&texts(&["pub/"]), &texts(&[TOGETHER[0], TOGETHER[1], MULTIPLIES]));
    assert!(!closed.stats().below_is_exact);
    assert_eq!(closed.below(b"pub/").some, AccessSet::NONE);
    assert_eq!(closed.below(b"pub/").all, AccessSet::NONE);
}
