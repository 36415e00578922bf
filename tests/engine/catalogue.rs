//! The entries of the security catalogue that the engine answers, each by its name.
//!
//! "No upstream" here means that there is no approval: without one no executor runs. The gateway's
//! tests repeat the entries that are about requests.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails panics, and says what it compared"
)]

use std::time::Duration;

use pathward::{
    Access, AccessSet, Approved, Automaton, Caller, ConnectionId, Decision, Effect, Engine, Path,
    PathError, Policy, Reach, Restriction, Verdict,
    engine::{DeleteTree, ListDirectory, ListMode, Outcome, ReadObject, WriteObject},
};

use crate::common::{ALL, CpuTime, READ, Rule, SLOW, compile, entries};

/// The catalogue's setup: read and write, `pub/data/*` and `pub/team.jpg`.
fn setup() -> Engine {
    engine(&["pub/data/*", "pub/team.jpg"], &[])
}

/// Restrictions and denies, all with read-write.
fn engine(restrictions: &[&str], deny: &[&str]) -> Engine {
    Engine::new(policy(restrictions, deny).unwrap_or_else(|error| panic!("{error}")))
}

fn policy(restrictions: &[&str], deny: &[&str]) -> Result<Policy, pathward::PolicyErrors> {
    let list = |texts: &[&str]| serde_json::to_string(texts).expect("texts");
    let mut text =
        String::from("connections:\n  - id: s3+t\n    owner: o\n    access: read-write\n");
    text += &format!("    restrictions: {}\n", list(restrictions));
    if !deny.is_empty() {
        text += &format!("    deny: {}\n", list(deny));
    }
    Policy::from_yaml("policy.yaml", &text)
}

fn id() -> ConnectionId<'static> {
    ConnectionId::parse("s3+t").expect("an id")
}

fn path(text: &str) -> Path<'_> {
    Path::new(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn read<'e>(engine: &'e Engine, text: &str) -> Decision<'e> {
    engine.decide(Caller::with_full_permission("o"), &id(), &ReadObject { path: path(text) })
}

fn list<'a>(engine: &Engine, text: &'a str) -> Option<Approved<ListDirectory<'a>>> {
    let path = path(text).into_directory().expect("short enough");
    engine.approve(Caller::with_full_permission("o"), &id(), ListDirectory { path }).ok()
}

/// Asserts that reading is allowed, for all of these.
fn allows(engine: &Engine, texts: &[&str]) {
    for text in texts {
        assert_eq!(read(engine, text).reason().code(), "allowed.rule", "{text}");
        let read = ReadObject { path: path(text) };
        let approved =
            engine.approve(Caller::with_full_permission("o"), &id(), read).expect("an approval");
        assert_eq!(approved.operation().path.as_bytes(), text.as_bytes(), "the very bytes");
    }
}

/// Asserts that reading is denied, and that there is no approval, for all of these. What has no key
/// is no object, and so it is not even a question.
fn denies(engine: &Engine, texts: &[&str]) {
    for text in texts {
        let expected = match path(text).key() {
            b"" => Outcome::Invalid,
            _ => Outcome::Deny,
        };
        assert_eq!(read(engine, text).outcome(), expected, "{text}");
        let read = ReadObject { path: path(text) };
        assert!(engine.approve(Caller::with_full_permission("o"), &id(), read).is_err(), "{text}");
    }
}

// ---- c.1 normalisation ----------------------------------------------------------------------

#[test]
fn n01_dot_segments_are_refused() {
    let found = Path::new("pub/data/../secret.txt");
    assert_eq!(found, Err(PathError::DotSegment { at: 9 }));
    assert_eq!(found.map_err(PathError::code), Err("invalid.path"), "neither allowed nor denied");
    denies(&setup(), &["pub/secret.txt"]);
}

#[test]
fn n02_every_form_of_dot_segment_is_refused() {
    for text in [
        "pub/data/..",
        "pub/data/.",
        "pub/data/./x",
        "pub/data/../x",
        "../pub/data/x",
        "./pub/x",
        "..",
        ".",
        "pub/..",
        "pub/.",
        "pub/../pub/data/x",
        "pub/data/x/..",
        "pub/data//../x",
        "pub/data/../",
        "pub/data/./",
        "pub/./data/x",
    ] {
        let error = Path::new(text).expect_err(text);
        assert!(matches!(error, PathError::DotSegment { .. }), "{text}: {error}");
    }
    // What only looks like one is a name.
    allows(
        &setup(),
        &["pub/data/...", "pub/data/..x", "pub/data/x..", "pub/data/.x", "pub/data/%2e%2e/x"],
    );
}

#[test]
fn n07_two_slashes_are_not_one() {
    let engine = setup();
    allows(&engine, &["pub/data//x", "pub/data/x"]);
    denies(&engine, &["pub//data/x"]);
    assert_eq!(path("pub//data/x").key(), b"/data/x");
    let exact = self::engine(&["pub/data/x"], &[]);
    denies(&exact, &["pub/data//x"]);
}

/// Over a server that reads `a//b` as `a/b`, the bytes are not what is reached.
#[test]
fn n07_a_server_that_aliases_keys_gets_none_of_them() {
    let policy = Policy::from_yaml(
        "policy.yaml",
        "connections:\n  - id: s3+t\n    owner: o\n    keys: plain\n    restrictions: ['pub/*']\n",
    );
    let engine = Engine::new(policy.expect("a policy"));
    for text in ["pub//x", "pub/a//b", "pub/a\\b", "pub/a//"] {
        let decision = read(&engine, text);
        assert_eq!(decision.reason().code(), "invalid.path", "{text}");
        assert!(list(&engine, text).is_none(), "{text}");
    }
    allows(&engine, &["pub/a/b"]);
}

#[test]
fn n08_a_backslash_is_a_byte() {
    let engine = setup();
    allows(&engine, &["pub/data/x\\..\\secret", "pub/data/\\"]);
    denies(&engine, &["pub/data\\..\\secret", "pub/data\\x"]);
    assert_eq!(Path::new("pub\\data\\x"), Err(PathError::BucketByte { at: 3 }));
}

#[test]
fn n09_control_bytes_are_refused() {
    for byte in (0..0x20).chain([0x7f]) {
        for bytes in [
            [b"pub/data/a", &[byte][..], b"b"].concat(),
            [b"pub/data/", &[byte][..]].concat(),
            [&[byte][..], b"pub/data/a"].concat(),
        ] {
            let error = Path::new(&bytes).expect_err("a control byte");
            assert!(matches!(error, PathError::ControlByte { byte: b, .. } if b == byte));
            assert_eq!(error.code(), "invalid.path");
        }
    }
}

#[test]
fn n10_nothing_is_composed_folded_or_repaired() {
    let engine = engine(&["pub/é/*", "pub/ﬁ/*", "pub/İ/*"], &[]);
    allows(&engine, &["pub/é/x"]);
    denies(&engine, &["pub/e\u{301}/x", "pub/É/x", "pub/fi/x", "pub/i\u{307}/x", "pub/i/x"]);
    let invalid: [&[u8]; 5] =
        [b"pub/\xff", b"pub/\xc3", b"pub/\xed\xa0\x80", b"pub/\xc0\xaf", b"pub/\xf5\x80\x80\x80"];
    for bytes in invalid {
        assert_eq!(Path::new(bytes).map_err(PathError::code), Err("invalid.encoding"));
    }
    allows(&self::engine(&["pub/\u{fffd}"], &[]), &["pub/\u{fffd}"]);
}

#[test]
fn n11_case_is_kept() {
    denies(&setup(), &["pub/Data/x", "PUB/data/x", "pub/DATA/X", "pub/Team.jpg"]);
}

#[test]
fn n17_keys_have_at_most_1024_bytes() {
    let engine = setup();
    let key = |len: usize| format!("pub/data/{}", "k".repeat(len - "data/".len()));
    allows(&engine, &[&key(1_024)]);
    assert_eq!(Path::new(&key(1_025)), Err(PathError::KeyLength { len: 1_025 }));
    // Bytes, not characters.
    let wide = format!("pub/{}", "é".repeat(513));
    assert_eq!(Path::new(&wide), Err(PathError::KeyLength { len: 1_026 }));
}

// ---- c.2 patterns ---------------------------------------------------------------------------

#[test]
fn p01_a_directory_is_not_what_starts_like_it() {
    for text in ["pub/db/table/", "pub/db/table/*"] {
        let engine = engine(&[text], &[]);
        allows(&engine, &["pub/db/table/x", "pub/db/table/x/y"]);
        denies(&engine, &["pub/db/table2/x", "pub/db/table-secret", "pub/db/table"]);
    }
}

#[test]
fn p02_a_star_behind_a_name_crosses_bucket_names() {
    let engine = engine(&["Algorithmia*"], &[]);
    allows(&engine, &["Algorithmia-private/x", "Algorithmia/x"]);
}

#[test]
fn p03_a_bucket_is_not_what_starts_like_it() {
    let engine = engine(&["jack/*"], &[]);
    allows(&engine, &["jack/x"]);
    denies(&engine, &["jackson/x", "jackson"]);
    assert!(!list(&engine, "").expect("the root").listing().shows_folder(&path("jackson/")));
}

#[test]
fn p04_regular_expressions_are_literal() {
    denies(&engine(&["a.b/*"], &[]), &["aXb/x"]);
    denies(&engine(&["pub/oo*"], &[]), &["pub/foo", "pub/output.txt"]);
    for literal in ["pub/a+", "pub/(a)", "pub/^a$", "pub/a|b", "pub/.*", "pub/a{2}", "pub/[a]"] {
        let text = literal.replace('*', "\\*");
        allows(&engine(&[&text], &[]), &[literal]);
        denies(&engine(&[&text], &[]), &["pub/a", "pub/aa", "pub/b", "pub/x"]);
    }
}

#[test]
fn p05_empty_texts_and_bare_buckets() {
    for text in ["", "/", "//", "/pub", "/*"] {
        assert!(Restriction::parse(text).is_err(), "{text:?}");
        assert!(policy(&[text], &[]).is_err(), "{text:?}");
    }
    let bucket = engine(&["pub"], &[]);
    denies(&bucket, &["pub/", "pub/x", "public"]);
    let leading = engine(&["*/x"], &[]);
    allows(&leading, &["pub/x", "pub/a/x"]);
    denies(&leading, &["pub/xx", "pub/x/y", "pub/ax"]);
}

#[test]
fn p06_an_empty_list_is_refused() {
    assert!(policy(&[], &[]).is_err());
    for text in ["restrictions: []", "restrictions:", "restrictions: ~", "restrictions: ''"] {
        let yaml = format!("connections:\n  - id: s3+t\n    owner: o\n    {text}\n");
        assert!(Policy::from_yaml("policy.yaml", &yaml).is_err(), "{text}");
    }
    // No key at all is `*`, as it always has been, and can be seen.
    let yaml = "connections:\n  - id: s3+t\n    owner: o\n";
    let policy = Policy::from_yaml("policy.yaml", yaml).expect("a policy");
    let rules = policy.connections()[0].rules();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0].restriction.text(), "*");
    assert_eq!((rules[0].effect, rules[0].access), (Effect::Allow, READ));
}

#[test]
fn p07_a_star_in_a_request_is_a_byte() {
    let engine = engine(&["pub/data/x", "pub/lit\\*eral"], &[]);
    denies(&engine, &["pub/data/*", "pub/*", "pub/data/?", "pub/lit-eral"]);
    assert_eq!(Path::new("*"), Err(PathError::BucketByte { at: 0 }));
    allows(&engine, &["pub/lit*eral"]);
}

#[test]
fn p09_keys_of_one_bucket_are_told_apart() {
    let engine = engine(&["pub/data/*"], &["pub/data/nested/*"]);
    allows(&engine, &["pub/data/x", "pub/data/nested", "pub/data/nestedx"]);
    denies(&engine, &["pub/data/nested/x", "pub/x"]);
}

#[test]
fn p10_a_deny_wins_in_any_order() {
    let allow = |text| Rule::allow(Restriction::parse(text).expect(text), ALL);
    let deny = |text| Rule::deny(Restriction::parse(text).expect(text), ALL);
    let rules = [allow("*"), deny("pub/a*"), allow("pub/ab"), allow("pub/ab*"), deny("*z")];
    for first in 0..rules.len() {
        let mut turned = rules.to_vec();
        turned.rotate_left(first);
        for reversed in [false, true] {
            if reversed {
                turned.reverse();
            }
            let automaton = compile(&turned).expect("five rules");
            for access in Access::ALL {
                for denied in ["pub/a", "pub/ab", "pub/abc", "pub/z"] {
                    let verdict = automaton.here(denied.as_bytes(), access);
                    assert!(matches!(verdict, Verdict::Denied(_)), "{denied}: {verdict:?}");
                }
                let verdict = automaton.here(b"pub/b", access);
                assert!(matches!(verdict, Verdict::Allowed(_)), "{verdict:?}");
            }
        }
    }
}

/// The time that one call takes, at best of some, so that a busy machine proves nothing.
fn best(mut run: impl FnMut()) -> Duration {
    let once = |_| {
        let start = CpuTime::now();
        run();
        start.elapsed()
    };
    (0..20).map(once).min().unwrap_or_default()
}

#[test]
fn p11_stars_do_not_multiply_time() {
    let text = format!("pub/{}!", "*a".repeat(30));
    let engine = engine(&[&text], &[]);
    let long = format!("pub/{}", "a".repeat(1_024));
    denies(&engine, &[&long]);
    let operation = ReadObject { path: path(&long) };
    let (caller, id) = (Caller::with_full_permission("o"), id());
    let time = best(|| {
        std::hint::black_box(engine.decide(caller, &id, &operation));
    });
    assert!(time < Duration::from_micros(100) * SLOW, "{time:?}");
    let list = ListDirectory { path: path(&format!("pub/{}/", "a".repeat(1_000))).into_owned() };
    let time = best(|| {
        std::hint::black_box(engine.decide(caller, &id, &list));
    });
    assert!(time < Duration::from_micros(100) * SLOW, "{time:?}");
}

#[test]
fn p12_ten_thousand_stars_are_refused_by_the_limit() {
    for text in ["*a".repeat(10_000), "*".repeat(10_000), format!("pub/{}", "*/".repeat(10_000))] {
        let error = Restriction::parse(&text).expect_err("too long");
        assert_eq!(error.kind().limit(), Some("limit.restriction_length"));
        let error = policy(&[&text], &[]).expect_err("too long").to_string();
        assert!(error.contains("limit.restriction_length"), "{error}");
    }
    let nested = format!("pub/{}", "{a,".repeat(1_000));
    assert_eq!(
        Restriction::parse_glob(&nested).expect_err("too deep").kind().limit(),
        Some("limit.glob_nesting")
    );
    // What is just short enough compiles and decides.
    let longest = format!("{}a*", "*a".repeat(1_019));
    let engine = engine(&[&longest], &[]);
    allows(&engine, &[&format!("pub/{}", "a".repeat(1_020))]);
    denies(&engine, &[&format!("pub/{}", "a".repeat(1_019))]);
}

#[test]
fn p13_patterns_that_multiply_stay_small_or_are_refused_by_name() {
    let texts: Vec<String> = (0..64).map(|n| format!("*x{n}*y{n}*")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let start = CpuTime::now();
    let small = engine(&texts, &[]);
    assert!(start.elapsed() < Duration::from_secs(1) * SLOW, "{:?}", start.elapsed());
    let bytes = small.policy().connections()[0].automaton().stats().bytes;
    assert!(bytes < 1 << 20, "{bytes} bytes");
    allows(&small, &["pub/x7/y7", "pub/x63-y63", "pub/x1/x2/y2"]);
    denies(&small, &["pub/x7/y8", "pub/y7/x7", "pub/"]);

    let many: Vec<Rule> = (0..10_000)
        .map(|n| {
            let text = format!("*A{n}*B{n}*");
            Rule::allow(Restriction::parse(&text).expect("short"), READ)
        })
        .collect();
    let start = CpuTime::now();
    // As policies are compiled: the form that tests compare has thousands of small searches.
    let compiled = Automaton::compile(entries(&many));
    let compiling = start.elapsed();
    assert!(compiling < Duration::from_secs(10) * SLOW, "{compiling:?}");
    match compiled {
        Ok(automaton) => {
            let path = b"pub/A9999/B9999";
            let found = automaton.here(path, Access::Read);
            let Verdict::Allowed(id) = found else { panic!("{found:?}") };
            assert!(many[id.index()].restriction.matches(path), "{found:?}");
            let worst = [b"pub/".to_vec(), b"A1234".repeat(204)].concat();
            assert_eq!(automaton.here(&worst, Access::Read), Verdict::NoMatch);
            let time = best(|| {
                std::hint::black_box(automaton.here(&worst, Access::Read));
            });
            assert!(time < Duration::from_millis(1) * SLOW, "{time:?}");
            let bytes = automaton.stats().bytes;
            assert!(bytes < 64 << 20, "{bytes} bytes");
        }
        Err(error) => {
            assert!(error.limit.starts_with("limit."), "{error}");
            assert!(error.to_string().contains(error.limit), "{error}");
        }
    }
}

/// Globs whose subset construction would be exponential, beside plain restrictions.
#[test]
fn p13_globs_that_multiply_stay_within_their_budget() {
    let mut rules: Vec<Rule> = (0..40)
        .map(|n| {
            let text = format!("pub/**/*a{}b{n}*/**/x", "?".repeat(n % 20));
            Rule::allow(Restriction::parse_glob(&text).expect("a glob"), READ)
        })
        .collect();
    rules.push(Rule::deny(Restriction::parse_glob("pub/*a????????????????????").expect("ok"), ALL));
    let start = CpuTime::now();
    let automaton = compile(&rules).expect("within the limits");
    assert!(start.elapsed() < Duration::from_secs(2) * SLOW, "{:?}", start.elapsed());
    assert!(!automaton.stats().below_is_exact, "it passes the budget, or this tests nothing");
    assert!(automaton.stats().bytes < 64 << 20);
    let verdict = automaton.here(b"pub/q/ab0/x", Access::Read);
    assert!(matches!(verdict, Verdict::Allowed(_)), "{verdict:?}");
}

#[test]
fn p14_other_wildcards_are_literal() {
    let engine = engine(&["pub/a?c", "pub/[a]", "pub/{a,b}"], &[]);
    allows(&engine, &["pub/a?c", "pub/[a]", "pub/{a,b}"]);
    denies(&engine, &["pub/abc", "pub/a", "pub/b"]);
    // Two stars are one in the plain form: they cross, as one does.
    let stars = self::engine(&["pub/**/x"], &[]);
    allows(&stars, &["pub/a/b/x"]);
    denies(&stars, &["pub/x"]);
}

/// A deny that no path could match is refused when it is loaded, and so never just does not fire.
#[test]
fn p15_what_can_match_nothing_is_refused() {
    for text in ["/pub/x", "pub/../x", "s3://pub/x", "arn:aws:s3:::pub/x", "ab/x", "my bucket/x"] {
        assert!(policy(&["*"], &[text]).is_err(), "{text}");
        assert!(policy(&[text], &[]).is_err(), "{text}");
    }
}

#[test]
fn p16_a_parent_has_not_what_its_child_has() {
    let engine = engine(&["pub/a/b/"], &[]);
    denies(&engine, &["pub", "pub/", "pub/a", "pub/a/", "pub/a/c", "pub/a/b"]);
    let tree = |text| DeleteTree { path: path(text) };
    for parent in ["pub/", "pub/a/"] {
        assert!(
            engine.approve(Caller::with_full_permission("o"), &id(), tree(parent)).is_err(),
            "{parent}"
        );
    }
    assert!(engine.approve(Caller::with_full_permission("o"), &id(), tree("pub/a/b/")).is_ok());
    let approved = list(&engine, "pub/a").expect("something is below");
    let listing = approved.listing();
    assert_eq!(listing.mode(), ListMode::Narrow);
    assert!(!listing.shows_object(&path("pub/a/c")));
}

#[test]
fn p17_a_path_is_not_cleaned_to_a_restriction() {
    let engine = engine(&["pub/data"], &[]);
    assert!(Path::new("pub/data/sub/..").is_err());
    assert!(Path::new("pub/./data").is_err());
    denies(&engine, &["pub/data/", "pub//data", "pub/data//"]);
}

// ---- c.3 listings ---------------------------------------------------------------------------

#[test]
fn l01_a_listing_shows_nothing_else() {
    let engine = setup();
    let root = list(&engine, "").expect("something is below");
    assert_eq!(root.listing().mode(), ListMode::Narrow);
    assert!(root.listing().shows_folder(&path("pub/")));
    assert!(!root.listing().shows_folder(&path("other/")));
    let bucket = list(&engine, "pub").expect("something is below");
    let listing = bucket.listing();
    assert_eq!(listing.mode(), ListMode::Narrow);
    assert!(listing.shows_object(&path("pub/team.jpg")));
    for hidden in ["pub/secret", "pub/team.jpg2", "pub/dat", "pub/database", "other/data/x"] {
        assert!(!listing.shows_object(&path(hidden)), "{hidden}");
    }
    assert!(list(&engine, "other").is_none());
    assert!(list(&engine, "pub/secret").is_none());
}

#[test]
fn l02_a_folder_is_not_what_starts_like_it() {
    let engine = setup();
    let approved = list(&engine, "pub/data").expect("allowed");
    let listing = approved.listing();
    assert_eq!(listing.directory().as_bytes(), b"pub/data/", "the prefix that is sent");
    for hidden in ["pub/data2/x", "pub/data_archive", "pub/data", "pub/database/"] {
        assert!(!listing.shows_object(&path(hidden)), "{hidden}");
        assert!(!listing.shows_folder(&path(hidden)), "{hidden}");
    }
    assert!(listing.shows_object(&path("pub/data/x")));
    assert!(list(&engine, "pub/data2").is_none());
}

#[test]
fn l05_folders_are_checked_as_objects_are() {
    let engine = engine(&["pub/data/in/*", "pub/logs/*.csv"], &["pub/logs/old/", "pub/data/in/x/"]);
    let approved = list(&engine, "pub").expect("something is below");
    for (folder, shown) in [
        ("pub/data/", true),
        ("pub/logs/", true),
        ("pub/secret/", false),
        ("pub/database/", false),
        ("pub/logs/old/", false),
        ("pub/logs/new/", true),
        ("pub/data/out/", false),
        ("pub/data/in/x/", false),
        ("pub/data/in/y/", true),
    ] {
        assert_eq!(approved.listing().shows_folder(&path(folder)), shown, "{folder}");
    }
}

/// A folder in which a deny takes all that an allow gives is not shown, though both are named.
#[test]
fn l05_a_folder_whose_all_is_taken_is_not_shown() {
    let engine = engine(&["pub/*.private.key", "pub/open/*"], &["*.key"]);
    let approved = list(&engine, "pub").expect("something is below");
    assert!(!approved.listing().shows_folder(&path("pub/keys/")));
    assert!(approved.listing().shows_folder(&path("pub/open/")));
    assert!(list(&engine, "pub/keys").is_none());
}

#[test]
fn l09_who_may_read_may_list() {
    let engine = setup();
    for directory in ["pub/data", "pub/data/", "pub/data/deep/er"] {
        let approved = list(&engine, directory).expect(directory);
        assert_eq!(approved.listing().mode(), ListMode::Pass, "{directory}");
    }
    // To write is not to see.
    let policy = Policy::from_yaml(
        "policy.yaml",
        "connections:\n  - id: s3+t\n    owner: o\n    access: [write]\n    restrictions: ['pub/*']\n",
    );
    let engine = Engine::new(policy.expect("a policy"));
    let write = WriteObject { path: path("pub/x") };
    assert!(engine.decide(Caller::with_full_permission("o"), &id(), &write).is_allowed());
    assert!(list(&engine, "pub").is_none());
    let caller = Caller::new("o", AccessSet::NONE, &Reach::ALL);
    let denied = engine.decide(caller, &id(), &WriteObject { path: path("pub/x") });
    assert_eq!(denied.reason().code(), "deny.key_permission");
}
