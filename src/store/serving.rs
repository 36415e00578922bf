//! Who follows a store: each keeps a file in its folder, with what it serves, by which others find out
//! whether a change of theirs was taken.
//!
//! The file is locked for as long as its process lives. One that nobody locks is of a process that was
//! killed, and is removed by whoever finds it. What can be read in it is no secret to those who can read
//! the policy beside it: a digest of that.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    State, Store,
    folder::{Disk, Files, digest, read},
    lock::recorded,
    replace::{create_for_owner, is_still},
};
use crate::escape::hex;

/// What the names of these files begin with. As all that is no part of the policy, it is left out of git.
const PREFIX: &str = ".pathward.gateway.";
/// How often others' files are looked at while they are waited for.
const EVERY: Duration = Duration::from_millis(20);
/// How often the folder is read meanwhile: not all who change it write down that they did.
const READ_EVERY: Duration = Duration::from_millis(200);

/// What a file says.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Says {
    /// What the gateway is called: where it listens.
    name: String,
    pid: u32,
    /// The digest of the files that it serves.
    serves: String,
    /// The digest of the files of which it serves nothing any more that they do not have, whether they load
    /// or not.
    #[serde(default)]
    knows: String,
    /// Whether what the folder says now does not load there, or cannot be read.
    fails: bool,
}

/// Somebody who follows a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FollowedBy {
    /// What it is called: a gateway, where it listens.
    pub name: String,
    /// The number of its process, on its machine.
    pub pid: u32,
    /// Whether it serves what the folder says; where that does not load, whether it no longer serves what is gone
    /// from the folder.
    pub has_taken: bool,
    /// Whether what the folder says does not load there, or cannot be read: then it serves what it did before.
    pub fails: bool,
}

impl Store {
    /// Who follows the store, and whether they serve what it says: waits until all of them do, at most for
    /// so long. Those of version 0.1 do not say that they are there.
    pub fn followers(&self, patience: Duration) -> Vec<FollowedBy> {
        Self::followers_in(self.folder(), patience)
    }

    /// Who follows the store in a folder, as [`Store::followers`] finds them, without loading it.
    pub fn followers_in(folder: &Path, patience: Duration) -> Vec<FollowedBy> {
        let began = Instant::now();
        let mut known = Known::default();
        loop {
            // First what they say: what it is compared with is no older.
            let all = others(folder);
            known.look(folder);
            let followers: Vec<_> = all.into_iter().map(|says| known.judge(says)).collect();
            if followers.iter().all(|one| one.has_taken) || began.elapsed() >= patience {
                return followers;
            }
            thread::sleep(EVERY);
        }
    }
}

/// What the folder has said since a change was made.
#[derive(Debug, Default)]
struct Known {
    digests: HashSet<String>,
    read: Option<Instant>,
}

impl Known {
    fn look(&mut self, folder: &Path) {
        if self.read.is_none_or(|read| read.elapsed() >= READ_EVERY) {
            self.read = Some(Instant::now());
            self.digests.extend(read(folder).ok().map(|disk| digest(&disk.files)));
        }
        // Changes follow each other faster than files are read.
        self.digests.extend(recorded(folder));
    }

    fn judge(&self, says: Says) -> FollowedBy {
        let Says { name, pid, serves, knows, fails } = says;
        let has_taken = self.digests.contains(&serves) || self.digests.contains(&knows);
        FollowedBy { name, pid, has_taken, fails }
    }
}

/// What others say who live. The files of others are removed.
fn others(folder: &Path) -> Vec<Says> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut all: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| is_presence(&name.to_string_lossy())))
        .filter_map(|path| one(&path))
        .collect();
    all.sort_by(|one, other| (&one.name, one.pid).cmp(&(&other.name, other.pid)));
    all
}

fn is_presence(name: &str) -> bool {
    name.starts_with(PREFIX)
}

fn one(path: &Path) -> Option<Says> {
    let file = File::open(path).ok()?;
    if file.try_lock_shared().is_ok() {
        drop(fs::remove_file(path));
        return None;
    }
    // Half of what is being written is nothing, and is looked at again.
    let unknown = || Says {
        name: String::new(),
        pid: 0,
        serves: String::new(),
        knows: String::new(),
        fails: false,
    };
    Some(serde_json::from_reader(io::Read::take(file, 4_096)).unwrap_or_else(|_| unknown()))
}

/// The file of one who follows, for as long as this is there.
#[derive(Debug)]
pub(super) struct Presence {
    folder: PathBuf,
    name: String,
    file: Option<(PathBuf, File)>,
    said: Option<(Arc<Files>, Arc<Disk>, Says)>,
}

impl Presence {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        // Those of the dead.
        drop(others(folder));
        Self { folder: folder.to_owned(), name: name.to_owned(), file: None, said: None }
    }

    /// Says what is served, if it was not said.
    pub(super) fn say(&mut self, state: &State) {
        let snapshot = &state.snapshot;
        let fails = snapshot.invalid.is_some();
        // The folder may be another by now.
        let is_there = self.file.as_ref().is_some_and(|(path, file)| is_still(path, file));
        if is_there
            && let Some((files, disk, says)) = &self.said
            && Arc::ptr_eq(files, &snapshot.files)
            && Arc::ptr_eq(disk, &state.disk)
            && says.fails == fails
        {
            return;
        }
        let serves = digest(&snapshot.files);
        let knows = match state.is_behind || state.is_blind {
            true => String::new(),
            false => digest(&state.disk.files),
        };
        let says = Says { name: self.name.clone(), pid: std::process::id(), serves, knows, fails };
        match self.write(&says, is_there) {
            Ok(()) => {
                self.said = Some((Arc::clone(&snapshot.files), Arc::clone(&state.disk), says))
            }
            Err(error) => tracing::debug!(
                target: "pathward::store",
                %error,
                "those who change the store are not told what is served"
            ),
        }
    }

    fn write(&mut self, says: &Says, is_there: bool) -> io::Result<()> {
        let file = match &mut self.file {
            Some((_, file)) if is_there => file,
            file => &mut file.insert(create(&self.folder)?).1,
        };
        let text = serde_json::to_vec(says)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&text)?;
        file.set_len(text.len() as u64)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some((path, file)) = &self.file
            && is_still(path, file)
        {
            drop(fs::remove_file(path));
        }
    }
}

/// A new file that nobody else has, locked.
fn create(folder: &Path) -> io::Result<(PathBuf, File)> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let path = folder.join(format!("{PREFIX}{}", hex(&random)));
    let file = create_for_owner(folder, &path)?;
    match file.try_lock() {
        // Somebody who found it unlocked may have removed it: then the next look makes another.
        Ok(()) => Ok((path, file)),
        Err(_) => Err(io::ErrorKind::WouldBlock.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_dead_are_removed_and_those_of_the_living_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), None).unwrap();
        let dead = folder.path().join(format!("{PREFIX}0123"));
        fs::write(&dead, "{}").unwrap();
        let mut presence = Presence::new(folder.path(), "here");
        assert!(!dead.exists());
        assert_eq!(store.followers(Duration::ZERO), []);
        presence.say(&store.heard());
        let here = FollowedBy {
            name: "here".to_owned(),
            pid: std::process::id(),
            has_taken: true,
            fails: false,
        };
        assert_eq!(store.followers(Duration::ZERO), [here]);
        // The folder's content is taken away, and with it the file: the next look has it again.
        for entry in fs::read_dir(folder.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        assert_eq!(store.followers(Duration::ZERO), []);
        presence.say(&store.heard());
        assert_eq!(store.followers(Duration::ZERO).len(), 1);
        drop(presence);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
