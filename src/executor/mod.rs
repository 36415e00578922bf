//! Approved operations, run on S3.
//!
//! An [`Executor`] takes [`Approved`] operations by value and nothing else: what was not decided
//! cannot be run, and what was decided runs once. [`S3`] is the one for S3 and for servers that
//! speak its protocol.
//!
//! Keys go out byte for byte as they were decided on. Errors are [`ExecuteError`]s, which hold
//! nothing that the server sent but its error's code.

mod body;
mod checksum;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod object;
mod page;
mod parts;
mod prefix;
mod probe;
mod s3;

use async_trait::async_trait;

pub(crate) use self::{
    body::Held,
    object::{USER, number},
};
pub use self::{
    body::{Body, BodyError, Upload},
    checksum::{Algorithm, Checksum, Sum},
    error::{ExecuteError, InvalidParts, TreeError},
    object::{
        ByteRange, Met, Metadata, Object, ObjectInfo, ReadConditions, ReadOptions, Stored,
        WriteConditions,
    },
    page::{DirectoryPage, FileEntry, PageRequest, Want},
    parts::{
        CopyOptions, Made, Part, PartCopy, PartInfo, PartNumber, PartUpload, PartsPage,
        UnfinishedUpload, UploadId, UploadsMark, UploadsPage,
    },
    prefix::{Continuation, ListedObject, PrefixEntry, PrefixPage, PrefixRequest, PrefixStart},
    probe::{Alias, Conditional, Heed, ProbeError, ProbeReport, Treatment, probe},
    s3::{S3, S3Options},
};
use crate::engine::{
    AbortUpload, Approved, CompleteUpload, CopyObject, CopyPart, CreateDirectory, CreateUpload,
    DeleteDirectory, DeleteObject, DeleteObjects, DeleteTree, ListDirectory, ListParts, ListPrefix,
    ListUploads, ReadObject, StatObject, UploadPart, WriteObject,
};
pub use crate::policy::{Opened, PrivateEndpoints, Unseal, UnsealError};

/// What became of the deletion of a directory that should be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryDeletion {
    /// Its marker was deleted.
    Deleted,
    /// There is no such directory.
    Missing,
    /// There is something in it that the connection can reach.
    NotEmpty,
}

/// Runs approved operations.
///
/// Object safe, so that a gateway can be given any; futures are `Send` and may be dropped at any
/// time: an upload that is dropped leaves no object and no parts behind.
///
/// Methods that have a body, and say [`NotOffered`](ExecuteError::NotOffered), are what the protocol of S3 has beside
/// what the Data API needs: an executor may leave them out, and is then none for a door of S3.
///
/// # Errors
///
/// Every method fails with [`ExecuteError`]: [`Missing`](ExecuteError::Missing) where the object,
/// directory or bucket is not there, else with what went wrong between us and the server.
#[async_trait]
pub trait Executor: Send + Sync + std::fmt::Debug + 'static {
    /// The object's bytes, or some of them. [`NotModified`](ExecuteError::NotModified) and
    /// [`PreconditionFailed`](ExecuteError::PreconditionFailed) where a condition is not met, and
    /// [`RangeNotSatisfiable`](ExecuteError::RangeNotSatisfiable) where it has none of the bytes. A server that
    /// knows no ranges gives all of them.
    async fn read(
        &self,
        approved: Approved<ReadObject<'static>>,
        options: ReadOptions,
    ) -> Result<Object, ExecuteError>;

    /// What the object is, without its bytes; and the errors of conditions, as reading has them.
    async fn stat(
        &self,
        approved: Approved<StatObject<'static>>,
        conditions: ReadConditions,
    ) -> Result<ObjectInfo, ExecuteError>;

    /// Stores an object, whole or not at all. Conditions are held to by the server, in one step with storing;
    /// over one that does not honour them they are
    /// [`ConditionsNotHonoured`](ExecuteError::ConditionsNotHonoured).
    async fn write(
        &self,
        approved: Approved<WriteObject<'static>>,
        upload: Upload,
    ) -> Result<Stored, ExecuteError>;

    /// Stores a directory's marker, an empty object.
    async fn create_directory(
        &self,
        approved: Approved<CreateDirectory<'static>>,
    ) -> Result<(), ExecuteError>;

    /// Deletes an object; [`Missing`](ExecuteError::Missing) when it was not there. Conditions are those of
    /// writing.
    async fn delete(
        &self,
        approved: Approved<DeleteObject<'static>>,
        conditions: WriteConditions,
    ) -> Result<(), ExecuteError>;

    /// Deletes a directory's marker if nothing that the connection can reach is in the directory.
    async fn delete_directory(
        &self,
        approved: Approved<DeleteDirectory<'static>>,
    ) -> Result<DirectoryDeletion, ExecuteError>;

    /// Deletes a directory and all in it. Returns how many objects went, its marker included:
    /// none when there was no such directory.
    async fn delete_tree(&self, approved: Approved<DeleteTree<'static>>) -> Result<u64, TreeError>;

    /// Deletes many objects. The results are in the order of the paths; an object that was not
    /// there counts as deleted.
    async fn delete_many(
        &self,
        approved: Approved<DeleteObjects<'static>>,
    ) -> Vec<Result<(), ExecuteError>>;

    /// Copies an object within the connection, with what is kept with it or with something else. Conditions are
    /// held to by the server; over one that does not honour any they are
    /// [`ConditionsNotHonoured`](ExecuteError::ConditionsNotHonoured).
    async fn copy(
        &self,
        approved: Approved<CopyObject<'static>>,
        options: CopyOptions,
    ) -> Result<Made, ExecuteError>;

    /// One page of a directory: what may be shown of it and nothing else.
    async fn list(
        &self,
        approved: Approved<ListDirectory<'static>>,
        page: PageRequest,
    ) -> Result<DirectoryPage, ExecuteError>;

    /// One page of what starts with a prefix: what may be shown of it and nothing else.
    async fn list_prefix(
        &self,
        approved: Approved<ListPrefix<'static>>,
        page: PrefixRequest,
    ) -> Result<PrefixPage, ExecuteError> {
        drop((approved, page));
        Err(ExecuteError::NotOffered)
    }

    /// Begins an upload in parts, with what is to be kept with its object. One that is dropped before it has a name
    /// is taken back; any other stays until it is completed or aborted.
    async fn create_upload(
        &self,
        approved: Approved<CreateUpload<'static>>,
        metadata: Metadata,
    ) -> Result<UploadId, ExecuteError> {
        drop((approved, metadata));
        Err(ExecuteError::NotOffered)
    }

    /// Stores a part, whole or not at all. Of this and whatever else is asked of an upload:
    /// [`NoSuchUpload`](ExecuteError::NoSuchUpload) where it is none of this path.
    async fn upload_part(
        &self,
        approved: Approved<UploadPart<'static>>,
        upload: &UploadId,
        part: PartUpload,
    ) -> Result<Stored, ExecuteError> {
        drop((approved, upload, part));
        Err(ExecuteError::NotOffered)
    }

    /// Stores a part that is a copy of an object, or of some of it. Conditions are those of copying.
    async fn copy_part(
        &self,
        approved: Approved<CopyPart<'static>>,
        upload: &UploadId,
        part: PartCopy,
    ) -> Result<Made, ExecuteError> {
        drop((approved, upload, part));
        Err(ExecuteError::NotOffered)
    }

    /// The parts that are there, behind a number if one is given; a thousand at most.
    async fn list_parts(
        &self,
        approved: Approved<ListParts<'static>>,
        upload: &UploadId,
        after: Option<PartNumber>,
        limit: usize,
    ) -> Result<PartsPage, ExecuteError> {
        drop((approved, upload, after, limit));
        Err(ExecuteError::NotOffered)
    }

    /// Makes an object of these parts, in one step: [`InvalidParts`](ExecuteError::InvalidParts) where that cannot be,
    /// and then the upload is what it was. Conditions are those of writing.
    async fn complete_upload(
        &self,
        approved: Approved<CompleteUpload<'static>>,
        upload: &UploadId,
        parts: Vec<Part>,
        conditions: WriteConditions,
    ) -> Result<Made, ExecuteError> {
        drop((approved, upload, parts, conditions));
        Err(ExecuteError::NotOffered)
    }

    /// Ends an upload without an object. What was stored of it goes.
    async fn abort_upload(
        &self,
        approved: Approved<AbortUpload<'static>>,
        upload: &UploadId,
    ) -> Result<(), ExecuteError> {
        drop((approved, upload));
        Err(ExecuteError::NotOffered)
    }

    /// Uploads that have not ended, of paths that start with a prefix and may be written; a thousand at most. A page
    /// may be empty and others follow.
    async fn list_uploads(
        &self,
        approved: Approved<ListUploads<'static>>,
        after: Option<UploadsMark>,
        limit: usize,
    ) -> Result<UploadsPage, ExecuteError> {
        drop((approved, after, limit));
        Err(ExecuteError::NotOffered)
    }

    /// Waits until no upload runs, and what is left of those that were dropped is taken back. For
    /// whoever is about to end the runtime, with which that would end.
    async fn settle(&self) {}
}
