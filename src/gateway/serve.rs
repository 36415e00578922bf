//! Connections: accepted, limited, served, and ended when the gateway is told to stop.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{body::Body as HttpBody, extract::Request};
use http::{Response, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tower::ServiceExt as _;

use super::{
    Gateway,
    respond::{Code, Failure},
    wire::{Turn, Wire},
};
use crate::executor::Held;

/// How much of a connection's bytes is held at once, at most.
const BUFFER: usize = 64 << 10;

/// How long taking back may take that what was cut off left behind.
const SETTLE: Duration = Duration::from_secs(5);

impl Gateway {
    /// Serves connections until `stop` is ready; then what runs may end, for as long as the
    /// options say.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        self.serve_router(self.router(), listener, stop).await;
    }

    /// The same for other routes than the gateway's own, with the same limits. Each request has a
    /// [`Peer`] among its extensions.
    pub async fn serve_router(
        &self,
        router: axum::Router,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) {
        let options = self.shared.options;
        let places = Arc::new(Semaphore::new(options.max_connections));
        let connections = GracefulShutdown::new();
        // Dropped at the end, with which every connection is.
        let (cut, is_cut) = tokio::sync::watch::channel(());
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = accept(&listener, &places) => accepted,
            };
            let Some((stream, peer, place)) = accepted else { break };
            let turn = Arc::new(Turn::default());
            let wire = Wire::new(stream, options.idle_timeout, Arc::clone(&turn));
            let router = router.clone();
            let service = service_fn(move |mut request: http::Request<Incoming>| {
                turn.begin();
                request.extensions_mut().insert(peer);
                let (turn, router) = (Arc::clone(&turn), router.clone());
                async move {
                    let response = answer(router, request.map(HttpBody::new)).await?;
                    Ok::<_, Infallible>(response.map(|body| Held::new(body, OurTurn(turn))))
                }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(options.head_timeout)
                .max_buf_size(BUFFER)
                .serve_connection(TokioIo::new(wire), service);
            let connection = connections.watch(connection);
            let mut is_cut = is_cut.clone();
            tokio::spawn(async move {
                tokio::select! {
                    ended = connection => if let Err(error) = ended {
                        tracing::debug!(target: "pathward::connection", %error, "broke off");
                    },
                    _ = is_cut.changed() => {}
                }
                drop(place);
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
}

/// The address that a request came from: of the proxy, where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(pub std::net::IpAddr);

/// Kept by an answer's body. When that is let go of, nothing of ours is still to be written but what
/// the library holds.
struct OurTurn(Arc<Turn>);

impl Drop for OurTurn {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The next connection, once there is room for it. `None` never, but that the room is gone.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, Peer, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Small answers go out at once.
                let _ = stream.set_nodelay(true);
                return Some((stream, Peer(address.ip()), place));
            }
            Err(error) => {
                // Out of file descriptors, most likely: connections that end give some back.
                tracing::warn!(target: "pathward::connection", %error, "cannot accept");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Routes one request. A panic is answered like any failure, and ends no other request.
async fn answer(router: axum::Router, request: Request) -> Result<Response<HttpBody>, Infallible> {
    let answer = std::panic::AssertUnwindSafe(router.oneshot(request));
    let response = match futures_util::FutureExt::catch_unwind(answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => {
            tracing::error!(target: "pathward::request", "a request panicked");
            let message = "something went wrong here";
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message).response("")
        }
    };
    Ok(response)
}
