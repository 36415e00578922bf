//! Policies of IAM, against an evaluator of IAM's that shares nothing with the code: written from AWS's
//! documentation ("IAM JSON policy elements: Resource", "Policy evaluation logic", "IAM policy
//! elements: Variables and tags", "String condition operators").
//!
//! `PATHWARD_COMPARISONS` is the number of comparisons, `PATHWARD_SEED` where chance starts.

#![expect(clippy::panic, reason = "a test that fails panics")]

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

#[test]
fn an_exported_policy_gives_what_it_is_said_to() {
    let mut chance = Chance(from_env("PATHWARD_SEED").unwrap_or(17));
    let most = comparisons(2_000_000, 120_000);
    let (mut pairs, mut allowed, mut listings) = (0_u64, 0_u64, 0_u64);
    let mut relations = [0_u64; 5];
    while pairs < most {
        let Some((policy, restrictions, yaml)) = connection(&mut chance) else { continue };
        let connection = &policy.connections()[0];
        let rounding = *chance.pick(&[Rounding::Wider, Rounding::Wider, Rounding::Narrower]);
        let export = export(connection, rounding);
        let document = &export.document;
        let mut said = export.relations(connection, States::new(1 << 14));
        // Seldom it takes more, such as with seed 34.
        let is_undecided = |relation: &Relation| matches!(relation, Relation::Undecided { .. });
        if said.accesses.iter().any(|(_, relation)| is_undecided(relation)) {
            said = export.relations(connection, States::default());
        }
        let show = || format!("{yaml}{document:#?}\n{said:#?}");
        for (access, relation) in &said.accesses {
            relations[match relation {
                Relation::Equal => 0,
                Relation::Wider(_) => 1,
                Relation::Narrower(_) => 2,
                Relation::Neither { .. } => 3,
                Relation::Undecided { .. } => 4,
            }] += 1;
            // A path that is said to show a difference shows it.
            for (witness, is_wider) in [(relation.wider(), true), (relation.narrower(), false)] {
                let Some(path) = witness else { continue };
                let resource = path.to_string();
                let asked = Asked {
                    action: action(*access),
                    resource: &resource,
                    prefix: None,
                    delimiter: None,
                    world: NO_WORLD,
                };
                assert_eq!(is_allowed(document, &asked), is_wider, "{path:?} {}", show());
                assert_eq!(gives(connection, path, *access), !is_wider, "{path:?} {}", show());
            }
            assert!(
                rounding == Rounding::Narrower || said.listed.narrower().is_none(),
                "{}",
                show()
            );
            // What is not rounded is equal, and what is rounded goes one way alone.
            match (export.inexact.is_empty(), rounding) {
                _ if is_undecided(relation) => {}
                (true, _) => assert_eq!(*relation, Relation::Equal, "{}", show()),
                (false, Rounding::Wider) => assert!(relation.narrower().is_none(), "{}", show()),
                (false, Rounding::Narrower) => assert!(relation.wider().is_none(), "{}", show()),
            }
        }
        let reads = |path: &Path<'_>| gives(connection, path, Access::Read);
        assert_witnesses(&said.listed, document, &reads, &show);
        for _ in 0..12 {
            let resource = path(&restrictions, &mut chance);
            let Ok(path) = Path::new(&resource) else { continue };
            if path.key().is_empty() {
                continue;
            }
            assert_listed(&said.listed, document, &path, reads(&path), &show);
            for (access, relation) in &said.accesses {
                let asked = Asked {
                    action: action(*access),
                    resource: &resource,
                    prefix: None,
                    delimiter: None,
                    world: NO_WORLD,
                };
                let iam = is_allowed(document, &asked);
                let ours = gives(connection, &path, *access);
                let (may_add, may_lack) = match relation {
                    Relation::Equal => (false, false),
                    Relation::Wider(_) => (true, false),
                    Relation::Narrower(_) => (false, true),
                    Relation::Neither { .. } | Relation::Undecided { .. } => (true, true),
                };
                assert!(ours || !iam || may_add, "{resource} {access} {}", show());
                assert!(iam || !ours || may_lack, "{resource} {access} {}", show());
                pairs += 1;
                allowed += u64::from(ours);
            }
            if rounding == Rounding::Wider {
                listings += listed(connection, document, &path, &show);
            }
        }
    }
    println!(
        "{pairs} pairs, {allowed} of them allowed, {listings} listings; relations {relations:?}"
    );
    assert!(1_000 * relations[4] < relations.iter().sum(), "{relations:?}");
    assert!(allowed > pairs / 20 && listings > pairs / 100 && relations[1] > 0 && relations[2] > 0);
}

/// Every listing that a narrowed plan asks for, of the directories above a path, is allowed. (Of a folder
/// the executor asks further down, at what the restrictions below start with.)
fn listed(
    connection: &Connection,
    document: &Document,
    path: &Path<'_>,
    show: &dyn Fn() -> String,
) -> u64 {
    let mut asked = 0;
    let bytes = path.as_bytes();
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
        let directory = &bytes[..=at];
        let below = connection.automaton().below(directory);
        let prefixes = match below.all.contains(Access::Read) {
            true => vec![directory.to_vec()],
            false => connection.automaton().leads(directory, Access::Read),
        };
        for prefix in prefixes {
            let Ok(text) = std::str::from_utf8(&prefix) else { continue };
            let Some((bucket, prefix)) = text.split_once('/') else { continue };
            if prefix.ends_with('/') && text.len() > directory.len() {
                continue;
            }
            // A directory above what restrictions name is asked for where a wildcard leaves open what comes
            // next, or for what only denies and writes have below.
            let named = matches!(
                connection.automaton().here(text.as_bytes(), Access::Read),
                Verdict::Allowed(_)
            );
            if !named && text.len() == directory.len() && !below.all.contains(Access::Read) {
                let open = Asked {
                    action: Action::ListBucket,
                    resource: bucket,
                    prefix: Some(prefix),
                    delimiter: Some("/"),
                    world: NO_WORLD,
                };
                asked += u64::from(is_allowed(document, &open));
                continue;
            }
            let request = Asked {
                action: Action::ListBucket,
                resource: bucket,
                prefix: Some(prefix),
                delimiter: None,
                world: NO_WORLD,
            };
            assert!(is_allowed(document, &request), "{text} is listed {}", show());
            asked += 1;
        }
    }
    asked
}

/// Of `keys: plain` the export says what it refuses by denies. From these a search went through all combinations of
/// the patterns, for paths that the connection refuses anyway, and was given up: found with seed 33.
#[test]
fn what_plain_keys_refuse_needs_no_search() {
    let yaml = "\
connections:
  - id: s3+x
    owner: o
    keys: plain
    restrictions:
      - { glob: \"pub/**/{a,b/c}/**/{a,b/c}{a,b/c}\", access: [write, delete] }
      - { path: \"pub-a/${\", access: [read] }
";
    let policy = Policy::from_yaml("policy.yaml", yaml).unwrap_or_else(|error| panic!("{error}"));
    let connection = &policy.connections()[0];
    let exported = export(connection, Rounding::Wider);
    let denies = exported.document.statements.iter().filter(|s| s.effect == Effect::Deny);
    assert!(denies.flat_map(|deny| &deny.resources).any(|resource| resource == "*//*"));
    let said = exported.relations(connection, States::new(1 << 10));
    assert!(said.are_equal(), "{said:#?}");
}

// ---- import ---------------------------------------------------------------------------------

/// Whatever a variable stands for, whoever asks, and whether or not conditions are met.
#[test]
fn an_imported_policy_is_what_it_was() {
    let mut chance = Chance(from_env("PATHWARD_SEED").unwrap_or(18));
    let most = comparisons(1_000_000, 60_000);
    let (mut pairs, mut allowed, mut refused) = (0_u64, 0_u64, 0_u64);
    // Imported although they have `NotResource`, a condition, a variable, a marker, `?`, a bucket alone.
    let mut kinds = [0_u64; 6];
    while pairs < most {
        let odd = chance.one_in(2);
        let statements = (0..=chance.below(3)).map(|_| {
            let actions = match chance.below(4) {
                0 => vec![Action::Get, Action::ListBucket],
                1 => Action::of(Access::Write).to_vec(),
                2 => vec![Action::Get, Action::Delete],
                _ => vec![Action::Get],
            };
            let pieces = [
                "a",
                "b",
                "/",
                "*",
                "*",
                "${*}",
                "${?}",
                "${$}",
                "$",
                "\\",
                "é",
                "日",
                "?",
                "{",
                "${aws:username}",
            ];
            let mut resource = || {
                let mut text = pick(&mut chance, &["pub/", "pub/", "pub", "*"]).to_owned();
                (0..chance.below(5)).for_each(|_| {
                    let piece = pick(&mut chance, &pieces);
                    let is_seldom = matches!(piece, "?" | "${aws:username}");
                    // `$` before `{` would be a variable.
                    if !(text.ends_with('$') && piece.starts_with('{'))
                        && (!is_seldom || odd && chance.one_in(4))
                    {
                        text.push_str(piece);
                    }
                });
                text
            };
            let resources = vec![resource(), resource()];
            let effect = if chance.one_in(3) { Effect::Deny } else { Effect::Allow };
            let mut statement = Statement::new(effect, actions, resources);
            statement.is_inverted = odd && chance.one_in(5);
            if odd && chance.one_in(5) {
                statement.conditions.push("`Bool` on `aws:SecureTransport`".into());
            }
            statement
        });
        let document = Document { statements: statements.collect() };
        let Ok(imported) = import(&document) else {
            refused += 1;
            continue;
        };
        let said = imported.relations(&document, States::new(1 << 14));
        assert!(said.are_equal(), "{document:#?}\n{imported:#?}\n{said:#?}");
        let any = |is: &dyn Fn(&Statement) -> bool| u64::from(document.statements.iter().any(is));
        let resource = |is: fn(&str) -> bool| any(&|s| s.resources.iter().any(|text| is(text)));
        kinds[0] += any(&|s| s.is_inverted);
        kinds[1] += any(&|s| !s.conditions.is_empty());
        kinds[2] += resource(|text| text.contains("${aws"));
        kinds[3] += resource(|text| text.len() > 4 && text.ends_with('/'));
        kinds[4] += resource(|text| text.replace("${?}", "").contains('?'));
        kinds[5] += resource(|text| text == "pub");
        let restrictions: Vec<Restriction> =
            imported.entries().map(|entry| entry.restriction.clone()).collect();
        for _ in 0..10 {
            let resource = path(&restrictions, &mut chance);
            let Ok(path) = Path::new(&resource) else { continue };
            if path.key().is_empty() {
                continue;
            }
            let user = pick(&mut chance, &["", "a", "b", "*", "a/b", "/", "x"]);
            let world = World { user, met: chance.next() };
            for access in Access::ALL {
                let asked = Asked {
                    action: action(access),
                    resource: &resource,
                    prefix: None,
                    delimiter: None,
                    world,
                };
                let ours = Language::of_entries(imported.entries(), access).contains(&path);
                assert_eq!(
                    is_allowed(&document, &asked),
                    ours,
                    "{resource} {user} {:b} {document:#?}\n{imported:#?}",
                    world.met
                );
                pairs += 1;
                allowed += u64::from(ours);
            }
        }
    }
    println!(
        "{pairs} pairs, {allowed} of them allowed; {refused} policies refused; imported with \
         NotResource, conditions, variables, markers, `?`, buckets {kinds:?}"
    );
    assert!(allowed > pairs / 20);
    assert!(kinds.iter().all(|kind| *kind > 0), "{kinds:?}");
}

/// A connection shows the names of what may be read. No statement denies one of them to be listed, whatever its
/// conditions.
#[test]
fn what_an_import_shows_is_denied_by_no_statement() {
    let mut chance = Chance(from_env("PATHWARD_SEED").unwrap_or(20));
    let most = comparisons(300_000, 30_000);
    let (mut asked, mut imports, mut refused) = (0_u64, 0_u64, 0_u64);
    while asked < most {
        let buckets = ["pub", "p*", "*", "*b", "pub-a", "pub/*", "pub-a/*"];
        let objects = ["pub/*", "pub/a*", "*b/*", "pub-a/*", "pub/b/*", "*"];
        let mut statements = Vec::new();
        for _ in 0..=chance.below(4) {
            let (actions, pieces) = match chance.below(3) {
                0 => (vec![Action::ListBucket], &buckets[..]),
                1 => (vec![Action::Get, Action::ListBucket], &buckets[..]),
                _ => (vec![Action::Get], &objects[..]),
            };
            let resources = (0..=chance.below(2)).map(|_| pick(&mut chance, pieces).to_owned());
            let resources = resources.collect();
            let effect = if chance.one_in(2) { Effect::Deny } else { Effect::Allow };
            let mut statement = Statement::new(effect, actions, resources);
            let lists = statement.actions == [Action::ListBucket];
            statement.is_inverted = chance.one_in(4);
            if lists && chance.one_in(3) {
                let prefix = pick(&mut chance, &["", "a", "a*", "b/*", "*", "?"]);
                statement.prefixes = Some(vec![prefix.to_owned()]);
            }
            statement.is_delimited = lists && chance.one_in(4);
            if lists && chance.one_in(4) {
                statement.conditions.push("`IpAddress` on `aws:SourceIp`".into());
            }
            statements.push(statement);
        }
        let document = Document { statements };
        let Ok(imported) = import(&document) else {
            refused += 1;
            continue;
        };
        imports += 1;
        let readable = Language::of_entries(imported.entries(), Access::Read);
        for _ in 0..20 {
            let mut text = pick(&mut chance, &["pub/", "pub-a/", "pxb/", "xxb/"]).to_owned();
            (0..=chance.below(4))
                .for_each(|_| text.push_str(pick(&mut chance, &["a", "b", "/", "x"])));
            let Ok(path) = Path::new(&text) else { continue };
            asked += 1;
            if !readable.contains(&path) {
                continue;
            }
            let (bucket, key) = text.split_once('/').expect("a key");
            for end in (0..=key.len()).map(Some).chain([None]) {
                for delimiter in [None, Some("/")] {
                    let request = Asked {
                        action: Action::ListBucket,
                        resource: bucket,
                        prefix: end.map(|end| &key[..end]),
                        delimiter,
                        world: World { user: "", met: u64::MAX },
                    };
                    let denies = document.statements.iter().enumerate().find(|(n, statement)| {
                        statement.effect == Effect::Deny && applies(*n, statement, &request)
                    });
                    assert!(denies.is_none(), "{text} {end:?} {document:#?}\n{imported:#?}");
                }
            }
        }
    }
    println!("{asked} paths of {imports} policies, {refused} refused");
    assert!(imports > 100);
}

/// Listings of statements by chance, with buckets that have stars and `/`, prefixes and the delimiter: it was
/// once said that a bucket's star stands for `/` too (`*x` for `aaa/x`), and that a listing of `pub/*`, which is
/// no bucket, shows names.
#[test]
fn what_is_said_of_listings_is_true() {
    let mut chance = Chance(from_env("PATHWARD_SEED").unwrap_or(19));
    let most = comparisons(300_000, 30_000);
    let (mut asked, mut kinds) = (0_u64, [0_u64; 4]);
    while asked < most {
        let mut statements = Vec::new();
        for _ in 0..=chance.below(4) {
            let listing = chance.one_in(2);
            let pieces: &[&str] = match listing {
                true => &["pub", "p*", "*b", "*", "pub/*", "p?b", "pub-a", "pub/a"],
                false => &[
                    "pub/*",
                    "pub/a*",
                    "*b/*",
                    "p*/a",
                    "pub-a/*",
                    "*",
                    "*/a/*",
                    "pub/${*}*",
                    "pub*",
                ],
            };
            let resources =
                (0..=chance.below(2)).map(|_| pick(&mut chance, pieces).to_owned()).collect();
            let effect = if chance.one_in(4) { Effect::Deny } else { Effect::Allow };
            let prefixes = ["", "a", "a*", "a/*", "*", "?", "${*}", "b/"];
            let actions = match (listing, effect) {
                (true, Effect::Allow) => vec![Action::ListBucket],
                (true, Effect::Deny) => vec![Action::Get, Action::ListBucket],
                (false, _) if chance.one_in(3) => vec![Action::Get, Action::ListBucket],
                (false, _) => vec![Action::Get],
            };
            let is_bound = listing && effect == Effect::Allow;
            statements.push(Statement {
                prefixes: (is_bound && chance.one_in(2)).then(|| {
                    (0..=chance.below(2)).map(|_| pick(&mut chance, &prefixes).to_owned()).collect()
                }),
                is_delimited: is_bound && chance.one_in(3),
                ..Statement::new(effect, actions, resources)
            });
        }
        let document = Document { statements };
        let Ok(imported) = import(&document) else { continue };
        let said = imported.relations(&document, States::new(1 << 14));
        let show = || format!("{document:#?}\n{imported:#?}\n{said:#?}");
        let language = Language::of_entries(imported.entries(), Access::Read);
        assert!(said.are_equal(), "{}", show());
        assert_witnesses(&said.listed, &document, &|path| language.contains(path), &show);
        kinds[match said.listed {
            Relation::Equal => 0,
            Relation::Wider(_) => 1,
            Relation::Narrower(_) => 2,
            Relation::Neither { .. } | Relation::Undecided { .. } => 3,
        }] += 1;
        for _ in 0..20 {
            let mut text =
                pick(&mut chance, &["pub/", "pub-a/", "pxb/", "xxb/", "aaa/"]).to_owned();
            (0..=chance.below(4))
                .for_each(|_| text.push_str(pick(&mut chance, &["a", "b", "/", "x", "*", "é"])));
            let Ok(path) = Path::new(&text) else { continue };
            assert_listed(&said.listed, &document, &path, language.contains(&path), &show);
            asked += 1;
        }
    }
    println!("{asked} paths; equal, wider, narrower, neither {kinds:?}");
    assert!(kinds.iter().all(|kind| *kind > 0), "{kinds:?}");
}
