//! Deciding one path.

use super::{
    Automaton, Effect, Kind, RuleId, Verdict,
    alike::starts_with,
    asked::{Lookup, REMEMBERED_GROUPS, Seen},
    flag,
    forks::Forks,
    trie::Node,
};
use crate::access::{Access, AccessSet};

/// What a path has passed on its way through the trie.
pub(super) struct Passed {
    want: Access,
    /// Of the nodes where a rule that matches ends the one nearest to the root, as [`near`] has it:
    /// for rules that take the access, that give it, and that give others.
    denied: u64,
    granted: u64,
    other: u64,
    groups: [u32; REMEMBERED_GROUPS],
    group_count: usize,
    /// What the groups that were passed could still say, as their flags.
    pending: u32,
}

/// No node.
const NOWHERE: u64 = u64::MAX;

/// A node, such that the one nearest to the root is the least.
#[inline]
fn near(node: &Node, id: u32) -> u64 {
    u64::from(node.len) << 32 | u64::from(id)
}

impl Passed {
    #[inline]
    pub(super) fn new(want: Access) -> Self {
        Self {
            want,
            denied: NOWHERE,
            granted: NOWHERE,
            other: NOWHERE,
            groups: [0; REMEMBERED_GROUPS],
            group_count: 0,
            pending: 0,
        }
    }

    /// The access, as bits.
    #[inline]
    fn want(&self) -> u32 {
        u32::from(AccessSet::from(self.want).bits())
    }

    /// Takes into account what ends at a node. Without branches where it can: what ends where is as
    /// good as random.
    #[inline]
    pub(super) fn pass(&mut self, node: &Node, id: u32, at_end: bool) {
        let flags = node.flags;
        // Exact rules count only where the path ends.
        let exact = if at_end { flags >> 3 } else { 0 };
        let (allows, denies) = ((flags | exact) & 7, (flags | exact) >> Kind::PrefixDeny as u32);
        let place = near(node, id);
        let only_if = |accesses: u32| if accesses != 0 { place } else { NOWHERE };
        self.denied = self.denied.min(only_if(denies & self.want()));
        self.granted = self.granted.min(only_if(allows & self.want()));
        self.other = self.other.min(only_if(allows & !self.want()));
        if flags & flag::GROUP != 0 {
            if let Some(place) = self.groups.get_mut(self.group_count) {
                *place = node.extra;
            }
            self.group_count += 1;
            self.pending |= flags;
        }
    }

    /// The same for the root, where seldom anything ends but groups.
    #[inline]
    pub(super) fn pass_root(&mut self, root: &Node, path: &[u8]) {
        if root.flags & flag::ANY_HERE != 0 {
            self.pass(root, 0, path.is_empty());
        }
    }

    /// Whether nothing at or under a node, nor any group that was passed, can change the verdict.
    #[inline]
    fn is_settled(&self, flags: u32) -> bool {
        self.denied != NOWHERE
            || self.granted != NOWHERE
                && (flags >> flag::DENY_BELOW | self.pending >> flag::GROUP_DENY) & self.want() == 0
    }

    /// Asks the groups, where they could still say something, and comes to the verdict. Of rules
    /// that say the same, the one nearest to the root is named.
    #[inline]
    pub(super) fn verdict(&self, automaton: &Automaton, lookup: Lookup<'_>) -> Verdict {
        let path = lookup.path;
        if self.denied != NOWHERE {
            let rule = automaton.rule_at(self.denied, path, Effect::Deny, self.want());
            return Verdict::Denied(RuleId(rule));
        }
        let takes = self.pending >> flag::GROUP_DENY & self.want() != 0;
        let gives = self.pending >> flag::GROUP_ALLOW & 7 != 0;
        let granted = (self.granted != NOWHERE)
            .then(|| automaton.rule_at(self.granted, path, Effect::Allow, self.want()));
        if let Some(rule) = granted.filter(|_| !takes) {
            return Verdict::Allowed(RuleId(rule));
        }
        let other = (self.other != NOWHERE)
            .then(|| automaton.rule_at(self.other, path, Effect::Allow, !self.want()));
        let mut seen = Seen::new(self.want, granted, other, takes);
        if takes || granted.is_none() && gives {
            // From the root down, which is the order of their places: forks hand nodes on in none. A
            // search of crowds goes on behind the last block that a group before had reached.
            let mut groups = self.groups;
            match groups.get_mut(..self.group_count) {
                Some(groups) => {
                    groups.sort_unstable();
                    automaton.ask(lookup, &mut seen, groups);
                }
                None => automaton.ask_all(lookup, &mut seen),
            }
        }
        seen.verdict()
    }
}

impl Automaton {
    /// Decides one access at one path.
    ///
    /// Never fails and never allocates. Time is linear in the path; the number of rules adds to
    /// it only by what patterns with stars have in common, and that within
    /// [`MAX_STARRED_ON_ONE_PATH`](super::MAX_STARRED_ON_ONE_PATH).
    pub fn here(&self, path: &[u8], access: Access) -> Verdict {
        if let Some(only) = &self.only {
            return only.here(path, access);
        }
        match (&self.listed, &self.forks) {
            (Some(listed), _) => self.here_listed(listed, path, access),
            (None, Some(forks)) => self.here_forked(forks, path, access),
            (None, None) => self.here_walked(path, access),
        }
    }

    /// The verdicts of all ways to decide that this automaton has, for tests to compare.
    pub(crate) fn here_each_way(
        &self,
        path: &[u8],
        access: Access,
    ) -> impl Iterator<Item = Verdict> {
        let only = self.only.as_ref().map(|only| only.here(path, access));
        let listed = self.listed.as_ref().map(|listed| self.here_listed(listed, path, access));
        let forks = self.forks.as_ref();
        let forked = forks.map(|forks| self.here_forked(forks, path, access));
        let walked = self.here_walked(path, access);
        [Some(self.here(path, access)), only, listed, forked, Some(walked)].into_iter().flatten()
    }

    /// Decides by the nodes that the forks lead to.
    #[inline(never)]
    fn here_forked(&self, forks: &Forks<false>, path: &[u8], access: Access) -> Verdict {
        let mut passed = Passed::new(access);
        passed.pass_root(&self.trie.nodes[0], path);
        forks.each(path, &mut |id| {
            let node = &self.trie.nodes[id as usize];
            if starts_with(path, self.trie.leading_to(node)) {
                passed.pass(node, id, usize::from(node.len) == path.len());
            }
        });
        passed.verdict(self, Lookup::new(path))
    }

    /// Decides by walking the trie, and searching crowds without their sieves.
    pub(super) fn here_walked(&self, path: &[u8], access: Access) -> Verdict {
        let mut passed = Passed::new(access);
        self.trie.walk(path, |id, node| {
            passed.pass(node, id, usize::from(node.len) == path.len());
            !passed.is_settled(node.flags)
        });
        passed.verdict(self, Lookup::without_sieve(path))
    }

    /// The rule of this effect that ends at a node, as [`near`] has it, and carries one of these
    /// accesses.
    #[inline]
    fn rule_at(&self, near: u64, path: &[u8], effect: Effect, access: u32) -> u32 {
        let node = &self.trie.nodes[near as u32 as usize];
        if node.flags & flag::EXTRA == 0 {
            return node.extra;
        }
        let at_end = usize::from(node.len) == path.len();
        let extra = &self.extras[node.extra as usize];
        let start = extra.terminals as usize;
        let terminals = &self.terminals[start..start + extra.terminal_count as usize];
        let decides = |kind| match effect {
            Effect::Allow => kind == Kind::PrefixAllow || at_end && kind == Kind::ExactAllow,
            Effect::Deny => kind == Kind::PrefixDeny || at_end && kind == Kind::ExactDeny,
        };
        terminals
            .iter()
            .find(|terminal| {
                decides(terminal.kind) && u32::from(terminal.access.bits()) & access != 0
            })
            .map_or(u32::MAX, |terminal| terminal.rule)
    }
}
