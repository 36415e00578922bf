//! What takes a question about all statements: resources that no restriction says, conditions, `NotResource`.
//!
//! Of these none becomes a rule as it stands. Each is left out where that makes no difference, whatever a variable
//! stands for and whether or not a condition is met; and `NotResource` is said by the resources that it names, where
//! no other statement has to do with them.

use super::{
    Problem, Statement,
    rules::{ASKED, Claim, Rules, conditional, given, holds},
};
use crate::{
    access::{Access, AccessSet},
    analysis::Language,
    automaton::Effect,
    restriction::{Pattern, Restriction, Token},
};

/// How many resources are asked about that no restriction says. Beyond, each is a problem.
const MOST_UNSAID: usize = 64;
/// How many statements with `NotResource` a policy may have.
pub(super) const MOST_INVERTED: usize = 4;
/// How many pairs of a restriction and a resource of `NotResource` are compared.
const MOST_PAIRS: usize = 4_096;

/// A statement on all resources but some.
#[derive(Clone, Debug)]
pub(super) struct Inverted<'p> {
    pub(super) n: usize,
    pub(super) statement: &'p Statement,
    pub(super) access: AccessSet,
    /// The resources that it is not about.
    pub(super) claims: Vec<Claim>,
}

/// Statements, while they become rules.
#[derive(Debug, Default)]
pub(super) struct Settling<'p> {
    allows: Rules,
    denies: Rules,
    unsaid: Vec<(Effect, Claim)>,
    pub(super) inverted: Vec<Inverted<'p>>,
}

impl Settling<'_> {
    pub(super) fn add(&mut self, effect: Effect, claim: Claim) {
        let Claim { access, said, .. } = &claim;
        match (effect, said) {
            (Effect::Allow, Ok(restriction)) => self.allows.push(restriction.clone(), *access),
            (Effect::Deny, Ok(restriction)) => self.denies.push(restriction.clone(), *access),
            (_, Err(_)) => self.unsaid.push((effect, claim)),
        }
    }

    /// The rules, with what could not be settled as problems.
    pub(super) fn settle(mut self, problems: &mut Vec<Problem>) -> (Rules, Rules) {
        for one in self.inverted.iter().skip(MOST_INVERTED) {
            problems.push(
                one.problem("there are more statements with `NotResource` than are looked at"),
            );
        }
        for (_, claim) in self.unsaid.iter().skip(MOST_UNSAID) {
            problems.extend(claim.said.clone().err());
        }
        let inverted: Vec<_> = self.inverted.drain(..).take(MOST_INVERTED).collect();
        let (allowed, denied): (Vec<_>, Vec<_>) =
            inverted.into_iter().partition(|one| one.statement.effect == Effect::Allow);
        // Before any other statement is left out: what is allowed, and what is denied of it.
        let (given, said) = (self.allows.clone(), self.denies.clone());
        let (certain, uncertain): (Vec<_>, Vec<_>) =
            allowed.into_iter().partition(|one| one.statement.conditions.is_empty());
        for one in certain.iter().filter(|one| !one.is_given(&given, &said, &said)) {
            match one.everything_else(&given, &said, &certain) {
                Ok(denied) => {
                    for restriction in denied {
                        self.denies.push(restriction.clone(), one.access);
                    }
                    if let Ok(everything) = Restriction::parse("*") {
                        self.allows.push(everything, one.access);
                    }
                }
                Err(problem) => problems.push(problem),
            }
        }
        for one in &uncertain {
            if !one.is_given(&self.allows, &self.denies, &said) {
                problems.push(conditional(one.n, one.statement));
            }
        }
        let of = |wanted: Effect| {
            let unsaid = self.unsaid.iter().take(MOST_UNSAID);
            unsaid.filter(move |(effect, _)| *effect == wanted).map(|(_, claim)| claim)
        };
        for claim in of(Effect::Allow) {
            // What no path can be is no object of a connection's, and worth to be known.
            let names_nothing = Language::of_patterns([&claim.pattern], []).is_empty(ASKED).holds();
            if names_nothing
                || !is_given(&claim.pattern, claim.access, &self.allows, &self.denies, &said)
            {
                problems.extend(claim.said.clone().err());
            }
        }
        for one in &denied {
            let is_certain = one.statement.conditions.is_empty();
            match is_certain {
                true => match one.narrow(&self.allows, &self.denies) {
                    Ok(allows) => self.allows = allows,
                    Err(problem) => problems.push(problem),
                },
                false if one.takes(&self.allows, &self.denies) => {
                    problems.push(conditional(one.n, one.statement));
                }
                false => {}
            }
        }
        for claim in of(Effect::Deny) {
            if claim.takes(&self.allows, &self.denies) {
                problems.extend(claim.said.clone().err());
            }
        }
        problems.dedup();
        (self.allows, self.denies)
    }
}

/// Whether what an allow has more is denied, or given anyway.
fn is_given(
    pattern: &Pattern,
    access: AccessSet,
    allows: &Rules,
    denies: &Rules,
    said: &Rules,
) -> bool {
    access.iter().all(|access| {
        let wanted = Language::of_patterns([pattern], said.patterns(access));
        holds(&wanted.implies(&given(allows, denies, access), ASKED))
    })
}

impl Inverted<'_> {
    fn problem(&self, message: &str) -> Problem {
        let help = match self.statement.effect {
            Effect::Allow => "write `Resource`, and what is left out as a statement with `Deny`",
            Effect::Deny => "write the resources that are denied, as `Resource`",
        };
        Problem::new(format!("Statement[{}].NotResource", self.n), message, help)
    }

    fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.claims.iter().map(|claim| &claim.pattern)
    }

    /// What it is about: everything but its resources. A variable could leave out less than it seems.
    fn reach<'r>(
        &'r self,
        everything: &'r Pattern,
        more: impl IntoIterator<Item = &'r Pattern>,
    ) -> Language<'r> {
        let exact = self.claims.iter().filter(|claim| !claim.is_loose);
        Language::of_patterns([everything], exact.map(|claim| &claim.pattern).chain(more))
    }

    /// Whether, as a deny, it takes something of what is given.
    pub(super) fn takes(&self, allows: &Rules, denies: &Rules) -> bool {
        let everything = everything();
        let mut accesses = self.access.iter();
        !accesses.all(|access| {
            let taken = self.reach(&everything, []);
            holds(&given(allows, denies, access).disjoint(&taken, ASKED))
        })
    }

    /// Whether, as an allow, all that it has is given anyway.
    fn is_given(&self, allows: &Rules, denies: &Rules, said: &Rules) -> bool {
        let everything = everything();
        self.access.iter().all(|access| {
            let wanted = self.reach(&everything, said.patterns(access));
            holds(&wanted.implies(&given(allows, denies, access), ASKED))
        })
    }

    /// What is to be denied where everything is allowed in its stead: its resources, where nothing else allows any of
    /// them.
    fn everything_else(
        &self,
        allows: &Rules,
        denies: &Rules,
        inverted: &[Inverted<'_>],
    ) -> Result<Vec<&Restriction>, Problem> {
        let clash = "another statement allows some of what this one leaves out, which no list of restrictions says";
        let is_other =
            |one: &&Inverted<'_>| one.n != self.n && !shared(one.access, self.access).is_empty();
        if inverted.iter().filter(is_other).any(|one| !one.patterns().eq(self.patterns())) {
            return Err(self.problem(clash));
        }
        for access in self.access.iter() {
            let left_out = Language::of_patterns(self.patterns(), []);
            if !holds(&given(allows, denies, access).disjoint(&left_out, ASKED)) {
                return Err(self.problem(clash));
            }
        }
        self.restrictions()
    }

    /// Its resources as restrictions, but for those that others of them cover.
    fn restrictions(&self) -> Result<Vec<&Restriction>, Problem> {
        let said: Vec<&Restriction> =
            self.claims.iter().filter_map(|claim| claim.said.as_ref().ok()).collect();
        let patterns = said.iter().flat_map(|restriction| restriction.patterns());
        let covered = Language::of_patterns(patterns, []);
        for claim in &self.claims {
            let Err(problem) = &claim.said else { continue };
            let one = Language::of_patterns([&claim.pattern], []);
            if !holds(&one.implies(&covered, ASKED)) {
                return Err(problem.clone());
            }
        }
        Ok(said)
    }

    /// Of what is allowed, what is among its resources: of each restriction all, nothing, or the resources that lie
    /// in it.
    fn narrow(&self, allows: &Rules, denies: &Rules) -> Result<Rules, Problem> {
        let kept = self.restrictions()?;
        if allows.rules.len().saturating_mul(kept.len()) > MOST_PAIRS {
            return Err(
                self.problem("its resources and what is allowed are more than are compared")
            );
        }
        let mut narrowed = Rules::default();
        for (restriction, of) in &allows.rules {
            let rest = of.without(self.access);
            if !rest.is_empty() {
                narrowed.push(restriction.clone(), rest);
            }
            for access in shared(*of, self.access).iter() {
                let access = (access, AccessSet::NONE.with(access));
                for restriction in self.within(restriction, &kept, denies, access.0)? {
                    narrowed.push(restriction.clone(), access.1);
                }
            }
        }
        Ok(narrowed)
    }

    fn within<'r>(
        &self,
        restriction: &'r Restriction,
        kept: &[&'r Restriction],
        denies: &Rules,
        access: Access,
    ) -> Result<Vec<&'r Restriction>, Problem> {
        let all = kept.iter().flat_map(|one| one.patterns());
        let allowed = Language::of_patterns(restriction.patterns(), denies.patterns(access));
        if holds(&allowed.implies(&Language::of_patterns(all, []), ASKED)) {
            return Ok(vec![restriction]);
        }
        let mut within = Vec::new();
        for one in kept {
            let resource = Language::of(one);
            if holds(&resource.implies(&Language::of(restriction), ASKED)) {
                within.push(*one);
            } else if !holds(&allowed.disjoint(&resource, ASKED)) {
                return Err(self.problem(&format!(
                    "what it leaves of `{}` is no list of restrictions",
                    restriction.text()
                )));
            }
        }
        Ok(within)
    }
}

fn everything() -> Pattern {
    [Token::STAR].into_iter().collect()
}

fn shared(one: AccessSet, other: AccessSet) -> AccessSet {
    one.intersection(other)
}
