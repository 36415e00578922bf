//! The plain form: `*` is the only wildcard.

use std::fmt::{self, Write};

use super::{Pattern, RestrictionError, RestrictionErrorKind, Token};

/// Text to tokens. A `/` at the end means everything in that directory.
///
/// # Errors
///
/// A `\` before anything else than `*` or `\`.
#[doc(hidden)]
pub fn parse(text: &str) -> Result<Pattern, RestrictionError> {
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
            _ => return Err(RestrictionError::new(RestrictionErrorKind::Escape, special, text)),
        };
    }
    pattern.push_bytes(&text.as_bytes()[at..]);
    if text.ends_with('/') {
        pattern.push(Token::STAR);
    }
    Ok(pattern)
}

/// Tokens to text: the one spelling that [`parse`] reads back as the same tokens.
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
