//! Copying.
//!
//! s3s parses `x-amz-copy-source` with the bucket names of today, whatever names it is told to
//! accept: a copy from `Algorithmia` would be refused. So copies do not go through its parser.

use std::{sync::Arc, time::SystemTime};

use http::{Extensions, HeaderMap, HeaderValue, Method, Uri, header};
use percent_encoding::percent_decode_str;
use s3s::{
    Body, S3Request, S3Response, S3Result,
    dto::{CopyObjectResult, ETagCondition, Timestamp, TimestampFormat},
    route::S3Route,
    s3_error,
    validation::NameValidation,
    xml::{Serialize, Serializer},
};

use super::{
    OldNames, check_key, check_version, conditions::Conditions, etag, objects::content_encoding,
};
use crate::embedded::store::{Change, Headers, Object, Store, now};

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
        // What else a query could ask for, such as copying a part, is no copy of an object.
        if !matches!(request.uri.query(), None | Some("" | "x-id=CopyObject")) {
            return Err(s3_error!(NotImplemented, "only whole objects are copied"));
        }
        let headers = &request.headers;
        let (bucket, key) = parse(request.uri.path())?;
        let source = only(headers, SOURCE)?.unwrap_or_default();
        let (source, version) = match source.split_once("?versionId=") {
            Some((source, version)) => (source, Some(version)),
            None => (source, None),
        };
        check_version(version)?;
        let (from_bucket, from_key) = parse(source)?;
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
                // To a copy, S3 never answers "not modified".
                conditions.check(&source).map_err(|_| s3_error!(PreconditionFailed))?;
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
        answer(&copied, modified)
    }
}

fn answer(copied: &str, modified: SystemTime) -> S3Result<S3Response<Body>> {
    let result = CopyObjectResult {
        e_tag: Some(etag(copied)),
        last_modified: Some(modified.into()),
        ..Default::default()
    };
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
