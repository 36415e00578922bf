//! Connections of a store, as they are found by owner and name.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use super::{Draft, DraftCredentials, Snapshot, Store, StoreError, folder};
use crate::policy::{
    Connection, ConnectionId, Location,
    written::{self, Written},
};

/// A connection of a store.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its name in the store, which stays the same when its label changes: the name of its file. In a
    /// file with several connections, `NAME~LABEL`.
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

/// A connection, and the file that defines it.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) written: Written,
    pub(super) identity: String,
}

/// The name of the file that something is in, as the folder has it.
pub(super) fn name_of(location: &Location) -> String {
    let file = &*location.file;
    file.rsplit(['/', '\\']).next().unwrap_or(file).to_owned()
}

/// The connections of files, each file read once.
#[derive(Default)]
pub(super) struct Reading(HashMap<String, Arc<[Written]>>);

impl Reading {
    fn connections(&mut self, files: &folder::Files, name: &str) -> Arc<[Written]> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let text = files.get(name).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let read = text.and_then(written::connections).unwrap_or_default();
        Arc::clone(self.0.entry(name.to_owned()).or_insert(read.into()))
    }

    /// What the connection's file says of it.
    pub(super) fn find(&mut self, files: &folder::Files, of: &Connection) -> Option<Found> {
        let name = name_of(of.location());
        let all = self.connections(files, &name);
        let label = of.id().label()?;
        let written = all.iter().find(|one| one.owner == of.owner() && one.label == label)?;
        let stem = name.strip_suffix(".yaml").unwrap_or(&name);
        let identity = match all.len() {
            // A `~` in a file's name is not to be taken for the other kind.
            1 if !stem.contains('~') => stem.to_owned(),
            _ => format!("{stem}~{label}"),
        };
        Some(Found { written: written.clone(), name, identity })
    }
}

impl Store {
    /// The owner's connections, by label.
    ///
    /// # Errors
    ///
    /// None as yet.
    pub fn list(&self, owner: &str) -> Result<Vec<Stored>, StoreError> {
        let snapshot = self.snapshot();
        let mut reading = Reading::default();
        let connections = snapshot.policy().connections().iter();
        let own = connections.filter(|connection| connection.owner() == owner);
        let mut all: Vec<Stored> =
            own.filter_map(|own| self.stored(&snapshot, &mut reading, own)).collect();
        all.sort_by(|a, b| a.connection.id().cmp(b.connection.id()));
        Ok(all)
    }

    /// The owner's connection of this identity.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], also for one that is another owner's.
    pub fn get(&self, owner: &str, identity: &str) -> Result<Stored, StoreError> {
        let all = self.list(owner)?;
        all.into_iter().find(|one| one.identity == identity).ok_or(StoreError::Missing)
    }

    /// The owner's connection of this name.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], also for one that is another owner's.
    pub fn find(&self, owner: &str, id: &ConnectionId<'_>) -> Result<Stored, StoreError> {
        self.found_in(&self.snapshot(), owner, id)
    }

    pub(super) fn found_in(
        &self,
        snapshot: &Snapshot,
        owner: &str,
        id: &ConnectionId<'_>,
    ) -> Result<Stored, StoreError> {
        let connection = snapshot.policy().connection(owner, id).ok_or(StoreError::Missing)?;
        self.stored(snapshot, &mut Reading::default(), connection).ok_or(StoreError::Missing)
    }

    fn stored(
        &self,
        snapshot: &Snapshot,
        reading: &mut Reading,
        connection: &Arc<Connection>,
    ) -> Option<Stored> {
        let found = reading.find(&snapshot.files, connection)?;
        Some(Stored {
            revision: folder::revision(snapshot.files.get(&found.name)?),
            connection: Arc::clone(connection),
            file: self.folder().join(&found.name),
            identity: found.identity,
            draft: Draft::of(found.written),
        })
    }
}

impl Draft {
    /// What a file says of a connection, as a draft that changes nothing.
    fn of(written: Written) -> Self {
        Self {
            label: written.label,
            is_default: written.is_default,
            endpoint: written.endpoint,
            region: written.region,
            keys: written.keys,
            conditions: written.conditions,
            credentials: DraftCredentials::Keep,
            access: written.access,
            restrictions: written.restrictions,
            deny: written.deny,
        }
    }
}
