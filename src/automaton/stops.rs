//! The stops of an automaton's patterns: what the index knows.

use super::{
    Extra, Group, Kind, NO_NODE, Terminal, bits,
    compile::{Item, Shape},
    flag,
    trie::{Node, Trie},
};

/// Every stop, with the node that it leads to or into. A stop may be there more than once.
///
/// Marks the nodes that prefixes and groups go on from without a `/`, and links each node that a
/// stop has to what is above it.
pub(super) fn stops<'a>(
    trie: &mut Trie,
    extras: &mut Vec<Extra>,
    terminals: &mut Vec<Terminal>,
    items: &[Item<'a>],
    nodes: &[u32],
) -> Vec<(&'a [u8], u32)> {
    let mut parents = vec![NO_NODE; trie.nodes.len()];
    let mut above = vec![NO_NODE; trie.nodes.len()];
    for (id, node) in (0..).zip(&trie.nodes) {
        let ends_here = id != 0 && node.flags & flag::ANY_HERE != 0;
        let nearest = if ends_here { id } else { above[id as usize] };
        for (_, child) in trie.children(node) {
            parents[child as usize] = id;
            above[child as usize] = nearest;
        }
    }
    let mut stops: Vec<(&[u8], u32)> = Vec::with_capacity(items.len());
    for (item, node) in items.iter().zip(nodes) {
        if item.literal.is_empty() {
            // The root, which every path passes.
            continue;
        }
        if item.shape == Shape::Nothing || item.literal.ends_with(b"/") {
            stops.push((item.literal, *node));
            continue;
        }
        let home = item.literal.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let mut at = *node;
        while parents[at as usize] != NO_NODE
            && usize::from(trie.nodes[parents[at as usize] as usize].len) >= home
        {
            at = parents[at as usize];
        }
        if usize::from(trie.nodes[at as usize].len) == home && at != *node {
            trie.nodes[at as usize].flags |= flag::TAILS;
        }
        if home > 0 {
            stops.push((&item.literal[..home], at));
        }
    }
    for id in nodes.iter().chain(stops.iter().map(|(_, node)| node)) {
        let above = above[*id as usize];
        if above != NO_NODE {
            let place = extra_of(&mut trie.nodes[*id as usize], extras, terminals);
            extras[place].above = above;
        }
    }
    extras.shrink_to_fit();
    terminals.shrink_to_fit();
    stops
}

/// The place of a node's extra; made, if it has none.
fn extra_of(node: &mut Node, extras: &mut Vec<Extra>, terminals: &mut Vec<Terminal>) -> usize {
    if node.flags & flag::EXTRA != 0 {
        return node.extra as usize;
    }
    let start = terminals.len();
    for kind in [Kind::PrefixAllow, Kind::ExactAllow, Kind::PrefixDeny, Kind::ExactDeny] {
        let access = bits(node.flags, kind as u32);
        if !access.is_empty() {
            terminals.push(Terminal { rule: node.extra, access, kind });
        }
    }
    node.flags |= flag::EXTRA;
    node.extra = extras.len() as u32;
    extras.push(Extra {
        terminals: start as u32,
        terminal_count: (terminals.len() - start) as u32,
        above: NO_NODE,
        group: Group::default(),
    });
    extras.len() - 1
}
