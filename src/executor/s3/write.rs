//! Writing an object, whole or not at all.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, header::CONTENT_TYPE};

use super::{
    S3, S3Options, answer::Kind, client::Client, keys, multipart, request::Request, room::OwnRoom,
    source::Source, standing::Standing,
};
use crate::{
    engine::{Approved, WriteObject},
    executor::{BodyError, ExecuteError, Upload},
    policy::Connection,
};

/// Up to here a body is collected before it is sent, so that it can be sent again.
const COLLECTED: u64 = 128 << 10;
/// Up to here a body of unknown length is held without asking for room: no more of them than requests run
/// at once.
const SMALL: usize = 128 << 10;
/// The largest object that one request can store.
const MAX_PUT: u64 = 5 << 30;

/// Where an object goes, and what is known of it.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) client: Client,
    pub(super) options: S3Options,
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) content_type: Option<String>,
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
) -> Result<u64, ExecuteError> {
    let (bucket, key) = keys::object(&approved.operation().path)?;
    let standing = Standing::of(approved);
    let source = Source::new(upload.body, standing.clone());
    let target =
        Target::new(s3, approved.connection(), standing, bucket, key, upload.content_type).await?;
    let Some(length) = upload.length else {
        return unknown_length(target, &source).await;
    };
    match length {
        length if length <= COLLECTED => {
            let limit = usize::try_from(length).unwrap_or(usize::MAX);
            let bytes = source.collect(limit).await?;
            if (bytes.len() as u64) < length {
                return Err(ExecuteError::Body(BodyError::Interrupted));
            }
            if !source.is_at_end().await? {
                return Err(ExecuteError::Body(BodyError::TooLarge { limit: length }));
            }
            target.put(bytes).await
        }
        length if length <= MAX_PUT => target.put_streamed(&source, length).await,
        length if length <= multipart::MAX_OBJECT => {
            multipart::known(target, &source, length).await
        }
        _ => Err(ExecuteError::TooLarge),
    }
}

/// One request if the body ends within the first part, else an upload in parts.
async fn unknown_length(target: Target, source: &Source) -> Result<u64, ExecuteError> {
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
    pub(super) async fn new(
        s3: &S3,
        connection: &Connection,
        standing: Standing,
        bucket: &str,
        key: &str,
        content_type: Option<String>,
    ) -> Result<Self, ExecuteError> {
        Ok(Self {
            client: s3.clients.get(connection).await?,
            options: *s3.clients.options(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            content_type,
            room: s3.clients.share(connection).room().clone(),
            standing,
            _upload: Arc::clone(&s3.uploads),
        })
    }

    /// A request for the object, in the name of its approval.
    pub(super) fn request(&self, method: Method, kind: Kind) -> Request {
        Request::new(method, &self.bucket, &self.key, kind).while_stands(&self.standing)
    }

    /// The type that the object is stored with.
    pub(super) fn content_type(&self) -> &str {
        self.content_type.as_deref().unwrap_or("application/octet-stream")
    }

    /// The request for the whole object, without its body.
    fn object(&self) -> Result<Request, ExecuteError> {
        self.request(Method::PUT, Kind::Nothing).header(CONTENT_TYPE, Some(self.content_type()))
    }

    /// Stores these bytes; sent again where that helps.
    pub(super) async fn put(self, bytes: Bytes) -> Result<u64, ExecuteError> {
        let length = bytes.len() as u64;
        let request = self.object()?.bytes(bytes);
        // What is small is done soon or not at all; the rest may need its time.
        let request = if length <= COLLECTED { request } else { request.long() };
        self.client.head(request).await?;
        Ok(length)
    }

    /// Stores a body as it comes, in one request.
    async fn put_streamed(self, source: &Source, length: u64) -> Result<u64, ExecuteError> {
        let request = self.object()?.stream(source.window(length, true));
        let sent = source.watch(self.options.stall_timeout, self.client.head(request)).await?;
        sent.map_err(|error| source.failure().unwrap_or(error))?;
        Ok(length)
    }
}
