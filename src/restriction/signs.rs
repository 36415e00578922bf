//! What a text shows that is hardly meant, and where.

use std::ops::Range;

use super::{
    Dialect,
    group::Group,
    placeholder::placeholder,
    rewrite,
    seen::{is_invisible, is_joining, is_look_alike},
};
use crate::path::{MIN_BUCKET_LEN, is_bucket_byte};

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

/// What there is to doubt, and where: at most one of each kind.
pub(super) fn find(dialect: Dialect, text: &str) -> Vec<(DoubtKind, Range<usize>)> {
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

/// Whether there is nothing in a text that could be doubted: so are nearly all. Asked of every text of a
/// policy, so it looks at each byte once.
fn is_ordinary(text: &str) -> bool {
    let mut run = 0;
    let mut before = 0;
    text.bytes().all(|byte| {
        run = if byte == before { run + 1 } else { 1 };
        before = byte;
        match byte {
            // `...` and `YYYY`.
            b'.' => run < 3,
            b'Y' | b'y' => run < 4,
            b'/' | b'*' | b'_' | b'-' | b'=' => true,
            other => other.is_ascii_alphanumeric(),
        }
    })
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

/// Where an escape such as `%20` stands. Names of Hive's partitions, `name=value`, have them.
fn percent(text: &str) -> Option<usize> {
    text.match_indices('%').map(|(at, _)| at).find(|at| {
        let code = text.get(at + 1..at + 3).unwrap_or_default();
        let is_code = code.len() == 2 && code.bytes().all(|b| b.is_ascii_hexdigit());
        let byte = u8::from_str_radix(code, 16).unwrap_or_default();
        let segment = text.get(..*at).and_then(|t| t.rsplit('/').next()).unwrap_or_default();
        // `50%ab` is no escape in UTF-8, and hardly one of anything else.
        let is_share = byte >= 0x80
            && segment.ends_with(|c: char| c.is_ascii_digit())
            && rewrite::percent_decoded(text).is_none();
        // Nobody escapes a letter or digit: `50%41` is a name.
        is_code
            && byte >= 0x20
            && !byte.is_ascii_alphanumeric()
            && !is_share
            && !segment.contains('=')
    })
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
