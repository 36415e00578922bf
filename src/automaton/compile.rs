//! Rules to an automaton: patterns are sorted, what others cover is left out, literals and
//! prefixes go to the trie, starred patterns to groups at its nodes.

use super::{
    Automaton, Effect, Entry, Extra, Group, Kind, RuleId, Stats, Terminal, TooLarge,
    below::MAX_WORDS,
    crowd::Crowd,
    fill::Room,
    flag,
    forks::Forks,
    groups::Groups,
    listed::Listed,
    only::Only,
    starred::FRESH,
    subset::{self, Subset},
    trie::Trie,
};
use crate::{
    access::AccessSet,
    restriction::{MAX_RESTRICTION_LEN, Pattern, Token},
};

/// The most rules of a connection.
pub const MAX_RULES: usize = 1 << 22;

/// The most patterns of denies that are compared with allows, all allows together: about the
/// number of allows times that of denies with wildcards before their end that are on their way.
pub const MAX_DENY_WORK: usize = 1 << 27;

/// What compiling may cost beyond sorting. The connections of one policy share one, so that a
/// policy of many connections costs no more than one.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    deny_work: usize,
    subset_work: usize,
}

/// What a whole [`Budget`] counts as, where a part of one is told.
pub const WHOLE_BUDGET: u32 = 1 << 20;

impl Budget {
    /// How much of a whole budget was used up since it was `before`, of what it bounds that of which most
    /// was: of [`WHOLE_BUDGET`].
    pub(crate) fn spent(&self, before: &Self) -> u32 {
        let part = |before: usize, now: usize, whole: usize| {
            let spent = before.saturating_sub(now) as u64 * u64::from(WHOLE_BUDGET);
            u32::try_from(spent.div_ceil(whole as u64)).unwrap_or(u32::MAX)
        };
        let whole = Self::default();
        part(before.deny_work, self.deny_work, whole.deny_work).max(part(
            before.subset_work,
            self.subset_work,
            whole.subset_work,
        ))
    }
}

impl Budget {
    /// What was used up of it since it was `before`, as a budget that has that much.
    pub(crate) fn used_since(&self, before: &Self) -> Self {
        Self {
            deny_work: before.deny_work.saturating_sub(self.deny_work),
            subset_work: before.subset_work.saturating_sub(self.subset_work),
        }
    }

    /// What is left when this much is used up as well: `None` unless it [is ample](Self::is_ample) then.
    pub(crate) fn less(&self, used: &Self) -> Option<Self> {
        let left = Self {
            deny_work: self.deny_work.checked_sub(used.deny_work)?,
            subset_work: self.subset_work.checked_sub(used.subset_work)?,
        };
        left.is_ample().then_some(left)
    }

    /// Whether what was compiled before it came to this is what it would be with more.
    pub(crate) fn is_ample(&self) -> bool {
        self.subset_work >= subset::MAX_WORK
    }
}

impl Default for Budget {
    /// [`MAX_DENY_WORK`], beyond which compiling fails; and for the subset construction of globs
    /// what some hundred thousand ordinary connections need, beyond which
    /// [`Automaton::below`] errs on the closed side.
    fn default() -> Self {
        Self { deny_work: MAX_DENY_WORK, subset_work: 1 << 26 }
    }
}

/// What paths are decided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The list of a few patterns, or the forks.
    Fastest,
    /// All that there are, for tests to compare, with many searches of few patterns.
    Every,
}

/// One pattern of one rule.
pub(super) struct Item<'a> {
    /// What every match starts with.
    pub(super) literal: &'a [u8],
    pub(super) shape: Shape<'a>,
    pub(super) rule: u32,
    pub(super) access: AccessSet,
    pub(super) effect: Effect,
}

/// What follows the literal. In the order in which one can cover the next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape<'a> {
    Anything,
    Nothing,
    Tokens(&'a [Token]),
}

impl<'a> Item<'a> {
    fn new(pattern: &'a Pattern, rule: u32, entry: &Entry<'_>) -> Self {
        let (literal, rest) = match pattern.tokens() {
            [Token::Literal(literal), rest @ ..] => (&**literal, rest),
            rest => (&b""[..], rest),
        };
        let shape = match rest {
            [] => Shape::Nothing,
            [star] if *star == Token::STAR => Shape::Anything,
            tokens => Shape::Tokens(tokens),
        };
        Self { literal, shape, rule, access: entry.access, effect: entry.effect }
    }

    /// The tokens behind the literal.
    pub(super) fn rest(&self) -> &[Token] {
        match self.shape {
            Shape::Anything => &[Token::STAR],
            Shape::Nothing => &[],
            Shape::Tokens(tokens) => tokens,
        }
    }

    /// A word that it matches, with [`FRESH`] for each `*`: see [`automaton`](super).
    fn word(&self) -> Vec<u8> {
        let mut word = self.literal.to_vec();
        for token in self.rest() {
            match token {
                Token::Literal(bytes) => word.extend_from_slice(bytes),
                Token::One(set) => word.extend((0..=FRESH).rev().find(|byte| set.contains(*byte))),
                Token::Run(set) => word.extend(set.contains(FRESH).then_some(FRESH)),
            }
        }
        word
    }

    /// Whether some byte of what it matches is one of several.
    fn has_class(&self) -> bool {
        self.rest().iter().any(|token| matches!(token, Token::One(_)))
    }

    /// Whether it has a wildcard that the plain form has not.
    pub(super) fn is_glob(&self) -> bool {
        !self.rest().iter().all(Token::is_plain)
    }

    fn kind(&self) -> Option<Kind> {
        match (self.shape, self.effect) {
            (Shape::Anything, Effect::Allow) => Some(Kind::PrefixAllow),
            (Shape::Anything, Effect::Deny) => Some(Kind::PrefixDeny),
            (Shape::Nothing, Effect::Allow) => Some(Kind::ExactAllow),
            (Shape::Nothing, Effect::Deny) => Some(Kind::ExactDeny),
            (Shape::Tokens(_), _) => None,
        }
    }
}

impl Automaton {
    /// Compiles rules; their ids are their places in the list.
    ///
    /// Time is that of sorting them a few times over; memory is linear in their text, and where there are globs at
    /// most about a megabyte more.
    ///
    /// # Errors
    ///
    /// [`TooLarge`] for more than [`MAX_RULES`] rules, and for more than
    /// [`MAX_STARRED_ON_ONE_PATH`](super::MAX_STARRED_ON_ONE_PATH) patterns with stars before
    /// their end, [`MAX_PIECES_ON_ONE_PATH`](super::MAX_PIECES_ON_ONE_PATH) literals between the stars of those,
    /// or [`MAX_GLOBS_ON_ONE_PATH`](super::MAX_GLOBS_ON_ONE_PATH) patterns of globs,
    /// whose literal starts are all starts of one path; and for more than [`MAX_DENY_WORK`].
    pub fn compile<'a>(entries: impl IntoIterator<Item = Entry<'a>>) -> Result<Self, TooLarge> {
        Self::compile_within(entries, &mut Budget::default())
    }

    /// The same, within what is left of a budget.
    ///
    /// # Errors
    ///
    /// As [`Automaton::compile`].
    pub fn compile_within<'a>(
        entries: impl IntoIterator<Item = Entry<'a>>,
        budget: &mut Budget,
    ) -> Result<Self, TooLarge> {
        Self::compile_to(entries, budget, Form::Fastest)
    }

    /// The same, in a form.
    pub(crate) fn compile_to<'a>(
        entries: impl IntoIterator<Item = Entry<'a>>,
        budget: &mut Budget,
        form: Form,
    ) -> Result<Self, TooLarge> {
        let mut items = Vec::new();
        let mut rules = 0;
        for entry in entries {
            if rules == MAX_RULES {
                let rule = RuleId(rules as u32);
                return Err(TooLarge { rule, limit: "limit.rules", most: MAX_RULES });
            }
            let patterns = entry.restriction.patterns().iter();
            // Whatever made the restriction: lengths within it are kept in sixteen bits.
            if patterns.clone().any(|pattern| pattern.min_len() > MAX_RESTRICTION_LEN) {
                let (limit, most) = ("limit.restriction_length", MAX_RESTRICTION_LEN);
                return Err(TooLarge { rule: RuleId(rules as u32), limit, most });
            }
            items.extend(patterns.map(|pattern| Item::new(pattern, rules as u32, &entry)));
            rules += 1;
        }
        let patterns = items.len();
        items.sort_unstable_by(|a, b| {
            (a.literal, a.shape, a.rule).cmp(&(b.literal, b.shape, b.rule))
        });
        drop_covered(&mut items);

        // The root has no label, so that every path passes it.
        let literals = items.iter().map(|item| item.literal);
        let mut literals: Vec<&[u8]> = std::iter::once(&b""[..]).chain(literals).collect();
        literals.dedup();
        let text: usize = literals.iter().map(|literal| literal.len()).sum();
        if u32::try_from(text).is_err() {
            let (limit, most) = ("limit.text", u32::MAX as usize);
            return Err(TooLarge { rule: RuleId(rules as u32 - 1), limit, most });
        }
        let (mut trie, ends) = Trie::build(&literals);
        let has_empty = items.first().is_some_and(|item| item.literal.is_empty());
        let ends = ends.into_iter().skip(usize::from(!has_empty));
        let mut nodes = Vec::with_capacity(items.len());
        for (same, node) in items.chunk_by(|a, b| a.literal == b.literal).zip(ends) {
            nodes.extend(std::iter::repeat_n(node, same.len()));
        }
        let room = match form {
            Form::Fastest => Room::FULL,
            Form::Every => Room::LITTLE,
        };
        let groups = Groups::build(&items, &nodes, &trie, room)?;
        let words_needed = groups.words;
        let most_on_one_path = groups.most_on_one_path;
        let (extras, terminals) = place(&mut trie, &items, &nodes, &groups.at);
        let only = Only::new(&items);
        let listed = match form {
            // A few that have to be searched for are found together faster than one by one.
            Form::Fastest if groups.in_crowd > 0 || only.is_some() => None,
            _ => Listed::new(&items, &groups.places),
        };
        let forks = match form {
            Form::Fastest if only.is_some() || listed.is_some() => None,
            _ => Some(Forks::build(&ending_nodes(&items, &nodes))),
        };
        trie.fold_up(|flags, child| flags | child & 7 << flag::DENY_BELOW);

        let denies_with = |is: &dyn Fn(&Item<'_>) -> bool| {
            let denies = items.iter().filter(|item| item.effect == Effect::Deny && is(item));
            denies.fold(AccessSet::NONE, |all, item| all.union(item.access))
        };
        let starred_denies =
            items.iter().filter(|item| item.effect == Effect::Deny && item.kind().is_none());
        let words = 16_384_usize.checked_div(starred_denies.count()).unwrap_or_default();
        let mut automaton = Self {
            only,
            listed,
            forks,
            trie,
            extras,
            terminals,
            starred_denies: denies_with(&|item| item.kind().is_none()),
            glob_denies: denies_with(&|item| item.is_glob()),
            untold: AccessSet::NONE,
            words: (words as u32).clamp(4, MAX_WORDS),
            most_on_one_path,
            stats: Stats {
                rules,
                covered: patterns - items.len(),
                starred: groups.set.all.len(),
                crowd: groups.in_crowd,
                ..Stats::default()
            },
            starred: groups.set,
            crowds: groups.crowds,
            subset: None,
        };
        automaton.find_live(&items, &nodes, &groups.places, budget)?;
        let has_globs = items.iter().any(Item::is_glob);
        if has_globs {
            automaton.subset = Subset::build(&items, &mut budget.subset_work);
        }
        automaton.stats.nodes = automaton.trie.nodes.len();
        automaton.stats.subset_states = automaton.subset.as_ref().map_or(0, Subset::states);
        automaton.stats.below_is_exact = match has_globs {
            true => automaton.subset.is_some(),
            false => automaton.starred_denies.is_empty() || words_needed <= automaton.words,
        };
        automaton.stats.bytes = automaton.bytes();
        Ok(automaton)
    }

    /// Marks what the denies leave of each allow, and where in the trie something is left.
    ///
    /// # Errors
    ///
    /// More than [`MAX_DENY_WORK`].
    fn find_live(
        &mut self,
        items: &[Item<'_>],
        nodes: &[u32],
        places: &[u32],
        budget: &mut Budget,
    ) -> Result<(), TooLarge> {
        let denies = items.iter().any(|item| item.effect == Effect::Deny);
        let mut places = places.iter();
        for (item, node) in items.iter().zip(nodes) {
            let place = item.kind().is_none().then(|| places.next()).flatten();
            if item.effect == Effect::Deny {
                continue;
            }
            let mut live = item.access;
            if denies {
                let word = item.word();
                budget.deny_work =
                    budget.deny_work.checked_sub(self.deny_work(&word)).ok_or(TooLarge {
                        rule: RuleId(item.rule),
                        limit: "limit.deny_work",
                        most: MAX_DENY_WORK,
                    })?;
                live = live.without(self.denied(&word, live));
            }
            // One word does not tell what is left by a deny that is a glob, as a run within a segment
            // takes the word's bytes and not every path; nor what is left of an allow with a class,
            // of whose bytes it has one.
            let untold = match item.has_class() {
                true => item.access,
                false => item.access.intersection(self.glob_denies),
            };
            if denies {
                self.untold = self.untold.union(untold);
            }
            let leads = live.union(untold);
            self.trie.nodes[*node as usize].flags |=
                u32::from(live.bits()) << flag::LIVE | u32::from(leads.bits()) << flag::LEADS;
            if let Some(place) = place {
                self.starred.all[*place as usize].live = live;
            }
        }
        self.trie.fold_up(|flags, child| flags | child & (7 << flag::LIVE | 7 << flag::LEADS));
        Ok(())
    }

    fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.only.as_ref().map_or(0, Only::bytes)
            + self.listed.as_ref().map_or(0, |listed| listed.bytes())
            + self.forks.as_ref().map_or(0, Forks::bytes)
            + self.trie.bytes()
            + self.extras.capacity() * size_of::<Extra>()
            + self.terminals.capacity() * size_of::<Terminal>()
            + self.starred.bytes()
            + self.crowds.iter().map(Crowd::bytes).sum::<usize>()
            + self.subset.as_ref().map_or(0, Subset::bytes)
    }
}

/// Takes out what another item of the same effect covers, for all its accesses: everything under
/// a prefix, and repetitions. What is left decides every path alike.
fn drop_covered(items: &mut Vec<Item<'_>>) {
    // The prefixes that the item at hand is under, each with all that it and those above give and
    // take.
    let mut above: Vec<(&[u8], [AccessSet; 2])> = Vec::new();
    // The same literal and shape before it.
    let mut same = [AccessSet::NONE; 2];
    let mut before: Option<(&[u8], Shape<'_>)> = None;
    items.retain(|item| {
        while above.last().is_some_and(|(prefix, _)| !item.literal.starts_with(prefix)) {
            above.pop();
        }
        if before != Some((item.literal, item.shape)) {
            before = Some((item.literal, item.shape));
            same = [AccessSet::NONE; 2];
        }
        let mut covered = above.last().map_or([AccessSet::NONE; 2], |(_, covered)| *covered);
        let side = item.effect as usize;
        if item.access.without(covered[side].union(same[side])).is_empty() {
            return false;
        }
        same[side] = same[side].union(item.access);
        if item.shape == Shape::Anything {
            covered[side] = covered[side].union(item.access);
            above.push((item.literal, covered));
        }
        true
    });
}

/// The nodes but the root that anything ends at, with the bytes that lead to them.
fn ending_nodes<'a>(items: &[Item<'a>], nodes: &[u32]) -> Vec<(&'a [u8], u32)> {
    let mut ending: Vec<_> =
        items.iter().map(|item| item.literal).zip(nodes.iter().copied()).collect();
    ending.dedup();
    ending.retain(|(literal, _)| !literal.is_empty());
    ending
}

/// Writes into the trie what ends at each node.
fn place(
    trie: &mut Trie,
    items: &[Item<'_>],
    nodes: &[u32],
    groups: &[(u32, Group)],
) -> (Vec<Extra>, Vec<Terminal>) {
    let mut extras = Vec::new();
    let mut terminals = Vec::new();
    let groups: std::collections::HashMap<u32, Group> = groups.iter().copied().collect();
    let mut rest = items.iter().zip(nodes).peekable();
    while let Some((_, &id)) = rest.peek().copied() {
        let mut flags = 0;
        let mut here = Vec::new();
        while let Some((item, _)) = rest.next_if(|(_, node)| **node == id) {
            let access = u32::from(item.access.bits());
            if item.effect == Effect::Deny {
                flags |= access << flag::DENY_BELOW;
            }
            match (item.kind(), item.effect) {
                (Some(kind), _) => {
                    flags |= access << kind as u32;
                    here.push(Terminal { rule: item.rule, access: item.access, kind });
                }
                (None, Effect::Allow) => flags |= access << flag::GROUP_ALLOW,
                (None, Effect::Deny) => flags |= access << flag::GROUP_DENY,
            }
        }
        let node = &mut trie.nodes[id as usize];
        match (&here[..], groups.get(&id)) {
            ([only], None) => node.extra = only.rule,
            (_, group) => {
                node.extra = extras.len() as u32;
                flags |= flag::EXTRA | group.map_or(0, |_| flag::GROUP);
                extras.push(Extra {
                    terminals: terminals.len() as u32,
                    terminal_count: here.len() as u32,
                    group: group.copied().unwrap_or_default(),
                });
                terminals.append(&mut here);
            }
        }
        node.flags = flags;
    }
    extras.shrink_to_fit();
    terminals.shrink_to_fit();
    (extras, terminals)
}
