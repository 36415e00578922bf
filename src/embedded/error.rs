//! What can go wrong with an embedded server.

use std::{error::Error, fmt, io, path::PathBuf};

/// Why an embedded server does not start, or does not take an object.
#[derive(Debug)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// No port of loopback can be listened on.
    Listen(io::Error),
    /// The system gives no random bytes.
    Random,
    /// The folder for the objects cannot be used.
    Data {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// An object is refused, with S3's code for it, such as `KeyTooLongError`.
    Refused(String),
}

impl fmt::Display for EmbeddedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(source) => write!(f, "cannot listen on 127.0.0.1: {source}"),
            Self::Random => f.write_str("the system gives no random bytes"),
            Self::Data { folder, source } => {
                write!(f, "cannot keep objects in `{}`: {source}", folder.display())
            }
            Self::Refused(code) => write!(f, "the embedded server refuses the object: {code}"),
        }
    }
}

impl Error for EmbeddedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Listen(source) => Some(source),
            Self::Data { source, .. } => Some(&**source),
            Self::Random | Self::Refused(_) => None,
        }
    }
}
