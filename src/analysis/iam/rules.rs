//! What statements say one by one: each resource as a set of objects, and as a restriction where there is one.

use std::collections::BTreeMap;

use super::{Problem, Statement, text};
use crate::{
    access::{Access, AccessSet},
    analysis::{Answer, Language, States},
    automaton::Effect,
    restriction::{Pattern, Restriction},
};

/// How much a question about one resource may cost.
pub(super) const ASKED: States = States::new(8_192);

/// Restrictions in the order of the statements, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    places: BTreeMap<String, usize>,
    pub(super) rules: Vec<(Restriction, AccessSet)>,
}

impl Rules {
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub(super) fn push(&mut self, restriction: Restriction, access: AccessSet) {
        match self.places.get(restriction.text()) {
            Some(at) => {
                if let Some((_, known)) = self.rules.get_mut(*at) {
                    *known = known.union(access);
                }
            }
            None => {
                self.places.insert(restriction.text().to_owned(), self.rules.len());
                self.rules.push((restriction, access));
            }
        }
    }

    /// The patterns of those that carry an access.
    pub(super) fn patterns(&self, access: Access) -> impl Iterator<Item = &Pattern> {
        let rules = self.rules.iter().filter(move |(_, of)| of.contains(access));
        rules.flat_map(|(restriction, _)| restriction.patterns())
    }
}

/// What rules give of an access.
pub(super) fn given<'r>(allows: &'r Rules, denies: &'r Rules, access: Access) -> Language<'r> {
    Language::of_patterns(allows.patterns(access), denies.patterns(access))
}

/// Whether it is so for all objects. There is none at a bucket's bare name.
pub(super) fn holds(answer: &Answer) -> bool {
    match answer {
        Answer::Holds => true,
        Answer::Fails(path) => path.key().is_empty(),
        Answer::Undecided { .. } => false,
    }
}

/// A resource of a statement on objects.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) access: AccessSet,
    /// The objects; more than these where it has a variable.
    pub(super) pattern: Pattern,
    /// Whether the objects are not known, because of a variable.
    pub(super) is_loose: bool,
    /// As a restriction, or why it is none.
    pub(super) said: Result<Restriction, Problem>,
}

impl Claim {
    /// Whether, as a deny, it takes something of what is given.
    pub(super) fn takes(&self, allows: &Rules, denies: &Rules) -> bool {
        let taken = Language::of_patterns([&self.pattern], []);
        let mut accesses = self.access.iter();
        !accesses.all(|access| holds(&given(allows, denies, access).disjoint(&taken, ASKED)))
    }
}

/// The resources of a statement that may be objects.
pub(super) fn claims(
    n: usize,
    statement: &Statement,
    access: AccessSet,
    problems: &mut Vec<Problem>,
) -> Vec<Claim> {
    let field = if statement.is_inverted { "NotResource" } else { "Resource" };
    let mut claims = Vec::new();
    for (m, resource) in statement.resources.iter().enumerate() {
        if !text::may_be_object(resource) {
            continue;
        }
        let place = format!("Statement[{n}].{field}[{m}]");
        let loose = match text::read_loosely(resource) {
            Ok(loose) => loose,
            Err(_) => {
                problems.push(Problem::new(
                    place,
                    "`${` without a `}`",
                    "write `${$}{` for the signs themselves",
                ));
                continue;
            }
        };
        let is_conditional = !statement.conditions.is_empty() && !statement.is_inverted;
        let said = match restriction(&place, resource) {
            Ok(_) if is_conditional => Err(conditional(n, statement)),
            said => said,
        };
        let text::Loose { pattern, is_loose } = loose;
        claims.push(Claim { access, pattern, is_loose, said });
    }
    claims
}

/// A condition that no connection knows.
pub(super) fn conditional(n: usize, statement: &Statement) -> Problem {
    let conditions = statement.conditions.join(", ");
    let (message, help) = match statement.effect {
        Effect::Allow => (
            format!(
                "no connection knows the condition {conditions}, and without it more would be allowed"
            ),
            "take the statement out, or its condition if all requests of the connection meet it: a decision here \
             depends on the caller and the path alone",
        ),
        Effect::Deny => (
            format!(
                "no connection knows the condition {conditions}, and without this deny more would be allowed than \
                 IAM allows"
            ),
            "take the condition out, so that it always denies, or the statement if no request of the connection \
             meets the condition: a decision here depends on the caller and the path alone",
        ),
    };
    Problem::new(format!("Statement[{n}].Condition"), message, help)
}

fn restriction(place: &str, resource: &str) -> Result<Restriction, Problem> {
    if let Err(text::Refused::Variable { at, end }) = text::read(resource) {
        return Err(Problem::new(
            place,
            format!("`{}` is a variable: who asks is no part of a path here", &resource[at..end]),
            "write what it stands for, one connection for each; `${*}`, `${?}` and `${$}` are the signs themselves",
        ));
    }
    if resource.ends_with('/') {
        return Err(Problem::new(
            place,
            format!("`{resource}` is the marker of a directory alone, which no restriction says"),
            format!("write `{resource}*` for all that is in it"),
        ));
    }
    let mut text = String::new();
    let mut characters = resource.chars();
    while let Some(character) = characters.next() {
        match character {
            // `${*}`, `${?}`, `${$}`: any other was refused before.
            '$' if characters.as_str().starts_with('{') => {
                let sign = characters.nth(1).unwrap_or('$');
                characters.next();
                if sign == '*' {
                    text.push('\\');
                }
                text.push(sign);
            }
            '?' => {
                return Err(Problem::new(
                    place,
                    "`?` is any one character, `/` among them, which no restriction says",
                    "write `*`, or the names one by one; `${?}` is a question mark",
                ));
            }
            '\\' => text.push_str("\\\\"),
            other => text.push(other),
        }
    }
    Restriction::parse(&text).map_err(|error| {
        Problem::new(place, format!("`{resource}` is no restriction: {error}"), error.help())
    })
}
