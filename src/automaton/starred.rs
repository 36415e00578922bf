//! Patterns with wildcards before their end, and how a path is matched with one.

use memchr::memmem;

use super::{
    Effect, Group, Many,
    alike::ends_with,
    chain::Chain,
    forks::Forks,
    looks::{eight_at, few_at, lowest},
};
use crate::access::AccessSet;

/// A byte that no restriction has a literal of (restrictions are UTF-8), and so the stand-in for
/// "anything at all" wherever a `*` has to be filled.
pub(super) const FRESH: u8 = 0xff;

/// How often a piece's rare byte may stand in a path without the piece around it.
const TRIES: usize = 8;

/// A stretch of the text that all starred patterns share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) len: u16,
    /// Where in it the byte stands that paths have least often.
    pub(super) rare: u16,
}

/// One pattern that is neither a literal nor a literal with a `*` behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Starred {
    pub(super) rule: u32,
    pub(super) access: AccessSet,
    /// Of an allow, the accesses that the denies leave something of.
    pub(super) live: AccessSet,
    pub(super) effect: Effect,
    /// The node that what every match starts with leads to, and how many bytes that has.
    pub(super) node: u32,
    pub(super) prefix_len: u16,
    /// What every match ends with.
    pub(super) suffix: Span,
    pub(super) middle: Middle,
}

impl Span {
    /// The span of these bytes, from `start` on.
    pub(super) fn new(start: usize, bytes: &[u8]) -> Self {
        let rank = |byte: u8| match byte {
            b'a' | b'e' | b'i' | b'o' | b's' | b't' | b'r' | b'n' | b'/' => 4,
            b'a'..=b'z' | b'-' | b'.' | b'0'..=b'2' => 3,
            b'0'..=b'9' | b'_' => 2,
            b'A'..=b'Z' => 1,
            _ => 0,
        };
        let rare = (0..).zip(bytes).min_by_key(|(_, byte)| rank(**byte)).map_or(0, |(at, _)| at);
        Self { start: start as u32, len: bytes.len() as u16, rare }
    }
}

/// The last bytes of a path or a suffix, as far as it has eight, and which bits those are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    bytes: u64,
    mask: u64,
}

impl Tail {
    #[inline]
    pub(super) fn of(text: &[u8]) -> Self {
        let bytes = eight_at::<true>(text, 0).unwrap_or_else(|| few_at::<true>(text, 0));
        Self { bytes, mask: lowest(text.len()) }
    }

    /// Whether a path with this tail may end with a suffix that has the other one.
    #[inline]
    pub(super) fn agrees(self, suffix: Self) -> bool {
        self.bytes & suffix.mask == suffix.bytes
    }
}

/// What stands between prefix and suffix.
#[derive(Clone, Copy, Debug)]
pub(super) enum Middle {
    /// Literals with a `*` before, between and behind them: `count` spans from `start`.
    Pieces { start: u32, count: u16 },
    /// A glob: the chain matches all that follows the prefix, suffix included.
    Chain(u32),
}

/// The starred patterns of an automaton, and the text that they are made of.
#[derive(Debug, Default)]
pub(super) struct StarredSet {
    /// Sorted by the node of their prefix, and there by suffix.
    pub(super) all: Vec<Starred>,
    /// The tail of each pattern's suffix.
    pub(super) tails: Vec<Tail>,
    /// How the groups of many patterns are searched.
    pub(super) many: Vec<Many>,
    /// For such groups, to find the patterns with a suffix of the path: the first of each.
    pub(super) suffixes: Vec<Forks<true>>,
    pub(super) pieces: Vec<Span>,
    pub(super) chains: Vec<Chain>,
    pub(super) text: Vec<u8>,
}

impl StarredSet {
    #[inline]
    pub(super) fn bytes_of(&self, span: Span) -> &[u8] {
        &self.text[span.start as usize..span.start as usize + usize::from(span.len)]
    }

    #[inline]
    pub(super) fn pieces_of(&self, start: u32, count: u16) -> &[Span] {
        &self.pieces[start as usize..start as usize + usize::from(count)]
    }

    /// How the patterns of a group are searched that are not just looked at one after the other.
    #[inline]
    pub(super) fn many_of(&self, group: &Group) -> Many {
        let few = Many { suffixes: u32::MAX, blocks: [(0, 0); 2] };
        self.many.get((group.many as usize).wrapping_sub(1)).copied().unwrap_or(few)
    }

    /// Where a piece stands first in these bytes.
    ///
    /// A path is short, so looking for one byte and comparing there beats preparing a search. The
    /// prepared search, which is linear whatever the piece, takes over where that fails often.
    #[inline]
    pub(super) fn find(&self, piece: Span, bytes: &[u8]) -> Option<usize> {
        let piece_bytes = self.bytes_of(piece);
        let rare = usize::from(piece.rare);
        let mut from = rare;
        for _ in 0..TRIES {
            let at = from + memchr::memchr(piece_bytes[rare], bytes.get(from..)?)?;
            if bytes[at - rare..].starts_with(piece_bytes) {
                return Some(at - rare);
            }
            from = at + 1;
        }
        let behind = from - rare;
        memmem::find(&bytes[behind..], piece_bytes).map(|at| behind + at)
    }

    /// Whether a pattern matches a path that starts with its prefix.
    #[inline]
    pub(super) fn matches(&self, starred: &Starred, path: &[u8]) -> bool {
        let suffix = self.bytes_of(starred.suffix);
        let from = usize::from(starred.prefix_len);
        match starred.middle {
            Middle::Pieces { start, count } => {
                let Some(behind) = path.get(from..) else { return false };
                if !ends_with(behind, suffix) {
                    return false;
                }
                let mut rest = &behind[..behind.len() - suffix.len()];
                for piece in self.pieces_of(start, count) {
                    let Some(at) = self.find(*piece, rest) else { return false };
                    rest = &rest[at + usize::from(piece.len)..];
                }
                true
            }
            Middle::Chain(chain) => {
                path.len() >= from + suffix.len()
                    && ends_with(path, suffix)
                    && self.chains[chain as usize].matches(&path[from..])
            }
        }
    }

    /// Whether every extension of a path that it matches is matched too.
    pub(super) fn is_open_ended(&self, starred: &Starred) -> bool {
        match starred.middle {
            Middle::Pieces { .. } => starred.suffix.len == 0,
            Middle::Chain(chain) => self.chains[chain as usize].is_open_ended(),
        }
    }

    /// Whether some path that starts with `path` is matched; `path` starts with the prefix.
    pub(super) fn is_alive(&self, starred: &Starred, path: &[u8]) -> bool {
        match starred.middle {
            Middle::Pieces { .. } => true,
            Middle::Chain(chain) => {
                self.chains[chain as usize].is_alive(&path[usize::from(starred.prefix_len)..])
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.all.capacity() * size_of::<Starred>()
            + self.tails.capacity() * size_of::<Tail>()
            + self.many.capacity() * size_of::<Many>()
            + self.suffixes.iter().map(|forks| size_of_val(forks) + forks.bytes()).sum::<usize>()
            + self.pieces.capacity() * size_of::<Span>()
            + self.text.capacity()
            + self.chains.iter().map(Chain::bytes).sum::<usize>()
    }
}
