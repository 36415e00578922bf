//! Headers of a request that say what is wanted, when, and what is kept with a file. All others but the content type
//! bring about nothing.

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{
        CONTENT_RANGE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
        RANGE,
    },
};

use super::respond::{Code, Failure};
use crate::executor::{
    Algorithm, ByteRange, Checksum, Metadata, ReadConditions, ReadOptions, USER, WriteConditions,
};

/// What the names of checksums start with, and what is said about checksums and is none: here they are of the whole
/// body, and are told to nobody.
const CHECKSUM: &str = "x-amz-checksum-";
const ABOUT_CHECKSUMS: [&str; 3] = ["type", "mode", "algorithm"];
/// What users' own headers have together at most, names and values: what AWS takes.
const MAX_USER: usize = 2 << 10;

/// What of a file is wanted.
pub(super) fn reading(headers: &HeaderMap) -> Result<ReadOptions, Failure> {
    let range = one(headers, &RANGE)?.and_then(ByteRange::parse);
    // A date, or a tag that may be of two contents, says too little to put bytes together by.
    let is_tag = |text: &&str| text.starts_with('"') && text.ends_with('"') && text.len() > 1;
    let (range, if_range) = match one(headers, &IF_RANGE)? {
        None => (range, None),
        Some(tag) if is_tag(&tag) => (range, Some(tag.to_owned())),
        Some(_) => (None, None),
    };
    Ok(ReadOptions { range, if_range, conditions: conditions(headers)? })
}

/// When a file is wanted.
pub(super) fn conditions(headers: &HeaderMap) -> Result<ReadConditions, Failure> {
    // A date that is none is as if it was not there (RFC 9110, 13.1.3).
    let date = |name: &HeaderName| {
        let text = headers.get(name)?.to_str().ok()?;
        httpdate::parse_http_date(text).ok()
    };
    Ok(ReadConditions {
        if_match: tags(headers, &IF_MATCH)?,
        if_none_match: tags(headers, &IF_NONE_MATCH)?,
        if_modified_since: date(&IF_MODIFIED_SINCE),
        if_unmodified_since: date(&IF_UNMODIFIED_SINCE),
    })
}

/// When a file is to be stored or deleted. What S3 has no way to say is refused, never ignored.
pub(super) fn writing(headers: &HeaderMap) -> Result<WriteConditions, Failure> {
    let not_here =
        |message: &str| Failure::new(StatusCode::NOT_IMPLEMENTED, Code::InvalidRequest, message);
    if headers.contains_key(IF_UNMODIFIED_SINCE) {
        return Err(not_here(
            "`If-Unmodified-Since` is not known for writing: send `If-Match` with the entity tag",
        ));
    }
    let if_match = tags(headers, &IF_MATCH)?;
    if if_match.as_deref().is_some_and(|tags| tags.contains([',', '*']) || tags.starts_with("W/")) {
        return Err(not_here("`If-Match` takes one strong entity tag for writing"));
    }
    let if_none = match tags(headers, &IF_NONE_MATCH)?.as_deref() {
        None => false,
        Some("*") => true,
        Some(_) => return Err(not_here("`If-None-Match` takes only `*` for writing")),
    };
    Ok(WriteConditions { if_match, if_none })
}

/// What is kept with a file.
pub(super) fn metadata(headers: &HeaderMap) -> Result<Metadata, Failure> {
    // RFC 9110, 14.5: what would be stored is not what is meant.
    if headers.contains_key(CONTENT_RANGE) {
        return Err(Failure::invalid("a file is stored whole: `Content-Range` is not known here"));
    }
    let text = |name: &HeaderName| Ok(one(headers, name)?.map(ToOwned::to_owned));
    let mut metadata = Metadata::read(headers, text)?;
    // The server would take it for how the body is sent.
    let is_chunked = |part: &str| part.trim().eq_ignore_ascii_case("aws-chunked");
    if metadata.content_encoding.as_deref().is_some_and(|text| text.split(',').any(is_chunked)) {
        return Err(Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::InvalidRequest,
            "the content encoding `aws-chunked` is not known here",
        ));
    }
    // Servers take an archive apart for it, and store what is in it elsewhere.
    let is_acted_on = |name: &str| name.starts_with("snowball") || name.is_empty();
    if let Some((name, _)) = metadata.user.iter().find(|(name, _)| is_acted_on(name)) {
        return Err(Failure::invalid(format!("the header `{USER}{name}` is not taken here")));
    }
    let user = metadata.user.iter().map(|(name, value)| name.len() + value.len());
    if user.sum::<usize>() > MAX_USER {
        return Err(Failure::invalid("the headers `x-amz-meta-…` have more than 2,048 bytes"));
    }
    // The two are the same in a header (RFC 9110, 5.6.3), but not in its signature.
    metadata.content_type = metadata.content_type.map(|value| value.replace('\t', " "));
    Ok(metadata)
}

/// The checksums that a body is to have. One of a kind that is not known is refused, never ignored.
pub(super) fn checksums(headers: &HeaderMap) -> Result<Vec<Checksum>, Failure> {
    let is_known = |name: &str| Algorithm::ALL.iter().any(|algorithm| algorithm.header() == name);
    let is_checksum = |name: &str| {
        name.strip_prefix(CHECKSUM).is_some_and(|kind| !ABOUT_CHECKSUMS.contains(&kind))
    };
    let mut names = headers.keys().map(HeaderName::as_str);
    if let Some(name) = names.find(|name| is_checksum(name) && !is_known(name)) {
        return Err(Failure::new(
            StatusCode::NOT_IMPLEMENTED,
            Code::InvalidRequest,
            format!("the checksum `{name}` is not known here"),
        ));
    }
    let mut said = Vec::new();
    for algorithm in Algorithm::ALL {
        let name = HeaderName::from_static(algorithm.header());
        let Some(text) = one(headers, &name)? else { continue };
        let checksum = Checksum::from_base64(algorithm, text);
        said.push(checksum.ok_or_else(|| {
            Failure::invalid(format!("the header `{name}` is no such checksum in Base64"))
        })?);
    }
    Ok(said)
}

/// The text of a header that stands once.
fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Failure> {
    let mut values = headers.get_all(name).into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(text), None) => Ok(Some(text)),
        (_, Some(_)) => Err(Failure::invalid(format!("the header `{name}` stands twice"))),
        (Err(_), _) => Err(Failure::invalid(format!("the header `{name}` is no plain text"))),
    }
}

/// The entity tags of a header, which may stand several times.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Failure> {
    let mut all: Option<String> = None;
    for value in headers.get_all(name) {
        let text = value
            .to_str()
            .map_err(|_| Failure::invalid(format!("the header `{name}` is no plain text")))?;
        all = Some(match all {
            Some(before) => format!("{before}, {text}"),
            None => text.to_owned(),
        });
    }
    Ok(all)
}
