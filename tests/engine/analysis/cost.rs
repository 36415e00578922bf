//! Questions about policies that are large or made to be hard: they end at their budgets, and what is
//! shared between alike questions changes no answer.

#![expect(clippy::expect_used, reason = "tests fail by panicking")]

use std::fmt::Write as _;

use pathward::{
    Policy,
    analysis::{self, Extent, PolicyDiff, States},
};

use crate::common::{Chance, CpuTime};

fn policy(restrictions: &[String], deny: &[String]) -> Policy {
    let mut yaml =
        "connections:\n  - id: s3+x\n    owner: o\n    access: read-write\n    restrictions:\n"
            .to_owned();
    restrictions.iter().for_each(|text| writeln!(yaml, "      - '{text}'").expect("written"));
    if !deny.is_empty() {
        yaml.push_str("    deny:\n");
        deny.iter().for_each(|text| writeln!(yaml, "      - '{text}'").expect("written"));
    }
    Policy::from_yaml("policy.yaml", &yaml).expect("it loads")
}

#[expect(clippy::print_stdout, reason = "what was measured")]
fn within_seconds(what: &str, most: u64, run: impl FnOnce()) {
    let most = if cfg!(debug_assertions) { most * 6 } else { most };
    let start = CpuTime::now();
    run();
    println!("analysis: {what} took {:?}", start.elapsed());
    assert!(start.elapsed().as_secs() < most, "{what}: {:?}", start.elapsed());
}

/// A question that ran out of its budget left a little of it, so that each that followed did the same work
/// again; and the words that are tried last were not counted. `runs` took more than five minutes.
#[test]
fn policies_made_to_be_hard_end_at_their_budgets() {
    let mut chance = Chance(5);
    let letters: Vec<char> = ('a'..='z').chain('0'..='9').collect();
    let mut stars = |_| {
        let mut text = "*".to_owned();
        (0..400).for_each(|_| {
            text.push(*chance.pick(&letters));
            text.push('*');
        });
        text
    };
    let (old_stars, new_stars): (Vec<_>, Vec<_>) =
        ((0..160).map(&mut stars).collect(), (0..160).map(&mut stars).collect());
    let runs = |middle: &str| -> Vec<String> {
        let text = |n: usize| format!("bucket/*{}{middle}{}", "a".repeat(200 + n), "c".repeat(300));
        (0..700).map(text).collect()
    };
    let denied: Vec<String> =
        (0..300).map(|n| format!("bucket/*{}*", "a".repeat(190 + n))).collect();
    // Many literals, each gone along beside all that start anywhere.
    let from_root: Vec<String> =
        (0..3_000).map(|n| format!("*{}z{n}*", "b".repeat(n % 40))).collect();
    let long: Vec<String> =
        (0..3_000).map(|n| format!("bucket/{}{n:05}/*", "b".repeat(900))).collect();
    for (what, [old, new], deny) in [
        ("stars", [&old_stars, &new_stars], &[][..]),
        ("runs", [&runs("*b*"), &runs("b*b*")], &denied),
        ("literals", [&from_root, &long], &from_root[..1_500]),
    ] {
        let (old, new) = (policy(old, deny), policy(new, &[]));
        within_seconds(&format!("a diff of {what}"), 20, || {
            let diff = analysis::diff(&old, &new, States::default());
            assert!(!diff.is_empty());
        });
        within_seconds(&format!("a lint of {what}"), 20, || {
            let _ = analysis::lint(&old, States::default());
        });
    }
}

/// Two times ten thousand folders, all of them others, under one deny that starts anywhere: each folder is asked
/// about, and all go on alike.
#[test]
fn folders_that_go_on_alike_are_searched_once() {
    let folders = |name: &str| -> Vec<String> {
        (0..10_000).map(|n| format!("tenants/{name}-{n:05}/data/*")).collect()
    };
    let deny = ["*/secret/*".to_owned()];
    let (old, new) = (policy(&folders("old"), &deny), policy(&folders("new"), &deny));
    within_seconds("a diff of 2 × 10,000 folders with a deny", 2, || {
        let diff = analysis::diff(&old, &new, States::default());
        assert_eq!(diff.undecided(), 0);
        let [connection] = &diff.connections[..] else { panic!("one") };
        for (changes, name) in [(&connection.opened, "new"), (&connection.closed, "old")] {
            assert_eq!(changes.len(), 10_000);
            for (n, change) in changes.iter().enumerate() {
                assert_eq!(change.extent, Extent::Part);
                assert_eq!(change.witness.to_string(), format!("tenants/{name}-{n:05}/data/"));
            }
        }
    });
}

fn changes(diff: &PolicyDiff<'_>) -> Vec<(String, Extent)> {
    let all = diff.connections.iter().flat_map(|connection| &connection.opened);
    all.map(|change| (change.witness.to_string(), change.extent)).collect()
}

/// What goes on alike differs by how much of a key is left. Folders together are answered as each alone.
#[test]
fn what_goes_on_alike_is_answered_as_if_alone() {
    let mut chance = Chance(11);
    let tails = ["*", "*.csv", "*/x", "a*b", "*a", ""];
    let denies = ["*/secret/*", "*x", "bucket/*aaaaaa*", "*.csv", "*/*/*/*/*", "bucket/b*"];
    let mut compared = 0;
    for _ in 0..60 {
        let mut texts: Vec<String> = (0..12)
            .map(|n| {
                let most = *chance.pick(&[0, 3, 900, 1_005, 1_010, 1_014, 1_016]);
                let tail = *chance.pick(&tails);
                format!("bucket/{}{n:02}/{tail}", "b".repeat(most + chance.below(5)))
            })
            .collect();
        texts.sort_by_key(|_| chance.below(1_000));
        let deny: Vec<String> =
            (0..1 + chance.below(2)).map(|_| (*chance.pick(&denies)).to_owned()).collect();
        let nothing = policy(&["other/x".to_owned()], &[]);
        let all = policy(&texts, &deny);
        let together = changes(&analysis::diff(&nothing, &all, States::default()));
        // Each as the one that is new, in a policy that has the same denies.
        let mut alone = Vec::new();
        for text in &texts {
            let one = policy(std::slice::from_ref(text), &deny);
            alone.extend(changes(&analysis::diff(&nothing, &one, States::default())));
        }
        assert_eq!(together, alone, "{texts:?} {deny:?}");
        compared += alone.len();
    }
    assert!(compared > 200, "{compared}");
}
