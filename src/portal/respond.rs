//! Answers.

use askama::Template;
use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{
    guard,
    view::{Frame, NoticePage},
};
use crate::gateway::{self, Refusal};

/// A page.
pub(super) fn page(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => {
            let mut response = Response::new(Body::from(text));
            *response.status_mut() = status;
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, html);
            response
        }
        Err(error) => {
            tracing::error!(target: "pathward::portal", %error, "a page cannot be made");
            let mut response = Response::new(Body::from("this page cannot be shown"));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

/// To another page, by GET.
pub(super) fn see_other(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    match HeaderValue::from_str(to) {
        Ok(to) => drop(response.headers_mut().insert(header::LOCATION, to)),
        Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    response
}

/// A page that says one thing and leads back to the beginning.
pub(super) fn notice(status: StatusCode, frame: Frame, line: impl Into<String>) -> Response {
    let back = ("/".to_owned(), "Go to the start");
    page(status, &NoticePage { frame, lines: vec![line.into()], back })
}

/// What is answered for a page that is not there, and for everything of somebody else: the same.
pub(super) fn missing(mut frame: Frame) -> Response {
    "There is no such page".clone_into(&mut frame.title);
    notice(
        StatusCode::NOT_FOUND,
        frame,
        "What you are looking for was deleted or renamed, or was never yours.",
    )
}

/// The answer to a request that comes to no route: a page for a browser, and JSON for those who ask the
/// management API.
pub(super) fn refused(refusal: &Refusal, headers: &HeaderMap) -> Response {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    let mut response = gateway::refused(refusal, headers);
    if accepted.any(|value| value.contains("text/html")) {
        let page = notice(refusal.status, Frame::new("That cannot be answered"), refusal.message);
        let (parts, body) = page.into_parts();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.extend(parts.headers);
        *response.body_mut() = body;
    }
    guard::seal(&mut response);
    response
}

/// Something that only whoever runs the gateway can mend. What it was is in the log.
pub(super) fn failed(mut frame: Frame, error: &dyn std::fmt::Display) -> Response {
    tracing::error!(target: "pathward::portal", "{error}");
    "That did not work".clone_into(&mut frame.title);
    let line = "Nothing was changed. What went wrong is in the gateway's log.";
    notice(StatusCode::INTERNAL_SERVER_ERROR, frame, line)
}
