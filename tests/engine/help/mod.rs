//! Help that is followed is not refused: whatever a message says to write is written, and loads.
//!
//! Every help text that shows something to write is taken, from the mistakes of `policy_errors`, from
//! the suite's refused restrictions, from inputs of each kind of error, and from policies with slips of
//! the pen. What it says to write is put in the place of what is wrong, and read.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that fails panics, and says why")]

mod lines;
mod texts;

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
};

use self::{lines::LINES, texts::REFUSED};
use crate::common::{Chance, from_env};
use pathward::{
    Dialect, Policy, PolicyErrors, Restriction,
    policy::{Diagnostic, Fix, Severity, TestFile},
    restriction::RestrictionErrorKind as Kind,
};

/// What is said about a file: errors, or the warnings of one that loads.
fn said(text: &str) -> Vec<Diagnostic> {
    match Policy::from_yaml("p.yaml", text) {
        Ok(policy) => policy.warnings().to_vec(),
        Err(errors) => errors.diagnostics().to_vec(),
    }
}

fn said_of_tests(text: &str) -> Vec<Diagnostic> {
    TestFile::parse("p.test.yaml", text)
        .err()
        .map(|errors| errors.diagnostics().to_vec())
        .unwrap_or_default()
}

/// The byte of a text at a line and a column.
fn byte_of(text: &str, diagnostic: &Diagnostic) -> usize {
    let location = diagnostic.location();
    let mut line = 1;
    let mut start = 0;
    let bytes = text.as_bytes();
    // A lone carriage return breaks a line too, by YAML.
    for (at, byte) in text.bytes().enumerate() {
        if line == location.line {
            break;
        }
        let is_end = byte == b'\n' || byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
        if is_end {
            line += 1;
            start = at + 1;
        }
    }
    let column = location.column.saturating_sub(1) as usize;
    let in_line = text.get(start..).unwrap_or_default();
    start + in_line.char_indices().nth(column).map_or(in_line.len(), |(at, _)| at)
}

/// Follows one fix, and says what is wrong at its place then.
fn follow(text: &str, fix: &Fix, read: fn(&str) -> Vec<Diagnostic>) -> Option<String> {
    let Some(changed) = fix.apply(text) else {
        return Some("it is not of this file".to_owned());
    };
    let before = read(text);
    let place = fix.range().start..fix.range().start + fix.text().len();
    let wrong = read(&changed).into_iter().find(|found| {
        let at = byte_of(&changed, found);
        found.severity() == Severity::Error
            && (place.start..=place.end).contains(&at)
            // A mapping says at its start which fields are missing.
            && !(found.code() == "policy.missing_field"
                && before.iter().any(|known| known.message() == found.message()))
    });
    wrong.map(|found| format!("{changed}\n{found}"))
}

/// What a help says to write, in backticks or quotes behind `write` or `did you mean`, up to the end of
/// the clause.
fn written(help: &str) -> Vec<String> {
    let mut all = Vec::new();
    for lead in ["write ", "did you mean ", "in quotes: ", "take out "] {
        for (at, _) in help.match_indices(lead) {
            let behind = &help[at + lead.len()..];
            let mut rest = behind;
            // `write A, B or C`: as long as one thing follows another.
            while let Some(sign @ ('`' | '"' | '\'')) = rest.chars().next() {
                let Some(len) = end_of(&rest[1..], sign) else { break };
                let whole = &rest[..len + 2];
                all.push(if sign == '`' { whole[1..=len].to_owned() } else { whole.to_owned() });
                rest = &rest[len + 2..];
                let next = [", ", " or a list such as ", " or ", " and "];
                match next.iter().find_map(|next| rest.strip_prefix(next)) {
                    Some(behind) => rest = behind,
                    None => break,
                }
            }
        }
    }
    all
}

/// Where a text in signs ends. In single quotes, one is written as two.
fn end_of(text: &str, sign: char) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text.get(at..)?.find(sign)?;
        if sign != '\'' || !text[at..].starts_with("''") {
            return Some(at);
        }
        at += 2;
    }
}

#[derive(Default)]
struct Tally {
    helps: usize,
    fixes: usize,
    /// By code, how many helps have something to write.
    codes: BTreeMap<&'static str, usize>,
}

/// Everything that holds for what is said about a file.
fn check(name: &str, text: &str, read: fn(&str) -> Vec<Diagnostic>, tally: &mut Tally) {
    for found in read(text) {
        let at = format!("{name}\n{text}\n{found}\n");
        let is_warning = found.severity() == Severity::Warning;
        let Some(help) = found.help() else {
            assert!(is_warning, "an error has no help: {at}");
            continue;
        };
        tally.helps += 1;
        assert!(!help.starts_with([',', ';', ' ']), "its beginning is missing: {at}");
        let shown: HashSet<&str> = found.fixes().iter().map(Fix::shown).collect();
        for text in written(help) {
            let is_known = shown.iter().any(|shown| *shown == text || shown.contains('`'));
            assert!(is_known, "`{text}` was not tried: {at}");
        }
        for fix in found.fixes() {
            let is_said = help.contains(fix.shown())
                || help.contains("YAML takes it for a letter")
                || help.contains("stands in this line");
            assert!(is_said, "`{}` is not said: {at}", fix.shown());
            if let Some(wrong) = follow(text, fix, read) {
                panic!("`{}` is refused: {at}\n{wrong}", fix.shown());
            }
            tally.fixes += 1;
        }
        if !found.fixes().is_empty() {
            *tally.codes.entry(found.code()).or_default() += 1;
        }
    }
}

#[test]
fn what_is_said_about_the_mistakes_of_policies_can_be_followed() {
    let mut tally = Tally::default();
    for entry in fs::read_dir("tests/policy_errors").expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "yaml") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            check(&path.display().to_string(), &text, said, &mut tally);
        }
    }
    println!("help: {} helps, {} texts to write: {:?}", tally.helps, tally.fixes, tally.codes);
    assert!(tally.fixes >= 60, "{}", tally.fixes);
}

/// A text as YAML has it, in each of the ways in which it can.
fn styles(text: &str) -> Vec<String> {
    let mut all = vec![serde_json::to_string(text).expect("text")];
    if !text.contains(|c: char| c.is_control()) {
        all.push(format!("'{}'", text.replace('\'', "''")));
        let is_plain = text.starts_with(|c: char| c.is_alphanumeric())
            && !text.contains([',', '[', ']', '{', '}', ':', '#', '"', '\''])
            && text.trim() == text;
        all.extend(is_plain.then(|| text.to_owned()));
    }
    all
}

/// The text as an entry, in each of the layouts in which it can stand.
fn policies(text: &str, dialect: Dialect) -> Vec<String> {
    let start = "connections:\n  - id: s3+t\n    owner: ada\n";
    styles(text)
        .into_iter()
        .flat_map(|text| {
            let entry = match dialect {
                Dialect::Plain => text.clone(),
                Dialect::Glob => format!("{{ glob: {text} }}"),
            };
            let field = match dialect {
                Dialect::Plain => format!("{{ path: {text}, access: [read] }}"),
                Dialect::Glob => format!("{{ access: [read], glob: {text} }}"),
            };
            [
                format!("{start}    restrictions:\n      - {entry}\n"),
                format!("{start}    restrictions: [{entry}]\n"),
                format!("{start}    restrictions: [other/]\n    deny: [other/x, {field}]\n"),
            ]
        })
        .collect()
}

#[test]
fn what_is_said_about_refused_restrictions_can_be_followed() {
    let mut tally = Tally::default();
    let (mut texts, mut with_text) = (0, 0);
    for (kind, dialect, all) in REFUSED {
        let mut of_kind = 0;
        for text in *all {
            let error = match Restriction::parse_as(*dialect, text) {
                Err(error) => error,
                Ok(read) => panic!("{text:?} is read as {read:?}"),
            };
            // A text may be wrong in two ways.
            of_kind += usize::from(error.kind() == *kind);
            texts += 1;
            let instead: Vec<&Restriction> = error.instead().collect();
            with_text += usize::from(!instead.is_empty());
            for read in &instead {
                assert!(
                    error.help().contains(&format!("`{}`", read.text())),
                    "{text:?}: {}",
                    error.help()
                );
                let again = Restriction::parse_as(read.dialect(), read.text());
                assert_eq!(again.as_ref(), Ok(*read), "{text:?}");
                assert!(read.doubts().is_empty(), "{text:?}: {read:?}");
                assert_ne!((read.text(), read.dialect()), (*text, *dialect), "{text:?}");
            }
            for said in written(error.help()) {
                assert!(
                    instead.iter().any(|read| read.text() == said),
                    "{text:?}: {}",
                    error.help()
                );
            }
            for policy in policies(text, *dialect) {
                check(text, &policy, said, &mut tally);
                // In a file with one mistake, following the help is all.
                for found in
                    said(&policy).iter().filter(|found| found.severity() == Severity::Error)
                {
                    for fix in found.fixes() {
                        let changed = fix.apply(&policy).expect("of this file");
                        let read = Policy::from_yaml("p.yaml", &changed);
                        assert!(read.is_ok(), "{text:?}: {found}\n{changed}\n{}", shown(&read));
                    }
                }
            }
        }
        assert!(of_kind > 0, "no text is refused as {kind:?}");
    }
    println!(
        "help: {texts} refused texts, {with_text} with a text to write; {} followed",
        tally.fixes
    );
    assert!(texts >= 230 && with_text * 2 >= texts && tally.fixes >= 600, "{texts} {with_text}");
}

fn shown(read: &Result<Policy, PolicyErrors>) -> String {
    read.as_ref().err().map(ToString::to_string).unwrap_or_default()
}

/// Texts whose kind of error is a length.
#[test]
fn what_is_too_long_is_told_without_a_text_to_write() {
    let long = "x".repeat(1_300);
    let glob = format!("acme-data/*{}", "?".repeat(300));
    let most = "y/".repeat(2_100);
    for (kind, dialect, text) in [
        (Kind::LongerThanPath, Dialect::Plain, format!("acme-data/{long}")),
        (Kind::TooLong, Dialect::Plain, format!("acme-data/{most}")),
        (Kind::BucketLength, Dialect::Plain, format!("{}/x", "b".repeat(256))),
        (Kind::GlobTokens, Dialect::Glob, glob),
    ] {
        let error = Restriction::parse_as(dialect, &text).expect_err("too long");
        assert_eq!((error.kind(), error.instead().count()), (kind, 0));
        assert!(!error.help().is_empty());
    }
}

#[test]
fn what_is_said_about_lines_of_a_connection_can_be_followed() {
    let mut tally = Tally::default();
    let mut with_text = 0;
    for line in LINES {
        let start = "connections:\n  - id: s3+t\n    owner: ada\n";
        let before = tally.fixes;
        for policy in [
            format!("{start}    {line}\n"),
            format!("{start}    {line}\n    region: eu-west-1\n"),
            format!(
                "{start}    {line}\n  - id: s3+u\n    owner: ada\n    restrictions: [other/]\n"
            ),
        ] {
            check(line, &policy, said, &mut tally);
        }
        with_text += usize::from(tally.fixes > before);
    }
    println!(
        "help: {} lines, {with_text} with a text to write; {} followed",
        LINES.len(),
        tally.fixes
    );
    assert!(LINES.len() >= 150 && with_text >= 110, "{with_text} of {}", LINES.len());
}

/// Whole files, for what is not a line of a connection.
#[test]
fn what_is_said_about_files_can_be_followed() {
    let hash = "ab".repeat(32);
    let files = [
        "".to_owned(),
        "# nothing\n".into(),
        "connections: []\n".into(),
        "connections:\n  saha: { owner: ada }\n".into(),
        "connections: s3+saha\n".into(),
        "connection: [{ id: s3+t, owner: ada }]\n".into(),
        "- id: s3+t\n".into(),
        "connections:\n  - s3+t\n".into(),
        "connections:\n  - owner: ada\n".into(),
        "connections:\n  - id: s3+t\n".into(),
        "connections:\n  - region: eu\n".into(),
        "connections: [{ id: s3+t }]\n".into(),
        "connections: [{ owner: ada }, { id: s3+t }]\n".into(),
        "connections: [{ id: s3, owner: ada }]\n".into(),
        "connections: [{ id: saha, owner: ada }]\n".into(),
        "connections: [{ id: gs+saha, owner: ada }]\n".into(),
        "connections: [{ id: s3+sa/ha, owner: ada }]\n".into(),
        "connections: [{ id: 's3:saha', owner: ada }]\n".into(),
        "connections: [{ id: 's3://saha', owner: ada }]\n".into(),
        "connections: [{ id: 's3+', owner: ada }]\n".into(),
        "connections: [{ id: 's3+a b', owner: ada }]\n".into(),
        "connections: [{ id: [s3+t], owner: ada }]\n".into(),
        "connections: [{ id: s3+t, owner: [ada, bob] }]\n".into(),
        "connections: [{ id: s3+t, owner: ' ada' }]\n".into(),
        "connections: [{ id: s3+t, owner: \"a\\u200bda\" }]\n".into(),
        "connections: [{ id: s3+t, owner: '' }]\n".into(),
        "connections: [{ id: s3+t, owner: *ada }]\n".into(),
        "connections: [{ id: s3+t, owner: { name: ada } }]\n".into(),
        "connections: [{ id: s3+t, owner: ada }, { id: s3+t, owner: ada }]\n".into(),
        "connections: [{ id: s3+t, owner: ada, owner: bob }]\n".into(),
        "%YAML 1.1\n---\nconnections: []\n".into(),
        "connections: [{ id: s3+t, owner: ada }]\n---\nconnections: []\n".into(),
        "\tconnections: []\n".into(),
        "connections: [{ id: s3+t, owner: ada }\n".into(),
        "connections: [{ id: s3+t, owner: ada ]\n".into(),
        "connections:\n  - { id: s3+t owner: ada }\n".into(),
        "{ \"connections\": [ { \"id\": \"s3+t\", \"owner\": \"ada\", } ] }\n".into(),
        "users: [{ name: ada }, { name: ada }]\n".into(),
        "users: [{ nme: ada }]\n".into(),
        "users: [{ user: ada }]\n".into(),
        "users: [ada]\n".into(),
        format!("users: [{{ name: ada, keys: [{{ id: k, sha256: {hash} }}] }}]\n"),
        format!("users: [{{ name: ada, keys: [{{ sha256: {hash}, access: none }}] }}]\n"),
        format!("users: [{{ name: ada, keys: [{{ id: k, sha256: {hash}, access: all }}] }}]\n"),
        format!(
            "users: [{{ name: ada, keys: [{{ id: k, sha256: {hash}, access: none, manage: yes }}] }}]\n"
        ),
        format!(
            "users: [{{ name: ada, keys: [{{ id: k, sha256: {hash}, access: none, connections: [] }}] }}]\n"
        ),
        format!(
            "users: [{{ name: ada, keys: [{{ id: k, sha256: {hash}, access: none, connections: [s3] }}] }}]\n"
        ),
        format!(
            "users: [{{ name: ada, keys: [{{ id: k, sha256: {hash}, access: none, connections: [saha] }}] }}]\n"
        ),
        format!(
            "users: [{{ name: ada, keys: [{{ id: k, sha256: {hash}, access: none, connections: s3+a }}] }}]\n"
        ),
        "users: [{ name: ada, keys: [{ id: k, sha256: abc, access: none }] }]\n".into(),
        "users: [{ name: ada, keys: [{ id: k, key: abc, access: none }] }]\n".into(),
        "users: [{ name: ada, keys: { id: k } }]\n".into(),
        "\u{feff}connections: [{ id: s3+t, owner: ada, restrictions: [/x/y/z] }]\n".into(),
        "connections: [{ id: s3+t, owner: ada, restrictions: [/acme-data/x] }]\r\n".into(),
        "connections:\r\n  - id: s3+t\r\n    owner: ada\r\n    dney: [acme-data/x]\r\n".into(),
    ];
    let mut tally = Tally::default();
    for file in &files {
        let before = tally.fixes;
        check("file", file, said, &mut tally);
        if tally.fixes == before && std::env::var_os("PATHWARD_SHOW").is_some() {
            said(file).iter().for_each(|found| println!("{found}"));
        }
    }
    println!("help: {} files, {} followed", files.len(), tally.fixes);
    assert!(tally.fixes >= 33, "{}", tally.fixes);
}

#[test]
fn what_is_said_about_files_of_tests_can_be_followed() {
    let lines = [
        "tests: []",
        "test: []",
        "tests: [{ connection: s3+a, as: ada, check: [{ path: acme/x, read: allow }] }]",
        "tests: [{ name: n, as: ada, check: [{ path: acme/x, read: allow }] }]",
        "tests: [{ name: n, connection: s3+a, check: [{ path: acme/x, read: allow }] }]",
        "tests: [{ name: n, connection: s3+a, user: ada, check: [{ path: acme/x, read: allow }] }]",
        "tests: [{ name: n, connection: s3+a, as: ada }]",
        "tests: [{ name: n, connection: saha, as: ada, check: [{ path: acme/x, read: allow }] }]",
        "tests: [{ name: n, connection: s3+a, as: ada, check: [{ read: allow }] }]",
        "tests: [{ name: n, connection: s3+a, as: ada, check: [{ path: acme/x }] }]",
        "tests:\n  - name: n\n    connection: s3+a\n    as: ada\n    check:\n      - path: acme/x",
        "tests: [{ name: n, connection: s3+a, as: ada, check: [{ path: acme/x, read: yes }] }]",
        "tests: [{ name: n, connection: s3+a, as: ada, check: [{ path: acme/x, raed: allow }] }]",
        "tests: [{ name: n, connection: s3+a, as: ada, check: [{ path: acme/x, read: deny, reason: deny.nomatch }] }]",
        "tests: [{ name: n, connection: s3+a, as: ada, check: [{ path: acme/x, read: deny, reason: x }] }]",
        "tests: [{ name: n, connection: s3+a, as: ada, never: {} }]",
        "tests: [{ name: n, connection: s3+a, as: ada, never: { write: /acme/* } }]",
        "tests: [{ name: n, connection: s3+a, as: ada, never: { write: { path: acme/, access: [read] } } }]",
        "tests: [{ name: n, connection: s3+a, as: ada, never: { wirte: acme/ } }]",
    ];
    let mut tally = Tally::default();
    for line in lines {
        check("tests", &format!("{line}\n"), said_of_tests, &mut tally);
    }
    println!("help: {} files of tests, {} followed", lines.len(), tally.fixes);
    assert!(tally.fixes >= 14, "{}", tally.fixes);
}

/// Slips of the pen in policies: a character put in, taken out or another.
#[test]
fn what_is_said_about_slips_of_the_pen_can_be_followed() {
    let policies = [
        "connections:\n  - id: s3+saha\n    owner: steph\n    access: read-only\n    restrictions:\n      - Algorithmia/team.jpg\n      - { path: Algorithmia/out/, access: read-write }\n      - { glob: \"logs/{app,web}/**/*.gz\" }\n    deny:\n      - Algorithmia/out/locked/\n",
        "connections: [{ id: s3+a, owner: o, endpoint: \"https://s3.example\", keys: plain, restrictions: [\"*.csv\", 'my-data/x y/*'], deny: [my-data/x y/z] }]\n",
    ];
    let signs: Vec<char> = " :-\"'{}[]*&!#,|>\t\n@%x/\\?\u{a0}\u{200b}".chars().collect();
    let seed = from_env("PATHWARD_SEED").unwrap_or(11);
    let mut chance = Chance(seed);
    let mut tally = Tally::default();
    let rounds = if cfg!(debug_assertions) { 1_500 } else { 6_000 };
    for _ in 0..rounds {
        let mut text: Vec<char> = chance.pick(&policies).chars().collect();
        for _ in 0..1 + chance.below(2) {
            let at = chance.below(text.len());
            match chance.below(3) {
                0 => text[at] = *chance.pick(&signs),
                1 => text.insert(at, *chance.pick(&signs)),
                _ => {
                    text.remove(at);
                }
            }
        }
        let text: String = text.into_iter().collect();
        check("slip", &text, said, &mut tally);
    }
    println!(
        "help: {rounds} slips, {} followed, PATHWARD_SEED={seed}: {:?}",
        tally.fixes, tally.codes
    );
    assert!(tally.fixes * 4 > rounds, "{} of {rounds}", tally.fixes);
}

/// The suite's refused restrictions, too.
#[test]
fn what_is_said_about_the_suites_refusals_can_be_followed() {
    #[derive(serde::Deserialize)]
    struct File {
        #[serde(default)]
        refused: Vec<Refusal>,
    }
    #[derive(serde::Deserialize)]
    struct Refusal {
        text: String,
        #[serde(default)]
        glob: bool,
    }
    let (mut tally, mut refused) = (Tally::default(), 0);
    for entry in
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite")).expect("a folder")
    {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("UTF-8");
        let file: File = serde_saphyr::from_str(&text).expect("a group");
        for refusal in file.refused {
            let dialect = if refusal.glob { Dialect::Glob } else { Dialect::Plain };
            refused += 1;
            for policy in policies(&refusal.text, dialect) {
                check(&refusal.text, &policy, said, &mut tally);
            }
        }
    }
    println!("help: {refused} refusals of the suite, {} followed", tally.fixes);
    assert!(refused >= 30 && tally.fixes >= 100, "{refused} {}", tally.fixes);
}
