//! Which restrictions the tests of a policy exercise.
//!
//! A check exercises every rule that matches its path and carries the access that was asked for, and
//! the rule that decided. A `never` exercises the rules that have some of its paths.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::{
    output::{Failure, Output, RuleJson, rule_text},
    question::operation,
    validate::plural,
};
use crate::{
    access::Access,
    analysis::{Language, States},
    engine::{Caller, Engine, Operate, Scope},
    escape::escape,
    policy::{Connection, ConnectionId, PolicyTest},
};

/// How many of what no test exercised are shown to people.
const SHOWN: usize = 20;

/// What tests exercise of a policy.
pub(super) struct Coverage<'e> {
    rules: usize,
    unexercised: Vec<(&'e Connection, usize)>,
    threshold: Option<u8>,
}

impl<'e> Coverage<'e> {
    pub(super) fn new<'t>(
        engine: &'e Engine,
        tests: impl Iterator<Item = &'t PolicyTest>,
        threshold: Option<u8>,
        states: States,
    ) -> Self {
        let mut exercised: HashMap<*const Connection, HashSet<usize>> = HashMap::new();
        for test in tests {
            let Ok(id) = ConnectionId::parse(&test.connection) else { continue };
            let Some(connection) = engine.policy().connection(&test.caller, &id) else { continue };
            let known = exercised.entry(std::ptr::from_ref(&**connection)).or_default();
            for check in &test.checks {
                for (op, _) in &check.expectations {
                    let Ok(operation) = operation(op, check.path.as_bytes(), None) else {
                        continue;
                    };
                    let caller = Caller::with_full_permission(&test.caller);
                    known.extend(
                        engine.decide(caller, &id, &operation).rule_id().map(|r| r.index()),
                    );
                    for need in operation.accesses().filter(|need| need.scope == Scope::Here) {
                        known.extend(matching(connection, need.access, need.path.as_bytes()));
                    }
                }
            }
            for never in &test.never {
                let paths = Language::of(&never.restriction);
                for (n, rule) in connection.rules().iter().enumerate() {
                    let is_new = rule.access.contains(never.access) && !known.contains(&n);
                    let own = Language::of(&rule.restriction);
                    if is_new && own.disjoint(&paths, states).witness().is_some() {
                        known.insert(n);
                    }
                }
            }
        }
        let connections = || engine.policy().connections().iter().map(|connection| &**connection);
        let is_exercised = |connection: &Connection, n: &usize| {
            let known = exercised.get(&std::ptr::from_ref(connection));
            known.is_some_and(|known| known.contains(n))
        };
        let unexercised = connections().flat_map(|connection| {
            let all = 0..connection.rules().len();
            all.filter(move |n| !is_exercised(connection, n)).map(move |n| (connection, n))
        });
        Self {
            rules: connections().map(|connection| connection.rules().len()).sum(),
            unexercised: unexercised.collect(),
            threshold,
        }
    }

    fn exercised(&self) -> usize {
        self.rules - self.unexercised.len()
    }

    /// Whether the threshold is reached, if there is one.
    pub(super) fn is_enough(&self) -> bool {
        let least = usize::from(self.threshold.unwrap_or_default());
        self.exercised() * 100 >= least * self.rules
    }

    /// Rounded down, so that 100 is all.
    fn percent(&self) -> usize {
        (self.exercised() * 100).checked_div(self.rules).unwrap_or(100)
    }

    pub(super) fn write_text(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        let out = &mut output.out;
        let (exercised, percent) = (self.exercised(), self.percent());
        let least = match self.threshold {
            Some(least) if !self.is_enough() => format!(", less than {least} %"),
            _ => String::new(),
        };
        let rules = plural(self.rules, "rule");
        writeln!(out, "coverage: {exercised} of {rules} exercised, {percent} %{least}")?;
        for (connection, n) in self.unexercised.iter().take(SHOWN) {
            let Some(rule) = connection.rules().get(*n) else { continue };
            writeln!(
                out,
                "  not exercised: {} of {}: {}",
                connection.id(),
                escape(connection.owner()),
                rule_text(rule)
            )?;
        }
        if self.unexercised.len() > SHOWN {
            writeln!(out, "  and {} more", self.unexercised.len() - SHOWN)?;
        }
        Ok(())
    }

    pub(super) fn json(&self) -> CoverageJson<'_> {
        CoverageJson {
            rules: self.rules,
            exercised: self.exercised(),
            percent: self.percent(),
            threshold: self.threshold,
            unexercised: self
                .unexercised
                .iter()
                .filter_map(|(connection, n)| {
                    Some(UnexercisedJson {
                        connection: connection.id().to_string(),
                        owner: connection.owner(),
                        rule: RuleJson::new(*n, connection.rules().get(*n)?),
                    })
                })
                .collect(),
        }
    }
}

/// The rules that speak about an access at a path.
fn matching(connection: &Connection, access: Access, path: &[u8]) -> impl Iterator<Item = usize> {
    let rules = connection.rules().iter().enumerate();
    rules
        .filter(move |(_, rule)| {
            let patterns = rule.restriction.patterns();
            let starts = || patterns.iter().any(|pattern| path.starts_with(pattern.prefix()));
            rule.access.contains(access) && starts() && rule.restriction.matches(path)
        })
        .map(|(n, _)| n)
}

/// Coverage in JSON. See [`crate::cli`].
#[derive(Serialize)]
pub(super) struct CoverageJson<'j> {
    rules: usize,
    exercised: usize,
    percent: usize,
    threshold: Option<u8>,
    unexercised: Vec<UnexercisedJson<'j>>,
}

#[derive(Serialize)]
struct UnexercisedJson<'j> {
    connection: String,
    owner: &'j str,
    rule: RuleJson<'j>,
}
