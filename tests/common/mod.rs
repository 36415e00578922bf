//! What the tests share: rules, the reference, and two oracles for what is below a path.
//!
//! Nothing in here uses the automaton. `here` is the definition over `Restriction::matches`;
//! `below` is computed twice, by [`Oracle`] (subset construction over the tokens, exact, for every
//! byte string) and by [`brute_below`] (trying extensions), and the two check each other.

#![expect(unreachable_pub, reason = "modules of other binaries use this")]
#![expect(clippy::panic, reason = "what is wrong with a test's own texts is a failure")]

use std::{collections::HashMap, time::Duration};

#[cfg(unix)]
use rustix::time::ClockId;

use pathward::{
    Access, AccessSet, Automaton, Below, Dialect, Effect, Entry, Restriction, TooLarge, Verdict,
    internal::{compile_to_every_form, here_each_way},
    restriction::{Token, unchecked},
};

pub const READ: AccessSet = AccessSet::READ_ONLY;
pub const ALL: AccessSet = AccessSet::READ_WRITE;

/// A rule with a restriction of its own.
#[derive(Clone, Debug)]
pub struct Rule {
    pub restriction: Restriction,
    pub access: AccessSet,
    pub effect: Effect,
}

impl Rule {
    pub fn allow(restriction: Restriction, access: AccessSet) -> Self {
        Self { restriction, access, effect: Effect::Allow }
    }

    pub fn deny(restriction: Restriction, access: AccessSet) -> Self {
        Self { restriction, access, effect: Effect::Deny }
    }
}

/// A plain restriction, whether or not a path could match it.
pub fn plain(text: &str) -> Restriction {
    unchecked::plain_restriction(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A glob, whether or not a path could match it.
pub fn glob(text: &str) -> Restriction {
    unchecked::glob_restriction(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Compiles rules to every form, so that what [`assert_here`] asks is answered by each.
pub fn compile(rules: &[Rule]) -> Result<Automaton, TooLarge> {
    compile_to_every_form(entries(rules))
}

pub fn entries(rules: &[Rule]) -> Vec<Entry<'_>> {
    rules
        .iter()
        .map(|rule| Entry {
            restriction: &rule.restriction,
            access: rule.access,
            effect: rule.effect,
        })
        .collect()
}

/// Rules as one line of text, for messages.
pub fn show(rules: &[Rule]) -> String {
    let one = |rule: &Rule| {
        let effect = match rule.effect {
            Effect::Allow => '+',
            Effect::Deny => '-',
        };
        let form = match rule.restriction.dialect() {
            Dialect::Plain => "",
            Dialect::Glob => "glob:",
        };
        format!("{effect}{form}{:?} {}", rule.restriction.text(), letters(rule.access))
    };
    rules.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// `rwd`, `r--`, `---` and so on.
pub fn letters(set: AccessSet) -> String {
    Access::ALL
        .iter()
        .zip("rwd".chars())
        .map(|(access, letter)| if set.contains(*access) { letter } else { '-' })
        .collect()
}

/// The set that [`letters`] writes; `-` may be left out.
pub fn from_letters(text: &str) -> AccessSet {
    text.chars()
        .filter(|letter| *letter != '-')
        .map(|letter| match letter {
            'r' => Access::Read,
            'w' => Access::Write,
            'd' => Access::Delete,
            other => panic!("no access is called {other:?} in {text:?}"),
        })
        .collect()
}

pub fn bytes(path: &[u8]) -> String {
    format!("\"{}\"", path.escape_ascii())
}

// ---- the reference: here --------------------------------------------------------------------

/// Which rules match, as bits; the reference matcher on each.
pub fn matching(rules: &[Rule], path: &[u8]) -> u64 {
    assert!(rules.len() <= 64, "a set of rules is kept in 64 bits");
    rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.restriction.matches(path))
        .fold(0, |bits, (n, _)| bits | 1 << n)
}

/// The accesses that a path has which these rules match.
pub fn has(rules: &[Rule], matching: u64) -> AccessSet {
    let union = |effect| {
        rules
            .iter()
            .enumerate()
            .filter(|(n, rule)| rule.effect == effect && matching >> n & 1 == 1)
            .fold(AccessSet::NONE, |set, (_, rule)| set.union(rule.access))
    };
    union(Effect::Allow).without(union(Effect::Deny))
}

/// Whether a verdict is the one that the definition asks for, and names a rule that does it.
pub fn verdict_fits(rules: &[Rule], matching: u64, access: Access, verdict: Verdict) -> bool {
    let any = |effect, carries| {
        rules.iter().enumerate().any(|(n, rule)| {
            matching >> n & 1 == 1
                && rule.effect == effect
                && rule.access.contains(access) == carries
        })
    };
    let named = |id: pathward::RuleId, effect, carries| {
        rules.get(id.index()).is_some_and(|rule| {
            matching >> id.index() & 1 == 1
                && rule.effect == effect
                && rule.access.contains(access) == carries
        })
    };
    let denied = any(Effect::Deny, true);
    let allowed = any(Effect::Allow, true);
    let other = any(Effect::Allow, false);
    match verdict {
        Verdict::Denied(id) => denied && named(id, Effect::Deny, true),
        Verdict::Allowed(id) => !denied && allowed && named(id, Effect::Allow, true),
        Verdict::OtherAccess(id) => !denied && !allowed && other && named(id, Effect::Allow, false),
        Verdict::NoMatch => !denied && !allowed && !other,
    }
}

/// Asks the automaton for all three accesses at one path; panics where it is wrong.
pub fn assert_here(rules: &[Rule], automaton: &Automaton, path: &[u8], matching: u64) -> u64 {
    for access in Access::ALL {
        for verdict in here_each_way(automaton, path, access) {
            assert!(
                verdict_fits(rules, matching, access, verdict),
                "here: {verdict:?} for {access} at {}; the rules that match are {matching:#b} of [{}]",
                bytes(path),
                show(rules),
            );
        }
    }
    3
}

/// Asks the automaton what is below; panics where it is not this.
pub fn assert_below(rules: &[Rule], automaton: &Automaton, path: &[u8], expected: Below) -> u64 {
    let found = automaton.below(path);
    assert!(
        found == expected,
        "below {}: some {} all {}, but by the oracle some {} all {}; rules [{}]",
        bytes(path),
        letters(found.some),
        letters(found.all),
        letters(expected.some),
        letters(expected.all),
        show(rules),
    );
    1
}

/// As [`assert_below`], or on the closed side of it where that is allowed. Counts those.
pub fn assert_below_or_closed(
    rules: &[Rule],
    automaton: &Automaton,
    path: &[u8],
    expected: Below,
    closed: &std::cell::Cell<u64>,
) -> u64 {
    let found = automaton.below(path);
    let is_closed =
        found.some.without(expected.some).is_empty() && found.all.without(expected.all).is_empty();
    if found != expected && is_closed && !automaton.stats().below_is_exact {
        closed.set(closed.get() + 1);
        return 1;
    }
    assert_below(rules, automaton, path, expected)
}

// ---- the oracle by subset construction ------------------------------------------------------

/// The minimal step of a pattern: one byte of a set, or any number of them.
struct Step {
    set: [bool; 256],
    is_run: bool,
}

/// The explicit deterministic automaton of some rules.
///
/// A state is a set of positions in the rules' patterns. The bytes are put into classes that no
/// step tells apart (so all bytes that occur nowhere are one class, the "fresh" byte), hence
/// reachability in this finite graph is exact for all byte strings.
pub struct Oracle {
    class: [u8; 256],
    classes: usize,
    next: Vec<u32>,
    /// The rules that match in each state.
    matching: Vec<u64>,
}

/// What the rules give in each state of an [`Oracle`].
pub struct Facts {
    pub here: Vec<AccessSet>,
    pub below: Vec<Below>,
}

impl Oracle {
    /// `None` when there are more than `most` states.
    pub fn new(rules: &[Rule], most: usize) -> Option<Self> {
        assert!(rules.len() <= 64, "a set of rules is kept in 64 bits");
        // Positions: each pattern's steps and one accepting position behind them.
        let mut steps: Vec<Option<Step>> = Vec::new();
        let mut starts = Vec::new();
        let mut accepts: Vec<(usize, usize)> = Vec::new();
        for (n, rule) in rules.iter().enumerate() {
            for pattern in rule.restriction.patterns() {
                starts.push(steps.len());
                for token in pattern.tokens() {
                    let set_of = |is: &dyn Fn(u8) -> bool| std::array::from_fn(|b| is(b as u8));
                    match token {
                        Token::Literal(literal) => steps.extend(literal.iter().map(|byte| {
                            Some(Step { set: set_of(&|b| b == *byte), is_run: false })
                        })),
                        Token::One(set) => steps
                            .push(Some(Step { set: set_of(&|b| set.contains(b)), is_run: false })),
                        Token::Run(set) => steps
                            .push(Some(Step { set: set_of(&|b| set.contains(b)), is_run: true })),
                    }
                }
                accepts.push((steps.len(), n));
                steps.push(None);
            }
        }
        let (class, representatives) = classes(&steps);
        let classes = representatives.len();
        let words = steps.len().div_ceil(64);

        let add = |set: &mut [u64], mut position: usize| loop {
            set[position / 64] |= 1 << (position % 64);
            match &steps[position] {
                Some(step) if step.is_run => position += 1,
                _ => break,
            }
        };
        let mut start = vec![0_u64; words];
        starts.iter().for_each(|position| add(&mut start, *position));
        let mut states = vec![start.clone()];
        let mut known = HashMap::from([(start, 0_u32)]);
        let mut next = Vec::new();
        let mut done = 0;
        while done < states.len() {
            for byte in &representatives {
                let mut target = vec![0_u64; words];
                for (word, bits) in states[done].iter().enumerate() {
                    let mut bits = *bits;
                    while bits != 0 {
                        let position = word * 64 + bits.trailing_zeros() as usize;
                        bits &= bits - 1;
                        if let Some(step) = &steps[position]
                            && step.set[usize::from(*byte)]
                        {
                            add(&mut target, if step.is_run { position } else { position + 1 });
                        }
                    }
                }
                let id = *known.entry(target).or_insert_with_key(|target| {
                    states.push(target.clone());
                    states.len() as u32 - 1
                });
                next.push(id);
            }
            done += 1;
            if states.len() > most {
                return None;
            }
        }
        let matching = states
            .iter()
            .map(|state| {
                accepts
                    .iter()
                    .filter(|(position, _)| state[position / 64] >> (position % 64) & 1 == 1)
                    .fold(0, |bits, (_, rule)| bits | 1 << rule)
            })
            .collect();
        Some(Self { class, classes, next, matching })
    }

    pub fn states(&self) -> usize {
        self.matching.len()
    }

    pub fn step(&self, state: usize, byte: u8) -> usize {
        self.next[state * self.classes + usize::from(self.class[usize::from(byte)])] as usize
    }

    /// The state after a path.
    pub fn walk(&self, path: &[u8]) -> usize {
        path.iter().fold(0, |state, byte| self.step(state, *byte))
    }

    /// The rules that match a path which ends in this state.
    pub fn matching(&self, state: usize) -> u64 {
        self.matching[state]
    }

    /// What rules with these restrictions, whatever their accesses, give in each state.
    pub fn facts(&self, rules: &[Rule]) -> Facts {
        let here: Vec<AccessSet> = self.matching.iter().map(|bits| has(rules, *bits)).collect();
        let mut below: Vec<Below> =
            here.iter().map(|set| Below { some: *set, all: *set }).collect();
        // `some` only grows and `all` only shrinks: the least and the greatest fixed point.
        loop {
            let mut changed = false;
            for state in (0..below.len()).rev() {
                let mut facts = below[state];
                for next in &self.next[state * self.classes..(state + 1) * self.classes] {
                    facts.some = facts.some.union(below[*next as usize].some);
                    facts.all = facts.all.intersection(below[*next as usize].all);
                }
                changed |= facts != below[state];
                below[state] = facts;
            }
            if !changed {
                return Facts { here, below };
            }
        }
    }
}

/// Bytes that no step tells apart get one number; also one byte for each number.
fn classes(steps: &[Option<Step>]) -> ([u8; 256], Vec<u8>) {
    let mut class = [0_u8; 256];
    let mut count = 1_usize;
    for step in steps.iter().flatten() {
        let mut renamed: HashMap<(u8, bool), u8> = HashMap::new();
        let mut fresh = 0_usize;
        let mut split = [0_u8; 256];
        for byte in 0..256 {
            split[byte] = *renamed.entry((class[byte], step.set[byte])).or_insert_with(|| {
                fresh += 1;
                (fresh - 1) as u8
            });
        }
        class = split;
        count = fresh;
    }
    let representatives = (0..count)
        .map(|n| (0..=255).find(|b| usize::from(class[usize::from(*b)]) == n).unwrap_or(0))
        .collect();
    (class, representatives)
}

// ---- the oracle by brute force --------------------------------------------------------------

/// What is below a path, by trying every extension up to `len` bytes over `alphabet`.
///
/// Breadth first, and an extension whose rest is decided by the same reference positions as a
/// shorter one is still tried: this knows nothing but `Restriction::matches`. It is exact once
/// `len` reaches the number of states of the rules' minimal automaton less one, because a
/// shortest extension with (or without) an access visits no state twice.
pub fn brute_below(rules: &[Rule], path: &[u8], alphabet: &[u8], len: usize) -> Below {
    let first = has(rules, matching(rules, path));
    let mut below = Below { some: first, all: first };
    let mut level = vec![path.to_vec()];
    for _ in 0..len {
        let mut longer = Vec::with_capacity(level.len() * alphabet.len());
        for stem in &level {
            for byte in alphabet {
                let mut extension = stem.clone();
                extension.push(*byte);
                let set = has(rules, matching(rules, &extension));
                below.some = below.some.union(set);
                below.all = below.all.intersection(set);
                longer.push(extension);
            }
        }
        level = longer;
    }
    below
}

// ---- enumeration and chance -----------------------------------------------------------------

/// Every string over the alphabet of `from` to `to` bytes, shortest first.
pub fn words(alphabet: &str, from: usize, to: usize) -> Vec<String> {
    let mut all = Vec::new();
    let mut level = vec![String::new()];
    for len in 0..=to {
        if len >= from {
            all.extend(level.iter().cloned());
        }
        level = level
            .iter()
            .flat_map(|stem| alphabet.chars().map(move |c| format!("{stem}{c}")))
            .collect();
    }
    all
}

/// A small generator of chance (splitmix64): the same seed, the same run.
#[derive(Clone, Debug)]
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number under `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// A number from the environment: `PATHWARD_SEED=7`.
pub fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| {
        text.replace('_', "").parse().unwrap_or_else(|_| panic!("{name}={text} is not a number"))
    })
}

/// Whether the long comparisons are asked for: `PATHWARD_LONG=1`, as `tests/long` sets it. They take
/// minutes in an optimised build.
pub fn is_long() -> bool {
    from_env("PATHWARD_LONG").is_some_and(|number| number != 0)
}

/// How many comparisons a random test makes.
pub fn comparisons(long: u64, short: u64) -> u64 {
    from_env("PATHWARD_COMPARISONS").unwrap_or(if is_long() { long } else { short })
}

/// The processor's time that this thread has had since some moment. A bound on work is held against
/// this, and not against the clock: what else the machine does proves nothing.
#[derive(Clone, Copy)]
pub struct CpuTime(Duration);

impl CpuTime {
    pub fn now() -> Self {
        #[cfg(unix)]
        let time = Duration::try_from(rustix::time::clock_gettime(ClockId::ThreadCPUTime));
        #[cfg(not(unix))]
        let time = Ok::<_, std::convert::Infallible>(BEGINNING.elapsed());
        Self(time.unwrap_or_else(|error| panic!("a clock before its start: {error}")))
    }

    pub fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}

/// How much longer the same work takes where it is not optimised: bounds on time are multiplied by it.
pub const SLOW: u32 = if cfg!(debug_assertions) { 30 } else { 1 };

/// Elsewhere the clock has to do.
#[cfg(not(unix))]
static BEGINNING: std::sync::LazyLock<std::time::Instant> =
    std::sync::LazyLock::new(std::time::Instant::now);

/// Paths made from a pattern: its stars expanded, then mutated more or less.
pub fn path_near(rules: &[Rule], letters: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut path = Vec::new();
    if !rules.is_empty() && !chance.one_in(20) {
        let restriction = &chance.pick(rules).restriction;
        let pattern = chance.pick(restriction.patterns());
        for token in pattern.tokens() {
            match token {
                Token::Literal(literal) => path.extend_from_slice(literal),
                Token::One(set) => path.extend(in_set(set, letters, chance)),
                Token::Run(set) => {
                    for _ in 0..chance.below(4) {
                        path.extend(in_set(set, letters, chance));
                    }
                    // A star that swallows a piece of another restriction: the near miss that
                    // shared prefixes and suffixes are about.
                    if chance.one_in(4)
                        && let Some(Token::Literal(piece)) =
                            chance.pick(rules).restriction.patterns()[0].tokens().first()
                    {
                        path.extend(piece.iter().filter(|byte| set.contains(**byte)));
                    }
                }
            }
        }
    } else {
        path.extend((0..chance.below(12)).map(|_| *chance.pick(letters)));
    }
    // Long runs of one byte, or of the start of a literal: what makes a search try again and again.
    if chance.one_in(6) {
        let at = chance.below(path.len() + 1);
        let unit: Vec<u8> = match chance.pick(&[1, 1, 2, 3]) {
            1 => vec![*chance.pick(letters)],
            len => path.iter().skip(at).take(*len).copied().collect(),
        };
        let times = 4 + chance.below(30);
        path.splice(at..at, unit.repeat(times));
    }
    for _ in 0..[0, 0, 1, 1, 2, 3][chance.below(6)] {
        mutate(&mut path, letters, chance);
    }
    path
}

fn in_set(set: &pathward::restriction::ByteSet, letters: &[u8], chance: &mut Chance) -> Option<u8> {
    let mut candidates = (0..4).map(|_| *chance.pick(letters)).filter(|byte| set.contains(*byte));
    let picked = candidates.next();
    picked.or_else(|| (0..=255).find(|byte| set.contains(*byte)))
}

fn mutate(path: &mut Vec<u8>, letters: &[u8], chance: &mut Chance) {
    let at = chance.below(path.len() + 1);
    match chance.below(8) {
        0 if at < path.len() => {
            path.remove(at);
        }
        1 => path.insert(at, *chance.pick(letters)),
        2 if at < path.len() => path[at] = *chance.pick(letters),
        3 => path.truncate(at),
        4 => path.extend((0..1 + chance.below(3)).map(|_| *chance.pick(letters))),
        5 if at + 1 < path.len() => path.swap(at, at + 1),
        6 if at < path.len() => path[at] = chance.next() as u8,
        _ => path.push(b'/'),
    }
}
