//! How far a restriction goes along with a path, and where the two part ways.
//!
//! The walk is that of the reference matcher, token by token over all positions at once, so its
//! time is the number of tokens times the length of the path. Where the matcher keeps whether a
//! position can be reached, this keeps how many bytes had to agree to get there: `*` goes along
//! with anything and says nothing, so only bytes that literals and classes matched count.

use std::fmt;

use crate::restriction::{ByteSet, Pattern, Restriction, Token};

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

/// Holds a restriction against a path; `below`: against all paths that start with it.
pub(super) fn fit(restriction: &Restriction, path: &[u8], below: bool) -> Fit {
    let mut furthest: Option<Parting> = None;
    let mut part = false;
    for pattern in restriction.patterns() {
        match Walk::new(path, below).along(pattern) {
            Fit::Whole => return Fit::Whole,
            Fit::Part => part = true,
            Fit::Apart(parting) => {
                let key = |parting: &Parting| (parting.agreed, parting.at);
                if furthest.as_ref().is_none_or(|best| key(&parting) > key(best)) {
                    furthest = Some(parting);
                }
            }
        }
    }
    match furthest {
        Some(parting) if !part => Fit::Apart(parting),
        // A restriction has a pattern, so there is a parting where nothing fits.
        _ => Fit::Part,
    }
}

/// One pattern, walked along one path.
struct Walk<'p> {
    path: &'p [u8],
    below: bool,
    /// `reach[i]`: the tokens so far match the first `i` bytes, and at most this many agreed.
    reach: Vec<Option<usize>>,
    /// If the token before was a run: where it could first start, and its set.
    run: Option<(usize, ByteSet)>,
    /// Whether the path's end was reached with some of the pattern left.
    alive: bool,
    furthest: Option<Parting>,
}

impl<'p> Walk<'p> {
    fn new(path: &'p [u8], below: bool) -> Self {
        let mut reach = vec![None; path.len() + 1];
        reach[0] = Some(0);
        Self { path, below, reach, run: None, alive: false, furthest: None }
    }

    fn along(mut self, pattern: &Pattern) -> Fit {
        for (place, token) in pattern.tokens().iter().enumerate() {
            if self.reach[self.path.len()].is_some() {
                let rest = &pattern.tokens()[place..];
                if self.below && rest.iter().all(|token| *token == Token::STAR) {
                    return Fit::Whole;
                }
                self.alive = true;
            }
            self.step(token);
        }
        let ends_in_star = pattern.tokens().last() == Some(&Token::STAR);
        match self.reach[self.path.len()] {
            Some(_) if !self.below || ends_in_star => return Fit::Whole,
            Some(_) => return Fit::Part,
            None if self.below && self.alive => return Fit::Part,
            None => {}
        }
        // A beginning of the path is all that the pattern matches.
        for at in 0..self.path.len() {
            if let Some(agreed) = self.reach[at] {
                self.part(at, agreed, Expected::End);
            }
        }
        Fit::Apart(self.furthest.unwrap_or(Parting {
            at: 0,
            agreed: 0,
            expected: Expected::End,
            found: None,
        }))
    }

    fn step(&mut self, token: &Token) {
        let before = std::mem::replace(&mut self.reach, vec![None; self.path.len() + 1]);
        let run = self.run.take();
        if let Token::Run(set) = token {
            let mut reached: Option<usize> = None;
            for (at, start) in before.iter().enumerate() {
                let goes_on = at > 0 && set.contains(self.path[at - 1]);
                reached = (*start).max(reached.filter(|_| goes_on));
                self.reach[at] = reached;
            }
            self.run = before.iter().position(Option::is_some).map(|first| (first, *set));
            return;
        }
        for (at, agreed) in before.into_iter().enumerate() {
            let Some(agreed) = agreed else { continue };
            match token {
                Token::Literal(bytes) => self.literal(bytes, at, agreed, run),
                Token::One(set) if self.path.get(at).is_some_and(|byte| set.contains(*byte)) => {
                    self.reached(at + 1, agreed + 1);
                }
                Token::One(set) => self.part(at, agreed, Expected::One(*set)),
                Token::Run(_) => {}
            }
        }
    }

    fn literal(&mut self, bytes: &[u8], at: usize, agreed: usize, run: Option<(usize, ByteSet)>) {
        let mut same = bytes.iter().zip(&self.path[at..]).take_while(|(a, b)| a == b).count();
        if same == bytes.len() {
            self.reached(at + same, agreed + same);
            return;
        }
        self.alive |= at + same == self.path.len();
        let text = |bytes: &[u8]| Box::from(String::from_utf8_lossy(bytes));
        // Behind a wildcard, one place with nothing of the literal says little: it may be
        // anywhere from where the wildcard starts, unless this is where the wildcard stops.
        if same == 0
            && let Some((start, set)) = run
            && self.path.get(at).is_none_or(|byte| set.contains(*byte))
        {
            self.part(start, agreed, Expected::Later(text(bytes)));
            return;
        }
        // Back to the start of the character in which the two differ.
        while same > 0 && is_continuation(bytes[same]) {
            same -= 1;
        }
        let rest = &bytes[same..];
        let expected = match self.path.get(at + same) {
            Some(_) => first_character(rest),
            None => rest,
        };
        self.part(at + same, agreed + same, Expected::Text(text(expected)));
    }

    fn reached(&mut self, at: usize, agreed: usize) {
        self.reach[at] = self.reach[at].max(Some(agreed));
    }

    /// Keeps the parting that agrees with most; among equals the furthest, then the first found.
    fn part(&mut self, at: usize, agreed: usize, expected: Expected) {
        let best = self.furthest.as_ref().map(|best| (best.agreed, best.at));
        if best.is_some_and(|best| best >= (agreed, at)) {
            return;
        }
        let mut at = at;
        while at > 0 && self.path.get(at).is_some_and(|byte| is_continuation(*byte)) {
            at -= 1;
        }
        let found = String::from_utf8_lossy(first_character(&self.path[at..])).chars().next();
        self.furthest = Some(Parting { at, agreed, expected, found });
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// The bytes of the first character.
fn first_character(text: &[u8]) -> &[u8] {
    let rest = text.get(1..).unwrap_or_default();
    let more = rest.iter().take_while(|byte| is_continuation(**byte)).count();
    &text[..text.len().min(1 + more)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, path: &str, below: bool) -> Fit {
        fit(&Restriction::parse(text).expect(text), path.as_bytes(), below)
    }

    fn apart(fit: Fit) -> String {
        match fit {
            Fit::Apart(parting) => parting.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn where_they_part_is_said_as_a_person_would() {
        for (text, path, said) in [
            ("pub/*", "pub2/x", r#"at byte 3: expected "/", the path has "2""#),
            ("pub/data/x", "pub/data", r#"at byte 8: expected "/x", the path ends"#),
            ("pub/data", "pub/data/x", r#"at byte 8: it ends, the path goes on with "/""#),
            ("pub/*.csv", "pub/x.txt", r#"at byte 6: expected "c", the path has "t""#),
            ("pub/*.csv", "pub/team", r#"at byte 4: nothing from there on reads ".csv""#),
            ("*.csv", "pub/a.csv.gz", r#"at byte 9: it ends, the path goes on with ".""#),
            (
                "logs/*/2026-*/x",
                "logs/a/2025-01/x",
                r#"at byte 10: expected "6", the path has "5""#,
            ),
            ("pub/é", "pub/è", r#"at byte 4: expected "é", the path has "è""#),
            ("other/*", "pub/x", r#"at byte 0: expected "o", the path has "p""#),
            ("pub/x", "", r#"at byte 0: expected "pub/x", the path ends"#),
        ] {
            assert_eq!(apart(plain(text, path, false)), format!("parts ways {said}"), "{text}");
        }
    }

    #[test]
    fn globs_part_where_a_wildcard_has_to_stop() {
        for (text, path, said) in [
            ("logs/*.gz", "logs/a/b.gz", r#"at byte 6: expected ".", the path has "/""#),
            ("logs/*", "logs/a/b", r#"at byte 6: it ends, the path goes on with "/""#),
            ("logs/[a-f]x", "logs/zx", r#"at byte 5: expected [a-f], the path has "z""#),
            ("logs/?", "logs/", "at byte 5: expected [!/], the path ends"),
            ("logs/{app,web}/x", "logs/wex/x", r#"at byte 7: expected "b", the path has "x""#),
        ] {
            let glob = Restriction::parse_glob(text).expect(text);
            let fit = fit(&glob, path.as_bytes(), false);
            assert_eq!(apart(fit), format!("parts ways {said}"), "{text}");
        }
    }

    #[test]
    fn fits_agree_with_the_reference_matcher() {
        let texts = ["pub/*", "pub*", "*", "*.csv", "pub/*a*b", "pub/a", "pub/a/*/b", "p*/a*"];
        let mut paths = vec![String::new()];
        for from in 0..2_000 {
            let longer = format!("{}{}", paths[from / 4], ["p", "a", "/", "b"][from % 4]);
            paths.push(longer);
        }
        paths
            .extend(["pub/a", "pub/a/b", "pub/a/x/b", "pub", "pubs.csv", "pub/ab"].map(Into::into));
        for text in texts {
            let restriction = Restriction::parse(text).expect(text);
            for path in &paths {
                let whole = fit(&restriction, path.as_bytes(), false) == Fit::Whole;
                assert_eq!(whole, restriction.matches(path.as_bytes()), "{text} {path}");
            }
        }
    }

    #[test]
    fn below_a_path_is_all_some_or_nothing() {
        for (text, path, all, some) in [
            ("pub/*", "pub/", true, true),
            ("pub/*", "pub/data/", true, true),
            ("pub/*", "", false, true),
            ("*", "", true, true),
            ("pub/a/b", "pub/", false, true),
            ("pub/a/b", "pub/a/b", false, true),
            ("pub/a/b", "pub/a/b/", false, false),
            ("pub/*.csv", "pub/a/", false, true),
            ("pub/a*", "pub/b/", false, false),
            ("pub*", "pub/", true, true),
        ] {
            let fit = plain(text, path, true);
            assert_eq!(fit == Fit::Whole, all, "{text} {path}: {fit:?}");
            assert_eq!(!matches!(fit, Fit::Apart(_)), some, "{text} {path}: {fit:?}");
        }
    }

    #[test]
    fn below_a_path_agrees_with_the_reference_matcher() {
        let words = |most: usize| {
            let mut words = vec![String::new()];
            let mut from = 0;
            while words[from].len() < most {
                let longer = ["a", "b", "/"].map(|more| format!("{}{more}", words[from]));
                words.extend(longer);
                from += 1;
            }
            words
        };
        let plain = ["aaa*", "aaa/*", "*", "*b", "aaa/a*b", "aaa/a", "aaa*/b*"];
        let globs = ["aaa/*", "aaa/**", "aaa/**/b", "aaa/{a,b}/*", "aaa/?b", "aaa/[ab]*/a"];
        let plain = plain.map(|text| Restriction::parse(text).expect(text));
        let globs = globs.map(|text| Restriction::parse_glob(text).expect(text));
        for restriction in plain.into_iter().chain(globs) {
            for tail in words(3) {
                let path = format!("aaa{tail}");
                let matched = |more: &String| restriction.matches((path.clone() + more).as_bytes());
                let extensions = words(4);
                let (all, some) = (extensions.iter().all(matched), extensions.iter().any(matched));
                match fit(&restriction, path.as_bytes(), true) {
                    Fit::Whole => assert!(all, "{restriction:?} {path}"),
                    Fit::Part => assert!(some, "{restriction:?} {path}"),
                    Fit::Apart(_) => assert!(!some, "{restriction:?} {path}"),
                }
            }
        }
    }

    #[test]
    fn a_hard_pattern_takes_its_time_and_no_more() {
        let text = format!("pub/{}", "*a".repeat(200));
        let path = format!("pub/{}", "a".repeat(199));
        assert!(matches!(plain(&text, &path, false), Fit::Apart(_)));
    }
}
