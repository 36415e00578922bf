//! The JSON of a request: how long it may be, and nothing in it that is not known.

use std::time::Duration;

use axum::body::Body as HttpBody;
use http::{StatusCode, header::CONTENT_TYPE, request::Parts};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::bad;
use crate::{gateway::respond::Code, manage::answers::Refusal};

/// The longest body, in bytes.
pub(super) const SMALL: usize = 64 << 10;
/// The longest body that has a connection in it.
pub(super) const LARGE: usize = 1 << 20;
/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the JSON of a request.
pub(super) async fn read<T: DeserializeOwned>(
    parts: &Parts,
    body: HttpBody,
    limit: usize,
) -> Result<T, Refusal> {
    is_json(parts)?;
    let bytes = collect(body, limit, PATIENCE).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Refusal::new(StatusCode::BAD_REQUEST, Code::InvalidJson, what_is_wrong(&error))
    })
}

/// Refuses a body where none belongs, but for an empty object.
pub(super) async fn nothing(body: HttpBody) -> Result<(), Refusal> {
    let bytes = collect(body, SMALL, PATIENCE).await?;
    match bytes.trim_ascii() {
        b"" | b"{}" => Ok(()),
        _ => Err(bad("this takes no body")),
    }
}

fn is_json(parts: &Parts) -> Result<(), Refusal> {
    let declared = parts.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    let kind = declared.unwrap_or("application/json").split(';').next().unwrap_or_default();
    match kind.trim().eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::InvalidRequest,
            "send JSON, with `Content-Type: application/json`",
        )),
    }
}

/// The whole body, which may have a secret in it.
async fn collect(
    mut body: HttpBody,
    limit: usize,
    patience: Duration,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let collecting = async {
        let mut bytes = Zeroizing::new(Vec::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| bad("the body broke off"))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > limit {
                return Err(Refusal::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    Code::InvalidRequest,
                    format!("the body has more than {} KiB", limit >> 10),
                ));
            }
            // What grows leaves its old place behind: it is made large enough first, and wiped.
            if bytes.len() + data.len() > bytes.capacity() {
                let room = (2 * (bytes.len() + data.len())).min(limit).max(4_096);
                let mut larger = Zeroizing::new(Vec::with_capacity(room));
                larger.extend_from_slice(&bytes);
                bytes = larger;
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    };
    timeout(patience, collecting).await.unwrap_or_else(|_| {
        Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            Code::InvalidRequest,
            "the body took too long to come",
        ))
    })
}

/// What is wrong with JSON, and where: names of fields and what is expected, but never a value, which
/// may be a secret that stands in the wrong place.
fn what_is_wrong(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!("line {}, column {}", error.line(), error.column());
    let what = if error.is_eof() {
        "the JSON ends too early".to_owned()
    } else if !error.is_data() {
        "the body is not JSON".to_owned()
    } else {
        of_data(text.rsplit_once(" at line ").map_or(&*text, |(text, _)| text))
    };
    format!("{what} ({place})")
}

fn of_data(text: &str) -> String {
    let expected = text.rsplit_once("expected ").map(|(_, expected)| expected);
    if text.starts_with("missing field ") || text.starts_with("duplicate field ") {
        // These names are ours.
        return text.to_owned();
    }
    match (text.strip_prefix("unknown field `"), expected) {
        (Some(rest), Some(expected)) => match rest.split('`').next().filter(|name| is_name(name)) {
            Some(name) => format!("unknown field `{name}`, expected {expected}"),
            None => format!("unknown field, expected {expected}"),
        },
        (None, Some(expected)) => format!("expected {expected}"),
        (_, None) => "this is not what belongs here".to_owned(),
    }
}

/// Whether this looks like the name of a field, and not like a secret that lost its own.
fn is_name(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "what matters is that it does not read")]
    struct Example {
        name: String,
        #[serde(default)]
        is_default: bool,
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let start = futures_util::stream::once(async { Ok::<_, std::io::Error>("{".into()) });
        let never = futures_util::stream::pending::<std::io::Result<bytes::Bytes>>();
        let body = HttpBody::from_stream(futures_util::StreamExt::chain(start, never));
        let refused = collect(body, SMALL, Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(refused.status, StatusCode::REQUEST_TIMEOUT);
    }

    #[test]
    fn errors_name_fields_and_places_and_never_values() {
        for (text, message) in [
            (
                r#"{"name": "x", "labl": 1}"#,
                "unknown field `labl`, expected `name` or `is_default` (line 1, column 20)",
            ),
            (
                r#"{"AKIA5": 1}"#,
                "unknown field, expected `name` or `is_default` (line 1, column 8)",
            ),
            ("{}", "missing field `name` (line 1, column 2)"),
            (r#"{"name": "x", "name": "y"}"#, "duplicate field `name` (line 1, column 20)"),
            (r#"{"name": 5}"#, "expected a string (line 1, column 10)"),
            (
                r#"{"name": "x", "is_default": "s3cret expected"}"#,
                "expected a boolean (line 1, column 45)",
            ),
            (r#""s3cret""#, "expected struct Example (line 1, column 8)"),
            (r#"{"name": "#, "the JSON ends too early (line 1, column 9)"),
            ("s3cret", "the body is not JSON (line 1, column 1)"),
            (r#"{"name": "x"} s3cret"#, "the body is not JSON (line 1, column 15)"),
        ] {
            let error = serde_json::from_str::<Example>(text).unwrap_err();
            assert_eq!(what_is_wrong(&error), message, "{text}");
        }
    }
}
