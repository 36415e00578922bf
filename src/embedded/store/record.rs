//! The rows of the index on disk: keys that say what a row is, values in JSON.
//!
//! | key | value |
//! |---|---|
//! | `b`, bucket | when it was made |
//! | `o`, bucket, 0, key | an object |
//! | `u`, id | an upload |
//! | `v`, id, the part's number in two bytes | a part |
//!
//! In their order, each row comes after what it belongs to. Ids all have the same length, and
//! buckets no byte 0.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::{
    data::{Data, DataFile, Segment},
    disk::DiskError,
    state::{Change, Headers, Object, State, Upload},
};

#[derive(Serialize, Deserialize)]
struct ObjectRow {
    files: Vec<(String, u64)>,
    etag: String,
    modified: SystemTime,
    headers: Headers,
    checksums: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct UploadRow {
    bucket: String,
    key: Vec<u8>,
    headers: Headers,
    started: SystemTime,
}

/// The row of a change, and what is to be in it; `None`: it goes.
pub(super) fn of(change: &Change) -> Result<(Vec<u8>, Option<Vec<u8>>), serde_json::Error> {
    Ok(match change {
        Change::Bucket(name, created) => (bucket_row(name), Some(serde_json::to_vec(created)?)),
        Change::NoBucket(name) => (bucket_row(name), None),
        Change::Object { bucket, key, object } => {
            let row = [b"o", bucket.as_bytes(), b"\0", key].concat();
            (row, object.as_deref().map(object_value).transpose()?)
        }
        Change::Upload(id, upload) => {
            let value = UploadRow {
                bucket: upload.bucket.clone(),
                key: upload.key.clone(),
                headers: upload.headers.clone(),
                started: upload.started,
            };
            (upload_row(id), Some(serde_json::to_vec(&value)?))
        }
        Change::NoUpload(id) => (upload_row(id), None),
        Change::Part { upload, number, part } => {
            (part_row(upload, &number.to_be_bytes()), Some(object_value(part)?))
        }
    })
}

fn bucket_row(name: &str) -> Vec<u8> {
    [b"b", name.as_bytes()].concat()
}

fn upload_row(id: &str) -> Vec<u8> {
    [b"u", id.as_bytes()].concat()
}

fn part_row(id: &str, number: &[u8]) -> Vec<u8> {
    [b"v", id.as_bytes(), number].concat()
}

fn object_value(object: &Object) -> Result<Vec<u8>, serde_json::Error> {
    let files = object.data.segments.iter().filter_map(|segment| match segment {
        Segment::File { file, length } => Some((file.name().to_owned(), *length)),
        Segment::Memory(_) => None,
    });
    serde_json::to_vec(&ObjectRow {
        files: files.collect(),
        etag: object.etag.clone(),
        modified: object.modified,
        headers: object.headers.clone(),
        checksums: object.checksums.clone(),
    })
}

/// The rows that go with a change, by the start of their keys.
pub(super) fn removes_below(change: &Change) -> Option<Vec<u8>> {
    match change {
        Change::NoUpload(id) => Some(part_row(id, b"")),
        _ => None,
    }
}

/// The first key behind all that start with `prefix`, which ends in a hex digit.
pub(super) fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

pub(super) fn adds_files(change: &Change) -> bool {
    match change {
        Change::Object { object: Some(object), .. } | Change::Part { part: object, .. } => {
            object.data.files().next().is_some()
        }
        _ => false,
    }
}

/// Makes the index of its rows.
pub(super) struct Loader {
    folder: PathBuf,
    /// One for each name: objects can share a file.
    files: HashMap<String, Arc<DataFile>>,
    state: State,
}

impl Loader {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, files: HashMap::new(), state: State::default() }
    }

    pub(super) fn row(&mut self, key: &[u8], value: &[u8]) -> Result<(), DiskError> {
        let (&kind, name) = key.split_first().ok_or("a row of the index has no key")?;
        let change = match kind {
            b'b' => Change::Bucket(text(name)?, serde_json::from_slice(value)?),
            b'o' => {
                let mut parts = name.splitn(2, |&byte| byte == 0);
                let bucket = text(parts.next().unwrap_or_default())?;
                let key = parts.next().unwrap_or_default().to_vec();
                Change::Object { bucket, key, object: Some(self.object(value)?) }
            }
            b'u' => {
                let row: UploadRow = serde_json::from_slice(value)?;
                let upload = Box::new(Upload {
                    bucket: row.bucket,
                    key: row.key,
                    headers: row.headers,
                    started: row.started,
                    parts: BTreeMap::new(),
                });
                Change::Upload(text(name)?, upload)
            }
            b'v' => {
                let (id, number) = name.split_last_chunk().ok_or("a part has no number")?;
                let number = u16::from_be_bytes(*number);
                Change::Part { upload: text(id)?, number, part: self.object(value)? }
            }
            _ => return Err("the index is of another version".into()),
        };
        self.state.apply(change);
        Ok(())
    }

    fn object(&mut self, value: &[u8]) -> Result<Arc<Object>, DiskError> {
        let row: ObjectRow = serde_json::from_slice(value)?;
        let segments = row.files.into_iter().map(|(name, length)| {
            let path = self.folder.join(&name);
            let file = self.files.entry(name).or_insert_with(|| Arc::new(DataFile::new(path)));
            Segment::File { file: Arc::clone(file), length }
        });
        Ok(Arc::new(Object {
            data: Data::new(segments.collect()),
            etag: row.etag,
            modified: row.modified,
            headers: row.headers,
            checksums: row.checksums,
        }))
    }

    /// The index, and the names of all files that it refers to.
    pub(super) fn finish(self) -> (State, HashSet<String>) {
        (self.state, self.files.into_keys().collect())
    }
}

fn text(bytes: &[u8]) -> Result<String, DiskError> {
    Ok(String::from_utf8(bytes.to_vec())?)
}
