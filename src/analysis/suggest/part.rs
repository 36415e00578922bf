//! What of a restriction lies in a folder, as restrictions again.

use super::super::{
    behind::{self, Place},
    remedy::escaped,
};
use crate::restriction::{Restriction, Token};

/// Restrictions that together match what these rules match in a folder, and more only where no plain
/// restriction says it: then a rule stands for itself. None matches what no rule does.
///
/// A folder's path ends with `/`; in the root, which has no bytes, every rule stands for itself.
pub(super) fn parts<'r>(
    folder: &[u8],
    rules: impl IntoIterator<Item = &'r Restriction>,
) -> Vec<Restriction> {
    let mut all: Vec<Restriction> = Vec::new();
    for rule in rules {
        for part in parts_of(folder, rule) {
            if is_folder(&part, folder) {
                return vec![part];
            }
            all.push(part);
        }
    }
    all.sort_by(|a, b| (a.text(), a.dialect() as u8).cmp(&(b.text(), b.dialect() as u8)));
    all.dedup();
    all
}

/// What of one rule lies in a folder.
fn parts_of(folder: &[u8], rule: &Restriction) -> Vec<Restriction> {
    if folder.is_empty() {
        return vec![rule.clone()];
    }
    let mut parts = Vec::new();
    for pattern in rule.patterns() {
        for rest in rests(pattern.tokens(), folder) {
            match plain(folder, &rest) {
                Some(part) => parts.push(part),
                None => return vec![rule.clone()],
            }
        }
    }
    parts
}

/// Whether a restriction matches any bytes that start with a folder's path, which may be no path at all.
pub fn reaches(folder: &[u8], rule: &Restriction) -> bool {
    rule.patterns().iter().any(|pattern| {
        let (prefix, shared) = (pattern.prefix(), folder.len().min(pattern.prefix().len()));
        prefix[..shared] == folder[..shared] && !behind::places(pattern.tokens(), folder).is_empty()
    })
}

/// Whether a restriction is all of a folder.
fn is_folder(restriction: &Restriction, folder: &[u8]) -> bool {
    matches!(whole(restriction), Some(prefix) if prefix == folder)
}

/// Of a restriction that is everything behind some bytes, those.
pub(super) fn whole(restriction: &Restriction) -> Option<&[u8]> {
    match restriction.patterns() {
        [pattern] => match pattern.tokens() {
            [Token::Literal(prefix), star] if *star == Token::STAR => Some(prefix),
            [star] if *star == Token::STAR => Some(b""),
            _ => None,
        },
        _ => None,
    }
}

/// The plain restriction of some bytes and what follows them, if there is one.
fn plain(start: &[u8], rest: &[Token]) -> Option<Restriction> {
    if rest.is_empty() {
        // The marker alone, which no plain restriction says: `dir/` is all of it.
        return None;
    }
    let mut text = escaped(std::str::from_utf8(start).ok()?);
    for token in rest {
        match token {
            Token::Literal(bytes) => text.push_str(&escaped(std::str::from_utf8(bytes).ok()?)),
            star if *star == Token::STAR => text.push('*'),
            Token::One(_) | Token::Run(_) => return None,
        }
    }
    // As people write it.
    if text.ends_with("/*") {
        text.pop();
    }
    Restriction::parse(&text).ok()
}

/// What may follow bytes that a pattern has read: each a list of tokens.
fn rests(tokens: &[Token], read: &[u8]) -> Vec<Vec<Token>> {
    let mut places = behind::places(tokens, read);
    skip_runs(tokens, &mut places);
    // What follows an earlier `*` follows a later one too.
    if let Some(star) = places.iter().map(|(at, _)| *at).filter(|at| is_star(tokens, *at)).max() {
        places.retain(|place| place.0 >= star && *place != (star + 1, 0));
    }
    places.into_iter().map(|place| behind::rest(tokens, place)).collect()
}

fn is_star(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| *token == Token::STAR)
}

/// Adds the places behind runs, which may match nothing.
fn skip_runs(tokens: &[Token], places: &mut Vec<Place>) {
    let mut n = 0;
    while let Some((at, _)) = places.get(n).copied() {
        if matches!(tokens.get(at), Some(Token::Run(_))) {
            places.push((at + 1, 0));
        }
        n += 1;
    }
    places.sort_unstable();
    places.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(folder: &str, rules: &[&str]) -> Vec<String> {
        let read = |rule: &&str| match rule.strip_prefix("glob:") {
            Some(glob) => Restriction::parse_glob(glob).expect("a glob"),
            None => Restriction::parse(rule).expect("a restriction"),
        };
        let rules: Vec<_> = rules.iter().map(read).collect();
        parts(folder.as_bytes(), &rules).iter().map(|part| part.text().to_owned()).collect()
    }

    #[test]
    fn a_part_is_what_a_rule_has_in_the_folder() {
        for (folder, rules, expected) in [
            ("pub/a/", &["pub/*"][..], &["pub/a/"][..]),
            ("pub/a/", &["pub/a/b/", "pub/a/c.csv", "pub/b/"], &["pub/a/b/", "pub/a/c.csv"]),
            ("pub/a/", &["*.csv"], &["pub/a/*.csv"]),
            ("pub/a/", &["*.csv", "pub/"], &["pub/a/"]),
            ("pub/a/", &["pub/*/in/*.csv"], &["pub/a/*/in/*.csv", "pub/a/in/*.csv"]),
            ("pub/a/in/", &["pub/*/in/*.csv"], &["pub/a/in/*.csv"]),
            ("pub/a/", &["pub/\\**"], &[]),
            ("pub/*/", &["pub/\\*/x*"], &["pub/\\*/x*"]),
            ("pub/a/", &["glob:pub/{a,b}/**"], &["pub/a/"]),
            ("pub/a/", &["glob:pub/*/x.csv"], &["pub/a/x.csv"]),
            ("pub/a/", &["glob:pub/**/x?"], &["pub/**/x?"]),
            ("", &["pub/*", "*.csv"], &["*.csv", "pub/*"]),
        ] {
            assert_eq!(texts(folder, rules), expected, "{folder} {rules:?}");
        }
    }

    #[test]
    fn parts_match_what_the_rules_match_in_the_folder() {
        let words = |length: u32| {
            (0..4_usize.pow(length)).map(move |n| {
                let byte = |place| b"ab/."[n / 4_usize.pow(place) % 4];
                (0..length).map(byte).collect::<Vec<u8>>()
            })
        };
        for folder in ["aaa/", "aaa/a/", "aaa/b/a/", "aaa//"] {
            for rule in [
                "aaa/*",
                "*a",
                "*/a",
                "*a/b*a",
                "aaa*b*",
                "aaa/a*/a/*b",
                "*/a/*/b*",
                "aaa/*a*a",
                "a*/*/",
                "*a/a",
            ] {
                let rule = Restriction::parse(rule).expect("a restriction");
                let parts = parts(folder.as_bytes(), [&rule]);
                for rest in (0..6).flat_map(words) {
                    let path = [folder.as_bytes(), &rest].concat();
                    let by_parts = parts.iter().any(|part| part.matches(&path));
                    assert_eq!(by_parts, rule.matches(&path), "{rule} {folder} {parts:?}");
                }
                assert_eq!(reaches(folder.as_bytes(), &rule), !parts.is_empty(), "{rule} {folder}");
            }
        }
    }
}
