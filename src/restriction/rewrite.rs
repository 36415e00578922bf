//! Texts that are refused or doubted, rewritten as they were probably meant. Whether what comes out
//! is read is for [`Help::write`](super::help::Help::write) to find out.

use std::ops::Range;

use super::{Dialect, kind::MAX_GLOB_ALTERNATIVES};
use crate::escape::{is_hidden, taken_for};

/// Whether a `\` stands well before a character.
fn is_escape(dialect: Dialect, character: char) -> bool {
    match dialect {
        Dialect::Plain => matches!(character, '*' | '\\'),
        Dialect::Glob => "\\*?[]{},!".contains(character),
    }
}

/// The text with something else for each `\` that escapes nothing.
fn each_stray(text: &str, dialect: Dialect, instead: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(&next)) if is_escape(dialect, next) => {
                out.push(character);
                out.push(next);
                characters.next();
            }
            ('\\', _) => out.push_str(instead),
            _ => out.push(character),
        }
    }
    out
}

/// Backslashes that are meant.
pub(super) fn doubled(text: &str, dialect: Dialect) -> String {
    each_stray(text, dialect, "\\\\")
}

/// Escapes of what needs none.
pub(super) fn unescaped(text: &str, dialect: Dialect) -> String {
    each_stray(text, dialect, "")
}

/// Separators of Windows. Where `/` stands too, a `\*` may well be a star that is meant.
pub(super) fn slashes(text: &str) -> [String; 2] {
    let all = text.replace('\\', "/").trim_start_matches('/').to_owned();
    let stray = each_stray(text, Dialect::Plain, "/");
    if text.contains('/') { [stray, all] } else { [all, stray] }
}

/// Escapes such as `\u00e9` and `\x20`, read.
pub(super) fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\\') {
        out.push_str(before);
        let digits = match behind.chars().next() {
            Some('u') => 4,
            Some('U') => 8,
            Some('x') => 2,
            _ => 0,
        };
        let code = behind.get(1..=digits).filter(|_| digits > 0);
        let code = code.filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        let read = code.and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?));
        match read.filter(|c| !c.is_control()) {
            Some(character) => {
                out.push(character);
                rest = &behind[1 + digits..];
            }
            None => {
                out.push('\\');
                let next = behind.chars().next().filter(|c| *c == '\\');
                out.extend(next);
                rest = &behind[next.map_or(0, char::len_utf8)..];
            }
        }
    }
    out + rest
}

/// The path without `.` and `..` segments, which a `..` takes the segment before it away with.
pub(super) fn without_dots(text: &str) -> Option<String> {
    let is_end = text.ends_with("/.") || text.ends_with("/..");
    let mut kept: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        match segment {
            "." => {}
            ".." => {
                kept.pop().filter(|gone| !gone.is_empty() && !gone.contains('*'))?;
            }
            segment => kept.push(segment),
        }
    }
    let end = if is_end && !kept.is_empty() { "/" } else { "" };
    Some(kept.join("/") + end)
}

/// A `\` before each of these.
pub(super) fn escaped(text: &str, signs: &[char]) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                out.push(character);
                out.extend(characters.next());
            }
            sign if signs.contains(&sign) => out.extend(['\\', sign]),
            other => out.push(other),
        }
    }
    out
}

/// Classes of POSIX, such as `[[:digit:]]`.
pub(super) fn without_posix(text: &str) -> Option<String> {
    const CLASSES: [(&str, &str); 7] = [
        ("[:alnum:]", "A-Za-z0-9"),
        ("[:alpha:]", "A-Za-z"),
        ("[:digit:]", "0-9"),
        ("[:lower:]", "a-z"),
        ("[:upper:]", "A-Z"),
        ("[:xdigit:]", "0-9A-Fa-f"),
        ("[:space:]", " "),
    ];
    let is_one = |name: &str| CLASSES.iter().any(|(class, _)| name.contains(class));
    is_one(text).then(|| {
        CLASSES.iter().fold(text.to_owned(), |text, (class, inner)| text.replace(class, inner))
    })
}

/// The class that a place stands in, from its `[` to behind its `]`.
fn class_around(text: &str, at: usize) -> Option<Range<usize>> {
    let from = text.get(..at)?.rfind('[')?;
    let to = at + text.get(at..)?.find(']')? + 1;
    Some(from..to)
}

/// `[äöü]` as `{ä,ö,ü}`.
pub(super) fn class_as_braces(text: &str, at: usize) -> Option<String> {
    let class = class_around(text, at)?;
    let inner = text.get(class.start + 1..class.end - 1)?;
    if inner.starts_with(['!', '^']) || inner.contains('-') {
        return None;
    }
    let each: Vec<String> = inner.chars().map(String::from).collect();
    let each = if each.len() == 1 { each.concat() } else { format!("{{{}}}", each.join(",")) };
    Some(format!("{}{each}{}", text.get(..class.start)?, text.get(class.end..)?))
}

/// Classes without the `/` in them. A range that spans it, such as `[.-0]`, as what it has else.
pub(super) fn without_slash_in_class(text: &str) -> [String; 2] {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let Some(len) = rest.get(open..).and_then(|class| class.find(']')) else { break };
        let (before, class) = (&rest[..open], &rest[open..=open + len]);
        out.push_str(before);
        let mut characters = class.chars().filter(|c| *c != '/').peekable();
        while let Some(low) = characters.next() {
            let mut ahead = characters.clone();
            match (ahead.next(), ahead.next()) {
                (Some('-'), Some(high)) if low < '/' && high > '/' && high != ']' => {
                    let part = |from: char, to: char| match (from, to) {
                        (from, to) if from == to => from.to_string(),
                        (from, to) => format!("{from}-{to}"),
                    };
                    // Before `/` stands `.`, and behind it `0`.
                    out.push_str(&part(low, '.'));
                    out.push_str(&part('0', high));
                    characters = ahead;
                }
                _ => out.push(low),
            }
        }
        rest = &rest[open + len + 1..];
    }
    out.push_str(rest);
    let none = out.replace("[]", "").replace("[!]", "*").replace("[^]", "*");
    [out, none]
}

/// `z-a` as `a-z`.
pub(super) fn turned_range(text: &str, at: usize) -> Option<String> {
    let mut characters = text.get(at..)?.chars();
    let (low, dash, high) = (characters.next()?, characters.next()?, characters.next()?);
    (dash == '-').then(|| format!("{}{high}-{low}{}", &text[..at], characters.as_str()))
}

/// What stands between the brace at a place and the one that closes it.
fn braces_at(text: &str, at: usize) -> Option<Range<usize>> {
    let mut depth = 0;
    let mut is_escaped = false;
    for (n, character) in text.get(at..)?.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1..at + n);
                }
            }
            _ => {}
        }
    }
    None
}

/// The text without the braces that open at a place.
pub(super) fn without_braces(text: &str, at: usize) -> Option<String> {
    let inner = braces_at(text, at)?;
    Some(format!("{}{}{}", &text[..at], text.get(inner.clone())?, text.get(inner.end + 1..)?))
}

/// `{01..12}` as its values.
pub(super) fn spelled_range(text: &str, at: usize) -> Option<String> {
    let inner = braces_at(text, at)?;
    let mut parts = text.get(inner.clone())?.split("..");
    let (low, high, step) = (parts.next()?, parts.next()?, parts.next());
    let step: usize = step.map_or(Some(1), |step| step.parse().ok())?;
    let values: Vec<String> = match (low.parse::<u32>(), high.parse::<u32>()) {
        (Ok(from), Ok(to)) => {
            let is_padded = [low, high].iter().any(|n| n.len() > 1 && n.starts_with('0'));
            let width = if is_padded { low.len().max(high.len()) } else { 0 };
            some(from.min(to)..=from.max(to), step)?.map(|n| format!("{n:0width$}")).collect()
        }
        _ => {
            let one = |text: &str| {
                let mut characters = text.chars();
                characters.next().filter(|c| c.is_ascii_alphabetic() && characters.next().is_none())
            };
            let (from, to) = (one(low)?, one(high)?);
            some(from.min(to)..=from.max(to), step)?.map(String::from).collect()
        }
    };
    let values =
        if values.len() > 1 { format!("{{{}}}", values.join(",")) } else { values.concat() };
    Some(format!("{}{values}{}", &text[..at], text.get(inner.end + 1..)?))
}

/// Every `step`th of some values, if they are few enough to be alternatives.
fn some<T>(values: T, step: usize) -> Option<std::iter::StepBy<std::iter::Take<T>>>
where
    T: Iterator + Clone,
{
    let few = step > 0 && values.clone().nth(MAX_GLOB_ALTERNATIVES * step).is_none();
    few.then(|| values.take(MAX_GLOB_ALTERNATIVES * step).step_by(step))
}

/// Braces with an empty alternative, as both cases: `logs{,-old}/x` as `{logs,logs-old}/x`.
pub(super) fn without_empty(text: &str) -> Option<String> {
    let open = text.match_indices('{').map(|(at, _)| at).find(|at| {
        let inner = braces_at(text, *at).and_then(|inner| text.get(inner)).unwrap_or_default();
        !inner.contains('{') && inner.split(',').any(str::is_empty)
    })?;
    let inner = braces_at(text, open)?;
    let stops = ['/', ',', '{', '}'];
    let start = text.get(..open)?.rfind(stops).map_or(0, |at| at + 1);
    let behind = text.get(inner.end + 1..)?;
    let end = inner.end + 1 + behind.find(stops).unwrap_or(behind.len());
    let (before, behind) = (text.get(start..open)?, text.get(inner.end + 1..end)?);
    let mut cases: Vec<String> =
        text.get(inner)?.split(',').map(|case| format!("{before}{case}{behind}")).collect();
    cases.dedup();
    // `a/{b/,}c` has the folder in the case.
    let cases = match &cases[..] {
        [one] => one.clone(),
        cases => format!("{{{}}}", cases.join(",")),
    };
    Some(format!("{}{cases}{}", text.get(..start)?, text.get(end..)?))
}

/// Stars within a segment are one, and a segment of stars is `**`.
pub(super) fn single_stars(text: &str) -> String {
    let one = |segment: &str| match segment.len() >= 2 && segment.bytes().all(|byte| byte == b'*') {
        true => "**".to_owned(),
        false => {
            let mut kept = segment.to_owned();
            while kept.contains("**") {
                kept = kept.replace("**", "*");
            }
            kept
        }
    };
    text.split('/').map(one).collect::<Vec<_>>().join("/")
}

/// The path of an object or bucket that an ARN names.
pub(super) fn of_arn(text: &str) -> Option<&str> {
    let mut parts = text.splitn(6, ':');
    let [arn, _, service, region, account] = [(); 5].map(|()| parts.next().unwrap_or_default());
    let rest = parts.next()?;
    let is_bucket = arn == "arn" && service == "s3" && region.is_empty() && account.is_empty();
    (is_bucket && !rest.is_empty()).then_some(rest)
}

/// The path that a URI names, of S3's own or the address of an object at AWS.
pub(super) fn of_uri(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let bare = scheme.split('+').next().unwrap_or_default();
    if ["s3", "s3a", "s3n"].contains(&bare) {
        let path = rest.trim_start_matches('/');
        return (!path.is_empty()).then(|| path.to_owned());
    }
    if !["http", "https"].contains(&bare) {
        return None;
    }
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = percent_decoded(path).unwrap_or_else(|| path.to_owned());
    let host = host.strip_suffix(".amazonaws.com")?;
    // `BUCKET.s3.REGION`, `BUCKET.s3-REGION`, `s3.REGION/BUCKET`.
    let is_s3 = |host: &str| host == "s3" || host.starts_with("s3.") || host.starts_with("s3-");
    if is_s3(host) {
        return (!path.is_empty()).then_some(path);
    }
    let (at, _) = host.match_indices('.').find(|(at, _)| is_s3(&host[at + 1..]))?;
    Some(format!("{}/{path}", &host[..at]))
}

/// The text as it looks: without what cannot be seen, and with the ASCII that is taken for the rest.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars().filter(|c| !is_hidden(*c)) {
        match taken_for(character).filter(|other| other.is_ascii()) {
            Some(other) => out.push_str(other),
            None => out.push(character),
        }
    }
    out
}

/// The text with escapes such as `%20` undone. `None` if there are none, or if what they say is not
/// UTF-8 or has a control character.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code =
            text.get(at + 1..at + 3).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| byte == b'%') {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    let decoded = String::from_utf8(out).ok()?;
    (decoded != text && !decoded.contains(|c: char| c.is_control())).then_some(decoded)
}

/// A plain text as the glob that its author had in mind: of a folder, all that is in it.
pub(crate) fn as_glob(text: &str) -> String {
    let folder =
        text.strip_suffix('/').or_else(|| text.strip_suffix("/*").filter(|f| !f.is_empty()));
    match folder {
        Some(folder) => format!("{folder}/**"),
        None => text.to_owned(),
    }
}
