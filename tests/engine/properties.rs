//! Policies and paths at random, against the reference matcher and the oracle.
//!
//! Half of what is compared comes from paths made out of the policy itself and then changed a
//! little, because the mistakes are next to the matches. `PATHWARD_COMPARISONS` says how many
//! comparisons to make and `PATHWARD_SEED` repeats a run.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails panics, and says what it compared"
)]

use std::cell::Cell;

use pathward::{
    Access, AccessSet, Automaton, Below, Dialect, Effect, Restriction, Verdict,
    internal::here_side_by_side, restriction::unchecked,
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};

use crate::common::{
    Chance, CpuTime, Oracle, Rule, assert_below_or_closed, assert_here, bytes, comparisons,
    compile, from_env, has, is_long, matching, path_near, show, verdict_fits,
};

/// How many states the oracle of `below` may have; policies beyond it are held to consistency.
const MOST_STATES: usize = 3_000;

/// A rule as it is generated: its text, its dialect, its accesses as bits, its effect.
#[derive(Clone, Debug)]
struct Spec {
    text: String,
    dialect: Dialect,
    access: u8,
    effect: Effect,
}

impl Spec {
    fn rule(&self) -> Option<Rule> {
        let restriction = match self.dialect {
            Dialect::Plain => unchecked::plain_restriction(&self.text),
            Dialect::Glob => unchecked::glob_restriction(&self.text),
        };
        let access = AccessSet::from_bits(self.access);
        Some(Rule { restriction: restriction.ok()?, access, effect: self.effect })
    }
}

fn rules(specs: &[Spec]) -> Vec<Rule> {
    specs.iter().filter_map(Spec::rule).collect()
}

// ---- what is generated ----------------------------------------------------------------------

/// Texts over an alphabet so small that everything overlaps with everything.
fn tiny_text() -> impl Strategy<Value = String> {
    "[ab/*]{1,8}"
}

/// Texts that share beginnings and ends, as the lines of real policies do.
fn shared_text() -> impl Strategy<Value = String> {
    let start = prop::sample::select(vec!["", "pub/", "pub/da", "pub/data/", "pub/data/in/", "p"]);
    let middle = prop::collection::vec(
        prop::sample::select(vec!["*", "a", "b", "ab", "/", "x/", "2026-", "*-", "\\*", "é", "."]),
        0..6,
    );
    let end = prop::sample::select(vec!["", "*", ".csv", "/x.csv", "*.csv", "/", "v"]);
    (start, middle, end)
        .prop_map(|(start, middle, end)| format!("{start}{}{end}", middle.concat()))
        .prop_filter("there is some text", |text| !text.is_empty())
}

/// Texts over all kinds of characters.
fn wide_text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            4 => "[a-z0-9._/-]".prop_map(String::from),
            2 => Just("*".into()),
            1 => Just("\\\\".into()),
            1 => Just("\\*".into()),
            1 => any::<char>().prop_map(|c| if "\\*".contains(c) { "q".into() } else { c.to_string() }),
        ],
        1..24,
    )
    .prop_map(|pieces| pieces.concat())
}

fn glob_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "b", "*", "?", "/", "/**/", "[ab]", "[!a]", "{a,b}", "{a/b,*}", "ab", "é",
    ]);
    (prop::collection::vec(piece, 1..6), prop::bool::weighted(0.2))
        .prop_map(|(pieces, all)| format!("{}{}", pieces.concat(), if all { "/**" } else { "" }))
}

fn spec(
    text: impl Strategy<Value = String> + 'static,
    dialect: Dialect,
) -> impl Strategy<Value = Spec> {
    let access = prop_oneof![3 => Just(7_u8), 2 => Just(1), 2 => 1_u8..8];
    let effect = prop_oneof![3 => Just(Effect::Allow), 1 => Just(Effect::Deny)];
    (text, access, effect).prop_map(move |(text, access, effect)| Spec {
        text,
        dialect,
        access,
        effect,
    })
}

/// One kind of text a policy, a few or many rules; some policies mix all kinds.
fn policy() -> impl Strategy<Value = Vec<Spec>> {
    let plain = Dialect::Plain;
    let any_kind = || {
        prop_oneof![
            2 => spec(tiny_text(), plain),
            3 => spec(shared_text(), plain),
            1 => spec(wide_text(), plain),
            1 => spec(glob_text(), Dialect::Glob),
        ]
    };
    prop_oneof![
        4 => prop::collection::vec(spec(tiny_text(), plain), 1..6),
        4 => prop::collection::vec(spec(shared_text(), plain), 1..9),
        2 => prop::collection::vec(spec(wide_text(), plain), 1..9),
        2 => prop::collection::vec(spec(glob_text(), Dialect::Glob), 1..4),
        2 => prop::collection::vec(any_kind(), 1..16),
        2 => bucket(),
    ]
}

/// Up to 60 rules that share one beginning or one end, so that each way in which larger groups of
/// candidates are told apart is used (a scan up to 16, a search for their literals beyond).
fn bucket() -> impl Strategy<Value = Vec<Spec>> {
    let start = prop::sample::select(vec!["", "*", "p/", "p*", "p/*"]);
    let end = prop::sample::select(vec!["", "*", "*z", "/", "z"]);
    let middle = prop_oneof![
        4 => "[abc]{1,3}",
        2 => "[ab]{1,2}\\*[ab]{1,2}",
        1 => "[ab]{1,2}\\*[ab]{1,2}\\*[abc]",
        1 => "[abc]/[abc*]{0,2}",
    ];
    let rule = spec(middle, Dialect::Plain);
    (start, end, prop::collection::vec(rule, 10..60)).prop_map(|(start, end, mut specs)| {
        for spec in &mut specs {
            spec.text = format!("{start}{}{end}", spec.text.replace("\\*", "*"));
        }
        specs
    })
}

/// The bytes that paths of these rules are made of.
fn letters(rules: &[Rule]) -> Vec<u8> {
    let mut letters: Vec<u8> =
        rules.iter().flat_map(|rule| rule.restriction.text().bytes()).collect();
    letters.extend(b"//*\\z.\xff");
    letters
}

// ---- how it is run --------------------------------------------------------------------------

thread_local! {
    static COMPARED: Cell<u64> = const { Cell::new(0) };
}

fn count(n: u64) {
    COMPARED.set(COMPARED.get() + n);
}

/// Runs a property until it has made its share of the comparisons. On failure the policy is
/// shrunk and shown with the seed.
fn hold(name: &str, share: f64, property: impl Fn(Vec<Spec>, Chance)) {
    let target = (comparisons(10_000_000, 200_000) as f64 * share) as u64;
    let seed = from_env("PATHWARD_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |since| since.as_nanos() as u64)
    });
    let start = CpuTime::now();
    let mut policies = 0_u64;
    let strategy = (policy(), any::<u64>());
    while COMPARED.get() < target {
        // A runner counts its successes over all its runs, so each batch has a runner of its own.
        let config = Config {
            cases: 64,
            max_shrink_iters: 2_000,
            failure_persistence: None,
            ..Config::default()
        };
        let mut seed_bytes = [0; 32];
        seed_bytes[..8].copy_from_slice(&seed.to_le_bytes());
        seed_bytes[8..16].copy_from_slice(&policies.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed_bytes);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let result = runner.run(&strategy, |(specs, chance)| {
            property(specs, Chance(chance));
            Ok(())
        });
        match result {
            Ok(()) => policies += 64,
            Err(TestError::Fail(reason, (specs, _))) => {
                panic!("{name} (PATHWARD_SEED={seed}): {reason}\nrules: [{}]", show(&rules(&specs)))
            }
            Err(error) => panic!("{name} (PATHWARD_SEED={seed}): {error}"),
        }
    }
    println!(
        "properties: {name}: {} comparisons, {policies} policies, {:.1?}, PATHWARD_SEED={seed}",
        COMPARED.replace(0),
        start.elapsed()
    );
}

/// A policy that compiles; one that is refused names a limit and is none of these tests' matter.
fn compiled(rules: &[Rule]) -> Option<Automaton> {
    match compile(rules) {
        Ok(automaton) => Some(automaton),
        Err(error) => {
            assert!(error.limit.starts_with("limit."), "{error}");
            None
        }
    }
}

// ---- the properties -------------------------------------------------------------------------

#[test]
fn here_is_what_the_reference_says() {
    hold("here", 0.6, |specs, mut chance| {
        let rules = rules(&specs);
        let Some(automaton) = compiled(&rules) else { return };
        let letters = letters(&rules);
        let paths: Vec<_> = (0..150).map(|_| path_near(&rules, &letters, &mut chance)).collect();
        for path in &paths {
            count(assert_here(&rules, &automaton, path, matching(&rules, path)));
        }
        // Side by side, the accesses in turns.
        let accesses = Access::ALL.into_iter().cycle();
        let questions: Vec<_> = paths.iter().map(|path| &path[..]).zip(accesses).collect();
        let verdicts = here_side_by_side(&automaton, questions.iter().copied());
        assert_eq!(verdicts.len(), questions.len());
        for ((path, access), verdict) in questions.into_iter().zip(verdicts) {
            assert!(
                verdict_fits(&rules, matching(&rules, path), access, verdict),
                "side by side: {verdict:?} for {access} at {}; rules [{}]",
                bytes(path),
                show(&rules)
            );
            count(1);
        }
    });
}

#[test]
fn below_is_what_the_oracle_says() {
    let beyond = Cell::new(0_u64);
    let closed = Cell::new(0_u64);
    hold("below", 0.2, |specs, mut chance| {
        let rules = rules(&specs);
        let Some(automaton) = compiled(&rules) else { return };
        let letters = letters(&rules);
        let oracle = Oracle::new(&rules, MOST_STATES);
        let facts = oracle.as_ref().map(|oracle| oracle.facts(&rules));
        for _ in 0..150 {
            let mut path = path_near(&rules, &letters, &mut chance);
            path.truncate(chance.below(path.len() + 2));
            match (&oracle, &facts) {
                (Some(oracle), Some(facts)) => {
                    let state = oracle.walk(&path);
                    assert_eq!(facts.here[state], has(&rules, matching(&rules, &path)), "oracle");
                    let expected = facts.below[state];
                    count(assert_below_or_closed(&rules, &automaton, &path, expected, &closed));
                }
                // Too many states to know exactly: whatever one extension lacks, `all` lacks, and
                // whatever one has, `some` has where it must be exact.
                _ => {
                    beyond.set(beyond.get() + 1);
                    let below = automaton.below(&path);
                    for _ in 0..4 {
                        let mut extension = path.clone();
                        let near = path_near(&rules, &letters, &mut chance);
                        extension.extend(&near[chance.below(near.len() + 1)..]);
                        let set = has(&rules, matching(&rules, &extension));
                        let some =
                            set.without(below.some).is_empty() || !automaton.stats().below_is_exact;
                        let fits = some && below.all.without(set).is_empty();
                        assert!(
                            fits,
                            "below {} is {below:?}, but {} has {set:?}; rules [{}]",
                            bytes(&path),
                            bytes(&extension),
                            show(&rules)
                        );
                        count(1);
                    }
                }
            }
        }
    });
    println!(
        "properties: below: {} paths were beyond the oracle's states; {} answers erred to the \
         closed side, as they may",
        beyond.get(),
        closed.get()
    );
}

#[test]
fn order_is_irrelevant() {
    hold("order", 0.05, |specs, mut chance| {
        let rules = rules(&specs);
        let mut shuffled = rules.clone();
        for n in (1..shuffled.len()).rev() {
            shuffled.swap(n, chance.below(n + 1));
        }
        let (Some(one), Some(other)) = (compiled(&rules), compiled(&shuffled)) else { return };
        let letters = letters(&rules);
        for _ in 0..100 {
            let path = path_near(&rules, &letters, &mut chance);
            for access in Access::ALL {
                let kinds = [&one, &other].map(|a| kind(a.here(&path, access)));
                assert_eq!(kinds[0], kinds[1], "{} [{}]", bytes(&path), show(&rules));
            }
            // Where it need not be exact, the order may decide which words are tried.
            if one.stats().below_is_exact {
                let below = [&one, &other].map(|automaton| automaton.below(&path));
                assert_eq!(below[0], below[1], "{} [{}]", bytes(&path), show(&rules));
            }
            count(4);
        }
    });
}

/// Adding a deny never gives anything; adding an allow never takes anything.
#[test]
fn a_deny_never_gives_and_an_allow_never_takes() {
    hold("monotone", 0.1, |specs, mut chance| {
        let rules = rules(&specs);
        let Some(added) = rules.last().cloned() else { return };
        let Some(before) = compiled(&rules[..rules.len() - 1]) else { return };
        let letters = letters(&rules);
        let with = |effect| {
            let mut more = rules.clone();
            more.pop();
            more.insert(0, Rule { effect, ..added.clone() });
            compiled(&more)
        };
        let (Some(denied), Some(allowed)) = (with(Effect::Deny), with(Effect::Allow)) else {
            return;
        };
        for _ in 0..100 {
            let path = path_near(&rules, &letters, &mut chance);
            let all = |automaton: &Automaton| -> (AccessSet, Below) {
                let here = Access::ALL
                    .into_iter()
                    .filter(|a| matches!(automaton.here(&path, *a), Verdict::Allowed(_)))
                    .collect();
                (here, automaton.below(&path))
            };
            let facts = [&denied, &before, &allowed].map(all);
            // Answers that may err to the closed side need not grow.
            let exact = denied.stats().below_is_exact
                && before.stats().below_is_exact
                && allowed.stats().below_is_exact;
            for pair in facts.windows(2) {
                let [(here, below), (more_here, more_below)] = pair else { unreachable!() };
                let grows = here.without(*more_here).is_empty()
                    && (!exact
                        || below.some.without(more_below.some).is_empty()
                            && below.all.without(more_below.all).is_empty());
                assert!(grows, "{}: {facts:?} [{}]", bytes(&path), show(&rules));
                count(5);
            }
        }
    });
}

/// `here` at an extension lies between `all` and `some`, and both only narrow on the way down.
#[test]
fn here_lies_between_all_and_some() {
    hold("between", 0.05, |specs, mut chance| {
        let rules = rules(&specs);
        let Some(automaton) = compiled(&rules) else { return };
        let letters = letters(&rules);
        for _ in 0..50 {
            let path = path_near(&rules, &letters, &mut chance);
            let mut above = automaton.below(b"");
            for len in 0..=path.len() {
                let at = &path[..len];
                let below = automaton.below(at);
                let here: AccessSet = Access::ALL
                    .into_iter()
                    .filter(|access| matches!(automaton.here(at, *access), Verdict::Allowed(_)))
                    .collect();
                let exact = automaton.stats().below_is_exact;
                let fits = below.all.without(here).is_empty()
                    && (!exact
                        || here.without(below.some).is_empty()
                            && below.some.without(above.some).is_empty()
                            && above.all.without(below.all).is_empty());
                assert!(fits, "{}: {here:?} {below:?} [{}]", bytes(at), show(&rules));
                above = below;
                count(4);
            }
        }
    });
}

/// A deny by a glob takes what is directly in a folder; what is deeper is still led to.
#[test]
fn leads_of_what_a_glob_leaves() {
    let allow =
        unchecked::plain_restriction("pub/d/*").map(|r| Rule::allow(r, AccessSet::READ_ONLY));
    let deny = unchecked::glob_restriction("pub/d/*").map(|r| Rule::deny(r, AccessSet::READ_ONLY));
    let rules: Vec<Rule> = [allow, deny].into_iter().flatten().collect();
    let Some(automaton) = compiled(&rules) else { panic!("two rules are few") };
    assert!(matches!(automaton.here(b"pub/d/e/f", Access::Read), Verdict::Allowed(_)));
    assert!(automaton.below(b"pub/").some.contains(Access::Read));
    assert_eq!(automaton.leads(b"pub/", Access::Read), [b"pub/d/"]);
}

/// What a narrowed listing asks the server for covers all that may be shown (the directory's own
/// marker aside), and leads somewhere where it is narrower than the directory.
#[test]
fn leads_cover_what_is_readable() {
    hold("leads", 0.05, |specs, mut chance| {
        let rules = rules(&specs);
        let Some(automaton) = compiled(&rules) else { return };
        let exact = automaton.stats().below_is_exact;
        let letters = letters(&rules);
        for _ in 0..40 {
            let path = path_near(&rules, &letters, &mut chance);
            let has = has(&rules, matching(&rules, &path));
            let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
            let ends: Vec<usize> = slashes.map(|(at, _)| at + 1).chain([0]).collect();
            for directory in ends.into_iter().map(|end| &path[..end]) {
                let leads = automaton.leads(directory, Access::Read);
                let is_asked = leads.iter().any(|lead| path.starts_with(lead));
                assert!(
                    is_asked || !has.contains(Access::Read) || path == directory,
                    "{} at {}: {leads:?} [{}]",
                    bytes(&path),
                    bytes(directory),
                    show(&rules)
                );
                for lead in &leads {
                    let somewhere =
                        automaton.below(lead).some.contains(Access::Read) || lead == directory;
                    assert!(
                        (somewhere || !exact) && lead.starts_with(directory),
                        "{} at {} leads nowhere [{}]",
                        bytes(lead),
                        bytes(directory),
                        show(&rules)
                    );
                }
                count(1);
            }
        }
    });
}

fn kind(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Allowed(_) => 0,
        Verdict::Denied(_) => 1,
        Verdict::OtherAccess(_) => 2,
        Verdict::NoMatch => 3,
    }
}

/// The canonical spelling reads back as the same patterns, and is its own canonical spelling.
#[test]
fn text_round_trips() {
    let mut runner = TestRunner::new(Config {
        cases: if is_long() { 100_000 } else { 2_000 },
        failure_persistence: None,
        ..Config::default()
    });
    let text = prop_oneof![tiny_text(), shared_text(), wide_text(), "pub/[ab/*.]{0,9}"];
    let result = runner.run(&text, |text| {
        if let Ok(restriction) = unchecked::plain_restriction(&text) {
            let spelled = restriction.to_string();
            let again = unchecked::plain_restriction(&spelled).expect("a spelling is readable");
            assert_eq!(restriction.patterns(), again.patterns(), "{text:?} {spelled:?}");
            assert_eq!(spelled, again.to_string());
        }
        if let Ok(restriction) = Restriction::parse(&text) {
            let spelled = restriction.to_string();
            let again = Restriction::parse(&spelled).expect("a spelling is accepted");
            assert_eq!(restriction.patterns(), again.patterns(), "{text:?} {spelled:?}");
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
