//! The portal's own listener: connections accepted, limited and served, until it is told to stop.

use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use axum::{body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    time::{interval, sleep, timeout},
};
use tower::ServiceExt as _;

use super::Portal;

/// How many connections are open at once; further ones wait to be accepted.
const CONNECTIONS: usize = 256;
/// How long a head may take to come.
const HEAD: Duration = Duration::from_secs(15);
/// How long a connection may last, whatever it does. Browsers make another one.
const LONGEST: Duration = Duration::from_secs(300);
/// How long running requests may go on after the portal was told to stop.
const STOPPING: Duration = Duration::from_secs(5);
/// How often what is over is let go of.
const SWEEP: Duration = Duration::from_secs(30);

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

impl Portal {
    /// Serves connections until `stop` is ready.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let connections = GracefulShutdown::new();
        let router = self.router();
        let sweeping = tokio::spawn({
            let portal = self.clone();
            async move {
                let mut times = interval(SWEEP);
                loop {
                    times.tick().await;
                    portal.shared.sessions.sweep();
                }
            }
        });
        let mut stop = std::pin::pin!(stop);
        loop {
            let place = tokio::select! {
                () = &mut stop => break,
                place = Arc::clone(&places).acquire_owned() => place,
            };
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(target: "pathward::portal", %error, "cannot accept");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let router = router.clone();
            let service = service_fn(move |request: http::Request<Incoming>| {
                let router = router.clone();
                let mut request: Request = request.map(Body::new);
                request.extensions_mut().insert(Peer(peer.ip()));
                async move { Ok::<_, Infallible>(answer(router, request).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(64 << 10)
                .serve_connection(TokioIo::new(stream), service);
            let connection = connections.watch(connection);
            tokio::spawn(async move {
                if let Ok(Err(error)) = timeout(LONGEST, connection).await {
                    tracing::debug!(target: "pathward::portal", %error, "broke off");
                }
                drop(place);
            });
        }
        drop(listener);
        sweeping.abort();
        let _ = timeout(STOPPING, connections.shutdown()).await;
    }
}

async fn answer(router: axum::Router, request: Request) -> axum::response::Response {
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
