//! What was read of a connection's requests, for whoever answers them.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use http::{Method, Request, Uri};
use http_body::Body;

use super::refusal::Refusal;

/// The requests of a connection that the HTTP library has got and nobody has taken, in their order.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Sent(Mutex<VecDeque<One>>);

#[derive(Debug)]
struct One {
    number: u64,
    method: Method,
    length: Option<u64>,
    target: Result<Uri, Refusal>,
}

impl Sent {
    pub(super) fn push(
        &self,
        number: u64,
        method: Method,
        length: Option<u64>,
        target: Result<Uri, Refusal>,
    ) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_back(One { number, method, length, target });
    }

    /// The target of the request that the library has come to, or why it is refused; and whether its
    /// connection ends with it, because the library's idea of it is not what was read.
    pub(in crate::gateway) fn take(
        &self,
        request: &Request<impl Body>,
    ) -> (Result<Uri, Refusal>, bool) {
        let next = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let number = request.uri().path().strip_prefix('/').and_then(|text| text.parse().ok());
        match next {
            Some(one)
                if Some(one.number) == number
                    && one.method == *request.method()
                    && one.length == request.body().size_hint().exact() =>
            {
                (one.target, false)
            }
            _ => {
                tracing::error!(
                    target: "pathward::connection",
                    "the HTTP library read another request than was sent, which was refused"
                );
                (Err(Refusal::DISAGREEMENT), true)
            }
        }
    }
}
