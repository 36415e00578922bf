//! What the HTTP library leaves open about a connection's bytes.
//!
//! * A request target with raw bytes that are not UTF-8 is refused by the library; Algorithmia's
//!   Node client sends `ü` as the one byte 0xFC. On the first request line of a connection, such
//!   bytes are read as Latin-1. Responses to that client close the connection, so that each of its
//!   requests is a first one.
//! * A raw `#` in a target is cut off by the library together with all behind it. On the first
//!   request line it becomes `%00`, which no path has, so that such a request is refused.
//! * The library answers a malformed head with a status and no body; Algorithmia's clients need
//!   JSON. While nothing of an answer of ours is still to be written, what is written is the
//!   library's own, and is replaced.
//! * A caller who has stopped reading keeps its connection, and with it one to the server, for
//!   ever. [`Wire`] gives up when nothing could be written for some time.
//!
//! Nothing here decides where a message begins or ends.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// The longest request line that is looked at for bytes to read as Latin-1.
const MAX_LINE: usize = 16 * 1_024;

/// A connection to a caller.
pub(super) struct Wire<S> {
    inner: S,
    line: FirstLine,
    stall: Stall,
    turn: Arc<Turn>,
}

/// Whose turn it is to write.
#[derive(Default)]
pub(super) struct Turn(AtomicU8);

/// Nothing of ours is to be written.
const FREE: u8 = 0;
/// A request is being answered.
const OURS: u8 = 1;
/// The library has all of an answer, and may not have written it.
const ENDING: u8 = 2;

impl Turn {
    /// A request has reached us.
    pub(super) fn begin(&self) {
        self.0.store(OURS, Ordering::Release);
    }

    /// The library has the last of its answer.
    pub(super) fn end(&self) {
        self.0.store(ENDING, Ordering::Release);
    }

    /// Everything that the library had is written.
    fn written(&self) {
        let _ = self.0.compare_exchange(ENDING, FREE, Ordering::AcqRel, Ordering::Acquire);
    }

    fn is_free(&self) -> bool {
        self.0.load(Ordering::Acquire) == FREE
    }
}

/// The first request line: collected until its end, then handed on, then out of the way.
enum FirstLine {
    Collecting(Vec<u8>),
    Passing { bytes: Vec<u8>, at: usize },
    Passed,
}

/// When writing is given up.
struct Stall {
    after: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Wire<S> {
    /// Wraps a connection; writing fails when nothing could be written for this long. Whoever gets
    /// its requests says when they begin and end.
    pub(super) fn new(inner: S, stall: Duration, turn: Arc<Turn>) -> Self {
        Self {
            inner,
            line: FirstLine::Collecting(Vec::new()),
            stall: Stall { after: stall, timer: None },
            turn,
        }
    }
}

/// A request target as text: itself where it is UTF-8, else with the bytes that are not ASCII read
/// as Latin-1.
pub(super) fn utf8_target(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(text) => text.to_owned(),
        Err(_) => raw.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// How many bytes of empty lines there are at the beginning.
fn empty_lines(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some(next) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
        rest = next;
    }
    bytes.len() - rest.len()
}

/// The request line as the library takes it.
fn rewritten(line: Vec<u8>) -> Vec<u8> {
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let (Some(method), Some(target), Some(rest)) = (parts.next(), parts.next(), parts.next())
    else {
        return line;
    };
    if target.is_ascii() && !target.contains(&b'#') {
        return line;
    }
    let target = utf8_target(target).replace('#', "%00");
    [method, b" ", target.as_bytes(), b" ", rest].concat()
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match &mut this.line {
                FirstLine::Passed => return Pin::new(&mut this.inner).poll_read(context, buffer),
                FirstLine::Passing { bytes, at } => {
                    let rest = bytes.get(*at..).unwrap_or_default();
                    let count = rest.len().min(buffer.remaining());
                    buffer.put_slice(rest.get(..count).unwrap_or_default());
                    *at += count;
                    if *at >= bytes.len() {
                        this.line = FirstLine::Passed;
                    }
                    return Poll::Ready(Ok(()));
                }
                FirstLine::Collecting(bytes) => {
                    let mut space = [0; 4_096];
                    let mut read = ReadBuf::new(&mut space);
                    ready!(Pin::new(&mut this.inner).poll_read(context, &mut read))?;
                    let new = read.filled();
                    let is_over = new.is_empty();
                    bytes.extend_from_slice(new);
                    // Empty lines before a request are skipped by the library, too.
                    bytes.drain(..empty_lines(bytes));
                    let end = bytes.iter().position(|byte| *byte == b'\n');
                    if is_over || end.is_some() || bytes.len() > MAX_LINE {
                        let mut line = std::mem::take(bytes);
                        let rest = line.split_off(end.map_or(line.len(), |end| end + 1));
                        let mut bytes = rewritten(line);
                        bytes.extend_from_slice(&rest);
                        this.line = match bytes.is_empty() {
                            true => FirstLine::Passed,
                            false => FirstLine::Passing { bytes, at: 0 },
                        };
                        if is_over && matches!(this.line, FirstLine::Passed) {
                            return Poll::Ready(Ok(()));
                        }
                    }
                }
            }
        }
    }
}

/// What is sent in place of an answer of the library's own, which has no body.
fn in_place_of(answer: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(answer).ok()?;
    let status = text.strip_prefix("HTTP/1.1 ")?;
    let (message, code) = match status.get(..3)? {
        "400" => ("the request is not well-formed HTTP", 2015),
        "414" => ("the request's address is too long", 2015),
        "431" => ("the request's headers are too large", 2015),
        _ => return None,
    };
    if !text.to_ascii_lowercase().contains("\r\ncontent-length: 0\r\n") {
        return None;
    }
    let body = format!(r#"{{"error":{{"message":"{message}","code":{code}}}}}"#);
    let line = status.lines().next()?;
    Some(
        format!(
            "HTTP/1.1 {line}\r\ncontent-type: application/json\r\nx-content-type-options: nosniff\r\n\
             x-error-message: {message}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Looks after the time when writing makes no progress.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.stall.timer = None;
            return poll;
        }
        let after = self.stall.after;
        let timer = self.stall.timer.get_or_insert_with(|| Box::pin(sleep(after)));
        match timer.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.turn.is_free()
            && let Some(answer) = in_place_of(bytes)
        {
            // Short, and nothing waits before it: it fits, but where a caller does not read.
            let written = Pin::new(&mut this.inner).poll_write(context, &answer);
            let whole = written.map(|written| match written? {
                count if count == answer.len() => Ok(bytes.len()),
                _ => Err(io::ErrorKind::WriteZero.into()),
            });
            return this.watch(context, whole);
        }
        let written = Pin::new(&mut this.inner).poll_write(context, bytes);
        this.watch(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let [only] = buffers {
            return Pin::new(this).poll_write(context, only);
        }
        let written = Pin::new(&mut this.inner).poll_write_vectored(context, buffers);
        this.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Asked for only when the library has nothing left to write.
        let flushed = Pin::new(&mut this.inner).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            this.turn.written();
        }
        this.watch(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.inner).poll_shutdown(context);
        this.watch(context, shut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines_become_utf8_and_keep_what_they_mean() {
        for (line, becomes) in [
            (&b"GET /v1/data/a HTTP/1.1\r\n"[..], &b"GET /v1/data/a HTTP/1.1\r\n"[..]),
            (b"GET /\xFC HTTP/1.1\r\n", "GET /ü HTTP/1.1\r\n".as_bytes()),
            ("GET /ü HTTP/1.1\r\n".as_bytes(), "GET /ü HTTP/1.1\r\n".as_bytes()),
            (b"GET /a#b HTTP/1.1\r\n", b"GET /a%00b HTTP/1.1\r\n"),
            (b"nonsense\n", b"nonsense\n"),
            (b"", b""),
        ] {
            assert_eq!(rewritten(line.to_vec()), becomes);
        }
    }

    #[test]
    fn only_bare_errors_are_replaced() {
        let own =
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let answer = in_place_of(own).map(|answer| String::from_utf8_lossy(&answer).into_owned());
        assert!(answer.is_some_and(|answer| {
            answer.contains(r#"{"error":{"message":"the request's headers"#)
        }));
        for ours in [
            &b"HTTP/1.1 400 Bad Request\r\ncontent-length: 70\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            b"\xFF\xFE",
            b"HTTP/1.1 4",
        ] {
            assert_eq!(in_place_of(ours), None);
        }
    }
}
