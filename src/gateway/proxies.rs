//! Proxies that are believed when they say for whom they ask: for the count of connections, and for
//! nothing else.

use std::net::IpAddr;

use http::{HeaderMap, header::FORWARDED};
use ipnet::IpNet;

/// A proxy's address, or the network that proxies are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxy(IpNet);

/// This is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAProxy;

impl std::fmt::Display for NotAProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("write an address, `10.0.0.7`, or a network, `10.0.0.0/24`")
    }
}

impl std::error::Error for NotAProxy {}

impl std::str::FromStr for Proxy {
    type Err = NotAProxy;

    fn from_str(text: &str) -> Result<Self, NotAProxy> {
        let one = text.parse().map(|address: IpAddr| IpNet::from(address.to_canonical()));
        one.or_else(|_| text.parse()).map(Self).map_err(|_| NotAProxy)
    }
}

/// All proxies that are believed.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies(pub(super) Vec<Proxy>);

impl Proxies {
    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|Proxy(network)| network.contains(&address))
    }

    /// For whom a request comes from this address: the last one that it was forwarded for and that is no
    /// proxy itself. `None` where nobody is believed, or two headers name two.
    pub(super) fn asker(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        if !self.has(peer.to_canonical()) {
            return None;
        }
        let two = [
            self.last(headers, FORWARDED_FOR, address),
            self.last(headers, FORWARDED.as_str(), forwarded),
        ];
        match two {
            // A proxy that writes the one passes the other on: nobody knows which of them it wrote.
            [Some(one), Some(other)] if one != other => None,
            [one, other] => one.or(other).flatten(),
        }
    }

    /// The last hop of a list that is no proxy, where there is one. `None` where there is no list.
    fn last(
        &self,
        headers: &HeaderMap,
        name: &str,
        read: impl Fn(&str) -> Option<IpAddr>,
    ) -> Option<Option<IpAddr>> {
        if !headers.contains_key(name) {
            return None;
        }
        // What stands before an address that is none may be anybody's.
        let mut known = hops(headers, name, read).into_iter().map_while(|hop| hop);
        Some(known.find(|hop| !self.has(*hop)).map(network))
    }
}

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The hops of a list, the last first.
fn hops(
    headers: &HeaderMap,
    name: &str,
    read: impl Fn(&str) -> Option<IpAddr>,
) -> Vec<Option<IpAddr>> {
    let values = headers.get_all(name).iter();
    let mut hops: Vec<_> = values
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(|hop| read(hop.trim()))
        .collect();
    hops.reverse();
    hops
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || Some(text.parse::<std::net::SocketAddr>().ok()?.ip());
    bare.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

/// The address of one element of `Forwarded` (RFC 7239).
fn forwarded(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    address(value.trim_matches('"'))
}

/// Who is counted as one: of IPv6, the network that one customer has, a /64.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) if !six.is_loopback() => IpAddr::V6((u128::from(six) >> 64 << 64).into()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(peer: &str, headers: &[(&'static str, &str)]) -> Option<String> {
        let trusted = ["10.0.0.0/24", "192.0.2.7", "fd00::/8"];
        let proxies = Proxies(trusted.map(|text| text.parse().unwrap()).to_vec());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        proxies.asker(peer.parse().unwrap(), &map).map(|address| address.to_string())
    }

    #[test]
    fn the_last_hop_that_is_no_proxy_asks() {
        for (value, who) in [
            ("198.51.100.1", Some("198.51.100.1")),
            ("203.0.113.9, 198.51.100.1", Some("198.51.100.1")),
            ("203.0.113.9,198.51.100.1, 10.0.0.8", Some("198.51.100.1")),
            ("203.0.113.9, 198.51.100.1:4711, 192.0.2.7", Some("198.51.100.1")),
            ("2001:db8:1:2:3::4", Some("2001:db8:1:2::")),
            ("[2001:db8:1:2:3::4]:443", Some("2001:db8:1:2::")),
            ("::ffff:198.51.100.1", Some("198.51.100.1")),
            ("198.51.100.1, unknown", None),
            ("198.51.100.1, unknown, 10.0.0.8", None),
            ("10.0.0.8", None),
            ("", None),
        ] {
            let who = who.map(str::to_owned);
            assert_eq!(asker("10.0.0.7", &[("x-forwarded-for", value)]), who, "{value}");
        }
        let twice = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "198.51.100.1")];
        assert_eq!(asker("::ffff:10.0.0.7", &twice).as_deref(), Some("198.51.100.1"));
        for (value, who) in [
            ("for=198.51.100.1;proto=https;by=10.0.0.1", Some("198.51.100.1")),
            ("For=\"[2001:db8:1:2:3::4]:4711\"", Some("2001:db8:1:2::")),
            ("for=203.0.113.9, for=\"198.51.100.1:80\", for=10.0.0.9", Some("198.51.100.1")),
            ("for=_hidden", None),
            ("proto=https", None),
        ] {
            assert_eq!(asker("192.0.2.7", &[("forwarded", value)]).as_deref(), who, "{value}");
        }
    }

    #[test]
    fn of_two_headers_that_disagree_neither_is_believed() {
        const ONE: &str = "198.51.100.1";
        for (forwarded_for, forwarded, who) in [
            (ONE, "for=198.51.100.1", Some(ONE)),
            (ONE, "for=\"198.51.100.1:4711\", for=10.0.0.9", Some(ONE)),
            ("198.51.100.1, 10.0.0.8", "for=203.0.113.9;proto=https, for=198.51.100.1", Some(ONE)),
            // The proxy wrote the one, and whoever asks wrote the other.
            ("203.0.113.9", "for=198.51.100.1", None),
            (ONE, "for=203.0.113.9", None),
            ("203.0.113.9, 10.0.0.8", "for=198.51.100.1", None),
            ("10.0.0.8", "for=198.51.100.1", None),
            ("unknown", "for=198.51.100.1", None),
            (ONE, "for=_hidden", None),
            (ONE, "proto=https", None),
            ("", "for=198.51.100.1", None),
        ] {
            let headers = [("x-forwarded-for", forwarded_for), ("forwarded", forwarded)];
            assert_eq!(asker("10.0.0.7", &headers).as_deref(), who, "{headers:?}");
        }
    }

    #[test]
    fn nobody_else_is_believed() {
        let header = [("x-forwarded-for", "198.51.100.1")];
        assert_eq!(asker("10.0.1.7", &header), None);
        assert_eq!(asker("192.0.2.8", &header), None);
        assert_eq!(asker("fd00::1", &header).as_deref(), Some("198.51.100.1"));
        for text in ["", "10.0.0", "10.0.0.0/33", "proxy.example", "10.0.0.7:80"] {
            assert_eq!(text.parse::<Proxy>(), Err(NotAProxy), "{text}");
        }
    }
}
