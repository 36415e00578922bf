//! Keys on their way out and back: encoded and decoded here, once, and nowhere else.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_encode};

use crate::{executor::ExecuteError, path::Path};

/// Everything but what stands for itself in a URL's path, `/` included.
const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Everything but what stands for itself in a URL's query.
pub(super) const IN_QUERY: &AsciiSet = &IN_PATH.add(b'/');

/// How names end that AWS keeps for other names of buckets: aliases of access points, among them
/// those on Outposts. A bucket by another name would be decided on as another bucket.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
const ALIASES: [&str; 4] = ["-s3alias", "--op-s3", "--ol-s3", ".mrap"];

/// A path's bucket and key as text: every canonical path is UTF-8.
pub(super) fn split<'p>(path: &'p Path<'_>) -> Result<(&'p str, &'p str), ExecuteError> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| ExecuteError::KeyNotSendable);
    let (bucket, key) = (text(path.bucket())?, text(path.key())?);
    match ALIASES.iter().any(|alias| bucket.ends_with(alias)) {
        true => Err(ExecuteError::KeyNotSendable),
        false => Ok((bucket, key)),
    }
}

/// The bucket and key of a path that names an object: without a key, the request would be for the bucket.
pub(super) fn object<'p>(path: &'p Path<'_>) -> Result<(&'p str, &'p str), ExecuteError> {
    let (bucket, key) = split(path)?;
    match key.is_empty() {
        true => Err(ExecuteError::KeyNotSendable),
        false => Ok((bucket, key)),
    }
}

/// The path of a key that a server said; `None` where no path can name it.
pub(super) fn path(bucket: &str, key: &str) -> Option<Path<'static>> {
    Path::from_vec(format!("{bucket}/{key}").into_bytes()).ok()
}

/// A bucket's name, or a key, as part of a URL's path.
pub(super) fn in_path(text: &str) -> PercentEncode<'_> {
    percent_encode(text.as_bytes(), IN_PATH)
}

/// The value of `x-amz-copy-source`. A `?` in a key is encoded, so that no version can be asked for.
pub(super) fn copy_source(bucket: &str, key: &str) -> String {
    format!("{bucket}/{}", in_path(key))
}

/// Whether a key comes through XML unchanged whoever reads it: XML 1.0 has no U+FFFE and U+FFFF,
/// and some readers trim text.
pub(super) fn survives_xml(key: &str) -> bool {
    key.trim() == key && !key.contains(['\u{fffe}', '\u{ffff}'])
}

/// Decodes what a listing with `encoding-type=url` has, once. AWS writes a space as `+`, others as
/// `%20`; a plus is `%2B` with all of them. `None` for what is no such text.
pub(super) fn decode_url(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_are_decoded_once() {
        for (text, key) in [
            ("a/b", Some("a/b")),
            ("a+b%20c%2Bd", Some("a b c+d")),
            ("a%252Fb", Some("a%2Fb")),
            ("%e2%82%AC", Some("€")),
            ("ü", Some("ü")),
            ("%", None),
            ("%4", None),
            ("%zz", None),
            ("%ff", None),
        ] {
            assert_eq!(decode_url(text).as_deref(), key, "{text}");
        }
    }

    #[test]
    fn a_copy_source_asks_for_no_version() {
        let encoded = copy_source("pub", "a b/c?versionId=1%2F+ü*'");
        assert_eq!(encoded, "pub/a%20b/c%3FversionId%3D1%252F%2B%C3%BC%2A%27");
    }
}
