//! What the server keeps: buckets, objects, and uploads that are not complete.
//!
//! The index is in memory, ordered by the bytes of the keys, and is all that reading needs. Every
//! change is decided on it by one writer at a time, is recorded on disk where there is one, and
//! only then applied. So a reader sees a change whole or not at all, and never one that a crash
//! takes back.

mod data;
mod disk;
mod record;
mod state;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use s3s::{S3Result, s3_error};

use self::disk::Disk;
pub(super) use self::{
    data::{Data, Reader, Writer},
    state::{Bucket, Change, Headers, Object, State, Upload, now},
};
use super::EmbeddedError;

pub(super) struct Store {
    state: RwLock<State>,
    /// Held from a change's decision until it is applied.
    writing: Mutex<()>,
    disk: Option<Disk>,
}

impl Store {
    pub(super) async fn open(folder: Option<PathBuf>) -> Result<Self, EmbeddedError> {
        let (state, disk) = match folder {
            None => (State::default(), None),
            Some(folder) => {
                let opened = folder.clone();
                let opening = tokio::task::spawn_blocking(move || Disk::open(&opened));
                let (disk, state) = opening
                    .await
                    .unwrap_or_else(|error| Err(error.into()))
                    .map_err(|source| EmbeddedError::Data { folder, source })?;
                (state, Some(disk))
            }
        };
        Ok(Self { state: RwLock::new(state), writing: Mutex::new(()), disk })
    }

    /// Looks something up. What is found is shared, so that nothing waits for whoever reads on.
    pub(super) fn read<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same, for what may not be there.
    pub(super) fn find<R>(&self, look: impl FnOnce(&State) -> S3Result<R>) -> S3Result<R> {
        self.read(look)
    }

    /// Decides on changes and makes them, all or none. It ends even when whoever waits for it
    /// goes away.
    ///
    /// # Errors
    ///
    /// What `decide` says, or that the disk fails; then nothing has changed.
    pub(super) async fn write<R: Send + 'static>(
        self: &Arc<Self>,
        decide: impl FnOnce(&State) -> S3Result<(Vec<Change>, R)> + Send + 'static,
    ) -> S3Result<R> {
        if self.disk.is_none() {
            return self.write_now(decide);
        }
        let store = Arc::clone(self);
        tokio::task::spawn_blocking(move || store.write_now(decide))
            .await
            .unwrap_or_else(|error| Err(s3_error!(error, InternalError)))
    }

    fn write_now<R>(
        &self,
        decide: impl FnOnce(&State) -> S3Result<(Vec<Change>, R)>,
    ) -> S3Result<R> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (changes, result) = self.read(decide)?;
        if let Some(disk) = &self.disk {
            disk.record(&changes).map_err(|error| s3_error!(error, InternalError))?;
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            state.apply(change);
        }
        Ok(result)
    }

    /// Takes the bytes of an object. They belong to nothing until a change names them, and are
    /// gone if none does.
    pub(super) async fn writer(&self) -> S3Result<Writer> {
        match &self.disk {
            None => Ok(Writer::in_memory()),
            Some(disk) => Writer::in_file(disk.new_file()?)
                .await
                .map_err(|error| s3_error!(error, InternalError)),
        }
    }
}
