//! What a file is before it is text: a byte order mark, UTF-16, or packed.

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-8, or something that is no text; `mark` bytes of it are a byte order mark.
    Utf8 {
        /// How long the mark is.
        mark: usize,
    },
    /// UTF-16, as the redirection of Windows' PowerShell writes it.
    Utf16 {
        /// Whether the higher byte comes first.
        is_big: bool,
        /// How long the mark is.
        mark: usize,
    },
    /// Packed.
    Packed {
        /// The format.
        format: &'static str,
        /// The command that writes what is in a file behind it to standard output.
        unpack: &'static str,
    },
}

/// The byte order mark of UTF-8.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

const fn packed(format: &'static str, unpack: &'static str) -> Encoding {
    Encoding::Packed { format, unpack }
}

/// Looks at the first bytes. UTF-16 without a mark is told by its zeros.
pub(super) fn of(bytes: &[u8]) -> Encoding {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => Encoding::Utf8 { mark: MARK.len() },
        [0xff, 0xfe, ..] => Encoding::Utf16 { is_big: false, mark: 2 },
        [0xfe, 0xff, ..] => Encoding::Utf16 { is_big: true, mark: 2 },
        [0x1f, 0x8b, ..] => packed("gzip", "gzip -dc"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => packed("zstd", "zstd -dc"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => packed("xz", "xz -dc"),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, ..] => packed("bzip2", "bzip2 -dc"),
        [b'P', b'K', 3, 4, ..] => packed("zip", "unzip -p"),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => {
            Encoding::Utf16 { is_big: false, mark: 0 }
        }
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => {
            Encoding::Utf16 { is_big: true, mark: 0 }
        }
        _ => Encoding::Utf8 { mark: 0 },
    }
}

/// The text of UTF-16. `None` where it is none.
pub(super) fn utf16(bytes: &[u8], is_big: bool) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| match is_big {
        true => u16::from_be_bytes(*pair),
        false => u16::from_le_bytes(*pair),
    });
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.ok().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_say_what_a_file_is() {
        let utf16 = |is_big, mark| Encoding::Utf16 { is_big, mark };
        for (bytes, expected) in [
            (&b""[..], Encoding::Utf8 { mark: 0 }),
            (b"{}", Encoding::Utf8 { mark: 0 }),
            (b"\xef\xbb\xbf{}", Encoding::Utf8 { mark: 3 }),
            (b"\xef\xbb", Encoding::Utf8 { mark: 0 }),
            (b"\xff\xfe{\0", utf16(false, 2)),
            (b"\xfe\xff\0{", utf16(true, 2)),
            (b"{\0}\0", utf16(false, 0)),
            (b"\0{\0}", utf16(true, 0)),
            (b"a\0b", Encoding::Utf8 { mark: 0 }),
            (b"\x1f\x8b\x08", packed("gzip", "gzip -dc")),
            (b"BZh91AY&SY", packed("bzip2", "bzip2 -dc")),
            (b"BZh9/key", Encoding::Utf8 { mark: 0 }),
        ] {
            assert_eq!(of(bytes), expected, "{bytes:?}");
        }
        assert_eq!(super::utf16(b"{\0}\0", false).as_deref(), Some("{}"));
        assert_eq!(super::utf16("\0é".as_bytes(), true), None);
        assert_eq!(super::utf16(b"\0\xe9", true).as_deref(), Some("é"));
    }
}
