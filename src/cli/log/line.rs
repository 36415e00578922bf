//! One line: an answer of `serve` or `check`, or an operation and its path.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::{
    super::{
        output::outcome_name,
        question::Refused,
        uri::{instead, split_uri},
    },
    access,
    event::Format,
    foreign,
};
use crate::{engine::Outcome, escape::escape, policy::ConnectionId};

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'l> {
    /// Something that was decided, or is to be.
    Record(Fields<'l>),
    /// Something that was malformed when it was decided, and is no question.
    Invalid,
    /// Another line of the same log.
    Other,
    /// A line of another's log that is no operation of a connection: what it is.
    Skipped(Format, String),
    /// Nothing.
    Blank,
}

/// What a line says; what it may leave out is `None`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fields<'l> {
    pub(super) connection: Option<Cow<'l, str>>,
    pub(super) caller: Option<Cow<'l, str>>,
    pub(super) key: Option<Cow<'l, str>>,
    pub(super) op: Cow<'l, str>,
    pub(super) path: Cow<'l, [u8]>,
    pub(super) to: Option<Cow<'l, [u8]>>,
    pub(super) verdict: Option<(Outcome, Cow<'l, str>)>,
    /// The request that it came with.
    pub(super) request: Option<Cow<'l, str>>,
    /// Whether nothing was there.
    pub(super) is_missing: bool,
    /// Whether its key could be read in two ways.
    pub(super) is_guessed: bool,
    /// Whose log it is of, if not ours.
    pub(super) format: Option<Format>,
}

impl Line<'_> {
    /// The line, holding nothing of what it was read from.
    pub(super) fn into_owned(self) -> Line<'static> {
        let text = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let bytes = |bytes: Cow<'_, [u8]>| Cow::Owned(bytes.into_owned());
        match self {
            Self::Record(fields) => Line::Record(Fields {
                connection: fields.connection.map(text),
                caller: fields.caller.map(text),
                key: fields.key.map(text),
                op: text(fields.op),
                path: bytes(fields.path),
                to: fields.to.map(bytes),
                verdict: fields.verdict.map(|(outcome, reason)| (outcome, text(reason))),
                request: fields.request.map(text),
                is_missing: fields.is_missing,
                is_guessed: fields.is_guessed,
                format: fields.format,
            }),
            Self::Invalid => Line::Invalid,
            Self::Other => Line::Other,
            Self::Skipped(format, what) => Line::Skipped(format, what),
            Self::Blank => Line::Blank,
        }
    }
}

impl<'l> Line<'l> {
    /// Reads a line; `op` is the operation of lines that are a path alone.
    pub(super) fn parse(line: &'l [u8], op: Option<&'l str>) -> Result<Self, String> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::Blank);
        }
        if line.starts_with(b"{") {
            return json(line);
        }
        // What collects logs puts something in front of each line.
        if let Some(at) = memchr::memmem::find(line, b"{\"")
            && memchr::memmem::find(&line[at..], b"\"pathward::decision\"").is_some()
        {
            return json(&line[at..]);
        }
        if access::is_line(line) {
            return access::line(line);
        }
        let (line, verdict) = answered(line)?.unwrap_or((line, None));
        if matches!(verdict, Some((Outcome::Invalid, _))) {
            return Ok(Self::Invalid);
        }
        let (op, path) = match op {
            Some(op) => (op, line),
            None => match split_at(line, |byte| matches!(byte, b'\t' | b' ')) {
                Some((op, path)) => (text(op)?, path),
                None => {
                    return Err("no operation: a line is the operation, a space or a tab and the \
                         path, unless `--op` is given; or JSON"
                        .to_owned());
                }
            },
        };
        let (path, to) = match split_at(path, |byte| byte == b'\t').filter(|_| op == "copy") {
            Some((path, to)) => (path, Some(to)),
            None => (path, None),
        };
        let (connection, path) = split_uri(path);
        let (connection_of_to, to) = to.map(split_uri).unzip();
        if let Some(instead) = instead(path).or_else(|| to.and_then(instead)) {
            return Err(instead.to_owned());
        }
        let connection = one_connection(connection, connection_of_to.flatten())?.map(Cow::from);
        let (op, path, to) = (op.into(), path.into(), to.map(Cow::from));
        Ok(Self::Record(Fields { connection, op, path, to, verdict, ..Fields::default() }))
    }
}

/// A line of `check --batch`: what was decided, and the line that it answers.
#[expect(clippy::type_complexity, reason = "a verdict in front of the rest of a line")]
fn answered(line: &[u8]) -> Result<Option<(&[u8], Option<(Outcome, Cow<'_, str>)>)>, String> {
    let is_tab = |byte| byte == b'\t';
    let Some((first, behind)) = split_at(line, is_tab) else { return Ok(None) };
    let named = |outcome: &Outcome| outcome_name(*outcome).as_bytes() == first;
    let (Some(outcome), Some((reason, behind))) =
        (OUTCOMES.into_iter().find(named), split_at(behind, is_tab))
    else {
        return Ok(None);
    };
    Ok(Some((behind, Some((outcome, text(reason)?.into())))))
}

const OUTCOMES: [Outcome; 3] = [Outcome::Allow, Outcome::Deny, Outcome::Invalid];

fn split_at(bytes: &[u8], is: impl Fn(u8) -> bool) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| is(*byte))?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| Refused::Operation.to_string())
}

/// The connection of a line whose paths may each name one.
fn one_connection<'l>(
    source: Option<&'l str>,
    destination: Option<&'l str>,
) -> Result<Option<&'l str>, String> {
    if let (Some(source), Some(destination)) = (source, destination)
        && ConnectionId::parse(source).ok() != ConnectionId::parse(destination).ok()
    {
        let [source, destination] = [source, destination].map(escape);
        return Err(format!(
            "a copy stays in its connection: the source is of `{source}`, the destination of `{destination}`"
        ));
    }
    Ok(source.or(destination))
}

/// A line of JSON. Of what `serve` and `check` write, what matters here.
#[derive(Deserialize)]
struct Json<'l> {
    #[serde(borrow)]
    target: Option<Text<'l>>,
    #[serde(borrow)]
    connection: Option<Text<'l>>,
    #[serde(borrow)]
    caller: Option<Text<'l>>,
    #[serde(borrow)]
    key_id: Option<Text<'l>>,
    #[serde(borrow)]
    op: Option<Text<'l>>,
    #[serde(borrow)]
    path: Option<Text<'l>>,
    #[serde(borrow)]
    to: Option<Text<'l>>,
    #[serde(borrow)]
    bucket: Option<Text<'l>>,
    #[serde(borrow)]
    key: Option<Text<'l>>,
    #[serde(borrow)]
    key_encoding: Option<Text<'l>>,
    #[serde(borrow)]
    decision: Option<Text<'l>>,
    #[serde(borrow)]
    reason_code: Option<Text<'l>>,
    #[serde(borrow)]
    reason: Option<Text<'l>>,
    #[serde(borrow)]
    request_id: Option<Text<'l>>,
    #[serde(borrow)]
    upstream_error: Option<Text<'l>>,
}

/// A text that is borrowed where JSON has no escapes in it.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'l>(#[serde(borrow)] Cow<'l, str>);

/// Reads JSON: of a decision, or of a log that is none of ours.
pub(super) fn json(line: &[u8]) -> Result<Line<'_>, String> {
    let json: Json<'_> = match serde_json::from_slice(line) {
        Ok(json) => json,
        Err(error) => {
            return foreign::line(line).unwrap_or_else(|| {
                Err(format!("it is no JSON of a decision: {}", escape(&error.to_string())))
            });
        }
    };
    if json.target.as_ref().is_some_and(|target| target.0 != "pathward::decision") {
        return Ok(Line::Other);
    }
    let Some(op) = json.op else {
        return foreign::line(line).unwrap_or_else(|| {
            let ours = "`serve --log-format json` and `check --format json` write lines that do";
            Err(format!("it has no `op`: {ours}"))
        });
    };
    let verdict = match json.decision {
        None => None,
        Some(Text(decision)) => {
            let outcome = OUTCOMES.into_iter().find(|outcome| outcome_name(*outcome) == decision);
            let outcome =
                outcome.ok_or_else(|| format!("there is no decision `{}`", escape(&decision)))?;
            let reason = json.reason_code.or(json.reason).map_or(Cow::Borrowed(""), |r| r.0);
            Some((outcome, reason))
        }
    };
    if matches!(verdict, Some((Outcome::Invalid, _))) {
        return Ok(Line::Invalid);
    }
    if json.to.is_some() && op.0 != "copy" {
        return Err(format!("`to` is for `copy` alone; `{}` has one path", escape(&op.0)));
    }
    let path = match (json.path, json.bucket) {
        (Some(Text(path)), _) => bytes(path),
        (None, Some(Text(bucket))) => {
            let key = json.key.map_or(Cow::Borrowed(""), |key| key.0);
            let mut path = bucket.into_owned().into_bytes();
            if !path.is_empty() {
                path.push(b'/');
            }
            match json.key_encoding.as_ref().map(|encoding| &*encoding.0) {
                None | Some("utf8") => path.extend_from_slice(key.as_bytes()),
                Some("pct") => path.extend(percent_decode_str(&key)),
                Some(other) => {
                    return Err(format!("there is no `key_encoding` `{}`", escape(other)));
                }
            }
            path.into()
        }
        (None, None) => return Err("it has no path: neither `path` nor `bucket`".to_owned()),
    };
    let (of_path, path) = split(path);
    let (of_to, to) = json.to.map(|to| split(bytes(to.0))).unzip();
    let connection = json.connection.map(|id| id.0).filter(|id| !id.is_empty());
    let connection = match connection {
        Some(id) => Some(id),
        None => one_connection(of_path.as_deref(), of_to.flatten().as_deref())?
            .map(|id| Cow::Owned(id.to_owned())),
    };
    Ok(Line::Record(Fields {
        connection,
        caller: json.caller.map(|caller| caller.0),
        key: json.key_id.map(|key| key.0),
        op: op.0,
        path,
        to,
        verdict,
        request: json.request_id.map(|id| id.0),
        is_missing: json.upstream_error.is_some_and(|error| error.0 == "missing"),
        ..Fields::default()
    }))
}

/// A path with the connection that it names, if it is a URI: `check --batch` answers with the line as it was.
fn split(path: Cow<'_, [u8]>) -> (Option<String>, Cow<'_, [u8]>) {
    match split_uri(&path) {
        (Some(id), rest) => (Some(id.to_owned()), Cow::Owned(rest.to_vec())),
        (None, _) => (None, path),
    }
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'l>(line: &'l str, op: Option<&'l str>) -> (String, String, String, Option<Outcome>) {
        match Line::parse(line.as_bytes(), op) {
            Ok(Line::Record(fields)) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let to = fields.to.map(|to| format!(" -> {}", text(&to))).unwrap_or_default();
                let who = [fields.connection, fields.caller, fields.key];
                let who: Vec<_> = who.into_iter().map(Option::unwrap_or_default).collect();
                let path = text(&fields.path) + &to;
                (who.join(" "), fields.op.into_owned(), path, fields.verdict.map(|v| v.0))
            }
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn every_form_of_a_record_is_read() {
        let (allow, deny) = (Some(Outcome::Allow), Some(Outcome::Deny));
        for (line, op, who, name, path, verdict) in [
            ("read\tpub/a b", None, "  ", "read", "pub/a b", None),
            ("read pub/a b", None, "  ", "read", "pub/a b", None),
            ("list ", None, "  ", "list", "", None),
            ("pub/a b", Some("stat"), "  ", "stat", "pub/a b", None),
            ("read S3+saha://pub/a", None, "S3+saha  ", "read", "pub/a", None),
            ("s3://pub/a", Some("read"), "s3  ", "read", "pub/a", None),
            ("read pub/x://y", None, "  ", "read", "pub/x://y", None),
            ("copy pub/a\tpub/b", None, "  ", "copy", "pub/a -> pub/b", None),
            ("copy s3+a://pub/a\tS3+a://pub/b", None, "s3+a  ", "copy", "pub/a -> pub/b", None),
            ("copy pub/a\ts3+a://pub/b", None, "s3+a  ", "copy", "pub/a -> pub/b", None),
            ("copy pub/a", None, "  ", "copy", "pub/a", None),
            ("copy \tpub/b", None, "  ", "copy", " -> pub/b", None),
            ("allow\tallowed.rule\tread\tpub/a", None, "  ", "read", "pub/a", allow),
            ("deny\tdeny.rule\tpub/a", Some("read"), "  ", "read", "pub/a", deny),
            (
                r#"{"line":7,"op":"copy","path":"pub/\u202ea","to":"pub/b","decision":"deny","reason":"deny.rule","rule":{"id":1}}"#,
                None,
                "  ",
                "copy",
                "pub/\u{202e}a -> pub/b",
                deny,
            ),
            (
                r#"{"target":"pathward::decision","connection":"s3+saha","caller":"steph","key_id":"k","op":"read","bucket":"pub","key":"a/b","key_encoding":"utf8","decision":"allow","reason_code":"allowed.rule"}"#,
                None,
                "s3+saha steph k",
                "read",
                "pub/a/b",
                allow,
            ),
            (
                r#"{"op":"list","bucket":"","key":"","key_encoding":"utf8"}"#,
                None,
                "  ",
                "list",
                "",
                None,
            ),
            (
                r#"{"op":"read","bucket":"pub","key":"%E2%80%AE%2541","key_encoding":"pct"}"#,
                None,
                "  ",
                "read",
                "pub/\u{202e}%41",
                None,
            ),
        ] {
            let expected = (who.to_owned(), name.to_owned(), path.to_owned(), verdict);
            assert_eq!(read(line, op), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_record_is_said_to_be_none() {
        for (line, expected) in [
            ("", Line::Blank),
            (" \r", Line::Blank),
            (r#"{"target":"pathward::request","level":"INFO"}"#, Line::Other),
            ("invalid\tinvalid.path\tread\tpub/../a", Line::Invalid),
            (r#"{"op":"read","decision":"invalid"}"#, Line::Invalid),
        ] {
            assert_eq!(Line::parse(line.as_bytes(), None), Ok(expected), "{line}");
        }
        for (line, part) in [
            ("pub/a", "no operation"),
            ("{", "no JSON of a decision"),
            (r#"{"op":"read","op":"stat"}"#, "duplicate field"),
            (r#"{"level":"INFO"}"#, "no `op`"),
            (r#"{"op":"read","decision":"maybe"}"#, "no decision `maybe`"),
            (r#"{"op":"read","decision":"allow"}"#, "no path"),
            (r#"{"op":"read","path":"pub/a","to":"pub/b"}"#, "`to` is for `copy` alone"),
            ("copy s3+a://pub/a\ts3+b://pub/b", "a copy stays in its connection"),
            (r#"{"op":"read","bucket":"b","key_encoding":"x"}"#, "no `key_encoding` `x`"),
        ] {
            let error = Line::parse(line.as_bytes(), None).expect_err(line);
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
