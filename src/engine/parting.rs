//! Where a restriction and a path part ways, and how that is said.

use std::fmt;

use crate::restriction::ByteSet;

/// How a restriction fits a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It matches the path; for needs that reach below it, every path that starts with it.
    Whole,
    /// For needs that reach below a path: it can match some path that starts with it.
    Part,
    /// It does not.
    Apart(Parting),
}

/// Where a restriction and a path part ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The byte of the path, from 0, at the start of a character.
    pub at: usize,
    /// How many bytes of the path the restriction's own text agreed with.
    pub agreed: usize,
    /// What the restriction has there.
    pub expected: Expected,
    /// What the path has there; `None` at its end.
    pub found: Option<char>,
}

/// What a restriction has where a path parts from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nothing more: the path goes on and the restriction does not.
    End,
    /// This text: one character where the path has another, all that is left where it ends.
    Text(Box<str>),
    /// This text, there or anywhere behind it: a wildcard stands before it.
    Later(Box<str>),
    /// One byte of a set: a class or `?` of a glob.
    One(ByteSet),
}

impl Expected {
    /// A stable name of the kind: `end`, `text`, `later` or `one`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Text(_) => "text",
            Self::Later(_) => "later",
            Self::One(_) => "one",
        }
    }

    /// The text or the class; `None` for the end.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::End => None,
            Self::Text(text) | Self::Later(text) => Some(text.to_string()),
            Self::One(_) => Some(self.to_string()),
        }
    }
}

impl fmt::Display for Expected {
    /// Text in quotes, as it is: escape it before it reaches a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("its end"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Later(text) => write!(f, "\"{text}\" there or behind it"),
            Self::One(set) => write_set(set, f),
        }
    }
}

impl fmt::Display for Parting {
    /// Text in quotes, as it is: escape it before it reaches a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, expected, found, .. } = self;
        match (expected, found) {
            (Expected::End, Some(found)) => {
                write!(f, "parts ways at byte {at}: it ends, the path goes on with \"{found}\"")
            }
            (Expected::Later(text), _) => {
                write!(f, "parts ways at byte {at}: nothing from there on reads \"{text}\"")
            }
            (expected, Some(found)) => {
                write!(f, "parts ways at byte {at}: expected {expected}, the path has \"{found}\"")
            }
            (expected, None) => {
                write!(f, "parts ways at byte {at}: expected {expected}, the path ends")
            }
        }
    }
}

/// The bytes of a set as a class, `[a-z]`, or what is not in it, `[!/]`.
fn write_set(set: &ByteSet, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let ascii = (0x20..0x7f_u8).filter(|byte| set.contains(*byte)).count();
    let negated = ascii > 48;
    f.write_str(if negated { "[!" } else { "[" })?;
    let mut byte = 0x20_u8;
    while byte < 0x7f {
        let first = byte;
        while byte < 0x7f && set.contains(byte) != negated {
            byte += 1;
        }
        match byte - first {
            0 => byte += 1,
            1 | 2 => (first..byte).try_for_each(|b| write!(f, "{}", char::from(b)))?,
            _ => write!(f, "{}-{}", char::from(first), char::from(byte - 1))?,
        }
    }
    f.write_str("]")
}
