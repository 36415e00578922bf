//! What an attacker tries that no entry of the catalogue names.

use std::time::{Duration, Instant};

use pathward::{
    Policy,
    executor::S3Options,
    gateway::{Gateway, Options},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{
    backend::Backend,
    world::{ALL, Answer, CONNECTIONS, Front, World, parse},
};

/// One connection, on which answers follow each other.
struct Talk {
    stream: TcpStream,
    ahead: Vec<u8>,
}

impl Talk {
    async fn with(front: &Front) -> Self {
        Self { stream: TcpStream::connect(front.address).await.unwrap(), ahead: Vec::new() }
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next answer, by its length; the connection may go on.
    async fn hear(&mut self) -> Answer {
        loop {
            if let Some(end) = self.ahead.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = parse(&self.ahead[..end + 4]);
                let length = head.header("content-length").map_or(0, |text| text.parse().unwrap());
                if self.ahead.len() >= end + 4 + length {
                    let rest = self.ahead.split_off(end + 4 + length);
                    return parse(&std::mem::replace(&mut self.ahead, rest));
                }
            }
            let mut buffer = [0; 4_096];
            let read = timeout(Duration::from_secs(5), self.stream.read(&mut buffer));
            let count = read.await.expect("an answer in time").unwrap();
            assert!(count > 0, "it ended: {:?}", String::from_utf8_lossy(&self.ahead));
            self.ahead.extend_from_slice(&buffer[..count]);
        }
    }
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\r\n")
}

/// Whoever has no key sends heads with bodies that never come: each was given seconds in which it
/// held one of the places for requests.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_nobody_take_no_places() {
    let options = Options { max_requests: 1, ..Default::default() };
    let world = World::with(CONNECTIONS, options).await;
    let mut nobody = Talk::with(&world).await;
    nobody
        .say(b"PUT /v1/data/s3+t://pub/data/x HTTP/1.1\r\nHost: g\r\nContent-Length: 10\r\n\r\n")
        .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.get("/v1/data/s3+t://pub/data/x").await.status, 200);
}

/// `printf %s "$KEY" | sha256sum`, as the help says, with a variable that is not set.
#[tokio::test(flavor = "multi_thread")]
async fn the_hash_of_nothing_is_no_key() {
    let text = "
users:
  - name: ana
    keys:
      - { id: a, sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, access: read-write }
";
    let errors = Policy::from_yaml("p.yaml", text).expect_err("anyone would have that key");
    assert!(errors.to_string().contains("empty"), "{errors}");
}

/// A caller that asks first whether its body is wanted was told to send what is then thrown away.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_body_is_not_asked_for() {
    let world = World::start().await;
    for (key, status) in [("nobody", 401), (ALL, 403)] {
        let mut talk = Talk::with(&world).await;
        let head = format!(
            "PUT /v1/data/s3+t://pub/secret HTTP/1.1\r\nHost: g\r\nAuthorization: {key}\r\n\
             Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
        );
        let began = Instant::now();
        talk.say(head.as_bytes()).await;
        assert_eq!(talk.hear().await.status, status);
        assert!(began.elapsed() < Duration::from_secs(2));
    }
    // One that is wanted is.
    let mut talk = Talk::with(&world).await;
    let head = format!(
        "PUT /v1/data/s3+t://pub/data/e HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\
         Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    );
    talk.say(head.as_bytes()).await;
    assert_eq!(talk.hear().await.status, 100);
    talk.say(b"abc").await;
    assert_eq!(talk.hear().await.status, 200);
}

/// Servers skip empty lines before a request line; the first *line* was then not the request's.
#[tokio::test(flavor = "multi_thread")]
async fn n12_empty_lines_hide_no_request_line() {
    let world = World::start().await;
    for (before, status) in [("\r\n", 404), ("\r\n\r\n", 404), ("\n", 400), ("\r\n\n", 400)] {
        world.taken();
        let mut talk = Talk::with(&world).await;
        let request = get("/v1/data/s3+t://pub/data/x#y");
        talk.say(format!("{before}{request}").as_bytes()).await;
        assert_eq!(talk.hear().await.status, 400, "{before:?}");
        assert_eq!(world.taken().len(), 0);

        let mut talk = Talk::with(&world).await;
        let mut request = format!("{before}GET /v1/data/s3+t://pub/data/").into_bytes();
        request.push(0xFC);
        request.extend_from_slice(
            format!(" HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\r\n").as_bytes(),
        );
        talk.say(&request).await;
        assert_eq!(talk.hear().await.status, status, "{before:?}");
    }
}

/// Python's `http.client` sends `#` as it is given, and the HTTP library cut off what stood behind it:
/// another object was replaced, and another tree deleted.
#[tokio::test(flavor = "multi_thread")]
async fn n12_a_fragment_is_refused_on_every_request_and_the_connection_goes_on() {
    let world = World::start().await;
    let mut talk = Talk::with(&world).await;
    for (method, target, body) in [
        ("PUT", "pub/data/x#2.csv", "for another"),
        ("DELETE", "pub/data/x#2.csv", ""),
        ("DELETE", "pub/data/sub?force=true#x/y", ""),
        ("GET", "pub/data/x#", ""),
        ("POST", "pub/data/#n", "{\"name\":\"n\"}"),
    ] {
        world.taken();
        let length = body.len();
        let request = format!(
            "{method} /v1/connector/s3+t/{target} HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        talk.say(request.as_bytes()).await;
        let answer = talk.hear().await;
        assert_eq!(answer.status, 400, "{method} {target}: {answer:?}");
        let message = answer.error();
        assert!(message.contains("`#`") && message.contains("%23"), "{message}");
        assert!(answer.header("x-request-id").is_some() && world.taken().is_empty());
        talk.say(get("/v1/connector/s3+t/pub/data/x").as_bytes()).await;
        assert_eq!(talk.hear().await.body, b"x of data");
    }
    assert_eq!(world.get("/v1/connector/s3+t/pub/data/sub/y").await.body, b"y of sub");
}

/// Another protocol is never spoken, and who asks for one is answered in this.
#[tokio::test(flavor = "multi_thread")]
async fn a_wish_for_another_protocol_changes_nothing() {
    let world = World::start().await;
    for wish in ["Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk", "Upgrade: websocket"] {
        let mut talk = Talk::with(&world).await;
        for (method, body) in [("GET", ""), ("PUT", "x of data"), ("GET", "")] {
            let request = format!(
                "{method} /v1/data/s3+t://pub/data/x HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\
                 Connection: Upgrade\r\n{wish}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            talk.say(request.as_bytes()).await;
            let answer = talk.hear().await;
            assert_eq!(answer.status, 200, "{wish}: {answer:?}");
            assert_eq!(answer.header("upgrade"), None);
        }
    }
}

/// Whoever sends all of a body before it listens hears why its head was refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_heard_by_those_who_send_on() {
    let world = World::start().await;
    for lines in
        ["Content-Length: 1\r\nContent-Length: 600000", "Host: h\r\nContent-Length: 600000"]
    {
        let mut talk = Talk::with(&world).await;
        let head = format!("PUT /v1/data/s3+t://pub/data/x HTTP/1.1\r\nHost: g\r\n{lines}\r\n\r\n");
        talk.say(head.as_bytes()).await;
        talk.say(&vec![b'x'; 600_000]).await;
        let answer = talk.hear().await;
        assert_eq!(answer.status, 400, "{answer:?}");
        answer.error();
    }
    assert_eq!(world.taken().len(), 0);
}

/// An empty body is taken for success by Algorithmia's Python client, which keeps connections.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_request_that_is_malformed_is_answered_in_json() {
    let world = World::start().await;
    let many: String = (0..200).map(|number| format!("x-{number}: y\r\n")).collect();
    for (bad, status) in [
        ("GET /v1/data/\u{1} HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET /v1/data/ HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET /v1/data/ HTTP/1.1\nHost: g\n\n".to_owned(), 400),
        ("PUT /v1/data/s3+t://pub/data/x HTTP/1.1\r\nContent-Length: x\r\n\r\n".to_owned(), 400),
        (format!("GET /v1/data/{} HTTP/1.1\r\n\r\n", "a".repeat(70_000)), 414),
        (format!("GET /v1/data/ HTTP/1.1\r\nHost: g\r\n{many}\r\n"), 431),
    ] {
        let mut talk = Talk::with(&world).await;
        for target in ["/v1/data/s3+t://pub/data/x", "/v1/data/s3+t://pub/data"] {
            talk.say(get(target).as_bytes()).await;
            assert_eq!(talk.hear().await.status, 200);
        }
        talk.say(bad.as_bytes()).await;
        let answer = talk.hear().await;
        assert_eq!(answer.status, status, "{answer:?}");
        answer.error();
    }
}

/// An object whose bytes look like a bare error comes through as it is.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_looks_like_an_error_is_an_object() {
    let world = World::start().await;
    let text = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(world.send("PUT", "/v1/data/s3+t://pub/data/e", text.as_bytes()).await.status, 200);
    let mut talk = Talk::with(&world).await;
    for _ in 0..20 {
        talk.say(get("/v1/data/s3+t://pub/data/e").as_bytes()).await;
        assert_eq!(talk.hear().await.body, text.as_bytes());
    }
    // Also when requests do not wait for answers.
    talk.say(get("/v1/data/s3+t://pub/data/e").repeat(20).as_bytes()).await;
    for _ in 0..20 {
        assert_eq!(talk.hear().await.body, text.as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h10_chunks_and_a_length_in_any_order_end_the_connection() {
    let world = World::start().await;
    for lines in [
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
    ] {
        let smuggled = get("/v1/data/s3+t://pub/data/x");
        let request = format!(
            "PUT /v1/data/s3+t://pub/data/f HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n{lines}\r\n\
             5\r\n12345\r\n0\r\n\r\n{smuggled}"
        );
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = timeout(Duration::from_secs(2), stream.read_to_end(&mut answer)).await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(text.starts_with("HTTP/1.1 400") && text.contains("exclude each other"), "{text}");
        assert!(!text.contains("x of data") && text.matches("HTTP/1.1").count() == 1, "{text}");
    }
    assert_eq!(world.taken().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_not_kept() {
    let options = Options { head_timeout: Duration::from_millis(300), ..Default::default() };
    let world = World::with(CONNECTIONS, options).await;
    let ends = async |mut talk: Talk, what: &str| {
        let mut rest = Vec::new();
        let ended = timeout(Duration::from_secs(3), talk.stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "{what}: still open");
    };
    let silent = Talk::with(&world).await;
    ends(silent, "silent").await;
    let mut partial = Talk::with(&world).await;
    partial.say(b"GET /v1/data/ HTTP/1.1\r\nHos").await;
    ends(partial, "partial").await;
    let mut line = Talk::with(&world).await;
    line.say(b"GET /v1/da").await;
    ends(line, "part of a line").await;
    let mut kept = Talk::with(&world).await;
    kept.say(get("/v1/data/s3+t://pub/data/x").as_bytes()).await;
    kept.hear().await;
    ends(kept, "kept").await;
}

/// A denial with a marker in it was told as a missing file, and never logged.
#[tokio::test(flavor = "multi_thread")]
async fn l06_a_marker_does_not_change_what_a_denial_is() {
    let world = World::start().await;
    for target in ["pub/secret", "pub/none", "pub/data2/z"] {
        world.refused(403, "GET", format!("/v1/data/s3+t://{target}?marker=00")).await;
    }
}

/// A directory whose one restriction names a file: the file's hidden neighbours have no influence.
#[tokio::test(flavor = "multi_thread")]
async fn l08_neighbours_of_a_file_do_not_make_a_directory() {
    let connections =
        CONNECTIONS.replace("[pub/data/*, pub/team.jpg]", "[pub/a/team.jpg, pub/b/team.jpg]");
    let world = World::with(&connections, Options::default()).await;
    for key in ["a/team.jpg.bak", "a/team.jpg/secret"] {
        world.embedded.put("pub", key, "text/plain", "SECRET".into()).await.unwrap();
    }
    let both = async |method: &'static str| {
        let mut statuses = Vec::new();
        for directory in ["a/", "b/"] {
            let target = format!("/v1/data/s3+t://pub/{directory}");
            statuses.push(world.send(method, &target, b"").await.status);
        }
        statuses
    };
    assert_eq!((both("GET").await, both("HEAD").await), (vec![404, 404], vec![404, 404]));
    assert_eq!(world.get("/v1/data/s3+t://pub/").await.names("folders"), [""; 0]);
    // With the file itself all of that is there.
    world.embedded.put("pub", "a/team.jpg", "text/plain", "a team".into()).await.unwrap();
    assert_eq!((both("GET").await, both("HEAD").await), (vec![200, 404], vec![200, 404]));
    assert_eq!(world.get("/v1/data/s3+t://pub/").await.names("folders"), ["a"]);
    assert_eq!(world.get("/v1/data/s3+t://pub/a").await.names("files"), ["team.jpg"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_forms_of_a_target_get_json_and_nothing_else() {
    let world = World::start().await;
    for (line, status) in [
        ("CONNECT pub:443 HTTP/1.1", &[405][..]),
        ("OPTIONS * HTTP/1.1", &[404]),
        ("GET * HTTP/1.1", &[400]),
        ("GET ftp://other/v1/data/s3+t://pub/data/x HTTP/1.1", &[400]),
        ("GET http://u@other/v1/data/s3+t://pub/data/x HTTP/1.1", &[400]),
        ("GET http://other/v1/data/s3+t://pub/secret HTTP/1.1", &[403]),
        ("GET http://other HTTP/1.1", &[404]),
        ("GET //v1/data/s3+t://pub/data/x HTTP/1.1", &[404]),
        ("GET /v1/data/s3+t://pub/secret HTTP/1.0", &[403]),
        ("GET v1/data/ HTTP/1.1", &[400]),
        ("GET /v1/data/ HTTP/3.0", &[400]),
        ("GET /v1/data/", &[400]),
        ("PRI * HTTP/2.0", &[400]),
    ] {
        let request =
            format!("{line}\r\nHost: g\r\nAuthorization: {ALL}\r\nConnection: close\r\n\r\n");
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(Duration::from_secs(3), stream.read_to_end(&mut answer))
            .await
            .unwrap_or_else(|_| panic!("{line}: no end"))
            .unwrap();
        {
            let answer = parse(&answer);
            assert!(status.contains(&answer.status), "{line}: {answer:?}");
            answer.error();
        }
        assert_eq!(world.taken().len(), 0, "{line}");
    }
    let absolute = get("http://other/v1/data/s3+t://pub/data/x");
    let mut talk = Talk::with(&world).await;
    talk.say(absolute.as_bytes()).await;
    assert_eq!(talk.hear().await.body, b"x of data");
}

#[tokio::test(flavor = "multi_thread")]
async fn content_types_with_odd_spaces_are_signed_as_they_are_sent() {
    let world = World::start().await;
    for content_type in ["text/plain;   charset=x", "a\tb", "x", "\"a  b\"", &"t".repeat(3_000)] {
        let headers = [("Authorization", ALL), ("Content-Type", content_type)];
        let answer = world.send_with("PUT", "/v1/data/s3+t://pub/data/ct", &headers, b"12").await;
        assert_eq!(answer.status, 200, "{content_type:?}: {answer:?}");
    }
}

/// Uploads in parts that a stop cuts off: what the server has of them is taken back.
#[test]
fn a_stop_leaves_no_upload_behind() {
    let around = tokio::runtime::Runtime::new().unwrap();
    let backend = around.block_on(Backend::start());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let kept = runtime.block_on(async {
        let options =
            Options { shutdown_timeout: Duration::from_millis(300), ..Default::default() };
        let s3 = S3Options::default();
        let front = Front::start(CONNECTIONS, &backend.endpoint(), options, s3).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gateway: Gateway = front.gateway.clone();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving =
            tokio::spawn(
                async move { gateway.serve(listener, async { drop(stopped.await) }).await },
            );
        backend.bucket("pub");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "PUT /v1/data/s3+t://pub/data/big HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\
             Transfer-Encoding: chunked\r\n\r\n{:x}\r\n",
            64 << 20
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![7; 20 << 20]).await.unwrap();
        let began = Instant::now();
        while backend.open_uploads() == 0 && began.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(backend.open_uploads(), 1);
        stop.send(()).unwrap();
        timeout(Duration::from_secs(10), serving).await.unwrap().unwrap();
        (front, stream)
    });
    drop(runtime);
    drop(kept);
    assert_eq!(backend.open_uploads(), 0);
}
