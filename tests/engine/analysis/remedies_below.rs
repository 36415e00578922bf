//! What would allow or deny everything below a directory, with brute force over all short paths.

#![expect(clippy::panic, reason = "a test that fails panics")]

use pathward::{
    Access, AccessSet, Effect, Path, Policy, Restriction,
    analysis::{self, Also, States, Step},
};

use crate::common::{Chance, Rule, comparisons, compile, from_env, plain, show, words};

const LETTERS: [&str; 6] = ["a", "b", "/", "*", "/*", "a/"];

fn policy(rules: &[(Restriction, AccessSet, Effect)]) -> Policy {
    let list = |effect| -> String {
        rules
            .iter()
            .filter(|(_, _, of)| *of == effect)
            .map(|(restriction, access, _)| {
                let names: Vec<&str> = access.iter().map(Access::name).collect();
                format!(
                    "      - {{ path: '{}', access: [{}] }}\n",
                    restriction.text(),
                    names.join(", ")
                )
            })
            .collect()
    };
    let deny = list(Effect::Deny);
    let deny = if deny.is_empty() { deny } else { format!("    deny:\n{deny}") };
    let yaml = format!(
        "connections:\n  - id: s3+x\n    owner: o\n    restrictions:\n{}{deny}",
        list(Effect::Allow)
    );
    Policy::from_yaml("p.yaml", &yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

/// `explain` named no change for a tree that may not be deleted, nor for a listing that is allowed.
#[test]
fn changes_of_all_that_is_below_do_what_they_say() {
    let mut chance = Chance(from_env("PATHWARD_SEED").unwrap_or(23));
    let paths: Vec<String> =
        words("ab/", 0, 5).into_iter().map(|word| format!("aab/{word}")).collect();
    let (mut tried, mut with_more) = (0, 0);
    for _ in 0..comparisons(2_000, 300) {
        let mut rules = vec![(plain("aab/b/*"), AccessSet::READ_ONLY, Effect::Allow)];
        let wanted = 2 + chance.below(4);
        while rules.len() < wanted {
            let mut text = "aab/".to_owned();
            (0..1 + chance.below(4)).for_each(|_| text.push_str(LETTERS[chance.below(6)]));
            let Ok(restriction) = Restriction::parse(&text) else { continue };
            let effect = if chance.one_in(3) { Effect::Deny } else { Effect::Allow };
            let access =
                *chance.pick(&[AccessSet::READ_ONLY, AccessSet::READ_WRITE, Access::Delete.into()]);
            rules.push((restriction, access, effect));
        }
        let policy = policy(&rules);
        let connection = &policy.connections()[0];
        let access = *chance.pick(&[Access::Read, Access::Delete]);
        let effect = *chance.pick(&[Effect::Allow, Effect::Deny]);
        let text = *chance.pick(&["aab/a/", "aab/b/", "aab/a/b/", "aab/"]);
        let Ok(directory) = Path::new(text) else { panic!("{text}") };
        for remedy in
            analysis::remedies_below(connection, access, &directory, effect, States::default())
        {
            tried += 1;
            let mut after: Vec<Rule> = Vec::new();
            let before: Vec<Rule> = connection
                .rules()
                .iter()
                .map(|rule| match rule.effect {
                    Effect::Allow => Rule::allow(rule.restriction.clone(), rule.access),
                    Effect::Deny => Rule::deny(rule.restriction.clone(), rule.access),
                })
                .collect();
            for (n, rule) in connection.rules().iter().enumerate() {
                let mut given = rule.access;
                for step in &remedy.change {
                    match step {
                        Step::TakeOut(out, _) if *out == n => given = given.without(access.into()),
                        Step::Widen(wide, _) if *wide == n => given = given.with(access),
                        _ => {}
                    }
                }
                after.push(match rule.effect {
                    Effect::Allow => Rule::allow(rule.restriction.clone(), given),
                    Effect::Deny => Rule::deny(rule.restriction.clone(), given),
                });
            }
            for step in &remedy.change {
                match step {
                    Step::Allow(more) => after.push(Rule::allow(more.clone(), access.into())),
                    Step::Deny(more) => after.push(Rule::deny(more.clone(), access.into())),
                    Step::TakeOut(..) | Step::Widen(..) => {}
                }
            }
            let what = || format!("{access} {effect:?} {text}: {remedy:?} [{}]", show(&before));
            let has = |rules: &[Rule], path: &str| {
                crate::common::has(rules, crate::common::matching(rules, path.as_bytes()))
                    .contains(access)
            };
            let mut elsewhere = None;
            for path in &paths {
                if path.starts_with(text) {
                    assert_eq!(has(&after, path), effect == Effect::Allow, "{path} {}", what());
                } else if has(&after, path) != has(&before, path) && !path.ends_with("aab/") {
                    elsewhere.get_or_insert(path);
                }
            }
            match &remedy.also {
                Also::Nothing => assert_eq!(elsewhere, None, "{}", what()),
                Also::Path(path) => {
                    with_more += 1;
                    let path = path.to_string();
                    assert!(!path.starts_with(text), "{path} {}", what());
                    assert_ne!(has(&after, &path), has(&before, &path), "{path} {}", what());
                }
                Also::Undecided(_) => panic!("{}", what()),
            }
            // What the engine says of the tree follows.
            if let Ok(automaton) = compile(&after)
                && effect == Effect::Allow
            {
                assert!(automaton.below(text.as_bytes()).all.contains(access), "{}", what());
            }
        }
    }
    println!("{tried} changes, {with_more} with more");
    assert!(tried > 300 && with_more > 20);
}
