//! Lines of any input, borrowed from one buffer.

use std::{
    io::{self, Read},
    ops::Range,
};

/// How much is read at once, and the longest record that is kept whole.
const BUFFER: usize = 256 << 10;

/// Splits an input into records at a byte, and allocates once.
///
/// A record that the input ends without closing counts; an end right behind a separator does not
/// make an empty one. Of a record that is longer than the buffer the beginning is kept, which is
/// longer than any path.
pub(super) struct Records<R> {
    input: R,
    separator: u8,
    buffer: Box<[u8]>,
    /// What of the buffer is filled and not yet returned.
    filled: Range<usize>,
    ended: bool,
    /// The rest of a record that was too long is still to be passed over.
    passing: bool,
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R, separator: u8) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self { input, separator, buffer, filled: 0..0, ended: false, passing: false }
    }

    /// The next record that is in the buffer. `None` calls for [`fill`](Self::fill).
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        let record = loop {
            let Range { start, end } = self.filled;
            match memchr::memchr(self.separator, &self.buffer[start..end]) {
                Some(length) => {
                    self.filled.start = start + length + 1;
                    if !std::mem::take(&mut self.passing) {
                        break start..start + length;
                    }
                }
                None if self.passing => {
                    self.filled.start = end;
                    return None;
                }
                None if start == end || !(self.ended || end - start == BUFFER) => return None,
                None => {
                    self.filled.start = end;
                    self.passing = !self.ended;
                    break start..end;
                }
            }
        };
        Some(&self.buffer[record])
    }

    /// Reads on and returns how many bytes came; `None` when the input is at its end and all
    /// records were returned.
    ///
    /// # Errors
    ///
    /// Those of the input.
    pub(super) fn fill(&mut self) -> io::Result<Option<usize>> {
        if self.ended {
            return Ok(None);
        }
        self.buffer.copy_within(self.filled.clone(), 0);
        self.filled = 0..self.filled.len();
        loop {
            match self.input.read(&mut self.buffer[self.filled.end..]) {
                Ok(bytes) => {
                    self.ended = bytes == 0;
                    self.filled.end += bytes;
                    return Ok(Some(bytes));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Trickle<'t>(&'t [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let bytes = self.1.min(self.0.len()).min(into.len());
            into[..bytes].copy_from_slice(&self.0[..bytes]);
            self.0 = &self.0[bytes..];
            Ok(bytes)
        }
    }

    fn all(input: impl Read, separator: u8) -> Vec<Vec<u8>> {
        let mut records = Records::new(input, separator);
        let mut found = Vec::new();
        loop {
            while let Some(record) = records.next() {
                found.push(record.to_vec());
            }
            if records.fill().expect("reads").is_none() {
                return found;
            }
        }
    }

    #[test]
    fn records_are_what_stands_between_separators_and_nothing_is_lost() {
        for (input, records) in [
            (&b""[..], &[][..]),
            (b"\n", &[&b""[..]]),
            (b"a", &[b"a"]),
            (b"a\n", &[b"a"]),
            (b"a\n\n", &[b"a", b""]),
            (b"\na\r\nb", &[b"", b"a\r", b"b"]),
        ] {
            for step in [1, 2, 100] {
                assert_eq!(all(Trickle(input, step), b'\n'), records, "{input:?} {step}");
            }
        }
        assert_eq!(all(&b"a\nb\0c"[..], 0), [&b"a\nb"[..], b"c"]);
    }

    #[test]
    fn a_record_without_end_keeps_its_beginning() {
        let mut input = vec![b'x'; 3 * BUFFER + 7];
        input.extend_from_slice(b"\nnext\n");
        let records = all(&input[..], b'\n');
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].len(), BUFFER);
        assert_eq!(records[1], b"next");
        // Exactly the buffer, and the separator behind it.
        input.drain(..2 * BUFFER + 7);
        assert_eq!(all(&input[..], b'\n').iter().map(Vec::len).collect::<Vec<_>>(), [BUFFER, 4]);
        // And at the end of the input.
        assert_eq!(all(&input[..BUFFER], b'\n').len(), 1);
        assert_eq!(all(&vec![b'x'; 2 * BUFFER][..], b'\n').len(), 1);
    }
}
