//! The head of an answer: the headers that somebody reads.

use std::time::SystemTime;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
        CONTENT_RANGE, CONTENT_TYPE, ETAG, EXPIRES, LAST_MODIFIED,
    },
};

use super::error::senseless;
use crate::executor::{ExecuteError, Metadata, ObjectInfo, USER, number};

/// The longest value of a header that is read.
const MAX_VALUE: usize = 1_024;
/// What users' own headers have together at most, names and values: four times as much as AWS takes.
const MAX_USER: usize = 8 << 10;

/// The headers that somebody reads of an answer that is no error.
#[derive(Debug)]
pub(super) struct Head(HeaderMap);

impl Head {
    /// Each of these headers as a copy that holds nothing else, and dates in the one form that is always read. What
    /// makes no sense is left out.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        const TEXTS: [HeaderName; 9] = [
            CACHE_CONTROL,
            CONTENT_DISPOSITION,
            CONTENT_ENCODING,
            CONTENT_LANGUAGE,
            CONTENT_LENGTH,
            CONTENT_RANGE,
            CONTENT_TYPE,
            ETAG,
            EXPIRES,
        ];
        let copy = |value: &HeaderValue| {
            let text = value.to_str().ok().filter(|text| text.len() <= MAX_VALUE)?;
            HeaderValue::from_str(text).ok()
        };
        // Of two values neither is the one.
        let one = |name: &HeaderName| {
            let mut values = headers.get_all(name).into_iter();
            values.next().filter(|_| values.next().is_none()).and_then(copy)
        };
        let mut kept = HeaderMap::new();
        for name in TEXTS {
            if let Some(value) = one(&name) {
                kept.insert(name, value);
            }
        }
        let date = one(&LAST_MODIFIED)
            .and_then(|value| httpdate::parse_http_date(value.to_str().ok()?).ok());
        // The years that are read are those that are written.
        let value = date.map(httpdate::fmt_http_date);
        if let Some(value) = value.and_then(|text| HeaderValue::from_str(&text).ok()) {
            kept.insert(LAST_MODIFIED, value);
        }
        let mut left = MAX_USER;
        for name in headers.keys().filter(|name| name.as_str().starts_with(USER)) {
            let Some(value) = one(name) else { continue };
            let len = name.as_str().len() + value.len();
            if len > left {
                break;
            }
            left -= len;
            kept.insert(name, value);
        }
        Self(kept)
    }

    /// The text of a header.
    pub(super) fn text(&self, name: &HeaderName) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    /// The date that a header has.
    pub(super) fn time(&self, name: &HeaderName) -> Option<SystemTime> {
        httpdate::parse_http_date(self.text(name)?).ok()
    }

    /// How long the body is, if that is said once and is a number.
    pub(super) fn length(&self) -> Option<u64> {
        number(self.text(&CONTENT_LENGTH)?)
    }

    /// Which bytes the body has: the first and the last, and how many there are of the whole object.
    pub(super) fn range(&self) -> Option<(u64, u64, u64)> {
        let (range, whole) = self.text(&CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        Some((number(first)?, number(last)?, number(whole)?))
    }

    /// How many bytes there are of an object that has none of those that were asked for.
    pub(super) fn whole_size(&self) -> Option<u64> {
        number(self.text(&CONTENT_RANGE)?.strip_prefix("bytes */")?)
    }

    /// What this says that an object of this size is. A server that does not say how long it is could end it
    /// anywhere, unnoticed.
    pub(super) fn info(&self, size: Option<u64>) -> Result<ObjectInfo, ExecuteError> {
        let text =
            |name: &HeaderName| Ok::<_, ExecuteError>(self.text(name).map(ToOwned::to_owned));
        Ok(ObjectInfo {
            size: size.ok_or_else(senseless)?,
            etag: text(&ETAG)?,
            last_modified: self.time(&LAST_MODIFIED),
            metadata: Metadata::read(&self.0, text)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_make_no_sense_are_left_out() {
        let value = |bytes: &[u8]| HeaderValue::from_bytes(bytes).unwrap();
        let with = |pairs: &[(HeaderName, &[u8])]| {
            let mut headers = HeaderMap::new();
            for (name, bytes) in pairs {
                headers.append(name, value(bytes));
            }
            let headers = Head::of(&headers).0;
            let mut kept: Vec<_> = headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                .collect();
            kept.sort();
            kept
        };
        let date = b"Sun, 06 Nov 1994 08:49:37 GMT";
        let text = format!("last-modified: {}", std::str::from_utf8(date).unwrap());
        let text = text.as_str();
        assert_eq!(with(&[(LAST_MODIFIED, date), (ETAG, b"\"a\"")]), ["etag: \"a\"", text]);
        // Another form of the same.
        assert_eq!(with(&[(LAST_MODIFIED, b"Sunday, 06-Nov-94 08:49:37 GMT")]), [text]);
        for odd in [
            &b"Wed, 31 Dec 1969 23:59:59 GMT"[..],
            b"Sat, 01 Jan 10000 00:00:00 GMT",
            b"Sun, 06 Nov 1994 08:49:37. GMT",
            b"Sun, 06 Nov 1994 08:49:37.1234 GMT",
            b"Mon, 30 Feb 2026 00:00:00 GMT",
            b"0",
            b"-1",
            b"",
            b"\xff",
        ] {
            assert_eq!(with(&[(LAST_MODIFIED, odd)]), [""; 0], "{odd:?}");
        }
        assert_eq!(with(&[(ETAG, b"\"a\""), (ETAG, b"\"b\""), (CONTENT_TYPE, b"\xff")]), [""; 0]);
        let long = "t".repeat(MAX_VALUE + 1);
        assert_eq!(with(&[(CONTENT_TYPE, long.as_bytes())]), [""; 0]);
        assert_eq!(with(&[(HeaderName::from_static("x-amz-meta-a"), b"b")]), ["x-amz-meta-a: b"]);
        assert_eq!(with(&[(HeaderName::from_static("x-amz-other"), b"b")]), [""; 0]);
        assert_eq!(with(&[(CONTENT_LENGTH, b"5")]), ["content-length: 5"]);
        assert_eq!(with(&[(CONTENT_LENGTH, long.as_bytes())]), [""; 0]);
    }
}
