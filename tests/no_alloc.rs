//! Deciding allocates nothing: shown by counting what the allocator is asked for.

#![expect(clippy::expect_used, reason = "a test that fails panics, and says what it compared")]

#[expect(dead_code, reason = "the engine's tests use the rest")]
mod common;

use std::hint::black_box;

use common::{ALL, READ, Rule, compile};
use pathward::{
    Access, AccessSet, Caller, ConnectionId, Engine, Operation, Path, Policy, Reach, Restriction,
    engine::{CopyObject, DeleteDirectory, DeleteObjects, ListDirectory, Outcome},
};

fn allocations(run: impl FnOnce()) -> u64 {
    allocation_counter::measure(run).count_total
}

/// The control: what allocates is seen to, so that the zeros below mean something.
#[test]
fn an_allocation_is_counted() {
    assert_eq!(allocations(|| drop(black_box(Box::new(1_u8)))), 1);
    let restriction = Restriction::parse("pub/*x").expect("a restriction");
    let reference = allocations(|| {
        black_box(restriction.matches(b"pub/xx"));
    });
    assert!(reference > 0, "the reference matcher allocates, and that is counted");
}

/// Every shape of policy: literals, prefixes, stars, a few and many in one place, globs, denies.
fn shapes() -> Vec<(&'static str, Vec<Rule>)> {
    let allow = |text: &str| Rule::allow(Restriction::parse(text).expect(text), READ);
    let deny = |text: &str| Rule::deny(Restriction::parse(text).expect(text), ALL);
    let glob = |text: &str| Restriction::parse_glob(text).expect(text);
    let crowd = |n: usize| (0..n).map(|n| allow(&format!("pub/*k{n}*z"))).collect::<Vec<_>>();
    vec![
        ("nothing", vec![]),
        ("everything", vec![Rule::allow(Restriction::parse("*").expect("*"), ALL)]),
        ("literals", vec![allow("pub/a"), allow("pub/ab"), deny("pub/abc")]),
        ("prefixes", vec![allow("pub/"), allow("pub/a*"), deny("pub/a/b/")]),
        ("stars", vec![allow("*.csv"), allow("pub/*/x*y"), allow("pub*data*/z"), deny("*secret*")]),
        ("a crowd", crowd(400)),
        (
            "a crowd with denies",
            crowd(40).into_iter().chain((0..40).map(|n| deny(&format!("pub/*d{n}*")))).collect(),
        ),
        (
            "globs",
            vec![
                Rule::allow(glob("pub/{a,b}/**/*.gz"), READ),
                Rule::allow(glob("pub/[!x]?/*"), ALL),
                Rule::deny(glob("**/.git/**"), READ),
            ],
        ),
        (
            "globs beyond the budget of the subset construction",
            (0..40)
                .map(|n| Rule::allow(glob(&format!("pub/**/*k{n}*/*z{n}/**/*x")), READ))
                .chain([deny("*y*x*")])
                .collect(),
        ),
    ]
}

fn paths() -> Vec<Vec<u8>> {
    let mut paths: Vec<Vec<u8>> = [
        "",
        "pub",
        "pub/",
        "pub/a",
        "pub/abc",
        "pub/a/b/c.gz",
        "pub/a/x/y.csv",
        "pub/secret.csv",
        "pub/k1k2k399z",
        "pub/d3k1z",
        "other/x",
        "pub/.git/x",
        "pub/ab/c",
        "pub/k1a/bz1/x",
    ]
    .into_iter()
    .map(|path| path.as_bytes().to_vec())
    .collect();
    paths.push([b"pub/".to_vec(), b"k1".repeat(500)].concat());
    paths.push([b"pub/".to_vec(), vec![b'/'; 1_020]].concat());
    paths.push(vec![0xff; 5_000]);
    paths
}

#[test]
fn here_and_below_allocate_nothing() {
    for (name, rules) in shapes() {
        let automaton = compile(&rules).expect(name);
        for path in paths() {
            let count = allocations(|| {
                for access in Access::ALL {
                    black_box(automaton.here(black_box(&path), access));
                }
                black_box(automaton.below(black_box(&path)));
            });
            assert_eq!(count, 0, "{name}: {}", common::bytes(&path));
        }
        let paths = paths();
        let count = allocations(|| {
            let questions = paths.iter().map(|path| (&path[..], Access::Read));
            automaton.here_batch(black_box(questions), |verdict| {
                black_box(verdict);
            });
        });
        assert_eq!(count, 0, "{name}, side by side");
    }
}

#[test]
fn decide_allocates_nothing() {
    // Enough for the forks, which a batch goes through side by side.
    let many = (0..40).map(|n| format!("pub/dir{n}/*, ")).collect::<String>();
    let text = r#"
connections:
  - id: s3+many
    owner: steph
    restrictions: [MANY pub/data/*, "*.csv"]
    deny: ["pub/data/locked/", "logs/*/x*"]
  - id: s3+t
    owner: steph
    default: true
    access: read-write
    restrictions:
      - pub/data/*
      - "*.csv"
      - { path: "pub/team.jpg", access: read-only }
      - { glob: "logs/{app,web}/**/*.gz" }
    deny:
      - pub/data/locked/
      - "*secret*"
  - id: s3+plain
    owner: steph
    keys: plain
    endpoint: https://s3.example
    restrictions: [pub/*]
"#;
    let policy = Policy::from_yaml("policy.yaml", &text.replace("MANY ", &many)).expect("a policy");
    let engine = Engine::new(policy);
    let names = Operation::NAMES;
    let texts = [
        "",
        "pub",
        "pub/data/x",
        "pub/data/",
        "pub/data/locked/x",
        "pub/team.jpg",
        "pub/no",
        "pub/data//x",
        "x.y/secret.csv",
        "logs/app/1/x.gz",
        "logs/app/1/",
    ];
    let path = |text: &'static str| Path::new(text).expect(text);
    let mut operations: Vec<Operation<'_>> = Vec::new();
    for text in texts {
        for name in names {
            operations.extend(Operation::named(name, path(text)).expect("short enough"));
        }
    }
    operations.push(Operation::Copy(CopyObject {
        source: path("pub/data/x"),
        destination: path("pub/data/y"),
    }));
    operations.push(Operation::Copy(CopyObject {
        source: path("pub/no"),
        destination: path("pub/data/y"),
    }));
    operations.push(Operation::DeleteMany(DeleteObjects { paths: texts.map(path).to_vec() }));
    operations.push(Operation::DeleteMany(DeleteObjects { paths: vec![] }));

    let (all, one) = (Reach::ALL, Reach::only(ConnectionId::parse("s3+t")));
    let keys = [
        (AccessSet::READ_WRITE, &all),
        (AccessSet::READ_ONLY, &all),
        (AccessSet::NONE, &all),
        (AccessSet::READ_WRITE, &one),
    ];
    let mut seen = [0; 3];
    for id in ["s3+t", "S3", "s3+many", "s3+plain", "s3+unknown"] {
        let id = ConnectionId::parse(id).expect(id);
        for name in ["steph", "mallory"] {
            for (permission, reach) in keys {
                let caller = Caller::new(name, permission, reach);
                let mut together = Vec::with_capacity(operations.len());
                let count = allocations(|| {
                    engine.decide_batch(caller, &id, black_box(&operations), |decision| {
                        together.push((decision.reason(), decision.rule_id(), decision.need()));
                    });
                });
                assert_eq!(count, 0, "{name} {id}, all operations together");
                assert_eq!(together.len(), operations.len());
                for (operation, together) in operations.iter().zip(together) {
                    let decision = engine.decide(caller, &id, operation);
                    let one = (decision.reason(), decision.rule_id(), decision.need());
                    assert_eq!(one, together, "{name} {id} {operation:?}");
                    let mut outcome = Outcome::Invalid;
                    let count = allocations(|| {
                        let decision = engine.decide(caller, &id, black_box(operation));
                        black_box((decision.rule(), decision.need(), decision.list()));
                        black_box(decision.reason().code());
                        outcome = decision.outcome();
                    });
                    assert_eq!(count, 0, "{name} {id} {operation:?}");
                    seen[outcome as usize] += 1;
                }
            }
        }
    }
    assert!(seen.iter().all(|n| *n > 10), "allowed, denied and invalid: {seen:?}");
}

/// Nor does finding the caller, approving, and asking an approval again, whatever the answer.
#[test]
fn approving_and_asking_again_allocate_nothing() {
    // The SHA-256 of `simA`.
    let text = "
connections:
  - { id: s3+t, owner: ana, access: read-write, restrictions: [pub/data/*, pub/team.jpg] }
users:
  - name: ana
    keys:
      - id: laptop
        sha256: HASH
        access: read-write
        connections: [s3+t]
";
    let hash = "449642d00dc777b3e6d1acd9185c3f14cb10eea6d9c660dafc1e78d4b225cf01";
    let text = text.replace("HASH", hash);
    let policy = |text: &str| Policy::from_yaml("policy.yaml", text).expect("a policy");
    let newer = [
        ("", "", true),
        ("pub/data/*, ", "", false),
        ("[pub/data/*, pub/team.jpg] }", "[pub/*], deny: [pub/data/x, \"*/x*\"] }", false),
        ("s3+t, owner", "s3+u, owner", false),
        ("connections: [s3+t]", "connections: [s3+u]", false),
        (hash, &hash.replace('a', "b"), false),
    ];
    let id = ConnectionId::parse("s3+t").expect("an id");
    let path = |text: &'static str| Path::new(text).expect(text);
    for (old, new, stands) in newer {
        let engine = Engine::new(policy(&text));
        let mut operations = vec![
            Operation::named("write", path("pub/data/x")),
            Operation::named("list", path("pub/data/")),
            Operation::named("delete-tree", path("pub/data/")),
        ];
        operations.reverse();
        while let Some(Ok(Some(operation))) = operations.pop() {
            let mut approved = None;
            let count = allocations(|| {
                let caller = engine.caller(black_box(b"simA"));
                approved = caller.and_then(|caller| engine.approve(caller, &id, operation).ok());
            });
            assert_eq!(count, 0, "to approve");
            let approved = approved.expect("an approval");
            let _newer = engine.replace(policy(&text.replacen(old, new, 1)));
            let mut still = None;
            let count = allocations(|| still = Some(black_box(&approved).still_stands()));
            assert_eq!(count, 0, "to ask again: {old} -> {new}");
            assert_eq!(still.expect("an answer").is_ok(), stands, "{old} -> {new}: {approved:?}");
            let _back = engine.replace(policy(&text));
        }
    }
}

/// Also by a policy that came after the one that approved.
#[test]
fn asking_an_approval_again_allocates_nothing() {
    let policy = |deny: &str| {
        let text = format!(
            "connections:\n  - {{ id: s3+t, owner: steph, access: read-write, restrictions: [pub/, \
             '*.csv'], deny: [{deny}] }}\n"
        );
        Policy::from_yaml("policy.yaml", &text).expect("a policy")
    };
    let engine = Engine::new(policy("pub/a/"));
    let id = ConnectionId::parse("s3+t").expect("an id");
    let caller = Caller::with_full_permission("steph");
    let path = |text: &'static str| Path::new(text).expect(text);
    let list = engine.approve(caller, &id, ListDirectory { path: path("pub/") }).expect("it may");
    let delete =
        engine.approve(caller, &id, DeleteDirectory { path: path("pub/d/") }).expect("it may");
    let paths = ["pub/a/x", "pub/b/x", "pub/c.csv", "pub/d/e"].map(path);
    for newer in ["pub/a/", "pub/b/"] {
        let _newer = engine.replace(policy(newer));
        let count = allocations(|| {
            black_box(list.still_stands().is_ok());
            black_box(list.present().is_ok());
            let listing = list.listing();
            for path in &paths {
                black_box(listing.shows_object(black_box(path)));
                black_box(listing.shows_folder(black_box(path)));
                black_box(delete.reaches(black_box(path)));
            }
        });
        assert_eq!(count, 0, "{newer}");
    }
}
