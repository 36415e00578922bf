//! Objects: putting, reading and deleting them.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use bytes::Bytes;
use s3s::{Body, S3Request, S3Response, S3Result, dto, s3_error, validation::NameValidation};

use super::{
    OldNames, check_key, check_version,
    conditions::{Conditions, check_write},
    etag,
    receive::{self, receive},
};
use crate::embedded::store::{Bucket, Change, Headers, Object, Reader, Store, now};

type Answer<T> = S3Result<S3Response<T>>;

/// Puts an object, not by way of HTTP, and makes the bucket where it is missing.
pub(in crate::embedded) async fn seed(
    store: &Arc<Store>,
    bucket: &str,
    key: &str,
    content_type: &str,
    bytes: &Bytes,
) -> S3Result<()> {
    check_key(key)?;
    if !OldNames.validate_bucket_name(bucket) {
        return Err(s3_error!(InvalidBucketName));
    }
    let upload = receive::Upload {
        body: Some(Body::from(bytes.clone()).into()),
        length: None,
        md5: None,
        headers: http::HeaderMap::new(),
        trailers: None,
    };
    let headers = Headers { content_type: Some(content_type.to_owned()), ..Headers::default() };
    let object = Arc::new(receive(store, upload, headers).await?);
    let (bucket, key) = (bucket.to_owned(), key.as_bytes().to_vec());
    store
        .write(move |state| {
            let missing = !state.buckets.contains_key(&bucket);
            let mut changes = Vec::new();
            changes.extend(missing.then(|| Change::Bucket(bucket.clone(), now())));
            changes.push(Change::Object { bucket, key, object: Some(object) });
            Ok((changes, ()))
        })
        .await
}

pub(super) async fn put_object(
    store: &Arc<Store>,
    request: S3Request<dto::PutObjectInput>,
) -> Answer<dto::PutObjectOutput> {
    let input = request.input;
    check_key(&input.key)?;
    if input.write_offset_bytes.is_some() {
        return Err(s3_error!(NotImplemented, "objects cannot be appended to"));
    }
    // Asked before the body is read, so that a client that waits to send it need not; and again
    // when it is there.
    store.find(|state| {
        let before = state.bucket(&input.bucket)?.objects.get(input.key.as_bytes());
        let before = before.map(|object| &**object);
        check_write(before, input.if_match.as_ref(), input.if_none_match.as_ref())
    })?;
    let headers = Headers {
        content_type: input.content_type,
        content_encoding: content_encoding(input.content_encoding),
        content_language: input.content_language,
        content_disposition: input.content_disposition,
        cache_control: input.cache_control,
        metadata: input.metadata,
    };
    let upload = receive::Upload {
        body: input.body,
        length: input.content_length,
        md5: input.content_md5,
        headers: request.headers,
        trailers: request.trailing_headers,
    };
    let object = Arc::new(receive(store, upload, headers).await?);
    let stored = Arc::clone(&object);
    let (bucket, key) = (input.bucket, input.key.into_bytes());
    let (if_match, if_none_match) = (input.if_match, input.if_none_match);
    store
        .write(move |state| {
            let before = state.bucket(&bucket)?.objects.get(&key).map(|object| &**object);
            check_write(before, if_match.as_ref(), if_none_match.as_ref())?;
            Ok((vec![Change::Object { bucket, key, object: Some(stored) }], ()))
        })
        .await?;
    let checksum = |name: &str| object.checksums.get(name).cloned();
    Ok(S3Response::new(dto::PutObjectOutput {
        e_tag: Some(etag(&object.etag)),
        checksum_crc32: checksum("x-amz-checksum-crc32"),
        checksum_crc32c: checksum("x-amz-checksum-crc32c"),
        checksum_crc64nvme: checksum("x-amz-checksum-crc64nvme"),
        checksum_sha1: checksum("x-amz-checksum-sha1"),
        checksum_sha256: checksum("x-amz-checksum-sha256"),
        ..Default::default()
    }))
}

/// `aws-chunked` is about the upload, not about the object.
pub(super) fn content_encoding(said: Option<String>) -> Option<String> {
    let said = said?;
    let codings = said.split(',').map(str::trim);
    let kept: Vec<_> =
        codings.filter(|coding| !coding.is_empty() && *coding != "aws-chunked").collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// The bytes that a range means, and the header that says so.
fn select(range: Option<dto::Range>, length: u64) -> S3Result<(Range<u64>, Option<String>)> {
    let Some(range) = range else { return Ok((0..length, None)) };
    let range = range.check(length).map_err(|error| s3_error!(error, InvalidRange))?;
    let header = format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1));
    Ok((range, Some(header)))
}

/// The checksums to tell: those of the whole object, to whom asked and reads all of it.
fn checksums(object: &Object, asked: bool, whole: bool) -> BTreeMap<String, String> {
    if asked && whole { object.checksums.clone() } else { BTreeMap::new() }
}

/// The answer about an object: of reading it and of looking at it, which have the same conditions
/// and fields, and differ in the body.
macro_rules! about {
    ($output:ident, $store:expr, $input:expr, |$object:ident, $selected:ident| {
        $($field:ident: $value:expr)?
    }) => {{
        let input = $input;
        check_version(input.version_id.as_deref())?;
        let $object = $store.find(|state| state.object(&input.bucket, &input.key))?;
        let conditions = Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        conditions.check(&$object)?;
        let ($selected, content_range) = select(input.range, $object.data.length())?;
        let is_whole = content_range.is_none();
        let mut checksums = checksums(&$object, input.checksum_mode.is_some(), is_whole);
        let headers = $object.headers.clone();
        let length = $selected.end.saturating_sub($selected.start);
        let mut response = S3Response::new(dto::$output {
            $($field: $value,)?
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from(length).ok(),
            content_range,
            e_tag: Some(etag(&$object.etag)),
            last_modified: Some($object.modified.into()),
            content_type: headers.content_type,
            content_encoding: headers.content_encoding,
            content_language: headers.content_language,
            content_disposition: headers.content_disposition,
            cache_control: headers.cache_control,
            metadata: headers.metadata,
            checksum_crc32: checksums.remove("x-amz-checksum-crc32"),
            checksum_crc32c: checksums.remove("x-amz-checksum-crc32c"),
            checksum_crc64nvme: checksums.remove("x-amz-checksum-crc64nvme"),
            checksum_sha1: checksums.remove("x-amz-checksum-sha1"),
            checksum_sha256: checksums.remove("x-amz-checksum-sha256"),
            ..Default::default()
        });
        response.status = (!is_whole).then_some(http::StatusCode::PARTIAL_CONTENT);
        Ok(response)
    }};
}

pub(super) async fn get_object(
    store: &Arc<Store>,
    request: S3Request<dto::GetObjectInput>,
) -> Answer<dto::GetObjectOutput> {
    if request.input.part_number.is_some() {
        return Err(s3_error!(NotImplemented, "parts of objects cannot be read by number"));
    }
    about!(GetObjectOutput, store, request.input, |object, range| {
        body: Some(Body::http_body(Reader::new(&object.data, range.clone())).into())
    })
}

pub(super) async fn head_object(
    store: &Arc<Store>,
    request: S3Request<dto::HeadObjectInput>,
) -> Answer<dto::HeadObjectOutput> {
    about!(HeadObjectOutput, store, request.input, |_object, _range| {})
}

pub(super) async fn delete_object(
    store: &Arc<Store>,
    request: S3Request<dto::DeleteObjectInput>,
) -> Answer<dto::DeleteObjectOutput> {
    let input = request.input;
    check_key(&input.key)?;
    check_version(input.version_id.as_deref())?;
    store
        .write(move |state| {
            let bucket = state.bucket(&input.bucket)?;
            let before = bucket.objects.get(input.key.as_bytes());
            check_write(before.map(|object| &**object), input.if_match.as_ref(), None)?;
            let deletion = deletion(bucket, &input.bucket, &input.key);
            Ok((deletion.into_iter().collect(), ()))
        })
        .await?;
    Ok(S3Response::new(dto::DeleteObjectOutput::default()))
}

/// The change that deletes an object; none where it is not there, which is as good.
fn deletion(bucket: &Bucket, name: &str, key: &str) -> Option<Change> {
    let (bucket, key) = (bucket.objects.contains_key(key.as_bytes()).then_some(name)?, key);
    Some(Change::Object { bucket: bucket.to_owned(), key: key.as_bytes().to_vec(), object: None })
}

pub(super) async fn delete_objects(
    store: &Arc<Store>,
    request: S3Request<dto::DeleteObjectsInput>,
) -> Answer<dto::DeleteObjectsOutput> {
    let input = request.input;
    let objects = input.delete.objects;
    if objects.is_empty() || objects.len() > 1000 {
        return Err(s3_error!(MalformedXML, "1 to 1,000 objects are deleted at once"));
    }
    let quiet = input.delete.quiet == Some(true);
    let (deleted, errors) = store
        .write(move |state| {
            let bucket = state.bucket(&input.bucket)?;
            let (mut changes, mut deleted, mut errors) = (Vec::new(), Vec::new(), Vec::new());
            for object in objects {
                let before = bucket.objects.get(object.key.as_bytes());
                let checked = check_key(&object.key)
                    .and_then(|()| check_version(object.version_id.as_deref()))
                    .and_then(|()| {
                        let etag = object.e_tag.map(dto::ETagCondition::ETag);
                        check_write(before.map(|object| &**object), etag.as_ref(), None)
                    });
                match checked {
                    Ok(()) => {
                        changes.extend(deletion(bucket, &input.bucket, &object.key));
                        let key = Some(object.key);
                        deleted.push(dto::DeletedObject { key, ..Default::default() });
                    }
                    Err(refused) => errors.push(dto::Error {
                        code: Some(refused.code().as_str().to_owned()),
                        key: Some(object.key),
                        message: refused.message().map(str::to_owned),
                        version_id: object.version_id,
                    }),
                }
            }
            Ok((changes, (deleted, errors)))
        })
        .await?;
    Ok(S3Response::new(dto::DeleteObjectsOutput {
        deleted: (!quiet).then_some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        ..Default::default()
    }))
}
