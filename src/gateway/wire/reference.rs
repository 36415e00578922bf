//! What the bytes of a connection mean, by the rules alone: the specification of what a service sees.

use super::{Limits, utf8_target};

pub(super) const LIMITS: Limits = Limits { target: 2_000, headers: 4_000 };

/// A request as the rules have it.
#[derive(Clone, Debug)]
pub(super) struct Meant {
    pub(super) method: String,
    pub(super) target: Option<String>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) closes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// Behind a request, or in a body.
    Behind,
    /// In a head that is not whole.
    InHead,
    /// With something that is refused and ends the connection, which is the last of what is meant.
    Refused,
}

/// What bytes mean: the rules once more, one after the other, without any parser of HTTP.
pub(super) fn reference(bytes: &[u8]) -> (Vec<Meant>, Ends) {
    let mut meant = Vec::new();
    let mut rest = bytes;
    loop {
        let mut empty = 0;
        while let Some(behind) = rest.strip_prefix(b"\r\n") {
            (rest, empty) = (behind, empty + 2);
        }
        if rest.is_empty() && empty <= 16 {
            return (meant, Ends::Behind);
        }
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n");
        let refused = Meant { method: String::new(), target: None, body: None, closes: true };
        let Some(end) = end else {
            // All that is refused in a part of a head, and whatever else.
            return (meant, Ends::InHead);
        };
        let head = one_head(&rest[..end]).filter(|_| empty <= 16);
        let Some((mut one, length)) = head else {
            meant.push(refused);
            return (meant, Ends::Refused);
        };
        rest = &rest[end + 4..];
        let (body, behind) = match length {
            Some(length) => match rest.split_at_checked(length) {
                Some((body, behind)) => (Some(body.to_vec()), behind),
                None => (None, &b""[..]),
            },
            None => dechunked(rest).map_or((None, &b""[..]), |(body, rest)| (Some(body), rest)),
        };
        let is_whole = body.is_some();
        one.body = body;
        one.closes |= !is_whole;
        meant.push(one);
        if !is_whole {
            return (meant, Ends::Behind);
        }
        rest = behind;
    }
}

/// A head without its last two lines' ends, and how long its body is.
fn one_head(head: &[u8]) -> Option<(Meant, Option<usize>)> {
    let text: String = head.iter().map(|byte| char::from(*byte)).collect();
    let lines: Vec<&str> = text.split("\r\n").collect();
    if lines.iter().any(|line| line.contains(['\r', '\n', '\0'])) || head.len() > 5_000 {
        return None;
    }
    let parts: Vec<&str> = lines[0].split(' ').collect();
    let [method, target, version] = parts[..] else { return None };
    let token = |name: &str| {
        let is_one = |c: char| c.is_ascii_graphic() && !"\"(),/:;<=>?@[\\]{}".contains(c);
        !name.is_empty() && name.chars().all(is_one)
    };
    let visible = |c: char| c > ' ' && c != '\u{7F}';
    if !token(method) || method.len() > 32 || method == "CONNECT" || target.is_empty() {
        return None;
    }
    if !target.chars().all(visible) || !["HTTP/1.1", "HTTP/1.0"].contains(&version) {
        return None;
    }
    let mut fields = Vec::new();
    for line in &lines[1..] {
        let (name, value) = line.split_once(':')?;
        let is_value = value.chars().all(|c| c == '\t' || c == ' ' || visible(c));
        if !token(name) || !is_value {
            return None;
        }
        fields.push((name.to_lowercase(), value.trim_matches([' ', '\t'])));
    }
    let all = |name: &str| {
        let of_it = fields.iter().filter(|(known, _)| known == name);
        of_it.map(|(_, value)| *value).collect::<Vec<_>>()
    };
    let hosts = all("host");
    let is_host = |host: &str| host.is_empty() || ["g", "h"].contains(&host);
    if hosts.len() > 1 || hosts.is_empty() && version == "HTTP/1.1" {
        return None;
    }
    if !hosts.iter().all(|host| is_host(host) || is_odd_host(host)) {
        return None;
    }
    let length = match (&*all("content-length"), &*all("transfer-encoding")) {
        ([], []) => Some(0),
        ([length], []) if !length.is_empty() && length.chars().all(|c| c.is_ascii_digit()) => {
            Some(length.parse().ok()?)
        }
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") && version == "HTTP/1.1" => None,
        _ => return None,
    };
    let connection = all("connection").join(",").to_lowercase();
    let closes = version == "HTTP/1.0" || connection.contains("close");
    let raw: Vec<u8> = target.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let target = meant_target(method, &raw);
    Some((Meant { method: method.to_owned(), target, body: None, closes }, length))
}

/// Names of hosts that chance makes.
fn is_odd_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._~%!$&'()*+,;=".contains(c);
    name.chars().all(is_name) && port.chars().all(|c| c.is_ascii_digit())
}

fn meant_target(method: &str, raw: &[u8]) -> Option<String> {
    let text = utf8_target(raw).into_owned();
    if raw.len() > LIMITS.target || text.contains(['#']) {
        return None;
    }
    if text == "*" {
        return (method == "OPTIONS").then_some(text);
    }
    let path = match text.strip_prefix("http://") {
        None => text,
        Some(rest) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let (host, path) = rest.split_at(end);
            if host.is_empty() || !is_odd_host(host) {
                return None;
            }
            if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
        }
    };
    let (before, query) = path.split_once('?').unwrap_or((&path, ""));
    let is_right = !before.contains(['<', '>', '`']) && !query.contains(['"', '<', '>']);
    (path.starts_with('/') && is_right).then_some(path.clone())
}

/// The body of chunks, and what stands behind it.
fn dechunked(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let line =
        |bytes: &'_ [u8]| -> Option<usize> { bytes.windows(2).position(|two| two == b"\r\n") };
    let (mut body, mut rest) = (Vec::new(), bytes);
    loop {
        let end = line(rest)?;
        let size = std::str::from_utf8(&rest[..end]).ok()?;
        let digits = size.split(';').next()?;
        if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        let size = usize::from_str_radix(digits, 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            break;
        }
        let (piece, behind) = rest.split_at_checked(size)?;
        body.extend_from_slice(piece);
        rest = behind.strip_prefix(b"\r\n")?;
    }
    loop {
        let end = line(rest)?;
        let is_last = end == 0;
        rest = &rest[end + 2..];
        if is_last {
            return Some((body, rest));
        }
    }
}
