//! A gateway that serves while the store changes: no request fails, and none is decided wrongly.

use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use async_trait::async_trait;
use pathward::{
    AccessSet, Approved, Engine, Reach,
    engine::{
        CopyObject, CreateDirectory, DeleteDirectory, DeleteObject, DeleteObjects, DeleteTree,
        ListDirectory, ReadObject, StatObject, WriteObject,
    },
    executor::{
        Body, CopyOptions, DirectoryDeletion, DirectoryPage, ExecuteError, Executor, Made, Object,
        ObjectInfo, PageRequest, ReadConditions, ReadOptions, Stored, TreeError, Upload,
        WriteConditions,
    },
    gateway::{Gateway, Options},
    store::Store,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{draft, store};

/// Gives every object two bytes, and counts what it was asked for that nobody may have.
#[derive(Debug, Default)]
struct Recorder {
    reads: AtomicUsize,
    wrong: AtomicUsize,
}

#[async_trait]
impl Executor for Recorder {
    async fn read(
        &self,
        approved: Approved<ReadObject<'static>>,
        _: ReadOptions,
    ) -> Result<Object, ExecuteError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let bucket = approved.operation().path.bucket();
        if !matches!(bucket, b"always" | b"even" | b"odd") {
            self.wrong.fetch_add(1, Ordering::Relaxed);
        }
        let info = ObjectInfo { size: 2, ..ObjectInfo::default() };
        Ok(Object { info, range: None, body: Body::from_bytes("ok".into()) })
    }
    async fn stat(
        &self,
        _: Approved<StatObject<'static>>,
        _: ReadConditions,
    ) -> Result<ObjectInfo, ExecuteError> {
        Err(ExecuteError::Missing)
    }
    async fn write(
        &self,
        _: Approved<WriteObject<'static>>,
        _: Upload,
    ) -> Result<Stored, ExecuteError> {
        Err(ExecuteError::Missing)
    }
    async fn create_directory(
        &self,
        _: Approved<CreateDirectory<'static>>,
    ) -> Result<(), ExecuteError> {
        Err(ExecuteError::Missing)
    }
    async fn delete(
        &self,
        _: Approved<DeleteObject<'static>>,
        _: WriteConditions,
    ) -> Result<(), ExecuteError> {
        Err(ExecuteError::Missing)
    }
    async fn delete_directory(
        &self,
        _: Approved<DeleteDirectory<'static>>,
    ) -> Result<DirectoryDeletion, ExecuteError> {
        Err(ExecuteError::Missing)
    }
    async fn delete_tree(&self, _: Approved<DeleteTree<'static>>) -> Result<u64, TreeError> {
        Ok(0)
    }
    async fn delete_many(
        &self,
        _: Approved<DeleteObjects<'static>>,
    ) -> Vec<Result<(), ExecuteError>> {
        Vec::new()
    }
    async fn copy(
        &self,
        _: Approved<CopyObject<'static>>,
        _: CopyOptions,
    ) -> Result<Made, ExecuteError> {
        Err(ExecuteError::Missing)
    }
    async fn list(
        &self,
        _: Approved<ListDirectory<'static>>,
        _: PageRequest,
    ) -> Result<DirectoryPage, ExecuteError> {
        Err(ExecuteError::Missing)
    }
}

/// A connection over which one request after the other goes.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn new(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), buffer: vec![0; 8 << 10] }
    }

    /// The status of the answer, which is read to its end.
    async fn get(&mut self, target: &str, key: &str) -> u16 {
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: g\r\nAuthorization: Simple {key}\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut len = 0;
        loop {
            let count = self.stream.read(&mut self.buffer[len..]).await.unwrap();
            assert!(count > 0, "the gateway hung up");
            len += count;
            let answer = &self.buffer[..len];
            let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = std::str::from_utf8(&answer[..end]).unwrap().to_ascii_lowercase();
            let body = head.split_once("content-length: ").unwrap().1;
            let body: usize = body.split("\r\n").next().unwrap().parse().unwrap();
            if len == end + 4 + body {
                return head.split(' ').nth(1).unwrap().parse().unwrap();
            }
        }
    }
}

/// A gateway that serves what a store says.
fn serve(store: &Store, executor: Arc<dyn Executor>) -> Gateway {
    let engine = Engine::new(Arc::clone(store.snapshot().policy()));
    let gateway = Gateway::new(engine, executor, Options::default()).unwrap();
    let following = gateway.clone();
    store.on_change(Box::new(move |snapshot| {
        following.replace(Engine::new(Arc::clone(snapshot.policy())));
        following.set_stale(snapshot.invalid().is_some());
    }));
    gateway
}

async fn listen(gateway: &Gateway) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = gateway.clone();
    tokio::spawn(async move { gateway.serve(listener, std::future::pending()).await });
    address
}

const REQUESTS: usize = 100_000;
const RELOADS: usize = 100;
const CLIENTS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_under_load_fail_no_request_and_decide_none_wrongly() {
    let (folder, store) = store();
    let flip =
        |n: usize| draft("x", &["always/*", if n.is_multiple_of(2) { "even/*" } else { "odd/*" }]);
    let mut stored = store.create("ana", &flip(0)).unwrap();
    store.create("ana", &draft("y", &["always/*"])).unwrap();
    let (_, key) =
        store.create_key("ana", "job", AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
    let executor = Arc::new(Recorder::default());
    let gateway = serve(&store, Arc::clone(&executor) as _);
    let address = listen(&gateway).await;
    let published = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&published);
    store.on_change(Box::new(move |_| {
        counting.fetch_add(1, Ordering::Relaxed);
    }));
    let _follower = store.follow().unwrap();

    // The revision that was begun, and the one that was acknowledged.
    let (begun, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (sent, exact) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let wrong = Arc::new(Mutex::new(Vec::new()));
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (begun, done) = (Arc::clone(&begun), Arc::clone(&done));
            let (sent, exact) = (Arc::clone(&sent), Arc::clone(&exact));
            let (over, wrong, key) = (Arc::clone(&over), Arc::clone(&wrong), key.clone());
            tokio::spawn(async move {
                let mut http = Client::new(address).await;
                let mut n = client;
                while !over.load(Ordering::Relaxed) {
                    n += 1;
                    let (label, path) = match n % 5 {
                        0 => ("x", "always/k"),
                        1 => ("x", "never/k"),
                        2 => ("x", "even/k"),
                        3 => ("x", "odd/k"),
                        _ => ("y", "always/k"),
                    };
                    let before = done.load(Ordering::SeqCst);
                    let status = http.get(&format!("/v1/connector/s3+{label}/{path}"), &key).await;
                    let after = begun.load(Ordering::SeqCst);
                    sent.fetch_add(1, Ordering::Relaxed);
                    let is_right = match (path, before == after) {
                        ("always/k", _) => status == 200,
                        ("never/k", _) => status == 403,
                        (_, false) => matches!(status, 200 | 403),
                        (path, true) => {
                            exact.fetch_add(1, Ordering::Relaxed);
                            let is_allowed = before.is_multiple_of(2) == (path == "even/k");
                            status == if is_allowed { 200 } else { 403 }
                        }
                    };
                    if !is_right {
                        wrong.lock().unwrap().push(format!("{path} {before} {after}: {status}"));
                    }
                }
            })
        })
        .collect();
    // Another process, which the follower follows.
    let other = {
        let (over, folder) = (Arc::clone(&over), folder.path().to_owned());
        thread::spawn(move || {
            let mut changes = 0;
            while !over.load(Ordering::Relaxed) {
                let other = Store::open(&folder, None).unwrap();
                let stored = other.get("ana", "ana-y").unwrap();
                let draft = draft("y", &["always/*", &format!("more-{changes}/*")]);
                other.change("ana", "ana-y", &stored.revision, &draft).unwrap();
                changes += 1;
                thread::sleep(Duration::from_millis(100));
            }
            changes
        })
    };
    let mut revoking = Client::new(address).await;
    for n in 1..=RELOADS {
        begun.store(n, Ordering::SeqCst);
        stored = tokio::task::block_in_place(|| {
            store.change("ana", "ana-x", &stored.revision, &flip(n)).unwrap()
        });
        done.store(n, Ordering::SeqCst);
        if n.is_multiple_of(10) {
            let target = "/v1/connector/s3+x/always/k";
            let make = || {
                store.create_key("ana", "brief", AccessSet::READ_ONLY, false, &Reach::ALL).unwrap()
            };
            let (_, brief) = tokio::task::block_in_place(make);
            assert_eq!(revoking.get(target, &brief).await, 200);
            tokio::task::block_in_place(|| store.revoke_key("ana", "brief").unwrap());
            assert_eq!(revoking.get(target, &brief).await, 401, "revoked is revoked");
        }
        while sent.load(Ordering::Relaxed) < n * (REQUESTS / RELOADS) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    let followed = tokio::task::block_in_place(|| other.join().unwrap());
    let (sent, exact) = (sent.load(Ordering::Relaxed), exact.load(Ordering::Relaxed));
    println!(
        "{sent} requests, {exact} of them where one revision alone was right; {} revisions, {followed} \
         changes by another process",
        published.load(Ordering::Relaxed)
    );
    assert_eq!(*wrong.lock().unwrap(), [""; 0]);
    assert_eq!(executor.wrong.load(Ordering::Relaxed), 0);
    assert!(sent >= REQUESTS && published.load(Ordering::Relaxed) >= RELOADS);
    // Most of the time no change is under way: then there is one right answer.
    assert!(exact > sent / 10, "{exact} of {sent}");
    assert!(followed > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_file_is_told_by_healthz_and_the_last_good_revision_serves() {
    let (folder, store) = store();
    store.create("ana", &draft("x", &["always/*"])).unwrap();
    let (_, key) =
        store.create_key("ana", "job", AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
    let gateway = serve(&store, Arc::new(Recorder::default()));
    let address = listen(&gateway).await;
    let _follower = store.follow().unwrap();
    let health = || async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = "GET /healthz HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"status\":\"ok\""));
        answer.contains("\"policy\":\"stale\"")
    };
    assert!(!health().await);
    let wrong = folder.path().join("wrong.yaml");
    for (text, is_stale) in [("connections: [", true), ("users: [{ name: ben }]\n", false)] {
        fs::write(&wrong, text).unwrap();
        tokio::time::sleep(Duration::from_millis(900)).await;
        assert_eq!(health().await, is_stale);
        let status = Client::new(address).await.get("/v1/connector/s3+x/always/k", &key).await;
        assert_eq!(status, 200);
    }
}

/// A secret that is entered, sealed, opened by the executor and signed with.
#[cfg(feature = "embedded")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sealed_credentials_reach_a_server_and_go_when_they_are_changed() {
    use pathward::{
        embedded::{Embedded, EmbeddedOptions},
        executor::S3,
        store::{DraftCredentials, Secret},
    };

    let server = Embedded::start(EmbeddedOptions::default()).await.unwrap();
    server.put("always", "k", "text/plain", "hello".into()).await.unwrap();
    let (_folder, store) = store();
    let mut draft = draft("x", &["always/*"]);
    draft.endpoint = Some(server.endpoint());
    draft.credentials =
        DraftCredentials::Secret(Secret::new(server.access_key_id(), server.secret_access_key()));
    let stored = store.create("ana", &draft).unwrap();
    let (_, key) =
        store.create_key("ana", "job", AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
    let executor = Arc::new(S3::default().unseal_by(store.unseal()));
    let gateway = serve(&store, Arc::clone(&executor) as _);
    store.on_change({
        let executor = Arc::clone(&executor);
        Box::new(move |snapshot| executor.retain(snapshot.policy()))
    });
    let address = listen(&gateway).await;
    let target = "/v1/connector/s3+x/always/k";
    assert_eq!(Client::new(address).await.get(target, &key).await, 200);
    assert!(format!("{executor:?}").contains("made: 1"), "{executor:?}");
    let mut changed = stored.draft();
    changed.credentials =
        DraftCredentials::Secret(Secret::new(server.access_key_id(), "another-secret"));
    let stored = store.change("ana", &stored.identity, &stored.revision, &changed).unwrap();
    // The client of the old secret is forgotten, and the new one is refused by the server.
    assert!(format!("{executor:?}").contains("made: 0"), "{executor:?}");
    assert!(Client::new(address).await.get(target, &key).await >= 500);
    // Sealed text that someone copies to another owner's connection, by hand.
    let text = fs::read_to_string(&stored.file).unwrap();
    let copied = text.replace("owner: ana", "owner: ben");
    fs::write(store.folder().join("copied.yaml"), copied).unwrap();
    let other = Store::open(store.folder(), None).unwrap();
    let (_, bens) =
        other.create_key("ben", "job", AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
    let _follower = store.follow().unwrap();
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert!(Client::new(address).await.get(target, &bens).await >= 500);
}
