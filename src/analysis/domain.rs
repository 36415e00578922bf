//! Which bytes are a path at all: the rules of [`Path`](crate::Path) as a small automaton.
//!
//! What no request can name is no difference between two policies, so every question is asked of
//! canonical paths alone. Upper lengths are not in here: the search knows how long its words are.

use crate::path::{MIN_BUCKET_LEN, is_bucket_byte};

/// How far a path is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// In the bucket, with so many bytes of it, or more.
    Bucket(u8),
    /// Behind `bucket/`.
    Key,
    /// Behind another `/`.
    Segment,
    /// A segment is `.` so far.
    Dot,
    /// A segment is `..` so far.
    DotDot,
    /// In a segment that can no longer be `.` or `..`.
    Within,
    /// In a character that has more bytes.
    Character(Rest),
}

/// Which bytes the rest of a character has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Rest {
    One,
    Two,
    Three,
    /// Two, behind a lead byte that takes only some: 0xE0 and 0xED.
    AboveE0,
    BelowEd,
    /// Three, likewise: 0xF0 and 0xF4.
    AboveF0,
    BelowF4,
}

/// What a word is that ends in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// No path, or the root.
    None,
    /// A bucket: there is something to list, and no object.
    Bucket,
    /// A path that an object can be at.
    Object,
}

impl Phase {
    pub(super) const START: Self = Self::Bucket(0);

    /// The phase behind one more byte, and whether the byte makes the path one that a connection
    /// with `keys: plain` refuses. `None` where no path goes on so.
    pub(super) fn step(self, byte: u8) -> Option<(Self, bool)> {
        let least = MIN_BUCKET_LEN as u8;
        let next = match self {
            Self::Bucket(len) => match byte {
                b'/' if len >= least => Self::Key,
                byte if is_bucket_byte(byte) => Self::Bucket((len + 1).min(least)),
                _ => return None,
            },
            Self::Character(rest) => {
                let (range, next) = match rest {
                    Rest::One => (0x80..=0xbf, Self::Within),
                    Rest::Two => (0x80..=0xbf, Self::Character(Rest::One)),
                    Rest::Three => (0x80..=0xbf, Self::Character(Rest::Two)),
                    Rest::AboveE0 => (0xa0..=0xbf, Self::Character(Rest::One)),
                    Rest::BelowEd => (0x80..=0x9f, Self::Character(Rest::One)),
                    Rest::AboveF0 => (0x90..=0xbf, Self::Character(Rest::Two)),
                    Rest::BelowF4 => (0x80..=0x8f, Self::Character(Rest::Two)),
                };
                if !range.contains(&byte) {
                    return None;
                }
                next
            }
            Self::Key | Self::Segment | Self::Dot | Self::DotDot | Self::Within => match byte {
                0..=0x1f | 0x7f => return None,
                b'/' => match self {
                    Self::Dot | Self::DotDot => return None,
                    Self::Within => Self::Segment,
                    _ => return Some((Self::Segment, true)),
                },
                b'.' => match self {
                    Self::Key | Self::Segment => Self::Dot,
                    Self::Dot => Self::DotDot,
                    _ => Self::Within,
                },
                b'\\' => return Some((Self::Within, true)),
                0x20..=0x7e => Self::Within,
                0xc2..=0xdf => Self::Character(Rest::One),
                0xe0 => Self::Character(Rest::AboveE0),
                0xed => Self::Character(Rest::BelowEd),
                0xe1..=0xef => Self::Character(Rest::Two),
                0xf0 => Self::Character(Rest::AboveF0),
                0xf1..=0xf3 => Self::Character(Rest::Three),
                0xf4 => Self::Character(Rest::BelowF4),
                0x80..=0xc1 | 0xf5..=0xff => return None,
            },
        };
        Some((next, false))
    }

    /// What a word is that ends here.
    pub(super) fn end(self) -> End {
        match self {
            Self::Bucket(len) if usize::from(len) >= MIN_BUCKET_LEN => End::Bucket,
            Self::Key => End::Bucket,
            Self::Segment | Self::Within => End::Object,
            Self::Bucket(_) | Self::Dot | Self::DotDot | Self::Character(_) => End::None,
        }
    }

    pub(super) fn is_bucket(self) -> bool {
        matches!(self, Self::Bucket(_))
    }
}

/// The number of the kind that a byte is of, so that no phase tells bytes of one kind apart.
pub(super) fn kind(byte: u8) -> u8 {
    match byte {
        b'/' => 1,
        b'.' => 2,
        b'\\' => 3,
        byte if is_bucket_byte(byte) => 0,
        0x20..=0x7e => 4,
        0x80..=0x8f => 5,
        0x90..=0x9f => 6,
        0xa0..=0xbf => 7,
        0xc2..=0xdf => 8,
        0xe0 => 9,
        0xed => 10,
        0xe1..=0xef => 11,
        0xf0 => 12,
        0xf1..=0xf3 => 13,
        0xf4 => 14,
        0..=0x1f | 0x7f | 0xc0..=0xc1 | 0xf5..=0xff => 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Path;

    fn read(word: &[u8]) -> Option<(Phase, bool)> {
        word.iter().try_fold((Phase::START, false), |(phase, aliased), byte| {
            phase.step(*byte).map(|(phase, alias)| (phase, aliased || alias))
        })
    }

    /// Every word of up to five bytes over one byte of each kind, behind a bucket and without.
    #[test]
    fn it_takes_what_a_path_takes() {
        let letters = b"a/.\\ \x85\x95\xa5\xc3\xe0\xed\xe2\xf0\xf1\xf4\x01\xff\xc0";
        let mut words = vec![vec![]];
        let mut compared = 0;
        for _ in 0..5 {
            words = words
                .iter()
                .flat_map(|word: &Vec<u8>| letters.iter().map(move |b| [&word[..], &[*b]].concat()))
                .collect();
            if words.len() > 400_000 {
                words.retain(|word| read(&[b"buc/", &word[..word.len() - 1]].concat()).is_some());
            }
            for start in [&b""[..], b"bucke", b"buc/", b"buc/a"] {
                for word in &words {
                    let word = [start, word].concat();
                    let path = Path::new(&word);
                    let (ends, aliased) = match read(&word) {
                        Some((phase, aliased)) => (phase.end(), aliased),
                        None => (End::None, false),
                    };
                    match path {
                        Ok(path) => {
                            let object = !path.key().is_empty();
                            assert_eq!(ends == End::Object, object, "{path:?}");
                            assert_eq!(ends == End::Bucket, !object, "{path:?}");
                            assert_eq!(path.alias_at().is_some(), aliased, "{path:?}");
                        }
                        Err(_) => assert_eq!(ends, End::None, "{:?}", word.escape_ascii()),
                    }
                    compared += 1;
                }
            }
        }
        assert!(compared > 500_000, "{compared}");
    }

    #[test]
    fn no_phase_tells_bytes_of_a_kind_apart() {
        let phases = [
            Phase::Bucket(0),
            Phase::Bucket(3),
            Phase::Key,
            Phase::Segment,
            Phase::Dot,
            Phase::DotDot,
            Phase::Within,
        ]
        .into_iter()
        .chain(
            [
                Rest::One,
                Rest::Two,
                Rest::Three,
                Rest::AboveE0,
                Rest::BelowEd,
                Rest::AboveF0,
                Rest::BelowF4,
            ]
            .map(Phase::Character),
        );
        for phase in phases {
            for (one, other) in (0..=255).flat_map(|a| (0..=255).map(move |b| (a, b))) {
                if kind(one) == kind(other) {
                    assert_eq!(phase.step(one), phase.step(other), "{phase:?} {one} {other}");
                }
            }
        }
    }
}
