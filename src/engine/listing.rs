//! The plan of a listing: what to ask the server for, and what of its answer may be shown.

use super::ListMode;
use crate::{
    access::Access,
    automaton::{Automaton, Verdict},
    path::Path,
};

/// What may be shown of one directory.
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

    /// Whether an object of this path may be shown.
    pub fn shows_object(&self, path: &Path<'_>) -> bool {
        path.as_bytes().starts_with(self.directory.as_bytes())
            && (self.mode == ListMode::Pass
                || matches!(
                    self.automaton.here(path.as_bytes(), Access::Read),
                    Verdict::Allowed(_)
                ))
    }

    /// Whether a folder (a common prefix that ends with `/`, or a bucket) may be shown: whether
    /// something permitted can be in it.
    pub fn shows_folder(&self, path: &Path<'_>) -> bool {
        path.as_bytes().starts_with(self.directory.as_bytes())
            && (self.mode == ListMode::Pass
                || self.automaton.below(path.as_bytes()).some.contains(Access::Read))
    }
}
