//! A gateway, an S3 server, and a recorder between them.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use super::canary;
use pathward::{
    Engine, Policy,
    embedded::{Embedded, EmbeddedOptions},
    executor::{S3, S3Options},
    gateway::{Gateway, Options},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

/// Keys of Ana: all, reading alone, nothing, all in two connections. And one of Bob.
pub const ALL: &str = "simAna0read0write";
pub const READ: &str = "simAna0read0only";
pub const NONE: &str = "simAna0none";
pub const SOME: &str = "simAna0some";
pub const BOB: &str = "simBob0read0write";

/// What the catalogue assumes where it says nothing else, and a few connections beside it.
pub const CONNECTIONS: &str = "
connections:
  - id: s3+t
    owner: ana
    endpoint: ENDPOINT
    keys: exact
    credentials: { file: CREDENTIALS }
    access: read-write
    restrictions: [pub/data/*, pub/team.jpg]
  - id: s3+ro
    owner: ana
    default: true
    endpoint: ENDPOINT
    credentials: { file: CREDENTIALS }
    restrictions: [pub/]
  - id: s3+csv
    owner: ana
    endpoint: ENDPOINT
    keys: exact
    credentials: { file: CREDENTIALS }
    access: read-write
    restrictions: ['pub/*.csv', pub/box/]
    deny: [pub/box/locked/]
  - id: s3+all
    owner: ana
    endpoint: ENDPOINT
    keys: exact
    credentials: { file: CREDENTIALS }
    access: read-write
  - id: s3+bobs
    owner: bob
    endpoint: ENDPOINT
    credentials: { file: CREDENTIALS }
    access: read-write
";

/// Objects in the bucket `pub` that every world begins with. What is secret says so.
pub const OBJECTS: [(&str, &str); 10] = [
    ("team.jpg", "a team"),
    ("data/x", "x of data"),
    ("data/sub/y", "y of sub"),
    ("data2/z", "SECRET data2"),
    ("data_archive", "SECRET archive"),
    ("secret", "SECRET"),
    ("secret.txt", "SECRET text"),
    ("secret/k", "SECRET k"),
    ("box/a.csv", "a,b"),
    ("box/locked/l.csv", "SECRET locked"),
];

/// An answer, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// In the order in which they came, the names in lower case.
    pub headers: Vec<(String, String)>,
    /// The headers' names as they came.
    pub spelled: Vec<String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The message of an error, which is JSON of the one shape that all clients read.
    pub fn error(&self) -> String {
        assert!(self.status >= 400, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        let json = self.json();
        let error = json["error"].as_object().expect("an object `error`");
        assert!(error.values().all(|value| value.is_string() || value.is_number()), "{json}");
        assert!(error["code"].is_number(), "{json}");
        error["message"].as_str().expect("a message").to_owned()
    }

    /// The answer without what is different in every one: the id and the date.
    pub fn without_id(&self) -> (u16, Vec<(String, String)>, Value) {
        let mut body = self.json();
        if let Some(error) = body["error"].as_object_mut() {
            error.remove("id");
        }
        let mut headers = self.headers.clone();
        headers.retain(|(name, _)| name != "x-request-id" && name != "date");
        (self.status, headers, body)
    }

    pub fn names(&self, list: &str) -> Vec<String> {
        let name = if list == "files" { "filename" } else { "name" };
        let entries = self.json()[list].as_array().expect("a list").clone();
        entries.iter().map(|entry| entry[name].as_str().unwrap().to_owned()).collect()
    }
}

/// Where on its connection a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is the first.
    First,
    /// It follows one that was answered.
    Kept,
    /// It is sent together with one before it.
    Pipelined,
}

/// Does something in worlds of their own, with requests of every [`Way`].
pub async fn each_way(test: impl AsyncFn(&World)) {
    for way in [Way::First, Way::Kept, Way::Pipelined] {
        let mut world = World::start().await;
        world.front.way = way;
        test(&world).await;
    }
}

/// A gateway that serves.
pub struct Front {
    pub address: SocketAddr,
    pub gateway: Gateway,
    pub executor: Arc<S3>,
    folder: tempfile::TempDir,
    endpoint: String,
    /// How requests are sent.
    way: Way,
    _stop: oneshot::Sender<()>,
}

/// A gateway before an S3 server whose requests are recorded.
pub struct World {
    front: Front,
    pub embedded: Embedded,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl std::ops::Deref for World {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.front
    }
}

impl Front {
    /// A gateway before the server at this endpoint.
    pub async fn start(
        connections: &str,
        endpoint: &str,
        options: Options,
        s3_options: S3Options,
    ) -> Self {
        canary::watch();
        let folder = tempfile::tempdir().unwrap();
        let credentials = format!(
            "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            canary::ID,
            canary::SECRET
        );
        write_private(&folder.path().join("credentials"), &credentials);
        let executor = Arc::new(S3::new(s3_options));
        let policy = policy(connections, endpoint, folder.path());
        let gateway = Gateway::new(Engine::new(policy), executor.clone(), options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = gateway.clone();
        tokio::spawn(async move { serving.serve(listener, async { drop(stopped.await) }).await });
        let (endpoint, way) = (endpoint.to_owned(), Way::First);
        Self { address, gateway, executor, folder, endpoint, way, _stop: stop }
    }

    /// Lets the gateway decide by other connections.
    pub fn replace(&self, connections: &str) {
        let policy = policy(connections, &self.endpoint, self.folder.path());
        self.gateway.replace(Engine::new(policy));
    }
}

impl World {
    pub async fn start() -> Self {
        Self::with(CONNECTIONS, Options::default()).await
    }

    pub async fn with(connections: &str, options: Options) -> Self {
        canary::watch();
        let options_of_s3 = EmbeddedOptions::default().with_credentials(canary::ID, canary::SECRET);
        let embedded = Embedded::start(options_of_s3).await.unwrap();
        for (key, text) in OBJECTS {
            embedded.put("pub", key, "text/plain", text.into()).await.unwrap();
        }
        embedded.put("hidden-bucket", "k", "text/plain", "SECRET".into()).await.unwrap();
        let sent = Arc::default();
        let endpoint = record(&embedded.endpoint(), Arc::clone(&sent)).await;
        let front = Front::start(connections, &endpoint, options, S3Options::default()).await;
        Self { front, embedded, sent }
    }

    /// Everything that the backend was sent, and from here on anew.
    pub fn taken(&self) -> Vec<u8> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }

    /// The request lines that the backend got since this was asked last.
    pub fn upstream(&self) -> Vec<String> {
        let sent = self.taken();
        let text = String::from_utf8_lossy(&sent);
        let methods = ["GET /", "HEAD /", "PUT /", "POST /", "DELETE /"];
        let is_line = |line: &&str| {
            line.ends_with(" HTTP/1.1") && methods.iter().any(|method| line.starts_with(method))
        };
        text.lines().filter(is_line).map(|line| line.replace(" HTTP/1.1", "")).collect()
    }

    /// Asserts that a request is refused with this status, and that the backend hears nothing.
    pub async fn refused(&self, status: u16, method: &str, target: impl AsRef<[u8]>) -> String {
        let target = target.as_ref();
        self.taken();
        let body = if method == "POST" { &b"{\"name\":\"n\"}"[..] } else { b"" };
        let answer = self.send(method, target, body).await;
        let shown = String::from_utf8_lossy(target);
        assert_eq!(answer.status, status, "{method} {shown}: {answer:?}");
        assert_eq!(self.upstream(), [""; 0], "{method} {shown}");
        assert_eq!(self.taken().len(), 0);
        match method {
            "HEAD" => answer.header("x-error-message").expect("a message").to_owned(),
            _ => answer.error(),
        }
    }
}

impl Front {
    /// Sends a request with Ana's key that allows everything.
    pub async fn send(&self, method: &str, target: impl AsRef<[u8]>, body: &[u8]) -> Answer {
        self.send_with(method, target, &[("Authorization", ALL)], body).await
    }

    pub async fn get(&self, target: impl AsRef<[u8]>) -> Answer {
        self.send("GET", target, b"").await
    }

    /// Sends a request with these headers; a body gets its length.
    pub async fn send_with(
        &self,
        method: &str,
        target: impl AsRef<[u8]>,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        raw(self.address, self.way, &request(method, target, headers, body)).await
    }

    /// Sends these bytes and reads the one answer.
    pub async fn raw(&self, request: &[u8]) -> Answer {
        raw(self.address, self.way, request).await
    }
}

/// Sends a request with these headers to a gateway; a body gets its length.
pub async fn ask(
    address: SocketAddr,
    method: &str,
    target: impl AsRef<[u8]>,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    raw(address, Way::First, &request(method, target, headers, body)).await
}

/// A request after which the connection ends.
fn request(
    method: &str,
    target: impl AsRef<[u8]>,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut request = [method.as_bytes(), b" ", target.as_ref(), b" HTTP/1.1\r\n"].concat();
    request.extend_from_slice(b"Host: gateway\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if !body.is_empty() || matches!(method, "PUT" | "POST" | "PATCH") {
        request.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body);
    request
}

async fn raw(address: SocketAddr, way: Way, request: &[u8]) -> Answer {
    const BEFORE: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n";
    const HEALTHY: &[u8] = b"{\"status\":\"ok\"}";
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = Vec::new();
    let mut before = 0;
    if way == Way::Kept {
        stream.write_all(BEFORE).await.unwrap();
        while !answer.ends_with(HEALTHY) {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
        }
        before = answer.len();
    }
    let whole = if way == Way::Pipelined { [BEFORE, request].concat() } else { request.to_vec() };
    stream.write_all(&whole).await.unwrap();
    stream.read_to_end(&mut answer).await.unwrap();
    if way == Way::Pipelined {
        let healthy = answer.windows(HEALTHY.len()).position(|part| part == HEALTHY);
        before = healthy.expect("the first answer") + HEALTHY.len();
    }
    assert_eq!(canary::found(&answer), None);
    parse(&answer[before..])
}

/// Splits the bytes of one answer, undoing chunks.
pub fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| {
        panic!("no whole head: {:?}", String::from_utf8_lossy(bytes));
    });
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let (spelled, headers): (Vec<String>, Vec<(String, String)>) = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), (name.to_ascii_lowercase(), value.to_owned())))
        .unzip();
    assert!(!headers.contains(&("transfer-encoding".into(), "chunked".into())), "{head}");
    Answer { status, headers, spelled, body: bytes[end + 4..].to_vec() }
}

/// The policy of these connections and the users of every world.
pub fn policy(connections: &str, endpoint: &str, folder: &std::path::Path) -> Policy {
    let key = |id: &str, key: &str, access: &str| {
        let hash: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("      - {{ id: {id}, sha256: {hash}, access: {access} }}\n")
    };
    let users = format!(
        "users:\n  - name: ana\n    keys:\n{}{}{}{}  - name: bob\n    keys:\n{}",
        key("all", ALL, "read-write"),
        key("read", READ, "read-only"),
        key("none", NONE, "none"),
        key("some", SOME, "read-write, connections: [s3+csv, s3+t]"),
        key("all", BOB, "read-write"),
    );
    let credentials = folder.join("credentials");
    let text = format!("{connections}{users}")
        .replace("ENDPOINT", endpoint)
        .replace("CREDENTIALS", credentials.to_str().unwrap());
    Policy::from_yaml("policy.yaml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn write_private(path: &std::path::Path, text: &str) {
    std::fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Passes connections on to the backend and keeps what is sent to it.
async fn record(backend: &str, sent: Arc<Mutex<Vec<u8>>>) -> String {
    let backend: SocketAddr = backend.strip_prefix("http://").unwrap().parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((caller, _)) = listener.accept().await {
            let sent = Arc::clone(&sent);
            tokio::spawn(async move {
                let server = TcpStream::connect(backend).await.unwrap();
                let (mut from_caller, mut to_caller) = caller.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                tokio::spawn(async move {
                    let _ = tokio::io::copy(&mut from_server, &mut to_caller).await;
                });
                let mut buffer = vec![0; 64 << 10];
                while let Ok(count) = from_caller.read(&mut buffer).await {
                    if count == 0 {
                        break;
                    }
                    sent.lock().unwrap().extend_from_slice(&buffer[..count]);
                    if to_server.write_all(&buffer[..count]).await.is_err() {
                        break;
                    }
                }
                let _ = to_server.shutdown().await;
            });
        }
    });
    endpoint
}
