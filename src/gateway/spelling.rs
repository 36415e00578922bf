//! How the names of headers are spelled in answers.
//!
//! Every spelling means the same to HTTP, and some clients look for one alone: that of servers that write names in
//! title case, and of S3. The HTTP library writes title case. What that does not give it writes as a request
//! had it, for those who pass answers on; so such a request is made, once.

use std::{
    convert::Infallible,
    sync::{Mutex, PoisonError},
};

use axum::body::Body as HttpBody;
use http::{Extensions, HeaderName, Request, Response, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt as _, duplex};

/// Names that are not in title case.
const NAMES: [(HeaderName, &str); 2] =
    [(header::ETAG, "ETag"), (header::WWW_AUTHENTICATE, "WWW-Authenticate")];
/// More than the request and its answer have, in bytes.
const ROOM: usize = 1_024;

/// How the HTTP library is told of [`NAMES`].
#[derive(Debug)]
pub(super) struct Spelling(Extensions);

impl Spelling {
    /// Asks the library, in memory.
    pub(super) async fn new() -> Self {
        let kept = Mutex::new(Extensions::new());
        let keep = service_fn(async |mut request: Request<Incoming>| {
            let extensions = std::mem::take(request.extensions_mut());
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = extensions;
            Ok::<_, Infallible>(Response::new(HttpBody::empty()))
        });
        let lines: String = NAMES.iter().map(|(_, name)| format!("{name}: -\r\n")).collect();
        let (mut asks, answers) = duplex(ROOM);
        // All of it fits in, so that nothing waits. Where it fails, title case is left.
        if asks.write_all(format!("GET / HTTP/1.0\r\n{lines}\r\n").as_bytes()).await.is_ok() {
            let mut library = http1::Builder::new();
            library.preserve_header_case(true);
            let _ = library.serve_connection(TokioIo::new(answers), keep).await;
        }
        let mut kept = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        kept.remove::<OnUpgrade>();
        Self(kept)
    }

    /// Has the library spell the names of an answer so.
    pub(super) fn of<B>(&self, response: &mut Response<B>) {
        if NAMES.iter().any(|(name, _)| response.headers().contains_key(name)) {
            response.extensions_mut().extend(self.0.clone());
        }
    }
}
