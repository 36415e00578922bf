//! `pathward diff`: what does a new policy allow that the old one did not?

use std::{collections::HashMap, ffi::OsString};

use clap::Args;
use serde::Serialize;

use super::{
    exit::Exit,
    output::{Failure, Format, Output, RuleJson, escape_bytes, rule_text, text_of, text_of_ids},
    revision::load,
};
use crate::{
    access::{Access, AccessSet},
    analysis::{self, Cause, Change, ConnectionDiff, Extent, KeyDiff, PolicyDiff, States},
    automaton::Effect,
    escape::escape,
    policy::{Connection, Rule},
};

/// The most changes of one connection that the JSON lists each way; the totals count all.
const MOST_JSON: usize = 10_000;

/// Compares two policies: which paths are newly allowed, and which no longer.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward diff old.yaml new.yaml
  pathward diff git:origin/main:policies policies --no-new-access

A policy is a file, a folder, or one of them in git: `git:REV:PATH`. Each change is named by the
restriction (or deny) that only one of the two has, whether all that it matches has changed or a part,
and the shortest path that has. Other spellings of the same paths are no difference.

With `--no-new-access`, or as `check-no-new-access`, exit code 4 says that somebody may do something that
they might not: a path is newly allowed, a connection has other credentials or another endpoint, or
an API key is new or may do more.

Exit codes: 0 compared (with the gate: nothing new), 4 new access, 1 not decided within the budget, 3 a
policy does not load.")]
pub struct DiffArgs {
    /// The old policy
    #[arg(value_name = "OLD")]
    old: OsString,

    /// The new policy
    #[arg(value_name = "NEW")]
    new: OsString,

    /// End with exit code 4 if anything is newly allowed
    #[arg(long)]
    no_new_access: bool,

    /// How many changes of a connection are shown each way
    #[arg(long, value_name = "N", default_value_t = 40)]
    show: usize,

    /// How many states a question may visit before it is given up
    #[arg(long, value_name = "N", default_value_t = States::default().most())]
    states: usize,
}

pub(super) fn run(
    args: &DiffArgs,
    is_gate: bool,
    output: &mut Output<'_>,
) -> Result<Exit, Failure> {
    let (old, new) = (load(&args.old)?, load(&args.new)?);
    let diff = analysis::diff(&old, &new, States::new(args.states));
    let is_gate = is_gate || args.no_new_access;
    output.decided = match (is_gate && diff.opens(), diff.undecided()) {
        (true, _) => Exit::Findings,
        (false, 0) => Exit::Fine,
        (false, _) => Exit::Error,
    };
    match output.format {
        Format::Text => write_text(&diff, args, output)?,
        Format::Json => output.json(&DiffJson::new(&diff))?,
    }
    output.note_undecided(diff.undecided(), args.states)?;
    Ok(output.decided)
}

fn write_text(
    diff: &PolicyDiff<'_>,
    args: &DiffArgs,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let out = &mut output.out;
    for connection in &diff.connections {
        let (named, kind) = named(connection);
        let kind = match kind {
            "changed" => "",
            "added" => ", a new connection",
            _ => ", which is gone",
        };
        writeln!(out, "{} of {}{kind}", named.id(), escape(named.owner()))?;
        for setting in &connection.settings {
            let (old, new) = (escape(&setting.old), escape(&setting.new));
            writeln!(out, "  ! {}: {old} -> {new}", setting.field)?;
        }
        for (sign, changes) in [('+', &connection.opened), ('-', &connection.closed)] {
            for change in changes.iter().take(args.show) {
                writeln!(out, "  {sign} {}", line(change, sign == '+'))?;
            }
            if changes.len() > args.show {
                let more = changes.len() - args.show;
                writeln!(out, "  {sign} and {more} more (`--show`, or all with `--format json`)")?;
            }
        }
        writeln!(out)?;
    }
    for key in &diff.keys {
        let access = |access: Option<AccessSet>| access.map_or("none".into(), |a| a.to_string());
        let other = if key.is_other { ", another key" } else { "" };
        let manage = match key.manage {
            [false, true] => ", and manages connections",
            [true, false] if key.new.is_some() => ", and manages connections no longer",
            _ => "",
        };
        let reach = match key.reach {
            [Some(old), Some(new)] if old != new => format!(", reaches {new}, reached {old}"),
            [None, Some(new)] if new.named().is_some() => format!(", reaches {new}"),
            _ => String::new(),
        };
        writeln!(
            out,
            "! key {} of {}: {} -> {}{other}{reach}{manage}",
            escape(key.id),
            escape(key.user),
            access(key.old),
            access(key.new)
        )?;
    }
    let count =
        |of: fn(&ConnectionDiff<'_>) -> usize| diff.connections.iter().map(of).sum::<usize>();
    let (opened, closed) = (count(|c| c.opened.len()), count(|c| c.closed.len()));
    match diff.is_empty() {
        true => writeln!(out, "no difference: both allow the same")?,
        false => writeln!(out, "{opened} newly allowed, {closed} no longer")?,
    }
    Ok(())
}

/// The connection as the newer of the policies has it, and what became of it.
fn named<'p>(diff: &ConnectionDiff<'p>) -> (&'p Connection, &'static str) {
    match (diff.old, diff.new) {
        (Some(_), Some(new)) => (new, "changed"),
        (None, Some(new)) => (new, "added"),
        (Some(old), None) => (old, "removed"),
        (None, None) => unreachable!("a connection is in one of the policies"),
    }
}

fn line(change: &Change<'_>, is_opened: bool) -> String {
    let path = escape_bytes(change.witness.as_bytes());
    let (why, rule) = match change.cause {
        Cause::Keys if is_opened => {
            return format!("{}  `keys` refuses no longer paths such as {path}", change.access);
        }
        Cause::Keys => return format!("{}  `keys` refuses paths such as {path}", change.access),
        Cause::Rule(rule) => match (rule.effect, is_opened) {
            (Effect::Deny, true) => ("no longer denied: ", rule),
            (Effect::Deny, false) => ("now denied: ", rule),
            (Effect::Allow, _) => ("", rule),
        },
    };
    let extent = match change.extent {
        Extent::Whole => "all of it",
        Extent::Part => "a part of it",
    };
    format!("{}  {why}{}, {extent}, such as {path}", change.access, rule_text(rule))
}

/// The answer of `diff` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct DiffJson<'j> {
    equal: bool,
    new_access: bool,
    undecided: usize,
    connections: Vec<ConnectionJson<'j>>,
    keys: Vec<KeyJson<'j>>,
}

#[derive(Serialize)]
struct ConnectionJson<'j> {
    connection: String,
    owner: &'j str,
    change: &'static str,
    settings: Vec<SettingJson<'j>>,
    opened_total: usize,
    closed_total: usize,
    opened: Vec<ChangeJson<'j>>,
    closed: Vec<ChangeJson<'j>>,
    undecided: usize,
}

#[derive(Serialize)]
struct SettingJson<'j> {
    field: &'static str,
    old: &'j str,
    new: &'j str,
    new_access: bool,
}

#[derive(Serialize)]
struct ChangeJson<'j> {
    access: Vec<&'static str>,
    cause: &'static str,
    rule: Option<RuleJson<'j>>,
    extent: &'static str,
    witness: String,
}

#[derive(Serialize)]
struct KeyJson<'j> {
    user: &'j str,
    id: &'j str,
    old: Option<Vec<&'static str>>,
    new: Option<Vec<&'static str>>,
    other: bool,
    manage: bool,
    connections: Option<Vec<String>>,
    new_access: bool,
}

impl<'j> DiffJson<'j> {
    fn new(diff: &'j PolicyDiff<'j>) -> Self {
        Self {
            equal: diff.is_empty(),
            new_access: diff.opens(),
            undecided: diff.undecided(),
            connections: diff.connections.iter().map(ConnectionJson::new).collect(),
            keys: diff.keys.iter().map(KeyJson::new).collect(),
        }
    }
}

impl<'j> ConnectionJson<'j> {
    fn new(diff: &'j ConnectionDiff<'j>) -> Self {
        let (connection, change) = named(diff);
        // A rule's id is its place in its own connection.
        let rules = [diff.old, diff.new].into_iter().flatten().map(Connection::rules);
        let ids: HashMap<*const Rule, usize> = rules
            .flat_map(|rules| rules.iter().map(std::ptr::from_ref).enumerate())
            .map(|(n, rule)| (rule, n))
            .collect();
        let changes = |all: &'j [Change<'j>]| {
            all.iter().take(MOST_JSON).map(|change| ChangeJson::new(change, &ids)).collect()
        };
        let settings = diff.settings.iter().map(|setting| SettingJson {
            field: setting.field,
            old: &setting.old,
            new: &setting.new,
            new_access: setting.is_place,
        });
        Self {
            connection: connection.id().to_string(),
            owner: connection.owner(),
            change,
            settings: settings.collect(),
            opened_total: diff.opened.len(),
            closed_total: diff.closed.len(),
            opened: changes(&diff.opened),
            closed: changes(&diff.closed),
            undecided: diff.undecided,
        }
    }
}

impl<'j> ChangeJson<'j> {
    fn new(change: &'j Change<'j>, ids: &HashMap<*const Rule, usize>) -> Self {
        let rule = match change.cause {
            Cause::Rule(rule) => Some(rule),
            Cause::Keys => None,
        };
        let id = |rule: &Rule| ids.get(&std::ptr::from_ref(rule)).copied();
        Self {
            access: change.access.iter().map(Access::name).collect(),
            cause: match rule.map(|rule| rule.effect) {
                Some(Effect::Allow) => "restriction",
                Some(Effect::Deny) => "deny",
                None => "keys",
            },
            rule: rule.and_then(|rule| Some(RuleJson::new(id(rule)?, rule))),
            extent: match change.extent {
                Extent::Whole => "whole",
                Extent::Part => "part",
            },
            witness: text_of(change.witness.as_bytes()).0.into_owned(),
        }
    }
}

impl<'j> KeyJson<'j> {
    fn new(key: &'j KeyDiff<'j>) -> Self {
        let names = |access: AccessSet| access.iter().map(Access::name).collect();
        Self {
            user: key.user,
            id: key.id,
            old: key.old.map(names),
            new: key.new.map(names),
            other: key.is_other,
            manage: key.manage[1],
            connections: key.reach[1].and_then(|reach| reach.named().map(text_of_ids)),
            new_access: key.opens(),
        }
    }
}
