//! Guessing where a secret stands, in a file that may not be readable at all.
//!
//! What is wrong with a policy is shown with its line, on terminals and in the logs of CI. Whoever
//! writes a secret where a reference belongs makes a mistake, often together with another one
//! (an indentation, a quote), and then neither the fields nor even YAML say where the secret is.
//! So every line is looked at as text before it is shown. It is better to hide too much: the place
//! and the message are there in any case.

use std::borrow::Cow;

use super::{fields, report::Span};

/// Whether the line of this place may hold a secret.
pub(super) fn in_line(text: &str, span: Span) -> bool {
    let (line, start) = line_around(text, span);
    if says_secret(line) || has_form(line) {
        return true;
    }
    let above = Above::of(text, start);
    is_below_secrets(line, &above) || is_torn_off(line, &above)
}

/// Some of the text above a line: however long the lines are, only so much is looked at.
struct Above<'t> {
    text: &'t str,
    /// There is more above it.
    is_cut: bool,
}

impl<'t> Above<'t> {
    const BYTES: usize = 16 << 10;
    const LINES: usize = 64;

    fn of(text: &'t str, end: usize) -> Self {
        let from = text.floor_char_boundary(end.saturating_sub(Self::BYTES));
        Self { text: text.get(from..end).unwrap_or_default(), is_cut: from > 0 }
    }

    /// Its lines, from the last one up.
    fn lines(&self) -> impl Iterator<Item = &'t str> {
        self.text.lines().rev().take(Self::LINES)
    }
}

/// The beginning and the end of a line, where it is long.
fn ends(line: &str) -> Cow<'_, str> {
    const SOME: usize = 1_024;
    if line.len() <= 2 * SOME {
        return Cow::Borrowed(line);
    }
    let head = line.get(..line.floor_char_boundary(SOME)).unwrap_or_default();
    let tail = line.get(line.floor_char_boundary(line.len() - SOME)..).unwrap_or_default();
    Cow::Owned(format!("{head}{tail}"))
}

/// Whether some of a text has the form of a secret.
pub(super) fn has_form(text: &str) -> bool {
    matches!(redact(text), Cow::Owned(_))
}

/// A text without what has the form of a secret, whatever stands around it: an access key id of AWS,
/// a long run of letters of both cases and digits, forty characters of base64 in no order.
///
/// The parts of ordinary paths are not hidden: a run ends at a `/`, `-`, `_` or `.`.
pub(super) fn redact(text: &str) -> Cow<'_, str> {
    let in_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '=' | '/');
    let mut shown = None;
    let (mut done, mut at) = (0, 0);
    while let Some(gap) = text.get(at..).and_then(|rest| rest.find(in_base64)) {
        let from = at + gap;
        let rest = text.get(from..).unwrap_or_default();
        let run = rest.get(..rest.find(|c| !in_base64(c)).unwrap_or(rest.len())).unwrap_or(rest);
        at = from + run.len();
        if is_secret_run(run) {
            let shown = shown.get_or_insert_with(String::new);
            shown.push_str(text.get(done..from).unwrap_or_default());
            shown.push('…');
            done = at;
        }
    }
    match shown {
        Some(shown) => Cow::Owned(shown + text.get(done..).unwrap_or_default()),
        None => Cow::Borrowed(text),
    }
}

/// Whether a run of base64 has the form of a secret.
fn is_secret_run(run: &str) -> bool {
    const RUN: usize = 30;
    const KEY_ID: usize = 12;
    let is_key_id = ["AKIA", "ASIA"].iter().flat_map(|start| run.match_indices(start)).any(|at| {
        let behind = run.as_bytes().get(at.0 + at.1.len()..).unwrap_or_default();
        let in_id = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        behind.iter().take(KEY_ID).take_while(in_id).count() == KEY_ID
    });
    let has_all = |part: &str| {
        part.bytes().any(|byte| byte.is_ascii_uppercase())
            && part.bytes().any(|byte| byte.is_ascii_lowercase())
            && part.bytes().any(|byte| byte.is_ascii_digit())
    };
    // A secret key of AWS has 40 characters, often with a `/` among them. In the words of a path,
    // letters turn from large to small, and seldom into anything else.
    let turns = |two: &&[u8]| match two {
        [a, b] if a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric() => {
            let is_word = a.is_ascii_uppercase() && b.is_ascii_lowercase();
            let of_a_kind = a.is_ascii_uppercase() == b.is_ascii_uppercase()
                && a.is_ascii_digit() == b.is_ascii_digit();
            !is_word && !of_a_kind
        }
        _ => false,
    };
    let turns = || run.as_bytes().windows(2).filter(turns).count();
    is_key_id
        || run.split('/').any(|part| part.len() >= RUN && has_all(part))
        || run.len() == 40 && has_all(run) && turns() >= 7
}

/// Whether the name of a field says that its value is a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name != "keys" && SIGNS.iter().any(|sign| name.contains(sign))
}

/// Some of the text around a place, within its line, and where that starts in the file.
pub(super) fn line_around(text: &str, span: Span) -> (&str, usize) {
    const SOME: usize = 1_024;
    let at = text.floor_char_boundary(span.range().start.min(text.len()));
    let floor = text.floor_char_boundary(at.saturating_sub(SOME));
    let ceiling = text.floor_char_boundary(at.saturating_add(SOME).min(text.len()));
    let before = text.get(floor..at).unwrap_or_default();
    let after = text.get(at..ceiling).unwrap_or_default();
    let from = floor + before.rfind(['\n', '\r']).map_or(0, |feed| feed + 1);
    let to = at + after.find(['\n', '\r']).unwrap_or(after.len());
    (text.get(from..to).unwrap_or_default(), from)
}

/// What the names of secrets have in them.
const SIGNS: [&str; 7] = ["secret", "passw", "token", "key", "credential", "sha256", "auth"];
/// What secrets are called too, in words that are other things as well: only where a value follows.
const NAMES: [&str; 12] = [
    "pw",
    "pwd",
    "pass",
    "sas",
    "sig",
    "signature",
    "private",
    "cred",
    "creds",
    "access_id",
    "pin",
    "cert",
];
/// The names of references to secrets.
const REFERENCES: [&str; 3] = ["env", "file", "profile"];

/// Whether a word of the line is the name of a secret, and something that is no path stands behind.
fn says_secret(line: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '"' | '\'');
    let mut rest = line;
    let mut before = None;
    while let Some(from) = rest.find(in_word) {
        let gap = rest.get(..from).unwrap_or_default();
        before = gap.chars().next_back().or(before);
        rest = rest.get(from..).unwrap_or_default();
        let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        let name = word.trim_matches(['"', '\'']);
        let is_name = is_secret_name(name) || is_nearly_secret(name) || REFERENCES.contains(&name);
        // Between signs of a glob it is a name among others.
        let in_group =
            behind.starts_with(['|', ')', '}']) || gap.ends_with("/{") && behind.starts_with(',');
        let in_path = before == Some('/') || behind.starts_with(['/', '.']) || in_group;
        let is_named = NAMES.contains(&name) && behind.trim_start().starts_with([':', '=']);
        if is_named || is_name && !in_path && !behind.trim().is_empty() {
            return true;
        }
        before = word.chars().next_back();
        rest = behind;
    }
    has_userinfo(line)
}

/// Whether one letter is wrong in the name of a secret.
fn is_nearly_secret(name: &str) -> bool {
    ["secret", "password", "token", "sha256", "credentials", "profile"]
        .iter()
        .any(|known| name.len().abs_diff(known.len()) <= 1 && fields::distance(name, known) <= 1)
}

/// Whether something like `user:password@host` is in the line, or an address with a port that is
/// none.
fn has_userinfo(line: &str) -> bool {
    let last_at = line.rfind('@').unwrap_or_default();
    let scheme = line.find("://").map_or(line.len(), |at| at + 2);
    line.match_indices(':').any(|(at, _)| {
        let behind = line.get(at + 1..).unwrap_or_default();
        let rest = behind.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_port = rest.is_empty() || !rest.starts_with(|c: char| c.is_alphanumeric());
        last_at > at && !behind.starts_with(char::is_whitespace) || at > scheme && !is_port
    })
}

/// Whether the line continues the one above it, in which the name of a secret stands or starts.
fn is_torn_off(line: &str, above: &Above<'_>) -> bool {
    let Some(previous) = above.lines().find(|line| !line.trim().is_empty()) else {
        return above.is_cut;
    };
    let previous = &*ends(previous.trim_end());
    let name = first_word(previous);
    let names_secret = is_secret_name(name) || REFERENCES.contains(&name) || says_secret(previous);
    // A line break may also have got into a name, or into a value.
    let is_open = previous.ends_with(':')
        || !previous.contains(": ")
        || previous.matches('{').count() > previous.matches('}').count();
    let content = line.trim_start();
    let is_start = ["connections", "users"].contains(&first_word(content));
    !line.contains(": ") && names_secret
        || is_open && !content.starts_with('-') && says_secret(&format!("{previous}{content}"))
        || depth(line) == 0 && !is_start && (names_secret || previous.contains("://"))
}

/// Whether the lines above say, by their indentation, that this one belongs to credentials or to
/// the keys of a user.
fn is_below_secrets(line: &str, above: &Above<'_>) -> bool {
    let mut depth = depth(line);
    let mut lines = 0;
    for line in above.lines() {
        lines += 1;
        if line.trim().is_empty() {
            continue;
        }
        if depth == 0 {
            return false;
        }
        let indent = line.len() - line.trim_start().len();
        if indent < depth {
            depth = self::depth(line);
            let name = first_word(line);
            let has_value = line.split_once(": ").is_some_and(|(_, value)| {
                !value.trim().is_empty() && !value.trim_start().starts_with(['#', '|', '>'])
            });
            let near = fields::nearest(name, &["credentials"]).is_some()
                || fields::nearest(name, &["keys"]).is_some();
            if near && !has_value {
                return true;
            }
        }
    }
    // The lines above are too long to be looked at: who knows what this belongs to.
    above.is_cut && lines < Above::LINES && depth > 0
}

/// How far a line is indented; an item of a list may stand as far left as the name of the list.
fn depth(line: &str) -> usize {
    let content = line.trim_start();
    line.len() - content.len() + usize::from(content.starts_with('-'))
}

fn first_word(line: &str) -> &str {
    let start = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    let end = start.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-'));
    start.get(..end.unwrap_or(start.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_names_a_secret_is_one_and_a_path_is_none() {
        for line in [
            "secret: x",
            "  aws_secret_access_key x",
            "- { id: a, credentials: { env: X } }",
            "\"api-key\" : x",
            "endpoint: https://user:pw@host",
            "endpoint: https://user:pw",
            "endpoint: https://user:9pw",
            "endpoint: ttp//user:pw@host",
            "pw: x",
            "{ sas: x }",
            "access_id: x",
            "endpoint: https://host/?sig=x",
        ] {
            assert!(says_secret(line), "{line}");
        }
        for line in [
            "- reports/secret/",
            "- reports/secret/x #1",
            "- secret-bucket/*",
            "- tokens.json",
            "deny: [reports/secret/x]",
            "keys: strict",
            "endpoint: https://host:9000",
            "{ endpoint: https://host:99999, id: s3+a }",
            "endpoint: https://host/x",
            "- @home/*",
            "- my-secret",
            "- { glob: \"data/+(secret|token)/**\" }",
            "- { glob: \"data/{secret,token}/**\" }",
            "- private",
            "deny: [pw, sas/x]",
        ] {
            assert!(!says_secret(line), "{line}");
        }
    }

    #[test]
    fn what_has_the_form_of_a_secret_is_taken_out_and_a_path_is_not() {
        for secret in [
            "AKIAIOSFODNN7EXAMPLE",
            "ASIA123456789012",
            "wJalrXUtnFEMIxK7MDENGxbPxRfiCYEXAMPLEKEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "aB3aB3aB3aB3aB3aB3aB3aB3aB3a+=",
        ] {
            assert_eq!(redact(&format!("a: {secret}, b")), "a: …, b");
            assert_eq!(redact(&format!("x/y-{secret}.\"ü")).matches(secret).count(), 0);
        }
        for path in [
            "data-lake/Team1/Set42/part-00000-9f86d081.csv",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "DataLake/Team1/Reports/Yearly/Finance/Y2",
            "Algorithmia/2026/01/Report.PDF",
            "tests/PolicyErrorsWithLongNamesOfFoldersInThem",
            "AKIA/x",
        ] {
            assert!(!has_form(path), "{path}");
        }
    }
}
