//! Connections: accepted, limited, served, and ended when the gateway is told to stop.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use axum::{body::Body as HttpBody, extract::Request};
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CONNECTION, EXPECT},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulConnection, GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tower::ServiceExt as _;

use super::{
    Gateway, HEALTH, Options, Shared, body,
    connections::{Connections, Open, Running, Seat},
    descriptors::Descriptors,
    proxies::{Proxies, network},
    respond::{Code, Failure, refused},
    spelling::Spelling,
    tls::Transport,
    wire::{Limits, Refusal, Sent, Wire},
    written::Outgoing,
};

/// How much of a connection's bytes is held at once, at most.
const BUFFER: usize = 64 << 10;

/// How long taking back may take that what was cut off left behind.
const SETTLE: Duration = Duration::from_secs(5);

/// What is answered while what is configured cannot be read any more.
const UNREAD: Refusal = Refusal {
    status: StatusCode::SERVICE_UNAVAILABLE,
    message: "nothing is served: the policy cannot be read any more, and what was known of it is too \
              old; whoever runs the gateway finds why in its log",
};

/// What a listener serves.
#[derive(Clone)]
pub(crate) struct Site {
    /// What answers requests.
    pub(crate) router: axum::Router,
    /// The answer to a request that comes to no route, in the form that those who ask here read; they may
    /// say in a header what they read.
    pub(crate) refuse: fn(&Refusal, &HeaderMap) -> Response<HttpBody>,
    /// Whether it stands beside the gateway's own, with fewer connections.
    pub(crate) is_aside: bool,
}

impl Gateway {
    /// Serves connections until `stop` is ready; then what runs may end, for as long as the
    /// options say.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        self.serve_router(self.router(), listener, stop).await;
    }

    /// Serves connections with other routes than the gateway's own, and with its limits, until `stop` is
    /// ready. Each request has a [`Peer`] among its extensions, and a path and query that are what was
    /// sent, byte for byte; what is not UTF-8 of them is read as Latin-1. Requests that can be read in two
    /// ways are answered with 400 and come to no route.
    pub async fn serve_router(
        &self,
        router: axum::Router,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) {
        self.serve_site(Site { router, refuse: refused, is_aside: false }, listener, stop).await;
    }

    /// Serves connections at a listener until `stop` is ready.
    pub(crate) async fn serve_site(
        &self,
        site: Site,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) {
        let options = self.shared.options;
        let places = self.connections(site.is_aside);
        let server = Arc::new(Server {
            shared: Arc::clone(&self.shared),
            proxies: self.shared.proxies(),
            spelling: Spelling::new().await,
            site,
        });
        // Its files are followed for as long as this is there.
        let mut following = JoinSet::new();
        let tls = self.shared.tls();
        if let Some(tls) = &tls {
            following.spawn(tls.clone().follow());
        }
        let connections = GracefulShutdown::new();
        // Dropped at the end, with which every connection is.
        let (cut, is_cut) = tokio::sync::watch::channel(());
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = accept(&listener, &places) => accepted,
            };
            let (stream, peer, seat) = accepted;
            let stream = Transport::new(stream, tls.clone(), &seat.0);
            let connection = connections.watch(Arc::clone(&server).connection(
                stream,
                peer,
                Arc::clone(&seat.0),
            ));
            let mut is_cut = is_cut.clone();
            // What ends it waits for nobody's turn: somebody else waits for its place.
            tokio::spawn(async move {
                tokio::select! {
                    biased;
                    () = seat.0.closed() => {
                        tracing::debug!(target: "pathward::connection", "closed for another");
                    }
                    _ = is_cut.changed() => {}
                    ended = seat.0.in_turns(connection) => if let Err(error) = ended {
                        tracing::debug!(target: "pathward::connection", %error, "broke off");
                    },
                }
                drop(seat);
            });
        }
        drop(listener);
        if timeout(options.shutdown_timeout, connections.shutdown()).await.is_err() {
            tracing::warn!(target: "pathward::connection", "stopped with requests still running");
        }
        drop(cut);
        // An upload that was cut off is taken back while there is a runtime to do it.
        let settled = timeout(SETTLE, self.shared.executor.settle()).await;
        if settled.is_err() {
            tracing::warn!(target: "pathward::connection", "uploads may have left parts behind");
        }
    }

    /// The places of a listener's connections.
    fn connections(&self, is_aside: bool) -> Arc<Connections> {
        let wanted = self.shared.options.max_connections;
        let Descriptors { callers, aside, .. } = Descriptors::shared_out(wanted);
        if is_aside {
            return Connections::new(aside, Arc::clone(&self.shared.turns));
        }
        if callers < wanted {
            tracing::warn!(
                target: "pathward::connection",
                "{callers} connections are served at once and not {wanted}: the process may have too few \
                 file descriptors for more (`ulimit -Hn`)"
            );
        }
        Connections::new(callers, Arc::clone(&self.shared.turns))
    }
}

/// The address that a request came from: of the proxy, where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(pub IpAddr);

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, connections: &Arc<Connections>) -> (TcpStream, Peer, Seat) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Small answers go out at once.
                let _ = stream.set_nodelay(true);
                let seat = connections.admit(network(address.ip())).await;
                return (stream, Peer(address.ip()), seat);
            }
            Err(error) => {
                // Out of file descriptors, most likely: connections that end give some back. It is also
                // said where nobody waits, and then none is closed.
                if is_awaited(listener) {
                    tracing::warn!(target: "pathward::connection", %error, "cannot accept");
                    connections.close_one();
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Whether somebody waits to be accepted.
#[cfg(unix)]
fn is_awaited(listener: &TcpListener) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut asked = [PollFd::new(listener, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    // What cannot be asked is taken to be so.
    poll(&mut asked, Some(&at_once)).map_or(true, |ready| ready > 0)
}

#[cfg(not(unix))]
fn is_awaited(_: &TcpListener) -> bool {
    true
}

/// What all connections of a listener share.
struct Server {
    shared: Arc<Shared>,
    proxies: Arc<Proxies>,
    spelling: Spelling,
    site: Site,
}

impl Server {
    /// A connection that serves until it ends.
    fn connection(
        self: Arc<Self>,
        stream: Transport,
        peer: Peer,
        open: Arc<Open>,
    ) -> impl GracefulConnection<Error = hyper::Error> + Send {
        let Options { max_target, max_head, idle_timeout, head_timeout, .. } = self.shared.options;
        let limits = Limits { target: max_target, headers: max_head };
        let sent = Arc::new(Sent::default());
        let wire = Wire::new(stream, limits, idle_timeout, Arc::clone(&sent), Arc::clone(&open));
        let service = service_fn(move |request: http::Request<Incoming>| {
            let (target, is_torn) = sent.take(&request);
            let running = self.begin(&open, peer, &request);
            let server = Arc::clone(&self);
            async move {
                let running = running.ok_or(Closing)?;
                let mut response = match target {
                    Ok(target) => {
                        let mut request = request.map(HttpBody::new);
                        *request.uri_mut() = target;
                        request.extensions_mut().insert(peer);
                        request.extensions_mut().insert(running.asker());
                        server.answer(request, &running).await
                    }
                    Err(refusal) => server.refuse(&refusal, request.map(HttpBody::new), &running),
                };
                if is_torn {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(CONNECTION, close);
                }
                server.spelling.of(&mut response);
                Ok::<_, Closing>(response.map(|body| Outgoing::new(body, running)))
            }
        });
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head_timeout)
            .max_buf_size(BUFFER)
            .title_case_headers(true)
            .serve_connection(TokioIo::new(wire), service)
    }

    fn begin(
        &self,
        open: &Arc<Open>,
        Peer(peer): Peer,
        request: &http::Request<Incoming>,
    ) -> Option<Running> {
        open.begin(self.proxies.asker(peer, request.headers()).unwrap_or_else(|| network(peer)))
    }

    async fn answer(&self, request: Request, running: &Running) -> Response<HttpBody> {
        let is_over = self.shared.sight.is_over(self.shared.options.max_stale);
        if is_over && request.uri().path() != HEALTH {
            return self.refuse(&UNREAD, request, running);
        }
        routed(self.site.router.clone(), request).await
    }

    /// Answers a request that comes to no route.
    fn refuse(&self, refusal: &Refusal, request: Request, running: &Running) -> Response<HttpBody> {
        running.asker().is_refused();
        let (parts, body) = request.into_parts();
        // Who waits to be asked for the body is not asked, and hears the answer.
        if !parts.headers.contains_key(EXPECT) {
            body::drain(body);
        }
        (self.site.refuse)(refusal, &parts.headers)
    }
}

/// The connection is being closed for another, and no request begins on it any more.
#[derive(Debug)]
struct Closing;

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was closed for another")
    }
}

impl std::error::Error for Closing {}

/// Routes one request. A panic is answered like any failure, and ends no other request.
async fn routed(router: axum::Router, request: Request) -> Response<HttpBody> {
    let answer = std::panic::AssertUnwindSafe(router.oneshot(request));
    match futures_util::FutureExt::catch_unwind(answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => {
            tracing::error!(target: "pathward::request", "a request panicked");
            let message = "something went wrong here";
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message).response("")
        }
    }
}
