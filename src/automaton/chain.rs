//! One glob without branches, run with a bit for each of its steps.
//!
//! The states are the places between tokens. A byte moves every state at once: shifted over the
//! tokens that take the byte, kept where a run takes it. Places behind a run are entered for
//! free. At most [`WORDS`] words of state, so a path costs a bounded number of steps a byte.

use memchr::memmem;

use crate::restriction::{ByteSet, MAX_GLOB_TOKENS, Token};

/// Words of state: a bit for each token and one for the end.
const WORDS: usize = MAX_GLOB_TOKENS / 64 + 1;

type States = [u64; WORDS];

/// A compiled glob. It matches what stands behind the glob's literal start.
#[derive(Debug)]
pub(super) struct Chain {
    words: usize,
    /// The class of each byte: bytes that no token tells apart share one.
    classes: Box<[u8; 256]>,
    /// For each class, the states with a single step over it, then those with a run over it.
    moves: Box<[u64]>,
    /// The states that a run follows.
    runs: Box<[u64]>,
    end: usize,
    open_ended: bool,
    /// Its longest literal: what does not have it is not matched, and that is seen much faster.
    needle: memmem::Finder<'static>,
}

impl Chain {
    /// Compiles tokens. The caller has checked that they are at most [`MAX_GLOB_TOKENS`] steps.
    pub(super) fn new(tokens: &[Token]) -> Self {
        let mut steps: Vec<(ByteSet, bool)> = Vec::new();
        for token in tokens {
            match token {
                Token::Literal(bytes) => {
                    steps.extend(bytes.iter().map(|b| (ByteSet::NONE.with(*b), false)));
                }
                Token::One(set) => steps.push((*set, false)),
                Token::Run(set) => steps.push((*set, true)),
            }
        }
        let end = steps.len();
        let words = end / 64 + 1;
        let (classes, members) = byte_classes(steps.iter().map(|(set, _)| set));
        let mut moves = vec![0; members.len() * 2 * words];
        let mut runs = vec![0; words];
        for (state, (set, is_run)) in steps.iter().enumerate() {
            let (word, bit) = (state / 64, 1_u64 << (state % 64));
            if *is_run {
                runs[word] |= bit;
            }
            for (class, byte) in members.iter().enumerate() {
                if set.contains(*byte) {
                    moves[(class * 2 + usize::from(*is_run)) * words + word] |= bit;
                }
            }
        }
        Self {
            words,
            classes: Box::new(classes),
            moves: moves.into(),
            runs: runs.into(),
            end,
            open_ended: tokens.last() == Some(&Token::STAR),
            needle: memmem::Finder::new(longest_literal(tokens)).into_owned(),
        }
    }

    /// Whether it matches these bytes, all of them.
    pub(super) fn matches(&self, bytes: &[u8]) -> bool {
        if self.needle.find(bytes).is_none() {
            return false;
        }
        let states = self.run(bytes);
        states[self.end / 64] >> (self.end % 64) & 1 == 1
    }

    /// Whether it matches something that starts with these bytes. Every token takes some byte, so
    /// every state leads to the end.
    pub(super) fn is_alive(&self, bytes: &[u8]) -> bool {
        self.run(bytes) != [0; WORDS]
    }

    /// Whether it ends with a `**`.
    pub(super) fn is_open_ended(&self) -> bool {
        self.open_ended
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + 256
            + (self.moves.len() + self.runs.len()) * 8
            + self.needle.needle().len()
    }

    fn run(&self, bytes: &[u8]) -> States {
        let mut states = [0; WORDS];
        states[0] = 1;
        self.enter(&mut states);
        for byte in bytes {
            let class = usize::from(self.classes[usize::from(*byte)]) * 2 * self.words;
            let moves = &self.moves[class..class + 2 * self.words];
            let (over, within) = moves.split_at(self.words);
            let mut carry = 0;
            let mut any = 0;
            for ((state, over), within) in states.iter_mut().zip(over).zip(within) {
                let moved = *state & over;
                let kept = *state & within;
                *state = moved << 1 | carry | kept;
                carry = moved >> 63;
                any |= *state;
            }
            if any == 0 {
                break;
            }
            self.enter(&mut states);
        }
        states
    }

    /// Adds the places behind runs. Runs in a row take a round each; a glob has two at most.
    fn enter(&self, states: &mut States) {
        loop {
            let mut carry = 0;
            let mut added = 0;
            for (state, runs) in states.iter_mut().zip(&self.runs) {
                let through = *state & runs;
                let entered = (through << 1 | carry) & !*state;
                carry = through >> 63;
                *state |= entered;
                added |= entered;
            }
            if added == 0 {
                return;
            }
        }
    }
}

fn longest_literal(tokens: &[Token]) -> &[u8] {
    let literals = tokens.iter().filter_map(|token| match token {
        Token::Literal(bytes) => Some(&**bytes),
        Token::One(_) | Token::Run(_) => None,
    });
    literals.max_by_key(|bytes| bytes.len()).unwrap_or_default()
}

/// Numbers the bytes so that two bytes have the same number if no set tells them apart: a set takes all of
/// them or none. Gives one byte of each number, too.
pub(super) fn byte_classes<'a>(sets: impl Iterator<Item = &'a ByteSet>) -> ([u8; 256], Vec<u8>) {
    // The bytes of each number.
    let mut parts = vec![ByteSet::ALL];
    for set in sets {
        for number in 0..parts.len() {
            let (inside, outside) =
                (parts[number].intersection(set), parts[number].difference(set));
            if !inside.is_empty() && !outside.is_empty() {
                parts[number] = outside;
                parts.push(inside);
            }
        }
    }
    let (mut classes, mut members) = ([0_u8; 256], vec![0; parts.len()]);
    for (number, part) in parts.iter().enumerate() {
        for byte in part.bytes() {
            classes[usize::from(byte)] = number as u8;
            members[number] = byte;
        }
    }
    (classes, members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restriction::unchecked;

    #[test]
    fn a_chain_equals_the_reference() {
        let paths: Vec<Vec<u8>> = (0..=5_u32)
            .flat_map(|len| (0..4_usize.pow(len)).map(move |n| (len, n)))
            .map(|(len, n)| (0..len).map(|i| b"ab/\xc3"[n >> (2 * i) & 3]).collect())
            .collect();
        for glob in
            ["*", "a*b", "*/b", "?", "??*", "**/a", "a/**", "**/a*/**/b", "[!a]*", "[ab]?/*", "?*a"]
        {
            for pattern in unchecked::glob(glob).expect(glob) {
                let chain = Chain::new(pattern.tokens());
                for path in &paths {
                    assert_eq!(chain.matches(path), pattern.matches(path), "{glob} {path:?}");
                }
            }
        }
    }

    #[test]
    fn long_chains_cross_words() {
        let glob = format!("*{}?*{}", "a".repeat(100), "b".repeat(100));
        for pattern in unchecked::glob(&glob).expect("short enough") {
            let chain = Chain::new(pattern.tokens());
            let path = format!("xx{}q{}", "a".repeat(101), "b".repeat(100));
            assert!(chain.matches(path.as_bytes()) && pattern.matches(path.as_bytes()));
            assert!(!chain.matches(&path.as_bytes()[..path.len() - 1]));
            assert!(chain.is_alive(b"zzaaa") && !chain.is_alive(b"a/"));
        }
    }

    #[test]
    fn classes_are_as_few_as_the_sets_need() {
        let sets = [ByteSet::segment(), ByteSet::NONE.with(b'a'), ByteSet::ALL];
        let (classes, members) = byte_classes(sets.iter());
        assert_eq!(members.len(), 3);
        assert_eq!(classes[usize::from(b'b')], classes[0xff]);
        assert_ne!(classes[usize::from(b'/')], classes[usize::from(b'a')]);
    }
}
