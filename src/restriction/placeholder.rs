//! What other programs put something in place of, and a restriction does not.

/// What is replaced elsewhere, and where it stands: `${USER}`, `$USER`, `%USER%`, `{user}`, `<user>`,
/// `%Y`, `YYYY`, `...`.
pub(super) fn placeholder(text: &str) -> Option<(usize, &str)> {
    text.char_indices().find_map(|(at, character)| {
        let len = match character {
            '$' | '#' | '%' | '{' | '<' => in_signs(text, at)
                .or_else(|| of_shell(text, at))
                .or_else(|| of_windows(text, at))
                .or_else(|| of_date(text, at)),
            '.' | '…' | 'Y' | 'y' => whole(text, at),
            _ => None,
        }?;
        Some((at, text.get(at..at + len)?))
    })
}

/// `${…}`, `$(…)`, `#{…}`, `%{…}`, `%(…)s`, `{{…}}`, `{…}`, `<…>`: how long it is.
fn in_signs(text: &str, at: usize) -> Option<usize> {
    const LONG: usize = 80;
    let rest = text.get(at..)?;
    let pairs = [
        ("${", "}"),
        ("$(", ")"),
        ("#{", "}"),
        ("%{", "}"),
        ("%(", ")s"),
        ("%(", ")d"),
        ("{{", "}}"),
        ("{", "}"),
        ("<", ">"),
    ];
    pairs.into_iter().find_map(|(open, close)| {
        let inner = rest.strip_prefix(open)?;
        let inner = inner.get(..inner.find(close)?)?;
        let first = inner.trim().chars().next()?;
        let is_name = match open {
            // `{a,b}` and `{1..3}` are of globs, and a GUID is a name.
            "{" => {
                let is_guid = inner.len() == 36 && inner.matches('-').count() == 4;
                !inner.contains([',', '{', '/']) && !inner.contains("..") && !is_guid
            }
            "<" => {
                first.is_alphabetic()
                    && inner
                        .chars()
                        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | ':'))
            }
            _ => true,
        };
        let len = open.len() + inner.len() + close.len();
        (is_name && len <= LONG).then_some(len)
    })
}

/// `$NAME` at the start of a name, and `$env:NAME`. `Foo$Bar.class`, `$RECYCLE.BIN` and `_$folder$` are
/// names of files.
fn of_shell(text: &str, at: usize) -> Option<usize> {
    const NAMES: [&str; 3] = ["RECYCLE", "MFT", "LATEST"];
    let rest = text.get(at..)?.strip_prefix('$')?;
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(name) = rest.strip_prefix("env:") {
        let len = name.find(|c| !in_name(c)).unwrap_or(name.len());
        return (len > 0).then_some(5 + len);
    }
    let len = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
    let (name, behind) = rest.split_at(len);
    let before = text.get(..at)?.chars().next_back();
    let is_start = before.is_none_or(|c| matches!(c, '/' | '-' | '_' | '.' | '='));
    let is_end = behind.chars().next().is_none_or(|c| matches!(c, '/' | '-' | '_' | '.' | '*'));
    let is_whole = matches!(before, None | Some('/' | '='))
        && matches!(behind.chars().next(), None | Some('/'));
    let is_upper =
        len > 1 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let is_lower = len > 1 && name.starts_with(|c: char| c.is_ascii_lowercase());
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_name = starts_well && !NAMES.contains(&name);
    (is_name && is_start && is_end && (is_upper || is_whole && is_lower)).then_some(1 + len)
}

/// `%NAME%`, which is none where it is a piece of escapes such as `%C3%A9`.
fn of_windows(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix('%')?;
    let name = rest.get(..rest.find('%')?)?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.len() >= 2
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'(' | b')' | b'-'));
    let is_hex =
        |code: Option<&str>| code.is_some_and(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
    let is_escape = is_hex(name.get(..2))
        && (name.len() == 2 || is_hex(rest.get(name.len() + 1..name.len() + 3)));
    (is_name && !is_escape).then_some(name.len() + 2)
}

/// `%Y`, `%m`, `%d` and what else `strftime` and the like put in: between signs, or in a row.
fn of_date(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix('%')?;
    let letter = rest.chars().next()?;
    let is_separator = |c: char| matches!(c, '/' | '-' | '_' | '.' | '=' | '%');
    let is_start = text.get(..at)?.chars().next_back().is_none_or(is_separator);
    let is_end = rest.get(1..)?.chars().next().is_none_or(is_separator);
    ("YymdHMSjsuih".contains(letter) && is_start && is_end).then_some(2)
}

/// `...` and `…` as a whole segment, `YYYY` as a whole word: how long it is.
fn whole(text: &str, at: usize) -> Option<usize> {
    let (before, rest) = (text.get(..at)?, text.get(at..)?);
    let starts = |signs: &[char]| before.is_empty() || before.ends_with(signs);
    let ends = |len: usize, signs: &[char]| {
        rest.get(len..).is_some_and(|behind| behind.is_empty() || behind.starts_with(signs))
    };
    let dots = ["...", "…"].into_iter().find(|dots| rest.starts_with(*dots));
    if let Some(dots) = dots {
        return (starts(&['/']) && ends(dots.len(), &['/'])).then_some(dots.len());
    }
    let signs = ['/', '-', '_', '.', '='];
    let is_year = rest.starts_with("YYYY") || rest.starts_with("yyyy");
    (is_year && starts(&signs) && ends(4, &signs)).then_some(4)
}
