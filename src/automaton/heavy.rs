//! Which patterns are searched together: those that one path can meet, as far as that can be.
//!
//! The nodes of the trie are divided into lines, each of which goes down from node to node, always to
//! the heaviest child: the one with the most text of patterns at and under it. A search has patterns
//! of one line only. A path follows a line for a while and then leaves it for another one, which has at
//! most half of the text that was left. So it meets few lines, as many as the text can be halved; and of each it
//! meets all patterns but those further down than where it leaves, of which it is searched for at most
//! a search full, strangers.
//!
//! What lies under a node stays in one piece, a cluster, where it is too little for searches of its own.
//! A path meets one cluster at most, its last; and several clusters share a search, up to a size.

use super::trie::Trie;

/// Nodes in groups, each of them the nodes that have patterns, from the root down.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Division {
    nodes: Vec<u32>,
    /// Where each group ends in `nodes`.
    ends: Vec<usize>,
}

impl Division {
    fn close(&mut self) {
        if self.ends.last().copied().unwrap_or_default() < self.nodes.len() {
            self.ends.push(self.nodes.len());
        }
    }

    /// Its groups.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.nodes[start..*end])
    }
}

/// Divides the nodes that have a weight, one for each node of the trie: lines, and clusters of at most so much. On a
/// path from the root every line comes before the lines that leave it.
pub(super) fn divide(trie: &Trie, weights: &[u64], cluster: u64) -> (Division, Division) {
    let mut below = weights.to_vec();
    let children = |id: u32| trie.children(&trie.nodes[id as usize]).map(|(_, child)| child);
    // Parents come before their children.
    for id in (0..below.len()).rev() {
        let under: u64 = children(id as u32).map(|child| below[child as usize]).sum();
        below[id] += under;
    }
    let (mut lines, mut clusters) = <(Division, Division)>::default();
    let mut heads: Vec<u32> =
        below.first().filter(|all| **all > 0).map(|_| 0).into_iter().collect();
    let mut open = Vec::new();
    while let Some(head) = heads.pop() {
        let is_cluster = below[head as usize] <= cluster;
        let division = if is_cluster { &mut clusters } else { &mut lines };
        let mut next = Some(head);
        while let Some(id) = next {
            if weights[id as usize] > 0 {
                division.nodes.push(id);
            }
            let others = if is_cluster { &mut open } else { &mut heads };
            let first_other = others.len();
            others.extend(children(id).filter(|child| below[*child as usize] > 0));
            next = if is_cluster {
                open.pop()
            } else {
                let heaviest =
                    (first_other..others.len()).max_by_key(|at| below[others[*at] as usize]);
                heaviest.map(|at| others.swap_remove(at))
            };
        }
        division.close();
    }
    (lines, clusters)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The trie of these strings, and a weight for the node that each leads to.
    fn divided(strings: &[(&str, u64)], cluster: u64) -> [Vec<Vec<String>>; 2] {
        let texts: Vec<&[u8]> = std::iter::once(&b""[..])
            .chain(strings.iter().map(|(text, _)| text.as_bytes()))
            .collect();
        let (trie, ends) = Trie::build(&texts);
        let mut weights = vec![0; trie.nodes.len()];
        for (end, (_, weight)) in ends[1..].iter().zip(strings) {
            weights[*end as usize] = *weight;
        }
        let (lines, clusters) = divide(&trie, &weights, cluster);
        let text = |id: &u32| {
            String::from_utf8_lossy(trie.leading_to(&trie.nodes[*id as usize])).into_owned()
        };
        let texts = |division: Division| {
            division.groups().map(|nodes| nodes.iter().map(text).collect()).collect()
        };
        [texts(lines), texts(clusters)]
    }

    #[test]
    fn a_line_goes_down_to_the_heaviest() {
        let strings = [("a", 1), ("aa", 1), ("aaa", 9), ("ab", 5), ("abc", 4), ("b", 3), ("ba", 1)];
        let [lines, clusters] = divided(&strings, 4);
        assert_eq!(lines, [vec!["a", "aa", "aaa"], vec!["ab", "abc"]]);
        assert_eq!(clusters, [["b", "ba"]]);
        let [lines, clusters] = divided(&strings, 100);
        assert!(lines.is_empty());
        assert_eq!(clusters.len(), 1);
        assert_eq!(clusters[0].len(), strings.len());
    }

    #[test]
    fn nodes_without_patterns_are_in_no_group() {
        assert_eq!(divided(&[("a", 0), ("ab", 0)], 4), [vec![], Vec::<Vec<String>>::new()]);
        let [lines, clusters] = divided(&[("a", 0), ("ab", 7), ("b", 0)], 4);
        assert_eq!(lines, [["ab"]]);
        assert!(clusters.is_empty());
    }

    /// A path leaves a line for one of at most half the weight, and a node is in one group.
    #[test]
    fn a_path_meets_few_groups() {
        let on_the_way = |n: usize| "a".repeat(n);
        let beside = |n: usize| (0..4).map(move |m| format!("{}b{}", on_the_way(n), "c".repeat(m)));
        let mut strings: Vec<String> = (1..300).flat_map(beside).collect();
        strings.extend((1..300).map(on_the_way));
        strings.sort_unstable();
        for cluster in [0, 2, 4, 9, 100] {
            let weighed: Vec<(&str, u64)> = strings.iter().map(|text| (&**text, 1)).collect();
            let [lines, clusters] = divided(&weighed, cluster);
            let groups: Vec<&Vec<String>> = lines.iter().chain(&clusters).collect();
            assert_eq!(groups.iter().map(|group| group.len()).sum::<usize>(), strings.len());
            for path in &strings {
                let is_met = |group: &Vec<String>| group.iter().any(|text| path.starts_with(text));
                let [lines, clusters] = [&lines, &clusters]
                    .map(|groups| groups.iter().filter(|group| is_met(group)).count());
                assert!(lines <= 2 && clusters <= 1, "{path} meets {lines} and {clusters}");
            }
        }
    }
}
