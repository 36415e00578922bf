//! Asking the starred patterns whose prefix a path has passed.

use super::{
    Automaton, Effect, Group, Many, RuleId, Verdict, flag,
    starred::{Starred, Tail},
};
use crate::access::Access;

/// Groups that a walk remembers; a path that passes more walks twice.
pub(super) const REMEMBERED_GROUPS: usize = 16;
/// What is known so far of one access at one path.
pub(super) struct Seen {
    want: Access,
    granted: Option<u32>,
    denied: Option<u32>,
    /// A rule that matches, without the access.
    other: Option<u32>,
    /// Whether a pattern may still take the access.
    takes: bool,
}

impl Seen {
    /// What a walk has found, which no deny takes; and whether a pattern may still take it.
    #[inline]
    pub(super) fn new(want: Access, granted: Option<u32>, other: Option<u32>, takes: bool) -> Self {
        Self { want, granted, denied: None, other, takes }
    }

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
        self.denied.is_none() && (self.granted.is_none() || self.takes)
    }

    #[inline]
    pub(super) fn verdict(&self) -> Verdict {
        match (self.denied, self.granted, self.other) {
            (Some(rule), _, _) => Verdict::Denied(RuleId(rule)),
            (None, Some(rule), _) => Verdict::Allowed(RuleId(rule)),
            (None, None, Some(rule)) => Verdict::OtherAccess(RuleId(rule)),
            (None, None, None) => Verdict::NoMatch,
        }
    }
}

impl Automaton {
    /// Asks the patterns of these groups, given by their places in `extras`. They come from the root
    /// down: see [`Lookup::searched`].
    #[inline]
    pub(super) fn ask(&self, mut lookup: Lookup<'_>, seen: &mut Seen, groups: &[u32]) {
        for place in groups {
            if !self.ask_group(&self.extras[*place as usize].group, &mut lookup, seen) {
                return;
            }
        }
    }

    /// The same for a path that passes more groups than a walk remembers.
    #[cold]
    pub(super) fn ask_all(&self, mut lookup: Lookup<'_>, seen: &mut Seen) {
        self.each_group(lookup.path, |group| self.ask_group(group, &mut lookup, seen));
    }

    #[inline]
    fn ask_group(&self, group: &Group, lookup: &mut Lookup<'_>, seen: &mut Seen) -> bool {
        let effects: &[Effect] = match seen.granted {
            None => &[Effect::Allow, Effect::Deny],
            Some(_) => &[Effect::Deny],
        };
        let path = lookup.path;
        self.matching(group, effects, lookup, &mut |starred, certain| {
            !seen.cares(starred)
                || !(certain || self.starred.matches(starred, path))
                || seen.take(starred)
        })
    }

    /// Hands the patterns of a group that can match the path to `each`, and whether it is certain
    /// that they do, until it says to stop. Says whether it never did. Of the patterns that are
    /// searched together it hands those of these effects, and those of a block that the path was
    /// searched for before not again.
    #[inline]
    pub(super) fn matching(
        &self,
        group: &Group,
        effects: &[Effect],
        lookup: &mut Lookup<'_>,
        each: &mut impl FnMut(&Starred, bool) -> bool,
    ) -> bool {
        if group.many != 0 {
            return self.matching_many(group, effects, lookup, each);
        }
        // Which tails agree is found without a branch; usually none does.
        let direct = group.start as usize..group.direct_end as usize;
        let mut agree = 0_u32;
        for (place, tail) in self.starred.tails[direct.clone()].iter().enumerate() {
            agree |= u32::from(lookup.tail.agrees(*tail)) << (place as u32 % u32::BITS);
        }
        let patterns = &self.starred.all[direct];
        while agree != 0 {
            let pattern = patterns.get(agree.trailing_zeros() as usize);
            if pattern.is_some_and(|pattern| !each(pattern, false)) {
                return false;
            }
            agree &= agree - 1;
        }
        true
    }

    /// The same for a group of many patterns.
    fn matching_many(
        &self,
        group: &Group,
        effects: &[Effect],
        lookup: &mut Lookup<'_>,
        each: &mut impl FnMut(&Starred, bool) -> bool,
    ) -> bool {
        let set = &self.starred;
        let many = set.many_of(group);
        let mut goes_on = true;
        let direct = group.start as usize..group.direct_end as usize;
        if let Some(suffixes) = set.suffixes.get(many.suffixes as usize) {
            suffixes.each(lookup.path, &mut |first| {
                let first = first as usize;
                // Equal suffixes are one stretch of the text.
                let suffix = set.all[first].suffix;
                let mut same =
                    set.all[first..direct.end].iter().take_while(|one| one.suffix == suffix);
                goes_on = goes_on && same.all(|starred| each(starred, false));
            });
        } else {
            let mut direct = direct.clone().zip(&set.tails[direct]);
            goes_on = direct
                .all(|(place, tail)| !lookup.tail.agrees(*tail) || each(&set.all[place], false));
        }
        goes_on && effects.iter().all(|effect| self.search(&many, *effect, lookup, each))
    }

    /// The same for the patterns of a group that are searched together.
    #[inline]
    fn search(
        &self,
        many: &Many,
        effect: Effect,
        lookup: &mut Lookup<'_>,
        each: &mut impl FnMut(&Starred, bool) -> bool,
    ) -> bool {
        let (first, end) = many.blocks[effect as usize];
        let (path, searched) = (lookup.path, &mut lookup.searched[effect as usize]);
        if first.max(*searched) >= end {
            return true;
        }
        let crowd = &self.crowds[effect as usize];
        let each = &mut |starred: &Starred| each(starred, true);
        if lookup.sifts
            && *searched == 0
            && let Some(goes_on) = crowd.sift(&self.starred, &self.trie, path, each)
        {
            // That was all of them.
            *searched = u32::MAX;
            return goes_on;
        }
        (first.max(*searched)..end).all(|block| {
            *searched = block + 1;
            crowd.search(block, &self.starred, &self.trie, path, each)
        })
    }

    /// Every group on a path, from the root down, until `each` says to stop.
    pub(super) fn each_group(&self, path: &[u8], mut each: impl FnMut(&Group) -> bool) {
        self.trie.walk(path, |_, node| {
            node.flags & flag::GROUP == 0 || each(&self.extras[node.extra as usize].group)
        });
    }
}

/// A path that groups are asked about, and how many blocks of each crowd it was searched for.
pub(super) struct Lookup<'a> {
    pub(super) path: &'a [u8],
    tail: Tail,
    /// Whether the crowds' sieves are tried.
    sifts: bool,
    /// Of each crowd, the block behind the last one searched. Groups further down have later blocks, so
    /// that none is left out if they are asked from the root down.
    searched: [u32; 2],
}

impl<'a> Lookup<'a> {
    #[inline]
    pub(super) fn new(path: &'a [u8]) -> Self {
        Self { path, tail: Tail::of(path), sifts: true, searched: [0; 2] }
    }

    /// The same, but searching the crowds whatever a sieve would say.
    pub(super) fn without_sieve(path: &'a [u8]) -> Self {
        Self { sifts: false, ..Self::new(path) }
    }
}
