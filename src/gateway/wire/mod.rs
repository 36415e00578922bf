//! A connection's bytes: where each request begins and ends, and what it names.
//!
//! Every head is read here, strictly, before the HTTP library sees any of it ([`head`]), and every body
//! is followed to its end ([`framing`]). So it is known where the next head begins, and no target is read
//! by anybody else: the library gets `/1`, `/2` and so on in place of targets, and whoever answers a
//! request takes what was sent from [`Sent`]. Where the library's idea of a request is another than what
//! was read here, the request is refused and the connection ends.
//!
//! What is refused goes the same way, as a request of its own, so that its answer comes in its turn and
//! in the form of whoever answers. Where it is not known any more what the bytes mean, that is the last
//! thing that is read of the connection.
//!
//! A caller who has stopped reading would keep its connection, and with it one to the server, for ever.
//! [`Wire`] gives up when nothing could be written for some time.

mod framing;
mod head;
#[cfg(test)]
mod reference;
mod refusal;
mod sent;
#[cfg(test)]
mod tests;

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::Method;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

#[cfg(test)]
pub(super) use self::head::utf8_target;
pub(crate) use self::refusal::Refusal;
use self::{
    framing::Framing,
    head::{Refused, Scan},
};
pub(super) use self::{head::Limits, sent::Sent};

/// How much is read at once in search of a head's end.
const PIECE: usize = 4 << 10;
/// How long a caller whose request was refused may go on sending, and how much: whoever sends before it
/// listens would not hear the answer if the connection was gone.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 1 << 20;

/// A connection to a caller.
pub(super) struct Wire<S, W> {
    inner: S,
    limits: Limits,
    /// What was read and belongs to nobody yet.
    ahead: Vec<u8>,
    at: At,
    /// How many heads were read.
    count: u64,
    sent: Arc<Sent>,
    stall: Timer,
    linger: Timer,
    lingered: usize,
    is_shut: bool,
    watch: W,
}

/// Whoever wants to know how an answer gets away.
pub(super) trait Watch {
    /// Some of it is written.
    fn wrote(&self);

    /// Everything that the HTTP library had is written.
    fn flushed(&self);
}

/// Where in its requests a connection is.
enum At {
    /// In a head, of which so much was looked at.
    Head(Scan),
    /// Before a head's end as the library has it.
    Library { bytes: Vec<u8>, given: usize, then: Framing },
    /// In a body.
    Body(Framing),
    /// Behind a request after which nothing is read, which the library has still to get.
    Last { bytes: Vec<u8>, given: usize },
    /// Nothing is read any more.
    Over,
}

impl<S, W> Wire<S, W> {
    /// Wraps a connection. Writing fails when nothing could be written for as long as `stall`.
    pub(super) fn new(
        inner: S,
        limits: Limits,
        stall: Duration,
        sent: Arc<Sent>,
        watch: W,
    ) -> Self {
        Self {
            inner,
            limits,
            ahead: Vec::new(),
            at: At::Head(Scan::default()),
            count: 0,
            sent,
            stall: Timer::new(stall),
            linger: Timer::new(LINGER),
            lingered: 0,
            is_shut: false,
            watch,
        }
    }

    /// Reads a head from what came, if all of it is there.
    fn read_head(&mut self) -> bool {
        let At::Head(scan) = &mut self.at else { return true };
        let number = self.count + 1;
        self.at = match head::read(&self.ahead, scan, self.limits, number) {
            Ok(None) => return false,
            Ok(Some((head, length))) => {
                self.ahead.drain(..length);
                if self.ahead.is_empty() {
                    // Most callers wait for an answer: a connection that waits for them has no buffer.
                    self.ahead = Vec::new();
                }
                self.sent.push(number, head.method, head.framing.length(), head.target);
                At::Library { bytes: head.library, given: 0, then: head.framing }
            }
            Err(Refused { refusal, is_head }) => {
                let method = if is_head { Method::HEAD } else { Method::GET };
                let head = format!("{method} /{number} HTTP/1.1\r\nconnection: close\r\n\r\n");
                self.sent.push(number, method, Some(0), Err(refusal));
                At::Last { bytes: head.into_bytes(), given: 0 }
            }
        };
        self.count = number;
        true
    }
}

impl<S: AsyncRead + Unpin, W> Wire<S, W> {
    /// Reads some bytes more of the connection; `false` when it is over.
    fn fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut space = [const { MaybeUninit::uninit() }; PIECE];
        let mut read = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.inner).poll_read(context, &mut read))?;
        self.ahead.extend_from_slice(read.filled());
        Poll::Ready(Ok(!read.filled().is_empty()))
    }

    /// Reads some of a body.
    fn read_body(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let At::Body(framing) = &mut self.at else { return Poll::Ready(Ok(())) };
        let advanced = if self.ahead.is_empty() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
            let new = buffer.filled().get(before..).unwrap_or_default();
            let advanced = framing.advance(new);
            if let Ok(some) = advanced {
                // The rest is the next request's.
                self.ahead.extend_from_slice(new.get(some..).unwrap_or_default());
                buffer.set_filled(before + some);
            }
            advanced
        } else {
            let some = self.ahead.len().min(buffer.remaining());
            let new = self.ahead.get(..some).unwrap_or_default();
            let advanced = framing.advance(new);
            if let Ok(some) = advanced {
                buffer.put_slice(new.get(..some).unwrap_or_default());
                self.ahead.drain(..some);
            }
            advanced
        };
        if framing.is_over() {
            self.at = At::Head(Scan::default());
        }
        Poll::Ready(match advanced {
            Ok(_) => Ok(()),
            Err(_) => {
                self.at = At::Over;
                Err(io::Error::new(io::ErrorKind::InvalidData, "the body's chunks are malformed"))
            }
        })
    }
}

/// Gives the library as much as it takes of these bytes, and says whether that was all.
fn give(bytes: &[u8], given: &mut usize, buffer: &mut ReadBuf<'_>) -> bool {
    let rest = bytes.get(*given..).unwrap_or_default();
    let some = rest.len().min(buffer.remaining());
    buffer.put_slice(rest.get(..some).unwrap_or_default());
    *given += some;
    *given >= bytes.len()
}

impl<S: AsyncRead + Unpin, W: Unpin> AsyncRead for Wire<S, W> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match &mut this.at {
                At::Head(_) => {
                    if !this.read_head() && !ready!(this.fill(context))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                At::Library { bytes, given, then } => {
                    if give(bytes, given, buffer) {
                        this.at = match then.is_over() {
                            true => At::Head(Scan::default()),
                            false => At::Body(then.clone()),
                        };
                    }
                    return Poll::Ready(Ok(()));
                }
                At::Body(_) => return this.read_body(context, buffer),
                At::Last { bytes, given } => {
                    if give(bytes, given, buffer) {
                        this.at = At::Over;
                    }
                    return Poll::Ready(Ok(()));
                }
                // The library ends the connection when it has answered, and nothing else does.
                At::Over => return Poll::Pending,
            }
        }
    }
}

/// A time that runs while something waits.
struct Timer {
    after: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    fn new(after: Duration) -> Self {
        Self { after, sleep: None }
    }

    /// Whether it is over, counted from the first time that this was asked.
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let after = self.after;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(after)));
        sleep.as_mut().poll(context).is_ready()
    }

    /// Passes on what became of writing, unless that has waited for too long.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.sleep = None;
        } else if self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        poll
    }
}

impl<S, W> AsyncWrite for Wire<S, W>
where
    S: AsyncRead + AsyncWrite + Unpin,
    W: Watch + Unpin,
{
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(context, bytes);
        if written.is_ready() {
            this.watch.wrote();
        }
        this.stall.watch(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write_vectored(context, buffers);
        if written.is_ready() {
            this.watch.wrote();
        }
        this.stall.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Asked for only when the library has nothing left to write.
        let flushed = Pin::new(&mut this.inner).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            this.watch.flushed();
        }
        this.stall.watch(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.is_shut {
            let shut = Pin::new(&mut this.inner).poll_shutdown(context);
            ready!(this.stall.watch(context, shut))?;
            this.is_shut = true;
        }
        while matches!(this.at, At::Over) && this.lingered < LINGER_BYTES {
            if this.linger.is_over(context) {
                break;
            }
            this.ahead.clear();
            match ready!(this.fill(context)) {
                Ok(true) => this.lingered += this.ahead.len(),
                Ok(false) | Err(_) => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Whether names of methods and headers have this byte.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether values of headers have this byte.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}
