//! Policies and paths made to be slow. Each loads within a stated time or is refused by a limit's
//! name, and no decision is slow. The bounds are generous, since machines and builds differ: what
//! they stand against takes minutes. Times are printed.

#![expect(clippy::expect_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "times are printed")]

use std::time::Duration;

use pathward::{
    Access, AccessSet, Automaton, Effect, Entry, Restriction, TooLarge,
    automaton::{MAX_DENY_WORK, MAX_PIECES_ON_ONE_PATH},
};

use crate::common::{CpuTime, SLOW};

const LOAD: Duration = Duration::from_secs(20);
const DECISION: Duration = Duration::from_millis(60);

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

/// A thousand pieces that are ends of each other, in each of several searches: all of them end at each
/// byte of the path. Pieces of one byte leave no way around the searches.
#[test]
fn pieces_that_end_in_one_another() {
    let unlike = |n: usize, m: u32| char::from_u32(0x4e00 + 8_192 * m + n as u32).expect("a char");
    let rules: Vec<String> = (0..16_384)
        .map(|n| {
            let [x, y, z] = [0, 1, 2].map(|m| unlike(n / 2, m));
            format!("pub/*{}*{x}*{y}*{z}*", "a".repeat(1 + n % 1_000))
        })
        .chain(["pub/*!*".to_owned()])
        .skip(1)
        .collect();
    let automaton = timed("nested pieces, loading", LOAD, || compile(&rules, &[]));
    let path = [&b"pub/"[..], &[b'a'; 1_020]].concat();
    decide("nested pieces", &automaton.expect("within the limits"), &path);
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

/// Numbers that look random, the same in each run.
struct Chance(u64);

impl Chance {
    fn one_of(&mut self, bytes: &[u8]) -> char {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        char::from(bytes[(self.0 >> 33) as usize % bytes.len()])
    }
}

/// Patterns of hundreds of pieces filled a search with a few dozen patterns, and one path met
/// hundreds of searches: 300 ms, and 30 bytes of memory for each of the text's.
#[test]
fn patterns_of_many_pieces() {
    let letters: Vec<u8> = (b'0'..b'0' + 44).filter(|byte| *byte != b'?').collect();
    let mut chance = Chance(1);
    let mut pattern = |pieces: usize| {
        let mut text = "pub/*aaa".to_owned();
        for _ in 1..pieces {
            text.push('*');
            (0..3).for_each(|_| text.push(chance.one_of(&letters)));
        }
        text + "*!"
    };
    let many: Vec<String> = (0..300).map(|_| pattern(250)).collect();
    let error = compile(&many, &[]).expect_err("too many pieces");
    assert_eq!((error.limit, error.most), ("limit.pieces_on_one_path", MAX_PIECES_ON_ONE_PATH));
    assert_eq!(error.rule.index(), 299, "the last rule that the path meets");

    let mut path = b"pub/aaa".to_vec();
    let mut chance = Chance(2);
    path.extend((0..1_260).map(|_| chance.one_of(&letters) as u8));
    path.push(b'!');
    let few: Vec<String> = (0..MAX_PIECES_ON_ONE_PATH / 250).map(|_| pattern(250)).collect();
    let many: Vec<String> = (0..MAX_PIECES_ON_ONE_PATH / 5).map(|_| pattern(5)).collect();
    for (what, texts) in [("patterns of 250 pieces", few), ("patterns of 5 pieces", many)] {
        let automaton = timed(&format!("{what}, loading"), LOAD, || compile(&texts, &[]));
        let automaton = automaton.expect("within the limits");
        decide(what, &automaton, &path);
        let (memory, text) =
            (automaton.stats().bytes, texts.iter().map(String::len).sum::<usize>());
        println!("hostile: {what}: {memory} bytes for {text} of text");
        assert!(memory < 40 * text, "{memory} bytes for {text} of text");
    }
}

/// Patterns of one line of nodes, each node with a few, and beside each node another with as many as fill a search:
/// strangers, that no path meets that goes on along the line. They were searched with those of the line, which
/// was 1 ms for each node, and the slower the more text a policy may have.
#[test]
fn strangers_beside_the_way() {
    let pieces: Vec<String> = (0..4_096)
        .map(|n| format!("*{}*a*a*{n:03x}!", "a".repeat(1 + 256_usize.saturating_sub(n))))
        .collect();
    let mut rules: Vec<String> = (0..9).map(|n| format!("pub/*a*{n}!")).collect();
    for n in 1..=40 {
        let here = format!("pub/{}", "a".repeat(n));
        rules.extend((0..4).map(|m| format!("{here}*a*aa*{m}!")));
        rules.extend(pieces.iter().map(|rest| format!("{here}b{rest}")));
    }
    let text = rules.iter().map(String::len).sum::<usize>();
    println!("hostile: strangers beside the way: {text} bytes of text");
    let mut path = [&b"pub/"[..], &[b'a'; 1_024]].concat();
    for effect in ["allows", "denies"] {
        let automaton =
            timed(&format!("strangers' {effect}, loading"), 2 * LOAD, || match effect {
                "allows" => compile(&rules, &[]),
                _ => compile(&["pub/".to_owned()], &rules),
            });
        let automaton = automaton.expect("within the limits");
        println!("hostile: {} bytes of memory", automaton.stats().bytes);
        decide(&format!("strangers' {effect}"), &automaton, &path);
        path.pop();
    }
}

/// The slowest that we could build for searches that are shared along the heaviest way down: a path that
/// meets as much as the limits let it, and leaves that way as often as 32 MB can be halved, each time for the lighter
/// side. Each time the other side's first four thousand patterns are searched for too.
#[test]
fn ways_that_are_left_for_lighter_ones() {
    let nested = |n: usize| "a".repeat(1 + n % 1_000);
    let mut rules: Vec<String> =
        (0..12_200).map(|n| format!("pub/*{}*x{n:x}*y{n:x}*z{n:x}*", nested(n))).collect();
    rules.push("pub/*!*".to_owned());
    let mut lighter = 0;
    for level in (0..6).rev() {
        let here = format!("pub/{}", "a".repeat(level + 1));
        let mut heavier: Vec<String> = (0..4_096)
            .map(|n| format!("{here}b*{}*{n:04x}*", if n < 1_000 { nested(n) } else { nested(0) }))
            .collect();
        let long = "b".repeat(1_000);
        for n in heavier.iter().map(String::len).sum::<usize>() / long.len()..=lighter / long.len()
        {
            heavier.push(format!("{here}b{n}*{long}*"));
        }
        lighter += heavier.iter().map(String::len).sum::<usize>();
        rules.append(&mut heavier);
        rules.extend((0..4).map(|m| format!("{here}*a*aa*{m}*!*")));
    }
    let text = rules.iter().map(String::len).sum::<usize>();
    println!("hostile: ways that are left: {text} bytes of text");
    let path = [&b"pub/"[..], &[b'a'; 1_024]].concat();
    let automaton = timed("ways that are left, loading", 2 * LOAD, || compile(&rules, &[]));
    let automaton = automaton.expect("within the limits");
    println!("hostile: {} bytes of memory", automaton.stats().bytes);
    decide("ways that are left", &automaton, &path);
}

/// Each step parts a few strings from the others. When all of these were looked at again in each, time was
/// that of the text times the length of a restriction.
#[test]
fn strings_that_part_one_by_one_load_in_time_linear_in_their_text() {
    let spine = |len: usize, tails: usize| -> Vec<String> {
        let tail = move |n: usize| (0..tails).map(move |t| format!("pub/{}b{t:04}", "a".repeat(n)));
        (1..len).flat_map(tail).collect()
    };
    let each_byte = |texts: &[String]| {
        let start = CpuTime::now();
        compile(texts, &[]).expect("within the limits");
        let bytes: usize = texts.iter().map(String::len).sum();
        start.elapsed().as_secs_f64() * 1e9 / bytes as f64
    };
    // As much text, in strings of an eighth of the length.
    let (short, long) = (each_byte(&spine(134, 20 * 64)), each_byte(&spine(1_070, 20)));
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
