//! Reading what was decided, or is to be: the log of `serve`, the answers of `check`, plain lists, and the logs of
//! AWS and of other servers.
//!
//! Nothing is dropped in silence: what is no record is counted, what looks like one and cannot be read is named with
//! its line, and what nobody has is told by connection.
//!
//! * `line`: one line of ours. `access`, `foreign`: one of another's; `event`: what it is here.
//! * `document`: JSON that is not a line each. `other`: formats that are known and not read.
//! * `owners`: who has which connections. `lines`: what became of all lines.

mod access;
mod document;
mod event;
mod foreign;
mod line;
mod lines;
pub(super) mod other;
mod owners;

use std::{
    borrow::Cow,
    collections::HashMap,
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use clap::Args;

pub(super) use self::lines::Lines;
use self::{
    event::{ALLOWED, DENIED},
    line::{Fields, Line},
    owners::Owners,
};
use super::{
    chosen::unknown,
    exit::Exit,
    output::{Failure, Output},
    question::{known_operation, operation},
    records::Records,
    tally::CODES,
};
use crate::{
    engine::{Caller, Operate, Operation, Outcome, Reason, Withdrawn},
    escape::escape,
    policy::{ConnectionId, Policy},
};

/// How many requests are remembered whose read came to nothing; what is beyond is forgotten.
const REMEMBERED: usize = 4_096;

/// Where the log is, and what its lines leave out.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The log, or `-` for standard input: what `serve --log-format json` logs, what `check --batch`
    /// answers (as text or JSON), or lines of OP, a space or tab and a path or URI. Also the S3 server access log,
    /// CloudTrail (data events), MinIO's audit log and the operations log of Ceph's gateway
    #[arg(long, value_name = "FILE|-")]
    log: PathBuf,

    /// The connection of lines that name none, and of `s3://` where nobody has a default one; may be left out when
    /// there is but one
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

    /// Do not exit with 2 if a line cannot be read, or is of a connection that nobody has
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
    /// Whether the caller has such a connection, in one of the policies.
    pub(super) is_known: bool,
    /// The API key that it came with.
    pub(super) key: Option<Cow<'l, str>>,
    /// What was decided, allow or deny, and the code of the reason: if that is said.
    pub(super) verdict: Option<(Outcome, &'static str)>,
    /// Whether it was allowed, and nothing was there.
    pub(super) is_missing: bool,
    /// Whether it is the listing that stood in for a read of the same name, which was denied or found nothing.
    pub(super) stands_in: bool,
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

/// A log while it is read.
struct Reading<'r, 'p, 'o> {
    args: &'r LogArgs,
    owners: Owners<'p>,
    default: Option<ConnectionId<'p>>,
    lines: Lines,
    each: &'r mut dyn FnMut(&Record<'_>, &Operation<'_>),
    output: &'r mut Output<'o>,
    /// The paths of reads that were denied or found nothing, by their requests.
    vain: HashMap<String, Vec<u8>>,
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
        let given = given.map_err(Failure::question)?.map(ConnectionId::into_owned);
        let default = given.or_else(|| owners.only());
        let input: Box<dyn Read> = match self.log.as_os_str() == "-" {
            true => Box::new(io::stdin().lock()),
            false => Box::new(
                File::open(&self.log)
                    .map_err(|error| Failure::file("cannot read", &self.log, &error))?,
            ),
        };
        let mut reading = Reading {
            args: self,
            owners,
            default,
            lines: Lines::default(),
            each: &mut each,
            output,
            vain: HashMap::new(),
        };
        let unreadable = |error: super::records::Unreadable| error.failure(&self.log);
        let mut records = Records::new(input, if self.null { 0 } else { b'\n' });
        let mut more = records.fill().map_err(unreadable)?.is_some();
        let document = document::of(records.start()).filter(|_| !self.null);
        if let Some(document) = document {
            let mut take = |record: &[u8]| {
                if let Err(message) = reading.take(line::json(record))? {
                    reading.lines.malformed(message, reading.output);
                }
                Ok(())
            };
            document::read(document, records.into_input(), &mut take)
                .map_err(|error| error.unwrap_or_else(Failure::question))?;
            return reading.end(policies);
        }
        while more {
            while let Some(line) = records.next() {
                reading.line(line)?;
            }
            more = records.fill().map_err(unreadable)?.is_some();
        }
        reading.end(policies)
    }

    /// What the lines make of an exit code that is fine otherwise, of which so many were decided. Nothing is no
    /// success, which is said.
    pub(super) fn exit(
        &self,
        lines: &Lines,
        decided: u64,
        output: &mut Output<'_>,
    ) -> Result<Exit, Failure> {
        if decided == 0 {
            output.note(format_args!("nothing was decided: {}", lines.nothing()))?;
            return Ok(Exit::Question);
        }
        let is_wrong = lines.malformed > 0 || lines.lost > 0;
        Ok(if is_wrong && !self.ignore_invalid { Exit::Question } else { Exit::Fine })
    }
}

impl Reading<'_, '_, '_> {
    fn line(&mut self, line: &[u8]) -> Result<(), Failure> {
        let Err(mut message) = self.take(Line::parse(line, self.args.op.as_deref()))? else {
            return Ok(());
        };
        if let Some(format) = other::known(line) {
            return Err(Failure::question(format!("line {}: {format}", self.lines.lines)));
        }
        if let Some(help) = other::ends(line) {
            message = format!("{message}: {help}");
        }
        self.lines.malformed(message, self.output);
        Ok(())
    }

    /// Counts a line, or says why it cannot be read.
    fn take(&mut self, line: Result<Line<'_>, String>) -> Result<Result<(), String>, Failure> {
        self.lines.lines += 1;
        match line {
            Ok(Line::Record(fields)) => match self.record(fields) {
                Ok(()) => self.lines.records += 1,
                Err(Refusal::Line(message)) => return Ok(Err(message)),
                Err(Refusal::All(failure)) => return Err(failure),
            },
            Ok(Line::Invalid) => self.lines.invalid += 1,
            Ok(Line::Other) => self.lines.other += 1,
            Ok(Line::Skipped(format, what)) => self.lines.skipped(format, what),
            Ok(Line::Blank) => {}
            Err(message) => return Ok(Err(message)),
        }
        Ok(Ok(()))
    }

    /// Fills in what a line leaves out.
    fn record(&mut self, fields: Fields<'_>) -> Result<(), Refusal> {
        let operation = operation(&fields.op, &fields.path, fields.to.as_deref());
        let operation = operation.map_err(|refused| refused.to_string())?;
        let verdict = fields.verdict.map(|(outcome, reason)| (outcome, code_of(&reason)));
        let was_unknown =
            verdict.is_some_and(|(_, reason)| reason == Reason::UnknownConnection.code());
        let given = fields.caller.as_deref().or(self.args.caller.as_deref());
        let connection = match (fields.connection, &self.default) {
            (Some(id), default) => {
                let id = id_of(id)?;
                // `s3://` is what everybody writes: where nobody has a default connection, one alone can be meant.
                match default {
                    Some(meant)
                        if id.label().is_none()
                            && id.protocol() == meant.protocol()
                            && !was_unknown
                            && !self.owners.have_default(&id, given) =>
                    {
                        meant.clone()
                    }
                    _ => id,
                }
            }
            (None, Some(id)) => id.clone(),
            (None, None) => {
                let message =
                    "the log does not say of which connection: say it with `--connection`";
                return Err(Refusal::All(Failure::question(message)));
            }
        };
        let caller: Cow<'_, str> = match given {
            Some(caller) => caller.into(),
            None => self.owners.of(&connection).map_err(Refusal::All)?.into(),
        };
        let is_known = self.owners.has(&caller, &connection);
        if !is_known && !was_unknown {
            self.lines.unknown(&connection, &caller, verdict.map(|(outcome, _)| outcome));
        }
        let stands_in = self.stands_in(&fields.request, &operation, verdict, fields.is_missing);
        self.lines.guessed += u64::from(fields.is_guessed);
        self.lines.formats.extend(fields.format);
        let line = self.lines.lines;
        let (key, is_missing) = (fields.key, fields.is_missing);
        let record =
            Record { line, connection, caller, is_known, key, verdict, is_missing, stands_in };
        (self.each)(&record, &operation);
        Ok(())
    }

    /// Whether an operation is the listing that stood in for a read of the same request.
    fn stands_in(
        &mut self,
        request: &Option<Cow<'_, str>>,
        operation: &Operation<'_>,
        verdict: Option<(Outcome, &'static str)>,
        is_missing: bool,
    ) -> bool {
        let Some(request) = request else { return false };
        let path = operation.accesses().next().map(|need| need.path.as_bytes().to_vec());
        let path = path.unwrap_or_default();
        let was_denied = verdict.is_some_and(|(outcome, _)| outcome == Outcome::Deny);
        match operation.name() {
            "read" | "stat" if was_denied || is_missing => {
                if self.vain.len() >= REMEMBERED {
                    self.vain.clear();
                }
                self.vain.insert(request.clone().into_owned(), path);
                false
            }
            "list" => {
                let bare = path.strip_suffix(b"/").unwrap_or(&path);
                self.vain.get(&**request).is_some_and(|of| of == bare)
            }
            _ => false,
        }
    }

    fn end(self, policies: &[&Policy]) -> Result<Lines, Failure> {
        let Self { mut lines, output, .. } = self;
        lines.end(output)?;
        for one in lines.unknown_connections.iter().take(lines::NAMED) {
            let Some(policy) = policies.last() else { break };
            let Ok(id) = ConnectionId::parse(&one.connection) else { continue };
            let caller = Caller::with_full_permission(&one.caller);
            output.note(format_args!(
                "{} of `{id}`: {}",
                super::validate::plural(one.count, "record"),
                unknown(policy, &id, caller)
            ))?;
        }
        Ok(lines)
    }
}

/// The code, if it is one of ours or of a server's: a log may say what it likes.
fn code_of(reason: &str) -> &'static str {
    let codes = CODES.into_iter().map(|(_, code)| code);
    let withdrawn = [Withdrawn::Key, Withdrawn::Server].map(Withdrawn::code);
    let mut known = codes.chain(withdrawn).chain([ALLOWED, DENIED]);
    known.find(|code| *code == reason).unwrap_or("other")
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
