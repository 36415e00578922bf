//! The plan of a listing: what to ask the server for, and what of its answer may be shown.

use super::{ListMode, grounds::Grounds};
use crate::{access::Access, automaton::starts_with, path::Path, policy::Connection};

/// How many folders at most are followed to the places below one.
const MAX_FOLLOWED: usize = 4_096;

/// What may be shown of one directory, or of the paths that start with one text.
///
/// A narrowed listing asks the server for [`prefixes`](Self::prefixes) only, and shows of the
/// answers what [`shows_object`](Self::shows_object) and [`shows_folder`](Self::shows_folder)
/// allow. A folder shows only if something permitted can be in it. Names, counts and page markers
/// are then to be made of what is shown, never of what was received.
///
/// It shows what the connection showed when the listing was approved *and* shows by the policy that
/// holds when it is asked: each question about an entry is asked of both. So one listing may answer in
/// two ways when the policy is replaced meanwhile; [`Approved::present`](super::Approved::present)
/// tells whether it was.
///
/// ```
/// use pathward::{Caller, ConnectionId, Engine, Path, Policy, engine::{ListDirectory, ListMode}};
///
/// let policy = Policy::from_yaml("policy.yaml", "
/// connections:
///   - id: s3+lake
///     owner: ana
///     restrictions: [lake/raw/2026/, lake/readme.md]
/// ")?;
/// let engine = Engine::new(policy);
/// let approved = engine
///     .approve(
///         Caller::with_full_permission("ana"),
///         &ConnectionId::parse("s3+lake")?,
///         ListDirectory { path: Path::new("lake/")? },
///     )
///     .expect("something below is readable");
/// let listing = approved.listing();
/// assert_eq!(listing.mode(), ListMode::Narrow);
/// assert_eq!(listing.prefixes(), [&b"lake/raw/"[..], b"lake/readme.md"]);
/// assert!(listing.shows_folder(&Path::new("lake/raw/")?));
/// assert!(!listing.shows_folder(&Path::new("lake/secret/")?));
/// assert!(!listing.shows_object(&Path::new("lake/readme.md.bak")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    grounds: &'a Grounds,
    directory: &'a Path<'a>,
    mode: ListMode,
}

impl<'a> Listing<'a> {
    pub(super) fn new(grounds: &'a Grounds, directory: &'a Path<'a>, mode: ListMode) -> Self {
        Self { grounds, directory, mode }
    }

    /// Whether everything is passed through or each entry is checked.
    pub fn mode(&self) -> ListMode {
        self.mode
    }

    /// The directory: empty for the root, else ending with `/`. Of a listing by prefix, the prefix.
    pub fn directory(&self) -> &'a Path<'a> {
        self.directory
    }

    /// The prefixes to ask the server for: sorted, none a prefix of another, none reaching further
    /// than one segment below the directory, and all that is readable below it under one of them. The
    /// object whose path is the directory's own is left aside, and has to be looked for where it counts.
    ///
    /// For the root they are about buckets: `name/` is that bucket, and what has no `/` at its end
    /// is what buckets' names start with. See [`Automaton::leads`](crate::Automaton::leads).
    pub fn prefixes(&self) -> Vec<Vec<u8>> {
        match self.mode {
            ListMode::Pass => vec![self.directory.as_bytes().to_vec()],
            ListMode::Narrow => self.leads(self.directory.as_bytes()),
        }
    }

    /// Whether an object of this path may be shown: whether it is below the directory and may be
    /// read.
    pub fn shows_object(&self, path: &Path<'_>) -> bool {
        self.is_below(path)
            && !path.key().is_empty()
            && self.is_shown(|connection| connection.allows(path, Access::Read))
    }

    /// Whether a folder (a common prefix, or a bucket, with `/` at its end) may be shown: whether it
    /// is below the directory and may be listed, because something permitted can be in it.
    pub fn shows_folder(&self, path: &Path<'_>) -> bool {
        self.is_below(path)
            && path.as_bytes().ends_with(b"/")
            && self.is_shown(|connection| connection.below(path).some.contains(Access::Read))
    }

    /// What an entry of the server's answer is called in the directory; `None` for one that may not
    /// be shown, or that no path can name.
    ///
    /// `key` is the entry's key in the bucket, all of it; of a folder it is the common prefix, with
    /// the `/` at its end. For the root it is a bucket's name and `/`.
    pub fn entry<'k>(&self, key: &'k [u8], is_folder: bool) -> Option<&'k str> {
        let path = Path::from_vec(self.in_bucket(key)).ok()?;
        let name = std::str::from_utf8(key.strip_prefix(self.directory.key())?).ok()?;
        let name = if is_folder { name.strip_suffix('/')? } else { name };
        if name.is_empty() || name.contains('/') {
            return None;
        }
        let is_shown = if is_folder { self.shows_folder(&path) } else { self.shows_object(&path) };
        is_shown.then_some(name)
    }

    /// Where to look for whether the folder `prefix`, one of [`prefixes`](Self::prefixes), is there:
    /// as deep as the rules name it, so that less of what is hidden has an influence. Sorted; the
    /// same places whichever of the directories above is listed. The folder itself, if there are more
    /// than `most`, or the way to them is too long.
    pub fn places(&self, prefix: &[u8], most: usize) -> Vec<Vec<u8>> {
        let itself = || vec![prefix.to_vec()];
        if self.mode == ListMode::Pass {
            return itself();
        }
        let automaton = self.grounds.connection.automaton();
        let mut looks = automaton.looks();
        let mut places = Vec::new();
        let mut to_follow = itself();
        let mut followed = 0;
        while let Some(place) = to_follow.pop() {
            followed += 1;
            if followed > MAX_FOLLOWED {
                return itself();
            }
            for lead in automaton.leads_within(&place, Access::Read, &mut looks) {
                match lead.ends_with(b"/") && lead != place {
                    true => to_follow.push(lead),
                    false => places.push(lead),
                }
            }
            if places.len() + to_follow.len() > most {
                return itself();
            }
        }
        places.sort_unstable();
        places
    }

    /// Whether nothing but the object of this very key can be shown of what starts with `prefix`:
    /// then it is among the first of them, in any order, and what follows need not be looked through.
    pub fn is_alone(&self, prefix: &[u8]) -> bool {
        // What the prefix itself is allowed does not count, as it would for `below`.
        self.mode == ListMode::Narrow && self.leads(prefix).is_empty()
    }

    fn leads(&self, prefix: &[u8]) -> Vec<Vec<u8>> {
        self.grounds.connection.automaton().leads(prefix, Access::Read)
    }

    fn is_shown(&self, question: impl Fn(&Connection) -> bool) -> bool {
        self.grounds.are_such(Access::Read.into(), question)
    }

    /// The path of a key in the directory's bucket.
    fn in_bucket(&self, key: &[u8]) -> Vec<u8> {
        match self.directory.is_root() {
            true => key.to_vec(),
            false => [self.directory.bucket(), key].join(&b'/'),
        }
    }

    fn is_below(&self, path: &Path<'_>) -> bool {
        self.directory.is_root() || starts_with(path.as_bytes(), self.directory.as_bytes())
    }
}
