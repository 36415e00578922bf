//! Lint: each finding on a policy that has it, none on the policies of this repository that must
//! not have it, and what it says of dead entries against the algebra.

#![expect(clippy::panic, reason = "a test that fails panics")]

use pathward::{
    Access, AccessSet, Effect, Path, Policy, Restriction,
    analysis::{self, CODES, Finding, Language, Lint, States},
};

use crate::common::{Chance, CpuTime, Rule, entries, from_env, is_long, plain, show};

fn policy(connections: &str) -> Policy {
    Policy::from_yaml("p.yaml", &format!("connections:\n{connections}"))
        .unwrap_or_else(|errors| panic!("{errors}"))
}

fn one(fields: &str) -> Policy {
    policy(&format!("  - id: s3+t\n    owner: o\n{fields}"))
}

fn lint(policy: &Policy) -> Lint<'_> {
    let lint = analysis::lint(policy, States::default());
    assert_eq!(lint.undecided, 0);
    lint
}

/// Code, rule and witness of each finding.
fn found(policy: &Policy) -> Vec<(&'static str, Option<usize>, Option<String>)> {
    let of = |f: &Finding<'_>| (f.code, f.rule, f.witness.as_ref().map(ToString::to_string));
    lint(policy).findings.iter().map(of).collect()
}

#[test]
fn each_kind_is_found_with_a_path_and_a_fix() {
    let path = |text: &str| Some(text.to_owned());
    for (fields, expected) in [
        (
            "    restrictions: [Algorithmia*]\n",
            vec![("lint.crosses_buckets", Some(0), path("Algorithmia-private/a"))],
        ),
        (
            "    restrictions: [pub/data*]\n",
            vec![("lint.raw_prefix", Some(0), path("pub/data-old/a"))],
        ),
        // What is taken back is no example.
        (
            "    restrictions: [pub/data*]\n    deny: [pub/data-old/]\n",
            vec![("lint.raw_prefix", Some(0), path("pub/data2"))],
        ),
        ("    restrictions: [pub/draft-*, pub/data/*, \"*.csv\"]\n", vec![]),
        ("    restrictions: [pub]\n", vec![("lint.bare_bucket", Some(0), None)]),
        (
            "    restrictions: [pub/]\n    deny: [pub/secret]\n",
            vec![("lint.not_directory", Some(1), path("pub/secret/a"))],
        ),
        ("    restrictions: [pub/]\n    deny: [pub/secret.txt]\n", vec![]),
        // A restriction that is meant as a folder, by what is said of what is in it. It was not seen.
        (
            "    restrictions: [pub/data, pub/data/a.csv]\n",
            vec![("lint.not_directory", Some(0), path("pub/data/a"))],
        ),
        ("    restrictions: [pub/data, pub/database/x.csv]\n", vec![]),
        ("    restrictions: [pub/data, pub/data/]\n", vec![]),
        ("    restrictions: [pub/data.csv, pub/data.csv/x]\n", vec![]),
        ("    restrictions: [pub/]\n    deny: [pub/secret, pub/secret/]\n", vec![]),
        ("    access: read-write\n", vec![("lint.write_everything", Some(0), None)]),
        ("", vec![("lint.no_restrictions", Some(0), None)]),
        ("    deny: [pub/]\n", vec![("lint.no_restrictions", Some(0), None)]),
        ("    restrictions: [\"*\"]\n", vec![]),
        ("    restrictions: [pub/, pub/a/]\n", vec![("lint.shadowed", Some(1), None)]),
        (
            "    restrictions: [pub/a, pub/b, \"pub/*\"]\n",
            vec![("lint.shadowed", Some(0), None), ("lint.shadowed", Some(1), None)],
        ),
        ("    restrictions: [pub/, { path: pub/a/, access: read-write }]\n", vec![]),
        (
            "    restrictions: [pub/, logs/]\n    deny: [pub/]\n",
            vec![("lint.denied", Some(0), None)],
        ),
        ("    restrictions: [pub/]\n    deny: [logs/]\n", vec![("lint.idle_deny", Some(1), None)]),
        // Read is all that is given, so a deny of writing takes nothing.
        (
            "    restrictions: [pub/]\n    deny: [{ path: pub/a/, access: [write] }]\n",
            vec![("lint.idle_deny", Some(1), None)],
        ),
        (
            "    restrictions: [pub/]\n    deny: [pub/a/, pub/a/b/]\n",
            vec![("lint.shadowed", Some(2), None)],
        ),
        // No path of a connection with `keys: plain` has an empty segment.
        (
            "    keys: plain\n    restrictions: [pub/]\n    deny: [pub//x]\n",
            vec![("lint.idle_deny", Some(1), None)],
        ),
        // Two spellings of the same: one of them stays.
        (
            "    restrictions: [{ glob: \"pub/[ab]\" }, { glob: \"pub/{a,b}\" }]\n",
            vec![("lint.shadowed", Some(1), None)],
        ),
        ("    restrictions: [\"pub/[a]\"]\n", vec![("policy.glob_signs", None, None)]),
        ("    restrictions:\n      - pub/data # 1/*\n", vec![("policy.yaml_comment", None, None)]),
        ("    restrictions:\n      - pub/data # as in 1\n", vec![]),
    ] {
        let policy = one(fields);
        assert_eq!(found(&policy), expected, "{fields}");
        for finding in lint(&policy).findings {
            assert!(!finding.help.is_empty() && !finding.message.is_empty(), "{finding:?}");
            can_be_followed(&finding);
            let is_known = CODES.iter().any(|(code, _)| *code == finding.code);
            assert!(is_known || finding.code.starts_with("policy."), "{}", finding.code);
        }
    }
}

/// What a finding says to write was read.
fn can_be_followed(finding: &Finding<'_>) {
    match &finding.instead {
        Some(instead) => {
            assert!(finding.help.contains(instead.text()), "{finding:?}");
            let again = Restriction::parse_as(instead.dialect(), instead.text());
            assert_eq!(again.as_ref(), Ok(instead), "{finding:?}");
        }
        None if finding.code.starts_with("lint.") => {
            assert!(!finding.help.contains("write `"), "not read: {finding:?}");
        }
        None => {}
    }
}

/// Folders that a deny names without what is in them, as a text and as a glob, with the path that is
/// still allowed.
#[test]
fn denies_of_folders_that_leave_open_what_is_in_them_are_found() {
    let all = [
        ("pub/", "glob: pub/secret", "pub/secret/a"),
        ("pub/", "glob: '**/secret'", "pub/secret/a"),
        ("pub/", "glob: '**/secrets'", "pub/secrets/a"),
        ("pub/", "glob: 'pub/**/secret'", "pub/secret/a"),
        ("pub/", "glob: 'pub/*/secret'", "pub/a/secret/a"),
        ("pub/", "glob: 'pub/{secret,private}'", "pub/secret/a"),
        ("pub/", "glob: 'pub/[Ss]ecret'", "pub/Secret/a"),
        ("pub/", "glob: 'pub/secret?'", "pub/secreta/a"),
        ("pub/", "glob: 'pub/secret/*'", "pub/secret/a/a"),
        ("pub/", "glob: '**/secret/*'", "pub/secret/a/a"),
        ("pub/", "glob: 'pub/*'", "pub/a/a"),
        ("pub/", "glob: '**/.git'", "pub/.git/a"),
        ("pub/", "glob: '**/.ssh'", "pub/.ssh/a"),
        ("pub/", "glob: '**/.aws/*'", "pub/.aws/a/a"),
        ("pub/", "glob: '**/node_modules'", "pub/node_modules/a"),
        ("pub/", "glob: 'pub/My Documents'", "pub/My Documents/a"),
        ("pub/", "glob: '**/v1'", "pub/v1/a"),
        ("pub/", "glob: 'pub/a/**/b/**/c'", "pub/a/b/c/a"),
        ("'*'", "glob: '**/secret'", "aaa/secret/a"),
        ("pub/x/", "glob: '**/secret'", "pub/x/secret/a"),
        ("pub/*/y/", "glob: '**/secret'", "pub/secret/y/"),
        ("pub/secret/x.csv", "glob: pub/secret", "pub/secret/x.csv"),
        ("pub/", "path: pub/secret", "pub/secret/a"),
        ("pub/", "path: pub/.ssh", "pub/.ssh/a"),
        ("pub/", "path: 'pub/*/secret'", "pub/a/secret/a"),
        ("pub/", "path: '*/secret'", "pub/secret/a"),
        ("pub/secret/x/*.csv", "path: pub/secret", "pub/secret/x/.csv"),
    ];
    for (allow, deny, open) in all {
        let policy = one(&format!("    restrictions: [{allow}]\n    deny: [{{ {deny} }}]\n"));
        let lint = lint(&policy);
        let found: Vec<_> =
            lint.findings.iter().filter(|f| f.code == "lint.not_directory").collect();
        let [finding] = found[..] else { panic!("{deny}: {:?}", lint.findings) };
        let at = finding.witness.as_ref().expect("a path");
        assert_eq!(at.as_bytes().len(), open.len(), "{deny}: {at}, and not {open}");
        assert!(
            finding.message.contains(&format!("`{at}` is still allowed")),
            "{}",
            finding.message
        );
        assert_eq!((finding.rule, finding.level), (Some(1), analysis::Level::Warning));
        let language = Language::of_connection(&policy.connections()[0], Access::Read);
        assert!(language.contains(at), "{deny}: {at}");
        can_be_followed(finding);
        // With what it says to write nothing is left open.
        let instead = finding.instead.as_ref().expect(deny);
        let kind = if instead.dialect() == pathward::Dialect::Glob { "glob" } else { "path" };
        let policy = one(&format!(
            "    restrictions: [{allow}]\n    deny: [{{ {kind}: '{}' }}]\n",
            instead.text()
        ));
        assert!(analysis::left_open(&policy, States::default()).is_empty(), "{deny}: {instead:?}");
    }
    for (allow, deny) in [
        ("pub/", "[{ glob: 'pub/secret/**' }]"),
        ("pub/", "[{ glob: '**/secret/**' }]"),
        ("pub/", "[{ glob: '**/secret' }, { glob: '**/secret/**' }]"),
        ("pub/", "[{ glob: 'pub/secret' }, pub/secret/]"),
        ("pub/", "[{ glob: '**/.env' }]"),
        ("pub/", "[{ glob: '**/*.pem' }]"),
        ("pub/", "[{ glob: '**/id_rsa' }]"),
        ("pub/", "[{ glob: 'pub/tmp-*' }]"),
        ("pub/", "[{ glob: 'pub/**' }]"),
        ("pub/", "['pub/secret*']"),
        ("pub/secret", "[{ glob: 'pub/secret' }]"),
        ("pub/x/", "[{ glob: 'logs/secret' }]"),
        ("pub/*.csv", "[{ glob: 'pub/secret' }, 'pub/secret/*']"),
    ] {
        let policy = one(&format!("    restrictions: ['{allow}']\n    deny: {deny}\n"));
        let open = analysis::left_open(&policy, States::default());
        assert!(open.is_empty(), "{allow} {deny}: {open:?}");
    }
}

/// `**/` in a text that is no glob.
#[test]
fn stars_that_stand_for_a_folder_at_least_are_found() {
    for (allow, deny, open) in [
        ("pub/", "pub/**/.env", "pub/.env"),
        ("pub/", "pub/**/secret/*", "pub/secret/"),
        ("pub/", "pub/**/secret/", "pub/secret/"),
        ("pub/", "pub/a/**/b/**/c.csv", "pub/a/b/c.csv"),
        ("pub/", "pub/**/*.pem", "pub/.pem"),
        ("pub/", "pub/***/x.csv", ""),
        ("'*'", "**/secret/x.csv", "secret/x.csv"),
        ("secret/", "**/secret/*", "secret/s"),
        ("pub/", "pub/x/**/y.csv", "pub/x/y.csv"),
        ("pub/", "pub/**/**/y.csv", "pub/y.csv"),
        ("pub/", "pub/*/**/y.csv", "pub//y.csv"),
        ("pub/", "pub/**/.git/config", "pub/.git/config"),
    ] {
        let policy = one(&format!("    restrictions: [{allow}]\n    deny: ['{deny}']\n"));
        let found = lint(&policy).findings;
        let found: Vec<_> = found.iter().filter(|f| f.code == "lint.star_star").collect();
        if open.is_empty() {
            assert!(found.is_empty(), "{deny}: {found:?}");
            continue;
        }
        let [finding] = found[..] else { panic!("{deny}: {found:?}") };
        assert_eq!(
            finding.witness.as_ref().map(ToString::to_string).as_deref(),
            Some(open),
            "{deny}"
        );
        assert!(finding.message.contains("is still allowed"), "{}", finding.message);
        can_be_followed(finding);
        let glob = finding.instead.as_ref().expect(deny).text();
        let policy =
            one(&format!("    restrictions: [{allow}]\n    deny: [{{ glob: '{glob}' }}]\n"));
        let mut open = analysis::left_open(&policy, States::default());
        open.retain(|finding| finding.code == "lint.star_star");
        assert!(open.is_empty(), "{glob}: {open:?}");
    }
    for allow in ["pub/**/*.csv", "pub/**/x", "pub/**/data/", "pub/a/**/b/*"] {
        let policy = one(&format!("    restrictions: ['{allow}']\n"));
        let found = lint(&policy).findings;
        let [finding] = &found[..] else { panic!("{allow}: {found:?}") };
        assert_eq!(finding.code, "lint.star_star");
        assert!(finding.message.contains("is not allowed"), "{}", finding.message);
        can_be_followed(finding);
    }
    // Where there is a folder in any case, or the rest is said by another entry.
    for list in [
        "['pub/**']",
        "['**/.env']",
        "['**/*.csv']",
        "['pub/**', 'pub/x/**']",
        "['pub/**/x', 'pub/x']",
        "['pub/*/x']",
        "[{ glob: 'pub/**/x' }]",
    ] {
        let policy = one(&format!("    restrictions: {list}\n"));
        let found = lint(&policy).findings;
        assert!(found.iter().all(|f| f.code != "lint.star_star"), "{list}: {found:?}");
    }
}

/// A restriction all of whose paths a connection with `keys: plain` refuses is no fault of a deny.
#[test]
fn what_keys_plain_refuses_is_told_as_that() {
    let plain = "    keys: plain\n";
    for restriction in [
        "pub//in/",
        "pub//",
        "'pub/a//*'",
        "'*//*'",
        "'pub/a\\\\b'",
        "'pub/x\\\\*'",
        "{ glob: 'pub//**' }",
        "pub/a//b",
    ] {
        for deny in ["", "    deny: [pub/x/]\n", "    deny: ['pub/*']\n"] {
            let policy = one(&format!("{plain}    restrictions: [pub/, {restriction}]\n{deny}"));
            let found = lint(&policy).findings;
            let of_rule: Vec<_> = found.iter().filter(|f| f.rule == Some(1)).collect();
            let [finding] = of_rule[..] else { panic!("{restriction}: {found:?}") };
            assert_eq!(finding.code, "lint.plain_keys", "{restriction}");
            assert!(finding.message.contains("`keys: plain`"), "{}", finding.message);
            assert!(!finding.help.contains("deny"), "{}", finding.help);
        }
        // As a deny it takes nothing, for this reason.
        let policy = one(&format!("{plain}    restrictions: [pub/]\n    deny: [{restriction}]\n"));
        let found = lint(&policy).findings;
        let finding = found.iter().find(|f| f.code == "lint.idle_deny").expect(restriction);
        assert!(finding.message.contains("`keys: plain`"), "{}", finding.message);
        // With exact keys there is nothing to say of it.
        let policy = one(&format!("    restrictions: [{restriction}]\n"));
        let found = lint(&policy).findings;
        assert!(found.iter().all(|f| f.code != "lint.plain_keys"), "{restriction}: {found:?}");
    }
    for restriction in ["pub/in/", "'pub/*'", "'*'", "'pub/*/x'"] {
        let policy = one(&format!("{plain}    restrictions: [{restriction}]\n"));
        let found = lint(&policy).findings;
        assert!(found.iter().all(|f| f.code != "lint.plain_keys"), "{restriction}: {found:?}");
    }
}

/// A glob about buckets' names is about no object.
#[test]
fn globs_of_buckets_alone_are_found() {
    for glob in ["pub", "pub-*", "*", "{pub,logs}", "p?b", "pub[0-9]"] {
        let policy = one(&format!("    restrictions: ['*']\n    deny: [{{ glob: '{glob}' }}]\n"));
        let found = lint(&policy).findings;
        let finding = found.iter().find(|f| f.code == "lint.bare_bucket").expect(glob);
        can_be_followed(finding);
    }
    for glob in ["pub/*", "**", "**/pub", "{pub,logs/x}", "pub/**"] {
        let policy = one(&format!("    restrictions: ['*']\n    deny: [{{ glob: '{glob}' }}]\n"));
        let found = lint(&policy).findings;
        assert!(found.iter().all(|f| f.code != "lint.bare_bucket"), "{glob}: {found:?}");
    }
}

#[test]
fn keys_that_name_what_is_not_there_are_found() {
    let text = |names: &str| {
        let hash = "ab".repeat(32);
        format!(
            "connections:\n  - {{ id: s3+a, owner: o, restrictions: [pub/] }}\n  - {{ id: s3+b, owner: p, \
             restrictions: [pub/] }}\nusers:\n  - name: o\n    keys:\n      - {{ id: k, sha256: {hash}, \
             access: none{names} }}\n"
        )
    };
    for (names, expected) in [
        ("", 0),
        (", connections: [s3+a]", 0),
        (", connections: [S3+a]", 0),
        (", connections: [s3+A]", 1),
        // Another owner's.
        (", connections: [s3+a, s3+b, s3+c]", 2),
    ] {
        let policy = Policy::from_yaml("p.yaml", &text(names)).expect(names);
        let lint = lint(&policy);
        let of_keys = lint.findings.iter().filter(|f| f.code == "lint.key_connection");
        assert_eq!(of_keys.count(), expected, "{names}");
        assert!(lint.findings.iter().all(|f| f.location.as_ref().is_some_and(|l| l.line > 0)));
    }
}

#[test]
fn what_covers_an_entry_is_named() {
    for (restrictions, by) in [
        ("[pub/, logs/, pub/a/x]", vec![0]),
        ("[logs/, \"*.csv\", pub/a.csv]", vec![1]),
        (
            "[logs/, { glob: \"pub/[!a]*\" }, { glob: \"pub/a*\" }, { glob: \"pub/?x\" }]",
            vec![1, 2],
        ),
        (
            "[{ path: pub/a, access: [read, write] }, { path: pub/a, access: [delete] }, { path: pub/a, access: read-write }]",
            vec![0, 1],
        ),
    ] {
        let policy = one(&format!("    restrictions: {restrictions}\n"));
        let lint = lint(&policy);
        let finding = lint.findings.iter().find(|f| f.code == "lint.shadowed").expect(restrictions);
        assert_eq!(finding.by, by, "{restrictions}");
    }
}

#[test]
fn connections_that_overlap_with_different_access_are_found() {
    let two = |one: &str, other: &str| {
        policy(&format!(
            "  - {{ id: s3+a, owner: o, {one} }}\n  - {{ id: s3+b, owner: o, {other} }}\n"
        ))
    };
    let overlaps = |policy: &Policy| -> Vec<(String, String)> {
        let of = |f: &Finding<'_>| {
            assert_eq!(f.code, "lint.overlap");
            let at = f.witness.as_ref().expect("a path").to_string();
            (f.connection.expect("one").id().to_string(), at)
        };
        lint(policy).findings.iter().map(of).collect()
    };
    let found =
        overlaps(&two("restrictions: [pub/]", "access: read-write, restrictions: [pub/out/]"));
    assert_eq!(found, [("s3+a".to_owned(), "pub/out/".to_owned())]);
    for (one, other) in [
        ("restrictions: [pub/]", "restrictions: [pub/out/]"),
        ("restrictions: [pub/]", "access: read-write, restrictions: [logs/]"),
        ("restrictions: [pub/], deny: [pub/out/]", "access: read-write, restrictions: [pub/out/]"),
        // Another server is another storage.
        (
            "restrictions: [pub/]",
            "access: read-write, restrictions: [pub/], endpoint: \"https://s3.example\"",
        ),
    ] {
        assert!(overlaps(&two(one, other)).is_empty(), "{one} {other}");
    }
}

/// An entry is called dead if, and only if, everything is as it was without it.
#[test]
fn dead_entries_are_those_without_which_nothing_changes() {
    let seed = from_env("PATHWARD_SEED").unwrap_or(5);
    let mut chance = Chance(seed);
    let rounds = if is_long() { 8_000 } else { 400 };
    let texts = [
        "pub/",
        "pub/*",
        "pub*",
        "*",
        "pub/a",
        "pub/a/",
        "pub/a*",
        "*/a",
        "*a*",
        "logs/",
        "pub/*/a",
        "pub/a/*/b",
        "logs/a",
        "*.csv",
        "pub/*.csv",
        "pub/a.csv",
        "pub",
    ];
    let globs = ["pub/**", "pub/*", "*/a", "pub/{a,b}", "{pub,logs}/**", "**/a.csv", "pub/?"];
    let (mut dead, mut alive) = (0, 0);
    for _ in 0..rounds {
        let mut rules: Vec<Rule> = Vec::new();
        for _ in 0..2 + chance.below(7) {
            let restriction = match chance.one_in(4) {
                true => Restriction::parse_glob(globs[chance.below(globs.len())]).expect("a glob"),
                false => plain(texts[chance.below(texts.len())]),
            };
            let access = *chance.pick(&[
                AccessSet::READ_ONLY,
                AccessSet::READ_WRITE,
                AccessSet::from_bits(3),
            ]);
            let effect = if chance.one_in(3) { Effect::Deny } else { Effect::Allow };
            let known = rules.iter().any(|rule| {
                rule.restriction.patterns() == restriction.patterns()
                    && (rule.access, rule.effect) == (access, effect)
            });
            if !known {
                rules.push(Rule { restriction, access, effect });
            }
        }
        // As connections have them: the restrictions, then the denies.
        rules.sort_by_key(|rule| rule.effect);
        if rules[0].effect == Effect::Deny {
            continue;
        }
        let line = |rule: &Rule| {
            let kind = match rule.restriction.dialect() {
                pathward::Dialect::Plain => "path",
                pathward::Dialect::Glob => "glob",
            };
            let names: Vec<_> = rule.access.iter().map(Access::name).collect();
            format!(
                "      - {{ {kind}: '{}', access: [{}] }}\n",
                rule.restriction.text(),
                names.join(", ")
            )
        };
        let list =
            |effect| rules.iter().filter(|r| r.effect == effect).map(line).collect::<String>();
        let deny = match list(Effect::Deny) {
            none if none.is_empty() => none,
            some => format!("    deny:\n{some}"),
        };
        let policy = one(&format!("    restrictions:\n{}{deny}", list(Effect::Allow)));
        let lint = lint(&policy);
        let of_kind =
            |f: &&Finding<'_>| matches!(f.code, "lint.shadowed" | "lint.denied" | "lint.idle_deny");
        let said: Vec<&Finding<'_>> = lint.findings.iter().filter(of_kind).collect();
        for n in 0..rules.len() {
            let mut without = rules.clone();
            without.remove(n);
            let same = Access::ALL.into_iter().all(|access| {
                let [with, without] =
                    [&rules, &without].map(|r| Language::of_entries(entries(r), access));
                with.equivalent(&without, States::default()).holds()
            });
            let is_said = said.iter().any(|f| f.rule == Some(n));
            // Of entries that cover each other, one is not called dead.
            let covers = said.iter().any(|f| f.by.contains(&n));
            assert!(same || !is_said, "rule {n} is not dead: [{}]", show(&rules));
            assert!(!same || is_said || covers, "rule {n} is dead: [{}]", show(&rules));
            if same { dead += 1 } else { alive += 1 }
        }
        // All that is said can be followed: what is left says the same.
        let left: Vec<Rule> = rules
            .iter()
            .enumerate()
            .filter(|(n, _)| !said.iter().any(|f| f.rule == Some(*n)))
            .map(|(_, r)| r.clone())
            .collect();
        for finding in &said {
            for by in &finding.by {
                assert_ne!(Some(*by), finding.rule);
            }
        }
        if said.iter().all(|finding| finding.code != "lint.shadowed" || finding.by.len() == 1) {
            for access in Access::ALL {
                let [with, without] =
                    [&rules, &left].map(|r| Language::of_entries(entries(r), access));
                assert!(with.equivalent(&without, States::default()).holds(), "[{}]", show(&rules));
            }
        }
    }
    println!("lint: {dead} dead entries and {alive} others, PATHWARD_SEED={seed}");
    assert!(dead > 100 && alive > 100);
}

/// A hundred thousand restrictions of the kinds that policies have.
#[test]
fn a_large_policy_is_looked_through_fast() {
    let count = if cfg!(debug_assertions) { 10_000 } else { 100_000 };
    let mut list = String::new();
    for n in 0..count {
        let (team, set) = (n % 997, n / 7);
        let text = match n % 10 {
            0..=5 => format!("tenants/team-{team}/set-{set}-{n}/*"),
            6 | 7 => format!("tenants/team-{team}/files/{n}.parquet"),
            8 => format!("tenants/team-{team}/raw-{n}-*"),
            _ => format!("tenants/team-{team}/logs-{n}/*/part-*.gz"),
        };
        list.push_str(&format!("      - {text}\n"));
    }
    for n in 0..100 {
        list.push_str(&format!("      - tenants/team-{n}/set-{}-{}/x/\n", n / 7, n));
    }
    let policy = one(&format!(
        "    restrictions:\n{list}    deny:\n      - \"*/secret/*\"\n      - other/\n"
    ));
    let start = CpuTime::now();
    let lint = lint(&policy);
    let took = start.elapsed();
    let count_of = |code| lint.findings.iter().filter(|f| f.code == code).count();
    // Of the hundred, those whose folder there is.
    assert_eq!((count_of("lint.shadowed"), count_of("lint.idle_deny")), (60, 1));
    println!("lint: {count} restrictions took {took:?}");
    let most = if cfg!(debug_assertions) { 15 } else { 3 };
    assert!(took.as_secs() < most, "{took:?}");
}

#[test]
fn examples_of_findings_are_paths_that_show_them() {
    let policy =
        one("    restrictions: [Algorithmia*, pub/x*]\n    deny: [Algorithmia-private/]\n");
    for finding in lint(&policy).findings {
        let path = finding.witness.expect("a path");
        assert!(Path::new(path.as_bytes()).is_ok());
        let connection = finding.connection.expect("one");
        let rule = &connection.rules()[finding.rule.expect("one")];
        assert!(rule.restriction.matches(path.as_bytes()));
        let language = Language::of_connection(connection, Access::Read);
        assert!(language.contains(&path), "{path:?}");
    }
}
