//! Policies that were made to be slow, within the limits: what the engine takes for each, what whole requests
//! take, and what is left to others.

/// A policy, with a path that it denies and one of the same length that it allows: each as dear as we could
/// make it, for that policy.
#[derive(Clone, Debug)]
pub(crate) struct Slow {
    pub(crate) what: &'static str,
    /// Restrictions; what starts with `glob:` is a glob.
    pub(crate) allow: Vec<String>,
    pub(crate) deny: Vec<String>,
    pub(crate) denied: String,
    pub(crate) allowed: String,
}

/// The longest key, less the bucket's name: of a path that is as long as one can be.
const KEY: usize = 1_024;

/// All of them.
pub(crate) fn all() -> Vec<Slow> {
    vec![
        denies_that_wait(),
        allows_that_wait(),
        nested_pieces(),
        pairs_of_pieces(),
        denies_and_exact_allows(),
        prefixes_and_suffixes(),
        one_glob_of_many_states(),
        globs_of_many_steps(250),
        globs_of_many_steps(10),
        stars(),
        many_pieces(250),
        many_pieces(5),
        strangers(false),
        strangers(true),
        ways_that_are_left(),
        pieces_out_of_order(),
        a_spine(1_000, 20),
        folders_that_globs_deny(),
        a_long_way_down(),
        globs_that_are_left(),
    ]
}

impl Slow {
    /// Its rules, as those of a connection in a policy, indented by so many spaces.
    pub(crate) fn yaml(&self, indent: usize) -> String {
        let space = " ".repeat(indent);
        let list = |name: &str, rules: &[String]| {
            let rule = |text: &String| match text.strip_prefix("glob:") {
                Some(glob) => format!("{space}  - {{ glob: \"{glob}\" }}\n"),
                None => format!("{space}  - \"{text}\"\n"),
            };
            format!("{space}{name}:\n{}", rules.iter().map(rule).collect::<String>())
        };
        let deny = if self.deny.is_empty() { String::new() } else { list("deny", &self.deny) };
        list("restrictions", &self.allow) + &deny
    }
}

/// `pub/`, so many times `a`, and an end, as long as a path can be.
fn all_a(start: &str, end: &str) -> String {
    let count = KEY - start.len() - end.len();
    format!("pub/{start}{}{end}", "a".repeat(count))
}

/// Patterns whose pieces are runs of `a`, each found nearly everywhere in a path of `a`, and which all
/// still wait for a `Z` at its end.
fn runs(count: usize, end: &str) -> Vec<String> {
    let side = count.isqrt();
    let run = |n: usize| "a".repeat(n);
    (0..side * side)
        .map(|n| format!("pub/*{}*{}*Z*{end}", run(1 + n / side), run(1 + n % side)))
        .collect()
}

pub(crate) fn denies_that_wait() -> Slow {
    Slow {
        what: "16,384 denies that wait",
        allow: vec!["pub/".to_owned()],
        deny: runs(16_384, ""),
        denied: all_a("", "Z"),
        allowed: all_a("", ""),
    }
}

pub(crate) fn allows_that_wait() -> Slow {
    Slow {
        what: "16,129 allows that wait and a deny",
        allow: runs(16_200, "s"),
        deny: vec!["pub/*q*s".to_owned()],
        denied: all_a("q", ""),
        allowed: all_a("", "Zs"),
    }
}

/// A thousand pieces that are ends of each other, in each of several searches: all of them end at each
/// byte of the path. Pieces of one byte leave no way around the searches.
pub(crate) fn nested_pieces() -> Slow {
    let unlike = |n: usize, m: u32| {
        let number = 0x4e00 + 8_192 * m + u32::try_from(n).unwrap_or_default();
        char::from_u32(number).unwrap_or_default()
    };
    let rules = (0..16_384).map(|n| {
        let [x, y, z] = [0, 1, 2].map(|m| unlike(n / 2, m));
        format!("pub/*{}*{x}*{y}*{z}*", "a".repeat(1 + n % 1_000))
    });
    Slow {
        what: "nested pieces",
        allow: rules.chain(["pub/*!*".to_owned()]).skip(1).collect(),
        deny: Vec::new(),
        denied: all_a("", ""),
        allowed: all_a("", "!"),
    }
}

pub(crate) fn pairs_of_pieces() -> Slow {
    let path = |last: &str| {
        let pieces: String = (0..199).map(|n| format!("A{n:04}")).collect();
        format!("pub/{pieces}{last}")
    };
    Slow {
        what: "10,000 of *A*B*",
        allow: (0..10_000).map(|n| format!("*A{n:04}*B{n:04}*")).collect(),
        deny: Vec::new(),
        denied: path("A0199"),
        allowed: path("B0198"),
    }
}

/// So many exact allows, each of which the denies are held against when they are loaded.
pub(crate) fn exact_allows(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("pub/{}/{n}", "k".repeat(500))).collect()
}

pub(crate) fn denies_and_exact_allows() -> Slow {
    let path = |end: &str| format!("pub/{}/{end}", "k".repeat(500));
    Slow {
        what: "10,000 denies and 1,000 exact allows",
        allow: exact_allows(1_000),
        deny: (0..10_000).map(|n| format!("*x{n:04}*y{n:04}*")).collect(),
        denied: path("99x"),
        allowed: path("999"),
    }
}

pub(crate) fn prefixes_and_suffixes() -> Slow {
    let rules = (0..1_000).flat_map(|n| {
        let nested = "a".repeat(n);
        let half = "a".repeat(n / 2);
        [format!("pub/{nested}*b"), format!("pub/*q{n}*{nested}"), format!("pub/{half}*x*{half}")]
    });
    Slow {
        what: "3,000 nested prefixes and suffixes",
        allow: rules.collect(),
        deny: vec!["pub/*a*zz".to_owned()],
        denied: all_a("", ""),
        allowed: all_a("", "b"),
    }
}

/// A glob whose states multiply, which alone costs milliseconds to load.
pub(crate) fn one_glob_of_many_states() -> Slow {
    Slow {
        what: "a glob whose states multiply",
        allow: vec!["glob:pub/*a????????????????".to_owned()],
        deny: Vec::new(),
        denied: all_a("", "/aaaaaaaaaaaaaaaa"),
        allowed: all_a("", ""),
    }
}

pub(crate) fn globs_of_many_steps(count: usize) -> Slow {
    let classes = "{a,b}?".repeat(6);
    let rules = (0..count).map(|n| format!("glob:pub/p{n:03}/{classes}{}x", "?".repeat(110)));
    let path = |end: &str| format!("pub/p000/{}{}{end}", "aa".repeat(6), "y".repeat(110));
    Slow {
        what: "globs of many alternatives and steps",
        allow: rules.collect(),
        deny: Vec::new(),
        denied: path("y"),
        allowed: path("x"),
    }
}

/// A thousand stars each.
pub(crate) fn stars() -> Slow {
    let rules = (0..250).map(|n| format!("pub/p{n:03}/{}b", "*a".repeat(1_190)));
    Slow {
        what: "a thousand stars each",
        allow: rules.chain(["pub/ok*".to_owned()]).collect(),
        deny: Vec::new(),
        denied: all_a("p000/", "b"),
        allowed: all_a("ok", "b"),
    }
}

/// Numbers that look random, the same in each run.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn one_of(&mut self, bytes: &[u8]) -> char {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        char::from(bytes[(self.0 >> 33) as usize % bytes.len()])
    }
}

/// So many patterns, each of so many random pieces.
pub(crate) fn of_pieces(count: usize, pieces: usize) -> Vec<String> {
    let letters = letters();
    let mut chance = Chance(1);
    let mut pattern = || {
        let mut text = "pub/*aaa".to_owned();
        for _ in 1..pieces {
            text.push('*');
            (0..3).for_each(|_| text.push(chance.one_of(&letters)));
        }
        text + "*!"
    };
    (0..count).map(|_| pattern()).collect()
}

fn letters() -> Vec<u8> {
    (b'0'..b'0' + 44).filter(|byte| *byte != b'?').collect()
}

/// As many patterns of so many pieces as one path may meet.
pub(crate) fn many_pieces(pieces: usize) -> Slow {
    let rules = of_pieces(pathward::automaton::MAX_PIECES_ON_ONE_PATH / pieces, pieces);
    let letters = letters();
    let mut chance = Chance(2);
    let mut noise =
        |count: usize| -> String { (0..count).map(|_| chance.one_of(&letters)).collect() };
    let denied = format!("pub/aaa{}!", noise(KEY - 4));
    // All that one of them needs, behind what looks like the other path.
    let needed = rules.last().map(|rule| rule.replace('*', "")).unwrap_or_default();
    let needed = needed.trim_start_matches("pub/");
    let allowed = format!("pub/aaa{}{needed}", noise(KEY - 3 - needed.len()));
    let what = if pieces > 100 { "patterns of 250 pieces" } else { "patterns of 5 pieces" };
    Slow { what, allow: rules, deny: Vec::new(), denied, allowed }
}

/// Patterns of one line of nodes, each node with a few, and beside each node another with as many as fill a
/// search: strangers, that no path meets that goes on along the line. They were searched with those of the
/// line, which was 1 ms for each node, and the slower the more text a policy may have.
pub(crate) fn strangers(deny: bool) -> Slow {
    let pieces: Vec<String> = (0..4_096)
        .map(|n| format!("*{}*a*a*{n:03x}!", "a".repeat(1 + 256_usize.saturating_sub(n))))
        .collect();
    let mut rules: Vec<String> = (0..9).map(|n| format!("pub/*a*{n}!")).collect();
    for n in 1..=40 {
        let here = format!("pub/{}", "a".repeat(n));
        // Each end is one of ten nodes', and that of the last ten is what is found last.
        rules.extend(
            (0..4).map(|m| format!("{here}*a*aa*{}{}!", (n - 1) / 10, ["w", "x", "y", "z"][m])),
        );
        rules.extend(pieces.iter().map(|rest| format!("{here}b{rest}")));
    }
    let [taken, other] = [all_a("", "3x!"), all_a("", "")];
    match deny {
        true => Slow {
            what: "strangers' denies",
            allow: vec!["pub/".to_owned()],
            deny: rules,
            denied: taken,
            allowed: other,
        },
        false => Slow {
            what: "strangers' allows",
            allow: rules,
            deny: Vec::new(),
            denied: other,
            allowed: taken,
        },
    }
}

/// The slowest that we could build for searches that are shared along the heaviest way down: a path that
/// meets as much as the limits let it, and leaves that way as often as 32 MB can be halved, each time for the
/// lighter side. Each time the other side's first four thousand patterns are searched for too.
pub(crate) fn ways_that_are_left() -> Slow {
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
    Slow {
        what: "ways that are left",
        allow: rules,
        deny: Vec::new(),
        denied: all_a("", ""),
        // By the rule that is found last.
        allowed: all_a("", "x2fa7y2fa7z2fa7"),
    }
}

/// Patterns whose pieces all stand in a path, and in their order as far as where each stands first and last
/// can show it: that there is no `C` behind a `B` behind a `C` is found by following each of them.
pub(crate) fn pieces_out_of_order() -> Slow {
    let rules = (0..13_000).map(|n| {
        let [long, short] = [1 + n / 13, 1 + n % 13].map(|count| "a".repeat(count));
        format!("pub/*{long}*{short}*C*B*C*")
    });
    Slow {
        what: "pieces out of order",
        allow: rules.chain(["pub/*!*".to_owned()]).collect(),
        deny: Vec::new(),
        denied: all_a("", "BCaCBa"),
        allowed: all_a("", "BCaCB!"),
    }
}

/// Strings, each of which parts from the others at a step of its own.
pub(crate) fn a_spine(len: usize, tails: usize) -> Slow {
    let string = |n: usize, t: usize| format!("pub/{}b{t:04}", "a".repeat(n));
    Slow {
        what: "strings that part one by one",
        allow: (1..len).flat_map(|n| (0..tails).map(move |t| string(n, t))).collect(),
        deny: Vec::new(),
        denied: string(len - 1, 9_999),
        allowed: string(len - 1, tails - 1),
    }
}

/// Denies that wait, and globs that go beyond what is known of them beforehand.
fn dear_denies() -> Vec<String> {
    let globs = (0..8).map(|n| format!("glob:pub/**/*{n}????????????????"));
    runs(15_625, "").into_iter().chain(globs).collect()
}

/// As many folders as a listing is narrowed to, each of which globs may have taken all of.
pub(crate) fn folders_that_globs_deny() -> Slow {
    let long = "a".repeat(1_000);
    let path = |end: &str| format!("pub/{long}/000/{}{end}", "a".repeat(KEY - 1_005 - end.len()));
    Slow {
        what: "folders that globs deny",
        allow: (0..1_000).map(|n| format!("pub/{long}/{n:03}/")).collect(),
        deny: dear_denies(),
        denied: path("Z"),
        allowed: path(""),
    }
}

/// Folders in folders, each of which is looked into before it is known what is below.
pub(crate) fn a_long_way_down() -> Slow {
    let path = |n: usize, end: &str| format!("pub/a/{n:02}/{}{end}", "a/".repeat(500));
    Slow {
        what: "a long way down",
        allow: (0..16).map(|n| path(n, "x")).collect(),
        deny: dear_denies(),
        denied: path(0, "y"),
        allowed: path(0, "x"),
    }
}

/// As many globs as one path may meet, each of them two patterns, none of which is over when the path is.
pub(crate) fn globs_that_are_left() -> Slow {
    let steps = "?".repeat(100);
    Slow {
        what: "globs that are left",
        allow: (0..120).map(|n| format!("glob:pub/**/*a{n:03}*{steps}a")).collect(),
        deny: dear_denies(),
        denied: all_a("", "Z"),
        allowed: all_a("a000", "a"),
    }
}
