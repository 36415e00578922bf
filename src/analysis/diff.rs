//! What a new policy allows that the old one did not, and the other way round.
//!
//! A path is newly allowed only if a restriction matches it that is new, or a deny that is gone. So
//! each of these is asked about, and what both policies have alike costs nothing: is anything of it
//! newly allowed, and is all of it? The answers together are exact.

use std::collections::{BTreeMap, HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use super::{
    Budget, States,
    ahead::Wanted,
    field::{ALIASED, Colors, FIRST, Field, Item},
    goal::Goal,
    known::Known,
    language::merged,
    search::{Exhausted, Found},
    walk::Walk,
};
use crate::{
    access::{Access, AccessSet},
    automaton::Effect,
    path::Path,
    policy::{ApiKey, Connection, CredentialsRef, Keys, Policy, Reach, Rule},
    restriction::Pattern,
};

/// How two policies differ.
#[derive(Clone, Debug, Default)]
pub struct PolicyDiff<'p> {
    /// The connections that differ, by their owners and names.
    pub connections: Vec<ConnectionDiff<'p>>,
    /// The API keys that differ, by their users and ids.
    pub keys: Vec<KeyDiff<'p>>,
}

/// How one connection differs.
#[derive(Clone, Debug)]
pub struct ConnectionDiff<'p> {
    /// It, in the old policy.
    pub old: Option<&'p Connection>,
    /// It, in the new policy.
    pub new: Option<&'p Connection>,
    /// What is newly allowed.
    pub opened: Vec<Change<'p>>,
    /// What is no longer allowed.
    pub closed: Vec<Change<'p>>,
    /// Fields other than the rules that say something else.
    pub settings: Vec<Setting>,
    /// How many questions were not decided within the budget. Where it is not 0, something may be
    /// missing from the lists above.
    pub undecided: usize,
}

/// A field of a connection that says something else, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub field: &'static str,
    /// What the old policy has.
    pub old: String,
    /// What the new one has.
    pub new: String,
    /// Whether the same paths may lie somewhere else now: in another server or another account.
    pub is_place: bool,
}

/// Why paths are newly allowed, or no longer.
#[derive(Clone, Copy, Debug)]
pub enum Cause<'p> {
    /// A restriction or a deny that only one of the policies has.
    Rule(&'p Rule),
    /// The connection's `keys`, which refuse some paths or no longer do.
    Keys,
}

/// How much of what a rule matches has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Extent {
    /// All of it, but for what the connection's `keys` refuse anyway: the change is exactly this
    /// restriction.
    Whole,
    /// A part.
    Part,
}

/// Paths that are newly allowed, or no longer.
#[derive(Clone, Debug)]
pub struct Change<'p> {
    /// Why.
    pub cause: Cause<'p>,
    /// For which accesses.
    pub access: AccessSet,
    /// How much of what the rule matches.
    pub extent: Extent,
    /// The shortest such path.
    pub witness: Path<'static>,
}

/// An API key that is new, gone, or may do something else.
#[derive(Clone, Copy, Debug)]
pub struct KeyDiff<'p> {
    /// Whose it is.
    pub user: &'p str,
    /// What it is called.
    pub id: &'p str,
    /// What it could do; `None` if there was none.
    pub old: Option<AccessSet>,
    /// What it can do; `None` if there is none.
    pub new: Option<AccessSet>,
    /// Whether another key has this name now.
    pub is_other: bool,
    /// Whether it could change its user's connections and keys, and whether it can.
    pub manage: [bool; 2],
    /// Which of its user's connections it reached, and which it reaches; `None` where there is no key.
    pub reach: [Option<&'p Reach>; 2],
}

impl KeyDiff<'_> {
    /// Whether somebody may do more: a new key, another key of the same name, more access, more
    /// connections, or to manage.
    pub fn opens(&self) -> bool {
        let old = self.old.unwrap_or_default();
        let manages = self.manage == [false, true];
        let reaches = matches!(self.reach, [Some(old), Some(new)] if new.exceeds(old));
        let more =
            |new: AccessSet| self.is_other || manages || reaches || !new.without(old).is_empty();
        self.new.is_some_and(|new| self.old.is_none() || more(new))
    }
}

impl PolicyDiff<'_> {
    /// Whether nothing differs, and all was decided.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty() && self.keys.is_empty()
    }

    /// Whether somebody may do something that they might not: paths that are newly allowed, paths
    /// that lie in another place now, keys.
    pub fn opens(&self) -> bool {
        let opens = |c: &ConnectionDiff<'_>| {
            !c.opened.is_empty() || c.settings.iter().any(|setting| setting.is_place)
        };
        self.connections.iter().any(opens) || self.keys.iter().any(KeyDiff::opens)
    }

    /// How many questions were not decided.
    pub fn undecided(&self) -> usize {
        self.connections.iter().map(|connection| connection.undecided).sum()
    }
}

/// Compares two policies.
///
/// ```
/// use pathward::{Policy, analysis::{self, Extent, States}};
///
/// let policy = |restrictions: &str| Policy::from_yaml("p.yaml", &format!("
/// connections:
///   - id: s3+saha
///     owner: steph
///     restrictions: {restrictions}
/// "));
/// let (old, new) = (policy("[pub/a/, pub/b/]")?, policy("[pub/a/, pub/b*]")?);
/// let diff = analysis::diff(&old, &new, States::default());
///
/// let change = &diff.connections[0].opened[0];
/// assert_eq!(change.extent, Extent::Part);
/// assert_eq!(change.witness.as_bytes(), b"pub/b");
/// assert!(diff.connections[0].closed.is_empty());
///
/// // Another spelling is no difference.
/// let same = policy("[pub/b/*, pub/**, pub/a/x]")?;
/// assert!(analysis::diff(&policy("[pub/]")?, &same, States::default()).is_empty());
/// # Ok::<(), pathward::PolicyErrors>(())
/// ```
pub fn diff<'p>(old: &'p Policy, new: &'p Policy, states: States) -> PolicyDiff<'p> {
    let mut pairs: BTreeMap<_, (Option<&'p Connection>, Option<&'p Connection>)> = BTreeMap::new();
    for connection in old.connections() {
        pairs.entry((connection.owner(), connection.id())).or_default().0 = Some(connection);
    }
    for connection in new.connections() {
        pairs.entry((connection.owner(), connection.id())).or_default().1 = Some(connection);
    }
    let connections = pairs
        .into_values()
        .map(|(old, new)| connection_diff(old, new, states))
        .filter(|diff| !diff.is_nothing())
        .collect();
    PolicyDiff { connections, keys: key_diff(old, new) }
}

fn connection_diff<'p>(
    old: Option<&'p Connection>,
    new: Option<&'p Connection>,
    states: States,
) -> ConnectionDiff<'p> {
    let mut diff = ConnectionDiff {
        old,
        new,
        opened: Vec::new(),
        closed: Vec::new(),
        settings: old.zip(new).map_or_else(Vec::new, |(old, new)| settings(old, new)),
        undecided: 0,
    };
    let mut budget = Budget::new(states);
    let (mut opened, mut closed) = (Changes::default(), Changes::default());
    for access in Access::ALL {
        let sides = [Side::new(old, access), Side::new(new, access)];
        if sides[0].same(&sides[1]) {
            continue;
        }
        let field = Field::new(sides[0].items(&sides[1]));
        let asker = Asker { field: &field, sides: &sides, access };
        asker.opened(1, &mut budget, &mut opened);
        asker.opened(0, &mut budget, &mut closed);
    }
    (diff.opened, diff.closed) = (opened.list, closed.list);
    diff.undecided = budget.undecided;
    diff
}

impl ConnectionDiff<'_> {
    fn is_nothing(&self) -> bool {
        self.old.is_some() == self.new.is_some()
            && self.opened.is_empty()
            && self.closed.is_empty()
            && self.settings.is_empty()
            && self.undecided == 0
    }
}

/// What one of two policies has for an access.
struct Side<'p> {
    rules: Vec<&'p Rule>,
    allows: HashSet<&'p Pattern>,
    denies: HashSet<&'p Pattern>,
    keys: Keys,
}

const ALLOW: [Colors; 2] = [FIRST, FIRST << 1];
const DENY: [Colors; 2] = [FIRST << 2, FIRST << 3];
const ALL: Colors = ALLOW[0] | ALLOW[1] | DENY[0] | DENY[1];

impl<'p> Side<'p> {
    fn new(connection: Option<&'p Connection>, access: Access) -> Self {
        let rules = connection.map_or(&[][..], Connection::rules);
        let rules: Vec<&Rule> = rules.iter().filter(|r| r.access.contains(access)).collect();
        let patterns = |effect| {
            let of = rules.iter().filter(move |rule| rule.effect == effect);
            of.flat_map(|rule| rule.restriction.patterns()).collect()
        };
        let (allows, denies) = (patterns(Effect::Allow), patterns(Effect::Deny));
        Self { rules, allows, denies, keys: connection.map_or(Keys::Exact, Connection::keys) }
    }

    /// Whether there is no difference to look for.
    fn same(&self, other: &Self) -> bool {
        self.allows == other.allows
            && (self.allows.is_empty() || self.denies == other.denies && self.keys == other.keys)
    }

    fn items<'a>(&'a self, other: &'a Side<'p>) -> Vec<Item<'p>> {
        let of = |side: &'a Side<'p>, n: usize| {
            let allows = side.allows.iter().map(move |pattern| (*pattern, ALLOW[n]));
            allows.chain(side.denies.iter().map(move |pattern| (*pattern, DENY[n])))
        };
        merged(of(self, 0).chain(of(other, 1)).collect())
    }

    fn has(&self, n: usize, colors: Colors) -> bool {
        colors & ALLOW[n] != 0
            && colors & DENY[n] == 0
            && (self.keys == Keys::Exact || colors & ALIASED == 0)
    }
}

/// Changes, and where those of one cause are.
#[derive(Default)]
struct Changes<'p> {
    list: Vec<Change<'p>>,
    places: HashMap<Option<*const Rule>, Vec<usize>>,
}

struct Asker<'f, 'p> {
    field: &'f Field<'p>,
    sides: &'f [Side<'p>; 2],
    access: Access,
}

impl<'p> Asker<'_, 'p> {
    /// What side `n` has and the other has not.
    fn opened(&self, n: usize, budget: &mut Budget, changes: &mut Changes<'p>) {
        let (ours, theirs) = (&self.sides[n], &self.sides[1 - n]);
        let gains = |colors| ours.has(n, colors) && !theirs.has(1 - n, colors);
        let mut gains_any = (Goal::new(ALL, gains), Known::default());
        let is_for_all = |c| ours.keys == Keys::Exact || c & ALIASED == 0;
        let mut lacks_any = (Goal::new(ALL, |c| !gains(c) && is_for_all(c)), Known::default());
        let allows = ours.rules.iter().filter(|rule| {
            let known = |pattern| theirs.allows.contains(pattern);
            rule.effect == Effect::Allow && !rule.restriction.patterns().iter().all(known)
        });
        let denies = theirs.rules.iter().filter(|rule| {
            let known = |pattern| ours.denies.contains(pattern);
            rule.effect == Effect::Deny && !rule.restriction.patterns().iter().all(known)
        });
        let (mut walk, needs) = (Walk::new(self.field), ALLOW[n]);
        let mut known: HashSet<(&[Pattern], Effect)> = HashSet::new();
        for rule in allows.chain(denies) {
            if !known.insert((rule.restriction.patterns(), rule.effect)) {
                continue;
            }
            let places: Vec<usize> =
                rule.restriction.patterns().iter().filter_map(|p| self.place(p)).collect();
            let found =
                budget.ask(|states| self.first(&places, &mut walk, &mut gains_any, needs, states));
            let Some(Some(found)) = found else { continue };
            let rest =
                budget.ask(|states| self.first(&places, &mut walk, &mut lacks_any, 0, states));
            let extent = if rest == Some(None) { Extent::Whole } else { Extent::Part };
            self.add(changes, Cause::Rule(rule), extent, found);
        }
        if ours.keys == Keys::Exact && theirs.keys == Keys::Plain {
            let places: Vec<usize> = (0..self.field.items().len())
                .filter(|place| self.field.items()[*place].colors & ALLOW[n] != 0)
                .collect();
            let aliased = Goal::new(ALL, |c| c & ALIASED != 0 && gains(c));
            let mut aliased = (aliased, Known::default());
            let found =
                budget.ask(|states| self.first(&places, &mut walk, &mut aliased, 0, states));
            if let Some(Some(found)) = found {
                self.add(changes, Cause::Keys, Extent::Part, found);
            }
        }
    }

    /// Adds a change, to one for another access if they are alike.
    fn add(&self, all: &mut Changes<'p>, cause: Cause<'p>, extent: Extent, found: Found) {
        // A search finds paths and nothing else.
        let Ok(witness) = Path::from_vec(found.word) else { return };
        let key = match cause {
            Cause::Rule(rule) => Some(std::ptr::from_ref(rule)),
            Cause::Keys => None,
        };
        let known = all.places.entry(key).or_default();
        let like = |n: &&usize| all.list[**n].extent == extent && all.list[**n].witness == witness;
        if let Some(n) = known.iter().find(like) {
            all.list[*n].access = all.list[*n].access.with(self.access);
            return;
        }
        known.push(all.list.len());
        all.list.push(Change { cause, access: self.access.into(), extent, witness });
    }

    /// The place of a pattern in the field.
    fn place(&self, pattern: &Pattern) -> Option<usize> {
        let wanted = (pattern.prefix(), pattern.tokens());
        let of = |item: &Item<'_>| (item.pattern.prefix(), item.pattern.tokens()).cmp(&wanted);
        self.field.items().binary_search_by(of).ok()
    }

    /// The shortest path that meets a goal and is matched by one of some patterns.
    fn first(
        &self,
        places: &[usize],
        walk: &mut Walk<'_, 'p>,
        (goal, known): &mut (Goal<'_>, Known),
        needs: Colors,
        states: &mut States,
    ) -> Result<Option<Found>, Exhausted> {
        let mut best = None;
        let wanted = Wanted { needs, except: &[], any: false, most: usize::MAX };
        for place in places {
            let Some(start) = walk.start(*place, &[], states)? else { continue };
            let found = known.search(self.field, goal, &start, wanted, states)?;
            best = Found::better(best, found);
        }
        Ok(best)
    }
}

fn settings(old: &Connection, new: &Connection) -> Vec<Setting> {
    let text = |text: Option<&str>| text.unwrap_or("none").to_owned();
    let [(old_keys, old_conditions), (new_keys, new_conditions)] =
        [old, new].map(|one| (one.keys().name().to_owned(), one.conditions().name().to_owned()));
    let credentials = |connection: &Connection| {
        connection.credentials().map_or_else(
            || "none".to_owned(),
            |at| {
                let (kind, place) = at.kind_and_place();
                match at {
                    // Of the same end of a key's id, and yet others.
                    CredentialsRef::Sealed(sealed) => {
                        let hash: [u8; 32] = Sha256::digest(sealed.text()).into();
                        format!("{kind} …{place} ({:02x}{:02x}{:02x})", hash[0], hash[1], hash[2])
                    }
                    _ => format!("{kind} {place}"),
                }
            },
        )
    };
    let all = [
        ("default", old.is_default().to_string(), new.is_default().to_string(), false),
        ("endpoint", text(old.endpoint()), text(new.endpoint()), true),
        ("region", text(old.region()), text(new.region()), false),
        ("keys", old_keys, new_keys, false),
        ("conditions", old_conditions, new_conditions, false),
        ("credentials", credentials(old), credentials(new), true),
    ];
    all.into_iter()
        .filter(|(_, old, new, _)| old != new)
        .map(|(field, old, new, is_place)| Setting { field, old, new, is_place })
        .collect()
}

fn key_diff<'p>(old: &'p Policy, new: &'p Policy) -> Vec<KeyDiff<'p>> {
    let mut pairs: BTreeMap<(&str, &str), [Option<&'p ApiKey>; 2]> = BTreeMap::new();
    for (n, policy) in [old, new].into_iter().enumerate() {
        for user in policy.users() {
            for key in &user.keys {
                pairs.entry((&user.name, &key.id)).or_default()[n] = Some(key);
            }
        }
    }
    let access = |key: Option<&ApiKey>| key.map(|key| key.access);
    let manage = |key: Option<&ApiKey>| key.is_some_and(|key| key.manage);
    let reach = |key: Option<&'p ApiKey>| key.map(|key| &key.reach);
    pairs
        .into_iter()
        .map(|((user, id), [old, new])| KeyDiff {
            user,
            id,
            old: access(old),
            new: access(new),
            is_other: old.zip(new).is_some_and(|(old, new)| old.sha256 != new.sha256),
            manage: [manage(old), manage(new)],
            reach: [reach(old), reach(new)],
        })
        .filter(|key| {
            let is_changed = key.manage[0] != key.manage[1] || key.reach[0] != key.reach[1];
            key.is_other || key.old != key.new || is_changed
        })
        .collect()
}
