//! What one owner's servers may take of the process: threads that look up names, and memory for answers.
//!
//! Where owners choose servers, a server may be one that never answers, or never ends. What it takes then
//! is taken from its own owner's share, and not from anybody else.

use std::{
    error::Error,
    fmt,
    future::Future,
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http_body::{Body, Frame, SizeHint};
use hyper::body::Bytes;
use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

/// How many names are looked up at once. Each takes a thread for as long as the system's resolver does,
/// of some hundreds that all owners and the store have together.
const LOOKUPS: usize = 8;
/// How many answers that are kept whole may be long at once.
const LONG: usize = 16;
/// The longest: more than a page of a thousand of the longest keys, escaped.
const MOST: usize = 8 << 20;
/// How much of an answer is read before it counts as long. No error is longer.
const SHORT: usize = 128 << 10;

/// One owner's share.
#[derive(Clone, Debug)]
pub(super) struct Share {
    lookups: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

impl Default for Share {
    /// Of an owner who chose the server.
    fn default() -> Self {
        Self { lookups: Arc::new(Semaphore::new(LOOKUPS)), long: Arc::new(Semaphore::new(LONG)) }
    }
}

impl Share {
    /// Of a server that the operator chose, and that many owners may have: eight times as much.
    pub(super) fn of_operator() -> Self {
        Self {
            lookups: Arc::new(Semaphore::new(8 * LOOKUPS)),
            long: Arc::new(Semaphore::new(8 * LONG)),
        }
    }

    /// The system's resolver.
    pub(super) fn lookup(&self) -> Lookup {
        let system = |name: &str| (name, 0).to_socket_addrs().map(Iterator::collect);
        Lookup { places: Arc::clone(&self.lookups), system }
    }

    /// An answer that is kept whole before it is looked at, which an error is, too.
    pub(super) fn bounded<B>(&self, body: B, is_error: bool) -> Bounded<B> {
        let left = if is_error { SHORT } else { MOST };
        Bounded { body, short: SHORT, left, places: Arc::clone(&self.long), place: Place::None }
    }

    /// Whether only this one is left.
    pub(super) fn is_alone(&self) -> bool {
        // A lookup that nobody waits for any more has its place still.
        [&self.long, &self.lookups].map(Arc::strong_count) == [1, 1]
    }
}

/// Addresses of a name, as the system knows them.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    places: Arc<Semaphore>,
    system: fn(&str) -> io::Result<Vec<SocketAddr>>,
}

impl Service<Name> for Lookup {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (places, system) = (Arc::clone(&self.places), self.system);
        Box::pin(async move {
            let place = places.acquire_owned().await.map_err(io::Error::other)?;
            // Whoever asked may have given up: the place is the thread's, and free when that is.
            let looking = move || {
                let found = system(name.as_str());
                drop(place);
                found
            };
            let found = tokio::task::spawn_blocking(looking).await.map_err(io::Error::other)?;
            Ok(found?.into_iter())
        })
    }
}

/// The body of an answer, up to a length.
pub(super) struct Bounded<B> {
    body: B,
    /// What may still come before it is long, and at all.
    short: usize,
    left: usize,
    places: Arc<Semaphore>,
    place: Place,
}

/// A long answer's place.
enum Place {
    None,
    Waiting(Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send + Sync>>),
    Held(#[expect(dead_code, reason = "held until the body is let go of")] OwnedSemaphorePermit),
}

impl<B> Body for Bounded<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        while this.short == 0 && !matches!(this.place, Place::Held(_)) {
            this.place = match &mut this.place {
                Place::Waiting(waiting) => match ready!(waiting.as_mut().poll(context)) {
                    Some(place) => Place::Held(place),
                    None => return Poll::Ready(Some(Err(TooLong.into()))),
                },
                _ => {
                    let places = Arc::clone(&this.places);
                    Place::Waiting(Box::pin(async { places.acquire_owned().await.ok() }))
                }
            };
        }
        let frame = match ready!(Pin::new(&mut this.body).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            other => return Poll::Ready(other.map(|frame| frame.map_err(Into::into))),
        };
        let len = frame.data_ref().map_or(0, Bytes::len);
        let Some(left) = this.left.checked_sub(len) else {
            return Poll::Ready(Some(Err(TooLong.into())));
        };
        (this.left, this.short) = (left, this.short.saturating_sub(len));
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer that is no file is longer than any that makes sense.
#[derive(Debug)]
struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is too long")
    }
}

impl Error for TooLong {}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use http_body_util::{BodyExt as _, Full, StreamBody};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn who_gives_up_on_a_name_takes_no_further_threads() {
        static RUNNING: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        fn slow(_: &str) -> io::Result<Vec<SocketAddr>> {
            MOST.fetch_max(RUNNING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(300));
            RUNNING.fetch_sub(1, Ordering::SeqCst);
            Ok(Vec::new())
        }
        let share = Share::default();
        let lookup = Lookup { system: slow, ..share.lookup() };
        let asked = (0..64).map(|_| {
            let one = lookup.clone().oneshot("m.example".parse::<Name>().unwrap());
            tokio::time::timeout(Duration::from_millis(20), one)
        });
        for gave_up in futures_util::future::join_all(asked).await {
            assert!(gave_up.is_err());
        }
        // A share that threads are taken from is not forgotten for a fresh one.
        let Lookup { places, .. } = lookup.clone();
        let held = Share { lookups: places, ..Share::default() };
        drop(share);
        assert!(!held.is_alone() && Share::default().is_alone());
        // Another owner's does not wait for these.
        let other = Share::default().lookup().oneshot("localhost".parse::<Name>().unwrap());
        tokio::time::timeout(Duration::from_millis(250), other).await.unwrap().unwrap();
        let last = lookup.oneshot("m.example".parse::<Name>().unwrap()).await;
        assert_eq!(last.unwrap().count(), 0);
        assert_eq!(MOST.load(Ordering::SeqCst), LOOKUPS);
    }

    #[tokio::test]
    async fn answers_end_at_their_limit() {
        let share = Share::default();
        for (is_error, most) in [(true, SHORT), (false, MOST)] {
            for (len, fits) in [(0, true), (most, true), (most + 1, false)] {
                let pieces = vec![0_u8; len];
                let pieces: Vec<_> = pieces.chunks(64 << 10).map(Bytes::copy_from_slice).collect();
                let frames = pieces.into_iter().map(|piece| Ok::<_, io::Error>(Frame::data(piece)));
                let body = StreamBody::new(futures_util::stream::iter(frames));
                let read = share.bounded(body, is_error).collect().await;
                assert_eq!(read.is_ok_and(|read| read.to_bytes().len() == len), fits, "{len}");
            }
        }
    }

    #[tokio::test]
    async fn so_many_long_answers_are_read_at_once() {
        let share = Share::default();
        let long = || {
            let pieces = [SHORT, 1].map(|len| Ok::<_, io::Error>(Frame::data(vec![0; len].into())));
            share.bounded(StreamBody::new(futures_util::stream::iter(pieces)), false)
        };
        let mut held = Vec::new();
        for _ in 0..LONG {
            let mut body = long();
            while let Some(frame) = body.frame().await {
                frame.unwrap();
            }
            held.push(body);
        }
        let mut next = long();
        next.frame().await.unwrap().unwrap();
        let waits = tokio::time::timeout(Duration::from_millis(20), next.frame()).await;
        assert!(waits.is_err());
        // What is short waits for nobody.
        let short = share.bounded(Full::new(Bytes::from_static(b"x")), false).collect().await;
        assert_eq!(short.unwrap().to_bytes(), "x");
        held.pop();
        next.frame().await.unwrap().unwrap();
        assert!(next.frame().await.is_none());
    }
}
