//! What was used, as far as it matters for restrictions: folders, few keys of each, and which rules gave
//! them.
//!
//! However much is noted, and in whatever order, what is kept is bounded and the same. Of a folder whose
//! keys are many enough to make it a restriction the keys are forgotten. When all folders, kept keys and
//! rules of a connection are more than the limit, what of it lies deepest is kept as its parent folder: at the
//! greatest depth at which they are not. While it is noted there may be twice as many, so that this is seldom done.
//!
//! Each connection has the limit for itself: what is kept of one says nothing of how much others were used.

use std::collections::{BTreeMap, BTreeSet};

use crate::{access::Access, path::Path};

/// What was used of each connection, by access.
///
/// A connection is a number that the caller chooses, and a rule its place in its connection.
#[derive(Debug)]
pub struct Usage {
    connections: BTreeMap<usize, OfOne>,
    /// From how many different keys on a folder is a restriction.
    folder_from: usize,
    /// The most folders, keys and rules of folders that are kept of a connection.
    most: usize,
}

/// What was used of one connection.
#[derive(Debug)]
struct OfOne {
    trees: BTreeMap<Access, Tree>,
    kept: usize,
    /// The most `/` that a folder's path has.
    deepest: usize,
}

/// All that was used of each connection, by access: see [`Usage::finish`].
#[derive(Debug)]
pub struct Used {
    connections: BTreeMap<usize, OfOne>,
}

/// The folders of one connection and access; the first is the root, above all buckets.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) folders: Vec<Folder>,
}

/// A folder, and what was used directly in it.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// Those in it, by their last segment with its `/`: their places in the tree.
    pub(super) folders: BTreeMap<Box<[u8]>, usize>,
    /// The keys used, behind the folder's path, while they are few.
    pub(super) keys: BTreeSet<Box<[u8]>>,
    /// Too many keys were used to tell them apart, or the folder's own marker was.
    pub(super) many: bool,
    /// What was used below was not told apart either.
    pub(super) deep: bool,
    /// It was listed.
    pub(super) listed: bool,
    /// All that is allowed below it was used, or may have been.
    pub(super) all: bool,
    /// The rules that gave what was used directly, or below if that is not told apart.
    pub(super) rules: BTreeSet<usize>,
}

impl Folder {
    /// Whether something was used of it, besides being listed.
    pub(super) fn is_used(&self) -> bool {
        self.many || self.deep || self.all || !self.keys.is_empty()
    }

    fn kept(&self, folder_from: usize) -> usize {
        // Keys that were forgotten still count, so that the order does not.
        let keys = if self.many { folder_from.saturating_sub(1) } else { self.keys.len() };
        1 + keys + self.rules.len()
    }
}

impl Usage {
    /// From how many different keys on a folder becomes a restriction, by default.
    pub const FOLDER_FROM: usize = 4;
    /// The most folders, keys and rules of folders that are kept of a connection, by default; twice as many while
    /// it is noted, which are some 50 MB with names as they usually are, and 400 MB with the longest.
    pub const MOST: usize = 1 << 17;
    /// The most that [`Usage::share`] gives to all connections together: four times [`Usage::MOST`], and so four times
    /// the memory.
    pub const MOST_OF_ALL: usize = 4 * Self::MOST;

    /// The most folders, keys and rules of folders that are kept of each of so many connections: [`Usage::MOST`], or of
    /// more than four connections an equal part of [`Usage::MOST_OF_ALL`]. It depends on how many there are and not on
    /// what is used of them, so that what is used of one makes no difference to another.
    pub fn share(connections: usize) -> usize {
        (Self::MOST_OF_ALL / connections.max(1)).clamp(1, Self::MOST)
    }

    /// Nothing yet. A folder becomes a restriction from `folder_from` different keys on; no more than
    /// `most` folders, keys and rules of folders are kept of each connection.
    pub fn new(folder_from: usize, most: usize) -> Self {
        Self { connections: BTreeMap::new(), folder_from: folder_from.max(1), most: most.max(1) }
    }

    /// An access was used at a path, which `rule` gave.
    pub fn used(&mut self, connection: usize, access: Access, path: &Path<'_>, rule: usize) {
        let bytes = path.as_bytes();
        let at = memchr::memrchr(b'/', bytes).map_or(0, |at| at + 1);
        let (way, key) = bytes.split_at(at);
        let folder_from = self.folder_from;
        self.change(connection, access, way, |folder, is_whole| {
            folder.rules.insert(rule);
            if !is_whole {
                folder.deep = true;
            } else if key.is_empty() {
                folder.many = true;
                folder.keys.clear();
            } else if !folder.many && !folder.keys.contains(key) {
                if folder.keys.len() + 1 < folder_from {
                    folder.keys.insert(key.into());
                } else {
                    folder.many = true;
                    folder.keys.clear();
                }
            }
        });
    }

    /// A directory, whose path ends with `/`, or the root was listed, which needs read at some path below.
    pub fn listed(&mut self, connection: usize, path: &Path<'_>) {
        self.change(connection, Access::Read, path.as_bytes(), |folder, is_whole| {
            folder.listed |= is_whole;
            folder.all |= !is_whole;
        });
    }

    /// An access was used at every path below a directory, whose path ends with `/`.
    pub fn used_below(&mut self, connection: usize, access: Access, path: &Path<'_>) {
        self.change(connection, access, path.as_bytes(), |folder, _| folder.all = true);
    }

    /// All that was used.
    pub fn finish(mut self) -> Used {
        for one in self.connections.values_mut() {
            if one.kept > self.most {
                one.flatten(self.folder_from, self.most);
            }
        }
        Used { connections: self.connections }
    }

    /// Changes the folder at the end of a way, or the deepest of the way that is told apart.
    fn change(
        &mut self,
        connection: usize,
        access: Access,
        way: &[u8],
        change: impl FnOnce(&mut Folder, bool),
    ) {
        let one = self.connections.entry(connection).or_insert_with(OfOne::new);
        one.change(access, way, self.folder_from, change);
        if one.kept > self.most.saturating_mul(2) {
            one.flatten(self.folder_from, self.most);
        }
    }
}

impl OfOne {
    fn new() -> Self {
        Self { trees: BTreeMap::new(), kept: 0, deepest: usize::MAX }
    }

    fn change(
        &mut self,
        access: Access,
        way: &[u8],
        folder_from: usize,
        change: impl FnOnce(&mut Folder, bool),
    ) {
        let kept = &mut self.kept;
        let tree = self.trees.entry(access).or_insert_with(|| {
            *kept += 1;
            Tree { folders: vec![Folder::default()] }
        });
        let (mut at, mut rest, mut depth) = (0, way, 0);
        while let Some(end) = memchr::memchr(b'/', rest) {
            if depth == self.deepest {
                break;
            }
            let (name, behind) = rest.split_at(end + 1);
            at = match tree.folders[at].folders.get(name) {
                Some(next) => *next,
                None => {
                    let next = tree.folders.len();
                    tree.folders.push(Folder::default());
                    tree.folders[at].folders.insert(name.into(), next);
                    *kept += 1;
                    next
                }
            };
            rest = behind;
            depth += 1;
        }
        let folder = &mut tree.folders[at];
        let before = folder.kept(folder_from);
        change(folder, rest.is_empty());
        self.kept = self.kept + folder.kept(folder_from) - before;
    }

    /// Keeps so many levels of all trees that they are not more than may be.
    fn flatten(&mut self, folder_from: usize, most: usize) {
        // What is kept of each level. Of a level that becomes the last, it is not less.
        let mut levels: Vec<usize> = Vec::new();
        for tree in self.trees.values() {
            for (folder, depth) in tree.folders.iter().zip(tree.depths()) {
                levels.resize(levels.len().max(depth + 1), 0);
                levels[depth] += folder.kept(folder_from);
            }
        }
        let mut kept = 0;
        let fits = levels.iter().position(|level| {
            kept += level;
            kept > most
        });
        let Some(first_too_many) = fits else { return };
        self.deepest = self.deepest.min(first_too_many.saturating_sub(1));
        loop {
            self.trees.values_mut().for_each(|tree| *tree = tree.cut(self.deepest));
            let folders = self.trees.values().flat_map(|tree| &tree.folders);
            self.kept = folders.map(|folder| folder.kept(folder_from)).sum();
            if self.kept <= most || self.deepest == 0 {
                break;
            }
            self.deepest -= 1;
        }
    }
}

impl Used {
    /// The folders of this connection and access, if anything was used.
    pub(super) fn tree(&self, connection: usize, access: Access) -> Option<&Tree> {
        self.connections.get(&connection)?.trees.get(&access)
    }

    /// How many segments of a connection's paths are told apart, if it became too much to tell all.
    pub fn depth(&self, connection: usize) -> Option<usize> {
        let one = self.connections.get(&connection)?;
        Some(one.deepest).filter(|depth| *depth < usize::MAX)
    }
}

impl Tree {
    /// How deep each folder is: a folder comes before those in it.
    fn depths(&self) -> Vec<usize> {
        let mut depths = vec![0; self.folders.len()];
        for (at, folder) in self.folders.iter().enumerate() {
            for inner in folder.folders.values() {
                depths[*inner] = depths[at] + 1;
            }
        }
        depths
    }

    /// The same with what is deeper than this kept as the folder that it is in.
    fn cut(&mut self, deepest: usize) -> Self {
        let mut cut = Self { folders: Vec::new() };
        // Where each folder is kept: in its own place, or in that of a folder that it is in.
        let mut places = vec![0; self.folders.len()];
        for (at, depth) in self.depths().into_iter().enumerate() {
            let mut folder = std::mem::take(&mut self.folders[at]);
            if depth <= deepest {
                places[at] = cut.folders.len();
            }
            for inner in folder.folders.values() {
                places[*inner] = places[at];
            }
            if depth <= deepest {
                if depth == deepest {
                    folder.folders.clear();
                }
                cut.folders.push(folder);
            } else {
                let kept = &mut cut.folders[places[at]];
                kept.deep |= folder.many || folder.deep || !folder.keys.is_empty();
                kept.all |= folder.all || folder.listed;
                kept.rules.append(&mut folder.rules);
            }
        }
        for folder in &mut cut.folders {
            folder.folders.values_mut().for_each(|inner| *inner = places[*inner]);
        }
        cut
    }
}
