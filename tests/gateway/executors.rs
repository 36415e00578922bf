//! Other executors than the one for S3, and several servers at once.

use std::sync::Arc;

use async_trait::async_trait;
use pathward::{
    Engine,
    engine::{
        Approved, CopyObject, CreateDirectory, DeleteDirectory, DeleteObject, DeleteObjects,
        DeleteTree, ListDirectory, ReadObject, StatObject, WriteObject,
    },
    executor::{
        CopyOptions, DirectoryDeletion, DirectoryPage, ExecuteError, Executor, Made, Object,
        ObjectInfo, PageRequest, ReadConditions, ReadOptions, S3Options, Stored, TreeError, Upload,
        WriteConditions,
    },
    gateway::{Gateway, Options},
};
use tokio::net::TcpListener;

use super::{
    backend::Backend,
    world::{ALL, CONNECTIONS, Front, ask, policy},
};

/// Panics whatever it is asked, as no executor should.
#[derive(Debug)]
struct Panicking;

#[async_trait]
impl Executor for Panicking {
    async fn read(
        &self,
        _: Approved<ReadObject<'static>>,
        _: ReadOptions,
    ) -> Result<Object, ExecuteError> {
        panic!("CANARY of a panic")
    }

    async fn stat(
        &self,
        _: Approved<StatObject<'static>>,
        _: ReadConditions,
    ) -> Result<ObjectInfo, ExecuteError> {
        panic!("CANARY of a panic")
    }

    async fn write(
        &self,
        _: Approved<WriteObject<'static>>,
        _: Upload,
    ) -> Result<Stored, ExecuteError> {
        panic!("CANARY of a panic")
    }

    async fn create_directory(
        &self,
        _: Approved<CreateDirectory<'static>>,
    ) -> Result<(), ExecuteError> {
        panic!("CANARY of a panic")
    }

    async fn delete(
        &self,
        _: Approved<DeleteObject<'static>>,
        _: WriteConditions,
    ) -> Result<(), ExecuteError> {
        panic!("CANARY of a panic")
    }

    async fn delete_directory(
        &self,
        _: Approved<DeleteDirectory<'static>>,
    ) -> Result<DirectoryDeletion, ExecuteError> {
        panic!("CANARY of a panic")
    }

    async fn delete_tree(&self, _: Approved<DeleteTree<'static>>) -> Result<u64, TreeError> {
        panic!("CANARY of a panic")
    }

    async fn delete_many(
        &self,
        _: Approved<DeleteObjects<'static>>,
    ) -> Vec<Result<(), ExecuteError>> {
        panic!("CANARY of a panic")
    }

    async fn copy(
        &self,
        _: Approved<CopyObject<'static>>,
        _: CopyOptions,
    ) -> Result<Made, ExecuteError> {
        panic!("CANARY of a panic")
    }

    async fn list(
        &self,
        _: Approved<ListDirectory<'static>>,
        _: PageRequest,
    ) -> Result<DirectoryPage, ExecuteError> {
        panic!("CANARY of a panic")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_an_error_like_any_other_and_ends_nothing_else() {
    let policy = policy(CONNECTIONS, "http://127.0.0.1:1", "/nowhere".as_ref());
    let gateway =
        Gateway::new(Engine::new(policy), Arc::new(Panicking), Options::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { gateway.serve(listener, std::future::pending()).await });
    let send = |method, target| ask(address, method, target, &[("Authorization", ALL)], b"");
    for (method, target) in [
        ("GET", "/v1/data/s3+t://pub/data/x"),
        ("HEAD", "/v1/data/s3+t://pub/data/x"),
        ("PUT", "/v1/data/s3+t://pub/data/x"),
        ("DELETE", "/v1/data/s3+t://pub/data/x"),
        ("DELETE", "/v1/data/s3+t://pub/data/?force=true"),
        ("GET", "/v1/data/s3+t://pub/data/"),
    ] {
        let answer = send(method, target).await;
        assert_eq!(answer.status, 500, "{method} {target}");
        assert!(!format!("{answer:?}").contains("CANARY"));
        if method != "HEAD" {
            answer.error();
        }
    }
    assert_eq!(send("GET", "/v1/data/s3+t://pub/secret").await.status, 403, "it still decides");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_go_to_their_own_servers() {
    let (one, other) = (Backend::start().await, Backend::start().await);
    one.put("pub/data/x", b"of one");
    other.put("pub/data/x", b"of the other");
    let connection = |label: &str, endpoint: &str| {
        format!(
            "  - id: s3+{label}\n    owner: ana\n    endpoint: {endpoint}\n    credentials: {{ file: \
             CREDENTIALS }}\n    access: read-write\n    restrictions: [pub/data/]\n"
        )
    };
    let connections = format!(
        "connections:\n{}{}{}",
        connection("one", &one.endpoint()),
        connection("again", &one.endpoint()),
        connection("other", &other.endpoint())
    );
    let front =
        Front::start(&connections, "unused", Options::default(), S3Options::default()).await;
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..20 {
        for (label, body) in [("one", "of one"), ("again", "of one"), ("other", "of the other")] {
            let address = front.address;
            asked.spawn(async move {
                let target = format!("/v1/data/s3+{label}://pub/data/x");
                let answer = ask(address, "GET", &target, &[("Authorization", ALL)], b"").await;
                assert_eq!(String::from_utf8(answer.body).unwrap(), body, "{target}");
            });
        }
    }
    asked.join_all().await;
    assert_eq!((one.requests().len(), other.requests().len()), (40, 20));
}
