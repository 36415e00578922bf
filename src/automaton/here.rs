//! Deciding one path.

use super::{Automaton, Effect, Group, Kind, RuleId, Verdict, flag, starred::Starred, trie::Node};
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

impl Automaton {
    /// Decides one access at one path.
    ///
    /// Never fails and never allocates. Time is linear in the path; the number of rules adds to
    /// it only by what patterns with stars have in common, and that within
    /// [`MAX_STARRED_ON_ONE_PATH`](super::MAX_STARRED_ON_ONE_PATH).
    pub fn here(&self, path: &[u8], access: Access) -> Verdict {
        let want = u32::from(AccessSet::from(access).bits());
        let mut seen = Seen { want: access, granted: None, denied: None, other: None };
        let mut groups = [0_u32; REMEMBERED_GROUPS];
        let mut group_count = 0;
        // What the groups that were passed could still say, as their flags.
        let mut pending = 0;
        self.trie.walk(path, |_, node, spent| {
            let flags = node.flags;
            if flags & flag::ANY_HERE == 0 {
                return true;
            }
            // Exact rules count only where the path ends.
            let mut here = flags & 0o7777;
            if spent == path.len() {
                here |= here >> 3;
            }
            if here >> (Kind::PrefixDeny as u32) & want != 0 {
                seen.denied = Some(self.rule_at(node, spent == path.len(), Effect::Deny, want));
                return false;
            }
            if seen.granted.is_none() && here & 7 != 0 {
                let wanted = here & want;
                let rule = self.rule_at(
                    node,
                    spent == path.len(),
                    Effect::Allow,
                    if wanted != 0 { wanted } else { here & 7 },
                );
                match wanted {
                    0 => seen.other = Some(rule),
                    _ => seen.granted = Some(rule),
                }
            }
            if flags & flag::GROUP != 0 {
                if let Some(place) = groups.get_mut(group_count) {
                    *place = node.extra;
                }
                group_count += 1;
                pending |= flags;
            }
            // Granted, and nothing on the way or under here takes it: settled.
            seen.granted.is_none()
                || flags >> flag::DENY_BELOW & want != 0
                || pending >> flag::GROUP_DENY & want != 0
        });
        let takes = pending >> flag::GROUP_DENY & want != 0;
        let gives = pending >> flag::GROUP_ALLOW & 7 != 0;
        if group_count > 0 && seen.denied.is_none() && (takes || seen.granted.is_none() && gives) {
            if group_count <= REMEMBERED_GROUPS {
                self.ask(path, &mut seen, groups[..group_count].iter().copied());
            } else {
                self.ask_all(path, &mut seen);
            }
        }
        seen.verdict()
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
    fn ask(&self, path: &[u8], seen: &mut Seen, groups: impl Iterator<Item = u32>) {
        let mut lookup = Lookup::default();
        for place in groups {
            if !self.ask_group(&self.extras[place as usize].group, path, &mut lookup, seen) {
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
        self.trie.walk(path, |_, node, _| {
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
