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
//! * **Secrets are sealed**, with a key that the operator holds ([`SealKey`]), and never shown again.
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
mod reseal;
mod seal;
mod stored;
mod users;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use self::folder::{Edits, Files, Lock};
pub use self::{
    draft::{Draft, DraftCredentials, DraftError, DraftRule, Secret},
    error::StoreError,
    follow::Follower,
    seal::{SEAL_KEY_VARIABLE, SealKey, SealKeyError},
    stored::Stored,
    users::{KeyInfo, random_key},
};
use crate::policy::Policy;
pub use crate::policy::{Opened, Unseal, UnsealError};

/// A folder of connections and users. Cheap to clone, every clone the same.
///
/// Calls block for as long as files and locks take.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
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
    files: Arc<Files>,
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
        folder::make(folder)?;
        if folder::is_interrupted(folder) {
            drop(Lock::exclusive(folder)?);
        }
        let lock = Lock::shared(folder);
        let files = Arc::new(folder::read(folder)?);
        drop(lock);
        let policy = folder::policy(folder, &files).map_err(StoreError::Broken)?;
        let snapshot =
            Snapshot { policy: Arc::new(policy), files: Arc::clone(&files), invalid: None };
        let state = State { snapshot: Arc::new(snapshot), files, generation: 0 };
        Ok(Self {
            inner: Arc::new(Inner {
                folder: folder.to_owned(),
                seal: seal.map(Arc::new),
                state: RwLock::new(state),
                listeners: Mutex::default(),
            }),
        })
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

    fn generation(&self) -> u64 {
        self.state().generation
    }

    /// Whether these files were read already.
    fn has_seen(&self, files: &Files) -> bool {
        *self.state().files == *files
    }

    /// Takes files that someone else wrote, unless something else was published since `generation`.
    fn take(&self, generation: u64, files: Files) -> bool {
        let policy = folder::policy(self.folder(), &files);
        self.publish(Some(generation), files, policy.map_err(|errors| errors.to_string()))
    }

    /// Makes a state the one that is served, and tells whoever listens.
    fn publish(
        &self,
        generation: Option<u64>,
        files: Files,
        policy: Result<Policy, String>,
    ) -> bool {
        let files = Arc::new(files);
        let listeners = self.inner.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.state();
        if generation.is_some_and(|generation| generation != before.generation) {
            return false;
        }
        let snapshot = match policy {
            Ok(policy) => {
                tracing::info!(
                    target: "pathward::store",
                    revision = %policy.revision(),
                    "the store has a new revision"
                );
                Snapshot { policy: Arc::new(policy), files: Arc::clone(&files), invalid: None }
            }
            Err(errors) => {
                tracing::error!(
                    target: "pathward::store",
                    revision = %before.snapshot.policy.revision(),
                    "the store does not load and its last revision stays: {errors}"
                );
                let last = &before.snapshot;
                let (policy, files) = (Arc::clone(&last.policy), Arc::clone(&last.files));
                Snapshot { policy, files, invalid: Some(errors) }
            }
        };
        let snapshot = Arc::new(snapshot);
        let state =
            State { snapshot: Arc::clone(&snapshot), files, generation: before.generation + 1 };
        *self.inner.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        for listener in listeners.iter() {
            listener(&snapshot);
        }
        true
    }

    /// Changes the folder. `decide` gets what it says now, while nobody else writes, and says what
    /// becomes of which files; a change after which the folder would not load is not made. `taken` is
    /// what is there already when something is defined twice.
    fn update<T>(
        &self,
        taken: &'static str,
        decide: impl FnOnce(&Files, &Policy) -> Result<(Edits, T), StoreError>,
    ) -> Result<T, StoreError> {
        let folder = self.folder();
        let lock = Lock::exclusive(folder)?;
        let files = folder::read(folder)?;
        let state = self.state();
        // What loaded already is not compiled again.
        let known = *state.snapshot.files == files;
        let policy = match known {
            true => Arc::clone(&state.snapshot.policy),
            false => Arc::new(folder::policy(folder, &files).map_err(StoreError::Broken)?),
        };
        let (edits, done) = decide(&files, &policy)?;
        if edits.is_empty() {
            return Ok(done);
        }
        let mut after = files;
        for (name, bytes) in &edits {
            match bytes {
                Some(bytes) => after.insert(name.clone(), bytes.as_slice().into()),
                None => after.remove(name),
            };
        }
        let policy = folder::policy(folder, &after).map_err(|errors| {
            let is_double = errors.errors().any(|error| error.code() == "policy.duplicate");
            match is_double {
                true => StoreError::Taken { what: taken },
                false => StoreError::Invalid(errors),
            }
        })?;
        lock.write(folder, &edits, &after)?;
        self.publish(None, after, Ok(policy));
        Ok(done)
    }
}
