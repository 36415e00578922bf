//! Uploads in parts. One that does not come to its end is aborted, however it ends.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use aws_sdk_s3::{
    operation::upload_part::builders::UploadPartFluentBuilder,
    types::{CompletedMultipartUpload, CompletedPart},
};
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;

use super::{error, room::Held, source::Source, write::Target};
use crate::executor::{BodyError, ExecuteError};

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
) -> Result<u64, ExecuteError> {
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
        parts.complete().await?;
        Ok(stored)
    };
    let result = result.await;
    parts.end(result).await
}

/// Stores a body that is too long for one request.
pub(super) async fn known(
    target: Target,
    source: &Source,
    length: u64,
) -> Result<u64, ExecuteError> {
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
        parts.complete().await?;
        Ok(length)
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
            let answer = target
                .client
                .create_multipart_upload()
                .bucket(&target.bucket)
                .key(&target.key)
                .set_content_type(target.content_type.clone())
                .customize()
                .interceptor(target.standing.clone())
                .send()
                .await
                .map_err(error::from_sdk)?;
            let id = answer
                .upload_id
                .filter(|id| (1..=MAX_ID).contains(&id.len()))
                .ok_or(ExecuteError::Failed { status: None, code: None })?;
            Ok(Self { target, id, done: Vec::new(), is_open: true })
        })
        .await
    }

    fn next_number(&self) -> i32 {
        // At most 10,000 of them.
        i32::try_from(self.done.len()).unwrap_or(i32::MAX).saturating_add(1)
    }

    /// Notes a part that was sent. What is kept of ten thousand of them is not for a server to choose.
    fn sent(&mut self, tag: Option<String>) -> Result<(), ExecuteError> {
        let tag = tag.filter(|tag| tag.len() <= MAX_TAG);
        self.done.push(tag.ok_or(ExecuteError::Failed { status: None, code: None })?.into());
        Ok(())
    }

    /// The request for a part, without its body.
    fn part(&self, number: i32) -> UploadPartFluentBuilder {
        self.target
            .client
            .upload_part()
            .bucket(&self.target.bucket)
            .key(&self.target.key)
            .upload_id(&self.id)
            .part_number(number)
    }

    /// Sends a part that was collected; again where that helps.
    async fn send(&mut self, bytes: Bytes) -> Result<(), ExecuteError> {
        let number = self.next_number();
        let request = self
            .part(number)
            .body(ByteStream::from(bytes))
            .customize()
            .interceptor(self.target.standing.clone())
            .config_override(self.target.options.long())
            .send();
        let answer = self.target.standing.during(request).await?.map_err(error::from_sdk)?;
        self.sent(answer.e_tag)
    }

    /// Sends a part as it comes.
    async fn stream(
        &mut self,
        source: &Source,
        length: u64,
        is_last: bool,
    ) -> Result<(), ExecuteError> {
        let number = self.next_number();
        let signed_length = i64::try_from(length).map_err(|_| ExecuteError::TooLarge)?;
        let request = self
            .part(number)
            .content_length(signed_length)
            .body(source.window(length, is_last))
            .customize()
            .interceptor(self.target.standing.clone())
            .config_override(self.target.options.streamed())
            .send();
        let answer = source
            .watch(self.target.options.stall_timeout, request)
            .await?
            .map_err(|sent| source.failure().unwrap_or_else(|| error::from_sdk(sent)))?;
        self.sent(answer.e_tag)
    }

    async fn complete(&mut self) -> Result<(), ExecuteError> {
        let done = std::mem::take(&mut self.done);
        let parts = done
            .into_iter()
            .zip(1..)
            .map(|(tag, number)| CompletedPart::builder().part_number(number).e_tag(tag).build());
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect()));
        self.target
            .client
            .complete_multipart_upload()
            .bucket(&self.target.bucket)
            .key(&self.target.key)
            .upload_id(&self.id)
            .multipart_upload(parts.build())
            .customize()
            .interceptor(self.target.standing.clone())
            .config_override(self.target.options.long())
            .send()
            .await
            .map_err(error::from_sdk)?;
        self.is_open = false;
        Ok(())
    }

    /// Aborts what failed before the caller hears of it; still on drop if the caller does not wait.
    async fn end(mut self, result: Result<u64, ExecuteError>) -> Result<u64, ExecuteError> {
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
    let aborted = target
        .client
        .abort_multipart_upload()
        .bucket(&target.bucket)
        .key(&target.key)
        .upload_id(id)
        .send()
        .await
        .map_err(error::from_sdk);
    if let Err(error) = aborted {
        tracing::warn!(%error, "an upload in parts could not be aborted; its parts stay with the server");
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
