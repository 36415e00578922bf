//! Requests by chance: whatever bytes come, nothing is done without a decision, and the gateway
//! goes on.

use super::world::{ALL, World};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Sends bytes and half-closes; what comes back, if anything does in time.
async fn exchange(world: &World, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let all = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(std::time::Duration::from_secs(20), all).await.expect("it ends");
    answer
}

/// A request that would be allowed, but for its key, and what can be done to its bytes.
fn mangled(key: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let whole = format!(
        "PUT /v1/data/s3+t://pub/data/chance HTTP/1.1\r\nHost: g\r\nAuthorization: {key}\r\n\
         Content-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    )
    .into_bytes();
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..6),
        prop::sample::select(vec![
            "\r\n",
            "\n",
            "\r",
            " ",
            ":",
            "#",
            "?",
            "%00",
            "%2e%2e/",
            "//",
            "Transfer-Encoding: chunked\r\n",
            "Content-Length: 99\r\n",
            "Host: h\r\n",
            "Expect: 100-continue\r\n",
            "HTTP/1.0",
            "http://h",
            "GET / HTTP/1.1\r\n\r\n",
            "0\r\n\r\n",
            "\u{FC}",
            "*",
            "Upgrade: h2c\r\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let change = (any::<prop::sample::Index>(), 0_usize..4, piece);
    prop::collection::vec(change, 1..4).prop_map(move |changes| {
        let mut bytes = whole.clone();
        for (at, removed, piece) in changes {
            let at = at.index(bytes.len());
            let end = (at + removed).min(bytes.len());
            bytes.splice(at..end, piece);
        }
        bytes
    })
}

fn cases(strategy: impl Strategy<Value = Vec<u8>>, count: u32) -> Vec<Vec<u8>> {
    let mut runner = TestRunner::new(Config::default());
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn h10_without_a_key_no_bytes_reach_the_backend() {
    let world = World::start().await;
    for bytes in cases(mangled("simUnknown"), 1_500) {
        let answer = exchange(&world, &bytes).await;
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(world.taken().len(), 0, "{shown}");
        // Whatever is answered is an answer, and errors are JSON.
        if !answer.is_empty() && !answer.starts_with(b"HTTP/1.1 100") {
            let parsed = super::world::parse(&answer);
            assert!(parsed.status >= 400 || parsed.body.starts_with(b"{\"status\""), "{shown}");
            assert_eq!(parsed.header("content-type"), Some("application/json"), "{shown}");
        }
    }
    assert_eq!(world.get("/v1/data/s3+t://pub/data/x").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn h10_with_a_key_only_what_is_allowed_does() {
    let world = World::start().await;
    for bytes in cases(mangled(ALL), 1_500) {
        exchange(&world, &bytes).await;
        for line in world.upstream() {
            let target = line.split(' ').nth(1).unwrap();
            assert!(
                target.starts_with("/pub/data/") || target.starts_with("/pub?list-type=2"),
                "{line} for {}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
    assert_eq!(world.get("/v1/data/s3+t://pub/data/x").await.status, 200);
}
