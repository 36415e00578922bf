//! The management API: JSON over HTTP, for API keys with `manage`.
//!
//! A request's way: how often this address failed → who asks → the route and method → its JSON →
//! [`Manager`] → an answer. Errors have the Data API's shape, `{"error": {"message", "code", "id"}}`;
//! what is wrong with a connection stands beside it, in `problems`.

mod body;
mod connections;
mod connectors;
pub(super) mod guard;
mod keys;
mod questions;
mod shapes;

use std::collections::BTreeMap;

use axum::{
    Router,
    body::Body as HttpBody,
    extract::{RawPathParams, Request},
    routing::any,
};
use http::{
    HeaderValue, Method, Response, StatusCode,
    header::{ALLOW, ETAG, RETRY_AFTER, WWW_AUTHENTICATE},
    request::Parts,
};
use serde::Serialize;
use serde_json::json;

use super::{
    Manager,
    answers::{Problem, Refusal},
    change::ChangeError,
};
use crate::gateway::{
    Admitted, Asker, NotAdmitted, Peer, request_id,
    respond::{Code, json_response, response},
};

/// The page of this API, in the form of OpenAPI 3.1.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// Every route and its method, as the page has them.
pub const ROUTES: [(&str, &str); 14] = [
    ("GET", "/v1/connections"),
    ("POST", "/v1/connections"),
    ("GET", "/v1/connections/{identity}"),
    ("PUT", "/v1/connections/{identity}"),
    ("DELETE", "/v1/connections/{identity}"),
    ("POST", "/v1/connections/{identity}/default"),
    ("POST", "/v1/connections/{identity}/test"),
    ("POST", "/v1/check"),
    ("POST", "/v1/review"),
    ("GET", "/v1/keys"),
    ("POST", "/v1/keys"),
    ("DELETE", "/v1/keys/{id}"),
    ("POST", CONNECTORS),
    ("GET", PAGE),
];

const CONNECTORS: &str = "/v1/users/{username}/connectors";
/// The one route that needs no key: what it says is public.
const PAGE: &str = "/v1/openapi.json";

/// A request that is known to be one of [`ROUTES`], by a user who may manage.
struct Call {
    route: &'static str,
    /// What stands in the place of the route's one parameter.
    parameter: String,
    who: Admitted,
    parts: Parts,
}

/// What a request is answered with.
type Answer = Result<Response<HttpBody>, Refused>;

/// Why a request is not done, and what is wrong with a connection that it sent.
struct Refused {
    refusal: Refusal,
    problems: Vec<Problem>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, problems: Vec::new() }
    }
}

impl From<ChangeError> for Refused {
    fn from(error: ChangeError) -> Self {
        let refusal = error.refusal();
        match error {
            ChangeError::Invalid(problems) => Self { refusal, problems },
            ChangeError::Refused(_) | ChangeError::Store(_) => refusal.into(),
        }
    }
}

impl Refused {
    fn response(self, id: &str) -> Response<HttpBody> {
        let Refusal { status, code, message, retry_after } = self.refusal;
        let mut value = json!({ "error": { "message": message, "code": code, "id": id } });
        if !self.problems.is_empty() {
            value["problems"] = self.problems.iter().map(shapes::problem).collect();
        }
        let mut response = json_response(status, &value);
        if let Some(after) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, after.as_secs().max(1).into());
        }
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Simple realm=\"pathward\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl Manager {
    /// The management API. Has no fallback, so that it can be merged with other routes.
    pub fn router(&self) -> Router {
        self.routes(|_| true)
    }

    /// The one route of the management API that the gateway's listener has too:
    /// `POST /v1/users/{username}/connectors`, as the old API had it.
    pub fn connectors_router(&self) -> Router {
        self.routes(|route| route == CONNECTORS)
    }

    fn routes(&self, takes: impl Fn(&str) -> bool) -> Router {
        let mut routes: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
        for (method, route) in ROUTES {
            routes.entry(route).or_default().push(method);
        }
        let mut router = Router::new();
        for (route, methods) in routes.into_iter().filter(|(route, _)| takes(route)) {
            let manager = self.clone();
            let handler = move |parameters: RawPathParams, request: Request| async move {
                let parameter = parameters.iter().next().map(|(_, value)| value.to_owned());
                manager.answer(route, &methods, parameter.unwrap_or_default(), request).await
            };
            router = router.route(route, any(handler));
        }
        router
    }

    async fn answer(
        &self,
        route: &'static str,
        methods: &[&'static str],
        parameter: String,
        request: Request,
    ) -> Response<HttpBody> {
        let id = request_id();
        let (parts, body) = request.into_parts();
        let method = parts.method.clone();
        let answer = self.admitted(route, methods, parameter, parts, body, &id).await;
        let mut response = answer.unwrap_or_else(|refused| refused.response(&id));
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert("x-request-id", id);
        }
        if headers.get(ALLOW).is_none()
            && response.status() == StatusCode::METHOD_NOT_ALLOWED
            && let Ok(allow) = HeaderValue::from_str(&methods.join(", "))
        {
            response.headers_mut().insert(ALLOW, allow);
        }
        let status = response.status().as_u16();
        tracing::info!(target: "pathward::manage", request_id = id, %method, route, status);
        response
    }

    async fn admitted(
        &self,
        route: &'static str,
        methods: &[&'static str],
        parameter: String,
        parts: Parts,
        body: HttpBody,
        id: &str,
    ) -> Answer {
        let is_method = methods.contains(&parts.method.as_str());
        let who = match route {
            PAGE => None,
            _ => Some(self.who(&parts)?),
        };
        if !is_method {
            return Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                Code::InvalidRequest,
                "there is no such method here",
            )
            .into());
        }
        if parts.uri.query().is_some_and(|query| !query.is_empty()) {
            return Err(bad("this takes no query: leave out what stands behind `?`").into());
        }
        let Some(who) = who else { return Ok(page()) };
        tracing::info!(
            target: "pathward::manage",
            request_id = id,
            caller = who.user,
            key_id = who.key_id,
            method = %parts.method,
            route,
            name = parameter,
        );
        self.dispatch(Call { route, parameter, who, parts }, body).await
    }

    /// Who asks, if they may.
    fn who(&self, parts: &Parts) -> Result<Admitted, Refusal> {
        let peer = parts.extensions.get::<Peer>().copied();
        let guard = &self.shared.guard;
        let admitted = self.gateway().admit(&parts.headers);
        if let (Ok(who), Some(asker)) = (&admitted, parts.extensions.get::<Asker>()) {
            asker.has_key(&who.user).map_err(|_| Refusal::busy())?;
        }
        admitted.map_err(|not| match not {
            NotAdmitted::Unknown => {
                // Whoever has a key is let in all the same: an address is shared, by the code on a
                // machine and by all who come through a proxy, and nobody is to lock its owner out.
                if let Some(after) = guard.is_shut(peer) {
                    let mut refusal = Refusal::new(
                        StatusCode::TOO_MANY_REQUESTS,
                        Code::UnknownKey,
                        "too many requests with unknown API keys came from this address; try \
                         again later",
                    );
                    refusal.retry_after = Some(after);
                    return refusal;
                }
                guard.failed(peer);
                tracing::info!(target: "pathward::manage", "no known API key");
                Refusal::new(
                    StatusCode::UNAUTHORIZED,
                    Code::UnknownKey,
                    "the API key is missing or unknown: send it as `Authorization: Simple KEY`",
                )
            }
            NotAdmitted::DataKey => Refusal::new(
                StatusCode::FORBIDDEN,
                Code::NotAuthorized,
                "this API key is for data alone: use one that may manage",
            ),
            NotAdmitted::Full => Refusal::busy(),
        })
    }

    async fn dispatch(&self, mut call: Call, body: HttpBody) -> Answer {
        match (call.parts.method.clone(), call.route) {
            (Method::GET, "/v1/connections") => self.list_connections(&call).await,
            (Method::POST, "/v1/connections") => self.create_connection(&call, body).await,
            (Method::GET, "/v1/connections/{identity}") => self.show_connection(&call).await,
            (Method::PUT, "/v1/connections/{identity}") => {
                self.change_connection(&call, body).await
            }
            (Method::DELETE, "/v1/connections/{identity}") => self.delete_connection(&call).await,
            (Method::POST, "/v1/connections/{identity}/default") => {
                self.make_connection_default(&call, body).await
            }
            (Method::POST, "/v1/connections/{identity}/test") => {
                self.test_connection(&mut call, body).await
            }
            (Method::POST, "/v1/check") => self.check(&call, body).await,
            (Method::POST, "/v1/review") => self.review_connection(&call, body).await,
            (Method::GET, "/v1/keys") => self.list_keys(&call).await,
            (Method::POST, "/v1/keys") => self.make_key(&call, body).await,
            (Method::DELETE, "/v1/keys/{id}") => self.revoke(&call).await,
            (Method::POST, CONNECTORS) => self.create_connector(&call, body).await,
            // What is among `ROUTES` is above: a test goes through all of them.
            _ => Err(Refusal::internal().into()),
        }
    }
}

/// A request that cannot be meant.
fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, message)
}

/// An answer with the revision of what it shows.
fn tagged(status: StatusCode, value: &impl Serialize, revision: &str) -> Response<HttpBody> {
    let mut response = json_response(status, value);
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// Done, and there is nothing to say.
fn done() -> Response<HttpBody> {
    response(StatusCode::NO_CONTENT, http::HeaderMap::new(), HttpBody::empty())
}

fn page() -> Response<HttpBody> {
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(http::header::CONTENT_LENGTH, OPENAPI.len().into());
    response(StatusCode::OK, headers, HttpBody::from(OPENAPI))
}
