//! One answer to one question, as text and as JSON.

use std::fmt::Write;

use serde::Serialize;

use super::{
    exit::Exit,
    output::{RuleJson, escape_bytes, outcome_name, place, text_of},
    question::{Question, Refused},
};
use crate::{
    engine::{Decision, ListMode, Outcome, Scope},
    escape::escape,
    policy::Revision,
};

/// What was answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer<'e> {
    /// It was decided.
    Decided(Decision<'e>),
    /// It was no question.
    Refused(Refused),
}

impl Answer<'_> {
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Decided(decision) => decision.outcome(),
            Self::Refused(_) => Outcome::Invalid,
        }
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Decided(decision) => decision.reason().code(),
            Self::Refused(refused) => refused.code(),
        }
    }

    /// Of a question that is none, what is wrong with it.
    pub(super) fn message(&self) -> Option<String> {
        match self {
            Self::Decided(decision) if decision.outcome() == Outcome::Invalid => {
                Some(decision.reason().meaning().to_owned())
            }
            Self::Decided(_) => None,
            Self::Refused(refused) => Some(refused.to_string()),
        }
    }

    pub(super) fn exit(&self) -> Exit {
        match self.outcome() {
            Outcome::Allow => Exit::Fine,
            Outcome::Deny => Exit::Denied,
            Outcome::Invalid => Exit::Question,
        }
    }

    /// The answer on one line, for people.
    pub(super) fn line(&self, question: &Question<'_>) -> String {
        let mut line = format!(
            "{:<5}  {} {} {}",
            outcome_name(self.outcome()),
            question.id,
            question.op,
            shown(question.path),
        );
        if let Some(to) = question.to {
            line.push_str(" -> ");
            line.push_str(&shown(to));
        }
        line.push_str("  ");
        line.push_str(self.code());
        // Writing to a string does not fail.
        if let Some(message) = self.message() {
            let _ = write!(line, "  {message}");
        }
        match self {
            Self::Refused(_) => {}
            Self::Decided(decision) => {
                if let Some(need) = decision.need().filter(|_| question.to.is_some()) {
                    let end = if need.index == 0 { "source" } else { "destination" };
                    let _ = write!(line, " ({} at the {end})", need.access);
                }
                if let Some(rule) = decision.rule() {
                    let text = escape(rule.restriction.text());
                    let _ = write!(line, "  {} \"{text}\"", place(rule.location.as_ref()));
                }
                if let Some(list) = decision.list() {
                    let _ = write!(
                        line,
                        "  {}",
                        match list {
                            ListMode::Pass => "everything below may be shown",
                            ListMode::Narrow => "narrowed to what may be read",
                        }
                    );
                }
            }
        }
        line
    }

    /// The answer as JSON.
    pub(super) fn json<'j>(
        &'j self,
        question: &'j Question<'_>,
        caller: &'j str,
        revision: Revision,
    ) -> AnswerJson<'j> {
        let decision = match self {
            Self::Decided(decision) => Some(decision),
            Self::Refused(_) => None,
        };
        let need = decision.and_then(Decision::need);
        let (path, lossy) = text_of(question.path);
        let to = question.to.map(text_of);
        AnswerJson {
            connection: question.id.to_string(),
            caller: Some(caller).filter(|caller| !caller.is_empty()),
            op: question.op,
            lossy: lossy || to.as_ref().is_some_and(|(_, lossy)| *lossy),
            path: path.into_owned(),
            to: to.map(|(to, _)| to.into_owned()),
            decision: outcome_name(self.outcome()),
            reason: self.code(),
            message: self.message(),
            need: need.map(|need| NeedJson {
                index: need.index,
                access: need.access.name(),
                scope: scope_name(need.scope),
            }),
            rule: decision.and_then(|d| Some(RuleJson::new(d.rule_id()?.index(), d.rule()?))),
            list: decision.and_then(Decision::list).map(|list| match list {
                ListMode::Pass => "pass",
                ListMode::Narrow => "narrow",
            }),
            revision: revision.to_string(),
        }
    }
}

/// A path on a line for people; the root has no bytes and is shown as `(root)`.
pub(super) fn shown(path: &[u8]) -> std::borrow::Cow<'_, str> {
    if path.is_empty() { "(root)".into() } else { escape_bytes(path) }
}

/// The stable name of a scope.
pub(super) const fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Here => "here",
        Scope::SomeBelow => "some-below",
        Scope::AllBelow => "all-below",
        Scope::Never => "never",
    }
}

/// The answer of `check` in JSON. The fields are stable; see [`crate::cli`].
#[derive(Debug, Serialize)]
pub(super) struct AnswerJson<'j> {
    connection: String,
    caller: Option<&'j str>,
    op: &'j str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// The path is not UTF-8, and what is not has become `\xNN`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lossy: bool,
    decision: &'static str,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    need: Option<NeedJson>,
    rule: Option<RuleJson<'j>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<&'static str>,
    revision: String,
}

#[derive(Debug, Serialize)]
struct NeedJson {
    index: usize,
    access: &'static str,
    scope: &'static str,
}
