//! Files: read, looked at, stored.

use axum::body::Body as HttpBody;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED},
};
use serde_json::json;

use super::{
    body::Incoming,
    decide::{Allowed, Ask, Refused},
    respond::{Failure, json_response, response},
};
use crate::{
    engine::{Operate, ReadObject, StatObject, WriteObject},
    executor::{Body, ExecuteError, ObjectInfo, Upload},
    path::Path,
};

/// What a look at a path's file came to.
pub(super) enum File {
    /// There is none, or the path is not a file's.
    Missing,
    /// It may not be looked at.
    Refused(Refused),
}

impl Ask<'_> {
    /// GET: the file's bytes, or else the directory's listing.
    pub(super) async fn get(&self, marker: Option<&str>) -> Result<Response<HttpBody>, Failure> {
        if marker.is_some() {
            // Only listings have markers. Whether a file may be looked at is still what a denial
            // is about; none is looked at.
            let file = self.file(|path| ReadObject { path }).err().unwrap_or(File::Missing);
            return self.directory(file, marker).await;
        }
        let file = match self.file(|path| ReadObject { path }) {
            Ok(allowed) => {
                let (approved, line) = self.begin(allowed);
                let read = self.shared.executor.read(approved).await;
                match line.end(read, |object| Some(object.info.size)) {
                    Ok(object) => {
                        let headers = file_headers(&object.info, self.headers);
                        let body = HttpBody::new(object.body);
                        return Ok(response(StatusCode::OK, headers, body));
                    }
                    Err(ExecuteError::Missing) => File::Missing,
                    Err(error) => return Err(self.failed(&error)),
                }
            }
            Err(file) => file,
        };
        self.directory(file, None).await
    }

    /// HEAD: what GET would answer, without the body.
    pub(super) async fn head(&self) -> Result<Response<HttpBody>, Failure> {
        let file = match self.file(|path| StatObject { path }) {
            Ok(allowed) => {
                let (approved, line) = self.begin(allowed);
                let stat = self.shared.executor.stat(approved).await;
                match line.end(stat, |_| None) {
                    Ok(info) => {
                        let headers = file_headers(&info, self.headers);
                        return Ok(response(StatusCode::OK, headers, HttpBody::empty()));
                    }
                    Err(ExecuteError::Missing) => File::Missing,
                    Err(error) => return Err(self.failed(&error)),
                }
            }
            Err(file) => file,
        };
        self.directory_head(file).await
    }

    /// PUT: stores a file.
    pub(super) async fn put(&self, body: &mut Incoming) -> Result<Response<HttpBody>, Failure> {
        let path = self.path.clone();
        if path.key().ends_with(b"/") {
            return Err(Failure::invalid(
                "a file's name does not end with `/`; POST makes folders",
            ));
        }
        let allowed = self.approve(WriteObject { path }).map_err(|no| self.refuse(no))?;
        let options = &self.shared.options;
        let length = body.length();
        let upload = Upload {
            length,
            body: Body::new(body.lend(options.max_body, options.idle_timeout)),
            content_type: self
                .headers
                .get(CONTENT_TYPE)
                .and_then(|value| value.to_str().ok())
                // The two are the same in a header (RFC 9110, 5.6.3), but not in its signature.
                .map(|value| value.replace('\t', " ")),
        };
        let (approved, line) = self.begin(allowed);
        let written = self.shared.executor.write(approved, upload).await;
        line.end(written, |bytes| Some(*bytes)).map_err(|error| self.failed(&error))?;
        Ok(json_response(StatusCode::OK, &json!({ "result": self.uri(&self.path) })))
    }

    /// Approves an operation on the path as a file's, where it can be one.
    pub(super) fn file<Op: Operate>(
        &self,
        operation: impl FnOnce(Path<'static>) -> Op,
    ) -> Result<Allowed<Op>, File> {
        match self.path.key() {
            b"" => Err(File::Missing),
            key if key.ends_with(b"/") => Err(File::Missing),
            _ => self.approve(operation(self.path.clone())).map_err(File::Refused),
        }
    }

    /// What the caller hears of an approved operation that was not done.
    pub(super) fn failed(&self, error: &ExecuteError) -> Failure {
        Failure::of(error, &self.asked())
    }
}

/// The headers of a file.
fn file_headers(info: &ObjectInfo, request: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-data-type", HeaderValue::from_static("file"));
    headers.insert(CONTENT_LENGTH, info.size.into());
    headers.insert(CONTENT_TYPE, content_type(info, request));
    let mut set = |name, value: Option<&str>| {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(name, value);
        }
    };
    set(ETAG, info.etag.as_deref());
    set(CONTENT_ENCODING, info.content_encoding.as_deref());
    set(LAST_MODIFIED, info.last_modified.map(httpdate::fmt_http_date).as_deref());
    headers
}

/// The content type of a file: what the caller asks for, if it is one of the three that
/// Algorithmia's Node client asks for and cannot do without; else what the file was stored with.
fn content_type(info: &ObjectInfo, request: &HeaderMap) -> HeaderValue {
    const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
    match request.get(ACCEPT).map_or(&b""[..], HeaderValue::as_bytes) {
        b"application/octet-stream" => BYTES,
        b"application/json" => super::respond::JSON,
        b"text/plain" => HeaderValue::from_static("text/plain; charset=utf-8"),
        _ => match info.content_type.as_deref() {
            // Without a charset, the Python client's `getString` would read Latin-1.
            Some(text) if text.starts_with("text/") && !text.contains("charset") => {
                HeaderValue::from_str(&format!("{text}; charset=utf-8")).unwrap_or(BYTES)
            }
            Some(stored) => HeaderValue::from_str(stored).unwrap_or(BYTES),
            None => BYTES,
        },
    }
}
