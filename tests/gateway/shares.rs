//! What one may take from another at a listener, seen from a socket.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use pathward::gateway::Options;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use super::{
    canaries::decisions,
    world::{ALL, BOB, CONNECTIONS, World, ask},
};

/// How soon others are to be answered, on a machine that does much else.
const SOON: Duration = Duration::from_secs(5);

/// Uploads that have begun and do not go on.
async fn slow_uploads(address: SocketAddr, key: &str, to: &str, count: usize) -> Vec<TcpStream> {
    let mut all = Vec::new();
    for number in 0..count {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "PUT /v1/data/{to}/{number} HTTP/1.1\r\nHost: g\r\nAuthorization: {key}\r\n\
             Content-Length: 100000\r\n\r\nx"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        all.push(stream);
    }
    all
}

/// Sends the rest of them: how many were stored. All others were told to come again, or closed for others.
async fn stored(all: Vec<TcpStream>) -> usize {
    let mut stored = 0;
    for mut stream in all {
        let mut some = [0; 12];
        let _ = stream.write_all(&[b'x'; 99_999]).await;
        let read = timeout(SOON, stream.read(&mut some)).await.expect("an answer or an end");
        match &some[..read.unwrap_or(0)] {
            b"HTTP/1.1 200" => stored += 1,
            other => assert!(matches!(other, b"" | b"HTTP/1.1 503"), "{other:?}"),
        }
    }
    stored
}

/// Slow uploads of one key took every place, and others waited for as long as those took.
#[tokio::test(flavor = "multi_thread")]
async fn the_requests_of_one_owner_leave_half_of_the_places() {
    let options = Options { max_connections: 32, ..Default::default() };
    let world = World::with(CONNECTIONS, options).await;
    let address = world.address;
    let answered = async |key: &str, target: &str| {
        let began = Instant::now();
        let headers = [("Authorization", key)];
        let answer = timeout(SOON, ask(address, "GET", target, &headers, b"")).await;
        answer.unwrap_or_else(|_| panic!("{target}: no answer in {:?}", began.elapsed())).status
    };
    let anas = slow_uploads(address, ALL, "s3+t://pub/data", 40).await;
    assert_eq!(answered("", "/healthz").await, 200);
    assert_eq!(answered(BOB, "/v1/data/s3+bobs://pub/data/x").await, 200);
    assert_eq!(answered(ALL, "/v1/data/s3+t://pub/data/x").await, 503);

    // Two owners together leave places, too, of which anybody's can be closed for others.
    let bobs = slow_uploads(address, BOB, "s3+bobs://pub/data", 40).await;
    for _ in 0..50 {
        assert_eq!(answered("", "/healthz").await, 200);
    }
    assert_eq!((stored(anas).await, stored(bobs).await), (16, 8));
    // What has ended gives its places back.
    let began = Instant::now();
    while answered(ALL, "/v1/data/s3+t://pub/data/x").await != 200 {
        assert!(began.elapsed() < SOON, "no place came back");
        sleep(Duration::from_millis(50)).await;
    }
}

/// What the HTTP library held and nobody ever took was logged as sent, and the download as whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_cut_is_logged_by_what_was_written() {
    let world = World::start().await;
    // What is accepted has the listener's buffers.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(4 << 10).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(16).unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = world.gateway.clone();
    tokio::spawn(async move { gateway.serve(listener, std::future::pending()).await });
    for size in [48_000, 60_000, 500_000, 2_000_000] {
        let key = format!("data/of-{size}");
        world.embedded.put("pub", &key, "x/y", vec![b'x'; size].into()).await.unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let request = format!(
            "GET /v1/data/s3+t://pub/{key} HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = vec![0; 1_000];
        stream.read_exact(&mut head).await.unwrap();
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let id = head.split("x-request-id: ").nth(1).and_then(|rest| rest.split('\r').next());
        let id = id.expect("an id");
        // It is there when the connection is done with it, and not before.
        sleep(Duration::from_millis(300)).await;
        assert!(decisions(id).is_empty(), "{size}");
        stream.set_zero_linger().unwrap();
        drop(stream);
        let began = Instant::now();
        let line = loop {
            if let [line] = &decisions(id)[..] {
                break line.clone();
            }
            assert!(began.elapsed() < SOON, "no line");
            sleep(Duration::from_millis(10)).await;
        };
        assert_eq!(line["ended"], "cut", "{size}: {line}");
        let sent = line["bytes"].as_u64().unwrap();
        assert!(sent > 0 && sent < 40_000, "{size}: {line}");
    }
}
