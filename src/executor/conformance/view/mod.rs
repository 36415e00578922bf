//! A connection, and what is done through it.

mod parts;
mod prefix;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};

pub(super) use self::parts::{number, part};
use super::report::{same, within};
use crate::{
    ConnectionId, Engine, Path, Policy,
    engine::{
        Approved, CopyObject, CreateDirectory, DeleteDirectory, DeleteObject, DeleteObjects,
        DeleteTree, ListDirectory, Operate, ReadObject, StatObject, WriteObject,
    },
    escape::hex,
    executor::{
        Body, CopyOptions, DirectoryDeletion, DirectoryPage, ExecuteError, Executor, Made,
        ObjectInfo, PageRequest, ReadConditions, ReadOptions, TreeError, Upload, Want,
        WriteConditions,
    },
};

/// The API key of whoever asks.
const KEY: &[u8] = b"the conformance suite's own";
/// More pages than any directory of a check has, however small they are.
const MAX_PAGES: usize = 1_000;

/// The bytes that came, and which they are, where they are not all.
pub(super) type Got = Result<(Bytes, Option<(u64, u64)>), ExecuteError>;

/// A policy with this connection, for whoever has this key.
fn policy(connection: &str, key: &[u8]) -> Result<Policy, String> {
    let digest = hex(&Sha256::digest(key));
    let key = format!("{{ id: k, sha256: {digest}, access: read-write }}");
    let text = format!("{connection}users: [{{ name: checker, keys: [{key}] }}]\n");
    Policy::from_yaml("conformance.yaml", &text).map_err(|errors| errors.to_string())
}

/// A connection, and what is done through it. In paths, `@` stands for the check's directory.
#[derive(Debug)]
pub(super) struct View<'a> {
    executor: &'a dyn Executor,
    engine: Engine,
    base: String,
    /// The connection, in the form of a policy.
    connection: String,
}

impl<'a> View<'a> {
    pub(super) fn new(
        executor: &'a dyn Executor,
        bucket: &str,
        name: &str,
        connection: String,
    ) -> Result<Self, String> {
        let engine = Engine::new(policy(&connection, KEY)?);
        Ok(Self { executor, engine, base: format!("{bucket}/{name}"), connection })
    }

    pub(super) fn path(&self, path: &str) -> Result<Path<'static>, String> {
        let text = path.replacen('@', &self.base, 1);
        Path::new(&text).map(Path::into_owned).map_err(|error| format!("{text}: {error}"))
    }

    pub(super) fn approve<Op: Operate>(&self, operation: Op) -> Result<Approved<Op>, String> {
        let id = ConnectionId::parse("s3+checked").map_err(|error| error.to_string())?;
        let caller = self.engine.caller(KEY).ok_or("the key is not known")?;
        let approved = self.engine.approve(caller, &id, operation);
        approved.map_err(|denied| format!("the check asks for what is denied: {denied}"))
    }

    /// Takes the key of whoever asks away.
    pub(super) fn withdraw(&self) -> Result<(), String> {
        drop(self.engine.replace(policy(&self.connection, b"somebody else's")?));
        Ok(())
    }

    /// Makes the connection another one, for what is approved already, too.
    pub(super) fn replace(&self, connection: &str) -> Result<(), String> {
        drop(self.engine.replace(policy(connection, KEY)?));
        Ok(())
    }

    pub(super) async fn settle(&self) -> Result<(), String> {
        within("settle", self.executor.settle()).await
    }

    pub(super) async fn write(&self, path: &str, bytes: &'static [u8]) -> Result<(), String> {
        let length = bytes.len() as u64;
        let upload = Upload::new(Body::from_bytes(Bytes::from_static(bytes)), Some(length));
        same(&format!("write {path}"), &self.upload(path, upload).await?, &Ok(length))
    }

    pub(super) async fn write_all(&self, paths: &[&str]) -> Result<(), String> {
        for path in paths {
            self.write(path, b"some bytes").await?;
        }
        Ok(())
    }

    pub(super) async fn upload(
        &self,
        path: &str,
        upload: Upload,
    ) -> Result<Result<u64, ExecuteError>, String> {
        within(path, self.begin(path, upload)?).await
    }

    /// An upload that runs for as long as it takes.
    pub(super) fn begin(
        &self,
        path: &str,
        upload: Upload,
    ) -> Result<impl Future<Output = Result<u64, ExecuteError>>, String> {
        let approved = self.approve(WriteObject { path: self.path(path)? })?;
        let write = self.executor.write(approved, upload);
        Ok(async { write.await.map(|stored| stored.size) })
    }

    pub(super) async fn read(&self, path: &str) -> Result<Result<Bytes, ExecuteError>, String> {
        let read = self.read_with(path, ReadOptions::default()).await?;
        Ok(read.map(|(bytes, _)| bytes))
    }

    /// What is read by these options, and which bytes it is.
    pub(super) async fn read_with(&self, path: &str, options: ReadOptions) -> Result<Got, String> {
        let approved = self.approve(ReadObject { path: self.path(path)? })?;
        let read = async {
            let object = self.executor.read(approved, options).await?;
            let (range, len) = (object.range, object.len());
            let bytes = object.body.collect().await.map_err(ExecuteError::Body)?.to_bytes();
            match bytes.len() as u64 == len {
                true => Ok((bytes, range)),
                false => Err(ExecuteError::Failed { status: None, code: Some("size".into()) }),
            }
        };
        within(path, read).await
    }

    pub(super) async fn stat(
        &self,
        path: &str,
    ) -> Result<Result<ObjectInfo, ExecuteError>, String> {
        self.stat_on(path, ReadConditions::default()).await
    }

    pub(super) async fn stat_on(
        &self,
        path: &str,
        conditions: ReadConditions,
    ) -> Result<Result<ObjectInfo, ExecuteError>, String> {
        let approved = self.approve(StatObject { path: self.path(path)? })?;
        within(path, self.executor.stat(approved, conditions)).await
    }

    pub(super) async fn write_on(
        &self,
        path: &str,
        bytes: &'static [u8],
        conditions: WriteConditions,
    ) -> Result<Result<u64, ExecuteError>, String> {
        let body = Body::from_bytes(Bytes::from_static(bytes));
        let upload = Upload { conditions, ..Upload::new(body, Some(bytes.len() as u64)) };
        self.upload(path, upload).await
    }

    pub(super) async fn delete_on(
        &self,
        path: &str,
        conditions: WriteConditions,
    ) -> Result<Result<(), ExecuteError>, String> {
        let approved = self.approve(DeleteObject { path: self.path(path)? })?;
        within(path, self.executor.delete(approved, conditions)).await
    }

    pub(super) async fn create_directory(&self, path: &str) -> Result<(), String> {
        let approved = self.approve(CreateDirectory { path: self.path(path)? })?;
        let created = within(path, self.executor.create_directory(approved)).await?;
        same(&format!("create the directory {path}"), &created, &Ok(()))
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Result<(), ExecuteError>, String> {
        let approved = self.approve(DeleteObject { path: self.path(path)? })?;
        within(path, self.executor.delete(approved, WriteConditions::default())).await
    }

    pub(super) async fn delete_directory(
        &self,
        path: &str,
    ) -> Result<Result<DirectoryDeletion, ExecuteError>, String> {
        let approved = self.approve(DeleteDirectory { path: self.path(path)? })?;
        within(path, self.executor.delete_directory(approved)).await
    }

    pub(super) async fn delete_tree(&self, path: &str) -> Result<Result<u64, TreeError>, String> {
        let approved = self.approve(DeleteTree { path: self.path(path)? })?;
        within(path, self.executor.delete_tree(approved)).await
    }

    pub(super) async fn delete_many(
        &self,
        paths: &[&str],
    ) -> Result<Vec<Result<(), ExecuteError>>, String> {
        let paths = paths.iter().map(|path| self.path(path)).collect::<Result<_, _>>()?;
        let approved = self.approve(DeleteObjects { paths })?;
        within("a deletion of many", self.executor.delete_many(approved)).await
    }

    pub(super) async fn copy(
        &self,
        from: &str,
        to: &str,
    ) -> Result<Result<(), ExecuteError>, String> {
        let copied = self.copy_with(from, to, CopyOptions::default()).await?;
        Ok(copied.map(drop))
    }

    pub(super) async fn copy_with(
        &self,
        from: &str,
        to: &str,
        options: CopyOptions,
    ) -> Result<Result<Made, ExecuteError>, String> {
        let copy = CopyObject { source: self.path(from)?, destination: self.path(to)? };
        let approved = self.approve(copy)?;
        within(from, self.executor.copy(approved, options)).await
    }

    pub(super) async fn page(
        &self,
        path: &str,
        request: PageRequest,
    ) -> Result<DirectoryPage, String> {
        let approved = self.approve(ListDirectory { path: self.path(path)? })?;
        let page = within(path, self.executor.list(approved, request)).await?;
        page.map_err(|error| format!("list {path}: {error:?}"))
    }

    pub(super) async fn is_there(&self, path: &str) -> Result<bool, String> {
        let request = PageRequest { after: None, want: Want::All, limit: 0, brief: false };
        Ok(self.page(path, request).await?.exists)
    }

    /// All pages of a directory: the names of folders, with their `/`, and of files, sorted. Fails where a
    /// page has more than was asked for, or a name comes twice.
    pub(super) async fn list(
        &self,
        path: &str,
        want: Want,
        limit: usize,
    ) -> Result<Vec<String>, String> {
        let (mut names, mut after) = (Vec::new(), None::<Box<str>>);
        for _ in 0..MAX_PAGES {
            let page = self
                .page(path, PageRequest { after: after.clone(), want, limit, brief: false })
                .await?;
            let count = page.folders.len() + page.files.len();
            if count > limit {
                return Err(format!("list {path}: {count} entries in a page of {limit}"));
            }
            names.extend(page.folders.iter().map(|name| format!("{name}/")));
            names.extend(page.files.iter().map(|file| file.name.clone()));
            if page.next.is_none() {
                names.sort_unstable();
                let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
                return match twice {
                    Some(pair) => Err(format!("list {path}: {} comes twice", pair[0])),
                    None => Ok(names),
                };
            }
            if page.next == after {
                return Err(format!(
                    "list {path}: the page after {after:?} says that it follows itself"
                ));
            }
            after = page.next;
        }
        Err(format!("list {path}: it does not end in {MAX_PAGES} pages of {limit}"))
    }

    /// Everything in the check's directory at every depth, as paths.
    pub(super) async fn everything(&self) -> Result<Vec<String>, String> {
        let (mut found, mut folders) = (Vec::new(), vec!["@/".to_owned()]);
        while let Some(folder) = folders.pop() {
            for name in self.list(&folder, Want::All, 100).await? {
                let path = format!("{folder}{name}");
                if path.ends_with('/') { folders.push(path) } else { found.push(path) }
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}
