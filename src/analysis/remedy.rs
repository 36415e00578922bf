//! What would change a decision, and what else that would change.

use super::{Answer, Language, States};
use crate::{
    access::{Access, AccessSet},
    automaton::{Effect, Entry},
    path::Path,
    policy::{Connection, Rule},
    restriction::{Pattern, Restriction, Token},
};

/// Of how many rules it is asked whether they match something of a folder, and how much each may cost.
const MOST_NEAR: usize = 512;
const TOUCHING: States = States::new(4_096);

/// A change of a connection that makes a denied path allowed, or an allowed one denied.
#[derive(Clone, Debug)]
pub struct Remedy<'p> {
    /// What is changed.
    pub change: Vec<Step<'p>>,
    /// Another path that this opens or closes: the shortest.
    pub also: Also,
}

/// One step of a [`Remedy`].
#[derive(Clone, Debug)]
pub enum Step<'p> {
    /// A restriction more, for the one access.
    Allow(Restriction),
    /// A deny more, for the one access.
    Deny(Restriction),
    /// The access more, for a restriction that matches without it.
    Widen(usize, &'p Rule),
    /// A restriction or a deny less. For the one access would be enough.
    TakeOut(usize, &'p Rule),
}

/// What else a change changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Also {
    /// Nothing: it is the smallest there can be.
    Nothing,
    /// Other paths, and this is the shortest of them.
    Path(Path<'static>),
    /// It was not decided within so many states.
    Undecided(usize),
}

/// What would allow a path that is denied, or deny one that is allowed, for one access: the smallest
/// change first.
///
/// ```
/// use pathward::{Access, ConnectionId, Path, Policy, analysis::{self, Also, States, Step}};
///
/// let policy = Policy::from_yaml("policy.yaml", "
/// connections:
///   - id: s3+saha
///     owner: steph
///     restrictions: [pub/data/]
///     deny: [pub/data/*.key]
/// ")?;
/// let saha = policy.connection("steph", &ConnectionId::parse("s3+saha")?).expect("it is there");
/// let remedies = |path| {
///     let path = Path::new(path).expect("a path");
///     analysis::remedies(saha, Access::Read, &path, States::default())
/// };
///
/// // A restriction of one path opens that path.
/// let [remedy] = &remedies("pub/x")[..] else { panic!() };
/// assert!(matches!(&remedy.change[..], [Step::Allow(exact)] if exact.text() == "pub/x"));
/// assert_eq!(remedy.also, Also::Nothing);
///
/// // A deny can only be taken out, which opens more.
/// let [remedy] = &remedies("pub/data/a.key")[..] else { panic!() };
/// assert!(matches!(&remedy.change[..], [Step::TakeOut(1, _)]));
/// let Also::Path(path) = &remedy.also else { panic!() };
/// assert_eq!(path.as_bytes(), b"pub/data/.key");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn remedies<'p>(
    connection: &'p Connection,
    access: Access,
    path: &Path<'_>,
    states: States,
) -> Vec<Remedy<'p>> {
    // What a connection refuses for its form is no matter of restrictions.
    if path.is_root() || !connection.keys().admit(path) {
        return Vec::new();
    }
    let matching = |effect, carries: bool| -> Vec<(usize, &'p Rule)> {
        let rules = connection.rules().iter().enumerate();
        let fits = |rule: &Rule| {
            let patterns = rule.restriction.patterns();
            rule.effect == effect
                && rule.access.contains(access) == carries
                && patterns.iter().any(|p| path.as_bytes().starts_with(p.prefix()))
                && rule.restriction.matches(path.as_bytes())
        };
        rules.filter(|(_, rule)| fits(rule)).collect()
    };
    let taking = matching(Effect::Deny, true);
    let giving = matching(Effect::Allow, true);
    let take_out = |rules: &[(usize, &'p Rule)]| -> Vec<Step<'p>> {
        rules.iter().map(|(n, rule)| Step::TakeOut(*n, rule)).collect()
    };
    let exact = exact(path);
    let own: Pattern = [Token::Literal(path.as_bytes().into())].into_iter().collect();
    let mut changes: Vec<Vec<Step<'p>>> = Vec::new();
    if taking.is_empty() && !giving.is_empty() {
        changes.extend(exact.map(|exact| vec![Step::Deny(exact)]));
        changes.push(take_out(&giving));
    } else {
        let out = take_out(&taking);
        if giving.is_empty() {
            let with = |step| [&out[..], &[step]].concat();
            changes.extend(exact.map(|exact| with(Step::Allow(exact))));
            let wider = matching(Effect::Allow, false);
            changes.extend(wider.first().map(|(n, rule)| with(Step::Widen(*n, rule))));
        } else {
            changes.push(out);
        }
    }
    changes
        .into_iter()
        .map(|change| Remedy { also: also(connection, access, &own, &change, states), change })
        .collect()
}

/// What would allow everything below a directory, where something is denied, or deny all of it, where something
/// is allowed: for a directory that is deleted with what is in it, or listed.
///
/// [`Remedy::also`] is about paths elsewhere. There are none where more than 512 rules may be about the
/// directory.
pub fn remedies_below<'p>(
    connection: &'p Connection,
    access: Access,
    directory: &Path<'_>,
    effect: Effect,
    states: States,
) -> Vec<Remedy<'p>> {
    let is_refused = !connection.keys().admit(directory);
    let (false, false, Some(all)) = (directory.is_root(), is_refused, exact(directory)) else {
        return Vec::new();
    };
    let folder = Language::of(&all);
    // Those that may match something of the folder, by how they start.
    let is_near = |rule: &Rule| {
        let patterns = rule.restriction.patterns().iter().map(Pattern::prefix);
        let mut starts = patterns.zip(std::iter::repeat(directory.as_bytes()));
        starts.any(|(start, folder)| start.starts_with(folder) || folder.starts_with(start))
    };
    let near: Vec<(usize, &'p Rule)> =
        connection.rules().iter().enumerate().filter(|(_, rule)| is_near(rule)).collect();
    if near.len() > MOST_NEAR {
        return Vec::new();
    }
    // What is not decided counts: to take it out too is no mistake.
    let touches =
        |rule: &Rule| !Language::of(&rule.restriction).disjoint(&folder, TOUCHING).holds();
    let of = |effect| -> Vec<(usize, &'p Rule)> {
        let carries = |rule: &Rule| rule.effect == effect && rule.access.contains(access);
        near.iter().copied().filter(|(_, rule)| carries(rule) && touches(rule)).collect()
    };
    let take_out = |rules: &[(usize, &'p Rule)]| -> Vec<Step<'p>> {
        rules.iter().map(|(n, rule)| Step::TakeOut(*n, rule)).collect()
    };
    let mut changes: Vec<Vec<Step<'p>>> = Vec::new();
    match effect {
        Effect::Deny => {
            changes.push(vec![Step::Deny(all.clone())]);
            changes.push(take_out(&of(Effect::Allow)));
        }
        Effect::Allow => {
            let out = take_out(&of(Effect::Deny));
            let giving = of(Effect::Allow);
            let given = giving.iter().flat_map(|(_, rule)| rule.restriction.patterns());
            if folder.implies(&Language::of_patterns(given, []), states).holds() {
                changes.push(out);
            } else {
                let with = |step| [&out[..], &[step]].concat();
                changes.push(with(Step::Allow(all.clone())));
                let wider = near.iter().copied().find(|(_, rule)| {
                    rule.effect == Effect::Allow
                        && !rule.access.contains(access)
                        && folder.implies(&Language::of(&rule.restriction), TOUCHING).holds()
                });
                changes.extend(wider.map(|(n, rule)| with(Step::Widen(n, rule))));
            }
        }
    }
    changes.retain(|change| !change.is_empty());
    let [pattern] = all.patterns() else { return Vec::new() };
    changes
        .into_iter()
        .map(|change| Remedy { also: also(connection, access, pattern, &change, states), change })
        .collect()
}

/// The restriction of one path; of a directory, whose text stands for what is in it, that.
pub(super) fn exact(path: &Path<'_>) -> Option<Restriction> {
    Restriction::parse(&escaped(&path.to_string())).ok()
}

/// What is written for these characters in a plain restriction.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*")
}

/// The shortest path but those of a pattern that is allowed before and not after, or the other way round.
fn also(
    connection: &Connection,
    access: Access,
    but: &Pattern,
    change: &[Step<'_>],
    states: States,
) -> Also {
    let is_out =
        |n: usize| change.iter().any(|step| matches!(step, Step::TakeOut(out, _) if *out == n));
    let is_wider =
        |n: usize| change.iter().any(|step| matches!(step, Step::Widen(w, _) if *w == n));
    let one = AccessSet::from(access);
    let entry = |rule: &'_ Rule, access| (rule.restriction.clone(), access, rule.effect);
    let rules = || connection.rules().iter().enumerate();
    let carries = |rule: &Rule| rule.access.contains(access);
    let before: Vec<_> =
        rules().filter(|(_, rule)| carries(rule)).map(|(_, rule)| entry(rule, one)).collect();
    let mut after: Vec<_> = rules()
        .filter(|(n, rule)| carries(rule) && !is_out(*n) || is_wider(*n))
        .map(|(_, rule)| entry(rule, one))
        .collect();
    for step in change {
        match step {
            Step::Allow(more) => after.push((more.clone(), one, Effect::Allow)),
            Step::Deny(more) => after.push((more.clone(), one, Effect::Deny)),
            Step::Widen(..) | Step::TakeOut(..) => {}
        }
    }
    let [before, after] = [&before, &after].map(|rules| {
        let entries = rules.iter().map(|(restriction, access, effect)| Entry {
            restriction,
            access: *access,
            effect: *effect,
        });
        Language::of_entries(entries, access).within(connection.keys()).without(but)
    });
    match before.equivalent(&after, states) {
        Answer::Holds => Also::Nothing,
        Answer::Fails(path) => Also::Path(path),
        Answer::Undecided { states } => Also::Undecided(states),
    }
}
