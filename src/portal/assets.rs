//! The style sheet, the script and the icon: part of the program, and named by what they hold, so
//! that a browser keeps them for as long as they are the same.

use std::sync::LazyLock;

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

use crate::escape::hex;

struct Asset {
    bytes: &'static [u8],
    content_type: &'static str,
    name: &'static str,
    address: String,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    let asset = |name, content_type, bytes: &'static [u8]| {
        let hash = hex(Sha256::digest(bytes).get(..8).unwrap_or_default());
        Asset { bytes, content_type, name, address: format!("/assets/{hash}/{name}") }
    };
    [
        asset("portal.css", "text/css; charset=utf-8", include_bytes!("assets/portal.css")),
        asset("portal.js", "text/javascript; charset=utf-8", include_bytes!("assets/portal.js")),
        asset("icon.svg", "image/svg+xml", include_bytes!("assets/icon.svg")),
    ]
});

/// Where the style sheet, the script and the icon are.
pub(super) fn addresses() -> [&'static str; 3] {
    let [css, script, icon] = &*ASSETS;
    [&css.address, &script.address, &icon.address]
}

/// The asset of this name and hash. One of another hash is not there: it was another program's.
pub(super) fn answer(path: &str) -> Option<Response> {
    let asset = ASSETS.iter().find(|asset| {
        asset.address == path || (asset.name == "icon.svg" && path == "/favicon.ico")
    })?;
    let mut response = Response::new(Body::from(asset.bytes));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, kept);
    Some(response)
}
