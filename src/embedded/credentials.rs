//! The one key of an embedded server.

use super::EmbeddedError;

/// A key id and its secret. It has no `Debug`, so that nothing can show it by accident.
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) secret: String,
}

/// The alphabets have 32 and 64 letters, so that the low bits of a random byte choose one evenly.
const ID: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const SECRET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Credentials {
    pub(super) fn random() -> Result<Self, EmbeddedError> {
        Ok(Self { id: random_text::<20>(ID)?, secret: random_text::<40>(SECRET)? })
    }
}

fn random_text<const LENGTH: usize>(alphabet: &[u8]) -> Result<String, EmbeddedError> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(|_| EmbeddedError::Random)?;
    Ok(bytes.iter().map(|&byte| char::from(alphabet[usize::from(byte) % alphabet.len()])).collect())
}

/// 32 hex digits that nobody can guess and that do not repeat: names of uploads and of files.
pub(super) fn random_name() -> Result<String, EmbeddedError> {
    random_text::<32>(b"0123456789abcdef")
}
