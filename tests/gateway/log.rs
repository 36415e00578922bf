//! Every decision is a line of the log, and what the line says is true.

use std::time::Duration;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    canaries::decisions,
    world::{ALL, Answer, World},
};

/// Of each decision of a request, its operation, path, outcome, and reason.
fn logged(answer: &Answer) -> Vec<[String; 4]> {
    let id = answer.header("x-request-id").expect("an id");
    decisions(id).iter().map(summary).collect()
}

fn summary(line: &Value) -> [String; 4] {
    let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
    [
        text("op"),
        format!("{}/{}", text("bucket"), text("key")),
        text("decision"),
        text("reason_code"),
    ]
}

/// A restriction that starts with a star lets every directory be listed, where the directory of a
/// denied file's name was then looked for: a denial was told as 404, and was in no line.
#[tokio::test(flavor = "multi_thread")]
async fn a_denied_file_is_denied_in_the_log_and_to_the_caller() {
    let world = World::start().await;
    let read = |path: &str| ["read", path, "deny", "deny.no_match"].map(str::to_owned);
    let list = |path: &str| ["list", path, "allow", "allowed.rule"].map(str::to_owned);
    for (path, is_there) in
        [("pub/team.jpg", false), ("pub/none.jpg", false), ("pub/box", true), ("pub/data", false)]
    {
        world.taken();
        let answer = world.get(format!("/v1/data/s3+csv://{path}")).await;
        assert_eq!(answer.status, if is_there { 200 } else { 403 }, "{path}: {answer:?}");
        assert_eq!(logged(&answer), [read(path), list(&format!("{path}/"))]);
        // Only the directory was asked for, and nothing of the file.
        let upstream = world.upstream();
        assert!(
            upstream
                .iter()
                .all(|line| line.starts_with("GET /pub?") || line.starts_with("GET /pub/?")),
            "{upstream:?}"
        );
        let head = world.send("HEAD", format!("/v1/data/s3+csv://{path}"), b"").await;
        assert_eq!(head.status, answer.status, "{path}");
        assert_eq!(logged(&head)[0][2..], ["deny", "deny.no_match"]);
        let delete = world.send("DELETE", format!("/v1/data/s3+csv://{path}"), b"").await;
        // The directory that is there is not empty.
        assert_eq!(delete.status, if is_there { 409 } else { 403 }, "{path}");
        assert_eq!(logged(&delete)[0], ["delete", path, "deny", "deny.no_match"]);
    }
    // Whether a denied file is there makes no difference to what a caller hears.
    let [there, not] = [
        world.get("/v1/data/s3+csv://pub/team.jpg").await.without_id(),
        world.get("/v1/data/s3+csv://pub/teem.jpg").await.without_id(),
    ];
    let neutral = |text: String| text.replace("teem", "team");
    assert_eq!(neutral(format!("{there:?}")), neutral(format!("{not:?}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_decision_is_a_line() {
    let world = World::start().await;
    for (method, target, lines) in [
        ("GET", "s3+t://pub/data/x", &[["read", "pub/data/x", "allow", "allowed.rule"]][..]),
        (
            "GET",
            "s3+t://pub/data/none",
            &[
                ["read", "pub/data/none", "allow", "allowed.rule"],
                ["list", "pub/data/none/", "allow", "allowed.rule"],
            ],
        ),
        (
            "GET",
            "s3+t://pub/secret",
            &[
                ["read", "pub/secret", "deny", "deny.no_match"],
                ["list", "pub/secret/", "deny", "deny.no_match"],
            ],
        ),
        ("GET", "s3+t://pub/secret/", &[["list", "pub/secret/", "deny", "deny.no_match"]]),
        ("GET", "s3+t://pub/data/?marker=no", &[["list", "pub/data/", "allow", "allowed.rule"]]),
        ("PUT", "s3+ro://pub/data/x", &[["write", "pub/data/x", "deny", "deny.access"]]),
        ("POST", "s3+ro://pub/new/", &[["create-directory", "pub/new/n/", "deny", "deny.access"]]),
        (
            "DELETE",
            "s3+csv://pub/box/?force=true",
            &[["delete-tree", "pub/box/", "deny", "deny.rule"]],
        ),
        ("PATCH", "s3+t://pub/data/x", &[["write-acl", "pub/data/x", "deny", "deny.acl"]]),
        ("GET", "s3+nobodys://pub/x", &[["read", "pub/x", "deny", "deny.unknown_connection"]]),
    ] {
        let body = if method == "POST" { &b"{\"name\":\"n\"}"[..] } else { b"" };
        let answer = world.send(method, format!("/v1/data/{target}"), body).await;
        let logged = logged(&answer);
        // Of a connection that is none, each denial is the same.
        assert_eq!(logged[..lines.len()], *lines, "{method} {target}");
        assert!(logged.len() == lines.len() || target.starts_with("s3+nobodys"), "{logged:?}");
    }
}

/// The line of a request, once it is written.
async fn line_of(answer_head: &[u8]) -> Value {
    let head = String::from_utf8_lossy(answer_head).to_lowercase();
    let id = head.split("x-request-id: ").nth(1).and_then(|rest| rest.split('\r').next());
    for _ in 0..500 {
        if let [line] = &decisions(id.expect("an id"))[..] {
            return line.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no line");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_has_the_bytes_that_were_sent_and_how_it_ended() {
    const SIZE: usize = 64 << 20;
    let world = World::start().await;
    let large = vec![b'x'; SIZE];
    world.embedded.put("pub", "data/large", "x/y", large.into()).await.unwrap();
    world.embedded.put("pub", "data/empty", "x/y", "".into()).await.unwrap();
    for (key, range, status, size, reads) in [
        ("large", "", 200, SIZE, usize::MAX),
        ("x", "", 200, 9, usize::MAX),
        ("x", "Range: bytes=2-4\r\n", 206, 3, usize::MAX),
        ("empty", "", 200, 0, 0),
        ("large", "", 200, SIZE, 1),
    ] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let request = format!(
            "GET /v1/data/s3+t://pub/data/{key} HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\
             {range}Connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut buffer = vec![0; 64 << 10];
        let first = stream.read(&mut buffer).await.unwrap();
        let head = buffer[..first].to_vec();
        if reads == usize::MAX {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap();
        }
        drop(stream);
        let line = line_of(&head).await;
        assert_eq!(line["upstream_status"], status, "{line}");
        let sent = usize::try_from(line["bytes"].as_u64().expect("bytes")).unwrap();
        if reads == 1 {
            assert_eq!(line["ended"], "cut", "{line}");
            assert!(sent < size, "{line}");
        } else {
            assert_eq!((sent, &line["ended"]), (size, &"whole".into()), "{line}");
        }
    }
    // HEAD sends nothing.
    let head = world.send("HEAD", "/v1/data/s3+t://pub/data/x", b"").await;
    let line = &decisions(head.header("x-request-id").unwrap())[0];
    assert!(line["bytes"].is_null() && line["ended"].is_null(), "{line}");
}
