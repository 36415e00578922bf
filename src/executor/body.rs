//! Bytes on their way, in either direction.

use std::{fmt, pin::Pin, task};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};

use super::{Checksum, Metadata, WriteConditions};

/// Why a body ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError {
    /// Whoever sends it stopped or broke off.
    Interrupted,
    /// It is longer than what is allowed, in bytes.
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// Nothing came for too long.
    TimedOut,
    /// It is not the one that its checksum is of.
    Mismatch,
    /// What it is for was allowed when it began, and is not any more.
    Withdrawn,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("the body broke off before its end"),
            Self::TooLarge { limit } => {
                write!(f, "the body is longer than the {limit} bytes that are allowed")
            }
            Self::TimedOut => f.write_str("the body stopped coming"),
            Self::Mismatch => f.write_str("the body is not the one that its checksum is of"),
            Self::Withdrawn => f.write_str("the body ends here: it is no longer allowed"),
        }
    }
}

impl std::error::Error for BodyError {}

/// A stream of bytes.
///
/// `Debug` shows how long it is at most, never what is in it.
pub struct Body(UnsyncBoxBody<Bytes, BodyError>);

impl Body {
    /// A body that comes from elsewhere.
    pub fn new(
        body: impl http_body::Body<Data = Bytes, Error = BodyError> + Send + 'static,
    ) -> Self {
        Self(body.boxed_unsync())
    }

    /// These bytes.
    pub fn from_bytes(bytes: Bytes) -> Self {
        Self::new(http_body_util::Full::new(bytes).map_err(|never| match never {}))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> task::Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("at_most", &http_body::Body::size_hint(self).upper()).finish()
    }
}

/// A body, and what is kept until it is let go of.
pub(crate) struct Held<B, T> {
    body: B,
    _kept: T,
}

impl<B, T> Held<B, T> {
    pub(crate) fn new(body: B, kept: T) -> Self {
        Self { body, _kept: kept }
    }
}

impl<B, T> fmt::Debug for Held<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}

impl<B: http_body::Body + Unpin, T: Unpin> http_body::Body for Held<B, T> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> task::Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What is to be stored.
#[derive(Debug)]
pub struct Upload {
    /// The bytes.
    pub body: Body,
    /// How many there are, where that is known before they came. A body of another length fails.
    pub length: Option<u64>,
    /// What is kept with them.
    pub metadata: Metadata,
    /// When they are to be stored.
    pub conditions: WriteConditions,
    /// The checksums that they are to have. A body with another one fails.
    pub checksums: Vec<Checksum>,
}

impl Upload {
    /// These bytes, always and with nothing beside them.
    pub fn new(body: Body, length: Option<u64>) -> Self {
        Self {
            body,
            length,
            metadata: Metadata::default(),
            conditions: WriteConditions::default(),
            checksums: Vec::new(),
        }
    }
}
