//! The bytes of a connection: as they are, or by TLS.
//!
//! The handshake is what the first read waits for. So it has a request's limits: the place of its
//! connection, the time that a head may take, and turns at the processors, which [all handshakes
//! together](super::super::turns) have as one owner.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{Accept, TlsAcceptor, server::TlsStream};

use super::{super::connections::Open, Tls};

/// How many bytes are sealed at once: a record of TLS has no more.
const RECORD: usize = 16 << 10;

/// A connection below HTTP.
pub(in crate::gateway) enum Transport {
    Plain(TcpStream),
    Secure(Box<Secure>),
}

/// A connection by TLS.
pub(in crate::gateway) struct Secure {
    at: At,
    open: Arc<Open>,
    /// Of the bytes that are to be written, how many are sealed, and not all with the kernel.
    sealed: usize,
}

/// How far a connection by TLS is.
enum At {
    New(TcpStream, Tls),
    Handshake(Accept<TcpStream>),
    Open(TlsStream<TcpStream>),
    /// The handshake failed.
    Over,
}

impl Transport {
    /// By TLS, if any is given.
    pub(in crate::gateway) fn new(stream: TcpStream, tls: Option<Tls>, open: &Arc<Open>) -> Self {
        let Some(tls) = tls else { return Self::Plain(stream) };
        open.begins_handshake();
        Self::Secure(Box::new(Secure {
            at: At::New(stream, tls),
            open: Arc::clone(open),
            sealed: 0,
        }))
    }
}

impl Secure {
    /// Goes on with the handshake until it is over.
    fn open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<&mut TlsStream<TcpStream>>> {
        if let At::New(..) = self.at
            && let At::New(stream, tls) = std::mem::replace(&mut self.at, At::Over)
        {
            self.at = At::Handshake(TlsAcceptor::from(tls.config()).accept(stream));
        }
        if let At::Handshake(accept) = &mut self.at {
            let accepted = ready!(Pin::new(accept).poll(context));
            self.open.ends_handshake();
            self.at = match accepted {
                Ok(stream) => At::Open(stream),
                Err(error) => {
                    tracing::debug!(target: "pathward::connection", %error, "the TLS handshake failed");
                    At::Over
                }
            };
        }
        Poll::Ready(match &mut self.at {
            At::Open(stream) => Ok(stream),
            // Nothing that could be answered has come.
            _ => Err(io::ErrorKind::ConnectionAborted.into()),
        })
    }

    /// Writes some bytes, of one record at most. They count as written once the kernel has all of their record:
    /// sooner, whoever reads could not open it. Until then, whoever writes has to come back with them.
    fn write(
        &mut self,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let before = self.sealed;
        let stream = ready!(self.open(context))?;
        let count = match before {
            0 => {
                let record = record(buffers);
                ready!(Pin::new(stream).poll_write_vectored(context, &record))?
            }
            count => count,
        };
        let Self { at: At::Open(stream), sealed, .. } = self else { return Poll::Ready(Ok(0)) };
        *sealed = count;
        ready!(Pin::new(stream).poll_flush(context))?;
        *sealed = 0;
        Poll::Ready(match count <= buffers.iter().map(|buffer| buffer.len()).sum() {
            true => Ok(count),
            false => Err(io::ErrorKind::InvalidInput.into()),
        })
    }
}

/// As much of these bytes as one record has.
fn record<'a>(buffers: &'a [IoSlice<'_>]) -> Vec<IoSlice<'a>> {
    let mut room = RECORD;
    let mut record = Vec::with_capacity(buffers.len());
    for buffer in buffers {
        let some = buffer.get(..buffer.len().min(room)).unwrap_or_default();
        room -= some.len();
        if !some.is_empty() {
            record.push(IoSlice::new(some));
        }
    }
    record
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Secure(secure) => {
                let stream = ready!(secure.open(context))?;
                Pin::new(stream).poll_read(context, buffer)
            }
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Secure(secure) => secure.write(context, &[IoSlice::new(bytes)]),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, buffers),
            Self::Secure(secure) => secure.write(context, buffers),
        }
    }

    /// Always: the HTTP library copies an answer for who writes one buffer at a time, and takes it for written
    /// then.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Secure(secure) => match &mut secure.at {
                At::Open(stream) => Pin::new(stream).poll_flush(context),
                _ => Poll::Ready(Ok(())),
            },
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = match self.get_mut() {
            Self::Plain(stream) => Some(stream),
            Self::Secure(secure) => match &mut secure.at {
                At::New(stream, _) => Some(stream),
                At::Handshake(accept) => accept.get_mut(),
                At::Open(stream) => return Pin::new(stream).poll_shutdown(context),
                At::Over => None,
            },
        };
        stream.map_or(Poll::Ready(Ok(())), |stream| Pin::new(stream).poll_shutdown(context))
    }
}
