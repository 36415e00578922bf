//! The restrictions of a policy's statements.

use super::{
    Document, Statement, listing,
    rules::{Claim, Rules, claims},
    settle::{Inverted, Settling},
    text,
};
use crate::{
    access::{Access, AccessSet},
    automaton::{Effect, Entry},
    restriction::Restriction,
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

/// What of a policy makes no difference to a connection, and is worth to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where: `Statement[0].Resource`.
    pub place: String,
    /// What it says, and what becomes of it. Text of the policy is in it as it is: escape it before it reaches a
    /// person.
    pub message: String,
}

impl Note {
    /// A note.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }
}

/// Rules that say what a policy says of objects.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Imported {
    /// What is allowed.
    pub restrictions: Vec<(Restriction, AccessSet)>,
    /// What is denied.
    pub deny: Vec<(Restriction, AccessSet)>,
    /// What of the policy is left out, because it gives no object and takes none.
    pub notes: Vec<Note>,
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
/// What no restriction says (a variable, `?`, the marker of a directory alone, a condition, `NotResource`) is left out
/// where that makes no difference: an allow where others allow all of it, a deny where nothing that it takes is
/// allowed. Whether it makes one is asked of all paths.
///
/// What may be listed is not read: it follows from what may be read. See [`Imported::relations`] for how far apart the
/// two are.
///
/// # Errors
///
/// Everything that no restriction says and that makes a difference: to leave it out would give other objects than the
/// policy does, or show names that it hides. And a policy that allows no object.
pub fn import(policy: &Document) -> Result<Imported, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut notes = Vec::new();
    let mut buckets = Vec::new();
    let mut settling = Settling::default();
    for (n, statement) in policy.statements.iter().enumerate() {
        let access = statement.access();
        if access.is_empty() {
            notes.extend(unread_listing(n, statement));
            continue;
        }
        if statement.is_of_prefixes() {
            problems.push(never_met(n));
            continue;
        }
        let claims = claims(n, statement, access, &mut problems);
        if statement.is_inverted {
            settling.inverted.push(Inverted { n, statement, access, claims });
            continue;
        }
        if claims.is_empty() && !lists(statement) {
            buckets.extend(bare(n, statement));
        }
        for claim in claims {
            settling.add(statement.effect, claim);
        }
    }
    let (allows, denies) = settling.settle(&mut problems);
    if problems.is_empty() {
        problems.extend(listing::problems(policy, &allows, &denies));
        problems.extend(parts(policy, &allows, &denies));
    }
    if problems.is_empty() && allows.is_empty() {
        problems.extend(nothing(&buckets));
    }
    notes.extend(buckets);
    match problems.is_empty() {
        true => Ok(Imported { restrictions: allows.rules, deny: denies.rules, notes }),
        false => Err(problems),
    }
}

fn lists(statement: &Statement) -> bool {
    statement.actions.iter().any(|action| action.is_listing())
}

/// Of a statement on objects whose resources are buckets alone.
fn bare(n: usize, statement: &Statement) -> Option<Note> {
    let bucket = statement.resources.iter().find(|resource| !text::may_be_object(resource))?;
    let what = match statement.effect {
        Effect::Allow => "gives",
        Effect::Deny => "takes",
    };
    Some(Note::new(
        format!("Statement[{n}].Resource"),
        format!(
            "`{bucket}` is a bucket, and the actions are on objects: it {what} none (all that is in it would be \
             `{bucket}/*`)"
        ),
    ))
}

/// A policy that allows no object.
fn nothing(buckets: &[Note]) -> Vec<Problem> {
    let bare = buckets.iter().map(|note| {
        let help = "write `/*` behind the bucket for everything in it";
        Problem::new(&*note.place, &*note.message, help)
    });
    let general = Problem::new(
        "Statement",
        "the policy allows no object to be read, written or deleted",
        "allow `s3:GetObject` on the objects that are meant; a connection cannot be empty",
    );
    bare.chain([general]).collect()
}

fn never_met(n: usize) -> Problem {
    Problem::new(
        format!("Statement[{n}].Condition"),
        "`s3:prefix` and `s3:delimiter` are conditions of listings; for an action on objects they are never met",
        "give listings a statement of their own, and objects one without the condition",
    )
}

/// Of an allowed listing, what is not looked at: other conditions than those on `s3:prefix`, and variables.
fn unread_listing(n: usize, statement: &Statement) -> Option<Note> {
    if statement.effect == Effect::Deny || !lists(statement) {
        return None;
    }
    let texts = statement.resources.iter().chain(statement.prefixes.iter().flatten());
    let variable = texts.clone().find(|text| text::read(text).is_err());
    let (field, what) = match (statement.conditions.first(), variable) {
        (Some(condition), _) => ("Condition", condition.clone()),
        (None, Some(variable)) => ("Resource", format!("`{variable}`")),
        (None, None) => return None,
    };
    Some(Note::new(
        format!("Statement[{n}].{field}"),
        format!(
            "what may be listed by {what} is left out: in a connection it follows from what may be read"
        ),
    ))
}

/// Denied parts of uploads: who may write may also see the parts of an upload and give it up.
fn parts(policy: &Document, allows: &Rules, denies: &Rules) -> Vec<Problem> {
    let statements = policy.statements.iter().enumerate();
    let denied = statements.filter(|(_, statement)| {
        statement.effect == Effect::Deny
            && !statement.is_of_prefixes()
            && statement.actions.iter().any(|action| action.is_part())
    });
    let writing = AccessSet::NONE.with(Access::Write);
    let mut problems = Vec::new();
    for (n, statement) in denied {
        let mut unsaid = Vec::new();
        let claims: Vec<Claim> = claims(n, statement, writing, &mut unsaid);
        let takes = match statement.is_inverted {
            true => Inverted { n, statement, access: writing, claims }.takes(allows, denies),
            false => claims.iter().any(|claim| claim.takes(allows, denies)),
        };
        if takes {
            problems.push(Problem::new(
                format!("Statement[{n}].Action"),
                "a part of uploads is denied, and uploads are not",
                "deny `s3:PutObject`, which is all of an upload",
            ));
        }
    }
    problems
}
