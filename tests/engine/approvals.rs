//! Approvals age: what a newer policy takes away is taken from what an older one approved, and what
//! it gives is not added.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that fails panics, and says why")]

use pathward::{
    Approved, Caller, ConnectionId, Engine, Path, Policy, Reach,
    engine::{
        CopyObject, DeleteDirectory, DeleteObject, DeleteObjects, DeleteTree, ListDirectory,
        ListMode, Listing, Operate, Operation, ReadObject, Reason, Withdrawn, WriteObject,
    },
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

fn hash(key: &str) -> String {
    Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A policy in which Ana's key `simA` reaches her two connections.
fn text() -> String {
    format!(
        r#"
connections:
  - id: s3+t
    owner: ana
    endpoint: https://s3.example
    keys: exact
    region: eu-west-1
    credentials: {{ env: T }}
    access: read-write
    restrictions: [pub/data/*, pub/team.jpg]
    deny: [lake/none/]
  - id: s3+other
    owner: ana
    endpoint: https://s3.example
    restrictions: [pub/*]
users:
  - name: ana
    keys:
      - {{ id: laptop, sha256: {}, access: read-write }}
      - {{ id: job, sha256: {}, access: read-write, connections: [s3+t, s3+other] }}
  - name: bob
    keys:
      - {{ id: laptop, sha256: {}, access: read-write }}
"#,
        hash("simA"),
        hash("simJ"),
        hash("simB"),
    )
}

fn policy(text: &str) -> Policy {
    Policy::from_yaml("policy.yaml", text).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn engine() -> Engine {
    Engine::new(policy(&text()))
}

fn id() -> ConnectionId<'static> {
    ConnectionId::parse("s3+t").expect("an id")
}

fn path(text: &str) -> Path<'static> {
    Path::new(text).expect("a path").into_owned()
}

/// The text of [`text`] with `old` in the place of `new`, which must be there.
fn with(old: &str, new: &str) -> String {
    let text = text();
    assert!(text.contains(old), "{old} is not in the policy");
    text.replacen(old, new, 1)
}

/// What an approval for this key says when the policy is replaced.
fn after<Op: Operate>(key: &str, operation: Op, text: &str) -> Result<(), Withdrawn> {
    let engine = engine();
    let caller = engine.caller(key.as_bytes()).expect("a known key");
    let approved = engine.approve(caller, &id(), operation).expect("an approval");
    assert_eq!(approved.still_stands(), Ok(()), "nothing has changed yet");
    let _newer = engine.replace(policy(text));
    approved.still_stands()
}

fn write() -> WriteObject<'static> {
    WriteObject { path: path("pub/data/x") }
}

#[test]
fn what_is_not_touched_stands() {
    let line = format!("      - {{ id: laptop, sha256: {}, access: read-write }}\n", hash("simB"));
    for (old, new) in [
        ("", ""),
        // Others' things.
        ("id: s3+other", "id: s3+another"),
        (&*line, "      []\n"),
        // The key's own id is only what its owner calls it.
        ("id: laptop", "id: desktop"),
        // More than there was.
        ("pub/data/*, pub/team.jpg", "pub/*"),
        ("deny: [lake/none/]", ""),
        ("    access: read-write\n", "    access: [read, write]\n"),
    ] {
        let text = with(old, new).replace("connections: [s3+t, s3+other]", "connections: [s3+t]");
        for key in ["simA", "simJ"] {
            assert_eq!(after(key, write(), &text), Ok(()), "{key}: {old} -> {new}");
        }
    }
}

#[test]
fn a_key_that_is_taken_away_takes_its_approvals_with_it() {
    let (ours, line) = (hash("simA"), "      - { id: laptop, sha256: HASH, access: read-write }\n");
    let line = line.replace("HASH", &ours);
    // Revoked, and replaced by another of the same name.
    assert_eq!(after("simA", write(), &with(&line, "")), Err(Withdrawn::Key));
    assert_eq!(after("simA", write(), &with(&ours, &hash("simX"))), Err(Withdrawn::Key));
    // The other key of the same user is not that one.
    assert_eq!(after("simJ", write(), &with(&line, "")), Ok(()));
    // Given to another user.
    let moved =
        with(&line, "").replace("  - name: bob\n    keys:\n", "  - name: bob\n    keys:\n@");
    let moved = moved.replace('@', &line.replace("laptop", "was-anas"));
    assert_eq!(after("simA", write(), &moved), Err(Withdrawn::Key));
    // Nor does it help when that user has a connection of the same name.
    let moved = moved.replace(
        "users:",
        "  - { id: s3+t, owner: bob, access: read-write, restrictions: [\"*\"] }\nusers:",
    );
    assert_eq!(after("simA", write(), &moved), Err(Withdrawn::Key));
}

#[test]
fn a_key_with_less_takes_away_what_it_lacks_and_no_more() {
    let key = format!("sha256: {}, access: read-write", hash("simA"));
    let lacks = Err(Withdrawn::Denied(Reason::KeyPermission));
    let read = || ReadObject { path: path("pub/data/x") };
    let read_only = with(&key, &key.replace("read-write", "read-only"));
    assert_eq!(after("simA", write(), &read_only), lacks);
    assert_eq!(after("simA", read(), &read_only), Ok(()));
    assert_eq!(after("simA", read(), &with(&key, &key.replace("read-write", "none"))), lacks);

    let unknown = Err(Withdrawn::Denied(Reason::UnknownConnection));
    for (reach, stands) in
        [("[s3+t, s3+other]", Ok(())), ("[s3+t]", Ok(())), ("[s3+other]", unknown)]
    {
        let text = with("[s3+t, s3+other]", reach);
        assert_eq!(after("simJ", write(), &text), stands, "{reach}");
        assert_eq!(after("simA", write(), &text), Ok(()), "the other key reaches all: {reach}");
        let text = with(&key, &format!("{key}, connections: {reach}"));
        assert_eq!(after("simA", write(), &text), stands, "{reach}");
    }
}

#[test]
fn a_connection_that_is_gone_takes_its_approvals_with_it() {
    let unknown = Err(Withdrawn::Denied(Reason::UnknownConnection));
    let text = text();
    let (from, to) = (text.find("  - id: s3+t"), text.find("  - id: s3+other"));
    let gone = [&text[..from.expect("one")], &text[to.expect("the other")..]].concat();
    let gone = gone.replace("[s3+t, s3+other]", "[s3+other]");
    let renamed = with("id: s3+t\n", "id: s3+u\n");
    let anothers = with("owner: ana", "owner: bob");
    // A default connection of another name is not the one that was approved.
    let default = with("id: s3+t\n", "id: s3+u\n    default: true\n");
    for text in [gone, renamed, anothers, default] {
        assert_eq!(after("simA", write(), &text), unknown, "{text}");
    }
}

#[test]
fn what_was_asked_for_by_the_bare_protocol_is_the_connection_that_it_meant() {
    let first = with("id: s3+t\n", "id: s3+t\n    default: true\n");
    let engine = Engine::new(policy(&first));
    let caller = engine.caller(b"simA").expect("a known key");
    let bare = ConnectionId::parse("s3").expect("an id");
    let approved = engine.approve(caller, &bare, write()).expect("an approval");
    let _now = engine.replace(policy(&with("id: s3+other\n", "id: s3+other\n    default: true\n")));
    assert_eq!(approved.still_stands(), Ok(()), "the bytes go where they went");
    let _now = engine.replace(policy(&with("id: s3+t\n", "id: s3+u\n    default: true\n")));
    assert_eq!(approved.still_stands(), Err(Withdrawn::Denied(Reason::UnknownConnection)));
}

#[test]
fn a_connection_that_goes_elsewhere_takes_its_approvals_with_it() {
    for (old, new) in [
        ("endpoint: https://s3.example", "endpoint: https://s3.example2"),
        ("endpoint: https://s3.example", "endpoint: http://s3.example"),
        ("    endpoint: https://s3.example\n", ""),
        ("region: eu-west-1", "region: eu-west-2"),
        ("    region: eu-west-1\n", ""),
        ("{ env: T }", "{ env: U }"),
        ("{ env: T }", "{ profile: T }"),
        ("    credentials: { env: T }\n", ""),
        ("keys: exact", "keys: plain"),
    ] {
        assert_eq!(
            after("simA", write(), &with(old, new)),
            Err(Withdrawn::Server),
            "{old} -> {new}"
        );
    }
}

#[test]
fn what_the_rules_take_away_is_taken() {
    let denied = |reason| Err(Withdrawn::Denied(reason));
    for (old, new, stands) in [
        ("pub/data/*, pub/team.jpg", "pub/team.jpg", denied(Reason::NoMatch)),
        ("lake/none/", "pub/data/x", denied(Reason::Rule)),
        ("lake/none/", "{ path: pub/data/x, access: [read, delete] }", Ok(())),
        ("    access: read-write\n", "", denied(Reason::Access)),
        ("pub/data/*, pub/team.jpg", "pub/data/x", Ok(())),
    ] {
        assert_eq!(after("simA", write(), &with(old, new)), stands, "{old} -> {new}");
    }
    let copy = || CopyObject { source: path("pub/team.jpg"), destination: path("pub/data/x") };
    for (deny, stands) in [
        ("pub/team.jpg", denied(Reason::Rule)),
        ("pub/data/x", denied(Reason::Rule)),
        ("pub/data/y", Ok(())),
    ] {
        assert_eq!(after("simA", copy(), &with("lake/none/", deny)), stands, "{deny}");
    }
    let tree = || DeleteTree { path: path("pub/data/") };
    let marker = || DeleteDirectory { path: path("pub/data/") };
    for (deny, tree_stands, marker_stands) in [
        ("pub/data/deep/in/it", denied(Reason::Rule), Ok(())),
        ("pub/data2/", Ok(()), Ok(())),
        ("pub/dat*", denied(Reason::Access), denied(Reason::Rule)),
    ] {
        let text = with("lake/none/", deny);
        let shown = after("simA", tree(), &text);
        assert_eq!(shown.is_ok(), tree_stands.is_ok(), "{deny}: {shown:?}");
        assert_eq!(after("simA", marker(), &text), marker_stands, "{deny}");
    }
    let many = || DeleteObjects { paths: vec![path("pub/data/x"), path("pub/data/y")] };
    let one = with("lake/none/", "pub/data/y");
    assert_eq!(after("simA", many(), &one), denied(Reason::Rule));
    assert_eq!(after("simA", DeleteObject { path: path("pub/data/x") }, &one), Ok(()));
}

#[test]
fn a_listing_that_passed_everything_through_does_not_outlive_that() {
    let list = |text: &str| ListDirectory { path: path(text) };
    let denied = |reason| Err(Withdrawn::Denied(reason));
    let below = "pub/data/*, pub/team.jpg";
    for (operation, old, new, stands) in [
        // Passed through, and narrowed now: by a deny, and by less that is given.
        ("pub/data/", "lake/none/", "pub/data/secret/", denied(Reason::Rule)),
        ("pub/data/", below, "pub/data/a/*, pub/team.jpg", denied(Reason::NoMatch)),
        ("pub/data/", below, "pub/data*, pub/team.jpg", Ok(())),
        // Narrowed then: it is narrowed still, or nothing is left of it, or there is more.
        ("pub/", "lake/none/", "pub/data/secret/", Ok(())),
        ("pub/", below, "pub/*", Ok(())),
        ("pub/", below, "lake/*", denied(Reason::NoMatch)),
        ("pub/", "lake/none/", "pub/", denied(Reason::Rule)),
    ] {
        let text = with(old, new);
        assert_eq!(after("simA", list(operation), &text), stands, "{operation}: {old} -> {new}");
        let general = Operation::List(list(operation));
        assert_eq!(after("simA", general, &text), stands, "{operation}: {old} -> {new}");
    }
}

#[test]
fn what_is_given_is_not_added() {
    let engine = engine();
    let caller = engine.caller(b"simA").expect("a known key");
    let list = ListDirectory { path: path("pub/") };
    let approved = engine.approve(caller, &id(), list).expect("an approval");
    let newer = engine.replace(policy(&with("pub/data/*, pub/team.jpg", "pub/*")));
    assert_eq!(approved.still_stands(), Ok(()));
    assert_eq!(approved.list_mode(), Some(ListMode::Narrow));
    assert!(!approved.listing().shows_object(&path("pub/secret")), "it was not there then");
    assert_ne!(approved.revision(), newer.policy().revision());
    let again = newer.caller(b"simA").expect("a known key");
    let list = ListDirectory { path: path("pub/") };
    let again = newer.approve(again, &id(), list).expect("an approval");
    assert!(again.listing().shows_object(&path("pub/secret")), "and it is now");
}

#[test]
fn a_caller_without_a_key_keeps_its_rights_and_loses_its_connection() {
    let only = Reach::only([id()]);
    let callers = [
        Caller::with_full_permission("ana"),
        Caller::new("ana", pathward::AccessSet::READ_WRITE, &only),
    ];
    for caller in callers {
        for (text, stands) in [
            // No key stands behind it.
            (with(&hash("simA"), &hash("simX")), Ok(())),
            (with("[s3+t, s3+other]", "[s3+other]"), Ok(())),
            (with("owner: ana", "owner: bob"), Err(Withdrawn::Denied(Reason::UnknownConnection))),
            (with("{ env: T }", "{ env: U }"), Err(Withdrawn::Server)),
            (with("lake/none/", "pub/data/x"), Err(Withdrawn::Denied(Reason::Rule))),
        ] {
            let engine = engine();
            let approved = engine.approve(caller, &id(), write()).expect("an approval");
            let _newer = engine.replace(policy(&text));
            assert_eq!(approved.still_stands(), stands, "{text}");
        }
    }
}

#[test]
fn approvals_of_all_engines_of_a_line_are_asked_by_its_newest_policy() {
    let first = engine();
    let apart = engine();
    let approve = |engine: &Engine| -> Approved<WriteObject<'static>> {
        let caller = engine.caller(b"simA").expect("a known key");
        engine.approve(caller, &id(), write()).expect("an approval")
    };
    let clone = first.clone();
    let second = clone.replace(policy(&with("pub/team.jpg", "pub/other.jpg")));
    let approvals = [approve(&first), approve(&clone), approve(&second)];
    let alone = approve(&apart);
    assert!(approvals.iter().all(|approved| approved.still_stands().is_ok()));

    let third = first.replace(policy(&with("lake/none/", "pub/data/")));
    for approved in &approvals {
        assert_eq!(approved.still_stands(), Err(Withdrawn::Denied(Reason::Rule)));
    }
    assert_eq!(alone.still_stands(), Ok(()), "another line");
    // An older engine goes on deciding by its own policy, and what it approves does not stand.
    assert!(approve(&second).still_stands().is_err());
    // What is taken back is taken back.
    let _fourth = third.replace(policy(&text()));
    assert!(approvals.iter().all(|approved| approved.still_stands().is_ok()));
}

#[test]
fn a_key_is_known_by_its_hash_and_by_nothing_else() {
    let engine = engine();
    for (key, who) in [("simA", "ana"), ("simJ", "ana"), ("simB", "bob")] {
        let caller = engine.caller(key.as_bytes()).expect("a known key");
        assert_eq!(caller.name(), who);
        assert!(!format!("{caller:?}").contains(&hash(key)[..8]));
    }
    for unknown in ["", "simX", "sima", "simA ", &hash("simA")] {
        assert_eq!(engine.caller(unknown.as_bytes()), None, "{unknown:?}");
    }
    let caller = engine.caller(b"simA").expect("a known key");
    let shown = format!("{:?}", engine.approve(caller, &id(), write()));
    let bytes = format!("{:?}", Sha256::digest("simA").to_vec());
    for hidden in [&hash("simA")[..8], &bytes[1..20]] {
        assert!(!shown.contains(hidden) && !format!("{engine:?}").contains(hidden), "{hidden}");
    }
}

/// Among very many keys, each is found, and is the key of its user.
#[test]
fn each_of_many_keys_is_found() {
    let mut text = "users:\n".to_owned();
    for user in 0..200 {
        text += &format!("  - name: u{user}\n    keys:\n");
        for key in 0..user % 7 {
            let hash = hash(&format!("sim{user}-{key}"));
            text += &format!("      - {{ id: k{key}, sha256: {hash}, access: none }}\n");
        }
        if user % 7 == 0 {
            text += "      []\n";
        }
    }
    let policy = policy(&text);
    for user in 0..200 {
        for key in 0..7 {
            let sha256 = Sha256::digest(format!("sim{user}-{key}")).into();
            let found =
                policy.api_key(&sha256).map(|(of, key)| (of.name.to_string(), key.id.to_string()));
            let there = (key < user % 7).then(|| (format!("u{user}"), format!("k{key}")));
            assert_eq!(found, there, "{user} {key}");
        }
    }
}

// ---- still_stands is what deciding again would say ------------------------------------------

const TEXTS: [&str; 9] = [
    "\"*\"",
    "pub/*",
    "pub/a/*",
    "pub/a/",
    "pub/a",
    "pub/ab*",
    "\"*.x\"",
    "{ glob: \"pub/*/x\" }",
    "lake/*",
];
const PATHS: [&str; 9] =
    ["", "pub/", "pub/a", "pub/a/", "pub/a/b", "pub/a//b", "pub/ab", "lake/x.x", "pub/c/x"];
const KEYS: [&str; 3] = ["simA", "simB", "simC"];

/// A connection's rules, its denies, whether it may write, and where it goes.
type RandomConnection = (Vec<usize>, Vec<usize>, bool, usize);

/// A policy of two users, each with at most a connection `s3+t` and some of three keys.
#[derive(Clone, Debug)]
struct Random {
    /// By user.
    connections: [Option<RandomConnection>; 2],
    /// Of each key: whose, and what it may.
    keys: [Option<(usize, usize, bool)>; 3],
}

fn random() -> impl Strategy<Value = Random> {
    let rules = |least| prop::collection::vec(0..TEXTS.len(), least..3);
    let elsewhere = prop_oneof![6 => Just(0), 1 => Just(1), 1 => Just(2)];
    let connection = prop::option::weighted(0.9, (rules(1), rules(0), any::<bool>(), elsewhere));
    let key = prop::option::weighted(0.9, (0..2_usize, 0..3_usize, any::<bool>()));
    ([connection.clone(), connection], [key.clone(), key.clone(), key])
        .prop_map(|(connections, keys)| Random { connections, keys })
}

impl Random {
    fn text(&self) -> String {
        let mut text =
            "connections:\n  - { id: s3+none, owner: nobody, restrictions: [none/] }\n".to_owned();
        for (owner, connection) in ["ana", "bob"].iter().zip(&self.connections) {
            let Some((rules, denies, writes, elsewhere)) = connection else { continue };
            let list = |of: &[usize]| of.iter().map(|n| TEXTS[*n]).collect::<Vec<_>>().join(", ");
            let server = ["", ", endpoint: https://s3.example", ", region: eu-west-1"][*elsewhere];
            let access = if *writes { "read-write" } else { "read-only" };
            let deny = if denies.is_empty() {
                String::new()
            } else {
                format!(", deny: [{}]", list(denies))
            };
            text += &format!(
                "  - {{ id: s3+t, owner: {owner}{server}, access: {access}, restrictions: [{}]{deny} }}\n",
                list(rules)
            );
        }
        text += "users:\n";
        for (user, name) in ["ana", "bob"].iter().enumerate() {
            text += &format!(
                "  - name: {name}\n    keys:\n      - {{ id: own, sha256: {}, access: none }}\n",
                hash(name)
            );
            for (key, of) in KEYS.iter().zip(&self.keys) {
                let Some((_, access, reaches)) = of.filter(|(of, ..)| *of == user) else {
                    continue;
                };
                let access = ["none", "read-only", "read-write"][access];
                let reach = if reaches { "" } else { ", connections: [s3+other]" };
                text += &format!(
                    "      - {{ id: {key}, sha256: {}, access: {access}{reach} }}\n",
                    hash(key)
                );
            }
        }
        text
    }
}

fn operations() -> Vec<Operation<'static>> {
    let mut all = Vec::new();
    for text in PATHS {
        for name in Operation::NAMES {
            all.extend(Operation::named(name, path(text)).ok().flatten());
        }
        for to in PATHS {
            all.push(Operation::Copy(CopyObject { source: path(text), destination: path(to) }));
            all.push(Operation::DeleteMany(DeleteObjects { paths: vec![path(text), path(to)] }));
        }
    }
    all
}

/// What of the paths a listing shows, as objects and as folders.
fn shown(listing: Listing<'_>) -> Vec<(bool, bool)> {
    PATHS
        .iter()
        .map(|text| (listing.shows_object(&path(text)), listing.shows_folder(&path(text))))
        .collect()
}

/// What of the paths a directory's deletion is kept from by, and whether all or some of it is reached.
fn reached(approved: &Approved<DeleteDirectory<'static>>) -> Vec<bool> {
    let below = [approved.reaches_below(), approved.reaches_all_below()];
    below.into_iter().chain(PATHS.iter().map(|text| approved.reaches(&path(text)))).collect()
}

#[test]
fn a_listing_shows_what_it_showed_then_and_would_show_now() {
    let counts = std::cell::Cell::new([0_u64; 3]);
    let config = ProptestConfig { cases: 1_500, failure_persistence: None, ..Default::default() };
    proptest!(config, |(older in random(), newer in random(), again in any::<[bool; 3]>())| {
        let mut newer = newer;
        for (n, keep) in again.iter().enumerate() {
            if *keep {
                newer.keys[n] = older.keys[n];
            }
        }
        // Most policies that come next lead to the same server.
        for (older, newer) in older.connections.iter().zip(&mut newer.connections) {
            if let (Some(older), Some(newer)) = (older, newer) {
                newer.3 = older.3;
            }
        }
        let first = Engine::new(policy(&older.text()));
        let (mut listings, mut deletions) = (Vec::new(), Vec::new());
        for (text, key) in PATHS.iter().flat_map(|text| KEYS.map(|key| (text, key))) {
            let Some(caller) = first.caller(key.as_bytes()) else { continue };
            let owner = caller.name().to_owned();
            let list = ListDirectory { path: path(text) };
            if let Ok(approved) = first.approve(caller, &id(), list) {
                let (then, present) = (shown(approved.listing()), approved.present());
                listings.push((key, owner.clone(), approved, then, present));
            }
            let delete = DeleteDirectory { path: path(text) };
            if let Ok(approved) = first.approve(caller, &id(), delete) {
                let then = reached(&approved);
                deletions.push((owner, approved, then));
            }
        }
        let second = first.replace(policy(&newer.text()));
        for (key, owner, approved, then, present) in &listings {
            let list = approved.operation().clone();
            let fresh = second.caller(key.as_bytes()).filter(|caller| caller.name() == owner);
            let fresh = fresh.and_then(|caller| second.approve(caller, &id(), list).ok());
            let expected: Vec<_> = match &fresh {
                Some(fresh) => {
                    let both = then.iter().zip(shown(fresh.listing()));
                    both.map(|(then, now)| (then.0 && now.0, then.1 && now.1)).collect()
                }
                None => vec![(false, false); PATHS.len()],
            };
            let now = shown(approved.listing());
            prop_assert_eq!(&now, &expected, "{:?} {:?}", key, approved.operation());
            // What is by other rules is said to be.
            let changed = approved.present() != *present;
            prop_assert!(changed || now == *then, "{:?} {:?}", key, approved.operation());
            let mut seen = counts.get();
            seen[0] += u64::from(now == *then);
            seen[1] += u64::from(now != *then && approved.still_stands().is_ok());
            counts.set(seen);
        }
        for (owner, approved, then) in &deletions {
            let connection = second.policy().connection(owner, &id());
            for (text, (now, then)) in
                PATHS.iter().zip(reached(approved)[2..].iter().zip(&then[2..]))
            {
                let has = |access| connection.is_some_and(|now| now.allows(&path(text), access));
                let may = *then && pathward::Access::ALL.into_iter().any(has);
                prop_assert!(!*now || may, "{}: {:?}", text, approved.operation());
                let mut seen = counts.get();
                seen[2] += u64::from(*then && !*now);
                counts.set(seen);
            }
        }
    });
    let [kept, less, unreached] = counts.get();
    assert!(kept > 200 && less > 200 && unreached > 80, "{kept} {less} {unreached}");
}

/// Whether the newer policy, asked afresh, gives all that was approved.
fn gives(
    newer: &Engine,
    older: &Engine,
    key: Option<&str>,
    owner: &str,
    approved: &Approved<Operation<'static>>,
) -> bool {
    let caller = match key {
        Some(key) => newer.caller(key.as_bytes()).filter(|caller| caller.name() == owner),
        None => Some(Caller::with_full_permission(owner)),
    };
    let server = |engine: &Engine| {
        let connection = engine.policy().connection(owner, &id())?;
        let of = |text: Option<&str>| text.map(str::to_owned);
        let place = connection.credentials().map(|place| format!("{place:?}"));
        Some((of(connection.endpoint()), of(connection.region()), place, connection.keys()))
    };
    let Some(caller) = caller else { return false };
    let Ok(again) = newer.approve(caller, &id(), approved.operation().clone()) else {
        return false;
    };
    let is_narrowed =
        approved.list_mode() == Some(ListMode::Pass) && again.list_mode() == Some(ListMode::Narrow);
    server(newer) == server(older) && !is_narrowed
}

#[test]
fn an_approval_stands_exactly_as_long_as_it_would_be_given_again() {
    let operations = operations();
    let counts = std::cell::Cell::new([0_u64; 2]);
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() };
    proptest!(config, |(older in random(), newer in random(), again in any::<[bool; 5]>())| {
        // Newer policies that share much with the older one, so that both answers are common.
        let mut newer = newer;
        for (n, keep) in again.iter().enumerate() {
            match (n, keep) {
                (0 | 1, true) => newer.connections[n] = older.connections[n].clone(),
                (_, true) => newer.keys[n - 2] = older.keys[n - 2],
                _ => {}
            }
        }
        let first = Engine::new(policy(&older.text()));
        let mut approvals = Vec::new();
        for operation in &operations {
            for key in KEYS {
                let Some(caller) = first.caller(key.as_bytes()) else { continue };
                if let Ok(approved) = first.approve(caller, &id(), operation.clone()) {
                    approvals.push((Some(key), caller.name().to_owned(), approved));
                }
            }
            let owner = Caller::with_full_permission("ana");
            if let Ok(approved) = first.approve(owner, &id(), operation.clone()) {
                approvals.push((None, "ana".to_owned(), approved));
            }
        }
        for (_, _, approved) in &approvals {
            prop_assert_eq!(approved.still_stands(), Ok(()));
        }
        let second = first.replace(policy(&newer.text()));
        for (key, owner, approved) in &approvals {
            let given = gives(&second, &first, *key, owner, approved);
            let stands = approved.still_stands();
            prop_assert_eq!(stands.is_ok(), given, "{:?} {:?}: {:?}", key, approved.operation(), stands);
            let mut seen = counts.get();
            seen[usize::from(given)] += 1;
            counts.set(seen);
        }
    });
    let [withdrawn, stand] = counts.get();
    assert!(withdrawn > 5_000 && stand > 5_000, "{withdrawn} withdrawn, {stand} stand");
}
