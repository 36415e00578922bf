//! Connections to servers.
//!
//! Read up to 400 KiB at once, of which some two or three are on their way to a
//! caller: right for one download and its speed, and 200 MiB for two hundred callers who read slowly.
//! Here a few downloads of each owner have that, and further ones read in small pieces.

use std::{error::Error, sync::Arc, time::Duration};

use http::{Request, Uri};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::legacy::{
        Client, ResponseFuture,
        connect::{Connect, Connection, HttpConnector, HttpInfo},
    },
    rt::{TokioExecutor, TokioTimer},
};
use tower::ServiceExt as _;

use super::{
    fault::ConnectTimedOut,
    lookup::Lookup,
    request::Outgoing,
    resolve::Resolver,
    sockets::{OwnSockets, Placed},
};
use crate::{executor::ExecuteError, policy::is_private};

type BoxError = Box<dyn Error + Send + Sync>;

/// The largest piece of the few answers that are read in large ones.
const LARGE_PIECE: usize = 400 << 10;
/// The largest piece of every other answer.
const SMALL_PIECE: usize = 16 << 10;
/// How many connections that no request uses are kept, for each size of pieces.
const IDLE: usize = 64;
/// For how long.
const IDLE_FOR: Duration = Duration::from_secs(20);
/// Connections to one server, kept for the next request, whosever it is.
#[derive(Clone)]
pub(super) struct Pool {
    connections: Arc<dyn Connections>,
    lookup: Lookup,
}

impl Pool {
    /// To this endpoint, with TLS unless it is plain HTTP. `private` is whether its name may lead to a
    /// private address, `lookup` finds out where it leads, and connections are taken of `sockets`.
    pub(super) fn new(
        endpoint: Option<&str>,
        private: bool,
        lookup: Lookup,
        sockets: &OwnSockets,
        connect_timeout: Duration,
    ) -> Result<Self, ExecuteError> {
        let mut tcp = HttpConnector::new_with_resolver(Resolver::new(lookup.clone(), private));
        tcp.set_nodelay(true);
        let is_plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        let connections = if is_plain {
            pooled(tcp, private, sockets, connect_timeout)
        } else {
            tcp.enforce_http(false);
            let tls = tls().ok_or(ExecuteError::Configuration)?;
            let tls = HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
            pooled(tls.enable_http1().wrap_connector(tcp), private, sockets, connect_timeout)
        };
        Ok(Self { connections, lookup })
    }

    /// Sends a request; its answer is read in large pieces or in small ones.
    pub(super) fn send(&self, request: Request<Outgoing>, large: bool) -> ResponseFuture {
        self.connections.send(request, large)
    }

    /// Whether nobody else has this pool, and no name is looked up by it.
    pub(super) fn is_alone(&self) -> bool {
        Arc::strong_count(&self.connections) == 1 && self.lookup.is_idle()
    }
}

/// TLS that trusts what the system trusts.
fn tls() -> Option<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .ok()?;
    Some(config.with_root_certificates(roots).with_no_client_auth())
}

/// Connections by this connector. Where `private` addresses may not be reached, one that leads there all
/// the same is not used: above all this machine, by its public address.
fn pooled<C>(
    connector: C,
    private: bool,
    sockets: &OwnSockets,
    limit: Duration,
) -> Arc<dyn Connections>
where
    C: tower::Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: hyper::rt::Read + hyper::rt::Write + Connection + Unpin + Send + 'static,
    C::Error: Into<BoxError>,
    C::Future: Send,
{
    let sockets = sockets.clone();
    let timed = tower::service_fn(move |uri: Uri| {
        let (connector, sockets) = (connector.clone(), sockets.clone());
        Box::pin(async move {
            let connecting = async {
                let place = sockets.take().await.ok_or("no connection is made any more")?;
                let connected = connector.oneshot(uri).await.map_err(Into::into)?;
                match !private && leads_home(&connected) {
                    true => Err(BoxError::from("the connection leads into a private network")),
                    false => Ok(Placed::new(connected, place)),
                }
            };
            let connected = tokio::time::timeout(limit, connecting).await;
            connected.unwrap_or_else(|_| Err(BoxError::from(ConnectTimedOut)))
        })
    });
    let client = |piece: usize| {
        Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(IDLE)
            .pool_idle_timeout(IDLE_FOR)
            .http1_max_buf_size(piece)
            .build(timed.clone())
    };
    Arc::new(Pooled { large: client(LARGE_PIECE), small: client(SMALL_PIECE) })
}

/// Whether the other end of a connection is this machine, or private.
fn leads_home(connection: &impl Connection) -> bool {
    let mut extensions = http::Extensions::new();
    connection.connected().get_extras(&mut extensions);
    extensions.get::<HttpInfo>().is_none_or(|addresses| {
        let remote = addresses.remote_addr().ip();
        is_private(remote) || remote == addresses.local_addr().ip()
    })
}

/// Sends requests, and reads their answers in large pieces or in small ones.
trait Connections: Send + Sync {
    fn send(&self, request: Request<Outgoing>, large: bool) -> ResponseFuture;
}

/// The HTTP library's clients.
struct Pooled<C> {
    large: Client<C, Outgoing>,
    small: Client<C, Outgoing>,
}

impl<C> Connections for Pooled<C>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    fn send(&self, request: Request<Outgoing>, large: bool) -> ResponseFuture {
        if large { self.large.request(request) } else { self.small.request(request) }
    }
}
