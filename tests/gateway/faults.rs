//! What a caller hears, and what is left behind, when the backend fails.

use std::time::Duration;

use pathward::{executor::S3Options, gateway::Options};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    backend::{Backend, Fault, Request},
    world::{ALL, Answer, CONNECTIONS, Front},
};

/// What no caller may ever see of a backend's answer.
const CANARY: &str = "BACKEND-CANARY arn:aws:iam::1:user/x";

struct Faulty {
    front: Front,
    backend: Backend,
}

impl Faulty {
    async fn start() -> Self {
        let backend = Backend::start().await;
        for key in ["x", "sub/y"] {
            backend.put(&format!("pub/data/{key}"), b"some bytes");
        }
        let s3 = S3Options {
            connect_timeout: Duration::from_millis(500),
            attempt_timeout: Duration::from_millis(500),
            transfer_timeout: Duration::from_secs(2),
            stall_timeout: Duration::from_millis(500),
            attempts: 3,
            backoff: Duration::from_millis(1),
            ..S3Options::default()
        };
        let endpoint = backend.endpoint();
        let front = Front::start(CONNECTIONS, &endpoint, Options::default(), s3).await;
        Self { front, backend }
    }

    async fn send(&self, method: &str, target: &str) -> Answer {
        let answer = self.front.send(method, target, b"0123456789").await;
        let shown = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!shown.contains("CANARY") && !format!("{:?}", answer.headers).contains("CANARY"));
        if answer.status >= 400 && method != "HEAD" {
            answer.error();
        }
        answer
    }
}

/// Every kind of request, and whether it changes anything.
const REQUESTS: [(&str, &str); 6] = [
    ("GET", "/v1/data/s3+t://pub/data/x"),
    ("HEAD", "/v1/data/s3+t://pub/data/x"),
    ("PUT", "/v1/data/s3+t://pub/data/new"),
    ("DELETE", "/v1/data/s3+t://pub/data/x"),
    ("GET", "/v1/data/s3+t://pub/data/"),
    ("DELETE", "/v1/data/s3+t://pub/data/?force=true"),
];

fn any(_: &Request) -> bool {
    true
}

fn error(status: u16, code: &'static str) -> Fault {
    Fault::Error { status, code, message: CANARY }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_status_and_says_nothing_of_the_backend() {
    for (fault, status) in [
        (error(500, "InternalError"), 502),
        (error(503, "SlowDown"), 503),
        (error(503, "ServiceUnavailable"), 503),
        (error(403, "AccessDenied"), 502),
        (error(403, "SignatureDoesNotMatch"), 502),
        (error(403, "InvalidAccessKeyId"), 502),
        (error(400, "ExpiredToken"), 502),
        (error(404, "NoSuchBucket"), 404),
        (error(301, "PermanentRedirect"), 502),
        (Fault::Close, 502),
        (Fault::Delay(Duration::from_secs(5)), 504),
        (
            Fault::Answer {
                status: 307,
                headers: "Location: http://169.254.169.254/latest/meta-data/\r\n",
                body: CANARY.into(),
            },
            502,
        ),
        (Fault::Answer { status: 500, headers: "", body: format!("<html>{CANARY}") }, 502),
    ] {
        for (method, target) in REQUESTS {
            let faulty = Faulty::start().await;
            let before = faulty.backend.objects();
            faulty.backend.fail(usize::MAX, any, fault.clone());
            let answer = faulty.send(method, target).await;
            assert_eq!(answer.status, status, "{method} {target} {fault:?}: {answer:?}");
            assert_eq!(faulty.backend.objects(), before, "{method} {target} {fault:?}");
            if status == 503 {
                assert!(answer.header("retry-after").is_some(), "{answer:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_not_there_is_said_not_to_be_reached() {
    let faulty = Faulty::start().await;
    // Nothing listens at a port that was just given back.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    faulty.front.replace(&CONNECTIONS.replace("ENDPOINT", &format!("http://{gone}")));
    for (method, target) in REQUESTS {
        assert_eq!(faulty.send(method, target).await.status, 502, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_passes_is_not_heard_of() {
    for fault in [error(500, "InternalError"), error(503, "SlowDown"), Fault::Close] {
        for (method, target) in REQUESTS {
            let faulty = Faulty::start().await;
            faulty.backend.fail(1, any, fault.clone());
            let answer = faulty.send(method, target).await;
            assert_eq!(answer.status, 200, "{method} {target} {fault:?}: {answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_breaks_off_is_never_taken_for_whole() {
    for fault in [Fault::CutAnswer(400_000), Fault::StallAnswer(400_000)] {
        let faulty = Faulty::start().await;
        faulty.backend.put("pub/data/large", &vec![b'l'; 1 << 20]);
        faulty.backend.fail(usize::MAX, any, fault.clone());
        let mut stream = TcpStream::connect(faulty.front.address).await.unwrap();
        let request = format!(
            "GET /v1/data/s3+t://pub/data/large HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // The connection ends, though it was to be kept alive, before the length that was announced.
        let ended =
            tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        let _ = ended.expect("the connection is closed");
        let text = String::from_utf8_lossy(&answer);
        assert!(text.contains("Content-Length: 1048576") && answer.len() < 1 << 20, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_fails_leaves_nothing_half_written() {
    let chunked = |length: usize| {
        let head = format!(
            "PUT /v1/data/s3+t://pub/data/up HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\
             Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        let mut request = head.into_bytes();
        for _ in 0..length >> 20 {
            request.extend_from_slice(b"100000\r\n");
            request.extend_from_slice(&vec![b'u'; 1 << 20]);
            request.extend_from_slice(b"\r\n");
        }
        request
    };
    // In parts: one part, the completion, or the start fails.
    for (query, fault, status) in [
        ("partNumber", error(500, "InternalError"), 502),
        ("partNumber", Fault::CutRequest(1_000), 502),
        ("partNumber", error(403, "AccessDenied"), 502),
        ("uploads", error(503, "SlowDown"), 503),
    ] {
        let faulty = Faulty::start().await;
        faulty.backend.fail(
            usize::MAX,
            move |request| request.query(query).is_some(),
            fault.clone(),
        );
        let mut request = chunked(20 << 20);
        request.extend_from_slice(b"0\r\n\r\n");
        let answer = raw_while_sending(&faulty.front, &request).await;
        assert_eq!(answer.map(|answer| answer.status), Some(status), "{query} {fault:?}");
        settled(&faulty.backend).await;
    }
    // Cut by the caller between two parts.
    let faulty = Faulty::start().await;
    let mut stream = TcpStream::connect(faulty.front.address).await.unwrap();
    stream.write_all(&chunked(17 << 20)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(faulty.backend.open_uploads(), 1);
    drop(stream);
    settled(&faulty.backend).await;
    // One with a length, cut by the backend.
    let faulty = Faulty::start().await;
    let is_put = |request: &Request| request.method == "PUT";
    faulty.backend.fail(usize::MAX, is_put, Fault::CutRequest(100_000));
    let body = vec![b'u'; 2 << 20];
    let answer = faulty.front.send("PUT", "/v1/data/s3+t://pub/data/up", &body).await;
    assert_eq!(answer.status, 502, "{answer:?}");
    settled(&faulty.backend).await;
}

/// Sends while it listens: an answer may come before everything is sent.
async fn raw_while_sending(front: &Front, request: &[u8]) -> Option<Answer> {
    let (mut from, mut to) = TcpStream::connect(front.address).await.unwrap().into_split();
    let request = request.to_vec();
    let sending = tokio::spawn(async move {
        let _ = to.write_all(&request).await;
        to
    });
    let mut answer = Vec::new();
    let _ = from.read_to_end(&mut answer).await;
    drop(sending.await);
    (!answer.is_empty()).then(|| super::world::parse(&answer))
}

/// Waits until no upload is open, and asserts that nothing was stored.
async fn settled(backend: &Backend) {
    for _ in 0..100 {
        if backend.open_uploads() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(backend.open_uploads(), 0);
    assert_eq!(backend.get(b"pub/data/up").map(|object| object.len), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_whose_second_page_fails_is_no_listing() {
    let faulty = Faulty::start().await;
    for number in 0..1_500 {
        faulty.backend.put(&format!("pub/mix/{number:04}.hidden"), b"1");
    }
    faulty.backend.put("pub/mix/z.csv", b"1");
    let is_second = |request: &Request| request.query("continuation-token").is_some();
    faulty.backend.fail(usize::MAX, is_second, error(500, "InternalError"));
    let answer = faulty.send("GET", "/v1/data/s3+csv://pub/mix/").await;
    assert_eq!(answer.status, 502);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_goes_half_way_says_how_far() {
    let faulty = Faulty::start().await;
    for number in 0..2_500 {
        faulty.backend.put(&format!("pub/data/many/{number:04}"), b"1");
    }
    let is_delete = |request: &Request| request.query("delete").is_some();
    faulty.backend.fail_after(1, usize::MAX, is_delete, error(500, "InternalError"));
    let answer = faulty.send("DELETE", "/v1/data/s3+t://pub/data/many?force=true").await;
    assert_eq!((answer.status, answer.json()["error"]["deleted"].as_u64()), (502, Some(1_000)));
    let left = faulty.backend.objects().iter().filter(|path| path.contains("many/")).count();
    assert_eq!(left, 1_500);
}
