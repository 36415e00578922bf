//! Copying.
//!
//! s3s parses `x-amz-copy-source` with the bucket names of today, whatever names it is told to
//! accept: a copy from `Algorithmia` would be refused. So copies do not go through its parser.

use std::{ops::Range, sync::Arc};

use http::{Extensions, HeaderMap, HeaderValue, Method, Uri, header};
use percent_encoding::percent_decode_str;
use s3s::{
    Body, S3Request, S3Response, S3Result,
    dto::{CopyObjectResult, CopyPartResult, ETagCondition, Timestamp, TimestampFormat},
    route::S3Route,
    s3_error,
    validation::NameValidation,
    xml::{Serialize, Serializer},
};

use super::{
    OldNames, check_key, check_version,
    conditions::Conditions,
    etag,
    multipart::part_number,
    objects::content_encoding,
    receive::{self, receive},
};
use crate::embedded::store::{Change, Headers, Object, Reader, Store, now};

const SOURCE: &str = "x-amz-copy-source";

pub(super) struct Route {
    pub(super) store: Arc<Store>,
}

#[async_trait::async_trait]
impl S3Route for Route {
    fn is_match(&self, method: &Method, _: &Uri, headers: &HeaderMap, _: &mut Extensions) -> bool {
        *method == Method::PUT && headers.contains_key(SOURCE)
    }

    // That it is signed is checked by the trait, as nothing else is said here; that the source
    // is, by the guard.
    async fn call(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let part = Part::of(request.uri.query().unwrap_or_default())?;
        let headers = &request.headers;
        let (bucket, key) = parse(request.uri.path())?;
        let source = only(headers, SOURCE)?.unwrap_or_default();
        let (source, version) = match source.split_once("?versionId=") {
            Some((source, version)) => (source, Some(version)),
            None => (source, None),
        };
        check_version(version)?;
        let (from_bucket, from_key) = parse(source)?;
        if let Some(part) = part {
            let range = only(headers, "x-amz-copy-source-range")?;
            let conditions = conditions(headers)?;
            let from = (&*from_bucket, &*from_key);
            return self.copy_part((bucket, key), part, from, range, &conditions).await;
        }
        let replace = match only(headers, "x-amz-metadata-directive")? {
            None | Some("COPY") => false,
            Some("REPLACE") => true,
            Some(_) => return Err(s3_error!(InvalidArgument, "unknown metadata directive")),
        };
        let described = if replace { Some(describe(headers)?) } else { None };
        if described.is_none() && (&from_bucket, &from_key) == (&bucket, &key) {
            return Err(s3_error!(InvalidRequest, "a copy onto itself changes nothing"));
        }
        let conditions = conditions(headers)?;

        let (copied, modified) = self
            .store
            .write(move |state| {
                state.bucket(&bucket)?;
                let source = state.object(&from_bucket, &from_key)?;
                met(&conditions, &source)?;
                let object = Object {
                    data: source.data.clone(),
                    etag: source.etag.clone(),
                    modified: now(),
                    headers: described.unwrap_or_else(|| source.headers.clone()),
                    checksums: source.checksums.clone(),
                };
                let answer = (object.etag.clone(), object.modified);
                let (key, object) = (key.into_bytes(), Some(Arc::new(object)));
                Ok((vec![Change::Object { bucket, key, object }], answer))
            })
            .await?;
        answer(&CopyObjectResult {
            e_tag: Some(etag(&copied)),
            last_modified: Some(modified.into()),
            ..Default::default()
        })
    }
}

impl Route {
    /// Stores a part that is a copy of an object, or of some of it.
    async fn copy_part(
        &self,
        (bucket, key): (String, String),
        Part { upload, number }: Part,
        (from_bucket, from_key): (&str, &str),
        range: Option<&str>,
        conditions: &Conditions,
    ) -> S3Result<S3Response<Body>> {
        let source = self.store.find(|state| {
            state.upload(&bucket, &key, &upload)?;
            state.object(from_bucket, from_key)
        })?;
        met(conditions, &source)?;
        let whole = 0..source.data.length();
        let range = range.map_or(Ok(whole.clone()), |range| within(range, whole.end))?;
        let bytes = receive::Upload {
            body: Some(Body::http_body(Reader::new(&source.data, range)).into()),
            length: None,
            md5: None,
            headers: HeaderMap::new(),
            trailers: None,
        };
        let part = Arc::new(receive(&self.store, bytes, Headers::default()).await?);
        let stored = Arc::clone(&part);
        self.store
            .write(move |state| {
                // It may have been completed or aborted meanwhile.
                state.upload(&bucket, &key, &upload)?;
                Ok((vec![Change::Part { upload, number, part: stored }], ()))
            })
            .await?;
        answer(&CopyPartResult {
            e_tag: Some(etag(&part.etag)),
            last_modified: Some(part.modified.into()),
            ..Default::default()
        })
    }
}

/// To a copy, S3 never answers "not modified".
fn met(conditions: &Conditions, source: &Object) -> S3Result<()> {
    conditions.check(source).map_err(|_| s3_error!(PreconditionFailed))
}

/// The part that a copy is for.
struct Part {
    upload: String,
    number: u16,
}

impl Part {
    /// The one that a query names; `None` where the copy is to be an object.
    fn of(query: &str) -> S3Result<Option<Self>> {
        let (mut upload, mut number) = (None, None);
        for field in query.split('&').filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            let value = percent_decode_str(value).decode_utf8();
            let value = value.map_err(|error| s3_error!(error, InvalidURI))?;
            match (name, &*value) {
                ("x-id", "CopyObject" | "UploadPartCopy") => {}
                ("uploadId", id) => upload = Some(id.to_owned()),
                ("partNumber", text) => number = Some(part_number(text.parse().ok())?),
                _ => return Err(s3_error!(NotImplemented, "objects and parts are copied")),
            }
        }
        match (upload, number) {
            (None, None) => Ok(None),
            (Some(upload), Some(number)) => Ok(Some(Self { upload, number })),
            _ => Err(s3_error!(InvalidArgument, "a part has an upload and a number")),
        }
    }
}

/// Some of so many bytes: all that are asked for have to be there.
fn within(text: &str, length: u64) -> S3Result<Range<u64>> {
    let range = text.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let range = range.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    match range {
        Some((first, last)) if first <= last && last < length => Ok(first..last + 1),
        Some(_) => Err(s3_error!(InvalidRange, "the source has not all of these bytes")),
        None => Err(s3_error!(InvalidArgument, "a range is `bytes=first-last`")),
    }
}

fn answer(result: &impl Serialize) -> S3Result<S3Response<Body>> {
    let mut xml = Vec::new();
    let mut serializer = Serializer::new(&mut xml);
    serializer
        .decl()
        .and_then(|()| result.serialize(&mut serializer))
        .map_err(|error| s3_error!(error, InternalError))?;
    let mut response = S3Response::new(Body::from(xml));
    let kind = HeaderValue::from_static("application/xml");
    response.headers.insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// A bucket and a key, of a path or of a source: decoded once, and otherwise as they stand.
fn parse(path: &str) -> S3Result<(String, String)> {
    let decoded = percent_decode_str(path).decode_utf8();
    let decoded = decoded.map_err(|error| s3_error!(error, InvalidURI))?;
    let path = decoded.strip_prefix('/').unwrap_or(&decoded);
    let (bucket, key) = path.split_once('/').ok_or_else(|| s3_error!(InvalidArgument))?;
    if !OldNames.validate_bucket_name(bucket) {
        return Err(s3_error!(InvalidBucketName));
    }
    check_key(key)?;
    Ok((bucket.to_owned(), key.to_owned()))
}

/// A header that may stand once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> S3Result<Option<&'h str>> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|error| s3_error!(error, InvalidArgument))
        }
        (Some(_), Some(_)) => Err(s3_error!(InvalidArgument, "{name} stands twice")),
    }
}

fn conditions(headers: &HeaderMap) -> S3Result<Conditions> {
    let tag = |name| {
        let value = only(headers, name)?;
        value
            .map(|value| ETagCondition::parse_http_header(value.as_bytes()))
            .transpose()
            .map_err(|error| s3_error!(error, InvalidArgument))
    };
    let time = |name| {
        let value = only(headers, name)?;
        value
            .map(|value| Timestamp::parse(TimestampFormat::HttpDate, value))
            .transpose()
            .map_err(|error| s3_error!(error, InvalidArgument))
    };
    Ok(Conditions {
        if_match: tag("x-amz-copy-source-if-match")?,
        if_none_match: tag("x-amz-copy-source-if-none-match")?,
        if_modified_since: time("x-amz-copy-source-if-modified-since")?,
        if_unmodified_since: time("x-amz-copy-source-if-unmodified-since")?,
    })
}

/// What the request says about the new object.
fn describe(headers: &HeaderMap) -> S3Result<Headers> {
    let text = |name| only(headers, name).map(|value| value.map(str::to_owned));
    let mut metadata = std::collections::HashMap::new();
    for name in headers.keys() {
        if let Some(short) = name.as_str().strip_prefix("x-amz-meta-")
            && let Some(value) = text(name.as_str())?
        {
            metadata.insert(short.to_owned(), value);
        }
    }
    Ok(Headers {
        content_type: text("content-type")?,
        content_encoding: content_encoding(text("content-encoding")?),
        content_language: text("content-language")?,
        content_disposition: text("content-disposition")?,
        cache_control: text("cache-control")?,
        metadata: (!metadata.is_empty()).then_some(metadata),
    })
}
