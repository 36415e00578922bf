//! What a log says of each connection: what was used, what was denied, and by which rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::log::Record;
use crate::{
    access::Access,
    analysis::{Usage, Used, reaches},
    automaton::{Effect, Verdict},
    engine::{Caller, Engine, Operate, Operation, Outcome, Reason, Scope},
    policy::Connection,
};

/// How many directories are remembered to have been looked at; only time is lost beyond.
const REMEMBERED: usize = 10_000;

/// What was found of a connection.
#[derive(Debug, Default)]
pub(super) struct OfOne {
    /// How many operations were allowed.
    pub(super) uses: u64,
    /// How many were denied, by the reason.
    pub(super) denied: BTreeMap<&'static str, u64>,
    /// How many were allowed in the log, and are not today.
    pub(super) closed: u64,
    /// How many reads found nothing, and are no use for that.
    pub(super) missing: u64,
    /// How many listings stood in for a read, and are none.
    pub(super) stand_ins: u64,
    /// The denies that decided, and how often.
    pub(super) denies: BTreeMap<usize, u64>,
}

/// What was found of all connections, once the log is read.
pub(super) struct Found<'e> {
    engine: &'e Engine,
    pub(super) connections: Vec<OfOne>,
    pub(super) used: Used,
    /// What was denied, if that is asked for, with 0 as its rule.
    pub(super) denied: Option<Used>,
    /// How many records name a connection that their caller does not have.
    pub(super) unknown: u64,
}

impl<'e> Found<'e> {
    /// Every connection of the policy, with what was found of it.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &'e Connection, &OfOne)> {
        let connections = self.engine.policy().connections().iter().enumerate();
        connections.zip(&self.connections).map(|((n, connection), found)| (n, &**connection, found))
    }
}

/// What is found of all connections, while the log is read.
pub(super) struct Gathered<'e> {
    engine: &'e Engine,
    numbers: HashMap<*const Connection, usize>,
    connections: Vec<OfOne>,
    usage: Usage,
    openings: Option<Usage>,
    /// Whether what was not there is used all the same.
    missing: bool,
    unknown: u64,
    /// The denies that take something below directories.
    seen: HashMap<(usize, Access, Vec<u8>), Vec<usize>>,
}

impl<'e> Gathered<'e> {
    pub(super) fn new(
        engine: &'e Engine,
        folder_from: usize,
        openings: bool,
        missing: bool,
    ) -> Self {
        let connections = engine.policy().connections();
        let numbers = connections.iter().enumerate();
        let usage = || Usage::new(folder_from, Usage::share(connections.len()));
        Self {
            engine,
            numbers: numbers
                .map(|(n, connection)| (std::ptr::from_ref(&**connection), n))
                .collect(),
            connections: connections.iter().map(|_| OfOne::default()).collect(),
            usage: usage(),
            openings: openings.then(usage),
            missing,
            unknown: 0,
            seen: HashMap::new(),
        }
    }

    /// The log is read.
    pub(super) fn finish(self) -> Found<'e> {
        Found {
            engine: self.engine,
            connections: self.connections,
            used: self.usage.finish(),
            denied: self.openings.map(Usage::finish),
            unknown: self.unknown,
        }
    }

    /// Adds a record of the log.
    pub(super) fn add(&mut self, record: &Record<'_>, operation: &Operation<'_>) {
        // What the connection grants, whatever a key takes away.
        let caller = Caller::with_full_permission(&record.caller);
        let today = self.engine.decide(caller, &record.connection, operation);
        let number = today.connection().and_then(|c| self.numbers.get(&std::ptr::from_ref(c)));
        let (Some(connection), Some(number)) = (today.connection(), number.copied()) else {
            self.unknown += 1;
            return;
        };
        let logged = record.verdict;
        let was_denied = logged.is_some_and(|(outcome, _)| outcome == Outcome::Deny);
        let found = &mut self.connections[number];
        if today.is_allowed() && !was_denied {
            if !self.missing && record.is_missing {
                found.missing += 1;
                return;
            }
            if !self.missing && record.stands_in {
                found.stand_ins += 1;
                return;
            }
            found.uses += 1;
            self.note_uses(number, connection, operation);
            return;
        }
        let reason = match logged {
            Some((Outcome::Deny, reason)) => reason,
            _ => today.reason().code(),
        };
        *found.denied.entry(reason).or_default() += 1;
        found.closed += u64::from(logged.is_some_and(|(outcome, _)| outcome == Outcome::Allow));
        if today.outcome() == Outcome::Deny {
            self.note_denial(number, connection, operation, today.reason());
        }
    }

    fn note_uses(&mut self, number: usize, connection: &Connection, operation: &Operation<'_>) {
        for need in operation.accesses() {
            match need.scope {
                Scope::Here => {
                    let here = connection.automaton().here(need.path.as_bytes(), need.access);
                    if let Verdict::Allowed(rule) = here {
                        self.usage.used(number, need.access, need.path, rule.index());
                    }
                }
                Scope::SomeBelow => self.usage.listed(number, need.path),
                Scope::AllBelow => self.usage.used_below(number, need.access, need.path),
                Scope::Never => {}
            }
        }
    }

    /// Which denies decided, and what would have to be opened.
    fn note_denial(
        &mut self,
        number: usize,
        connection: &Connection,
        operation: &Operation<'_>,
        reason: Reason,
    ) {
        for need in operation.accesses() {
            let path = need.path.as_bytes();
            match need.scope {
                Scope::Here => match connection.automaton().here(path, need.access) {
                    Verdict::Denied(rule) => {
                        *self.connections[number].denies.entry(rule.index()).or_default() += 1;
                    }
                    Verdict::NoMatch | Verdict::OtherAccess(_) => {
                        if let Some(openings) = &mut self.openings {
                            openings.used(number, need.access, need.path, 0);
                        }
                    }
                    Verdict::Allowed(_) => {}
                },
                Scope::SomeBelow | Scope::AllBelow if reason == Reason::Rule => {
                    self.note_denies_below(number, connection, need.access, path);
                }
                Scope::SomeBelow | Scope::AllBelow => {
                    if let Some(openings) = self.openings.as_mut().filter(|_| !path.is_empty()) {
                        openings.used_below(number, need.access, need.path);
                    }
                }
                Scope::Never => {}
            }
        }
    }

    /// Counts the denies of an access that take something below a directory.
    fn note_denies_below(
        &mut self,
        number: usize,
        connection: &Connection,
        access: Access,
        path: &[u8],
    ) {
        if self.seen.len() >= REMEMBERED {
            self.seen.clear();
        }
        let taken = self.seen.entry((number, access, path.to_vec())).or_insert_with(|| {
            let rules = connection.rules().iter().enumerate();
            let takes = rules.filter(|(_, rule)| {
                rule.effect == Effect::Deny
                    && rule.access.contains(access)
                    && reaches(path, &rule.restriction)
            });
            takes.map(|(n, _)| n).collect()
        });
        for rule in taken {
            *self.connections[number].denies.entry(*rule).or_default() += 1;
        }
    }
}

/// Rules by their places.
pub(super) type Rules = BTreeSet<usize>;
