//! What a restriction is made of.

use std::fmt;

/// A set of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// No byte.
    pub const NONE: Self = Self([0; 4]);
    /// Every byte.
    pub const ALL: Self = Self([u64::MAX; 4]);

    /// The bytes for which `is` holds.
    pub fn of(is: impl Fn(u8) -> bool) -> Self {
        (0..=255).filter(|byte| is(*byte)).fold(Self::NONE, Self::with)
    }

    /// Every byte but `/`.
    pub fn segment() -> Self {
        Self::ALL.without(b'/')
    }

    /// The bytes that follow the first in a character of UTF-8.
    pub fn continuation() -> Self {
        Self([0, 0, u64::MAX, 0])
    }

    /// This set and one byte more.
    #[must_use]
    pub fn with(mut self, byte: u8) -> Self {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
        self
    }

    /// This set without one byte.
    #[must_use]
    pub fn without(mut self, byte: u8) -> Self {
        self.0[usize::from(byte >> 6)] &= !(1 << (byte & 63));
        self
    }

    /// Whether the byte is in the set.
    #[inline]
    pub fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    /// What is in both.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & other.0[word]))
    }

    /// What is in this one alone.
    pub(crate) fn difference(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & !other.0[word]))
    }

    /// Its bytes, in their order.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = u8> {
        let words = self.0.into_iter().zip([0_u8, 64, 128, 192]);
        words.flat_map(|(word, first)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as u8)?;
                left &= left - 1;
                Some(first + bit)
            })
        })
    }

    /// Whether no byte is in the set.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }
}

impl fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("ALL");
        }
        let bytes: Vec<u8> = (0..=255).filter(|byte| self.contains(*byte)).collect();
        write!(f, "[{}]", bytes.escape_ascii())
    }
}

/// One step of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Token {
    /// These bytes.
    Literal(Box<[u8]>),
    /// One byte of the set.
    One(ByteSet),
    /// Any number of bytes of the set. `*` in the plain form is `Run(ByteSet::ALL)`.
    Run(ByteSet),
}

impl Token {
    /// `*` as the plain form has it: any run of bytes.
    pub const STAR: Self = Self::Run(ByteSet::ALL);
}

/// A sequence of tokens; it matches the paths that split into what its tokens match, in order.
///
/// Literals are never empty and never adjacent, and a run is never followed by the same run, so
/// equal spellings of a plain restriction are equal patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    tokens: Vec<Token>,
}

impl Pattern {
    /// The tokens, from the start of the path to its end.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Adds a literal byte at the end.
    pub fn push_byte(&mut self, byte: u8) {
        self.push_bytes(&[byte]);
    }

    /// Adds literal bytes at the end.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        match self.tokens.last_mut() {
            _ if bytes.is_empty() => {}
            Some(Token::Literal(literal)) => *literal = [&literal[..], bytes].concat().into(),
            _ => self.tokens.push(Token::Literal(bytes.into())),
        }
    }

    /// Adds a token at the end.
    pub fn push(&mut self, token: Token) {
        match token {
            Token::Literal(bytes) => self.push_bytes(&bytes),
            Token::Run(_) if self.tokens.last() == Some(&token) => {}
            token => self.tokens.push(token),
        }
    }

    /// How many bytes the shortest path has that it matches.
    pub fn min_len(&self) -> usize {
        self.tokens.iter().map(Token::min_len).sum()
    }

    /// The literal bytes that every match starts with.
    pub fn prefix(&self) -> &[u8] {
        match self.tokens.first() {
            Some(Token::Literal(bytes)) => bytes,
            _ => b"",
        }
    }
}

impl Token {
    /// Whether the plain form has it: a literal or `*`.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Literal(_)) || *self == Self::STAR
    }

    /// How many bytes it matches at least.
    pub fn min_len(&self) -> usize {
        match self {
            Self::Literal(bytes) => bytes.len(),
            Self::One(_) => 1,
            Self::Run(_) => 0,
        }
    }
}

impl FromIterator<Token> for Pattern {
    fn from_iter<I: IntoIterator<Item = Token>>(tokens: I) -> Self {
        let mut pattern = Self::default();
        tokens.into_iter().for_each(|token| pattern.push(token));
        pattern
    }
}
