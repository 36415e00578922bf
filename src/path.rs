//! The one canonical form of a path. Nothing after this module decodes, normalises or re-joins.

use std::{borrow::Cow, fmt};

/// The longest key that S3 takes, in bytes.
pub const MAX_KEY_LEN: usize = 1_024;
/// The longest bucket name that S3 ever took, in bytes.
pub const MAX_BUCKET_LEN: usize = 255;
/// The shortest bucket name, in bytes.
pub const MIN_BUCKET_LEN: usize = 3;
/// The longest path: bucket, `/`, key.
pub const MAX_PATH_LEN: usize = MAX_BUCKET_LEN + 1 + MAX_KEY_LEN;

/// A canonical path, `bucket/key` as bytes: what is decided on and, unchanged, what is sent.
///
/// * Bytes are bytes: no case folding, no Unicode normalisation; `//` is kept, `\` and `*` are
///   ordinary.
/// * It is UTF-8 and holds no control byte (0x00 to 0x1F, 0x7F).
/// * No segment is `.` or `..`.
/// * The bucket is 3 to 255 of `A-Z a-z 0-9 . _ -`; the key is at most 1,024 bytes and may be empty.
/// * The empty path is the connection's root.
///
/// A percent sign means itself: whoever holds an encoded path decodes it once, before this.
///
/// ```
/// use pathward::{Path, PathError};
///
/// let path = Path::new("my_bucket/logs//2026 01/a%2Fb")?;
/// assert_eq!(path.bucket(), b"my_bucket");
/// assert_eq!(path.key(), b"logs//2026 01/a%2Fb");
///
/// assert_eq!(Path::new("pub/data/../secret"), Err(PathError::DotSegment { at: 9 }));
/// assert_eq!(Path::new("/pub/data"), Err(PathError::LeadingSlash));
/// assert_eq!(Path::new("ab/key"), Err(PathError::BucketLength { len: 2 }));
/// # Ok::<(), PathError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path<'a>(Cow<'a, [u8]>);

impl<'a> Path<'a> {
    /// The connection's root, above all buckets.
    pub const ROOT: Path<'static> = Path(Cow::Borrowed(b""));

    /// Checks that these bytes are a canonical path. Borrowed bytes stay borrowed.
    ///
    /// # Errors
    ///
    /// The first rule that the bytes break, as [`PathError`]: `a/../b`, a line feed, a byte that
    /// is not UTF-8, a bucket `ab`, a key of 1,025 bytes, `/bucket/key`.
    pub fn new<B: AsRef<[u8]> + ?Sized>(bytes: &'a B) -> Result<Self, PathError> {
        let bytes = bytes.as_ref();
        check(bytes)?;
        Ok(Self(Cow::Borrowed(bytes)))
    }

    /// The same, keeping the bytes.
    ///
    /// # Errors
    ///
    /// As [`Path::new`].
    pub fn from_vec(bytes: Vec<u8>) -> Result<Path<'static>, PathError> {
        check(&bytes)?;
        Ok(Path(Cow::Owned(bytes)))
    }

    /// The path with bytes of its own.
    pub fn into_owned(self) -> Path<'static> {
        Path(Cow::Owned(self.0.into_owned()))
    }

    /// The same path, borrowed from this one.
    pub fn borrowed(&self) -> Path<'_> {
        Path(Cow::Borrowed(&self.0))
    }

    /// The path of the directory of this name: itself if it ends with `/` or is the root, else
    /// with a `/` behind it.
    ///
    /// `dir` and `dir/` name the same directory; S3's prefix is the form with the slash.
    ///
    /// # Errors
    ///
    /// [`PathError::KeyLength`] when the slash makes the key too long.
    pub fn into_directory(self) -> Result<Self, PathError> {
        if self.0.is_empty() || self.0.ends_with(b"/") {
            return Ok(self);
        }
        let mut bytes = self.0.into_owned();
        bytes.push(b'/');
        let key = bytes.len() - bucket_len(&bytes) - 1;
        if key > MAX_KEY_LEN {
            return Err(PathError::KeyLength { len: key });
        }
        Ok(Path(Cow::Owned(bytes)))
    }

    /// All bytes: `bucket/key`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What stands before the first `/`; empty for the root.
    pub fn bucket(&self) -> &[u8] {
        &self.0[..bucket_len(&self.0)]
    }

    /// What stands after the first `/`; empty when there is none.
    pub fn key(&self) -> &[u8] {
        self.0.get(bucket_len(&self.0) + 1..).unwrap_or_default()
    }

    /// Whether this is the connection's root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The first byte at which a server that rewrites keys could read another key: an empty
    /// segment (a leading `/` of the key among them) or a `\`. `None` if every server reads the
    /// path as it is written. A connection with `keys: plain` refuses such paths.
    pub fn alias_at(&self) -> Option<usize> {
        alias_in(self.as_bytes())
    }
}

/// The same for a part of a path: whatever stands around it, the path has it.
pub(crate) fn alias_in(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, b"//")
        .map(|at| at + 1)
        .into_iter()
        .chain(memchr::memchr(b'\\', bytes))
        .min()
}

impl fmt::Display for Path<'_> {
    /// The path for people: UTF-8 as it is. Escape it before it reaches a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({:?})", String::from_utf8_lossy(&self.0))
    }
}

impl AsRef<[u8]> for Path<'_> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Why bytes are not a [`Path`]. Offsets are in bytes from the start of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathError {
    /// A `/` stands before the bucket.
    LeadingSlash,
    /// The bucket's length is not 3 to 255 bytes.
    BucketLength {
        /// Its length.
        len: usize,
    },
    /// The bucket holds a byte that no bucket's name has.
    BucketByte {
        /// Where it stands.
        at: usize,
    },
    /// The key is longer than 1,024 bytes.
    KeyLength {
        /// Its length.
        len: usize,
    },
    /// A segment is `.` or `..`.
    DotSegment {
        /// Where the segment starts.
        at: usize,
    },
    /// A control byte, 0x00 to 0x1F or 0x7F.
    ControlByte {
        /// Where it stands.
        at: usize,
        /// The byte.
        byte: u8,
    },
    /// The bytes are not UTF-8.
    NotUtf8 {
        /// The first byte that is not.
        at: usize,
    },
}

impl PathError {
    /// The stable reason code: `invalid.encoding` for bytes that are not UTF-8, else
    /// `invalid.path`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "invalid.encoding",
            _ => "invalid.path",
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeadingSlash => {
                f.write_str("a path starts with its bucket, not with `/`: leave the first `/` out")
            }
            Self::BucketLength { len } => write!(
                f,
                "the bucket (what stands before the first `/`) has {len} bytes; \
                 it has {MIN_BUCKET_LEN} to {MAX_BUCKET_LEN}"
            ),
            Self::BucketByte { at } => write!(
                f,
                "the bucket holds a byte at {at} that no bucket's name has; \
                 it is made of A-Z a-z 0-9 . _ -"
            ),
            Self::KeyLength { len } => {
                write!(f, "the key has {len} bytes; S3 takes at most {MAX_KEY_LEN}")
            }
            Self::DotSegment { at } => write!(
                f,
                "the segment at byte {at} is `.` or `..`, which servers resolve differently; \
                 name the path itself"
            ),
            Self::ControlByte { at, byte } => {
                write!(f, "a control byte (0x{byte:02x}) stands at byte {at}")?;
                match byte {
                    b'\r' => f.write_str(": a carriage return, as Windows ends lines with"),
                    _ => Ok(()),
                }
            }
            Self::NotUtf8 { at } => write!(f, "the path is not UTF-8 from byte {at} on"),
        }
    }
}

impl std::error::Error for PathError {}

/// Whether buckets' names have this byte.
pub(crate) fn is_bucket_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn bucket_len(bytes: &[u8]) -> usize {
    memchr::memchr(b'/', bytes).unwrap_or(bytes.len())
}

fn check(bytes: &[u8]) -> Result<(), PathError> {
    if bytes.is_empty() {
        return Ok(());
    }
    if bytes[0] == b'/' {
        return Err(PathError::LeadingSlash);
    }
    // Every byte once, for its kind alone; the places are looked for only when something is wrong.
    let mut control = false;
    let mut non_ascii = false;
    for &byte in bytes {
        control |= byte < 0x20 || byte == 0x7f;
        non_ascii |= byte >= 0x80;
    }
    if control && let Some((at, &byte)) = first(bytes, |b| b < 0x20 || b == 0x7f) {
        return Err(PathError::ControlByte { at, byte });
    }
    if non_ascii && let Err(error) = std::str::from_utf8(bytes) {
        return Err(PathError::NotUtf8 { at: error.valid_up_to() });
    }
    if let Some(at) = dot_segment(bytes) {
        return Err(PathError::DotSegment { at });
    }
    let bucket = bucket_len(bytes);
    if let Some((at, _)) = first(&bytes[..bucket], |b| !is_bucket_byte(b)) {
        return Err(PathError::BucketByte { at });
    }
    if !(MIN_BUCKET_LEN..=MAX_BUCKET_LEN).contains(&bucket) {
        return Err(PathError::BucketLength { len: bucket });
    }
    let key = bytes.len().saturating_sub(bucket + 1);
    if key > MAX_KEY_LEN {
        return Err(PathError::KeyLength { len: key });
    }
    Ok(())
}

fn first(bytes: &[u8], is: impl Fn(u8) -> bool) -> Option<(usize, &u8)> {
    bytes.iter().enumerate().find(|(_, byte)| is(**byte))
}

/// Where the first segment that is `.` or `..` starts.
pub(crate) fn dot_segment(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(dot) = memchr::memchr(b'.', &bytes[from..]).map(|at| at + from) {
        let end = if bytes.get(dot + 1) == Some(&b'.') { dot + 2 } else { dot + 1 };
        let starts = dot == 0 || bytes[dot - 1] == b'/';
        let ends = end == bytes.len() || bytes[end] == b'/';
        if starts && ends {
            return Some(dot);
        }
        from = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_own_error() {
        for (bytes, error) in [
            (&b"/pub"[..], PathError::LeadingSlash),
            (b"/", PathError::LeadingSlash),
            (b"ab", PathError::BucketLength { len: 2 }),
            (b"pub lic/x", PathError::BucketByte { at: 3 }),
            (b"pub\\x", PathError::BucketByte { at: 3 }),
            (b"pub/a/./b", PathError::DotSegment { at: 6 }),
            (b"pub/..", PathError::DotSegment { at: 4 }),
            (b"../pub/x", PathError::DotSegment { at: 0 }),
            (b"pub/a\tb", PathError::ControlByte { at: 5, byte: 9 }),
            (b"pub/a\x7f", PathError::ControlByte { at: 5, byte: 0x7f }),
            (b"pub/\xff", PathError::NotUtf8 { at: 4 }),
        ] {
            assert_eq!(Path::new(bytes), Err(error), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn odd_but_real_paths_are_kept_as_they_are() {
        for text in [
            "",
            "pub",
            "pub/",
            "pub//x",
            "pub/data//x",
            "pub/...",
            "pub/.a",
            "pub/a..",
            "pub/..a/.b.",
            "Algorithmia/team.jpg",
            "my_bucket/x",
            "pub/%2e%2e/x",
            "pub/a\\..\\b",
            "pub/*",
            "pub/\u{fffd}",
            "pub/e\u{301}",
            "pub/ ",
            "...",
            "pub/a+b c",
        ] {
            let path = Path::new(text).expect(text);
            assert_eq!(path.as_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn lengths_are_inclusive() {
        let key = |n: usize| format!("pub/{}", "k".repeat(n));
        assert!(Path::new(&key(MAX_KEY_LEN)).is_ok());
        assert_eq!(Path::new(&key(MAX_KEY_LEN + 1)), Err(PathError::KeyLength { len: 1_025 }));
        assert!(Path::new(&"b".repeat(255)).is_ok());
        assert_eq!(Path::new(&"b".repeat(256)), Err(PathError::BucketLength { len: 256 }));
        let longest = Path::from_vec(key(MAX_KEY_LEN).into_bytes()).expect("fits");
        assert_eq!(longest.into_directory(), Err(PathError::KeyLength { len: 1_025 }));
    }

    #[test]
    fn a_directory_has_one_form() {
        for (text, directory) in [("", ""), ("pub", "pub/"), ("pub/", "pub/"), ("pub/a", "pub/a/")]
        {
            let path = Path::new(text).and_then(Path::into_directory).expect(text);
            assert_eq!(path.as_bytes(), directory.as_bytes());
        }
    }

    #[test]
    fn aliases_are_found_where_they_start() {
        for (text, at) in [
            ("pub/a/b", None),
            ("pub/a/", None),
            ("pub//a", Some(4)),
            ("pub/a//b", Some(6)),
            ("pub/a\\b//", Some(5)),
        ] {
            assert_eq!(Path::new(text).expect(text).alias_at(), at, "{text}");
        }
    }
}
