//! Uploads in parts. One that does not come to its end is aborted, however it ends.

use std::{
    borrow::Cow,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Method, header::ETAG};

use super::{
    answer::{Kind, Xml},
    error::senseless,
    head::Head,
    request::Request,
    room::Held,
    source::Source,
    write::Target,
    xml::{Element, escaped},
};
use crate::executor::{BodyError, ExecuteError, Stored};

const MIB: u64 = 1 << 20;
/// The largest object that S3 stores.
pub(super) const MAX_OBJECT: u64 = 5 << 40;
/// The most parts of an upload.
const MAX_PARTS: u64 = 10_000;
/// The longest id of an upload, and tag of a part, that a server may give: those that are known have some
/// two hundred and some forty bytes.
const MAX_ID: usize = 1_024;
const MAX_TAG: usize = 256;
/// What is collected before it is known whether an upload needs parts at all.
pub(super) const FIRST_PART: usize = 8 << 20;

/// How large a part of an upload of unknown length is, by its number from 1: 8 MiB at first, twice
/// that after every 1,000 parts, up to 64 MiB. This much is held in memory. All parts together have
/// 504,000 MiB, which is the largest object of unknown length.
fn part_size(number: u64) -> u64 {
    (8 * MIB) << ((number.max(1) - 1) / 1_000).min(3)
}

/// How large the parts of an upload of known length are. They go through as they come.
fn known_part_size(length: u64) -> u64 {
    (64 * MIB).max(length.div_ceil(MAX_PARTS).next_multiple_of(MIB))
}

/// Stores a body of unknown length, of which the first part has come and more comes.
pub(super) async fn unknown(
    target: Target,
    source: &Source,
    first: Bytes,
    held: Held,
) -> Result<Stored, ExecuteError> {
    let mut parts = Parts::start(target).await?;
    let result = async {
        let mut stored = first.len() as u64;
        parts.send(first).await?;
        drop(held);
        let mut number = 2;
        while !source.is_at_end().await? {
            if number > MAX_PARTS {
                return Err(ExecuteError::TooLarge);
            }
            let mut held = parts.target.room.part(&parts.target.options);
            let limit = usize::try_from(part_size(number)).unwrap_or(usize::MAX);
            let part = source.collect_part(Bytes::new(), limit, &mut held).await?;
            stored += part.len() as u64;
            parts.send(part).await?;
            number += 1;
        }
        parts.complete(stored).await
    };
    let result = result.await;
    parts.end(result).await
}

/// Stores a body that is too long for one request.
pub(super) async fn known(
    target: Target,
    source: &Source,
    length: u64,
) -> Result<Stored, ExecuteError> {
    let mut parts = Parts::start(target).await?;
    let result = async {
        let size = known_part_size(length);
        let mut left = length;
        while left > 0 {
            let part = left.min(size);
            parts.stream(source, part, part == left).await?;
            left -= part;
        }
        if !source.is_at_end().await? {
            return Err(ExecuteError::Body(BodyError::TooLarge { limit: length }));
        }
        parts.complete(length).await
    };
    let result = result.await;
    parts.end(result).await
}

/// An upload that the server knows of. Dropping it aborts it.
struct Parts {
    target: Target,
    id: String,
    /// The tags of the parts that were sent, in their order.
    done: Vec<Box<str>>,
    is_open: bool,
}

impl Parts {
    /// Starts an upload. When the caller goes away in the middle, the answer is still waited for, and
    /// what it names is aborted.
    async fn start(target: Target) -> Result<Self, ExecuteError> {
        ToItsEnd::new(async move {
            let request = target
                .request(Method::POST, Kind::Xml(Xml::short("InitiateMultipartUploadResult")))
                .query("uploads", "")
                .metadata(&target.metadata)?;
            let id = |id: &str| (1..=MAX_ID).contains(&id.len()).then(|| id.to_owned());
            let id = target.client.xml(request, |root| id(&root.says("UploadId")?)).await?;
            Ok(Self { target, id, done: Vec::new(), is_open: true })
        })
        .await
    }

    /// Notes a part that was sent. What is kept of ten thousand of them is not for a server to choose.
    fn sent(&mut self, head: &Head) -> Result<(), ExecuteError> {
        let tag = head.text(&ETAG).filter(|tag| tag.len() <= MAX_TAG);
        self.done.push(tag.ok_or_else(senseless)?.into());
        Ok(())
    }

    /// The request for the next part, without its body.
    fn part(&self) -> Request {
        self.target
            .request(Method::PUT, Kind::Nothing)
            .query("partNumber", &(self.done.len() + 1).to_string())
            .query("uploadId", &self.id)
    }

    /// Sends a part that was collected; again where that helps.
    async fn send(&mut self, bytes: Bytes) -> Result<(), ExecuteError> {
        let request = self.target.client.head(self.part().bytes(bytes).long());
        let head = self.target.standing.during(request).await??;
        self.sent(&head)
    }

    /// Sends a part as it comes.
    async fn stream(
        &mut self,
        source: &Source,
        length: u64,
        is_last: bool,
    ) -> Result<(), ExecuteError> {
        let request = self.part().stream(source.window(length, is_last));
        let sent = self.target.client.head(request);
        let sent = source.watch(self.target.options.stall_timeout, sent).await?;
        let head = sent.map_err(|error| source.failure().unwrap_or(error))?;
        self.sent(&head)
    }

    async fn complete(&mut self, size: u64) -> Result<Stored, ExecuteError> {
        let parts = std::mem::take(&mut self.done).into_iter().zip(1..).map(|(tag, number)| {
            let tag = escaped(&tag);
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>")
        });
        let parts = parts.collect::<String>();
        let body = format!(
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{parts}\
             </CompleteMultipartUpload>"
        );
        let request = self
            .target
            .request(Method::POST, Kind::Xml(Xml::short("CompleteMultipartUploadResult")))
            .query("uploadId", &self.id)
            .on(&self.target.conditions)?
            .bytes(body.into())
            .long();
        let tag = |root: Element<'_>| {
            Some(root.says("ETag").filter(|tag| tag.len() <= MAX_TAG).map(quoted))
        };
        let etag = self.target.client.xml(request, tag).await?;
        self.is_open = false;
        Ok(Stored { size, etag })
    }

    /// Aborts what failed before the caller hears of it; still on drop if the caller does not wait.
    async fn end(mut self, result: Result<Stored, ExecuteError>) -> Result<Stored, ExecuteError> {
        if result.is_err() && self.is_open {
            abort(&self.target, &self.id).await;
            self.is_open = false;
        }
        result
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        // Without a runtime there is nothing left to abort with: the program ends.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (target, id) = (self.target.clone(), std::mem::take(&mut self.id));
        runtime.spawn(async move { abort(&target, &id).await });
    }
}

/// Something that goes on in a task of its own where it is dropped before its end. Until then it runs as a
/// part of its caller: what it works is the caller's work.
struct ToItsEnd<F: Future<Output: Send> + Send + 'static>(Option<Pin<Box<F>>>);

impl<F: Future<Output: Send> + Send + 'static> ToItsEnd<F> {
    fn new(does: F) -> Self {
        Self(Some(Box::pin(does)))
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for ToItsEnd<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(does) = &mut self.0 else { return Poll::Pending };
        let poll = does.as_mut().poll(context);
        if poll.is_ready() {
            self.0 = None;
        }
        poll
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for ToItsEnd<F> {
    fn drop(&mut self) {
        if let Some(does) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(does);
        }
    }
}

async fn abort(target: &Target, id: &str) {
    // Whatever became of the approval: what it began is taken back.
    let request = Request::new(Method::DELETE, &target.bucket, &target.key, Kind::Nothing)
        .query("uploadId", id);
    let aborted = target.client.head(request).await;
    if let Err(error) = aborted {
        tracing::warn!(%error, "an upload in parts could not be aborted; its parts stay with the server");
    }
}

/// An entity tag in quotes, as it is in a header; RGW leaves them out here.
fn quoted(tag: Cow<'_, str>) -> String {
    match tag.starts_with('"') {
        true => tag.into_owned(),
        false => format!("\"{tag}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_suffice_for_what_is_promised() {
        let all: u64 = (1..=MAX_PARTS).map(part_size).sum();
        assert_eq!(all, 504_000 * MIB);
        assert_eq!(part_size(1), FIRST_PART as u64);
        for length in [(5 << 30) + 1, 1 << 40, MAX_OBJECT - 1, MAX_OBJECT] {
            let size = known_part_size(length);
            assert!(length.div_ceil(size) <= MAX_PARTS && size <= 5 << 30, "{length}");
        }
    }
}
