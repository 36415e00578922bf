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

use pathward::restriction::unchecked;

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
