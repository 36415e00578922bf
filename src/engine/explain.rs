//! Why a decision is what it is: every rule that was considered, and where it parted ways.
//!
//! This is for people and may allocate. It decides nothing: the decision in an [`Explanation`] is
//! [`Engine::decide`]'s own, and what is said of each rule is worked out beside it.

use std::cmp::Reverse;

use super::{
    Caller, Decision, DeleteObject, DeleteTree, Engine, ListDirectory, ListPrefix, ListUploads,
    Need, Operate, Operation, ReadAcl, ReadObject, Reason, Scope, WriteObject,
    parting::{Fit, Parting},
    walk::Walker,
};
use crate::{
    access::Access,
    automaton::Effect,
    path::Path,
    policy::{Connection, ConnectionId, Rule},
};

/// A decision with its reasons, as [`Engine::explain`] finds them.
#[derive(Clone, Debug)]
pub struct Explanation<'e> {
    /// The decision.
    pub decision: Decision<'e>,
    /// What was asked, need by need, in the order in which they are decided. Needs behind the
    /// first that is refused are explained too: each with its own decision.
    pub needs: Vec<ExplainedNeed<'e>>,
}

/// One need of an operation, and every rule that was considered for it.
#[derive(Clone, Debug)]
pub struct ExplainedNeed<'e> {
    /// The access that is needed.
    pub access: Access,
    /// How far it reaches.
    pub scope: Scope,
    /// At or below which path.
    pub path: Path<'static>,
    /// This need, decided for itself. `None` when the caller has no such connection.
    pub reason: Option<Reason>,
    /// The place among [`considered`](Self::considered) of the rule that decided, where one did.
    pub deciding: Option<usize>,
    /// Every rule of the connection, in its order, so that the place is the rule's id. Empty when
    /// the question was refused before any rule.
    pub considered: Vec<Considered<'e>>,
}

/// One rule, held against one need.
#[derive(Clone, Debug)]
pub struct Considered<'e> {
    /// The rule's place in its connection, from 0.
    pub index: usize,
    /// The rule.
    pub rule: &'e Rule,
    /// Whether it carries the access that is needed.
    pub carries: bool,
    /// How it fits the path.
    pub fit: Fit,
}

impl Considered<'_> {
    /// Where it parted ways, if it did.
    pub fn parting(&self) -> Option<&Parting> {
        match &self.fit {
            Fit::Apart(parting) => Some(parting),
            Fit::Whole | Fit::Part => None,
        }
    }

    /// Whether it speaks about this need: it fits, and carries the access.
    pub fn applies(&self) -> bool {
        self.carries && self.parting().is_none()
    }
}

impl<'e> ExplainedNeed<'e> {
    /// The rule that decided, where one did.
    pub fn decided_by(&self) -> Option<&Considered<'e>> {
        self.considered.get(self.deciding?)
    }

    /// Denies that take something of what is needed.
    pub fn taking(&self) -> impl Iterator<Item = &Considered<'e>> {
        self.considered.iter().filter(|c| c.rule.effect == Effect::Deny && c.applies())
    }

    /// Restrictions that give some of what is needed.
    pub fn giving(&self) -> impl Iterator<Item = &Considered<'e>> {
        self.considered.iter().filter(|c| c.rule.effect == Effect::Allow && c.applies())
    }

    /// Restrictions that fit, without the access that is needed.
    pub fn without_access(&self) -> impl Iterator<Item = &Considered<'e>> {
        self.considered
            .iter()
            .filter(|c| c.rule.effect == Effect::Allow && !c.carries && c.parting().is_none())
    }

    /// Up to `most` restrictions that came nearest without fitting: those that agree with most of
    /// the path; among equals those that carry the access, then the first in the file.
    ///
    /// Empty for a need that is met, and where one fits in part. Restrictions that agree with no
    /// byte at all are named only if none agrees with any.
    pub fn nearest(&self, most: usize) -> Vec<&Considered<'e>> {
        if !matches!(self.reason, Some(Reason::NoMatch | Reason::Access)) {
            return Vec::new();
        }
        let fits = |c: &Considered<'_>| c.rule.effect == Effect::Allow && c.parting().is_none();
        if self.reason == Some(Reason::NoMatch) && self.considered.iter().any(fits) {
            // Some fit and do not give all that is needed below: those are what to look at.
            return Vec::new();
        }
        let agreed = |c: &Considered<'_>| c.parting().map_or(0, |parting| parting.agreed);
        let mut near: Vec<_> = self
            .considered
            .iter()
            .filter(|c| c.rule.effect == Effect::Allow && c.parting().is_some())
            // One that lacks the access as well is no news when another fits and lacks it.
            .filter(|c| c.carries || self.reason == Some(Reason::NoMatch))
            .collect();
        near.sort_by_key(|c| (Reverse(agreed(c)), !c.carries, c.index));
        let some_agree = near.first().is_some_and(|c| agreed(c) > 0);
        near.retain(|c| agreed(c) > 0 || !some_agree);
        near.truncate(most);
        near
    }
}

impl Engine {
    /// Decides one operation as [`Engine::decide`] does, and says why.
    ///
    /// ```
    /// use pathward::{Caller, ConnectionId, Engine, Path, Policy, engine::ReadObject};
    ///
    /// let policy = Policy::from_yaml("policy.yaml", "
    /// connections:
    ///   - id: s3+saha
    ///     owner: steph
    ///     restrictions: [Algorithmia/*, Algorithmia2/x]
    /// ")?;
    /// let engine = Engine::new(policy);
    /// let (steph, saha) = (Caller::with_full_permission("steph"), ConnectionId::parse("s3+saha")?);
    ///
    /// let read = ReadObject { path: Path::new("Algorithmia2/team.jpg")? };
    /// let explanation = engine.explain(steph, &saha, &read);
    /// assert!(!explanation.decision.is_allowed());
    /// let nearest = explanation.needs[0].nearest(1)[0];
    /// assert_eq!(nearest.rule.restriction.text(), "Algorithmia2/x");
    /// assert_eq!(
    ///     nearest.parting().map(ToString::to_string).as_deref(),
    ///     Some(r#"parts ways at byte 13: expected "x", the path has "t""#)
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn explain<Op: Operate>(
        &self,
        caller: Caller<'_>,
        connection: &ConnectionId<'_>,
        operation: &Op,
    ) -> Explanation<'_> {
        let decision = self.decide(caller, connection, operation);
        let needs = operation
            .accesses()
            .map(|need| self.explain_need(caller, connection, &decision, &need))
            .collect();
        Explanation { decision, needs }
    }

    fn explain_need<'e>(
        &'e self,
        caller: Caller<'_>,
        id: &ConnectionId<'_>,
        decision: &Decision<'e>,
        need: &Need<'_>,
    ) -> ExplainedNeed<'e> {
        let mut explained = ExplainedNeed {
            access: need.access,
            scope: need.scope,
            path: need.path.clone().into_owned(),
            reason: None,
            deciding: None,
            considered: Vec::new(),
        };
        let Some(connection) = decision.connection() else {
            return explained;
        };
        let alone = alone(need).map(|operation| self.decide(caller, id, &operation));
        explained.reason = alone.map(|decision| decision.reason());
        explained.deciding = alone.and_then(|d| d.rule_id()).map(|rule| rule.index());
        if matches!(
            explained.reason,
            Some(Reason::Allowed | Reason::NoMatch | Reason::Access | Reason::Rule) | None
        ) {
            explained.considered = consider(connection, need);
        }
        explained
    }
}

/// The operation that has this need and no other.
fn alone<'a>(need: &Need<'a>) -> Option<Operation<'a>> {
    let path = need.path.borrowed();
    Some(match (need.scope, need.access) {
        (Scope::Here, Access::Read) => Operation::Read(ReadObject { path }),
        (Scope::Here, Access::Write) => Operation::Write(WriteObject { path }),
        (Scope::Here, Access::Delete) => Operation::Delete(DeleteObject { path }),
        (Scope::SomeBelow, Access::Read) if need.is_directory => {
            Operation::List(ListDirectory { path })
        }
        (Scope::SomeBelow, Access::Read) => Operation::ListPrefix(ListPrefix { path }),
        (Scope::SomeBelow, Access::Write) => Operation::ListUploads(ListUploads { path }),
        (Scope::AllBelow, Access::Delete) => Operation::DeleteTree(DeleteTree { path }),
        (Scope::Never, _) => Operation::ReadAcl(ReadAcl { path }),
        // No operation asks so.
        (Scope::SomeBelow, Access::Delete) | (Scope::AllBelow, Access::Read | Access::Write) => {
            return None;
        }
    })
}

fn consider<'e>(connection: &'e Connection, need: &Need<'_>) -> Vec<Considered<'e>> {
    let below = matches!(need.scope, Scope::SomeBelow | Scope::AllBelow);
    let mut walker = Walker::new(need.path.as_bytes(), below);
    connection
        .rules()
        .iter()
        .enumerate()
        .map(|(index, rule)| Considered {
            index,
            rule,
            carries: rule.access.contains(need.access),
            fit: walker.fit(&rule.restriction),
        })
        .collect()
}
