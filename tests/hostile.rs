//! Policies and paths made to be slow. Each loads within a stated time or is refused by a limit's
//! name, and no decision is slow. The bounds are generous, since machines and builds differ: what
//! they stand against takes minutes. Times are printed.

#![expect(clippy::expect_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "times are printed")]

use std::time::{Duration, Instant};

use pathward::{
    Access, AccessSet, Automaton, Effect, Entry, Restriction, TooLarge, automaton::MAX_DENY_WORK,
};

const LOAD: Duration = Duration::from_secs(20);
const DECISION: Duration = Duration::from_millis(250);

fn compile(allow: &[String], deny: &[String]) -> Result<Automaton, TooLarge> {
    let parse = |text: &String| Restriction::parse(text).expect(text);
    let allow: Vec<Restriction> = allow.iter().map(parse).collect();
    let deny: Vec<Restriction> = deny.iter().map(parse).collect();
    let entry =
        |effect| move |restriction| Entry { restriction, access: AccessSet::READ_WRITE, effect };
    let allow = allow.iter().map(entry(Effect::Allow));
    Automaton::compile(allow.chain(deny.iter().map(entry(Effect::Deny))))
}

fn timed<T>(what: &str, most: Duration, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    let took = start.elapsed();
    println!("hostile: {what}: {took:.1?}");
    assert!(took < most, "{what} took {took:?}, more than {most:?}");
    result
}

/// Decides everything about a path, and times the slowest of a few.
fn decide(what: &str, automaton: &Automaton, path: &[u8]) {
    timed(&format!("{what}, here"), DECISION, || automaton.here(path, Access::Write));
    timed(&format!("{what}, below"), 4 * DECISION, || automaton.below(path));
}

/// Sixteen thousand patterns whose pieces are runs of `a`, each found nearly everywhere in a path
/// of `a`, and which all still wait for a `Z` at its end.
fn runs(count: usize, end: &str) -> Vec<String> {
    let side = count.isqrt();
    let run = |n: usize| "a".repeat(n);
    (0..side * side)
        .map(|n| format!("pub/*{}*{}*Z*{end}", run(1 + n / side), run(1 + n % side)))
        .collect()
}

#[test]
fn patterns_that_all_wait_for_their_end() {
    let path = [&b"pub/"[..], &[b'a'; 1_020]].concat();
    let denies = timed("16,129 denies that wait, loading", LOAD, || {
        compile(&["pub/".to_owned()], &runs(16_384, ""))
    });
    decide("16,129 denies that wait", &denies.expect("within the limits"), &path);

    let allows = timed("16,129 allows that wait and a deny, loading", LOAD, || {
        compile(&runs(16_200, "s"), &["pub/*q*s".to_owned()])
    });
    let path = [&b"pub/q"[..], &[b'a'; 1_019]].concat();
    decide("16,129 allows that wait and a deny", &allows.expect("within the limits"), &path);
}

#[test]
fn pairs_of_pieces_by_the_ten_thousand() {
    let rules: Vec<String> = (0..10_000).map(|n| format!("*A{n:04}*B{n:04}*")).collect();
    let automaton = timed("10,000 of *A*B*, loading", LOAD, || compile(&rules, &[]));
    let automaton = automaton.expect("within the limits");
    let mut path = b"pub/".to_vec();
    (0..200).for_each(|n| path.extend_from_slice(format!("A{n:04}").as_bytes()));
    decide("10,000 of *A*B*", &automaton, &path);
}

#[test]
fn denies_times_allows_are_bounded() {
    let denies: Vec<String> = (0..10_000).map(|n| format!("*x{n:04}*y{n:04}*")).collect();
    let exact = |count: usize| -> Vec<String> {
        (0..count).map(|n| format!("pub/{}/{n}", "k".repeat(500))).collect()
    };
    let loaded =
        timed("10,000 denies and 1,000 allows, loading", LOAD, || compile(&exact(1_000), &denies));
    assert!(loaded.is_ok());
    let refused = timed("10,000 denies and 20,000 allows, refusing", LOAD, || {
        compile(&exact(20_000), &denies)
    });
    let error = refused.expect_err("too much");
    assert_eq!((error.limit, error.most), ("limit.deny_work", MAX_DENY_WORK));
}

#[test]
fn prefixes_and_suffixes_in_one_another() {
    let mut rules = Vec::new();
    for n in 0..1_000 {
        let nested = "a".repeat(n);
        rules.push(format!("pub/{nested}*b"));
        rules.push(format!("pub/*q{n}*{nested}"));
        let half = "a".repeat(n / 2);
        rules.push(format!("pub/{half}*x*{half}"));
    }
    let automaton = timed("3,000 nested prefixes and suffixes, loading", LOAD, || {
        compile(&rules, &["pub/*a*zz".to_owned()])
    });
    let path = [&b"pub/"[..], &[b'a'; 1_024]].concat();
    decide("3,000 nested prefixes and suffixes", &automaton.expect("within the limits"), &path);
}

#[test]
fn braces_do_not_multiply() {
    let bomb = format!("pub/{}{}", "{z}".repeat(1_240), "{a,b}".repeat(6));
    for text in [bomb, "{a,b}".repeat(800), format!("pub/{}", "{a,".repeat(1_000))] {
        timed("a bomb of braces, refusing", Duration::from_millis(200), || {
            Restriction::parse_glob(&text).expect_err("refused")
        });
    }
}

#[test]
fn lengths_that_no_restriction_has_are_refused() {
    let long = pathward::restriction::unchecked::plain_restriction(&"a".repeat(65_539));
    let restriction = long.expect("unchecked");
    let entry =
        Entry { restriction: &restriction, access: AccessSet::READ_ONLY, effect: Effect::Allow };
    assert_eq!(Automaton::compile([entry]).expect_err("refused").limit, "limit.restriction_length");
}

/// Each connection has a glob whose states multiply, which alone costs milliseconds.
#[test]
fn many_connections_cost_no_more_than_one_budget() {
    let mut text = "connections:\n".to_owned();
    for n in 0..5_000 {
        text.push_str(&format!(
            "  - {{ id: s3+c{n}, owner: o, restrictions: [{{ glob: \"pub/*a????????????????\" }}] }}\n"
        ));
    }
    let policy = timed("5,000 connections with a hostile glob each, loading", LOAD, || {
        pathward::Policy::from_yaml("policy.yaml", &text)
    });
    let policy = policy.expect("it loads");
    assert!(policy.connections().iter().all(|c| !c.automaton().stats().below_is_exact));
}
