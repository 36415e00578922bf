//! What goes wrong between us and a server, and whether it is worth another try.

use std::{
    borrow::Cow,
    error::Error,
    fmt,
    time::{Duration, SystemTime},
};

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{ETAG, LAST_MODIFIED, RETRY_AFTER},
};
use hyper_util::client::legacy::Error as ClientError;

use super::{
    error::{from_answer, is_code},
    head::Head,
};
use crate::{engine::Withdrawn, executor::ExecuteError};

/// The longest pause that a server is believed to want, so that none makes a caller wait for ever.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);
const BUCKET_REGION: HeaderName = HeaderName::from_static("x-amz-bucket-region");
/// The longest name of a region.
const MAX_REGION: usize = 64;

/// Why one attempt of a request failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// It was not to be sent any more.
    Withdrawn(Withdrawn),
    /// The credentials could not be had.
    Credentials,
    /// It cannot be sent or signed as it is.
    Configuration,
    /// The server cannot be reached, or broke off. Another try may help, or cannot.
    Unreachable { is_transient: bool },
    /// The server took too long.
    TimedOut,
    /// Its answer said that all is well, and is not what was asked for.
    Senseless,
    /// The caller has the object already: this much is said of it.
    NotModified(Head),
    /// The object has none of the bytes that were asked for; how many it has.
    Range(Option<u64>),
    /// It answers with an error.
    Server(Box<ServerError>),
}

/// What a server says went wrong.
#[derive(Debug)]
pub(super) struct ServerError {
    status: StatusCode,
    code: Option<Box<str>>,
    retry_after: Option<Duration>,
    /// The region that the bucket is in.
    region: Option<Box<str>>,
    /// The server's time.
    date: Option<SystemTime>,
}

impl Fault {
    /// A server's error: the status, the code in its body, and its headers.
    pub(super) fn server(
        status: StatusCode,
        code: Option<Cow<'_, str>>,
        headers: &HeaderMap,
    ) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let is_region = |region: &&str| {
            (1..=MAX_REGION).contains(&region.len())
                && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        Self::Server(Box::new(ServerError {
            status,
            code: code.filter(|code| is_code(code)).map(|code| code.into()),
            retry_after: text(RETRY_AFTER)
                .and_then(|text| text.parse().ok())
                .map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER)),
            region: text(BUCKET_REGION).filter(is_region).map(Into::into),
            date: text(http::header::DATE).and_then(|text| httpdate::parse_http_date(text).ok()),
        }))
    }

    /// Whether it is worth another try, after a pause.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { is_transient } => *is_transient,
            Self::TimedOut | Self::Senseless => true,
            Self::Server(error) => {
                matches!(error.status.as_u16(), 429 | 500 | 502..=504)
                    || error.code.as_deref().is_some_and(|code| TRANSIENT.contains(&code))
            }
            Self::Withdrawn(_)
            | Self::Credentials
            | Self::Configuration
            | Self::NotModified(_)
            | Self::Range(_) => false,
        }
    }

    /// Whether the server says that it did nothing, and that another try may help.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Server(error) if matches!(error.status.as_u16(), 429 | 503))
    }

    /// The region that the bucket is in, where the request went to another one.
    pub(super) fn region(&self) -> Option<&str> {
        match self {
            Self::Server(error) if matches!(error.status.as_u16(), 301 | 307 | 400 | 403) => {
                error.region.as_deref()
            }
            _ => None,
        }
    }

    /// The server's time, where it refuses a request: of one that a HEAD asked, it says no more of why.
    pub(super) fn time(&self) -> Option<SystemTime> {
        match self {
            Self::Server(error) if matches!(error.status.as_u16(), 400 | 403) => error.date,
            _ => None,
        }
    }
}

/// Codes that say that another try may help, whatever the status.
const TRANSIENT: [&str; 9] = [
    "InternalError",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "RequestLimitExceeded",
];

impl From<Fault> for ExecuteError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Withdrawn(withdrawn) => Self::Withdrawn(withdrawn),
            Fault::Credentials => Self::Credentials,
            Fault::Configuration => Self::Configuration,
            Fault::Unreachable { .. } => Self::Unreachable,
            Fault::TimedOut => Self::TimedOut,
            Fault::NotModified(head) => Self::NotModified {
                etag: head.text(&ETAG).map(Into::into),
                last_modified: head.time(&LAST_MODIFIED),
            },
            Fault::Range(size) => Self::RangeNotSatisfiable { size },
            Fault::Senseless => Self::Failed { status: None, code: None },
            Fault::Server(error) => {
                let status = Some(error.status.as_u16()).filter(|status| *status != 200);
                from_answer(status, error.code.as_deref(), error.retry_after)
            }
        }
    }
}

/// A connection was not made in time.
#[derive(Debug)]
pub(super) struct ConnectTimedOut;

impl fmt::Display for ConnectTimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no connection in time")
    }
}

impl Error for ConnectTimedOut {}

impl From<ClientError> for Fault {
    fn from(error: ClientError) -> Self {
        let has_io = find::<std::io::Error>(&error).is_some();
        if find::<ConnectTimedOut>(&error).is_some() {
            return Self::TimedOut;
        }
        let is_transient = match find::<hyper::Error>(&error) {
            Some(hyper) if hyper.is_timeout() => return Self::TimedOut,
            Some(hyper) if hyper.is_user() => false,
            Some(hyper) => {
                hyper.is_closed() || hyper.is_canceled() || hyper.is_incomplete_message() || has_io
            }
            None => error.is_connect() || has_io,
        };
        Self::Unreachable { is_transient }
    }
}

/// What caused an error, if it is of this kind.
fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
