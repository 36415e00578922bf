//! Listing objects.
//!
//! What is listed are entries, in the order of their bytes: keys, and, with a delimiter, what
//! keys have up to it, once each. A page goes on behind an entry; so `marker`, `start-after` and
//! continuation tokens mean the same: entries greater than that.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use s3s::{S3Request, S3Response, S3Result, dto, s3_error};

use super::etag;
use crate::embedded::store::{Object, Store};

type Answer<T> = S3Result<S3Response<T>>;

/// How many entries a page has at most.
const PAGE: usize = 1000;

/// One entry of a listing.
pub(super) enum Entry {
    Key(Vec<u8>, Arc<Object>),
    /// What keys have in common up to a delimiter, with it.
    Common(Vec<u8>),
}

impl Entry {
    fn name(&self) -> &[u8] {
        match self {
            Self::Key(name, _) | Self::Common(name) => name,
        }
    }
}

pub(super) struct Page {
    pub(super) entries: Vec<Entry>,
    /// Whether there are more.
    pub(super) truncated: bool,
}

/// The first `limit` entries behind `after` of what starts with `prefix`.
fn page(
    objects: &BTreeMap<Vec<u8>, Arc<Object>>,
    prefix: &[u8],
    delimiter: &[u8],
    after: &[u8],
    limit: usize,
) -> Page {
    let mut entries = Vec::new();
    if limit == 0 {
        return Page { entries, truncated: false };
    }
    let mut from = if after < prefix { Bound::Included(prefix) } else { Bound::Excluded(after) }
        .map(Vec::from);
    loop {
        let next = objects.range::<Vec<u8>, _>((from, Bound::Unbounded)).next();
        let Some((key, object)) = next.filter(|(key, _)| key.starts_with(prefix)) else {
            return Page { entries, truncated: false };
        };
        let common = find(&key[prefix.len()..], delimiter)
            .map(|at| &key[..prefix.len() + at + delimiter.len()]);
        // A page that starts amid what an earlier one showed as one does not show it again.
        if common.is_none_or(|common| common > after) {
            if entries.len() == limit {
                return Page { entries, truncated: true };
            }
            entries.push(match common {
                Some(common) => Entry::Common(common.to_vec()),
                None => Entry::Key(key.clone(), Arc::clone(object)),
            });
        }
        from = match common.map(successor) {
            None => Bound::Excluded(key.clone()),
            Some(Some(end)) => Bound::Included(end),
            Some(None) => return Page { entries, truncated: false },
        };
    }
}

fn find(text: &[u8], delimiter: &[u8]) -> Option<usize> {
    if delimiter.is_empty() {
        return None;
    }
    memchr::memmem::find(text, delimiter)
}

/// The least bytes that are greater than all that start with `prefix`, if there are such.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte < u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// How names are written: as they are, or so that any XML can hold them.
#[derive(Clone, Copy)]
pub(super) struct Encoding {
    url: bool,
}

impl Encoding {
    pub(super) fn new(asked: Option<&dto::EncodingType>) -> S3Result<Self> {
        match asked.map(dto::EncodingType::as_str) {
            None => Ok(Self { url: false }),
            Some(dto::EncodingType::URL) => Ok(Self { url: true }),
            Some(_) => Err(s3_error!(InvalidArgument, "unknown encoding type")),
        }
    }

    /// As S3 does it, which does it as Java: `/`, `*`, `-`, `.` and `_` stay, a space is `+`.
    pub(super) fn write(self, name: &[u8]) -> String {
        // Keys come as UTF-8, and what they have in common is cut where a delimiter ends.
        let mut text = String::new();
        if !self.url {
            text.push_str(&String::from_utf8_lossy(name));
            return text;
        }
        for &byte in name {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'*' | b'-' | b'.' | b'_' => {
                    text.push(char::from(byte));
                }
                b' ' => text.push('+'),
                _ => {
                    let digits = b"0123456789ABCDEF";
                    let digit = |value: u8| char::from(digits[usize::from(value)]);
                    text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
                }
            }
        }
        text
    }
}

/// How many entries are asked for, no more than a page has.
pub(super) fn limit(asked: Option<i32>) -> S3Result<usize> {
    let Some(asked) = asked else { return Ok(PAGE) };
    let asked = usize::try_from(asked);
    asked.map(|asked| asked.min(PAGE)).map_err(|error| s3_error!(error, InvalidArgument))
}

/// A listing as answers have it.
struct Shown {
    contents: Vec<dto::Object>,
    common: Vec<dto::CommonPrefix>,
}

fn show(entries: Vec<Entry>, encoding: Encoding) -> Shown {
    let mut shown = Shown { contents: Vec::new(), common: Vec::new() };
    for entry in entries {
        match entry {
            Entry::Key(key, object) => shown.contents.push(dto::Object {
                key: Some(encoding.write(&key)),
                e_tag: Some(etag(&object.etag)),
                last_modified: Some(object.modified.into()),
                size: i64::try_from(object.data.length()).ok(),
                storage_class: Some(dto::ObjectStorageClass::from_static("STANDARD")),
                ..Default::default()
            }),
            Entry::Common(name) => {
                let prefix = Some(encoding.write(&name));
                shown.common.push(dto::CommonPrefix { prefix });
            }
        }
    }
    shown
}

pub(super) async fn list_objects(
    store: &Arc<Store>,
    request: S3Request<dto::ListObjectsInput>,
) -> Answer<dto::ListObjectsOutput> {
    let input = request.input;
    let encoding = Encoding::new(input.encoding_type.as_ref())?;
    let limit = limit(input.max_keys)?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let marker = input.marker.unwrap_or_default();
    let page = store.find(|state| {
        let objects = &state.bucket(&input.bucket)?.objects;
        let separator = delimiter.as_deref().unwrap_or_default();
        let (prefix, after) = (prefix.as_bytes(), marker.as_bytes());
        Ok(page(objects, prefix, separator.as_bytes(), after, limit))
    })?;
    let write = |text: String| encoding.write(text.as_bytes());
    // S3 says where to go on only with a delimiter; else it is the last key.
    let next = page.entries.last().filter(|_| page.truncated && delimiter.is_some());
    let next_marker = next.map(|entry| encoding.write(entry.name()));
    let shown = show(page.entries, encoding);
    Ok(S3Response::new(dto::ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(write(prefix)),
        marker: Some(write(marker)),
        max_keys: i32::try_from(limit).ok(),
        is_truncated: Some(page.truncated),
        next_marker,
        contents: Some(shown.contents),
        common_prefixes: Some(shown.common),
        delimiter: delimiter.map(write),
        encoding_type: input.encoding_type,
        ..Default::default()
    }))
}

pub(super) async fn list_objects_v2(
    store: &Arc<Store>,
    request: S3Request<dto::ListObjectsV2Input>,
) -> Answer<dto::ListObjectsV2Output> {
    let input = request.input;
    let encoding = Encoding::new(input.encoding_type.as_ref())?;
    let limit = limit(input.max_keys)?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let after = match &input.continuation_token {
        Some(token) => read_token(token)?,
        None => input.start_after.clone().unwrap_or_default().into_bytes(),
    };
    let page = store.find(|state| {
        let objects = &state.bucket(&input.bucket)?.objects;
        let separator = delimiter.as_deref().unwrap_or_default();
        Ok(page(objects, prefix.as_bytes(), separator.as_bytes(), &after, limit))
    })?;
    let write = |text: String| encoding.write(text.as_bytes());
    let next = page.entries.last().filter(|_| page.truncated);
    let next_continuation_token = next.map(|entry| write_token(entry.name()));
    let shown = show(page.entries, encoding);
    let count = shown.contents.len() + shown.common.len();
    Ok(S3Response::new(dto::ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(write(prefix)),
        max_keys: i32::try_from(limit).ok(),
        key_count: i32::try_from(count).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.truncated),
        next_continuation_token,
        contents: Some(shown.contents),
        common_prefixes: Some(shown.common),
        delimiter: delimiter.map(write),
        encoding_type: input.encoding_type,
        start_after: input.start_after.map(write),
        ..Default::default()
    }))
}

/// A token is the last entry, in hex: clients that treat one as a key fail at once.
fn write_token(name: &[u8]) -> String {
    format!("1{}", super::receive::hex(name))
}

fn read_token(token: &str) -> S3Result<Vec<u8>> {
    let wrong = || s3_error!(InvalidArgument, "the continuation token provided is incorrect");
    let digits = token.strip_prefix('1').ok_or_else(wrong)?;
    let mut name = Vec::with_capacity(digits.len() / 2);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    for pair in pairs {
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or_else(wrong);
        let value = digit(pair[0])? * 16 + digit(pair[1])?;
        name.push(u8::try_from(value).map_err(|_| wrong())?);
    }
    if rest.is_empty() { Ok(name) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_s3_does() {
        let url = Encoding { url: true };
        assert_eq!(url.write("a b/ü+%41*~'.-_\u{1}".as_bytes()), "a+b/%C3%BC%2B%2541*%7E%27.-_%01");
        assert_eq!(Encoding { url: false }.write("a b/ü+".as_bytes()), "a b/ü+");
    }

    #[test]
    fn tokens() {
        assert_eq!(read_token(&write_token(b"a/\xff")).unwrap(), b"a/\xff");
        for wrong in ["", "a", "1a", "1g0", "2aa", "1+1"] {
            assert!(read_token(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_end_of_a_prefix() {
        assert_eq!(successor(b"a/").as_deref(), Some(&b"a0"[..]));
        assert_eq!(successor(b"a\xff").as_deref(), Some(&b"b"[..]));
        assert_eq!(successor(b"\xff"), None);
    }
}
