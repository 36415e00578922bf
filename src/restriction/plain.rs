//! The plain form: `*` is the only wildcard.

use std::fmt::{self, Write};

use super::{
    Pattern, Token,
    kind::{Refused, RestrictionErrorKind},
};

/// Text to tokens. A `/` at the end means everything in that directory.
///
/// # Errors
///
/// A `\` before anything else than `*` or `\`.
pub(super) fn read(text: &str) -> Result<Pattern, Refused> {
    let mut pattern = Pattern::default();
    let mut at = 0;
    while let Some(special) = memchr::memchr2(b'*', b'\\', &text.as_bytes()[at..]) {
        let special = at + special;
        pattern.push_bytes(&text.as_bytes()[at..special]);
        at = match &text.as_bytes()[special..] {
            [b'*', ..] => {
                pattern.push(Token::STAR);
                special + 1
            }
            [b'\\', escaped @ (b'*' | b'\\'), ..] => {
                pattern.push_byte(*escaped);
                special + 2
            }
            _ => return Err(Refused::new(RestrictionErrorKind::Escape, special)),
        };
    }
    pattern.push_bytes(&text.as_bytes()[at..]);
    if text.ends_with('/') {
        pattern.push(Token::STAR);
    }
    Ok(pattern)
}

/// Tokens to text: the one spelling that [`read`] reads back as the same tokens.
pub(super) fn write(pattern: &Pattern, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for token in pattern.tokens() {
        match token {
            Token::Literal(bytes) => {
                for character in String::from_utf8_lossy(bytes).chars() {
                    if matches!(character, '*' | '\\') {
                        f.write_char('\\')?;
                    }
                    f.write_char(character)?;
                }
            }
            Token::One(_) | Token::Run(_) => f.write_char('*')?,
        }
    }
    Ok(())
}
