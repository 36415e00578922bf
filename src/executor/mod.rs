//! Approved operations, run on S3.
//!
//! An [`Executor`] takes [`Approved`] operations by value and nothing else: what was not decided
//! cannot be run, and what was decided runs once. [`S3`] is the one for S3 and for servers that
//! speak its protocol.
//!
//! Keys go out byte for byte as they were decided on. Errors are [`ExecuteError`]s, which hold
//! nothing that the server sent but its error's code.

mod body;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod object;
mod page;
mod probe;
mod s3;

use async_trait::async_trait;

pub(crate) use self::{
    body::Held,
    object::{USER, number},
};
pub use self::{
    body::{Body, BodyError, Upload},
    error::{ExecuteError, TreeError},
    object::{
        ByteRange, Met, Metadata, Object, ObjectInfo, ReadConditions, ReadOptions, Stored,
        WriteConditions,
    },
    page::{DirectoryPage, FileEntry, PageRequest, Want},
    probe::{Alias, Conditional, Heed, ProbeError, ProbeReport, Treatment, probe},
    s3::{S3, S3Options},
};
use crate::engine::{
    Approved, CopyObject, CreateDirectory, DeleteDirectory, DeleteObject, DeleteObjects,
    DeleteTree, ListDirectory, ReadObject, StatObject, WriteObject,
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

    /// Copies an object within the connection.
    async fn copy(&self, approved: Approved<CopyObject<'static>>) -> Result<(), ExecuteError>;

    /// One page of a directory: what may be shown of it and nothing else.
    async fn list(
        &self,
        approved: Approved<ListDirectory<'static>>,
        page: PageRequest,
    ) -> Result<DirectoryPage, ExecuteError>;

    /// Waits until no upload runs, and what is left of those that were dropped is taken back. For
    /// whoever is about to end the runtime, with which that would end.
    async fn settle(&self) {}
}
