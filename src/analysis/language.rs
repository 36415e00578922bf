//! What a connection, or a restriction, has as a set of paths, and questions about such sets.

use super::{
    Answer, States,
    ahead::{Wanted, search_ahead},
    field::{ALIASED, Colors, FIRST, Field, Item},
    goal::Goal,
    search::{Exhausted, Found},
    walk::Walk,
};
use crate::{
    access::Access,
    automaton::{Effect, Entry},
    path::{Path, alias_in},
    policy::{Connection, Keys},
    restriction::{Pattern, Restriction, Token},
};

/// A set of paths: what some patterns match and no others of them take.
///
/// Paths are canonical ones, as [`Path`] has them, without the root: what no request can name makes
/// no difference. All questions are exact, and are answered with the shortest path that shows it:
/// the path of an object where there is one, else a bucket alone. Of several shortest it is one that
/// goes on as the patterns do, or else has letters.
///
/// ```
/// use pathward::{Restriction, analysis::{Answer, Language, States}};
///
/// let reports = Restriction::parse("pub/reports/")?;
/// let tables = Restriction::parse("pub/*.csv")?;
/// let (reports, tables) = (Language::of(&reports), Language::of(&tables));
///
/// let Answer::Fails(path) = tables.implies(&reports, States::default()) else { panic!() };
/// assert_eq!(path.as_bytes(), b"pub/.csv");
/// let Answer::Fails(path) = tables.disjoint(&reports, States::default()) else { panic!() };
/// assert_eq!(path.as_bytes(), b"pub/reports/.csv");
/// # Ok::<(), pathward::RestrictionError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Language<'r> {
    allows: Vec<&'r Pattern>,
    denies: Vec<&'r Pattern>,
    keys: Keys,
    /// Paths that are not in it, whatever its patterns say.
    without: Option<Pattern>,
}

const OURS: Colors = FIRST;
const TAKEN_FROM_OURS: Colors = FIRST << 1;
const THEIRS: Colors = FIRST << 2;
const TAKEN_FROM_THEIRS: Colors = FIRST << 3;
const ALL: Colors = OURS | TAKEN_FROM_OURS | THEIRS | TAKEN_FROM_THEIRS;

impl<'r> Language<'r> {
    /// What a restriction matches.
    pub fn of(restriction: &'r Restriction) -> Self {
        Self {
            allows: restriction.patterns().iter().collect(),
            denies: Vec::new(),
            keys: Keys::Exact,
            without: None,
        }
    }

    /// Where a connection gives an access. Paths that it refuses because of `keys: plain` are not in
    /// it.
    pub fn of_connection(connection: &'r Connection, access: Access) -> Self {
        let rules = connection.rules().iter().map(|rule| Entry {
            restriction: &rule.restriction,
            access: rule.access,
            effect: rule.effect,
        });
        Self::of_entries(rules, access).within(connection.keys())
    }

    /// Of these paths, those that a connection with such `keys` does not refuse.
    pub(super) fn within(self, keys: Keys) -> Self {
        Self { keys, ..self }
    }

    /// Of these paths, all that a pattern does not match.
    pub(super) fn without(self, pattern: &Pattern) -> Self {
        Self { without: Some(pattern.clone()), ..self }
    }

    /// Where rules give an access.
    pub fn of_entries(entries: impl IntoIterator<Item = Entry<'r>>, access: Access) -> Self {
        let mut language =
            Self { allows: Vec::new(), denies: Vec::new(), keys: Keys::Exact, without: None };
        for entry in entries.into_iter().filter(|entry| entry.access.contains(access)) {
            let side = match entry.effect {
                Effect::Allow => &mut language.allows,
                Effect::Deny => &mut language.denies,
            };
            side.extend(entry.restriction.patterns());
        }
        language
    }

    /// What some patterns match and no others of them take.
    pub(super) fn of_patterns(
        allows: impl IntoIterator<Item = &'r Pattern>,
        denies: impl IntoIterator<Item = &'r Pattern>,
    ) -> Self {
        let (allows, denies) = (allows.into_iter().collect(), denies.into_iter().collect());
        Self { allows, denies, keys: Keys::Exact, without: None }
    }

    /// Whether a path is in it, by the reference matcher.
    pub fn contains(&self, path: &Path<'_>) -> bool {
        let any = |patterns: &[&Pattern]| patterns.iter().any(|p| p.matches(path.as_bytes()));
        !path.is_root()
            && any(&self.allows)
            && !any(&self.denies)
            && !self.without.as_ref().is_some_and(|one| one.matches(path.as_bytes()))
            && self.keys.admit(path)
    }

    /// Whether every path of this is one of the other. Fails with one that is not.
    pub fn implies(&self, other: &Self, mut states: States) -> Answer {
        let found = self.difference(other, &mut states);
        Answer::of(found, states)
    }

    /// Whether both have the same paths. Fails with one that only one of them has.
    pub fn equivalent(&self, other: &Self, mut states: States) -> Answer {
        let found = self.apart(other, &mut states);
        Answer::of(found, states)
    }

    /// Whether no path is in both. Fails with one that is.
    pub fn disjoint(&self, other: &Self, mut states: States) -> Answer {
        let found = self.common(other, &mut states);
        Answer::of(found, states)
    }

    /// Whether there is no path in it. Fails with one that is.
    pub fn is_empty(&self, mut states: States) -> Answer {
        let found = self.first(&mut states);
        Answer::of(found, states)
    }

    /// Whether every path is in it. Fails with one that is not.
    pub fn is_universal(&self, mut states: States) -> Answer {
        let everything: Pattern = [Token::STAR].into_iter().collect();
        let goal = Goal::new(ALL, |colors| !self.has_ours(colors));
        let field = Field::new(self.items(None, &[&everything]));
        let found = shortest(&field, &goal, |item| item.colors & THEIRS != 0, 0, &mut states);
        Answer::of(found, states)
    }

    /// Whether a combination of this with more sets has no path that the other has not (`is_ours`), or lacks none that
    /// it has. `combined` is told whether a path is allowed here, whether it is denied here, and in which of the sets
    /// it is. More than eight sets are not decided.
    pub(super) fn apart_within(
        &self,
        other: &Self,
        sets: &[&[Pattern]],
        combined: impl Fn(bool, bool, &dyn Fn(usize) -> bool) -> bool,
        is_ours: bool,
        mut states: States,
    ) -> Answer {
        let first = THEIRS << 2;
        if sets.len() > 8 {
            return Answer::Undecided { states: states.most() };
        }
        let color = |n: usize| first << n;
        let all = (0..sets.len()).fold(ALL, |all, n| all | color(n));
        let goal = Goal::new(all, |colors| {
            let within = |n: usize| colors & color(n) != 0;
            let ours = combined(colors & OURS != 0, colors & TAKEN_FROM_OURS != 0, &within);
            ours != other.has_theirs(colors) && ours == is_ours
        });
        let everything: Pattern = [Token::STAR].into_iter().collect();
        let mut patterns: Vec<(&Pattern, Colors)> = vec![(&everything, 0)];
        for (n, set) in sets.iter().enumerate() {
            patterns.extend(set.iter().map(|pattern| (pattern, color(n))));
        }
        let sides = self.items(Some(other), &[]);
        patterns.extend(sides.iter().map(|item| (item.pattern, item.colors)));
        let field = Field::new(merged(patterns));
        let is_start = |item: &Item<'_>| *item.pattern == everything;
        let found = shortest(&field, &goal, is_start, 0, &mut states);
        Answer::of(found, states)
    }

    /// The shortest path that only one of both has.
    pub(super) fn apart(
        &self,
        other: &Self,
        states: &mut States,
    ) -> Result<Option<Found>, Exhausted> {
        let found = self.difference(other, states)?;
        // What was found one way is an answer whatever becomes of the other way.
        match (found, other.difference(self, states)) {
            (found, Ok(back)) => Ok(Found::better(found, back)),
            (Some(found), Err(Exhausted)) => Ok(Some(found)),
            (None, Err(Exhausted)) => Err(Exhausted),
        }
    }

    /// The shortest path that is in both.
    pub(super) fn common(
        &self,
        other: &Self,
        states: &mut States,
    ) -> Result<Option<Found>, Exhausted> {
        // From the side whose literals say more; the other's are looked for behind them.
        let least = |of: &Self| of.allows.iter().map(|pattern| pattern.prefix().len()).min();
        let rank = |of: &Self| (least(of), std::cmp::Reverse(of.allows.len()));
        let (from, to) = if rank(self) >= rank(other) { (OURS, THEIRS) } else { (THEIRS, OURS) };
        let goal = Goal::new(ALL, |colors| self.has_ours(colors) && other.has_theirs(colors));
        let field = Field::new(self.items(Some(other), &[]));
        shortest(&field, &goal, |item| item.colors & from != 0, to, states)
    }

    /// The shortest path in it.
    pub(super) fn first(&self, states: &mut States) -> Result<Option<Found>, Exhausted> {
        let goal = Goal::new(OURS | TAKEN_FROM_OURS, |colors| self.has_ours(colors));
        let field = Field::new(self.items(None, &[]));
        shortest(&field, &goal, |item| item.colors & OURS != 0, 0, states)
    }

    /// The shortest path that is in this and not in the other.
    ///
    /// It is matched by an allow that only this has, or by a deny that only the other has: whatever
    /// both have alike is never a start. Nor is a pattern of aliases alone where this has none.
    pub(super) fn difference(
        &self,
        other: &Self,
        states: &mut States,
    ) -> Result<Option<Found>, Exhausted> {
        let goal = Goal::new(ALL, |colors| self.has_ours(colors) && !other.has_theirs(colors));
        let refuses_aliases = self.refuses_aliases();
        let opens = !refuses_aliases && other.keys == Keys::Plain;
        let field = Field::new(self.items(Some(other), &[]));
        let only = |colors, ours, theirs| colors & ours != 0 && colors & theirs == 0;
        let is_start = |item: &Item<'_>| {
            (only(item.colors, OURS, if opens { 0 } else { THEIRS })
                || only(item.colors, TAKEN_FROM_THEIRS, TAKEN_FROM_OURS))
                && !(refuses_aliases && is_of_aliases(item.pattern))
        };
        shortest(&field, &goal, is_start, OURS, states)
    }

    /// Whether no path in it is an alias: because of its keys, or of denies that say the same.
    fn refuses_aliases(&self) -> bool {
        let is_denied = |alias: &[u8]| {
            self.denies.iter().any(|deny| match deny.tokens() {
                [before, Token::Literal(literal), behind] => {
                    **literal == *alias
                        && [before, behind].iter().all(|token| **token == Token::STAR)
                }
                _ => false,
            })
        };
        self.keys == Keys::Plain || is_denied(b"//") && is_denied(b"\\")
    }

    fn has_ours(&self, colors: Colors) -> bool {
        self.has(colors, OURS, TAKEN_FROM_OURS)
    }

    fn has_theirs(&self, colors: Colors) -> bool {
        self.has(colors, THEIRS, TAKEN_FROM_THEIRS)
    }

    fn has(&self, colors: Colors, allow: Colors, deny: Colors) -> bool {
        colors & allow != 0
            && colors & deny == 0
            && (self.keys == Keys::Exact || colors & ALIASED == 0)
    }

    /// The patterns of this and of another, each once. `more` are theirs too.
    fn items<'p>(&'p self, other: Option<&'p Language<'_>>, more: &[&'p Pattern]) -> Vec<Item<'p>> {
        let theirs = other.into_iter().flat_map(|other| {
            let allows = other.allows.iter().map(|pattern| (*pattern, THEIRS));
            let denies = other.denies.iter().copied().chain(&other.without);
            allows.chain(denies.map(|pattern| (pattern, TAKEN_FROM_THEIRS)))
        });
        let ours = self.allows.iter().map(|pattern| (*pattern, OURS));
        let denies = self.denies.iter().copied().chain(&self.without);
        let denies = denies.map(|pattern| (pattern, TAKEN_FROM_OURS));
        let more = more.iter().map(|pattern| (*pattern, THEIRS));
        merged(ours.chain(denies).chain(theirs).chain(more).collect())
    }
}

/// Whether a connection with `keys: plain` refuses every path that the pattern matches, as one can tell by its
/// literals.
fn is_of_aliases(pattern: &Pattern) -> bool {
    let is_alias =
        |token: &Token| matches!(token, Token::Literal(bytes) if alias_in(bytes).is_some());
    pattern.tokens().iter().any(is_alias)
}

/// Each pattern once, with all its colours.
pub(super) fn merged(mut patterns: Vec<(&Pattern, Colors)>) -> Vec<Item<'_>> {
    patterns.sort_by_key(|(pattern, _)| *pattern);
    let mut items: Vec<Item<'_>> = Vec::with_capacity(patterns.len());
    for (pattern, colors) in patterns {
        match items.last_mut() {
            Some(last) if last.pattern == pattern => last.colors |= colors,
            _ => items.push(Item::new(pattern, colors, 0)),
        }
    }
    items
}

/// The shortest path that meets a goal and is matched by one of the patterns to start from. Where
/// `needs` is not 0, every path that meets the goal has one of these colours.
pub(super) fn shortest(
    field: &Field<'_>,
    goal: &Goal<'_>,
    is_start: impl Fn(&Item<'_>) -> bool,
    needs: Colors,
    states: &mut States,
) -> Result<Option<Found>, Exhausted> {
    let mut walk = Walk::new(field);
    let mut best: Option<Found> = None;
    for (n, item) in field.items().iter().enumerate() {
        if !is_start(item) {
            continue;
        }
        let start = match walk.start(n, &[], states) {
            Ok(Some(start)) => start,
            Ok(None) => continue,
            Err(Exhausted) if best.is_some() => break,
            Err(Exhausted) => return Err(Exhausted),
        };
        let most = best.as_ref().filter(|best| best.is_object).map_or(usize::MAX, |b| b.word.len());
        let wanted = Wanted { needs, except: &[], any: false, most };
        match search_ahead(field, goal, &start, wanted, states) {
            Ok(found) => best = Found::better(best, found),
            Err(Exhausted) if best.is_some() => break,
            Err(Exhausted) => return Err(Exhausted),
        }
    }
    Ok(best)
}

impl Answer {
    pub(super) fn of(found: Result<Option<Found>, Exhausted>, states: States) -> Self {
        match found.map(|found| found.map(|found| Path::from_vec(found.word))) {
            Ok(None) => Self::Holds,
            Ok(Some(Ok(path))) => Self::Fails(path),
            // The search goes along paths alone; were it wrong, that would be no proof.
            Ok(Some(Err(_))) | Err(Exhausted) => Self::Undecided { states: states.most() },
        }
    }
}
