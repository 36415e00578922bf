//! The address of a server, checked by hand: a URL type would rewrite it.
//!
//! Addresses that are link-local are refused, and with them those at which clouds give a machine
//! its credentials: whoever can write a policy, and not log in, is not to have the gateway talk
//! to them. A name that resolves to such an address is found out when it does
//! (`executor/s3/resolve.rs`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    advice::{Advice, Candidate},
    fields,
    report::Report,
    yaml::Node,
};

/// Reads `endpoint`: `http://` or `https://`, a host, perhaps a port, and nothing else.
///
/// A user and password in it are secrets, and so may be a query; then the line is not shown.
pub(super) fn read(report: &mut Report<'_>, node: &Node<'_>) -> Option<Box<str>> {
    let text = fields::text(report, node, "`endpoint`")?;
    let wrong = match check(text) {
        Ok(()) => return Some(text.trim_end_matches('/').into()),
        Err(wrong) => wrong,
    };
    let range = node.whole().range();
    let meant = |text: &str| Candidate::new(": write ", range.clone(), text);
    let example = Candidate::example(", such as ", range.clone(), "https://s3.example");
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
    let scheme = if scheme.eq_ignore_ascii_case("http") { "http" } else { "https" };
    let (host, _) = rest.split_once(['/', '?', '#']).unwrap_or((rest, ""));
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let (message, advice) = match wrong {
        Wrong::Scheme => (
            "`endpoint` starts with neither `https://` nor `http://`",
            Advice::words("an endpoint is a whole address")
                .write_first([meant(&format!("{scheme}://{host}")), example]),
        ),
        Wrong::UserInfo => (
            "`endpoint` has a user or password in it",
            Advice::words(
                "the place of the credentials stands under `credentials`, and the host alone here",
            )
            .write(example),
        ),
        Wrong::Host => (
            "`endpoint` has no host that can be",
            Advice::words("an endpoint has the name or address of a server").write(example),
        ),
        Wrong::LinkLocal => (
            "`endpoint` is an address that a machine gets its own credentials from, or link-local",
            Advice::words("name an S3 server").write(example),
        ),
        Wrong::Port => (
            "the port of `endpoint` is no port",
            Advice::words("a port is a number from 1 to 65535, and can be left out")
                .write_first([meant(&format!("{scheme}://{name}")), example]),
        ),
        Wrong::Path => (
            "`endpoint` has more than a host and a port",
            Advice::words("buckets and folders stand in `restrictions`")
                .write_first([meant(&format!("{scheme}://{host}")), example]),
        ),
    };
    // What stands behind a `?` may be a signature or a token.
    if text.contains(['@', '?']) {
        report.hide(node.span);
    }
    report.error("policy.endpoint", node.span, message).advise(advice);
    None
}

#[derive(Debug, PartialEq)]
enum Wrong {
    Scheme,
    UserInfo,
    Host,
    LinkLocal,
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
            let address = address.parse::<Ipv6Addr>().map_err(|_| Wrong::Host)?;
            if is_link_local_v6(address) {
                return Err(Wrong::LinkLocal);
            }
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
    if numbers(host).is_some_and(is_link_local)
        || METADATA.iter().any(|name| host.trim_end_matches('.').eq_ignore_ascii_case(name))
    {
        return Err(Wrong::LinkLocal);
    }
    match port {
        Some(port) if port.starts_with('+') || !port.parse::<u16>().is_ok_and(|n| n > 0) => {
            Err(Wrong::Port)
        }
        _ => Ok(()),
    }
}

/// Names of metadata services.
const METADATA: [&str; 2] = ["metadata.google.internal", "metadata.goog"];

/// Whether an S3 server is never to be at this address: it is link-local, or a cloud's metadata service.
#[cfg_attr(not(feature = "executor"), expect(dead_code, reason = "who resolves names asks this"))]
pub(crate) fn is_off_limits(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_link_local(address),
        IpAddr::V6(address) => is_link_local_v6(address),
    }
}

/// Link-local addresses, which have the metadata services of most clouds, and those of the others.
fn is_link_local(address: Ipv4Addr) -> bool {
    address.is_link_local()
        || matches!(address.octets(), [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192])
}

fn is_link_local_v6(address: Ipv6Addr) -> bool {
    address.is_unicast_link_local()
        || address.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
        || carried(address).is_some_and(is_link_local)
}

/// The IPv4 address that an IPv6 address leads to: `::ffff:a.b.c.d` and `::a.b.c.d`, through NAT64 with
/// the well-known prefix, or 6to4.
pub(super) fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some(of(high, low)),
        _ => address.to_ipv4(),
    }
}

/// Whether this is the address of a server, as a connection may have it.
#[cfg(all(feature = "cli", feature = "portal"))]
pub(crate) fn is_endpoint(text: &str) -> bool {
    check(text).is_ok()
}

/// The address that resolvers take a host for that has one to four numbers, each decimal, octal or
/// hexadecimal, the last of which fills what is left: `0xa9fea9fe` is 169.254.169.254.
pub(super) fn numbers(host: &str) -> Option<Ipv4Addr> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let mut parts = Vec::new();
    for part in host.split('.') {
        let lower = part.to_ascii_lowercase();
        let (digits, radix) = match lower.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
            None => (lower.as_str(), 10),
        };
        parts.push(u32::from_str_radix(digits, radix).ok()?);
    }
    let (last, first) = parts.split_last()?;
    let room = 32_u32.checked_sub(u32::try_from(first.len()).ok()?.checked_mul(8)?)?;
    if room == 0 || first.iter().any(|part| *part > 255) || u64::from(*last) >> room != 0 {
        return None;
    }
    let places = [24, 16, 8];
    let high = first.iter().zip(places).fold(0, |sum, (part, place)| sum | part << place);
    Some(Ipv4Addr::from(high | last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h09_an_endpoint_is_no_metadata_service() {
        for host in [
            "169.254.169.254",
            "169.254.0.1",
            "169.254.169.254.",
            "2852039166",
            "0xA9FEA9FE",
            "0xa9.254.0251.0xfe",
            "169.254.43518",
            "169.16689662",
            "[fe80::1]",
            "[::ffff:169.254.169.254]",
            "[::169.254.169.254]",
            "[fd00:ec2::254]",
            "[64:ff9b::a9fe:a9fe]",
            "[64:ff9b::a83f:8110]",
            "[2002:a9fe:a9fe::1]",
            "100.100.100.200",
            "168.63.129.16",
            "Metadata.Google.Internal.",
        ] {
            for text in [format!("http://{host}"), format!("https://{host}:80/")] {
                assert_eq!(check(&text), Err(Wrong::LinkLocal), "{text}");
            }
        }
        for host in ["10.0.0.1", "169.253.1.1", "1.2.3.4.5", "a9fe.a9fe", "0x", "4294967296"] {
            assert_eq!(check(&format!("http://{host}")), Ok(()), "{host}");
        }
    }

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
