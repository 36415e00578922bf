//! URIs in place of paths, on lines of lists and logs. No path is one: no bucket has a `:`.

use crate::policy::ConnectionId;

/// The connection and the path of a URI, `s3+label://bucket/key`.
pub(super) fn uri(bytes: &[u8]) -> Option<(&str, &[u8])> {
    // Nearly all are paths.
    let colon = memchr::memchr2(b':', b'/', bytes).filter(|at| bytes[*at] == b':')?;
    let path = bytes[colon..].strip_prefix(b"://")?;
    let id = std::str::from_utf8(&bytes[..colon]).ok()?;
    ConnectionId::parse(id).ok()?;
    Some((id, path))
}

/// A path with the connection that it names, if it is a URI.
pub(super) fn split_uri(bytes: &[u8]) -> (Option<&str>, &[u8]) {
    match uri(bytes) {
        Some((connection, path)) => (Some(connection), path),
        None => (None, bytes),
    }
}

/// What to write where something like a URI stands in place of a path.
pub(super) fn instead(bytes: &[u8]) -> Option<&'static str> {
    let colon = memchr::memchr2(b':', b'/', bytes).filter(|at| bytes[*at] == b':')?;
    let starts = |start: &str| bytes[colon..].starts_with(start.as_bytes());
    match &bytes[..colon] {
        b"arn" => Some("this is an ARN: write what stands behind `arn:aws:s3:::`, `bucket/key`"),
        b"http" | b"https" if starts("://") => {
            Some("this is an address of the web: write `bucket/key`, or `s3://bucket/key`")
        }
        b"s3a" | b"s3n" if starts("://") => {
            Some("Hadoop's `s3a://` is no connection: write `s3://bucket/key`")
        }
        _ if starts("://") => Some(
            "what stands before `://` is no connection: write `s3+label://bucket/key`, or `bucket/key`",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_told_from_paths() {
        for (text, expected) in [
            ("s3+lake://b/k", (Some("s3+lake"), "b/k")),
            ("S3://b/x://y", (Some("S3"), "b/x://y")),
            ("s3://", (Some("s3"), "")),
            ("b/s3://x", (None, "b/s3://x")),
            ("s3:/b", (None, "s3:/b")),
            ("data://x", (None, "data://x")),
            ("", (None, "")),
        ] {
            let (id, path) = split_uri(text.as_bytes());
            assert_eq!((id, path), (expected.0, expected.1.as_bytes()), "{text}");
        }
        for (text, part) in [
            ("arn:aws:s3:::b/k", "arn:aws:s3:::"),
            ("https://b.s3.amazonaws.com/k", "of the web"),
            ("s3a://b/k", "Hadoop"),
            ("gs://b/k", "is no connection"),
        ] {
            let help = instead(text.as_bytes()).unwrap_or_default();
            assert!(help.contains(part), "{text}: {help}");
        }
        for text in ["b/k:x", "b:c", "", "b"] {
            assert_eq!(instead(text.as_bytes()), None, "{text}");
        }
    }
}
