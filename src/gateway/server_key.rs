//! The secret that gateways which stand for one another share: what one of them seals, another opens.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// What each line of a file starts with.
const PREFIX: &str = "pathward-server-key-1:";
const LEN: usize = 32;
/// The most keys of a file: the one that seals, and those that it takes the place of.
const MOST: usize = 8;

/// A secret that gateways which stand for one another share, so that a listing that one began is gone on with at
/// another, and after a restart.
///
/// It is text of a line for each key, `pathward-server-key-1:` and 43 characters; empty lines and those that start with
/// `#` are passed over. The first key seals, and all of them open. To replace a key, put the new one behind it on
/// every gateway; then before it, everywhere; then take the old one out.
///
/// No key is used as it is: for each purpose one is derived from it (HKDF with SHA-256, RFC 5869). `Debug` says how
/// many there are.
#[derive(Clone)]
pub struct ServerKey(Vec<Zeroizing<[u8; LEN]>>);

/// Why a text is no server key. Names the line, and says nothing of what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKeyError {
    /// This line, counted from 1, is no key.
    Line(usize),
    /// There is no key.
    Empty,
    /// There are more keys than anybody needs to change one for another.
    TooMany,
}

impl fmt::Display for ServerKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(
                f,
                "line {line} is no server key, which is `{PREFIX}` and 43 characters: make one with `pathward \
                 key server`"
            ),
            Self::Empty => {
                write!(f, "there is no server key in it: make one with `pathward key server`")
            }
            Self::TooMany => {
                write!(f, "there are more than {MOST} server keys: take the oldest out")
            }
        }
    }
}

impl std::error::Error for ServerKeyError {}

impl ServerKey {
    /// Reads the text of one or more keys.
    ///
    /// # Errors
    ///
    /// [`ServerKeyError`]: a line that is no key, no key at all, or too many.
    pub fn parse(text: &str) -> Result<Self, ServerKeyError> {
        let mut keys = Vec::new();
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = line.strip_prefix(PREFIX).and_then(|rest| {
                let bytes = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(rest).ok()?);
                <[u8; LEN]>::try_from(&**bytes).ok()
            });
            keys.push(Zeroizing::new(key.ok_or(ServerKeyError::Line(number))?));
        }
        match keys.len() {
            0 => Err(ServerKeyError::Empty),
            1..=MOST => Ok(Self(keys)),
            _ => Err(ServerKeyError::TooMany),
        }
    }

    /// A new one. What is sealed by it is good for as long as it is kept.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut key = Zeroizing::new([0; LEN]);
        getrandom::fill(&mut *key)?;
        Ok(Self(vec![key]))
    }

    /// The keys as text, a line each: secret.
    pub fn text(&self) -> Zeroizing<String> {
        let line = |key: &Zeroizing<[u8; LEN]>| {
            format!("{PREFIX}{}\n", BASE64_URL_SAFE_NO_PAD.encode(**key))
        };
        Zeroizing::new(self.0.iter().map(line).collect())
    }

    /// The keys for one purpose: the one that seals, and behind it others that open.
    pub(super) fn derive(&self, purpose: &str) -> impl Iterator<Item = Zeroizing<[u8; LEN]>> {
        self.0.iter().map(move |key| {
            let mut derived = Zeroizing::new([0; LEN]);
            // Never too long for what is derived.
            let _ = Hkdf::<Sha256>::new(None, &**key).expand(purpose.as_bytes(), &mut *derived);
            derived
        })
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerKey").field("keys", &self.0.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "pathward-server-key-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    #[test]
    fn a_key_is_a_line_and_comes_back_as_one() {
        let key = ServerKey::parse(&format!("# of 2026\n\n  {ONE}\n")).unwrap();
        assert_eq!(*key.text(), format!("{ONE}\n"));
        let other = ServerKey::random().unwrap();
        assert_eq!(*ServerKey::parse(&other.text()).unwrap().text(), *other.text());
        assert_ne!(*other.text(), *key.text());
        assert_eq!(format!("{key:?}"), "ServerKey { keys: 1, .. }");
    }

    #[test]
    fn what_is_no_key_is_said_by_its_line() {
        for (text, error) in [
            ("", ServerKeyError::Empty),
            ("# none\n", ServerKeyError::Empty),
            ("secret", ServerKeyError::Line(1)),
            (&format!("{ONE}\n{ONE}x"), ServerKeyError::Line(2)),
            (&ONE[..ONE.len() - 1], ServerKeyError::Line(1)),
            (&ONE.replace("key-1", "key-2"), ServerKeyError::Line(1)),
            (&format!("{ONE}\n").repeat(9), ServerKeyError::TooMany),
        ] {
            let found = ServerKey::parse(text).unwrap_err();
            assert_eq!(found, error, "{text}");
            assert!(!found.to_string().contains("AAEC"));
        }
    }

    /// As RFC 5869 has it, by another implementation (Python's `hmac`): what gateways of other versions derive.
    #[test]
    fn each_purpose_has_a_key_of_its_own() {
        let key = ServerKey::parse(ONE).unwrap();
        let hex = |purpose: &str| -> String {
            let derived = key.derive(purpose).next().unwrap();
            derived.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        assert_eq!(hex("pathward marker 1"), EXPECTED);
        assert_ne!(hex("pathward marker 1"), hex("pathward marker 2"));
    }

    const EXPECTED: &str = "b057087579c259776a0a399aad163185c1d83107aa93fb4b02a97c533a30946b";
}
