//! What a hostile caller or server tries on the executor.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{ExecuteError, Setup, backend::mangle::Dice};

/// Names that AWS gives to buckets beside their own: one is not decided on and sent as another.
#[tokio::test]
async fn a_bucket_has_one_name() {
    let setup = Setup::new().await;
    for bucket in ["point-abc-s3alias", "point-abc--ol-s3", "abc.mrap", "point-abc--op-s3"] {
        let path = format!("{bucket}/k");
        setup.backend.put(&path, b"here");
        assert_eq!(setup.read(&path).await, Err(ExecuteError::KeyNotSendable), "{bucket}");
        assert_eq!(setup.write(&path, b"x").await, Err(ExecuteError::KeyNotSendable), "{bucket}");
        assert!(setup.list(&format!("{bucket}/"), None, 1).await.is_err(), "{bucket}");
    }
    assert!(setup.backend.requests().is_empty());
}

/// The S3 client takes buckets of some names for aliases of other services, and makes another host
/// of them.
#[tokio::test]
async fn a_buckets_name_chooses_no_host() {
    let setup = Setup::new().await;
    // As the client's rules take it apart: 63 characters, the kind of hardware at the fiftieth.
    for bucket in [
        format!(
            "{}--op-s3",
            "ab0-test-o0123456789abcdefg".repeat(3)[..14].to_owned() + &"e".repeat(42)
        ),
        format!("{}--op-s3", "test-accessp-".to_owned() + &"o".repeat(43)),
        "pathward-test--use1-az4--x-s3".to_owned(),
        "pathward-test--s3alias".to_owned(),
        "pathward-test--ol-s3".to_owned(),
        "arn-aws-s3".to_owned(),
        "pathward.test--use1-az4--x-s3".to_owned(),
        "pathward-test--table-s3".to_owned(),
    ] {
        let path = format!("{bucket}/k");
        setup.backend.put(&path, b"here");
        let read = setup.read(&path).await;
        let refused = matches!(read, Err(ExecuteError::KeyNotSendable));
        assert!(refused || read == Ok(b"here".to_vec()), "{bucket}: {read:?}");
    }
}

/// An answer that is no file is kept whole before it is looked at: a server whose answers never end had
/// the gateway's memory.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_never_end_are_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let longest = Arc::new(AtomicUsize::new(0));
    let sent = Arc::clone(&longest);
    let status = Arc::new(AtomicUsize::new(200));
    let says = Arc::clone(&status);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (sent, status) = (Arc::clone(&sent), says.load(Ordering::SeqCst));
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 8 << 10]).await;
                let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n\r\n");
                let start = "<ListBucketResult><CommonPrefixes><Prefix>";
                let _ = stream.write_all(format!("{head}{start}").as_bytes()).await;
                let mut count = 0;
                while stream.write_all(&[b'a'; 16 << 10]).await.is_ok() {
                    count += 16 << 10;
                    sent.fetch_max(count, Ordering::SeqCst);
                }
            });
        }
    });
    let setup = Setup::at(&endpoint).await;
    for (answers, most) in [(200, 24 << 20), (403, 16 << 20), (500, 16 << 20)] {
        status.store(answers, Ordering::SeqCst);
        longest.store(0, Ordering::SeqCst);
        setup.list("pub/", None, 10).await.expect_err("no end");
        setup.list("", None, 10).await.expect_err("no end");
        setup.delete_tree("pub/d/").await.map(drop).expect_err("no end");
        setup.write("pub/x", b"x").await.map(drop).expect_err("no end");
        if answers != 200 {
            setup.read("pub/x").await.expect_err("no end");
        }
        // With what the system holds between the two.
        let longest = longest.load(Ordering::SeqCst);
        assert!(longest > 0 && longest < most, "{answers}: {longest}");
    }
}

fn text(dice: &mut Dice, letters: &[&str], most: usize) -> String {
    (0..=dice.below(most)).map(|_| dice.one(letters)).collect()
}

/// Restrictions and keys by chance: whatever the size of the pages and the order of the server,
/// listings show the same, nothing twice, every file that may be read and no other, every folder
/// that has one and no other.
#[tokio::test]
async fn pages_of_any_size_show_the_same() {
    let mut dice = Dice(7);
    for round in 0..150 {
        let mut list = |most| -> Vec<String> {
            let count = dice.below(most);
            (0..count)
                .map(|_| {
                    format!("lake/{}", text(&mut dice, &["a", "b", "-", "/", "*", "a", "é"], 5))
                })
                .filter(|text| pathward::Restriction::parse(text).is_ok())
                .collect()
        };
        let (mut allow, deny) = (list(6), list(3));
        allow.push("lake/a/b".to_owned());
        let quoted = |list: &[String]| {
            let items: Vec<_> = list.iter().map(|text| format!("'{text}'")).collect();
            items.join(", ")
        };
        let mut fields = format!("restrictions: [{}]", quoted(&allow));
        if !deny.is_empty() {
            fields += &format!("\ndeny: [{}]", quoted(&deny));
        }
        let setup = Setup::with(&fields).await;
        let mut keys: Vec<String> = (0..24)
            .map(|_| text(&mut dice, &["a", "b", "-", "/", "a", "é", "/"], 5))
            .filter(|key| !key.starts_with('/'))
            .collect();
        keys.sort();
        keys.dedup();
        for key in &keys {
            setup.backend.put(&format!("lake/{key}"), b"");
        }
        let matches = |list: &[String], path: &str| {
            list.iter().any(|text| {
                pathward::Restriction::parse(text).expect("one").matches(path.as_bytes())
            })
        };
        let reads = |path: &str| matches(&allow, path) && !matches(&deny, path);
        for directory in ["", "a/", "b/", "a/b/"] {
            let path = format!("lake/{directory}");
            let id = pathward::ConnectionId::parse("s3+t").expect("an id");
            let caller = pathward::Caller::with_full_permission("o");
            let op = super::ListDirectory { path: super::owned(&path) };
            if setup.engine.approve(caller, &id, op).is_err() {
                assert!(!keys.iter().any(|key| {
                    let path_of_key = format!("lake/{key}");
                    path_of_key.starts_with(&path) && reads(&path_of_key)
                }));
                continue;
            }
            let mut expected = None;
            for by_names in [false, true] {
                if by_names {
                    setup.backend.list_by_names();
                }
                for limit in [1, 2, 3, 5, 1_000] {
                    let mut all = setup.list_all(&path, limit).await;
                    all.sort();
                    let shown =
                        format!("round {round}: {path} by {limit}\n{fields}\n{keys:?}\n{all:?}");
                    let mut once = all.clone();
                    once.dedup();
                    assert_eq!(once, all, "twice: {shown}");
                    let expected = expected.get_or_insert_with(|| all.clone());
                    assert_eq!(*expected, all, "not the same: {shown}");
                    // What is shown is what may be read, and a folder is when something in it may.
                    let is_read = |key: &&String| reads(&format!("lake/{key}"));
                    let below =
                        keys.iter().filter(is_read).filter_map(|key| key.strip_prefix(directory));
                    let mut should: Vec<String> = below
                        .clone()
                        .map(|name| name.split_inclusive('/').next().unwrap_or_default().to_owned())
                        .filter(|name| !name.is_empty() && name != "/")
                        .collect();
                    should.dedup();
                    assert_eq!(all, should, "{shown}");
                    let exists = setup.list(&path, None, 0).await.expect("a page").exists;
                    assert_eq!(exists, directory.is_empty() || below.count() > 0, "{shown}");
                    let page = setup.list(&path, None, limit).await.expect("a page");
                    assert_eq!(page.exists, exists, "{shown}");
                }
            }
        }
    }
}

/// Uploads of unknown length, many at once: of a thousand, each held 8 MiB and later 64.
#[tokio::test]
async fn uploads_together_hold_no_more_than_they_may() {
    // Of 64 MiB one owner has eight, and a part that is finished whatever is taken.
    let options = super::S3Options { upload_memory: 64 << 20, ..super::options() };
    let mut setup = Setup::new().await;
    setup.s3 = super::S3::new(options);
    setup.backend.bucket("pub");
    // What comes is held until more comes, and nothing does.
    let stuck = |length| {
        let frames =
            futures_util::stream::iter([Ok(http_body::Frame::data(vec![7; length].into()))]);
        let stream = futures_util::StreamExt::chain(frames, futures_util::stream::pending());
        super::Body::new(http_body_util::StreamBody::new(stream))
    };
    // Held is what came, rounded up: five times 1.5 MiB, and the sixth by the last place.
    let six: Vec<_> = (0..6).map(|n| setup.upload_to(n, stuck(3 << 19))).collect();
    let seventh = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        // What is small needs no room.
        let small = super::Body::from_bytes(vec![7; 100 << 10].into());
        assert_eq!(setup.upload("pub/small", small, None).await, Ok(100 << 10));
        setup.upload("pub/seventh", stuck(1 << 20), None).await
    };
    let refused = tokio::select! {
        _ = futures_util::future::join_all(six) => panic!("they wait"),
        refused = seventh => refused,
    };
    assert_eq!(refused, Err(ExecuteError::Busy { retry_after: None }));
    // With the others their room is free again.
    let (body, length) = (vec![7; 20 << 20], 20 << 20);
    let body = super::Body::from_bytes(body.into());
    assert_eq!(setup.upload("pub/later", body, None).await, Ok(length));
}

/// A server that does not answer takes a share of the connections to servers, and not those to others.
#[tokio::test]
async fn a_server_takes_no_more_connections_than_its_share() {
    let limit = std::time::Duration::from_millis(500);
    let options = super::S3Options { sockets: 8, connect_timeout: limit, ..super::options() };
    let mut slow = Setup::new().await;
    slow.s3 = super::S3::new(super::S3Options { attempts: 1, ..options });
    slow.backend.put("pub/x", b"x");
    let delay = super::backend::Fault::Delay(std::time::Duration::from_secs(2));
    slow.backend.fail(4, |_| true, delay);
    let asked: Vec<_> = (0..20).map(|_| slow.stat("pub/x")).collect();
    let other = async {
        tokio::time::sleep(limit / 2).await;
        let other = Setup::new().await;
        other.backend.put("pub/y", b"yy");
        let approved = other.approve(super::StatObject { path: super::owned("pub/y") });
        pathward::executor::Executor::stat(&slow.s3, approved, super::ReadConditions::default())
            .await
            .map(|info| info.size)
    };
    let (asked, other) = tokio::join!(futures_util::future::join_all(asked), other);
    assert_eq!(other, Ok(2));
    let count =
        |wanted: &Result<u64, ExecuteError>| asked.iter().filter(|it| *it == wanted).count();
    // Those that came to the server waited for its answer, as long as an attempt may take.
    assert_eq!(slow.backend.requests().len(), 4);
    assert_eq!(count(&Err(ExecuteError::TimedOut)), 20, "{asked:?}");
    // They are over, and others are let in.
    assert_eq!(slow.stat("pub/x").await, Ok(1));
}

impl Setup {
    async fn upload_to(&self, number: usize, body: super::Body) -> Result<u64, ExecuteError> {
        self.upload(&format!("pub/{number}"), body, None).await
    }
}
