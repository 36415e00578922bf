//! `check --batch`: one answer for each line of any number of lines.
//!
//! The loop reads into one buffer, decides on paths borrowed from it and writes bytes that were
//! made ready before: what is left is the decision.

use std::{
    fs::File,
    io::{self, IsTerminal, Read, Write},
    path::{Path as FilePath, PathBuf},
    time::Instant,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use same_file::Handle;

use super::{
    answer::Answer,
    create::create,
    exit::Exit,
    log::other::ends,
    output::{Failure, Format, Output, RuleJson, escape_bytes, outcome_name, text_of, write_json},
    question::{Refused, operation},
    records::Records,
    tally::Tally,
    uri::{instead, split_uri},
};
use crate::{
    engine::{Caller, Engine, Outcome},
    policy::ConnectionId,
};

/// How much is written at once.
const CHUNK: usize = 256 << 10;
/// How many malformed lines are named on standard error.
const NAMED_LINES: u64 = 10;

/// The options of a batch.
#[derive(Debug, Args)]
pub struct BatchArgs {
    /// Decide every line of FILE, or of standard input for `-`: a path each when OP is given,
    /// else OP, a tab and the path. (For `copy`: the source, a tab and the destination.)
    #[arg(long, value_name = "FILE|-")]
    pub batch: Option<PathBuf>,

    /// The batch is separated by NUL bytes instead of line feeds
    #[arg(long, short = '0', requires = "batch")]
    pub null: bool,

    /// Write the answers of a batch to FILE
    #[arg(long, short, value_name = "FILE", requires = "batch")]
    pub output: Option<PathBuf>,

    /// No progress, no summary, no remarks on standard error
    #[arg(long, short, requires = "batch", conflicts_with = "summary_only")]
    pub quiet: bool,

    /// No line for each line of the batch; the summary goes to standard output
    #[arg(long, requires = "batch", conflicts_with = "output")]
    pub summary_only: bool,

    /// Exit with 5 if any line is denied
    #[arg(long, requires = "batch")]
    pub fail_on_deny: bool,

    /// Do not exit with 2 if a line is malformed
    #[arg(long, requires = "batch")]
    pub ignore_invalid: bool,
}

/// What every line of a batch has in common.
pub(super) struct Batch<'b> {
    pub(super) engine: &'b Engine,
    pub(super) caller: Caller<'b>,
    pub(super) id: &'b ConnectionId<'b>,
    /// The operation, when lines are paths alone.
    pub(super) op: Option<&'b str>,
    pub(super) args: &'b BatchArgs,
    /// Where the policy was loaded from.
    pub(super) policy: &'b FilePath,
}

impl Batch<'_> {
    pub(super) fn run(&self, file: &FilePath, output: &mut Output<'_>) -> Result<Exit, Failure> {
        let started = Instant::now();
        // What may not be overwritten.
        let mut read = Vec::new();
        let input: (Box<dyn Read>, Option<u64>) = if file.as_os_str() == "-" {
            read.extend(Handle::stdin());
            (Box::new(io::stdin().lock()), None)
        } else {
            let opened = File::open(file).map_err(|e| Failure::file("cannot read", file, &e))?;
            read.extend(opened.try_clone().and_then(Handle::from_file));
            let length = opened.metadata().ok().filter(|m| m.is_file()).map(|m| m.len());
            (Box::new(opened), length)
        };
        let mut tally = Tally::default();
        let Output { format, out, err, decided, .. } = output;
        let format = *format;
        let answered = match &self.args.output {
            Some(path) => {
                let mut to = create(path, &read, self.policy)?;
                self.decide_all(file, input, &mut to, format, *err, &mut tally)
            }
            None => self.decide_all(file, input, *out, format, *err, &mut tally),
        };
        *decided = self.exit(&tally);
        answered?;
        if tally.lines() == 0 && !self.args.quiet && format == Format::Text {
            writeln!(err, "note: nothing was decided: the batch is empty")?;
        }
        out.flush()?;
        if self.args.summary_only {
            tally.write(format, started.elapsed(), *out)?;
        } else if !self.args.quiet {
            tally.write(format, started.elapsed(), *err)?;
        }
        Ok(*decided)
    }

    /// Whether a URI of this connection is one of the batch's. Bare `s3` is the default one, or this where there is
    /// none.
    fn is_of(&self, id: &str) -> bool {
        let Ok(id) = ConnectionId::parse(id) else { return false };
        if id == *self.id {
            return true;
        }
        let policy = self.engine.policy();
        let [named, meant] = [&id, self.id].map(|id| policy.connection(self.caller.name(), id));
        match (named, meant) {
            (Some(named), Some(meant)) => std::ptr::eq(&**named, &**meant),
            (None, _) => id.label().is_none() && id.protocol() == self.id.protocol(),
            (Some(_), None) => false,
        }
    }

    /// What the lines that were decided come to. A gate does not pass on nothing.
    fn exit(&self, tally: &Tally) -> Exit {
        if tally.lines() == 0 && self.args.fail_on_deny {
            return Exit::Question;
        }
        match (tally.of(Outcome::Invalid), tally.of(Outcome::Deny)) {
            (1.., _) if !self.args.ignore_invalid => Exit::Question,
            (_, 1..) if self.args.fail_on_deny => Exit::Denied,
            _ => Exit::Fine,
        }
    }

    fn decide_all(
        &self,
        file: &FilePath,
        (input, length): (impl Read, Option<u64>),
        to: &mut dyn Write,
        format: Format,
        err: &mut dyn Write,
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        let mut records = Records::new(input, if self.args.null { 0 } else { b'\n' });
        let mut lines = Lines::new(self, format);
        let progress = self.progress(length);
        let mut invalid = 0;
        loop {
            while let Some(record) = records.next() {
                let line = Line::split(record, self.op);
                let answer = line.answer(self);
                tally.count(&answer);
                if !self.args.summary_only {
                    lines.write(tally.lines(), &line, &answer);
                    if lines.ready.len() >= CHUNK {
                        lines.flush(to)?;
                    }
                }
                if let Some(mut message) = answer.message() {
                    let help =
                        instead(line.path).or_else(|| ends(record).filter(|_| !self.args.null));
                    if let Some(help) = help {
                        message = format!("{message}: {help}");
                    }
                    invalid += 1;
                    if invalid <= NAMED_LINES && format == Format::Text && !self.args.quiet {
                        // A bar that stands on the terminal makes room.
                        // Where nobody reads remarks, the lines are answered all the same.
                        let number = tally.lines();
                        drop(progress.suspend(|| writeln!(err, "line {number}: {message}")));
                    }
                }
            }
            // Whoever feeds line by line is answered line by line.
            lines.flush(to)?;
            match records.fill().map_err(|error| error.failure(file))? {
                Some(bytes) => progress.inc(bytes as u64),
                None => break,
            }
        }
        progress.finish_and_clear();
        if invalid > NAMED_LINES && format == Format::Text && !self.args.quiet {
            writeln!(err, "and {} more lines that are malformed", invalid - NAMED_LINES)?;
        }
        Ok(())
    }

    /// A bar on standard error, if that is a terminal and the answers do not go to one.
    fn progress(&self, length: Option<u64>) -> ProgressBar {
        let answers_shown =
            self.args.output.is_none() && !self.args.summary_only && io::stdout().is_terminal();
        if self.args.quiet || answers_shown || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template = match length {
            Some(_) => "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            None => "{spinner} {bytes} {bytes_per_sec} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar
    }
}

/// One line of a batch, split.
struct Line<'l> {
    op: &'l [u8],
    path: &'l [u8],
    to: Option<&'l [u8]>,
    /// The line names its operation, and the answer repeats it.
    names_op: bool,
}

impl<'l> Line<'l> {
    fn split(record: &'l [u8], op: Option<&'l str>) -> Self {
        let at_tab = |bytes: &'l [u8]| match memchr::memchr(b'\t', bytes) {
            Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
            None => (bytes, None),
        };
        let (op, path, names_op) = match op {
            Some(op) => (op.as_bytes(), record, false),
            None => match at_tab(record) {
                (op, Some(path)) => (op, path, true),
                (path, None) => (&[][..], path, false),
            },
        };
        let (path, to) = if op == b"copy" { at_tab(path) } else { (path, None) };
        Self { op, path, to, names_op }
    }

    fn answer<'e>(&self, batch: &Batch<'e>) -> Answer<'e> {
        if batch.op.is_none() && !self.names_op {
            return Answer::Refused(Refused::Line);
        }
        let Ok(op) = std::str::from_utf8(self.op) else {
            return Answer::Refused(Refused::Operation);
        };
        let (of_path, path) = split_uri(self.path);
        let (of_to, to) = self.to.map(split_uri).unzip();
        if !of_path.into_iter().chain(of_to.flatten()).all(|id| batch.is_of(id)) {
            return Answer::Refused(Refused::Connection);
        }
        match operation(op, path, to) {
            Ok(operation) => {
                Answer::Decided(batch.engine.decide(batch.caller, batch.id, &operation))
            }
            Err(refused) => Answer::Refused(refused),
        }
    }
}

/// Answers as bytes, ready to be written.
struct Lines {
    format: Format,
    ready: Vec<u8>,
    /// Each rule of the connection, as JSON.
    rules: Vec<Vec<u8>>,
}

impl Lines {
    fn new(batch: &Batch<'_>, format: Format) -> Self {
        let connection = batch.engine.policy().connection(batch.caller.name(), batch.id);
        let rules = connection.map_or(&[][..], |connection| connection.rules());
        let rules = match format {
            Format::Text => Vec::new(),
            Format::Json => rules
                .iter()
                .enumerate()
                .map(|(id, rule)| {
                    let mut json = Vec::new();
                    append(&mut json, &RuleJson::new(id, rule));
                    json
                })
                .collect(),
        };
        Self { format, ready: Vec::with_capacity(2 * CHUNK), rules }
    }

    fn flush(&mut self, to: &mut dyn Write) -> Result<(), Failure> {
        if !self.ready.is_empty() {
            to.write_all(&self.ready)?;
            to.flush()?;
            self.ready.clear();
        }
        Ok(())
    }

    fn write(&mut self, number: u64, line: &Line<'_>, answer: &Answer<'_>) {
        match self.format {
            Format::Text => self.write_text(line, answer),
            Format::Json => self.write_json(number, line, answer),
        }
    }

    fn write_text(&mut self, line: &Line<'_>, answer: &Answer<'_>) {
        let out = &mut self.ready;
        out.extend_from_slice(outcome_name(answer.outcome()).as_bytes());
        out.push(b'\t');
        out.extend_from_slice(answer.code().as_bytes());
        out.push(b'\t');
        if line.names_op {
            append_shown(out, line.op);
            out.push(b'\t');
        }
        append_shown(out, line.path);
        if let Some(to) = line.to {
            out.push(b'\t');
            append_shown(out, to);
        }
        out.push(b'\n');
    }

    fn write_json(&mut self, number: u64, line: &Line<'_>, answer: &Answer<'_>) {
        let out = &mut self.ready;
        out.extend_from_slice(b"{\"line\":");
        append(out, &number);
        out.extend_from_slice(b",\"op\":");
        let mut lossy = append_string(out, line.op);
        out.extend_from_slice(b",\"path\":");
        lossy |= append_string(out, line.path);
        if let Some(to) = line.to {
            out.extend_from_slice(b",\"to\":");
            lossy |= append_string(out, to);
        }
        if lossy {
            out.extend_from_slice(b",\"lossy\":true");
        }
        out.extend_from_slice(b",\"decision\":\"");
        out.extend_from_slice(outcome_name(answer.outcome()).as_bytes());
        out.extend_from_slice(b"\",\"reason\":\"");
        out.extend_from_slice(answer.code().as_bytes());
        out.push(b'"');
        if let Some(message) = answer.message() {
            out.extend_from_slice(b",\"message\":");
            append(out, &message);
        } else if let Answer::Decided(decision) = answer {
            out.extend_from_slice(b",\"rule\":");
            let rule = decision.rule_id().and_then(|rule| self.rules.get(rule.index()));
            out.extend_from_slice(rule.map_or(&b"null"[..], |rule| rule));
        }
        out.extend_from_slice(b"}\n");
    }
}

/// A value as JSON. A vector takes all that is written to it.
fn append(out: &mut Vec<u8>, value: &impl serde::Serialize) {
    let _ = write_json(out, value);
}

/// Bytes as a string of JSON; whether something of them was no text.
fn append_string(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    if is_clear(bytes) {
        out.push(b'"');
        out.extend_from_slice(bytes);
        out.push(b'"');
        return false;
    }
    let (text, lossy) = text_of(bytes);
    append(out, &text);
    lossy
}

/// Bytes as text for people.
fn append_shown(out: &mut Vec<u8>, bytes: &[u8]) {
    if is_clear(bytes) {
        out.extend_from_slice(bytes);
    } else {
        out.extend_from_slice(escape_bytes(bytes).as_bytes());
    }
}

/// Whether bytes are the same in every form: visible ASCII without quotes and backslashes.
fn is_clear(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |clear, &byte| {
        clear & ((0x20..0x7f).contains(&byte) & (byte != b'"') & (byte != b'\\'))
    })
}
