//! The reference matcher: the specification of what a pattern matches.
//!
//! Written to be read. It follows the definition word by word, keeps no cleverness, and is what
//! the automaton is compared with, exhaustively and at random.

use super::{Pattern, Token};

impl Pattern {
    /// Whether the pattern matches these bytes, all of them.
    ///
    /// Time is the number of tokens times the length of the path, whatever the pattern.
    pub fn matches(&self, path: &[u8]) -> bool {
        // `ends[i]` says: the tokens so far match the first `i` bytes.
        let mut ends = vec![false; path.len() + 1];
        ends[0] = true;
        for token in self.tokens() {
            ends = match token {
                Token::Literal(bytes) => (0..=path.len())
                    .map(|end| {
                        end >= bytes.len()
                            && ends[end - bytes.len()]
                            && path[end - bytes.len()..end] == **bytes
                    })
                    .collect(),
                Token::One(set) => (0..=path.len())
                    .map(|end| end >= 1 && ends[end - 1] && set.contains(path[end - 1]))
                    .collect(),
                Token::Run(set) => {
                    let mut run = false;
                    (0..=path.len())
                        .map(|end| {
                            run = ends[end] || (run && set.contains(path[end - 1]));
                            run
                        })
                        .collect()
                }
            };
        }
        ends[path.len()]
    }
}
