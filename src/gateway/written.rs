//! How much of an answer was written to its connection, and what waits for that.
//!
//! The HTTP library takes more of an answer than the connection does: what it holds goes out later, or never.
//! It moves on in each [`Piece`] as far as it has written it, and lets go of it then, or with the connection.
//! What the kernel has taken counts as written, whether the other side ever gets it.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::Body as HttpBody;
use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};

use super::connections::Running;

/// What waits for the end of an answer, and is told how many bytes of it were written.
type End = Box<dyn FnOnce(u64) + Send>;

/// How many bytes of an answer's body were written. When nothing more of them can be, this is dropped.
#[derive(Default)]
pub(super) struct Written {
    bytes: AtomicU64,
    end: Mutex<Option<End>>,
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Written {
    /// Tells this how many bytes were written, once no more of them can be.
    pub(super) fn at_end(&self, end: impl FnOnce(u64) + Send + 'static) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(end));
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let end = self.end.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(end) = end {
            end(*self.bytes.get_mut());
        }
    }
}

/// The body of an answer as the HTTP library gets it, with the request that runs until the library has all of it.
pub(super) struct Outgoing {
    body: HttpBody,
    running: Running,
}

impl Outgoing {
    /// The answer of this request.
    pub(super) fn new(body: HttpBody, running: Running) -> Self {
        Self { body, running }
    }
}

impl http_body::Body for Outgoing {
    type Data = Piece;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let piece = |bytes| Piece { bytes, written: Arc::clone(self.running.written()) };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Some bytes of an answer, until they are written.
#[derive(Debug)]
pub(super) struct Piece {
    bytes: Bytes,
    written: Arc<Written>,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.written.bytes.fetch_add(count as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_what_was_written_when_nothing_more_can_be() {
        let told = Arc::new(AtomicU64::new(u64::MAX));
        let written = Arc::new(Written::default());
        let piece = |text: &'static str| Piece {
            bytes: Bytes::from_static(text.as_bytes()),
            written: Arc::clone(&written),
        };
        let (mut one, mut other) = (piece("abcde"), piece("fghij"));
        one.advance(5);
        other.advance(2);
        assert_eq!((one.remaining(), other.chunk()), (0, &b"hij"[..]));
        written.at_end({
            let told = Arc::clone(&told);
            move |bytes| told.store(bytes, Ordering::Relaxed)
        });
        drop((one, written));
        assert_eq!(told.load(Ordering::Relaxed), u64::MAX);
        other.advance(1);
        drop(other);
        assert_eq!(told.load(Ordering::Relaxed), 8);
    }
}
