//! S3: requests of our own, signed by `aws-sigv4`, with credentials from where `aws-config` finds them. No other
//! module names the crates of the AWS SDK.
//!
//! | module | |
//! |---|---|
//! | `options`, `credentials`, `clients`, `client`, `request`, `sign`, `head`, `http`, `lookup`, `resolve`, `fault`, `error` | how servers are spoken to |
//! | `share`, `room`, `sockets`, `answer`, `xml`, `slices` | what an owner, and a server, may take |
//! | `keys` | how keys go out and come back |
//! | `read`, `source`, `write`, `multipart` | bytes in either direction |
//! | `standing`, `asking` | that approvals age |
//! | `pages`, `list`, `scan`, `filling`, `cut`, `root`, `prefix` | what is there, and what of it is shown |
//! | `delete`, `directory`, `copy` | what goes, and what is made of what is there |
//! | `parts`, `uploads` | uploads in parts, as their callers have them |

mod answer;
mod asking;
mod client;
mod clients;
mod copy;
mod credentials;
mod cut;
mod delete;
mod directory;
mod error;
mod fault;
mod filling;
mod head;
mod http;
mod keys;
mod list;
mod lookup;
mod multipart;
mod options;
mod pages;
mod parts;
mod prefix;
mod read;
mod request;
mod resolve;
mod room;
mod root;
mod scan;
mod share;
mod sign;
mod slices;
mod sockets;
mod source;
mod standing;
mod uploads;
mod write;
mod xml;

use std::{sync::Arc, time::Duration};

use self::clients::Clients;
pub use self::options::S3Options;
use super::{
    CopyOptions, DirectoryDeletion, DirectoryPage, ExecuteError, Executor, Made, Metadata, Object,
    ObjectInfo, PageRequest, Part, PartCopy, PartNumber, PartUpload, PartsPage, PrefixPage,
    PrefixRequest, ReadConditions, ReadOptions, Stored, TreeError, Unseal, Upload, UploadId,
    UploadsMark, UploadsPage, WriteConditions,
};
use crate::{
    engine::{
        AbortUpload, Approved, CompleteUpload, CopyObject, CopyPart, CreateDirectory, CreateUpload,
        DeleteDirectory, DeleteObject, DeleteObjects, DeleteTree, ListDirectory, ListParts,
        ListPrefix, ListUploads, ReadObject, StatObject, UploadPart, WriteObject,
    },
    policy::{Policy, PrivateEndpoints},
};
use async_trait::async_trait;

/// Runs approved operations on S3 and on servers that speak its protocol.
///
/// Has one client for each endpoint, region and reference to credentials, made when it is first
/// needed and kept. Credentials are read then; `Debug` shows how many clients there are.
#[derive(Debug)]
pub struct S3 {
    clients: Clients,
    /// As many as there are uploads, those that are being aborted among them, and one.
    uploads: Arc<()>,
}

impl S3 {
    /// With these waiting times.
    pub fn new(options: S3Options) -> Self {
        Self { clients: Clients::new(options), uploads: Arc::default() }
    }

    /// Opens sealed credentials by this. Each is opened when it is first needed, and stays so for as
    /// long as its client is kept.
    #[must_use]
    pub fn unseal_by(mut self, unseal: Arc<dyn Unseal>) -> Self {
        self.clients.unseal_by(unseal);
        self
    }

    /// Reaches no private address but at these endpoints, whatever a connection says: neither where it
    /// is written, nor where a name leads there. AWS itself, of connections without an endpoint, may be
    /// in a private network.
    #[must_use]
    pub fn private_endpoints(mut self, allowed: PrivateEndpoints) -> Self {
        self.clients.private_endpoints(allowed);
        self
    }

    /// Forgets the clients, and with them the credentials, that no connection of this policy names.
    /// Operations that run go on.
    pub fn retain(&self, policy: &Policy) {
        self.clients.retain(policy);
    }
}

impl Default for S3 {
    fn default() -> Self {
        Self::new(S3Options::default())
    }
}

#[async_trait]
impl Executor for S3 {
    async fn read(
        &self,
        approved: Approved<ReadObject<'static>>,
        options: ReadOptions,
    ) -> Result<Object, ExecuteError> {
        read::read(self, &Arc::new(approved), options).await
    }

    async fn stat(
        &self,
        approved: Approved<StatObject<'static>>,
        conditions: ReadConditions,
    ) -> Result<ObjectInfo, ExecuteError> {
        read::stat(self, &Arc::new(approved), &conditions).await
    }

    async fn write(
        &self,
        approved: Approved<WriteObject<'static>>,
        upload: Upload,
    ) -> Result<Stored, ExecuteError> {
        write::write(self, &Arc::new(approved), upload).await
    }

    async fn create_directory(
        &self,
        approved: Approved<CreateDirectory<'static>>,
    ) -> Result<(), ExecuteError> {
        directory::create(self, &Arc::new(approved)).await
    }

    async fn delete(
        &self,
        approved: Approved<DeleteObject<'static>>,
        conditions: WriteConditions,
    ) -> Result<(), ExecuteError> {
        delete::delete(self, &Arc::new(approved), &conditions).await
    }

    async fn delete_directory(
        &self,
        approved: Approved<DeleteDirectory<'static>>,
    ) -> Result<DirectoryDeletion, ExecuteError> {
        directory::delete(self, &Arc::new(approved)).await
    }

    async fn delete_tree(&self, approved: Approved<DeleteTree<'static>>) -> Result<u64, TreeError> {
        directory::delete_tree(self, &Arc::new(approved)).await
    }

    async fn delete_many(
        &self,
        approved: Approved<DeleteObjects<'static>>,
    ) -> Vec<Result<(), ExecuteError>> {
        delete::delete_many(self, &Arc::new(approved)).await
    }

    async fn copy(
        &self,
        approved: Approved<CopyObject<'static>>,
        options: CopyOptions,
    ) -> Result<Made, ExecuteError> {
        copy::copy(self, &Arc::new(approved), options).await
    }

    async fn list(
        &self,
        approved: Approved<ListDirectory<'static>>,
        page: PageRequest,
    ) -> Result<DirectoryPage, ExecuteError> {
        list::list(self, &Arc::new(approved), page).await
    }

    async fn list_prefix(
        &self,
        approved: Approved<ListPrefix<'static>>,
        page: PrefixRequest,
    ) -> Result<PrefixPage, ExecuteError> {
        prefix::list(self, &Arc::new(approved), &page).await
    }

    async fn create_upload(
        &self,
        approved: Approved<CreateUpload<'static>>,
        metadata: Metadata,
    ) -> Result<UploadId, ExecuteError> {
        parts::create(self, &Arc::new(approved), metadata).await
    }

    async fn upload_part(
        &self,
        approved: Approved<UploadPart<'static>>,
        upload: &UploadId,
        part: PartUpload,
    ) -> Result<Stored, ExecuteError> {
        parts::upload(self, &Arc::new(approved), upload, part).await
    }

    async fn copy_part(
        &self,
        approved: Approved<CopyPart<'static>>,
        upload: &UploadId,
        part: PartCopy,
    ) -> Result<Made, ExecuteError> {
        parts::copy(self, &Arc::new(approved), upload, part).await
    }

    async fn list_parts(
        &self,
        approved: Approved<ListParts<'static>>,
        upload: &UploadId,
        after: Option<PartNumber>,
        limit: usize,
    ) -> Result<PartsPage, ExecuteError> {
        parts::list(self, &Arc::new(approved), upload, after, limit).await
    }

    async fn complete_upload(
        &self,
        approved: Approved<CompleteUpload<'static>>,
        upload: &UploadId,
        parts: Vec<Part>,
        conditions: WriteConditions,
    ) -> Result<Made, ExecuteError> {
        parts::complete(self, &Arc::new(approved), upload, parts, conditions).await
    }

    async fn abort_upload(
        &self,
        approved: Approved<AbortUpload<'static>>,
        upload: &UploadId,
    ) -> Result<(), ExecuteError> {
        parts::abort(self, &Arc::new(approved), upload).await
    }

    async fn list_uploads(
        &self,
        approved: Approved<ListUploads<'static>>,
        after: Option<UploadsMark>,
        limit: usize,
    ) -> Result<UploadsPage, ExecuteError> {
        uploads::list(self, &Arc::new(approved), after, limit).await
    }

    async fn settle(&self) {
        while Arc::strong_count(&self.uploads) > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
