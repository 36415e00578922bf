//! Where a narrowed listing has to look.

use super::{Automaton, Kind, bits, flag, trie::Stop};
use crate::access::{Access, AccessSet};

/// The most prefixes that a listing is narrowed to; a listing that would need more asks for the
/// directory itself and checks each entry.
pub const MAX_LEADS: usize = 1_000;
/// How many patterns are looked at, about, for one question about leads.
const MAX_LOOKED_AT: usize = 1 << 15;

impl Automaton {
    /// Prefixes that together lead to everything below `directory` that has the access (its own
    /// marker aside), none reaching further than the next `/`. Sorted, distinct, none a prefix of another.
    ///
    /// `[directory]` where a rule with a wildcard leaves open what comes next, or for more than
    /// [`MAX_LEADS`]; empty when nothing leads anywhere.
    ///
    /// ```
    /// use pathward::{Access, AccessSet, Automaton, Effect, Entry, Restriction};
    ///
    /// let texts = ["lake/raw/2026/*", "lake/raw/2027/*", "lake/readme.md", "lake/tmp-*"];
    /// let restrictions = texts.map(|text| Restriction::parse(text).unwrap());
    /// let automaton = Automaton::compile(restrictions.iter().map(|restriction| Entry {
    ///     restriction, access: AccessSet::READ_ONLY, effect: Effect::Allow,
    /// }))?;
    /// let leads = automaton.leads(b"lake/", Access::Read);
    /// assert_eq!(leads, [&b"lake/raw/"[..], b"lake/readme.md", b"lake/tmp-"]);
    /// assert_eq!(automaton.leads(b"lake/tmp-1/", Access::Read), [b"lake/tmp-1/"]);
    /// # Ok::<(), pathward::TooLarge>(())
    /// ```
    pub fn leads(&self, directory: &[u8], access: Access) -> Vec<Vec<u8>> {
        self.leads_within(directory, access, &mut self.looks())
    }

    /// How many leads are looked at for one question, for whether globs that deny leave something there:
    /// each may cost what the policy can make a decision cost, so that there are the fewer the more
    /// patterns one path can meet. The subset construction knows it without looking.
    pub(crate) fn looks(&self) -> usize {
        match &self.subset {
            Some(_) => usize::MAX,
            None => (MAX_LOOKED_AT / self.most_on_one_path.max(1)).max(1),
        }
    }

    /// [`Automaton::leads`], with so many looks left. Leads of which there are more are not looked at: then some may
    /// lead to nothing.
    pub(crate) fn leads_within(
        &self,
        directory: &[u8],
        access: Access,
        looks: &mut usize,
    ) -> Vec<Vec<u8>> {
        let mut leads = self.leads_of_rules(directory, access);
        if self.untold.contains(access) && leads.len() <= *looks {
            *looks -= leads.len();
            leads.retain(|lead| self.below(lead).some.contains(access));
        }
        leads
    }

    /// What rules lead to, as far as no glob denies it.
    fn leads_of_rules(&self, directory: &[u8], access: Access) -> Vec<Vec<u8>> {
        let opens = |flags: u32| {
            let allows =
                bits(flags, Kind::PrefixAllow as u32).union(bits(flags, flag::GROUP_ALLOW));
            allows.contains(access)
        };
        let mut open = false;
        let stop = self.trie.walk(directory, |_, node| {
            open |= opens(node.flags);
            !open
        });
        if open {
            return vec![directory.to_vec()];
        }
        let (Stop::At(node) | Stop::Within(node)) = stop else { return Vec::new() };
        let mut leads = Vec::new();
        // Nodes, and how many of the bytes that lead there hold no slash behind the directory.
        let mut stack = vec![(node, directory.len())];
        while let Some((id, looked)) = stack.pop() {
            let node = &self.trie.nodes[id as usize];
            if !bits(node.flags, flag::LEADS).contains(access) {
                continue;
            }
            let so_far = self.trie.leading_to(node);
            let slash = memchr::memchr(b'/', &so_far[looked..]);
            let ends = AccessSet::from_bits((node.flags | node.flags >> 3) as u8 & 7);
            let ends = ends.contains(access) || opens(node.flags);
            let lead = match slash {
                Some(slash) => &so_far[..=looked + slash],
                None if ends && so_far != directory => so_far,
                None => {
                    let first = stack.len();
                    stack.extend(self.trie.children(node).map(|(_, child)| (child, so_far.len())));
                    stack[first..].reverse();
                    continue;
                }
            };
            if leads.len() == MAX_LEADS {
                return vec![directory.to_vec()];
            }
            leads.push(lead.to_vec());
        }
        leads
    }
}
