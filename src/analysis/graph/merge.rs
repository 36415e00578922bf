//! Places under one parent that nothing tells apart become one.

use std::collections::HashMap;

use super::{Decided, Place, Way, tree::Tree};
use crate::restriction::Pattern;

/// What a place is, for those who come to it: two that are equal here are drawn as one.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Kind {
    here: Option<Decided>,
    below: Decided,
    lists: bool,
    /// The texts that lead on, and the kinds of the places that they lead to.
    ways: Vec<(Vec<Pattern>, usize)>,
}

/// The places and ways to draw, in the order in which a reader meets them.
pub(super) fn merge(tree: &Tree, places: &[Place]) -> (Vec<Place>, Vec<Way>) {
    let mut kinds: HashMap<Kind, usize> = HashMap::new();
    let mut kind_of = vec![0; places.len()];
    // For each place its children, those of one kind together.
    let mut groups: Vec<Vec<Vec<usize>>> = vec![Vec::new(); places.len()];
    for n in (0..places.len()).rev() {
        let mut alike: Vec<Vec<usize>> = Vec::new();
        for &child in &tree.nodes[n].children {
            match alike.iter_mut().find(|group| kind_of[group[0]] == kind_of[child]) {
                Some(group) => group.push(child),
                None => alike.push(vec![child]),
            }
        }
        let text = |child: &usize| tree.nodes[*child].text.clone();
        let ways = alike
            .iter()
            .map(|group| (group.iter().map(text).collect(), kind_of[group[0]]))
            .collect();
        let Place { here, below, lists, .. } = places[n];
        let next = kinds.len();
        kind_of[n] = *kinds.entry(Kind { here, below, lists, ways }).or_insert(next);
        groups[n] = alike;
    }

    let (mut drawn, mut ways) = (Vec::new(), Vec::new());
    // Places that are one, and what leads to them.
    let mut waiting = vec![(vec![0], None)];
    while let Some((same, way)) = waiting.pop() {
        let to = drawn.len();
        ways.extend(way.map(|(from, texts)| Way { from, to, texts }));
        let mut rules: Vec<usize> =
            same.iter().flat_map(|place| places[*place].rules.iter().copied()).collect();
        rules.sort_unstable();
        rules.dedup();
        let Place { here, below, lists, .. } = places[same[0]];
        drawn.push(Place { here, below, lists, rules });
        // All have the same ways on; what is behind them is one as well.
        for (n, group) in groups[same[0]].iter().enumerate().rev() {
            let texts = group.iter().map(|child| tree.nodes[*child].text.clone()).collect();
            let behind = same.iter().flat_map(|place| groups[*place][n].iter().copied()).collect();
            waiting.push((behind, Some((to, texts))));
        }
    }
    (drawn, ways)
}
