//! Approvals age: what is no longer allowed ends, and nothing of it is stored or deleted any more.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use pathward::{
    ConnectionId, Engine, Policy,
    engine::{
        Approved, CopyObject, CreateDirectory, DeleteDirectory, DeleteObject, DeleteObjects,
        DeleteTree, ListDirectory, ListMode, Operate, ReadObject, StatObject, WriteObject,
    },
    executor::{
        BodyError, CopyOptions, ExecuteError, Executor, PageRequest, ReadConditions, ReadOptions,
        TreeError, Upload, Want, WriteConditions,
    },
};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::{Body, Setup, backend::Fault, owned};

const KEY: &[u8] = b"simAgingKey0123456789";
const FIELDS: &str = "access: read-write\nrestrictions: [pub/*]";

/// What is taken away.
#[derive(Clone, Copy, Debug)]
enum Taken {
    Key,
    Path,
    Access,
    Connection,
    Server,
}

const ALL: [Taken; 5] = [Taken::Key, Taken::Path, Taken::Access, Taken::Connection, Taken::Server];

struct Aging {
    setup: Setup,
    engine: Engine,
}

impl Aging {
    async fn start() -> Self {
        let mut setup = Setup::with(FIELDS).await;
        setup.backend.bucket("pub");
        setup.text.push_str(&format!(
            "users: [{{ name: o, keys: [{{ id: k, sha256: {}, access: read-write }}] }}]\n",
            hex(KEY)
        ));
        let engine = Engine::new(Policy::from_yaml("policy.yaml", &setup.text).expect("a policy"));
        Self { setup, engine }
    }

    /// Approves with the API key, as a gateway does.
    fn approve<Op: Operate>(&self, operation: Op) -> Approved<Op> {
        let id = ConnectionId::parse("s3+t").expect("an id");
        let caller = self.engine.caller(KEY).expect("a known key");
        self.engine.approve(caller, &id, operation).unwrap_or_else(|denied| panic!("{denied}"))
    }

    fn take_away(&self, what: Taken) {
        let text = self.setup.text.as_str();
        let text = match what {
            Taken::Key => text.replace(&hex(KEY), &hex(b"another key")),
            Taken::Path => {
                text.replace("restrictions: [pub/*]", "restrictions: [pub/*]\n    deny: [pub/*]")
            }
            Taken::Access => text.replacen("access: read-write", "access: read-only", 1),
            Taken::Connection => text.replace("s3+t", "s3+u"),
            Taken::Server => {
                text.replace("endpoint: http://127.0.0.1", "endpoint: http://localhost")
            }
        };
        assert_ne!(text, self.setup.text, "{what:?}");
        let policy = Policy::from_yaml("policy.yaml", &text).unwrap_or_else(|e| panic!("{e}"));
        drop(self.engine.replace(policy));
    }

    async fn upload(&self, body: Body, length: Option<u64>) -> Result<u64, ExecuteError> {
        let approved = self.approve(WriteObject { path: owned("pub/d/x") });
        self.setup.s3.write(approved, Upload::new(body, length)).await.map(|stored| stored.size)
    }

    /// Nothing is stored, and nothing is left behind.
    async fn assert_nothing(&self, shown: &str) {
        self.setup.s3.settle().await;
        assert_eq!(self.setup.backend.objects(), [""; 0], "{shown}");
        assert_eq!(self.setup.backend.open_uploads(), 0, "{shown}");
    }
}

fn hex(key: &[u8]) -> String {
    Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// So many bytes, the last of which comes when it is told to.
fn gated(length: usize) -> (Body, oneshot::Sender<()>) {
    let (open, opened) = oneshot::channel::<()>();
    let frame = |length: usize| Ok::<_, BodyError>(Frame::data(Bytes::from(vec![7; length])));
    let pieces: Vec<usize> = (0..(length - 1)).step_by(50_000).collect();
    let first = pieces.into_iter().map(move |at| frame((length - 1 - at).min(50_000)));
    let last = stream::once(async move {
        let _ = opened.await;
        frame(1)
    });
    (Body::new(StreamBody::new(stream::iter(first).chain(last).boxed())), open)
}

fn is_withdrawn<T: std::fmt::Debug>(result: &Result<T, ExecuteError>) -> bool {
    matches!(result, Err(ExecuteError::Withdrawn(_)))
}

/// Sizes, and whether the length is known: collected, passed on, collected in one part, and in several.
const UPLOADS: [(usize, bool); 6] = [
    (1_000, true),
    (1_000, false),
    (300_000, true),
    (300_000, false),
    (3 << 20, true),
    (20 << 20, false),
];

/// The upload waits for its last byte when it is taken away; then that comes at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_ends_after_it_was_taken_away_is_not_stored() {
    for what in ALL {
        for (length, is_known) in UPLOADS {
            let shown = format!("{what:?} {length} {is_known}");
            let aging = Aging::start().await;
            let (body, open) = gated(length);
            let upload = aging.upload(body, is_known.then_some(length as u64));
            let end = async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                aging.take_away(what);
                open.send(()).expect("it is waited for");
            };
            let (stored, ()) = tokio::join!(upload, end);
            assert!(is_withdrawn(&stored), "{shown}: {stored:?}");
            aging.assert_nothing(&shown).await;
        }
    }
    // And one from which nothing was taken is.
    for (length, is_known) in UPLOADS {
        let aging = Aging::start().await;
        let (body, open) = gated(length);
        let upload = aging.upload(body, is_known.then_some(length as u64));
        let end = async {
            tokio::time::sleep(Duration::from_millis(1_200)).await;
            open.send(()).expect("it is waited for");
        };
        let (stored, ()) = tokio::join!(upload, end);
        assert_eq!(stored, Ok(length as u64), "{is_known}");
        assert_eq!(aging.setup.backend.objects(), ["pub/d/x"]);
    }
}

/// Nobody sends anything more: it ends all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_waits_ends_soon_after_it_was_taken_away() {
    for (length, is_known) in UPLOADS {
        let aging = Aging::start().await;
        let (body, _open) = gated(length);
        let upload = aging.upload(body, is_known.then_some(length as u64));
        let end = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            aging.take_away(Taken::Key);
            Instant::now()
        };
        let (stored, taken) = tokio::join!(upload, end);
        let took = taken.elapsed();
        assert!(is_withdrawn(&stored), "{length} {is_known}: {stored:?}");
        assert!(took < Duration::from_millis(2_500), "{length} {is_known}: {took:?}");
        aging.assert_nothing(&format!("{length} {is_known}")).await;
    }
}

/// What failed once is sent again only while it is allowed; a part that goes slowly ends in the middle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_ask_before_each_attempt() {
    let aging = Aging::start().await;
    let fault = Fault::Error { status: 500, code: "InternalError", message: "" };
    aging.setup.backend.fail(9, |request| request.method == "PUT", fault);
    aging.take_away(Taken::Path);
    // Approved by the engine that was replaced.
    let stored = aging.upload(Body::from_bytes("x".into()), Some(1)).await;
    assert!(is_withdrawn(&stored), "{stored:?}");
    assert_eq!(aging.setup.backend.requests().len(), 0);

    let aging = Aging::start().await;
    let slow = Fault::Delay(Duration::from_secs(9));
    let is_part = |request: &super::backend::Request| request.query("partNumber").is_some();
    aging.setup.backend.fail(1, is_part, slow);
    let body = Body::from_bytes(vec![7; 9 << 20].into());
    let upload = aging.upload(body, None);
    let end = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        aging.take_away(Taken::Path);
        Instant::now()
    };
    let (stored, taken) = tokio::join!(upload, end);
    assert!(is_withdrawn(&stored), "{stored:?}");
    assert!(taken.elapsed() < Duration::from_millis(2_500));
    aging.assert_nothing("a slow part").await;
}

#[tokio::test]
async fn what_was_approved_before_is_not_done_after() {
    for what in ALL {
        let aging = Aging::start().await;
        for key in ["pub/d/a", "pub/d/b"] {
            aging.setup.backend.put(key, b"x");
        }
        let before = aging.setup.backend.objects();
        let (source, destination) = (owned("pub/d/a"), owned("pub/d/copy"));
        let copy = aging.approve(CopyObject { source, destination });
        let delete = aging.approve(DeleteObject { path: owned("pub/d/a") });
        let make = aging.approve(CreateDirectory { path: owned("pub/d/e/") });
        let tree = aging.approve(DeleteTree { path: owned("pub/d/") });
        let paths = vec![owned("pub/d/a"), owned("pub/d/b")];
        let many = aging.approve(DeleteObjects { paths });
        aging.take_away(what);
        let s3 = &aging.setup.s3;
        assert!(is_withdrawn(&s3.copy(copy, CopyOptions::default()).await), "{what:?}");
        assert!(is_withdrawn(&s3.delete(delete, WriteConditions::default()).await), "{what:?}");
        assert!(is_withdrawn(&s3.create_directory(make).await), "{what:?}");
        let tree = s3.delete_tree(tree).await;
        assert!(
            matches!(tree, Err(TreeError { deleted: 0, error: ExecuteError::Withdrawn(_) })),
            "{what:?}"
        );
        assert!(s3.delete_many(many).await.iter().all(is_withdrawn), "{what:?}");
        assert_eq!(aging.setup.backend.objects(), before, "{what:?}");
    }
}

/// What went is said; what is left stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_of_many_stops_at_the_next_batch() {
    for is_tree in [true, false] {
        let aging = Aging::start().await;
        let paths: Vec<String> = (0..2_500).map(|n| format!("pub/d/{n:04}")).collect();
        for path in &paths {
            aging.setup.backend.put(path, b"");
        }
        let slow = Fault::Delay(Duration::from_millis(500));
        aging.setup.backend.fail(1, |request| request.method == "POST", slow);
        let end = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            while !aging.setup.backend.requests().iter().any(|request| request.method == "POST") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            aging.take_away(Taken::Access);
        };
        if is_tree {
            let tree = aging.approve(DeleteTree { path: owned("pub/d/") });
            let (deleted, ()) = tokio::join!(aging.setup.s3.delete_tree(tree), end);
            let error = deleted.expect_err("it was taken away");
            assert!(matches!(
                error,
                TreeError { deleted: 1_000, error: ExecuteError::Withdrawn(_) }
            ));
        } else {
            let paths = paths.iter().map(|path| owned(path)).collect();
            let many = aging.approve(DeleteObjects { paths });
            let (deleted, ()) = tokio::join!(aging.setup.s3.delete_many(many), end);
            assert!(deleted[..1_000].iter().all(Result::is_ok));
            assert!(deleted[1_000..].iter().all(is_withdrawn));
        }
        assert_eq!(aging.setup.backend.objects().len(), 1_500, "{is_tree}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_download_ends() {
    for what in [Taken::Key, Taken::Path, Taken::Connection, Taken::Server] {
        let aging = Aging::start().await;
        aging.setup.backend.put("pub/d/x", &vec![7; 2 << 20]);
        // The server gives nothing more.
        aging.setup.backend.fail(1, |_| true, Fault::StallAnswer(1 << 20));
        let read = aging.approve(ReadObject { path: owned("pub/d/x") });
        let mut body =
            aging.setup.s3.read(read, ReadOptions::default()).await.expect("it is there").body;
        aging.take_away(what);
        let taken = Instant::now();
        let error = loop {
            match body.frame().await.expect("no end before an error") {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error, BodyError::Withdrawn, "{what:?}");
        assert!(taken.elapsed() < Duration::from_secs(2), "{what:?}");
        assert!(body.frame().await.is_none());

        // Who takes it slowly gets no more of it.
        let aging = Aging::start().await;
        aging.setup.backend.put("pub/d/x", &vec![7; 2 << 20]);
        let read = aging.approve(ReadObject { path: owned("pub/d/x") });
        let mut body =
            aging.setup.s3.read(read, ReadOptions::default()).await.expect("it is there").body;
        body.frame().await.expect("a frame").expect("bytes");
        aging.take_away(what);
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let error = body.frame().await.expect("an error").expect_err("no bytes");
        assert_eq!(error, BodyError::Withdrawn, "{what:?}");
    }
    // One from which nothing was taken goes on.
    let aging = Aging::start().await;
    aging.setup.backend.put("pub/d/x", &vec![7; 2 << 20]);
    let read = aging.approve(ReadObject { path: owned("pub/d/x") });
    let mut body =
        aging.setup.s3.read(read, ReadOptions::default()).await.expect("it is there").body;
    let first = body.frame().await.expect("a frame").expect("bytes").into_data().expect("data");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(first.len() + super::collect(body).await.expect("the rest").len(), 2 << 20);
}

/// What only asks: an object, its bytes, a directory, the root, buckets one by one, and whether there is
/// something to delete.
const ASKED: [&str; 8] =
    ["stat", "read", "list", "is there", "root", "delete", "delete directory", "delete tree"];

async fn ask(aging: &Aging, what: &str) -> Result<String, ExecuteError> {
    let s3 = &aging.setup.s3;
    let list = |path: &str, limit| {
        let request = PageRequest { after: None, want: Want::All, limit, brief: false };
        s3.list(aging.approve(ListDirectory { path: owned(path) }), request)
    };
    let shown = match what {
        "stat" => {
            format!(
                "{:?}",
                s3.stat(
                    aging.approve(StatObject { path: owned("pub/d/x") }),
                    ReadConditions::default()
                )
                .await?
            )
        }
        "read" => {
            let read = s3
                .read(aging.approve(ReadObject { path: owned("pub/d/x") }), ReadOptions::default())
                .await?;
            format!("{:?}", read.info)
        }
        "list" => format!("{:?}", list("pub/d/", 10).await?),
        "is there" => format!("{:?}", list("pub/d/", 0).await?),
        "root" => format!("{:?}", list("", 10).await?),
        "delete" => {
            let delete = aging.approve(DeleteObject { path: owned("pub/d/x") });
            format!("{:?}", s3.delete(delete, WriteConditions::default()).await?)
        }
        "delete directory" => {
            let delete = aging.approve(DeleteDirectory { path: owned("pub/d/") });
            format!("{:?}", s3.delete_directory(delete).await?)
        }
        "delete tree" => {
            let delete = aging.approve(DeleteTree { path: owned("pub/d/") });
            format!("{:?}", s3.delete_tree(delete).await.map_err(|failed| failed.error)?)
        }
        other => panic!("{other}"),
    };
    Ok(shown)
}

/// Nothing is shown of an answer that comes after it was taken away, whether something is there or not, and
/// nobody waits for one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_too_late_is_not_shown() {
    for what in ALL {
        let trials = ASKED.iter().flat_map(|asked| {
            [(true, 600), (false, 600), (true, 30_000)].map(|(there, delay)| (*asked, there, delay))
        });
        let trials = trials.map(|(asked, is_there, delay)| async move {
            // Taking writing away takes nothing from what reads.
            let writes = asked.starts_with("delete");
            if matches!(what, Taken::Access) && !writes {
                return;
            }
            let shown = format!("{what:?}, {asked}, there: {is_there}, {delay} ms");
            let aging = Aging::start().await;
            if is_there {
                aging.setup.backend.put("pub/d/x", b"x");
            }
            let late = Fault::Delay(Duration::from_millis(delay));
            aging.setup.backend.fail(1, |_| true, late);
            let end = async {
                tokio::time::sleep(Duration::from_millis(250)).await;
                aging.take_away(what);
                Instant::now()
            };
            let (answer, taken) = tokio::join!(ask(&aging, asked), end);
            let took = taken.elapsed();
            assert!(is_withdrawn(&answer), "{shown}: {answer:?}");
            assert!(took < Duration::from_millis(2_500), "{shown}: {took:?}");
            assert!(!is_there || aging.setup.backend.objects() == ["pub/d/x"], "{shown}");
        });
        futures_util::future::join_all(trials).await;
    }
    // And what nothing was taken from is answered.
    let trials = ASKED.map(|asked| async move {
        let aging = Aging::start().await;
        aging.setup.backend.put("pub/d/x", b"x");
        aging.setup.backend.fail(1, |_| true, Fault::Delay(Duration::from_millis(1_200)));
        let answer = ask(&aging, asked).await;
        assert!(answer.is_ok(), "{asked}: {answer:?}");
    });
    futures_util::future::join_all(trials).await;
}

/// What is hidden while a listing waits for its server is not in it, in whatever way it would be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_hidden_meanwhile_is_not_listed() {
    let page = |limit, want| PageRequest { after: None, want, limit, brief: false };
    for (deny, path, request, names, exists) in [
        ("pub/d/sec/", "pub/d/", page(10, Want::All), vec!["open/", "x"], true),
        ("pub/d/sec/", "pub/d/", page(10, Want::Folders), vec!["open/"], true),
        ("pub/d/x", "pub/d/", page(10, Want::Files), vec![], true),
        ("pub/d/x", "pub/d/", page(10, Want::All), vec!["open/", "sec/"], true),
        // What is in a folder shows it.
        ("pub/d/sec/y", "pub/d/", page(10, Want::All), vec!["open/", "x"], true),
        ("pub/d/sec/y", "pub/d/sec/", page(10, Want::All), vec![], false),
        ("pub/d/sec/y", "pub/d/sec/", page(0, Want::All), vec![], false),
    ] {
        let mut aging = Aging::start().await;
        for key in ["x", "sec/y", "open/z"] {
            aging.setup.backend.put(&format!("pub/d/{key}"), b"");
        }
        // Narrowed from the start.
        let text =
            aging.setup.text.replace("[pub/*]", "[pub/*]\n    deny: ['pub/*/none', 'pub/d/n/']");
        aging.setup.text = text;
        let policy = |text: &str| Policy::from_yaml("policy.yaml", text).expect("a policy");
        aging.engine = Engine::new(policy(&aging.setup.text));
        for slow in 1..=2 {
            let approved = aging.approve(ListDirectory { path: owned(path) });
            assert_eq!(approved.list_mode(), Some(ListMode::Narrow));
            // The first answer, or the one after it, where there is one.
            let seen = AtomicUsize::new(0);
            let is_slow =
                move |_: &super::backend::Request| seen.fetch_add(1, Ordering::SeqCst) + 1 == slow;
            aging.setup.backend.fail(1, is_slow, Fault::Delay(Duration::from_millis(600)));
            let end = async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                let newer = aging.setup.text.replace("'pub/d/n/'", &format!("'{deny}'"));
                drop(aging.engine.replace(policy(&newer)));
            };
            let (listed, ()) = tokio::join!(aging.setup.s3.list(approved, request.clone()), end);
            let listed = listed.unwrap_or_else(|error| panic!("{deny} {path}: {error:?}"));
            // With one request, all is over before it is hidden.
            if aging.setup.backend.requests().len() >= slow {
                let mut came: Vec<_> =
                    listed.folders.iter().map(|name| format!("{name}/")).collect();
                came.extend(listed.files.iter().map(|file| file.name.clone()));
                assert_eq!((came, listed.exists), (strings(&names), exists), "{deny} {path}");
            }
            aging.engine = Engine::new(policy(&aging.setup.text));
            aging.setup.backend.forget_requests();
        }
    }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
