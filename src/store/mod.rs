//! A store of connections: a folder that one serves from and changes meanwhile.

mod draft;
mod error;
mod seal;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

pub use self::{
    draft::{Draft, DraftCredentials, DraftError, DraftRule, Secret},
    error::StoreError,
    seal::SealKey,
};
pub use crate::policy::{Opened, Unseal, UnsealError};
use crate::{
    access::AccessSet,
    policy::{Connection, ConnectionId, Policy, User},
};

/// A folder of connections and users. Cheap to clone, every clone the same.
///
/// Calls block for as long as files and locks take.
#[derive(Clone, Debug)]
pub struct Store {
    folder: Arc<PathBuf>,
}

/// What the store says at one time.
#[derive(Debug)]
pub struct Snapshot {
    policy: Arc<Policy>,
    invalid: Option<String>,
}

impl Snapshot {
    /// The last policy that loaded.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Why what the folder says since then does not load. For the operator: it shows lines of files.
    pub fn invalid(&self) -> Option<&str> {
        self.invalid.as_deref()
    }
}

/// A connection of a store.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its name in the store, which stays the same when its label changes.
    pub identity: String,
    /// What its file says, as a hash: a change names the revision that it was decided on.
    pub revision: String,
    /// The connection.
    pub connection: Arc<Connection>,
    /// Its file.
    pub file: PathBuf,
    draft: Draft,
}

impl Stored {
    /// The connection as a draft that changes nothing: its credentials are kept.
    pub fn draft(&self) -> Draft {
        self.draft.clone()
    }
}

/// An API key, as far as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// What its owner calls it.
    pub id: String,
    /// What it may do with data.
    pub access: AccessSet,
    /// Whether it may change its user's connections and keys.
    pub manage: bool,
}

/// What is called after a change. It must not change the store itself.
pub type Listener = Box<dyn Fn(&Arc<Snapshot>) + Send + Sync>;

/// Follows what others do to the folder, until it is dropped.
#[derive(Debug)]
pub struct Follower {}

#[expect(
    unused_variables,
    reason = "the interface first, for those who build on it; the next commit is the store"
)]
impl Store {
    /// Opens a store; makes the folder if it is not there.
    pub fn open(folder: &Path, seal: Option<SealKey>) -> Result<Self, StoreError> {
        Err(StoreError::Missing)
    }
    /// The last good revision.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::new(Snapshot { policy: Arc::new(Policy::empty()), invalid: None })
    }
    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
    /// The owner's connections, by label.
    pub fn list(&self, owner: &str) -> Result<Vec<Stored>, StoreError> {
        Err(StoreError::Missing)
    }
    /// The owner's connection of this identity.
    pub fn get(&self, owner: &str, identity: &str) -> Result<Stored, StoreError> {
        Err(StoreError::Missing)
    }
    /// The owner's connection of this name.
    pub fn find(&self, owner: &str, id: &ConnectionId<'_>) -> Result<Stored, StoreError> {
        Err(StoreError::Missing)
    }
    /// Makes a connection.
    pub fn create(&self, owner: &str, draft: &Draft) -> Result<Stored, StoreError> {
        Err(StoreError::Missing)
    }
    /// Changes a connection, if it still has this revision.
    pub fn change(
        &self,
        owner: &str,
        identity: &str,
        revision: &str,
        draft: &Draft,
    ) -> Result<Stored, StoreError> {
        Err(StoreError::Missing)
    }
    /// Deletes a connection, if it still has this revision.
    pub fn delete(&self, owner: &str, identity: &str, revision: &str) -> Result<(), StoreError> {
        Err(StoreError::Missing)
    }
    /// Makes a connection the one that bare `s3` names, and another one no longer.
    pub fn make_default(
        &self,
        owner: &str,
        identity: &str,
        revision: &str,
    ) -> Result<Stored, StoreError> {
        Err(StoreError::Missing)
    }
    /// Whether any user may sign in: has a key with `manage`.
    pub fn has_users(&self) -> bool {
        false
    }
    /// The users.
    pub fn users(&self) -> Vec<User> {
        Vec::new()
    }
    /// Makes a user without keys.
    pub fn create_user(&self, name: &str) -> Result<(), StoreError> {
        Err(StoreError::Missing)
    }
    /// The user's keys.
    pub fn keys(&self, owner: &str) -> Result<Vec<KeyInfo>, StoreError> {
        Err(StoreError::Missing)
    }
    /// Makes a key, and the user if there is none yet; returns the key itself, this once.
    pub fn create_key(
        &self,
        owner: &str,
        id: &str,
        access: AccessSet,
        manage: bool,
    ) -> Result<(KeyInfo, zeroize::Zeroizing<String>), StoreError> {
        Err(StoreError::Missing)
    }
    /// Revokes a key: when this returns, no listener decides by it any more.
    pub fn revoke_key(&self, owner: &str, id: &str) -> Result<(), StoreError> {
        Err(StoreError::Missing)
    }
    /// Calls this after every change, before the changing call returns.
    pub fn on_change(&self, listener: Listener) {}
    /// Follows what others change, from now on.
    pub fn follow(&self) -> Result<Follower, StoreError> {
        Err(StoreError::Missing)
    }
    /// What opens the store's sealed credentials, for [`S3`](crate::executor::S3).
    pub fn unseal(&self) -> Arc<dyn Unseal> {
        Arc::new(seal::NoKey)
    }
}
