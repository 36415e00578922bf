//! The processes that are measured: a backend, and the gateway before it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use aws_sdk_s3::{
    Client, Config,
    config::{
        BehaviorVersion, Credentials, Region, RequestChecksumCalculation,
        http::{HttpRequest, HttpResponse},
        retry::RetryConfig,
    },
    primitives::{ByteStream, SdkBody},
};
use aws_smithy_runtime_api::{
    client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    http::StatusCode,
};
use pathward::embedded::{Embedded, EmbeddedOptions};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{load::Request, slow::Slow};

pub(crate) const BUCKET: &str = "bench";
/// Who asks where nobody else does.
const ANA: User = User { name: "ana", key: "simBench0key", connection: "s3+b" };

/// What a server says once it runs.
#[derive(Serialize, Deserialize)]
struct Running {
    endpoint: String,
    access_key: String,
    secret_key: String,
}

/// A backend in a process of its own.
pub(crate) struct Backend {
    running: Running,
    pub(crate) client: Client,
    _stop: Stop,
}

/// How a backend is ended.
enum Stop {
    Child(Child),
    Script(PathBuf, tempfile::TempDir),
}

impl Drop for Stop {
    fn drop(&mut self) {
        match self {
            Self::Child(child) => end(child),
            Self::Script(script, folder) => {
                let _ = Command::new(script).arg("stop").arg(folder.path()).status();
            }
        }
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Where the scripts are that start real servers, and where `tests/real/setup` has installed them.
fn real() -> (PathBuf, PathBuf) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let installed = std::env::var_os("PATHWARD_REAL").map(PathBuf::from);
    (root.join("tests/real/servers"), installed.unwrap_or_else(|| root.join("target/real")))
}

/// The backends that can be started here.
pub(crate) fn installed() -> Vec<String> {
    let mut found = vec!["embedded".to_owned()];
    let (scripts, installed) = real();
    let is_there = |script: &str| scripts.join(script).exists();
    if is_there("seaweedfs") && installed.join("servers/bin/weed").exists() {
        found.push("seaweedfs".to_owned());
    }
    // Its readiness is asked with a Python of that folder.
    let python = installed.join("servers/bin/python").exists();
    if is_there("ceph") && python && Path::new("/usr/bin/radosgw").exists() {
        found.push("ceph".to_owned());
    }
    found
}

/// The argument with which this program is the embedded server and nothing else.
pub(crate) const SERVE_EMBEDDED: &str = "--serve-embedded";

/// Runs the embedded server until standard input ends.
pub(crate) async fn serve_embedded() {
    let server = Embedded::start(EmbeddedOptions::default()).await.expect("an embedded server");
    let running = Running {
        endpoint: server.endpoint(),
        access_key: server.access_key_id().to_owned(),
        secret_key: server.secret_access_key().to_owned(),
    };
    println!("{}", serde_json::to_string(&running).expect("JSON"));
    let ended = || drop(std::io::stdin().read_to_end(&mut Vec::new()));
    tokio::task::spawn_blocking(ended).await.expect("an end");
}

impl Backend {
    pub(crate) async fn start(name: &str) -> Self {
        Self::start_nicely(name, 0).await
    }

    /// The embedded one can give way to other processes.
    pub(crate) async fn start_nicely(name: &str, nice: i32) -> Self {
        let (stop, line) = match name {
            "embedded" => {
                let this = std::env::current_exe().expect("this program");
                let mut child = Command::new("nice")
                    .args(["-n", &nice.to_string()])
                    .arg(this)
                    .arg(SERVE_EMBEDDED)
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .expect("a child");
                let line = first_line(&mut child);
                (Stop::Child(child), line)
            }
            name => {
                let (scripts, installed) = real();
                let folder = tempfile::tempdir().expect("a folder");
                let script = scripts.join(name);
                let started = Command::new(&script)
                    .arg("start")
                    .arg(folder.path())
                    .env("PATHWARD_REAL", installed)
                    .stderr(Stdio::inherit())
                    .output()
                    .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
                assert!(started.status.success(), "{name} did not start");
                let line = String::from_utf8(started.stdout).expect("text");
                (Stop::Script(script, folder), line)
            }
        };
        let running: Running = serde_json::from_str(&line).expect("what runs");
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .endpoint_url(&running.endpoint)
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .credentials_provider(Credentials::new(
                &running.access_key,
                &running.secret_key,
                None,
                None,
                "bench",
            ))
            .build();
        let backend = Self { running, client: Client::from_conf(config), _stop: stop };
        backend.client.create_bucket().bucket(BUCKET).send().await.expect("a bucket");
        backend
    }

    pub(crate) fn address(&self) -> SocketAddr {
        let address = self.running.endpoint.strip_prefix("http://").expect("plain HTTP");
        address.parse().expect("an address")
    }

    pub(crate) async fn store(&self, key: &str, bytes: Vec<u8>) {
        let body = ByteStream::from(bytes);
        self.client.put_object().bucket(BUCKET).key(key).body(body).send().await.expect("stored");
    }

    /// A bucket `pub` with so many objects, whose names look like what a policy denies.
    pub(crate) async fn fill(&self, policy: &Slow, count: usize) {
        // It may be there.
        drop(self.client.create_bucket().bucket("pub").send().await);
        let key = policy.denied.trim_start_matches("pub/");
        for number in 0..count {
            let key = format!("{}{number:03}", &key[..key.len() - 3]);
            let put = self.client.put_object().bucket("pub").key(key);
            put.body(ByteStream::from_static(b"x")).send().await.expect("stored");
        }
    }

    /// A request to the backend itself, signed now so that it costs nothing later. Good for a
    /// quarter of an hour.
    pub(crate) async fn get(&self, key: &str, size: u64) -> Request {
        let signed = Signed::default();
        let request = self.client.get_object().bucket(BUCKET).key(key).customize();
        // The answer is none that the client knows.
        drop(request.config_override(signed.config()).send().await);
        Request { head: signed.head(), body: Vec::new(), answer: Some(size) }
    }

    /// The body is not signed, as it is not by the gateway when it is large.
    pub(crate) async fn put(&self, key: &str, body: Vec<u8>) -> Request {
        let signed = Signed::default();
        let request = self.client.put_object().bucket(BUCKET).key(key);
        let request = request.body(ByteStream::from(body.clone())).customize();
        let unsigned = request.disable_payload_signing();
        drop(unsigned.config_override(signed.config()).send().await);
        Request { head: signed.head(), body, answer: None }
    }
}

/// Takes the place of a connection, to have a request as it would go out.
#[derive(Clone, Debug, Default)]
struct Signed(Arc<Mutex<String>>);

impl Signed {
    fn config(&self) -> aws_sdk_s3::config::Builder {
        let connector = SharedHttpConnector::new(self.clone());
        Config::builder()
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .retry_config(RetryConfig::disabled())
    }

    fn head(&self) -> String {
        let lines = self.0.lock().expect("nobody panicked");
        assert!(!lines.is_empty(), "nothing was signed");
        format!("{lines}\r\n")
    }
}

impl HttpConnector for Signed {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let rest = request.uri().strip_prefix("http://").expect("plain HTTP");
        let (host, target) = rest.split_once('/').expect("a target");
        let mut head = format!("{} /{target} HTTP/1.1\r\nhost: {host}\r\n", request.method());
        for (name, value) in request.headers() {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        *self.0.lock().expect("nobody panicked") = head;
        let status = StatusCode::try_from(500).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::empty())))
    }
}

/// A user, with a key and a connection.
pub(crate) struct User {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    pub(crate) connection: &'static str,
}

impl User {
    pub(crate) fn get(&self, path: &str) -> String {
        self.head("GET", path, "")
    }

    /// The head of a request, with more headers, each with its line's end.
    pub(crate) fn head(&self, method: &str, path: &str, more: &str) -> String {
        let Self { key, connection, .. } = self;
        format!(
            "{method} /v1/connector/{connection}/{path} HTTP/1.1\r\nHost: gateway\r\n\
             Authorization: Simple {key}\r\n{more}\r\n"
        )
    }
}

/// `pathward serve` before one backend or more.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

impl Gateway {
    /// Its log goes to a file, as that of a service does, or else to nowhere.
    pub(crate) fn start(backend: &Backend, log_to_file: bool) -> Self {
        let rules = format!("    restrictions: [{BUCKET}/*]\n");
        Self::serve(&[(&ANA, backend, rules)], log_to_file)
    }

    /// The same for several users, each with a backend and the rules of a connection to it.
    pub(crate) fn serve(users: &[(&User, &Backend, String)], log_to_file: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let policy = folder.path().join("policy.yaml");
        let (mut connections, mut keys) = (String::new(), String::new());
        for (User { name, key, connection }, backend, rules) in users {
            let credentials = folder.path().join(format!("{name}.credentials"));
            let Running { endpoint, access_key, secret_key } = &backend.running;
            let hash: String = Sha256::digest(key).iter().map(|b| format!("{b:02x}")).collect();
            let profile = format!(
                "[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n"
            );
            fs::write(&credentials, profile).expect("credentials written");
            connections.push_str(&format!(
                "  - id: {connection}\n    owner: {name}\n    endpoint: {endpoint}\n    \
                 credentials: {{ file: {} }}\n    access: read-write\n{rules}",
                credentials.display()
            ));
            keys.push_str(&format!(
                "  - name: {name}\n    keys:\n      - {{ id: k, sha256: {hash}, access: read-write }}\n"
            ));
        }
        let text = format!("connections:\n{connections}users:\n{keys}");
        fs::write(&policy, text).expect("a policy written");
        let log = match log_to_file {
            true => fs::File::create(folder.path().join("log")).expect("a log").into(),
            false => Stdio::null(),
        };
        let other = std::env::var_os("PATHWARD_BENCH_BINARY");
        let binary = other.unwrap_or_else(|| env!("CARGO_BIN_EXE_pathward").into());
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--policy"])
            .arg(&policy)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("a gateway");
        let line = first_line(&mut child);
        let address = line.trim().rsplit('/').next().and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address: {line}"));
        Self { address, child, _folder: folder }
    }

    pub(crate) fn get(key: &str, size: u64) -> Request {
        Request { head: ANA.get(&format!("{BUCKET}/{key}")), body: Vec::new(), answer: Some(size) }
    }

    pub(crate) fn put(key: &str, body: Vec<u8>) -> Request {
        let length = format!("Content-Length: {}\r\n", body.len());
        Request { head: ANA.head("PUT", &format!("{BUCKET}/{key}"), &length), body, answer: None }
    }

    /// Seconds that it ran on a processor, in the kernel's steps of a hundredth.
    pub(crate) fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("Linux");
        let fields = stat.rsplit(')').next().expect("fields").split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(|n| n.parse::<u64>().expect("ticks")).sum();
        ticks as f64 / 100.0
    }

    /// The most memory that it had at once, in MiB.
    pub(crate) fn peak_memory(&self) -> f64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib / 1_024.0
    }
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    let output = child.stdout.take().expect("an output");
    BufReader::new(output).read_line(&mut line).expect("a line");
    line
}
