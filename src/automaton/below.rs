//! Deciding all paths that start with one path.
//!
//! The reasoning is in the documentation of [`automaton`](super). What it comes to:
//!
//! * *Something is given* at every extension if one allow that ends with `*` matches the path
//!   ([`FRESH`] behind the path can only be matched by that `*`).
//! * *Something is taken* at every extension likewise, by one deny.
//! * *Something is taken* at some extension if a deny ends under the path's place in the trie, or
//!   has stars and a prefix that the path starts with.
//! * *Something is left* of an allow below the path if one of a few words, made from what the
//!   allow still needs with [`FRESH`] for each `*`, is not denied.

use super::{
    Automaton, Below, Effect, Kind,
    asked::Lookup,
    bits, flag,
    starred::{FRESH, Middle, Span, Starred},
    trie::Stop,
};
use crate::{access::AccessSet, path::MAX_PATH_LEN};

/// The most words that are tried, for all accesses together, to find something that denies with
/// stars before their end leave of allows with stars before theirs.
pub const MAX_WORDS: u32 = 64;

/// Room for the longest word: a path, what the longest restriction has, and a byte for each `*`.
const WORD: usize = 3 * MAX_PATH_LEN + 2;

/// What is known of the extensions of one path.
#[derive(Default)]
struct Sum {
    /// Given, and taken, at every extension.
    open: AccessSet,
    closed: AccessSet,
    /// Taken at some extension.
    touched: AccessSet,
    /// Left at some extension.
    left: AccessSet,
}

impl Automaton {
    /// Decides every access at all byte strings that start with `path`, itself included.
    ///
    /// Never fails and never allocates. Exact, or on the closed side: see the
    /// [module](crate::automaton).
    pub fn below(&self, path: &[u8]) -> Below {
        if let Some(subset) = &self.subset {
            return subset.below(path);
        }
        let (mut sum, passed) = self.sum(path);
        let mut open = sum.open.without(sum.closed).without(sum.left);
        let by_globs = open.intersection(self.glob_denies);
        if !by_globs.is_empty() {
            // Globs can take everything together, without one that does; then nothing is claimed.
            let mut word = Word::new(path);
            word.push(&[FRESH]);
            open = open.without(self.taken_from(&word, by_globs));
        }
        sum.left = sum.left.without(sum.closed).union(open);
        let missing = bits(passed, flag::GROUP_ALLOW).without(sum.closed).without(sum.left);
        if !missing.is_empty() {
            let taken = sum.touched.union(sum.closed);
            sum.left = sum.left.union(self.left_of_starred(path, missing, taken));
        }
        Below { some: sum.left, all: sum.open.without(sum.closed).without(sum.touched) }
    }

    /// What denies take from the byte strings that start with `path`: `some` of them, as far as
    /// each deny for itself shows, and `all`, where one deny alone does. For reasons, not for
    /// decisions.
    pub fn taken_below(&self, path: &[u8]) -> Below {
        let (sum, _) = self.sum(path);
        Below { some: sum.touched.union(sum.closed), all: sum.closed }
    }

    /// What single rules show of the extensions of a path, and the flags of the nodes on it.
    fn sum(&self, path: &[u8]) -> (Sum, u32) {
        let mut sum = Sum::default();
        let mut passed = 0;
        let stop = self.trie.walk(path, |_, node| {
            sum.open = sum.open.union(bits(node.flags, Kind::PrefixAllow as u32));
            sum.closed = sum.closed.union(bits(node.flags, Kind::PrefixDeny as u32));
            passed |= node.flags;
            true
        });
        if let Stop::At(node) | Stop::Within(node) = stop {
            let flags = self.trie.nodes[node as usize].flags;
            sum.left = bits(flags, flag::LIVE);
            sum.touched = bits(flags, flag::DENY_BELOW);
        }
        if passed & flag::GROUP != 0 {
            // A pattern whose prefix is spent matches some extension, if only the right one.
            let denies = bits(passed, flag::GROUP_DENY);
            sum.touched = sum.touched.union(denies);
            let mut lookup = Lookup::new(path);
            let effects = [Effect::Allow, Effect::Deny];
            self.each_group(path, |group| {
                self.matching(group, &effects, &mut lookup, &mut |starred, certain| {
                    sum.add_if_open_ended(self, starred, path, certain);
                    true
                })
            });
        }
        (sum, passed)
    }

    /// Which of these accesses the starred allows that the path has spent the prefix of have at
    /// some extension; `taken` is what denies take from some.
    fn left_of_starred(&self, path: &[u8], missing: AccessSet, taken: AccessSet) -> AccessSet {
        let mut left = AccessSet::NONE;
        let mut words = self.words;
        self.each_group(path, |group| {
            let patterns = &self.starred.all[group.start as usize..group.end as usize];
            for starred in patterns.iter().filter(|starred| starred.effect == Effect::Allow) {
                let wanted = starred.live.intersection(missing).without(left);
                if !wanted.is_empty() {
                    left = left.union(match starred.middle {
                        Middle::Pieces { start, count } => {
                            let pieces = self.starred.pieces_of(start, count);
                            self.left_of(starred, pieces, path, wanted, &mut words)
                        }
                        // Without the subset construction a glob counts only where no deny could
                        // take from it.
                        Middle::Chain(_) if wanted.without(taken).is_empty() => AccessSet::NONE,
                        Middle::Chain(_) => match self.starred.is_alive(starred, path) {
                            true => wanted.without(taken),
                            false => AccessSet::NONE,
                        },
                    });
                }
                if left == missing || words == 0 {
                    return false;
                }
            }
            true
        });
        left
    }

    /// Which of these accesses an allow of these pieces has at some extension of a path that has spent its
    /// prefix.
    fn left_of(
        &self,
        starred: &Starred,
        pieces: &[Span],
        path: &[u8],
        wanted: AccessSet,
        words: &mut u32,
    ) -> AccessSet {
        // Denies without stars before their end would have closed the path.
        let mut left = wanted.without(self.starred_denies);
        let suffix = self.starred.bytes_of(starred.suffix);
        // The pieces that the path already has, each as early as can be.
        let mut spent = usize::from(starred.prefix_len);
        let mut found = 0;
        for piece in pieces {
            let Some(at) = self.starred.find(*piece, &path[spent..]) else { break };
            spent += at + usize::from(piece.len);
            found += 1;
        }
        let awaited = &pieces[found..];
        let next = awaited.first().map_or(suffix, |piece| self.starred.bytes_of(*piece));
        // All of what it waits for may follow, or the rest of it where the path ends with its
        // start. A suffix may also stand there whole.
        let longest = if awaited.is_empty() { next.len() } else { next.len().saturating_sub(1) };
        for overlap in 0..=longest.min(path.len() - spent) {
            if left == wanted || *words == 0 {
                break;
            }
            if !path.ends_with(&next[..overlap]) {
                continue;
            }
            *words -= 1;
            let mut word = Word::new(path);
            if overlap == 0 && !next.is_empty() || awaited.is_empty() && suffix.is_empty() {
                word.push(&[FRESH]);
            }
            word.push(&next[overlap..]);
            if !awaited.is_empty() {
                for piece in &awaited[1..] {
                    word.push(&[FRESH]);
                    word.push(self.starred.bytes_of(*piece));
                }
                word.push(&[FRESH]);
                word.push(suffix);
            }
            left = wanted.without(self.taken_from(&word, wanted.without(left)));
        }
        left
    }

    /// Which of these accesses denies take from a word; all, if it did not fit.
    fn taken_from(&self, word: &Word, wanted: AccessSet) -> AccessSet {
        if word.fits { self.denied(&word.bytes[..word.len], wanted) } else { wanted }
    }
}

impl Sum {
    fn add_if_open_ended(
        &mut self,
        automaton: &Automaton,
        starred: &Starred,
        path: &[u8],
        certain: bool,
    ) {
        let side = match starred.effect {
            Effect::Allow => &mut self.open,
            Effect::Deny => &mut self.closed,
        };
        let set = &automaton.starred;
        if !starred.access.without(*side).is_empty()
            && set.is_open_ended(starred)
            && (certain || set.matches(starred, path))
        {
            *side = side.union(starred.access);
        }
    }
}

/// A word on the stack.
struct Word {
    bytes: [u8; WORD],
    len: usize,
    fits: bool,
}

impl Word {
    fn new(path: &[u8]) -> Self {
        let mut word = Self { bytes: [0; WORD], len: 0, fits: true };
        word.push(path);
        word
    }

    /// Adds bytes. A word that would be longer than any path and restriction make does not fit,
    /// and then proves nothing.
    fn push(&mut self, bytes: &[u8]) {
        match self.bytes.get_mut(self.len..self.len + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.fits = false,
        }
    }
}
