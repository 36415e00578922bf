//! How far a restriction goes along with a path, and where the two part ways.
//!
//! The walk is that of the reference matcher, token by token over all positions at once. Where the
//! matcher keeps whether a position can be reached, this keeps how many bytes had to agree to get
//! there: `*` goes along with anything and says nothing, so only bytes that literals and classes
//! matched count. It ends where nothing can be reached any more, and looks at no positions but those
//! that are: a pattern that parts from the path before its first wildcard costs what it agrees with,
//! and one that goes along with it at most the number of its tokens times the length of the path.

use super::parting::{Expected, Fit, Parting};
use crate::restriction::{ByteSet, Pattern, Restriction, Token};

/// Holds restrictions against one path, or with `below` against all paths that start with it.
///
/// What it needs for that is allocated once.
pub(super) struct Walker<'p> {
    path: &'p [u8],
    below: bool,
    reach: Reach,
    before: Reach,
}

impl<'p> Walker<'p> {
    pub(super) fn new(path: &'p [u8], below: bool) -> Self {
        let [reach, before] = [Reach::new(path.len()), Reach::new(path.len())];
        Self { path, below, reach, before }
    }

    /// How a restriction fits: as the best of its patterns does.
    pub(super) fn fit(&mut self, restriction: &Restriction) -> Fit {
        let mut furthest: Option<Furthest<'_>> = None;
        let mut part = false;
        for pattern in restriction.patterns() {
            match self.along(pattern) {
                Went::Whole => return Fit::Whole,
                Went::Part => part = true,
                Went::Apart(found) if furthest.is_none_or(|best| found.key() > best.key()) => {
                    furthest = Some(found);
                }
                Went::Apart(_) => {}
            }
        }
        match furthest {
            Some(furthest) if !part => Fit::Apart(furthest.parting(self.path)),
            // A restriction has a pattern, so there is a parting where nothing fits.
            _ => Fit::Part,
        }
    }

    /// Goes along the path with one pattern, as long as any of it can be reached.
    fn along<'t>(&mut self, pattern: &'t Pattern) -> Went<'t> {
        let tokens = pattern.tokens();
        let stars = tokens.iter().rev().take_while(|token| **token == Token::STAR).count();
        let mut walk = Walk {
            path: self.path,
            reach: &mut self.reach,
            before: &mut self.before,
            run: None,
            alive: false,
            furthest: None,
        };
        walk.reach.start();
        for (place, token) in tokens.iter().enumerate() {
            if walk.reach.is_empty() {
                break;
            }
            if walk.is_at_end() {
                if self.below && place >= tokens.len() - stars {
                    return Went::Whole;
                }
                walk.alive = true;
            }
            walk.step(token);
        }
        match walk.is_at_end() {
            true if !self.below || stars > 0 => Went::Whole,
            true => Went::Part,
            false if self.below && walk.alive => Went::Part,
            false => Went::Apart(walk.parted()),
        }
    }
}

/// How far one pattern went.
enum Went<'t> {
    Whole,
    Part,
    Apart(Furthest<'t>),
}

/// A [`Parting`], while it may not be the furthest: nothing is copied.
#[derive(Clone, Copy)]
struct Furthest<'t> {
    at: usize,
    agreed: usize,
    expected: Awaited<'t>,
}

/// What an [`Expected`] will be.
#[derive(Clone, Copy)]
enum Awaited<'t> {
    End,
    Text(&'t [u8]),
    Later(&'t [u8]),
    One(ByteSet),
}

impl Furthest<'_> {
    /// The greater, the further.
    fn key(&self) -> (usize, usize) {
        (self.agreed, self.at)
    }

    fn parting(self, path: &[u8]) -> Parting {
        let text = |bytes: &[u8]| Box::from(String::from_utf8_lossy(bytes));
        let expected = match self.expected {
            Awaited::End => Expected::End,
            Awaited::Text(bytes) => Expected::Text(text(bytes)),
            Awaited::Later(bytes) => Expected::Later(text(bytes)),
            Awaited::One(set) => Expected::One(set),
        };
        let found = first_character(path.get(self.at..).unwrap_or_default());
        let found = String::from_utf8_lossy(found).chars().next();
        Parting { at: self.at, agreed: self.agreed, expected, found }
    }
}

/// The beginnings of a path, by their length, that the tokens so far match; of each, how many of its
/// bytes agreed at most.
struct Reach {
    /// [`NOT`](Self::NOT) outside the range.
    agreed: Vec<u32>,
    first: usize,
    /// One behind the last; no more than `first` if there is none.
    end: usize,
}

impl Reach {
    /// Less than anything that is reached: what is reached is kept as one more than what agreed.
    const NOT: u32 = 0;

    fn new(path_len: usize) -> Self {
        Self { agreed: vec![Self::NOT; path_len + 1], first: 0, end: 0 }
    }

    /// Nothing but the empty beginning.
    fn start(&mut self) {
        self.clear();
        self.add(0, 0);
    }

    fn clear(&mut self) {
        if let Some(range) = self.agreed.get_mut(self.first..self.end) {
            range.fill(Self::NOT);
        }
        (self.first, self.end) = (self.agreed.len(), 0);
    }

    fn is_empty(&self) -> bool {
        self.first >= self.end
    }

    fn get(&self, at: usize) -> Option<usize> {
        self.agreed.get(at)?.checked_sub(1).map(|agreed| agreed as usize)
    }

    fn add(&mut self, at: usize, agreed: usize) {
        if let Some(most) = self.agreed.get_mut(at) {
            *most = (*most).max(u32::try_from(agreed).unwrap_or(u32::MAX - 1) + 1);
            (self.first, self.end) = (self.first.min(at), self.end.max(at + 1));
        }
    }

    /// Goes on from each beginning over bytes of a set, which agree with nothing.
    fn run(&mut self, path: &[u8], set: &ByteSet) {
        let mut reached = Self::NOT;
        for at in self.first..self.agreed.len() {
            let goes_on = at > 0 && path.get(at - 1).is_some_and(|byte| set.contains(*byte));
            if !goes_on {
                reached = Self::NOT;
            }
            if reached == Self::NOT && at >= self.end {
                return;
            }
            reached = reached.max(self.agreed[at]);
            self.agreed[at] = reached;
            if reached != Self::NOT {
                self.end = self.end.max(at + 1);
            }
        }
    }
}

/// One pattern, walked along one path.
struct Walk<'w, 't> {
    path: &'w [u8],
    /// What the tokens so far match, and what those before the last did.
    reach: &'w mut Reach,
    before: &'w mut Reach,
    /// If the token before was a run: where it could first start, and its set.
    run: Option<(usize, ByteSet)>,
    /// Whether the path's end was reached with some of the pattern left.
    alive: bool,
    furthest: Option<Furthest<'t>>,
}

impl<'t> Walk<'_, 't> {
    fn is_at_end(&self) -> bool {
        self.reach.get(self.path.len()).is_some()
    }

    fn step(&mut self, token: &'t Token) {
        let run = self.run.take();
        if let Token::Run(set) = token {
            self.run = Some((self.reach.first, *set));
            self.reach.run(self.path, set);
            return;
        }
        std::mem::swap(&mut self.reach, &mut self.before);
        self.reach.clear();
        for at in self.before.first..self.before.end {
            let Some(agreed) = self.before.get(at) else { continue };
            match token {
                Token::Literal(bytes) => self.literal(bytes, at, agreed, run),
                Token::One(set) if self.path.get(at).is_some_and(|byte| set.contains(*byte)) => {
                    self.reach.add(at + 1, agreed + 1);
                }
                Token::One(set) => self.part(at, agreed, Awaited::One(*set)),
                Token::Run(_) => {}
            }
        }
    }

    fn literal(
        &mut self,
        bytes: &'t [u8],
        at: usize,
        agreed: usize,
        run: Option<(usize, ByteSet)>,
    ) {
        let mut same = bytes.iter().zip(&self.path[at..]).take_while(|(a, b)| a == b).count();
        if same == bytes.len() {
            self.reach.add(at + same, agreed + same);
            return;
        }
        self.alive |= at + same == self.path.len();
        // Behind a wildcard, one place with nothing of the literal says little: it may be
        // anywhere from where the wildcard starts, unless this is where the wildcard stops.
        if same == 0
            && let Some((start, set)) = run
            && self.path.get(at).is_none_or(|byte| set.contains(*byte))
        {
            self.part(start, agreed, Awaited::Later(bytes));
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
        self.part(at + same, agreed + same, Awaited::Text(expected));
    }

    /// Keeps the parting that agrees with most; among equals the furthest, then the first found.
    fn part(&mut self, at: usize, agreed: usize, expected: Awaited<'t>) {
        if self.furthest.is_some_and(|best| best.key() >= (agreed, at)) {
            return;
        }
        let mut at = at;
        while at > 0 && self.path.get(at).is_some_and(|byte| is_continuation(*byte)) {
            at -= 1;
        }
        self.furthest = Some(Furthest { at, agreed, expected });
    }

    /// Where they parted, at the end of the walk.
    fn parted(mut self) -> Furthest<'t> {
        // A beginning of the path is all that the pattern matches.
        for at in self.reach.first..self.reach.end {
            if let Some(agreed) = self.reach.get(at) {
                self.part(at, agreed, Awaited::End);
            }
        }
        self.furthest.unwrap_or(Furthest { at: 0, agreed: 0, expected: Awaited::End })
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

    fn fit(restriction: &Restriction, path: &[u8], below: bool) -> Fit {
        Walker::new(path, below).fit(restriction)
    }

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
