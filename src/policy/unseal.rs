//! Opening sealed credentials: what an executor needs of whoever holds the key.

use std::fmt;

use zeroize::Zeroizing;

use super::Sealed;

/// Opens sealed credentials. May take as long as a passphrase takes: call it where a thread may
/// wait.
pub trait Unseal: Send + Sync + fmt::Debug + 'static {
    /// The credentials, if they were entered for this owner and this endpoint.
    ///
    /// # Errors
    ///
    /// [`UnsealError`].
    fn unseal(
        &self,
        sealed: &Sealed,
        owner: &str,
        endpoint: Option<&str>,
    ) -> Result<Opened, UnsealError>;
}

/// Credentials in the clear, overwritten when they are dropped. `Debug` shows nothing of them.
pub struct Opened {
    /// The id of the access key.
    pub access_key_id: Zeroizing<String>,
    /// The secret.
    pub secret_access_key: Zeroizing<String>,
    /// The token of a session, where the key is one of a session.
    pub session_token: Option<Zeroizing<String>>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

/// Why sealed credentials do not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnsealError {
    /// There is no key here.
    NoKey,
    /// They are sealed with another key.
    WrongKey,
    /// They were entered for another owner.
    OtherOwner,
    /// They were entered for another endpoint.
    OtherEndpoint,
    /// They are damaged.
    Damaged,
}

impl fmt::Display for UnsealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKey => {
                "there is no key to open sealed credentials: give it with `--seal-key FILE` or in \
                 the variable PATHWARD_SEAL_KEY"
            }
            Self::WrongKey => {
                "the credentials are sealed with another key: give that key with `--seal-key FILE`, \
                 or enter the credentials again"
            }
            Self::OtherOwner => {
                "the credentials were entered for a connection of another owner: enter them again"
            }
            Self::OtherEndpoint => {
                "the credentials were entered for another endpoint: enter them again"
            }
            Self::Damaged => "the sealed credentials are damaged: enter them again",
        })
    }
}

impl std::error::Error for UnsealError {}
