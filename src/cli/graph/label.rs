//! The texts of ways, for eyes.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{
    cli::output::escape_bytes,
    escape,
    restriction::{ByteSet, Pattern, Token},
};

/// The most columns of a text in a picture.
const MOST: usize = 44;

/// A pattern as text: `*` is any run of bytes, as in plain restrictions. What globs have is between
/// `‹` and `›`: `‹*›` a run within a segment, `‹?›` a character within it, `‹a-z›` one of these. Where one of
/// those signs or a `\` means itself, a `\` stands before it. What is hidden is `\u{…}`, what is no text `\xNN`.
pub(super) fn text(pattern: &Pattern) -> String {
    let mut text = String::new();
    let mut tokens = pattern.tokens().iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            Token::Literal(bytes) => push_literal(&mut text, bytes),
            Token::Run(set) if *set == ByteSet::ALL => text.push('*'),
            Token::Run(set) if *set == ByteSet::segment() => text.push_str("‹*›"),
            Token::Run(set) => text.push_str(&format!("‹{}*›", members(set))),
            Token::One(set) => {
                let rest = Token::Run(ByteSet::continuation());
                match tokens.next_if(|next| **next == rest) {
                    // What is not in the set: characters, of more than one byte too.
                    Some(_) => match members(&left_out(set)).as_str() {
                        "" => text.push_str("‹?›"),
                        others => text.push_str(&format!("‹!{others}›")),
                    },
                    None => text.push_str(&format!("‹{}›", members(set))),
                }
            }
        }
    }
    text
}

/// What means itself.
fn push_literal(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if matches!(character, '*' | '\\' | '‹' | '›') {
                text.push('\\');
            }
            escape::push(text, character);
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
}

/// The ASCII bytes that a set has not, `/` aside.
fn left_out(set: &ByteSet) -> ByteSet {
    ByteSet::of(|byte| byte.is_ascii() && byte != b'/' && !set.contains(byte))
}

/// The bytes of a set, as a class of a glob has them.
fn members(set: &ByteSet) -> String {
    let mut text = String::new();
    let mut byte = 0;
    while byte <= 255 {
        let end = (byte..=255u16).take_while(|b| set.contains(*b as u8)).last();
        match end {
            Some(end) => {
                let show = |byte: u16| match byte as u8 {
                    sign @ (b'*' | b'?' | b'!' | b'-' | b'\\') => format!("\\{}", char::from(sign)),
                    byte => escape_bytes(&[byte]).into_owned(),
                };
                text.push_str(&show(byte));
                if end > byte + 1 {
                    text.push('-');
                }
                if end > byte {
                    text.push_str(&show(end));
                }
                byte = end + 2;
            }
            None => byte += 1,
        }
    }
    text
}

/// Text as a picture shows it: where it is long, without its middle.
pub(super) fn short(text: &str) -> String {
    if text.width() <= MOST {
        return text.to_owned();
    }
    let fits = |characters: &mut dyn Iterator<Item = char>| {
        let mut columns = 0;
        let fitting: Vec<char> = characters
            .take_while(|character| {
                columns += character.width().unwrap_or(0);
                columns <= (MOST - 1) / 2
            })
            .collect();
        fitting
    };
    let head: String = fits(&mut text.chars()).into_iter().collect();
    let tail: String = fits(&mut text.chars().rev()).into_iter().rev().collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Restriction;

    #[test]
    fn what_matches_differently_reads_differently() {
        let plain = |line: &str| text(&Restriction::parse(line).expect(line).patterns()[0]);
        let glob = |line: &str| text(&Restriction::parse_glob(line).expect(line).patterns()[0]);
        assert_eq!(plain("logs/*/x"), "logs/*/x");
        assert_eq!(plain(r"logs/\*‹"), r"logs/\*\‹");
        assert_eq!(plain("logs/a\u{202e}b"), r"logs/a\u{202e}b");
        assert_eq!(plain(r"logs/\\u{202e}"), r"logs/\\u{202e}");
        assert_eq!(plain(r"logs/\\\*"), r"logs/\\\*");
        assert_eq!(plain(r"logs/\\*x"), r"logs/\\*x");
        assert_eq!(glob("logs/*/x"), "logs/‹*›/x");
        assert_eq!(glob("logs/?[abcx]"), "logs/‹?›‹a-cx›");
        assert_eq!(glob("logs/[!a-c]z"), "logs/‹!a-c›z");
        assert_eq!(glob("logs/[*][?]"), r"logs/‹\*›‹\?›");
    }

    #[test]
    fn long_texts_lose_their_middle() {
        assert_eq!(short("a/b"), "a/b");
        let shown = short(&format!("start/{}/end", "x".repeat(500)));
        assert!(shown.starts_with("start/x") && shown.ends_with("x/end"), "{shown}");
        assert!(shown.width() <= MOST && shown.contains('…'));
        let shown = short(&"日本".repeat(100));
        assert!(shown.width() <= MOST, "{shown}");
    }
}
