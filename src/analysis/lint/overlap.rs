//! Two connections of one owner that say different things of one path.
//!
//! Whoever may not write through one connection and may through the other has been given write
//! access: by the wrong name, a restriction is none.

use std::collections::BTreeMap;

use super::{Finding, Level, Lint};
use crate::{
    access::{Access, AccessSet},
    analysis::{
        Budget, States,
        field::{ALIASED, Colors, FIRST, Field, Item},
        goal::Goal,
        language::{merged, shortest},
        search::Found,
    },
    automaton::Effect,
    path::Path,
    policy::{Connection, Keys, Policy},
};

/// How many pairs are compared. That there are more is said by `uncompared`.
const MOST_PAIRS: usize = 2_000;
/// How many others of one connection are told of.
#[cfg(feature = "portal")]
const MOST_BESIDE: usize = 3;
/// How many rules are compared with others', all pairs together.
#[cfg(feature = "portal")]
const MOST_RULES_BESIDE: usize = 1 << 17;

pub(super) fn look<'p>(policy: &'p Policy, states: States, lint: &mut Lint<'p>) {
    // In an order, so that where it ends is the same each time.
    let mut of_owner: BTreeMap<(&str, Option<&str>), Vec<&'p Connection>> = BTreeMap::new();
    for connection in policy.connections() {
        of_owner.entry((connection.owner(), connection.endpoint())).or_default().push(connection);
    }
    let mut budget = Budget::new(states);
    let mut pairs = 0;
    for connections in of_owner.values().filter(|all| all.len() > 1) {
        for (n, one) in connections.iter().enumerate() {
            for other in &connections[n + 1..] {
                if are_alike(one, other) {
                    continue;
                }
                pairs += 1;
                if pairs > MOST_PAIRS || budget.is_gone() {
                    lint.uncompared = true;
                    lint.undecided += budget.undecided;
                    return;
                }
                lint.findings.extend(pair(one, other, &mut budget));
            }
        }
    }
    lint.undecided += budget.undecided;
}

/// The same for one connection and others of its owner, of which no more are compared than is
/// worthwhile while somebody waits. Returns also how many comparisons were not decided.
#[cfg(feature = "portal")]
pub(crate) fn overlaps<'p>(
    one: &'p Connection,
    others: impl Iterator<Item = &'p Connection>,
    states: States,
) -> (Vec<Finding<'p>>, usize) {
    let mut budget = Budget::new(states);
    let mut findings = Vec::new();
    let on_the_server = |other: &&Connection| other.endpoint() == one.endpoint();
    let mut rules = 0;
    for other in others.filter(on_the_server).filter(|other| !are_alike(one, other)) {
        rules += one.rules().len() + other.rules().len();
        if findings.len() == MOST_BESIDE {
            break;
        }
        if rules > MOST_RULES_BESIDE || budget.is_gone() {
            budget.undecided += 1;
            break;
        }
        findings.extend(pair(one, other, &mut budget));
    }
    (findings, budget.undecided)
}

/// Whether both give one set of accesses or nothing, wherever it is.
fn are_alike(one: &Connection, other: &Connection) -> bool {
    let of = |effect| {
        let rules = one.rules().iter().chain(other.rules());
        rules.filter(move |rule| rule.effect == effect).map(|rule| rule.access)
    };
    let given = of(Effect::Allow).next().unwrap_or_default();
    of(Effect::Allow).all(|access| access == given)
        && of(Effect::Deny).all(|access| given.without(access).is_empty())
}

/// A path at which both give something, and one of them more.
fn pair<'p>(
    one: &'p Connection,
    other: &'p Connection,
    budget: &mut Budget,
) -> Option<Finding<'p>> {
    let items = [one, other].into_iter().enumerate().flat_map(|(n, connection)| {
        connection.rules().iter().flat_map(move |rule| {
            let colors = of_side(n, rule.effect, rule.access);
            rule.restriction.patterns().iter().map(move |pattern| (pattern, colors))
        })
    });
    let field = Field::new(merged(items.collect()));
    let keys = [one.keys(), other.keys()];
    let mut best: Option<(Found, Access, usize)> = None;
    for (side, more) in [0, 1].into_iter().flat_map(|n| Access::ALL.map(|access| (n, access))) {
        for both in Access::ALL.into_iter().filter(|both| *both != more) {
            let has = move |n: usize, access: Access, c: Colors| {
                c & of_side(n, Effect::Allow, access.into()) != 0
                    && c & of_side(n, Effect::Deny, access.into()) == 0
                    && (keys[n] == Keys::Exact || c & ALIASED == 0)
            };
            let all = [more, both].into_iter().fold(0, |all, access| {
                let of = |n, effect| of_side(n, effect, access.into());
                [
                    of(0, Effect::Allow),
                    of(1, Effect::Allow),
                    of(0, Effect::Deny),
                    of(1, Effect::Deny),
                ]
                .into_iter()
                .fold(all, |all, colors| all | colors)
            });
            let goal = Goal::new(all, move |c| {
                has(side, more, c) && !has(1 - side, more, c) && has(1 - side, both, c)
            });
            // From the side with fewer patterns; the other's are looked for behind them.
            let sides = [(side, more), (1 - side, both)]
                .map(|(n, access)| of_side(n, Effect::Allow, access.into()));
            let count = |color| field.items().iter().filter(|i| i.colors & color != 0).count();
            let (start, needs) = match count(sides[0]) <= count(sides[1]) {
                true => (sides[0], sides[1]),
                false => (sides[1], sides[0]),
            };
            let is_start = |item: &Item<'_>| item.colors & start != 0;
            let ask = |states: &mut States| shortest(&field, &goal, is_start, needs, states);
            if let Some(Some(found)) = budget.ask(ask) {
                let shorter =
                    |(best, ..): &(Found, Access, usize)| found.word.len() < best.word.len();
                if best.as_ref().is_none_or(shorter) {
                    best = Some((found, more, side));
                }
            }
        }
    }
    let (found, more, side) = best?;
    let path = Path::from_vec(found.word).ok()?;
    let (wide, narrow) = if side == 0 { (one, other) } else { (other, one) };
    let message = format!(
        "`{}` gives {more} at `{path}`, where `{}` of the same owner does not",
        wide.id(),
        narrow.id()
    );
    Some(Finding {
        code: "lint.overlap",
        level: Level::Note,
        connection: Some(narrow),
        rule: None,
        message,
        help: "give both the same access there, or keep their paths apart".to_owned(),
        instead: None,
        witness: Some(path),
        by: Vec::new(),
        location: Some(narrow.location().clone()),
    })
}

/// The colours of a rule of the first or the second connection.
fn of_side(n: usize, effect: Effect, access: AccessSet) -> Colors {
    let place = 6 * n + if effect == Effect::Deny { 3 } else { 0 };
    (Colors::from(access.bits()) * FIRST) << place
}
