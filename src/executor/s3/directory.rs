//! Directories: their markers, and all that is in them.

use super::{
    S3, delete, keys,
    pages::{Entry, MAX_KEYS, Pages, senseless},
    write::Target,
};
use crate::{
    engine::{Approved, CreateDirectory, DeleteDirectory, DeleteTree},
    executor::{DirectoryDeletion, ExecuteError, TreeError},
    path::Path,
};

/// How often a tree is gone through before what is still there is taken for a mistake of the server.
const MAX_ROUNDS: usize = 4;

pub(super) async fn create(
    s3: &S3,
    approved: &Approved<CreateDirectory<'static>>,
) -> Result<(), ExecuteError> {
    let (bucket, key) = keys::object(&approved.operation().path)?;
    let target = Target::new(s3, approved.connection(), bucket, key, None).await?;
    target.put(bytes::Bytes::new()).await?;
    Ok(())
}

pub(super) async fn delete(
    s3: &S3,
    approved: &Approved<DeleteDirectory<'static>>,
) -> Result<DirectoryDeletion, ExecuteError> {
    let path = &approved.operation().path;
    let (bucket, directory) = keys::object(path)?;
    let client = s3.clients.get(approved.connection()).await?;
    if approved.reaches_below() {
        let mut pages = Pages::of(&client, bucket, directory);
        // One for the marker, one that may be all there is to know.
        let mut ask = 2;
        while let Some(entries) = pages.next(ask).await? {
            let is_kept = |object: &Path<'_>| object != path && approved.reaches(object);
            if entries.iter().filter_map(|entry| object(bucket, entry)).any(|o| is_kept(&o)) {
                return Ok(DirectoryDeletion::NotEmpty);
            }
            ask = MAX_KEYS;
        }
    }
    // Whether something else is in it that the connection does not reach has no influence.
    match delete::delete_present(&client, bucket, directory).await {
        Ok(()) => Ok(DirectoryDeletion::Deleted),
        Err(ExecuteError::Missing) => Ok(DirectoryDeletion::Missing),
        Err(error) => Err(error),
    }
}

/// The path of an object that the server has; `None` if it is no canonical one.
fn object(bucket: &str, entry: &Entry) -> Option<Path<'static>> {
    Path::from_vec(format!("{bucket}/{}", entry.key.as_deref()?).into_bytes()).ok()
}

pub(super) async fn delete_tree(
    s3: &S3,
    approved: &Approved<DeleteTree<'static>>,
) -> Result<u64, TreeError> {
    let mut deleted = 0;
    match go_through(s3, approved, &mut deleted).await {
        Ok(()) => Ok(deleted),
        Err(error) => Err(TreeError { deleted, error }),
    }
}

async fn go_through(
    s3: &S3,
    approved: &Approved<DeleteTree<'static>>,
    deleted: &mut u64,
) -> Result<(), ExecuteError> {
    let (bucket, directory) = keys::object(&approved.operation().path)?;
    // The engine approves no such thing. A mistake here would empty a bucket.
    if bucket.is_empty() || directory.is_empty() || !directory.ends_with('/') {
        return Err(ExecuteError::Configuration);
    }
    let client = s3.clients.get(approved.connection()).await?;
    // Everything is decided before anything is deleted.
    let mut pages = Pages::of(&client, bucket, directory);
    let mut is_empty = true;
    while let Some(entries) = pages.next(MAX_KEYS).await? {
        for entry in &entries {
            deletable(approved, bucket, entry)?;
            is_empty = false;
        }
    }
    for _ in 0..MAX_ROUNDS {
        if is_empty {
            return Ok(());
        }
        is_empty = true;
        let mut pages = Pages::of(&client, bucket, directory);
        while let Some(entries) = pages.next(MAX_KEYS).await? {
            // What was not there before is decided like the rest.
            let mut keys = Vec::with_capacity(entries.len());
            for entry in &entries {
                keys.push(deletable(approved, bucket, entry)?);
            }
            is_empty &= keys.is_empty();
            // Servers that keep directories as such refuse to delete one before what is in it.
            keys.sort_unstable_by_key(|key| (key.ends_with('/'), std::cmp::Reverse(*key)));
            let markers = keys.partition_point(|key| !key.ends_with('/'));
            let (files, markers) = keys.split_at(markers);
            for batch in files.chunks(delete::BATCH).chain(markers.chunks(delete::BATCH)) {
                let options = s3.clients.options();
                let results = delete::delete_batch(&client, options, bucket, batch).await;
                *deleted += results.iter().filter(|result| result.is_ok()).count() as u64;
                results.into_iter().collect::<Result<(), ExecuteError>>()?;
            }
        }
    }
    match is_empty {
        true => Ok(()),
        false => Err(senseless()),
    }
}

/// The key, if it is one that the approval covers and that is sent as it is.
fn deletable<'e>(
    approved: &Approved<DeleteTree<'static>>,
    bucket: &str,
    entry: &'e Entry,
) -> Result<&'e str, ExecuteError> {
    let path = object(bucket, entry).ok_or_else(senseless)?;
    keys::object(&path)?;
    match (approved.deletes(&path), entry.key.as_deref()) {
        (true, Some(key)) => Ok(key),
        _ => Err(senseless()),
    }
}
