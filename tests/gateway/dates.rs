//! Dates that an executor gives, of any year.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use pathward::{
    Engine,
    engine::{
        Approved, CopyObject, CreateDirectory, DeleteDirectory, DeleteObject, DeleteObjects,
        DeleteTree, ListDirectory, ReadObject, StatObject, WriteObject,
    },
    executor::{
        Body, CopyOptions, DirectoryDeletion, DirectoryPage, ExecuteError, Executor, FileEntry,
        Made, Object, ObjectInfo, PageRequest, ReadConditions, ReadOptions, Stored, TreeError,
        Upload, WriteConditions,
    },
    gateway::{Gateway, Options},
};
use tokio::net::TcpListener;

use super::world::{ALL, CONNECTIONS, ask, policy};

/// Has one object everywhere, changed at the time that it is told.
#[derive(Debug)]
struct Dated(Arc<Mutex<SystemTime>>);

impl Dated {
    fn info(&self) -> ObjectInfo {
        let last_modified = Some(*self.0.lock().unwrap());
        ObjectInfo { size: 1, last_modified, ..ObjectInfo::default() }
    }
}

#[async_trait]
impl Executor for Dated {
    async fn read(
        &self,
        _: Approved<ReadObject<'static>>,
        _: ReadOptions,
    ) -> Result<Object, ExecuteError> {
        Ok(Object { info: self.info(), range: None, body: Body::from_bytes("x".into()) })
    }

    async fn stat(
        &self,
        _: Approved<StatObject<'static>>,
        _: ReadConditions,
    ) -> Result<ObjectInfo, ExecuteError> {
        Ok(self.info())
    }

    async fn list(
        &self,
        _: Approved<ListDirectory<'static>>,
        _: PageRequest,
    ) -> Result<DirectoryPage, ExecuteError> {
        let last_modified = self.info().last_modified;
        let files = vec![FileEntry { name: "x".into(), size: 1, last_modified }];
        Ok(DirectoryPage { exists: true, files, ..DirectoryPage::default() })
    }

    async fn write(
        &self,
        _: Approved<WriteObject<'static>>,
        _: Upload,
    ) -> Result<Stored, ExecuteError> {
        Err(ExecuteError::Configuration)
    }

    async fn create_directory(
        &self,
        _: Approved<CreateDirectory<'static>>,
    ) -> Result<(), ExecuteError> {
        Err(ExecuteError::Configuration)
    }

    async fn delete(
        &self,
        _: Approved<DeleteObject<'static>>,
        _: WriteConditions,
    ) -> Result<(), ExecuteError> {
        Err(ExecuteError::Configuration)
    }

    async fn delete_directory(
        &self,
        _: Approved<DeleteDirectory<'static>>,
    ) -> Result<DirectoryDeletion, ExecuteError> {
        Err(ExecuteError::Configuration)
    }

    async fn delete_tree(&self, _: Approved<DeleteTree<'static>>) -> Result<u64, TreeError> {
        Err(TreeError { deleted: 0, error: ExecuteError::Configuration })
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
        Err(ExecuteError::Configuration)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_that_cannot_be_said_is_left_out() {
    let at = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH));
    let policy = policy(CONNECTIONS, "http://127.0.0.1:1", "/nowhere".as_ref());
    let executor = Arc::new(Dated(Arc::clone(&at)));
    let gateway = Gateway::new(Engine::new(policy), executor, Options::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { gateway.serve(listener, std::future::pending()).await });
    let send = |method, target| ask(address, method, target, &[("Authorization", ALL)], b"");
    let (after, before) =
        (|s| SystemTime::UNIX_EPOCH.checked_add(s), |s| SystemTime::UNIX_EPOCH.checked_sub(s));
    let seconds = Duration::from_secs;
    for (date, header, listed) in [
        (after(seconds(1)), Some("Thu, 01 Jan 1970 00:00:01 GMT"), "1970-01-01T00:00:01.000Z"),
        (after(seconds(253_402_300_800)), None, "1970-01-01T00:00:00.000Z"),
        (after(seconds(1 << 50)), None, "1970-01-01T00:00:00.000Z"),
        (before(Duration::from_nanos(1)), None, "1970-01-01T00:00:00.000Z"),
        (before(seconds(1 << 50)), None, "1970-01-01T00:00:00.000Z"),
    ] {
        *at.lock().unwrap() = date.unwrap();
        for method in ["GET", "HEAD"] {
            let answer = send(method, "/v1/data/s3+t://pub/data/x").await;
            assert_eq!((answer.status, answer.header("last-modified")), (200, header), "{date:?}");
        }
        let page = send("GET", "/v1/data/s3+t://pub/data/").await.json();
        assert_eq!(page["files"][0]["last_modified"].as_str(), Some(listed), "{date:?}");
    }
}
