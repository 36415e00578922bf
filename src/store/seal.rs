//! Sealing credentials, and the key that it takes.

use std::fmt;

use super::{Opened, Unseal, UnsealError};
use crate::policy::Sealed;

/// What seals credentials and opens them. `Debug` shows nothing of it.
pub struct SealKey {}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealKey").finish_non_exhaustive()
    }
}

/// No key: nothing opens.
#[derive(Debug)]
pub(super) struct NoKey;

impl Unseal for NoKey {
    fn unseal(&self, _: &Sealed, _: &str, _: Option<&str>) -> Result<Opened, UnsealError> {
        Err(UnsealError::NoKey)
    }
}
