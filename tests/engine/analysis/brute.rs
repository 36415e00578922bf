//! What is tried: every short path, and rules that have something in common.

use pathward::{
    Access, AccessSet, ConnectionId, Effect, Path, Policy, Restriction,
    analysis::{Answer, Language},
};

use crate::common::{Chance, Rule, from_env, glob, has, is_long, matching, plain};

/// Every path over some characters, up to a length in bytes.
pub(super) struct Paths {
    pub(super) objects: Vec<Vec<u8>>,
    pub(super) buckets: Vec<Vec<u8>>,
    pub(super) most: usize,
}

impl Paths {
    pub(super) fn new(characters: &str, most: usize) -> Self {
        let (mut objects, mut buckets) = (Vec::new(), Vec::new());
        let mut level = vec![String::new()];
        while !level.is_empty() {
            let mut longer = Vec::new();
            for stem in &level {
                for character in characters.chars() {
                    let word = format!("{stem}{character}");
                    if word.len() > most || word.starts_with('/') {
                        continue;
                    }
                    if let Ok(path) = Path::new(&word) {
                        let side = if path.key().is_empty() { &mut buckets } else { &mut objects };
                        side.push(word.clone().into_bytes());
                    }
                    longer.push(word);
                }
            }
            level = longer;
        }
        objects.sort_by_key(Vec::len);
        buckets.sort_by_key(Vec::len);
        Self { objects, buckets, most }
    }

    /// The shortest object for which `is` holds, else the shortest bucket.
    pub(super) fn shortest(&self, is: impl Fn(&[u8]) -> bool) -> Option<&[u8]> {
        let found = self.objects.iter().find(|word| is(word));
        found.or_else(|| self.buckets.iter().find(|word| is(word))).map(Vec::as_slice)
    }

    /// Holds an answer against what is found by trying: `is` says which paths contradict it.
    pub(super) fn check(
        &self,
        answer: &Answer,
        is: impl Fn(&[u8]) -> bool,
        what: &dyn Fn() -> String,
    ) {
        let tried = self.shortest(&is);
        let is_object = |word: &[u8]| !Path::new(word).expect("a path").key().is_empty();
        match answer {
            Answer::Undecided { .. } => panic!("undecided: {}", what()),
            Answer::Holds => assert_eq!(
                tried.map(<[u8]>::escape_ascii).map(|e| e.to_string()),
                None,
                "{}",
                what()
            ),
            Answer::Fails(path) => {
                let word = path.as_bytes();
                assert!(Path::new(word).is_ok() && !path.is_root(), "{path:?}: {}", what());
                assert!(is(word), "{path:?} does not show it: {}", what());
                match tried.filter(|tried| is_object(tried) || !is_object(word)) {
                    Some(tried) => {
                        let shown = format!("{path:?}, {}: {}", tried.escape_ascii(), what());
                        assert_eq!(is_object(tried), is_object(word), "{shown}");
                        assert_eq!(tried.len(), word.len(), "{shown}");
                    }
                    // An object comes before a bucket, however long.
                    None => assert!(word.len() > self.most, "{path:?}: {}", what()),
                }
            }
        }
    }
}

/// A text that has something in common with most others.
pub(super) fn text(chance: &mut Chance, letters: &[&str]) -> String {
    let start = *chance.pick(&["", "aab", "aab/", "aaa/", "aab/a", "*", "*a", "aa*"]);
    let rest: String = (0..chance.below(5)).map(|_| *chance.pick(letters)).collect();
    let text = format!("{start}{rest}");
    if text.is_empty() { "*".into() } else { text }
}

pub(super) fn some_rules(chance: &mut Chance, letters: &[&str], globs: &[&str]) -> Vec<Rule> {
    (0..1 + chance.below(4))
        .map(|_| {
            let restriction = if !globs.is_empty() && chance.one_in(2) {
                let pieces: String =
                    (0..1 + chance.below(4)).map(|_| *chance.pick(globs)).collect();
                let start = *chance.pick(&["aab/", "", "*/", "**/"]);
                match Restriction::parse_glob(&format!("{start}{pieces}")) {
                    Ok(_) => glob(&format!("{start}{pieces}")),
                    Err(_) => plain(&text(chance, letters)),
                }
            } else {
                plain(&text(chance, letters))
            };
            let effect = if chance.one_in(3) { Effect::Deny } else { Effect::Allow };
            Rule { restriction, access: AccessSet::READ_WRITE, effect }
        })
        .collect()
}

pub(super) fn reads(rules: &[Rule], path: &[u8]) -> bool {
    has(rules, matching(rules, path)).contains(Access::Read)
}

pub(super) fn chance() -> Chance {
    let seed = from_env("PATHWARD_SEED").unwrap_or(11);
    println!("PATHWARD_SEED={seed}");
    Chance(seed)
}

pub(super) fn rounds(long: usize, short: usize) -> usize {
    if is_long() { long } else { short }
}

pub(super) fn connection(fields: &str) -> Policy {
    let text = format!("connections:\n  - id: s3+t\n    owner: o\n{fields}");
    Policy::from_yaml("p.yaml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

pub(super) fn language(policy: &Policy) -> Language<'_> {
    let id = ConnectionId::parse("s3+t").expect("an id");
    Language::of_connection(policy.connection("o", &id).expect("it"), Access::Read)
}
