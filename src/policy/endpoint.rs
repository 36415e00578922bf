//! The address of a server, checked by hand: a URL type would rewrite it.

use super::{fields, report::Report, yaml::Node};

/// Reads `endpoint`: `http://` or `https://`, a host, perhaps a port, and nothing else.
///
/// A user and password in it are secrets, and so may be a query; then the line is not shown.
pub(super) fn read(report: &mut Report<'_>, node: &Node<'_>) -> Option<Box<str>> {
    let text = fields::text(report, node, "`endpoint`")?;
    let wrong = match check(text) {
        Ok(()) => return Some(text.trim_end_matches('/').into()),
        Err(wrong) => wrong,
    };
    let (message, help) = match wrong {
        Wrong::Scheme => (
            "`endpoint` starts with neither `https://` nor `http://`",
            "write the whole address: `https://s3.example`",
        ),
        Wrong::UserInfo => (
            "`endpoint` has a user or password in it",
            "write `https://host`, and name the place of the credentials under `credentials`",
        ),
        Wrong::Host => {
            ("`endpoint` has no host that can be", "write a name or address: `https://s3.example`")
        }
        Wrong::Port => ("the port of `endpoint` is no port", "write a number from 1 to 65535"),
        Wrong::Path => (
            "`endpoint` has more than a host and a port",
            "buckets and folders stand in `restrictions`; write `https://s3.example:9000`",
        ),
    };
    // What stands behind a `?` may be a signature or a token.
    if text.contains(['@', '?']) {
        report.hide(node.span);
    }
    report.error("policy.endpoint", node.span, message).help(help);
    None
}

#[derive(Debug, PartialEq)]
enum Wrong {
    Scheme,
    UserInfo,
    Host,
    Port,
    Path,
}

fn check(text: &str) -> Result<(), Wrong> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .ok_or(Wrong::Scheme)?;
    if rest.contains('@') {
        return Err(Wrong::UserInfo);
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '\\']) {
        return Err(Wrong::Path);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(address) => {
            let (address, rest) = address.split_once(']').ok_or(Wrong::Host)?;
            address.parse::<std::net::Ipv6Addr>().map_err(|_| Wrong::Host)?;
            let port = rest.strip_prefix(':');
            if port.is_none() && !rest.is_empty() {
                return Err(Wrong::Host);
            }
            ("v6", port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let in_host = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if host.is_empty() || host.len() > 253 || !host.bytes().all(in_host) {
        return Err(Wrong::Host);
    }
    match port {
        Some(port) if port.starts_with('+') || !port.parse::<u16>().is_ok_and(|n| n > 0) => {
            Err(Wrong::Port)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_host_and_a_port() {
        for (text, result) in [
            ("https://s3.example", Ok(())),
            ("http://127.0.0.1:9000", Ok(())),
            ("https://[::1]:9000", Ok(())),
            ("https://[::1]", Ok(())),
            ("https://s3.example/", Ok(())),
            ("s3.example", Err(Wrong::Scheme)),
            ("HTTPS://s3.example", Err(Wrong::Scheme)),
            ("ftp://s3.example", Err(Wrong::Scheme)),
            ("https://", Err(Wrong::Host)),
            ("https://:9000", Err(Wrong::Host)),
            ("https://a b", Err(Wrong::Host)),
            ("https://[::1]x", Err(Wrong::Host)),
            ("https://user:pw@host", Err(Wrong::UserInfo)),
            ("https://host/a@b", Err(Wrong::UserInfo)),
            ("https://host:0", Err(Wrong::Port)),
            ("https://host:+1", Err(Wrong::Port)),
            ("https://host:65536", Err(Wrong::Port)),
            ("https://host:", Err(Wrong::Port)),
            ("https://host/bucket", Err(Wrong::Path)),
            ("https://host?x", Err(Wrong::Path)),
        ] {
            assert_eq!(check(text), result, "{text}");
        }
    }
}
