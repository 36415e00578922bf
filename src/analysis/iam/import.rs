//! The restrictions of a policy's statements.

use std::collections::BTreeMap;

use super::{
    Action, Document, Statement,
    export::may_be_object,
    relation::{below, bucket},
    text,
};
use crate::{
    access::{Access, AccessSet},
    analysis::{Answer, Language, States},
    automaton::{Effect, Entry},
    restriction::{Pattern, Restriction},
};

/// What keeps a policy from being restrictions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `Statement[0].Resource[1]`.
    pub place: String,
    /// What is wrong. Text of the policy is in it as it is: escape it before it reaches a person.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Problem {
    /// A problem.
    pub fn new(
        place: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { place: place.into(), message: message.into(), help: help.into() }
    }
}

/// Rules that say what a policy says of objects.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// What is allowed.
    pub restrictions: Vec<(Restriction, AccessSet)>,
    /// What is denied.
    pub deny: Vec<(Restriction, AccessSet)>,
}

impl Imported {
    /// Its rules: the restrictions, then the denies.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let allows = self.restrictions.iter().map(|rule| (Effect::Allow, rule));
        let denies = self.deny.iter().map(|rule| (Effect::Deny, rule));
        allows.chain(denies).map(|(effect, (restriction, access))| Entry {
            restriction,
            access: *access,
            effect,
        })
    }
}

/// Reads a policy as restrictions: the same objects, exactly.
///
/// What may be listed is not read: it follows from what may be read. See
/// [`Imported::relations`] for how far apart the two are.
///
/// # Errors
///
/// Everything that no restriction says: variables, `?`, the marker of a directory alone, denied
/// listings of what may be read; and a policy that allows no object.
pub fn import(policy: &Document) -> Result<Imported, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut allows = Rules::default();
    let mut denies = Rules::default();
    for (n, statement) in policy.statements.iter().enumerate() {
        let rules = match statement.effect {
            Effect::Allow => &mut allows,
            Effect::Deny => &mut denies,
        };
        rules.add(n, statement, &mut problems);
    }
    problems.extend(hidden(policy));
    if problems.is_empty() && allows.places.is_empty() {
        problems.push(Problem::new(
            "Statement",
            "the policy allows no object to be read, written or deleted",
            "allow `s3:GetObject` on the objects that are meant; a connection cannot be empty",
        ));
    }
    match problems.is_empty() {
        true => Ok(Imported { restrictions: allows.rules, deny: denies.rules }),
        false => Err(problems),
    }
}

/// Rules in the order of their first statement, each restriction once.
#[derive(Default)]
struct Rules {
    places: BTreeMap<String, usize>,
    rules: Vec<(Restriction, AccessSet)>,
}

impl Rules {
    fn add(&mut self, n: usize, statement: &Statement, problems: &mut Vec<Problem>) {
        // All of it is what no connection gives.
        if statement.actions.is_empty() {
            return;
        }
        let access: AccessSet =
            statement.actions.iter().filter_map(|action| action.access()).collect();
        let lists = statement.actions.iter().any(|action| action.is_listing());
        if let Some(problem) = unsaid(n, statement, access, lists) {
            problems.push(problem);
            return;
        }
        for (m, resource) in statement.resources.iter().enumerate() {
            let place = format!("Statement[{n}].Resource[{m}]");
            // What a listing is of is no object.
            let is_bucket = !may_be_object(resource);
            if access.is_empty() || is_bucket && lists {
                // A variable is no text even there.
                if let Err(problem) = pattern(&place, resource) {
                    problems.push(problem);
                }
                continue;
            }
            match restriction(&place, resource, is_bucket) {
                Ok(restriction) => self.push(restriction, access),
                Err(problem) => problems.push(problem),
            }
        }
        for (m, prefix) in statement.prefixes.iter().flatten().enumerate() {
            let place = format!("Statement[{n}].Condition.StringLike.s3:prefix[{m}]");
            if let Err(problem) = pattern(&place, prefix) {
                problems.push(problem);
            }
        }
    }

    fn push(&mut self, restriction: Restriction, access: AccessSet) {
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
}

/// What a statement as a whole says that no rule does.
fn unsaid(n: usize, statement: &Statement, access: AccessSet, lists: bool) -> Option<Problem> {
    let place = |field| format!("Statement[{n}].{field}");
    if statement.effect == Effect::Deny && access.is_empty() && !lists {
        return Some(Problem::new(
            place("Action"),
            "a part of uploads is denied, and uploads are not",
            "deny `s3:PutObject`, which is all of an upload",
        ));
    }
    if statement.effect == Effect::Allow
        && !access.contains(Access::Write)
        && !statement.actions.iter().all(|action| action.access().is_some() || action.is_listing())
    {
        let action = statement
            .actions
            .iter()
            .find(|action| action.access().is_none() && !action.is_listing())
            .map_or("", |action| Action::name(*action));
        return Some(Problem::new(
            place("Action"),
            format!("`{action}` without `s3:PutObject`: a part of writing alone"),
            "allow `s3:PutObject` with it, or take it out",
        ));
    }
    let has_condition = statement.prefixes.is_some() || statement.is_delimited;
    if has_condition && !(access.is_empty() && lists) {
        return Some(Problem::new(
            place("Condition"),
            "`s3:prefix` and `s3:delimiter` are conditions of listings; for an action on objects they \
             are never met",
            "give listings a statement of their own, and objects one without the condition",
        ));
    }
    if has_condition && statement.effect == Effect::Deny {
        return Some(denied_listing(n));
    }
    None
}

/// Denied listings are what a connection says too only if nothing of the buckets may be read: what may be
/// listed follows from what may be read.
fn hidden(policy: &Document) -> Option<Problem> {
    let denies = |statement: &&Statement| {
        statement.effect == Effect::Deny && statement.prefixes.is_none() && !statement.is_delimited
    };
    let patterns = |statement: &Statement| -> Vec<Pattern> {
        statement.resources.iter().filter_map(|text| text::read(text).ok()).collect()
    };
    let mut first = None;
    let (mut listed, mut read) = (Vec::new(), Vec::new());
    for (n, statement) in policy.statements.iter().enumerate().filter(|(_, s)| denies(s)) {
        if statement.actions.contains(&Action::Get) {
            read.extend(patterns(statement));
        }
        if statement.actions.iter().any(|action| action.is_listing()) {
            let names = |bucket: Pattern| below(&bucket, &Pattern::default(), false);
            let buckets =
                patterns(statement).iter().filter_map(bucket).map(names).collect::<Vec<_>>();
            first = first.or_else(|| (!buckets.is_empty()).then_some(n));
            listed.extend(buckets);
        }
    }
    let is_hidden = |answer: Answer| match answer {
        Answer::Holds => true,
        // No object is at a bucket's bare name.
        Answer::Fails(path) => path.key().is_empty(),
        Answer::Undecided { .. } => false,
    };
    let listed = Language::of_patterns(&listed, []);
    let answer = listed.implies(&Language::of_patterns(&read, []), States::default());
    first.filter(|_| !is_hidden(answer)).map(denied_listing)
}

fn denied_listing(n: usize) -> Problem {
    Problem::new(
        format!("Statement[{n}].Action"),
        "a denied listing: what may be listed follows from what may be read",
        "deny `s3:GetObject` on all objects that are not to be seen",
    )
}

fn pattern(place: &str, resource: &str) -> Result<Pattern, Problem> {
    text::read(resource).map_err(|refused| match refused {
        text::Refused::Variable { at, end } => Problem::new(
            place,
            format!("`{}` is a variable: who asks is no part of a path here", &resource[at..end]),
            "write what it stands for, one connection for each; `${*}`, `${?}` and `${$}` are the \
             signs themselves",
        ),
        text::Refused::Unclosed { .. } => {
            Problem::new(place, "`${` without a `}`", "write `${$}{` for the signs themselves")
        }
    })
}

fn restriction(place: &str, resource: &str, is_bucket: bool) -> Result<Restriction, Problem> {
    pattern(place, resource)?;
    if is_bucket {
        return Err(Problem::new(
            place,
            format!("`{resource}` is a bucket, and the actions are on objects"),
            format!("write `{resource}/*` for everything in it"),
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
