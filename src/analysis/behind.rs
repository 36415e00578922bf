//! What of a pattern is left behind bytes that it has read.

use std::collections::BTreeSet;

use crate::restriction::Token;

/// A place in a pattern: a token, and how much of it is read if it is a literal.
pub(super) type Place = (usize, usize);

/// Where a pattern may stand once it has read these bytes, in order. A run that may end is not passed before
/// something behind it is read.
pub(super) fn places(tokens: &[Token], read: &[u8]) -> Vec<Place> {
    let mut places = BTreeSet::from([(0, 0)]);
    for &byte in read {
        let mut next = BTreeSet::new();
        for &(first, offset) in &places {
            // Runs may be empty.
            for at in first.. {
                let Some(token) = tokens.get(at) else { break };
                match token {
                    Token::Literal(bytes) => {
                        let passed = if at == first { offset } else { 0 };
                        if bytes[passed] == byte {
                            let is_end = passed + 1 == bytes.len();
                            next.insert(if is_end { (at + 1, 0) } else { (at, passed + 1) });
                        }
                    }
                    Token::One(set) => {
                        if set.contains(byte) {
                            next.insert((at + 1, 0));
                        }
                    }
                    Token::Run(set) => {
                        if set.contains(byte) {
                            next.insert((at, 0));
                        }
                        continue;
                    }
                }
                break;
            }
        }
        places = next;
        if places.is_empty() {
            break;
        }
    }
    places.into_iter().collect()
}

/// The tokens from a place on.
pub(super) fn rest(tokens: &[Token], (at, read): Place) -> Vec<Token> {
    match tokens.get(at) {
        Some(Token::Literal(bytes)) => {
            [&[Token::Literal(bytes[read..].into())], &tokens[at + 1..]].concat()
        }
        _ => tokens[at..].to_vec(),
    }
}
