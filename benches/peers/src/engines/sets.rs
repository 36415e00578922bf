//! Sets of patterns of the regex family: globset, `RegexSet`, and the two kinds of DFA by
//! themselves. Each is built once for read and once for write, since none knows of accesses.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use pathward::Access;
use regex::bytes::{RegexSet, RegexSetBuilder};
use regex_automata::{
    Anchored, Input, MatchKind,
    dfa::{Automaton, StartKind, dense},
    hybrid::dfa as lazy,
    nfa::thompson,
    util::syntax,
};

use crate::engine::{About, Ask, Engine, Kind, Rule, Task};

/// One set for each access.
struct PerAccess<T>([T; 2]);

impl<T> PerAccess<T> {
    fn build<'t>(
        task: &'t Task,
        mut build: impl FnMut(Vec<&'t str>) -> Result<T, String>,
    ) -> Result<Self, String> {
        let mut set = |access| build(Rule::giving(&task.rules, access).collect());
        Ok(Self([set(Access::Read)?, set(Access::Write)?]))
    }

    #[inline]
    fn of(&mut self, access: Access) -> &mut T {
        &mut self.0[usize::from(access == Access::Write)]
    }
}

/// A regular expression that matches what a restriction matches: bytes, not characters; the whole
/// path; a star is any run of bytes, line feeds too. A star at the end needs nothing behind it.
pub(crate) fn regex(text: &str) -> String {
    let (text, end) = match text.strip_suffix('*') {
        Some(text) => (text.trim_end_matches('*'), ""),
        None => (text, r"\z"),
    };
    let pieces: Vec<String> = text.split('*').map(regex::escape).collect();
    format!(r"(?s-u)\A(?:{}){end}", pieces.join(".*"))
}

/// globset's `is_match`.
pub(crate) struct Globset(PerAccess<GlobSet>);

impl Engine for Globset {
    const ABOUT: About = About {
        id: "globset",
        title: "globset `is_match`",
        crates: &["globset", "regex-automata"],
        kind: Kind::Peer,
        bias: "A `GlobSet` for each access, `*` crossing `/` by `literal_separator(false)`, limits as \
               they are by default. For it: `is_match` alone, which says neither which glob matched \
               nor whether another access would have been given; `matches`, which could, is slower.",
    };

    type Question<'q> = (&'q str, Access);

    fn build(task: &Task) -> Result<Self, String> {
        PerAccess::build(task, |texts| {
            let mut set = GlobSetBuilder::new();
            for text in texts {
                let glob = GlobBuilder::new(&escape(text))
                    .literal_separator(false)
                    .backslash_escape(true)
                    .build()
                    .map_err(|error| error.to_string())?;
                set.add(glob);
            }
            set.build().map_err(|error| error.to_string())
        })
        .map(Self)
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path, ask.access)
    }

    #[inline]
    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        self.0.of(*access).is_match(path)
    }
}

/// A restriction as a glob: its stars stay, all else that globset reads means itself.
fn escape(text: &str) -> String {
    let pieces: Vec<String> = text.split('*').map(globset::escape).collect();
    pieces.join("*")
}

/// `regex`'s `RegexSet`.
pub(crate) struct Regexes(PerAccess<RegexSet>);

impl Engine for Regexes {
    const ABOUT: About = About {
        id: "regexset",
        title: "regex `RegexSet::is_match`",
        crates: &["regex", "regex-automata"],
        kind: Kind::Peer,
        bias: "A set of `regex::bytes` for each access, with the limits that the crate has by \
               default, which is how one meets it: beyond some thousand restrictions it refuses. For \
               it: `is_match` stops at the first that matches, and restrictions that end with a star \
               are written without `.*\\z`, so that it can stop early.",
    };

    type Question<'q> = (&'q [u8], Access);

    fn build(task: &Task) -> Result<Self, String> {
        PerAccess::build(task, |texts| {
            RegexSetBuilder::new(texts.into_iter().map(regex))
                .build()
                .map_err(|error| error.to_string())
        })
        .map(Self)
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path.as_bytes(), ask.access)
    }

    #[inline]
    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        self.0.of(*access).is_match(path)
    }
}

/// The most memory that a dense DFA and its construction may take, in bytes. Large: so that it
/// refuses, rather than being killed for the memory that a child process may have.
const DENSE_LIMIT: usize = 1 << 30;

/// One dense DFA.
pub(crate) struct Dense(PerAccess<dense::DFA<Vec<u32>>>);

impl Engine for Dense {
    const ABOUT: About = About {
        id: "dense",
        title: "regex-automata, one dense DFA",
        crates: &["regex-automata"],
        kind: Kind::Peer,
        bias: "A fully compiled DFA for each access: what a search costs when all work is done \
               beforehand. For it: 1 GiB for the automaton and 1 GiB for making it, far more than a \
               service would let one policy have; anchored starts only; it stops at the first match. \
               With less it fails sooner, with more it is killed for time.",
    };

    type Question<'q> = (&'q [u8], Access);

    fn build(task: &Task) -> Result<Self, String> {
        let config = dense::Config::new()
            .start_kind(StartKind::Anchored)
            .match_kind(MatchKind::All)
            .dfa_size_limit(Some(DENSE_LIMIT))
            .determinize_size_limit(Some(DENSE_LIMIT));
        PerAccess::build(task, |texts| {
            let patterns: Vec<String> = texts.into_iter().map(regex).collect();
            dense::Builder::new()
                .configure(config.clone())
                .syntax(syntax())
                .thompson(thompson())
                .build_many(&patterns)
                .map_err(|error| with_sources(&error))
        })
        .map(Self)
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path.as_bytes(), ask.access)
    }

    #[inline]
    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        let input = Input::new(path).anchored(Anchored::Yes).earliest(true);
        matches!(self.0.of(*access).try_search_fwd(&input), Ok(Some(_)))
    }
}

/// The cache of a lazy DFA, in bytes.
const LAZY_CACHE: usize = 64 << 20;

/// One lazy DFA, with its cache.
pub(crate) struct Lazy(PerAccess<(lazy::DFA, lazy::Cache)>);

impl Engine for Lazy {
    const ABOUT: About = About {
        id: "lazy",
        title: "regex-automata lazy DFA, 64 MB cache",
        crates: &["regex-automata"],
        kind: Kind::Peer,
        bias: "A DFA whose states are made when a path first needs them, for each access, with a \
               cache of 64 MB each. For it: the timed rounds come after all 10,000 requests were \
               answered once, so that the cache is as full as it gets; and there is one thread, \
               where a server would need a cache for each.",
    };

    type Question<'q> = (&'q [u8], Access);

    fn build(task: &Task) -> Result<Self, String> {
        let config = lazy::Config::new().match_kind(MatchKind::All).cache_capacity(LAZY_CACHE);
        PerAccess::build(task, |texts| {
            let patterns: Vec<String> = texts.into_iter().map(regex).collect();
            let dfa = lazy::Builder::new()
                .configure(config.clone())
                .syntax(syntax())
                .thompson(thompson())
                .build_many(&patterns)
                .map_err(|error| with_sources(&error))?;
            let cache = dfa.create_cache();
            Ok((dfa, cache))
        })
        .map(Self)
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path.as_bytes(), ask.access)
    }

    #[inline]
    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        let (dfa, cache) = self.0.of(*access);
        let input = Input::new(path).anchored(Anchored::Yes).earliest(true);
        matches!(dfa.try_search_fwd(cache, &input), Ok(Some(_)))
    }
}

/// Patterns over bytes.
fn syntax() -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false)
}

/// An NFA over bytes, within the limit of the dense DFA.
fn thompson() -> thompson::Config {
    thompson::Config::new().utf8(false).nfa_size_limit(Some(DENSE_LIMIT))
}

/// An error with what is behind it: regex-automata keeps the limit that was passed there.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
