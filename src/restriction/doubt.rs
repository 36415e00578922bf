//! What is read and hardly meant: texts that other programs read in another way, and characters that
//! are taken for others.
//!
//! A text is doubted for what it shows, whatever it stands beside. It may be meant: S3 has objects
//! with any name. So this looks for what authors of such texts elsewhere mean by them, and not for
//! every odd name: `Smith, John/`, `50% off/`, `report (1).pdf`, `C++/` and `$RECYCLE.BIN/` are
//! ordinary.

use std::ops::Range;

use super::{Dialect, Restriction, help::Help, rewrite};
use crate::{
    escape::{is_hidden, is_other_space, taken_for},
    path::{MIN_BUCKET_LEN, is_bucket_byte},
};

/// What kind of doubt there is about a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DoubtKind {
    /// It ends with a space.
    Space,
    /// It has what cannot be seen in it, or spaces that are none.
    Invisible,
    /// It has characters in it that are taken for others.
    LookAlike,
    /// It has what would be a wildcard of a glob, and is none; or one that other readers know.
    GlobSigns,
    /// It has what is replaced elsewhere, as `${USER}` is.
    Placeholder,
    /// It has escapes such as `%20`.
    Percent,
    /// It has two paths in it, or ends as one does that has.
    TwoPaths,
}

impl DoubtKind {
    /// The code of the warning that a policy's reader makes of it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Space => "policy.space",
            Self::Invisible => "policy.invisible",
            Self::LookAlike => "policy.look_alike",
            Self::GlobSigns => "policy.glob_signs",
            Self::Placeholder => "policy.placeholder",
            Self::Percent => "policy.percent",
            Self::TwoPaths => "policy.two_paths",
        }
    }
}

/// A doubt about a text that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    kind: DoubtKind,
    at: usize,
    message: String,
    help: Help,
}

impl Doubt {
    /// What kind it is.
    pub fn kind(&self) -> DoubtKind {
        self.kind
    }

    /// Where in the text the reason for it stands, in bytes.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What is the matter. Text of the restriction is in it as it is: escape it for a terminal.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn help(&self) -> &str {
        self.help.text()
    }

    /// The texts that [`help`](Self::help) says to write, in its order: each was read.
    pub fn instead(&self) -> impl Iterator<Item = &Restriction> {
        self.help.instead()
    }

    /// What to do about it, in words and texts.
    pub(crate) fn help_parts(&self) -> &Help {
        &self.help
    }
}

impl Restriction {
    /// What is hardly meant in its text: at most one doubt of each kind.
    ///
    /// ```
    /// use pathward::{Restriction, restriction::DoubtKind};
    ///
    /// let doubts = Restriction::parse("reports/my%20folder/")?.doubts();
    /// assert_eq!(doubts[0].kind(), DoubtKind::Percent);
    /// let instead: Vec<_> = doubts[0].instead().map(Restriction::text).collect();
    /// assert_eq!(instead, ["reports/my folder/"]);
    /// assert!(Restriction::parse("reports/my folder (50%)/")?.doubts().is_empty());
    /// # Ok::<(), pathward::RestrictionError>(())
    /// ```
    pub fn doubts(&self) -> Vec<Doubt> {
        let (dialect, text) = (self.dialect(), self.text());
        let doubt = |(kind, at): (DoubtKind, Range<usize>)| {
            let found = text.get(at.clone()).unwrap_or_default();
            let (message, help) = said(kind, text, found, at.start, dialect);
            Doubt { kind, at: at.start, message, help }
        };
        find(dialect, text).into_iter().map(doubt).collect()
    }
}

/// Whether there is any doubt about a text.
pub(super) fn is_doubted(dialect: Dialect, text: &str) -> bool {
    !find(dialect, text).is_empty()
}

/// What is said of what was found at a place.
fn said(kind: DoubtKind, text: &str, found: &str, at: usize, dialect: Dialect) -> (String, Help) {
    match kind {
        DoubtKind::Space => (
            "the text ends with a space".to_owned(),
            Help::words("the space belongs to the path; take it out if it is not meant").write(
                ": write ",
                dialect,
                text.trim_end_matches(' '),
            ),
        ),
        DoubtKind::Invisible => {
            let names = names(text.chars().filter(|c| is_invisible(*c)));
            let what = match text.chars().any(is_hidden) {
                true => "has what cannot be seen in it",
                false => "has what looks like a space in it and is none",
            };
            (
                format!("the text {what}: {names}"),
                Help::words("it belongs to the path; take it out if it is not meant").write(
                    ": write ",
                    dialect,
                    rewrite::visible(text).trim(),
                ),
            )
        }
        DoubtKind::LookAlike => {
            let alike = text.char_indices().filter(|(at, c)| is_look_alike(text, *at, *c));
            let names = names(alike.map(|(_, c)| c));
            (
                format!("the text has characters in it that are taken for others: {names}"),
                Help::words("it matches paths that have the very same characters").write(
                    "; if what it looks like is meant write ",
                    dialect,
                    rewrite::visible(text),
                ),
            )
        }
        DoubtKind::GlobSigns => glob_signs_said(text, found, at, dialect),
        DoubtKind::Placeholder => {
            let (message, help) = if found.starts_with('.') || found == "…" {
                let folder = text.get(..at).unwrap_or_default();
                let folder =
                    if dialect == Dialect::Glob { format!("{folder}**") } else { folder.into() };
                let help = Help::words("name what is meant");
                let message =
                    format!("`{found}` is read as it is written, and stands for nothing else");
                (message, help.write("; for everything below write ", dialect, folder))
            } else if found.contains(':') && found.starts_with("${") {
                let message = format!(
                    "variables of IAM are not known here: nothing is put in place of `{found}`"
                );
                (message, Help::words("name what is meant, in an entry for each"))
            } else {
                let message =
                    format!("nothing is put in place of `{found}`, which is read as it is written");
                (message, Help::words("name what is meant, in an entry for each"))
            };
            (message, help)
        }
        DoubtKind::Percent => {
            let decoded = rewrite::percent_decoded(text);
            let message = match &decoded {
                Some(decoded) => format!(
                    "escapes such as `{found}` are not undone in a restriction: `{decoded}` is \
                     another path"
                ),
                None => format!("escapes such as `{found}` are not undone in a restriction"),
            };
            let help = Help::words("name the characters themselves, if they are meant");
            (message, help.write(": write ", dialect, decoded.unwrap_or_default()))
        }
        DoubtKind::TwoPaths => {
            let (first, rest) =
                (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default());
            let is_separator = |c: char| matches!(c, ',' | ';' | '|') || c.is_whitespace();
            let (first, second) =
                (first.trim_end_matches(is_separator), rest.trim_start_matches(is_separator));
            if second.is_empty() {
                let sign = rest.trim();
                return (
                    format!("the text ends with a `{sign}`, which belongs to the path"),
                    Help::words("each path is an entry of its own")
                        .write(": write ", dialect, first),
                );
            }
            (
                "the text is one path, and looks like two".to_owned(),
                Help::words("each path is an entry of its own")
                    .write(": write ", dialect, first)
                    .write(" and ", dialect, second),
            )
        }
    }
}

/// What is said of signs that other readers of globs know.
fn glob_signs_said(text: &str, found: &str, at: usize, dialect: Dialect) -> (String, Help) {
    if let Some(group) = Group::at(text, at) {
        let sign = group.sign.map(String::from).unwrap_or_default();
        let help = match group.sign {
            Some('!') => Help::words("name what is meant; there is no glob for everything else"),
            _ => Help::words("name the alternatives"),
        };
        let braces = rewrite::as_glob(&group.as_braces(text));
        let help = match group.sign {
            Some('!' | '*' | '?') => help,
            _ if dialect == Dialect::Plain && !braces.contains(['{', '[', '?']) => {
                help.write(": write ", Dialect::Plain, group.as_braces(text))
            }
            _ if dialect == Dialect::Plain => help.write(": write ", Dialect::Glob, braces),
            _ => help.write(": write ", dialect, braces),
        };
        return (format!("`{sign}(…)` is read as it is written, and is no group here"), help);
    }
    if dialect == Dialect::Glob {
        let help = Help::words("name the values");
        return (
            format!("`{found}` is read as it is written: ranges in braces are not read"),
            help,
        );
    }
    let name = match found.chars().next() {
        Some('[') => "[…]",
        Some('{') => "{…}",
        _ => "?",
    };
    let glob = rewrite::as_glob(text);
    let spelled = rewrite::spelled_range(&glob, at);
    (
        format!("`{name}` means itself here, where `*` is the only wildcard"),
        Help::words("the text matches paths that have these very characters").write_first(
            "; if a glob is meant, write ",
            Dialect::Glob,
            [Some(glob), spelled].into_iter().flatten(),
        ),
    )
}

/// The names of up to four characters.
fn names(of: impl Iterator<Item = char>) -> String {
    const MOST: usize = 4;
    let mut found: Vec<char> = Vec::new();
    for character in of {
        if !found.contains(&character) && found.len() <= MOST {
            found.push(character);
        }
    }
    let more = if found.len() > MOST { " and more" } else { "" };
    let name = |c: &char| match taken_for(*c).filter(|other| other.is_ascii() && *other != " ") {
        Some(other) => format!("U+{:04X}, which is no `{other}`", u32::from(*c)),
        None => format!("U+{:04X}", u32::from(*c)),
    };
    found.iter().take(MOST).map(name).collect::<Vec<_>>().join(", ") + more
}

/// What there is to doubt, and where: at most one of each kind.
fn find(dialect: Dialect, text: &str) -> Vec<(DoubtKind, Range<usize>)> {
    if is_ordinary(text) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let character = |(at, c): (usize, char)| at..at + c.len_utf8();
    if text.ends_with(' ') {
        found.push((DoubtKind::Space, text.len() - 1..text.len()));
    }
    let invisible = |(at, c): &(usize, char)| is_invisible(*c) && !is_joining(text, *at, *c);
    found.extend(
        text.char_indices().find(invisible).map(|at| (DoubtKind::Invisible, character(at))),
    );
    let alike = |(at, c): &(usize, char)| is_look_alike(text, *at, *c);
    found.extend(text.char_indices().find(alike).map(|at| (DoubtKind::LookAlike, character(at))));
    // What is escaped is meant. It has the same length here.
    let masked = mask(dialect, text);
    let placeholder = placeholder(&masked).map(|(at, name)| at..at + name.len());
    let group = Group::find(&masked).map(|group| group.at..group.to);
    let signs = group.or_else(|| match dialect {
        Dialect::Plain => glob_signs(&masked, placeholder.as_ref()),
        Dialect::Glob => brace_range(text),
    });
    found.extend(signs.map(|at| (DoubtKind::GlobSigns, at)));
    if placeholder.is_none() {
        found.extend(percent(text).map(|at| (DoubtKind::Percent, at..at + 3)));
    }
    found.extend(placeholder.map(|at| (DoubtKind::Placeholder, at)));
    found.extend(two_paths(&masked).map(|at| (DoubtKind::TwoPaths, at..at + 1)));
    found
}

/// Whether there is nothing in a text that could be doubted: so are nearly all.
fn is_ordinary(text: &str) -> bool {
    let is_plain =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'*' | b'.' | b'_' | b'-' | b'=');
    text.bytes().all(is_plain)
        && !text.contains("...")
        && !text.contains("YYYY")
        && !text.contains("yyyy")
}

/// The text with `x` for everything that is escaped, and for what stands in the braces and classes of
/// a glob.
fn mask(dialect: Dialect, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let (mut depth, mut is_class) = (0_usize, false);
    while let Some(character) = characters.next() {
        let next = characters.peek().copied().filter(char::is_ascii);
        match (character, next) {
            ('\\', Some(_)) => {
                out.push_str("xx");
                characters.next();
                continue;
            }
            _ if dialect == Dialect::Plain => out.push(character),
            (']', _) if is_class => {
                is_class = false;
                out.push(']');
            }
            ('[', _) if !is_class => {
                is_class = true;
                out.push('[');
            }
            (c, _) if is_class => out.extend(std::iter::repeat_n('x', c.len_utf8())),
            ('{', _) => {
                depth += 1;
                out.push('x');
            }
            ('}', _) => {
                depth = depth.saturating_sub(1);
                out.push('x');
            }
            (',', _) if depth > 0 => out.push('x'),
            (c, _) => out.push(c),
        }
    }
    out
}

/// Whether it cannot be seen, or is a space that is none.
fn is_invisible(character: char) -> bool {
    is_hidden(character) || is_other_space(character)
}

/// Whether a mark that cannot be seen belongs where it stands: it joins emoji or letters that are
/// joined so; or a wide space stands between wide characters.
fn is_joining(text: &str, at: usize, character: char) -> bool {
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
fn is_look_alike(text: &str, at: usize, character: char) -> bool {
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

/// Where an escape such as `%20` stands. Names of Hive's partitions, `name=value`, have them.
fn percent(text: &str) -> Option<usize> {
    text.match_indices('%').map(|(at, _)| at).find(|at| {
        let code = text.get(at + 1..at + 3).unwrap_or_default();
        let is_code = code.len() == 2 && code.bytes().all(|b| b.is_ascii_hexdigit());
        let byte = u8::from_str_radix(code, 16).unwrap_or_default();
        let segment = text.get(..*at).and_then(|t| t.rsplit('/').next()).unwrap_or_default();
        // Nobody escapes a letter or digit: `50%41` is a name.
        is_code && byte >= 0x20 && !byte.is_ascii_alphanumeric() && !segment.contains('=')
    })
}

/// A group of an extended glob, `@(a|b)`, or of a regular expression, `(a|b)`.
struct Group {
    at: usize,
    sign: Option<char>,
    inner: Range<usize>,
    to: usize,
}

impl Group {
    /// The first in a text.
    fn find(text: &str) -> Option<Self> {
        text.match_indices('(').find_map(|(open, _)| {
            let sign = text.get(..open)?.chars().next_back().filter(|c| "@+!?*".contains(*c));
            Self::at(text, open - sign.map_or(0, char::len_utf8))
        })
    }

    /// The one that starts at a place.
    fn at(text: &str, at: usize) -> Option<Self> {
        let rest = text.get(at..)?;
        let sign = rest.chars().next().filter(|c| "@+!?*".contains(*c));
        let open = at + sign.map_or(0, char::len_utf8);
        let behind = text.get(open..)?.strip_prefix('(')?;
        let mut depth = 1;
        let len = behind.char_indices().find_map(|(n, c)| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(n)
        })?;
        let inner = behind.get(..len)?;
        let starts = matches!(text.get(..at)?.chars().next_back(), None | Some('/'));
        let has_signs = inner.contains(['[', '*', '?']);
        // `report*(1).pdf`, `My+song+(live)` and `Hello!(1)` are names; `?` is a wildcard where it is not.
        let is_group = !inner.is_empty()
            && (inner.contains('|')
                || match sign {
                    Some('!' | '@' | '+') => starts || has_signs,
                    Some('?') => true,
                    _ => false,
                });
        let inner = open + 1..open + 1 + len;
        is_group.then(|| Self { at, sign, to: inner.end + 1, inner })
    }

    /// The text with braces for the group, or without any where there is one alternative.
    fn as_braces(&self, text: &str) -> String {
        let inner = text.get(self.inner.clone()).unwrap_or_default();
        let inner = match inner.contains('|') {
            true => format!("{{{}}}", inner.replace('|', ",")),
            false => inner.to_owned(),
        };
        let (before, behind) = (text.get(..self.at), text.get(self.to..));
        format!("{}{inner}{}", before.unwrap_or_default(), behind.unwrap_or_default())
    }
}

/// What would be a wildcard in a glob, in a plain text. In a deny the difference is between what is
/// taken and what is not.
fn glob_signs(text: &str, placeholder: Option<&Range<usize>>) -> Option<Range<usize>> {
    let is_free = |at: &usize| placeholder.is_none_or(|p| !p.contains(at));
    let pair = |open: char, close: char| {
        let at = text.match_indices(open).map(|(at, _)| at).find(is_free)?;
        let len = text.get(at..)?.find(close)?;
        let inner = text.get(at + 1..at + len)?;
        let is_sign = open == '[' || inner.contains(',') || inner.contains("..");
        is_sign.then_some(at..at + len + 1)
    };
    let question = || text.find('?').filter(is_free).map(|at| at..at + 1);
    pair('[', ']').or_else(|| pair('{', '}')).or_else(question)
}

/// `1..3` as an alternative of a glob, beside others.
fn brace_range(text: &str) -> Option<Range<usize>> {
    text.match_indices("..").find_map(|(at, _)| {
        let start = text.get(..at)?.rfind(['{', ',', '/'])? + 1;
        let end = at + text.get(at..)?.find(['}', ',', '/'])?;
        let is_between = matches!(text.as_bytes()[start - 1], b'{' | b',')
            && matches!(text.as_bytes()[end], b'}' | b',')
            && text.get(..start)?.contains('{');
        let (low, high) = (text.get(start..at)?, text.get(at + 2..end)?);
        let is_end = |text: &str| {
            !text.is_empty()
                && (text.bytes().all(|b| b.is_ascii_digit())
                    || text.len() == 1 && text.bytes().all(|b| b.is_ascii_alphabetic()))
        };
        (is_between && is_end(low) && is_end(high)).then_some(start..end)
    })
}

/// Where a second path starts, or the sign stands that one ends with.
fn two_paths(text: &str) -> Option<usize> {
    let is_sign = |c: char| matches!(c, ',' | ';' | '|');
    let trimmed = text.trim_end_matches(' ');
    if trimmed.ends_with([',', ';']) {
        return Some(trimmed.len() - 1);
    }
    let bucket = |text: &str| -> Option<usize> {
        let len = text.find('/')?;
        let is_name = len >= MIN_BUCKET_LEN && text.bytes().take(len).all(is_bucket_byte);
        is_name.then_some(len)
    };
    let own = bucket(text).and_then(|len| text.get(..=len));
    text.char_indices().filter(|(_, c)| is_sign(*c) || *c == ' ').map(|(at, _)| at).find(|&at| {
        let (Some(before), Some(after)) = (text.get(..at), text.get(at..)) else { return false };
        let is_gap = |c: char| is_sign(c) || c == ' ';
        let first = before.trim_end_matches(is_gap);
        let second = after.trim_start_matches(is_gap);
        let gap = &text[first.len()..text.len() - second.len()];
        let is_separated = gap.contains(is_sign);
        if first.is_empty() || second.is_empty() {
            return false;
        }
        let is_uri = second.starts_with("s3://") || second.starts_with("arn:aws");
        let is_own = own.is_some_and(|own| second.starts_with(own));
        let is_over = first.ends_with(['*', '/']);
        // `*.csv`, as a path that ends.
        let ends_in_name = first.rsplit('/').next().is_some_and(|name| {
            name.rsplit_once('.').is_some_and(|(_, end)| {
                (1..=8).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_alphanumeric())
            })
        });
        let is_star =
            second.starts_with("*.") || second.starts_with("*/") || second.starts_with("**");
        is_uri
            || is_own && (is_separated || is_over || ends_in_name)
            || is_over && bucket(second).is_some()
            || is_star
                && first.contains('*')
                && (is_separated || ends_in_name)
                && (ends_in_name || first.ends_with("/*"))
    })
}
