//! Responses: what each of them carries, and how a failure is told.

use std::time::Duration;

use axum::body::Body as HttpBody;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
        RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
    },
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{ask::request_id, wire::Refusal};
use crate::{
    engine::{Decision, Outcome, Reason},
    executor::{BodyError, ExecuteError, TreeError},
};

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Codes of the Data API's errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    NotAuthorized = 2001,
    UnknownKey = 2002,
    InvalidJson = 2013,
    InvalidRequest = 2015,
    Internal = 5001,
    InvalidMarker = 5002,
}

/// Why a request was not done, as its caller is told.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) code: Code,
    pub(crate) message: String,
    /// How many objects were deleted before it failed.
    pub(crate) deleted: Option<u64>,
    pub(crate) retry_after: Option<Duration>,
    /// How many bytes there are of a file that has none of those that were asked for.
    whole_size: Option<u64>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            deleted: None,
            retry_after: None,
            whole_size: None,
        }
    }

    /// A request that cannot be meant.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidRequest, message)
    }

    /// A marker that is none of this listing's.
    pub(crate) fn marker() -> Self {
        let message = "the marker is not one of this listing; begin again without one";
        Self::new(StatusCode::BAD_REQUEST, Code::InvalidMarker, message)
    }

    /// More is asked at once than there is room for.
    pub(crate) fn full(message: &str) -> Self {
        let mut failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Internal, message);
        failure.retry_after = Some(Duration::from_secs(1));
        failure
    }

    pub(crate) fn missing(asked: &str) -> Self {
        let message = format!("there is no file or directory {asked}");
        Self::new(StatusCode::NOT_FOUND, Code::InvalidRequest, message)
    }

    /// There is no such file, and of a directory of its name nothing may be told.
    pub(crate) fn missing_file(asked: &str) -> Self {
        let message = format!(
            "there is no file {asked}, and this data connection does not permit that for the \
             directory {asked}/"
        );
        Self::new(StatusCode::NOT_FOUND, Code::InvalidRequest, message)
    }

    /// A decision that is not an allow. Says what was asked for and nothing of the policy: not
    /// whether a restriction is near, nor whether anything is there.
    pub(crate) fn refused(decision: &Decision<'_>, connection: &str, asked: &str) -> Self {
        match (decision.outcome(), decision.reason()) {
            (_, Reason::UnknownConnection) => Self::new(
                StatusCode::FORBIDDEN,
                Code::NotAuthorized,
                format!("you have no data connection {connection}"),
            ),
            (_, Reason::Acl) => {
                Self::invalid("permissions of a data connection change only where it is configured")
            }
            (Outcome::Invalid, Reason::InvalidPath) => Self::invalid(format!(
                "the data source could read {asked} as another name: it has an empty segment or a \\"
            )),
            (Outcome::Invalid, _) => Self::invalid(format!(
                "this cannot be done with {asked}: name a file or folder in a bucket"
            )),
            _ => Self::not_permitted(asked),
        }
    }

    fn not_permitted(asked: &str) -> Self {
        let message = format!("this data connection does not permit that for {asked}");
        Self::new(StatusCode::FORBIDDEN, Code::NotAuthorized, message)
    }

    /// An approved operation that was not done.
    pub(crate) fn of(error: &ExecuteError, asked: &str) -> Self {
        let (status, code) = match error {
            ExecuteError::Missing => return Self::missing(asked),
            ExecuteError::Withdrawn(_) => return Self::not_permitted(asked),
            ExecuteError::NotModified { .. } => (StatusCode::NOT_MODIFIED, Code::InvalidRequest),
            ExecuteError::PreconditionFailed => {
                (StatusCode::PRECONDITION_FAILED, Code::InvalidRequest)
            }
            ExecuteError::ConditionsNotHonoured | ExecuteError::NotOffered => {
                (StatusCode::NOT_IMPLEMENTED, Code::InvalidRequest)
            }
            ExecuteError::RangeNotSatisfiable { size } => {
                let status = StatusCode::RANGE_NOT_SATISFIABLE;
                let failure = Self::new(status, Code::InvalidRequest, error.to_string());
                return Self { whole_size: *size, ..failure };
            }
            ExecuteError::KeyNotSendable => (StatusCode::BAD_REQUEST, Code::InvalidRequest),
            ExecuteError::Unnamable => (StatusCode::CONFLICT, Code::InvalidRequest),
            ExecuteError::Body(BodyError::TooLarge { .. }) | ExecuteError::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, Code::InvalidRequest)
            }
            ExecuteError::Body(BodyError::TimedOut) => {
                (StatusCode::REQUEST_TIMEOUT, Code::InvalidRequest)
            }
            ExecuteError::Body(_) => (StatusCode::BAD_REQUEST, Code::InvalidRequest),
            ExecuteError::Busy { .. } => (StatusCode::SERVICE_UNAVAILABLE, Code::Internal),
            ExecuteError::TimedOut => (StatusCode::GATEWAY_TIMEOUT, Code::Internal),
            ExecuteError::Credentials | ExecuteError::Configuration => {
                (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal)
            }
            // Of uploads that the executor made by itself.
            ExecuteError::NoSuchUpload
            | ExecuteError::InvalidParts(_)
            | ExecuteError::Refused { .. }
            | ExecuteError::Unreachable
            | ExecuteError::Failed { .. } => (StatusCode::BAD_GATEWAY, Code::Internal),
        };
        let mut failure = Self::new(status, code, error.to_string());
        if let ExecuteError::Busy { retry_after } = error {
            failure.retry_after = Some(retry_after.unwrap_or(Duration::from_secs(1)));
        }
        failure
    }

    /// A tree that was not deleted to its end.
    pub(crate) fn of_tree(error: &TreeError, asked: &str) -> Self {
        Self { deleted: Some(error.deleted), ..Self::of(&error.error, asked) }
    }

    /// The response. `error` has nothing but scalars: some clients read it into a map of strings.
    pub(crate) fn response(self, request_id: &str) -> Response<HttpBody> {
        let mut error = json!({
            "message": self.message,
            "code": self.code as u32,
            "id": request_id,
        });
        if let (Some(deleted), Value::Object(error)) = (self.deleted, &mut error) {
            error.insert("deleted".to_owned(), deleted.into());
        }
        let mut response = json_response(self.status, &json!({ "error": error }));
        let headers = response.headers_mut();
        if let Ok(message) = HeaderValue::from_str(&one_line(&self.message)) {
            headers.insert("x-error-message", message);
        }
        if let Some(after) = self.retry_after {
            headers.insert(RETRY_AFTER, after.as_secs().max(1).into());
        }
        if let Some(size) = self.whole_size
            && let Ok(range) = HeaderValue::from_str(&format!("bytes */{size}"))
        {
            headers.insert(CONTENT_RANGE, range);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Simple realm=\"pathward\""));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, PUT, POST, PATCH, DELETE"));
        }
        response
    }
}

/// The answer to a request that comes to no route. It is in the log, as any that is not answered.
pub(crate) fn refused(refusal: &Refusal, _: &HeaderMap) -> Response<HttpBody> {
    let id = request_id();
    tracing::info!(
        target: "pathward::request",
        request_id = id,
        status = refusal.status.as_u16(),
        "{}",
        refusal.message
    );
    let code = match refusal.status.is_server_error() {
        true => Code::Internal,
        false => Code::InvalidRequest,
    };
    let mut failure = Failure::new(refusal.status, code, refusal.message);
    failure.retry_after = refusal.status.is_server_error().then_some(Duration::from_secs(1));
    let mut response = failure.response(&id);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

/// A header's text: printable ASCII.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

/// A response of JSON, with its length, which stands for a HEAD request too.
pub(crate) fn json_response(status: StatusCode, value: &impl Serialize) -> Response<HttpBody> {
    let text = serde_json::to_vec(value).unwrap_or_default();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CONTENT_LENGTH, text.len().into());
    response(status, headers, HttpBody::from(text))
}

/// A response with what every one carries.
pub(crate) fn response(
    status: StatusCode,
    headers: HeaderMap,
    body: HttpBody,
) -> Response<HttpBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let headers = response.headers_mut();
    // Objects are somebody's bytes: no browser runs them, no cache between keeps them.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}
