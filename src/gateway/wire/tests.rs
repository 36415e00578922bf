//! What a service sees of a connection's bytes, however they come.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use proptest::{prelude::*, sample::Index};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    Sent, Watch, Wire,
    reference::{Ends, LIMITS, reference},
    utf8_target,
};

/// A request as the service sees it, or the status that it is refused with.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    method: String,
    target: Result<String, u16>,
    /// `None` where it broke off.
    body: Option<Vec<u8>>,
}

/// A caller that sends these pieces, each to be read at once, and then waits a while before it closes.
struct Caller {
    pieces: VecDeque<Vec<u8>>,
    waits: usize,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Caller {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(mut piece) = self.pieces.pop_front() else {
            self.waits += 1;
            if self.waits > 32 {
                return Poll::Ready(Ok(()));
            }
            context.waker().wake_by_ref();
            return Poll::Pending;
        };
        if piece.is_empty() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let rest = piece.split_off(piece.len().min(buffer.remaining()));
        buffer.put_slice(&piece);
        if !rest.is_empty() {
            self.pieces.push_front(rest);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Caller {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.heard.lock().unwrap().extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Watch for () {
    fn wrote(&self) {}

    fn flushed(&self) {}
}

/// What the service sees of a connection, and what the caller hears.
fn served(pieces: Vec<Vec<u8>>) -> (Vec<Seen>, String) {
    let (all, heard) = (Arc::new(Mutex::new(Vec::new())), Arc::default());
    let caller = Caller { pieces: pieces.into(), waits: 0, heard: Arc::clone(&heard) };
    let sent = Arc::new(Sent::default());
    let wire = Wire::new(caller, LIMITS, Duration::from_secs(60), Arc::clone(&sent), ());
    let seen = Arc::clone(&all);
    let service = service_fn(move |request: Request<Incoming>| {
        let (target, is_torn) = sent.take(&request);
        assert!(!is_torn, "{request:?}");
        let seen = Arc::clone(&seen);
        async move {
            let method = request.method().to_string();
            let body = request.into_body().collect().await;
            let body = body.ok().map(|body| body.to_bytes().to_vec());
            let is_whole = body.is_some();
            let mut response = Response::new(Full::new(Bytes::new()));
            if let Err(refusal) = &target {
                *response.status_mut() = refusal.status;
            } else if !is_whole {
                *response.status_mut() = StatusCode::BAD_REQUEST;
            }
            let target = target.map(|uri| uri.to_string()).map_err(|no| no.status.as_u16());
            seen.lock().unwrap().push(Seen { method, target, body });
            Ok::<_, Infallible>(response)
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let connection = http1::Builder::new().serve_connection(TokioIo::new(wire), service);
    let _ = runtime.block_on(connection);
    let seen = std::mem::take(&mut *all.lock().unwrap());
    let heard = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
    (seen, heard)
}

fn ok(method: &str, target: &str, body: &[u8]) -> Seen {
    Seen { method: method.into(), target: Ok(target.into()), body: Some(body.to_vec()) }
}

/// What is refused, with what is said of it; and whether the connection goes on.
#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let long = "a".repeat(2_001);
    let many: String = (0..101).map(|number| format!("x-{number}: y\r\n")).collect();
    let large = format!("x: {}\r\n", "y".repeat(4_000));
    let own = |lines: &str| format!("GET /a HTTP/1.1\r\nHost: g\r\n{lines}\r\n");
    for (head, status, goes_on) in [
        // Where the target is at fault alone, it is known where the request ends.
        ("GET /a#b HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        ("GET /# HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        ("GET /a?b#c HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        ("GET #a HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        ("GET http://h#a HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        ("GET http://h/#a HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        ("GET a HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        ("GET * HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        ("OPTIONS ** HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        ("GET ftp://h/a HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        ("GET http:/a HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        ("GET http:///a HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        ("GET http://u@h/a HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        ("GET /a<b HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, true),
        (format!("GET /{long} HTTP/1.1\r\nHost: g\r\n\r\n"), 414, true),
        ("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n".to_owned(), 405, false),
        ("GET /a  HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, false),
        ("GET  /a HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, false),
        ("GET\t/a HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, false),
        ("GET /a b HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, false),
        ("GET /a\tb HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, false),
        ("GET /a\rb HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, false),
        ("GET /a\0 HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, false),
        (" GET /a HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, false),
        ("GET /a HTTP/1.1 \r\nHost: g\r\n\r\n".to_owned(), 400, false),
        ("GET /a HTTP/1.2\r\nHost: g\r\n\r\n".to_owned(), 400, false),
        ("GET /a HTTP/2.0\r\nHost: g\r\n\r\n".to_owned(), 400, false),
        ("GET /a http/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, false),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400, false),
        ("GET /a\r\n\r\n".to_owned(), 400, false),
        ("GET /a HTTP/1.1\nHost: g\n\n".to_owned(), 400, false),
        ("GET /a HTTP/1.1\r\nHost: g\n\r\n".to_owned(), 400, false),
        ("GET /a HTTP/1.1\r\nHost: g\r\n\n".to_owned(), 400, false),
        ("\nGET /a HTTP/1.1\r\nHost: g\r\n\r\n".to_owned(), 400, false),
        (format!("{}GET /a HTTP/1.1\r\nHost: g\r\n\r\n", "\r\n".repeat(9)), 400, false),
        ("GET /a HTTP/1.1\r\n\r\n".to_owned(), 400, false),
        (own("Host: g\r\n"), 400, false),
        ("GET /a HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(), 400, false),
        ("GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n".to_owned(), 400, false),
        ("GET /a HTTP/1.1\r\nHost: u@g\r\n\r\n".to_owned(), 400, false),
        ("GET /a HTTP/1.1\r\nHost: g:x\r\n\r\n".to_owned(), 400, false),
        ("GET /a HTTP/1.1\r\nHost: [::1\r\n\r\n".to_owned(), 400, false),
        ("GET http://h/a HTTP/1.1\r\n\r\n".to_owned(), 400, false),
        (own("x : y\r\n"), 400, false),
        (own("x\t: y\r\n"), 400, false),
        (own(" x: y\r\n"), 400, false),
        (own("x: y\r\n z\r\n"), 400, false),
        (own("x: y\r\n\tz: a\r\n"), 400, false),
        (own("x\r\n"), 400, false),
        (own(": y\r\n"), 400, false),
        (own("x: a\0b\r\n"), 400, false),
        (own("x: a\rb\r\n"), 400, false),
        (own("Content-Length: x\r\n"), 400, false),
        (own("Content-Length: +4\r\n"), 400, false),
        (own("Content-Length: -0\r\n"), 400, false),
        (own("Content-Length: 0x4\r\n"), 400, false),
        (own("Content-Length: \r\n"), 400, false),
        (own("Content-Length: 4, 4\r\n"), 400, false),
        (own("Content-Length: 0\r\nContent-Length: 0\r\n"), 400, false),
        (own("Content-Length: 18446744073709551615\r\n"), 400, false),
        (own("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), 400, false),
        (own("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"), 400, false),
        (own("Transfer-Encoding: gzip\r\n"), 400, false),
        (own("Transfer-Encoding: gzip, chunked\r\n"), 400, false),
        (own("Transfer-Encoding: chunked, identity\r\n"), 400, false),
        (own("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400, false),
        (own("Transfer-Encoding: xchunked\r\n"), 400, false),
        (own("Transfer-Encoding: \"chunked\"\r\n"), 400, false),
        ("PUT /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(), 400, false),
        (own(&many), 431, false),
        (own(&large), 431, false),
        ("\u{16}\u{3}\u{1}\u{2}".to_owned(), 400, false),
        (format!("GET / HTTP/1.1\r\nx: {}", "a".repeat(5_000)), 431, false),
    ] {
        let before = "GET /before HTTP/1.1\r\nHost: g\r\n\r\n";
        let behind = "GET /behind HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n";
        for before in ["", before] {
            let all = format!("{before}{head}{behind}").into_bytes();
            let mut expected = Vec::new();
            if !before.is_empty() {
                expected.push(ok("GET", "/before", b""));
            }
            let (seen, heard) = served(vec![all]);
            let refused = seen.get(expected.len()).cloned();
            assert_eq!(refused.map(|seen| seen.target), Some(Err(status)), "{head:?} {seen:?}");
            expected.push(seen[expected.len()].clone());
            if goes_on {
                expected.push(ok("GET", "/behind", b""));
            }
            assert_eq!(seen, expected, "{head:?}");
            let answers = heard.matches("HTTP/1.1 ").count();
            assert_eq!(answers, expected.len(), "{head:?}: {heard}");
            assert!(heard.contains(&format!("HTTP/1.1 {status} ")), "{head:?}: {heard}");
        }
    }
}

#[test]
fn what_is_unusual_and_right_is_served() {
    for (head, method, target, body) in [
        ("GET /a HTTP/1.1\r\nHost: g\r\n\r\n", "GET", "/a", ""),
        ("GET /a HTTP/1.1\r\nHost:\r\n\r\n", "GET", "/a", ""),
        ("GET /a HTTP/1.1\r\nhost:[2001:db8::1]:80\r\n\r\n", "GET", "/a", ""),
        ("\r\n\r\nGET /a HTTP/1.1\r\nHost: g\r\n\r\n", "GET", "/a", ""),
        ("get /a HTTP/1.1\r\nHost: g\r\n\r\n", "get", "/a", ""),
        ("GET /a HTTP/1.0\r\n\r\n", "GET", "/a", ""),
        ("OPTIONS * HTTP/1.1\r\nHost: g\r\n\r\n", "OPTIONS", "*", ""),
        ("GET http://h/a?b HTTP/1.1\r\nHost: g\r\n\r\n", "GET", "/a?b", ""),
        ("GET HTTPS://h:443?b HTTP/1.1\r\nHost: g\r\n\r\n", "GET", "/?b", ""),
        ("GET http://h HTTP/1.1\r\nHost: g\r\n\r\n", "GET", "/", ""),
        ("GET /a/../b//c HTTP/1.1\r\nHost: g\r\n\r\n", "GET", "/a/../b//c", ""),
        ("GET /a?b?c HTTP/1.1\r\nHost: g\r\n\r\n", "GET", "/a?b?c", ""),
        (
            "GET /1 HTTP/1.1\r\nHost: g\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
            "GET",
            "/1",
            "",
        ),
        ("PUT /a HTTP/1.1\r\nHost: g\r\nContent-Length: 03\r\n\r\nabc", "PUT", "/a", "abc"),
        (
            "PUT /a HTTP/1.1\r\nHost: g\r\nTransfer-Encoding:\tChunked \r\n\r\n\
             2;x=\"y\"\r\nab\r\n01\r\nc\r\n000\r\nx-sum: 1\r\ny:\r\n\r\n",
            "PUT",
            "/a",
            "abc",
        ),
    ] {
        let (seen, heard) = served(vec![head.as_bytes().to_vec()]);
        assert_eq!(seen, [ok(method, target, body.as_bytes())], "{head:?}: {heard}");
    }
}

#[test]
fn an_address_with_a_host_is_asked_at_that_host() {
    let head = "GET http://other:81/a HTTP/1.1\r\nX: 1\r\nHost: g\r\nUpgrade: x\r\nY: 2\r\n\r\n";
    let mut scan = super::Scan::default();
    let (head, _) = super::head::read(head.as_bytes(), &mut scan, LIMITS, 7).unwrap().unwrap();
    let library = String::from_utf8(head.library).unwrap();
    assert_eq!(library, "GET /7 HTTP/1.1\r\nhost: other:81\r\nX: 1\r\nY: 2\r\n\r\n");
    assert_eq!(head.target.unwrap(), "/a");
}

#[test]
fn chunks_that_could_be_read_in_two_ways_break_the_body_off() {
    for body in [
        "2\nab\r\n0\r\n\r\n",
        "2\r\nabc\r\n0\r\n\r\n",
        "2\r\nab\n0\r\n\r\n",
        "2 \r\nab\r\n0\r\n\r\n",
        " 2\r\nab\r\n0\r\n\r\n",
        "+2\r\nab\r\n0\r\n\r\n",
        "0x2\r\nab\r\n0\r\n\r\n",
        "\r\nab\r\n0\r\n\r\n",
        "g\r\nab\r\n0\r\n\r\n",
        "2;a\nb\r\nab\r\n0\r\n\r\n",
        "2;a\rb\r\nab\r\n0\r\n\r\n",
        "10000000000000000\r\nab\r\n0\r\n\r\n",
        "2\r\nab\r\n0\r\n\n",
        "2\r\nab\r\n0\r\n x: y\r\n\r\n",
        "2\r\nab\r\n0\r\nx : y\r\n\r\n",
        "2\r\nab\r\n0\r\nx: y\n\r\n",
        "2\r\nab\r\n0\r\nx\r\n\r\n",
        &format!("2;{}\r\nab\r\n0\r\n\r\n", "a".repeat(9 << 10)),
        &format!("2\r\nab\r\n0\r\nx: {}\r\n\r\n", "a".repeat(9 << 10)),
    ] {
        let head = "PUT /a HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n";
        let smuggled = "GET /smuggled HTTP/1.1\r\nHost: g\r\n\r\n";
        let all = format!("{head}{body}{smuggled}").into_bytes();
        for pieces in [vec![all.clone()], all.iter().map(|byte| vec![*byte]).collect()] {
            let (seen, heard) = served(pieces);
            let expected =
                Seen { method: "PUT".to_owned(), target: Ok("/a".to_owned()), body: None };
            assert_eq!(seen, [expected], "{body:?}");
            assert!(heard.starts_with("HTTP/1.1 400"), "{body:?}: {heard}");
        }
    }
}

/// A request as its bytes, and what a service is to see of it.
#[derive(Clone, Debug)]
struct Sample {
    bytes: Vec<u8>,
    seen: Seen,
    /// Where its head ends.
    head: usize,
}

fn target() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        8 => prop::sample::select(b"/abcXYZ019.-_~%+?&=:;,@!$'()*[]\\^|\"{}".to_vec()),
        1 => 0x80_u8..,
    ];
    let any = prop::collection::vec(byte, 0..40);
    any.prop_map(|rest| [b"/", &*rest].concat()).prop_filter("what no address has", |target| {
        utf8_target(target).parse::<http::uri::PathAndQuery>().is_ok()
    })
}

/// A body, as it is and as it is sent.
fn body() -> impl Strategy<Value = (Vec<u8>, String, Vec<u8>)> {
    let some = || prop::collection::vec(any::<u8>(), 0..300);
    let none = Just((Vec::new(), String::new(), Vec::new()));
    let whole =
        some().prop_map(|body| (body.clone(), format!("Content-Length: {}\r\n", body.len()), body));
    let extension = prop::sample::select(vec!["", ";x", ";x=y", ";x=\"y z\""]);
    let trailer = prop::sample::select(vec!["", "x-sum: 1\r\n", "a:b\r\nc: d\r\n"]);
    let pieces =
        prop::collection::vec((prop::collection::vec(any::<u8>(), 1..80), extension), 0..5);
    let chunks = (pieces, trailer).prop_map(|(pieces, trailer)| {
        let mut sent = Vec::new();
        for (piece, extension) in &pieces {
            sent.extend_from_slice(format!("{:x}{extension}\r\n", piece.len()).as_bytes());
            sent.extend_from_slice(piece);
            sent.extend_from_slice(b"\r\n");
        }
        sent.extend_from_slice(format!("0\r\n{trailer}\r\n").as_bytes());
        let body = pieces.into_iter().flat_map(|(piece, _)| piece).collect();
        (body, "Transfer-Encoding: chunked\r\n".to_owned(), sent)
    });
    prop_oneof![2 => none, 2 => whole, 2 => chunks]
}

fn sample() -> impl Strategy<Value = Sample> {
    let method = prop::sample::select(vec!["GET", "PUT", "POST", "DELETE", "HEAD", "BREW"]);
    let empty = prop::sample::select(vec!["", "", "", "\r\n", "\r\n\r\n"]);
    let others = prop::sample::select(vec![
        "",
        "X: y\r\n",
        "Expect: 100-continue\r\n",
        "Upgrade: h2c\r\nConnection: keep-alive, upgrade\r\n",
        "Content_Length: 4\r\nTransfer_Encoding: chunked\r\n",
        "A: \u{FC}, GET /x HTTP/1.1\r\n",
    ]);
    (method, target(), others, body(), empty).prop_map(|(method, raw, others, body, empty)| {
        let (body, framing, sent) = body;
        let head = [
            empty.as_bytes(),
            method.as_bytes(),
            b" ",
            &raw,
            b" HTTP/1.1\r\nHost: g\r\n",
            others.as_bytes(),
            framing.as_bytes(),
            b"\r\n",
        ]
        .concat();
        let seen = ok(method, &utf8_target(&raw), &body);
        Sample { head: head.len(), bytes: [head, sent].concat(), seen }
    })
}

/// Cuts bytes into pieces. One that is empty is a pause.
fn cut(bytes: &[u8], at: &[Index]) -> Vec<Vec<u8>> {
    let mut at: Vec<usize> = at.iter().map(|at| at.index(bytes.len() + 1)).collect();
    at.sort_unstable();
    let mut pieces = Vec::new();
    let mut from = 0;
    for at in at.into_iter().chain([bytes.len()]) {
        pieces.push(bytes[from..at].to_vec());
        from = at;
    }
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_service_sees_what_was_sent(
        samples in prop::collection::vec(sample(), 1..6),
        at in prop::collection::vec(any::<Index>(), 0..12),
    ) {
        let bytes = samples.iter().flat_map(|sample| sample.bytes.clone()).collect::<Vec<_>>();
        let expected: Vec<_> = samples.into_iter().map(|sample| sample.seen).collect();
        let (seen, _) = served(cut(&bytes, &at));
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn a_service_sees_nothing_that_was_not_sent(
        samples in prop::collection::vec(sample(), 1..4),
        changes in prop::collection::vec((any::<Index>(), any::<Index>(), 0_usize..4, piece()), 1..4),
        at in prop::collection::vec(any::<Index>(), 0..6),
    ) {
        let mut samples = samples;
        for (which, place, removed, piece) in changes {
            let sample = which.index(samples.len());
            let sample = &mut samples[sample];
            let place = place.index(sample.head + 1);
            let end = (place + removed).min(sample.bytes.len());
            sample.bytes.splice(place..end, piece);
            sample.head = sample.head.min(sample.bytes.len());
        }
        let bytes = samples.iter().flat_map(|sample| sample.bytes.clone()).collect::<Vec<_>>();
        let (expected, end) = reference(&bytes);
        let (mut seen, _) = served(cut(&bytes, &at));
        // A head that is not whole may be refused before it is.
        if end == Ends::InHead && seen.len() == expected.len() + 1 {
            prop_assert!(seen.pop().is_some_and(|last| last.target.is_err()));
        }
        // Whoever says that it closes, or speaks HTTP/1.0, is not answered any more.
        if seen.len() < expected.len() {
            let last = seen.len().checked_sub(1).map(|last| &expected[last]);
            prop_assert!(last.is_some_and(|last| last.closes), "{:?} {:?}", seen, expected);
        }
        for (seen, expected) in seen.iter().zip(&expected) {
            prop_assert_eq!(seen.target.as_ref().ok(), expected.target.as_ref());
            if expected.target.is_some() {
                prop_assert_eq!(&seen.method, &expected.method);
                prop_assert_eq!(&seen.body, &expected.body);
            }
        }
        prop_assert!(seen.len() <= expected.len(), "{:?} {:?}", seen, expected);
    }
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        prop::sample::select(vec![
            "\r\n",
            "\n",
            "\r",
            " ",
            "\t",
            ":",
            "#",
            "?",
            "\0",
            "\r\n\r\n",
            "\r\n ",
            "Transfer-Encoding: chunked\r\n",
            "Content-Length: 3\r\n",
            "Content-Length: 0\r\n",
            "Host: h\r\n",
            "Connection: close\r\n",
            "Expect: 100-continue\r\n",
            "HTTP/1.0",
            "HTTP/1.1",
            "http://h",
            "GET /smuggled HTTP/1.1\r\nHost: g\r\n\r\n",
            "0\r\n\r\n",
            "*",
            "CONNECT ",
            "Upgrade: h2c\r\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ]
}
