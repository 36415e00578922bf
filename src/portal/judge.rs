//! What is said of a form before it is saved: problems, meanings, findings, and what a path that is
//! tried comes to. It is asked of the management's functions, and put beside the form's fields.

use axum::response::Response;

use super::{
    form::Form,
    respond,
    sources::sentence,
    view::{AttemptView, Finding, Line, Problem, RowView, Said},
    visit::Visit,
};
use crate::{
    analysis::Level,
    engine::Outcome,
    escape::escape,
    manage::{Refusal, Review},
    policy::ConnectionId,
    store::{Draft, Stored},
};

/// What is said of a form.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// All problems, in the order of the page, for its top.
    pub(super) problems: Vec<Problem>,
    pub(super) said: Said,
    /// Findings that are about no row.
    pub(super) findings: Vec<Finding>,
    pub(super) review: Review,
    pub(super) attempt: Option<AttemptView>,
}

/// Judges a draft, whose rows get what is said of them. `credentials` is what is wrong with those.
///
/// # Errors
///
/// A page that says that it cannot be done now.
pub(super) async fn judge(
    visit: &Visit,
    form: &mut Form,
    draft: &Draft,
    old: Option<&Stored>,
    credentials: Option<Problem>,
) -> Result<Judged, Response> {
    let manager = &visit.portal.shared.manager;
    let review = manager.review(visit.owner(), draft.clone(), old.cloned()).await;
    let review = review.map_err(|refusal| refused(visit, &refusal))?;
    let mut judged = Judged { review, ..Judged::default() };
    if let Some(taken) = taken(visit, form, old).await? {
        judged.said.label.push(taken);
    }
    let places = Places::of(form);
    place_problems(&mut judged, form, &places, old.is_none());
    if let Some(problem) = credentials {
        judged.said.credentials.push(problem);
    }
    place_meanings(&judged.review, form, &places);
    judged.findings = place_findings(&judged.review, form, &places);
    if !form.view.try_path.is_empty() {
        judged.attempt = Some(attempt(visit, form, draft).await?);
    }
    judged.problems = in_order(&judged.said, form);
    Ok(judged)
}

/// What a management function did not do.
pub(super) fn refused(visit: &Visit, refusal: &Refusal) -> Response {
    let frame = visit.frame("That did not work", "sources");
    respond::notice(refusal.status, frame, sentence(&escape(&refusal.message)))
}

/// Whether another data source of the owner has the label.
async fn taken(
    visit: &Visit,
    form: &Form,
    old: Option<&Stored>,
) -> Result<Option<Problem>, Response> {
    let (label, own) = (form.view.label.clone(), old.map(|old| old.identity.clone()));
    let is_taken = visit
        .wait(move |store, owner| {
            let id = format!("s3+{label}");
            let Ok(id) = ConnectionId::parse(&id) else { return false };
            store.find(owner, &id).is_ok_and(|found| Some(&found.identity) != own.as_ref())
        })
        .await?;
    Ok(is_taken.then(|| Problem {
        field: "label".to_owned(),
        message: format!("You have a data source s3+{} already.", form.view.label),
        help: Some("Choose another label.".to_owned()),
    }))
}

/// Which rows of the page the entries of a draft are.
struct Places {
    restrictions: Vec<usize>,
    deny: Vec<usize>,
}

impl Places {
    fn of(form: &Form) -> Self {
        Self { restrictions: Form::filled(&form.restrictions), deny: Form::filled(&form.deny) }
    }

    /// The row that an entry is. A draft without restrictions is a form with one row, which says `*`.
    fn row<'f>(
        &self,
        form: &'f mut Form,
        field: &str,
        entry: Option<usize>,
    ) -> Option<&'f mut RowView> {
        let (rows, places) = match field {
            "restrictions" => (&mut form.restrictions, &self.restrictions),
            "deny" => (&mut form.deny, &self.deny),
            _ => return None,
        };
        rows.get_mut(*places.get(entry?)?)
    }
}

fn place_problems(judged: &mut Judged, form: &mut Form, places: &Places, is_new: bool) {
    // Whether credentials are missing is known here: what the form holds back is no part of the draft.
    let is_known = |code: &str| is_new && code == "credentials.reference";
    let found = judged.review.problems.iter().filter(|found| !is_known(found.code));
    for found in found {
        let help = found.help.as_ref().map(|help| sentence(&escape(help)));
        let message = sentence(&escape(&found.message));
        let problem = |field: &str| Problem {
            field: field.to_owned(),
            message: message.clone(),
            help: help.clone(),
        };
        if let Some(row) = places.row(form, found.field, found.row) {
            let list = if found.field == "deny" { "deny" } else { "restriction" };
            let problem = problem(&format!("{list}-{}-text", row.n));
            row.problems.push(problem);
            continue;
        }
        let said = &mut judged.said;
        match found.field {
            "credentials" => said.credentials.push(problem("access_key_id")),
            "endpoint" | "keys" | "conditions" => said.endpoint.push(problem("endpoint")),
            "region" => said.region.push(problem("region")),
            "restrictions" | "deny" | "access"
                if form.restrictions.iter().all(|row| row.text.is_empty()) =>
            {
                said.restrictions.push(Problem {
                    field: "restrictions".to_owned(),
                    message: "Say what code may reach, in one line at least.".to_owned(),
                    help: Some("Whoever means everything writes *.".to_owned()),
                });
            }
            "restrictions" | "deny" | "access" => said.restrictions.push(problem("restrictions")),
            _ if ConnectionId::parse(&format!("s3+{}", form.view.label)).is_err() => {
                // Said by the name of its field here, and not by that of the file.
                let message = match form.view.label.is_empty() {
                    true => "Enter a label.".to_owned(),
                    false => format!("This is no label: {}", form.view.label),
                };
                let help = "It has at most 64 letters, digits, `_`, `.` and `-`.".to_owned();
                let field = "label".to_owned();
                said.label = vec![Problem { field, message, help: Some(help) }];
            }
            _ => said.label.push(problem("label")),
        }
    }
}

fn place_meanings(review: &Review, form: &mut Form, places: &Places) {
    for meaning in &review.meanings {
        let words = sentence(&escape(&meaning.words));
        match (places.row(form, meaning.field, meaning.row), meaning.row) {
            (Some(row), _) => row.words = Some(words),
            (None, None) => {
                if let Some(first) = form.restrictions.first_mut() {
                    first.words = Some(words);
                }
            }
            (None, Some(_)) => {}
        }
    }
}

fn place_findings(review: &Review, form: &mut Form, places: &Places) -> Vec<Finding> {
    let mut others = Vec::new();
    for found in &review.findings {
        let finding = Finding {
            level: match found.level {
                Level::Error => "error",
                Level::Warning => "warning",
                _ => "note",
            },
            message: sentence(&escape(&without_lines(&found.message))),
            witness: found.witness.as_ref().map(|witness| escape(witness).into_owned()),
            fix: (!found.fix.is_empty()).then(|| sentence(&escape(&found.fix))),
        };
        match places.row(form, found.field, found.row) {
            Some(row) => row.findings.push(finding),
            None => others.push(finding),
        }
    }
    others
}

/// A message without the lines of the file that the draft would be: its form has none.
fn without_lines(message: &str) -> String {
    let mut parts = message.split("` in line ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |told, part| {
        told + "`" + part.trim_start_matches(|character: char| character.is_ascii_digit())
    })
}

/// What a path that is tried comes to.
async fn attempt(visit: &Visit, form: &Form, draft: &Draft) -> Result<AttemptView, Response> {
    let manager = &visit.portal.shared.manager;
    let operation = match form.view.try_operation.as_str() {
        "" => "read",
        operation => operation,
    };
    let attempt =
        manager.attempt(visit.owner(), draft.clone(), operation, &form.view.try_path).await;
    let attempt = attempt.map_err(|refusal| refused(visit, &refusal))?;
    let (kind, title) = match attempt.outcome {
        Outcome::Allow => ("allow", "Allowed."),
        Outcome::Deny => ("deny", "Denied."),
        _ => ("invalid", "Neither allowed nor denied."),
    };
    let line = attempt.rule.as_ref().map(|rule| {
        let (list, noun, rows) = match rule.field {
            "deny" => ("deny", "Deny", &form.deny),
            _ => ("restriction", "Restriction", &form.restrictions),
        };
        let place = rule.row.and_then(|row| Form::filled(rows).get(row).copied()).unwrap_or(0);
        let n = rows.get(place).map_or("0", |row| &row.n);
        Line {
            field: format!("{list}-{n}-text"),
            name: format!("{noun} {}", place + 1),
            text: escape(&rule.text).into_owned(),
        }
    });
    Ok(AttemptView {
        kind,
        title,
        // An allowance says no more than that.
        words: Some(sentence(&escape(&attempt.words)))
            .filter(|words| words != title)
            .unwrap_or_default(),
        line,
        reason: attempt.code.to_owned(),
    })
}

/// All problems in the order of the page.
fn in_order(said: &Said, form: &Form) -> Vec<Problem> {
    let rows = form.restrictions.iter().chain(&form.deny).flat_map(|row| &row.problems);
    let fields =
        said.label.iter().chain(&said.credentials).chain(&said.region).chain(&said.endpoint);
    fields.chain(&said.restrictions).chain(rows).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::without_lines;

    #[test]
    fn lines_of_a_file_that_is_not_there_are_left_out() {
        for (message, told) in [
            (
                "`a/b` is allowed by `a/` in line 9 and `a*` in line 10: x",
                "`a/b` is allowed by `a/` and `a*`: x",
            ),
            ("nothing in line 9", "nothing in line 9"),
            ("", ""),
        ] {
            assert_eq!(without_lines(message), told);
        }
    }
}
