//! Connections: accepting them on loopback, serving them, ending them.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use s3s::service::S3Service;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};

use super::{EmbeddedError, guard};

/// How long requests under way have when the server is to end.
const GRACE: Duration = Duration::from_secs(5);
/// How long accepting waits when it fails, as it does when there are too many open files.
const PAUSE: Duration = Duration::from_millis(50);

pub(super) struct Server {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(
        service: S3Service,
        port: u16,
    ) -> Result<(Self, SocketAddr), EmbeddedError> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(EmbeddedError::Listen)?;
        let address = listener.local_addr().map_err(EmbeddedError::Listen)?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(accept(listener, service, stopped));
        Ok((Self { stop: Some(stop), task }, address))
    }

    pub(super) async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            // Nobody listens only where it has ended already.
            let (Ok(()) | Err(())) = stop.send(());
        }
        // It fails only if it panicked, and then it has ended too.
        drop((&mut self.task).await);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The task owns all connections: they end with it.
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, service: S3Service, mut stopped: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Without it, each small answer waits some 40 ms for the client's ACK.
                    drop(stream.set_nodelay(true));
                    connections.spawn(serve(stream, service.clone(), graceful.watcher()));
                }
                Err(error) => {
                    tracing::warn!(%error, "the embedded server cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    drop(tokio::time::timeout(GRACE, graceful.shutdown()).await);
    connections.shutdown().await;
}

async fn serve(
    stream: TcpStream,
    service: S3Service,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(respond(&service, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), answer);
    // A connection that breaks off is its client's business.
    drop(watcher.watch(connection).await);
}

async fn respond(service: &S3Service, request: Request<Incoming>) -> Response<s3s::Body> {
    if let Err(message) = guard::check(&request) {
        return guard::denial(message);
    }
    match service.call(request.map(s3s::Body::from)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::warn!(?error, "the embedded server failed");
            let mut response = Response::new(s3s::Body::empty());
            *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}
