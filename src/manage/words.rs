//! What a restriction means, in words.

use crate::{
    access::{Access, AccessSet},
    automaton::Effect,
    escape::escape,
    restriction::{ByteSet, Dialect, Pattern, Restriction, Token},
};

/// How many forms of a glob are told one by one.
const FORMS: usize = 3;
/// How many parts of a pattern are told one by one.
const PARTS: usize = 12;

/// What a rule gives or takes, as a sentence without its full stop.
pub(super) fn of_rule(restriction: &Restriction, access: AccessSet, effect: Effect) -> String {
    format!("{} {}", of_restriction(restriction), of_access(access, effect))
}

/// What may be done, or may not: `may be read`.
pub(super) fn of_access(access: AccessSet, effect: Effect) -> String {
    let names: Vec<&str> = access
        .iter()
        .map(|access| match access {
            Access::Read => "read",
            Access::Write => "written",
            Access::Delete => "deleted",
        })
        .collect();
    let (may, or) = match effect {
        Effect::Allow => ("may be", "and"),
        Effect::Deny => ("may not be", "or"),
    };
    match &*names {
        [] => format!("{may} used in no way"),
        [one] => format!("{may} {one}"),
        [first, second] => format!("{may} {first} {or} {second}"),
        [first @ .., last] => format!("{may} {} {or} {last}", first.join(", ")),
    }
}

/// The paths that a restriction matches.
pub(super) fn of_restriction(restriction: &Restriction) -> String {
    let patterns = restriction.patterns();
    if restriction.dialect() == Dialect::Glob {
        let known: Option<Vec<String>> = patterns.iter().map(of_simple).collect();
        return match known {
            Some(forms) if forms.len() <= FORMS => forms.join(", or "),
            _ => format!(
                "every path that the glob {} matches, where `*` and `?` stay within one folder",
                quoted(restriction.text().as_bytes())
            ),
        };
    }
    patterns.iter().map(of_pattern).collect::<Vec<_>>().join(", or ")
}

/// A pattern that has words of its own, rather than a list of its parts.
fn of_simple(pattern: &Pattern) -> Option<String> {
    let is_known = |token: &Token| match token {
        Token::Literal(_) => true,
        Token::Run(set) => *set == ByteSet::ALL || *set == ByteSet::segment(),
        Token::One(_) => false,
    };
    (pattern.tokens().iter().all(is_known) && pattern.tokens().len() <= PARTS)
        .then(|| of_pattern(pattern))
}

fn of_pattern(pattern: &Pattern) -> String {
    match pattern.tokens() {
        [Token::Literal(path)] => one_path(path),
        [token] if *token == Token::STAR => "everything, in every bucket,".to_owned(),
        [Token::Literal(start), token] if *token == Token::STAR => below(start),
        [token, Token::Literal(end)] if *token == Token::STAR => {
            format!("every path that ends with {}, in every bucket,", quoted(end))
        }
        [Token::Literal(start), run @ Token::Run(_), Token::Literal(end)] => format!(
            "every path that starts with {}, ends with {} and has {} between",
            quoted(start),
            quoted(end),
            of_token(run)
        ),
        tokens => {
            let mut parts: Vec<String> = tokens.iter().take(PARTS).map(of_token).collect();
            if tokens.len() > PARTS {
                parts.push("more of the same kind".to_owned());
            }
            format!("every path that is {}", parts.join(", then "))
        }
    }
}

fn of_token(token: &Token) -> String {
    match token {
        Token::Literal(bytes) => quoted(bytes),
        Token::Run(set) if *set == ByteSet::ALL => "anything (or nothing)".to_owned(),
        Token::Run(set) if *set == ByteSet::segment() => {
            "anything (or nothing) without a `/`".to_owned()
        }
        Token::Run(_) => "some characters of a class".to_owned(),
        Token::One(_) => "a character".to_owned(),
    }
}

/// A path without a wildcard.
fn one_path(path: &[u8]) -> String {
    match split(path) {
        (bucket, None) => {
            format!("the name of the bucket {} alone, and no object in it,", quoted(bucket))
        }
        (bucket, Some(key)) => {
            format!("the one object {} of the bucket {}", quoted(key), quoted(bucket))
        }
    }
}

/// Everything that starts so.
fn below(start: &[u8]) -> String {
    let (bucket, key) = split(start);
    match key {
        None => format!(
            "everything in every bucket whose name starts with {}, such as {},",
            quoted(bucket),
            quoted(&[bucket, b"-private"].concat())
        ),
        Some(b"") => format!("everything in the bucket {}", quoted(bucket)),
        Some(key) => match key.strip_suffix(b"/") {
            Some(folder) => format!(
                "everything in the folder {} of the bucket {}",
                quoted(folder),
                quoted(bucket)
            ),
            None => format!(
                "everything in the bucket {} whose key starts with {}, such as {} and {},",
                quoted(bucket),
                quoted(key),
                quoted(key),
                quoted(&[key, b"-other/x"].concat())
            ),
        },
    }
}

/// A bucket, and what stands behind its `/`.
fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match path.iter().position(|byte| *byte == b'/') {
        Some(at) => (path.get(..at).unwrap_or_default(), path.get(at + 1..)),
        None => (path, None),
    }
}

/// Text between backticks. What cannot be seen is escaped: two texts that look alike are alike.
fn quoted(bytes: &[u8]) -> String {
    format!("`{}`", escape(&String::from_utf8_lossy(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_words_of_its_own() {
        for (text, words) in [
            ("*", "everything, in every bucket, may be read"),
            (
                "Algorithmia/team.jpg",
                "the one object `team.jpg` of the bucket `Algorithmia` may be read",
            ),
            ("Algorithmia/*", "everything in the bucket `Algorithmia` may be read"),
            ("Algorithmia/", "everything in the bucket `Algorithmia` may be read"),
            ("pub/a/b/", "everything in the folder `a/b` of the bucket `pub` may be read"),
            (
                "Algorithmia*",
                "everything in every bucket whose name starts with `Algorithmia`, such as \
                 `Algorithmia-private`, may be read",
            ),
            (
                "pub/dat*",
                "everything in the bucket `pub` whose key starts with `dat`, such as `dat` and \
                 `dat-other/x`, may be read",
            ),
            ("pub", "the name of the bucket `pub` alone, and no object in it, may be read"),
            ("*.csv", "every path that ends with `.csv`, in every bucket, may be read"),
            (
                "pub/*.csv",
                "every path that starts with `pub/`, ends with `.csv` and has anything (or nothing) \
                 between may be read",
            ),
            (
                "logs/*/2026-*/part-*.parquet",
                "every path that is `logs/`, then anything (or nothing), then `/2026-`, then anything \
                 (or nothing), then `/part-`, then anything (or nothing), then `.parquet` may be read",
            ),
            (r"pub/\*", "the one object `*` of the bucket `pub` may be read"),
        ] {
            let restriction = Restriction::parse(text).unwrap();
            let found = of_rule(&restriction, AccessSet::READ_ONLY, Effect::Allow);
            assert_eq!(found, words, "{text}");
        }
    }

    #[test]
    fn globs_are_told_by_their_forms_or_by_themselves() {
        let words = |text| of_restriction(&Restriction::parse_glob(text).unwrap());
        assert_eq!(words("logs/**"), "everything in the bucket `logs`");
        assert_eq!(
            words("logs/*.gz"),
            "every path that starts with `logs/`, ends with `.gz` and has anything (or nothing) \
             without a `/` between"
        );
        assert_eq!(
            words("logs/{app,web}/x"),
            "the one object `app/x` of the bucket `logs`, or the one object `web/x` of the bucket \
             `logs`"
        );
        for text in ["logs/[a-c]x", "logs/?", "logs/{a,b,c,d}/x"] {
            assert!(words(text).contains(&format!("the glob `{text}`")), "{}", words(text));
        }
    }

    #[test]
    fn accesses_and_denies_are_said() {
        let deny = |access| of_access(access, Effect::Deny);
        assert_eq!(deny(AccessSet::READ_WRITE), "may not be read, written or deleted");
        assert_eq!(deny(AccessSet::NONE.with(Access::Write)), "may not be written");
        let both = AccessSet::READ_ONLY.with(Access::Write);
        assert_eq!(of_access(both, Effect::Allow), "may be read and written");
        let hidden = Restriction::parse("pub/\u{202e}gpj.x").unwrap();
        assert!(of_restriction(&hidden).contains(r"\u{202e}"));
    }
}
