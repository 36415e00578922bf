//! The plan of a listing: what to ask the server for, and what of its answer may be shown.

use super::ListMode;
use crate::{
    access::Access,
    automaton::{Automaton, Verdict, starts_with},
    path::Path,
};

/// What may be shown of one directory.
///
/// A narrowed listing asks the server for [`prefixes`](Self::prefixes) only, and shows of the
/// answers what [`shows_object`](Self::shows_object) and [`shows_folder`](Self::shows_folder)
/// allow. A folder shows only if something permitted can be in it. Names, counts and page markers
/// are then to be made of what is shown, never of what was received.
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
    automaton: &'a Automaton,
    directory: &'a Path<'a>,
    mode: ListMode,
}

impl<'a> Listing<'a> {
    pub(super) fn new(automaton: &'a Automaton, directory: &'a Path<'a>, mode: ListMode) -> Self {
        Self { automaton, directory, mode }
    }

    /// Whether everything is passed through or each entry is checked.
    pub fn mode(&self) -> ListMode {
        self.mode
    }

    /// The directory: empty for the root, else ending with `/`.
    pub fn directory(&self) -> &'a Path<'a> {
        self.directory
    }

    /// The prefixes to ask the server for: sorted, none a prefix of another, none reaching further
    /// than one segment below the directory, and all that is readable below it under one of them.
    ///
    /// For the root they are about buckets: `name/` is that bucket, and what has no `/` at its end
    /// is what buckets' names start with. See [`Automaton::leads`].
    pub fn prefixes(&self) -> Vec<Vec<u8>> {
        match self.mode {
            ListMode::Pass => vec![self.directory.as_bytes().to_vec()],
            ListMode::Narrow => self.automaton.leads(self.directory.as_bytes(), Access::Read),
        }
    }

    /// Whether an object of this path may be shown.
    pub fn shows_object(&self, path: &Path<'_>) -> bool {
        self.is_below(path)
            && (self.mode == ListMode::Pass
                || matches!(
                    self.automaton.here(path.as_bytes(), Access::Read),
                    Verdict::Allowed(_)
                ))
    }

    /// Whether a folder (a common prefix that ends with `/`, or a bucket) may be shown: whether
    /// something permitted can be in it.
    pub fn shows_folder(&self, path: &Path<'_>) -> bool {
        self.is_below(path)
            && (self.mode == ListMode::Pass
                || self.automaton.below(path.as_bytes()).some.contains(Access::Read))
    }

    fn is_below(&self, path: &Path<'_>) -> bool {
        self.directory.is_root() || starts_with(path.as_bytes(), self.directory.as_bytes())
    }
}
