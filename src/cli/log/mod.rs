//! Reading what was decided, or is to be: the log of `serve`, the answers of `check`, and plain lists.
//!
//! Nothing is dropped in silence: what is no record is counted, and what looks like one and cannot be read
//! is named with its line.

mod line;

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use clap::Args;
use serde::Serialize;

use self::line::{Fields, Line};
use super::{
    exit::Exit,
    output::{Failure, Format, Output},
    question::{known_operation, operation},
    records::Records,
    tally::CODES,
};
use crate::{
    engine::{Operation, Outcome},
    escape::escape,
    policy::{ConnectionId, Policy},
};

/// How many lines that cannot be read are named.
const NAMED_LINES: usize = 10;

/// Where the log is, and what its lines leave out.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The log, or `-` for standard input: what `serve --log-format json` logs, what `check --batch`
    /// answers (as text or JSON), or lines of OP, a space or tab and a path or URI
    #[arg(long, value_name = "FILE|-")]
    log: PathBuf,

    /// The connection of lines that name none; may be left out when there is but one
    #[arg(long, value_name = "CONNECTION")]
    connection: Option<String>,

    /// The caller of lines that name none; may be left out when one owner alone has the connection
    #[arg(long = "as", value_name = "OWNER")]
    caller: Option<String>,

    /// The operation of lines that are a path or URI alone
    #[arg(long, value_name = "OP")]
    op: Option<String>,

    /// The log is separated by NUL bytes instead of line feeds
    #[arg(long, short = '0')]
    null: bool,

    /// Do not exit with 2 if a line cannot be read
    #[arg(long)]
    ignore_invalid: bool,
}

/// One line that was read, but for its paths.
#[derive(Debug)]
pub(super) struct Record<'l> {
    /// Its line, from 1.
    pub(super) line: u64,
    pub(super) connection: ConnectionId<'l>,
    /// Empty when nobody has such a connection.
    pub(super) caller: Cow<'l, str>,
    /// The API key that it came with.
    pub(super) key: Option<Cow<'l, str>>,
    /// What was decided, allow or deny, and the code of the reason: if that is said.
    pub(super) verdict: Option<(Outcome, &'static str)>,
}

/// What became of the lines.
#[derive(Debug, Default, Serialize)]
pub(super) struct Lines {
    lines: u64,
    pub(super) records: u64,
    /// No decisions, such as other lines of the same log.
    other: u64,
    /// Malformed when they were decided: there is nothing to decide.
    invalid: u64,
    malformed: u64,
    malformed_lines: Vec<Malformed>,
}

#[derive(Debug, Serialize)]
struct Malformed {
    line: u64,
    message: String,
}

/// Why a line is no record.
enum Refusal {
    /// It cannot be read.
    Line(String),
    /// Nor can any like it.
    All(Failure),
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self::Line(message)
    }
}

/// Who has which connections.
struct Owners<'p> {
    by_id: HashMap<String, Option<&'p str>>,
    /// The only connection there is.
    only: Option<ConnectionId<'p>>,
}

impl<'p> Owners<'p> {
    fn new(policies: &[&'p Policy]) -> Self {
        let mut by_id: HashMap<String, Option<&'p str>> = HashMap::new();
        let mut named: Vec<&'p ConnectionId<'static>> = Vec::new();
        for connection in policies.iter().flat_map(|policy| policy.connections()) {
            let id = connection.id();
            if named.len() < 2 && !named.contains(&id) {
                named.push(id);
            }
            let bare = connection.is_default().then(|| id.protocol().name().to_owned());
            for id in [id.to_string()].into_iter().chain(bare) {
                let owner = connection.owner();
                let known = by_id.entry(id).or_insert(Some(owner));
                *known = known.filter(|known| *known == owner);
            }
        }
        let only = match named[..] {
            [only] => Some(only.clone()),
            _ => None,
        };
        Self { by_id, only }
    }

    /// The one who can be meant; the empty name, which owns nothing, where nobody has it.
    fn of(&self, id: &ConnectionId<'_>) -> Result<&'p str, Failure> {
        match self.by_id.get(&id.to_string()) {
            Some(Some(owner)) => Ok(owner),
            Some(None) => Err(Failure::question(format!(
                "several owners have a connection `{id}`, and the log does not say who asked: say \
                 whose is meant with `--as OWNER`"
            ))),
            None => Ok(""),
        }
    }
}

impl LogArgs {
    /// Reads all lines. What a line leaves out is taken from the options and from these policies.
    ///
    /// Memory does not grow with the log.
    pub(super) fn read(
        &self,
        policies: &[&Policy],
        output: &mut Output<'_>,
        mut each: impl FnMut(&Record<'_>, &Operation<'_>),
    ) -> Result<Lines, Failure> {
        self.op.as_deref().map_or(Ok(()), known_operation)?;
        let owners = Owners::new(policies);
        let given = self.connection.as_deref().map(|text| id_of(text.into())).transpose();
        let default = given.map_err(Failure::question)?.or_else(|| owners.only.clone());
        let unreadable = |error: io::Error| Failure::file("cannot read", &self.log, &error);
        let input: Box<dyn Read> = match self.log.as_os_str() == "-" {
            true => Box::new(io::stdin().lock()),
            false => Box::new(File::open(&self.log).map_err(unreadable)?),
        };
        let mut records = Records::new(input, if self.null { 0 } else { b'\n' });
        let mut lines = Lines::default();
        loop {
            while let Some(line) = records.next() {
                lines.lines += 1;
                match Line::parse(line, self.op.as_deref()) {
                    Ok(Line::Record(fields)) => {
                        let number = lines.lines;
                        match self.record(number, fields, default.as_ref(), &owners, &mut each) {
                            Ok(()) => lines.records += 1,
                            Err(Refusal::Line(message)) => lines.malformed(message, output),
                            Err(Refusal::All(failure)) => return Err(failure),
                        }
                    }
                    Ok(Line::Invalid) => lines.invalid += 1,
                    Ok(Line::Other) => lines.other += 1,
                    Ok(Line::Blank) => {}
                    Err(message) => lines.malformed(message, output),
                }
            }
            if records.fill().map_err(unreadable)?.is_none() {
                break;
            }
        }
        if lines.malformed > NAMED_LINES as u64 {
            let more = lines.malformed - NAMED_LINES as u64;
            output.note(format_args!("and {more} more lines that cannot be read"))?;
        }
        Ok(lines)
    }

    /// What lines that cannot be read make of an exit code that is fine otherwise.
    pub(super) fn exit(&self, lines: &Lines) -> Exit {
        if lines.malformed > 0 && !self.ignore_invalid { Exit::Question } else { Exit::Fine }
    }

    /// Fills in what a line leaves out.
    fn record<'l>(
        &'l self,
        line: u64,
        fields: Fields<'l>,
        default: Option<&ConnectionId<'l>>,
        owners: &Owners<'l>,
        each: &mut impl FnMut(&Record<'_>, &Operation<'_>),
    ) -> Result<(), Refusal> {
        let operation = operation(&fields.op, &fields.path, fields.to.as_deref());
        let operation = operation.map_err(|refused| refused.to_string())?;
        let connection = match (fields.connection, default) {
            (Some(id), _) => id_of(id)?,
            (None, Some(id)) => id.clone(),
            (None, None) => {
                let message =
                    "the log does not say of which connection: say it with `--connection`";
                return Err(Refusal::All(Failure::question(message)));
            }
        };
        let caller = match (fields.caller, &self.caller) {
            (Some(caller), _) => caller,
            (None, Some(caller)) => Cow::Borrowed(&**caller),
            (None, None) => Cow::Borrowed(owners.of(&connection).map_err(Refusal::All)?),
        };
        let verdict = fields.verdict.map(|(outcome, reason)| (outcome, code_of(&reason)));
        let key = fields.key;
        each(&Record { line, connection, caller, key, verdict }, &operation);
        Ok(())
    }
}

impl Lines {
    fn malformed(&mut self, message: String, output: &mut Output<'_>) {
        self.malformed += 1;
        if self.malformed_lines.len() < NAMED_LINES {
            let line = self.lines;
            if output.format == Format::Text {
                // Where nobody reads remarks, the lines are counted all the same.
                drop(writeln!(output.err, "line {line}: {message}"));
            }
            self.malformed_lines.push(Malformed { line, message });
        }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines: {} records", self.lines, self.records)?;
        for (count, what) in [
            (self.invalid, "malformed when they were decided"),
            (self.other, "no decisions"),
            (self.malformed, "that cannot be read"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

/// The code, if it is one of ours: a log may say what it likes.
fn code_of(reason: &str) -> &'static str {
    let known = CODES.into_iter().map(|(_, code)| code).find(|code| *code == reason);
    known.unwrap_or("other")
}

fn id_of(id: Cow<'_, str>) -> Result<ConnectionId<'_>, String> {
    let wrong = |id: &str, error| format!("`{}` names no connection: {error}", escape(id));
    match id {
        Cow::Borrowed(id) => ConnectionId::parse(id).map_err(|error| wrong(id, error)),
        Cow::Owned(id) => match ConnectionId::parse(&id) {
            Ok(parsed) => Ok(parsed.into_owned()),
            Err(error) => Err(wrong(&id, error)),
        },
    }
}
