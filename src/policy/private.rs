//! Servers in private networks, where not everyone who writes a connection may have the gateway talk.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use super::endpoint::{carried, numbers};

/// Which servers in private networks, and on this machine, connections may reach.
///
/// Whoever may write an endpoint and reads what comes from there reads whatever answers to HTTP in the
/// networks of the machine: where owners are not the operator, the operator says what is for them.
#[derive(Clone, Debug, Default)]
pub enum PrivateEndpoints {
    /// All of them: whoever writes connections is the operator.
    #[default]
    All,
    /// These, each as a connection writes it in `endpoint`: `http://10.0.0.7:9000`.
    Only(Arc<[Box<str>]>),
}

impl PrivateEndpoints {
    /// None of them.
    pub fn none() -> Self {
        Self::Only(Arc::default())
    }

    /// These.
    pub fn only<E: AsRef<str>>(endpoints: impl IntoIterator<Item = E>) -> Self {
        let plain = |endpoint: E| endpoint.as_ref().trim_end_matches('/').into();
        Self::Only(endpoints.into_iter().map(plain).collect())
    }

    /// Whether a connection with this endpoint may reach a private address.
    pub fn has(&self, endpoint: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(endpoints) => {
                let plain = endpoint.trim_end_matches('/');
                endpoints.iter().any(|one| one.eq_ignore_ascii_case(plain))
            }
        }
    }

    /// Whether an endpoint is refused as it stands: it is, or is a name of, an address that is not to be
    /// reached. Another name is found out when it is looked up.
    pub fn refuses(&self, endpoint: &str) -> bool {
        !self.has(endpoint) && is_written_private(endpoint)
    }
}

/// Whether the host of an endpoint is a private address, or this machine's name.
fn is_written_private(endpoint: &str) -> bool {
    let Some((_, authority)) = endpoint.split_once("://") else { return false };
    let authority = authority.trim_end_matches('/');
    if let Some(rest) = authority.strip_prefix('[') {
        let address = rest.split(']').next().unwrap_or_default();
        return address.parse().is_ok_and(|address| is_private(IpAddr::V6(address)));
    }
    let host = authority.split(':').next().unwrap_or_default().trim_end_matches('.');
    let lower = host.to_ascii_lowercase();
    lower == "localhost"
        || lower.ends_with(".localhost")
        || numbers(host).is_some_and(|address| is_private(IpAddr::V4(address)))
}

/// Whether an address is not one of the public internet: loopback, private, shared, reserved.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

/// The registry of <https://www.iana.org/assignments/iana-ipv4-special-registry>, and multicast.
fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || matches!((first, second, third), (0, ..) | (192, 0, 0) | (192, 88, 99))
        // Shared by carriers, benchmarks, and reserved with broadcast.
        || (first == 100 && second & 0xc0 == 0x40)
        || (first == 198 && second & 0xfe == 18)
        || first >= 240
}

/// Everything but global unicast, and what carries an IPv4 address that is private.
fn is_private_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x2002, ..] => {
            carried(address).is_none_or(is_private_v4)
        }
        // Teredo, whose server the caller would choose, and what else is for protocols.
        [0x2001, second, ..] if second < 0x200 => true,
        [first, ..] => first & 0xe000 != 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h09_what_is_private_is_known() {
        let private = [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.1.1",
            "192.0.0.8",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:a00:1::",
            "2002:7f00:1::1",
            "2001:0:1::1",
            "2001:10::1",
            "100::1",
        ];
        for address in private {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "192.167.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "52.216.0.1",
            "::ffff:8.8.8.8",
            "2600::1",
            "2a00:1450::1",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ];
        for address in public {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn h09_an_endpoint_that_says_a_private_address_is_refused() {
        let none = PrivateEndpoints::none();
        for host in [
            "127.0.0.1",
            "10.0.0.7:9000",
            "2130706433",
            "0x7f.1",
            "017700000001",
            "127.1",
            "localhost",
            "LocalHost.:9000",
            "s3.localhost",
            "[::1]:9000",
            "[::ffff:10.0.0.1]",
            "[fd00::1]",
            "10.0.0.7.",
        ] {
            for scheme in ["http", "https"] {
                let endpoint = format!("{scheme}://{host}");
                assert!(none.refuses(&endpoint), "{endpoint}");
                assert!(!PrivateEndpoints::All.refuses(&endpoint), "{endpoint}");
                assert!(!PrivateEndpoints::only([&endpoint]).refuses(&endpoint), "{endpoint}");
                assert!(PrivateEndpoints::only(["http://10.0.0.8"]).refuses(&endpoint));
            }
        }
        for host in ["s3.example", "8.8.8.8", "[2600::1]:9000", "localhost.example", "10.example"] {
            assert!(!none.refuses(&format!("https://{host}")), "{host}");
        }
        let one = PrivateEndpoints::only(["http://minio:9000/"]);
        assert!(one.has("http://MinIO:9000") && !one.has("http://minio:9001"));
        assert!(!one.has("https://minio:9000"));
    }
}
