//! Uploads in parts.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use pathward::{
    Access, Path,
    engine::{
        AbortUpload, Approved, CompleteUpload, CopyPart, CreateUpload, ListParts, ListUploads,
        Operate, UploadPart,
    },
    executor::{
        self, ExecuteError, InvalidParts, Made, Metadata, Part, PartCopy, PartInfo, PartNumber,
        PartUpload, PartsPage, UnfinishedUpload, UploadId, UploadsMark, UploadsPage,
        WriteConditions,
    },
};

use super::{Memory, Stored, Wrong, honoured, incoming::Faults};

/// The least that a part has which is not the last.
const LEAST: usize = 5 << 20;

/// An upload that has not ended.
#[derive(Clone, Debug)]
pub(super) struct Unfinished {
    path: Vec<u8>,
    metadata: Metadata,
    parts: BTreeMap<PartNumber, Stored>,
    /// The numbers of the parts, as they came.
    came: Vec<PartNumber>,
    /// Kept by one that does not end what it should.
    is_ended: bool,
}

type Uploads<'a> = MutexGuard<'a, BTreeMap<String, Unfinished>>;

impl Memory {
    fn uploads(&self) -> Uploads<'_> {
        self.uploads.lock().expect("no test panics with it")
    }

    fn ask_for_parts<Op: Operate>(&self, approved: &Approved<Op>) -> Result<(), ExecuteError> {
        match self.is(Wrong::NeverAsksForParts) {
            true => Ok(()),
            false => approved.still_stands().map_err(ExecuteError::Withdrawn),
        }
    }

    /// An upload, if it is one of this path.
    fn upload<'u>(
        &self,
        uploads: &'u mut Uploads<'_>,
        path: &Path<'_>,
        id: &UploadId,
    ) -> Result<&'u mut Unfinished, ExecuteError> {
        let is_it = |upload: &&mut Unfinished| {
            !upload.is_ended && (upload.path == path.as_bytes() || self.is(Wrong::TakesAnyPath))
        };
        uploads.get_mut(id.as_str()).filter(is_it).ok_or(ExecuteError::NoSuchUpload)
    }

    pub(super) fn create(
        &self,
        approved: &Approved<CreateUpload<'static>>,
        metadata: Metadata,
    ) -> Result<UploadId, ExecuteError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        self.ask_for_parts(approved)?;
        let id = format!("upload-{:08}", NEXT.fetch_add(1, Ordering::Relaxed));
        let forgets = self.is(Wrong::ForgetsMetadata);
        let upload = Unfinished {
            path: approved.operation().path.as_bytes().to_vec(),
            metadata: if forgets { Metadata::default() } else { metadata },
            parts: BTreeMap::new(),
            came: Vec::new(),
            is_ended: false,
        };
        self.uploads().insert(id.clone(), upload);
        UploadId::new(&id).ok_or(ExecuteError::NoSuchUpload)
    }

    fn store(
        &self,
        path: &Path<'_>,
        id: &UploadId,
        number: PartNumber,
        bytes: Bytes,
    ) -> Result<Stored, ExecuteError> {
        let stored = Stored::new(bytes, Metadata::default());
        let mut uploads = self.uploads();
        let upload = self.upload(&mut uploads, path, id)?;
        if !(self.is(Wrong::KeepsFirstPart) && upload.parts.contains_key(&number)) {
            upload.parts.insert(number, stored.clone());
        }
        upload.came.retain(|came| *came != number);
        upload.came.push(number);
        if self.is(Wrong::DeletesBefore) {
            self.objects().remove(&self.key(path));
        }
        if self.is(Wrong::ShowsParts) {
            self.objects().insert(self.key(path), stored.clone());
        }
        Ok(stored)
    }

    pub(super) async fn take_part(
        &self,
        approved: &Approved<UploadPart<'static>>,
        id: &UploadId,
        part: PartUpload,
    ) -> Result<executor::Stored, ExecuteError> {
        self.ask_for_parts(approved)?;
        let path = &approved.operation().path;
        {
            let mut uploads = self.uploads();
            let upload = self.upload(&mut uploads, path, id)?;
            if self.is(Wrong::DropsPartBefore) {
                upload.parts.remove(&part.number);
            }
        }
        let faults = Faults {
            keeps_torn: self.is(Wrong::KeepsTornPart),
            believes_length: self.is(Wrong::BelievesPartLength),
            believes_checksum: self.is(Wrong::BelievesPartChecksum),
            asks_once: self.is(Wrong::AsksOnceForParts) || self.is(Wrong::NeverAsksForParts),
            waits: self.is(Wrong::WaitsForParts),
        };
        let PartUpload { number, body, length, checksums } = part;
        let bytes = faults.collect(approved, body, Some(length), &checksums).await?;
        let stored = self.store(path, id, number, bytes)?;
        Ok(executor::Stored { size: stored.bytes.len() as u64, etag: Some(stored.etag) })
    }

    pub(super) fn part_of(
        &self,
        approved: &Approved<CopyPart<'static>>,
        id: &UploadId,
        part: &PartCopy,
    ) -> Result<Made, ExecuteError> {
        self.ask_for_parts(approved)?;
        let CopyPart { source, destination } = approved.operation();
        self.upload(&mut self.uploads(), destination, id)?;
        let wrongs = [Wrong::CopiesPartsAlways; 2];
        let source = self.source(approved, source, &part.conditions, wrongs)?;
        let bytes = match part.range.filter(|_| !self.is(Wrong::CopiesAllOfIt)) {
            None => source.bytes,
            Some((_, last)) if last >= source.bytes.len() as u64 => {
                return Err(ExecuteError::RangeNotSatisfiable { size: None });
            }
            Some((first, last)) => source.bytes.slice(first as usize..=last as usize),
        };
        let stored = self.store(destination, id, part.number, bytes)?;
        Ok(Made { etag: Some(stored.etag), last_modified: None })
    }

    pub(super) fn parts(
        &self,
        approved: &Approved<ListParts<'static>>,
        id: &UploadId,
        after: Option<PartNumber>,
        limit: usize,
    ) -> Result<PartsPage, ExecuteError> {
        self.ask_for_parts(approved)?;
        let mut uploads = self.uploads();
        let upload = self.upload(&mut uploads, &approved.operation().path, id)?;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = upload.parts.range((from, Bound::Unbounded));
        let mut parts: Vec<PartInfo> = behind
            .map(|(&number, stored)| PartInfo {
                number,
                size: stored.bytes.len() as u64,
                etag: Some(stored.etag.as_str().into()),
                last_modified: None,
            })
            .collect();
        let is_more = parts.len() > limit;
        parts.truncate(limit);
        let next = parts.last().filter(|_| is_more).map(|part| part.number);
        if is_more && self.is(Wrong::LosesPart) {
            parts.pop();
        }
        Ok(PartsPage { parts, next })
    }

    pub(super) fn complete(
        &self,
        approved: &Approved<CompleteUpload<'static>>,
        id: &UploadId,
        parts: &[Part],
        conditions: &WriteConditions,
    ) -> Result<Made, ExecuteError> {
        self.ask_for_parts(approved)?;
        let path = &approved.operation().path;
        let mut uploads = self.uploads();
        let upload = self.upload(&mut uploads, path, id)?;
        if conditions.are_any() && !self.is(Wrong::TrustsServersToComplete) {
            honoured(approved)?;
        }
        if !self.is(Wrong::CompletesAlways) {
            self.may_replace(path, conditions)?;
        }
        let joined = self.joined(upload, parts);
        if joined.is_ok() || self.is(Wrong::EndsRefused) {
            upload.is_ended = !self.is(Wrong::GoesOn);
        }
        let stored = joined?;
        let etag = Some(stored.etag.clone());
        self.objects().insert(self.key(path), stored);
        Ok(Made { etag, last_modified: None })
    }

    /// The object of these parts, if there is one.
    fn joined(&self, upload: &Unfinished, parts: &[Part]) -> Result<Stored, ExecuteError> {
        let invalid = |why| Err(ExecuteError::InvalidParts(why));
        let mut parts: Vec<&Part> = parts.iter().collect();
        if self.is(Wrong::SortsParts) {
            parts.sort_by_key(|part| part.number);
        }
        let is_sorted = parts.is_sorted_by(|one, next| {
            one.number < next.number || self.is(Wrong::SortsParts) && one.number == next.number
        });
        if parts.is_empty() || !is_sorted {
            return invalid(InvalidParts::Order);
        }
        let mut found = Vec::new();
        for part in parts {
            match upload.parts.get(&part.number) {
                Some(stored) if *stored.etag == *part.etag || self.is(Wrong::BelievesTags) => {
                    found.push((part.number, stored));
                }
                None if self.is(Wrong::LeavesOutMissing) => {}
                _ => return invalid(InvalidParts::Missing),
            }
        }
        let all_but_last = found.len().saturating_sub(1);
        let is_small = |(_, part): &(PartNumber, &Stored)| part.bytes.len() < LEAST;
        if found.iter().take(all_but_last).any(is_small) && !self.is(Wrong::TakesSmallParts) {
            return invalid(InvalidParts::TooSmall);
        }
        if self.is(Wrong::JoinsAsTheyCame) {
            found.sort_by_key(|(number, _)| upload.came.iter().position(|came| came == number));
        }
        let bytes: Vec<&[u8]> = found.iter().map(|(_, stored)| &*stored.bytes).collect();
        Ok(Stored::new(bytes.concat().into(), upload.metadata.clone()))
    }

    pub(super) fn abort(
        &self,
        approved: &Approved<AbortUpload<'static>>,
        id: &UploadId,
    ) -> Result<(), ExecuteError> {
        self.ask_for_parts(approved)?;
        let mut uploads = self.uploads();
        let path = &approved.operation().path;
        let ends_again = self.is(Wrong::EndsTwice) && uploads.contains_key(id.as_str());
        match self.upload(&mut uploads, path, id) {
            Ok(upload) => upload.is_ended = true,
            Err(_) if ends_again => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    pub(super) fn unfinished(
        &self,
        approved: &Approved<ListUploads<'static>>,
        after: Option<&UploadsMark>,
        limit: usize,
    ) -> Result<UploadsPage, ExecuteError> {
        self.ask_for_parts(approved)?;
        let bucket = format!("{}/", self.bucket);
        let prefix = approved.operation().path.as_bytes();
        let is_shown = |path: &[u8]| {
            let Ok(path) = Path::from_vec(path.to_vec()) else { return false };
            let connection = approved.connection();
            match path.as_bytes().starts_with(prefix) {
                true if self.is(Wrong::ShowsHiddenUploads) => true,
                true if self.is(Wrong::ShowsUploadsSince) => {
                    connection.allows(&path, Access::Write)
                }
                true if self.is(Wrong::ShowsUploadsToReaders) => {
                    approved.shows(&path) || connection.allows(&path, Access::Read)
                }
                _ => approved.shows(&path),
            }
        };
        let mut uploads = Vec::new();
        for (id, upload) in self.uploads().iter() {
            let id = UploadId::new(id).ok_or(ExecuteError::NoSuchUpload)?;
            let path = String::from_utf8_lossy(&upload.path);
            if let Some(key) = path.strip_prefix(&bucket)
                && !upload.is_ended
                && is_shown(&upload.path)
            {
                uploads.push(UnfinishedUpload { key: key.to_owned(), id, initiated: None });
            }
        }
        uploads.sort_by(|one, next| mark(one).cmp(&mark(next)));
        if let Some(UploadsMark { key, id }) = after {
            uploads.retain(|upload| mark(upload) > (&**key, &**id));
        }
        let is_more = uploads.len() > limit;
        uploads.truncate(limit);
        let next = uploads.last().filter(|_| is_more).map(|last| {
            let (key, id) = mark(last);
            UploadsMark { key: key.into(), id: id.into() }
        });
        if is_more && self.is(Wrong::LosesUpload) {
            uploads.pop();
        }
        Ok(UploadsPage { uploads, next })
    }
}

/// Where an upload is among the others.
fn mark(upload: &UnfinishedUpload) -> (&str, &str) {
    (&upload.key, upload.id.as_str())
}
