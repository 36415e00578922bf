//! Looking up names, by the system's resolver, which takes a thread for as long as it likes.

use std::{
    future::Future,
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::Semaphore;
use tower::Service;

/// How many names of servers that one owner chose are looked up at once, of some hundreds of threads that
/// all owners and the store have together.
const OF_OWNER: usize = 8;
/// How many names of one server that the operator chose, and that many owners may have.
const OF_OPERATOR: usize = 64;

/// Addresses of a name, as the system knows them.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    places: Arc<Semaphore>,
    most: usize,
    system: fn(&str) -> io::Result<Vec<SocketAddr>>,
}

impl Lookup {
    fn new(most: usize) -> Self {
        let system = |name: &str| (name, 0).to_socket_addrs().map(Iterator::collect);
        Self { places: Arc::new(Semaphore::new(most)), most, system }
    }

    /// For the servers of an owner who chose them.
    pub(super) fn of_owner() -> Self {
        Self::new(OF_OWNER)
    }

    /// For a server that the operator chose.
    pub(super) fn of_operator() -> Self {
        Self::new(OF_OPERATOR)
    }

    /// Whether no name is looked up. One that nobody waits for any more still is.
    pub(super) fn is_idle(&self) -> bool {
        self.places.available_permits() == self.most
    }
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

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

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
        let lookup = Lookup { system: slow, ..Lookup::of_owner() };
        let asked = (0..64).map(|_| {
            let one = lookup.clone().oneshot("m.example".parse::<Name>().unwrap());
            tokio::time::timeout(Duration::from_millis(20), one)
        });
        for gave_up in futures_util::future::join_all(asked).await {
            assert!(gave_up.is_err());
        }
        // One that threads are taken by is not forgotten for a fresh one.
        assert!(!lookup.is_idle() && Lookup::of_owner().is_idle());
        // Another owner's does not wait for these.
        let other = Lookup::of_owner().oneshot("localhost".parse::<Name>().unwrap());
        tokio::time::timeout(Duration::from_millis(250), other).await.unwrap().unwrap();
        let last = lookup.oneshot("m.example".parse::<Name>().unwrap()).await;
        assert_eq!(last.unwrap().count(), 0);
        assert_eq!(MOST.load(Ordering::SeqCst), OF_OWNER);
    }
}
