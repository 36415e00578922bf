//! Where a restriction and a path part ways, and how that is said.

use std::fmt;

use crate::{
    escape::{distinct, taken_for},
    restriction::ByteSet,
};

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
    /// Text in quotes, with what cannot be seen in it, or told from a space, escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text| distinct(text, |_| false);
        match self {
            Self::End => f.write_str("its end"),
            Self::Text(text) => write!(f, "\"{}\"", shown(text)),
            Self::Later(text) => write!(f, "\"{}\" there or behind it", shown(text)),
            Self::One(set) => write_set(set, f),
        }
    }
}

impl fmt::Display for Parting {
    /// Text in quotes, with what cannot be seen in it, or told from a space, escaped; two characters
    /// that look the same are both shown so that they differ.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, expected, found, .. } = self;
        let found = found.map(|found| Character { found, beside: expected });
        match (expected, found) {
            (Expected::End, Some(found)) => {
                write!(f, "parts ways at byte {at}: it ends, the path goes on with {found}")
            }
            (Expected::Later(_), Some(found)) => {
                let text = found.expected();
                write!(f, "parts ways at byte {at}: nothing from there on reads \"{text}\"")
            }
            (Expected::Later(text), None) => {
                let text = distinct(text, |_| false);
                write!(f, "parts ways at byte {at}: nothing from there on reads \"{text}\"")
            }
            (Expected::Text(_), Some(found)) => {
                let text = found.expected();
                write!(f, "parts ways at byte {at}: expected \"{text}\", the path has {found}")
            }
            (expected, Some(found)) => {
                write!(f, "parts ways at byte {at}: expected {expected}, the path has {found}")
            }
            (expected, None) => {
                write!(f, "parts ways at byte {at}: expected {expected}, the path ends")
            }
        }
    }
}

/// A character of a path, beside what a restriction has in its place.
struct Character<'p> {
    found: char,
    beside: &'p Expected,
}

impl Character<'_> {
    /// Whether a character looks like the other side's.
    fn is_alike(one: char, other: char) -> bool {
        let looks = |c: char| taken_for(c).map_or_else(|| c.to_string(), str::to_owned);
        one != other
            && (looks(one).starts_with(&looks(other)) || looks(other).starts_with(&looks(one)))
    }

    /// What the restriction has: escaped from where it looks like the path.
    fn expected(&self) -> String {
        match self.beside {
            Expected::Text(text) | Expected::Later(text) => {
                distinct(text, |c| !c.is_ascii() && Self::is_alike(c, self.found))
            }
            Expected::End | Expected::One(_) => String::new(),
        }
    }
}

impl fmt::Display for Character<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let other = match self.beside {
            Expected::Text(text) | Expected::Later(text) => text.chars().next(),
            Expected::End | Expected::One(_) => None,
        };
        let is_alike = |c: char| !c.is_ascii() && other.is_some_and(|o| Self::is_alike(c, o));
        write!(f, "\"{}\"", distinct(&self.found.to_string(), is_alike))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_is_shown_so_that_it_differs() {
        let text = |text: &str| Expected::Text(text.into());
        let later = |text: &str| Expected::Later(text.into());
        for (expected, found, said) in [
            (text("\u{a0}"), Some(' '), r#"expected "\u{a0}", the path has " ""#),
            (text(" "), Some('\u{a0}'), r#"expected " ", the path has "\u{a0}""#),
            (text(" "), Some('\u{2009}'), r#"expected " ", the path has "\u{2009}""#),
            (text("\u{3000}"), Some('\u{a0}'), r#"expected "\u{3000}", the path has "\u{a0}""#),
            (text("\u{430}"), Some('a'), r#"expected "\u{430}", the path has "a""#),
            (text("a"), Some('\u{430}'), r#"expected "a", the path has "\u{430}""#),
            (text("\u{ff41}"), Some('a'), r#"expected "\u{ff41}", the path has "a""#),
            (text("\u{ff41}"), Some('\u{430}'), r#"expected "\u{ff41}", the path has "\u{430}""#),
            (text("\u{fb01}"), Some('f'), r#"expected "\u{fb01}", the path has "f""#),
            (text("/"), Some('\u{2215}'), r#"expected "/", the path has "\u{2215}""#),
            (text("\u{b5}"), Some('\u{3bc}'), r#"expected "\u{b5}", the path has "\u{3bc}""#),
            (text("\u{301}"), Some('x'), r#"expected "\u{301}", the path has "x""#),
            (text("e"), Some('\u{301}'), r#"expected "e", the path has "\u{301}""#),
            (text("\u{200b}"), Some('a'), r#"expected "\u{200b}", the path has "a""#),
            (text("a"), Some('\u{202e}'), r#"expected "a", the path has "\u{202e}""#),
            (text("a\u{202f}b"), None, r#"expected "a\u{202f}b", the path ends"#),
            (Expected::End, Some('\u{feff}'), r#"it ends, the path goes on with "\u{feff}""#),
            (Expected::End, Some('\u{a0}'), r#"it ends, the path goes on with "\u{a0}""#),
            (later("\u{a0}b"), Some(' '), r#"nothing from there on reads "\u{a0}b""#),
            (later("b"), None, r#"nothing from there on reads "b""#),
            // What is meant is shown as it is.
            (text("ж"), Some('х'), r#"expected "ж", the path has "х""#),
            (text("日"), Some('本'), r#"expected "日", the path has "本""#),
            (text("é"), Some('è'), r#"expected "é", the path has "è""#),
            (text("/"), Some('2'), r#"expected "/", the path has "2""#),
        ] {
            let parting = Parting { at: 5, agreed: 5, expected, found };
            assert_eq!(parting.to_string(), format!("parts ways at byte 5: {said}"));
        }
    }
}
