//! Writing an object, whole or not at all.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, header::ETAG};

use super::{
    S3, S3Options, answer::Kind, client::Client, head::Head, keys, multipart, request::Request,
    room::OwnRoom, source::Source, standing::Standing,
};
use crate::{
    engine::{Approved, WriteObject},
    executor::{ExecuteError, Metadata, Stored, Upload, WriteConditions},
    policy::{self, Connection},
};

/// Up to here a body is collected before it is sent, so that it can be sent again.
pub(super) const COLLECTED: u64 = 128 << 10;
/// Up to here a body of unknown length is held without asking for room: no more of them than requests run
/// at once.
const SMALL: usize = 128 << 10;
/// The largest object, or part, that one request can store.
pub(super) const MAX_PUT: u64 = 5 << 30;

/// Where an object goes, and what is known of it.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) client: Client,
    pub(super) options: S3Options,
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) metadata: Arc<Metadata>,
    pub(super) conditions: WriteConditions,
    /// The owner's room for parts.
    pub(super) room: OwnRoom,
    /// Whether it may still be stored.
    pub(super) standing: Standing,
    /// Counted, so that it can be waited for.
    _upload: Arc<()>,
}

pub(super) async fn write(
    s3: &S3,
    approved: &Arc<Approved<WriteObject<'static>>>,
    upload: Upload,
) -> Result<Stored, ExecuteError> {
    let (bucket, key) = keys::object(&approved.operation().path)?;
    let Upload { body, length, metadata, conditions, checksums } = upload;
    honoured(approved.connection(), conditions.are_any())?;
    let standing = Standing::of(approved);
    let source = Source::new(body, checksums, standing.clone());
    let target = Target::new(s3, approved.connection(), standing, bucket, key).await?;
    let target = Target { metadata: Arc::new(metadata), conditions, ..target };
    let Some(length) = length else {
        return unknown_length(target, &source).await;
    };
    match length {
        length if length <= COLLECTED => target.put(source.collect_all(length).await?).await,
        length if length <= MAX_PUT => target.put_streamed(&source, length).await,
        length if length <= multipart::MAX_OBJECT => {
            multipart::known(target, &source, length).await
        }
        _ => Err(ExecuteError::TooLarge),
    }
}

/// Refuses conditions, if there are any, that the connection's server is not known to honour: ignored, they would
/// overwrite what they are there to keep.
pub(super) fn honoured(connection: &Connection, are_any: bool) -> Result<(), ExecuteError> {
    match are_any && connection.conditions() == policy::Conditions::None {
        true => Err(ExecuteError::ConditionsNotHonoured),
        false => Ok(()),
    }
}

/// One request if the body ends within the first part, else an upload in parts.
async fn unknown_length(target: Target, source: &Source) -> Result<Stored, ExecuteError> {
    let small = source.collect(SMALL).await?;
    if source.is_at_end().await? {
        return target.put(small).await;
    }
    let mut held = target.room.part(&target.options);
    let first = source.collect_part(small, multipart::FIRST_PART, &mut held).await?;
    match source.is_at_end().await? {
        true => target.put(first).await,
        false => multipart::unknown(target, source, first, held).await,
    }
}

impl Target {
    /// For an object with nothing beside its bytes, whatever is there.
    pub(super) async fn new(
        s3: &S3,
        connection: &Connection,
        standing: Standing,
        bucket: &str,
        key: &str,
    ) -> Result<Self, ExecuteError> {
        Ok(Self {
            client: s3.clients.get(connection).await?,
            options: *s3.clients.options(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            metadata: Arc::default(),
            conditions: WriteConditions::default(),
            room: s3.clients.share(connection).room().clone(),
            standing,
            _upload: Arc::clone(&s3.uploads),
        })
    }

    /// A request for the object, in the name of its approval.
    pub(super) fn request(&self, method: Method, kind: Kind) -> Request {
        Request::new(method, &self.bucket, &self.key, kind).while_stands(&self.standing)
    }

    /// The request for the whole object, without its body.
    fn object(&self) -> Result<Request, ExecuteError> {
        self.request(Method::PUT, Kind::Nothing).metadata(&self.metadata)?.on(&self.conditions)
    }

    /// Stores these bytes; sent again where that helps.
    pub(super) async fn put(self, bytes: Bytes) -> Result<Stored, ExecuteError> {
        let size = bytes.len() as u64;
        let request = self.object()?.bytes(bytes);
        // What is small is done soon or not at all; the rest may need its time.
        let request = if size <= COLLECTED { request } else { request.long() };
        let head = self.client.head(request).await?;
        Ok(Stored { size, etag: head.text(&ETAG).map(ToOwned::to_owned) })
    }

    /// Sends a request that takes its body from a caller, for as long as something moves.
    pub(super) async fn streamed(
        &self,
        source: &Source,
        request: Request,
    ) -> Result<Head, ExecuteError> {
        let sent = source.watch(self.options.stall_timeout, self.client.head(request)).await?;
        sent.map_err(|error| source.failure().unwrap_or(error))
    }

    /// Stores a body as it comes, in one request.
    async fn put_streamed(self, source: &Source, size: u64) -> Result<Stored, ExecuteError> {
        let request = self.object()?.stream(source.window(size, true));
        let head = self.streamed(source, request).await?;
        Ok(Stored { size, etag: head.text(&ETAG).map(ToOwned::to_owned) })
    }
}
