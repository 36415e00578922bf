//! Listing uploads that are not complete, and their parts.

use std::sync::Arc;

use s3s::{S3Request, S3Response, S3Result, dto, s3_error};

use super::{
    etag,
    listing::{Encoding, limit},
};
use crate::embedded::store::Store;

type Answer<T> = S3Result<S3Response<T>>;

pub(super) async fn list_parts(
    store: &Arc<Store>,
    request: S3Request<dto::ListPartsInput>,
) -> Answer<dto::ListPartsOutput> {
    let input = request.input;
    let limit = limit(input.max_parts)?;
    let marker = input.part_number_marker.unwrap_or_default();
    let mut parts: Vec<dto::Part> = store.find(|state| {
        let upload = state.upload(&input.bucket, &input.key, &input.upload_id)?;
        let behind = upload.parts.iter().filter(|(number, _)| i32::from(**number) > marker);
        let parts = behind.take(limit + 1).map(|(number, part)| dto::Part {
            part_number: Some(i32::from(*number)),
            e_tag: Some(etag(&part.etag)),
            last_modified: Some(part.modified.into()),
            size: i64::try_from(part.data.length()).ok(),
            ..Default::default()
        });
        Ok(parts.collect())
    })?;
    let truncated = parts.len() > limit && limit > 0;
    parts.truncate(limit);
    let next = parts.last().filter(|_| truncated).and_then(|part| part.part_number);
    Ok(S3Response::new(dto::ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        is_truncated: Some(truncated),
        max_parts: i32::try_from(limit).ok(),
        part_number_marker: Some(marker),
        next_part_number_marker: next,
        parts: Some(parts),
        ..Default::default()
    }))
}

pub(super) async fn list_multipart_uploads(
    store: &Arc<Store>,
    request: S3Request<dto::ListMultipartUploadsInput>,
) -> Answer<dto::ListMultipartUploadsOutput> {
    let input = request.input;
    if input.delimiter.is_some_and(|delimiter| !delimiter.is_empty()) {
        return Err(s3_error!(NotImplemented, "uploads cannot be listed with a delimiter"));
    }
    let encoding = Encoding::new(input.encoding_type.as_ref())?;
    let limit = limit(input.max_uploads)?;
    let prefix = input.prefix.unwrap_or_default();
    let key_marker = input.key_marker.unwrap_or_default();
    // Without an id, the marker is behind all uploads of its key.
    let id_marker = input.upload_id_marker.filter(|id| !id.is_empty());
    let behind = |key: &[u8], id: &str| match (key.cmp(key_marker.as_bytes()), &id_marker) {
        (std::cmp::Ordering::Equal, Some(marker)) => id > marker.as_str(),
        (order, _) => order.is_gt() || key_marker.is_empty(),
    };
    let mut found: Vec<_> = store.find(|state| {
        state.bucket(&input.bucket)?;
        let uploads = state.uploads.iter().filter(|(id, upload)| {
            upload.bucket == input.bucket
                && upload.key.starts_with(prefix.as_bytes())
                && behind(&upload.key, id)
        });
        Ok(uploads.map(|(id, upload)| (upload.key.clone(), id.clone(), upload.started)).collect())
    })?;
    found.sort();
    let truncated = found.len() > limit && limit > 0;
    found.truncate(limit);
    let next = found.last().filter(|_| truncated);
    Ok(S3Response::new(dto::ListMultipartUploadsOutput {
        prefix: Some(encoding.write(prefix.as_bytes())),
        key_marker: Some(encoding.write(key_marker.as_bytes())),
        upload_id_marker: id_marker,
        next_key_marker: next.map(|(key, ..)| encoding.write(key)),
        next_upload_id_marker: next.map(|(_, id, _)| id.clone()),
        max_uploads: i32::try_from(limit).ok(),
        is_truncated: Some(truncated),
        encoding_type: input.encoding_type,
        uploads: Some(
            found
                .into_iter()
                .map(|(key, id, started)| dto::MultipartUpload {
                    key: Some(encoding.write(&key)),
                    upload_id: Some(id),
                    initiated: Some(started.into()),
                    ..Default::default()
                })
                .collect(),
        ),
        bucket: Some(input.bucket),
        ..Default::default()
    }))
}
