//! An S3 server for tests: exact in its keys, it records every request as it came, and fails as it
//! is told to.
//!
//! Raw HTTP on purpose: no library between the wire and what is recorded.

mod encoding;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
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

pub use self::encoding::{HASH_START, deleted_keys, hash, percent_decode};
use self::encoding::{escape_xml, url_encode};

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
    /// What it takes a key for.
    takes_for: Option<fn(&str) -> String>,
    /// Writes a space as `%20` in listings, and not as `+`.
    percent_spaces: bool,
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
        self.state().buckets.entry(bucket.into()).or_default().insert(key.into(), stored);
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

    pub fn percent_spaces(&self) {
        self.state().percent_spaces = true;
    }

    /// Takes every key for another, as servers do that are no S3.
    pub fn take_keys_for(&self, other: fn(&str) -> String) {
        self.state().takes_for = Some(other);
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
            let mut out = format!(
                "HTTP/1.1 {} -\r\n{}x-amz-request-id: 1\r\n",
                answer.status, answer.headers
            );
            if !answer.headers.contains("content-length") {
                write!(out, "content-length: {}\r\n", answer.body.len()).unwrap();
            }
            out.push_str("\r\n");
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

struct Answer {
    status: u16,
    headers: String,
    body: Vec<u8>,
}

impl Answer {
    fn ok() -> Self {
        Self { status: 200, headers: String::new(), body: Vec::new() }
    }

    fn xml(body: String) -> Self {
        Self {
            status: 200,
            headers: "content-type: application/xml\r\n".into(),
            body: body.into_bytes(),
        }
    }

    fn error(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        Self { status, ..Self::xml(body) }
    }
}

impl Backend {
    fn answer(&self, request: &Request, sum: u64) -> Answer {
        let (bucket, mut key) = request.bucket_and_key();
        let mut state = self.state();
        if let Some(other) = state.takes_for {
            key = other(&String::from_utf8_lossy(&key)).into_bytes();
        }
        if bucket.is_empty() {
            let mut body = String::from("<ListAllMyBucketsResult><Buckets>");
            for name in state.buckets.keys() {
                write!(body, "<Bucket><Name>{}</Name></Bucket>", String::from_utf8_lossy(name))
                    .unwrap();
            }
            return Answer::xml(body + "</Buckets></ListAllMyBucketsResult>");
        }
        if !state.buckets.contains_key(&bucket) {
            return Answer::error(404, "NoSuchBucket", "no such bucket");
        }
        if key.is_empty() {
            return match request.method.as_str() {
                "HEAD" => Answer::ok(),
                "GET" => state.list(&bucket, request),
                "POST" => state.delete_many(&bucket, request),
                _ => Answer::error(405, "MethodNotAllowed", ""),
            };
        }
        let upload = request.query("uploadId");
        let stored = || Stored {
            len: request.body_len,
            parts: vec![(request.body_len, sum)],
            content: request.body.clone(),
            content_type: request.header("content-type").map(str::to_owned),
        };
        let state = &mut *state;
        let objects = state.buckets.get_mut(&bucket).unwrap();
        match (request.method.as_str(), upload) {
            ("GET" | "HEAD", _) => match objects.get(&key) {
                Some(object) => Answer {
                    status: 200,
                    headers: format!(
                        "content-length: {}\r\netag: \"{}\"\r\nlast-modified: Sun, 22 Nov 2026 00:00:00 GMT\r\n{}",
                        object.len,
                        object.len,
                        object.content_type.as_ref().map_or(String::new(), |content_type| format!(
                            "content-type: {content_type}\r\n"
                        ))
                    ),
                    body: object.content.clone(),
                },
                None => Answer::error(404, "NoSuchKey", "no such key"),
            },
            ("PUT", None) => {
                if let Some(source) = request.header("x-amz-copy-source") {
                    let source = percent_decode(source);
                    let at = source.iter().position(|byte| *byte == b'/').unwrap();
                    let found =
                        state.buckets.get(&source[..at]).and_then(|o| o.get(&source[at + 1..]));
                    let Some(object) = found.cloned() else {
                        return Answer::error(404, "NoSuchKey", "");
                    };
                    state.buckets.get_mut(&bucket).unwrap().insert(key, object);
                    return Answer::xml(
                        "<CopyObjectResult><ETag>\"1\"</ETag></CopyObjectResult>".into(),
                    );
                }
                objects.insert(key, stored());
                Answer { headers: "etag: \"1\"\r\n".into(), ..Answer::ok() }
            }
            ("PUT", Some(id)) => match state.uploads.get_mut(&id) {
                Some(upload) if upload.bucket == bucket && upload.key == key => {
                    let number: u32 = request.query("partNumber").unwrap().parse().unwrap();
                    upload.parts.insert(number, stored());
                    Answer { headers: format!("etag: \"{number}\"\r\n"), ..Answer::ok() }
                }
                _ => Answer::error(404, "NoSuchUpload", ""),
            },
            ("POST", None) => {
                state.next_upload += 1;
                let id = format!("upload-{}", state.next_upload);
                let content_type = request.header("content-type").map(str::to_owned);
                let upload = Upload { bucket, key, content_type, parts: BTreeMap::new() };
                state.uploads.insert(id.clone(), upload);
                Answer::xml(format!(
                    "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                ))
            }
            ("POST", Some(id)) => match state.uploads.remove(&id) {
                Some(upload) if upload.bucket == bucket && upload.key == key => {
                    let mut whole =
                        Stored { content_type: upload.content_type, ..Stored::default() };
                    for part in upload.parts.into_values() {
                        whole.len += part.len;
                        whole.parts.extend(part.parts);
                    }
                    objects.insert(key, whole);
                    Answer::xml(
                        "<CompleteMultipartUploadResult><ETag>\"m\"</ETag></CompleteMultipartUploadResult>".into(),
                    )
                }
                _ => Answer::error(404, "NoSuchUpload", ""),
            },
            ("DELETE", Some(id)) => match state.uploads.remove(&id) {
                Some(_) => Answer { status: 204, ..Answer::ok() },
                None => Answer::error(404, "NoSuchUpload", ""),
            },
            ("DELETE", None) => {
                objects.remove(&key);
                Answer { status: 204, ..Answer::ok() }
            }
            _ => Answer::error(405, "MethodNotAllowed", ""),
        }
    }
}

impl State {
    fn list(&self, bucket: &[u8], request: &Request) -> Answer {
        let prefix = request.query("prefix").unwrap_or_default().into_bytes();
        let delimiter = request.query("delimiter").is_some();
        let max: usize = request.query("max-keys").map_or(1_000, |max| max.parse().unwrap());
        let encode = |key: &[u8]| match request.query("encoding-type").is_some() {
            true => url_encode(key, self.percent_spaces),
            false => escape_xml(&String::from_utf8_lossy(key)),
        };
        let rank = |key: &[u8]| -> Vec<Vec<u8>> {
            match self.by_names {
                true => key.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect(),
                false => vec![key.to_vec()],
            }
        };
        let mut keys: Vec<&Vec<u8>> =
            self.buckets[bucket].keys().filter(|key| key.starts_with(&prefix)).collect();
        keys.sort_by_key(|key| rank(key));
        let token = request.query("continuation-token");
        let (after, folder) = match (&token, request.query("start-after")) {
            (Some(token), _) => {
                let (kind, key) = token.split_once(':').unwrap();
                (Some(percent_decode(key)), kind == "folder")
            }
            (None, Some(after)) => (Some(after.into_bytes()), false),
            (None, None) => (None, false),
        };
        if let Some(after) = after {
            keys.retain(|key| rank(key) > rank(&after) && !(folder && key.starts_with(&after)));
        }
        let mut body = String::from("<ListBucketResult>");
        if request.query("encoding-type").is_some() {
            body.push_str("<EncodingType>url</EncodingType>");
        }
        let (mut count, mut last): (usize, Option<(bool, Vec<u8>)>) = (0, None);
        let mut is_truncated = false;
        for key in keys {
            let slash = key[prefix.len()..].iter().position(|byte| *byte == b'/');
            let entry = match slash.filter(|_| delimiter) {
                Some(slash) => (true, key[..=prefix.len() + slash].to_vec()),
                None => (false, key.clone()),
            };
            if last.as_ref() == Some(&entry) {
                continue;
            }
            if count == max {
                is_truncated = true;
                break;
            }
            count += 1;
            let shown = encode(&entry.1);
            match entry.0 {
                true => write!(body, "<CommonPrefixes><Prefix>{shown}</Prefix></CommonPrefixes>"),
                false => write!(
                    body,
                    "<Contents><Key>{shown}</Key><Size>{}</Size><LastModified>2026-11-22T00:00:00.000Z</LastModified></Contents>",
                    self.buckets[bucket][key].len
                ),
            }
            .unwrap();
            last = Some(entry);
        }
        write!(body, "<IsTruncated>{is_truncated}</IsTruncated>").unwrap();
        if let Some((is_folder, key)) = last.filter(|_| is_truncated) {
            let kind = if is_folder { "folder" } else { "key" };
            write!(
                body,
                "<NextContinuationToken>{kind}:{}</NextContinuationToken>",
                url_encode(&key, true)
            )
            .unwrap();
        }
        Answer::xml(body + "</ListBucketResult>")
    }

    fn delete_many(&mut self, bucket: &[u8], request: &Request) -> Answer {
        let mut body = String::from("<DeleteResult>");
        for key in deleted_keys(&String::from_utf8_lossy(&request.body)) {
            self.buckets.get_mut(bucket).unwrap().remove(key.as_bytes());
            write!(body, "<Deleted><Key>{}</Key></Deleted>", escape_xml(&key)).unwrap();
        }
        Answer::xml(body + "</DeleteResult>")
    }
}
