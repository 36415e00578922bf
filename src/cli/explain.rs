//! `pathward explain`: why is the answer what it is?

use clap::Args;
use serde::Serialize;

use super::{
    answer::{Answer, AnswerJson, scope_name, shown},
    check::{note_unknown, note_uri},
    exit::Exit,
    output::{Failure, Format, Output, RuleJson, rule_text, text_of},
    question::{CallerArgs, PolicyArgs, Question, QuestionArgs, caller, load},
    remedy::{self, RemedyJson},
};
use crate::{
    analysis::Remedy,
    automaton::Effect,
    engine::{Considered, Engine, ExplainedNeed, Fit, Parting, Reason, Scope},
    escape::escape,
};

/// Up to so many rules the text shows all of them.
const SHOW_ALL: usize = 12;
/// Beyond that it shows so many of each kind.
const SHOW_SOME: usize = 5;
/// The most rules that the JSON lists for a need; `considered_total` counts all.
const MOST_JSON: usize = 10_000;

/// Decides as `check` does, and says why: every restriction that was considered.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward explain --policy policy.yaml s3+saha write Algorithmia2/team.jpg
  pathward explain --policy policy.yaml s3+saha://Algorithmia/ list --format json

For a denial it names the nearest restriction, the one whose own text (its stars aside) agrees with
most of the path, and the byte of the path at which the two part ways. Of a decision about one path it
says what would turn it, and the shortest other path that this would open or close.

Exit codes: as of `check`, 0 allowed, 5 denied, 2 malformed, 3 the policy does not load.")]
pub struct ExplainArgs {
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    caller: CallerArgs,
}

pub(super) fn run(args: &ExplainArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let question = Question::parse(&args.question)?;
    let engine = Engine::new(load(&args.policy.policy)?);
    let caller = caller(engine.policy(), &question.id, &args.caller)?;
    note_unknown(engine.policy(), &question.id, caller, output)?;
    note_uri(&question, output)?;
    let (answer, needs) = match question.operation() {
        Ok(operation) => {
            let explanation = engine.explain(caller, &question.id, &operation);
            (Answer::Decided(explanation.decision), explanation.needs)
        }
        Err(refused) => (Answer::Refused(refused), Vec::new()),
    };
    let remedies: Vec<Vec<Remedy<'_>>> = match &answer {
        Answer::Decided(decision) => needs.iter().map(|need| remedy::of(decision, need)).collect(),
        Answer::Refused(_) => Vec::new(),
    };
    output.decided = answer.exit();
    match output.format {
        Format::Text => {
            writeln!(output.out, "{}", answer.line(&question))?;
            for (need, remedies) in needs.iter().zip(&remedies) {
                write_need(need, output)?;
                for remedy in remedies {
                    writeln!(output.out, "  {}", remedy::line(remedy, need))?;
                }
            }
        }
        Format::Json => {
            let needs =
                needs.iter().zip(&remedies).map(|(need, all)| NeedJson::new(need, all)).collect();
            let answer = answer.json(&question, caller.name(), engine.policy().revision());
            output.json(&ExplanationJson { answer, needs })?;
        }
    }
    Ok(answer.exit())
}

fn write_need(need: &ExplainedNeed<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
    let out = &mut output.out;
    let path = shown(need.path.as_bytes());
    let access = need.access;
    let what = match need.scope {
        Scope::Here => format!("{access} at {path}"),
        Scope::SomeBelow => format!("{access} at some path below {path}"),
        Scope::AllBelow => format!("{access} at every path below {path}"),
        Scope::Never => format!("access control at {path}"),
    };
    writeln!(out)?;
    let Some(reason) = need.reason else {
        return Ok(writeln!(out, "{what}: not looked at, the caller has no such connection")?);
    };
    writeln!(out, "{what}: {reason}")?;
    if let Some(why) = before_any_rule(reason) {
        return Ok(writeln!(out, "  {why}")?);
    }
    let all = need.considered.len() <= SHOW_ALL;
    let most = if all { usize::MAX } else { SHOW_SOME };
    let mut shown = Vec::new();
    let decided = need.decided_by();
    let others = need
        .taking()
        .chain(need.giving())
        .filter(|other| decided.is_none_or(|decided| decided.index != other.index));
    let first = decided.into_iter().chain(others);
    for considered in first.take(most).chain(need.without_access().take(most)) {
        if !shown.contains(&considered.index) {
            shown.push(considered.index);
            writeln!(out, "  {}: {}", role(need, considered), named(considered))?;
        }
    }
    let gives_all = need.giving().any(|considered| considered.fit == Fit::Whole);
    if need.scope == Scope::AllBelow && reason != Reason::Allowed && !gives_all {
        writeln!(out, "  no restriction gives {access} at every path below")?;
    }
    for (place, near) in need.nearest(if all { 1 } else { 3 }).into_iter().enumerate() {
        let label = if place == 0 { "nearest" } else { "near" };
        shown.push(near.index);
        writeln!(out, "  {label}: {}", named(near))?;
    }
    if all {
        for considered in need.considered.iter().filter(|c| !shown.contains(&c.index)) {
            writeln!(out, "  {}: {}", role(need, considered), named(considered))?;
        }
    } else {
        let hidden = need.considered.len() - shown.len();
        writeln!(
            out,
            "  and {hidden} of {} rules more (all with `--format json`)",
            need.considered.len()
        )?;
    }
    Ok(())
}

/// Why a need was refused without a look at any rule.
const fn before_any_rule(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::Allowed | Reason::NoMatch | Reason::Access | Reason::Rule => None,
        Reason::UnknownConnection
        | Reason::KeyPermission
        | Reason::Acl
        | Reason::InvalidPath
        | Reason::InvalidOperation => Some(reason.meaning()),
    }
}

/// The rule, where it is, and where it parted.
fn named(considered: &Considered<'_>) -> String {
    let rule = considered.rule;
    let mut text = rule_text(rule);
    if let Some(parting) = considered.parting() {
        text.push(' ');
        text.push_str(&escape(&parting.to_string()));
    } else if !considered.carries {
        let verb = if rule.effect == Effect::Allow { "gives" } else { "takes" };
        text.push_str(&format!(", which {verb} {}", rule.access));
    }
    text
}

/// What a rule has to do with a need.
fn role(need: &ExplainedNeed<'_>, considered: &Considered<'_>) -> String {
    let access = need.access;
    let gives = considered.rule.effect == Effect::Allow;
    let below = matches!(need.scope, Scope::SomeBelow | Scope::AllBelow);
    match (&considered.fit, considered.carries) {
        (Fit::Apart(_), _) if gives => "no match".into(),
        (Fit::Apart(_), _) => "deny, no match".into(),
        (_, false) if gives => format!("matches, without {access}"),
        (_, false) => format!("deny that does not take {access}"),
        (Fit::Whole, true) if !below => String::from(if gives { "allows" } else { "denies" }),
        (Fit::Whole, true) => {
            format!("{} everything below", if gives { "allows" } else { "denies" })
        }
        (Fit::Part, true) => format!("{} some of it", if gives { "allows" } else { "denies" }),
    }
}

/// The answer of `explain` in JSON: that of `check`, and its reasons. See [`crate::cli`].
#[derive(Serialize)]
struct ExplanationJson<'j> {
    #[serde(flatten)]
    answer: AnswerJson<'j>,
    needs: Vec<NeedJson<'j>>,
}

#[derive(Serialize)]
struct NeedJson<'j> {
    access: &'static str,
    scope: &'static str,
    path: String,
    reason: &'static str,
    deciding: Option<usize>,
    nearest: Option<usize>,
    considered_total: usize,
    considered: Vec<ConsideredJson<'j>>,
    remedies: Vec<RemedyJson<'j>>,
}

#[derive(Serialize)]
struct ConsideredJson<'j> {
    rule: RuleJson<'j>,
    carries: bool,
    fit: &'static str,
    parting: Option<PartingJson>,
}

#[derive(Serialize)]
struct PartingJson {
    at: usize,
    agreed: usize,
    expected: &'static str,
    expected_text: Option<String>,
    found: Option<char>,
}

impl<'j> NeedJson<'j> {
    fn new(need: &'j ExplainedNeed<'_>, remedies: &'j [Remedy<'_>]) -> Self {
        Self {
            access: need.access.name(),
            scope: scope_name(need.scope),
            path: text_of(need.path.as_bytes()).0.into_owned(),
            reason: need.reason.unwrap_or(Reason::UnknownConnection).code(),
            deciding: need.deciding,
            nearest: need.nearest(1).first().map(|nearest| nearest.index),
            considered_total: need.considered.len(),
            considered: need.considered.iter().take(MOST_JSON).map(ConsideredJson::new).collect(),
            remedies: remedies.iter().map(|r| RemedyJson::new(r, need.access)).collect(),
        }
    }
}

impl<'j> ConsideredJson<'j> {
    fn new(considered: &'j Considered<'_>) -> Self {
        Self {
            rule: RuleJson::new(considered.index, considered.rule),
            carries: considered.carries,
            fit: match considered.fit {
                Fit::Whole => "whole",
                Fit::Part => "part",
                Fit::Apart(_) => "apart",
            },
            parting: considered.parting().map(PartingJson::new),
        }
    }
}

impl PartingJson {
    fn new(parting: &Parting) -> Self {
        Self {
            at: parting.at,
            agreed: parting.agreed,
            expected: parting.expected.kind(),
            expected_text: parting.expected.text(),
            found: parting.found,
        }
    }
}
