//! Showing text that others wrote: on a terminal, in a log, in an error.

use std::{borrow::Cow, fmt::Write};

/// The text with everything escaped that moves the cursor, reorders text or cannot be seen.
///
/// Escaped are the control characters (C0, DEL, C1), the marks that turn the direction of
/// text (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), the byte order mark and the line
/// and paragraph separators. Everything else is left as it is; a `\` too, so that this is for
/// eyes and cannot be read back.
///
/// ```
/// use pathward::escape::escape;
///
/// assert_eq!(escape("data/ü.csv"), "data/ü.csv");
/// assert_eq!(escape("a\nb\u{1b}[2J"), r"a\nb\u{1b}[2J");
/// assert_eq!(escape("gpj.\u{202e}exe"), r"gpj.\u{202e}exe");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push(&mut escaped, character);
    }
    Cow::Owned(escaped)
}

/// Adds one character, escaped where [`escape`] would.
pub(crate) fn push(to: &mut String, character: char) {
    match character {
        '\n' => to.push_str("\\n"),
        '\r' => to.push_str("\\r"),
        '\t' => to.push_str("\\t"),
        hidden if is_hidden(hidden) => {
            // Writing to a `String` cannot fail.
            let _ = write!(to, "\\u{{{:x}}}", u32::from(hidden));
        }
        other => to.push(other),
    }
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
                | '\u{2028}' | '\u{2029}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_gets_through() {
        for code in
            (0..0x20).chain(0x7f..0xa0).chain([0x61c, 0x200e, 0x200f, 0xfeff, 0x2028, 0x2029])
        {
            let hidden = char::from_u32(code).expect("a character");
            let escaped = escape(&format!("a{hidden}b")).into_owned();
            assert!(!escaped.contains(hidden) && escaped.contains('\\'), "{code:x}");
        }
        for hidden in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
            assert_eq!(escape(&hidden.to_string()), format!("\\u{{{:x}}}", u32::from(hidden)));
        }
    }

    #[test]
    fn what_can_be_seen_is_borrowed() {
        for text in ["", "Algorithmia/team.jpg", "日本語/ü \\n", "\u{a0}"] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text));
        }
    }
}
