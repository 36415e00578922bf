//! Connections to servers.
//!
//! The S3 client's own read up to 400 KiB at once, of which some two or three are on their way to a
//! caller: right for one download and its speed, and 200 MiB for two hundred callers who read slowly.
//! Here a few downloads of each owner have that, and further ones read in small pieces.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use aws_smithy_runtime_api::client::{
    connection::{CaptureSmithyConnection, ConnectionMetadata},
    http::{
        HttpConnector as SmithyConnector, HttpConnectorFuture, SharedHttpClient,
        SharedHttpConnector, http_client_fn,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::{body::SdkBody, retry::ErrorKind};
use http::{HeaderValue, Method, Request, Uri, header::USER_AGENT};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::legacy::{
        Client, Error as ClientError, ResponseFuture,
        connect::{
            CaptureConnection, Connect, Connection, HttpConnector, HttpInfo, capture_connection,
        },
    },
    rt::{TokioExecutor, TokioTimer},
};
use tower::ServiceExt as _;

use super::{
    answer::{Kind, received},
    error::find,
    lookup::Lookup,
    resolve::Resolver,
    share::Share,
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
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("pathward/", env!("CARGO_PKG_VERSION")));

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

    /// These connections for an owner, as the S3 client takes them.
    pub(super) fn client(&self, share: Share) -> SharedHttpClient {
        let connector = Owned { connections: Arc::clone(&self.connections), share };
        let connector = SharedHttpConnector::new(connector);
        // All requests of an account have the same time to connect, and no other time is for it to keep.
        http_client_fn(move |_, _| connector.clone())
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
    fn send(&self, request: Request<SdkBody>, large: bool) -> ResponseFuture;
}

/// The HTTP library's clients.
struct Pooled<C> {
    large: Client<C, SdkBody>,
    small: Client<C, SdkBody>,
}

impl<C> Connections for Pooled<C>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    fn send(&self, request: Request<SdkBody>, large: bool) -> ResponseFuture {
        if large { self.large.request(request) } else { self.small.request(request) }
    }
}

/// Connections, for one owner.
struct Owned {
    connections: Arc<dyn Connections>,
    share: Share,
}

impl fmt::Debug for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owned").finish_non_exhaustive()
    }
}

impl SmithyConnector for Owned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        request.headers_mut().insert(USER_AGENT, AGENT);
        let captured = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&captured));
        }
        let place = match *request.method() {
            Method::GET => self.share.large(),
            _ => None,
        };
        let (kind, share) = (Kind::of(&request), self.share.clone());
        let answer = self.connections.send(request, place.is_some());
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(failed)?;
            let answer = received(answer, kind, &share, place).await;
            HttpResponse::try_from(answer)
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// What the S3 client needs of a connection: not to use it again after a failure.
fn metadata(captured: &CaptureConnection) -> Option<ConnectionMetadata> {
    let captured = captured.clone();
    let mut extensions = http::Extensions::new();
    captured.connection_metadata().as_ref()?.get_extras(&mut extensions);
    let addresses = extensions.get::<HttpInfo>();
    let mut metadata = ConnectionMetadata::builder().proxied(false);
    metadata
        .set_local_addr(addresses.map(HttpInfo::local_addr))
        .set_remote_addr(addresses.map(HttpInfo::remote_addr));
    let poison = move || {
        if let Some(connection) = captured.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    Some(metadata.poison_fn(poison).build())
}

/// A connection was not made in time.
#[derive(Debug)]
struct ConnectTimedOut;

impl fmt::Display for ConnectTimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no connection in time")
    }
}

impl Error for ConnectTimedOut {}

/// Which errors are worth another try: the same as with the client's own connections.
fn failed(error: ClientError) -> ConnectorError {
    let has_io = find::<std::io::Error>(&error).is_some();
    if find::<ConnectTimedOut>(&error).is_some() {
        return ConnectorError::timeout(error.into());
    }
    match find::<hyper::Error>(&error) {
        Some(hyper) if hyper.is_timeout() => ConnectorError::timeout(error.into()),
        Some(hyper) if hyper.is_user() => ConnectorError::user(error.into()),
        Some(hyper) if hyper.is_closed() || hyper.is_canceled() || has_io => {
            ConnectorError::io(error.into())
        }
        Some(hyper) if hyper.is_incomplete_message() => {
            ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
        }
        None if error.is_connect() || has_io => ConnectorError::io(error.into()),
        _ => ConnectorError::other(error.into(), None),
    }
}
