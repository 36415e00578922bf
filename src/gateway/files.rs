//! Files: read, looked at, stored.

use std::{convert::Infallible, time::SystemTime};

use axum::body::Body as HttpBody;
use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{
        ACCEPT, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
        EXPIRES, LAST_MODIFIED,
    },
};
use serde_json::json;

use super::{
    body::Incoming,
    dates,
    decide::{Allowed, Ask, Line},
    headers,
    respond::{Failure, json_response, response},
    sending::Sending,
    types,
};
use crate::{
    engine::{Operate, ReadObject, StatObject, WriteObject},
    executor::{Body, ExecuteError, Object, ObjectInfo, Upload},
    path::Path,
};

/// Why a path's file is not the answer, so that there may be a directory of its name.
pub(super) enum NoFile {
    /// The path is a directory's.
    Directory,
    /// It may be looked at, and is not there.
    Missing,
    /// It may not be looked at: what the caller hears unless there is a directory.
    Refused(Failure),
}

impl NoFile {
    /// Whether the name is denied, unless there is a directory of it.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// What the caller hears where there is no directory either.
    pub(super) fn nor_directory(self, asked: &str) -> Failure {
        match self {
            Self::Refused(failure) => failure,
            Self::Directory | Self::Missing => Failure::missing(asked),
        }
    }

    /// What the caller hears where the directory may not be looked at. Whether there is one is no
    /// matter of a file that may be had and is not there.
    pub(super) fn nor_permitted(self, directory: Failure, asked: &str) -> Failure {
        match self {
            Self::Refused(failure) => failure,
            Self::Missing => Failure::missing_file(asked),
            Self::Directory => directory,
        }
    }
}

impl Ask<'_> {
    /// GET: the file's bytes, or else the directory's listing. Only listings have markers.
    pub(super) async fn get(&self, marker: Option<&str>) -> Result<Response<HttpBody>, Failure> {
        if marker.is_some() {
            return self.directory(NoFile::Directory, marker).await;
        }
        let options = headers::reading(self.headers)?;
        let no_file = match self.file(|path| ReadObject { path }) {
            Ok(Allowed { approved, line }) => {
                match self.shared.executor.read(approved, options).await {
                    Ok(object) => return Ok(self.object(object, line)),
                    Err(error) => match not_modified(&error) {
                        Some(answer) => {
                            line.fail(error);
                            return Ok(answer);
                        }
                        None => self.no_file(line.fail(error))?,
                    },
                }
            }
            Err(no_file) => no_file,
        };
        self.directory(no_file, None).await
    }

    /// HEAD: what GET would answer, without the body.
    pub(super) async fn head(&self) -> Result<Response<HttpBody>, Failure> {
        let conditions = headers::conditions(self.headers)?;
        let no_file = match self.file(|path| StatObject { path }) {
            Ok(Allowed { approved, line }) => {
                let stat = self.shared.executor.stat(approved, conditions).await;
                match line.end(stat, |_| None) {
                    Ok(info) => {
                        let headers = file_headers(&info, self.headers);
                        return Ok(response(StatusCode::OK, headers, HttpBody::empty()));
                    }
                    Err(error) => match not_modified(&error) {
                        Some(answer) => return Ok(answer),
                        None => self.no_file(error)?,
                    },
                }
            }
            Err(no_file) => no_file,
        };
        self.directory_head(no_file).await
    }

    /// PUT: stores a file.
    pub(super) async fn put(&self, body: &mut Incoming) -> Result<Response<HttpBody>, Failure> {
        let path = self.path.clone();
        if path.key().ends_with(b"/") {
            return Err(Failure::invalid(
                "a file's name does not end with `/`; POST makes folders",
            ));
        }
        let mut metadata = headers::metadata(self.headers)?;
        metadata.content_type = types::of_upload(path.key(), self.headers);
        let conditions = headers::writing(self.headers)?;
        let checksums = headers::checksums(self.headers)?;
        let allowed = self.approve(WriteObject { path })?;
        let options = &self.shared.options;
        let length = body.length();
        let body = Body::new(body.lend(options.max_body, options.idle_timeout));
        let upload = Upload { metadata, conditions, checksums, ..Upload::new(body, length) };
        let written = self.shared.executor.write(allowed.approved, upload).await;
        let stored = allowed.line.end(written, |stored| Some(stored.size));
        let stored = stored.map_err(|error| self.failed(&error))?;
        let mut response =
            json_response(StatusCode::OK, &json!({ "result": self.uri(&self.path) }));
        if let Some(etag) = stored.etag.and_then(|etag| HeaderValue::from_str(&etag).ok()) {
            response.headers_mut().insert(ETAG, etag);
        }
        Ok(response)
    }

    /// A file's bytes, or some of them.
    fn object(&self, object: Object, line: Line) -> Response<HttpBody> {
        let mut headers = file_headers(&object.info, self.headers);
        headers.insert(CONTENT_LENGTH, object.len().into());
        let status = match object.range {
            Some((first, last)) => {
                let range = format!("bytes {first}-{last}/{}", object.info.size);
                headers.extend(HeaderValue::from_str(&range).map(|range| (CONTENT_RANGE, range)));
                StatusCode::PARTIAL_CONTENT
            }
            None => StatusCode::OK,
        };
        response(status, headers, HttpBody::new(Sending::new(object, line)))
    }

    /// Approves an operation on the path as a file's, where it can be one.
    pub(super) fn file<Op: Operate>(
        &self,
        operation: impl FnOnce(Path<'static>) -> Op,
    ) -> Result<Allowed<Op>, NoFile> {
        match self.path.key() {
            b"" => Err(NoFile::Directory),
            key if key.ends_with(b"/") => Err(NoFile::Directory),
            _ => self.approve(operation(self.path.clone())).map_err(NoFile::Refused),
        }
    }

    /// Whether a file that was asked for is merely not there.
    pub(super) fn no_file(&self, error: ExecuteError) -> Result<NoFile, Failure> {
        match error {
            ExecuteError::Missing => Ok(NoFile::Missing),
            error => Err(self.failed(&error)),
        }
    }

    /// What the caller hears of an approved operation that was not done.
    pub(super) fn failed(&self, error: &ExecuteError) -> Failure {
        Failure::of(error, &self.asked())
    }
}

/// The answer to whoever has the file already.
fn not_modified(error: &ExecuteError) -> Option<Response<HttpBody>> {
    let ExecuteError::NotModified { etag, last_modified } = error else { return None };
    let headers = version(etag.as_deref(), *last_modified).collect();
    // Without a length, which would be said to be the file's.
    let nothing =
        futures_util::stream::empty::<Result<http_body::Frame<bytes::Bytes>, Infallible>>();
    let nothing = HttpBody::new(http_body_util::StreamBody::new(nothing));
    Some(response(StatusCode::NOT_MODIFIED, headers, nothing))
}

/// The headers of a file.
fn file_headers(info: &ObjectInfo, request: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in info.metadata.headers() {
        // How long it may be kept, the gateway says for itself.
        let name = name.ok().filter(|name| ![CACHE_CONTROL, EXPIRES].contains(name));
        headers.extend(name.zip(HeaderValue::from_str(value).ok()));
    }
    headers.insert("x-data-type", HeaderValue::from_static("file"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, info.size.into());
    headers.insert(CONTENT_TYPE, content_type(info, request));
    headers.extend(version(info.etag.as_deref(), info.last_modified));
    headers
}

/// The headers that tell one state of a file from another.
fn version(
    etag: Option<&str>,
    last_modified: Option<SystemTime>,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let date = last_modified.and_then(dates::http);
    let value = |text: &str| HeaderValue::from_str(text).ok();
    let etag = etag.and_then(value).map(|etag| (ETAG, etag));
    etag.into_iter().chain(date.as_deref().and_then(value).map(|date| (LAST_MODIFIED, date)))
}

/// The content type of a file: what the caller asks for, if it is one of the three that
/// Algorithmia's Node client asks for and cannot do without; else what the file was stored with.
fn content_type(info: &ObjectInfo, request: &HeaderMap) -> HeaderValue {
    const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
    match request.get(ACCEPT).map_or(&b""[..], HeaderValue::as_bytes) {
        b"application/octet-stream" => BYTES,
        b"application/json" => super::respond::JSON,
        b"text/plain" => HeaderValue::from_static("text/plain; charset=utf-8"),
        _ => match info.metadata.content_type.as_deref() {
            // Without a charset, the Python client's `getString` would read Latin-1.
            Some(text) if text.starts_with("text/") && !text.contains("charset") => {
                HeaderValue::from_str(&format!("{text}; charset=utf-8")).unwrap_or(BYTES)
            }
            Some(stored) => HeaderValue::from_str(stored).unwrap_or(BYTES),
            None => BYTES,
        },
    }
}
