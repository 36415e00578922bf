//! Policies of IAM, against an evaluator of IAM's that shares nothing with the code: written from AWS's
//! documentation ("IAM JSON policy elements: Resource", "Policy evaluation logic", "IAM policy
//! elements: Variables and tags", "String condition operators").
//!
//! `PATHWARD_COMPARISONS` is the number of comparisons, `PATHWARD_SEED` where chance starts.

#![expect(clippy::panic, reason = "a test that fails panics")]

mod export;
mod import;

use pathward::{
    Access, Connection, Effect, Path, Policy, Restriction, Verdict,
    analysis::{
        Language, States,
        iam::{Action, Document, Relation, Rounding, Statement, export, import},
    },
};

use crate::common::{Chance, comparisons, from_env};

// ---- IAM, from its documentation ------------------------------------------------------------

/// One sign of a pattern. "You can use a combination of characters (`*`) or any single character
/// (`?`)"; `${*}`, `${?}` and `${$}` are "special characters that have fixed values".
enum Sign {
    Any,
    One,
    Exactly(char),
}

fn signs(text: &str) -> Vec<Sign> {
    let characters: Vec<char> = text.chars().collect();
    let mut signs = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        let (sign, len) = match characters[at..] {
            ['$', '{', sign, '}', ..] => (Sign::Exactly(sign), 4),
            ['$', '{', ..] => panic!("a variable in {text}"),
            ['*', ..] => (Sign::Any, 1),
            ['?', ..] => (Sign::One, 1),
            [other, ..] => (Sign::Exactly(other), 1),
            [] => unreachable!(),
        };
        signs.push(sign);
        at += len;
    }
    signs
}

/// "The asterisk can expand to replace everything within a segment, including characters like a
/// forward slash." Goes back to the last star where what follows does not fit.
fn matches(pattern: &str, value: &str) -> bool {
    let (signs, value) = (signs(pattern), value.chars().collect::<Vec<_>>());
    let (mut s, mut v) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while v < value.len() {
        match signs.get(s) {
            Some(Sign::Any) => {
                star = Some((s, v));
                s += 1;
            }
            Some(Sign::One) => (s, v) = (s + 1, v + 1),
            Some(Sign::Exactly(sign)) if *sign == value[v] => (s, v) = (s + 1, v + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (s, v) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    signs[s..].iter().all(|sign| matches!(sign, Sign::Any))
}

/// A request: an action on the resource behind `arn:aws:s3:::`, and the context keys `s3:prefix` and
/// `s3:delimiter`, which requests for objects do not have.
#[derive(Clone, Copy)]
struct Asked<'a> {
    action: Action,
    resource: &'a str,
    prefix: Option<&'a str>,
    delimiter: Option<&'a str>,
    world: World<'a>,
}

/// What else a request comes with: the value of every policy variable, and which statements have the conditions met
/// that are written as texts here.
#[derive(Clone, Copy)]
struct World<'a> {
    user: &'a str,
    met: u64,
}

const NO_WORLD: World<'static> = World { user: "", met: 0 };

/// "The variable is replaced with a value from the request context", whatever that is: a star in it is one.
fn substituted(pattern: &str, user: &str) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once("${aws:username}") {
        text.push_str(before);
        for sign in user.chars() {
            match sign {
                '*' | '?' | '$' => text.push_str(&format!("${{{sign}}}")),
                other => text.push(other),
            }
        }
        rest = behind;
    }
    text + rest
}

/// Whether a statement applies to a request. `NotResource` "matches every resource except those specified"; where "the
/// key that you specify is not present in the request context, the values do not match".
fn applies(n: usize, statement: &Statement, asked: &Asked<'_>) -> bool {
    let like =
        |pattern: &String, value: &str| matches(&substituted(pattern, asked.world.user), value);
    statement.actions.contains(&asked.action)
        && statement.is_inverted
            != statement.resources.iter().any(|pattern| like(pattern, asked.resource))
        && statement.prefixes.as_ref().is_none_or(|prefixes| {
            asked.prefix.is_some_and(|value| prefixes.iter().any(|prefix| like(prefix, value)))
        })
        && (!statement.is_delimited || asked.delimiter == Some("/"))
        && (statement.conditions.is_empty() || asked.world.met >> (n % 64) & 1 == 1)
}

/// "An explicit deny in any policy overrides any allows"; "by default, all requests are denied".
fn is_allowed(policy: &Document, asked: &Asked<'_>) -> bool {
    let any = |effect| {
        let mut statements = policy.statements.iter().enumerate();
        statements.any(|(n, statement)| statement.effect == effect && applies(n, statement, asked))
    };
    any(Effect::Allow) && !any(Effect::Deny)
}

/// Whether some listing shows a key: one without a prefix or with one that the key starts with, and without
/// a delimiter, or with `/` where none is behind the prefix. "Bucket ARNs" have no `/`.
fn is_listable(policy: &Document, path: &Path<'_>) -> bool {
    let text = path.to_string();
    let Some((bucket, key)) = text.split_once('/') else { return false };
    let ends = (0..=key.len()).filter(|end| key.is_char_boundary(*end));
    ends.map(Some).chain([None]).any(|end| {
        let (prefix, rest) = key.split_at(end.unwrap_or_default());
        let prefix = end.map(|_| prefix);
        let asked = |delimiter| Asked {
            action: Action::ListBucket,
            resource: bucket,
            prefix,
            delimiter,
            world: NO_WORLD,
        };
        is_allowed(policy, &asked(None))
            || !rest.contains('/') && is_allowed(policy, &asked(Some("/")))
    })
}

/// What is said of the names that may be listed is true of a path.
fn assert_listed(
    said: &Relation,
    document: &Document,
    path: &Path<'_>,
    reads: bool,
    show: &dyn Fn() -> String,
) {
    let lists = is_listable(document, path);
    match said {
        Relation::Equal => assert_eq!(lists, reads, "{path:?} {}", show()),
        Relation::Wider(_) => assert!(lists || !reads, "{path:?} {}", show()),
        Relation::Narrower(_) => assert!(reads || !lists, "{path:?} {}", show()),
        Relation::Neither { .. } | Relation::Undecided { .. } => {}
    }
}

/// A path that is said to be listed by one side alone is.
fn assert_witnesses(
    said: &Relation,
    document: &Document,
    reads: &dyn Fn(&Path<'_>) -> bool,
    show: &dyn Fn() -> String,
) {
    for (witness, is_wider) in [(said.wider(), true), (said.narrower(), false)] {
        let Some(path) = witness else { continue };
        assert_eq!(is_listable(document, path), is_wider, "{path:?} {}", show());
        assert_eq!(reads(path), !is_wider, "{path:?} {}", show());
    }
}

#[test]
fn the_evaluator_is_what_the_documentation_says() {
    for (pattern, value, expected) in [
        // The examples of "Using wildcards in resource ARNs".
        ("b/*/test/*", "b/1/test/object.jpg", true),
        ("b/*/test/*", "b/1/2/test/3/object.jpg", true),
        ("b/*/test/*", "b/1///test///object.jpg", true),
        ("b/*/test/*", "b//test/object.jpg", true),
        ("b/*/test/*", "b/1/test/", true),
        ("b/*/test/*", "b/1-test/object.jpg", false),
        ("b/*/test/*", "b/test/object.jpg", false),
        ("b/?", "b/é", true),
        ("b/?", "b/", false),
        ("b/${*}${?}${$}", "b/*?$", true),
        ("b/${*}", "b/x", false),
        ("a*b*c", "aXbYbZc", true),
        ("*", "", true),
    ] {
        assert_eq!(matches(pattern, value), expected, "{pattern} {value}");
    }
}

// ---- connections by chance ------------------------------------------------------------------

const PIECES: [&str; 20] = [
    "pub", "pub", "/", "/", "/", "a", "b", "*", "?", "$", "{", "}", "é", "日", ".csv", "-", "${",
    "a/", "\\*", "//",
];
const GLOBS: [&str; 12] =
    ["pub", "/", "/", "a", "b", "*", "/**/", "?", "[ab]", "{a,b/c}", "[!a]", ".csv"];

fn pick<'p>(chance: &mut Chance, from: &[&'p str]) -> &'p str {
    from[chance.below(from.len())]
}

fn text(pieces: &[&str], chance: &mut Chance) -> String {
    let start = pick(chance, &["pub/", "pub/", "pub", "pub-a/", "*", ""]);
    let mut text = start.to_owned();
    (0..chance.below(6)).for_each(|_| text.push_str(pick(chance, pieces)));
    text
}

/// A YAML list of entries that load, and the restrictions.
fn list(
    most: usize,
    is_deny: bool,
    chance: &mut Chance,
    restrictions: &mut Vec<Restriction>,
) -> String {
    let mut yaml = String::new();
    for _ in 0..=chance.below(most) {
        let is_glob = chance.one_in(4);
        let text = text(if is_glob { &GLOBS } else { &PIECES }, chance);
        let parse = if is_glob { Restriction::parse_glob } else { Restriction::parse };
        let Ok(restriction) = parse(&text) else { continue };
        let field = if is_glob { "glob" } else { "path" };
        let quoted = text.replace('\\', "\\\\");
        let access = match (is_deny, chance.below(4)) {
            (_, 0) => ", access: [read]",
            (_, 1) => ", access: [write, delete]",
            (false, 2) => ", access: read-write",
            _ => "",
        };
        yaml.push_str(&format!("      - {{ {field}: \"{quoted}\"{access} }}\n"));
        restrictions.push(restriction);
    }
    yaml
}

fn connection(chance: &mut Chance) -> Option<(Policy, Vec<Restriction>, String)> {
    let mut restrictions = Vec::new();
    let allows = list(5, false, chance, &mut restrictions);
    if allows.is_empty() {
        return None;
    }
    let denies =
        if chance.one_in(2) { String::new() } else { list(3, true, chance, &mut restrictions) };
    let keys = if chance.one_in(5) { "    keys: plain\n" } else { "" };
    let deny = if denies.is_empty() { "" } else { "    deny:\n" };
    let yaml = format!(
        "connections:\n  - id: s3+x\n    owner: o\n{keys}    restrictions:\n{allows}{deny}{denies}"
    );
    let policy =
        Policy::from_yaml("chance", &yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    Some((policy, restrictions, yaml))
}

/// A path that some restriction nearly matches.
fn path(restrictions: &[Restriction], chance: &mut Chance) -> String {
    let mut path = String::new();
    let letters =
        ["a", "b", "/", "x", "é", "日", "?", "$", "*", "{", "}", "\\", ".csv", "pub", "-"];
    for character in chance.pick(restrictions).text().chars() {
        match character {
            '\\' | '[' | ']' | '!' => {}
            '*' | '?' => (0..chance.below(3)).for_each(|_| path.push_str(pick(chance, &letters))),
            _ if chance.one_in(25) => path.push_str(pick(chance, &letters)),
            other => path.push(other),
        }
    }
    while path.ends_with('/') || chance.one_in(5) {
        path.push_str(pick(chance, &letters));
    }
    path
}

fn action(access: Access) -> Action {
    Action::of(access)[0]
}

fn gives(connection: &Connection, path: &Path<'_>, access: Access) -> bool {
    Language::of_connection(connection, access).contains(path)
}
