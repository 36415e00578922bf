//! Signing requests, by Signature Version 4.

use std::time::SystemTime;

use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4::SigningParams,
};
use aws_smithy_runtime_api::client::identity::Identity;
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};

use super::{
    fault::Fault,
    request::{Payload, Request},
};
use crate::escape::hex;

/// The SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What a request's body has for the signature: a hash, unless it comes as it comes.
pub(super) fn hash(payload: &Payload) -> Option<String> {
    match payload {
        Payload::Bytes(bytes) if bytes.is_empty() => Some(EMPTY.to_owned()),
        Payload::Bytes(bytes) => Some(hex(&Sha256::digest(bytes))),
        Payload::Stream(_) => None,
    }
}

/// The headers of a request to this URI, with those that sign it.
pub(super) fn signed(
    request: &Request,
    uri: &str,
    hash: Option<&str>,
    identity: &Identity,
    region: &str,
    now: SystemTime,
) -> Result<HeaderMap, Fault> {
    // S3's own way: a path is signed as it is sent.
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let params = SigningParams::builder()
        .identity(identity)
        .region(region)
        .name("s3")
        .time(now)
        .settings(settings)
        .build()
        .map_err(|_| Fault::Configuration)?
        .into();
    let body = match hash {
        Some(hash) => SignableBody::Precomputed(hash.to_owned()),
        None => SignableBody::UnsignedPayload,
    };
    let mut headers = request.headers.clone();
    let texts = request
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let signable = SignableRequest::new(request.method.as_str(), uri, texts, body)
        .map_err(|_| Fault::Configuration)?;
    let signed = sign(signable, &params).map_err(|_| Fault::Configuration)?;
    for (name, value) in signed.output().headers() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Fault::Configuration)?;
        let mut value = HeaderValue::from_str(value).map_err(|_| Fault::Configuration)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}
