//! How a state follows another: by a change that is made here, or one that others made.

use std::sync::{Arc, PoisonError};

use super::{
    Snapshot, State, Store, StoreError,
    folder::{self, Disk, Edits, Files, edited},
    gone,
    lock::Lock,
};
use crate::policy::{Policy, PolicyErrors};

/// How often a change is decided while others may write, before it is under the lock.
const WITHOUT_LOCK: u32 = 3;

/// A change, as it was decided.
struct Change<T> {
    /// The policy before it.
    policy: Arc<Policy>,
    edits: Edits,
    /// What the folder says then; nothing where nothing changes.
    after: Option<(Files, Policy)>,
    done: T,
}

/// What the folder has come to.
pub(super) enum Now {
    /// It loads.
    Loads(Policy, Files),
    /// It does not, and the last revision that did stays.
    Fails(String),
    /// It does not, and the last revision that did stays, but for what was taken away.
    Less(Policy, Files, String),
    /// It does not, and the last revision that did stays with what was taken away since, which could not be.
    Behind(String),
}

/// What is said of a folder that cannot be looked at.
pub(super) fn unread(error: &StoreError) -> String {
    format!("cannot be read: {error}")
}

impl Store {
    pub(super) fn generation(&self) -> u64 {
        self.state().generation
    }

    /// Whether this was read already.
    pub(super) fn has_seen(&self, disk: &Disk) -> bool {
        *self.state().disk == *disk
    }

    /// The state that is served: whoever listens has heard of it.
    pub(super) fn heard(&self) -> State {
        let listeners = self.inner.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.state();
        drop(listeners);
        state
    }

    /// Whether the last look saw nothing.
    pub(super) fn is_blind(&self) -> bool {
        self.state().is_blind
    }

    /// Takes what someone else wrote, unless something else was published since `generation`.
    pub(super) fn take(&self, generation: u64, disk: Disk) -> bool {
        let now = match disk.policy(self.folder(), &[self.snapshot().policy()]) {
            Ok(policy) => Now::Loads(policy, disk.files.clone()),
            Err(errors) => {
                let why = errors.to_string();
                match gone::without(&self.snapshot(), &disk, self.folder()) {
                    None => Now::Fails(why),
                    Some(Ok((policy, files))) => Now::Less(policy, files, why),
                    Some(Err(errors)) => Now::Behind(format!("{why}\n{errors}")),
                }
            }
        };
        self.publish(Some(generation), Some(disk), now).is_some()
    }

    /// Says that the folder cannot be looked at: whatever it says by now, it is not what is served.
    pub(super) fn is_unread(&self, why: &str) {
        if self.snapshot().invalid() != Some(why) {
            drop(self.publish(None, None, Now::Fails(why.to_owned())));
        }
    }

    /// Makes a state the one that is served, and tells whoever listens. `None` when another was
    /// published since `generation`.
    fn publish(
        &self,
        generation: Option<u64>,
        disk: Option<Disk>,
        now: Now,
    ) -> Option<Arc<Snapshot>> {
        let listeners = self.inner.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.state();
        if generation.is_some_and(|generation| generation != before.generation) {
            return None;
        }
        let last = &before.snapshot;
        let is_behind = matches!(now, Now::Behind(_));
        let (policy, files, invalid) = match now {
            Now::Loads(policy, files) => (Arc::new(policy), Arc::new(files), None),
            Now::Less(policy, files, why) => (Arc::new(policy), Arc::new(files), Some(why)),
            Now::Fails(why) | Now::Behind(why) => {
                (Arc::clone(&last.policy), Arc::clone(&last.files), Some(why))
            }
        };
        match &invalid {
            None => tracing::info!(
                target: "pathward::store",
                revision = %policy.revision(),
                "the store has a new revision"
            ),
            Some(why) => tracing::error!(
                target: "pathward::store",
                revision = %policy.revision(),
                "the store does not load and its last revision stays, but for what is gone from it: {why}"
            ),
        }
        let snapshot = Arc::new(Snapshot { policy, files, invalid });
        let state = State {
            snapshot: Arc::clone(&snapshot),
            is_blind: disk.is_none(),
            is_behind,
            disk: disk.map_or(before.disk, Arc::new),
            generation: before.generation + 1,
        };
        *self.inner.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        for listener in listeners.iter() {
            listener(&snapshot);
        }
        Some(snapshot)
    }

    /// Changes the folder. `decide` gets what it says now, and says what becomes of which files; a change
    /// after which the folder would not load is not made. It is asked again where somebody else wrote
    /// meanwhile. `taken` is what is there already when something is defined twice. Returns also what the
    /// folder says then.
    ///
    /// What takes long is done while others may write: the lock is held only for what was decided on being
    /// so still, unless others write again and again.
    pub(super) fn update<T>(
        &self,
        taken: &'static str,
        mut decide: impl FnMut(&Files, &Policy) -> Result<(Edits, T), StoreError>,
    ) -> Result<(T, Arc<Snapshot>), StoreError> {
        let folder = self.folder();
        let mut compiled = None;
        for _ in 0..WITHOUT_LOCK {
            let lock = Lock::shared(folder);
            let disk = folder::read(folder)?;
            drop(lock);
            let change = self.planned(&disk, taken, &mut decide, compiled.as_ref());
            let lock = Lock::exclusive(folder)?;
            // It may have been read in the middle of something: then it is another thing now.
            if folder::read(folder)? == disk {
                return self.make(&lock, disk.files, change?);
            }
            compiled = change.ok().and_then(|change| change.after).map(|(_, policy)| policy);
        }
        let lock = Lock::exclusive(folder)?;
        let disk = folder::read(folder)?;
        let change = self.planned(&disk, taken, decide, compiled.as_ref())?;
        self.make(&lock, disk.files, change)
    }

    /// Decides on something, once, while nobody else writes.
    pub(super) fn while_locked(
        &self,
        decide: impl FnOnce(&Policy) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let _lock = Lock::exclusive(self.folder())?;
        let policy = self.loaded(&folder::read(self.folder())?)?;
        decide(&policy)
    }

    /// What the files say. What loaded already is not compiled again.
    fn loaded(&self, disk: &Disk) -> Result<Arc<Policy>, StoreError> {
        let snapshot = self.state().snapshot;
        match disk.unread.is_empty() && *snapshot.files == disk.files {
            true => Ok(Arc::clone(&snapshot.policy)),
            false => {
                let policy = disk.policy(self.folder(), &[&snapshot.policy]);
                Ok(Arc::new(policy.map_err(StoreError::Broken)?))
            }
        }
    }

    /// What a change of these files comes to. `compiled` is a policy some of whose files may be known.
    fn planned<T>(
        &self,
        disk: &Disk,
        taken: &'static str,
        decide: impl FnOnce(&Files, &Policy) -> Result<(Edits, T), StoreError>,
        compiled: Option<&Policy>,
    ) -> Result<Change<T>, StoreError> {
        let policy = self.loaded(disk)?;
        let (edits, done) = decide(&disk.files, &policy)?;
        if edits.is_empty() {
            return Ok(Change { policy, edits, after: None, done });
        }
        let files = edited(&disk.files, &edits);
        let known: Vec<_> = [&*policy].into_iter().chain(compiled).collect();
        let after = folder::policy(self.folder(), &files, &known).map_err(|errors| {
            let is_double = errors.errors().any(|error| error.code() == "policy.duplicate");
            match is_double {
                true => StoreError::Taken { what: taken },
                false => StoreError::Invalid(errors),
            }
        })?;
        Ok(Change { policy, edits, after: Some((files, after)), done })
    }

    /// Makes a change of what the folder says, under its lock.
    fn make<T>(
        &self,
        lock: &Lock,
        before: Files,
        change: Change<T>,
    ) -> Result<(T, Arc<Snapshot>), StoreError> {
        let Change { policy, edits, after, done } = change;
        let Some((files, after)) = after else {
            return Ok((
                done,
                Arc::new(Snapshot { policy, files: Arc::new(before), invalid: None }),
            ));
        };
        lock.write(self.folder(), &edits, (&before, &files))?;
        let disk = Disk { files: files.clone(), ..Disk::default() };
        let snapshot = self.publish(None, Some(disk), Now::Loads(after, files));
        Ok((done, snapshot.unwrap_or_else(|| self.snapshot())))
    }

    /// A change that only takes away, and that is made even when some other file does not load: in
    /// those that load, and in what is served.
    pub(super) fn take_away(
        &self,
        decide: impl Fn(&Files, &Policy) -> Result<(Edits, ()), StoreError>,
    ) -> Result<(), StoreError> {
        match self.update("a name", &decide) {
            Err(StoreError::Broken(errors)) => self.take_away_broken(errors, decide),
            done => done.map(drop),
        }
    }

    fn take_away_broken(
        &self,
        errors: PolicyErrors,
        decide: impl Fn(&Files, &Policy) -> Result<(Edits, ()), StoreError>,
    ) -> Result<(), StoreError> {
        let folder = self.folder();
        let lock = Lock::exclusive(folder)?;
        let disk = folder::read(folder)?;
        let last = self.snapshot();
        let less = match decide(&last.files, &last.policy) {
            Ok((edits, ())) => {
                let files = edited(&last.files, &edits);
                Some((
                    folder::policy(folder, &files, &[&last.policy]).map_err(StoreError::Invalid)?,
                    files,
                ))
            }
            Err(StoreError::Missing) => None,
            Err(error) => return Err(error),
        };
        // The files that say it, of those that load: together, or else one by one.
        let alone = |file| folder::alone(folder, file, &last.policy);
        let mut sound: Vec<_> = disk.files.iter().filter_map(alone).collect();
        let is_whole = disk.unread.is_empty() && sound.len() == disk.files.len();
        let together: Files = sound.iter().flat_map(|(one, _)| one.clone()).collect();
        if let Ok(policy) = folder::policy(folder, &together, &[&last.policy]) {
            sound = vec![(together, policy)];
        }
        let mut edits = None;
        for (files, policy) in &sound {
            match decide(files, policy) {
                Err(StoreError::Missing) => {}
                decided => {
                    edits = Some(decided?.0);
                    break;
                }
            }
        }
        match (&edits, &less) {
            // It may be in what does not load, and come back with it.
            (None, _) if !is_whole => return Err(StoreError::Broken(errors)),
            (None, None) => return Err(StoreError::Missing),
            _ => {}
        }
        let edits = edits.unwrap_or_default();
        let files = edited(&disk.files, &edits);
        lock.write(folder, &edits, (&disk.files, &files))?;
        let disk = Disk { files, ..disk };
        let now = match (disk.policy(folder, &[&last.policy]), less) {
            (Ok(policy), _) => Now::Loads(policy, disk.files.clone()),
            (Err(errors), Some((policy, files))) => Now::Less(policy, files, errors.to_string()),
            (Err(errors), None) => Now::Fails(errors.to_string()),
        };
        drop(self.publish(None, Some(disk), now));
        Ok(())
    }
}
