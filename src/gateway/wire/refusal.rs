//! Why a request is refused before anything is decided on it.

use http::StatusCode;

/// Why a request is refused before any route, key or path is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The answer's status.
    pub(crate) status: StatusCode,
    /// What was wrong, and what to do.
    pub(crate) message: &'static str,
}

impl Refusal {
    /// What is not well-formed HTTP, or could be read in two ways.
    pub(super) const fn malformed(message: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message }
    }

    pub(super) const FRAGMENT: Self = Self::malformed(
        "the request's address has a raw `#`: what stands behind it would be cut off; send a `#` in \
         a name as `%23`",
    );
    pub(super) const TARGET: Self = Self::malformed(
        "the request's address is not well-formed: it begins with `/`, and a byte that no address \
         has is sent as `%XX`",
    );
    pub(super) const LINE: Self = Self::malformed(
        "the request is not well-formed HTTP: a request line is `METHOD ADDRESS HTTP/1.1`",
    );
    pub(super) const LINE_FEED: Self = Self::malformed(
        "the request is not well-formed HTTP: each line of its head ends with CR LF",
    );
    pub(super) const EMPTY_LINES: Self = Self::malformed(
        "the request is not well-formed HTTP: too many empty lines stand before it",
    );
    pub(super) const HEADER: Self = Self::malformed(
        "the request is not well-formed HTTP: a header is `Name: value` on one line of its own",
    );
    pub(super) const HOST: Self = Self::malformed(
        "the request is not well-formed HTTP: it needs one `Host` header that names a host",
    );
    pub(super) const LENGTH: Self = Self::malformed(
        "the request is not well-formed HTTP: `Content-Length` is one number of bytes",
    );
    pub(super) const CODING: Self = Self::malformed(
        "the request is not well-formed HTTP: `Transfer-Encoding` is `chunked`, in HTTP/1.1 alone",
    );
    pub(super) const TWO_LENGTHS: Self = Self::malformed(
        "the request is not well-formed HTTP: `Content-Length` and `Transfer-Encoding` exclude each \
         other",
    );
    /// What the HTTP library made of the bytes is not what was read.
    pub(super) const DISAGREEMENT: Self =
        Self::malformed("the request can be read in two ways, and is not answered in either");
    pub(super) const CONNECT: Self = Self {
        status: StatusCode::METHOD_NOT_ALLOWED,
        message: "there is no such method here: this is no proxy",
    };
    pub(super) const LONG_TARGET: Self =
        Self { status: StatusCode::URI_TOO_LONG, message: "the request's address is too long" };
    pub(super) const LARGE_HEAD: Self = Self {
        status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        message: "the request's headers are too large",
    };
}
