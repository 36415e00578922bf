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

/// Whether it is a space other than U+0020: no-break, wide, narrow. It cannot be told from one.
pub(crate) fn is_other_space(character: char) -> bool {
    matches!(
        character,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// The characters that a character is taken for: `/` for U+2215, `a` for the Cyrillic one. `None` for
/// what looks like itself alone.
///
/// Those are here that get into a path by copying it (from a web page, an office program, a PDF) or
/// by a keyboard of another script. Which characters are confusable at all is a longer list, of
/// which most are letters that are meant.
pub(crate) fn taken_for(character: char) -> Option<&'static str> {
    // In the order of ASCII, from `!` on.
    const ASCII: &str = "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`\
                         abcdefghijklmnopqrstuvwxyz{|}~";
    const LETTERS: &str = "АAВBЕEКKМMНHОOРPСCТTУYХXІIЈJЅSаaеeоoрpсcуyхxіiјjѕsԁdһhԛqԝw\
                           ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoνv";
    if character.is_ascii() {
        return None;
    }
    Some(match character {
        '\u{ff01}'..='\u{ff5e}' => {
            let at = u32::from(character) as usize - 0xff01;
            ASCII.get(at..=at)?
        }
        _ if is_other_space(character) => " ",
        '\u{2215}' | '\u{2044}' | '\u{29f8}' => "/",
        '\u{2216}' | '\u{29f5}' => "\\",
        '\u{2217}' | '\u{204e}' | '\u{66d}' => "*",
        '\u{2010}' | '\u{2011}' => "-",
        '\u{2024}' => ".",
        '\u{fb00}' => "ff",
        '\u{fb01}' => "fi",
        '\u{fb02}' => "fl",
        '\u{fb03}' => "ffi",
        '\u{fb04}' => "ffl",
        '\u{212a}' => "K",
        '\u{212b}' => "\u{c5}",
        '\u{2126}' => "\u{3a9}",
        '\u{b5}' => "\u{3bc}",
        _ => {
            let at = LETTERS.find(character)?;
            let behind = at + character.len_utf8();
            LETTERS.get(behind..=behind)?
        }
    })
}

/// The text as by [`escape`], with the other spaces, marks that join the character before them, and
/// everything for which `more` holds escaped too: for two texts that are shown side by side because
/// they differ.
pub(crate) fn distinct(text: &str, more: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let joins = matches!(character, '\u{300}'..='\u{36f}');
        if is_other_space(character) || joins || more(character) {
            // Writing to a `String` cannot fail.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
        } else {
            push(&mut shown, character);
        }
    }
    shown
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

/// Bytes as hexadecimal digits.
#[cfg(any(feature = "executor", feature = "store"))]
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16);
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit).collect()
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
    fn what_is_taken_for_another_is_known() {
        for (character, other) in [
            ('\u{ff0f}', Some("/")),
            ('\u{ff41}', Some("a")),
            ('\u{ff5e}', Some("~")),
            ('\u{430}', Some("a")),
            ('\u{405}', Some("S")),
            ('\u{3bf}', Some("o")),
            ('\u{3000}', Some(" ")),
            ('\u{fb03}', Some("ffi")),
            ('a', None),
            ('S', None),
            (' ', None),
            ('ü', None),
            ('\u{436}', None),
            ('日', None),
        ] {
            assert_eq!(taken_for(character), other, "{character}");
        }
        for character in ('!'..='~').filter_map(|c| char::from_u32(u32::from(c) + 0xfee0)) {
            let ascii = char::from_u32(u32::from(character) - 0xfee0).map(String::from);
            assert_eq!(taken_for(character), ascii.as_deref());
        }
        assert_eq!(distinct("a\u{a0}b\u{301}\u{200b}", |_| false), r"a\u{a0}b\u{301}\u{200b}");
        assert_eq!(distinct("aü", |c| c == 'ü'), r"a\u{fc}");
    }

    #[test]
    fn what_can_be_seen_is_borrowed() {
        for text in ["", "Algorithmia/team.jpg", "日本語/ü \\n", "\u{a0}", "🦀", "한"] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text));
        }
    }
}
