//! Connections: accepted, limited, served, and ended when the gateway is told to stop.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

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
    wire::Wire,
};

/// How much of a connection's bytes is held at once, at most.
const BUFFER: usize = 64 << 10;

impl Gateway {
    /// Serves connections until `stop` is ready; then what runs may end, for as long as the
    /// options say.
    pub async fn serve(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let options = self.shared.options;
        let places = Arc::new(Semaphore::new(options.max_connections));
        let connections = GracefulShutdown::new();
        let router = self.router();
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = accept(&listener, &places) => accepted,
            };
            let Some((stream, place)) = accepted else { break };
            let has_request = Arc::new(AtomicBool::new(false));
            let wire = Wire::new(stream, options.idle_timeout, Arc::clone(&has_request));
            let router = router.clone();
            let service = service_fn(move |request: http::Request<Incoming>| {
                has_request.store(true, Ordering::Release);
                answer(router.clone(), request.map(HttpBody::new))
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(options.head_timeout)
                .max_buf_size(BUFFER)
                .serve_connection(TokioIo::new(wire), service);
            let connection = connections.watch(connection);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(target: "pathward::connection", %error, "broke off");
                }
                drop(place);
            });
        }
        drop(listener);
        if timeout(options.shutdown_timeout, connections.shutdown()).await.is_err() {
            tracing::warn!(target: "pathward::connection", "stopped with requests still running");
        }
    }
}

/// The next connection, once there is room for it. `None` never, but that the room is gone.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Small answers go out at once.
                let _ = stream.set_nodelay(true);
                return Some((stream, place));
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
