//! Uploads in parts. One that does not come to its end is aborted, however it ends.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;

use super::{error::senseless, room::Held, source::Source, write::Target};
use crate::executor::{BodyError, ExecuteError, PartNumber, Stored, UploadId};

const MIB: u64 = 1 << 20;
/// The largest object that S3 stores.
pub(super) const MAX_OBJECT: u64 = 5 << 40;
/// The most parts of an upload.
const MAX_PARTS: u64 = 10_000;
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
    let mut parts = Begun::start(target).await?;
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
    let mut parts = Begun::start(target).await?;
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
pub(super) struct Begun {
    target: Target,
    /// Nothing once it has ended.
    id: Option<UploadId>,
    /// The tags of the parts that were sent, in their order.
    done: Vec<Box<str>>,
}

impl Begun {
    /// Starts an upload. When the caller goes away in the middle, the answer is still waited for, and
    /// what it names is aborted.
    pub(super) async fn start(target: Target) -> Result<Self, ExecuteError> {
        ToItsEnd::new(async move {
            let id = target.create().await?;
            Ok(Self { target, id: Some(id), done: Vec::new() })
        })
        .await
    }

    /// Leaves the upload to whoever has its name.
    pub(super) fn into_id(mut self) -> Result<UploadId, ExecuteError> {
        self.id.take().ok_or_else(senseless)
    }

    fn next(&self) -> Result<(&UploadId, PartNumber), ExecuteError> {
        let number = u16::try_from(self.done.len() + 1).ok().and_then(PartNumber::new);
        Ok((self.id.as_ref().ok_or_else(senseless)?, number.ok_or(ExecuteError::TooLarge)?))
    }

    /// Sends a part that was collected; again where that helps.
    async fn send(&mut self, bytes: Bytes) -> Result<(), ExecuteError> {
        let (id, number) = self.next()?;
        let tag = self.target.send(id, number, bytes).await?;
        self.done.push(tag);
        Ok(())
    }

    /// Sends a part as it comes.
    async fn stream(
        &mut self,
        source: &Source,
        length: u64,
        is_last: bool,
    ) -> Result<(), ExecuteError> {
        let (id, number) = self.next()?;
        let tag = self.target.stream(id, number, source, length, is_last).await?;
        self.done.push(tag);
        Ok(())
    }

    async fn complete(&mut self, size: u64) -> Result<Stored, ExecuteError> {
        let done = std::mem::take(&mut self.done);
        let numbers = (1..).map_while(PartNumber::new);
        let parts = numbers.zip(done.iter().map(|tag| &**tag));
        let id = self.id.as_ref().ok_or_else(senseless)?;
        let made = self.target.complete(id, parts).await?;
        self.id = None;
        Ok(Stored { size, etag: made.etag })
    }

    /// Aborts what failed before the caller hears of it; still on drop if the caller does not wait.
    async fn end(mut self, result: Result<Stored, ExecuteError>) -> Result<Stored, ExecuteError> {
        if let Some(id) = &self.id
            && result.is_err()
        {
            self.target.take_back(id).await;
            self.id = None;
        }
        result
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        // Without a runtime there is nothing left to abort with: the program ends.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let target = self.target.clone();
        runtime.spawn(async move { target.take_back(&id).await });
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
