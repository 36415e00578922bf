//! The executor on a server that records what it is asked, and fails as it is told to.
#![cfg(feature = "executor")]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "helpers of tests fail as tests do, and are shared with other tests' programs"
)]

mod aging;
#[path = "../support/backend.rs"]
mod backend;
mod catalogue;
mod client;
mod deletion;
mod faults;
mod fuzz;
mod hostile;
mod listing;
mod memory;
mod narrowed;
mod parts;
mod prefix;
mod probe;
mod streams;
mod wire;

use std::{io::Write, time::Duration};

use pathward::{
    Approved, Caller, ConnectionId, Engine, Path, Policy,
    engine::{
        CopyObject, CreateDirectory, DeleteDirectory, DeleteObject, DeleteObjects, DeleteTree,
        ListDirectory, Operate, ReadObject, StatObject, WriteObject,
    },
    executor::{
        Body, BodyError, CopyOptions, DirectoryDeletion, DirectoryPage, ExecuteError, Executor,
        Metadata, PageRequest, ReadConditions, ReadOptions, S3, S3Options, TreeError, Upload, Want,
        WriteConditions,
    },
};
use tempfile::NamedTempFile;

use self::backend::Backend;

pub(crate) const KEY_ID: &str = "AKCANARYID0123456789";
pub(crate) const SECRET: &str = "canarysecret/ABCDEFGHIJ+klmnopqrstuvwxyz";

/// An engine with one connection to a backend, and the executor.
pub(crate) struct Setup {
    pub(crate) engine: Engine,
    pub(crate) s3: S3,
    pub(crate) backend: Backend,
    /// Its policy.
    pub(crate) text: String,
    _credentials: NamedTempFile,
}

pub(crate) fn credentials() -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    write!(file, "[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n")
        .expect("written");
    file
}

/// Short waits, so that what fails fails soon.
pub(crate) fn options() -> S3Options {
    S3Options {
        connect_timeout: Duration::from_secs(1),
        attempt_timeout: Duration::from_secs(1),
        transfer_timeout: Duration::from_secs(1),
        stall_timeout: Duration::from_millis(500),
        attempts: 2,
        backoff: Duration::from_millis(1),
        ..S3Options::default()
    }
}

impl Setup {
    /// With everything allowed.
    pub(crate) async fn new() -> Self {
        Self::with("access: read-write").await
    }

    /// With everything allowed, and short waits: for what is to fail by them.
    pub(crate) async fn hasty() -> Self {
        Self { s3: S3::new(options()), ..Self::new().await }
    }

    /// With these fields of the connection.
    pub(crate) async fn with(fields: &str) -> Self {
        let backend = Backend::start().await;
        Self::before(&backend.endpoint(), fields, backend)
    }

    /// With everything allowed on another server.
    pub(crate) async fn at(endpoint: &str) -> Self {
        Self::before(endpoint, "access: read-write", Backend::start().await)
    }

    fn before(endpoint: &str, fields: &str, backend: Backend) -> Self {
        let keys = if fields.contains("keys:") { "" } else { "keys: exact" };
        let credentials = credentials();
        let text = format!(
            "connections:\n  - id: s3+t\n    owner: o\n    endpoint: {}\n    credentials: {{ file: {} }}\n    {}\n    {keys}\n",
            endpoint,
            credentials.path().display(),
            fields.replace('\n', "\n    "),
        );
        let policy = Policy::from_yaml("policy.yaml", &text)
            .unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        // Longer waits than any test takes, however busy the machine is.
        let patient = Duration::from_secs(60);
        let s3 = S3::new(S3Options {
            attempt_timeout: patient,
            transfer_timeout: patient,
            stall_timeout: patient,
            ..options()
        });
        let engine = Engine::new(policy);
        Self { engine, s3, backend, text, _credentials: credentials }
    }

    pub(crate) fn approve<Op: Operate>(&self, operation: Op) -> Approved<Op> {
        let id = ConnectionId::parse("s3+t").expect("an id");
        self.engine
            .approve(Caller::with_full_permission("o"), &id, operation)
            .unwrap_or_else(|denied| panic!("{denied}"))
    }

    pub(crate) async fn read(&self, path: &str) -> Result<Vec<u8>, ExecuteError> {
        let object = self
            .s3
            .read(self.approve(ReadObject { path: owned(path) }), ReadOptions::default())
            .await?;
        collect(object.body).await.map_err(ExecuteError::Body)
    }

    pub(crate) async fn stat(&self, path: &str) -> Result<u64, ExecuteError> {
        let info = self
            .s3
            .stat(self.approve(StatObject { path: owned(path) }), ReadConditions::default())
            .await?;
        Ok(info.size)
    }

    pub(crate) async fn write(&self, path: &str, bytes: &[u8]) -> Result<u64, ExecuteError> {
        let length = Some(bytes.len() as u64);
        self.upload(path, Body::from_bytes(bytes.to_vec().into()), length).await
    }

    pub(crate) async fn upload(
        &self,
        path: &str,
        body: Body,
        length: Option<u64>,
    ) -> Result<u64, ExecuteError> {
        let metadata = Metadata { content_type: Some("text/canary".into()), ..Metadata::default() };
        let upload = Upload { metadata, ..Upload::new(body, length) };
        let approved = self.approve(WriteObject { path: owned(path) });
        self.s3.write(approved, upload).await.map(|stored| stored.size)
    }

    pub(crate) async fn create_directory(&self, path: &str) -> Result<(), ExecuteError> {
        self.s3.create_directory(self.approve(CreateDirectory { path: owned(path) })).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<(), ExecuteError> {
        self.s3
            .delete(self.approve(DeleteObject { path: owned(path) }), WriteConditions::default())
            .await
    }

    pub(crate) async fn delete_directory(
        &self,
        path: &str,
    ) -> Result<DirectoryDeletion, ExecuteError> {
        self.s3.delete_directory(self.approve(DeleteDirectory { path: owned(path) })).await
    }

    pub(crate) async fn delete_tree(&self, path: &str) -> Result<u64, TreeError> {
        self.s3.delete_tree(self.approve(DeleteTree { path: owned(path) })).await
    }

    pub(crate) async fn delete_many(&self, paths: &[&str]) -> Vec<Result<(), ExecuteError>> {
        let paths = paths.iter().map(|path| owned(path)).collect();
        self.s3.delete_many(self.approve(DeleteObjects { paths })).await
    }

    pub(crate) async fn copy(&self, from: &str, to: &str) -> Result<(), ExecuteError> {
        let copy = CopyObject { source: owned(from), destination: owned(to) };
        self.s3.copy(self.approve(copy), CopyOptions::default()).await.map(drop)
    }

    pub(crate) async fn list(
        &self,
        path: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<DirectoryPage, ExecuteError> {
        let page =
            PageRequest { after: after.map(Into::into), want: Want::All, limit, brief: false };
        self.s3.list(self.approve(ListDirectory { path: owned(path) }), page).await
    }

    /// All pages of a directory: names, those of folders with their `/`, in the order of the pages.
    pub(crate) async fn list_all(&self, path: &str, limit: usize) -> Vec<String> {
        let (mut names, mut after) = (Vec::new(), None::<Box<str>>);
        loop {
            let page = self.list(path, after.as_deref(), limit).await.expect("a page");
            let count = page.folders.len() + page.files.len();
            assert!(count <= limit, "{page:?}");
            names.extend(page.folders.iter().map(|folder| format!("{folder}/")));
            names.extend(page.files.iter().map(|file| file.name.clone()));
            match page.next {
                None => return names,
                next => {
                    // But for one that ends where much is hidden.
                    let is_full =
                        count == limit || next.as_ref().is_some_and(|n| n.starts_with('\0'));
                    assert!(is_full, "a page that others follow is full: {next:?}");
                    assert_ne!(next, after, "every page goes on");
                    after = next;
                }
            }
        }
    }
}

pub(crate) fn owned(path: &str) -> Path<'static> {
    Path::new(path).unwrap_or_else(|error| panic!("{path}: {error}")).into_owned()
}

/// All of a body.
pub(crate) async fn collect(mut body: Body) -> Result<Vec<u8>, BodyError> {
    use http_body_util::BodyExt;
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}
