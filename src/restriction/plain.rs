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
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '*' => pattern.push(Token::STAR),
            '\\' => match characters.next() {
                Some((_, escaped @ ('*' | '\\'))) => {
                    pattern.push_bytes(escaped.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => {
                    return Err(RestrictionError::new(RestrictionErrorKind::Escape, at, text));
                }
            },
            other => pattern.push_bytes(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
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
