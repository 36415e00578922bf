//! `pathward replay`: which decisions of a log would a new policy turn?

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
};

use clap::Args;
use serde::Serialize;

use super::{
    answer::shown,
    exit::Exit,
    log::{Lines, LogArgs, Record},
    output::{Failure, Format, Output, RuleJson, rule_text, text_of},
    revision::load,
    validate::plural,
};
use crate::{
    engine::{Caller, Decision, Engine, Operate, Operation, Outcome, Reason},
    escape::escape,
    policy::{ApiKey, ConnectionId, Policy, Rule, User},
};

/// How many groups of flips are told apart; what is beyond is counted.
const MOST_GROUPS: usize = 10_000;

/// For how many of them the nearest rule is looked for, which takes longer than a decision.
const MOST_EXPLAINED: usize = 1_000;

/// Why a record is refused that came with an API key which is no longer there.
const UNKNOWN_KEY: &str = "unknown_key";

/// Decides a log again by a new policy, and shows which decisions flip.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward replay --policy new.yaml --log decisions.jsonl
  pathward replay --policy policies --old git:origin/main:policies --op read --log paths.txt

Each record of the log is decided by the new policy, for its caller and with what its API key may do there,
and compared with what the log says. Records that say nothing, as lines of a plain list, are compared with what
`--old` decides; without it they are counted and not compared, and a log of nothing else is refused (`check --batch`
decides a list). A connection that is gone, and an API key that is (`unknown_key`), deny. What was malformed
when it was decided is left out. Of the logs of AWS and of other servers the operations are read that a connection
gives; the others are counted. What their server answered is what was decided (`s3.allowed`, `s3.denied`).

Flips are grouped by connection and cause: the reason and the rule of the new policy, and with `--old` the
rule of the old one. Of a denial by no rule, the restriction that came nearest to the first path is named.

Exit codes: 0 nothing flips, 4 something does, 2 a line cannot be read or is of a connection that nobody has (0 with
--ignore-invalid), nothing was decided, nothing to compare with or wrong usage, 3 a policy does not load.")]
pub struct ReplayArgs {
    /// The new policy: a file, a folder, or one of them in git, `git:REV:PATH`
    #[arg(long, short, value_name = "NEW")]
    policy: OsString,

    /// The old policy, for records that do not say what was decided
    #[arg(long, value_name = "OLD")]
    old: Option<OsString>,

    #[command(flatten)]
    log: LogArgs,

    /// Do not look at API keys: decide as if each might read and write
    #[arg(long)]
    ignore_keys: bool,

    /// How many groups of flips are shown
    #[arg(long, value_name = "N", default_value_t = 40)]
    show: usize,

    /// How many examples of each group are kept, its first
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(..=100))]
    examples: u8,
}

pub(super) fn run(args: &ReplayArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let new = Engine::new(load(&args.policy)?);
    let old = args.old.as_deref().map(load).transpose()?.map(Engine::new);
    let policies: Vec<&Policy> = old.iter().chain([&new]).map(|engine| engine.policy()).collect();
    let mut replay = Replay {
        new: &new,
        old: old.as_ref(),
        keys: (!args.ignore_keys).then(|| keys(new.policy())),
        examples: args.examples.into(),
        counts: Counts::default(),
        groups: BTreeMap::new(),
    };
    let lines = args.log.read(&policies, output, |record, operation| {
        replay.add(record, operation);
    })?;
    let counts = &replay.counts;
    if counts.compared == 0 && counts.undecided > 0 {
        return Err(Failure::question(
            "the log does not say what was decided: name the policy that decided with `--old`",
        ));
    }
    let flips = counts.opened + counts.closed;
    if flips > 0 {
        output.decided = Exit::Findings;
    }
    match output.format {
        Format::Text => replay.write_text(args.show, output)?,
        Format::Json => output.json(&replay.json(&lines))?,
    }
    output.note(format_args!("{lines}"))?;
    let of_lines = args.log.exit(&lines, replay.counts.compared, output)?;
    if flips == 0 {
        output.decided = of_lines;
    }
    if replay.counts.undecided > 0 {
        output.note(format_args!(
            "{} not compared: the log does not say what was decided, and there is no `--old`",
            plural(replay.counts.undecided, "record")
        ))?;
    }
    Ok(output.decided)
}

/// Each API key, with its user, by the user's name and the key's id.
type Keys<'p> = HashMap<(&'p str, &'p str), (&'p User, &'p ApiKey)>;

/// Each API key, by its user and id.
fn keys(policy: &Policy) -> Keys<'_> {
    let keys = policy
        .users()
        .iter()
        .flat_map(|user| user.keys.iter().map(move |key| ((&*user.name, &*key.id), (user, key))));
    keys.collect()
}

/// What came out so far.
struct Replay<'e> {
    new: &'e Engine,
    old: Option<&'e Engine>,
    /// The new policy's keys, if they are looked at.
    keys: Option<Keys<'e>>,
    examples: usize,
    counts: Counts,
    groups: BTreeMap<Group, Flips<'e>>,
}

#[derive(Debug, Default, Serialize)]
struct Counts {
    /// How many records were compared.
    compared: u64,
    /// How many were denied, and are allowed.
    opened: u64,
    /// How many were allowed, and are not.
    closed: u64,
    /// How many could not be compared.
    #[serde(rename = "not_compared")]
    undecided: u64,
    /// How many flips are in no group.
    ungrouped: u64,
}

/// What flips have in common.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    connection: ConnectionId<'static>,
    caller: String,
    is_opened: bool,
    reason: &'static str,
    rule: Option<usize>,
    was: &'static str,
    old_rule: Option<usize>,
}

#[derive(Debug)]
struct Flips<'e> {
    count: u64,
    rule: Option<&'e Rule>,
    old_rule: Option<&'e Rule>,
    /// Of a denial by no rule, the restriction that came nearest to the first path.
    nearest: Option<(usize, &'e Rule)>,
    examples: Vec<Example>,
}

#[derive(Debug)]
struct Example {
    line: u64,
    op: &'static str,
    path: Vec<u8>,
    to: Option<Vec<u8>>,
}

/// A decision, and what is named of it.
#[derive(Clone, Copy)]
struct Verdict<'e> {
    is_allowed: bool,
    reason: &'static str,
    rule: Option<(usize, &'e Rule)>,
}

impl<'e> From<Decision<'e>> for Verdict<'e> {
    fn from(decision: Decision<'e>) -> Self {
        Self {
            is_allowed: decision.is_allowed(),
            reason: decision.reason().code(),
            rule: decision.rule_id().map(|id| id.index()).zip(decision.rule()),
        }
    }
}

impl<'e> Replay<'e> {
    fn add(&mut self, record: &Record<'_>, operation: &Operation<'_>) {
        let full = Caller::with_full_permission(&record.caller);
        let old =
            self.old.map(|old| Verdict::from(old.decide(full, &record.connection, operation)));
        let was = match (record.verdict, old) {
            // Nobody can say what would become of it.
            (None, _) if !record.is_known && self.old.is_some() => return,
            (Some((outcome, reason)), old) => {
                let is_allowed = outcome == Outcome::Allow;
                // The old policy's rule, where it is the one that decided.
                let rule = old.filter(|old| old.is_allowed == is_allowed).and_then(|old| old.rule);
                Verdict { is_allowed, reason, rule }
            }
            (None, Some(old)) => old,
            (None, None) => {
                self.counts.undecided += 1;
                return;
            }
        };
        self.counts.compared += 1;
        let now = self.decide(record, operation);
        if now.is_allowed == was.is_allowed {
            return;
        }
        match now.is_allowed {
            true => self.counts.opened += 1,
            false => self.counts.closed += 1,
        }
        let group = Group {
            connection: record.connection.clone().into_owned(),
            caller: record.caller.clone().into_owned(),
            is_opened: now.is_allowed,
            reason: now.reason,
            rule: now.rule.map(|(n, _)| n),
            was: was.reason,
            old_rule: was.rule.map(|(n, _)| n),
        };
        let is_new = !self.groups.contains_key(&group);
        if is_new && self.groups.len() >= MOST_GROUPS {
            self.counts.ungrouped += 1;
            return;
        }
        let is_explained = is_new && self.groups.len() < MOST_EXPLAINED;
        let nearest = if is_explained { self.nearest(record, operation) } else { None };
        let flips = self.groups.entry(group).or_insert_with(|| Flips {
            count: 0,
            rule: now.rule.map(|(_, rule)| rule),
            old_rule: was.rule.map(|(_, rule)| rule),
            nearest,
            examples: Vec::new(),
        });
        flips.count += 1;
        if flips.examples.len() < self.examples {
            let mut paths = operation.accesses().map(|need| need.path.as_bytes().to_vec());
            flips.examples.push(Example {
                line: record.line,
                op: operation.name(),
                path: paths.next().unwrap_or_default(),
                to: paths.next(),
            });
        }
    }

    /// What the new policy says.
    fn decide(&self, record: &Record<'_>, operation: &Operation<'_>) -> Verdict<'e> {
        match self.caller(record) {
            Some(caller) => self.new.decide(caller, &record.connection, operation).into(),
            None => Verdict { is_allowed: false, reason: UNKNOWN_KEY, rule: None },
        }
    }

    /// Who asked. `None` where the key is no longer there.
    fn caller<'r>(&self, record: &'r Record<'_>) -> Option<Caller<'r>>
    where
        'e: 'r,
    {
        match (&self.keys, &record.key) {
            (Some(keys), Some(key)) => {
                let (user, key) = keys.get(&(&*record.caller, &**key))?;
                Some(Caller::of_key(user, key))
            }
            _ => Some(Caller::with_full_permission(&record.caller)),
        }
    }

    /// The restriction that came nearest, where none matches or none carries the access.
    fn nearest(&self, record: &Record<'_>, operation: &Operation<'_>) -> Option<(usize, &'e Rule)> {
        let explained = self.new.explain(self.caller(record)?, &record.connection, operation);
        let refused = explained.needs.iter().find(|need| need.reason != Some(Reason::Allowed))?;
        refused.nearest(1).first().map(|near| (near.index, near.rule))
    }

    fn write_text(&self, show: usize, output: &mut Output<'_>) -> Result<(), Failure> {
        let out = &mut output.out;
        let mut last = None;
        for (group, flips) in self.groups.iter().take(show) {
            let of = Some((&group.connection, &group.caller));
            if last != of {
                writeln!(out, "{} of {}", group.connection, owner(&group.caller))?;
                last = of;
            }
            let (sign, what) = match group.is_opened {
                true => ("+", "newly allowed"),
                false => ("-", "no longer"),
            };
            writeln!(
                out,
                "  {sign} {} {what}: {}{}, was {}{}",
                flips.count,
                group.reason,
                named(flips.rule),
                group.was,
                named(flips.old_rule)
            )?;
            if let Some((_, rule)) = flips.nearest {
                writeln!(out, "      nearest: {}", rule_text(rule))?;
            }
            for example in &flips.examples {
                let to = example.to.as_ref().map(|to| format!(" -> {}", shown(to)));
                let (line, op, path) = (example.line, example.op, shown(&example.path));
                writeln!(out, "      line {line}: {op} {path}{}", to.unwrap_or_default())?;
            }
        }
        if self.groups.len() > show {
            let more = self.groups.len() - show;
            writeln!(out, "and {more} more groups (`--show`, or all with `--format json`)")?;
        }
        let Counts { compared, opened, closed, .. } = self.counts;
        writeln!(
            out,
            "{} of {compared} decisions flip: {opened} newly allowed, {closed} no longer",
            opened + closed
        )?;
        Ok(())
    }

    fn json<'j>(&'j self, lines: &'j Lines) -> ReplayJson<'j> {
        let group = |(group, flips): (&'j Group, &'j Flips<'e>)| GroupJson {
            connection: group.connection.to_string(),
            caller: &group.caller,
            flip: if group.is_opened { "opened" } else { "closed" },
            count: flips.count,
            reason: group.reason,
            rule: rule_json(group.rule, flips.rule),
            was: group.was,
            old_rule: rule_json(group.old_rule, flips.old_rule),
            nearest: flips.nearest.map(|(id, rule)| RuleJson::new(id, rule)),
            examples: flips.examples.iter().map(ExampleJson::new).collect(),
        };
        ReplayJson {
            log: lines,
            counts: &self.counts,
            groups: self.groups.iter().map(group).collect(),
        }
    }
}

fn owner(caller: &str) -> std::borrow::Cow<'_, str> {
    if caller.is_empty() { "nobody".into() } else { escape(caller) }
}

/// A rule behind its reason.
fn named(rule: Option<&Rule>) -> String {
    rule.map_or(String::new(), |rule| format!(" by {}", rule_text(rule)))
}

fn rule_json(id: Option<usize>, rule: Option<&Rule>) -> Option<RuleJson<'_>> {
    Some(RuleJson::new(id?, rule?))
}

/// The answer of `replay` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct ReplayJson<'j> {
    #[serde(flatten)]
    log: &'j Lines,
    #[serde(flatten)]
    counts: &'j Counts,
    groups: Vec<GroupJson<'j>>,
}

#[derive(Serialize)]
struct GroupJson<'j> {
    connection: String,
    caller: &'j str,
    flip: &'static str,
    count: u64,
    reason: &'static str,
    rule: Option<RuleJson<'j>>,
    was: &'static str,
    old_rule: Option<RuleJson<'j>>,
    nearest: Option<RuleJson<'j>>,
    examples: Vec<ExampleJson>,
}

#[derive(Serialize)]
struct ExampleJson {
    line: u64,
    op: &'static str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

impl ExampleJson {
    fn new(example: &Example) -> Self {
        let text = |bytes: &[u8]| text_of(bytes).0.into_owned();
        Self {
            line: example.line,
            op: example.op,
            path: text(&example.path),
            to: example.to.as_deref().map(text),
        }
    }
}
