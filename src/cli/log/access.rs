//! The S3 server access log of AWS, line by line.
//!
//! A line has fields between spaces, in quotes or brackets where they have spaces themselves: the bucket's owner, the
//! bucket, the time, the address, the requester, the request's id, the operation, the key, the request, the status,
//! the code of the error, and more that does not matter here. The key is percent-encoded, once more than it was in the
//! request: what is between the two is told by the request, where the line has it.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::{
    event::{Ended, Event, Format},
    line::Line,
};

/// Fields up to the code of the error.
const FIELDS: usize = 11;
/// Where, behind these, the version is that was asked for.
const VERSION: usize = 6;

/// Whether a line is one of this log: an owner, a bucket, and a time in brackets.
pub(super) fn is_line(line: &[u8]) -> bool {
    let mut fields = Split(line);
    let (Some(_), Some(_), Some(time)) = (fields.next(), fields.next(), fields.next()) else {
        return false;
    };
    is_time(time)
}

/// `[06/Feb/2026:00:00:38 +0000]`, without its brackets.
pub(super) fn is_time(field: &[u8]) -> bool {
    matches!(field, [d, e, b'/', m, o, n, b'/', y, _, _, _, b':', ..]
        if [d, e, y].iter().all(|byte| byte.is_ascii_digit())
            && [m, o, n].iter().all(|byte| byte.is_ascii_alphabetic()))
}

/// Reads a line. What it says of a key that is encoded in two ways is with it.
pub(super) fn line(line: &[u8]) -> Result<Line<'_>, String> {
    let mut rest = Split(line);
    let fields: Vec<&[u8]> = rest.by_ref().take(FIELDS).collect();
    let [_, bucket, _, _, _, _, name, key, request, status, error] = fields[..] else {
        return Err("this line of the S3 server access log ends before its status".to_owned());
    };
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    let name = std::str::from_utf8(name).map_err(|_| "the operation is not UTF-8".to_owned())?;
    let status = text(status);
    let error = (error != b"-").then(|| text(error));
    let ended = match status.parse() {
        Ok(status) => Ended::of(status, error.as_deref()),
        // What S3 does by itself has none.
        Err(_) => Ended::Failed(format!("status {status}")),
    };
    let mut event = event(Format::AccessLog, name, text(bucket).into(), key, request, ended);
    // Which version a copy reads stands in its own field alone.
    event.has_version |=
        name.ends_with("_GET") && rest.nth(VERSION).is_some_and(|field| field != b"-");
    event.line()
}

/// An event by its key and its request, as this log writes them.
pub(super) fn event<'l>(
    format: Format,
    name: &'l str,
    bucket: Cow<'l, str>,
    key: &[u8],
    request: &[u8],
    ended: Ended,
) -> Event<'l> {
    let target = request.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let (path, query) = match memchr::memchr(b'?', target) {
        Some(at) => (&target[..at], &target[at + 1..]),
        None => (target, &[][..]),
    };
    // The request of the reading half of a copy is that of the writing one.
    let path = if name.ends_with("_GET") { &[][..] } else { path };
    let parameter = |wanted: &[u8]| {
        query.split(|byte| *byte == b'&').find_map(|pair| {
            let at = memchr::memchr(b'=', pair)?;
            (&pair[..at] == wanted).then(|| decoded_form(&pair[at + 1..]))
        })
    };
    let (key, is_guessed) = key_of(&bucket, key, path);
    Event {
        format,
        name,
        key: key.into(),
        is_guessed,
        bucket,
        prefix: parameter(b"prefix").unwrap_or_default().into(),
        source: None,
        has_version: parameter(b"versionId").is_some(),
        ended,
    }
}

/// The key: what the request named, once decoded, where the field says the same; else the field, twice decoded. And
/// whether the field could be read in two ways, and nothing tells which.
fn key_of(bucket: &str, field: &[u8], path: &[u8]) -> (Vec<u8>, bool) {
    if field == b"-" {
        return (Vec::new(), false);
    }
    let once = decoded(field);
    let twice = decoded(&once);
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let behind = path.strip_prefix(bucket.as_bytes()).and_then(|rest| rest.strip_prefix(b"/"));
    // A space may be a `+` in the field, and the documentation has a `/` in front of it.
    let alike = |a: &[u8], b: &[u8]| {
        let b = b.strip_prefix(b"/").filter(|_| !a.starts_with(b"/")).unwrap_or(b);
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || matches!((a, b), (b' ', b'+')))
    };
    let asked = behind.into_iter().chain([path]).map(decoded);
    let mut asked = asked.filter(|asked| !asked.is_empty());
    match asked.find(|asked| alike(asked, &twice) || alike(asked, &once)) {
        Some(key) => (key, false),
        None => {
            let is_guessed = once != twice;
            (twice, is_guessed)
        }
    }
}

fn decoded(bytes: &[u8]) -> Vec<u8> {
    percent_decode(bytes).collect()
}

/// A value of a query, in which a space may be `+`.
fn decoded_form(bytes: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> =
        bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    decoded(&spaced)
}

/// The fields of a line, without their quotes and brackets.
struct Split<'l>(&'l [u8]);

impl<'l> Iterator for Split<'l> {
    type Item = &'l [u8];

    fn next(&mut self) -> Option<&'l [u8]> {
        let rest = self.0.trim_ascii_start();
        let (start, close) = match rest.first()? {
            b'"' => (1, b'"'),
            b'[' => (1, b']'),
            _ => (0, b' '),
        };
        let body = &rest[start..];
        // A quote ends a field where a space follows it: a request may have quotes in it.
        let ends = |at: &usize| close == b' ' || matches!(body.get(at + 1), None | Some(b' '));
        let end = memchr::memchr_iter(close, body).find(ends).unwrap_or(body.len());
        self.0 = body.get(end + 1..).unwrap_or_default();
        Some(&body[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::log::line::Fields;

    /// A line about a bucket `lake`.
    fn of(name: &str, key: &str, request: &str, status: &str) -> String {
        format!(
            "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be lake [06/Feb/2026:00:00:38 +0000] \
             192.0.2.3 arn:aws:iam::111122223333:user/ada 3E57427F3EXAMPLE {name} {key} {request} {status} 113 113 7 5 \
             \"-\" \"Boto3/1.34 a\"b\" - s9lz= SigV4 ECDHE AuthHeader lake.s3.amazonaws.com TLSv1.2 - -"
        )
    }

    fn read(text: &str) -> String {
        assert!(is_line(text.as_bytes()), "{text}");
        match line(text.as_bytes()) {
            Ok(Line::Record(Fields { op, path, verdict, is_missing, is_guessed, .. })) => {
                let (path, verdict) = (String::from_utf8_lossy(&path), verdict.expect("one").1);
                let more = if is_missing { " missing" } else { "" };
                format!("{op} {path} {verdict}{more}{}", if is_guessed { " guessed" } else { "" })
            }
            Ok(Line::Skipped(_, what)) => format!("skipped {what}"),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn requests_are_operations() {
        for (name, key, request, status, expected) in [
            (
                "REST.GET.OBJECT",
                "raw/a.csv",
                "\"GET /lake/raw/a.csv HTTP/1.1\"",
                "200 -",
                "read lake/raw/a.csv s3.allowed",
            ),
            (
                "REST.GET.OBJECT",
                "raw/a.csv",
                "\"GET /raw/a.csv?x-id=GetObject HTTP/1.1\"",
                "206 -",
                "read lake/raw/a.csv s3.allowed",
            ),
            (
                "REST.HEAD.OBJECT",
                "a",
                "\"HEAD /a HTTP/1.1\"",
                "404 NoSuchKey",
                "stat lake/a s3.allowed missing",
            ),
            (
                "REST.GET.OBJECT",
                "a",
                "\"GET /a HTTP/1.1\"",
                "403 AccessDenied",
                "read lake/a s3.denied",
            ),
            ("REST.GET.OBJECT", "a", "\"GET /a HTTP/1.1\"", "304 -", "read lake/a s3.allowed"),
            (
                "REST.GET.OBJECT",
                "a",
                "\"GET /a HTTP/1.1\"",
                "403 SignatureDoesNotMatch",
                "skipped REST.GET.OBJECT that failed (403 SignatureDoesNotMatch)",
            ),
            (
                "REST.PUT.OBJECT",
                "a",
                "\"PUT /a HTTP/1.1\"",
                "503 SlowDown",
                "skipped REST.PUT.OBJECT that failed (503 SlowDown)",
            ),
            (
                "REST.PUT.OBJECT",
                "a",
                "\"PUT /a HTTP/1.1\"",
                "404 NoSuchBucket",
                "skipped REST.PUT.OBJECT that failed (404)",
            ),
            (
                "REST.PUT.OBJECT",
                "in/b",
                "\"PUT /lake/in/b HTTP/1.1\"",
                "200 -",
                "write lake/in/b s3.allowed",
            ),
            (
                "REST.PUT.PART",
                "in/b",
                "\"PUT /in/b?partNumber=1&uploadId=x HTTP/1.1\"",
                "200 -",
                "write lake/in/b s3.allowed",
            ),
            (
                "REST.POST.UPLOADS",
                "in/b",
                "\"POST /in/b?uploads HTTP/1.1\"",
                "200 -",
                "write lake/in/b s3.allowed",
            ),
            (
                "REST.POST.UPLOAD",
                "in/b",
                "\"POST /in/b?uploadId=x HTTP/1.1\"",
                "200 -",
                "write lake/in/b s3.allowed",
            ),
            (
                "REST.COPY.OBJECT",
                "to",
                "\"PUT /lake/to HTTP/1.1\"",
                "200 -",
                "write lake/to s3.allowed",
            ),
            (
                "REST.COPY.OBJECT_GET",
                "from",
                "\"PUT /lake/to HTTP/1.1\"",
                "200 -",
                "read lake/from s3.allowed",
            ),
            (
                "REST.COPY.PART_GET",
                "from",
                "\"PUT /lake/to?partNumber=1 HTTP/1.1\"",
                "200 -",
                "read lake/from s3.allowed",
            ),
            (
                "REST.DELETE.OBJECT",
                "a",
                "\"DELETE /a HTTP/1.1\"",
                "204 -",
                "delete lake/a s3.allowed",
            ),
            ("BATCH.DELETE.OBJECT", "a/b", "-", "204 -", "delete lake/a/b s3.allowed"),
            (
                "REST.POST.MULTI_OBJECT_DELETE",
                "-",
                "\"POST /lake?delete HTTP/1.1\"",
                "200 -",
                "skipped REST.POST.MULTI_OBJECT_DELETE",
            ),
            (
                "REST.GET.BUCKET",
                "-",
                "\"GET /?list-type=2&prefix=raw%2F2026%2Fpart-&delimiter=%2F HTTP/1.1\"",
                "200 -",
                "list lake/raw/2026/ s3.allowed",
            ),
            (
                "REST.GET.BUCKET",
                "-",
                "\"GET /lake?prefix=a+b%2F HTTP/1.1\"",
                "200 -",
                "list lake/a b/ s3.allowed",
            ),
            ("REST.GET.BUCKET", "-", "\"GET /lake HTTP/1.1\"", "200 -", "list lake/ s3.allowed"),
            ("REST.GET.SERVICE", "-", "\"GET / HTTP/1.1\"", "200 -", "list  s3.allowed"),
            (
                "REST.GET.OBJECT",
                "a",
                "\"GET /a?versionId=x HTTP/1.1\"",
                "200 -",
                "skipped REST.GET.OBJECT of a version",
            ),
            ("REST.GET.ACL", "a", "\"GET /a?acl HTTP/1.1\"", "200 -", "skipped REST.GET.ACL"),
            ("S3.EXPIRE.OBJECT", "a", "-", "- -", "skipped S3.EXPIRE.OBJECT"),
            (
                "WEBSITE.GET.OBJECT",
                "a",
                "\"GET /a HTTP/1.1\"",
                "200 -",
                "skipped WEBSITE.GET.OBJECT",
            ),
        ] {
            assert_eq!(read(&of(name, key, request, status)), expected, "{name} {request}");
        }
    }

    /// The field is encoded once more than the request, or as often; and a key may itself have a `%`.
    #[test]
    fn keys_are_what_was_asked_for() {
        let get = "REST.GET.OBJECT";
        for (key, request, expected) in [
            ("a%2520b", "/lake/a%20b", "a b"),
            ("a%20b", "/a%20b", "a b"),
            ("a%252520b", "/a%2520b", "a%20b"),
            ("a%2520b", "/a%2520b", "a%20b"),
            ("%25E6%2597%25A5", "/%E6%97%A5", "日"),
            ("a+b", "/a%20b", "a b"),
            ("lake/x", "/lake/lake/x", "lake/x"),
            ("lake/x", "/lake/x", "lake/x"),
            ("x", "/lake/x", "x"),
            ("/photos/x", "/lake/photos/x", "photos/x"),
            ("/x", "/lake//x", "/x"),
            ("a\"b", "/lake/a\"b", "a\"b"),
        ] {
            let text = of(get, key, &format!("\"GET {request} HTTP/1.1\""), "200 -");
            assert_eq!(read(&text), format!("read lake/{expected} s3.allowed"), "{key} {request}");
        }
        let batch = |key| read(&of("BATCH.DELETE.OBJECT", key, "-", "204 -"));
        assert_eq!(batch("a%2520b"), "delete lake/a b s3.allowed guessed");
        assert_eq!(batch("a%20b"), "delete lake/a b s3.allowed");
    }

    #[test]
    fn other_lines_are_none() {
        for text in [
            "",
            "read pub/a",
            "read pub/a [x]",
            "192.0.2.3 - - [06/Feb/2026:00:00:38 +0000] \"GET / HTTP/1.1\" 200 1",
            "a b [2026-02-06]",
            "a b [06/Feb/2026",
        ] {
            assert!(!is_line(text.as_bytes()), "{text}");
        }
        let cut = "o lake [06/Feb/2026:00:00:38 +0000] 192.0.2.3 - X REST.GET.OBJECT a";
        assert!(
            line(cut.as_bytes()).is_err_and(|message| message.contains("ends before its status"))
        );
    }
}
