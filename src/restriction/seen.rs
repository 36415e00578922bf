//! Characters that cannot be seen, or are taken for others, where they are hardly meant.

use crate::escape::{is_hidden, is_other_space, taken_for};

/// Whether it cannot be seen, or is a space that is none.
pub(super) fn is_invisible(character: char) -> bool {
    is_hidden(character) || is_other_space(character)
}

/// Whether a mark that cannot be seen belongs where it stands: it joins emoji or letters that are
/// joined so; or a wide space stands between wide characters.
pub(super) fn is_joining(text: &str, at: usize, character: char) -> bool {
    let before = text.get(..at).and_then(|text| text.chars().next_back());
    let after = text.get(at + character.len_utf8()..).and_then(|text| text.chars().next());
    let is_sign = |c: Option<char>| c.is_some_and(|c| u32::from(c) >= 0x2190 && !is_hidden(c));
    let is_keycap =
        |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || matches!(c, '#' | '*'));
    let is_joined_script = |c: Option<char>| {
        c.is_some_and(|c| matches!(c, '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{1780}'..='\u{17ff}'))
    };
    let is_variation = |c: Option<char>| c.is_some_and(|c| matches!(c, '\u{fe0e}' | '\u{fe0f}'));
    match character {
        '\u{fe0e}' | '\u{fe0f}' => is_sign(before) || is_keycap(before),
        '\u{200d}' => {
            (is_sign(before) || is_variation(before)) && is_sign(after)
                || is_joined_script(before) && is_joined_script(after)
        }
        '\u{200c}' => is_joined_script(before) && is_joined_script(after),
        '\u{3000}' => is_wide(before) && is_wide(after),
        _ => false,
    }
}

/// Whether it is a character of a script whose signs are as wide as full-width ASCII.
fn is_wide(character: Option<char>) -> bool {
    character.is_some_and(|c| {
        matches!(c, '\u{3001}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
            | '\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
    })
}

/// Whether it is taken for another character where it stands: full-width signs are ordinary in a
/// segment with characters that are as wide, and letters of another script in words of that script.
pub(super) fn is_look_alike(text: &str, at: usize, character: char) -> bool {
    if character.is_ascii()
        || is_other_space(character)
        || !taken_for(character).is_some_and(str::is_ascii)
    {
        return false;
    }
    let around = |is_end: fn(char) -> bool| {
        let from = text.get(..at).and_then(|t| t.rfind(is_end).map(|n| n + 1)).unwrap_or(0);
        let from = text.ceil_char_boundary(from);
        let to = text.get(at..).and_then(|t| t.find(is_end)).map_or(text.len(), |n| at + n);
        text.get(from..to).unwrap_or_default()
    };
    match character {
        '\u{ff01}'..='\u{ff5e}' => {
            let is_full_width = |c: char| matches!(c, '\u{ff01}'..='\u{ff5e}');
            !around(|c| c == '/').chars().any(|c| is_wide(Some(c)) && !is_full_width(c))
        }
        c if c.is_alphabetic() && !matches!(c, '\u{fb00}'..='\u{fb04}' | '\u{212a}') => {
            let word = around(|c| !c.is_alphabetic());
            let is_mixed = word.contains(|c: char| c.is_ascii_alphabetic());
            // A word of another script alone that looks like one of ASCII, such as `сосо`, may be meant.
            is_mixed
        }
        _ => true,
    }
}
