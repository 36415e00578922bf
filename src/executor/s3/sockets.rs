//! Connections to servers, each of which takes a descriptor: how many there may be at once.
//!
//! Who asks for one more than there may be waits for one that ends, as for a server that does not answer. The
//! servers that one owner chose have a quarter of all together, and each that an operator chose a half.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// All that there may be.
#[derive(Debug)]
pub(super) struct Sockets {
    all: Arc<Semaphore>,
    most: usize,
}

impl Sockets {
    /// So many, and at least four.
    pub(super) fn new(most: usize) -> Self {
        let most = most.clamp(4, Semaphore::MAX_PERMITS);
        Self { all: Arc::new(Semaphore::new(most)), most }
    }

    /// For the servers that one owner chose.
    pub(super) fn of_owner(&self) -> OwnSockets {
        self.of(self.most / 4)
    }

    /// For a server that the operator chose.
    pub(super) fn of_operator(&self) -> OwnSockets {
        self.of(self.most / 2)
    }

    fn of(&self, most: usize) -> OwnSockets {
        OwnSockets { all: Arc::clone(&self.all), own: Arc::new(Semaphore::new(most)), most }
    }
}

/// A share of them.
#[derive(Clone, Debug)]
pub(super) struct OwnSockets {
    all: Arc<Semaphore>,
    own: Arc<Semaphore>,
    most: usize,
}

impl OwnSockets {
    /// One, once there is one: of the share first, so that nobody holds back what is everybody's.
    pub(super) async fn take(&self) -> Option<Taken> {
        let own = Arc::clone(&self.own).acquire_owned().await.ok()?;
        let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Taken { _own: own, _all: all })
    }

    /// Whether there is no connection of it.
    pub(super) fn is_idle(&self) -> bool {
        self.own.available_permits() == self.most
    }
}

/// The place of a connection, for as long as this is there.
#[derive(Debug)]
pub(super) struct Taken {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

/// A connection in its place.
pub(super) struct Placed<T> {
    connection: T,
    _place: Taken,
}

impl<T> Placed<T> {
    pub(super) fn new(connection: T, place: Taken) -> Self {
        Self { connection, _place: place }
    }
}

impl<T: Connection> Connection for Placed<T> {
    fn connected(&self) -> Connected {
        self.connection.connected()
    }
}

impl<T: Read + Unpin> Read for Placed<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_read(context, into)
    }
}

impl<T: Write + Unpin> Write for Placed<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(context, pieces)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn who_takes_a_share_leaves_the_others() {
        let soon = Duration::from_millis(20);
        let sockets = Sockets::new(8);
        let (ana, bob, server) = (sockets.of_owner(), sockets.of_owner(), sockets.of_operator());
        let mut held = Vec::new();
        for share in [&ana, &ana, &bob, &server, &server, &server, &server] {
            held.push(share.take().await.expect("open"));
        }
        for share in [&ana, &server] {
            assert!(timeout(soon, share.take()).await.is_err());
        }
        held.push(bob.take().await.expect("open"));
        // All are taken: another owner waits for whoever ends.
        let carl = sockets.of_owner();
        assert!(timeout(soon, carl.take()).await.is_err() && !ana.is_idle());
        drop(held);
        assert!(timeout(soon, carl.take()).await.is_ok() && ana.is_idle());
    }
}
