//! Directories: their markers, and all that is in them.

use std::sync::Arc;

use super::{
    S3,
    answer::MAX_KEYS,
    asking::Asking,
    delete,
    error::senseless,
    keys,
    pages::{Entry, Pages},
    slices::Slices,
    standing::Standing,
    write::Target,
};
use crate::{
    engine::{Approved, CreateDirectory, DeleteDirectory, DeleteTree},
    executor::{DirectoryDeletion, ExecuteError, TreeError, WriteConditions},
    path::Path,
    policy::Connection,
};

/// How often a tree is gone through before what is still there is taken for a mistake of the server.
const MAX_ROUNDS: usize = 4;

pub(super) async fn create(
    s3: &S3,
    approved: &Arc<Approved<CreateDirectory<'static>>>,
) -> Result<(), ExecuteError> {
    let (bucket, key) = keys::object(&approved.operation().path)?;
    let standing = Standing::of(approved);
    let target = Target::new(s3, approved.connection(), standing, bucket, key).await?;
    target.put(bytes::Bytes::new()).await?;
    Ok(())
}

pub(super) async fn delete(
    s3: &S3,
    approved: &Arc<Approved<DeleteDirectory<'static>>>,
) -> Result<DirectoryDeletion, ExecuteError> {
    let path = &approved.operation().path;
    let (bucket, directory) = keys::object(path)?;
    let asking = Asking::of(s3, approved).await?;
    if approved.reaches_below() {
        // What has no name is there for those to whom all is, as a listing has it.
        let reaches_all = approved.reaches_all_below();
        let is_kept = |entry: &Entry| match object(approved.connection(), bucket, entry) {
            Some(object) => object != *path && approved.reaches(&object),
            None => reaches_all,
        };
        let mut pages = Pages::of(&asking, bucket, directory);
        let mut slices = Slices::new();
        // One for the marker, one that may be all there is to know.
        let mut ask = 2;
        while let Some(entries) = slices.wait(pages.next(ask)).await? {
            for entry in entries.iter() {
                if is_kept(entry) {
                    return Ok(DirectoryDeletion::NotEmpty);
                }
                slices.step().await;
            }
            ask = MAX_KEYS;
        }
        // What folders there are also tells of what is not reached.
        if reaches_all && Look::at(&asking, bucket, directory).await?.below.is_some() {
            return Ok(DirectoryDeletion::NotEmpty);
        }
    }
    // Whether something else is in it that the connection does not reach has no influence.
    match delete::delete_present(&asking, bucket, directory, &WriteConditions::default()).await {
        Ok(()) => Ok(DirectoryDeletion::Deleted),
        Err(ExecuteError::Missing) => Ok(DirectoryDeletion::Missing),
        Err(error) => Err(error),
    }
}

/// The path of an object that the server has; `None` if it is none that can be named through the connection.
fn object(connection: &Connection, bucket: &str, entry: &Entry) -> Option<Path<'static>> {
    let path = keys::path(bucket, entry.key.as_deref()?)?;
    // Such a server may take the key for one that is elsewhere.
    (connection.keys().admit(&path) && keys::object(&path).is_ok()).then_some(path)
}

pub(super) async fn delete_tree(
    s3: &S3,
    approved: &Arc<Approved<DeleteTree<'static>>>,
) -> Result<u64, TreeError> {
    let mut deleted = 0;
    match go_through(s3, approved, &mut deleted).await {
        Ok(()) => Ok(deleted),
        Err(error) => Err(TreeError { deleted, error }),
    }
}

async fn go_through(
    s3: &S3,
    approved: &Arc<Approved<DeleteTree<'static>>>,
    deleted: &mut u64,
) -> Result<(), ExecuteError> {
    let (bucket, directory) = keys::object(&approved.operation().path)?;
    // The engine approves no such thing. A mistake here would empty a bucket.
    if bucket.is_empty() || directory.is_empty() || !directory.ends_with('/') {
        return Err(ExecuteError::Configuration);
    }
    let asking = Asking::of(s3, approved).await?;
    // Everything is decided before anything is deleted.
    let mut slices = Slices::new();
    let mut pages = Pages::of(&asking, bucket, directory);
    let mut is_empty = true;
    while let Some(entries) = slices.wait(pages.next(MAX_KEYS)).await? {
        for entry in entries.iter() {
            deletable(approved, bucket, entry)?;
            slices.step().await;
            is_empty = false;
        }
    }
    // That a server keeps as such what is empty is all there is to delete.
    let is_kept = is_empty && Look::at(&asking, bucket, directory).await?.is_there;
    if is_empty && !is_kept {
        return Ok(());
    }
    for _ in 0..MAX_ROUNDS {
        let (mut is_empty, mut has_marker) = (true, false);
        let mut pages = Pages::of(&asking, bucket, directory);
        while let Some(entries) = slices.wait(pages.next(MAX_KEYS)).await? {
            // What was not there before is decided like the rest.
            let mut keys = Vec::with_capacity(entries.len());
            for entry in entries.iter() {
                keys.push(deletable(approved, bucket, entry)?);
                slices.step().await;
            }
            let len = keys.len();
            keys.retain(|key| *key != directory);
            has_marker |= keys.len() < len;
            is_empty &= keys.is_empty();
            // Servers that keep directories as such refuse to delete one before what is in it.
            keys.sort_unstable_by_key(|key| (key.ends_with('/'), std::cmp::Reverse(*key)));
            let markers = keys.partition_point(|key| !key.ends_with('/'));
            let (files, markers) = keys.split_at(markers);
            for batch in delete::batches(files).chain(delete::batches(markers)) {
                let batch = delete::delete_batch(&asking, bucket, batch);
                let results = slices.wait(batch).await;
                *deleted += results.iter().filter(|result| result.is_ok()).count() as u64;
                results.into_iter().collect::<Result<(), ExecuteError>>()?;
            }
        }
        if is_empty && sweep(approved, &asking, &mut slices, bucket, directory).await? {
            *deleted += u64::from(has_marker || is_kept);
            return Ok(());
        }
    }
    Err(senseless())
}

/// Deletes a directory of which no objects are left: its marker, and on servers that keep directories as such,
/// also where they have no markers, those that are in it, before it. `false` if there is something in one again.
async fn sweep(
    approved: &Approved<DeleteTree<'static>>,
    asking: &Asking,
    slices: &mut Slices,
    bucket: &str,
    directory: &str,
) -> Result<bool, ExecuteError> {
    // Each is in the one before it, and begins with its key: their keys are the beginnings of one, of these lengths.
    let (mut path, mut lengths) = (directory.to_owned(), vec![directory.len()]);
    let mut gone = None;
    while let Some(length) = lengths.last() {
        path.truncate(*length);
        match slices.wait(Look::at(asking, bucket, &path)).await?.below {
            None => {
                match slices.wait(delete::delete_one(asking, bucket, &path)).await {
                    Ok(()) | Err(ExecuteError::Missing) => {}
                    Err(error) => return Err(error),
                }
                gone = Some(path.clone());
                lengths.pop();
            }
            Some(below) => {
                let key = deletable(approved, bucket, &below)?;
                slices.step().await;
                if !below.is_prefix || gone.as_deref() == Some(key) {
                    return Ok(false);
                }
                path = key.to_owned();
                lengths.push(path.len());
            }
        }
    }
    Ok(true)
}

/// What a server says of a directory where it tells of directories.
struct Look {
    /// Whether there is anything, if only the directory itself.
    is_there: bool,
    /// One of the things that are in it.
    below: Option<Entry>,
}

impl Look {
    async fn at(asking: &Asking, bucket: &str, directory: &str) -> Result<Self, ExecuteError> {
        let mut look = Self { is_there: false, below: None };
        let mut pages = Pages::of(asking, bucket, directory).delimited();
        while let Some(entries) = pages.next(2).await? {
            look.is_there |= !entries.is_empty();
            let below = entries.iter().find(|entry| entry.key.as_deref() != Some(directory));
            if below.is_some() {
                look.below = below.cloned();
                break;
            }
        }
        Ok(look)
    }
}

/// The key, if it is one that the approval covers and that is sent as it is.
fn deletable<'e>(
    approved: &Approved<DeleteTree<'static>>,
    bucket: &str,
    entry: &'e Entry,
) -> Result<&'e str, ExecuteError> {
    let path = object(approved.connection(), bucket, entry).ok_or(ExecuteError::Unnamable)?;
    match (approved.deletes(&path), entry.key.as_deref()) {
        (true, Some(key)) => Ok(key),
        _ => Err(senseless()),
    }
}
