//! A connection as a small automaton that a person can look at.
//!
//! An automaton over bytes is exact and says nothing to anyone. This one goes by segments and literals:
//! a place is somewhere that paths lead to (a bucket, a folder, an object), a way is text that leads on.
//!
//! * `piece`: the patterns below a prefix, and which of them make a difference at all.
//! * `tree`: their segments as a tree; what does not branch is one way.
//! * `decide`: what is decided at each place, by every pattern that covers it and not by its own alone.
//! * `merge`: places under one parent that nothing tells apart are one.

mod decide;
mod merge;
mod piece;
mod tree;

use std::fmt;

use super::{Budget, States, search::Exhausted};
use crate::{
    access::AccessSet, automaton::Effect, path::Path, policy::Connection, restriction::Pattern,
};

/// What of a connection is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'s> {
    /// Only paths that start so. Bytes, as paths have them; empty for all.
    pub under: &'s [u8],
    /// Only these accesses.
    pub access: AccessSet,
    /// How many places there may be, before those that are alike become one.
    pub most: usize,
}

/// The places of a connection and the ways between them: a tree, and an automaton.
///
/// A path follows every way whose text it has. Where it ends at a place, it gets what is given there
/// ([`Place::here`]); where it goes on behind a place, it gets what is given to all that starts so
/// ([`Place::below`]). What is given on any of its ways it has, unless it is denied on any.
///
/// ```
/// use pathward::{AccessSet, ConnectionId, Path, Policy, analysis::{Graph, Scope, States}};
///
/// let policy = Policy::from_yaml("policy.yaml", "
/// connections:
///   - id: s3+saha
///     owner: steph
///     restrictions: [pub/data/, pub/data/readme, { path: pub/out/, access: read-write }]
///     deny: [pub/data/*.key]
/// ")?;
/// let saha = policy.connection("steph", &ConnectionId::parse("s3+saha")?).expect("it is there");
/// let all = Scope { under: b"", access: AccessSet::READ_WRITE, most: 100 };
/// let graph = Graph::new(saha, all, States::default())?;
///
/// // The root, pub/, data/, *.key below it, and out/. The entry for one file adds nothing.
/// assert_eq!(graph.places().len(), 5);
/// assert_eq!(graph.idle(), [1]);
/// let [root, public, data, key, out] = graph.places() else { panic!() };
/// assert!(root.lists && public.lists && public.below.has().is_empty());
/// assert_eq!(data.below.has(), AccessSet::READ_ONLY);
/// assert_eq!(key.here.expect("a path can end here").denied, AccessSet::READ_ONLY);
/// assert_eq!(out.below.has(), AccessSet::READ_WRITE);
/// assert_eq!(graph.has(&Path::new("pub/data/a.key")?), AccessSet::NONE);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Graph {
    under: Box<[u8]>,
    places: Vec<Place>,
    ways: Vec<Way>,
    idle: Vec<usize>,
}

/// Somewhere that paths lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What is decided for paths that end here, as far as it is the same for all of them. `None` where
    /// no path can end.
    pub here: Option<Decided>,
    /// What is decided for all paths that start so; nothing where that is what [`Place::here`] says
    /// already, because the text that leads here ends with `*`.
    pub below: Decided,
    /// Whether a listing shows anything: something readable is here or further on.
    pub lists: bool,
    /// The rules that decide here, by their places in [`Connection::rules`].
    pub rules: Vec<usize>,
}

/// What rules decide together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Decided {
    /// What restrictions give, whether or not it is denied.
    pub given: AccessSet,
    /// What denies take, whether or not it is given here.
    pub denied: AccessSet,
    /// Whether denies leave nothing at all: none of the paths has any access.
    pub is_shut: bool,
}

impl Decided {
    /// What is given and not denied.
    pub fn has(self) -> AccessSet {
        self.given.without(self.denied)
    }

    /// Whether nothing is given and nothing is denied.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }

    fn add(&mut self, effect: Effect, access: AccessSet) {
        let side = match effect {
            Effect::Allow => &mut self.given,
            Effect::Deny => &mut self.denied,
        };
        *side = side.union(access);
    }
}

/// How paths lead from one place to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where it starts, in [`Graph::places`].
    pub from: usize,
    /// Where it ends. Every place but the first is the end of one way.
    pub to: usize,
    /// The texts that lead there, each of them enough. There is at least one, and none is empty.
    pub texts: Vec<Pattern>,
}

/// Why a connection is not drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphError {
    /// It has more places than were asked for.
    TooMany {
        /// So many.
        places: usize,
    },
    /// What some rule adds to the others was not found within the budget.
    Undecided {
        /// The budget.
        states: usize,
    },
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { places } => write!(f, "there are {places} places to draw"),
            Self::Undecided { states } => {
                write!(f, "what to draw was not decided within {states} states")
            }
        }
    }
}

impl std::error::Error for GraphError {}

impl Graph {
    /// Finds the places of a connection. Restrictions and denies that make no difference to any
    /// path have none: they are [`Graph::idle`].
    ///
    /// It asks as many questions as there are pairs of a place and a rule: each may visit so many
    /// states, and all of them eight times as many.
    ///
    /// # Errors
    ///
    /// There are more places than the scope has room for, or a question was not decided.
    pub fn new(
        connection: &Connection,
        scope: Scope<'_>,
        states: States,
    ) -> Result<Self, GraphError> {
        let (rules, keys) = (connection.rules(), connection.keys());
        let (mut pieces, known) = piece::pieces(rules, scope);
        let places = tree::Tree::new(&pieces).len();
        if places > scope.most {
            return Err(GraphError::TooMany { places });
        }
        let undecided = |Exhausted| GraphError::Undecided { states: states.most() };
        let mut budget = Budget::new(states);
        piece::reduce(&mut pieces, keys, &mut budget).map_err(undecided)?;
        let idle = piece::idle(&known, &pieces);
        let tree = tree::Tree::new(&pieces);
        let places =
            decide::decide(&tree, &pieces, keys, scope.under, &mut budget).map_err(undecided)?;
        let (places, ways) = merge::merge(&tree, &places);
        Ok(Self { under: scope.under.into(), places, ways, idle })
    }

    /// What all paths start with.
    pub fn under(&self) -> &[u8] {
        &self.under
    }

    /// The places: first the one that all paths start from, and each before those behind it.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The ways, in the order of the places that they lead to.
    pub fn ways(&self) -> &[Way] {
        &self.ways
    }

    /// The rules that make no difference to any path, in the order of [`Connection::rules`].
    pub fn idle(&self) -> &[usize] {
        &self.idle
    }

    /// What a path has by the places that it leads to; nothing, for the root and where it does not start
    /// with [`Graph::under`]. Paths that the connection refuses because of `keys: plain` mean nothing here.
    /// For tests, not fast.
    pub fn has(&self, path: &Path<'_>) -> AccessSet {
        let rest = path.as_bytes().strip_prefix(&*self.under).filter(|_| !path.is_root());
        let Some(rest) = rest else { return AccessSet::NONE };
        // For each place, where in the path a way to it can end.
        let mut ends = vec![Vec::new(); self.places.len()];
        ends[0].push(0);
        for way in &self.ways {
            let reached = |end: &usize| {
                let starts = ends[way.from].iter().filter(|start| *start <= end);
                starts
                    .into_iter()
                    .any(|&start| way.texts.iter().any(|text| text.matches(&rest[start..*end])))
            };
            ends[way.to] = (0..=rest.len()).filter(reached).collect();
        }
        let decided =
            self.places.iter().zip(&ends).fold(Decided::default(), |mut all, (place, ends)| {
                let here = place.here.filter(|_| ends.contains(&rest.len())).unwrap_or_default();
                let below = if ends.is_empty() { Decided::default() } else { place.below };
                for decided in [here, below] {
                    all.add(Effect::Allow, decided.given);
                    all.add(Effect::Deny, decided.denied);
                }
                all
            });
        decided.has()
    }
}
