//! Deleting and copying objects.

use std::{collections::HashMap, sync::Arc};

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::{
    S3, S3Options,
    asking::Asking,
    error, keys,
    list::is_listed,
    pages::{Pages, senseless},
    standing::Standing,
};
use crate::{
    engine::{Approved, CopyObject, DeleteObject, DeleteObjects},
    executor::ExecuteError,
};

/// The most objects that one request deletes, and the most bytes that their keys have together: the server
/// says of each what became of it.
const BATCH: usize = 1_000;
const BATCH_BYTES: usize = 256 << 10;

/// What a request takes of memory for a key, beside its bytes, and how much it takes without a place for what is
/// long.
const AROUND: usize = 256;
const LITTLE_BATCH: usize = 32 << 10;

/// Keys as requests take them, in their order.
pub(super) fn batches<'k, 'e>(mut keys: &'k [&'e str]) -> impl Iterator<Item = &'k [&'e str]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let mut fits = |key: &&str| {
            bytes += key.len();
            bytes <= BATCH_BYTES
        };
        let len = keys.iter().take(BATCH).take_while(|key| fits(key)).count();
        let (batch, rest) = keys.split_at(len);
        keys = rest;
        (!batch.is_empty()).then_some(batch)
    })
}

pub(super) async fn delete(
    s3: &S3,
    approved: &Arc<Approved<DeleteObject<'static>>>,
) -> Result<(), ExecuteError> {
    let (bucket, key) = keys::object(&approved.operation().path)?;
    delete_present(&Asking::of(s3, approved).await?, bucket, key).await
}

/// Deletes an object that is there: servers delete a missing one with the same answer.
///
/// Credentials that may not read it are refused whether it is there or not. Those may still list it,
/// as the IAM policy of a connection that only deletes has it.
pub(super) async fn delete_present(
    asking: &Asking,
    bucket: &str,
    key: &str,
) -> Result<(), ExecuteError> {
    let head = asking.client.head_object().bucket(bucket).key(key);
    match asking.answer(async { head.send().await.map_err(error::from_sdk) }).await {
        Ok(_) => {}
        Err(refused @ ExecuteError::Refused { .. }) => {
            match is_listed(&mut Pages::of(asking, bucket, key)).await {
                Ok(true) => {}
                Ok(false) => return Err(ExecuteError::Missing),
                Err(_) => return Err(refused),
            }
        }
        Err(error) => return Err(error),
    }
    delete_one(asking, bucket, key).await
}

pub(super) async fn delete_one(
    asking: &Asking,
    bucket: &str,
    key: &str,
) -> Result<(), ExecuteError> {
    let request = asking.client.delete_object().bucket(bucket).key(key).customize();
    let request = request.interceptor(asking.standing.clone());
    asking.done(async { request.send().await.map_err(error::from_sdk) }).await?;
    Ok(())
}

pub(super) async fn delete_many(
    s3: &S3,
    approved: &Arc<Approved<DeleteObjects<'static>>>,
) -> Vec<Result<(), ExecuteError>> {
    let paths = &approved.operation().paths;
    let asking = match Asking::of(s3, approved).await {
        Ok(asking) => asking,
        Err(error) => return paths.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut results: Vec<Result<(), ExecuteError>> = Vec::with_capacity(paths.len());
    // What can be sent, by bucket, with its place among the results.
    let mut buckets: HashMap<&str, Vec<(usize, &str)>> = HashMap::new();
    for (place, path) in paths.iter().enumerate() {
        results.push(Err(senseless()));
        match keys::object(path) {
            Ok((bucket, key)) => buckets.entry(bucket).or_default().push((place, key)),
            Err(error) => results[place] = Err(error),
        }
    }
    for (bucket, entries) in buckets {
        let (places, keys): (Vec<usize>, Vec<&str>) = entries.into_iter().unzip();
        let mut places = places.into_iter();
        for batch in batches(&keys) {
            let deleted = delete_batch(&asking, s3.clients.options(), bucket, batch).await;
            for (result, place) in deleted.into_iter().zip(&mut places) {
                results[place] = result;
            }
        }
    }
    results
}

/// Deletes objects of a bucket, as many as a batch has. The results are in the order of the keys; an object
/// counts as deleted when the server says so, for its very key.
pub(super) async fn delete_batch(
    asking: &Asking,
    options: &S3Options,
    bucket: &str,
    keys: &[&str],
) -> Vec<Result<(), ExecuteError>> {
    let together: Vec<&str> = keys.iter().copied().filter(|key| keys::survives_xml(key)).collect();
    let mut said = match together.len() {
        0 | 1 => HashMap::new(),
        _ => match delete_together(asking, options, bucket, &together).await {
            Ok(said) => said,
            // A server that does not know the request, or wants one of another form.
            Err(ExecuteError::Failed { status: Some(400 | 405 | 411 | 501), .. }) => HashMap::new(),
            Err(error) => {
                return keys.iter().map(|_| Err(error.clone())).collect();
            }
        },
    };
    let mut results = Vec::with_capacity(keys.len());
    for key in keys {
        results.push(match said.remove(*key) {
            Some(result) => result,
            None => delete_one(asking, bucket, key).await,
        });
    }
    results
}

async fn delete_together(
    asking: &Asking,
    options: &S3Options,
    bucket: &str,
    keys: &[&str],
) -> Result<HashMap<String, Result<(), ExecuteError>>, ExecuteError> {
    // The request says each key once more, and is held until it is answered.
    let memory: usize = keys.iter().map(|key| key.len() + AROUND).sum();
    let _place = if memory > LITTLE_BATCH { asking.place().await } else { None };
    let mut objects = Vec::with_capacity(keys.len());
    for key in keys {
        let object = ObjectIdentifier::builder().key(*key).build();
        objects.push(object.map_err(|_| ExecuteError::Configuration)?);
    }
    let delete = Delete::builder().set_objects(Some(objects)).quiet(false).build();
    let request = asking
        .client
        .delete_objects()
        .bucket(bucket)
        .delete(delete.map_err(|_| ExecuteError::Configuration)?)
        .customize()
        .interceptor(asking.standing.clone())
        .config_override(options.long());
    let answer = asking.done(async { request.send().await.map_err(error::from_sdk) }).await?;
    let mut said = HashMap::new();
    for object in answer.deleted.unwrap_or_default() {
        if let Some(key) = object.key {
            said.insert(key, Ok(()));
        }
    }
    for failed in answer.errors.unwrap_or_default() {
        let Some(key) = failed.key else { continue };
        let result = match error::from_answer(None, failed.code.as_deref(), None) {
            ExecuteError::Missing => Ok(()),
            error => Err(error),
        };
        said.insert(key, result);
    }
    Ok(said)
}

pub(super) async fn copy(
    s3: &S3,
    approved: &Arc<Approved<CopyObject<'static>>>,
) -> Result<(), ExecuteError> {
    let operation = approved.operation();
    let (from_bucket, from_key) = keys::object(&operation.source)?;
    let (bucket, key) = keys::object(&operation.destination)?;
    let client = s3.clients.get(approved.connection()).await?;
    client
        .copy_object()
        .copy_source(keys::copy_source(from_bucket, from_key))
        .bucket(bucket)
        .key(key)
        .customize()
        .interceptor(Standing::of(approved))
        .config_override(s3.clients.options().long())
        .send()
        .await
        .map_err(error::from_sdk)?;
    Ok(())
}
