//! How many answers of a batch were what.

use std::{io::Write, time::Duration};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    answer::Answer,
    output::{Failure, Format, outcome_name, write_json},
    question::Refused,
};
use crate::{
    engine::{Outcome, Reason},
    path::PathError,
};

/// Every reason code, in the order of a summary.
pub(super) const CODES: [(Outcome, &str); 10] = [
    (Outcome::Allow, Reason::Allowed.code()),
    (Outcome::Deny, Reason::NoMatch.code()),
    (Outcome::Deny, Reason::Access.code()),
    (Outcome::Deny, Reason::Rule.code()),
    (Outcome::Deny, Reason::UnknownConnection.code()),
    (Outcome::Deny, Reason::KeyPermission.code()),
    (Outcome::Deny, Reason::Acl.code()),
    (Outcome::Invalid, Reason::InvalidPath.code()),
    (Outcome::Invalid, Reason::InvalidOperation.code()),
    (Outcome::Invalid, INVALID_ENCODING),
];

const INVALID_ENCODING: &str = PathError::NotUtf8 { at: 0 }.code();

/// Counts by reason.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: [u64; CODES.len()],
    lines: u64,
}

impl Tally {
    pub(super) fn count(&mut self, answer: &Answer<'_>) {
        self.lines += 1;
        self.counts[slot(answer)] += 1;
    }

    /// How many answers were counted.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// How many had this outcome.
    pub(super) fn of(&self, outcome: Outcome) -> u64 {
        CODES.iter().zip(self.counts).filter(|(code, _)| code.0 == outcome).map(|(_, n)| n).sum()
    }

    /// Writes the summary.
    pub(super) fn write(
        &self,
        format: Format,
        took: Duration,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let seconds = took.as_secs_f64();
        let per_second = (self.lines as f64 / seconds.max(1e-9)) as u64;
        let present = CODES.iter().zip(self.counts).filter(|(_, count)| *count > 0);
        let [allow, deny, invalid] =
            [Outcome::Allow, Outcome::Deny, Outcome::Invalid].map(|outcome| self.of(outcome));
        match format {
            Format::Text => {
                writeln!(
                    out,
                    "{} lines: {allow} allow, {deny} deny, {invalid} invalid; \
                     {seconds:.2} s, {per_second} a second",
                    self.lines
                )?;
                for ((outcome, code), count) in present {
                    writeln!(out, "{count:>12}  {:<7}  {code}", outcome_name(*outcome))?;
                }
            }
            Format::Json => {
                let reasons = present.map(|((_, code), n)| ((*code).to_owned(), Value::from(n)));
                let summary = SummaryJson {
                    lines: self.lines,
                    allow,
                    deny,
                    invalid,
                    reasons: reasons.collect(),
                    seconds,
                    per_second,
                };
                #[derive(Serialize)]
                struct Outer {
                    summary: SummaryJson,
                }
                write_json(&mut *out, &Outer { summary })?;
                out.write_all(b"\n")?;
            }
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct SummaryJson {
    lines: u64,
    allow: u64,
    deny: u64,
    invalid: u64,
    reasons: Map<String, Value>,
    seconds: f64,
    per_second: u64,
}

/// The place of an answer's reason among [`CODES`].
fn slot(answer: &Answer<'_>) -> usize {
    match answer {
        Answer::Decided(decision) => match decision.reason() {
            Reason::Allowed => 0,
            Reason::NoMatch => 1,
            Reason::Access => 2,
            Reason::Rule => 3,
            Reason::UnknownConnection => 4,
            Reason::KeyPermission => 5,
            Reason::Acl => 6,
            Reason::InvalidPath => 7,
            Reason::InvalidOperation => 8,
        },
        Answer::Refused(
            Refused::Operation | Refused::Line | Refused::Connection | Refused::Missing(_),
        ) => 8,
        Answer::Refused(
            Refused::Path(PathError::NotUtf8 { .. }) | Refused::End(_, PathError::NotUtf8 { .. }),
        ) => 9,
        Answer::Refused(Refused::Path(_) | Refused::End(..)) => 7,
    }
}
