//! Which folders and keys become restrictions: of all choices of at most so many, the one that opens least.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    index::{Index, key},
    part::{parts, reaches, whole},
    table::{Cost, MOST, Table},
    usage::{Folder, Tree},
};
use crate::{
    analysis::remedy::exact,
    path::Path,
    restriction::{Pattern, Restriction},
};

/// What covers a tree.
pub(super) struct Chosen {
    pub(super) restrictions: Vec<Restriction>,
    /// The rules that gave what was used.
    pub(super) rules: BTreeSet<usize>,
}

/// A tree, and what may be allowed of it.
pub(super) struct Choice<'c> {
    tree: &'c Tree,
    grants: &'c BTreeMap<usize, &'c Restriction>,
    /// Whether the grants themselves are a choice, where folders are not few enough.
    takes_grants: bool,
    /// The path of each folder.
    paths: Vec<Vec<u8>>,
    /// The folders of which all that is allowed is taken to be used: and there by which rules.
    all: BTreeMap<usize, BTreeSet<usize>>,
}

impl<'c> Choice<'c> {
    /// `grants` are the rules that give the access, by their places.
    pub(super) fn new(
        tree: &'c Tree,
        grants: &'c BTreeMap<usize, &'c Restriction>,
        takes_grants: bool,
    ) -> Self {
        let mut paths = vec![Vec::new(); tree.folders.len()];
        for (at, folder) in tree.folders.iter().enumerate() {
            for (name, inner) in &folder.folders {
                paths[*inner] = [&paths[at], &name[..]].concat();
            }
        }
        let mut choice = Self { tree, grants, takes_grants, paths, all: BTreeMap::new() };
        // A listing needs something below: what was read there, or else all that could be.
        let mut is_used = vec![false; tree.folders.len()];
        for (at, folder) in tree.folders.iter().enumerate().rev() {
            let below = folder.folders.values().any(|inner| is_used[*inner]);
            let listed_alone = folder.listed && !below && !folder.is_used();
            is_used[at] = below || folder.is_used() || listed_alone;
            if folder.all || listed_alone {
                let met = grants.iter().filter(|(_, rule)| reaches(&choice.paths[at], rule));
                choice.all.insert(at, met.map(|(n, _)| *n).collect());
            }
        }
        choice
    }

    /// The path of a folder.
    pub(super) fn path(&self, at: usize) -> &[u8] {
        &self.paths[at]
    }

    /// The rules by which a folder is covered whole, if its keys are not told apart.
    pub(super) fn rules_of(&self, at: usize) -> Vec<&'c Restriction> {
        let folder = &self.tree.folders[at];
        let own = folder.rules.iter().filter(|_| folder.many || folder.deep);
        let rules: BTreeSet<_> = own.chain(self.all.get(&at).into_iter().flatten()).collect();
        rules.into_iter().filter_map(|n| self.grants.get(n).copied()).collect()
    }

    /// The best choice of at most so many; of as few as there can be, if they must be more.
    pub(super) fn best(&self, most: usize) -> Chosen {
        let mut most = most.clamp(1, MOST);
        let (mut tables, rules) = self.tables(most);
        while tables[0].least().is_none() && most < MOST {
            // They must be more: the fewest, which are found among more.
            most = (2 * most).min(MOST);
            tables = self.tables(most).0;
            most = tables[0].least().unwrap_or(most);
        }
        let mut restrictions = Vec::new();
        match tables[0].least() {
            Some(_) => self.take(0, most, &tables, &mut restrictions),
            None => restrictions = self.finest(&rules),
        }
        Chosen { restrictions: tidy(restrictions), rules }
    }

    /// Where there are too many to choose from: the rules themselves, or else every folder and key.
    fn finest(&self, rules: &BTreeSet<usize>) -> Vec<Restriction> {
        if self.takes_grants {
            return self.covers(0, rules);
        }
        let folders = 0..self.tree.folders.len();
        folders.flat_map(|at| [self.own(at), self.whole_alone(at)].concat()).collect()
    }

    /// A folder that has to be covered whole, by what has to cover it.
    fn whole_alone(&self, at: usize) -> Vec<Restriction> {
        match self.is_whole(at) {
            true => self.covers(at, &self.below(at)),
            false => Vec::new(),
        }
    }

    /// The table of each folder, and the rules that were used.
    fn tables(&self, most: usize) -> (Vec<Table>, BTreeSet<usize>) {
        let folders = &self.tree.folders;
        let mut tables = vec![Table::NEVER; folders.len()];
        let mut rules: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); folders.len()];
        // A folder comes before those in it.
        for (at, folder) in folders.iter().enumerate().rev() {
            let mut below = self.direct(at);
            for inner in folder.folders.values() {
                let mut more = std::mem::take(&mut rules[*inner]);
                if more.len() > below.len() {
                    std::mem::swap(&mut more, &mut below);
                }
                below.append(&mut more);
            }
            let whole = self.whole(at, &below, most);
            let parts = self.split(at, &tables, most).pop().unwrap_or(Table::NEVER);
            tables[at] = whole.or(&parts);
            rules[at] = below;
        }
        (tables, rules.swap_remove(0))
    }

    /// The rules that gave what was used directly in a folder.
    fn direct(&self, at: usize) -> BTreeSet<usize> {
        let own = self.tree.folders[at].rules.iter();
        own.chain(self.all.get(&at).into_iter().flatten()).copied().collect()
    }

    /// The rules that gave what was used in a folder.
    fn below(&self, at: usize) -> BTreeSet<usize> {
        let mut rules = self.direct(at);
        for inner in self.tree.folders[at].folders.values() {
            rules.append(&mut self.below(*inner));
        }
        rules
    }

    /// Whether a folder cannot be covered by what is in it.
    fn is_whole(&self, at: usize) -> bool {
        self.tree.folders[at].deep || self.all.contains_key(&at)
    }

    /// What covers what some rules allow in a folder.
    fn covers(&self, at: usize, rules: &BTreeSet<usize>) -> Vec<Restriction> {
        parts(&self.paths[at], rules.iter().filter_map(|n| self.grants.get(n).copied()))
    }

    /// The folder as restrictions of their own.
    fn whole(&self, at: usize, rules: &BTreeSet<usize>, most: usize) -> Table {
        if rules.is_empty() || at == 0 && !self.takes_grants {
            // Nothing was used: nothing is needed.
            return if at == 0 { Table::NEVER } else { Table::one(0, Cost::default(), most) };
        }
        table(&self.covers(at, rules), most)
    }

    /// What is directly in a folder, as restrictions: keys, or what covers them if they are many.
    fn own(&self, at: usize) -> Vec<Restriction> {
        let folder: &Folder = &self.tree.folders[at];
        if folder.many {
            return self.covers(at, &folder.rules);
        }
        let exact = |key: &[u8]| {
            let path = Path::from_vec([&self.paths[at], key].concat()).ok()?;
            exact(&path)
        };
        folder.keys.iter().filter_map(|key| exact(key)).collect()
    }

    /// What is directly in a folder, then with each folder in it, in their order. Empty where it has to
    /// be whole.
    fn split(&self, at: usize, tables: &[Table], most: usize) -> Vec<Table> {
        if self.is_whole(at) {
            return Vec::new();
        }
        let mut so_far = vec![table(&self.own(at), most)];
        for inner in self.tree.folders[at].folders.values() {
            let next = match so_far.last() {
                Some(last) => last.and(&tables[*inner], most),
                None => Table::NEVER,
            };
            let is_never = next.with(most).is_none();
            so_far.push(next);
            if is_never {
                return vec![Table::NEVER];
            }
        }
        so_far
    }

    /// Adds what the table of a folder stands for.
    fn take(&self, at: usize, most: usize, tables: &[Table], taken: &mut Vec<Restriction>) {
        let Some(cost) = tables[at].with(most) else { return };
        let rules = self.below(at);
        if self.whole(at, &rules, most).with(most) == Some(cost) {
            taken.extend(self.covers(at, &rules));
            return;
        }
        let so_far = self.split(at, tables, most);
        let mut left = (most, cost);
        for (n, inner) in self.tree.folders[at].folders.values().enumerate().rev() {
            let before = &so_far[n];
            // As many for this folder as it takes, so that the rest can be what it has to be.
            let share = (0..=left.0).find_map(|share| {
                let ours = tables[*inner].with(share)?;
                let rest = before.with(left.0 - share)?;
                (ours.plus(rest) == left.1).then_some((share, rest))
            });
            let Some((share, rest)) = share else { return };
            self.take(*inner, share, tables, taken);
            left = (left.0 - share, rest);
        }
        taken.extend(self.own(at));
    }
}

/// What some restrictions cost.
fn table(restrictions: &[Restriction], most: usize) -> Table {
    let cost = |sum: Cost, restriction| sum.plus(cost(restriction));
    Table::one(restrictions.len(), restrictions.iter().fold(Cost::default(), cost), most)
}

/// What a restriction opens.
fn cost(restriction: &Restriction) -> Cost {
    let patterns = restriction.patterns();
    if key(restriction).is_some() {
        return Cost::default();
    }
    let depth = |prefix: &[u8]| memchr::memchr_iter(b'/', prefix).count();
    let depths = patterns.iter().map(|pattern| depth(pattern.prefix()));
    Cost::at_depth(depths.min().unwrap_or(0))
}

/// Without what others have already, in the order of their texts.
fn tidy(mut restrictions: Vec<Restriction>) -> Vec<Restriction> {
    restrictions.sort_by(|a, b| a.text().cmp(b.text()));
    restrictions.dedup();
    let index = Index::new(&restrictions);
    let is_had = |restriction: &Restriction| {
        let own = whole(restriction);
        let mut prefixes = restriction.patterns().iter().map(Pattern::prefix);
        prefixes.all(|prefix| index.has_start_of(prefix, own))
            || key(restriction).is_some_and(|key| index.others_match(key))
    };
    let had: Vec<bool> = restrictions.iter().map(is_had).collect();
    let mut had = had.into_iter();
    restrictions.retain(|_| !had.next().unwrap_or_default());
    restrictions
}
