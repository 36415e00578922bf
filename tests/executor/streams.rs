//! Bodies in either direction: whole or not at all, in bounded memory.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;

use super::{
    Body, BodyError, ExecuteError, Executor, ReadConditions, ReadObject, ReadOptions, Setup,
    StatObject,
    backend::{Fault, HASH_START, Request, hash},
    collect, owned,
};

/// So many bytes in small pieces, then an end, an error, or nothing.
struct Made {
    left: u64,
    made: Arc<AtomicU64>,
    end: Option<Result<(), BodyError>>,
}

const PIECE: u64 = 50_000;

fn made(length: u64, end: Option<Result<(), BodyError>>) -> (Body, Arc<AtomicU64>) {
    let counter = Arc::new(AtomicU64::new(0));
    (Body::new(Made { left: length, made: Arc::clone(&counter), end }), counter)
}

fn byte_at(at: u64) -> u8 {
    u8::try_from(at % 251).expect("below 251")
}

impl http_body::Body for Made {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.left == 0 {
            return match self.end {
                Some(Ok(())) => Poll::Ready(None),
                Some(Err(error)) => Poll::Ready(Some(Err(error))),
                None => Poll::Pending,
            };
        }
        let length = self.left.min(PIECE);
        let start = self.made.fetch_add(length, Ordering::SeqCst);
        self.left -= length;
        let bytes: Vec<u8> = (start..start + length).map(byte_at).collect();
        Poll::Ready(Some(Ok(Frame::data(bytes.into()))))
    }
}

/// Checks that an object has the bytes of a made body.
fn assert_stored(setup: &Setup, path: &str, length: u64) {
    let stored = setup.backend.get(path.as_bytes()).expect("stored");
    assert_eq!(stored.len, length);
    assert_eq!(stored.content_type.as_deref(), Some("text/canary"));
    let mut at = 0;
    for (len, sum) in stored.parts {
        let bytes: Vec<u8> = (at..at + len).map(byte_at).collect();
        assert_eq!(hash(HASH_START, &bytes), sum, "the part at {at}");
        at += len;
    }
    assert_eq!(at, length);
}

/// With short waits, for what is to fail by them.
async fn hasty() -> Setup {
    let setup = Setup::hasty().await;
    setup.backend.bucket("pub");
    setup
}

async fn setup() -> Setup {
    let setup = Setup::new().await;
    setup.backend.bucket("pub");
    setup
}

#[tokio::test]
async fn bodies_of_every_length_arrive_whole() {
    let setup = setup().await;
    for length in [0, 1, PIECE, 128 << 10, (128 << 10) + 1, 1 << 20, 8 << 20, (8 << 20) + 1] {
        for known in [true, false] {
            let (body, _) = made(length, Some(Ok(())));
            let stored = setup.upload("pub/x", body, known.then_some(length)).await;
            assert_eq!(stored, Ok(length));
            assert_stored(&setup, "pub/x", length);
            assert_eq!(setup.stat("pub/x").await, Ok(length));
            // The backend keeps no more.
            if length <= 4 << 20 {
                let expected: Vec<u8> = (0..length).map(byte_at).collect();
                assert!(setup.read("pub/x").await == Ok(expected), "{length}");
            }
        }
    }
    assert_eq!(setup.backend.open_uploads(), 0);
}

/// The most bytes that were made and had not yet arrived.
async fn upload_and_measure(length: u64) -> u64 {
    let setup = setup().await;
    let (body, counter) = made(length, Some(Ok(())));
    let received = setup.backend.received();
    let peak = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&peak);
    let watch = tokio::spawn(async move {
        loop {
            let held =
                counter.load(Ordering::SeqCst).saturating_sub(received.load(Ordering::SeqCst));
            seen.fetch_max(held, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    });
    assert_eq!(setup.upload("pub/x", body, None).await, Ok(length));
    watch.abort();
    let stored = setup.backend.get(b"pub/x").expect("stored");
    assert_eq!(stored.len, length);
    assert!(setup.backend.requests().iter().all(|request| request.body.len() <= 4 << 20));
    peak.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_of_unknown_length_holds_one_part_at_a_time() {
    let peak = upload_and_measure(100 << 20).await;
    assert!(peak <= (8 << 20) + 2 * PIECE, "{peak} bytes were held");
}

/// For `tests/long` and by hand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute"]
async fn an_upload_of_three_gibibytes_holds_one_part_at_a_time() {
    let peak = upload_and_measure(3 << 30).await;
    println!("{peak} bytes of 3 GiB were held at most");
    assert!(peak <= (8 << 20) + 2 * PIECE, "{peak} bytes were held");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_of_known_length_is_passed_on_as_it_comes() {
    let setup = hasty().await;
    let (body, counter) = made(64 << 20, Some(Ok(())));
    let fault = Fault::StallRequest(1 << 20);
    setup.backend.fail(1, |request| request.method == "PUT", fault);
    let result = setup.upload("pub/x", body, Some(64 << 20)).await;
    assert_eq!(result, Err(ExecuteError::TimedOut));
    // What the sockets hold, and little more, was taken from the caller.
    let taken = counter.load(Ordering::SeqCst);
    assert!(taken < 24 << 20, "{taken} bytes were taken");
    assert_eq!(setup.backend.objects(), Vec::<String>::new());
}

#[tokio::test]
async fn a_body_of_another_length_stores_nothing() {
    let setup = setup().await;
    for length in [10, 200_000, 3 << 20] {
        let (short, _) = made(length - 1, Some(Ok(())));
        let result = setup.upload("pub/x", short, Some(length)).await;
        assert_eq!(result, Err(ExecuteError::Body(BodyError::Interrupted)), "{length}");
        let (long, _) = made(length + 1, Some(Ok(())));
        let result = setup.upload("pub/x", long, Some(length)).await;
        let error = BodyError::TooLarge { limit: length };
        assert_eq!(result, Err(ExecuteError::Body(error)), "{length}");
    }
    assert_eq!(setup.backend.objects(), Vec::<String>::new());
}

#[tokio::test]
async fn a_body_that_fails_stores_nothing_and_leaves_nothing() {
    let setup = setup().await;
    for error in [BodyError::Interrupted, BodyError::TimedOut, BodyError::TooLarge { limit: 9 }] {
        for (length, known) in [(10, true), (300_000, true), (10, false), (20 << 20, false)] {
            let (body, _) = made(length, Some(Err(error)));
            let result = setup.upload("pub/x", body, known.then_some(length + 5)).await;
            assert_eq!(result, Err(ExecuteError::Body(error)), "{length} {known}");
        }
    }
    assert_eq!(setup.backend.objects(), Vec::<String>::new());
    assert_eq!(setup.backend.open_uploads(), 0);
}

/// Whether a request is of this kind.
fn is_create(request: &Request) -> bool {
    request.method == "POST" && request.target.contains("?uploads")
}

fn is_part(request: &Request) -> bool {
    request.query("partNumber").is_some()
}

fn is_complete(request: &Request) -> bool {
    request.method == "POST" && request.query("uploadId").is_some()
}

#[tokio::test]
async fn an_upload_in_parts_is_aborted_whatever_fails() {
    let error = || Fault::Error { status: 500, code: "InternalError", message: "canary" };
    let denied = || Fault::Error { status: 403, code: "AccessDenied", message: "canary" };
    let empty = |body: &str| Fault::Answer { status: 200, headers: "", body: body.into() };
    let matchers: [fn(&Request) -> bool; 3] = [is_create, is_part, is_complete];
    for matches in matchers {
        for fault in [
            error(),
            denied(),
            Fault::Close,
            Fault::CutRequest(1),
            Fault::Delay(Duration::from_secs(30)),
            // An error in the body of an answer that says that all is well.
            empty("<Error><Code>InternalError</Code><Message>canary</Message></Error>"),
        ] {
            if matches!(fault, Fault::CutRequest(_)) && matches(&create()) {
                // It has no body that could be cut.
                continue;
            }
            let setup = hasty().await;
            setup.backend.fail_after(usize::from(matches(&part_two())), 99, matches, fault.clone());
            let (body, _) = made(20 << 20, Some(Ok(())));
            let result = setup.upload("pub/x", body, None).await;
            assert!(result.is_err(), "{fault:?}");
            assert_eq!(setup.backend.objects(), Vec::<String>::new(), "{fault:?}");
            assert_eq!(setup.backend.open_uploads(), 0, "{fault:?}");
        }
    }
}

fn create() -> Request {
    Request { method: "POST".into(), target: "/pub/x?uploads".into(), ..part_two() }
}

/// A request for a part, so that the second of an upload is the one that fails.
fn part_two() -> Request {
    Request {
        method: "PUT".into(),
        target: "/pub/x?partNumber=2".into(),
        headers: Vec::new(),
        body: Vec::new(),
        body_len: 0,
    }
}

#[tokio::test]
async fn an_upload_that_is_dropped_is_aborted() {
    let matchers: [fn(&Request) -> bool; 3] = [is_create, is_part, is_complete];
    for matches in matchers {
        let setup = hasty().await;
        setup.backend.fail(1, matches, Fault::Delay(Duration::from_millis(300)));
        let (body, _) = made(20 << 20, Some(Ok(())));
        let upload = setup.upload("pub/x", body, None);
        let dropped = tokio::time::timeout(Duration::from_secs(10), async {
            tokio::select! {
                _ = upload => panic!("it was to be dropped"),
                () = async {
                    while !setup.backend.requests().iter().any(matches) {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                } => {}
            }
        });
        assert!(dropped.await.is_ok(), "it came so far");
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(setup.backend.open_uploads(), 0);
    }
    // One that waits for its caller.
    let setup = setup().await;
    let (body, _) = made(20 << 20, None);
    let upload = setup.upload("pub/x", body, None);
    assert!(tokio::time::timeout(Duration::from_millis(1_500), upload).await.is_err());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(setup.backend.open_uploads(), 0);
    assert!(setup.backend.requests().iter().any(is_part), "it had begun");
}

#[tokio::test]
async fn a_caller_may_take_its_time() {
    let setup = setup().await;
    // Longer than every timeout of the tests' options.
    let (body, _) = made(300_000, None);
    let upload = setup.upload("pub/x", body, Some(300_001));
    assert!(tokio::time::timeout(Duration::from_millis(2_500), upload).await.is_err());
    assert_eq!(setup.backend.objects(), Vec::<String>::new());

    setup.backend.put("pub/y", &vec![7; 3 << 20]);
    let object = setup
        .s3
        .read(setup.approve(ReadObject { path: owned("pub/y") }), ReadOptions::default())
        .await;
    let mut body = object.expect("it is there").body;
    assert!(body.frame().await.expect("a frame").is_ok());
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    collect(body).await.expect("the rest of it");
}

#[tokio::test]
async fn a_read_that_is_cut_short_is_an_error() {
    let setup = hasty().await;
    setup.backend.put("pub/x", &[7; 100_000]);
    for (fault, error) in [
        (Fault::CutAnswer(50_000), BodyError::Interrupted),
        (Fault::CutAnswer(99_999), BodyError::Interrupted),
        (Fault::StallAnswer(50_000), BodyError::TimedOut),
    ] {
        setup.backend.fail(1, |_| true, fault);
        assert_eq!(setup.read("pub/x").await, Err(ExecuteError::Body(error)));
    }
    assert_eq!(setup.read("pub/x").await.map(|bytes| bytes.len()), Ok(100_000));
}

#[tokio::test]
async fn what_an_object_is_comes_with_it() {
    let setup = setup().await;
    setup.write("pub/x", b"12345").await.expect("written");
    let info = setup
        .s3
        .stat(setup.approve(StatObject { path: owned("pub/x") }), ReadConditions::default())
        .await;
    let info = info.expect("it is there");
    assert_eq!(info.size, 5);
    assert_eq!(info.metadata.content_type.as_deref(), Some("text/canary"));
    assert_eq!(info.etag.as_deref(), Some("\"5\""));
    assert!(info.last_modified.is_some());
    let object = setup
        .s3
        .read(setup.approve(ReadObject { path: owned("pub/x") }), ReadOptions::default())
        .await;
    assert_eq!(object.expect("it is there").info, info);
}
