//! Patterns as IAM writes them, in resources and in the values of `StringLike`.

use crate::restriction::{ByteSet, Pattern, Token};

/// The last character that IAM takes in the document of a policy.
pub(super) const LAST: char = '\u{ff}';

/// Why text has no pattern, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// `${…}` that is not `${*}`, `${?}` or `${$}`.
    Variable { at: usize, end: usize },
    /// `${` without `}`.
    Unclosed { at: usize },
}

/// What `?` is: one character, whichever.
fn any_character() -> [Token; 2] {
    let first = ByteSet::of(|byte| !(0x80..0xc0).contains(&byte));
    [Token::One(first), Token::Run(ByteSet::continuation())]
}

/// Text to the paths that it matches.
pub(super) fn read(text: &str) -> Result<Pattern, Refused> {
    let mut pattern = Pattern::default();
    let mut at = 0;
    while let Some(special) = text[at..].find(['*', '?', '$']) {
        let special = at + special;
        pattern.push_bytes(&text.as_bytes()[at..special]);
        let rest = &text[special..];
        at = special + 1;
        match rest.as_bytes() {
            [b'*', ..] => pattern.push(Token::STAR),
            [b'?', ..] => any_character().into_iter().for_each(|token| pattern.push(token)),
            [b'$', b'{', literal @ (b'*' | b'?' | b'$'), b'}', ..] => {
                pattern.push_byte(*literal);
                at = special + 4;
            }
            [b'$', b'{', ..] => {
                return Err(match rest.find('}') {
                    Some(end) => Refused::Variable { at: special, end: special + end + 1 },
                    None => Refused::Unclosed { at: special },
                });
            }
            _ => pattern.push_byte(b'$'),
        }
    }
    pattern.push_bytes(&text.as_bytes()[at..]);
    Ok(pattern)
}

/// What a text matches at most.
#[derive(Debug)]
pub(super) struct Loose {
    /// With `*` in place of each variable.
    pub(super) pattern: Pattern,
    /// Whether there is a variable in it.
    pub(super) is_loose: bool,
}

/// Text to the paths that it matches whatever its variables stand for.
pub(super) fn read_loosely(text: &str) -> Result<Loose, Refused> {
    let mut known = String::new();
    let mut rest = text;
    let mut is_loose = false;
    loop {
        match read(rest) {
            Ok(_) => break,
            Err(Refused::Variable { at, end }) => {
                known.push_str(&rest[..at]);
                known.push('*');
                rest = &rest[end..];
                is_loose = true;
            }
            Err(unclosed) => return Err(unclosed),
        }
    }
    known.push_str(rest);
    Ok(Loose { pattern: read(&known)?, is_loose })
}

/// Whether a resource may be an object, whatever its variables stand for: behind the bucket is a `/`.
pub(super) fn may_be_object(resource: &str) -> bool {
    let has_slash = |token: &Token| match token {
        Token::Literal(bytes) => bytes.contains(&b'/'),
        Token::One(set) | Token::Run(set) => set.contains(b'/'),
    };
    // What cannot be read is an error, of which the resource is not spared.
    read_loosely(resource).map_or(true, |loose| loose.pattern.tokens().iter().any(has_slash))
}

/// The text that matches what the pattern does, and as little more as can be said: a class is `?`,
/// what stays in a segment does not, and characters that no policy may have are `*`.
pub(super) fn write(pattern: &Pattern) -> String {
    let mut text = String::new();
    for token in pattern.tokens() {
        match token {
            Token::Literal(bytes) => push_literal(&mut text, bytes),
            // What continues a character is in `?`.
            Token::Run(set) if *set == ByteSet::continuation() => {}
            Token::One(_) => text.push('?'),
            Token::Run(_) => {
                if !text.ends_with('*') {
                    text.push('*');
                }
            }
        }
    }
    text
}

/// Bytes that mean themselves. `$` too: what follows it might be `{`.
pub(super) fn push_literal(text: &mut String, bytes: &[u8]) {
    for character in String::from_utf8_lossy(bytes).chars() {
        match character {
            '*' | '?' | '$' => {
                text.push_str("${");
                text.push(character);
                text.push('}');
            }
            // Whether `?` is one of these, or of their bytes, is nowhere said; `*` is wide enough.
            other if other > LAST => {
                if !text.ends_with('*') {
                    text.push('*');
                }
            }
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restriction::Restriction;

    #[test]
    fn signs_of_iam_mean_themselves_where_restrictions_say_so() {
        for (plain, iam) in [
            ("pub/a?b/*", "pub/a${?}b/*"),
            ("pub/\\*/**", "pub/${*}/*"),
            ("pub/${aws:x}", "pub/${$}{aws:x}"),
            ("pub/$", "pub/${$}"),
            ("pub/", "pub/*"),
            ("pub/\\\\é", "pub/\\é"),
        ] {
            let restriction = Restriction::parse(plain).expect(plain);
            let [pattern] = restriction.patterns() else { panic!("a plain one has one") };
            assert_eq!(write(pattern), iam);
            assert_eq!(read(iam).as_ref(), Ok(pattern), "{iam}");
        }
    }

    #[test]
    fn characters_that_no_policy_may_have_are_stars() {
        let restriction = Restriction::parse("pub/日本/é").expect("a restriction");
        assert_eq!(write(&restriction.patterns()[0]), "pub/*/é");
    }

    #[test]
    fn a_resource_is_an_object_where_a_slash_can_be() {
        for text in ["pub/", "pub*", "p?b", "pub${aws:username}x", "${*}/", "pub${"] {
            assert!(may_be_object(text), "{text}");
        }
        for text in ["pub", "pub${*}", "pub${?}x", "pub${$}", "日"] {
            assert!(!may_be_object(text), "{text}");
        }
    }

    #[test]
    fn variables_are_no_text() {
        assert_eq!(read("a/${aws:username}/*"), Err(Refused::Variable { at: 2, end: 17 }));
        assert_eq!(read("a/${*"), Err(Refused::Unclosed { at: 2 }));
        assert_eq!(read("a/${}"), Err(Refused::Variable { at: 2, end: 5 }));
    }
}
