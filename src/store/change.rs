//! Changes of connections.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use super::{
    Draft, DraftCredentials, Snapshot, Store, StoreError, Stored,
    folder::{self, Edits, Files},
    seal,
    stored::{Found, Reading},
    users::{follow, user},
};
use crate::policy::{
    Connection, ConnectionId, CredentialsRef, Policy,
    written::{self, Why, Written},
};

/// What is taken when a connection would be there twice.
pub(super) const LABEL: &str = "the label";
const DEFAULT: &str = "the place of the default connection";

impl Store {
    /// Makes a connection. Its identity is made of the owner and the label, and stays when the label
    /// changes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`] with all that is wrong with the draft; [`StoreError::Taken`]: the owner has
    /// a connection of this label, or another default one; [`StoreError::NamedByKey`];
    /// [`StoreError::NoSealKey`];
    /// [`StoreError::Quota`].
    pub fn create(&self, owner: &str, draft: &Draft) -> Result<Stored, StoreError> {
        let (written, new) = self.prepare(owner, draft, None)?;
        let label = written.label.clone();
        let ((), after) = self.update(LABEL, |files, policy| {
            is_free(policy, owner, &written, None)?;
            self.is_within(policy, &new, None)?;
            let mut written = written.clone();
            self.seal(draft, &mut written)?;
            let name = format!("{}.yaml", new_identity(files, owner, &label));
            Ok((Edits::from([(name, Some(written.text().into_bytes()))]), ()))
        })?;
        self.labelled(&after, owner, &label)
    }

    /// Changes a connection, if it still has this revision: it says what the draft says, and what else
    /// its file says stays. Keys that are for it by its name get its new one.
    ///
    /// # Errors
    ///
    /// As [`Store::create`]; [`StoreError::Conflict`]: it has another revision by now;
    /// [`StoreError::Missing`]; [`StoreError::SecretNeeded`]: the endpoint changes and the credentials,
    /// which are sealed for the old one, are to be kept; [`StoreError::NotEditable`].
    pub fn change(
        &self,
        owner: &str,
        identity: &str,
        revision: &str,
        draft: &Draft,
    ) -> Result<Stored, StoreError> {
        let old = self.quota.as_ref().and_then(|_| self.get(owner, identity).ok());
        let old = old.as_ref().map(|old| &*old.connection);
        let (written, connection) = self.prepare(owner, draft, old)?;
        let label = written.label.clone();
        let ((), after) = self.update(LABEL, |files, policy| {
            let old = found(files, policy, owner, identity, revision)?;
            let mut new = written.clone();
            if let DraftCredentials::Keep = draft.credentials {
                let kept = old.written.credentials.clone();
                let is_sealed = matches!(kept, Some(CredentialsRef::Sealed(_)));
                if is_sealed && new.endpoint != old.written.endpoint {
                    return Err(StoreError::SecretNeeded);
                }
                new.credentials = kept;
            }
            is_free(policy, owner, &new, Some(&old.written))?;
            self.is_within(policy, &connection, Some(&old.written))?;
            self.seal(draft, &mut new)?;
            if new == old.written {
                return Ok((Edits::new(), ()));
            }
            let text = text_of(files, &old.name)?;
            let changed = written::replace(text, owner, &old.written.label, &new)
                .map_err(|why| self.by_hand(&old.name, why))?;
            let mut edits = Edits::from([(old.name, Some(changed.into_bytes()))]);
            if let (Some(user), true) = (user(policy, owner), new.label != old.written.label) {
                let [was, is] = [&old.written.label, &new.label].map(|label| id_of(label));
                follow(&mut edits, files, user, &was?, Some(&is?))
                    .map_err(|(name, why)| self.by_hand(&name, why))?;
            }
            Ok((edits, ()))
        })?;
        self.labelled(&after, owner, &label)
    }

    /// Deletes a connection, if it still has this revision, and with it the keys that are for it alone.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`], [`StoreError::Missing`], [`StoreError::NotEditable`].
    pub fn delete(&self, owner: &str, identity: &str, revision: &str) -> Result<(), StoreError> {
        self.take_away(|files, policy| {
            let old = found(files, policy, owner, identity, revision)?;
            let text = text_of(files, &old.name)?;
            let left = written::remove(text, owner, &old.written.label)
                .map_err(|why| self.by_hand(&old.name, why))?;
            let mut edits = Edits::from([(old.name, left.map(String::into_bytes))]);
            if let Some(user) = user(policy, owner) {
                // Keys in a file that was written otherwise keep a name that is nobody's, and that
                // nothing gets as long as they do: no reason to leave the connection there.
                drop(follow(&mut edits, files, user, &id_of(&old.written.label)?, None));
            }
            Ok((edits, ()))
        })
    }

    /// Makes a connection the one that bare `s3` names, and the one that was it no longer: both or
    /// neither.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`], [`StoreError::Missing`], [`StoreError::NotEditable`].
    pub fn make_default(
        &self,
        owner: &str,
        identity: &str,
        revision: &str,
    ) -> Result<Stored, StoreError> {
        let (label, after) = self.update(DEFAULT, |files, policy| {
            let chosen = found(files, policy, owner, identity, revision)?;
            let label = chosen.written.label.clone();
            let mut edits = Edits::new();
            if chosen.written.is_default {
                return Ok((edits, label));
            }
            let bare = ConnectionId::parse("s3").ok();
            let last = bare.and_then(|bare| policy.connection(owner, &bare));
            let last = last.and_then(|last| Reading::default().find(files, last));
            for (one, is_default) in
                last.map(|one| (one, false)).into_iter().chain([(chosen, true)])
            {
                let new = Written { is_default, ..one.written.clone() };
                // Both may be in one file.
                let text = match edits.get(&one.name) {
                    Some(Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
                    _ => text_of(files, &one.name)?.to_owned(),
                };
                let changed = written::replace(&text, owner, &one.written.label, &new)
                    .map_err(|why| self.by_hand(&one.name, why))?;
                edits.insert(one.name, Some(changed.into_bytes()));
            }
            Ok((edits, label))
        })?;
        self.labelled(&after, owner, &label)
    }

    /// Refuses a draft that is by itself more than its owner may have, where there is a quota: before
    /// anything of it is compiled. `old` is what it takes the place of.
    ///
    /// # Errors
    ///
    /// [`StoreError::Quota`].
    pub fn admits(&self, draft: &Draft, old: Option<&Connection>) -> Result<(), StoreError> {
        self.quota.as_ref().map_or(Ok(()), |quota| quota.check_draft(draft, old))
    }

    /// What a draft would be written as, but for a secret; checked before anything is locked.
    fn prepare(
        &self,
        owner: &str,
        draft: &Draft,
        old: Option<&Connection>,
    ) -> Result<(Written, Arc<Connection>), StoreError> {
        self.admits(draft, old)?;
        if let DraftCredentials::Reference(CredentialsRef::Sealed(_)) = draft.credentials {
            return Err(StoreError::SecretNeeded);
        }
        let policy = draft.check(owner).map_err(StoreError::Invalid)?;
        let connection = policy.connections().first().cloned().ok_or(StoreError::Missing)?;
        if let DraftCredentials::Secret(secret) = &draft.credentials {
            seal::check(secret)?;
            if !self.has_seal_key() {
                return Err(StoreError::NoSealKey);
            }
        }
        let mut written = draft.written(owner);
        // Without a `/` at its end, as it is compared when the secret is opened.
        written.endpoint = connection.endpoint().map(str::to_owned);
        Ok((written, connection))
    }

    /// Refuses a connection with which its owner has too much, where there is a quota.
    fn is_within(
        &self,
        policy: &Policy,
        new: &Connection,
        old: Option<&Written>,
    ) -> Result<(), StoreError> {
        let Some(quota) = &self.quota else { return Ok(()) };
        let old = old.and_then(|old| id_of(&old.label).ok());
        quota.check(policy, new, old.as_ref())
    }

    /// Seals a draft's secret, while the store is locked.
    fn seal(&self, draft: &Draft, written: &mut Written) -> Result<(), StoreError> {
        let DraftCredentials::Secret(secret) = &draft.credentials else { return Ok(()) };
        let key = self.inner.seal.as_deref().ok_or(StoreError::NoSealKey)?;
        let sealed = key.seal(secret, &written.owner, written.endpoint.as_deref())?;
        written.credentials = Some(CredentialsRef::Sealed(sealed));
        Ok(())
    }

    /// What a change has made of a connection, whatever others have made of it since.
    fn labelled(&self, after: &Snapshot, owner: &str, label: &str) -> Result<Stored, StoreError> {
        self.found_in(after, owner, &id_of(label)?)
    }

    pub(super) fn by_hand(&self, name: &str, why: Why) -> StoreError {
        by_hand(self.folder(), name, why)
    }
}

/// A file that has to be changed by hand.
pub(super) fn by_hand(folder: &Path, name: &str, why: Why) -> StoreError {
    StoreError::NotEditable { file: folder.join(name), why: why.to_owned() }
}

/// The name of a connection with this label.
fn id_of(label: &str) -> Result<ConnectionId<'static>, StoreError> {
    let id = format!("s3+{label}");
    ConnectionId::parse(&id).map(ConnectionId::into_owned).map_err(|_| StoreError::Missing)
}

/// The owner's connection of this identity, if it has this revision.
fn found(
    files: &Files,
    policy: &Policy,
    owner: &str,
    identity: &str,
    revision: &str,
) -> Result<Found, StoreError> {
    let mut reading = Reading::default();
    let own = policy.connections().iter().filter(|connection| connection.owner() == owner);
    let found = own
        .filter_map(|own| reading.find(files, own))
        .find(|found| found.identity == identity)
        .ok_or(StoreError::Missing)?;
    let bytes = files.get(&found.name).ok_or(StoreError::Missing)?;
    match folder::revision(bytes) {
        current if current == revision => Ok(found),
        current => Err(StoreError::Conflict { current }),
    }
}

/// Refuses a label, and the place of the default connection, that another connection of the owner has.
fn is_free(
    policy: &Policy,
    owner: &str,
    new: &Written,
    old: Option<&Written>,
) -> Result<(), StoreError> {
    let keeps_label = old.is_some_and(|old| old.label == new.label);
    if !keeps_label {
        let id = id_of(&new.label)?;
        if policy.connection(owner, &id).is_some() {
            return Err(StoreError::Taken { what: LABEL });
        }
        let keys = user(policy, owner).map(|user| &*user.keys).unwrap_or_default();
        if let Some(key) = keys.iter().find(|key| key.reach.names(&id)) {
            return Err(StoreError::NamedByKey { id: key.id.to_string() });
        }
    }
    let has_default =
        || ConnectionId::parse("s3").is_ok_and(|bare| policy.connection(owner, &bare).is_some());
    if new.is_default && !old.is_some_and(|old| old.is_default) && has_default() {
        return Err(StoreError::Taken { what: DEFAULT });
    }
    Ok(())
}

pub(super) fn text_of<'f>(files: &'f Files, name: &str) -> Result<&'f str, StoreError> {
    let bytes = files.get(name).ok_or(StoreError::Missing)?;
    std::str::from_utf8(bytes).map_err(|_| StoreError::Missing)
}

/// A name for a connection's file, which no file has: not even by another case, of which some file
/// systems know nothing. It is the owner's own business: nothing in it tells of a connection of another,
/// which is why whose it is can be read off it. An owner that could be a part of another one's name has
/// a `=` behind it, which is in no owner's part.
fn new_identity(files: &Files, owner: &str, label: &str) -> String {
    let safe = |text: &str, most: usize| -> String {
        let one = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
        text.chars().map(one).take(most).collect()
    };
    let is_own = safe(owner, 64) == owner && !owner.contains(|c: char| c.is_ascii_uppercase());
    let owner = match is_own {
        true => owner.to_owned(),
        false => format!("{}-{}", safe(owner, 32), folder::revision(owner.as_bytes())),
    };
    // What starts with `user-` is for users.
    let between = if owner.contains('-') || owner == "user" { '=' } else { '-' };
    let stem = format!("{owner}{between}{}", safe(label, 64));
    let taken: BTreeSet<String> = files.keys().map(|name| name.to_ascii_lowercase()).collect();
    let is_free = |stem: &str| {
        let name = stem.to_ascii_lowercase();
        !taken.contains(&format!("{name}.yaml")) && !taken.contains(&format!("{name}.yml"))
    };
    let numbered = (2_u64..).map(|n| format!("{stem}-{n}"));
    std::iter::once(stem.clone()).chain(numbered).find(|stem| is_free(stem)).unwrap_or(stem)
}
