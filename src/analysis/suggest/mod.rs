//! From what was used, the tightest readable restrictions that allow it.
//!
//! The rule, which `pathward suggest --help` has for people:
//!
//! * A key that was used is a restriction; a folder in which several different keys were used is one
//!   instead ([`Usage::FOLDER_FROM`]).
//! * Where these are more than may be, further folders stand for what is in them: of all choices, the one that
//!   opens the fewest whole buckets, then the fewest folders of the second level, and so on.
//! * A folder is only ever what of it is granted: where a rule gives `*.csv`, that is `dir/*.csv`. Where all
//!   else is too many, the rules that are there now stay.
//! * A directory that was listed, in which nothing was read, stays listable with all that it shows; and
//!   one that was deleted with all in it stays deletable.
//!
//! `usage`: what is kept of the paths, bounded. `part`: what of a rule lies in a folder. `choose` and `table`:
//! the choice. `proof`: that it opens nothing and covers everything.

mod choose;
mod index;
mod part;
mod proof;
mod table;
mod usage;

use std::collections::{BTreeMap, BTreeSet};

use self::choose::Choice;
pub use self::{
    part::reaches,
    usage::{Usage, Used},
};
use super::{Answer, States};
use crate::{access::Access, automaton::Effect, policy::Connection, restriction::Restriction};

/// Restrictions for one access that allow what was used.
#[derive(Clone, Debug)]
pub struct Suggestion {
    /// The access.
    pub access: Access,
    /// The restrictions, in the order of their texts.
    pub restrictions: Vec<Restriction>,
    /// The rules of the connection that gave what was used, by their places. Without all the others, it
    /// would have been allowed as well.
    pub rules: BTreeSet<usize>,
    /// Whether they give nothing that the connection does not, with its denies as they are. Holds, if it is
    /// decided.
    pub inside: Answer,
    /// Whether they match all that was used. Holds, if it is decided.
    pub covers: Answer,
    /// Whether they give all that the connection does. Fails with a path that would be given no longer.
    pub keeps: Answer,
}

/// Suggests at most so many restrictions for one access of a connection, or as few as what is granted
/// permits. `None` where the access was not used.
///
/// `number` is the connection's in `used`. Each question of the proof has so many states.
///
/// ```
/// use pathward::{Access, Path, Policy, analysis::{States, Usage, suggest}};
///
/// let policy = Policy::from_yaml("policy.yaml", "
/// connections:
///   - id: s3+saha
///     owner: steph
///     restrictions: [pub/data/*, '*.csv']
/// ")?;
/// let mut usage = Usage::new(2, Usage::MOST);
/// usage.used(0, Access::Read, &Path::new("pub/data/in/a")?, 0);
/// usage.used(0, Access::Read, &Path::new("pub/data/in/b")?, 0);
/// usage.used(0, Access::Read, &Path::new("tables/2026/a.csv")?, 1);
/// usage.used(0, Access::Read, &Path::new("tables/2026/b.csv")?, 1);
///
/// let used = usage.finish();
/// let connection = &policy.connections()[0];
/// let Some(found) = suggest(&used, 0, connection, Access::Read, 12, States::default()) else { panic!() };
/// let texts: Vec<_> = found.restrictions.iter().map(|restriction| restriction.text()).collect();
/// assert_eq!(texts, ["pub/data/in/", "tables/2026/*.csv"]);
/// assert!(found.inside.holds() && found.covers.holds());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn suggest(
    used: &Used,
    number: usize,
    connection: &Connection,
    access: Access,
    most: usize,
    states: States,
) -> Option<Suggestion> {
    let tree = used.tree(number, access)?;
    let rules = connection.rules().iter().enumerate();
    let grants: BTreeMap<usize, &Restriction> = rules
        .filter(|(_, rule)| rule.effect == Effect::Allow && rule.access.contains(access))
        .map(|(n, rule)| (n, &rule.restriction))
        .collect();
    let choice = Choice::new(tree, &grants, true);
    let chosen = choice.best(most);
    Some(Suggestion {
        access,
        inside: proof::inside(&chosen.restrictions, connection, access, states),
        keeps: proof::keeps(&chosen.restrictions, connection, access, states),
        covers: proof::covers(&chosen.restrictions, tree, &choice, states),
        restrictions: chosen.restrictions,
        rules: chosen.rules,
    })
}

/// The same for what was refused, and would have to be opened: whatever is granted. Never `*`. `rule` is
/// 0 for all that was used.
pub fn openings(used: &Used, number: usize, access: Access, most: usize) -> Vec<Restriction> {
    let (Some(tree), Ok(all)) = (used.tree(number, access), Restriction::parse("*")) else {
        return Vec::new();
    };
    let grants = BTreeMap::from([(0, &all)]);
    Choice::new(tree, &grants, false).best(most).restrictions
}
