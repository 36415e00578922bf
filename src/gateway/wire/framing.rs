//! Where a body ends.

use super::{is_text, is_token};

/// How many bytes of fields stand behind the last chunk, at most.
const MAX_TRAILERS: usize = 8 << 10;
/// How many bytes of extensions all chunks of a body have together, at most: nobody looks at them.
const MAX_EXTENSIONS: usize = 8 << 10;

/// What is still to come of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes.
    Length(u64),
    /// Chunks, the last of which is empty.
    Chunks(Chunks),
}

/// A body is not framed as its head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Framing {
    pub(super) fn chunked() -> Self {
        Self::Chunks(Chunks { at: At::Size { value: 0, digits: 0 }, extensions: 0, trailers: 0 })
    }

    /// Whether the body is over.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunks(chunks) => chunks.at == At::End,
        }
    }

    /// How long the body is, where that is known.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Length(length) => Some(*length),
            Self::Chunks(_) => None,
        }
    }

    /// Goes on by what came, and says how many bytes of it are the body's: all, unless it is over.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        match self {
            Self::Length(left) => {
                let some = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= some as u64;
                Ok(some)
            }
            Self::Chunks(chunks) => chunks.advance(bytes),
        }
    }
}

/// A body in chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    at: At,
    /// How many bytes of extensions there were.
    extensions: usize,
    /// How many bytes stand behind the last chunk.
    trailers: usize,
}

/// Where in its chunks a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In a chunk's size.
    Size {
        value: u64,
        digits: u8,
    },
    /// Behind a size, before the end of its line.
    Extension {
        size: u64,
    },
    /// Behind the CR of a size's line.
    SizeEnd {
        size: u64,
    },
    /// In a chunk.
    Data {
        left: u64,
    },
    /// Behind a chunk, before its CR, and before its LF.
    DataCr,
    DataLf,
    /// At the beginning of a line behind the last chunk.
    Line,
    /// In the name of a field behind the last chunk, in its value, and behind its CR.
    Name,
    Value,
    ValueEnd,
    /// Behind the CR of the last line of all.
    LastLf,
    /// Over.
    End,
}

impl Chunks {
    fn advance(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let mut done = 0;
        while let Some(byte) = bytes.get(done).copied()
            && self.at != At::End
        {
            if let At::Data { left } = &mut self.at {
                let rest = bytes.len() - done;
                let some = rest.min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= some as u64;
                done += some;
                if *left == 0 {
                    self.at = At::DataCr;
                }
                continue;
            }
            self.at = self.step(byte).ok_or(Malformed)?;
            done += 1;
        }
        Ok(done)
    }

    /// Where a byte leads that is none of a chunk.
    fn step(&mut self, byte: u8) -> Option<At> {
        Some(match (self.at, byte) {
            (At::Size { value, digits: 0..=15 }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16)?;
                let digits = self.digits() + 1;
                At::Size { value: value.checked_mul(16)?.checked_add(digit.into())?, digits }
            }
            (At::Size { value, digits: 1.. }, b';') => At::Extension { size: value },
            (At::Size { value: size, digits: 1.. } | At::Extension { size }, b'\r') => {
                At::SizeEnd { size }
            }
            (At::Extension { size }, byte) if is_text(byte) => {
                self.extensions += 1;
                (self.extensions <= MAX_EXTENSIONS).then_some(At::Extension { size })?
            }
            (At::SizeEnd { size: 0 }, b'\n') => At::Line,
            (At::SizeEnd { size: left }, b'\n') => At::Data { left },
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::Size { value: 0, digits: 0 },
            (At::Line, b'\r') => At::LastLf,
            (At::LastLf, b'\n') => At::End,
            (At::Line | At::Name, byte) if is_token(byte) => self.trailer(At::Name)?,
            (At::Name, b':') => self.trailer(At::Value)?,
            (At::Value, b'\r') => self.trailer(At::ValueEnd)?,
            (At::Value, byte) if is_text(byte) => self.trailer(At::Value)?,
            (At::ValueEnd, b'\n') => self.trailer(At::Line)?,
            _ => return None,
        })
    }

    fn digits(&self) -> u8 {
        match self.at {
            At::Size { digits, .. } => digits,
            _ => 0,
        }
    }

    /// One more byte behind the last chunk.
    fn trailer(&mut self, at: At) -> Option<At> {
        self.trailers += 1;
        (self.trailers <= MAX_TRAILERS).then_some(at)
    }
}
