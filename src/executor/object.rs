//! What is said about objects: what they are, what of them is wanted, and when.

use std::{fmt, time::SystemTime};

use http::{
    HeaderMap, HeaderName,
    header::{
        CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE,
        EXPIRES, InvalidHeaderName,
    },
};

use super::Body;

/// What is kept with an object beside its bytes, and given back with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// What kind of data it is, `Content-Type`.
    pub content_type: Option<String>,
    /// How its bytes are packed, `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// How it is to be shown or saved, `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// The language of its text, `Content-Language`.
    pub content_language: Option<String>,
    /// How long it may be kept by whoever got it, `Cache-Control`.
    pub cache_control: Option<String>,
    /// When it is out of date, `Expires`, as it was given.
    pub expires: Option<String>,
    /// What users say of it: the names behind `x-amz-meta-`, in lower case, and their values. Servers take
    /// two kilobytes of it, all names and values together.
    pub user: Vec<(String, String)>,
}

/// What the names of users' own headers start with.
pub(crate) const USER: &str = "x-amz-meta-";

impl Metadata {
    /// What these headers say; `text` gives the text of one.
    pub(crate) fn read<E>(
        headers: &HeaderMap,
        text: impl Fn(&HeaderName) -> Result<Option<String>, E>,
    ) -> Result<Self, E> {
        let mut user = Vec::new();
        for name in headers.keys() {
            if let Some(short) = name.as_str().strip_prefix(USER)
                && let Some(value) = text(name)?
            {
                user.push((short.to_owned(), value));
            }
        }
        Ok(Self {
            content_type: text(&CONTENT_TYPE)?,
            content_encoding: text(&CONTENT_ENCODING)?,
            content_disposition: text(&CONTENT_DISPOSITION)?,
            content_language: text(&CONTENT_LANGUAGE)?,
            cache_control: text(&CACHE_CONTROL)?,
            expires: text(&EXPIRES)?,
            user,
        })
    }

    /// The headers that say it. What users chose may be no header's name.
    pub(crate) fn headers(
        &self,
    ) -> impl Iterator<Item = (Result<HeaderName, InvalidHeaderName>, &str)> {
        let ours = [
            (CONTENT_TYPE, &self.content_type),
            (CONTENT_ENCODING, &self.content_encoding),
            (CONTENT_DISPOSITION, &self.content_disposition),
            (CONTENT_LANGUAGE, &self.content_language),
            (CACHE_CONTROL, &self.cache_control),
            (EXPIRES, &self.expires),
        ];
        let ours = ours.into_iter().filter_map(|(name, value)| Some((Ok(name), value.as_deref()?)));
        let user = self.user.iter().map(|(name, value)| {
            (HeaderName::from_bytes(format!("{USER}{name}").as_bytes()), value.as_str())
        });
        ours.chain(user)
    }
}

/// What a server says about an object, as far as callers learn of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its size in bytes, whole.
    pub size: u64,
    /// Its entity tag, as the server gives it: quoted.
    pub etag: Option<String>,
    /// When it was last changed.
    pub last_modified: Option<SystemTime>,
    /// What is kept with it.
    pub metadata: Metadata,
}

/// An object being read.
#[derive(Debug)]
pub struct Object {
    /// What it is.
    pub info: ObjectInfo,
    /// Which of its bytes these are, where not all were asked for: the first, and the last.
    pub range: Option<(u64, u64)>,
    /// The bytes, as they come. Ends with an error when they stop before the last of them.
    pub body: Body,
}

impl Object {
    /// How many bytes these are.
    pub fn len(&self) -> u64 {
        self.range.map_or(self.info.size, |(first, last)| last - first + 1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Some of an object's bytes, counted from 0. What goes beyond its end is cut there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// From this byte to that one, itself included.
    Between(u64, u64),
    /// From this byte on.
    From(u64),
    /// The last so many.
    Last(u64),
}

impl ByteRange {
    /// Reads the value of a `Range` header: one range of bytes. `None` for anything else, several ranges
    /// among it: whoever serves may then give all of it (RFC 9110, 14.2).
    pub fn parse(text: &str) -> Option<Self> {
        let (unit, range) = text.split_once('=')?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        match range.trim().split_once('-')? {
            ("", last) => number(last).map(Self::Last),
            (first, "") => number(first).map(Self::From),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::Between(first, last))
            }
        }
    }

    /// Which bytes these are of so many: the first and the last. `None` if there are none.
    pub fn of(self, size: u64) -> Option<(u64, u64)> {
        let last = size.checked_sub(1)?;
        match self {
            Self::Between(first, end) if first <= last => Some((first, end.min(last))),
            Self::From(first) if first <= last => Some((first, last)),
            Self::Last(count) if count > 0 => Some((size.saturating_sub(count), last)),
            _ => None,
        }
    }
}

impl fmt::Display for ByteRange {
    /// As the value of a `Range` header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between(first, last) => write!(f, "bytes={first}-{last}"),
            Self::From(first) => write!(f, "bytes={first}-"),
            Self::Last(count) => write!(f, "bytes=-{count}"),
        }
    }
}

/// When an object is wanted, as headers of these names have it (RFC 9110, 13.1). Without any, always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadConditions {
    /// Only one of these entity tags, or any if it is `*`.
    pub if_match: Option<String>,
    /// None of these entity tags.
    pub if_none_match: Option<String>,
    /// Only if it was changed since. Not looked at where there is `if_none_match`.
    pub if_modified_since: Option<SystemTime>,
    /// Only if it was not changed since. Not looked at where there is `if_match`.
    pub if_unmodified_since: Option<SystemTime>,
}

/// What becomes of a request with conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It is done.
    Yes,
    /// It is not: the caller has the object already.
    NotModified,
    /// It is not.
    No,
}

impl ReadConditions {
    /// Whether they are met by an object with this entity tag that was last changed then: of servers that know no
    /// conditions, what they answer is held to them.
    pub fn are_met(&self, etag: Option<&str>, last_modified: Option<SystemTime>) -> Met {
        // Headers have dates by the second.
        let seconds = |time: SystemTime| {
            time.duration_since(SystemTime::UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or(0)
        };
        let is_after = |limit: &Option<SystemTime>| {
            limit.zip(last_modified).map(|(limit, modified)| seconds(modified) > seconds(limit))
        };
        let is_refused = match &self.if_match {
            Some(tags) => !etag.is_some_and(|etag| names(tags, etag, true)),
            None => is_after(&self.if_unmodified_since) == Some(true),
        };
        if is_refused {
            return Met::No;
        }
        let has_it = match &self.if_none_match {
            Some(tags) => etag.is_some_and(|etag| names(tags, etag, false)),
            None => is_after(&self.if_modified_since) == Some(false),
        };
        if has_it { Met::NotModified } else { Met::Yes }
    }
}

/// Whether a list of entity tags, or `*`, has this one: compared strongly, or weakly (RFC 9110, 8.8.3.2). Tags
/// without quotes count, since S3's tools send them so.
fn names(tags: &str, etag: &str, strongly: bool) -> bool {
    let bare = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').to_owned();
    let is_weak = |tag: &str| tag.starts_with("W/");
    tags.trim() == "*"
        || tags
            .split(',')
            .map(str::trim)
            .any(|tag| bare(tag) == bare(etag) && !(strongly && (is_weak(tag) || is_weak(etag))))
}

/// What of an object is wanted, and when. By default all of it, always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Which of its bytes.
    pub range: Option<ByteRange>,
    /// These bytes only of the object with this entity tag, as `If-Range` has it; of another one all.
    pub if_range: Option<String>,
    /// When.
    pub conditions: ReadConditions,
}

/// An object that was stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// How many bytes it has.
    pub size: u64,
    /// Its entity tag, as the server gives it: quoted.
    pub etag: Option<String>,
}

/// When an object may be stored, or deleted. By default always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteConditions {
    /// Only in place of an object with this entity tag.
    pub if_match: Option<String>,
    /// Only where there is no object, `If-None-Match: *`.
    pub if_none: bool,
}

impl WriteConditions {
    /// Whether there is any.
    pub fn are_any(&self) -> bool {
        self.if_none || self.if_match.is_some()
    }
}

/// A number that is written in digits alone.
pub(crate) fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        for (text, range) in [
            ("bytes=0-0", Some(ByteRange::Between(0, 0))),
            ("bytes=5-", Some(ByteRange::From(5))),
            ("Bytes=-3", Some(ByteRange::Last(3))),
            ("bytes= 1-2 ", Some(ByteRange::Between(1, 2))),
            ("bytes=2-1", None),
            ("bytes=-", None),
            ("bytes=", None),
            ("bytes", None),
            ("items=0-1", None),
            ("bytes=0-1,3-4", None),
            ("bytes=+1-2", None),
            ("bytes=1-99999999999999999999", None),
            ("bytes=a-b", None),
            ("bytes=1--2", None),
        ] {
            assert_eq!(ByteRange::parse(text), range, "{text}");
        }
        for range in [ByteRange::Between(1, 9), ByteRange::From(7), ByteRange::Last(2)] {
            assert_eq!(ByteRange::parse(&range.to_string()), Some(range));
        }
    }

    #[test]
    fn ranges_end_where_the_object_does() {
        for (range, size, bytes) in [
            (ByteRange::Between(0, 9), 5, Some((0, 4))),
            (ByteRange::Between(4, 4), 5, Some((4, 4))),
            (ByteRange::Between(5, 9), 5, None),
            (ByteRange::From(4), 5, Some((4, 4))),
            (ByteRange::From(5), 5, None),
            (ByteRange::Last(2), 5, Some((3, 4))),
            (ByteRange::Last(9), 5, Some((0, 4))),
            (ByteRange::Last(0), 5, None),
            (ByteRange::Last(1), 0, None),
            (ByteRange::From(0), 0, None),
        ] {
            assert_eq!(range.of(size), bytes, "{range} of {size}");
        }
    }

    #[test]
    fn conditions_are_those_of_http() {
        let at =
            |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_millis(seconds * 1_000 + 500);
        let tag = Some("\"a\"");
        let matching = |tags: &str| ReadConditions {
            if_match: Some(tags.into()),
            ..ReadConditions::default()
        };
        let other = |tags: &str| ReadConditions {
            if_none_match: Some(tags.into()),
            ..ReadConditions::default()
        };
        for (conditions, met) in [
            (ReadConditions::default(), Met::Yes),
            (matching("\"a\""), Met::Yes),
            (matching("a"), Met::Yes),
            (matching("\"b\", \"a\""), Met::Yes),
            (matching("*"), Met::Yes),
            (matching("\"b\""), Met::No),
            (matching("W/\"a\""), Met::No),
            (other("\"a\""), Met::NotModified),
            (other("W/\"a\""), Met::NotModified),
            (other("*"), Met::NotModified),
            (other("\"b\""), Met::Yes),
            (
                ReadConditions { if_modified_since: Some(at(7)), ..ReadConditions::default() },
                Met::NotModified,
            ),
            (
                ReadConditions { if_modified_since: Some(at(6)), ..ReadConditions::default() },
                Met::Yes,
            ),
            (
                ReadConditions { if_unmodified_since: Some(at(6)), ..ReadConditions::default() },
                Met::No,
            ),
            (
                ReadConditions { if_unmodified_since: Some(at(7)), ..ReadConditions::default() },
                Met::Yes,
            ),
            // Tags come before dates.
            (ReadConditions { if_unmodified_since: Some(at(6)), ..matching("\"a\"") }, Met::Yes),
            (ReadConditions { if_modified_since: Some(at(7)), ..other("\"b\"") }, Met::Yes),
        ] {
            assert_eq!(conditions.are_met(tag, Some(at(7))), met, "{conditions:?}");
        }
        // What the server does not say is no match.
        assert_eq!(matching("*").are_met(None, None), Met::No);
        assert_eq!(other("*").are_met(None, None), Met::Yes);
    }
}
