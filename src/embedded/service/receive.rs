//! Taking the body of an upload: to the store, through the digests, and checked.

use std::collections::BTreeMap;

use http::HeaderMap;
use http_body_util::BodyExt;
use s3s::{
    Body, S3Error, S3ErrorCode, S3Result, TrailingHeaders,
    checksum::ChecksumHasher,
    crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256},
    dto::StreamingBlob,
    s3_error,
};

use crate::embedded::store::{Headers, Object, Store, now};

/// What an upload says of its body.
pub(super) struct Upload {
    pub(super) body: Option<StreamingBlob>,
    /// In bytes.
    pub(super) length: Option<i64>,
    /// In base64.
    pub(super) md5: Option<String>,
    /// All headers: checksums are found by their names, as they are behind the body.
    pub(super) headers: HeaderMap,
    pub(super) trailers: Option<TrailingHeaders>,
}

const CHECKSUMS: [&str; 5] = [
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
];

/// Takes an object, and compares it with all that is said of it. If it is not that, or breaks
/// off, nothing is stored.
pub(super) async fn receive(store: &Store, upload: Upload, described: Headers) -> S3Result<Object> {
    let mut md5 = Md5::new();
    let mut hasher = hasher(&upload.headers);
    let mut writer = store.writer().await?;
    let mut length = 0;
    if let Some(body) = upload.body {
        let mut body = Body::from(body);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(&*error))?;
            if let Some(bytes) = frame.data_ref() {
                md5.update(bytes);
                hasher.update(bytes);
                length += bytes.len() as u64;
                writer.write(bytes).await.map_err(|error| s3_error!(error, InternalError))?;
            }
        }
    }
    if upload.length.is_some_and(|said| u64::try_from(said) != Ok(length)) {
        return Err(s3_error!(IncompleteBody));
    }

    let md5: [u8; 16] = md5.finalize();
    if let Some(said) = &upload.md5 {
        if said.len() != 24 {
            return Err(s3_error!(InvalidDigest));
        }
        if *said != base64(&md5) {
            return Err(s3_error!(BadDigest));
        }
    }
    let trailers = upload.trailers.as_ref().and_then(TrailingHeaders::take).unwrap_or_default();
    let checksums = compare(hasher, &upload.headers, &trailers)?;
    let data = writer.finish().await.map_err(|error| s3_error!(error, InternalError))?;
    Ok(Object { data, etag: hex(&md5), modified: now(), headers: described, checksums })
}

/// The digests that the headers have, announce as trailers, or ask for.
fn hasher(headers: &HeaderMap) -> ChecksumHasher {
    let announced = |name: &str| {
        let names = headers.get_all("x-amz-trailer");
        let mut names = names.iter().filter_map(|value| value.to_str().ok());
        let algorithm = name.trim_start_matches("x-amz-checksum-");
        let asked = headers.get("x-amz-sdk-checksum-algorithm").and_then(|v| v.to_str().ok());
        headers.contains_key(name)
            || names.any(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(name)))
            || asked.is_some_and(|asked| asked.eq_ignore_ascii_case(algorithm))
    };
    let [crc32, crc32c, crc64nvme, sha1, sha256] = CHECKSUMS.map(announced);
    ChecksumHasher {
        crc32: crc32.then(Crc32::new),
        crc32c: crc32c.then(Crc32c::new),
        crc64nvme: crc64nvme.then(Crc64Nvme::new),
        sha1: sha1.then(Sha1::new),
        sha256: sha256.then(Sha256::new),
    }
}

/// The checksums, if none differs from what was said.
fn compare(
    hasher: ChecksumHasher,
    headers: &HeaderMap,
    trailers: &HeaderMap,
) -> S3Result<BTreeMap<String, String>> {
    let is = hasher.finalize();
    let values = [
        is.checksum_crc32,
        is.checksum_crc32c,
        is.checksum_crc64nvme,
        is.checksum_sha1,
        is.checksum_sha256,
    ];
    let mut checksums = BTreeMap::new();
    for (name, value) in CHECKSUMS.into_iter().zip(values) {
        let Some(value) = value else { continue };
        for said in headers.get_all(name).iter().chain(trailers.get_all(name)) {
            if said.as_bytes() != value.as_bytes() {
                return Err(s3_error!(BadDigest, "{name} is not that of the body"));
            }
        }
        checksums.insert(name.to_owned(), value);
    }
    Ok(checksums)
}

/// S3's error for a body that did not come as it should. s3s keeps the types of these to itself.
fn broken(error: &(dyn std::error::Error + 'static)) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        let mut mismatch = S3Error::new(S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()));
        mismatch.set_status_code(http::StatusCode::BAD_REQUEST);
        mismatch
    } else if text.contains("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch)
    } else {
        s3_error!(IncompleteBody)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or_default()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        assert_eq!(hex(&[0, 0xaf, 0x10]), "00af10");
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
