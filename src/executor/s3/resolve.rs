//! Names of servers to addresses, but to none that a machine gets its own credentials from.
//!
//! An endpoint that is such an address does not load (`policy/endpoint.rs`). A name can lead there all
//! the same, today or from tomorrow on, and only who looks it up for the connection finds out.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service;

use crate::policy::is_off_limits;

/// The system's resolver, without the addresses at which no S3 server is to be.
#[derive(Clone, Debug)]
pub(super) struct Resolver<R = GaiResolver>(R);

impl Resolver {
    pub(super) fn new() -> Self {
        Self(GaiResolver::new())
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
        self.0.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.0.call(name);
        Box::pin(async move {
            let all = resolving.await?;
            let allowed: Vec<_> = all.filter(|address| !is_off_limits(address.ip())).collect();
            if allowed.is_empty() {
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
    async fn resolved(addresses: &[&str]) -> io::Result<Vec<IpAddr>> {
        let found: Vec<SocketAddr> =
            addresses.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect();
        let system = tower::service_fn(move |_: Name| {
            let found = found.clone();
            async move { io::Result::Ok(found.into_iter()) }
        });
        let name = "m.example".parse::<Name>().unwrap();
        Ok(Resolver(system).oneshot(name).await?.map(|address| address.ip()).collect())
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
            assert!(resolved(&[address]).await.is_err(), "{address}");
            let other = resolved(&[address, "192.0.2.1"]).await.unwrap();
            assert_eq!(other, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
        }
        assert!(resolved(&[]).await.is_err());
        assert_eq!(resolved(&["127.0.0.1", "10.0.0.1"]).await.unwrap().len(), 2);
    }
}
