//! What can go wrong between an approval and its end.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use super::BodyError;
use crate::engine::Withdrawn;

/// Why an approved operation was not done.
///
/// Holds nothing that a server sent but the code of its error, and that only where it looks like
/// one: a server's message may name what the caller is not to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExecuteError {
    /// There is no such object, directory or bucket.
    Missing,
    /// The caller has the object already, by the conditions of the request.
    NotModified {
        /// Its entity tag, as the server gives it.
        etag: Option<Box<str>>,
        /// When it was last changed.
        last_modified: Option<SystemTime>,
    },
    /// A condition of the request is not met. Nothing was done.
    PreconditionFailed,
    /// The connection's server does not honour conditions on what is written or deleted, as far as the
    /// connection says ([`policy::Conditions`](crate::policy::Conditions)). Nothing was done.
    ConditionsNotHonoured,
    /// The object has none of the bytes that were asked for.
    RangeNotSatisfiable {
        /// How many it has, where the server says so.
        size: Option<u64>,
    },
    /// The executor does not do that: see [`Executor`](super::Executor).
    NotOffered,
    /// There is no such upload in parts: it has ended, or is another path's.
    NoSuchUpload,
    /// An object cannot be made of these parts. Nothing was done.
    InvalidParts(InvalidParts),
    /// The bucket's name cannot be sent: names with some ends are AWS's other names of buckets.
    KeyNotSendable,
    /// In the directory is an object whose name is none here: it has a control character or a segment `.` or
    /// `..`, is too long, or is one that `keys: plain` does not let through. What cannot be named is not
    /// deleted, and nothing else was.
    Unnamable,
    /// It was allowed when it began, and is not any more. Nothing of it was stored, or no more of it was done.
    Withdrawn(Withdrawn),
    /// The caller's body failed.
    Body(BodyError),
    /// The object is larger than the server takes.
    TooLarge,
    /// The connection's credentials could not be had: the file, profile or variables that it names.
    Credentials,
    /// The connection is not configured in a way that a client can be made of.
    Configuration,
    /// The server refuses the connection's credentials, or what they ask for.
    Refused {
        /// The status of its answer.
        status: u16,
        /// The code of its error.
        code: Option<Box<str>>,
    },
    /// The server is too busy.
    Busy {
        /// When it says that it may be asked again.
        retry_after: Option<Duration>,
    },
    /// The server cannot be reached, or broke off.
    Unreachable,
    /// The server took too long.
    TimedOut,
    /// The server failed, or its answer makes no sense.
    Failed {
        /// The status of its answer, where there was one.
        status: Option<u16>,
        /// The code of its error.
        code: Option<Box<str>>,
    },
}

impl fmt::Display for ExecuteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file or directory"),
            Self::NotModified { .. } => f.write_str("the file is the one that is there already"),
            Self::PreconditionFailed => f.write_str("a condition of the request is not met"),
            Self::ConditionsNotHonoured => f.write_str(
                "this data connection takes no conditions on what is written or deleted: its server is not \
                 known to honour them",
            ),
            Self::RangeNotSatisfiable { .. } => f.write_str("the file has none of these bytes"),
            Self::NotOffered => f.write_str("this data source does not do that"),
            Self::NoSuchUpload => f.write_str("there is no such upload; begin it anew"),
            Self::InvalidParts(why) => why.fmt(f),
            Self::KeyNotSendable => f.write_str(
                "this name cannot be sent to the data source; name the object otherwise",
            ),
            Self::Unnamable => f.write_str(
                "the folder has an object in it that cannot be named here, so that it cannot be deleted \
                 whole; delete what has a name",
            ),
            Self::Withdrawn(withdrawn) => withdrawn.fmt(f),
            Self::Body(error) => error.fmt(f),
            Self::TooLarge => f.write_str("the data source takes no objects of this size"),
            Self::Credentials => f.write_str("the data source's credentials could not be loaded"),
            Self::Configuration => f.write_str("the data source is not configured completely"),
            Self::Refused { .. } => f.write_str("the data source refused the request"),
            Self::Busy { .. } => f.write_str("the data source is busy; try again later"),
            Self::Unreachable => f.write_str("the data source cannot be reached"),
            Self::TimedOut => f.write_str("the data source took too long to answer"),
            Self::Failed { .. } => f.write_str("the data source failed"),
        }
    }
}

impl std::error::Error for ExecuteError {}

/// Why an object cannot be made of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidParts {
    /// One is not there, or is another one than its entity tag says.
    Missing,
    /// They are not in the order of their numbers, or there are none.
    Order,
    /// One that is not the last is too small: servers want 5 MiB.
    TooSmall,
}

impl fmt::Display for InvalidParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => {
                "a part of the upload is not there, or is another one than its entity tag says"
            }
            Self::Order => {
                "the parts of an upload are named once each, in the order of their numbers"
            }
            Self::TooSmall => {
                "a part of the upload is too small: all but the last have 5 MiB or more"
            }
        })
    }
}

/// Why the deletion of a tree ended before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeError {
    /// How many objects were deleted by then.
    pub deleted: u64,
    /// What went wrong.
    pub error: ExecuteError,
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} objects were deleted, then: {}", self.deleted, self.error)
    }
}

impl std::error::Error for TreeError {}
