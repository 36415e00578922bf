//! Texts that are hardly meant: each kind is warned of when a policy is loaded, as a restriction and as
//! a deny, and ordinary texts load without a word.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that fails panics, and says why")]

mod texts;

use self::texts::*;
use pathward::{
    Dialect, Policy, Restriction,
    analysis::{self, States},
    restriction::DoubtKind as Kind,
};

/// The kinds of doubt about a text.
fn kinds(dialect: Dialect, text: &str) -> Vec<Kind> {
    let read =
        Restriction::parse_as(dialect, text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    read.doubts().iter().map(|doubt| doubt.kind()).collect()
}

#[test]
fn texts_that_are_hardly_meant_are_doubted() {
    let plain = |texts: &[&str], kind: Kind| {
        for text in texts {
            assert_eq!(kinds(Dialect::Plain, text), [kind], "{text:?}");
        }
    };
    plain(PLACEHOLDERS, Kind::Placeholder);
    plain(PERCENT, Kind::Percent);
    plain(
        TWO_PATHS.iter().copied().filter(|t| !t.ends_with(' ')).collect::<Vec<_>>().as_slice(),
        Kind::TwoPaths,
    );
    plain(GLOB_SIGNS, Kind::GlobSigns);
    plain(&["acme-data/x ", "acme-data/in/ "], Kind::Space);
    for (texts, kind) in [(INVISIBLE, Kind::Invisible), (LOOK_ALIKE, Kind::LookAlike)] {
        for (text, name) in texts {
            assert_eq!(kinds(Dialect::Plain, text), [kind], "{text:?}");
            let doubts = Restriction::parse(text).expect("a restriction").doubts();
            assert!(doubts[0].message().contains(name), "{text:?}: {}", doubts[0].message());
        }
    }
    for text in GROUPS {
        assert_eq!(kinds(Dialect::Glob, text), [Kind::GlobSigns], "{text:?}");
        // Without `glob:` it is no group either.
        if Restriction::parse(text).is_ok() {
            assert!(kinds(Dialect::Plain, text).contains(&Kind::GlobSigns), "{text:?}");
        }
    }
    for (text, kind) in [
        ("acme-data/{1..3,5}/**", Kind::GlobSigns),
        ("acme-data/{a..e,x}/**", Kind::GlobSigns),
        ("acme-data/home/<user>/**", Kind::Placeholder),
        ("acme-data/home/$USER/**", Kind::Placeholder),
        ("acme-data/%USERNAME%/**", Kind::Placeholder),
        ("acme-data/logs/%Y/%m/**", Kind::Placeholder),
        ("acme-data/...", Kind::Placeholder),
        ("**/my%20secret/**", Kind::Percent),
        ("acme-data/caf%C3%A9/**", Kind::Percent),
        ("acme-data/a/*, acme-data/b/*", Kind::TwoPaths),
        ("acme-data/a.csv;acme-data/b.csv", Kind::TwoPaths),
        ("acme-data/{a,b}/*.csv,", Kind::TwoPaths),
        ("acme-data/my\u{a0}secret/**", Kind::Invisible),
        ("**/\u{200b}secret/**", Kind::Invisible),
        ("**/s\u{435}cret/**", Kind::LookAlike),
        ("**/secret/\u{ff0a}", Kind::LookAlike),
    ] {
        assert_eq!(kinds(Dialect::Glob, text), [kind], "{text:?}");
    }
}

/// With the text as a restriction, and as a deny beside one that gives everything.
fn policies(dialect: Dialect, text: &str) -> [String; 2] {
    let text = serde_json::to_string(text).expect("text");
    let entry = match dialect {
        Dialect::Plain => text,
        Dialect::Glob => format!("{{ glob: {text} }}"),
    };
    let start = "connections:\n  - id: s3+t\n    owner: ada\n    restrictions:";
    [format!("{start} [{entry}]\n"), format!("{start} [\"*\"]\n    deny: [{entry}]\n")]
}

/// The codes of what is said when a policy is loaded.
fn said(text: &str) -> Vec<String> {
    let policy = Policy::from_yaml("p.yaml", text).unwrap_or_else(|errors| panic!("{errors}"));
    let open = analysis::left_open(&policy, States::new(1 << 12));
    let warnings = policy.warnings().iter().map(|w| format!("{} {}", w.code(), w.message()));
    warnings.chain(open.iter().map(|f| format!("{} {}", f.code, f.message))).collect()
}

#[test]
fn ordinary_texts_load_without_a_word() {
    let texts = ORDINARY.iter().map(|text| (Dialect::Plain, *text));
    let globs = ORDINARY_GLOBS.iter().map(|text| (Dialect::Glob, *text));
    let mut wrong = Vec::new();
    let all: Vec<_> = texts.chain(globs).collect();
    for (dialect, text) in &all {
        for doubt in kinds(*dialect, text) {
            wrong.push(format!("{text:?} is doubted: {doubt:?}"));
        }
        let [allow, _] = policies(*dialect, text);
        let said = said(&allow);
        wrong.extend((!said.is_empty()).then(|| format!("{text:?}: {said:?}")));
    }
    println!("doubts: {} ordinary texts", all.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(all.len() >= 170);
}

#[test]
fn every_doubt_is_a_warning_of_the_policy() {
    let all = [PLACEHOLDERS, PERCENT, TWO_PATHS, GLOB_SIGNS].concat();
    let characters = [INVISIBLE, LOOK_ALIKE].concat();
    let plain = all.iter().copied().chain(characters.iter().map(|(text, _)| *text));
    let texts: Vec<(Dialect, &str)> = plain
        .map(|text| (Dialect::Plain, text))
        .chain(GROUPS.iter().map(|text| (Dialect::Glob, *text)))
        .collect();
    for (dialect, text) in &texts {
        for policy in policies(*dialect, text) {
            let kinds = kinds(*dialect, text);
            let said = said(&policy);
            for kind in kinds {
                assert!(
                    said.iter().any(|said| said.starts_with(kind.code())),
                    "{text:?}: {said:?}"
                );
            }
        }
    }
    println!("doubts: {} doubted texts", texts.len());
    assert!(texts.len() >= 150);
}
