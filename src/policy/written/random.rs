//! API keys that nobody can guess.

/// A new API key: `sim` and 40 letters and digits, 238 bits that nobody can guess.
///
/// # Errors
///
/// The system gives no random bytes.
#[cfg_attr(
    not(feature = "store"),
    expect(unreachable_pub, reason = "it is the store that gives it to users of the library")
)]
pub fn random_key() -> Result<String, getrandom::Error> {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut key = String::with_capacity(43);
    key.push_str("sim");
    while key.len() < 43 {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes)?;
        // Bytes beyond the last whole 62 are left out, so that every letter is as likely.
        let letters = bytes.iter().filter(|byte| **byte < 248);
        let letters = letters.filter_map(|byte| LETTERS.get(usize::from(byte % 62)));
        key.extend(letters.take(43 - key.len()).map(|letter| char::from(*letter)));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_and_never_the_same() {
        let (one, other) = (random_key().unwrap(), random_key().unwrap());
        assert_ne!(one, other);
        assert!(one.len() == 43 && one.starts_with("sim"), "{one}");
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}
