//! A page being filled.

use std::time::SystemTime;

use crate::{
    executor::{DirectoryPage, FileEntry, PageRequest, Want},
    path::MAX_KEY_LEN,
};

/// How many bytes the names of a page have together before it is full.
pub(super) const MAX_NAMES: usize = 256 << 10;
/// Begins the `next` of a page that ended behind an entry that is not shown, or that is in a folder: no name
/// has it.
const LOOKED: char = '\0';
/// Behind everything that begins as what is before it.
const LAST: char = char::MAX;

/// An entry that may be shown.
pub(super) struct Item<'n> {
    /// Its name, without a `/`.
    pub(super) name: &'n str,
    /// Of a file, its size and when it was changed.
    pub(super) file: Option<(u64, Option<SystemTime>)>,
}

impl Item<'_> {
    /// What a listing goes on behind.
    fn marker(&self) -> Box<str> {
        match self.file {
            Some(_) => self.name.into(),
            None => format!("{}/", self.name).into(),
        }
    }
}

/// From where a prefix is gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// An earlier page has it all.
    Over,
    /// Behind this key, or from its start.
    From(Option<String>),
}

/// Where a page begins.
enum After<'a> {
    Start,
    /// Behind an entry that was shown.
    Shown(&'a str),
    /// Behind what was looked at, by its key in the directory.
    Looked(&'a str),
}

/// A page being filled.
pub(super) struct Filling {
    request: PageRequest,
    page: DirectoryPage,
    shown: usize,
    bytes: usize,
    last: Option<Box<str>>,
    is_more: bool,
}

impl Filling {
    pub(super) fn new(request: PageRequest) -> Self {
        // What a page was shown of is there.
        let exists = request.after.is_some();
        let page = DirectoryPage { exists, ..DirectoryPage::default() };
        Self { request, page, shown: 0, bytes: 0, last: None, is_more: false }
    }

    pub(super) fn request(&self) -> &PageRequest {
        &self.request
    }

    pub(super) fn want(&self) -> Want {
        self.request.want
    }

    /// Whether it is asked only whether the directory is there.
    pub(super) fn is_question(&self) -> bool {
        self.request.limit == 0
    }

    /// Whether one look has to do, and has not shown yet that the directory is there.
    pub(super) fn is_brief(&self) -> bool {
        self.request.brief && !self.page.exists
    }

    /// How many entries there is room for.
    pub(super) fn left(&self) -> usize {
        self.request.limit - self.shown
    }

    /// How many of so long names there is room for, whichever of them, and for one at least.
    pub(super) fn fits(&self, mut lengths: Vec<usize>) -> usize {
        lengths.sort_unstable_by(|one, other| other.cmp(one));
        let mut bytes = self.bytes;
        let fits = lengths.iter().take_while(|length| {
            bytes += **length;
            bytes <= MAX_NAMES
        });
        fits.count().max(1)
    }

    /// Whether nothing more is to be found out.
    pub(super) fn is_over(&self) -> bool {
        self.is_more || (self.is_question() && self.page.exists)
    }

    pub(super) fn exists(&self) -> bool {
        self.page.exists
    }

    /// Something of the directory is there.
    pub(super) fn is_there(&mut self) {
        self.page.exists = true;
    }

    /// Whether an entry is of the kind that is wanted, and not the one that the page starts behind: servers
    /// show a folder once more when asked for what comes behind its name, as what is in it does.
    pub(super) fn wants(&self, item: &Item<'_>) -> bool {
        let is_kind = match self.request.want {
            Want::All => true,
            Want::Folders => item.file.is_none(),
            Want::Files => item.file.is_some(),
        };
        let was_last = || self.request.after.as_ref().is_some_and(|after| *after == item.marker());
        is_kind && !was_last()
    }

    /// Takes an entry that may be shown, the next in the order of the server, or only notes that there is more.
    pub(super) fn offer(&mut self, item: &Item<'_>) {
        if self.bytes >= MAX_NAMES && self.wants(item) {
            self.is_more = true;
        } else {
            self.take(item);
        }
    }

    /// Takes an entry that may be shown, in whatever order, or only notes that there is more.
    pub(super) fn take(&mut self, item: &Item<'_>) {
        self.page.exists = true;
        if !self.wants(item) {
            return;
        }
        if self.left() == 0 {
            self.is_more = true;
            return;
        }
        self.shown += 1;
        self.bytes += item.name.len();
        self.last = Some(item.marker());
        let name = item.name.to_owned();
        match item.file {
            Some((size, last_modified)) => {
                self.page.files.push(FileEntry { name, size, last_modified });
            }
            None => self.page.folders.push(name),
        }
    }

    /// Of those that were taken, this is the last in the order of the server. Whether more follow.
    pub(super) fn last_is(&mut self, last: &Item<'_>, is_more: bool) {
        self.last = Some(last.marker());
        self.is_more = is_more;
    }

    /// The page ends here, with what was looked at so far, whatever follows: behind this key of the directory.
    pub(super) fn end_looking(&mut self, key: &str) {
        self.last = Some(format!("{LOOKED}{key}").into());
        self.is_more = true;
    }

    fn after(&self) -> After<'_> {
        match self.request.after.as_deref() {
            None => After::Start,
            Some(after) => match after.strip_prefix(LOOKED) {
                Some(key) => After::Looked(key),
                None => After::Shown(after),
            },
        }
    }

    /// Whether an earlier page had what comes up to this name, where the order is that of names.
    pub(super) fn is_past(&self, name: &str) -> bool {
        match self.after() {
            After::Start => false,
            After::Shown(last) => name <= last.strip_suffix('/').unwrap_or(last),
            After::Looked(last) => name <= last,
        }
    }

    /// Where to go on in what begins with this prefix. The order of the prefixes is ours: bytewise.
    pub(super) fn resume(&self, prefix: &str, directory: &str) -> Resume {
        let (key, is_folder) = match self.after() {
            After::Start => return Resume::From(None),
            After::Shown(name) => (format!("{directory}{name}"), name.ends_with('/')),
            After::Looked(key) => (format!("{directory}{key}"), false),
        };
        let is_in = |whole: &str| prefix.starts_with(whole);
        match key.starts_with(prefix) {
            _ if is_folder && is_in(&key) => Resume::Over,
            true if key == behind(prefix) => Resume::Over,
            true if is_folder => Resume::From(Some(behind(&key))),
            true => Resume::From(Some(key)),
            false if *prefix < *key => Resume::Over,
            false => Resume::From(None),
        }
    }

    pub(super) fn end(mut self) -> DirectoryPage {
        if self.is_more && !self.is_question() {
            self.page.next = self.last;
        }
        self.page
    }
}

/// Behind all keys that begin with this one, as far as a key can say that.
pub(super) fn behind(key: &str) -> String {
    match key.len() + LAST.len_utf8() <= MAX_KEY_LEN {
        true => format!("{key}{LAST}"),
        false => key.to_owned(),
    }
}
