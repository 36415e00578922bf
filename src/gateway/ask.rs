//! One request: limits → who asks → parse → decide → run → respond.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{body::Body as HttpBody, extract::Request};
use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode,
    header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, USER_AGENT},
    request::Parts,
};
use percent_encoding::utf8_percent_encode;
use serde_json::json;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::timeout,
};

use super::{
    Current, Gateway, Shared,
    audit::{Entry, Upstream, path_of},
    auth::Authenticated,
    body::{Limited, drain},
    marker::QUOTED,
    query::Query,
    respond::{Code, Failure, json_response},
    target::{self, Target, TargetError},
};
use crate::{
    engine::{Approved, Decision, Operate, Operation, Outcome},
    executor::ExecuteError,
    path::Path,
    policy::ConnectionId,
};

/// What every response holds until its last byte is sent.
struct Held<B> {
    body: B,
    _places: Places,
}

/// The places of a request: the gateway's, and its user's.
#[derive(Default)]
struct Places {
    gateway: Option<OwnedSemaphorePermit>,
    user: Option<OwnedSemaphorePermit>,
}

impl<B: http_body::Body + Unpin> http_body::Body for Held<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<B::Data>, B::Error>>> {
        std::pin::Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

/// An authenticated request for something in a connection.
pub(super) struct Ask<'a> {
    pub(super) shared: &'a Shared,
    current: &'a Current,
    who: &'a Authenticated,
    request_id: &'a str,
    pub(super) id: ConnectionId<'static>,
    pub(super) path: Path<'static>,
    pub(super) headers: &'a HeaderMap,
}

/// An approval, with the line to write when it is used.
pub(super) struct Allowed<Op> {
    pub(super) approved: Approved<Op>,
    entry: Entry,
}

/// A refusal, with the line to write when it is what the caller hears.
pub(super) struct Refused(Box<(Failure, Entry)>);

/// The body of a request, which comes back from whoever let go of it.
pub(super) struct Incoming {
    body: Option<HttpBody>,
    back: Option<oneshot::Receiver<HttpBody>>,
}

impl Incoming {
    /// Lends the body out, limited.
    pub(super) fn lend(&mut self, limit: u64, idle: Duration) -> Limited {
        let (home, back) = oneshot::channel();
        self.back = Some(back);
        Limited::new(self.body.take().unwrap_or_default(), limit, idle, home)
    }

    /// How long it is, where its head says so.
    pub(super) fn length(&self) -> Option<u64> {
        http_body::Body::size_hint(self.body.as_ref()?).exact()
    }

    /// Whether somebody may have begun to take it.
    fn was_lent(&self) -> bool {
        self.back.is_some()
    }

    async fn drain(self) {
        let Self { body, back } = self;
        let body = body.or_else(|| back?.try_recv().ok());
        if let Some(body) = body {
            drain(body).await;
        }
    }
}

impl Gateway {
    /// Answers one request of the Data API.
    pub(super) async fn answer(&self, request: Request) -> Response<HttpBody> {
        let request_id = request_id();
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
                // Who waits to be asked for the body is not asked, and hears the answer.
                if body.was_lent() || !parts.headers.contains_key(EXPECT) {
                    body.drain().await;
                }
                failure.response(&request_id)
            }
        };
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-request-id", id);
        }
        if is_node(&parts.headers) {
            // See `wire`: each of its requests is the first of a connection.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response.map(|body| HttpBody::new(Held { body, _places: places }))
    }
}

/// Algorithmia's Node client.
pub(super) fn is_node(headers: &HeaderMap) -> bool {
    let name = headers.get(USER_AGENT).map_or(&b""[..], HeaderValue::as_bytes);
    name.windows(b"algorithmia-nodejs/".len()).any(|part| part == b"algorithmia-nodejs/")
}

/// Sixteen random hexadecimal digits; all zeros when there is no randomness, which harms nobody.
fn request_id() -> String {
    let mut bytes = [0; 8];
    let _ = getrandom::fill(&mut bytes);
    format!("{:016x}", u64::from_le_bytes(bytes))
}

impl Shared {
    async fn answer(
        &self,
        request_id: &str,
        parts: &Parts,
        body: &mut Incoming,
        place: &mut Option<OwnedSemaphorePermit>,
    ) -> Result<Response<HttpBody>, Failure> {
        self.check_limits(parts, body)?;
        let current = self.current();
        let Some(who) = current.keys.authenticate(&parts.headers) else {
            tracing::info!(target: "pathward::request", request_id, "no known API key");
            return Err(Failure::new(
                StatusCode::UNAUTHORIZED,
                Code::UnknownKey,
                "the API key is missing or unknown: send it as `Authorization: Simple KEY`",
            ));
        };
        let Ok(own) = Arc::clone(&who.places).try_acquire_owned() else {
            return Err(Failure::full("too many of your requests run at once; try again later"));
        };
        *place = Some(own);
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
        let read = target::read(parts.uri.path()).unwrap_or(Ok(Target::Hosted));
        let (id, path) = match read {
            Ok(Target::Connection { id, path }) => (id, path),
            Ok(Target::HostedRoot) if matches!(parts.method, Method::GET | Method::HEAD) => {
                return Ok(super::listing::hosted_root(who.caller().name));
            }
            Ok(Target::HostedRoot | Target::Hosted) => {
                return Err(Failure::new(
                    StatusCode::NOT_FOUND,
                    Code::InvalidRequest,
                    "there is no hosted data here; name a data connection: s3+label://bucket/key",
                ));
            }
            Err(error) => return Err(malformed(&current, &who, request_id, parts, error)),
        };
        let query = Query::read(parts.uri.query(), takes)
            .map_err(|error| Failure::invalid(error.message()))?;
        let ask = Ask {
            shared: self,
            current: &current,
            who: &who,
            request_id,
            id,
            path,
            headers: &parts.headers,
        };
        match parts.method {
            Method::GET => ask.get(query.marker.as_deref()).await,
            Method::HEAD => ask.head().await,
            Method::PUT => ask.put(body).await,
            Method::POST => ask.post(body).await,
            Method::DELETE => ask.delete(query.force.unwrap_or(false)).await,
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

/// A target that is none: refused before any decision, and logged like one.
fn malformed(
    current: &Current,
    who: &Authenticated,
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
        caller: who.caller().name.to_owned(),
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
        nearest: None,
        list: None,
        revision: current.engine.policy().revision(),
        duration: Duration::ZERO,
    };
    entry.log(request_id, &Upstream::default());
    Failure::invalid(message)
}

impl Ask<'_> {
    /// Decides an operation. What comes of it is logged when it is used.
    pub(super) fn approve<Op: Operate>(&self, operation: Op) -> Result<Allowed<Op>, Refused> {
        let (op, path) = (operation.name(), path_of(&operation));
        let began = Instant::now();
        let decided = self.current.engine.approve(self.who.caller(), &self.id, operation);
        let duration = began.elapsed();
        let entry = |outcome, reason, connection, rule, list| Entry {
            caller: self.who.caller().name.to_owned(),
            key_id: self.who.key_id.to_string(),
            connection,
            op,
            path,
            outcome,
            reason,
            rule,
            nearest: None,
            list,
            revision: self.current.engine.policy().revision(),
            duration,
        };
        match decided {
            Ok(approved) => {
                let connection = approved.connection().id().to_string();
                let rule = approved.rule_id().map(|rule| rule.index());
                let list = approved.list_mode();
                let entry = entry(Outcome::Allow, "allowed.rule", connection, rule, list);
                Ok(Allowed { approved, entry })
            }
            Err(decision) => {
                let named = |decision: &Decision<'_>| match decision.connection() {
                    Some(connection) => connection.id().to_string(),
                    None => self.id.to_string(),
                };
                let failure = Failure::refused(&decision, &self.id.to_string(), &self.asked());
                let entry = entry(
                    decision.outcome(),
                    decision.reason().code(),
                    named(&decision),
                    decision.rule_id().map(|rule| rule.index()),
                    None,
                );
                Err(Refused(Box::new((failure, entry))))
            }
        }
    }

    /// Writes a refusal's line and gives what the caller hears.
    pub(super) fn refuse(&self, refused: Refused) -> Failure {
        let (failure, mut entry) = *refused.0;
        entry.nearest = self.nearest(&entry);
        entry.log(self.request_id, &Upstream::default());
        failure
    }

    /// The rule that was nearest to allowing what was denied, for the log of a connection that has
    /// few enough rules to look at each.
    fn nearest(&self, entry: &Entry) -> Option<usize> {
        const FEW: usize = 256;
        let engine = &self.current.engine;
        let connection = engine.policy().connection(self.owner(), &self.id)?;
        if entry.outcome != Outcome::Deny || connection.rules().len() > FEW {
            return None;
        }
        let operation = Operation::named(entry.op, entry.path.clone()?).ok()??;
        let explanation = engine.explain(self.who.caller(), &self.id, &operation);
        explanation.needs.first()?.nearest(1).first().map(|nearest| nearest.index)
    }

    /// Takes an approval apart: what to run, and the line to write when it has run.
    pub(super) fn begin<Op>(&self, allowed: Allowed<Op>) -> (Approved<Op>, Line<'_>) {
        (allowed.approved, Line { entry: Some(allowed.entry), request_id: self.request_id })
    }

    /// What the request names, as messages quote it.
    pub(super) fn asked(&self) -> String {
        self.quoted(&self.path)
    }

    pub(super) fn quoted(&self, path: &Path<'_>) -> String {
        let text = String::from_utf8_lossy(path.as_bytes());
        format!("{}://{}", self.id, utf8_percent_encode(&text, QUOTED))
    }

    /// The data URI of a path, as success answers have it: not escaped.
    pub(super) fn uri(&self, path: &Path<'_>) -> String {
        format!("{}://{}", self.id, String::from_utf8_lossy(path.as_bytes()))
    }

    /// The user who asks.
    pub(super) fn owner(&self) -> &str {
        self.who.caller().name
    }
}

/// The line of an operation that runs. One that is given up is written as such.
pub(super) struct Line<'a> {
    entry: Option<Entry>,
    request_id: &'a str,
}

impl Line<'_> {
    /// Writes it, and passes the result on.
    pub(super) fn end<T>(
        mut self,
        result: Result<T, ExecuteError>,
        bytes: impl FnOnce(&T) -> Option<u64>,
    ) -> Result<T, ExecuteError> {
        let upstream = match &result {
            Ok(done) => Upstream::done(bytes(done)),
            Err(error) => Upstream::failed(error),
        };
        self.write(&upstream);
        result
    }

    fn write(&mut self, upstream: &Upstream) {
        if let Some(entry) = self.entry.take() {
            entry.log(self.request_id, upstream);
        }
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.write(&Upstream::given_up());
    }
}

/// Says that the process is there.
pub(super) async fn health() -> Response<HttpBody> {
    json_response(StatusCode::OK, &json!({ "status": "ok" }))
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
