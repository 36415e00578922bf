//! What denies take from one path, whatever is given there.

use super::{Automaton, Effect, Kind, asked::Lookup, bits, flag};
use crate::access::AccessSet;

impl Automaton {
    /// Which of these accesses some deny takes at a path. Allows are not looked at.
    pub(super) fn denied(&self, path: &[u8], want: AccessSet) -> AccessSet {
        let mut denied = AccessSet::NONE;
        let mut groups = AccessSet::NONE;
        self.trie.walk(path, |_, node| {
            denied = denied.union(bits(node.flags, Kind::PrefixDeny as u32));
            if usize::from(node.len) == path.len() {
                denied = denied.union(bits(node.flags, Kind::ExactDeny as u32));
            }
            groups = groups.union(bits(node.flags, flag::GROUP_DENY));
            !want.without(denied).is_empty()
        });
        if want.intersection(groups).without(denied).is_empty() {
            return want.intersection(denied);
        }
        let mut lookup = Lookup::new(path);
        self.each_group(path, |group| {
            self.matching(group, &[Effect::Deny], &mut lookup, &mut |starred, certain| {
                let takes = starred.effect == Effect::Deny
                    && !starred.access.intersection(want).without(denied).is_empty()
                    && (certain || self.starred.matches(starred, path));
                if takes {
                    denied = denied.union(starred.access);
                }
                !want.without(denied).is_empty()
            })
        });
        want.intersection(denied)
    }

    /// How many starred patterns [`Automaton::denied`] may look at for a path.
    pub(super) fn deny_work(&self, path: &[u8]) -> usize {
        let mut work = 0;
        let mut searched = 0;
        self.each_group(path, |group| {
            work += (group.direct_end - group.start) as usize;
            let (first, end) = self.starred.many_of(group).blocks[Effect::Deny as usize];
            for block in first.max(searched)..end {
                searched = block + 1;
                work += self.crowds[Effect::Deny as usize].size(block);
            }
            true
        });
        work
    }
}
