//! Lines of any input, borrowed from one buffer.

use std::{
    io::{self, Cursor, Read},
    ops::Range,
    path::Path,
};

use super::{
    encoding::{self, Encoding},
    output::Failure,
};

/// How much is read at once, and the longest record that is kept whole.
const BUFFER: usize = 256 << 10;
/// How many bytes say how an input is encoded.
const TELLING: usize = 8;

/// Splits an input into records at a byte, and allocates once.
///
/// A record that the input ends without closing counts; an end right behind a separator does not make an empty one.
/// Of a record that is longer than the buffer the beginning is kept, which is longer than any path. No path has a
/// carriage return or a NUL, so that of lines those at their ends are taken off, and a line of nothing else (what is
/// left behind a crash) is none. A byte order mark at the start of the input is passed over.
pub(super) struct Records<R> {
    input: R,
    separator: u8,
    buffer: Box<[u8]>,
    /// What of the buffer is filled and not yet returned.
    filled: Range<usize>,
    /// Nothing was read yet.
    is_fresh: bool,
    ended: bool,
    /// The rest of a record that was too long is still to be passed over.
    passing: bool,
}

/// Why an input cannot be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// Reading fails.
    Io(io::Error),
    /// It is no text of UTF-8.
    Encoded(Encoding),
}

impl Unreadable {
    /// The failure of a command whose input it is.
    pub(super) fn failure(&self, file: &Path) -> Failure {
        let name = super::output::escape_bytes(file.as_os_str().as_encoded_bytes());
        match self {
            Self::Io(error) => Failure::file("cannot read", file, error),
            Self::Encoded(Encoding::Packed { format, unpack }) => Failure::question(format!(
                "`{name}` is packed with {format}: unpack it before, with `{unpack} FILE |` in front and `-` in its \
                 place"
            )),
            Self::Encoded(_) => Failure::question(format!(
                "`{name}` is UTF-16, as the `>` of Windows' PowerShell writes it: convert it to UTF-8, with `iconv -f \
                 UTF-16 -t UTF-8`, or write it with `Out-File -Encoding utf8`"
            )),
        }
    }
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R, separator: u8) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self {
            input,
            separator,
            buffer,
            filled: 0..0,
            is_fresh: true,
            ended: false,
            passing: false,
        }
    }

    /// The next record that is in the buffer. `None` calls for [`fill`](Self::fill).
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        let record = loop {
            let Range { start, end } = self.filled;
            let record = match memchr::memchr(self.separator, &self.buffer[start..end]) {
                Some(length) => {
                    self.filled.start = start + length + 1;
                    if std::mem::take(&mut self.passing) {
                        continue;
                    }
                    start..start + length
                }
                None if self.passing => {
                    self.filled.start = end;
                    return None;
                }
                None if start == end || !(self.ended || end - start == BUFFER) => return None,
                None => {
                    self.filled.start = end;
                    self.passing = !self.ended;
                    start..end
                }
            };
            let trimmed = self.trimmed(record.clone());
            if !trimmed.is_empty() || !self.buffer[record].contains(&0) {
                break trimmed;
            }
        };
        Some(&self.buffer[record])
    }

    /// A line without what no path has at its ends.
    fn trimmed(&self, record: Range<usize>) -> Range<usize> {
        let Range { mut start, mut end } = record;
        if self.separator == b'\n' {
            while start < end && self.buffer[start] == 0 {
                start += 1;
            }
            while start < end && matches!(self.buffer[end - 1], 0 | b'\r') {
                end -= 1;
            }
        }
        start..end
    }

    /// Reads on and returns how many bytes came; `None` when the input is at its end and all
    /// records were returned.
    ///
    /// # Errors
    ///
    /// Those of the input; and at its start, that it is no text.
    pub(super) fn fill(&mut self) -> Result<Option<usize>, Unreadable> {
        if self.ended {
            return Ok(None);
        }
        self.buffer.copy_within(self.filled.clone(), 0);
        self.filled = 0..self.filled.len();
        let mut bytes = self.read()?;
        if std::mem::take(&mut self.is_fresh) {
            // Whoever feeds line by line is answered line by line, however short the first is.
            while !self.ended
                && self.filled.len() < TELLING
                && !self.start().contains(&self.separator)
            {
                bytes += self.read()?;
            }
            match encoding::of(self.start()) {
                Encoding::Utf8 { mark } => self.filled.start += mark,
                // Records that NUL separates are no UTF-16 for that.
                Encoding::Utf16 { mark: 0, .. } if self.separator == 0 => {}
                encoded => return Err(Unreadable::Encoded(encoded)),
            }
        }
        Ok(Some(bytes))
    }

    fn read(&mut self) -> Result<usize, Unreadable> {
        loop {
            match self.input.read(&mut self.buffer[self.filled.end..]) {
                Ok(bytes) => {
                    self.ended = bytes == 0;
                    self.filled.end += bytes;
                    return Ok(bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Unreadable::Io(error)),
            }
        }
    }

    /// What was read and is not yet returned.
    pub(super) fn start(&self) -> &[u8] {
        &self.buffer[self.filled.clone()]
    }

    /// The input from here on, as it is.
    pub(super) fn into_input(self) -> impl Read {
        Cursor::new(self.start().to_vec()).chain(self.input)
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
            (b"\na\r\nb", &[b"", b"a", b"b"]),
            (b"a\r\r\nb\0\r", &[b"a", b"b"]),
            (b"\0\0a\n\0\0\n\nb\n\0\0\0", &[b"a", b"", b"b"]),
            (b"\xef\xbb\xbfa\n\xef\xbb\xbfb", &[b"a", b"\xef\xbb\xbfb"]),
            (b"\xef\xbb\xbf", &[]),
            (b"\r\n", &[b""]),
        ] {
            for step in [1, 2, 100] {
                assert_eq!(all(Trickle(input, step), b'\n'), records, "{input:?} {step}");
            }
        }
        assert_eq!(all(&b"a\nb\0c"[..], 0), [&b"a\nb"[..], b"c"]);
        assert_eq!(all(&b"a\0b\r\0\0"[..], 0), [&b"a"[..], b"b\r", b""]);
    }

    #[test]
    fn what_is_no_text_is_said_at_once() {
        for input in [&b"\xff\xfea\0\n\0"[..], b"a\0b\0\n\0", b"\x1f\x8b\x08\0", b"\xfe\xff\0a"] {
            for step in [1, 2, 100] {
                let mut records = Records::new(Trickle(input, step), b'\n');
                assert!(matches!(records.fill(), Err(Unreadable::Encoded(_))), "{input:?}");
            }
        }
        let mut rest = String::new();
        let mut records = Records::new(Trickle(b"\xef\xbb\xbf[{}\n]", 2), b'\n');
        records.fill().expect("reads");
        records.into_input().read_to_string(&mut rest).expect("reads");
        assert_eq!(rest, "[{}\n]");
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
