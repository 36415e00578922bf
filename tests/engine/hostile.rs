//! Policies and paths made to be slow. Each loads within a stated time or is refused by a limit's
//! name, and no decision is slow. The bounds are generous, since machines and builds differ: what
//! they stand against takes minutes. Times are printed.

#![expect(clippy::expect_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "times are printed")]

use std::{hint::black_box, time::Duration};

use pathward::{
    Access, AccessSet, Automaton, Caller, ConnectionId, Effect, Engine, Entry, Path, Policy,
    Restriction, TooLarge, Verdict,
    automaton::{MAX_DENY_WORK, MAX_PIECES_ON_ONE_PATH},
    engine::{ListDirectory, Operation},
};

use crate::{
    common::{CpuTime, SLOW},
    slow::{self, Chance, Slow},
};

const LOAD: Duration = Duration::from_secs(20);
const DECISION: Duration = Duration::from_millis(15);
const REQUEST: Duration = Duration::from_millis(60);

fn compile(allow: &[String], deny: &[String]) -> Result<Automaton, TooLarge> {
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
        |effect| move |restriction| Entry { restriction, access: AccessSet::READ_WRITE, effect };
    let allow = allow.iter().map(entry(Effect::Allow));
    Automaton::compile(allow.chain(deny.iter().map(entry(Effect::Deny))))
}

fn timed<T>(what: &str, most: Duration, run: impl FnOnce() -> T) -> T {
    let start = CpuTime::now();
    let result = run();
    let took = start.elapsed();
    println!("hostile: {what}: {took:.1?}");
    let most = most * SLOW;
    assert!(took < most, "{what} took {took:?}, more than {most:?}");
    result
}

/// Decides everything about a path, and times the slowest of a few.
fn decide(what: &str, automaton: &Automaton, path: &[u8]) {
    timed(&format!("{what}, here"), DECISION, || automaton.here(path, Access::Write));
    timed(&format!("{what}, below"), 4 * DECISION, || automaton.below(path));
    timed(&format!("{what}, taken below"), DECISION, || automaton.taken_below(path));
    timed(&format!("{what}, leads"), 4 * DECISION, || automaton.leads(b"pub/", Access::Read));
}

#[test]
fn slow_policies_load_and_decide_in_time() {
    for Slow { what, allow, deny, denied, allowed } in slow::all() {
        let automaton = timed(&format!("{what}, loading"), 2 * LOAD, || compile(&allow, &deny));
        let automaton = automaton.expect("within the limits");
        let bytes = automaton.stats().bytes;
        let text: usize = allow.iter().chain(&deny).map(String::len).sum();
        println!("hostile: {what}: {bytes} bytes for {text} of text");
        // A glob's alternatives multiply, as far as its own limits let them.
        let is_plain = !allow.iter().any(|text| text.starts_with("glob:"));
        assert!(bytes < 40 * text || !is_plain, "{what}: {bytes} bytes for {text} of text");
        assert_eq!(denied.len(), allowed.len(), "{what}");
        for (path, is_allowed) in [(&denied, false), (&allowed, true)] {
            let verdict = automaton.here(path.as_bytes(), Access::Read);
            assert_eq!(matches!(verdict, Verdict::Allowed(_)), is_allowed, "{what}: {path}");
            decide(what, &automaton, path.as_bytes());
        }
    }
}

/// What a request of each kind takes of the engine: to be decided, and of a listing, where to look and
/// what to show of an entry.
#[test]
fn slow_policies_cost_no_request_much() {
    for slow in slow::all() {
        let what = slow.what;
        let yaml = format!(
            "connections:\n  - id: s3+m\n    owner: o\n    access: read-write\n{}",
            slow.yaml(4)
        );
        let policy = Policy::from_yaml("policy.yaml", &yaml).expect(what);
        let (engine, id) = (Engine::new(policy), ConnectionId::parse("s3+m").expect("an id"));
        let caller = Caller::with_full_permission("o");
        let mut paths = vec![slow.denied.clone(), slow.allowed.clone(), String::new()];
        // The folders above, and the path as a folder.
        let above = slow.allowed.match_indices('/').map(|(at, _)| slow.allowed[..=at].to_owned());
        paths.extend(above.take(3));
        paths.push(format!("{}/", &slow.denied[..slow.denied.len() - 1]));
        let mut most = (Duration::ZERO, String::new());
        let mut cost = |kind: &str, path: &str, run: &mut dyn FnMut()| {
            let start = CpuTime::now();
            run();
            let took = start.elapsed();
            assert!(took < REQUEST * SLOW, "{what}: {kind} of {path} took {took:?}");
            if took > most.0 {
                most = (took, format!("{kind} of {} bytes", path.len()));
            }
        };
        for text in &paths {
            let path = Path::new(text).expect(text);
            for name in Operation::NAMES {
                let Ok(Some(operation)) = Operation::named(name, path.clone()) else { continue };
                cost(name, text, &mut || drop(engine.approve(caller, &id, operation.clone())));
            }
            let Ok(directory) = path.into_directory() else { continue };
            let Ok(approved) = engine.approve(caller, &id, ListDirectory { path: directory })
            else {
                continue;
            };
            let listing = approved.listing();
            let mut prefixes = Vec::new();
            cost("prefixes", text, &mut || prefixes = listing.prefixes());
            for prefix in prefixes.iter().take(3) {
                let name = String::from_utf8_lossy(prefix);
                cost("is alone", &name, &mut || _ = black_box(listing.is_alone(prefix)));
                for most in [16, 256] {
                    cost("places", &name, &mut || drop(listing.places(prefix, most)));
                }
                let key = prefix.strip_prefix(b"pub/").unwrap_or(prefix);
                for is_folder in [false, true] {
                    cost("an entry", &name, &mut || _ = black_box(listing.entry(key, is_folder)));
                }
            }
        }
        println!("hostile: {what}: a request takes {:.1?} at most, {}", most.0, most.1);
    }
}

#[test]
fn denies_times_allows_are_bounded() {
    let Slow { deny, .. } = slow::denies_and_exact_allows();
    let refused = timed("10,000 denies and 20,000 allows, refusing", LOAD, || {
        compile(&slow::exact_allows(20_000), &deny)
    });
    let error = refused.expect_err("too much");
    assert_eq!((error.limit, error.most), ("limit.deny_work", MAX_DENY_WORK));
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
    let Slow { allow, .. } = slow::one_glob_of_many_states();
    let glob = allow[0].trim_start_matches("glob:");
    let mut text = "connections:\n".to_owned();
    for n in 0..5_000 {
        text.push_str(&format!(
            "  - {{ id: s3+c{n}, owner: o, restrictions: [{{ glob: \"{glob}\" }}] }}\n"
        ));
    }
    let policy = timed("5,000 connections with a hostile glob each, loading", LOAD, || {
        Policy::from_yaml("policy.yaml", &text)
    });
    let policy = policy.expect("it loads");
    assert!(policy.connections().iter().all(|c| !c.automaton().stats().below_is_exact));
}

/// Patterns of hundreds of pieces filled a search with a few dozen patterns, and one path met
/// hundreds of searches: 300 ms, and 30 bytes of memory for each of the text's.
#[test]
fn patterns_of_many_pieces_are_bounded() {
    let error = compile(&slow::of_pieces(300, 250), &[]).expect_err("too many pieces");
    assert_eq!((error.limit, error.most), ("limit.pieces_on_one_path", MAX_PIECES_ON_ONE_PATH));
    assert_eq!(error.rule.index(), 299, "the last rule that the path meets");
}

/// Each step parts a few strings from the others. When all of these were looked at again in each, time was
/// that of the text times the length of a restriction.
#[test]
fn strings_that_part_one_by_one_load_in_time_linear_in_their_text() {
    let each_byte = |spine: &Slow| {
        let start = CpuTime::now();
        compile(&spine.allow, &[]).expect("within the limits");
        let bytes: usize = spine.allow.iter().map(String::len).sum();
        start.elapsed().as_secs_f64() * 1e9 / bytes as f64
    };
    // As much text, in strings of an eighth of the length.
    let (short, long) =
        (each_byte(&slow::a_spine(134, 20 * 64)), each_byte(&slow::a_spine(1_070, 20)));
    println!("hostile: {short:.0} ns for each byte of short strings, {long:.0} ns of long ones");
    assert!(long < 3.0 * short.max(20.0), "{short} and {long} ns for each byte");
}

/// What hashes of bytes are made of, as `forks` has it.
fn hash(bytes: &[u8]) -> u64 {
    let number = bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
    (number << (64 - 8 * bytes.len())).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Seven forks that part nothing, since all eight bytes meet in one slot, and then one with 256
/// slots for two bytes: that was 670 bytes for each string.
#[test]
fn hashes_that_meet_do_not_multiply_memory() {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut chance = Chance(1);
    let mut word = |len: usize| (0..len).map(|_| chance.one_of(LETTERS)).collect::<String>();
    let goal = hash(b"@@@@@@@@") >> 60;
    let mut texts = Vec::new();
    for _ in 0..2_000 {
        let id = word(8);
        for n in 0..12 {
            let mut tries = (0..1_000).map(|_| format!("{}}}{}", "@".repeat(n), word(11 - n)));
            let met = tries.find(|text| hash(&text.as_bytes()[3..11]) >> 60 == goal);
            texts.extend(met.map(|text| format!("{id}///////{text}")));
        }
    }
    // Bytes of which any few bits in a row leave two alike, in groups that have just no leaf.
    let alike = ["!", "\"", "\u{a1}"];
    let of_bytes: Vec<String> = (0..20_000)
        .flat_map(|n| (0..6).map(move |m| format!("pub/{n:05}/{}{}", alike[m % 3], m / 3)))
        .collect();
    for texts in [texts, of_bytes] {
        let automaton = compile(&texts, &[]).expect("within the limits");
        let each = automaton.stats().bytes / texts.len();
        println!("hostile: {each} bytes for each of {} rules", texts.len());
        assert!(each < 200, "{each} bytes for each of {} rules", texts.len());
    }
}
