//! What goes out: text for people with everything escaped, JSON for programs.

use std::{
    borrow::Cow,
    fmt,
    io::{self, Write},
};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::ser::Formatter;

use super::{exit::Exit, validate::plural};
use crate::{
    access::Access,
    automaton::Effect,
    engine::Outcome,
    escape::escape,
    policy::{ConnectionId, Location, Rule},
    restriction::Dialect,
};

/// How answers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs; the shapes are stable.
    Json,
}

/// What `--format` takes: the formats of every command, and those of one command each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AnyFormat {
    /// For people.
    Text,
    /// For programs; the shapes are stable.
    Json,
    /// Of `lint`: for code hosts.
    Sarif,
    /// Of `test`: for what runs builds.
    Junit,
    /// Of `graph`: a picture.
    Svg,
    /// Of `graph`: for Graphviz.
    Dot,
}

/// A format that one command alone has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    Sarif,
    Junit,
    Svg,
    Dot,
}

impl AnyFormat {
    pub(super) fn split(self) -> (Format, Option<Special>) {
        match self {
            Self::Text => (Format::Text, None),
            Self::Json => (Format::Json, None),
            Self::Sarif => (Format::Text, Some(Special::Sarif)),
            Self::Junit => (Format::Text, Some(Special::Junit)),
            Self::Svg => (Format::Text, Some(Special::Svg)),
            Self::Dot => (Format::Text, Some(Special::Dot)),
        }
    }
}

impl Format {
    /// The format of `PATHWARD_FORMAT`, where it is set.
    pub(super) fn from_env() -> Result<Option<Self>, Failure> {
        let Some(value) = std::env::var_os("PATHWARD_FORMAT").filter(|value| !value.is_empty())
        else {
            return Ok(None);
        };
        let value = value.as_encoded_bytes();
        match value {
            b"text" => Ok(Some(Self::Text)),
            b"json" => Ok(Some(Self::Json)),
            _ => Err(Failure::question(format!(
                "PATHWARD_FORMAT is `{}`; write `text` or `json`",
                escape_bytes(value)
            ))),
        }
    }
}

/// Why a command ends without an answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nobody reads what is written any more: not an error, and nothing more to say. What was
    /// decided is in [`Output::decided`].
    BrokenPipe,
    /// An exit code and a message, in which everything foreign is escaped already.
    Said(Exit, String),
}

impl Failure {
    /// The question is wrong.
    pub(super) fn question(message: impl Into<String>) -> Self {
        Self::Said(Exit::Question, message.into())
    }

    /// A file cannot be used. `doing` is a phrase such as `cannot read`.
    pub(super) fn file(doing: &str, path: &std::path::Path, error: &io::Error) -> Self {
        let path = escape_bytes(path.as_os_str().as_encoded_bytes()).into_owned();
        Self::Said(Exit::Error, format!("{doing} `{path}`: {error}"))
    }
}

impl From<io::Error> for Failure {
    /// Failures to write the output.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Said(Exit::Error, format!("cannot write the output: {error}")),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::from(io::Error::from(error))
    }
}

/// Where a command writes, and how.
pub(super) struct Output<'o> {
    pub(super) format: Format,
    /// The answer alone is in this format; what is beside it is as `format` says.
    pub(super) special: Option<Special>,
    /// Whether `--format` says so, and not a variable, or nothing.
    pub(super) is_said: bool,
    pub(super) out: &'o mut dyn Write,
    pub(super) err: &'o mut dyn Write,
    /// What the command ends with when nobody reads the output to its end. Set before anything is
    /// written that could fail.
    pub(super) decided: Exit,
}

impl Output<'_> {
    /// One JSON document on a line of its own.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        write_json(&mut self.out, value)?;
        self.out.write_all(b"\n")?;
        Ok(())
    }

    /// A remark for people, beside the answer. Programs find the same in the answer itself.
    pub(super) fn note(&mut self, message: fmt::Arguments<'_>) -> Result<(), Failure> {
        if self.format == Format::Text {
            // What was answered before comes before, also where both streams are one.
            self.out.flush()?;
            // A note that nobody can read keeps nothing from being decided.
            drop(writeln!(self.err, "note: {message}"));
        }
        Ok(())
    }

    /// Says how many questions ended at the budget, if any did.
    pub(super) fn note_undecided(&mut self, count: usize, states: usize) -> Result<(), Failure> {
        if count == 0 {
            return Ok(());
        }
        let questions = plural(count, "question");
        self.note(format_args!(
            "{questions} not decided within {states} states; `--states` gives more"
        ))
    }
}

/// Bytes for people: escaped, and what is not UTF-8 as `\xNN`.
pub(super) fn escape_bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return escape(text);
    }
    Cow::Owned(lossy(bytes, |text| escape(text)))
}

/// Bytes as text: what is not UTF-8 as `\xNN`. Returns whether anything was not.
pub(super) fn text_of(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => (Cow::Owned(lossy(bytes, Cow::Borrowed)), true),
    }
}

fn lossy<'b>(bytes: &'b [u8], valid: impl Fn(&'b str) -> Cow<'b, str>) -> String {
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.push_str(&valid(chunk.valid()));
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// The connections that an API key names, for JSON.
pub(super) fn text_of_ids(ids: &[ConnectionId<'_>]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// Writes JSON in which nothing is hidden: what a terminal could act on, or show in another
/// order, is written as `\uXXXX`, also where JSON itself would take it as it is.
pub(super) fn write_json(out: impl Write, value: &impl Serialize) -> Result<(), serde_json::Error> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, Visible))
}

struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if matches!(escape(fragment), Cow::Borrowed(_)) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut buffer = [0; 4];
        for character in fragment.chars() {
            let text = character.encode_utf8(&mut buffer);
            // serde_json has escaped `\` and `"` before, so that what is left is hidden.
            if character.is_ascii_graphic() || matches!(escape(text), Cow::Borrowed(_)) {
                writer.write_all(text.as_bytes())?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

/// An outcome as answers have it.
pub(super) const fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "allow",
        Outcome::Deny => "deny",
        Outcome::Invalid => "invalid",
    }
}

/// A rule in JSON.
#[derive(Debug, Serialize)]
pub(super) struct RuleJson<'r> {
    /// Its place in the connection, from 0: the restrictions, then the denies.
    pub(super) id: usize,
    /// As it was written.
    pub(super) text: &'r str,
    /// In its one canonical spelling.
    pub(super) canonical: String,
    pub(super) dialect: &'static str,
    pub(super) effect: &'static str,
    pub(super) access: Vec<&'static str>,
    #[serde(flatten)]
    pub(super) location: LocationJson<'r>,
}

impl<'r> RuleJson<'r> {
    pub(super) fn new(id: usize, rule: &'r Rule) -> Self {
        Self {
            id,
            text: rule.restriction.text(),
            canonical: rule.restriction.to_string(),
            dialect: dialect_name(rule.restriction.dialect()),
            effect: effect_name(rule.effect),
            access: rule.access.iter().map(Access::name).collect(),
            location: LocationJson::new(rule.location.as_ref()),
        }
    }
}

/// A place in JSON; all `null` for the `*` of a connection without `restrictions`.
#[derive(Debug, Serialize)]
pub(super) struct LocationJson<'r> {
    file: Option<&'r str>,
    line: Option<u32>,
    column: Option<u32>,
}

impl<'r> LocationJson<'r> {
    pub(super) fn new(location: Option<&'r Location>) -> Self {
        Self {
            file: location.map(|location| &*location.file),
            line: location.map(|location| location.line),
            column: location.map(|location| location.column),
        }
    }
}

pub(super) const fn dialect_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Plain => "plain",
        Dialect::Glob => "glob",
    }
}

pub(super) const fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
    }
}

/// A rule and where it is written, for people.
pub(super) fn rule_text(rule: &Rule) -> String {
    format!("{} ({})", escape(rule.restriction.text()), place(rule.location.as_ref()))
}

/// Where a rule is written, for people.
pub(super) fn place(location: Option<&Location>) -> String {
    match location {
        Some(location) => escape(&location.to_string()).into_owned(),
        None => "no `restrictions` key".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        let mut out = Vec::new();
        write_json(&mut out, &text).expect("a vector takes all");
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn json_hides_nothing_and_loses_nothing() {
        for text in [
            "plain/é",
            "a\u{1b}[31m",
            "a\u{202e}b",
            "a\u{9b}b",
            "q\"\\b",
            "\u{7f}",
            "\u{2066}",
            "a\u{ad}\u{200b}\u{e0041}",
        ] {
            let written = json(text);
            assert_eq!(serde_json::from_str::<String>(&written).expect("JSON"), text);
            for hidden in [
                '\u{1b}',
                '\u{202e}',
                '\u{9b}',
                '\u{7f}',
                '\u{2066}',
                '\u{ad}',
                '\u{200b}',
                '\u{e0041}',
            ] {
                assert!(!written.contains(hidden), "{written:?}");
            }
        }
        assert_eq!(json("plain/é"), "\"plain/é\"");
        assert_eq!(json("a\u{202e}b"), "\"a\\u202eb\"");
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_numbers() {
        assert_eq!(escape_bytes(b"pub/\xff\xfe!"), "pub/\\xff\\xfe!");
        assert_eq!(text_of(b"pub/\xff").0, "pub/\\xff");
        assert!(text_of(b"pub/\xff").1 && !text_of(b"pub").1);
        assert!(!escape_bytes(b"\x1b[2J\xff").contains('\u{1b}'));
    }
}
