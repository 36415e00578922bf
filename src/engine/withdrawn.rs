//! Why an approval does not stand any more.

use std::fmt;

use super::Reason;

/// Why an approval does not stand any more: [`Approved::still_stands`](super::Approved::still_stands).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Withdrawn {
    /// The API key is not there any more, or is another user's.
    Key,
    /// The connection of this name goes elsewhere: to another endpoint or region, with other
    /// credentials, or to a server that reads keys in another way.
    Server,
    /// The operation is denied now, for this reason. Of a listing that passed everything through:
    /// some of it is.
    Denied(Reason),
}

impl Withdrawn {
    /// The stable code, as logs have it: of the reason, or `deny.unknown_key` and `deny.changed_connection`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Key => "deny.unknown_key",
            Self::Server => "deny.changed_connection",
            Self::Denied(reason) => reason.code(),
        }
    }

    /// The reason that a decision has now. To a key that is gone, and of a connection that goes elsewhere,
    /// what was approved is not there: [`Reason::UnknownConnection`].
    pub const fn reason(self) -> Reason {
        match self {
            Self::Key | Self::Server => Reason::UnknownConnection,
            Self::Denied(reason) => reason,
        }
    }
}

impl fmt::Display for Withdrawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what was approved is no longer allowed: ")?;
        match self {
            Self::Key => f.write_str("the API key is not there any more"),
            Self::Server => f.write_str("the connection goes elsewhere now"),
            Self::Denied(reason) => f.write_str(reason.meaning()),
        }
    }
}

impl std::error::Error for Withdrawn {}
