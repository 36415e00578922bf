//! The body of the fuzz target of the algebra.

use super::{OwnedRule, reference_has, rules_and_paths};
use crate::{
    access::Access,
    analysis::{Answer, Language, States},
    automaton::Entry,
    path::Path,
};

/// How much an answer may cost: what is harder is left undecided, which is no answer.
const STATES: States = States::new(1_024);

/// Asks every question about two sets of rules, the lines before and behind a line `=`, and holds the
/// answers against the definition, at the paths of the input and at those that the answers name.
pub fn algebra(data: &[u8]) {
    let (one, other) = match memchr::memmem::find(data, b"\n=\n") {
        Some(at) => (&data[..at], &data[at + 3..]),
        None => (data, &b""[..]),
    };
    let (ours, mut paths) = rules_and_paths(one, false);
    let (theirs, more) = rules_and_paths(other, false);
    paths.extend(more);
    let [ours, theirs] =
        [&ours, &theirs].map(|rules| rules.iter().map(OwnedRule::entry).collect::<Vec<_>>());
    let paths: Vec<Path<'_>> = paths.iter().filter_map(|path| Path::new(path).ok()).collect();
    for access in Access::ALL {
        let has = |rules: &[Entry<'_>], path: &Path<'_>| {
            !path.is_root() && reference_has(rules, path.as_bytes()).contains(access)
        };
        let (a, b) = (|p: &Path<'_>| has(&ours, p), |p: &Path<'_>| has(&theirs, p));
        let [us, them] =
            [&ours, &theirs].map(|rules| Language::of_entries(rules.iter().copied(), access));
        for path in &paths {
            assert_eq!((us.contains(path), them.contains(path)), (a(path), b(path)), "{path:?}");
        }
        let (forth, back) = (us.implies(&them, STATES), them.implies(&us, STATES));
        let same = us.equivalent(&them, STATES);
        check(&forth, &paths, |p| a(p) && !b(p));
        check(&back, &paths, |p| b(p) && !a(p));
        check(&same, &paths, |p| a(p) != b(p));
        check(&us.disjoint(&them, STATES), &paths, |p| a(p) && b(p));
        check(&us.is_empty(STATES), &paths, a);
        check(&us.is_universal(STATES), &paths, |p| !p.is_root() && !a(p));
        if forth.holds() && back.holds() {
            assert!(same.witness().is_none(), "{same}");
        }
        assert!(us.implies(&us, STATES).holds() && us.equivalent(&us, STATES).holds());
    }
}

/// No path is against an answer that holds, and the path of one that fails is. (That it is the shortest,
/// where the budget does not end before that is known, is for `tests/engine/analysis`, which tries all.)
fn check(answer: &Answer, paths: &[Path<'_>], is: impl Fn(&Path<'_>) -> bool) {
    match answer {
        Answer::Undecided { .. } => {}
        Answer::Fails(path) => {
            assert!(is(path) && Path::new(path.as_bytes()).is_ok(), "{path:?} does not show it");
        }
        Answer::Holds => {
            let against = paths.iter().find(|path| is(path));
            assert!(against.is_none(), "it holds, but {against:?}");
        }
    }
}
