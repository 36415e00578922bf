//! A path-compressed trie over byte strings.
//!
//! Each node knows all bytes from the root to it, as a stretch of the text: a path that somehow got
//! to a node is compared with them at once. What one string is the start of is not kept twice.
//! Children of a node are neighbours, and so are the bytes that choose them.

/// One node. What the flags and `extra` mean is for the trie's user to say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Node {
    /// Where the bytes that lead to it start in the text.
    text: u32,
    /// The first of its children.
    children: u32,
    pub(super) flags: u32,
    pub(super) extra: u32,
    /// How many bytes lead to it.
    pub(super) len: u16,
    child_count: u16,
}

/// The trie. Node 0 is the root, and its label is not empty if all strings start alike.
#[derive(Debug, Default)]
pub(super) struct Trie {
    pub(super) nodes: Vec<Node>,
    /// The byte that each node is chosen by.
    chosen_by: Vec<u8>,
    text: Vec<u8>,
}

/// Where a walk stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The key ended at this node.
    At(u32),
    /// The key ended within this node's label: all that starts with the key is under the node.
    Within(u32),
    /// The key parted from every string.
    Off,
}

impl Trie {
    /// Builds the trie of these strings, and says which node each of them ends at.
    ///
    /// The strings are sorted and distinct. Time and memory are linear in their text.
    pub(super) fn build(strings: &[&[u8]]) -> (Self, Vec<u32>) {
        let mut trie = Self::default();
        let mut ends = vec![0; strings.len()];
        if strings.is_empty() {
            return (trie, ends);
        }
        // A string that the next one starts with is in the text with that one.
        let mut texts = Vec::with_capacity(strings.len());
        for (string, next) in strings.iter().zip(strings[1..].iter().chain([&&b""[..]])) {
            texts.push(trie.text.len() as u32);
            if !next.starts_with(string) {
                trie.text.extend_from_slice(string);
            }
        }
        trie.nodes.push(Node::default());
        trie.chosen_by.push(0);
        // A node's strings, and how many of their bytes are spent above it. Depth first, so that
        // what lies under a node is together in memory; a node comes before those under it.
        let mut open = vec![(0_usize, 0..strings.len(), 0_usize)];
        while let Some((id, mut range, spent)) = open.pop() {
            let (first, last) = (strings[range.start], strings[range.end - 1]);
            let shared = spent
                + first[spent..].iter().zip(&last[spent..]).take_while(|(a, b)| a == b).count();
            // The last string is the start of none.
            let text = texts[range.end - 1];
            if first.len() == shared {
                ends[range.start] = id as u32;
                range.start += 1;
            }
            let children = trie.nodes.len() as u32;
            let mut child_count = 0;
            while !range.is_empty() {
                let byte = strings[range.start][shared];
                let len = strings[range.clone()].partition_point(|s| s[shared] <= byte);
                open.push((trie.nodes.len(), range.start..range.start + len, shared + 1));
                trie.nodes.push(Node::default());
                trie.chosen_by.push(byte);
                child_count += 1;
                range.start += len;
            }
            trie.nodes[id] =
                Node { text, children, len: shared as u16, child_count, ..Node::default() };
        }
        trie.chosen_by.shrink_to_fit();
        trie.nodes.shrink_to_fit();
        trie.text.shrink_to_fit();
        (trie, ends)
    }

    /// Follows a key from the root. `visit` sees each node that it reaches the end of, and says
    /// whether to go on.
    #[inline]
    pub(super) fn walk(&self, key: &[u8], visit: impl FnMut(u32, &Node) -> bool) -> Stop {
        match self.nodes.is_empty() {
            true => Stop::Off,
            false => self.walk_from(0, 0, key, visit),
        }
    }

    /// The same from a node on: `spent` bytes of the key are spent, which are all that lead to the
    /// node but some of its label.
    #[inline]
    pub(super) fn walk_from(
        &self,
        mut id: u32,
        mut spent: usize,
        key: &[u8],
        mut visit: impl FnMut(u32, &Node) -> bool,
    ) -> Stop {
        loop {
            let node = &self.nodes[id as usize];
            let label = &self.leading_to(node)[spent..];
            let rest = &key[spent..];
            if !rest.starts_with(label) {
                return if label.starts_with(rest) { Stop::Within(id) } else { Stop::Off };
            }
            spent += label.len();
            if !visit(id, node) {
                return Stop::At(id);
            }
            let Some(&byte) = key.get(spent) else { return Stop::At(id) };
            let Some(place) = self.choice(node, byte) else { return Stop::Off };
            id = node.children + place as u32;
            spent += 1;
        }
    }

    /// All bytes that lead to a node.
    #[inline]
    pub(super) fn leading_to(&self, node: &Node) -> &[u8] {
        let start = node.text as usize;
        &self.text[start..start + usize::from(node.len)]
    }

    /// A node's children, with the bytes that choose them.
    pub(super) fn children(&self, node: &Node) -> impl Iterator<Item = (u8, u32)> + '_ {
        let first = node.children;
        self.choices(node).iter().zip(0..).map(move |(byte, place)| (*byte, first + place))
    }

    /// Folds the flags of each node's children into its own, from the leaves up.
    pub(super) fn fold_up(&mut self, fold: impl Fn(u32, u32) -> u32) {
        for id in (0..self.nodes.len()).rev() {
            let node = self.nodes[id];
            let first = node.children as usize;
            let children = &self.nodes[first..first + usize::from(node.child_count)];
            let flags = children.iter().fold(node.flags, |flags, child| fold(flags, child.flags));
            self.nodes[id].flags = flags;
        }
    }

    /// How many bytes it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.chosen_by.capacity() + self.text.capacity()
    }

    #[inline]
    fn choices(&self, node: &Node) -> &[u8] {
        let start = node.children as usize;
        &self.chosen_by[start..start + usize::from(node.child_count)]
    }

    #[inline]
    fn choice(&self, node: &Node, byte: u8) -> Option<usize> {
        match self.choices(node) {
            [] => None,
            [only] => (*only == byte).then_some(0),
            [first, second] => {
                if *first == byte {
                    Some(0)
                } else {
                    (*second == byte).then_some(1)
                }
            }
            several => memchr::memchr(byte, several),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_string_is_found_and_prefixes_stop_where_they_should() {
        let strings: [&[u8]; 6] = [b"", b"a", b"abc", b"abd", b"b/long/label", b"b/long/left"];
        let (trie, ends) = Trie::build(&strings);
        for (string, end) in strings.iter().zip(&ends) {
            assert_eq!(trie.walk(string, |_, _| true), Stop::At(*end));
        }
        assert_eq!(trie.walk(b"abx", |_, _| true), Stop::Off);
        assert!(matches!(trie.walk(b"b/lo", |_, _| true), Stop::Within(_)));
        let mut spent = vec![];
        trie.walk(b"abc", |_, node| {
            spent.push(node.len);
            true
        });
        assert_eq!(spent, [0, 1, 2, 3]);
    }

    #[test]
    fn an_empty_trie_has_nothing() {
        let (trie, _) = Trie::build(&[]);
        assert_eq!(trie.walk(b"a", |_, _| true), Stop::Off);
    }
}
