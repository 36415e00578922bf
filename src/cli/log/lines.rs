//! What became of the lines of a log.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Serialize, Serializer};

use super::{
    super::{
        output::{Failure, Format as Answer, Output},
        validate::plural,
    },
    event::Format,
};
use crate::{engine::Outcome, escape::escape, policy::ConnectionId};

/// How many lines that cannot be read, connections or operations are named.
pub(super) const NAMED: usize = 10;
/// How many connections that nobody has, and operations that are left out, are told apart.
const MOST_KINDS: usize = 1_000;

/// What became of the lines.
#[derive(Debug, Default, Serialize)]
pub(in super::super) struct Lines {
    pub(super) lines: u64,
    pub(in super::super) records: u64,
    /// No decisions, such as other lines of the same log.
    pub(super) other: u64,
    /// Malformed when they were decided: there is nothing to decide.
    pub(super) invalid: u64,
    pub(super) malformed: u64,
    malformed_lines: Vec<Malformed>,
    /// Whose logs were read, beside ours.
    #[serde(serialize_with = "names")]
    pub(super) formats: BTreeSet<Format>,
    /// Operations in others' logs that no connection gives.
    left_out: u64,
    left_out_operations: Vec<LeftOut>,
    #[serde(skip)]
    kinds: BTreeMap<(Format, String), u64>,
    /// Keys that could be read in two ways.
    #[serde(rename = "decoded_twice")]
    pub(super) guessed: u64,
    /// Records of connections that their callers do not have, and that were not denied for that.
    pub(super) unknown_connections: Vec<Unknown>,
    #[serde(skip)]
    unknown: BTreeMap<(String, String), u64>,
    /// Those of them that were not denied: what they would be is not known.
    #[serde(skip)]
    pub(super) lost: u64,
}

#[derive(Debug, Serialize)]
struct Malformed {
    line: u64,
    message: String,
}

#[derive(Debug, Serialize)]
struct LeftOut {
    operation: String,
    count: u64,
}

/// A connection that nobody has.
#[derive(Debug, Serialize)]
pub(super) struct Unknown {
    pub(super) connection: String,
    pub(super) caller: String,
    pub(super) count: u64,
}

fn names<S: Serializer>(formats: &BTreeSet<Format>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(formats.iter().map(|format| format.name()))
}

impl Lines {
    pub(super) fn malformed(&mut self, message: String, output: &mut Output<'_>) {
        self.malformed += 1;
        if self.malformed_lines.len() < NAMED {
            let line = self.lines;
            if output.format == Answer::Text {
                // Where nobody reads remarks, the lines are counted all the same.
                drop(writeln!(output.err, "line {line}: {message}"));
            }
            self.malformed_lines.push(Malformed { line, message });
        }
    }

    pub(super) fn skipped(&mut self, format: Format, what: String) {
        self.left_out += 1;
        self.formats.insert(format);
        if self.kinds.len() < MOST_KINDS || self.kinds.contains_key(&(format, what.clone())) {
            *self.kinds.entry((format, what)).or_default() += 1;
        }
    }

    pub(super) fn unknown(
        &mut self,
        connection: &ConnectionId<'_>,
        caller: &str,
        verdict: Option<Outcome>,
    ) {
        self.lost += u64::from(verdict != Some(Outcome::Deny));
        let one = (connection.to_string(), caller.to_owned());
        if self.unknown.len() < MOST_KINDS || self.unknown.contains_key(&one) {
            *self.unknown.entry(one).or_default() += 1;
        }
    }

    /// All lines are read: says what of them is no record.
    pub(super) fn end(&mut self, output: &mut Output<'_>) -> Result<(), Failure> {
        let mut operations: Vec<LeftOut> = std::mem::take(&mut self.kinds)
            .into_iter()
            .map(|((_, operation), count)| LeftOut { operation, count })
            .collect();
        operations.sort_by(|a, b| (b.count, &a.operation).cmp(&(a.count, &b.operation)));
        self.left_out_operations = operations;
        let unknown = std::mem::take(&mut self.unknown).into_iter();
        self.unknown_connections = unknown
            .map(|((connection, caller), count)| Unknown { connection, caller, count })
            .collect();
        if self.malformed > NAMED as u64 {
            let more = self.malformed - NAMED as u64;
            output.note(format_args!("and {more} more lines that cannot be read"))?;
        }
        for format in &self.formats {
            output.note(format_args!("read as {}", format.title()))?;
        }
        if self.left_out > 0 {
            let operations = self.left_out_operations.iter().take(NAMED);
            let mut named: Vec<String> =
                operations.map(|one| format!("{} {}", one.count, escape(&one.operation))).collect();
            if self.left_out_operations.len() > NAMED {
                named.push("…".to_owned());
            }
            output.note(format_args!(
                "{} left out, which no connection gives or which failed: {}",
                plural(self.left_out, "operation"),
                named.join(", ")
            ))?;
        }
        if self.guessed > 0 {
            output.note(format_args!(
                "{} read as percent-encoded twice, as this log mostly has them: nothing in their lines tells",
                plural(self.guessed, "key")
            ))?;
        }
        Ok(())
    }

    /// Why nothing was decided, where nothing was.
    pub(super) fn nothing(&self) -> String {
        let all = plural(self.lines, "line");
        match (self.lines, self.records) {
            (0, _) => "the log is empty".to_owned(),
            (_, 0) => format!("of {all} none is a decision, or a question that can be decided"),
            _ => "all records are of connections that nobody has".to_owned(),
        }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines: {} records", self.lines, self.records)?;
        for (count, what) in [
            (self.invalid, "malformed when they were decided"),
            (self.other, "no decisions"),
            (self.left_out, "left out"),
            (self.malformed, "that cannot be read"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}
