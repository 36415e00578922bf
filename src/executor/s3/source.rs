//! A caller's body on its way to a server.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

use super::{
    room::Held,
    standing::{AGAIN, Standing},
};
use crate::{
    engine::Withdrawn,
    executor::{Body, BodyError, Checksum, ExecuteError, Sum},
};

/// A caller's body, which one request after the other takes its part from.
///
/// Shared with the request that is being sent; behind a lock, so that why a request failed can be asked
/// afterwards.
#[derive(Clone)]
pub(super) struct Source {
    state: Arc<Mutex<State>>,
    standing: Standing,
}

struct State {
    body: Body,
    /// The checksums of what came, and those that all of it is to have.
    sums: Vec<(Sum, Checksum)>,
    /// What came and was not taken yet.
    ahead: Bytes,
    ended: bool,
    failed: Option<BodyError>,
    /// Why it may no longer be stored, where that is why it failed.
    withdrawn: Option<Withdrawn>,
    /// Whether all that a request is to have went out.
    is_out: bool,
    /// Whether it is the caller that is waited for, and not the server.
    waits_for_caller: bool,
    moved: Instant,
}

impl Source {
    /// With the checksums that the body is to have.
    pub(super) fn new(body: Body, checksums: Vec<Checksum>, standing: Standing) -> Self {
        let sums = checksums.into_iter().map(|said| (Sum::new(said.algorithm()), said));
        let state = State {
            body,
            sums: sums.collect(),
            ahead: Bytes::new(),
            ended: false,
            failed: None,
            withdrawn: None,
            is_out: false,
            waits_for_caller: false,
            moved: Instant::now(),
        };
        Self { state: Arc::new(Mutex::new(state)), standing }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What went wrong with the body, if anything did: a request that failed because of it has an
    /// error that says less.
    pub(super) fn failure(&self) -> Option<ExecuteError> {
        let state = self.state();
        match state.withdrawn {
            Some(withdrawn) => Some(ExecuteError::Withdrawn(withdrawn)),
            None => state.failed.map(ExecuteError::Body),
        }
    }

    /// The next bytes, at most so many. None of them is empty.
    async fn next(&self, limit: usize) -> Result<Option<Bytes>, ExecuteError> {
        let next = poll_fn(|context| self.state().poll_chunk(context, limit as u64));
        self.standing.during(next).await?.transpose().map_err(ExecuteError::Body)
    }

    /// Collects so many bytes, or all up to the end if that comes first.
    ///
    /// Copies: bytes that came in small pieces may each hold a large buffer alive.
    pub(super) async fn collect(&self, limit: usize) -> Result<Bytes, ExecuteError> {
        self.collect_into(Vec::new(), limit, None).await
    }

    /// Collects a body of this length: one of another fails.
    pub(super) async fn collect_all(&self, length: u64) -> Result<Bytes, ExecuteError> {
        let bytes = self.collect(usize::try_from(length).unwrap_or(usize::MAX)).await?;
        if (bytes.len() as u64) < length {
            return Err(ExecuteError::Body(BodyError::Interrupted));
        }
        match self.is_at_end().await? {
            true => Ok(bytes),
            false => Err(ExecuteError::Body(BodyError::TooLarge { limit: length })),
        }
    }

    /// Collects a part, with what was collected before in front, as far as there is room for it.
    pub(super) async fn collect_part(
        &self,
        before: Bytes,
        limit: usize,
        held: &mut Held,
    ) -> Result<Bytes, ExecuteError> {
        self.collect_into(before.into(), limit, Some(held)).await
    }

    async fn collect_into(
        &self,
        mut bytes: Vec<u8>,
        limit: usize,
        mut held: Option<&mut Held>,
    ) -> Result<Bytes, ExecuteError> {
        while bytes.len() < limit {
            let Some(chunk) = self.next(limit - bytes.len()).await? else { break };
            let needed = bytes.len() + chunk.len();
            if needed > bytes.capacity() {
                let capacity = needed.max(bytes.capacity().saturating_mul(4)).min(limit);
                if let Some(held) = &mut held {
                    held.grow(capacity).await?;
                }
                bytes.reserve_exact(capacity - bytes.len());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.into())
    }

    /// Whether nothing more comes. Waits for a byte, or for the end.
    pub(super) async fn is_at_end(&self) -> Result<bool, ExecuteError> {
        let end = poll_fn(|context| self.state().poll_end(context));
        self.standing.during(end).await?.map_err(ExecuteError::Body)
    }

    /// The next `length` bytes as a body to send. With `is_last`, they must be the last ones: the
    /// end of the body is seen before the last of them goes out, so that a server has no whole
    /// object of a body that is too long, or that is no longer allowed.
    pub(super) fn window(&self, length: u64, is_last: bool) -> Window {
        self.state().is_out = false;
        Window { source: self.clone(), length, left: length, is_last, held: None }
    }

    /// Runs a request that takes its body from here, as long as something moves, and as it is allowed:
    /// until all went out, which nothing takes back.
    pub(super) async fn watch<T>(
        &self,
        stall: Duration,
        request: impl Future<Output = T>,
    ) -> Result<T, ExecuteError> {
        self.state().moved = Instant::now();
        let mut request = std::pin::pin!(request);
        loop {
            let deadline = {
                let state = self.state();
                // While the caller is waited for, that moment is still to come.
                if state.waits_for_caller { Instant::now() } else { state.moved }
            } + stall;
            tokio::select! {
                answer = &mut request => return Ok(answer),
                () = tokio::time::sleep_until(deadline.min(Instant::now() + AGAIN)) => {
                    if !self.state().is_out {
                        self.standing.ask().map_err(ExecuteError::Withdrawn)?;
                    }
                    let state = self.state();
                    if !state.waits_for_caller && state.moved + stall <= Instant::now() {
                        return Err(ExecuteError::TimedOut);
                    }
                }
            }
        }
    }
}

impl State {
    fn poll_chunk(
        &mut self,
        context: &mut Context<'_>,
        limit: u64,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        if let Some(error) = self.failed {
            return Poll::Ready(Some(Err(error)));
        }
        match ready!(self.poll_end(context)) {
            Ok(true) => Poll::Ready(None),
            Ok(false) => {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                Poll::Ready(Some(Ok(self.ahead.split_to(limit.min(self.ahead.len())))))
            }
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    /// Waits until there is a byte ahead, or none will come: then it is true.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, BodyError>> {
        while !self.ahead.has_remaining() && !self.ended {
            if let Some(error) = self.failed {
                return Poll::Ready(Err(error));
            }
            let frame = Pin::new(&mut self.body).poll_frame(context);
            self.waits_for_caller = frame.is_pending();
            self.moved = Instant::now();
            match ready!(frame) {
                // Seen before the last bytes go out, as that it is no longer than it was said to be.
                None => match self.sums.drain(..).all(|(came, said)| came.finish() == said) {
                    true => self.ended = true,
                    false => self.failed = Some(BodyError::Mismatch),
                },
                Some(Ok(frame)) => {
                    self.ahead = frame.into_data().unwrap_or_default();
                    for (came, _) in &mut self.sums {
                        came.update(&self.ahead);
                    }
                }
                Some(Err(error)) => self.failed = Some(error),
            }
        }
        Poll::Ready(Ok(!self.ahead.has_remaining()))
    }
}

/// Part of a source, as the body of one request.
pub(super) struct Window {
    source: Source,
    length: u64,
    left: u64,
    is_last: bool,
    /// The last bytes, until the source is seen to end behind them.
    held: Option<Bytes>,
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window").field("length", &self.length).finish_non_exhaustive()
    }
}

impl http_body::Body for Window {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let mut state = this.source.state();
        if this.held.is_none() {
            if this.left == 0 {
                return Poll::Ready(None);
            }
            let chunk = match ready!(state.poll_chunk(context, this.left)) {
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    state.failed = Some(BodyError::Interrupted);
                    return Poll::Ready(Some(Err(BodyError::Interrupted)));
                }
            };
            if !this.is_last || (chunk.len() as u64) < this.left {
                this.left -= chunk.len() as u64;
                state.is_out = this.left == 0;
                return Poll::Ready(Some(Ok(Frame::data(chunk))));
            }
            this.held = Some(chunk);
        }
        match ready!(state.poll_end(context)) {
            Ok(true) => {
                if let Err(withdrawn) = this.source.standing.ask() {
                    state.withdrawn = Some(withdrawn);
                    state.failed = Some(BodyError::Withdrawn);
                    return Poll::Ready(Some(Err(BodyError::Withdrawn)));
                }
                this.left = 0;
                state.is_out = true;
                Poll::Ready(this.held.take().map(|chunk| Ok(Frame::data(chunk))))
            }
            Ok(false) => {
                let error = BodyError::TooLarge { limit: this.length };
                state.failed = Some(error);
                Poll::Ready(Some(Err(error)))
            }
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
