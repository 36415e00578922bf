//! The processes that are measured: a backend, and the gateway before it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::SystemTime,
};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use pathward::embedded::{Embedded, EmbeddedOptions};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    load::{Connection, Request},
    slow::Slow,
};

pub(crate) const BUCKET: &str = "bench";
/// The bucket of the policies that were made to be slow.
const PUB: &str = "pub";
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
        let backend = Self { running, _stop: stop };
        for bucket in [BUCKET, PUB] {
            backend.send(&backend.signed("PUT", bucket, Vec::new())).await;
        }
        backend
    }

    pub(crate) fn address(&self) -> SocketAddr {
        let address = self.running.endpoint.strip_prefix("http://").expect("plain HTTP");
        address.parse().expect("an address")
    }

    pub(crate) async fn store(&self, key: &str, bytes: Vec<u8>) {
        self.send(&self.put(key, bytes)).await;
    }

    /// So many objects, whose names look like what a policy denies.
    pub(crate) async fn fill(&self, policy: &Slow, count: usize) {
        let path = &policy.denied[..policy.denied.len() - 3];
        for number in 0..count {
            self.send(&self.signed("PUT", &format!("{path}{number:03}"), b"x".to_vec())).await;
        }
    }

    /// A request to the backend itself, signed now so that it costs nothing later. Good for a
    /// quarter of an hour.
    pub(crate) fn get(&self, key: &str, size: u64) -> Request {
        let request = self.signed("GET", &format!("{BUCKET}/{key}"), Vec::new());
        Request { answer: Some(size), ..request }
    }

    pub(crate) fn put(&self, key: &str, body: Vec<u8>) -> Request {
        self.signed("PUT", &format!("{BUCKET}/{key}"), body)
    }

    async fn send(&self, request: &Request) {
        Connection::new(self.address()).await.ask(request).await;
    }

    /// A request for a bucket, or for an object whose key goes into a target as it is. The body is not
    /// signed, as it is not by the gateway when it is large.
    fn signed(&self, method: &str, path: &str, body: Vec<u8>) -> Request {
        let Running { endpoint, access_key, secret_key } = &self.running;
        let identity = Credentials::new(access_key, secret_key, None, None, "bench").into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("s3")
            .time(SystemTime::now())
            .settings(settings);
        let params = params.build().expect("all that it takes").into();
        let (uri, unsigned) = (format!("{endpoint}/{path}"), SignableBody::UnsignedPayload);
        let request = SignableRequest::new(method, uri, std::iter::empty(), unsigned);
        let signed = sign(request.expect("a request"), &params).expect("a signature");
        let mut head = format!(
            "{method} /{path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n",
            self.address(),
            body.len()
        );
        for (name, value) in signed.output().headers() {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        Request { head: head + "\r\n", body, answer: None }
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
