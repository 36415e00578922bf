//! Before and after every request: whose name it comes under, where it comes from, and what every
//! answer says to the browser.

use std::net::{IpAddr, SocketAddr};

use axum::response::Response;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{self, ORIGIN},
};

/// What a page may load and where its forms may go: this origin's style sheet, script and icon, and
/// nothing else. No inline script, no inline style, no frame around it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What every answer says, assets too. A referrer stays within the origin: with `no-referrer`,
/// browsers send the origin of forms as `null`, and there would be nothing to check.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Adds what every answer says. What nothing else is said of is not to be stored.
pub(super) fn seal(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// The names that the portal answers to. A page of another site can have its own name lead to this
/// machine (DNS rebinding), but cannot keep the browser from saying that name.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    listening: IpAddr,
    named: Vec<String>,
}

impl Hosts {
    /// The names of a listener at this address: those of loopback for a loopback address, else the
    /// address; and these beside them, with or without a port.
    pub(super) fn new(listening: SocketAddr, named: &[String]) -> Self {
        let named = named.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { listening: listening.ip(), named }
    }

    /// The value of `Host`, if there is exactly one and it is one of the names.
    pub(super) fn host<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let mut values = headers.get_all(header::HOST).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        let value = value.to_str().ok()?;
        self.is_known(&value.to_ascii_lowercase()).then_some(value)
    }

    fn is_known(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        if self.named.iter().any(|known| known == host || known == name) {
            return true;
        }
        let everywhere = self.listening.is_unspecified();
        if name == "localhost" {
            return everywhere || self.listening.is_loopback();
        }
        let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        // An address is no name that somebody else could have lead here.
        name.parse::<IpAddr>().is_ok_and(|address| {
            everywhere
                || address == self.listening
                || (address.is_loopback() && self.listening.is_loopback())
        })
    }
}

/// Whether a page of this portal, and of no other origin, sent the request. Browsers say where a
/// form comes from, and no page can make them say otherwise. Where the listener speaks TLS, a page that came
/// without is another's; where it does not, a proxy before it may.
pub(super) fn is_same_origin(headers: &HeaderMap, host: &str, is_tls: bool) -> bool {
    let mut values = headers.get_all(ORIGIN).iter();
    let (Some(origin), None) = (values.next(), values.next()) else { return false };
    let Ok(origin) = origin.to_str() else { return false };
    let plain = origin.strip_prefix("http://").filter(|_| !is_tls);
    let rest = plain.or_else(|| origin.strip_prefix("https://"));
    let is_host = rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host));
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    is_host && matches!(site, None | Some(b"same-origin"))
}

/// Whether the browser is connected by TLS, by what it says of the page's origin.
pub(super) fn is_https(headers: &HeaderMap) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

/// Whether another site's page wants to have this as part of itself, rather than to lead here.
pub(super) fn is_embedding(method: &Method, headers: &HeaderMap) -> bool {
    let says = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let leads_here = *method == Method::GET
        && says("sec-fetch-mode") == Some(b"navigate")
        && matches!(says("sec-fetch-dest"), None | Some(b"document"));
    matches!(says("sec-fetch-site"), Some(b"cross-site" | b"same-site")) && !leads_here
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn names_that_others_can_have_lead_here_are_not_answered() {
        let loopback = Hosts::new("127.0.0.1:8081".parse().unwrap(), &["Portal.Example".into()]);
        let outside = Hosts::new("192.0.2.7:8081".parse().unwrap(), &[]);
        let everywhere = Hosts::new("0.0.0.0:8081".parse().unwrap(), &[]);
        for (host, on) in [
            ("127.0.0.1:8081", [true, false, true]),
            ("LOCALHOST:9000", [true, false, true]),
            ("localhost", [true, false, true]),
            ("[::1]:8081", [true, false, true]),
            ("192.0.2.7:8081", [false, true, true]),
            ("portal.example", [true, false, false]),
            ("portal.example:443", [true, false, false]),
            ("evil.example", [false; 3]),
            ("127.0.0.1.evil.example:8081", [false; 3]),
            ("localhost.evil.example", [false; 3]),
            ("evil.example:localhost", [false; 3]),
            ("", [false; 3]),
        ] {
            let headers = headers(&[("host", host)]);
            let found = [&loopback, &outside, &everywhere].map(|h| h.host(&headers).is_some());
            assert_eq!(found, on, "{host}");
        }
        let twice = headers(&[("host", "localhost"), ("host", "localhost")]);
        assert_eq!(loopback.host(&twice), None);
        assert_eq!(loopback.host(&HeaderMap::new()), None);
    }

    #[test]
    fn only_this_origin_changes_anything() {
        for (pairs, same) in [
            (&[("origin", "http://localhost:8081")][..], true),
            (&[("origin", "https://LOCALHOST:8081")], true),
            (&[("origin", "http://localhost:8081"), ("sec-fetch-site", "same-origin")], true),
            (&[("origin", "http://localhost:8081"), ("sec-fetch-site", "same-site")], false),
            (&[("origin", "http://localhost:8080")], false),
            (&[("origin", "http://localhost")], false),
            (&[("origin", "http://localhost:8081.evil.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "file://localhost:8081")], false),
            (&[("origin", "http://localhost:8081"), ("origin", "http://localhost:8081")], false),
            (&[], false),
        ] {
            let headers = headers(pairs);
            assert_eq!(is_same_origin(&headers, "localhost:8081", false), same, "{pairs:?}");
            let is_https = is_https(&headers);
            let by_tls = is_same_origin(&headers, "localhost:8081", true);
            assert_eq!(by_tls, same && is_https, "{pairs:?}");
        }
    }

    #[test]
    fn other_sites_may_lead_here_and_nothing_more() {
        let says = |site, mode, dest| {
            let headers = headers(&[
                ("sec-fetch-site", site),
                ("sec-fetch-mode", mode),
                ("sec-fetch-dest", dest),
            ]);
            is_embedding(&Method::GET, &headers)
        };
        assert!(!says("cross-site", "navigate", "document"));
        assert!(!says("same-origin", "cors", "empty"));
        assert!(!says("none", "navigate", "document"));
        assert!(says("same-site", "cors", "empty"));
        assert!(says("cross-site", "navigate", "iframe"));
        assert!(says("cross-site", "no-cors", "image"));
        assert!(!is_embedding(&Method::GET, &HeaderMap::new()));
    }
}
