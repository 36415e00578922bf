//! Filling the blocks of a crowd: which patterns share one, and the numbers of their pieces.

use std::{cmp::Reverse, collections::HashMap, ops::Range};

use aho_corasick::{Anchored, BuildError, automaton::Automaton as _, nfa::contiguous::NFA};

use super::{
    crowd::{BLOCK_PATTERNS, BLOCK_PIECES, Block, Crowd, NONE},
    heavy,
    sieve::Sieve,
    starred::{Middle, StarredSet},
    trie::Trie,
};

/// The weight up to which patterns of different paths share a block. A block has about a kilobyte beside
/// what its patterns need, which that much text should carry.
const CLUSTER: u64 = 8_192;
/// What a piece weighs beside its bytes.
const PIECE_WEIGHT: u64 = 8;
/// How much shares a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// The most patterns of a block.
    patterns: usize,
    /// The weight up to which what lies under a node is not divided; twice as much shares a block.
    cluster: u64,
}

impl Room {
    /// What is fastest.
    pub(super) const FULL: Self = Self { patterns: BLOCK_PATTERNS, cluster: CLUSTER };
    /// So little that a few patterns have many blocks.
    pub(super) const LITTLE: Self = Self { patterns: 4, cluster: 40 };
}

impl Crowd {
    /// Prepares the search for these patterns, each with at least one piece, and says for each
    /// which block it is in. They are sorted by node. Of two nodes on one path, the one nearer to the root has the
    /// earlier blocks.
    ///
    /// # Errors
    ///
    /// The search's own, for text that it has no numbers for.
    pub(super) fn new(
        set: &StarredSet,
        trie: &Trie,
        patterns: &[u32],
        room: Room,
    ) -> Result<(Self, Vec<u32>), BuildError> {
        let node = |pattern: u32| set.all[pattern as usize].node;
        let mut of_node: HashMap<u32, Range<usize>> = HashMap::new();
        let mut weights = vec![0; if patterns.is_empty() { 0 } else { trie.nodes.len() }];
        let mut start = 0;
        for same in patterns.chunk_by(|a, b| node(*a) == node(*b)) {
            of_node.insert(node(same[0]), start..start + same.len());
            weights[node(same[0]) as usize] =
                same.iter().map(|pattern| weight(set, *pattern)).sum();
            start += same.len();
        }
        let (lines, clusters) = heavy::divide(trie, &weights, room.cluster);
        let mut blocks = Blocks { set, room, closed: Vec::new(), open: OpenBlock::default() };
        let mut places = vec![0; patterns.len()];
        let mut add = |blocks: &mut Blocks<'_>, nodes: &[u32]| {
            let places_of = |node| of_node.get(node).cloned().unwrap_or_default();
            for place in nodes.iter().flat_map(places_of) {
                blocks.add(patterns[place])?;
                places[place] = blocks.closed.len() as u32;
            }
            Ok(())
        };
        for line in lines.groups() {
            add(&mut blocks, line)?;
            blocks.close()?;
        }
        let mut shared = 0;
        for cluster in clusters.groups() {
            let weight: u64 = cluster.iter().map(|node| weights[*node as usize]).sum();
            if shared + weight > 2 * room.cluster {
                blocks.close()?;
                shared = 0;
            }
            shared += weight;
            add(&mut blocks, cluster)?;
        }
        blocks.close()?;
        let mut blocks = blocks.closed;
        blocks.shrink_to_fit();
        Ok((Self { sieve: Sieve::new(set, patterns).map(Box::new), blocks }, places))
    }
}

/// How much of a pattern's text has to be searched for.
fn weight(set: &StarredSet, pattern: u32) -> u64 {
    match set.all[pattern as usize].middle {
        Middle::Pieces { start, count } => {
            let pieces = set.pieces_of(start, count).iter();
            pieces.map(|piece| u64::from(piece.len) + PIECE_WEIGHT).sum()
        }
        Middle::Chain(_) => 0,
    }
}

/// Blocks, of which the last one is still added to.
struct Blocks<'a> {
    set: &'a StarredSet,
    room: Room,
    closed: Vec<Block>,
    open: OpenBlock<'a>,
}

impl Blocks<'_> {
    fn add(&mut self, pattern: u32) -> Result<(), BuildError> {
        let is_full = self.open.patterns.len() == self.room.patterns;
        if is_full || !self.open.add(self.set, pattern) {
            self.close()?;
            self.open.add(self.set, pattern);
        }
        Ok(())
    }

    /// Has the next pattern begin a block.
    fn close(&mut self) -> Result<(), BuildError> {
        if !self.open.patterns.is_empty() {
            self.closed.push(std::mem::take(&mut self.open).close(self.set)?);
        }
        Ok(())
    }
}

/// A block that patterns are still added to.
#[derive(Default)]
struct OpenBlock<'a> {
    patterns: Vec<u32>,
    pieces: Vec<Vec<u16>>,
    numbers: HashMap<&'a [u8], u16>,
    texts: Vec<&'a [u8]>,
}

impl<'a> OpenBlock<'a> {
    /// Says whether there was room for its pieces. A pattern alone always has room: a path has
    /// fewer bytes than a block has pieces.
    fn add(&mut self, set: &'a StarredSet, pattern: u32) -> bool {
        let Middle::Pieces { start, count } = set.all[pattern as usize].middle else {
            return true;
        };
        let texts = || set.pieces_of(start, count).iter().map(|span| set.bytes_of(*span));
        // Those that it has twice are counted twice, for want of a quick way to tell.
        let new = || texts().filter(|text| !self.numbers.contains_key(text)).count();
        if self.texts.len() + usize::from(count) > BLOCK_PIECES
            && self.texts.len() + new() > BLOCK_PIECES
        {
            return false;
        }
        let numbers = texts().map(|text| {
            *self.numbers.entry(text).or_insert_with(|| {
                self.texts.push(text);
                (self.texts.len() - 1) as u16
            })
        });
        self.pieces.push(numbers.collect());
        self.patterns.push(pattern);
        true
    }

    fn close(mut self, set: &StarredSet) -> Result<Block, BuildError> {
        self.number_by_length();
        // The search's own way to walk over a text is asked for each match; here all that end at a byte are
        // looked at together.
        let search = NFA::builder().build(&self.texts)?;
        let ends_with = self.texts.iter().map(|text| next_at_end(&search, text)).collect();
        let mut first: Vec<Vec<u16>> = vec![Vec::new(); self.texts.len()];
        for (pattern, pieces) in (0..).zip(&self.pieces) {
            if let Some(piece) = pieces.first() {
                first[usize::from(*piece)].push(pattern);
            }
        }
        for patterns in &mut first {
            patterns.sort_by_key(|pattern| {
                set.all[self.patterns[usize::from(*pattern)] as usize].prefix_len
            });
        }
        let mut block = Block {
            search,
            patterns: self.patterns,
            piece_starts: vec![0],
            pieces: Vec::new(),
            ends_with,
            first_starts: vec![0],
            first: Vec::new(),
        };
        for pieces in &self.pieces {
            block.pieces.extend_from_slice(pieces);
            block.piece_starts.push(block.pieces.len() as u32);
        }
        for patterns in &first {
            block.first.extend_from_slice(patterns);
            block.first_starts.push(block.first.len() as u16);
        }
        Ok(block)
    }

    /// Numbers the pieces anew, longer ones first.
    fn number_by_length(&mut self) {
        let mut order: Vec<usize> = (0..self.texts.len()).collect();
        order.sort_by_key(|piece| Reverse(self.texts[*piece].len()));
        let mut numbers = vec![0; order.len()];
        for (number, piece) in (0..).zip(&order) {
            numbers[*piece] = number;
        }
        self.texts = order.iter().map(|piece| self.texts[*piece]).collect();
        for piece in self.pieces.iter_mut().flatten() {
            *piece = numbers[usize::from(*piece)];
        }
    }
}

/// The longest other piece that a piece ends with, or [`NONE`].
fn next_at_end(search: &NFA, piece: &[u8]) -> u16 {
    // A search that may start anywhere always has a state to start from.
    let Ok(start) = search.start_state(Anchored::No) else { return NONE };
    let step = |state, byte: &u8| search.next_state(Anchored::No, state, *byte);
    let state = piece.iter().fold(start, step);
    match search.match_len(state) {
        // The piece itself is the first of them, as the longest.
        2.. => search.match_pattern(state, 1).as_usize() as u16,
        _ => NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Automaton;
    use crate::{AccessSet, Effect, Entry, Restriction};

    /// A line of nodes with a few denies each, and beside each node one with many, which no path meets that
    /// goes on along the line.
    #[test]
    fn a_path_is_searched_for_few_strangers() {
        let mut rules: Vec<String> = (0..9).map(|n| format!("pub/*a*{n}!")).collect();
        for n in 1..=40 {
            let here = format!("pub/{}", "a".repeat(n));
            rules.extend((0..4).map(|m| format!("{here}*a*aa*{m}!")));
            rules.extend((0..1_000).map(|m| format!("{here}b*a*{m:03}!")));
        }
        let parse = |text: &String| Restriction::parse(text).unwrap();
        let rules: Vec<Restriction> = rules.iter().map(parse).collect();
        let deny =
            |restriction| Entry { restriction, access: AccessSet::READ_ONLY, effect: Effect::Deny };
        let automaton = Automaton::compile(rules.iter().map(deny)).unwrap();
        let path = [&b"pub/"[..], &[b'a'; 1_000]].concat();
        let work = automaton.deny_work(&path);
        // Its own, and at most one search full of others: it was forty thousand.
        let own = 9 + 40 * 4;
        assert!((own..own + super::BLOCK_PATTERNS).contains(&work), "{work}");
        let work = automaton.deny_work(b"pub/aaab");
        assert!((1_000..1_000 + own + super::BLOCK_PATTERNS).contains(&work), "{work}");
    }
}
