//! Deciding several paths side by side.
//!
//! In an automaton that is larger than the caches, a decision waits for memory a few times, each time
//! for what the one before said. Here several paths take each step together, so that they wait
//! together.

use super::{
    Automaton, Verdict, alike::starts_with, asked::Lookup, forks::Forks, here::Passed, trie::Node,
};
use crate::access::Access;

/// How many paths are decided together.
const LANES: usize = 16;
/// How many nodes they may be candidates for at once; beyond, some are looked at before the others.
const CANDIDATES: usize = 4 * LANES;

/// A path, and what is asked of it.
type Question<'a> = (&'a [u8], Access);

impl Automaton {
    /// Decides many paths, in their order: the same verdicts as [`here`](Self::here) gives one by
    /// one, faster where there are very many rules. Never allocates.
    ///
    /// ```
    /// use pathward::{Access, AccessSet, Automaton, Effect, Entry, Restriction, Verdict};
    ///
    /// let logs = Restriction::parse("logs/")?;
    /// let automaton = Automaton::compile([
    ///     Entry { restriction: &logs, access: AccessSet::READ_ONLY, effect: Effect::Allow },
    /// ])?;
    /// let mut verdicts = Vec::new();
    /// let questions = [(&b"logs/a"[..], Access::Read), (b"data/b", Access::Read)];
    /// automaton.here_batch(questions, |verdict| verdicts.push(verdict));
    /// assert!(matches!(verdicts[..], [Verdict::Allowed(_), Verdict::NoMatch]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn here_batch<'p>(
        &self,
        questions: impl IntoIterator<Item = Question<'p>>,
        mut each: impl FnMut(Verdict),
    ) {
        let questions = questions.into_iter();
        match (&self.listed, &self.forks) {
            (None, Some(forks)) => self.here_by_lanes(forks, questions, each),
            _ => questions.for_each(|(path, access)| each(self.here(path, access))),
        }
    }

    /// The same by the forks, if there are any, whatever is the fastest: for tests.
    pub(crate) fn here_batch_forked<'p>(
        &self,
        questions: impl IntoIterator<Item = Question<'p>>,
        each: impl FnMut(Verdict),
    ) {
        if let Some(forks) = &self.forks {
            self.here_by_lanes(forks, questions.into_iter(), each);
        }
    }

    fn here_by_lanes<'p>(
        &self,
        forks: &Forks<false>,
        mut questions: impl Iterator<Item = Question<'p>>,
        mut each: impl FnMut(Verdict),
    ) {
        loop {
            let mut asked: [Question<'_>; LANES] = [(b"", Access::Read); LANES];
            let mut count = 0;
            for (place, question) in asked.iter_mut().zip(&mut questions) {
                *place = question;
                count += 1;
            }
            self.here_together(forks, &asked[..count], &mut each);
            if count < LANES {
                return;
            }
        }
    }

    /// Decides at most [`LANES`] paths.
    fn here_together(
        &self,
        forks: &Forks<false>,
        asked: &[Question<'_>],
        each: &mut impl FnMut(Verdict),
    ) {
        let mut passed: [Passed; LANES] = std::array::from_fn(|lane| {
            let (path, access) = asked.get(lane).copied().unwrap_or((b"", Access::Read));
            let mut passed = Passed::new(access);
            passed.pass_root(&self.trie.nodes[0], path);
            passed
        });
        let mut candidates = [(0, 0); CANDIDATES];
        let mut count = 0;
        let mut paths: [&[u8]; LANES] = [b""; LANES];
        for (path, (asked, _)) in paths.iter_mut().zip(asked) {
            *path = asked;
        }
        forks.each_of(&paths, &mut |lane, id| {
            if count == CANDIDATES {
                self.pass_all(&candidates, &paths, &mut passed);
                count = 0;
            }
            candidates[count] = (lane, id);
            count += 1;
        });
        self.pass_all(&candidates[..count], &paths, &mut passed);
        for (path, passed) in paths.iter().zip(&passed[..asked.len()]) {
            each(passed.verdict(self, Lookup::new(path)));
        }
    }

    /// Lets paths pass nodes that they may have reached.
    fn pass_all(
        &self,
        candidates: &[(usize, u32)],
        paths: &[&[u8]; LANES],
        passed: &mut [Passed; LANES],
    ) {
        let mut nodes = [Node::default(); CANDIDATES];
        let mut agrees = [false; CANDIDATES];
        for (node, (_, id)) in nodes.iter_mut().zip(candidates) {
            *node = self.trie.nodes[*id as usize];
        }
        // One byte of each, before any is compared whole.
        for ((agrees, node), (lane, _)) in agrees.iter_mut().zip(&nodes).zip(candidates) {
            let last = usize::from(node.len).wrapping_sub(1);
            *agrees = paths[*lane].get(last) == self.trie.leading_to(node).last();
        }
        for ((agrees, node), (lane, id)) in agrees.iter().zip(&nodes).zip(candidates) {
            let path = paths[*lane];
            if *agrees && starts_with(path, self.trie.leading_to(node)) {
                passed[*lane].pass(node, *id, usize::from(node.len) == path.len());
            }
        }
    }
}
