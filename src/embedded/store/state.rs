//! The index: what there is, by name.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::data::Data;

#[derive(Default)]
pub(in crate::embedded) struct State {
    pub(in crate::embedded) buckets: BTreeMap<String, Bucket>,
    /// By their ids.
    pub(in crate::embedded) uploads: BTreeMap<String, Upload>,
}

pub(in crate::embedded) struct Bucket {
    pub(in crate::embedded) created: SystemTime,
    /// Bytes, so that their order is that of bytes and the end of a prefix can be sought.
    pub(in crate::embedded) objects: BTreeMap<Vec<u8>, Arc<Object>>,
}

/// An object, or a part of an upload.
pub(in crate::embedded) struct Object {
    pub(in crate::embedded) data: Data,
    /// Without quotes: the MD5 in hex, with `-N` behind it where it was uploaded in N parts.
    pub(in crate::embedded) etag: String,
    /// Whole seconds, as HTTP's dates have: what a client was told compares equal.
    pub(in crate::embedded) modified: SystemTime,
    pub(in crate::embedded) headers: Headers,
    /// The checksums that came with it, in base64, by the name of their header.
    pub(in crate::embedded) checksums: BTreeMap<String, String>,
}

/// What a writer says about an object and a reader is told.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(in crate::embedded) struct Headers {
    pub(in crate::embedded) content_type: Option<String>,
    pub(in crate::embedded) content_encoding: Option<String>,
    pub(in crate::embedded) content_language: Option<String>,
    pub(in crate::embedded) content_disposition: Option<String>,
    pub(in crate::embedded) cache_control: Option<String>,
    pub(in crate::embedded) metadata: Option<HashMap<String, String>>,
}

/// An upload in parts, until it is completed or aborted.
#[derive(Clone)]
pub(in crate::embedded) struct Upload {
    pub(in crate::embedded) bucket: String,
    pub(in crate::embedded) key: Vec<u8>,
    pub(in crate::embedded) headers: Headers,
    pub(in crate::embedded) started: SystemTime,
    pub(in crate::embedded) parts: BTreeMap<u16, Arc<Object>>,
}

/// One step of a change.
pub(in crate::embedded) enum Change {
    /// A bucket comes to be, with nothing in it.
    Bucket(String, SystemTime),
    /// A bucket goes. Nothing may be in it.
    NoBucket(String),
    /// An object comes in place of what has its key; `None`: it goes.
    Object { bucket: String, key: Vec<u8>, object: Option<Arc<Object>> },
    /// An upload starts; its parts come as changes of their own.
    Upload(String, Box<Upload>),
    /// An upload goes, with its parts.
    NoUpload(String),
    /// A part comes, in place of what has its number.
    Part { upload: String, number: u16, part: Arc<Object> },
}

impl State {
    pub(in crate::embedded) fn bucket(&self, name: &str) -> S3Result<&Bucket> {
        self.buckets.get(name).ok_or_else(|| s3_error!(NoSuchBucket))
    }

    pub(in crate::embedded) fn object(&self, bucket: &str, key: &str) -> S3Result<Arc<Object>> {
        let object = self.bucket(bucket)?.objects.get(key.as_bytes());
        object.cloned().ok_or_else(|| s3_error!(NoSuchKey))
    }

    /// An upload, if it is this bucket's and this key's.
    pub(in crate::embedded) fn upload(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
    ) -> S3Result<&Upload> {
        self.bucket(bucket)?;
        self.uploads
            .get(id)
            .filter(|upload| upload.bucket == bucket && upload.key == key.as_bytes())
            .ok_or_else(|| s3_error!(NoSuchUpload))
    }

    /// Makes a change that was decided on this very state.
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Bucket(name, created) => {
                self.buckets.insert(name, Bucket { created, objects: BTreeMap::new() });
            }
            Change::NoBucket(name) => {
                self.buckets.remove(&name);
            }
            Change::Object { bucket, key, object } => {
                let Some(bucket) = self.buckets.get_mut(&bucket) else { return };
                let before = match object {
                    Some(object) => {
                        object.data.retain();
                        bucket.objects.insert(key, object)
                    }
                    None => bucket.objects.remove(&key),
                };
                release(before);
            }
            Change::Upload(id, upload) => {
                self.uploads.insert(id, *upload);
            }
            Change::NoUpload(id) => {
                let upload = self.uploads.remove(&id);
                upload.into_iter().flat_map(|upload| upload.parts.into_values()).for_each(|part| {
                    part.data.release();
                });
            }
            Change::Part { upload, number, part } => {
                let Some(upload) = self.uploads.get_mut(&upload) else { return };
                part.data.retain();
                release(upload.parts.insert(number, part));
            }
        }
    }
}

fn release(object: Option<Arc<Object>>) {
    if let Some(object) = object {
        object.data.release();
    }
}

/// This moment, in whole seconds.
pub(in crate::embedded) fn now() -> SystemTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}
