//! Users and their API keys.

use std::path::Path;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    Store, StoreError,
    change::by_hand,
    folder::{self, Edits, Files},
    lock::Lock,
    stored::name_of,
};
pub use crate::policy::written::random::random_key;
use crate::{
    access::AccessSet,
    escape::hex,
    policy::{
        ApiKey, ConnectionId, Policy, Reach, User,
        written::{self, Why, text},
    },
};

/// An API key, as far as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// What its owner calls it.
    pub id: String,
    /// What it may do with data.
    pub access: AccessSet,
    /// Whether it may change its user's connections and keys.
    pub manage: bool,
    /// Which of its user's connections it reaches.
    pub reach: Reach,
}

impl KeyInfo {
    fn of(key: &ApiKey) -> Self {
        let reach = key.reach.clone();
        Self { id: key.id.to_string(), access: key.access, manage: key.manage, reach }
    }
}

impl Store {
    /// Whether anyone may manage connections now ([`Snapshot::has_users`](super::Snapshot::has_users)).
    pub fn has_users(&self) -> bool {
        self.snapshot().has_users()
    }

    /// The users.
    pub fn users(&self) -> Vec<User> {
        self.snapshot().policy().users().to_vec()
    }

    /// Makes a user without keys.
    ///
    /// # Errors
    ///
    /// [`StoreError::Taken`]; [`StoreError::Invalid`]: this is no name.
    pub fn create_user(&self, name: &str) -> Result<(), StoreError> {
        const USER: &str = "the user's name";
        let text = user_text(name);
        Policy::from_yaml("user", &text).map_err(StoreError::Invalid)?;
        self.update(USER, |files, policy| {
            let file = user_file(files, name).filter(|_| user(policy, name).is_none());
            let file = file.ok_or(StoreError::Taken { what: USER })?;
            Ok((Edits::from([(file, Some(text.clone().into_bytes()))]), ()))
        })
        .map(drop)
    }

    /// The user's keys, in the order of the file. None for a user who is not known.
    ///
    /// # Errors
    ///
    /// None as yet.
    pub fn keys(&self, owner: &str) -> Result<Vec<KeyInfo>, StoreError> {
        let snapshot = self.snapshot();
        let keys = user(snapshot.policy(), owner).map(|user| &*user.keys).unwrap_or_default();
        Ok(keys.iter().map(KeyInfo::of).collect())
    }

    /// Makes a key, and the user if there is none yet. The key itself is what this returns, and is
    /// nowhere else: the store has its hash. `access` is none, read-only or read-write. A key that
    /// manages reaches all connections; one that does not may be for some alone, and follows them when
    /// their labels change ([`Store::change`], [`Store::delete`]).
    ///
    /// # Errors
    ///
    /// [`StoreError::Taken`]: the user has a key of this id; [`StoreError::Invalid`]: this is no id, or
    /// not what a key may have; [`StoreError::NoConnection`]: it is to be for one that is not there;
    /// [`StoreError::NotEditable`]; [`StoreError::Quota`].
    pub fn create_key(
        &self,
        owner: &str,
        id: &str,
        access: AccessSet,
        manage: bool,
        reach: &Reach,
    ) -> Result<(KeyInfo, Zeroizing<String>), StoreError> {
        const KEY: &str = "the key's id";
        let key = Zeroizing::new(random_key().map_err(|_| StoreError::NoRandomness)?);
        let hash = hex(&Sha256::digest(key.as_bytes()));
        let entry = text::key(id, &hash, access, manage, reach);
        let own = format!("{}    keys:\n      - {entry}\n", user_text(owner));
        Policy::from_yaml("key", &own).map_err(StoreError::Invalid)?;
        self.update(KEY, |files, policy| {
            let mut named = reach.named().unwrap_or_default().iter();
            if let Some(id) = named.find(|id| policy.connection(owner, id).is_none()) {
                return Err(StoreError::NoConnection { id: id.clone() });
            }
            let Some(user) = user(policy, owner) else {
                let file = user_file(files, owner)
                    .ok_or(StoreError::Taken { what: "the file of the user" })?;
                return Ok((Edits::from([(file, Some(own.clone().into_bytes()))]), ()));
            };
            if user.keys.iter().any(|key| *key.id == *id) {
                return Err(StoreError::Taken { what: KEY });
            }
            if let Some(quota) = &self.quota {
                quota.check_keys(user)?;
            }
            let (name, text) = file_of(files, user)?;
            let changed =
                written::add_key(text, owner, &entry).map_err(|why| self.by_hand(&name, why))?;
            Ok((Edits::from([(name, Some(changed.into_bytes()))]), ()))
        })?;
        Ok((KeyInfo { id: id.to_owned(), access, manage, reach: reach.clone() }, key))
    }

    /// Revokes a key: when this returns, nothing that listens decides by it any more.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::NotEditable`]. A store that does not load is no error
    /// where the user's own file does.
    pub fn revoke_key(&self, owner: &str, id: &str) -> Result<(), StoreError> {
        let folder = self.folder();
        self.take_away(|files, policy| Ok((without_key(folder, files, policy, owner, id)?, ())))
    }

    /// Revokes a key of the store in a folder without loading it: the users alone are read. However long it takes to
    /// compile what others have there, the key is revoked at once, as soon as nobody else writes. Also where
    /// the store does not load.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`], [`StoreError::NotEditable`], [`StoreError::Busy`], [`StoreError::Io`];
    /// [`StoreError::Broken`] where not even the users can be read and the key is in no file that can be.
    pub fn revoke_key_in(folder: &Path, owner: &str, id: &str) -> Result<(), StoreError> {
        let revoked = || -> Result<bool, StoreError> {
            let lock = Lock::exclusive(folder)?;
            let disk = folder::read(folder)?;
            if !disk.unread.is_empty() {
                return Ok(false);
            }
            let Ok(users) = folder::users(folder, &disk.files) else { return Ok(false) };
            let edits = without_key(folder, &disk.files, &users, owner, id)?;
            let after = folder::edited(&disk.files, &edits);
            if folder::users(folder, &after).is_err() {
                return Ok(false);
            }
            lock.write(folder, &edits, (&disk.files, &after))?;
            Ok(true)
        };
        match revoked()? {
            true => Ok(()),
            // In what cannot be read it is looked for file by file.
            false => Self::open_as_is(folder, None)?.revoke_key(owner, id),
        }
    }
}

/// What revoking a key makes of its user's file.
fn without_key(
    folder: &Path,
    files: &Files,
    policy: &Policy,
    owner: &str,
    id: &str,
) -> Result<Edits, StoreError> {
    let user = user(policy, owner).ok_or(StoreError::Missing)?;
    if !user.keys.iter().any(|key| *key.id == *id) {
        return Err(StoreError::Missing);
    }
    let (name, text) = file_of(files, user)?;
    let changed =
        written::remove_key(text, owner, id).map_err(|why| by_hand(folder, &name, why))?;
    Ok(Edits::from([(name, Some(changed.into_bytes()))]))
}

/// Adds to a change of a connection what it makes of its owner's keys that name it: they get its new
/// name. Without one, they lose it, and those that are for nothing else go with it.
pub(super) fn follow(
    edits: &mut Edits,
    files: &Files,
    owner: &User,
    old: &ConnectionId<'_>,
    new: Option<&ConnectionId<'_>>,
) -> Result<(), (String, Why)> {
    if !owner.keys.iter().any(|key| key.reach.names(old)) {
        return Ok(());
    }
    let name = name_of(&owner.location);
    // The connection may be in the same file.
    let bytes = match edits.get(&name) {
        Some(edited) => edited.as_deref(),
        None => files.get(&name).map(|bytes| &**bytes),
    };
    let Some(text) = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()) else { return Ok(()) };
    match written::rename_in_keys(text, &owner.name, old, new) {
        Ok(changed) => drop(edits.insert(name, Some(changed.into_bytes()))),
        Err(why) => return Err((name, why)),
    }
    Ok(())
}

pub(super) fn user<'p>(policy: &'p Policy, name: &str) -> Option<&'p User> {
    policy.users().iter().find(|user| *user.name == *name)
}

/// The file that defines a user, and its text.
fn file_of<'f>(files: &'f Files, user: &User) -> Result<(String, &'f str), StoreError> {
    let name = name_of(&user.location);
    let bytes = files.get(&name).ok_or(StoreError::Missing)?;
    let text = std::str::from_utf8(bytes).map_err(|_| StoreError::Missing)?;
    Ok((name, text))
}

fn user_text(name: &str) -> String {
    format!("users:\n  - name: {}\n", text::quoted(name))
}

/// A name for a user's file, as `pathward key new` calls it, which no file has: not even by another
/// case, of which some file systems know nothing. `None` where there is none.
fn user_file(files: &Files, name: &str) -> Option<String> {
    let is_taken =
        |file: &String| files.keys().any(|known| known.eq_ignore_ascii_case(file.as_str()));
    let safe = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let plain = safe.then(|| format!("user-{name}.yaml"));
    // A file's name has 255 bytes at most.
    let coded = match name.len() {
        ..=100 => format!("user-{}.yaml", hex(name.as_bytes())),
        _ => format!("user-{}.yaml", hex(&Sha256::digest(name.as_bytes()))),
    };
    let plain = plain.filter(|_| name.len() <= 200);
    plain.into_iter().chain([coded]).find(|file| !is_taken(file))
}
