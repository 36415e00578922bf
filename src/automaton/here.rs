//! Deciding one path.

use super::{
    Automaton, Effect, Group, Kind, RuleId, Verdict, flag, index::Found, starred::Starred,
    trie::Node,
};
use crate::access::{Access, AccessSet};

/// Groups that a walk remembers; a path that passes more walks twice.
const REMEMBERED_GROUPS: usize = 16;
/// Groups of more patterns than this are looked up by suffix.
const SMALL_GROUP: usize = 8;
/// Suffixes that a path's end is looked up for; a path that has more is compared with each pattern.
const REMEMBERED_SUFFIXES: usize = 64;

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
        }
    }

    /// Takes into account what ends at a node. Of rules that say the same, the one nearest to the
    /// root is named: `is_nearer` says whether this node is nearer than those before.
    #[inline]
    fn pass(&mut self, automaton: &Automaton, node: &Node, at_end: bool, is_nearer: bool) {
        let flags = node.flags;
        if flags & flag::ANY_HERE == 0 {
            return;
        }
        // Exact rules count only where the path ends.
        let mut here = flags & 0o7777;
        if at_end {
            here |= here >> 3;
        }
        let rule = |effect, access| automaton.rule_at(node, at_end, effect, access);
        let seen = &mut self.seen;
        if here >> (Kind::PrefixDeny as u32) & self.want != 0
            && (is_nearer || seen.denied.is_none())
        {
            seen.denied = Some(rule(Effect::Deny, self.want));
        }
        let wanted = here & self.want;
        if wanted != 0 && (is_nearer || seen.granted.is_none()) {
            seen.granted = Some(rule(Effect::Allow, wanted));
        } else if wanted == 0 && here & 7 != 0 && (is_nearer || seen.other.is_none()) {
            seen.other = Some(rule(Effect::Allow, here & 7));
        }
        if flags & flag::GROUP != 0 {
            if let Some(place) = self.groups.get_mut(self.group_count) {
                *place = node.extra;
            }
            self.group_count += 1;
            self.pending |= flags;
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
        match (&self.listed, &self.index) {
            (Some(listed), _) => self.here_listed(listed, path, access),
            (None, Some(index)) => self.here_indexed(index.longest(path), path, access),
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
        let index = self.index.as_ref();
        let indexed = index.map(|index| self.here_indexed(index.longest(path), path, access));
        let walked = self.here_walked(path, access);
        [Some(self.here(path, access)), listed, indexed, Some(walked)].into_iter().flatten()
    }

    /// Decides from where the index says that a path leaves the trie.
    #[inline]
    pub(super) fn here_indexed(
        &self,
        found: Option<Found>,
        path: &[u8],
        access: Access,
    ) -> Verdict {
        let mut passed = Passed::new(access);
        let root = &self.trie.nodes[0];
        let Some(Found { node: id, len }) = found else {
            if root.flags & flag::TAILS == 0 {
                passed.pass(self, root, path.is_empty(), false);
            } else {
                self.pass_from(0, 0, path, &mut passed);
            }
            return passed.verdict(self, path);
        };
        let leading = self.trie.leading_to(&self.trie.nodes[id as usize]);
        if leading.get(..len) != path.get(..len) {
            // The hashes lied.
            return self.here_walked(path, access);
        }
        let node = &self.trie.nodes[id as usize];
        if usize::from(node.len) == len && node.flags & flag::TAILS == 0 {
            passed.pass(self, node, len == path.len(), false);
        } else {
            self.pass_from(id, len, path, &mut passed);
        }
        let mut above = self.above(node);
        while let Some(node) = above {
            passed.pass(self, node, false, true);
            above = self.above(node);
        }
        passed.pass(self, root, false, true);
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
            passed.pass(self, node, usize::from(node.len) == path.len(), false);
            !passed.is_settled(node.flags)
        });
    }

    /// The nearest node above one that anything ends at, but for the root.
    #[inline]
    fn above(&self, node: &Node) -> Option<&Node> {
        if node.flags & flag::EXTRA == 0 {
            return None;
        }
        self.trie.nodes.get(self.extras[node.extra as usize].above as usize)
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
                if !crowd.search(block, set, path, &mut |starred| each(starred, true)) {
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

/// What is known of one path: the suffixes that it ends with, by number, found when first asked
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
                automaton.suffixes.walk_back(path, |node| {
                    if node.flags != 0 {
                        if let Some(place) = self.suffixes.get_mut(found) {
                            *place = node.extra;
                        }
                        found += 1;
                    }
                });
                *self.found.insert(found)
            }
        };
        self.suffixes.get(..found)
    }
}
