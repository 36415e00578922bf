//! One request: limits → who asks → parse → decide → run → respond.

use std::{sync::Arc, time::Duration};

use axum::{body::Body as HttpBody, extract::Request};
use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode,
    header::{CONTENT_LENGTH, EXPECT, HOST, USER_AGENT},
    request::Parts,
};
use serde_json::json;
use tokio::{sync::OwnedSemaphorePermit, task::yield_now, time::timeout};

use super::{
    Current, Gateway, Shared,
    audit::{Entry, Upstream},
    auth::Authenticated,
    body::{Incoming, Places},
    connections::Asker,
    decide::Ask,
    listing,
    query::Query,
    respond::{Code, Failure, json_response},
    target::{self, Target, TargetError},
};
use crate::{
    engine::Outcome,
    executor::{ExecuteError, Held},
};

impl Gateway {
    /// Answers one request of the Data API.
    pub(super) async fn answer(&self, request: Request) -> Response<HttpBody> {
        let request_id: Arc<str> = request_id().into();
        let (parts, body) = request.into_parts();
        let mut body = Incoming { body: Some(body), back: None };
        let mut places = Places::default();
        let response = match Arc::clone(&self.shared.running).try_acquire_owned() {
            Ok(place) => {
                places.gateway = Some(place);
                let limit = match parts.method {
                    Method::PUT => Duration::MAX,
                    Method::DELETE => self.shared.options.delete_timeout,
                    _ => self.shared.options.request_timeout,
                };
                let answer = self.shared.answer(&request_id, &parts, &mut body, &mut places.user);
                let late = |_| Err(Failure::of(&ExecuteError::TimedOut, ""));
                timeout(limit, answer).await.unwrap_or_else(late)
            }
            Err(_) => Err(Failure::full("too many requests run at once; try again later")),
        };
        let mut response = match response {
            Ok(response) => response,
            Err(failure) => {
                // Its places are free again: a refused body that comes slowly, which needs no key,
                // holds up nobody else.
                places = Places::default();
                if let Some(asker) = parts.extensions.get::<Asker>() {
                    asker.is_refused();
                }
                // Who waits to be asked for the body is not asked, and hears the answer.
                if body.was_lent() || !parts.headers.contains_key(EXPECT) {
                    body.drain();
                }
                failure.response(&request_id)
            }
        };
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-request-id", id);
        }
        response.map(|body| HttpBody::new(Held::new(body, places)))
    }
}

/// Algorithmia's Node client of version 0, which fails at what its successor in TypeScript reads.
pub(super) fn is_node(headers: &HeaderMap) -> bool {
    let name = headers.get(USER_AGENT).map_or(&b""[..], HeaderValue::as_bytes);
    name.starts_with(b"algorithmia-nodejs/0.")
}

/// Sixteen random hexadecimal digits; all zeros when there is no randomness, which harms nobody.
pub(crate) fn request_id() -> String {
    let mut bytes = [0; 8];
    let _ = getrandom::fill(&mut bytes);
    format!("{:016x}", u64::from_le_bytes(bytes))
}

impl Shared {
    async fn answer(
        &self,
        request_id: &Arc<str>,
        parts: &Parts,
        body: &mut Incoming,
        place: &mut Option<OwnedSemaphorePermit>,
    ) -> Result<Response<HttpBody>, Failure> {
        self.check_limits(parts, body)?;
        let unknown = || {
            tracing::info!(target: "pathward::request", request_id = &**request_id, "no known API key");
            Failure::new(
                StatusCode::UNAUTHORIZED,
                Code::UnknownKey,
                "the API key is missing or unknown: send it as `Authorization: Simple KEY`",
            )
        };
        let mut current = self.current();
        let mut who = current.authenticate(&parts.headers).ok_or_else(unknown)?;
        let full = || Failure::full("too many of your requests run at once; try again later");
        let was_anothers = match parts.extensions.get::<Asker>() {
            Some(asker) => asker.has_key(who.caller().name()).map_err(|_| full())?,
            None => false,
        };
        *place = Some(Arc::clone(&who.places).try_acquire_owned().map_err(|_| full())?);
        if was_anothers {
            // What follows is of its owner's turn, whose it may not be. Before it has a place of its owner's
            // it does not wait: it has one of all.
            yield_now().await;
            // It may have waited for long, and is decided by the policy that holds now.
            current = self.current();
            who = current.authenticate(&parts.headers).ok_or_else(unknown)?;
        }
        let takes: &[&str] = match parts.method {
            Method::GET => &["marker", "acl"],
            Method::DELETE => &["force"],
            Method::HEAD | Method::PUT | Method::POST | Method::PATCH => &[],
            _ => {
                return Err(Failure::new(
                    StatusCode::METHOD_NOT_ALLOWED,
                    Code::InvalidRequest,
                    "there is no such method here",
                ));
            }
        };
        let query = || {
            Query::read(parts.uri.query(), takes).map_err(|error| Failure::invalid(error.message()))
        };
        let unkept = || {
            Failure::new(
                StatusCode::NOT_FOUND,
                Code::InvalidRequest,
                "there is no hosted data here; name a data connection: s3+label://bucket/key",
            )
        };
        let looks = matches!(parts.method, Method::GET | Method::HEAD);
        let user = who.caller().name();
        let (id, path) = match target::read(parts.uri.path()).ok_or_else(unkept)? {
            Ok(Target::Connection { id, path }) => (id, path),
            Ok(Target::HostedRoot) if looks => return listing::hosted(&query()?, &[user]),
            Ok(Target::Hosted { path }) if looks && is_of(user, &path) => {
                return listing::hosted(&query()?, &[]);
            }
            Ok(Target::HostedRoot | Target::Hosted { .. }) => return Err(unkept()),
            Err(error) => return Err(malformed(&current, &who, request_id, parts, error)),
        };
        let query = query()?;
        let ask = Ask {
            shared: self,
            current: &current,
            who: &who,
            request_id,
            id,
            path,
            headers: &parts.headers,
            asker: parts.extensions.get::<Asker>(),
        };
        match parts.method {
            Method::GET => ask.get(query.marker.as_deref()).await,
            Method::HEAD => ask.head().await,
            Method::PUT => ask.put(body).await,
            Method::POST => ask.post(body).await,
            Method::DELETE => ask.delete(query.force).await,
            _ => ask.patch(),
        }
    }

    fn check_limits(&self, parts: &Parts, body: &Incoming) -> Result<(), Failure> {
        let too = |status, message: &str| Err(Failure::new(status, Code::InvalidRequest, message));
        let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
        if target > self.options.max_target {
            return too(StatusCode::URI_TOO_LONG, "the request's address is too long");
        }
        let head: usize = parts.headers.iter().map(|(n, v)| n.as_str().len() + v.len() + 4).sum();
        if head > self.options.max_head {
            return too(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "the request's headers are too large",
            );
        }
        if body.length().is_some_and(|length| length > self.options.max_body) {
            return too(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is larger than what is taken here",
            );
        }
        if parts.headers.get_all(HOST).iter().count() > 1
            || parts.headers.get_all(CONTENT_LENGTH).iter().count() > 1
        {
            return Err(Failure::invalid("a header stands twice that may stand once"));
        }
        Ok(())
    }
}

/// Whether a path of hosted data names the user's own folder.
fn is_of(user: &str, path: &str) -> bool {
    let name = path.strip_suffix('/').unwrap_or(path);
    name == user || name == ".my"
}

/// A target that is none: refused before any decision, and logged like one.
fn malformed(
    current: &Current,
    who: &Authenticated<'_>,
    request_id: &str,
    parts: &Parts,
    error: TargetError,
) -> Failure {
    let (reason, message) = match error {
        TargetError::Encoding => {
            ("invalid.encoding", "the escapes in the address are not UTF-8".to_owned())
        }
        TargetError::Connection(error) => ("invalid.operation", error.to_string()),
        TargetError::Path(error) => (error.code(), error.to_string()),
    };
    let entry = Entry {
        caller: who.caller().name().to_owned(),
        key_id: who.key_id.to_string(),
        connection: String::new(),
        op: match parts.method {
            Method::GET => "read",
            Method::HEAD => "stat",
            Method::PUT => "write",
            Method::POST => "create-directory",
            Method::DELETE => "delete",
            _ => "write-acl",
        },
        path: None,
        outcome: Outcome::Invalid,
        reason,
        rule: None,
        list: None,
        revision: current.engine.policy().revision(),
        duration: Duration::ZERO,
    };
    entry.log(request_id, &Upstream::default());
    Failure::invalid(message)
}

/// Says that the process is there, and whether it serves what is configured.
pub(super) fn health(is_stale: bool, is_over: bool) -> Response<HttpBody> {
    // Those who know the answer of a gateway that is well get it as it always was.
    let answer = match (is_stale, is_over) {
        (_, true) => json!({ "status": "ok", "policy": "stale", "serving": false }),
        (true, _) => json!({ "status": "ok", "policy": "stale" }),
        _ => json!({ "status": "ok" }),
    };
    json_response(StatusCode::OK, &answer)
}

/// What is under no route.
pub(super) async fn no_route() -> Response<HttpBody> {
    Failure::new(
        StatusCode::NOT_FOUND,
        Code::InvalidRequest,
        "there is nothing here; the Data API is under /v1/connector/ and /v1/data/",
    )
    .response(&request_id())
}
