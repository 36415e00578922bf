//! One request to a server, as it goes out: built here, byte for byte, and nowhere else.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH},
};
use http_body_util::{Either, Full};
use percent_encoding::utf8_percent_encode;

use super::{answer::Kind, keys, source::Window, standing::Standing};
use crate::executor::{ExecuteError, Metadata, WriteConditions};

/// A body on its way out.
pub(super) type Outgoing = Either<Full<Bytes>, Window>;

/// What a request sends.
#[derive(Debug)]
pub(super) enum Payload {
    /// These bytes, as often as it takes.
    Bytes(Bytes),
    /// What a caller sends as it comes, once; nothing when it went out.
    Stream(Option<Window>),
}

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    /// Path and query, escaped.
    pub(super) target: String,
    pub(super) bucket: Box<str>,
    pub(super) headers: HeaderMap,
    pub(super) payload: Payload,
    pub(super) kind: Kind,
    /// How long one attempt may take, where that is not the ordinary time. Without a limit, somebody else
    /// watches it.
    pub(super) limit: Limit,
    /// What is asked before each attempt whether it may go out.
    pub(super) standing: Option<Standing>,
    /// Whether it is only to be done where something is so.
    pub(super) is_conditional: bool,
}

/// How long one attempt of a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// What moves little.
    Ordinary,
    /// What has the server work.
    Long,
    /// Somebody else watches it.
    Watched,
}

impl Request {
    /// For an object, for a bucket if the key is empty, or for all buckets.
    pub(super) fn new(method: Method, bucket: &str, key: &str, kind: Kind) -> Self {
        let mut target = format!("/{}", keys::in_path(bucket));
        if !key.is_empty() {
            target.push('/');
            target.extend(keys::in_path(key));
        }
        Self {
            method,
            target,
            bucket: bucket.into(),
            headers: HeaderMap::new(),
            payload: Payload::Bytes(Bytes::new()),
            kind,
            limit: Limit::Ordinary,
            standing: None,
            is_conditional: false,
        }
    }

    /// With this in its query.
    pub(super) fn query(mut self, name: &str, value: &str) -> Self {
        self.target.push(if self.target.contains('?') { '&' } else { '?' });
        self.target.push_str(name);
        self.target.push('=');
        self.target.extend(utf8_percent_encode(value, keys::IN_QUERY));
        self
    }

    /// With a header, if there is a value. What no header can say makes no request.
    pub(super) fn header(
        mut self,
        name: HeaderName,
        value: Option<&str>,
    ) -> Result<Self, ExecuteError> {
        if let Some(value) = value {
            let value = HeaderValue::from_str(value).map_err(|_| ExecuteError::Configuration)?;
            self.headers.insert(name, value);
        }
        Ok(self)
    }

    /// With these bytes.
    pub(super) fn bytes(mut self, bytes: Bytes) -> Self {
        self.payload = Payload::Bytes(bytes);
        self
    }

    /// With what comes, while somebody watches it.
    pub(super) fn stream(mut self, window: Window) -> Self {
        self.payload = Payload::Stream(Some(window));
        self.limit = Limit::Watched;
        self
    }

    /// For what has the server work.
    pub(super) fn long(mut self) -> Self {
        self.limit = Limit::Long;
        self
    }

    /// Only while that is allowed.
    pub(super) fn while_stands(mut self, standing: &Standing) -> Self {
        self.standing = Some(standing.clone());
        self
    }

    /// Only where these conditions are met. It is not sent again where the server may have done it: that would
    /// not be met, for having been done.
    pub(super) fn on(mut self, conditions: &WriteConditions) -> Result<Self, ExecuteError> {
        self.is_conditional = conditions.are_any();
        let none = conditions.if_none.then_some("*");
        self.header(IF_NONE_MATCH, none)?.header(IF_MATCH, conditions.if_match.as_deref())
    }

    /// With what is kept with an object.
    pub(super) fn metadata(mut self, metadata: &Metadata) -> Result<Self, ExecuteError> {
        const BYTES: &str = "application/octet-stream";
        self = self.header(CONTENT_TYPE, Some(BYTES))?;
        for (name, value) in metadata.headers() {
            let name = name.map_err(|_| ExecuteError::Configuration)?;
            self = self.header(name, Some(value))?;
        }
        Ok(self)
    }

    /// Whether it can go out once more.
    pub(super) fn is_whole(&self) -> bool {
        !matches!(self.payload, Payload::Stream(None))
    }
}

impl Limit {
    pub(super) fn of(self, options: &super::S3Options) -> Option<Duration> {
        match self {
            Self::Ordinary => Some(options.attempt_timeout),
            Self::Long => Some(options.transfer_timeout),
            Self::Watched => None,
        }
    }
}
