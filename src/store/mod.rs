//! A store of connections: a folder that is served from, and changed meanwhile.
//!
//! It is a folder of policy files, so that everything reads it that reads a policy, and it can live in
//! git: `NAME.yaml` with one connection each, `user-NAME.yaml` with a user's keys. Files that were
//! written by hand, with several connections, are as good. A change is made in the text of its file:
//! comments and whatever else does not change stay as they are.
//!
//! * **Whole or not at all.** A file is replaced by a rename, once it is on the disk; a change of two
//!   files is written down first, and finished by whoever comes next. What a call has returned is on the
//!   disk. A change after which the folder would not load is not made.
//! * **No lost update.** A change names the revision that it was decided on. If its file has another by
//!   now, nothing happens ([`StoreError::Conflict`]). Writers of all processes take turns, by a lock on
//!   `.pathward.lock`.
//! * **One state for all.** [`Store::snapshot`] is the last revision that loaded. A change is in it, and
//!   every [listener](Store::on_change) has heard of it, before the changing call returns: a key that was
//!   revoked decides nothing any more. What others change is in it within a second, while a
//!   [`Follower`] is there; what does not load is reported, and changes nothing.
//!   A file that an editor is still writing is left alone until it has not changed for a moment.
//! * **Secrets are sealed**, with a key that the operator holds ([`SealKey`]), and never shown again.
//!
//! Whoever keeps the folder in git leaves out what starts with `.pathward`: the lock, what is there while
//! a change is made, and what each [`Follower`] says of itself ([`Store::followers`]).
//!
//! ```
//! use pathward::store::{Draft, DraftRule, SealKey, Secret, DraftCredentials, Store};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let key = SealKey::parse(&SealKey::generate())?;
//! let store = Store::open(folder, Some(key))?;
//! let mut draft = Draft::new("saha");
//! draft.credentials = DraftCredentials::Secret(Secret::new("AKIAEXAMPLE", "secret"));
//! draft.restrictions = Some(vec![DraftRule::path("Algorithmia/*")]);
//! let saha = store.create("steph", &draft)?;
//!
//! let mut draft = saha.draft();
//! draft.label = "reports".to_owned();
//! let reports = store.change("steph", &saha.identity, &saha.revision, &draft)?;
//! assert_eq!(reports.identity, saha.identity);
//! // Decided on what is no longer so.
//! assert!(store.change("steph", &saha.identity, &saha.revision, &draft).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod change;
mod draft;
mod error;
mod folder;
mod follow;
mod gone;
mod lock;
mod quota;
mod replace;
mod reseal;
mod seal;
mod serving;
mod stored;
mod update;
mod users;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use self::folder::{Disk, Files};
pub(crate) use self::lock::Lock;
#[cfg(feature = "portal")]
pub(crate) use self::seal::{Part, wrong_parts};
pub use self::{
    draft::{Draft, DraftCredentials, DraftError, DraftRule, Secret},
    error::StoreError,
    follow::Follower,
    quota::Quota,
    seal::{SEAL_KEY_VARIABLE, SealKey, SealKeyError},
    serving::FollowedBy,
    stored::Stored,
    users::{KeyInfo, random_key},
};
pub use crate::policy::{Opened, Unseal, UnsealError};
use crate::policy::{Policy, PolicyErrors};

/// A folder of connections and users. Cheap to clone, every clone the same.
///
/// Calls block for as long as files and locks take.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    quota: Option<Quota>,
}

struct Inner {
    folder: PathBuf,
    seal: Option<Arc<SealKey>>,
    state: RwLock<State>,
    /// Held while a state is published, so that listeners hear of states in their order.
    listeners: Mutex<Vec<Listener>>,
}

/// What the folder says, as far as it is known.
#[derive(Clone)]
struct State {
    snapshot: Arc<Snapshot>,
    /// The files as they were last read, whether they load or not.
    disk: Arc<Disk>,
    /// Whether the folder could not be looked at since.
    is_blind: bool,
    /// Whether something is served that was seen to be gone.
    is_behind: bool,
    /// Counts the states.
    generation: u64,
}

/// What is called after a change. It must not change the store itself.
pub type Listener = Box<dyn Fn(&Arc<Snapshot>) + Send + Sync>;

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("folder", &self.inner.folder)
            .field("revision", &self.snapshot().policy.revision())
            .finish_non_exhaustive()
    }
}

/// What the store says at one time.
pub struct Snapshot {
    policy: Arc<Policy>,
    files: Arc<Files>,
    invalid: Option<String>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("revision", &self.policy.revision())
            .field("is_invalid", &self.invalid.is_some())
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    /// The last policy that loaded.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Whether anyone may manage connections: has a key that is for it.
    pub fn has_users(&self) -> bool {
        self.policy.users().iter().any(|user| user.keys.iter().any(|key| key.manage))
    }

    /// Why what the folder says since then does not load. For the operator: it shows lines of files.
    pub fn invalid(&self) -> Option<&str> {
        self.invalid.as_deref()
    }
}

impl Store {
    /// Opens a store; makes the folder if it is not there. An empty one is a store without
    /// connections.
    ///
    /// # Errors
    ///
    /// The folder cannot be read or made, or does not load ([`StoreError::Broken`]).
    pub fn open(folder: &Path, seal: Option<SealKey>) -> Result<Self, StoreError> {
        Self::open_with(folder, seal, |errors| Err(StoreError::Broken(errors)))
    }

    /// Opens a store even where it does not load: then it has nothing, and says why
    /// ([`Snapshot::invalid`]). A key can be [revoked](Store::revoke_key) in it all the same.
    ///
    /// # Errors
    ///
    /// The folder cannot be read or made.
    pub fn open_as_is(folder: &Path, seal: Option<SealKey>) -> Result<Self, StoreError> {
        Self::open_with(folder, seal, |errors| Ok(errors.to_string()))
    }

    fn open_with(
        folder: &Path,
        seal: Option<SealKey>,
        broken: impl FnOnce(PolicyErrors) -> Result<String, StoreError>,
    ) -> Result<Self, StoreError> {
        replace::make(folder)?;
        // What cannot be finished is not what keeps the rest from being served.
        let unfinished = lock::finish(folder).err().map(|error| update::unread(&error));
        if let Some(why) = &unfinished {
            tracing::error!(target: "pathward::store", "{why}");
        }
        let lock = Lock::shared(folder);
        let disk = folder::read(folder)?;
        drop(lock);
        let snapshot = match disk.policy(folder, &[]) {
            Ok(policy) => {
                let files = Arc::new(disk.files.clone());
                Snapshot { policy: Arc::new(policy), files, invalid: unfinished }
            }
            Err(errors) => {
                let (policy, files) = (Arc::new(Policy::empty()), Arc::default());
                Snapshot { policy, files, invalid: Some(broken(errors)?) }
            }
        };
        let state = State {
            is_blind: snapshot.invalid.is_some(),
            is_behind: false,
            snapshot: Arc::new(snapshot),
            disk: Arc::new(disk),
            generation: 0,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                folder: folder.to_owned(),
                seal: seal.map(Arc::new),
                state: RwLock::new(state),
                listeners: Mutex::default(),
            }),
            quota: None,
        })
    }

    /// The same store, where connections and keys are made and changed only as long as their owner has
    /// no more than this ([`StoreError::Quota`]).
    #[must_use]
    pub fn within(&self, quota: Quota) -> Self {
        Self { inner: Arc::clone(&self.inner), quota: Some(quota) }
    }

    /// What one owner may have, where there is a limit.
    pub fn quota(&self) -> Option<&Quota> {
        self.quota.as_ref()
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// The last revision that loaded.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.state().snapshot
    }

    /// Calls this after every change of what [`Store::snapshot`] gives: of one that is made here, before
    /// the changing call returns.
    pub fn on_change(&self, listener: Listener) {
        self.inner.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// What opens the store's sealed credentials, for
    #[cfg_attr(feature = "executor", doc = "[`S3`](crate::executor::S3::unseal_by).")]
    #[cfg_attr(not(feature = "executor"), doc = "an executor.")]
    pub fn unseal(&self) -> Arc<dyn Unseal> {
        match &self.inner.seal {
            Some(key) => Arc::clone(key) as Arc<dyn Unseal>,
            None => Arc::new(seal::NoKey),
        }
    }

    /// Whether there is a key to seal secrets with.
    pub fn has_seal_key(&self) -> bool {
        self.inner.seal.is_some()
    }

    fn state(&self) -> State {
        self.inner.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
