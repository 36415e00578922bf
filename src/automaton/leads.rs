//! Where a narrowed listing has to look.

use super::{Automaton, Kind, bits, flag, trie::Stop};
use crate::access::{Access, AccessSet};

/// The most prefixes that a listing is narrowed to; a listing that would need more asks for the
/// directory itself and checks each entry.
pub const MAX_LEADS: usize = 1_000;

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
        let mut stack = vec![(node, directory.to_vec())];
        while let Some((id, mut so_far)) = stack.pop() {
            let node = &self.trie.nodes[id as usize];
            if !bits(node.flags, flag::LEADS).contains(access) {
                continue;
            }
            so_far.extend_from_slice(&self.trie.leading_to(node)[so_far.len()..]);
            let slash = so_far[directory.len()..].iter().position(|byte| *byte == b'/');
            let ends = AccessSet::from_bits((node.flags | node.flags >> 3) as u8 & 7);
            let ends = ends.contains(access) || opens(node.flags);
            match slash {
                Some(slash) => so_far.truncate(directory.len() + slash + 1),
                None if !ends || so_far == directory => {
                    let mut children: Vec<(u8, u32)> = self.trie.children(node).collect();
                    children.reverse();
                    for (byte, child) in children {
                        let mut to = so_far.clone();
                        to.push(byte);
                        stack.push((child, to));
                    }
                    continue;
                }
                None => {}
            }
            if leads.len() == MAX_LEADS {
                return vec![directory.to_vec()];
            }
            leads.push(so_far);
        }
        if self.glob_denies.contains(access) {
            leads.retain(|lead| self.below(lead).some.contains(access));
        }
        leads
    }
}
