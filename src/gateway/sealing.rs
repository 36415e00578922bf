//! Sealing what callers carry for us: nobody else can read it, or make one.

use chacha20poly1305::{AeadInPlace, Key, KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::server_key::ServerKey;

const NONCE_LEN: usize = 24;
/// How much longer what is sealed is than what is in it, in bytes.
pub(super) const OVERHEAD: usize = NONCE_LEN + 16;

/// Seals and opens for one purpose.
pub(super) struct Sealing {
    /// The first seals, and each opens.
    ciphers: Vec<XChaCha20Poly1305>,
}

impl Sealing {
    /// By keys of their own. What another gateway sealed opens if it shares one of them.
    pub(super) fn new(key: &ServerKey, purpose: &str) -> Self {
        let cipher = |key: Zeroizing<[u8; 32]>| XChaCha20Poly1305::new(Key::from_slice(&*key));
        Self { ciphers: key.derive(purpose).map(cipher).collect() }
    }

    /// Seals bytes for what they are bound to. `None` when the system gives no random bytes.
    pub(super) fn seal(&self, bound: &[&[u8]], mut bytes: Vec<u8>) -> Option<Vec<u8>> {
        let mut nonce = XNonce::default();
        getrandom::fill(&mut nonce).ok()?;
        let cipher = self.ciphers.first()?;
        cipher.encrypt_in_place(&nonce, &joined(bound), &mut bytes).ok()?;
        Some([&*nonce, &*bytes].concat())
    }

    /// What was sealed for the very same: `None` for anything else.
    pub(super) fn open(&self, bound: &[&[u8]], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let (nonce, bound) = (XNonce::from_slice(nonce), joined(bound));
        self.ciphers.iter().find_map(|cipher| {
            let mut opened = sealed.to_vec();
            cipher.decrypt_in_place(nonce, &bound, &mut opened).ok().map(|()| opened)
        })
    }
}

/// What something is bound to, as bytes that nothing else has.
fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}
