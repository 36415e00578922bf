//! Uploads in parts: starting, sending, completing and aborting them.

use std::{collections::BTreeMap, sync::Arc};

use s3s::{
    S3Request, S3Response, S3Result,
    crypto::{Checksum as _, Md5},
    dto, s3_error,
};

use super::{
    check_key,
    conditions::check_write,
    etag,
    objects::content_encoding,
    receive::{self, hex, receive},
};
use crate::embedded::{
    credentials::random_name,
    store::{Change, Data, Headers, Object, Store, Upload, now},
};

type Answer<T> = S3Result<S3Response<T>>;

/// The least that a part other than the last may have, in bytes.
const LEAST: u64 = 5 * 1024 * 1024;

pub(super) async fn create_multipart_upload(
    store: &Arc<Store>,
    request: S3Request<dto::CreateMultipartUploadInput>,
) -> Answer<dto::CreateMultipartUploadOutput> {
    let input = request.input;
    check_key(&input.key)?;
    let id = random_name().map_err(|error| s3_error!(error, InternalError))?;
    let upload = Box::new(Upload {
        bucket: input.bucket.clone(),
        key: input.key.clone().into_bytes(),
        headers: Headers {
            content_type: input.content_type,
            content_encoding: content_encoding(input.content_encoding),
            content_language: input.content_language,
            content_disposition: input.content_disposition,
            cache_control: input.cache_control,
            metadata: input.metadata,
        },
        started: now(),
        parts: BTreeMap::new(),
    });
    let new = id.clone();
    store
        .write(move |state| {
            state.bucket(&upload.bucket)?;
            Ok((vec![Change::Upload(new, upload)], ()))
        })
        .await?;
    Ok(S3Response::new(dto::CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        ..Default::default()
    }))
}

/// The number of a part, if it is one.
pub(super) fn part_number(number: Option<i32>) -> S3Result<u16> {
    let number = number.and_then(|number| u16::try_from(number).ok());
    let number = number.filter(|number| (1..=10_000).contains(number));
    number.ok_or_else(|| s3_error!(InvalidArgument, "parts are 1 to 10,000"))
}

pub(super) async fn upload_part(
    store: &Arc<Store>,
    request: S3Request<dto::UploadPartInput>,
) -> Answer<dto::UploadPartOutput> {
    let input = request.input;
    let number = part_number(Some(input.part_number))?;
    store.find(|state| state.upload(&input.bucket, &input.key, &input.upload_id).map(drop))?;
    let body = receive::Upload {
        body: input.body,
        length: input.content_length,
        md5: input.content_md5,
        headers: request.headers,
        trailers: request.trailing_headers,
    };
    let part = Arc::new(receive(store, body, Headers::default()).await?);
    let stored = Arc::clone(&part);
    store
        .write(move |state| {
            // It may have been completed or aborted meanwhile.
            state.upload(&input.bucket, &input.key, &input.upload_id)?;
            Ok((vec![Change::Part { upload: input.upload_id, number, part: stored }], ()))
        })
        .await?;
    let checksum = |name: &str| part.checksums.get(name).cloned();
    Ok(S3Response::new(dto::UploadPartOutput {
        e_tag: Some(etag(&part.etag)),
        checksum_crc32: checksum("x-amz-checksum-crc32"),
        checksum_crc32c: checksum("x-amz-checksum-crc32c"),
        checksum_crc64nvme: checksum("x-amz-checksum-crc64nvme"),
        checksum_sha1: checksum("x-amz-checksum-sha1"),
        checksum_sha256: checksum("x-amz-checksum-sha256"),
        ..Default::default()
    }))
}

pub(super) async fn complete_multipart_upload(
    store: &Arc<Store>,
    request: S3Request<dto::CompleteMultipartUploadInput>,
) -> Answer<dto::CompleteMultipartUploadOutput> {
    let input = request.input;
    let (bucket, key) = (input.bucket.clone(), input.key.clone());
    let listed = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    if listed.is_empty() {
        return Err(s3_error!(MalformedXML, "an upload has at least one part"));
    }
    let tag = store
        .write(move |state| {
            let upload = state.upload(&input.bucket, &input.key, &input.upload_id)?;
            let before = state.bucket(&input.bucket)?.objects.get(input.key.as_bytes());
            let before = before.map(|object| &**object);
            check_write(before, input.if_match.as_ref(), input.if_none_match.as_ref())?;
            let object = Arc::new(assemble(upload, &listed)?);
            let etag = object.etag.clone();
            // First the object, so that the files of its parts are never without a reference.
            let changes = vec![
                Change::Object {
                    bucket: input.bucket,
                    key: input.key.into_bytes(),
                    object: Some(object),
                },
                Change::NoUpload(input.upload_id),
            ];
            Ok((changes, etag))
        })
        .await?;
    Ok(S3Response::new(dto::CompleteMultipartUploadOutput {
        location: Some(format!("/{bucket}/{key}")),
        bucket: Some(bucket),
        key: Some(key),
        e_tag: Some(etag(&tag)),
        ..Default::default()
    }))
}

/// The object of the listed parts, if they are there and in order.
fn assemble(upload: &Upload, listed: &[dto::CompletedPart]) -> S3Result<Object> {
    let numbers: Option<Vec<_>> = listed.iter().map(|asked| asked.part_number).collect();
    let numbers = numbers.ok_or_else(|| s3_error!(MalformedXML))?;
    if !numbers.is_sorted_by(|one, next| one < next) {
        return Err(s3_error!(InvalidPartOrder));
    }
    let mut parts: Vec<&Object> = Vec::with_capacity(listed.len());
    let mut md5 = Md5::new();
    for (asked, number) in listed.iter().zip(numbers) {
        let part = u16::try_from(number).ok().and_then(|number| upload.parts.get(&number));
        let part = part.ok_or_else(|| s3_error!(InvalidPart))?;
        if asked.e_tag.as_ref().is_none_or(|etag| etag.value() != part.etag) {
            return Err(s3_error!(InvalidPart));
        }
        md5.update(&unhex(&part.etag));
        parts.push(part);
    }
    let (_, all_but_last) = parts.split_last().ok_or_else(|| s3_error!(MalformedXML))?;
    if all_but_last.iter().any(|part| part.data.length() < LEAST) {
        return Err(s3_error!(EntityTooSmall));
    }
    Ok(Object {
        data: Data::concatenated(parts.iter().map(|part| &part.data)),
        etag: format!("{}-{}", hex(&md5.finalize()), parts.len()),
        modified: now(),
        headers: upload.headers.clone(),
        // Those of the parts are not that of the whole.
        checksums: BTreeMap::new(),
    })
}

/// The bytes of an MD5 that we wrote.
fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or_default() as u8;
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    pairs.iter().map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

pub(super) async fn abort_multipart_upload(
    store: &Arc<Store>,
    request: S3Request<dto::AbortMultipartUploadInput>,
) -> Answer<dto::AbortMultipartUploadOutput> {
    let input = request.input;
    store
        .write(move |state| {
            state.upload(&input.bucket, &input.key, &input.upload_id)?;
            Ok((vec![Change::NoUpload(input.upload_id)], ()))
        })
        .await?;
    Ok(S3Response::new(dto::AbortMultipartUploadOutput::default()))
}
