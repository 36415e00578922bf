//! Deleting objects.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderName, Method, header::CONTENT_TYPE};
use md5::{Digest as _, Md5};

use super::{
    S3,
    answer::{Kind, Xml},
    asking::Asking,
    error::{self, senseless},
    keys,
    list::is_listed,
    pages::Pages,
    request::Request,
    write::honoured,
    xml::{Element, escaped},
};
use crate::{
    engine::{Approved, DeleteObject, DeleteObjects},
    executor::{ExecuteError, WriteConditions},
};

/// The most objects that one request deletes, and the most bytes that their keys have together: the server
/// says of each what became of it.
const BATCH: usize = 1_000;
const BATCH_BYTES: usize = 256 << 10;

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// What a request takes of memory for a key, beside its bytes.
const AROUND: usize = 256;

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
    conditions: &WriteConditions,
) -> Result<(), ExecuteError> {
    let (bucket, key) = keys::object(&approved.operation().path)?;
    honoured(approved.connection(), conditions.are_any())?;
    delete_present(&Asking::of(s3, approved).await?, bucket, key, conditions).await
}

/// Deletes an object that is there: servers delete a missing one with the same answer.
///
/// Credentials that may not read it are refused whether it is there or not. Those may still list it,
/// as the IAM policy of a connection that only deletes has it.
pub(super) async fn delete_present(
    asking: &Asking,
    bucket: &str,
    key: &str,
    conditions: &WriteConditions,
) -> Result<(), ExecuteError> {
    let head = Request::new(Method::HEAD, bucket, key, Kind::Head);
    match asking.answer(asking.client.head(head)).await {
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
    delete_on(asking, bucket, key, conditions).await
}

pub(super) async fn delete_one(
    asking: &Asking,
    bucket: &str,
    key: &str,
) -> Result<(), ExecuteError> {
    delete_on(asking, bucket, key, &WriteConditions::default()).await
}

async fn delete_on(
    asking: &Asking,
    bucket: &str,
    key: &str,
    conditions: &WriteConditions,
) -> Result<(), ExecuteError> {
    let request = Request::new(Method::DELETE, bucket, key, Kind::Nothing).on(conditions)?;
    asking.done(asking.client.head(request.while_stands(&asking.standing))).await?;
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
            let deleted = delete_batch(&asking, bucket, batch).await;
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
    bucket: &str,
    keys: &[&str],
) -> Vec<Result<(), ExecuteError>> {
    let together: Vec<&str> = keys.iter().copied().filter(|key| keys::survives_xml(key)).collect();
    let mut said = match together.len() {
        0 | 1 => HashMap::new(),
        _ => match delete_together(asking, bucket, &together).await {
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
    bucket: &str,
    keys: &[&str],
) -> Result<HashMap<String, Result<(), ExecuteError>>, ExecuteError> {
    // The request says each key once more, and is held until it is answered.
    let memory: usize = keys.iter().map(|key| key.len() + AROUND).sum();
    let _place = asking.place_to_send(memory).await;
    let mut body = String::from("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for key in keys {
        body.extend(["<Object><Key>", &escaped(key), "</Key></Object>"]);
    }
    body.push_str("</Delete>");
    // AWS wants a checksum, and of those that there are all servers know this one.
    let checksum = BASE64_STANDARD.encode(Md5::digest(&body));
    let request = Request::new(Method::POST, bucket, "", Kind::Xml(Xml::DELETED))
        .query("delete", "")
        .header(CONTENT_TYPE, Some("application/xml"))?
        .header(CONTENT_MD5, Some(&checksum))?
        .bytes(body.into())
        .long()
        .while_stands(&asking.standing);
    let read = |root: Element<'_>| {
        let mut said = HashMap::new();
        for deleted in root.all("Deleted") {
            if let Some(key) = deleted.says("Key") {
                said.insert(key.into_owned(), Ok(()));
            }
        }
        for failed in root.all("Error") {
            let Some(key) = failed.says("Key") else { continue };
            let result = match error::from_answer(None, failed.says("Code").as_deref(), None) {
                ExecuteError::Missing => Ok(()),
                error => Err(error),
            };
            said.insert(key.into_owned(), result);
        }
        Some(said)
    };
    asking.done(asking.client.xml(request, read)).await
}
