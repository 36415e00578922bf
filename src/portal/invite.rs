//! The one-time link, by which the first user makes the first key that opens the portal.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::session::token;

/// How long a link is good for, if it is not used.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The link that is out, by its hash. There is one at most.
pub(super) struct Invite(Mutex<Option<([u8; 32], Instant)>>);

/// A link that was handed in: whoever has it makes the first key, and nobody else meanwhile.
#[derive(Debug)]
pub(super) struct Redeemed([u8; 32], Instant);

impl Invite {
    /// No link is out.
    pub(super) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// A link in place of any other.
    ///
    /// # Errors
    ///
    /// The system gives no random bytes.
    pub(super) fn issue(&self) -> Result<String, getrandom::Error> {
        let link = token()?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((hash(&link), Instant::now()));
        Ok(link)
    }

    /// Takes back whatever link is out.
    pub(super) fn withdraw(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether this is the link that is out.
    pub(super) fn is_out(&self, link: &str) -> bool {
        let out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.as_ref().is_some_and(|out| is_good(out, link))
    }

    /// Takes the link out of the world, if it is the one.
    pub(super) fn redeem(&self, link: &str) -> Option<Redeemed> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (hash, since) = out.take_if(|out| is_good(out, link))?;
        Some(Redeemed(hash, since))
    }

    /// Puts a link back that nothing came of.
    pub(super) fn put_back(&self, Redeemed(hash, since): Redeemed) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.get_or_insert((hash, since));
    }
}

fn hash(link: &str) -> [u8; 32] {
    Sha256::digest(link.as_bytes()).into()
}

fn is_good((known, since): &([u8; 32], Instant), link: &str) -> bool {
    bool::from(known.ct_eq(&hash(link))) && since.elapsed() < LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_once() {
        let invite = Invite::new();
        assert!(!invite.is_out("") && invite.redeem("").is_none());
        let link = invite.issue().unwrap();
        assert!(invite.is_out(&link) && !invite.is_out("x"));
        assert!(invite.redeem("x").is_none());
        let redeemed = invite.redeem(&link).unwrap();
        assert!(!invite.is_out(&link) && invite.redeem(&link).is_none());
        invite.put_back(redeemed);
        assert!(invite.is_out(&link));
        let other = invite.issue().unwrap();
        assert!(!invite.is_out(&link) && invite.is_out(&other));
    }
}
