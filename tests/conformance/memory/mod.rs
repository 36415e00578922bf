//! An executor that keeps objects in memory, and one thing of which is wrong where that is asked for.

mod incoming;
mod parts;
mod prefix;
mod wrong;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use async_trait::async_trait;
use bytes::Bytes;
use pathward::{
    Access, Keys, Path,
    engine::{
        AbortUpload, Approved, CompleteUpload, CopyObject, CopyPart, CreateDirectory, CreateUpload,
        DeleteDirectory, DeleteObject, DeleteObjects, DeleteTree, ListDirectory, ListMode,
        ListParts, ListPrefix, ListUploads, Operate, ReadObject, StatObject, UploadPart,
        WriteObject,
    },
    executor::{
        Algorithm, Body, CopyOptions, DirectoryDeletion, DirectoryPage, ExecuteError, Executor,
        FileEntry, Made, Met, Metadata, Object, ObjectInfo, PageRequest, Part, PartCopy,
        PartNumber, PartUpload, PartsPage, PrefixPage, PrefixRequest, ReadConditions, ReadOptions,
        Sum, TreeError, Upload, UploadId, UploadsMark, UploadsPage, Want, WriteConditions,
    },
    policy::Conditions,
};

pub(crate) use self::wrong::Wrong;
use self::{incoming::Faults, parts::Unfinished};

#[derive(Clone, Debug)]
struct Stored {
    bytes: Bytes,
    metadata: Metadata,
    etag: String,
}

impl Stored {
    /// Has another tag for other bytes.
    fn new(bytes: Bytes, metadata: Metadata) -> Self {
        let mut sum = Sum::new(Algorithm::Crc64Nvme);
        sum.update(&bytes);
        let digits: String =
            sum.finish().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { bytes, metadata, etag: format!("\"{digits}\"") }
    }

    fn info(&self) -> ObjectInfo {
        ObjectInfo {
            size: self.bytes.len() as u64,
            etag: Some(self.etag.clone()),
            last_modified: None,
            metadata: self.metadata.clone(),
        }
    }
}

/// Objects by their paths, `bucket/key`.
#[derive(Debug)]
pub(crate) struct Memory {
    bucket: &'static str,
    objects: Mutex<BTreeMap<Vec<u8>, Stored>>,
    uploads: Mutex<BTreeMap<String, Unfinished>>,
    /// Whether it offers what an executor may leave out.
    offers: bool,
    wrong: Option<Wrong>,
}

impl Memory {
    pub(crate) fn new(bucket: &'static str, wrong: Option<Wrong>) -> Self {
        Self { bucket, objects: Mutex::default(), uploads: Mutex::default(), offers: true, wrong }
    }

    /// One that leaves out whatever an executor may.
    pub(crate) fn least(bucket: &'static str) -> Self {
        Self { offers: false, ..Self::new(bucket, None) }
    }

    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    fn offered(&self) -> Result<(), ExecuteError> {
        if self.offers { Ok(()) } else { Err(ExecuteError::NotOffered) }
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Stored>> {
        self.objects.lock().expect("no test panics with it")
    }

    fn key(&self, path: &Path<'_>) -> Vec<u8> {
        let text = String::from_utf8(path.as_bytes().to_vec()).expect("paths are UTF-8");
        let decoded = if self.is(Wrong::DecodesKeys) { text.replace("%20", " ") } else { text };
        decoded.into_bytes()
    }

    fn get(&self, path: &Path<'_>) -> Result<Stored, ExecuteError> {
        self.objects().get(&self.key(path)).cloned().ok_or(ExecuteError::Missing)
    }

    fn ask<Op: Operate>(&self, approved: &Approved<Op>) -> Result<(), ExecuteError> {
        match self.is(Wrong::NeverAsks) {
            true => Ok(()),
            false => approved.still_stands().map_err(ExecuteError::Withdrawn),
        }
    }

    fn ask_to_read<Op: Operate>(&self, approved: &Approved<Op>) -> Result<(), ExecuteError> {
        if self.is(Wrong::ReadsWithdrawn) { Ok(()) } else { self.ask(approved) }
    }

    /// Everything in a directory: what is left of the keys, and the paths of those that are ones.
    fn in_directory(&self, directory: &Path<'_>) -> Vec<(Vec<u8>, Option<Path<'static>>, Stored)> {
        let directory = directory.as_bytes();
        let objects = self.objects();
        let inside = objects.iter().filter_map(|(key, stored)| {
            let rest = key.strip_prefix(directory)?.to_vec();
            Some((rest, Path::from_vec(key.clone()).ok().map(Path::into_owned), stored.clone()))
        });
        inside.collect()
    }

    /// What is stored of a body that comes.
    async fn collect(
        &self,
        approved: &Approved<WriteObject<'static>>,
        upload: Upload,
    ) -> Result<Stored, ExecuteError> {
        let faults = Faults {
            keeps_torn: self.is(Wrong::KeepsTorn),
            believes_length: self.is(Wrong::BelievesNoLength),
            believes_checksum: self.is(Wrong::BelievesNoChecksum),
            asks_once: self.is(Wrong::AsksOnce) || self.is(Wrong::NeverAsks),
            waits: self.is(Wrong::WaitsForBytes),
        };
        let Upload { body, length, mut metadata, checksums, .. } = upload;
        let bytes = faults.collect(approved, body, length, &checksums).await?;
        if self.is(Wrong::ForgetsType) {
            metadata.content_type = None;
        }
        if self.is(Wrong::ForgetsMore) {
            metadata = Metadata { content_type: metadata.content_type, ..Metadata::default() };
        }
        Ok(Stored::new(bytes, metadata))
    }

    fn meets(&self, stored: &Stored, conditions: &ReadConditions) -> Result<(), ExecuteError> {
        let etag = stored.etag.clone();
        match conditions.are_met(Some(&etag), None) {
            _ if self.is(Wrong::ReadsAlways) => Ok(()),
            Met::Yes => Ok(()),
            Met::NotModified => {
                Err(ExecuteError::NotModified { etag: Some(etag.into()), last_modified: None })
            }
            Met::No => Err(ExecuteError::PreconditionFailed),
        }
    }

    fn may_change<Op: Operate>(
        &self,
        approved: &Approved<Op>,
        path: &Path<'_>,
        conditions: &WriteConditions,
    ) -> Result<(), ExecuteError> {
        if conditions.are_any() && !self.is(Wrong::TrustsServers) {
            honoured(approved)?;
        }
        self.may_replace(path, conditions)
    }

    fn may_replace(
        &self,
        path: &Path<'_>,
        conditions: &WriteConditions,
    ) -> Result<(), ExecuteError> {
        let there = self.get(path).ok().map(|stored| stored.etag);
        let is_met = match (&conditions.if_match, there) {
            (Some(tag), there) => there.as_ref() == Some(tag),
            (None, there) => there.is_none() || !conditions.if_none,
        };
        match is_met || self.is(Wrong::OverwritesAlways) {
            true => Ok(()),
            false => Err(ExecuteError::PreconditionFailed),
        }
    }

    /// A source of a copy, if it is there and meets the conditions.
    fn source<Op: Operate>(
        &self,
        approved: &Approved<Op>,
        path: &Path<'_>,
        conditions: &ReadConditions,
        [always, trusts]: [Wrong; 2],
    ) -> Result<Stored, ExecuteError> {
        if *conditions != ReadConditions::default() && !self.is(trusts) {
            honoured(approved)?;
        }
        let stored = self.get(path)?;
        match conditions.are_met(Some(&stored.etag), None) {
            Met::NotModified | Met::No if !self.is(always) => Err(ExecuteError::PreconditionFailed),
            _ => Ok(stored),
        }
    }

    fn ask_again<Op: Operate>(&self, approved: &Approved<Op>) -> Result<(), ExecuteError> {
        if self.is(Wrong::AsksOnce) { Ok(()) } else { self.ask(approved) }
    }

    /// The entries that are shown: their names, those of folders with a `/`, and the sizes of files.
    fn shown(&self, approved: &Approved<ListDirectory<'static>>) -> BTreeMap<String, u64> {
        let (listing, directory) = (approved.listing(), &approved.operation().path);
        let keys = approved.connection().keys();
        let mut shown = BTreeMap::new();
        for (rest, path, stored) in self.in_directory(directory) {
            let Ok(rest) = String::from_utf8(rest) else { continue };
            let may_show = path.as_ref().is_some_and(|path| match keys {
                Keys::Plain if self.is(Wrong::ShowsAliases) => true,
                _ if self.is(Wrong::ShowsHiddenSince) => {
                    approved.connection().allows(path, Access::Read)
                }
                _ => listing.shows_object(path),
            });
            let folder = rest.split_once('/').map(|(folder, _)| format!("{folder}/"));
            let is_folder = folder.is_some();
            let may_show = may_show
                || self.is(Wrong::ShowsHidden)
                || is_folder && self.is(Wrong::ShowsHiddenFolders)
                || listing.mode() == ListMode::Pass && keys == Keys::Exact;
            let name = folder.unwrap_or(rest);
            if may_show && !name.is_empty() && name != "/" {
                shown.insert(name, stored.bytes.len() as u64);
            }
        }
        shown
    }

    fn exists(&self, approved: &Approved<ListDirectory<'static>>) -> bool {
        let directory = &approved.operation().path;
        let listing = approved.listing();
        directory.key().is_empty()
            || self.in_directory(directory).iter().any(|(_, path, _)| {
                self.is(Wrong::CountsHidden)
                    || path.as_ref().is_some_and(|path| listing.shows_object(path))
            })
    }

    fn root(&self, approved: &Approved<ListDirectory<'static>>) -> BTreeMap<String, u64> {
        let buckets = [self.bucket, "elsewhere"].map(|name| format!("{name}/"));
        let is_shown = |name: &String| {
            self.is(Wrong::ShowsBuckets)
                || approved.listing().entry(name.as_bytes(), true).is_some()
        };
        buckets.into_iter().filter(is_shown).map(|name| (name, 0)).collect()
    }
}

fn honoured<Op: Operate>(approved: &Approved<Op>) -> Result<(), ExecuteError> {
    match approved.connection().conditions() {
        Conditions::None => Err(ExecuteError::ConditionsNotHonoured),
        _ => Ok(()),
    }
}

#[async_trait]
impl Executor for Memory {
    async fn read(
        &self,
        approved: Approved<ReadObject<'static>>,
        options: ReadOptions,
    ) -> Result<Object, ExecuteError> {
        self.ask_to_read(&approved)?;
        let stored = self.get(&approved.operation().path)?;
        self.meets(&stored, &options.conditions)?;
        let (info, etag) = (stored.info(), stored.etag.clone());
        let is_other = options.if_range.is_some_and(|tag| tag != etag);
        let range = options.range.filter(|_| !is_other || self.is(Wrong::MixesVersions));
        let Some(range) = range else {
            return Ok(Object { info, range: None, body: Body::from_bytes(stored.bytes) });
        };
        let Some((first, last)) = range.of(info.size) else {
            return Err(ExecuteError::RangeNotSatisfiable { size: Some(info.size) });
        };
        let from = if self.is(Wrong::ShiftsRanges) { (first + 1).min(last) } else { first };
        let bytes = stored.bytes.slice(from as usize..=last as usize);
        Ok(Object { info, range: Some((from, last)), body: Body::from_bytes(bytes) })
    }

    async fn stat(
        &self,
        approved: Approved<StatObject<'static>>,
        conditions: ReadConditions,
    ) -> Result<ObjectInfo, ExecuteError> {
        self.ask_to_read(&approved)?;
        let stored = self.get(&approved.operation().path)?;
        self.meets(&stored, &conditions)?;
        Ok(stored.info())
    }

    async fn write(
        &self,
        approved: Approved<WriteObject<'static>>,
        upload: Upload,
    ) -> Result<pathward::executor::Stored, ExecuteError> {
        self.ask(&approved)?;
        self.may_change(&approved, &approved.operation().path, &upload.conditions)?;
        let stored = self.collect(&approved, upload).await?;
        self.ask_again(&approved)?;
        let (size, etag) = (stored.bytes.len() as u64, Some(stored.etag.clone()));
        self.objects().insert(self.key(&approved.operation().path), stored);
        Ok(pathward::executor::Stored { size, etag })
    }

    async fn create_directory(
        &self,
        approved: Approved<CreateDirectory<'static>>,
    ) -> Result<(), ExecuteError> {
        self.ask(&approved)?;
        let marker = Stored::new(Bytes::new(), Metadata::default());
        self.objects().insert(self.key(&approved.operation().path), marker);
        Ok(())
    }

    async fn delete(
        &self,
        approved: Approved<DeleteObject<'static>>,
        conditions: WriteConditions,
    ) -> Result<(), ExecuteError> {
        self.ask(&approved)?;
        self.may_change(&approved, &approved.operation().path, &conditions)?;
        match self.objects().remove(&self.key(&approved.operation().path)) {
            None if !self.is(Wrong::DeletesNothing) => Err(ExecuteError::Missing),
            _ => Ok(()),
        }
    }

    async fn delete_directory(
        &self,
        approved: Approved<DeleteDirectory<'static>>,
    ) -> Result<DirectoryDeletion, ExecuteError> {
        self.ask(&approved)?;
        let directory = &approved.operation().path;
        let mut inside = self.in_directory(directory);
        inside.retain(|(rest, path, _)| {
            let is_reached = path.as_ref().is_some_and(|path| approved.reaches(path));
            !rest.is_empty() && (is_reached || self.is(Wrong::KeepsForHidden))
        });
        if !inside.is_empty() && !self.is(Wrong::DeletesFull) {
            return Ok(DirectoryDeletion::NotEmpty);
        }
        Ok(match self.objects().remove(&self.key(directory)) {
            Some(_) => DirectoryDeletion::Deleted,
            None => DirectoryDeletion::Missing,
        })
    }

    async fn delete_tree(&self, approved: Approved<DeleteTree<'static>>) -> Result<u64, TreeError> {
        let failed = |error| TreeError { deleted: 0, error };
        self.ask(&approved).map_err(failed)?;
        let directory = self.key(&approved.operation().path);
        let is_named =
            |key: &[u8]| Path::from_vec(key.to_vec()).is_ok_and(|path| approved.deletes(&path));
        let mut objects = self.objects();
        let beside = self.is(Wrong::DeletesBeside);
        let start = if beside { &directory[..directory.len() - 1] } else { &directory[..] };
        let mut keys: Vec<_> =
            objects.keys().filter(|key| key.starts_with(start)).cloned().collect();
        if self.is(Wrong::DeletesPartly) {
            keys.retain(|key| is_named(key));
        }
        if !beside && keys.iter().any(|key| !is_named(key)) {
            return Err(failed(ExecuteError::Unnamable));
        }
        keys.iter().for_each(|key| drop(objects.remove(key)));
        Ok(keys.len() as u64)
    }

    async fn delete_many(
        &self,
        approved: Approved<DeleteObjects<'static>>,
    ) -> Vec<Result<(), ExecuteError>> {
        let paths = &approved.operation().paths;
        let delete = |path| {
            self.ask(&approved)?;
            let gone = self.objects().remove(&self.key(path));
            match gone {
                None if self.is(Wrong::SortsResults) => Err(ExecuteError::Missing),
                _ => Ok(()),
            }
        };
        let mut results: Vec<_> = paths.iter().map(delete).collect();
        if self.is(Wrong::SortsResults) {
            results.sort_by_key(Result::is_err);
        }
        results
    }

    async fn copy(
        &self,
        approved: Approved<CopyObject<'static>>,
        options: CopyOptions,
    ) -> Result<Made, ExecuteError> {
        self.ask(&approved)?;
        let CopyObject { source, destination } = approved.operation();
        let wrongs = [Wrong::CopiesAlways, Wrong::TrustsServersToCopy];
        let stored = match self.source(&approved, source, &options.conditions, wrongs) {
            Err(ExecuteError::Missing) if self.is(Wrong::CopiesNothing) => {
                Stored::new(Bytes::new(), Metadata::default())
            }
            stored => stored?,
        };
        let metadata = match options.metadata.filter(|_| !self.is(Wrong::ForgetsToReplace)) {
            None if self.is(Wrong::CopiesBytesAlone) => Metadata::default(),
            None => stored.metadata,
            Some(metadata) => metadata,
        };
        let etag = Some(stored.etag.clone());
        self.objects().insert(self.key(destination), Stored { metadata, ..stored });
        Ok(Made { etag, last_modified: None })
    }

    async fn list(
        &self,
        approved: Approved<ListDirectory<'static>>,
        page: PageRequest,
    ) -> Result<DirectoryPage, ExecuteError> {
        self.ask_to_read(&approved)?;
        let is_root = approved.operation().path.is_root();
        let entries = if is_root { self.root(&approved) } else { self.shown(&approved) };
        let is_wanted = |(name, _): &(String, u64)| match page.want {
            Want::All => true,
            Want::Folders => name.ends_with('/'),
            Want::Files => !name.ends_with('/'),
        };
        let follows =
            |(name, _): &(String, u64)| match (page.after.as_deref(), self.is(Wrong::ShowsTwice)) {
                (None, _) => true,
                (Some(after), true) => name.as_str() >= after,
                (Some(after), false) => name.as_str() > after,
            };
        let mut entries: Vec<_> = entries.into_iter().filter(is_wanted).filter(follows).collect();
        let limit = page.limit + usize::from(self.is(Wrong::ShowsTwice));
        let is_more = page.limit > 0 && entries.len() > limit;
        entries.truncate(page.limit);
        let next = entries.last().filter(|_| is_more).map(|(name, _)| name.as_str().into());
        if is_more && self.is(Wrong::LosesOne) {
            entries.pop();
        }
        let mut shown = DirectoryPage {
            exists: is_root || self.exists(&approved),
            next,
            ..DirectoryPage::default()
        };
        for (name, size) in entries {
            match name.strip_suffix('/') {
                Some(folder) => shown.folders.push(folder.to_owned()),
                None => shown.files.push(FileEntry { name, size, last_modified: None }),
            }
        }
        Ok(shown)
    }

    async fn list_prefix(
        &self,
        approved: Approved<ListPrefix<'static>>,
        page: PrefixRequest,
    ) -> Result<PrefixPage, ExecuteError> {
        self.offered()?;
        self.prefix(&approved, &page)
    }

    async fn create_upload(
        &self,
        approved: Approved<CreateUpload<'static>>,
        metadata: Metadata,
    ) -> Result<UploadId, ExecuteError> {
        self.offered()?;
        self.create(&approved, metadata)
    }

    async fn upload_part(
        &self,
        approved: Approved<UploadPart<'static>>,
        upload: &UploadId,
        part: PartUpload,
    ) -> Result<pathward::executor::Stored, ExecuteError> {
        self.offered()?;
        self.take_part(&approved, upload, part).await
    }

    async fn copy_part(
        &self,
        approved: Approved<CopyPart<'static>>,
        upload: &UploadId,
        part: PartCopy,
    ) -> Result<Made, ExecuteError> {
        self.offered()?;
        self.part_of(&approved, upload, &part)
    }

    async fn list_parts(
        &self,
        approved: Approved<ListParts<'static>>,
        upload: &UploadId,
        after: Option<PartNumber>,
        limit: usize,
    ) -> Result<PartsPage, ExecuteError> {
        self.offered()?;
        self.parts(&approved, upload, after, limit)
    }

    async fn complete_upload(
        &self,
        approved: Approved<CompleteUpload<'static>>,
        upload: &UploadId,
        parts: Vec<Part>,
        conditions: WriteConditions,
    ) -> Result<Made, ExecuteError> {
        self.offered()?;
        self.complete(&approved, upload, &parts, &conditions)
    }

    async fn abort_upload(
        &self,
        approved: Approved<AbortUpload<'static>>,
        upload: &UploadId,
    ) -> Result<(), ExecuteError> {
        self.offered()?;
        self.abort(&approved, upload)
    }

    async fn list_uploads(
        &self,
        approved: Approved<ListUploads<'static>>,
        after: Option<UploadsMark>,
        limit: usize,
    ) -> Result<UploadsPage, ExecuteError> {
        self.offered()?;
        self.unfinished(&approved, after.as_ref(), limit)
    }
}
