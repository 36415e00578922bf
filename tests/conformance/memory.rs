//! An executor that keeps objects in memory, and one thing of which is wrong where that is asked for.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use pathward::{
    Access, Keys, Path,
    engine::{
        Approved, CopyObject, CreateDirectory, DeleteDirectory, DeleteObject, DeleteObjects,
        DeleteTree, ListDirectory, ListMode, Operate, ReadObject, StatObject, WriteObject,
    },
    executor::{
        Body, BodyError, Checksum, CopyOptions, DirectoryDeletion, DirectoryPage, ExecuteError,
        Executor, FileEntry, Made, Met, Metadata, Object, ObjectInfo, PageRequest, ReadConditions,
        ReadOptions, Sum, TreeError, Upload, Want, WriteConditions,
    },
    policy::Conditions,
};
use tokio::time::timeout;

/// What may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Keys are decoded once more.
    DecodesKeys,
    /// A copy of nothing is an empty object.
    CopiesNothing,
    /// What came of an upload that broke off is kept.
    KeepsTorn,
    /// An upload of another length than was said is stored.
    BelievesNoLength,
    /// The content type is not kept.
    ForgetsType,
    /// Nothing else that is said of an object is kept.
    ForgetsMore,
    /// A body of whatever checksum is stored.
    BelievesNoChecksum,
    /// Ranges begin one byte later.
    ShiftsRanges,
    /// Some bytes of whatever object is there.
    MixesVersions,
    /// What is read is read, whatever the conditions.
    ReadsAlways,
    /// What is stored is stored, whatever the conditions.
    OverwritesAlways,
    /// Conditions are taken for a server that may ignore them.
    TrustsServers,
    /// The last entry of a page comes on the next one too.
    ShowsTwice,
    /// A page's last entry is lost.
    LosesOne,
    /// Every entry is shown.
    ShowsHidden,
    /// A folder shows when something is in it, whether that may be shown or not.
    ShowsHiddenFolders,
    /// A directory is there when something is in it, whether that may be shown or not.
    CountsHidden,
    /// Names that are none are shown.
    ShowsAliases,
    /// Every bucket is shown.
    ShowsBuckets,
    /// A directory with something in it is deleted.
    DeletesFull,
    /// What is hidden keeps a directory.
    KeepsForHidden,
    /// A tree goes with what only begins with its name.
    DeletesBeside,
    /// A tree goes without what cannot be named.
    DeletesPartly,
    /// Of many, those that are there come first.
    SortsResults,
    /// Deleting what is not there succeeds.
    DeletesNothing,
    /// Approvals are for ever.
    NeverAsks,
    /// What reads and lists never asks.
    ReadsWithdrawn,
    /// Entries are shown by the connection as it was.
    ShowsHiddenSince,
    /// Approvals are asked when something begins, and never again.
    AsksOnce,
    /// Approvals are asked again when something has come.
    WaitsForBytes,
}

impl Wrong {
    /// All of them, and the check that each must fail.
    pub(crate) const ALL: [(Self, &str); 30] = [
        (Self::DecodesKeys, "keys-are-bytes"),
        (Self::CopiesNothing, "what-is-not-there-is-missing"),
        (Self::KeepsTorn, "an-upload-is-whole-or-not-at-all"),
        (Self::BelievesNoLength, "an-upload-is-whole-or-not-at-all"),
        (Self::ForgetsType, "what-is-written-is-read"),
        (Self::ForgetsMore, "what-is-said-of-it-is-kept"),
        (Self::BelievesNoChecksum, "what-is-said-of-it-is-kept"),
        (Self::ShiftsRanges, "a-range-is-what-was-asked-for"),
        (Self::MixesVersions, "a-range-is-what-was-asked-for"),
        (Self::ReadsAlways, "what-is-read-meets-its-condition"),
        (Self::OverwritesAlways, "what-is-changed-meets-its-condition"),
        (Self::TrustsServers, "what-is-changed-meets-its-condition"),
        (Self::ShowsTwice, "pages-make-the-directory"),
        (Self::LosesOne, "pages-make-the-directory"),
        (Self::ShowsHidden, "what-is-hidden-changes-no-listing"),
        (Self::ShowsHiddenFolders, "what-is-hidden-changes-no-listing"),
        (Self::CountsHidden, "what-is-hidden-changes-no-listing"),
        (Self::ShowsAliases, "names-that-are-none-are-not-shown"),
        (Self::ShowsBuckets, "the-root-shows-what-is-reached"),
        (Self::DeletesFull, "an-empty-directory-is-deleted"),
        (Self::KeepsForHidden, "what-is-hidden-changes-no-deletion"),
        (Self::DeletesBeside, "a-tree-goes-whole-and-alone"),
        (Self::DeletesPartly, "what-cannot-be-named-is-not-deleted"),
        (Self::SortsResults, "many-are-deleted-in-their-order"),
        (Self::DeletesNothing, "what-is-not-there-is-missing"),
        (Self::NeverAsks, "what-is-withdrawn-does-not-begin"),
        (Self::ReadsWithdrawn, "what-is-withdrawn-is-not-answered"),
        (Self::ShowsHiddenSince, "what-is-hidden-now-is-not-listed"),
        (Self::AsksOnce, "an-upload-that-is-withdrawn-is-not-stored"),
        (Self::WaitsForBytes, "an-upload-that-is-withdrawn-is-not-stored"),
    ];
}

#[derive(Clone, Debug)]
struct Stored {
    bytes: Bytes,
    metadata: Metadata,
}

impl Stored {
    /// Another one for other bytes.
    fn etag(&self) -> String {
        let sum = self.bytes.iter().fold(self.bytes.len(), |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
        });
        format!("\"{sum:032x}\"")
    }

    fn info(&self) -> ObjectInfo {
        ObjectInfo {
            size: self.bytes.len() as u64,
            etag: Some(self.etag()),
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
    wrong: Option<Wrong>,
}

impl Memory {
    pub(crate) fn new(bucket: &'static str, wrong: Option<Wrong>) -> Self {
        Self { bucket, objects: Mutex::default(), wrong }
    }

    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
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

    async fn collect(
        &self,
        approved: &Approved<WriteObject<'static>>,
        upload: Upload,
    ) -> Result<Stored, ExecuteError> {
        let (mut bytes, mut body) = (Vec::new(), upload.body);
        loop {
            let frame = match timeout(Duration::from_millis(100), body.frame()).await {
                Ok(frame) => frame,
                Err(_) if self.is(Wrong::WaitsForBytes) => body.frame().await,
                Err(_) => {
                    self.ask_again(approved)?;
                    continue;
                }
            };
            match frame {
                None => break,
                Some(Ok(frame)) => bytes.extend(frame.into_data().unwrap_or_default()),
                Some(Err(_)) if self.is(Wrong::KeepsTorn) => break,
                Some(Err(error)) => return Err(ExecuteError::Body(error)),
            }
        }
        let is_other = upload.length.is_some_and(|length| length != bytes.len() as u64);
        if is_other
            && self
                .wrong
                .is_none_or(|wrong| wrong != Wrong::BelievesNoLength && wrong != Wrong::KeepsTorn)
        {
            self.ask_again(approved)?;
            return Err(ExecuteError::Body(BodyError::Interrupted));
        }
        let is_other = |said: &Checksum| {
            let mut sum = Sum::new(said.algorithm());
            sum.update(&bytes);
            sum.finish() != *said
        };
        if upload.checksums.iter().any(is_other) && !self.is(Wrong::BelievesNoChecksum) {
            return Err(ExecuteError::Body(BodyError::Mismatch));
        }
        let mut metadata = upload.metadata;
        if self.is(Wrong::ForgetsType) {
            metadata.content_type = None;
        }
        if self.is(Wrong::ForgetsMore) {
            metadata = Metadata { content_type: metadata.content_type, ..Metadata::default() };
        }
        Ok(Stored { bytes: bytes.into(), metadata })
    }

    fn meets(&self, stored: &Stored, conditions: &ReadConditions) -> Result<(), ExecuteError> {
        let etag = stored.etag();
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
        let is_unsure = approved.connection().conditions() == Conditions::None;
        if conditions.are_any() && is_unsure && !self.is(Wrong::TrustsServers) {
            return Err(ExecuteError::ConditionsNotHonoured);
        }
        let there = self.get(path).ok().map(|stored| stored.etag());
        let is_met = match (&conditions.if_match, there) {
            (Some(tag), there) => there.as_ref() == Some(tag),
            (None, there) => there.is_none() || !conditions.if_none,
        };
        match is_met || self.is(Wrong::OverwritesAlways) {
            true => Ok(()),
            false => Err(ExecuteError::PreconditionFailed),
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
        let (info, etag) = (stored.info(), stored.etag());
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
        let (size, etag) = (stored.bytes.len() as u64, Some(stored.etag()));
        self.objects().insert(self.key(&approved.operation().path), stored);
        Ok(pathward::executor::Stored { size, etag })
    }

    async fn create_directory(
        &self,
        approved: Approved<CreateDirectory<'static>>,
    ) -> Result<(), ExecuteError> {
        self.ask(&approved)?;
        let marker = Stored { bytes: Bytes::new(), metadata: Metadata::default() };
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
        let stored = match self.get(source) {
            Err(_) if self.is(Wrong::CopiesNothing) => {
                Stored { bytes: Bytes::new(), metadata: Metadata::default() }
            }
            stored => stored?,
        };
        self.meets(&stored, &options.conditions)?;
        let stored = Stored { metadata: options.metadata.unwrap_or(stored.metadata), ..stored };
        let etag = Some(stored.etag());
        self.objects().insert(self.key(destination), stored);
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
}
