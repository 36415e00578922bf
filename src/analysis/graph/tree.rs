//! The segments of patterns as a tree.

use std::collections::HashMap;

use super::piece::Piece;
use crate::restriction::{Pattern, Token};

/// A tree of places; the first is the root, and each comes before those below it.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

/// A place of the tree.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// What leads here from the parent.
    pub(super) text: Pattern,
    pub(super) parent: usize,
    /// In the order of the rules that they come from.
    pub(super) children: Vec<usize>,
    /// Whether a piece ends here, other than by running on.
    is_end: bool,
    /// Whether a piece gives or takes everything that starts so.
    is_open: bool,
}

impl Tree {
    /// A place for the end of each piece, and one for each `/` at which they part.
    pub(super) fn new(pieces: &[Piece]) -> Self {
        let mut all = Self { nodes: vec![Node::default()] };
        let mut known: HashMap<(usize, Pattern), usize> = HashMap::new();
        for piece in pieces {
            // What runs on behind a `/` is a place and all below it; `name*` is a place of its own.
            let (body, is_open) = match piece.rest.tokens() {
                [last] if *last == Token::STAR => (&[][..], true),
                [body @ .., Token::Literal(name), last]
                    if *last == Token::STAR && name.ends_with(b"/") =>
                {
                    (&piece.rest.tokens()[..=body.len()], true)
                }
                whole => (whole, false),
            };
            let mut at = 0;
            for text in segments(body) {
                at = *known.entry((at, text)).or_insert_with_key(|(parent, text)| {
                    let child = Node { text: text.clone(), parent: *parent, ..Node::default() };
                    all.nodes.push(child);
                    let child = all.nodes.len() - 1;
                    all.nodes[*parent].children.push(child);
                    child
                });
            }
            all.nodes[at].is_end |= !is_open;
            all.nodes[at].is_open |= is_open;
        }
        all.without_chains()
    }

    /// How many places there are, without the root.
    pub(super) fn len(&self) -> usize {
        self.nodes.len() - 1
    }

    /// The same tree, without the places where nothing ends and nothing branches.
    fn without_chains(self) -> Self {
        let is_kept = |n: usize, node: &Node| {
            n == 0 || node.is_end || node.is_open || node.children.len() != 1
        };
        // For each place: where it is now, and what text behind that leads to it.
        let mut now: Vec<(usize, Pattern)> = Vec::with_capacity(self.nodes.len());
        let mut kept: Vec<Node> = Vec::new();
        for (n, mut node) in self.nodes.into_iter().enumerate() {
            let (parent, mut text) = match n {
                0 => (0, Pattern::default()),
                _ => now[node.parent].clone(),
            };
            node.text.tokens().iter().for_each(|token| text.push(token.clone()));
            if !is_kept(n, &node) {
                now.push((parent, text));
                continue;
            }
            let place = kept.len();
            if n > 0 {
                kept[parent].children.push(place);
            }
            node.children.clear();
            kept.push(Node { text, parent, ..node });
            now.push((place, Pattern::default()));
        }
        Self { nodes: kept }
    }
}

/// A pattern in parts, each up to a literal `/` and with it.
fn segments(tokens: &[Token]) -> Vec<Pattern> {
    let mut segments = vec![Pattern::default()];
    let mut is_whole = false;
    let mut add = |token: &[u8], other: Option<&Token>| {
        if is_whole {
            segments.push(Pattern::default());
        }
        if let Some(last) = segments.last_mut() {
            match other {
                Some(other) => last.push(other.clone()),
                None => last.push_bytes(token),
            }
        }
        is_whole = token.ends_with(b"/");
    };
    for token in tokens {
        match token {
            Token::Literal(bytes) => {
                bytes.split_inclusive(|byte| *byte == b'/').for_each(|part| add(part, None));
            }
            other => add(b"", Some(other)),
        }
    }
    segments.retain(|segment| !segment.tokens().is_empty());
    segments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restriction::unchecked;

    #[test]
    fn segments_end_with_their_slash() {
        for (text, parts) in [
            ("a/b/c", &["a/", "b/", "c"][..]),
            ("a/*/b*c/", &["a/", "*/", "b*c/", "*"]),
            ("*", &["*"]),
            ("//", &["/", "/", "*"]),
        ] {
            let parse = |text: &str| unchecked::plain(text).expect("a restriction");
            let found = segments(parse(text).tokens());
            let parts: Vec<Pattern> = parts
                .iter()
                .map(|part| match part.strip_suffix('/') {
                    Some(name) => {
                        let mut part = parse(name);
                        part.push_byte(b'/');
                        part
                    }
                    None => parse(part),
                })
                .collect();
            assert_eq!(found, parts, "{text}");
        }
    }
}
