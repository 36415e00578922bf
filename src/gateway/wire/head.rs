//! The head of a request, read once and strictly: what could be read in two ways is refused.

use std::{borrow::Cow, mem::MaybeUninit};

use http::{Method, Uri, uri::PathAndQuery};
use httparse::{Header, Request, Status};

use super::{framing::Framing, is_token, refusal::Refusal};

/// How many headers a request has at most: as many as the HTTP library takes.
const MAX_HEADERS: usize = 100;
/// The longest name of a method.
const MAX_METHOD: usize = 32;
/// What a request line has beside its method and target.
const LINE_REST: usize = "  HTTP/1.1\r\n".len();
/// How many bytes of empty lines may stand before a request.
const MAX_EMPTY: usize = 16;
/// The largest head that the HTTP library takes, and what it gets beside what was sent.
const LIBRARY_HEAD: usize = 60 << 10;

/// How long parts of a head may be, in bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::gateway) struct Limits {
    /// The target.
    pub(in crate::gateway) target: usize,
    /// All headers together.
    pub(in crate::gateway) headers: usize,
}

impl Limits {
    fn headers(self) -> usize {
        self.headers.min(LIBRARY_HEAD)
    }
}

/// A request's head.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: Method,
    /// The path and query as they were sent, or why they are none.
    pub(super) target: Result<Uri, Refusal>,
    /// Where the body ends.
    pub(super) framing: Framing,
    /// What the HTTP library gets in place of what was sent.
    pub(super) library: Vec<u8>,
}

/// A head after which nothing more of its connection is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    /// Whether an answer has no body.
    pub(super) is_head: bool,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, is_head: false }
    }
}

/// How far a head was looked at while it came.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Where the request line begins, and where the headers do.
    begin: usize,
    headers: Option<usize>,
    /// Where the line begins that has not ended, and up to where its end was looked for.
    line: usize,
    seen: usize,
}

impl Scan {
    /// Where the head ends, once all of it is there.
    fn end(&mut self, bytes: &[u8], limits: Limits) -> Result<Option<usize>, Refusal> {
        while let Some(found) = memchr::memchr(b'\n', bytes.get(self.seen..).unwrap_or_default()) {
            let at = self.seen + found;
            let line = bytes.get(self.line..at).unwrap_or_default();
            let line = line.strip_suffix(b"\r").ok_or(Refusal::LINE_FEED)?;
            let is_empty = line.is_empty();
            (self.line, self.seen) = (at + 1, at + 1);
            match (is_empty, self.headers) {
                (true, Some(_)) => return Ok(Some(self.line)),
                (true, None) if self.line > MAX_EMPTY => return Err(Refusal::EMPTY_LINES),
                (true, None) => self.begin = self.line,
                (false, None) => self.headers = Some(self.line),
                (false, Some(_)) => {}
            }
        }
        self.seen = bytes.len();
        match self.headers {
            None if self.seen - self.begin > limits.target + MAX_METHOD + LINE_REST => {
                Err(Refusal::LONG_TARGET)
            }
            Some(headers) if self.seen - headers > limits.headers() => Err(Refusal::LARGE_HEAD),
            // What does not begin like a request is not waited for.
            None => match method(bytes.get(self.begin..).unwrap_or_default()) {
                Some(_) => Ok(None),
                None => Err(Refusal::LINE),
            },
            Some(_) => Ok(None),
        }
    }
}

/// What may be the beginning of a method, up to its space.
fn method(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = match bytes {
        // The beginning of an empty line.
        b"\r" => return Some(b""),
        bytes => bytes,
    };
    let some = bytes.get(..=MAX_METHOD).unwrap_or(bytes);
    let name = match some.iter().position(|byte| *byte == b' ') {
        Some(end) => some.get(..end)?,
        None if some.len() > MAX_METHOD => return None,
        None => some,
    };
    name.iter().all(|byte| is_token(*byte)).then_some(name)
}

/// Reads a head from the beginning of what came, and says how long it is there; `None` while it is not
/// whole. The library gets it as the request `number`.
pub(super) fn read(
    bytes: &[u8],
    scan: &mut Scan,
    limits: Limits,
    number: u64,
) -> Result<Option<(Head, usize)>, Refused> {
    let Some(end) = scan.end(bytes, limits)? else { return Ok(None) };
    let headers = scan.headers.unwrap_or(end);
    let line = bytes.get(scan.begin..headers.saturating_sub(2)).unwrap_or_default();
    let block = bytes.get(headers..end).unwrap_or_default();
    let line = Line::read(line)?;
    let refused = |refusal| Refused { refusal, is_head: line.method == Method::HEAD };
    if line.method == Method::CONNECT {
        return Err(refused(Refusal::CONNECT));
    }
    // The empty line at its end is no header.
    if block.len().saturating_sub(2) > limits.headers() {
        return Err(refused(Refusal::LARGE_HEAD));
    }
    let target = match line.target.len() > limits.target {
        true => Err(Refusal::LONG_TARGET),
        false => Target::read(&line.method, line.target),
    };
    let host = target.as_ref().ok().and_then(|target| target.host.clone());
    let first = format!("{} /{number} HTTP/1.{}\r\n", line.method, line.minor);
    let library = [first.as_bytes(), block].concat();
    let (framing, edited) = fields(&library, line.minor, host.as_deref()).map_err(refused)?;
    let library = edited.map_or(library, |fields| [first.as_bytes(), &fields].concat());
    let target = target.map(|target| target.uri);
    Ok(Some((Head { method: line.method, target, framing, library }, end)))
}

/// A request line, taken apart.
struct Line<'a> {
    method: Method,
    target: &'a [u8],
    /// Of HTTP/1.
    minor: u8,
}

impl<'a> Line<'a> {
    fn read(line: &'a [u8]) -> Result<Self, Refusal> {
        let method = method(line).filter(|name| !name.is_empty() && name.len() < line.len());
        let method = method.ok_or(Refusal::LINE)?;
        let rest = line.get(method.len() + 1..).unwrap_or_default();
        let method = Method::from_bytes(method).map_err(|_| Refusal::LINE)?;
        let end = memchr::memchr(b' ', rest).ok_or(Refusal::LINE)?;
        let (target, version) = rest.split_at_checked(end).ok_or(Refusal::LINE)?;
        let minor = match version {
            b" HTTP/1.1" => 1,
            b" HTTP/1.0" => 0,
            _ => return Err(Refusal::LINE),
        };
        if target.is_empty() || target.iter().any(u8::is_ascii_control) {
            return Err(Refusal::LINE);
        }
        Ok(Self { method, target, minor })
    }
}

/// What a request line names.
#[derive(Debug)]
struct Target {
    uri: Uri,
    /// The host of an address that has one, which counts in place of the header.
    host: Option<Vec<u8>>,
}

impl Target {
    fn read(method: &Method, raw: &[u8]) -> Result<Self, Refusal> {
        if raw.contains(&b'#') {
            return Err(Refusal::FRAGMENT);
        }
        let (host, path) = match raw {
            b"*" if *method == Method::OPTIONS => (None, raw),
            [b'/', ..] => (None, raw),
            _ => {
                let (host, path) = absolute(raw).ok_or(Refusal::TARGET)?;
                (Some(host.to_vec()), path)
            }
        };
        let mut text = utf8_target(path);
        if !matches!(text.as_bytes(), [b'/', ..] | b"*") {
            text.to_mut().insert(0, '/');
        }
        let path = PathAndQuery::try_from(&*text).map_err(|_| Refusal::TARGET)?;
        // Whatever the library makes of an address: what is decided on is what was sent.
        if path.as_str() != text {
            return Err(Refusal::TARGET);
        }
        Ok(Self { uri: Uri::from(path), host })
    }
}

/// The host of an address with a scheme, and its path and query.
fn absolute(raw: &[u8]) -> Option<(&[u8], &[u8])> {
    let scheme = [&b"http://"[..], b"https://"].into_iter().find(|scheme| {
        raw.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })?;
    let rest = raw.get(scheme.len()..)?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(end)?;
    (!host.is_empty() && is_host(host)).then_some((host, path))
}

/// A request target as text: itself where it is UTF-8, else with the bytes that are not ASCII read
/// as Latin-1. Algorithmia's Node client sends `ü` as the one byte 0xFC.
pub(in crate::gateway) fn utf8_target(raw: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(raw) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => raw.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// What the headers say of the body. Gives the headers anew where the library is to have others: with
/// this host, and without a wish for another protocol, which is never met.
fn fields(
    library: &[u8],
    minor: u8,
    host: Option<&[u8]>,
) -> Result<(Framing, Option<Vec<u8>>), Refusal> {
    let mut space = [const { MaybeUninit::<Header<'_>>::uninit() }; MAX_HEADERS];
    let mut request = Request::new(&mut []);
    match request.parse_with_uninit_headers(library, &mut space) {
        Ok(Status::Complete(length)) if length == library.len() => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::LARGE_HEAD),
        _ => return Err(Refusal::HEADER),
    }
    let (mut hosts, mut length, mut is_chunked, mut wishes) = (0_u32, None, false, false);
    for Header { name, value } in &*request.headers {
        if name.eq_ignore_ascii_case("host") {
            hosts += 1;
            if !is_host(value) {
                return Err(Refusal::HOST);
            }
        } else if name.eq_ignore_ascii_case("content-length") {
            if length.replace(whole(value).ok_or(Refusal::LENGTH)?).is_some() {
                return Err(Refusal::LENGTH);
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if is_chunked || minor == 0 || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::CODING);
            }
            is_chunked = true;
        } else if name.eq_ignore_ascii_case("upgrade") {
            wishes = true;
        }
    }
    if hosts > 1 || hosts == 0 && minor == 1 {
        return Err(Refusal::HOST);
    }
    let framing = match (length, is_chunked) {
        (Some(_), true) => return Err(Refusal::TWO_LENGTHS),
        (None, true) => Framing::chunked(),
        (length, false) => Framing::Length(length.unwrap_or(0)),
    };
    let edited = (wishes || host.is_some()).then(|| edited(request.headers, host));
    Ok((framing, edited))
}

fn edited(headers: &[Header<'_>], host: Option<&[u8]>) -> Vec<u8> {
    let mut block = Vec::new();
    let mut put = |name: &str, value: &[u8]| {
        block.extend_from_slice(name.as_bytes());
        block.extend_from_slice(b": ");
        block.extend_from_slice(value);
        block.extend_from_slice(b"\r\n");
    };
    if let Some(host) = host {
        put("host", host);
    }
    for Header { name, value } in headers {
        let is_left_out = name.eq_ignore_ascii_case("upgrade")
            || host.is_some() && name.eq_ignore_ascii_case("host");
        if !is_left_out {
            put(name, value);
        }
    }
    block.extend_from_slice(b"\r\n");
    block
}

/// A whole number, of digits alone.
fn whole(value: &[u8]) -> Option<u64> {
    // The HTTP library keeps the largest numbers for itself.
    const MAX_DIGITS: usize = 18;
    let is_number = (1..=MAX_DIGITS).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()
}

/// Whether this is a host, with or without a port (RFC 9112, 3.2). One of no name is one.
fn is_host(value: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(byte);
    let is_six = |byte: &u8| byte.is_ascii_hexdigit() || b":.".contains(byte);
    let end = match value.strip_prefix(b"[") {
        Some(literal) => match literal.iter().position(|byte| *byte == b']') {
            Some(end) if end > 0 && literal.iter().take(end).all(is_six) => end + 2,
            _ => return false,
        },
        None => value.iter().position(|byte| !is_name(byte)).unwrap_or(value.len()),
    };
    match value.get(end..) {
        Some([]) => true,
        Some([b':', port @ ..]) => port.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}
