//! What is suggested, in JSON. See [`crate::cli`].

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    super::{
        log::Lines,
        output::{RuleJson, dialect_name, text_of},
    },
    answer::{Answered, Entries, One},
    gather::{Found, OfOne},
};
use crate::{
    access::{Access, AccessSet},
    analysis::Suggestion,
    restriction::Restriction,
};

/// The answer of `suggest` in JSON. See [`crate::cli`].
#[derive(Serialize)]
pub(super) struct SuggestJson<'j> {
    #[serde(flatten)]
    log: &'j Lines,
    unknown: u64,
    undecided: usize,
    connections: Vec<OneJson<'j>>,
    absent: Vec<AbsentJson<'j>>,
}

#[derive(Serialize)]
struct AbsentJson<'j> {
    connection: String,
    owner: &'j str,
}

#[derive(Serialize)]
struct OneJson<'j> {
    connection: String,
    owner: &'j str,
    uses: u64,
    denied: &'j BTreeMap<&'static str, u64>,
    closed: u64,
    missing: u64,
    stand_ins: u64,
    depth: Option<usize>,
    restrictions: Vec<EntryJson<'j>>,
    yaml: String,
    proofs: Vec<ProofJson>,
    not_used: Vec<&'static str>,
    unused: Vec<RuleJson<'j>>,
    unused_deny: Vec<DenyJson<'j>>,
    openings: Vec<EntryJson<'j>>,
    denies: Vec<CountJson<'j>>,
}

#[derive(Serialize)]
struct EntryJson<'j> {
    text: &'j str,
    dialect: &'static str,
    access: Vec<&'static str>,
}

#[derive(Serialize)]
struct ProofJson {
    access: &'static str,
    opens_nothing: bool,
    covers: bool,
    no_longer: Option<String>,
}

#[derive(Serialize)]
struct DenyJson<'j> {
    rule: RuleJson<'j>,
    takes: bool,
}

#[derive(Serialize)]
struct CountJson<'j> {
    rule: RuleJson<'j>,
    count: u64,
}

impl<'e> Answered<'e> {
    pub(super) fn json<'j>(&'j self, log: &'j Found<'_>, lines: &'j Lines) -> SuggestJson<'j> {
        let absent = self.absent.iter().map(|connection| AbsentJson {
            connection: connection.id().to_string(),
            owner: connection.owner(),
        });
        SuggestJson {
            log: lines,
            unknown: log.unknown,
            undecided: self.undecided,
            connections: self
                .connections
                .iter()
                .map(|one| one.json(&log.connections[one.number], log.used.depth(one.number)))
                .collect(),
            absent: absent.collect(),
        }
    }
}

impl One<'_> {
    fn json<'j>(&'j self, found: &'j OfOne, depth: Option<usize>) -> OneJson<'j> {
        let rule = |n: usize| Some(RuleJson::new(n, self.connection.rules().get(n)?));
        let entries = |entries: &'j Entries| {
            let entry = |(restriction, access): &'j (Restriction, AccessSet)| EntryJson {
                text: restriction.text(),
                dialect: dialect_name(restriction.dialect()),
                access: access.iter().map(Access::name).collect(),
            };
            entries.iter().map(entry).collect()
        };
        let proof = |suggestion: &Suggestion| ProofJson {
            access: suggestion.access.name(),
            opens_nothing: suggestion.inside.holds(),
            covers: suggestion.covers.holds(),
            no_longer: suggestion.keeps.witness().map(|p| text_of(p.as_bytes()).0.into_owned()),
        };
        OneJson {
            connection: self.connection.id().to_string(),
            owner: self.connection.owner(),
            uses: found.uses,
            denied: &found.denied,
            closed: found.closed,
            missing: found.missing,
            stand_ins: found.stand_ins,
            depth,
            restrictions: entries(&self.entries),
            yaml: self.block().iter().map(|line| format!("{line}\n")).collect(),
            proofs: self.suggestions.iter().map(proof).collect(),
            not_used: self.not_used().map(Access::name).collect(),
            unused: self.unused.iter().filter_map(|n| rule(*n)).collect(),
            unused_deny: self
                .unused_denies
                .iter()
                .filter_map(|(n, takes)| Some(DenyJson { rule: rule(*n)?, takes: *takes }))
                .collect(),
            openings: entries(&self.openings),
            denies: found
                .denies
                .iter()
                .filter_map(|(n, count)| Some(CountJson { rule: rule(*n)?, count: *count }))
                .collect(),
        }
    }
}
