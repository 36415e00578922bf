//! Uploads in parts, as a view has them.

use std::pin::Pin;

use bytes::Bytes;

use super::{
    super::report::{done, same, within},
    MAX_PAGES, View,
};
use crate::{
    engine::{
        AbortUpload, CompleteUpload, CopyPart, CreateUpload, ListParts, ListUploads, UploadPart,
    },
    executor::{
        Body, Checksum, ExecuteError, Made, Metadata, Part, PartCopy, PartInfo, PartNumber,
        PartUpload, PartsPage, ReadConditions, Stored, UploadId, UploadsPage, WriteConditions,
    },
};

/// A part that is being stored.
type Storing<'s> = Pin<Box<dyn Future<Output = Result<Stored, ExecuteError>> + Send + 's>>;

/// What became of something, unless it took too long or could not be asked.
type Became<T> = Result<Result<T, ExecuteError>, String>;

/// The number of a part of a check.
pub(in super::super) fn number(number: u16) -> Result<PartNumber, String> {
    PartNumber::new(number).ok_or_else(|| format!("{number} is no part's number"))
}

/// A part on its way, whole.
pub(in super::super) fn part(at: u16, bytes: Bytes) -> Result<PartUpload, String> {
    let (length, body) = (bytes.len() as u64, Body::from_bytes(bytes));
    Ok(PartUpload { number: number(at)?, body, length, checksums: Vec::<Checksum>::new() })
}

impl View<'_> {
    pub(in super::super) async fn create_upload(
        &self,
        path: &str,
        metadata: Metadata,
    ) -> Became<UploadId> {
        let approved = self.approve(CreateUpload { path: self.path(path)? })?;
        within(path, self.executor.create_upload(approved, metadata)).await
    }

    /// Begins an upload that has to begin.
    pub(in super::super) async fn begun(&self, path: &str) -> Result<UploadId, String> {
        let what = format!("begin an upload of {path}");
        done(&what, self.create_upload(path, Metadata::default()).await?)
    }

    pub(in super::super) async fn upload_part(
        &self,
        path: &str,
        id: &UploadId,
        part: PartUpload,
    ) -> Became<Stored> {
        within(path, self.begin_part(path, id, part)?).await
    }

    /// A part that comes for as long as it takes.
    pub(in super::super) fn begin_part<'s>(
        &'s self,
        path: &str,
        id: &'s UploadId,
        part: PartUpload,
    ) -> Result<Storing<'s>, String> {
        let approved = self.approve(UploadPart { path: self.path(path)? })?;
        Ok(self.executor.upload_part(approved, id, part))
    }

    /// Stores a part that has to be stored, and says what it is called for completing.
    pub(in super::super) async fn stored_part(
        &self,
        path: &str,
        id: &UploadId,
        at: u16,
        bytes: &Bytes,
    ) -> Result<Part, String> {
        let what = format!("part {at} of {path}");
        let stored = done(&what, self.upload_part(path, id, part(at, bytes.clone())?).await?)?;
        same(&format!("{what}, its size"), &stored.size, &(bytes.len() as u64))?;
        let etag = stored.etag.ok_or_else(|| format!("{what} has no entity tag"))?;
        Ok(Part { number: number(at)?, etag: etag.into() })
    }

    pub(in super::super) async fn copy_part(
        &self,
        from: &str,
        to: &str,
        id: &UploadId,
        part: PartCopy,
    ) -> Became<Made> {
        let copy = CopyPart { source: self.path(from)?, destination: self.path(to)? };
        let approved = self.approve(copy)?;
        within(to, self.executor.copy_part(approved, id, part)).await
    }

    /// A part that has to be copied, and what it is called for completing.
    pub(in super::super) async fn copied_part(
        &self,
        from: &str,
        to: &str,
        id: &UploadId,
        at: u16,
        range: Option<(u64, u64)>,
    ) -> Result<Part, String> {
        let number = number(at)?;
        let what = format!("part {at} of {to}, copied from {range:?} of {from}");
        let copy = PartCopy { number, range, conditions: ReadConditions::default() };
        let made = done(&what, self.copy_part(from, to, id, copy).await?)?;
        let etag = made.etag.ok_or_else(|| format!("{what} has no entity tag"))?;
        Ok(Part { number, etag: etag.into() })
    }

    async fn parts_page(
        &self,
        path: &str,
        id: &UploadId,
        after: Option<PartNumber>,
        limit: usize,
    ) -> Became<PartsPage> {
        let approved = self.approve(ListParts { path: self.path(path)? })?;
        within(path, self.executor.list_parts(approved, id, after, limit)).await
    }

    /// All pages of the parts of an upload. Fails where a page has more than was asked for, or they do not end.
    pub(in super::super) async fn parts(
        &self,
        path: &str,
        id: &UploadId,
        limit: usize,
    ) -> Became<Vec<PartInfo>> {
        let (mut parts, mut after) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let page = match self.parts_page(path, id, after, limit).await? {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            let count = page.parts.len();
            if count > limit {
                return Err(format!("the parts of {path}: {count} in a page of {limit}"));
            }
            parts.extend(page.parts);
            if page.next.is_none() {
                return Ok(Ok(parts));
            }
            after = page.next;
        }
        Err(format!("the parts of {path} do not end in {MAX_PAGES} pages of {limit}"))
    }

    pub(in super::super) async fn complete_on(
        &self,
        path: &str,
        id: &UploadId,
        parts: &[Part],
        conditions: WriteConditions,
    ) -> Became<Made> {
        let approved = self.approve(CompleteUpload { path: self.path(path)? })?;
        within(path, self.executor.complete_upload(approved, id, parts.to_vec(), conditions)).await
    }

    pub(in super::super) async fn complete(
        &self,
        path: &str,
        id: &UploadId,
        parts: &[Part],
    ) -> Became<Made> {
        self.complete_on(path, id, parts, WriteConditions::default()).await
    }

    pub(in super::super) async fn abort(&self, path: &str, id: &UploadId) -> Became<()> {
        let approved = self.approve(AbortUpload { path: self.path(path)? })?;
        within(path, self.executor.abort_upload(approved, id)).await
    }

    /// All pages of the uploads of paths that start with a prefix and have not ended: their paths, and what the
    /// server calls them. Fails where a page has more than was asked for, or they do not end.
    pub(in super::super) async fn uploads(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Became<Vec<(String, UploadId)>> {
        let (mut uploads, mut after) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let approved = self.approve(ListUploads { path: self.path(prefix)? })?;
            let page = within(prefix, self.executor.list_uploads(approved, after, limit)).await?;
            let UploadsPage { uploads: some, next } = match page {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            if some.len() > limit {
                return Err(format!("uploads of {prefix}: {} in a page of {limit}", some.len()));
            }
            for upload in some {
                uploads.push((self.shortened(&upload.key)?, upload.id));
            }
            if next.is_none() {
                return Ok(Ok(uploads));
            }
            after = next;
        }
        Err(format!("uploads of {prefix} do not end in {MAX_PAGES} pages of {limit}"))
    }

    /// Ends the uploads that a check has left. What does not work here is for the checks to say.
    pub(in super::super) async fn abort_all(&self) {
        let left = self.uploads("@/", 1_000).await;
        for (path, id) in left.into_iter().flatten().flatten() {
            let _ = self.abort(&path, &id).await;
        }
    }
}
