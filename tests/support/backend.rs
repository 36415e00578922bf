//! An S3 server for tests: exact in its keys, it records every request as it came, and fails as it
//! is told to.
//!
//! Raw HTTP on purpose: no library between the wire and what is recorded.

mod answers;
mod encoding;
pub mod mangle;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use self::answers::Answer;
pub use self::encoding::{HASH_START, deleted_keys, hash, percent_decode};

/// Bodies up to here are kept; of longer ones the length and a hash.
const KEPT: usize = 4 << 20;

/// A request, as it was on the wire.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// The request target, byte for byte.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub body_len: u64,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The path without its query, still encoded.
    pub fn raw_path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Bucket and key, percent-decoded once.
    pub fn bucket_and_key(&self) -> (Vec<u8>, Vec<u8>) {
        let path = self.raw_path().strip_prefix('/').unwrap_or_default();
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        (percent_decode(bucket), percent_decode(key))
    }

    /// A parameter of the query, decoded; empty for one without a value.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| String::from_utf8_lossy(&percent_decode(value)).into_owned())
        })
    }
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status with an error body: the code, and a message.
    Error { status: u16, code: &'static str, message: &'static str },
    /// This status, these headers and this body.
    Answer { status: u16, headers: &'static str, body: String },
    /// The connection is closed without an answer.
    Close,
    /// The connection is closed after so many bytes of the request's body.
    CutRequest(u64),
    /// The connection is closed after so many bytes of the answer's body.
    CutAnswer(usize),
    /// After so many bytes of the answer's body nothing more comes, for a long time.
    StallAnswer(usize),
    /// The request's body is not taken beyond so many bytes, for a long time.
    StallRequest(u64),
    /// The answer waits.
    Delay(Duration),
}

type Matcher = Box<dyn Fn(&Request) -> bool + Send>;
type Mangler = Box<dyn FnMut(&Request, Vec<u8>) -> Vec<u8> + Send>;

struct Rule {
    matches: Matcher,
    /// How many requests it leaves alone first.
    skip: usize,
    times: usize,
    fault: Fault,
}

/// An object that is stored.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    pub len: u64,
    /// Length and hash of each part; one for an object that came whole.
    pub parts: Vec<(u64, u64)>,
    /// The bytes, unless they are many.
    pub content: Vec<u8>,
    pub content_type: Option<String>,
}

#[derive(Default)]
struct Upload {
    bucket: Vec<u8>,
    key: Vec<u8>,
    content_type: Option<String>,
    parts: BTreeMap<u32, Stored>,
}

#[derive(Default)]
struct State {
    buckets: BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Stored>>,
    uploads: BTreeMap<String, Upload>,
    requests: Vec<Request>,
    rules: Vec<Rule>,
    next_upload: u64,
    /// Lists by names of directories, as SeaweedFS does, and not by bytes.
    by_names: bool,
    /// The directories of each bucket, by their keys, where it keeps directories as such.
    directories: Option<BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>>,
    /// What it takes a key for.
    takes_for: Option<fn(&str) -> String>,
    /// Writes a space as `%20` in listings, and not as `+`.
    percent_spaces: bool,
    /// What it does only on conditions: `put`, `complete`, `delete`.
    honours: &'static [&'static str],
    /// Makes something else of each answer, head and body.
    mangles: Option<Mangler>,
}

/// The server. It ends with the runtime that it was started on.
#[derive(Clone)]
pub struct Backend {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    received: Arc<AtomicU64>,
}

impl Backend {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let backend = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
            received: Arc::default(),
        };
        let server = backend.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { drop(server.serve(stream).await) });
            }
        });
        backend
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn bucket(&self, name: &str) {
        self.state().buckets.entry(name.into()).or_default();
    }

    /// Stores an object, `bucket/key`, without a request.
    pub fn put(&self, path: &str, content: &[u8]) {
        let (bucket, key) = path.split_once('/').unwrap();
        let parts = vec![(content.len() as u64, hash(HASH_START, content))];
        let len = content.len() as u64;
        let stored = Stored { len, parts, content: content.to_vec(), content_type: None };
        let mut state = self.state();
        state.keep_directories_of(bucket.as_bytes(), key.as_bytes());
        state.buckets.entry(bucket.into()).or_default().insert(key.into(), stored);
    }

    pub fn remove(&self, path: &str) {
        let (bucket, key) = path.split_once('/').unwrap();
        if let Some(objects) = self.state().buckets.get_mut(bucket.as_bytes()) {
            objects.remove(key.as_bytes());
        }
    }

    pub fn get(&self, path: &[u8]) -> Option<Stored> {
        let at = path.iter().position(|byte| *byte == b'/').unwrap();
        self.state().buckets.get(&path[..at])?.get(&path[at + 1..]).cloned()
    }

    /// All objects, as `bucket/key`.
    pub fn objects(&self) -> Vec<String> {
        let state = self.state();
        let all = state.buckets.iter().flat_map(|(bucket, objects)| {
            objects.keys().map(move |key| [bucket, &b"/"[..], key].concat())
        });
        all.map(|path| String::from_utf8(path).unwrap()).collect()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    pub fn forget_requests(&self) {
        self.state().requests.clear();
    }

    /// Bytes of bodies that came in so far, those of requests that are not done among them.
    pub fn received(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.received)
    }

    /// Uploads in parts that are neither complete nor aborted.
    pub fn open_uploads(&self) -> usize {
        self.state().uploads.len()
    }

    pub fn list_by_names(&self) {
        self.state().by_names = true;
    }

    /// Keeps directories as such, as SeaweedFS 4.48 does. One is there, to HEAD and to listings with a delimiter,
    /// as soon as something was stored in it, and until its key is deleted. While something is in it, that
    /// deletion does nothing, and says that it did.
    pub fn keep_directories(&self) {
        self.state().directories = Some(BTreeMap::new());
    }

    /// The directories that are kept, as `bucket/key/`.
    pub fn directories(&self) -> Vec<String> {
        let state = self.state();
        let all = state.directories.iter().flatten().flat_map(|(bucket, keys)| {
            keys.iter().map(move |key| [bucket, &b"/"[..], key].concat())
        });
        all.map(|path| String::from_utf8(path).unwrap()).collect()
    }

    pub fn honour(&self, what: &'static [&'static str]) {
        self.state().honours = what;
    }

    pub fn percent_spaces(&self) {
        self.state().percent_spaces = true;
    }

    /// Takes every key for another, as servers do that are no S3.
    pub fn take_keys_for(&self, other: fn(&str) -> String) {
        self.state().takes_for = Some(other);
    }

    /// From now on, makes something else of each answer, head and body. After one that is not whole, or
    /// that has no length, the connection is closed.
    pub fn mangle(&self, mangler: impl FnMut(&Request, Vec<u8>) -> Vec<u8> + Send + 'static) {
        self.state().mangles = Some(Box::new(mangler));
    }

    /// From now on, so many requests that match fail in this way.
    pub fn fail(
        &self,
        times: usize,
        matches: impl Fn(&Request) -> bool + Send + 'static,
        fault: Fault,
    ) {
        self.fail_after(0, times, matches, fault);
    }

    pub fn fail_after(
        &self,
        skip: usize,
        times: usize,
        matches: impl Fn(&Request) -> bool + Send + 'static,
        fault: Fault,
    ) {
        self.state().rules.push(Rule { matches: Box::new(matches), skip, times, fault });
    }

    fn fault(&self, request: &Request) -> Option<Fault> {
        let mut state = self.state();
        let rule = state.rules.iter_mut().find(|rule| rule.times > 0 && (rule.matches)(request))?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.times -= 1;
        Some(rule.fault.clone())
    }

    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer: Vec<u8> = Vec::new();
        loop {
            let head = loop {
                if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                    break at;
                }
                if stream.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
            };
            let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
            buffer.drain(..head + 4);
            let mut lines = text.split("\r\n");
            let mut first = lines.next().unwrap_or_default().split(' ');
            let mut request = Request {
                method: first.next().unwrap_or_default().to_owned(),
                target: first.next().unwrap_or_default().to_owned(),
                headers: lines
                    .filter_map(|line| line.split_once(':'))
                    .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
                    .collect(),
                body: Vec::new(),
                body_len: 0,
            };
            let length: u64 =
                request.header("content-length").map_or(0, |value| value.parse().unwrap());
            let fault = self.fault(&request);
            let limit = match fault {
                Some(Fault::CutRequest(limit) | Fault::StallRequest(limit)) => limit,
                _ => u64::MAX,
            };
            let place = {
                let mut state = self.state();
                state.requests.push(request.clone());
                state.requests.len() - 1
            };
            let mut sum = HASH_START;
            while request.body_len < length {
                if request.body_len >= limit {
                    if matches!(fault, Some(Fault::StallRequest(_))) {
                        tokio::time::sleep(Duration::from_secs(60)).await;
                    }
                    return Ok(());
                }
                if buffer.is_empty() && stream.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
                // Not beyond the limit, however much came with the head.
                let left = usize::try_from(length.min(limit) - request.body_len).unwrap();
                let chunk: Vec<u8> = buffer.drain(..left.min(buffer.len())).collect();
                sum = hash(sum, &chunk);
                request.body_len += chunk.len() as u64;
                self.received.fetch_add(chunk.len() as u64, Ordering::SeqCst);
                if request.body.len() + chunk.len() <= KEPT {
                    request.body.extend_from_slice(&chunk);
                }
            }
            {
                let mut state = self.state();
                if let Some(recorded) = state.requests.get_mut(place) {
                    recorded.body = request.body.clone();
                    recorded.body_len = request.body_len;
                }
            }
            let answer = match &fault {
                Some(Fault::Close) => return Ok(()),
                Some(Fault::Error { status, code, message }) => {
                    Answer::error(*status, code, message)
                }
                Some(Fault::Answer { status, headers, body }) => Answer {
                    status: *status,
                    headers: (*headers).to_owned(),
                    body: body.clone().into_bytes(),
                },
                Some(Fault::Delay(delay)) => {
                    tokio::time::sleep(*delay).await;
                    self.answer(&request, sum)
                }
                _ => self.answer(&request, sum),
            };
            let is_head = request.method == "HEAD";
            let out = answer.head();
            let mangled = self.state().mangles.as_mut().map(|mangle| {
                let body = if is_head { &[][..] } else { &answer.body };
                mangle(&request, [out.as_bytes(), body].concat())
            });
            if let Some(mangled) = mangled {
                stream.write_all(&mangled).await?;
                return stream.shutdown().await;
            }
            stream.write_all(out.as_bytes()).await?;
            if !is_head {
                let end = match fault {
                    Some(Fault::CutAnswer(n) | Fault::StallAnswer(n)) => n.min(answer.body.len()),
                    _ => answer.body.len(),
                };
                stream.write_all(&answer.body[..end]).await?;
            }
            match fault {
                Some(Fault::CutAnswer(_)) => return stream.shutdown().await,
                Some(Fault::StallAnswer(_)) => tokio::time::sleep(Duration::from_secs(60)).await,
                _ => {}
            }
        }
    }
}
