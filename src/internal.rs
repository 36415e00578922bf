//! The bodies of the fuzz targets, which tests run too. No part of the API.
//!
//! Each takes bytes, makes of them what its subject takes, and panics where a property does not
//! hold. A target in `fuzz/fuzz_targets` is one line; `tests/engine/fuzz_corpus.rs` runs every body over
//! the inputs that are checked in.
//!
//! Rules and paths are lines, so that a corpus can be read and written by hand:
//!
//! ```text
//! +1pub/data/*        an allow; the digit's bits are its accesses (read 1, write 2, delete 4)
//! -7pub/data/locked/  a deny
//! g1pub/**/*.gz       an allow in the glob form
//! h1**/.git/**        a deny in the glob form
//! ?pub/data/x         a path
//! =                   behind it the rules of the other side, where there are two (`algebra`)
//! ```
//!
//! # The seal of operations
//!
//! An operation of another crate cannot be approved, because it cannot be an operation:
//!
//! ```compile_fail,E0277
//! use pathward::engine::{Accesses, Operate, ReadObject};
//! struct Harmless<'a>(ReadObject<'a>);
//! impl Operate for Harmless<'_> {
//!     fn name(&self) -> &'static str { self.0.name() }
//!     fn accesses(&self) -> Accesses<'_> { self.0.accesses() }
//! }
//! ```
//!
//! The same with a trait of its own compiles:
//!
//! ```
//! use pathward::engine::{Accesses, Operate, ReadObject};
//! trait Own { fn name(&self) -> &'static str; fn accesses(&self) -> Accesses<'_>; }
//! struct Harmless<'a>(ReadObject<'a>);
//! impl Own for Harmless<'_> {
//!     fn name(&self) -> &'static str { self.0.name() }
//!     fn accesses(&self) -> Accesses<'_> { self.0.accesses() }
//! }
//! ```

mod algebra;
#[cfg(feature = "cli")]
mod iam;
mod near;

pub use self::algebra::algebra;
#[cfg(feature = "cli")]
pub use self::iam::iam_import;
pub use self::near::{Reasons, RuleText, near_misses};
use crate::{
    access::{Access, AccessSet},
    automaton::{Automaton, Budget, Effect, Entry, Form, TooLarge, Verdict},
    engine::{Caller, Engine, ListDirectory},
    path::{MAX_BUCKET_LEN, MAX_KEY_LEN, MIN_BUCKET_LEN, Path},
    policy::{ConnectionId, Policy},
    restriction::{Dialect, MAX_GLOB_ALTERNATIVES, Restriction, Token, unchecked},
};

/// The most rules that are read from one input.
const MOST: usize = 24;
/// The most paths. Each is an extension of each, and the reference matcher takes its time.
const MOST_PATHS: usize = 10;
/// The longest text of a rule.
const MOST_TEXT: usize = 64;

/// Compiles rules to every form that paths are decided by, whichever is the fastest.
///
/// # Errors
///
/// As [`Automaton::compile`].
pub fn compile_to_every_form<'a>(
    entries: impl IntoIterator<Item = Entry<'a>>,
) -> Result<Automaton, TooLarge> {
    Automaton::compile_to(entries, &mut Budget::default(), Form::Every)
}

/// What each form says of one access at one path.
pub fn here_each_way(
    automaton: &Automaton,
    path: &[u8],
    access: Access,
) -> impl Iterator<Item = Verdict> {
    automaton.here_each_way(path, access)
}

/// What deciding these side by side says, in their order.
pub fn here_side_by_side<'p>(
    automaton: &Automaton,
    questions: impl IntoIterator<Item = (&'p [u8], Access)>,
) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    automaton.here_batch_forked(questions, |verdict| verdicts.push(verdict));
    verdicts
}

/// Reads a restriction in both forms.
pub fn restriction_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for parse in [Restriction::parse, Restriction::parse_glob] {
        match parse(text) {
            Ok(restriction) => check_restriction(&restriction),
            Err(error) => {
                assert!(error.at() <= text.len(), "{error}: {}", error.at());
                assert!(text.is_char_boundary(error.at()) || error.kind().limit().is_some());
                assert!(!error.help().is_empty() && !error.to_string().is_empty());
            }
        }
    }
}

fn check_restriction(restriction: &Restriction) {
    assert!(restriction.patterns().len() <= MAX_GLOB_ALTERNATIVES);
    if restriction.dialect() == Dialect::Plain {
        let spelled = restriction.to_string();
        match Restriction::parse(&spelled) {
            Ok(again) => assert_eq!(restriction.patterns(), again.patterns(), "{spelled}"),
            Err(error) => assert!(error.kind().limit().is_some(), "{spelled}: {error}"),
        }
    }
    let entry = Entry { restriction, access: AccessSet::READ_ONLY, effect: Effect::Allow };
    let Ok(automaton) = compile_to_every_form([entry]) else { return };
    for pattern in restriction.patterns() {
        // The shortest path that the pattern matches, and one with a byte for each run.
        for run in [0, 1] {
            let mut path = Vec::new();
            for token in pattern.tokens() {
                match token {
                    Token::Literal(bytes) => path.extend_from_slice(bytes),
                    Token::One(set) => path.extend((0..=255).find(|byte| set.contains(*byte))),
                    Token::Run(set) => {
                        path.extend((0..=255).filter(|byte| set.contains(*byte)).take(run));
                    }
                }
            }
            assert!(pattern.matches(&path) && restriction.matches(&path));
            for verdict in automaton.here_each_way(&path, Access::Read) {
                assert!(matches!(verdict, Verdict::Allowed(_)), "{verdict:?}");
            }
            for len in 0..=path.len() {
                assert!(automaton.below(&path[..len]).some.contains(Access::Read));
            }
        }
    }
}

/// Reads a policy: it loads whole or has errors that can be shown.
pub fn policy_yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Policy::from_yaml("fuzz.yaml", text) {
        Ok(policy) => {
            for connection in policy.connections() {
                assert!(connection.rules().iter().any(|rule| rule.effect == Effect::Allow));
                let found = policy.connection(connection.owner(), connection.id());
                assert!(found.is_some_and(|found| found.id() == connection.id()));
            }
        }
        Err(errors) => {
            assert!(errors.errors().next().is_some(), "refused without an error");
            // What is shown is for a terminal: nothing of the file can drive it.
            let shown = errors.to_string();
            assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
            // A lone carriage return breaks a line too, by YAML.
            let lines = text.split(['\r', '\n']).count() + 1;
            for found in errors.diagnostics() {
                let location = found.location();
                let (line, column) = (location.line as usize, location.column as usize);
                // What is wrong with a whole file, such as an empty one, stands on no line of it.
                let whole = (line, column) == (0, 0);
                assert!(whole || (1..=lines).contains(&line) && column >= 1, "{location}");
            }
        }
    }
}

/// Reads a path, and holds the outcome against the rules of what a path is (see [`crate::path`]).
pub fn path_parsing(data: &[u8]) {
    let text = std::str::from_utf8(data);
    let segments = || data.split(|byte| *byte == b'/');
    let bucket = segments().next().unwrap_or_default();
    let key = data.get(bucket.len() + 1..).unwrap_or_default();
    let is_canonical = data.is_empty()
        || text.is_ok()
            && !data.iter().any(|byte| matches!(byte, 0..=0x1f | 0x7f))
            && !segments().any(|segment| matches!(segment, b"." | b".."))
            && (MIN_BUCKET_LEN..=MAX_BUCKET_LEN).contains(&bucket.len())
            && bucket.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b))
            && key.len() <= MAX_KEY_LEN;
    match Path::new(data) {
        Ok(path) => {
            assert!(is_canonical, "{path:?}");
            assert_eq!(path.as_bytes(), data);
            assert_eq!((path.bucket(), path.key()), (bucket, key));
            let aliased = data.contains(&b'\\') || data.windows(2).any(|two| two == b"//");
            assert_eq!(path.alias_at().is_some(), aliased);
            if let Ok(directory) = path.into_directory() {
                assert!(Path::new(directory.as_bytes()).is_ok());
                assert!(directory.is_root() || directory.as_bytes().ends_with(b"/"));
            }
        }
        Err(error) => {
            assert!(!is_canonical, "{error}");
            assert_eq!(error.code() == "invalid.encoding", text.is_err() && is_encoding(data));
        }
    }
}

/// Whether nothing is wrong with the bytes before the encoding is looked at.
fn is_encoding(data: &[u8]) -> bool {
    !data.starts_with(b"/") && !data.iter().any(|byte| matches!(byte, 0..=0x1f | 0x7f))
}

/// Decides paths by the automaton and by the definition.
pub fn decide_vs_reference(data: &[u8]) {
    let (rules, paths) = rules_and_paths(data, false);
    let entries: Vec<Entry<'_>> = rules.iter().map(OwnedRule::entry).collect();
    let Ok(automaton) = compile_to_every_form(entries.iter().copied()) else { return };
    check_paths(&entries, &automaton, &paths);
}

/// Holds what is at each path, and what is below it, against the definition.
fn check_paths(entries: &[Entry<'_>], automaton: &Automaton, paths: &[Vec<u8>]) {
    let exact = automaton.stats().below_is_exact;
    for path in paths {
        check_here(entries, automaton, path);
        let below = automaton.below(path);
        // The path itself, it with one byte more, and it with the other paths and their ends.
        let bytes = [b'/', b'a', b'z', 0xff].map(|byte| vec![byte]);
        let ends =
            paths.iter().flat_map(|other| [other.clone(), other[other.len() / 2..].to_vec()]);
        for end in [vec![]].into_iter().chain(bytes).chain(ends) {
            let extension = [&path[..], &end].concat();
            let has = reference_has(entries, &extension);
            assert!(below.all.without(has).is_empty(), "all below {path:?}, but {extension:?}");
            let some = has.without(below.some).is_empty() || !exact;
            assert!(some, "none below {path:?}, but {extension:?}");
        }
    }
}

fn check_here(entries: &[Entry<'_>], automaton: &Automaton, path: &[u8]) {
    let has = reference_has(entries, path);
    for access in Access::ALL {
        let rule = |id: crate::RuleId, effect, carries| {
            entries.get(id.index()).is_some_and(|entry| {
                entry.effect == effect
                    && entry.access.contains(access) == carries
                    && entry.restriction.matches(path)
            })
        };
        let any = |effect, carries| {
            entries.iter().any(|entry| {
                entry.effect == effect
                    && entry.access.contains(access) == carries
                    && entry.restriction.matches(path)
            })
        };
        let denied = any(Effect::Deny, true);
        let fits = |verdict| match verdict {
            Verdict::Denied(id) => rule(id, Effect::Deny, true),
            Verdict::Allowed(id) => has.contains(access) && rule(id, Effect::Allow, true),
            Verdict::OtherAccess(id) => {
                !denied && !any(Effect::Allow, true) && rule(id, Effect::Allow, false)
            }
            Verdict::NoMatch => !denied && !any(Effect::Allow, true) && !any(Effect::Allow, false),
        };
        for verdict in automaton.here_each_way(path, access) {
            assert!(fits(verdict), "{access} at {path:?}: {verdict:?}");
        }
    }
}

/// Lists directories: nothing that the definition denies is shown, what it allows is, and the
/// folders on the way to it are.
pub fn listing_plan(data: &[u8]) {
    let (rules, paths) = rules_and_paths(data, true);
    let entries: Vec<Entry<'_>> = rules.iter().map(OwnedRule::entry).collect();
    if !rules.iter().any(|rule| rule.effect == Effect::Allow) {
        return;
    }
    let policy = match Policy::from_yaml("fuzz.yaml", &yaml(&rules)) {
        Ok(policy) => policy,
        // Too many or too large, or a text that the policy's reader refuses.
        Err(_) => return,
    };
    let Ok(id) = ConnectionId::parse("s3+t") else { return };
    let Some(connection) = policy.connection("o", &id).cloned() else { return };
    let exact = connection.automaton().stats().below_is_exact;
    let engine = Engine::new(policy);
    let paths: Vec<Path<'_>> = paths.iter().filter_map(|path| Path::new(path).ok()).collect();
    let readable: Vec<bool> = paths
        .iter()
        .map(|path| reference_has(&entries, path.as_bytes()).contains(Access::Read))
        .collect();
    for directory in paths.iter().flat_map(|path| directories(path.as_bytes())) {
        let Ok(directory) = Path::new(directory) else { continue };
        let below = |path: &Path<'_>| path.as_bytes().starts_with(directory.as_bytes());
        let list = ListDirectory { path: directory.clone() };
        let Ok(approved) = engine.approve(Caller::with_full_permission("o"), &id, list) else {
            // A listing is refused only where nothing below can be read.
            let hides = paths.iter().zip(&readable).any(|(path, read)| *read && below(path));
            assert!(!hides || !exact, "nothing at {directory}");
            continue;
        };
        let listing = approved.listing();
        check_prefixes(&listing.prefixes(), directory.as_bytes());
        for (path, readable) in paths.iter().zip(&readable) {
            // A bucket is no object.
            let shown = *readable && below(path) && !path.key().is_empty();
            assert_eq!(listing.shows_object(path), shown, "{path} at {directory}");
            let is_asked = listing.prefixes().iter().any(|p| path.as_bytes().starts_with(p));
            // The directory's own marker need not be asked for.
            let is_asked = is_asked || path.as_bytes() == directory.as_bytes();
            assert!(is_asked || !shown, "{path} at {directory}: {:?}", listing.prefixes());
            for folder in directories(path.as_bytes()) {
                // The root is in no directory.
                let Ok(folder) = Path::new(folder) else { continue };
                if folder.is_root() {
                    continue;
                }
                let shown = listing.shows_folder(&folder);
                assert!(!shown || below(&folder), "{folder} at {directory}");
                assert!(shown || !*readable || !below(&folder) || !exact, "{folder}: {path}");
            }
        }
    }
}

/// What a server is asked for: within the directory, one segment deep, and nothing twice.
fn check_prefixes(prefixes: &[Vec<u8>], directory: &[u8]) {
    for prefix in prefixes {
        let Some(behind) = prefix.strip_prefix(directory) else {
            unreachable!("{prefix:?} is not below {directory:?}");
        };
        let slash = behind.iter().position(|byte| *byte == b'/');
        assert!(slash.is_none_or(|at| at + 1 == behind.len()), "{prefix:?}, too deep");
    }
    for pair in prefixes.windows(2) {
        assert!(pair[0] < pair[1] && !pair[1].starts_with(&pair[0]), "{pair:?}");
    }
}

/// Every directory above a path, the root first.
fn directories(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).map(|end| &path[..end])
}

/// The rules as a policy file.
fn yaml(rules: &[OwnedRule]) -> String {
    let list = |effect| -> String {
        let line = |rule: &OwnedRule| {
            let key = match rule.restriction.dialect() {
                Dialect::Plain => "path",
                Dialect::Glob => "glob",
            };
            let accesses: Vec<_> = rule.access.iter().map(Access::name).collect();
            // Single quotes have one escape in YAML, and no control character gets here.
            let text = rule.restriction.text().replace('\'', "''");
            format!("      - {{ {key}: '{text}', access: [{}] }}\n", accesses.join(", "))
        };
        rules.iter().filter(|rule| rule.effect == effect).map(line).collect()
    };
    let (allow, deny) = (list(Effect::Allow), list(Effect::Deny));
    let deny = match deny.as_str() {
        "" => String::new(),
        list => format!("    deny:\n{list}"),
    };
    format!("connections:\n  - id: s3+t\n    owner: o\n    restrictions:\n{allow}{deny}")
}

struct OwnedRule {
    restriction: Restriction,
    access: AccessSet,
    effect: Effect,
}

impl OwnedRule {
    fn entry(&self) -> Entry<'_> {
        Entry { restriction: &self.restriction, access: self.access, effect: self.effect }
    }
}

/// Reads the lines of an input; what is no rule and no path is left out.
fn rules_and_paths(data: &[u8], checked: bool) -> (Vec<OwnedRule>, Vec<Vec<u8>>) {
    let (mut rules, mut paths) = (Vec::new(), Vec::new());
    for line in data.split(|byte| *byte == b'\n') {
        if let [b'?', path @ ..] = line
            && paths.len() < MOST_PATHS
        {
            paths.push(path[..path.len().min(2 * MOST_TEXT)].to_vec());
        }
        let [kind @ (b'+' | b'-' | b'g' | b'h'), access, text @ ..] = line else { continue };
        let Ok(text) = std::str::from_utf8(text) else { continue };
        let access = AccessSet::from_bits(*access);
        if text.len() > MOST_TEXT || rules.len() == MOST || access.is_empty() {
            continue;
        }
        let restriction = match (kind, checked) {
            (b'+' | b'-', true) => Restriction::parse(text),
            (b'+' | b'-', false) => unchecked::plain_restriction(text),
            (_, true) => Restriction::parse_glob(text),
            (_, false) => unchecked::glob_restriction(text),
        };
        let effect = match kind {
            b'+' | b'g' => Effect::Allow,
            _ => Effect::Deny,
        };
        rules.extend(restriction.ok().map(|restriction| OwnedRule { restriction, access, effect }));
    }
    (rules, paths)
}

/// The accesses that a path has by the definition.
fn reference_has(entries: &[Entry<'_>], path: &[u8]) -> AccessSet {
    let union = |effect| {
        entries
            .iter()
            .filter(|entry| entry.effect == effect && entry.restriction.matches(path))
            .fold(AccessSet::NONE, |set, entry| set.union(entry.access))
    };
    union(Effect::Allow).without(union(Effect::Deny))
}
