//! From a request target to a connection and a path: the one place that decodes.
//!
//! Two families of routes name the same things:
//!
//! | family | form |
//! |---|---|
//! | `/v1/connector/` | `/v1/connector/s3+label/bucket/key` |
//! | `/v1/data/` | `/v1/data/s3+label://bucket/key` |
//!
//! Percent-decoding happens once. `+` is itself, but for the clients that form-encode the whole of
//! a data URI (Java, Scala, Android): they are known by a target without `/` that has `%2F`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::{
    path::{Path, PathError},
    policy::{ConnectionId, ConnectionIdError},
};

/// A family of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `/v1/connector/`
    Connector,
    /// `/v1/data/`
    Data,
}

/// Every prefix that the Data API is served under.
pub const PREFIXES: [(&str, Family); 3] = [
    ("/v1/connector", Family::Connector),
    ("/v1/data", Family::Data),
    ("/api/v1/connector", Family::Connector),
];

/// What a request target names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A place in a connection.
    Connection {
        /// The connection.
        id: ConnectionId<'static>,
        /// The path in it.
        path: Path<'static>,
    },
    /// The root of hosted data, `data://`, whose one folder has the caller's name.
    HostedRoot,
    /// Another place in hosted data, which is not kept here.
    Hosted {
        /// The path, decoded.
        path: String,
    },
}

/// Why a request target names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetError {
    /// Its escapes are not UTF-8.
    Encoding,
    /// The name of the connection is none.
    Connection(ConnectionIdError),
    /// The path is malformed.
    Path(PathError),
}

/// Reads the path of a request target: what stands before the first `?`.
///
/// `None` when it is under none of [`PREFIXES`].
pub(super) fn read(target: &str) -> Option<Result<Target, TargetError>> {
    PREFIXES.into_iter().find_map(|(prefix, family)| {
        let rest = target.strip_prefix(prefix)?;
        match rest.strip_prefix('/') {
            Some(rest) => Some(within(family, rest)),
            None if rest.is_empty() => Some(within(family, rest)),
            None => None,
        }
    })
}

fn within(family: Family, rest: &str) -> Result<Target, TargetError> {
    let (connector, path) = names(family, rest).ok_or(TargetError::Encoding)?;
    match connector {
        None if path.is_empty() => Ok(Target::HostedRoot),
        None => Ok(Target::Hosted { path }),
        Some(connector) => Ok(Target::Connection {
            id: ConnectionId::parse(&connector).map_err(TargetError::Connection)?.into_owned(),
            path: Path::from_vec(path.into_bytes()).map_err(TargetError::Path)?,
        }),
    }
}

/// The connection's name, `None` for hosted data, and the path, both decoded. `None` when they are
/// not UTF-8.
fn names(family: Family, rest: &str) -> Option<(Option<String>, String)> {
    let text = decode(family, rest)?;
    Some(match family {
        Family::Connector => {
            let (connector, path) = text.split_once('/').unwrap_or((&text, ""));
            match connector.eq_ignore_ascii_case("data") || connector.is_empty() {
                true => (None, path.trim_start_matches('/').to_owned()),
                false => (Some(connector.to_owned()), path.to_owned()),
            }
        }
        Family::Data => match split_uri(&text) {
            Some(("data", path)) => (None, path.trim_start_matches('/').to_owned()),
            Some((connector, path)) => (Some(connector.to_owned()), path.to_owned()),
            None => (None, text.trim_start_matches('/').to_owned()),
        },
    })
}

fn decode(family: Family, rest: &str) -> Option<String> {
    let is_form_encoded = family == Family::Data
        && !rest.contains('/')
        && rest.as_bytes().windows(3).any(|three| three.eq_ignore_ascii_case(b"%2F"));
    let rest = match is_form_encoded {
        true => Cow::Owned(rest.replace('+', " ")),
        false => Cow::Borrowed(rest),
    };
    percent_decode_str(&rest).decode_utf8().ok().map(Cow::into_owned)
}

/// Splits `protocol://path` and `protocol+label://path`; clients that join paths make `:/` of the
/// `://` of a root.
fn split_uri(text: &str) -> Option<(&str, &str)> {
    let (connector, rest) = text.split_once(":/")?;
    let (protocol, label) = connector.split_once('+').unwrap_or((connector, "l"));
    let is_connector = !protocol.is_empty()
        && protocol.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !label.is_empty()
        && !connector.contains(['/', ':']);
    is_connector.then(|| (connector, rest.strip_prefix('/').unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from Algorithmia's own clients: see tests/data/README.md.
    const RECORDED: &str = include_str!("../../tests/data/request-targets.jsonl");

    #[test]
    fn recorded_targets_decode_to_what_their_clients_meant() {
        let mut seen = 0;
        for line in RECORDED.lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |field: &str| record[field].as_str().unwrap().to_owned();
            let raw: Vec<u8> =
                text("target_latin1").chars().map(|c| u8::try_from(c as u32).unwrap()).collect();
            let target = super::super::wire::utf8_target(&raw);
            let path = target.split('?').next().unwrap();
            let (family, rest) = PREFIXES
                .into_iter()
                .find_map(|(prefix, family)| Some((family, path.strip_prefix(prefix)?)))
                .unwrap();
            let (connector, path) = names(family, rest.strip_prefix('/').unwrap_or(rest)).unwrap();
            assert_eq!(
                (connector.as_deref().unwrap_or("data"), path.as_str()),
                (text("connector").as_str(), text("path").as_str()),
                "{line}"
            );
            seen += 1;
        }
        assert_eq!(seen, 243);
    }

    #[test]
    fn what_is_no_connection_is_none() {
        for (target, id) in [
            ("/v1/connector/s3%2Bt/pub/x", Ok("s3+t")),
            ("/v1/connector/S3+t/pub/x", Ok("s3+t")),
            ("/v1/data/s3+t://pub/x", Ok("s3+t")),
            ("/v1/data/s3%2Bt%3A%2F%2Fpub%2Fx", Ok("s3+t")),
            ("/v1/connector/s3/pub/x", Ok("s3")),
            ("/v1/connector/s3+t+u/pub/x", Err(())),
            ("/v1/connector/s3+/pub/x", Err(())),
            ("/v1/connector/s3+..%2Fx/pub/x", Err(())),
            ("/v1/connector/s3+a%25/pub/x", Err(())),
            ("/v1/connector/ftp+t/pub/x", Err(())),
        ] {
            let read = read(target).unwrap();
            let found = match &read {
                Ok(Target::Connection { id, .. }) => Ok(id.to_string()),
                _ => Err(()),
            };
            assert_eq!(
                found.as_deref(),
                id.as_ref().map(|id| *id).map_err(|()| &()),
                "{target}: {read:?}"
            );
        }
    }

    #[test]
    fn escapes_are_decoded_once_and_only_utf8_is_taken() {
        let path = |target: &str| match read(target) {
            Some(Ok(Target::Connection { path, .. })) => {
                String::from_utf8(path.as_bytes().to_vec())
            }
            other => unreachable!("{other:?}"),
        };
        assert_eq!(path("/v1/data/s3+t://pub/%252e%252e/x").unwrap(), "pub/%2e%2e/x");
        assert_eq!(path("/v1/data/s3+t://pub/100%/%zz/a+b").unwrap(), "pub/100%/%zz/a+b");
        assert_eq!(path("/v1/data/s3%2Bt%3A%2F%2Fpub%2Fa+b%2Bc").unwrap(), "pub/a b+c");
        assert_eq!(read("/v1/data/s3+t://pub/%FC"), Some(Err(TargetError::Encoding)));
        assert!(matches!(
            read("/v1/data/s3+t://pub/a/%2e%2e/b"),
            Some(
                Ok(Target::Connection { .. })
                    | Err(TargetError::Path(PathError::DotSegment { .. }))
            )
        ));
        assert!(read("/v1/database").is_none());
        assert!(read("/v1").is_none());
    }

    #[test]
    fn hosted_data_has_a_root_and_nothing_else() {
        for root in [
            "/v1/data",
            "/v1/data/",
            "/v1/data/data://",
            "/v1/connector/data",
            "/v1/connector/data/",
        ] {
            assert_eq!(read(root), Some(Ok(Target::HostedRoot)), "{root}");
        }
        for (target, path) in [
            ("/v1/data/.my/x", ".my/x"),
            ("/v1/data//.my/x", ".my/x"),
            ("/v1/data/data://ana", "ana"),
            ("/v1/connector/data/%61na/", "ana/"),
        ] {
            assert_eq!(
                read(target),
                Some(Ok(Target::Hosted { path: path.to_owned() })),
                "{target}"
            );
        }
    }
}
