//! The types that files are stored with.
//!
//! Of Algorithmia's clients some say one type of whatever they store: `application/json` those for R, Scala and
//! TypeScript, `application/octet-stream` the one for PHP. Others say none. What so tells nothing gives way to
//! the type that a file's name has.

use http::{
    HeaderMap,
    header::{CONTENT_TYPE, USER_AGENT},
};

const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";

/// The type that a file of this key is stored with; `None` where neither the caller nor the name says one.
pub(super) fn of_upload(key: &[u8], headers: &HeaderMap) -> Option<String> {
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // The two are the same in a header (RFC 9110, 5.6.3), but not in its signature.
    let said = said.map(|said| said.replace('\t', " ")).filter(|said| !said.trim().is_empty());
    let essence = said.as_deref().and_then(|said| said.split(';').next()).unwrap_or(BYTES).trim();
    if !essence.eq_ignore_ascii_case(JSON) && !essence.eq_ignore_ascii_case(BYTES) {
        return said;
    }
    let by_name = by_name(key);
    match essence.eq_ignore_ascii_case(JSON) {
        // R's client says so of everything.
        true if is_r(headers) => by_name,
        // The name has nothing against it.
        true if by_name.as_deref().is_none_or(|name| name == JSON) => said,
        _ => by_name.or(said),
    }
}

/// The type by the extension of the key's last segment.
fn by_name(key: &[u8]) -> Option<String> {
    let name = key.rsplit(|byte| *byte == b'/').next()?;
    let (stem, extension) = std::str::from_utf8(name).ok()?.rsplit_once('.')?;
    let known = mime_guess::from_ext(extension).first_raw().filter(|_| !stem.is_empty());
    known.map(str::to_owned)
}

/// Whether this is the library that R's client asks by.
fn is_r(headers: &HeaderMap) -> bool {
    let name = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    name.is_some_and(|name| name.split(' ').any(|product| product.starts_with("httr/")))
}
