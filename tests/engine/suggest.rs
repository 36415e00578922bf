//! What is suggested from use: against the reference matcher, in any order, and against every other choice.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test that fails panics, and says what it compared"
)]

use std::collections::BTreeSet;

use pathward::{
    Access, AccessSet, Automaton, Connection, Effect, Entry, Path, Policy, Restriction, Verdict,
    analysis::{Language, States, Suggestion, Usage, Used, openings, suggest},
    restriction::Token,
};

use crate::common::{Chance, comparisons, from_env};

/// What was done: the access, how far it reached, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    At(Access, Vec<u8>),
    Listed(Vec<u8>),
    Below(Access, Vec<u8>),
}

const PIECES: [&str; 11] = ["aaa/", "bbb/", "a/", "b/", "/", "a", "b", "ab", ".c", "*", "*/"];

/// A policy of one connection.
fn policy(chance: &mut Chance) -> Policy {
    loop {
        let mut text = String::from("connections:\n  - id: s3+t\n    owner: o\n");
        if chance.one_in(4) {
            text.push_str("    keys: plain\n");
        }
        if !chance.one_in(8) {
            text.push_str("    restrictions:\n");
            for _ in 0..=chance.below(6) {
                text.push_str(&entry(chance, "read-write"));
            }
        }
        let denies = chance.below(5);
        if denies > 2 {
            text.push_str("    deny:\n");
            (2..denies).for_each(|_| text.push_str(&entry(chance, "[read]")));
        }
        // Some texts are no restrictions.
        if let Ok(policy) = Policy::from_yaml("policy.yaml", &text) {
            return policy;
        }
    }
}

fn entry(chance: &mut Chance, more: &str) -> String {
    let access = if chance.one_in(3) { format!(", access: {more}") } else { String::new() };
    if chance.one_in(5) {
        let globs =
            ["aaa/**", "{aaa,bbb}/a/**", "aaa/*", "*/a/*.c", "**/b", "aaa/?/[ab]*", "**/a/**"];
        return format!("      - {{ glob: \"{}\"{access} }}\n", chance.pick(&globs));
    }
    let start = *chance.pick(&["aaa/", "bbb/", "aaa/a/", "*", "aaa*"]);
    let rest: String = (0..chance.below(4)).map(|_| *chance.pick(&PIECES[2..])).collect();
    format!("      - {{ path: \"{start}{rest}\"{access} }}\n")
}

fn path(chance: &mut Chance) -> Vec<u8> {
    let mut text = String::from(*chance.pick(&["aaa/", "aaa/", "bbb/", "abab/"]));
    for _ in 0..chance.below(6) {
        let piece: &str = chance.pick::<&str>(&PIECES[2..9]);
        text.push_str(piece);
    }
    text.into_bytes()
}

/// What a connection allows of random uses.
fn uses(connection: &Connection, chance: &mut Chance) -> Vec<Use> {
    let mut uses = Vec::new();
    for _ in 0..chance.below(60) {
        let bytes = path(chance);
        let Ok(path) = Path::new(&bytes) else { continue };
        let is_odd = connection.keys() == pathward::Keys::Plain && path.alias_at().is_some();
        if is_odd || path.key().is_empty() && !chance.one_in(4) {
            continue;
        }
        let access = *chance.pick(&Access::ALL);
        let below = connection.automaton().below(&bytes);
        match chance.below(8) {
            0 if chance.one_in(4)
                && connection.automaton().below(b"").some.contains(Access::Read) =>
            {
                uses.push(Use::Listed(Vec::new()));
            }
            0 if bytes.ends_with(b"/") && below.some.contains(Access::Read) => {
                uses.push(Use::Listed(bytes));
            }
            1 if bytes.ends_with(b"/")
                && !path.key().is_empty()
                && below.all.contains(access)
                && chance.one_in(2) =>
            {
                uses.push(Use::Below(access, bytes));
            }
            _ if !path.key().is_empty() => {
                let verdict = connection.automaton().here(&bytes, access);
                uses.extend(
                    matches!(verdict, Verdict::Allowed(_)).then_some(Use::At(access, bytes)),
                );
            }
            _ => {}
        }
    }
    uses
}

fn usage(uses: &[Use], connection: &Connection, folder_from: usize, most: usize) -> Used {
    let mut usage = Usage::new(folder_from, most);
    for done in uses {
        match done {
            Use::At(access, bytes) => {
                let Verdict::Allowed(rule) = connection.automaton().here(bytes, *access) else {
                    panic!("it was allowed")
                };
                let path = Path::new(bytes).expect("a path");
                usage.used(0, *access, &path, rule.index());
            }
            Use::Listed(bytes) => usage.listed(0, &Path::new(bytes).expect("a path")),
            Use::Below(access, bytes) => {
                usage.used_below(0, *access, &Path::new(bytes).expect("a path"));
            }
        }
    }
    usage.finish()
}

fn shuffled(uses: &[Use], chance: &mut Chance) -> Vec<Use> {
    let mut uses = uses.to_vec();
    for n in (1..uses.len()).rev() {
        uses.swap(n, chance.below(n + 1));
    }
    uses
}

fn texts(suggestion: &Suggestion) -> Vec<&str> {
    suggestion.restrictions.iter().map(Restriction::text).collect()
}

/// An automaton of one access: these restrictions, and the denies of a connection.
fn compiled(allows: &[Restriction], connection: &Connection) -> Automaton {
    let all = AccessSet::READ_WRITE;
    let own =
        allows.iter().map(|restriction| Entry { restriction, access: all, effect: Effect::Allow });
    let rules = connection.rules().iter().filter(|rule| rule.effect == Effect::Deny);
    let denies = rules.map(|rule| Entry {
        restriction: &rule.restriction,
        access: rule.access,
        effect: Effect::Deny,
    });
    Automaton::compile(own.chain(denies)).expect("small")
}

/// Whether what was used with this access is allowed by some restrictions and a connection's denies.
fn still_allowed(uses: &[Use], access: Access, allows: &[Restriction], connection: &Connection) {
    let automaton = compiled(allows, connection);
    let shown = || format!("{:?}", allows.iter().map(Restriction::text).collect::<Vec<_>>());
    for done in uses {
        match done {
            Use::At(used, bytes) if *used == access => {
                let is = matches!(automaton.here(bytes, access), Verdict::Allowed(_));
                assert!(is, "{done:?} by {}", shown());
            }
            Use::Listed(bytes) if access == Access::Read => {
                assert!(automaton.below(bytes).some.contains(access), "{done:?} by {}", shown());
            }
            Use::Below(used, bytes) if *used == access => {
                let text = String::from_utf8(bytes.clone()).expect("text");
                let below = Restriction::parse(&text).expect("a folder");
                let entries = allows.iter().map(|restriction| Entry {
                    restriction,
                    access: access.into(),
                    effect: Effect::Allow,
                });
                let ours = Language::of_entries(entries, access);
                let answer = Language::of(&below).implies(&ours, States::default());
                assert!(answer.holds(), "{done:?} by {}: {answer}", shown());
            }
            _ => {}
        }
    }
}

/// Every path of a few bytes behind each of some folders.
fn short_paths() -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    for folder in ["aaa/", "bbb/", "aaa/a/", "aaa/b/", "aaa/a/b/", "abab/"] {
        let mut level = vec![folder.as_bytes().to_vec()];
        for _ in 0..4 {
            level = level
                .iter()
                .flat_map(|stem| b"ab/c.".iter().map(|byte| [&stem[..], &[*byte]].concat()))
                .collect();
            paths.extend(level.iter().filter(|bytes| Path::new(*bytes).is_ok()).cloned());
        }
    }
    paths
}

#[test]
fn suggestions_cover_what_was_used_and_open_nothing() {
    let seed = from_env("PATHWARD_SEED").unwrap_or(1);
    let mut chance = Chance(seed);
    let short = short_paths();
    let (mut suggested, mut folders, mut flattened, mut more) = (0, 0, 0, 0);
    for round in 0..comparisons(6_000, 1_500) {
        let policy = policy(&mut chance);
        let connection = &policy.connections()[0];
        let uses = uses(connection, &mut chance);
        let (folder_from, most) = (1 + chance.below(5), 1 + chance.below(8));
        let kept = if chance.one_in(4) { 1 + chance.below(12) } else { Usage::MOST };
        let noted = usage(&uses, connection, folder_from, kept);
        let other = usage(&shuffled(&uses, &mut chance), connection, folder_from, kept);
        flattened += usize::from(noted.depth(0).is_some());
        for access in Access::ALL {
            let ask = |usage| suggest(usage, 0, connection, access, most, States::default());
            let Some(found) = ask(&noted) else {
                let is_used = uses.iter().any(|done| match done {
                    Use::At(used, _) | Use::Below(used, _) => *used == access,
                    Use::Listed(_) => access == Access::Read,
                });
                assert!(!is_used, "round {round}: {access} was used");
                continue;
            };
            let what = || format!("round {round}, {access}: {:?} of {uses:?}", texts(&found));
            assert!(found.inside.holds(), "opens: {} {}", found.inside, what());
            assert!(found.covers.holds(), "leaves out: {} {}", found.covers, what());
            let again = ask(&other).expect("the same uses");
            assert_eq!(texts(&found), texts(&again), "the order matters: {}", what());
            assert_eq!(found.rules, again.rules, "{}", what());

            still_allowed(&uses, access, &found.restrictions, connection);
            // The rules that are named are enough, too.
            let rules: Vec<_> =
                found.rules.iter().map(|n| connection.rules()[*n].restriction.clone()).collect();
            still_allowed(&uses, access, &rules, connection);

            let least = found.restrictions.len() <= most.max(found.rules.len());
            assert!(least, "{} are too many: {}", found.restrictions.len(), what());
            more += usize::from(found.restrictions.len() > most);
            suggested += 1;
            let is_exact = |restriction: &Restriction| {
                matches!(restriction.patterns()[0].tokens(), [Token::Literal(_)])
            };
            folders += found.restrictions.iter().filter(|found| !is_exact(found)).count();
            if round % 16 == 0 {
                for bytes in &short {
                    let matched = found.restrictions.iter().any(|r| r.matches(bytes));
                    let rules = connection.rules().iter().filter(|r| r.access.contains(access));
                    let matching = |effect| {
                        let mut rules = rules.clone().filter(|rule| rule.effect == effect);
                        rules.any(|rule| rule.restriction.matches(bytes))
                    };
                    let opened = matched && !matching(Effect::Deny) && !matching(Effect::Allow);
                    assert!(!opened, "opens {}: {}", bytes.escape_ascii(), what());
                }
            }
        }
    }
    println!(
        "seed {seed}: {suggested} suggestions with {folders} that are no single path; {more} with \
         more than asked for, {flattened} logs not told apart"
    );
    assert!(suggested > 500 && folders > 500 && more > 10 && flattened > 100);
}

/// A flood of one connection made what was kept of all others coarser.
#[test]
fn what_is_kept_of_a_connection_says_nothing_of_others() {
    let most = 100;
    let note = |is_flooded: bool| {
        let mut usage = Usage::new(4, most);
        for n in 0..100 {
            for m in 0..if is_flooded { 300 } else { 1 } {
                let path = format!("aaa/{m}/b/c/{n}/x");
                usage.used(0, Access::Read, &Path::new(&path).expect("a path"), 0);
            }
            let path = format!("bbb/x/y/z/{}", n % 20);
            usage.used(1, Access::Read, &Path::new(&path).expect("a path"), 0);
            let path = format!("bbb/x/y/{}", n % 3);
            usage.used(1, Access::Write, &Path::new(&path).expect("a path"), 0);
        }
        usage.finish()
    };
    let (quiet, flooded) = (note(false), note(true));
    assert!(flooded.depth(0) < Some(2), "the flood is too much: {:?}", flooded.depth(0));
    for used in [&quiet, &flooded] {
        assert_eq!(used.depth(1), None);
        let opened = |access| openings(used, 1, access, 12);
        let texts = |access| opened(access).iter().map(|r| r.text().to_owned()).collect::<Vec<_>>();
        assert_eq!(texts(Access::Read), ["bbb/x/y/z/"]);
        assert_eq!(texts(Access::Write), ["bbb/x/y/0", "bbb/x/y/1", "bbb/x/y/2"]);
    }
}

#[test]
fn all_connections_together_have_a_bound() {
    assert_eq!([0, 1, 4].map(Usage::share), [Usage::MOST; 3]);
    for connections in [5, 100, 12_345, Usage::MOST_OF_ALL] {
        assert!(Usage::share(connections) * connections <= Usage::MOST_OF_ALL, "{connections}");
    }
    assert_eq!(Usage::share(usize::MAX), 1);
}

/// How many restrictions have no `/` before their star, one, and so on.
fn opened(restrictions: &BTreeSet<String>) -> Vec<usize> {
    let mut counts = vec![0; 8];
    for text in restrictions.iter().filter(|text| text.ends_with('/') || *text == "*") {
        counts[text.matches('/').count()] += 1;
    }
    counts
}

/// Every way to cover some paths: each by itself or by one of the folders that it is in.
fn choices(paths: &[String]) -> Vec<BTreeSet<String>> {
    let mut all = BTreeSet::from([BTreeSet::new()]);
    for path in paths {
        let mut covers = vec!["*".to_owned(), path.clone()];
        covers.extend(path.match_indices('/').map(|(at, _)| path[..=at].to_owned()));
        let with = |chosen: &BTreeSet<String>| -> Vec<BTreeSet<String>> {
            covers.iter().map(|one| chosen.iter().chain([one]).cloned().collect()).collect()
        };
        all = all.iter().flat_map(with).collect();
    }
    all.into_iter().collect()
}

#[test]
fn of_all_choices_the_one_that_opens_least_is_taken() {
    let mut chance = Chance(from_env("PATHWARD_SEED").unwrap_or(2));
    let policy = Policy::from_yaml("p.yaml", "connections:\n  - { id: s3+t, owner: o }\n");
    let policy = policy.expect("a policy");
    let connection = &policy.connections()[0];
    let mut narrowed = 0;
    for _ in 0..comparisons(3_000, 600) {
        let mut paths: BTreeSet<String> = BTreeSet::new();
        for _ in 0..=chance.below(6) {
            let folders: String =
                (0..chance.below(4)).map(|_| *chance.pick(&["a/", "b/", "c/"])).collect();
            let bucket = *chance.pick(&["aaa/", "bbb/", "ccc/"]);
            paths.insert(format!("{bucket}{folders}{}", chance.pick(&["x", "y", "z"])));
        }
        let paths: Vec<String> = paths.into_iter().collect();
        let most = 1 + chance.below(paths.len());
        let mut usage = Usage::new(100, Usage::MOST);
        for path in &paths {
            usage.used(0, Access::Read, &Path::new(path).expect("a path"), 0);
        }
        let found = suggest(&usage.finish(), 0, connection, Access::Read, most, States::default());
        let found = found.expect("it was used");
        let best = choices(&paths).into_iter().filter(|choice| choice.len() <= most);
        let best = best.map(|choice| opened(&choice)).min().expect("a choice");
        let ours: BTreeSet<String> = texts(&found).iter().map(|text| (*text).to_owned()).collect();
        assert!(ours.len() <= most, "{ours:?} for {paths:?}, at most {most}");
        assert_eq!(opened(&ours), best, "{ours:?} for {paths:?}, at most {most}");
        narrowed += usize::from(most < paths.len());
    }
    assert!(narrowed > 100);
}

#[test]
fn what_is_opened_is_folders_and_keys_and_never_everything() {
    let mut usage = Usage::new(3, Usage::MOST);
    for path in ["aaa/x/1", "aaa/x/2", "aaa/x/3", "aaa/y", "bbb/z"] {
        usage.used(0, Access::Write, &Path::new(path).expect("a path"), 0);
    }
    let used = usage.finish();
    let opened = |most| {
        let found = openings(&used, 0, Access::Write, most);
        found.iter().map(|restriction| restriction.text().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(opened(12), ["aaa/x/", "aaa/y", "bbb/z"]);
    assert_eq!(opened(2), ["aaa/", "bbb/z"]);
    // Fewer than buckets there cannot be.
    assert_eq!(opened(1), ["aaa/", "bbb/z"]);
    assert!(openings(&used, 0, Access::Read, 12).is_empty());
}
