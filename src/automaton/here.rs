//! Deciding one path.

use super::{
    Automaton, Effect, Group, Kind, RuleId, Verdict, flag, forks::Forks, starred::Starred,
    trie::Node,
};
use crate::access::{Access, AccessSet};

/// Groups that a walk remembers; a path that passes more walks twice.
const REMEMBERED_GROUPS: usize = 16;
/// Groups of more patterns than this are looked up by suffix.
const SMALL_GROUP: usize = 8;
/// Suffixes that a path's end is looked up for; a path that has more is compared with each pattern.
const REMEMBERED_SUFFIXES: usize = 32;

/// What is known so far of one access at one path.
struct Seen {
    want: Access,
    granted: Option<u32>,
    denied: Option<u32>,
    /// A rule that matches, without the access.
    other: Option<u32>,
}

impl Seen {
    /// Whether a pattern could change anything.
    #[inline]
    fn cares(&self, starred: &Starred) -> bool {
        match (starred.effect, starred.access.contains(self.want)) {
            (Effect::Deny, carries) => carries,
            (Effect::Allow, true) => self.granted.is_none(),
            (Effect::Allow, false) => self.granted.is_none() && self.other.is_none(),
        }
    }

    /// Takes a pattern that matches into account. Says whether to go on.
    #[inline]
    fn take(&mut self, starred: &Starred) -> bool {
        match (starred.effect, starred.access.contains(self.want)) {
            (Effect::Deny, true) => self.denied = Some(starred.rule),
            (Effect::Deny, false) => {}
            (Effect::Allow, true) => self.granted = Some(starred.rule),
            (Effect::Allow, false) => self.other = Some(starred.rule),
        }
        self.denied.is_none()
    }

    fn verdict(&self) -> Verdict {
        match (self.denied, self.granted, self.other) {
            (Some(rule), _, _) => Verdict::Denied(RuleId(rule)),
            (None, Some(rule), _) => Verdict::Allowed(RuleId(rule)),
            (None, None, Some(rule)) => Verdict::OtherAccess(RuleId(rule)),
            (None, None, None) => Verdict::NoMatch,
        }
    }
}

/// What a path has passed on its way through the trie.
struct Passed {
    seen: Seen,
    want: u32,
    groups: [u32; REMEMBERED_GROUPS],
    group_count: usize,
    /// What the groups that were passed could still say, as their flags.
    pending: u32,
    /// How far from the root the rules stand that are named.
    nearest: [u16; 3],
}

impl Passed {
    #[inline]
    fn new(access: Access) -> Self {
        Self {
            seen: Seen { want: access, granted: None, denied: None, other: None },
            want: u32::from(AccessSet::from(access).bits()),
            groups: [0; REMEMBERED_GROUPS],
            group_count: 0,
            pending: 0,
            nearest: [u16::MAX; 3],
        }
    }

    /// Takes into account what ends at a node. Of rules that say the same, the one nearest to the
    /// root is named.
    #[inline]
    fn pass(&mut self, automaton: &Automaton, node: &Node, at_end: bool) {
        let flags = node.flags;
        // Exact rules count only where the path ends.
        let mut here = flags & 0o7777;
        if at_end {
            here |= here >> 3;
        }
        if here & 0o777 != 0 {
            self.pass_rules(automaton, node, at_end, here);
        }
        if flags & flag::GROUP != 0 {
            if let Some(place) = self.groups.get_mut(self.group_count) {
                *place = node.extra;
            }
            self.group_count += 1;
            self.pending |= flags;
        }
    }

    #[inline]
    fn pass_rules(&mut self, automaton: &Automaton, node: &Node, at_end: bool, here: u32) {
        let denies = here >> (Kind::PrefixDeny as u32) & self.want;
        let allows = here & self.want;
        let [denied, granted, other] = &mut self.nearest;
        for (effect, access, nearest, named) in [
            (Effect::Deny, denies, denied, &mut self.seen.denied),
            (Effect::Allow, allows, granted, &mut self.seen.granted),
            (Effect::Allow, here & 7 & !self.want, other, &mut self.seen.other),
        ] {
            if access != 0 && node.len < *nearest {
                *nearest = node.len;
                *named = Some(automaton.rule_at(node, at_end, effect, access));
            }
        }
    }

    /// Whether nothing at or under a node, nor any group that was passed, can change the verdict.
    #[inline]
    fn is_settled(&self, flags: u32) -> bool {
        self.seen.denied.is_some()
            || self.seen.granted.is_some()
                && (flags >> flag::DENY_BELOW | self.pending >> flag::GROUP_DENY) & self.want == 0
    }

    /// Asks the groups, where they could still say something, and comes to the verdict.
    #[inline]
    fn verdict(mut self, automaton: &Automaton, path: &[u8]) -> Verdict {
        let takes = self.pending >> flag::GROUP_DENY & self.want != 0;
        let gives = self.pending >> flag::GROUP_ALLOW & 7 != 0;
        let seen = &mut self.seen;
        if seen.denied.is_none() && (takes || seen.granted.is_none() && gives) {
            match self.groups.get(..self.group_count) {
                Some(groups) => automaton.ask(path, seen, groups),
                None => automaton.ask_all(path, seen),
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
        let listed = self.listed.as_ref().map(|listed| self.here_listed(listed, path, access));
        let forks = self.forks.as_ref();
        let forked = forks.map(|forks| self.here_forked(forks, path, access));
        let walked = self.here_walked(path, access);
        [Some(self.here(path, access)), listed, forked, Some(walked)].into_iter().flatten()
    }

    /// Decides by the nodes that the forks lead to.
    #[inline]
    fn here_forked(&self, forks: &Forks<false>, path: &[u8], access: Access) -> Verdict {
        let mut passed = Passed::new(access);
        let root = &self.trie.nodes[0];
        passed.pass(self, root, path.is_empty());
        forks.each(path, &mut |id| {
            let node = &self.trie.nodes[id as usize];
            if path.starts_with(self.trie.leading_to(node)) {
                passed.pass(self, node, usize::from(node.len) == path.len());
            }
        });
        passed.verdict(self, path)
    }

    /// Decides by walking the trie.
    pub(super) fn here_walked(&self, path: &[u8], access: Access) -> Verdict {
        let mut passed = Passed::new(access);
        self.pass_from(0, 0, path, &mut passed);
        passed.verdict(self, path)
    }

    fn pass_from(&self, node: u32, spent: usize, path: &[u8], passed: &mut Passed) {
        self.trie.walk_from(node, spent, path, |_, node| {
            passed.pass(self, node, usize::from(node.len) == path.len());
            !passed.is_settled(node.flags)
        });
    }

    /// The rule of this effect that ends at a node and carries one of these accesses.
    #[inline]
    fn rule_at(&self, node: &Node, at_end: bool, effect: Effect, access: u32) -> u32 {
        if node.flags & flag::EXTRA == 0 {
            return node.extra;
        }
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

    /// Asks the patterns of these groups, given by their places in `extras`, from the root down.
    fn ask(&self, path: &[u8], seen: &mut Seen, groups: &[u32]) {
        let mut lookup = Lookup::default();
        for place in groups {
            if !self.ask_group(&self.extras[*place as usize].group, path, &mut lookup, seen) {
                return;
            }
        }
    }

    /// The same for a path that passes more groups than a walk remembers.
    #[cold]
    fn ask_all(&self, path: &[u8], seen: &mut Seen) {
        let mut lookup = Lookup::default();
        self.each_group(path, |group| self.ask_group(group, path, &mut lookup, seen));
    }

    fn ask_group(&self, group: &Group, path: &[u8], lookup: &mut Lookup, seen: &mut Seen) -> bool {
        let effects: &[Effect] = match seen.granted {
            None => &[Effect::Allow, Effect::Deny],
            Some(_) => &[Effect::Deny],
        };
        self.matching(group, path, effects, lookup, &mut |starred, certain| {
            !seen.cares(starred)
                || !(certain || self.starred.matches(starred, path))
                || seen.take(starred)
        })
    }

    /// Hands the patterns of a group that can match the path to `each`, and whether it is certain
    /// that they do, until it says to stop. Says whether it never did. Of the patterns that are
    /// searched together it hands those of these effects, and those of a block that the path was
    /// searched for before not again.
    pub(super) fn matching(
        &self,
        group: &Group,
        path: &[u8],
        effects: &[Effect],
        lookup: &mut Lookup,
        each: &mut impl FnMut(&Starred, bool) -> bool,
    ) -> bool {
        let set = &self.starred;
        let direct = &set.all[group.start as usize..group.direct_end as usize];
        let mut ask = |starred: &Starred| each(starred, false);
        if direct.len() <= SMALL_GROUP {
            if !direct.iter().all(&mut ask) {
                return false;
            }
        } else if let Some(suffixes) = lookup.suffixes(self, path) {
            let ids = &set.suffix_ids[group.start as usize..group.direct_end as usize];
            for suffix in suffixes {
                let from = ids.partition_point(|id| id < suffix);
                let same = ids[from..].iter().take_while(|id| *id == suffix).count();
                if !direct[from..from + same].iter().all(&mut ask) {
                    return false;
                }
            }
        } else if !direct.iter().all(&mut ask) {
            return false;
        }
        for effect in effects {
            let (first, end) = group.blocks[*effect as usize];
            let searched = &mut lookup.searched[*effect as usize];
            for block in first.max(*searched)..end {
                *searched = block + 1;
                let crowd = &self.crowds[*effect as usize];
                if !crowd.search(block, set, &self.trie, path, &mut |starred| each(starred, true)) {
                    return false;
                }
            }
        }
        true
    }

    /// Every group on a path, from the root down, until `each` says to stop.
    pub(super) fn each_group(&self, path: &[u8], mut each: impl FnMut(&Group) -> bool) {
        self.trie.walk(path, |_, node| {
            node.flags & flag::GROUP == 0 || each(&self.extras[node.extra as usize].group)
        });
    }
}

/// What is known of one path: the suffixes that it may end with, by number, found when first asked
/// for; and how many blocks of each crowd it was searched for.
pub(super) struct Lookup {
    found: Option<usize>,
    suffixes: [u32; REMEMBERED_SUFFIXES],
    searched: [u32; 2],
}

impl Default for Lookup {
    fn default() -> Self {
        Self { found: None, suffixes: [0; REMEMBERED_SUFFIXES], searched: [0; 2] }
    }
}

impl Lookup {
    /// The numbers, or `None` when there are more than are remembered.
    fn suffixes(&mut self, automaton: &Automaton, path: &[u8]) -> Option<&[u32]> {
        let found = match self.found {
            Some(found) => found,
            None => {
                let mut found = 0;
                automaton.suffixes.each(path, &mut |suffix| {
                    if let Some(place) = self.suffixes.get_mut(found) {
                        *place = suffix;
                    }
                    found += 1;
                });
                *self.found.insert(found)
            }
        };
        self.suffixes.get(..found)
    }
}
