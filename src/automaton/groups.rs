//! Starred patterns to groups: by the node of their prefix, there by suffix, and those that
//! prefix and suffix do not tell apart to the crowd.

use std::collections::HashMap;

use super::{
    Effect, Group, Many, RuleId, TooLarge,
    chain::Chain,
    compile::{Item, Shape},
    crowd::Crowd,
    fill::Room,
    forks::Forks,
    starred::{Middle, Span, Starred, StarredSet, Tail},
    trie::Trie,
};
use crate::restriction::Token;

/// The most patterns with wildcards before their end that one path can meet, which is what bounds
/// a decision.
pub const MAX_STARRED_ON_ONE_PATH: usize = 16_384;
/// The most literals between wildcards that those patterns can have, all together: on average four of each.
pub const MAX_PIECES_ON_ONE_PATH: usize = 1 << 16;
/// The most patterns of globs that one path can meet.
pub const MAX_GLOBS_ON_ONE_PATH: usize = 256;

/// As how many patterns a glob counts, where it matters what asking them costs.
const PER_GLOB: usize = 64;

/// Candidates that one path can have before the next ones are searched together.
const DIRECT: u32 = 8;
/// Groups of more patterns than this, those that are searched together aside, are looked up by suffix.
/// At most 32, which are asked without `Many`.
const SMALL_GROUP: usize = 16;

/// What becomes of the starred patterns.
pub(super) struct Groups {
    pub(super) set: StarredSet,
    /// The patterns that are searched together: allows, and denies.
    pub(super) crowds: [Crowd; 2],
    pub(super) in_crowd: usize,
    /// How many words `below` may have to try for one path.
    pub(super) words: u32,
    /// How many patterns one path can meet, a glob counted as [`PER_GLOB`].
    pub(super) most_on_one_path: usize,
    /// The groups and their nodes.
    pub(super) at: Vec<(u32, Group)>,
    /// For each starred item, in the items' order, its place in the set.
    pub(super) places: Vec<u32>,
}

/// A starred pattern on its way.
struct Draft<'a> {
    item: &'a Item<'a>,
    tokens: &'a [Token],
    node: u32,
    /// Its place among the starred items.
    order: u32,
    suffix: &'a [u8],
    suffix_id: u32,
    is_plain: bool,
    in_crowd: bool,
}

impl Draft<'_> {
    /// How many literals it has between its prefix and its suffix.
    fn pieces(&self) -> usize {
        let literals = self.tokens.iter().filter(|token| matches!(token, Token::Literal(_)));
        literals.count() - usize::from(!self.suffix.is_empty())
    }
}

impl Groups {
    /// Divides the starred items, whose literals lead to these nodes, with searches of this
    /// size.
    ///
    /// # Errors
    ///
    /// More than one path may meet, or more text than a search has numbers for.
    pub(super) fn build(
        items: &[Item<'_>],
        nodes: &[u32],
        trie: &Trie,
        room: Room,
    ) -> Result<Self, TooLarge> {
        let mut drafts = drafts(items, nodes);
        let most_on_one_path = check_limits(&drafts, trie)?;
        let suffixes = number_suffixes(&mut drafts);
        drafts.sort_by_key(|draft| (draft.node, draft.suffix_id));
        let words = divide(&mut drafts, trie, &suffixes);
        // Those that are matched one by one by suffix, which they are looked up by; the others by
        // effect, since allows and denies are searched apart.
        drafts.sort_by_key(|d| {
            (d.node, d.in_crowd, d.in_crowd.then_some(d.item.effect), d.suffix_id)
        });

        let mut set = StarredSet::default();
        let mut texts = HashMap::new();
        let mut places = vec![0; drafts.len()];
        for draft in &drafts {
            places[draft.order as usize] = set.all.len() as u32;
            add(&mut set, &mut texts, draft);
        }
        set.all.shrink_to_fit();
        set.tails.shrink_to_fit();
        set.pieces.shrink_to_fit();
        set.text.shrink_to_fit();
        let mut blocks = vec![0; drafts.len()];
        let mut crowds = <[Crowd; 2]>::default();
        for (effect, crowd) in [Effect::Allow, Effect::Deny].into_iter().zip(&mut crowds) {
            let is_in = |draft: &Draft<'_>| draft.in_crowd && draft.item.effect == effect;
            let patterns: Vec<u32> =
                (0..).zip(&drafts).filter(|(_, draft)| is_in(draft)).map(|(n, _)| n).collect();
            let (searched, places) =
                Crowd::new(&set, trie, &patterns, room).map_err(|_| too_large(&drafts))?;
            *crowd = searched;
            for (pattern, block) in patterns.iter().zip(places) {
                blocks[*pattern as usize] = block;
            }
        }

        let mut at = Vec::new();
        let mut start = 0;
        for group in drafts.chunk_by(|a, b| a.node == b.node) {
            let direct = group.iter().filter(|draft| !draft.in_crowd).count();
            let mut ranges = [(0, 0); 2];
            for (draft, block) in group.iter().zip(&blocks[start..]).skip(direct) {
                let range = &mut ranges[draft.item.effect as usize];
                *range = (if range.1 == 0 { *block } else { range.0 }, block + 1);
            }
            let suffixes = add_suffixes(&mut set, &group[..direct], start as u32);
            let many = if suffixes.is_some() || direct < group.len() {
                set.many.push(Many { suffixes: suffixes.unwrap_or(u32::MAX), blocks: ranges });
                set.many.len()
            } else {
                0
            };
            let [first, direct_end, end] =
                [start, start + direct, start + group.len()].map(|place| place as u32);
            at.push((group[0].node, Group { start: first, direct_end, end, many: many as u32 }));
            start += group.len();
        }
        set.many.shrink_to_fit();
        set.suffixes.shrink_to_fit();
        let in_crowd = drafts.iter().filter(|draft| draft.in_crowd).count();
        Ok(Self { set, crowds, in_crowd, words, most_on_one_path, at, places })
    }
}

/// What is said when the text of starred patterns is more than a search has numbers for.
fn too_large(drafts: &[Draft<'_>]) -> TooLarge {
    let rule = drafts.iter().map(|draft| draft.item.rule).max().unwrap_or_default();
    TooLarge { rule: RuleId(rule), limit: "limit.starred_text", most: u32::MAX as usize }
}

fn drafts<'a>(items: &'a [Item<'a>], nodes: &[u32]) -> Vec<Draft<'a>> {
    let starred = items.iter().zip(nodes).filter_map(|(item, node)| match item.shape {
        Shape::Tokens(tokens) => Some((item, tokens, *node)),
        Shape::Anything | Shape::Nothing => None,
    });
    let draft = |((item, tokens, node), order): ((_, &'a [Token], _), _)| Draft {
        item,
        tokens,
        node,
        order,
        suffix: match tokens.last() {
            Some(Token::Literal(bytes)) => bytes,
            _ => b"",
        },
        suffix_id: 0,
        is_plain: !item.is_glob(),
        in_crowd: false,
    };
    starred.zip(0..).map(draft).collect()
}

fn backwards(suffix: &[u8]) -> Vec<u8> {
    suffix.iter().rev().copied().collect()
}

/// Prepares finding the patterns of a group, which start at this place, by their suffixes, where
/// there are many. Says at which place of the set's suffixes.
fn add_suffixes(set: &mut StarredSet, group: &[Draft<'_>], start: u32) -> Option<u32> {
    if group.len() <= SMALL_GROUP {
        return None;
    }
    let first_ones = (start..).zip(group).collect::<Vec<_>>();
    let first_ones = first_ones.chunk_by(|a, b| a.1.suffix_id == b.1.suffix_id);
    let suffixes: Vec<(Vec<u8>, u32)> =
        first_ones.map(|same| (backwards(same[0].1.suffix), same[0].0)).collect();
    let strings: Vec<(&[u8], u32)> = suffixes.iter().map(|(text, at)| (&text[..], *at)).collect();
    set.suffixes.push(Forks::build(&strings));
    Some(set.suffixes.len() as u32 - 1)
}

/// Numbers the suffixes in the order of their bytes backwards, and makes the forks to find them.
fn number_suffixes(drafts: &mut [Draft<'_>]) -> Forks<true> {
    let mut suffixes: Vec<Vec<u8>> = drafts.iter().map(|draft| backwards(draft.suffix)).collect();
    suffixes.sort_unstable();
    suffixes.dedup();
    let strings: Vec<(&[u8], u32)> = suffixes.iter().map(|suffix| &suffix[..]).zip(0..).collect();
    let numbers: HashMap<&[u8], u32> = strings.iter().copied().collect();
    for draft in drafts {
        draft.suffix_id = numbers[&backwards(draft.suffix)[..]];
    }
    Forks::build(&strings)
}

/// Checks how much one path can meet, and says how many patterns at most. The drafts are sorted by node,
/// and parents come before their children.
fn check_limits(drafts: &[Draft<'_>], trie: &Trie) -> Result<usize, TooLarge> {
    let mut most_patterns = 0;
    let limits = [
        ("limit.starred_on_one_path", MAX_STARRED_ON_ONE_PATH),
        ("limit.pieces_on_one_path", MAX_PIECES_ON_ONE_PATH),
        ("limit.globs_on_one_path", MAX_GLOBS_ON_ONE_PATH),
    ];
    let counts = |draft: &Draft<'_>| [1, draft.pieces(), usize::from(!draft.is_plain)];
    let mut groups = drafts.chunk_by(|a, b| a.node == b.node).peekable();
    let mut on_the_way = vec![[0_u32; 3]; if drafts.is_empty() { 0 } else { trie.nodes.len() }];
    for id in 0..on_the_way.len() {
        let mut way = on_the_way[id];
        if let Some(group) = groups.next_if(|group| group[0].node as usize == id) {
            for (place, (limit, most)) in limits.into_iter().enumerate() {
                let here: usize = group.iter().map(|draft| counts(draft)[place]).sum();
                let count = way[place] as usize + here;
                if count > most {
                    let last = group.iter().map(|draft| draft.item.rule).max().unwrap_or_default();
                    return Err(TooLarge { rule: RuleId(last), limit, most });
                }
                way[place] = count as u32;
            }
            let [patterns, _, globs] = way.map(|count| count as usize);
            most_patterns = most_patterns.max(patterns + (PER_GLOB - 1) * globs);
        }
        for (_, child) in trie.children(&trie.nodes[id]) {
            on_the_way[child as usize] = way;
        }
    }
    Ok(most_patterns)
}

/// Sends to the crowd what would make more than [`DIRECT`] candidates for one path. The drafts are
/// sorted by node, and parents come before their children. Says how many words the allows that one
/// path can meet need at most.
fn divide(drafts: &mut [Draft<'_>], trie: &Trie, suffixes: &Forks<true>) -> u32 {
    let mut most_words = 0;
    if drafts.is_empty() {
        return most_words;
    }
    #[derive(Clone, Copy, Default)]
    struct OnTheWay {
        direct: u32,
        words: u32,
    }
    let mut on_the_way = vec![OnTheWay::default(); trie.nodes.len()];
    let mut of_suffix: HashMap<u32, u32> = HashMap::new();
    let mut groups = drafts.chunk_by_mut(|a, b| a.node == b.node).peekable();
    for (id, node) in (0..).zip(&trie.nodes) {
        let mut way = on_the_way[id as usize];
        if let Some(group) = groups.next_if(|group| group[0].node == id) {
            let allows = group.iter().filter(|draft| draft.item.effect == Effect::Allow);
            way.words += allows.map(words).sum::<u32>();
            most_words = most_words.max(way.words);
            of_suffix.clear();
            for draft in group.iter() {
                *of_suffix.entry(draft.suffix_id).or_default() += 1;
            }
            let mut most = 0;
            for same in group.chunk_by_mut(|a, b| a.suffix_id == b.suffix_id) {
                // All patterns here whose suffix a path with this suffix has too.
                let mut candidates = 0;
                suffixes.each(same[0].suffix, &mut |suffix| {
                    candidates += of_suffix.get(&suffix).copied().unwrap_or(0);
                });
                if way.direct + candidates > DIRECT {
                    for draft in same {
                        let has_pieces = draft.tokens.len() > 2
                            || draft.suffix.is_empty() && draft.tokens.len() > 1;
                        draft.in_crowd = draft.is_plain && has_pieces;
                    }
                }
                most = most.max(candidates);
            }
            way.direct = way.direct.saturating_add(most);
        }
        for (_, child) in trie.children(node) {
            on_the_way[child as usize] = way;
        }
    }
    most_words
}

/// How many words an allow needs at most to show whether denies leave something of it: one for
/// each start of a piece that a path can end with at the same time, and one for none.
fn words(draft: &Draft<'_>) -> u32 {
    let of_piece = |token: &Token| match token {
        Token::Literal(bytes) => deepest_border(bytes) + 1,
        Token::One(_) | Token::Run(_) => 1,
    };
    draft.tokens.iter().map(of_piece).max().unwrap_or(1)
}

/// The most starts of these bytes that something can end with at once: the failure function of
/// Knuth, Morris and Pratt, followed to its end.
fn deepest_border(bytes: &[u8]) -> u32 {
    let mut border = vec![0_usize; bytes.len() + 1];
    let mut depth = vec![0_u32; bytes.len() + 1];
    let mut deepest = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let mut len = border[at];
        if at > 0 {
            while len > 0 && bytes[len] != *byte {
                len = border[len];
            }
            border[at + 1] = len + usize::from(bytes[len] == *byte);
        }
        depth[at + 1] = 1 + depth[border[at + 1]];
        deepest = deepest.max(depth[at + 1]);
    }
    deepest
}

fn add<'a>(set: &mut StarredSet, texts: &mut HashMap<&'a [u8], Span>, draft: &Draft<'a>) {
    let mut span = |text: &mut Vec<u8>, bytes: &'a [u8]| {
        *texts.entry(bytes).or_insert_with(|| {
            text.extend_from_slice(bytes);
            Span::new(text.len() - bytes.len(), bytes)
        })
    };
    let suffix = span(&mut set.text, draft.suffix);
    let middle = if draft.is_plain {
        let start = set.pieces.len();
        let inner = &draft.tokens[..draft.tokens.len() - usize::from(!draft.suffix.is_empty())];
        for token in inner {
            if let Token::Literal(bytes) = token {
                set.pieces.push(span(&mut set.text, bytes));
            }
        }
        let count = (set.pieces.len() - start) as u16;
        Middle::Pieces { start: start as u32, count }
    } else {
        set.chains.push(Chain::new(draft.tokens));
        Middle::Chain((set.chains.len() - 1) as u32)
    };
    set.tails.push(Tail::of(draft.suffix));
    set.all.push(Starred {
        rule: draft.item.rule,
        access: draft.item.access,
        live: draft.item.access,
        effect: draft.item.effect,
        node: draft.node,
        prefix_len: draft.item.literal.len() as u16,
        suffix,
        middle,
    });
}
