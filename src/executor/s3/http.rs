//! Connections to servers.
//!
//! The S3 client's own read up to 400 KiB at once, of which some two or three are on their way to a
//! caller: right for one download and its speed, and 200 MiB for two hundred callers who read slowly.
//! Here a few downloads have that, and further ones read in small pieces.

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
use http::{HeaderValue, Method, Uri, header::USER_AGENT};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::legacy::{
        Client, Error as ClientError,
        connect::{
            CaptureConnection, Connect, Connection, HttpConnector, HttpInfo, capture_connection,
        },
    },
    rt::{TokioExecutor, TokioTimer},
};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use super::{resolve::Resolver, share::Share};
use crate::{
    executor::{ExecuteError, Held},
    policy::is_private,
};

type BoxError = Box<dyn Error + Send + Sync>;

/// How many answers are read in large pieces at once. Each takes up to 1 MiB.
const LARGE: usize = 8;
/// The largest piece.
const LARGE_PIECE: usize = 400 << 10;
/// The largest piece of every other answer.
const SMALL_PIECE: usize = 16 << 10;
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("pathward/", env!("CARGO_PKG_VERSION")));

/// A client for this endpoint, with TLS unless it is plain HTTP. `private` is whether its name may lead
/// to a private address, and `share` what it takes.
pub(super) fn client(
    endpoint: Option<&str>,
    private: bool,
    share: &Share,
    connect_timeout: Duration,
) -> Result<SharedHttpClient, ExecuteError> {
    let mut tcp = HttpConnector::new_with_resolver(Resolver::new(share.lookup(), private));
    tcp.set_nodelay(true);
    let is_plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
    let connector = if is_plain {
        pooled(tcp, private, share, connect_timeout)
    } else {
        tcp.enforce_http(false);
        let tls = tls().ok_or(ExecuteError::Configuration)?;
        let tls = HttpsConnectorBuilder::new().with_tls_config(tls).https_only();
        pooled(tls.enable_http1().wrap_connector(tcp), private, share, connect_timeout)
    };
    // All requests of an account have the same time to connect, and no other time is for it to keep.
    Ok(http_client_fn(move |_, _| connector.clone()))
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

/// Connections by this connector, kept for the next request. Where `private` addresses may not be
/// reached, one that leads there all the same is not used: above all this machine, by its public address.
fn pooled<C>(connector: C, private: bool, share: &Share, limit: Duration) -> SharedHttpConnector
where
    C: tower::Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: hyper::rt::Read + hyper::rt::Write + Connection + Unpin + Send + 'static,
    C::Error: Into<BoxError>,
    C::Future: Send,
{
    let timed = tower::service_fn(move |uri: Uri| {
        let connecting = connector.clone().oneshot(uri);
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(Ok(connected)) if !private && leads_home(&connected) => {
                    Err(BoxError::from("the connection leads into a private network"))
                }
                Ok(connected) => connected.map_err(Into::into),
                Err(_) => Err(BoxError::from(ConnectTimedOut)),
            }
        })
    });
    let client = |piece: usize| {
        Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .http1_max_buf_size(piece)
            .build(timed.clone())
    };
    SharedHttpConnector::new(Pooled {
        large: client(LARGE_PIECE),
        small: client(SMALL_PIECE),
        places: Arc::new(Semaphore::new(LARGE)),
        share: share.clone(),
    })
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

/// The HTTP library's clients, as the S3 client takes them.
struct Pooled<C> {
    large: Client<C, SdkBody>,
    small: Client<C, SdkBody>,
    /// For answers in large pieces, each held until the answer was read.
    places: Arc<Semaphore>,
    share: Share,
}

impl<C> fmt::Debug for Pooled<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pooled").finish_non_exhaustive()
    }
}

impl<C> SmithyConnector for Pooled<C>
where
    C: Connect + Clone + Send + Sync + 'static,
{
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
            Method::GET => Arc::clone(&self.places).try_acquire_owned().ok(),
            _ => None,
        };
        let client = if place.is_some() { &self.large } else { &self.small };
        let (is_file, share) = (is_file(request.uri()), self.share.clone());
        let answer = client.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(failed)?;
            let is_error = !answer.status().is_success();
            let answer = answer.map(|body| match Held::new(body, place) {
                file if is_file && !is_error => SdkBody::from_body_1_x(file),
                whole => SdkBody::from_body_1_x(share.bounded(whole, is_error)),
            });
            HttpResponse::try_from(answer)
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Whether what is asked for is a file, which goes on piece by piece: the client keeps every other answer
/// whole. It says so in a query of its own; a key is never in one.
fn is_file(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "x-id=GetObject"))
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

fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
