//! What a listing shows, what a deletion takes, what keeps a directory, and what is decided agree,
//! for every path: random policies whose rules and paths share their pieces, so that near-misses are
//! common, with `keys: plain` and `keys: exact`, globs and denies.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that fails panics, and says why")]

use std::cell::Cell;

use pathward::{
    Access, Caller, Connection, ConnectionId, Effect, Engine, Path, Policy,
    engine::{
        DeleteDirectory, DeleteObject, DeleteTree, ListDirectory, ListMode, ListPrefix,
        ListUploads, Listing, Operate, ReadObject, StatObject, WriteObject,
    },
};
use proptest::prelude::*;

const BUCKETS: [&str; 3] = ["pub", "pub2", "lak"];
/// Segments of rules and of paths. The empty ones make `//`.
const SEGMENTS: [&str; 8] = ["a", "ab", "b", "", "a\\\\b", "a.x", "é", "aa"];
const STARRED: [&str; 6] = ["*", "a*", "*b", "*.x", "a*b", "*a*"];
const GLOBS: [&str; 6] = ["*", "**", "a?", "[ab]", "{a,ab}", "*.{x,y}"];

/// One entry of a connection's lists.
#[derive(Clone, Debug)]
struct Spec {
    text: String,
    is_glob: bool,
    /// Which of the texts in [`ACCESSES`], or none of its own.
    access: Option<usize>,
}

const ACCESSES: [&str; 5] =
    ["[read]", "[write]", "[delete]", "[read, write]", "[read, write, delete]"];

fn spec() -> impl Strategy<Value = Spec> {
    let segment = || prop::sample::select(&SEGMENTS[..]);
    let starred = prop_oneof![3 => segment(), 1 => prop::sample::select(&STARRED[..])];
    let glob = prop_oneof![2 => segment(), 2 => prop::sample::select(&GLOBS[..])];
    let end = prop::sample::select(&["", "/", "*", "/*"][..]);
    let bucket =
        || prop_oneof![5 => Just("pub"), 1 => prop::sample::select(&BUCKETS[..]), 1 => Just("*")];
    let plain = (bucket(), prop::collection::vec(starred, 0..4), end).prop_map(
        |(bucket, segments, end)| ([&[bucket], &segments[..]].concat().join("/") + end, false),
    );
    let glob = (Just("pub"), prop::collection::vec(glob, 1..4))
        .prop_map(|(bucket, segments)| ([&[bucket], &segments[..]].concat().join("/"), true));
    let text = prop_oneof![4 => plain, 1 => glob];
    (text, prop::option::weighted(0.4, 0..ACCESSES.len()))
        .prop_map(|((text, is_glob), access)| Spec { text, is_glob, access })
}

/// A connection's lists, and how its server reads keys.
#[derive(Clone, Debug)]
struct Random {
    allows: Vec<Spec>,
    denies: Vec<Spec>,
    is_plain: bool,
    writes: bool,
}

fn random() -> impl Strategy<Value = Random> {
    let list = |least, most| prop::collection::vec(spec(), least..most);
    (list(1, 6), list(0, 4), any::<bool>(), any::<bool>())
        .prop_map(|(allows, denies, is_plain, writes)| Random { allows, denies, is_plain, writes })
}

impl Random {
    fn text(&self) -> String {
        let entry = |spec: &Spec| {
            let field = if spec.is_glob { "glob" } else { "path" };
            let access =
                spec.access.map_or(String::new(), |n| format!(", access: {}", ACCESSES[n]));
            format!("      - {{ {field}: '{}'{access} }}\n", spec.text)
        };
        let list = |name: &str, specs: &[Spec]| match specs {
            [] => String::new(),
            specs => format!("    {name}:\n{}", specs.iter().map(entry).collect::<String>()),
        };
        format!(
            "connections:\n  - id: s3+t\n    owner: o\n    keys: {}\n    access: {}\n{}{}",
            if self.is_plain { "plain" } else { "exact" },
            if self.writes { "read-write" } else { "read-only" },
            list("restrictions", &self.allows),
            list("deny", &self.denies),
        )
    }

    /// Paths that the rules are near to: of the same pieces, and each rule's text with something for
    /// its wildcards, cut, doubled and gone on with.
    fn paths(&self) -> Vec<Path<'static>> {
        let mut texts = vec![String::new()];
        for spec in self.allows.iter().chain(&self.denies) {
            for wild in ["", "a", "b", "a/b", "/"] {
                let text = spec.text.replace("\\\\", "\\").replace("**", "*").replace('*', wild);
                let text = text.replace("[ab]", "b").replace("{a,ab}", "ab").replace("{x,y}", "x");
                let text = text.replace('?', "b");
                for (at, _) in text.match_indices('/') {
                    texts.push(text[..=at].to_owned());
                    texts.push(format!("{}/{}", &text[..at], &text[at..]));
                }
                texts.push(format!("{text}/"));
                texts.push(format!("{text}b"));
                texts.push(format!("{text}/a"));
                texts.push(text);
            }
        }
        for first in SEGMENTS {
            for second in SEGMENTS {
                for end in ["", "/"] {
                    texts.push(format!("pub/{first}/{second}{end}").replace("\\\\", "\\"));
                }
            }
        }
        texts.extend(BUCKETS.iter().flat_map(|bucket| [bucket.to_string(), format!("{bucket}/")]));
        texts.sort_unstable();
        texts.dedup();
        texts.into_iter().filter_map(|text| Path::from_vec(text.into_bytes()).ok()).collect()
    }
}

/// What is counted, so that a test that compares nothing fails.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    shown: u64,
    hidden: u64,
    shown_by_prefix: u64,
    hidden_by_prefix: u64,
    aliases_hidden: u64,
    deleted: u64,
    aliases_kept: u64,
    reached: u64,
    unreached: u64,
}

struct World {
    engine: Engine,
    paths: Vec<Decided>,
}

/// A path, and what is decided of it.
struct Decided {
    path: Path<'static>,
    reads: bool,
    writes: bool,
    deletes: bool,
    lists: bool,
}

impl World {
    fn new(policy: Policy, paths: Vec<Path<'static>>) -> Self {
        let mut world = Self { engine: Engine::new(policy), paths: Vec::new() };
        for path in paths {
            let p = || path.clone();
            let decided = Decided {
                reads: world.allows(&ReadObject { path: p() }),
                writes: world.allows(&WriteObject { path: p() }),
                deletes: world.allows(&DeleteObject { path: p() }),
                lists: world.allows(&ListDirectory { path: p() }),
                path,
            };
            world.paths.push(decided);
        }
        world
    }

    fn connection(&self) -> &Connection {
        self.engine.policy().connection("o", &id()).expect("the connection")
    }

    fn allows<Op: Operate>(&self, operation: &Op) -> bool {
        self.engine.decide(Caller::with_full_permission("o"), &id(), operation).is_allowed()
    }

    fn approve<Op: Operate>(&self, operation: Op) -> Option<pathward::Approved<Op>> {
        self.engine.approve(Caller::with_full_permission("o"), &id(), operation).ok()
    }

    /// By the reference matcher and the words of the contract.
    fn specified(&self, path: &Path<'_>, access: Access) -> bool {
        let connection = self.connection();
        let any = |effect| {
            connection.rules().iter().any(|rule| {
                rule.effect == effect
                    && rule.access.contains(access)
                    && rule.restriction.matches(path.as_bytes())
            })
        };
        let text = path.as_bytes();
        let is_alias = text.windows(2).any(|two| two == b"//") || text.contains(&b'\\');
        !path.key().is_empty()
            && (connection.keys() != pathward::Keys::Plain || !is_alias)
            && any(Effect::Allow)
            && !any(Effect::Deny)
    }

    fn check_decisions(&self) {
        for Decided { path, reads, writes, deletes, .. } in &self.paths {
            assert_eq!(*reads, self.specified(path, Access::Read), "read {path:?}");
            assert_eq!(*reads, self.allows(&StatObject { path: path.clone() }), "stat {path:?}");
            assert_eq!(*writes, self.specified(path, Access::Write), "write {path:?}");
            assert_eq!(*deletes, self.specified(path, Access::Delete), "delete {path:?}");
        }
    }

    fn check_listing(&self, directory: &Path<'static>, counts: &mut Counts) {
        let Some(approved) = self.approve(ListDirectory { path: directory.clone() }) else {
            return;
        };
        let listing = approved.listing();
        let prefixes = listing.prefixes();
        for Decided { path, reads, lists, .. } in &self.paths {
            let is_below = path.as_bytes().starts_with(directory.as_bytes());
            let object = listing.shows_object(path);
            assert_eq!(object, is_below && *reads, "{path:?} in {directory:?}");
            let folder = listing.shows_folder(path);
            assert_eq!(
                folder,
                is_below && *lists && !path.is_root(),
                "{path:?} as a folder in {directory:?}"
            );
            if is_below && listing.mode() == ListMode::Pass && !path.key().is_empty() {
                let is_refused = !self.connection().keys().admit(path);
                assert_eq!(object, !is_refused, "all is passed on but what is malformed: {path:?}");
            }
            *if object { &mut counts.shown } else { &mut counts.hidden } += 1;
            counts.aliases_hidden += u64::from(is_below && path.alias_at().is_some() && !object);
            if !is_below {
                continue;
            }
            // As the server's answer has it: a key, or a common prefix.
            let key = if directory.is_root() { path.as_bytes() } else { path.key() };
            let in_bucket = directory.is_root() || path.bucket() == directory.bucket();
            let name = path.as_bytes().get(directory.as_bytes().len()..).expect("it is below");
            for (as_folder, is_shown) in [(false, object), (true, folder)] {
                let name = if as_folder { name.strip_suffix(b"/") } else { Some(name) };
                let name = name.filter(|name| !name.is_empty() && !name.contains(&b'/'));
                let shown = name.filter(|_| is_shown && in_bucket);
                let entry = listing.entry(key, as_folder).map(str::as_bytes);
                assert_eq!(entry, shown, "{path:?} in {directory:?}, folder: {as_folder}");
            }
            if !*reads || path == directory {
                continue;
            }
            check_is_found(&listing, &prefixes, path);
        }
    }

    /// Of a listing by prefix everything is as of a directory, whatever the prefix ends with.
    fn check_prefix(&self, prefix: &Path<'static>, counts: &mut Counts) {
        let list = ListPrefix { path: prefix.clone() };
        let below = || {
            let is_below =
                |decided: &&Decided| decided.path.as_bytes().starts_with(prefix.as_bytes());
            self.paths.iter().filter(is_below)
        };
        let names_bucket = prefix.as_bytes().contains(&b'/');
        if prefix.as_bytes().ends_with(b"/") {
            let directory = ListDirectory { path: prefix.clone() };
            assert_eq!(self.allows(&list), self.allows(&directory), "{prefix:?}");
        }
        if let Some(uploads) = self.approve(ListUploads { path: prefix.clone() }) {
            assert!(names_bucket, "{prefix:?}");
            for Decided { path, writes, .. } in &self.paths {
                let is_below = path.as_bytes().starts_with(prefix.as_bytes());
                assert_eq!(uploads.shows(path), is_below && *writes, "{path:?} in {prefix:?}");
            }
        } else if names_bucket && self.connection().keys().admit(prefix) {
            assert!(below().all(|decided| !decided.writes), "{prefix:?}");
        }
        let Some(approved) = self.approve(list) else {
            let is_refused = !names_bucket || !self.connection().keys().admit(prefix);
            assert!(is_refused || below().all(|decided| !decided.reads), "{prefix:?}");
            return;
        };
        assert!(names_bucket, "{prefix:?}");
        let listing = approved.listing();
        let prefixes = listing.prefixes();
        for Decided { path, reads, .. } in &self.paths {
            let is_below = path.as_bytes().starts_with(prefix.as_bytes());
            let shows = listing.shows_object(path);
            assert_eq!(shows, is_below && *reads, "{path:?} in {prefix:?}");
            *if shows { &mut counts.shown_by_prefix } else { &mut counts.hidden_by_prefix } += 1;
            // The prefix itself is looked for on its own.
            if shows && path != prefix {
                check_is_found(&listing, &prefixes, path);
            }
        }
    }

    fn check_deletions(&self, directory: &Path<'static>, counts: &mut Counts) {
        if let Some(tree) = self.approve(DeleteTree { path: directory.clone() }) {
            for Decided { path, deletes, .. } in &self.paths {
                let is_below = path.as_bytes().starts_with(directory.as_bytes());
                assert_eq!(tree.deletes(path), is_below && *deletes, "{path:?} in {directory:?}");
                let is_refused = !self.connection().keys().admit(path);
                assert!(!is_below || *deletes || is_refused, "{path:?} in {directory:?}");
                counts.deleted += u64::from(is_below && *deletes);
                counts.aliases_kept += u64::from(is_below && is_refused);
            }
        }
        if let Some(empty) = self.approve(DeleteDirectory { path: directory.clone() }) {
            for Decided { path, reads, writes, deletes, .. } in &self.paths {
                let is_below = path.as_bytes().starts_with(directory.as_bytes());
                let is_reached = *reads || *writes || *deletes;
                let reaches = empty.reaches(path);
                assert_eq!(reaches, is_below && is_reached, "{path:?} in {directory:?}");
                assert!(!reaches || empty.reaches_below(), "{path:?} in {directory:?}");
                if is_below && self.connection().keys().admit(path) {
                    assert!(reaches || !empty.reaches_all_below(), "{path:?} in {directory:?}");
                }
                *if reaches { &mut counts.reached } else { &mut counts.unreached } += 1;
            }
        }
    }
}

/// A path that is shown is found where a listing has it looked for.
fn check_is_found(listing: &Listing<'_>, prefixes: &[Vec<u8>], path: &Path<'_>) {
    let under = prefixes.iter().find(|prefix| path.as_bytes().starts_with(prefix));
    let prefix = under.unwrap_or_else(|| panic!("{path:?} is under none of {prefixes:?}"));
    let is_alone = listing.is_alone(prefix);
    assert!(!is_alone || path.as_bytes() == &prefix[..], "{path:?} follows {prefix:?}");
    if prefix.ends_with(b"/") {
        for most in [0, 1, 16] {
            let places = listing.places(prefix, most);
            assert!(places.len() <= most.max(1));
            let is_found = places.iter().any(|place| path.as_bytes().starts_with(place));
            assert!(is_found, "{path:?} is at none of {places:?}, of {prefix:?}");
        }
    }
}

fn id() -> ConnectionId<'static> {
    ConnectionId::parse("s3+t").expect("an id")
}

/// What denies leave of a class was asked of its last byte alone, so that a listing was narrowed to nothing.
#[test]
fn a_class_leads_where_any_of_its_bytes_does() {
    for (allow, deny, lead) in [
        ("pub/[ab]/*", "pub/b/", "pub/a/x"),
        ("pub/[ab]/*", "pub/a/", "pub/b/x"),
        ("pub/?x/**", "pub/\u{7e}x/", "pub/ax/y"),
    ] {
        let text = format!(
            "connections:\n  - id: s3+t\n    owner: o\n    keys: exact\n    restrictions: \
             [{{ glob: '{allow}' }}]\n    deny: ['{deny}']\n"
        );
        let policy = Policy::from_yaml("policy.yaml", &text).expect("a policy");
        let automaton = policy.connections()[0].automaton();
        for directory in ["", "pub/"] {
            let leads = automaton.leads(directory.as_bytes(), Access::Read);
            let is_led = leads.iter().any(|found| lead.as_bytes().starts_with(found));
            assert!(is_led, "{allow} without {deny}: {leads:?} of {directory:?}");
        }
    }
}

#[test]
fn every_answer_is_that_of_decide() {
    let (counts, loaded) = (Cell::new(Counts::default()), Cell::new(0));
    let config = ProptestConfig { cases: 600, failure_persistence: None, ..Default::default() };
    proptest!(config, |(random in random())| {
        // What is refused when it is loaded decides nothing.
        let Ok(policy) = Policy::from_yaml("policy.yaml", &random.text()) else { return Ok(()) };
        loaded.set(loaded.get() + 1);
        let world = World::new(policy, random.paths());
        world.check_decisions();
        let mut seen = counts.get();
        let is_directory = |path: &&Path<'static>| path.is_root() || path.as_bytes().ends_with(b"/");
        for directory in world.paths.iter().map(|decided| &decided.path).filter(is_directory) {
            world.check_listing(directory, &mut seen);
            world.check_deletions(directory, &mut seen);
        }
        for prefix in &world.paths {
            world.check_prefix(&prefix.path, &mut seen);
        }
        counts.set(seen);
    });
    let Counts {
        shown,
        hidden,
        shown_by_prefix,
        hidden_by_prefix,
        aliases_hidden,
        deleted,
        aliases_kept,
        reached,
        unreached,
    } = counts.get();
    let listed = [shown, hidden, shown_by_prefix, hidden_by_prefix, aliases_hidden];
    let least = [&listed[..], &[deleted, aliases_kept, reached, unreached]].concat();
    println!("{} policies, {:?}", loaded.get(), counts.get());
    assert!(loaded.get() > 250, "{} policies of 600 load", loaded.get());
    assert!(least.iter().all(|n| *n > 1_000), "{:?}", counts.get());
}

/// The case that it was found by: what `decide` refuses was shown, deleted and taken to be there.
#[test]
fn what_is_malformed_here_is_neither_shown_nor_deleted_nor_there() {
    let text = "
connections:
  - id: s3+t
    owner: o
    endpoint: https://s3.example
    access: read-write
    restrictions: [bucket/pub/]
";
    for (keys, is_there) in [("plain", false), ("exact", true)] {
        let text = format!("{text}    keys: {keys}\n");
        let policy = Policy::from_yaml("policy.yaml", &text).expect("a policy");
        let world = World::new(policy, Vec::new());
        let directory = || Path::new("bucket/pub/").expect("a path");
        let list = world.approve(ListDirectory { path: directory() }).expect("an approval");
        let tree = world.approve(DeleteTree { path: directory() }).expect("an approval");
        let empty = world.approve(DeleteDirectory { path: directory() }).expect("an approval");
        assert_eq!(list.list_mode(), Some(ListMode::Pass));
        for alias in ["bucket/pub//x", "bucket/pub/a\\b", "bucket/pub//"] {
            let path = Path::new(alias).expect("a path");
            assert_eq!(list.listing().shows_object(&path), is_there, "{keys}: {alias}");
            assert_eq!(tree.deletes(&path), is_there, "{keys}: {alias}");
            assert_eq!(empty.reaches(&path), is_there, "{keys}: {alias}");
        }
        let folder = Path::new("bucket/pub//").expect("a path");
        assert_eq!(list.listing().shows_folder(&folder), is_there, "{keys}");
        let name = is_there.then_some("a\\b");
        assert_eq!(list.listing().entry(b"pub/a\\b", false), name, "{keys}");
        for (key, is_folder, name) in [
            (&b"pub/x"[..], false, Some("x")),
            (b"pub/x/", true, Some("x")),
            (b"pub/x/", false, None),
            (b"pub/x", true, None),
            (b"pub/", false, None),
            (b"pub/x/y", false, None),
            (b"public", false, None),
            (b"pub/..", false, None),
            (b"pub/\xff", false, None),
            (b"pub/\x07", false, None),
            (b"", false, None),
        ] {
            assert_eq!(list.listing().entry(key, is_folder), name, "{}", key.escape_ascii());
        }
    }
}
