//! Showing text that others wrote: on a terminal, in a log, in an error.

use std::{borrow::Cow, fmt::Write};

/// The text with everything escaped that moves the cursor, reorders text or cannot be seen.
///
/// Escaped are the control characters (C0, DEL, C1), the marks that turn the direction of
/// text, the line and paragraph separators, and what Unicode shows as nothing or as an empty
/// place: the soft hyphen, joiners, fillers, spaces without width, invisible operators, variation
/// selectors, annotations, the byte order mark, tags, and the two code points U+FFFE and U+FFFF that are no characters,
/// which neither XML nor YAML can have. Spaces that are wide are not, and neither
/// is what only looks like something else. Everything else is left as it is; a `\` too, so that this is for
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

/// Whether [`escape`] escapes it.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}' | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The same as text of XML, in an attribute or between tags. XML cannot hold control characters, U+FFFE and
/// U+FFFF, not even by their numbers: they are escaped as they are for eyes.
#[cfg(feature = "cli")]
pub(crate) fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for character in escape(text).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
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
        let ranges = [
            '\u{ad}'..='\u{ad}',
            '\u{115f}'..='\u{1160}',
            '\u{180e}'..='\u{180e}',
            '\u{200b}'..='\u{200f}',
            '\u{202a}'..='\u{202e}',
            '\u{2060}'..='\u{2064}',
            '\u{2066}'..='\u{2069}',
            '\u{3164}'..='\u{3164}',
            '\u{ffa0}'..='\u{ffa0}',
            '\u{fff9}'..='\u{fffb}',
            '\u{fffe}'..='\u{ffff}',
            '\u{e0000}'..='\u{e007f}',
        ];
        for hidden in ranges.into_iter().flatten() {
            assert_eq!(escape(&hidden.to_string()), format!("\\u{{{:x}}}", u32::from(hidden)));
        }
    }

    #[test]
    fn what_can_be_seen_is_borrowed() {
        for text in ["", "Algorithmia/team.jpg", "日本語/ü \\n", "\u{a0}", "🦀", "한"] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text));
        }
    }
}
