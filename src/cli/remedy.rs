//! What `explain` says of changes: what would allow or deny a path, and what else that would do.

use serde::Serialize;

use super::output::{RuleJson, escape_bytes, rule_text, text_of};
use crate::{
    access::Access,
    analysis::{self, Also, Remedy, States, Step},
    automaton::Effect,
    engine::{Decision, ExplainedNeed, Reason, Scope},
    escape::escape,
    restriction::Restriction,
};

/// The changes that would turn the decision about one need: of one path; of a listing that is denied, which
/// is allowed once its directory can be read, or that is allowed, which is denied once nothing below can
/// be; of a tree that may not be deleted.
pub(super) fn of<'e>(decision: &Decision<'e>, need: &ExplainedNeed<'_>) -> Vec<Remedy<'e>> {
    let is_by_rules = matches!(
        need.reason,
        Some(Reason::Allowed | Reason::NoMatch | Reason::Access | Reason::Rule)
    );
    let Some(connection) = decision.connection().filter(|_| is_by_rules) else {
        return Vec::new();
    };
    let (access, path, states) = (need.access, &need.path, States::default());
    match below(need) {
        Some(effect) => analysis::remedies_below(connection, access, path, effect, states),
        None if matches!(need.scope, Scope::AllBelow | Scope::Never) => Vec::new(),
        None => analysis::remedies(connection, access, path, states),
    }
}

/// What would have to be so of everything below, where that is what would turn the decision.
fn below(need: &ExplainedNeed<'_>) -> Option<Effect> {
    match (need.scope, need.reason == Some(Reason::Allowed)) {
        (Scope::SomeBelow, true) => Some(Effect::Deny),
        (Scope::AllBelow, false) => Some(Effect::Allow),
        _ => None,
    }
}

/// A change on one line.
pub(super) fn line(remedy: &Remedy<'_>, need: &ExplainedNeed<'_>) -> String {
    let is_allowed = need.reason == Some(Reason::Allowed);
    let (to, more) = match is_allowed {
        true => ("deny", "closes"),
        false => ("allow", "opens"),
    };
    let steps: Vec<String> = remedy.change.iter().map(|s| step(s, need.access)).collect();
    let (all, elsewhere) = match below(need) {
        Some(_) => (format!("{more} all that is below for {}, and ", need.access), "elsewhere"),
        None => (format!("{more} "), "else"),
    };
    let also = match &remedy.also {
        Also::Nothing => format!("{all}nothing {elsewhere}"),
        Also::Path(path) => format!("{all}more, such as {}", escape_bytes(path.as_bytes())),
        Also::Undecided(states) => {
            format!("what else that {more} was not decided within {states} states")
        }
    };
    format!("to {to} it: {}; {also}", steps.join(", and "))
}

fn step(step: &Step<'_>, access: Access) -> String {
    let entry = |restriction: &Restriction| {
        format!("{{ path: {}, access: [{access}] }}", quoted(&escape(restriction.text())))
    };
    match step {
        Step::Allow(restriction) => format!("add {} to `restrictions`", entry(restriction)),
        Step::Deny(restriction) => format!("add {} to `deny`", entry(restriction)),
        Step::Widen(_, rule) => format!("give {access} to {}", rule_text(rule)),
        Step::TakeOut(_, rule) => format!("take out {}", rule_text(rule)),
    }
}

/// A text as YAML reads it back.
fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        format!("\"{text}\"")
    }
}

/// A change in JSON. See [`crate::cli`].
#[derive(Serialize)]
pub(super) struct RemedyJson<'j> {
    change: Vec<StepJson<'j>>,
    also: Option<String>,
    decided: bool,
}

#[derive(Serialize)]
struct StepJson<'j> {
    step: &'static str,
    restriction: Option<String>,
    access: &'static str,
    rule: Option<RuleJson<'j>>,
}

impl<'j> RemedyJson<'j> {
    pub(super) fn new(remedy: &'j Remedy<'_>, access: Access) -> Self {
        let step = |step: &'j Step<'_>| {
            let (name, restriction, rule) = match step {
                Step::Allow(restriction) => ("allow", Some(restriction), None),
                Step::Deny(restriction) => ("deny", Some(restriction), None),
                Step::Widen(n, rule) => ("widen", None, Some((*n, *rule))),
                Step::TakeOut(n, rule) => ("take-out", None, Some((*n, *rule))),
            };
            StepJson {
                step: name,
                restriction: restriction.map(|restriction| restriction.text().to_owned()),
                access: access.name(),
                rule: rule.map(|(n, rule)| RuleJson::new(n, rule)),
            }
        };
        Self {
            change: remedy.change.iter().map(step).collect(),
            also: match &remedy.also {
                Also::Path(path) => Some(text_of(path.as_bytes()).0.into_owned()),
                Also::Nothing | Also::Undecided(_) => None,
            },
            decided: !matches!(remedy.also, Also::Undecided(_)),
        }
    }
}
