//! Names of servers to addresses, but to none that a machine gets its own credentials from.
//!
//! An endpoint that is such an address does not load (`policy/endpoint.rs`). A name can lead there all
//! the same, today or from tomorrow on, and only who looks it up for the connection finds out. The same
//! holds for private addresses, where they are not for whoever wrote the connection.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

use super::lookup::Lookup;
use crate::policy::{is_off_limits, is_private};

/// The system's resolver, without the addresses at which no S3 server is to be.
#[derive(Clone, Debug)]
pub(super) struct Resolver<R = Lookup> {
    inner: R,
    /// Whether private addresses may be reached.
    private: bool,
}

impl Resolver {
    pub(super) fn new(inner: Lookup, private: bool) -> Self {
        Self { inner, private }
    }
}

impl<R> Service<Name> for Resolver<R>
where
    R: Service<Name, Error = io::Error>,
    R::Response: Iterator<Item = SocketAddr>,
    R::Future: Send + 'static,
{
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let host = name.as_str().to_owned();
        let resolving = self.inner.call(name);
        let private = self.private;
        Box::pin(async move {
            let is_allowed = |address: &SocketAddr| {
                !is_off_limits(address.ip()) && (private || !is_private(address.ip()))
            };
            let allowed: Vec<_> = resolving.await?.filter(is_allowed).collect();
            if allowed.is_empty() {
                tracing::warn!(
                    target: "pathward::executor",
                    "{} leads to no address that a connection may reach: to none, to one that a machine \
                     gets its credentials from, or to a private one without `--allow-private-endpoint`",
                    crate::escape::escape(&host),
                );
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "the name leads to no address at which an S3 server may be",
                ));
            }
            Ok(allowed.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use tower::ServiceExt as _;

    use super::*;

    /// What a name leads to, when the system says these addresses.
    async fn resolved(addresses: &[&str], private: bool) -> io::Result<Vec<IpAddr>> {
        let found: Vec<SocketAddr> =
            addresses.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect();
        let system = tower::service_fn(move |_: Name| {
            let found = found.clone();
            async move { io::Result::Ok(found.into_iter()) }
        });
        let name = "m.example".parse::<Name>().unwrap();
        let resolver = Resolver { inner: system, private };
        Ok(resolver.oneshot(name).await?.map(|address| address.ip()).collect())
    }

    #[tokio::test]
    async fn h09_a_name_does_not_lead_to_a_metadata_service() {
        for address in [
            "169.254.169.254",
            "100.100.100.200",
            "168.63.129.16",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
        ] {
            for private in [true, false] {
                assert!(resolved(&[address], private).await.is_err(), "{address}");
                let other = resolved(&[address, "192.0.2.1"], private).await.unwrap();
                assert_eq!(other, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
            }
        }
        assert!(resolved(&[], true).await.is_err());
        assert_eq!(resolved(&["127.0.0.1", "10.0.0.1"], true).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn h09_a_name_leads_into_no_private_network_that_is_not_allowed() {
        assert!(resolved(&["127.0.0.1", "10.0.0.1", "::1"], false).await.is_err());
        let one = resolved(&["10.0.0.1", "192.0.2.1", "fd00::1"], false).await.unwrap();
        assert_eq!(one, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
    }
}
