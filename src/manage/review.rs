//! A draft, looked at from all sides: as the very policy that would be served.

use super::{
    answers::{Attempt, Finding, Meaning, Opened, Problem, Review, RuleRef},
    words,
};
use crate::{
    access::AccessSet,
    analysis::{self, Cause, Change, Extent, Level, States},
    automaton::Effect,
    engine::{Caller, CopyObject, Engine, Operation, Outcome},
    path::Path,
    policy::{Connection, ConnectionId, Policy, Rule, Severity},
    restriction::Restriction,
    store::{Draft, DraftCredentials, DraftRule, Part, StoreError, wrong_parts},
};

/// What one question about a draft may cost: some milliseconds. What is asked while somebody types
/// may stay undecided; `pathward lint` and `pathward diff` ask with more.
pub const STATES: States = States::new(1 << 12);

/// What is wrong with a draft, what it means, and what it would change of `old`: the same connection
/// as it is, or `None` for one that is new.
///
/// Of `old` only what a policy says is looked at. Blocks for as long as `states` may cost.
pub fn review(owner: &str, draft: &Draft, old: Option<&Draft>, states: States) -> Review {
    reviewed(owner, draft, old, states).0
}

/// The same, and the policy that the draft makes, if it does.
pub(super) fn reviewed(
    owner: &str,
    draft: &Draft,
    old: Option<&Draft>,
    states: States,
) -> (Review, Option<Policy>) {
    let mut review = Review { meanings: meanings(draft), ..Review::default() };
    let policy = look(owner, draft, &mut review);
    if let Some(policy) = &policy {
        find(draft, policy, states, &mut review);
        compare(owner, draft, policy, old, states, &mut review);
    }
    (review, policy)
}

/// All that is said of a draft that is more than its owner may have: nothing of it is compiled.
pub(super) fn too_much(error: &StoreError) -> Review {
    let problem = Problem {
        field: "restrictions",
        row: None,
        code: error.code(),
        message: error.to_string(),
        help: None,
    };
    Review { problems: vec![problem], ..Review::default() }
}

/// Why a draft cannot be saved.
pub(super) fn problems(owner: &str, draft: &Draft) -> Vec<Problem> {
    let mut review = Review::default();
    look(owner, draft, &mut review);
    review.problems
}

/// What a policy's reader says of a draft, and the policy that it makes of it.
fn look(owner: &str, draft: &Draft, review: &mut Review) -> Option<Policy> {
    let (found, policy) = draft.read(owner);
    for found in found {
        let field = field(found.field);
        match found.severity {
            Severity::Error => review.problems.push(Problem {
                field,
                row: found.row,
                code: found.code,
                message: found.message,
                help: found.help,
            }),
            Severity::Warning => review.findings.push(Finding {
                code: found.code,
                level: Level::Warning,
                field,
                row: found.row,
                message: found.message,
                witness: None,
                fix: found.help.unwrap_or_else(|| "take it out if it is not meant".to_owned()),
            }),
        }
    }
    review.problems.extend(secret_problems(draft));
    policy
}

/// Whether a draft would allow an operation on a path, and by which row. The path is what a caller
/// names: `bucket/key`, or the whole `s3+label://bucket/key`. A copy has a second one.
pub fn attempt(
    owner: &str,
    draft: &Draft,
    operation: &str,
    path: &str,
    to: Option<&str>,
) -> Attempt {
    let policy = draft.check(owner).ok();
    let id = policy.as_ref().and_then(|policy| Some(policy.connections().first()?.id().clone()));
    let (Some(policy), Some(id)) = (policy, id) else {
        let words = "the draft is no connection yet: mend first what is wrong with it";
        return invalid("invalid.draft", words);
    };
    decided(&Engine::new(policy), owner, &id, Some(draft), [Some(operation), Some(path), to])
}

/// What would become of an operation on a connection. `draft` is what its rows are named by; the rest is
/// the operation, its path and the destination of a copy.
pub(super) fn decided(
    engine: &Engine,
    owner: &str,
    id: &ConnectionId<'_>,
    draft: Option<&Draft>,
    [operation, path, to]: [Option<&str>; 3],
) -> Attempt {
    let is_default = draft.is_some_and(|draft| draft.is_default);
    let named = |text: &str| {
        let path = of_uri(text, id, is_default).map_err(|words| ("invalid.operation", words))?;
        let path = Path::from_vec(path.as_bytes().to_vec());
        path.map_err(|error| (error.code(), error.to_string()))
    };
    let operation = operation.unwrap_or_default();
    let asked = named(path.unwrap_or_default()).and_then(|path| match (operation, to) {
        ("copy", Some(to)) => {
            Ok(Operation::Copy(CopyObject { source: path, destination: named(to)? }))
        }
        (_, None) => match Operation::named(operation, path) {
            Ok(Some(operation)) => Ok(operation),
            Ok(None) => Err(("invalid.operation", names_of_operations())),
            Err(error) => Err((error.code(), error.to_string())),
        },
        _ => Err(("invalid.operation", "`to` belongs to `copy` alone".to_owned())),
    });
    let operation = match asked {
        Ok(operation) => operation,
        Err((code, words)) => return invalid(code, &words),
    };
    let decision = engine.decide(Caller::with_full_permission(owner), id, &operation);
    let rule = decision.rule().zip(decision.rule_id()).map(|(rule, at)| RuleRef {
        field: field_of(rule),
        row: draft.and_then(|draft| draft.row_of(at.index())).map(|(_, row)| row),
        text: rule.restriction.text().to_owned(),
    });
    Attempt {
        outcome: decision.outcome(),
        code: decision.reason().code(),
        rule,
        words: decision.reason().meaning().to_owned(),
    }
}

pub(super) fn invalid(code: &'static str, words: &str) -> Attempt {
    Attempt { outcome: Outcome::Invalid, code, rule: None, words: words.to_owned() }
}

fn names_of_operations() -> String {
    format!(
        "the operations are {}, and copy, which takes a second path",
        Operation::NAMES.join(", ")
    )
}

/// The path of a data URI of this connection, or what is a path already.
fn of_uri<'p>(text: &'p str, own: &ConnectionId<'_>, is_default: bool) -> Result<&'p str, String> {
    let Some((name, path)) = text.split_once("://") else { return Ok(text) };
    match ConnectionId::parse(name) {
        Ok(id) if id == *own || (id.label().is_none() && is_default) => Ok(path),
        Ok(id) => Err(format!("`{id}` is another connection: this one is `{own}`")),
        // A path may have `://` in it, though no bucket has.
        Err(_) => Ok(text),
    }
}

/// The name of a field as a draft has it.
fn field(of_policy: &'static str) -> &'static str {
    if of_policy == "id" { "label" } else { of_policy }
}

fn field_of(rule: &Rule) -> &'static str {
    match rule.effect {
        Effect::Allow => "restrictions",
        Effect::Deny => "deny",
    }
}

/// What is wrong with a secret, of which a policy says nothing.
fn secret_problems(draft: &Draft) -> Vec<Problem> {
    let DraftCredentials::Secret(secret) = &draft.credentials else { return Vec::new() };
    let problem = |part| {
        let (code, message, help) = match part {
            Part::Id => (
                "credentials.id",
                "the access key's id is empty, or has spaces or characters that no id has",
                "copy it from where the key was made, without spaces around it",
            ),
            Part::Secret => (
                "credentials.secret",
                "the secret is empty, or has spaces or characters that no secret has",
                "copy it from where the key was made, without spaces around it",
            ),
            Part::Token => (
                "credentials.token",
                "the session token is empty, or has spaces or characters that no token has",
                "leave it out where the key is not one of a session",
            ),
        };
        let (message, help) = (message.to_owned(), Some(help.to_owned()));
        Problem { field: "credentials", row: None, code, message, help }
    };
    wrong_parts(secret).map(problem).collect()
}

/// What the rows mean that have a meaning.
fn meanings(draft: &Draft) -> Vec<Meaning> {
    let words = |rule: &DraftRule, access: AccessSet, effect| {
        let restriction = match rule.glob {
            true => Restriction::parse_glob(&rule.text),
            false => Restriction::parse(&rule.text),
        };
        let access = rule.access.unwrap_or(access);
        restriction.ok().map(|restriction| words::of_rule(&restriction, access, effect))
    };
    let rows = |field, rules: &[DraftRule], access, effect| -> Vec<Meaning> {
        let rules = rules.iter().enumerate();
        rules
            .filter_map(|(row, rule)| {
                Some(Meaning { field, row: Some(row), words: words(rule, access, effect)? })
            })
            .collect()
    };
    let mut meanings = match &draft.restrictions {
        Some(rules) => rows("restrictions", rules, draft.access, Effect::Allow),
        None => {
            let everything = words(&DraftRule::path("*"), draft.access, Effect::Allow);
            let of = |words| Meaning { field: "restrictions", row: None, words };
            everything.map(of).into_iter().collect()
        }
    };
    // A deny without accesses of its own takes all.
    meanings.extend(rows("deny", &draft.deny, AccessSet::READ_WRITE, Effect::Deny));
    meanings
}

/// What the linter finds.
fn find(draft: &Draft, policy: &Policy, states: States, review: &mut Review) {
    let lint = analysis::lint(policy, states);
    review.undecided += lint.undecided;
    for finding in lint.findings {
        // What the policy's reader warns of is there already, with its row.
        if !finding.code.starts_with("lint.") {
            continue;
        }
        let place = finding.rule.and_then(|rule| draft.row_of(rule));
        review.findings.push(Finding {
            code: finding.code,
            level: finding.level,
            field: place.map_or("restrictions", |(field, _)| field),
            row: place.map(|(_, row)| row),
            witness: finding.witness.as_ref().map(ToString::to_string),
            fix: finding.help_in_form(),
            message: finding.message,
        });
    }
}

/// What the linter finds of a draft beside the owner's other connections.
pub(super) fn beside<'c>(
    policy: &Policy,
    others: impl Iterator<Item = &'c Connection>,
    states: States,
    review: &mut Review,
) {
    let Some(one) = policy.connections().first() else { return };
    let others: Vec<&Connection> = others.collect();
    let (findings, undecided) = analysis::overlaps(one, others.into_iter(), states);
    review.undecided += undecided;
    review.findings.extend(findings.into_iter().map(|finding| Finding {
        code: finding.code,
        level: finding.level,
        field: "restrictions",
        row: None,
        message: finding.message,
        witness: finding.witness.as_ref().map(ToString::to_string),
        fix: finding.help,
    }));
}

/// What would be newly allowed, and what no longer.
fn compare(
    owner: &str,
    draft: &Draft,
    policy: &Policy,
    old: Option<&Draft>,
    states: States,
    review: &mut Review,
) {
    let before = match old {
        None => Policy::empty(),
        Some(old) => {
            // Under the new name, so that what differs is what is allowed.
            let renamed = Draft {
                label: draft.label.clone(),
                credentials: DraftCredentials::Keep,
                ..old.clone()
            };
            match renamed.check(owner) {
                Ok(before) => before,
                // What is stored loads; if this does not, nothing is known of the difference.
                Err(_) => {
                    review.undecided += 1;
                    return;
                }
            }
        }
    };
    let diff = analysis::diff(&before, policy, states);
    review.undecided += diff.undecided();
    for connection in &diff.connections {
        let rules =
            [connection.old, connection.new].map(|one| one.map_or(&[][..], Connection::rules));
        review.opened.extend(connection.opened.iter().map(|change| opened(change, true, rules)));
        review.lost.extend(connection.closed.iter().map(|change| opened(change, false, rules)));
    }
    let Some(old) = old else { return };
    let is_moved = old.endpoint != draft.endpoint;
    if is_moved {
        review.findings.push(Finding {
            code: "review.endpoint",
            level: Level::Warning,
            field: "endpoint",
            row: None,
            message: "the server is another one: the same paths are other objects there".to_owned(),
            witness: None,
            fix: "make a connection of its own for another server".to_owned(),
        });
    }
    if !matches!(draft.credentials, DraftCredentials::Keep) {
        review.findings.push(Finding {
            code: "review.credentials",
            level: Level::Note,
            field: "credentials",
            row: None,
            message: "the credentials are others: of another account, the same paths may be other \
                      objects"
                .to_owned(),
            witness: None,
            fix: "nothing, where it is the same account".to_owned(),
        });
    }
}

/// A change, in words. A rule that both sides have has other accesses in one of them.
fn opened(change: &Change<'_>, is_opened: bool, [old, new]: [&[Rule]; 2]) -> Opened {
    let whole = change.extent == Extent::Whole;
    let (restriction, words) = match change.cause {
        Cause::Rule(rule) => {
            let what = words::of_restriction(&rule.restriction);
            let part = if whole { "" } else { "a part of this: " };
            let is_in = |rules: &[Rule]| {
                let patterns = rule.restriction.patterns();
                rules
                    .iter()
                    .any(|r| r.effect == rule.effect && r.restriction.patterns() == patterns)
            };
            let why = match (rule.effect, is_opened, is_in(old) && is_in(new)) {
                (Effect::Allow, true, false) => "by the new restriction",
                (Effect::Allow, true, true) => "the restriction gives more",
                (Effect::Allow, false, false) => "the restriction is gone",
                (Effect::Allow, false, true) => "the restriction gives less",
                (Effect::Deny, true, false) => "the deny is gone",
                (Effect::Deny, true, true) => "the deny takes less",
                (Effect::Deny, false, false) => "by the new deny",
                (Effect::Deny, false, true) => "the deny takes more",
            };
            let words = format!("{part}{} ({why})", what.trim_end_matches(','));
            (Some(rule.restriction.text().to_owned()), words)
        }
        Cause::Keys => {
            let words = "paths with an empty segment or a `\\`, by how the server reads keys";
            (None, words.to_owned())
        }
    };
    Opened { access: change.access, restriction, words, whole, path: change.witness.to_string() }
}
