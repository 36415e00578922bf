//! What is refused before s3s sees it.
//!
//! s3s 0.14, the newest that this Rust compiles, takes more than one way to sign: signatures of
//! version 2, presigned URLs of any age, and forms; and it believes `x-amz-` headers that the
//! signature does not cover, so that whoever holds a presigned PUT can add an
//! `x-amz-copy-source` to it and read any object as its signer. A client of this server has the
//! secret and needs none of that. So one way is left: version 4, in the `Authorization` header,
//! over all `x-amz-` headers.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use percent_encoding::percent_decode_str;

/// Why a request goes no further: the message of its `AccessDenied`.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), &'static str> {
    if request.uri().query().is_some_and(has_signature) {
        return Err("Presigned requests are not accepted; sign in the Authorization header");
    }
    if request.method() == Method::POST && is_form(request.headers()) {
        return Err("Forms are not accepted");
    }
    let mut authorizations = request.headers().get_all(header::AUTHORIZATION).iter();
    let (Some(authorization), None) = (authorizations.next(), authorizations.next()) else {
        return Err("Requests must be signed");
    };
    let signed = authorization
        .to_str()
        .ok()
        .and_then(|text| text.trim_start().strip_prefix("AWS4-HMAC-SHA256 "))
        .and_then(|fields| {
            fields.split(',').find_map(|field| field.trim().strip_prefix("SignedHeaders="))
        })
        .ok_or("Only signatures of version 4 are accepted")?;
    let is_signed = |name: &str| signed.split(';').any(|listed| listed == name);
    let mut amz = request.headers().keys().map(header::HeaderName::as_str);
    if !is_signed("host") || amz.any(|name| name.starts_with("x-amz-") && !is_signed(name)) {
        return Err("There were headers present in the request which were not signed");
    }
    Ok(())
}

fn has_signature(query: &str) -> bool {
    query.split('&').any(|field| {
        let name = percent_decode_str(field.split('=').next().unwrap_or_default());
        let name = name.decode_utf8_lossy();
        name.eq_ignore_ascii_case("X-Amz-Signature") || name.eq_ignore_ascii_case("Signature")
    })
}

fn is_form(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_TYPE).iter().any(|value| {
        value.as_bytes().trim_ascii_start().to_ascii_lowercase().starts_with(b"multipart/")
    })
}

/// What S3 answers to a request that may not be.
pub(super) fn denial(message: &str) -> Response<s3s::Body> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
    );
    let mut response = Response::new(s3s::Body::from(Bytes::from(body)));
    *response.status_mut() = StatusCode::FORBIDDEN;
    let xml = header::HeaderValue::from_static("application/xml");
    response.headers_mut().insert(header::CONTENT_TYPE, xml);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=K/20260101/us-east-1/s3/aws4_request, \
                          SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=00";

    fn request(uri: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::put(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn one_way_to_sign() {
        let date = ("x-amz-date", "20260101T000000Z");
        let signed = ("authorization", SIGNED);
        assert_eq!(check(&request("/b/k", &[signed, date])), Ok(()));
        for (uri, headers) in [
            ("/b/k", &[date][..]),
            ("/b/k?X-Amz-Signature=00", &[signed, date]),
            ("/b/k?a=b&X%2dAmz-Signature=00", &[signed, date]),
            ("/b/k?Signature=00&AWSAccessKeyId=K", &[signed, date]),
            ("/b/k", &[("authorization", "AWS K:AAAA"), date]),
            ("/b/k", &[signed, signed, date]),
            ("/b/k", &[signed, date, ("x-amz-copy-source", "b/secret")]),
            ("/b/k", &[signed, date, ("X-Amz-Meta-A", "b")]),
            ("/b/k", &[("authorization", &SIGNED.replace("host;", "")), date]),
        ] {
            assert!(check(&request(uri, headers)).is_err(), "{uri} {headers:?}");
        }
    }
}
