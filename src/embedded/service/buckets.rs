//! Buckets.

use std::sync::Arc;

use s3s::{S3Request, S3Response, S3Result, dto, s3_error};

use crate::embedded::store::{Change, Store, now};

type Answer<T> = S3Result<S3Response<T>>;

pub(super) async fn list_buckets(
    store: &Arc<Store>,
    request: S3Request<dto::ListBucketsInput>,
) -> Answer<dto::ListBucketsOutput> {
    let prefix = request.input.prefix.unwrap_or_default();
    let buckets = store.read(|state| {
        let named = state.buckets.iter().filter(|(name, _)| name.starts_with(&prefix));
        named
            .map(|(name, bucket)| dto::Bucket {
                creation_date: Some(bucket.created.into()),
                name: Some(name.clone()),
                ..Default::default()
            })
            .collect()
    });
    let owner = dto::Owner { id: Some("embedded".into()), display_name: None };
    Ok(S3Response::new(dto::ListBucketsOutput {
        buckets: Some(buckets),
        owner: Some(owner),
        ..Default::default()
    }))
}

pub(super) async fn create_bucket(
    store: &Arc<Store>,
    request: S3Request<dto::CreateBucketInput>,
) -> Answer<dto::CreateBucketOutput> {
    let name = request.input.bucket;
    let location = format!("/{name}");
    store
        .write(move |state| match state.buckets.get(&name) {
            Some(_) => Err(s3_error!(BucketAlreadyOwnedByYou)),
            None => Ok((vec![Change::Bucket(name, now())], ())),
        })
        .await?;
    Ok(S3Response::new(dto::CreateBucketOutput { location: Some(location) }))
}

pub(super) async fn delete_bucket(
    store: &Arc<Store>,
    request: S3Request<dto::DeleteBucketInput>,
) -> Answer<dto::DeleteBucketOutput> {
    let name = request.input.bucket;
    store
        .write(move |state| {
            if !state.bucket(&name)?.objects.is_empty() {
                return Err(s3_error!(BucketNotEmpty));
            }
            // As on AWS, uploads that nobody completed do not keep a bucket.
            let uploads = state.uploads.iter().filter(|(_, upload)| upload.bucket == name);
            let mut changes: Vec<_> = uploads.map(|(id, _)| Change::NoUpload(id.clone())).collect();
            changes.push(Change::NoBucket(name));
            Ok((changes, ()))
        })
        .await?;
    Ok(S3Response::new(dto::DeleteBucketOutput {}))
}

pub(super) async fn head_bucket(
    store: &Arc<Store>,
    request: S3Request<dto::HeadBucketInput>,
) -> Answer<dto::HeadBucketOutput> {
    store.find(|state| state.bucket(&request.input.bucket).map(drop))?;
    Ok(S3Response::new(dto::HeadBucketOutput::default()))
}

pub(super) async fn get_bucket_location(
    store: &Arc<Store>,
    request: S3Request<dto::GetBucketLocationInput>,
) -> Answer<dto::GetBucketLocationOutput> {
    store.find(|state| state.bucket(&request.input.bucket).map(drop))?;
    // Empty, as S3 says us-east-1.
    Ok(S3Response::new(dto::GetBucketLocationOutput::default()))
}
