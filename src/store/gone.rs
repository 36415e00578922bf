//! What a folder takes away though it does not load: whoever revokes a key does not have to mend first what
//! somebody else has broken.

use std::{collections::HashSet, path::Path};

use super::{
    Snapshot,
    folder::{self, Disk, Files},
    stored::name_of,
};
use crate::policy::{Connection, Policy, PolicyErrors, User, written};

/// The last revision that loaded, as files and the policy that they make, without the keys and connections
/// that are gone from the folder since: no file has them any more, and the one that had them is gone, or
/// loads by itself. `None` where nothing is. What was added or changed otherwise is not in it.
pub(super) fn without(
    last: &Snapshot,
    disk: &Disk,
    folder: &Path,
) -> Option<Result<(Policy, Files), PolicyErrors>> {
    let changed = Changed::of(last, disk, folder);
    let mut files = (*last.files).clone();
    for user in last.policy.users() {
        let gone = user.keys.iter().filter(|key| changed.lacks_key(user, &key.sha256));
        for key in gone {
            let without =
                |text: &str| written::remove_key(text, &user.name, &key.id).ok().map(Some);
            changed.take_away(&mut files, &name_of(&user.location), without);
        }
    }
    for connection in last.policy.connections().iter().filter(|one| changed.lacks(one)) {
        let label = connection.id().label().unwrap_or_default();
        let without = |text: &str| written::remove(text, connection.owner(), label).ok();
        changed.take_away(&mut files, &name_of(connection.location()), without);
    }
    if files == *last.files {
        return None;
    }
    let policy = folder::policy(folder, &files, &[&last.policy]);
    Some(policy.map(|policy| (policy, files)))
}

/// The files that are not what they were.
struct Changed<'d> {
    disk: &'d Disk,
    /// Those that are gone, and those that load by themselves.
    known: HashSet<String>,
    /// What the latter define.
    policies: Vec<Policy>,
}

impl<'d> Changed<'d> {
    fn of(last: &Snapshot, disk: &'d Disk, folder: &Path) -> Self {
        let is_gone =
            |name: &&String| !disk.files.contains_key(*name) && !disk.unread.contains_key(*name);
        let mut known: HashSet<_> = last.files.keys().filter(is_gone).cloned().collect();
        let mut policies = Vec::new();
        let is_new = |(name, bytes): &(&String, _)| last.files.get(*name) != Some(*bytes);
        for file in disk.files.iter().filter(is_new) {
            if let Some((_, policy)) = folder::alone(folder, file, &last.policy) {
                known.insert(file.0.clone());
                policies.push(policy);
            }
        }
        Self { disk, known, policies }
    }

    fn lacks_key(&self, user: &User, sha256: &[u8; 32]) -> bool {
        let has = |policy: &Policy| {
            policy.api_key(sha256).is_some_and(|(owner, _)| *owner.name == *user.name)
        };
        self.known.contains(&name_of(&user.location)) && !self.policies.iter().any(has)
    }

    fn lacks(&self, connection: &Connection) -> bool {
        let has =
            |policy: &Policy| policy.connection(connection.owner(), connection.id()).is_some();
        self.known.contains(&name_of(connection.location())) && !self.policies.iter().any(has)
    }

    /// Takes something out of the text of a file; where that cannot be done there, the file is as it is on
    /// the disk.
    fn take_away(
        &self,
        files: &mut Files,
        name: &str,
        without: impl Fn(&str) -> Option<Option<String>>,
    ) {
        let Some(bytes) = files.get(name) else { return };
        let left = std::str::from_utf8(bytes).ok().and_then(without);
        let left = match left {
            Some(text) => text.map(|text| text.into_bytes().into()),
            None => self.disk.files.get(name).cloned(),
        };
        match left {
            Some(bytes) => drop(files.insert(name.to_owned(), bytes)),
            None => drop(files.remove(name)),
        }
    }
}
