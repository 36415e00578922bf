//! Random globs against globset, wherever both read the text the same way.
//!
//! What [`Restriction::parse_glob`](pathward::Restriction::parse_glob) refuses is not compared:
//! those are the texts that readers disagree about. Of what it accepts, these differ on purpose:
//!
//! * Non-ASCII: globset's `?` and `[!a]` are a byte, ours a character. Globs and paths are ASCII.
//! * Classes: globset's may match `/` (pitfall P2), ours never do. A negated class is given to
//!   globset with a `/` in it, `[!a]` as `[!/a]`; where a range spans `/`, such as `[+-9]`, only
//!   one direction is compared: what we match, globset matches.
//! * Paths with a `.` or `..` segment, which no request has (pitfall P7).

use pathward::{Restriction, restriction::unchecked};

use crate::common::{Chance, comparisons, from_env, path_near};

const PIECES: [&str; 36] = [
    "a",
    "b",
    "c",
    "ab",
    "x",
    ".",
    "-",
    "0",
    "*",
    "*",
    "*",
    "?",
    "?",
    "/",
    "/",
    "/",
    "/**/",
    "/**/",
    "**/",
    "/**",
    "[ab]",
    "[a-c]",
    "[!a]",
    "[^b-]",
    "[!a-c0]",
    "[-a]",
    "[+-9]",
    "{a,b}",
    "{ab,c*}",
    "{a/b,c}",
    "{a,{b,c}x}",
    "{**/a,b}",
    "\\*",
    "\\{",
    "\\[",
    ",",
];

#[test]
fn globset_agrees() {
    let seed = from_env("PATHWARD_SEED").unwrap_or(20_260_801);
    let target = comparisons(10_000_000, 200_000) / 2;
    let mut chance = Chance(seed);
    let (mut compared, mut matched, mut globs, mut refused, mut one_way) = (0, 0, 0, 0, 0);
    while compared < target {
        let pieces = 1 + chance.below(8);
        let text: String = (0..pieces).map(|_| *chance.pick(&PIECES)).collect();
        let Ok(restriction) = unchecked::glob_restriction(&text) else {
            refused += 1;
            continue;
        };
        globs += 1;
        let theirs = globset::GlobBuilder::new(&text.replace("[!", "[!/").replace("[^", "[^/"))
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .unwrap_or_else(|error| panic!("{text:?} is accepted here, but: {error}"))
            .compile_matcher();
        let spans_slash = text.contains("[+-9]");
        let rules = [crate::common::Rule::allow(restriction.clone(), crate::common::READ)];
        for _ in 0..200 {
            let path = path_near(&rules, b"abcx./-0/*{[,9+ab/", &mut chance);
            let Ok(path) = std::str::from_utf8(&path) else { continue };
            if !path.is_ascii() || path.split('/').any(|part| part == "." || part == "..") {
                continue;
            }
            let ours = restriction.matches(path.as_bytes());
            let other = theirs.is_match(path);
            let agree = if spans_slash { !ours || other } else { ours == other };
            assert!(agree, "{text:?} on {path:?}: ours {ours}, globset {other} (seed {seed})");
            one_way += u64::from(spans_slash);
            matched += u64::from(ours);
            compared += 1;
        }
    }
    println!(
        "glob differential: {compared} comparisons ({one_way} one way only), {matched} matches, \
         {globs} globs, {refused} texts refused, seed {seed}"
    );
    assert!(matched > compared / 10 && matched < compared / 10 * 9, "both answers are tested");
}

/// Globs that start with `**/`, as ignore files have them: each loads, matches what is below any bucket,
/// and on paths says what all its readings say.
#[test]
fn globs_that_start_with_two_stars_load() {
    let names = [
        "v1",
        "a/b",
        "a",
        "x/y/z",
        "My Documents",
        ".#*",
        "#*#",
        "~*",
        "*~",
        "$RECYCLE.BIN",
        "@eaDir",
        "~$*.docx",
        "[Bb]in",
        "[Oo]bj",
        "?",
        "??",
        "a?",
        "{v1,v2}",
        "{a,bc}",
        "*.o",
        "Icon?",
        "Thumbs.db",
        ".DS_Store",
        "._*",
        "New folder",
        "été",
        "日本",
        "v1/*.csv",
        "a b",
        "x/**/y",
        "%20",
        "C++",
        "(old)",
        ":x",
        "a,b",
        "id",
        "k8s/a",
        "-",
        "_",
        "0",
        "a=1",
        "x&y",
        "'",
        "+x",
        "!x",
        "\\*",
        "\\{a\\}",
    ];
    let mut globs = 0;
    for name in names {
        for text in [format!("**/{name}"), format!("**/{name}/**"), format!("**/**/{name}/*")] {
            let read = Restriction::parse_glob(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
            let all = unchecked::glob_restriction(&text).expect("a glob");
            assert!(
                read.patterns().iter().all(|pattern| all.patterns().contains(pattern)),
                "{text}"
            );
            globs += 1;
        }
    }
    for (text, path) in [
        ("**/v1/**", "acme-data/x/v1/y"),
        ("**/v1/**", "acme-data/v1/y"),
        ("**/a/b", "acme-data/a/x/a/b"),
        ("**/a", "acme-data/a"),
        ("**/My Documents/**", "acme-data/My Documents/y"),
        ("**/.#*", "acme-data/x/.#lock"),
        ("**/$RECYCLE.BIN/**", "acme-data/$RECYCLE.BIN/y"),
        ("**/日本/**", "acme-data/x/日本/y"),
        ("**/{v1,v2}/**", "acme-data/v2/y"),
    ] {
        let read = Restriction::parse_glob(text).expect(text);
        assert!(read.matches(path.as_bytes()), "{text} {path}");
    }
    println!("globs that start with two stars: {globs}");
}

/// What is left out of a glob makes no difference on any path: at random, on canonical paths, a glob that
/// loads matches what all its readings match, and what globset does.
#[test]
fn what_is_left_out_is_on_no_path() {
    const PIECES: [&str; 24] = [
        "a",
        "ab",
        "v1",
        "pub",
        "logs",
        "x y",
        "#",
        "é",
        ".",
        "*",
        "*",
        "?",
        "/",
        "/",
        "**/",
        "**/",
        "/**/",
        "/**",
        "[ab]",
        "{a,pub}",
        "{v1,logs}",
        "{**/a,pub}",
        "-",
        "0",
    ];
    let seed = from_env("PATHWARD_SEED").unwrap_or(7);
    let target = comparisons(2_000_000, 100_000) / 2;
    let mut chance = Chance(seed);
    let (mut compared, mut matched, mut shorter) = (0, 0, 0);
    while compared < target {
        let pieces = 1 + chance.below(7);
        let text: String = (0..pieces).map(|_| *chance.pick(&PIECES)).collect();
        let Ok(read) = Restriction::parse_glob(&text) else { continue };
        let all = unchecked::glob_restriction(&text).expect("a glob");
        shorter += u64::from(read.patterns().len() < all.patterns().len());
        let theirs = globset::GlobBuilder::new(&text)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .expect("a glob")
            .compile_matcher();
        let automaton = crate::common::compile(&[crate::common::Rule::allow(
            read.clone(),
            crate::common::READ,
        )])
        .expect("one rule");
        let rules = [crate::common::Rule::allow(all.clone(), crate::common::READ)];
        for _ in 0..60 {
            let path = path_near(&rules, b"abv1pub/logs #/xy", &mut chance);
            if pathward::Path::new(&path).is_err() {
                continue;
            }
            let ours = read.matches(&path);
            assert_eq!(ours, all.matches(&path), "{text:?} on {path:?} (seed {seed})");
            let verdict = automaton.here(&path, pathward::Access::Read);
            assert_eq!(
                ours,
                matches!(verdict, pathward::Verdict::Allowed(_)),
                "{text:?} on {path:?}"
            );
            // globset reads a class and `?` as bytes.
            if path.is_ascii() && text.is_ascii() {
                let path = std::str::from_utf8(&path).expect("ASCII");
                assert_eq!(ours, theirs.is_match(path), "{text:?} on {path:?} (seed {seed})");
            }
            matched += u64::from(ours);
            compared += 1;
        }
    }
    println!(
        "left out: {compared} comparisons, {matched} matches, {shorter} globs with less, seed {seed}"
    );
    assert!(shorter > 50 && matched > compared / 50, "{shorter} {matched}");
}
