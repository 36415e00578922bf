//! Where a listing goes on, sealed: a marker is worth something only for the listing that gave it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use super::{
    sealing::{OVERHEAD, Sealing},
    server_key::ServerKey,
};
use crate::{escape::hex, executor::Want, path::Path};

/// How long the text of a place is that is behind what is not shown, whatever is there: a key of 1,024 bytes and
/// what may be behind it have room.
const HIDDEN_LEN: usize = 1_088;
/// How much longer the text of any other is, at most, than it has to be.
const STEP: usize = 64;
/// The longest marker that is looked at, in hexadecimal digits.
const MAX_MARKER_LEN: usize = 2 * (HIDDEN_LEN + OVERHEAD);
/// What stands between a text and its padding, of zeros.
const PAD_BEGINS: u8 = 1;
/// What a logged or quoted path is escaped with.
pub(super) const QUOTED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'_').remove(b'-').remove(b'+').remove(b':');

/// A place in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The kind of entries that the listing has come to.
    pub(super) want: Want,
    /// What the page before ended with: see [`DirectoryPage::next`](crate::executor::DirectoryPage::next).
    pub(super) after: Option<Box<str>>,
}

impl Place {
    /// How long its text is when it is sealed: its own length tells of a name.
    fn padded_len(&self, len: usize) -> usize {
        match &self.after {
            Some(after) if after.starts_with('\0') => HIDDEN_LEN.max(len),
            _ => len.next_multiple_of(STEP),
        }
    }
}

/// What the keys of markers are derived for.
const PURPOSE: &str = "pathward marker 1";

/// Seals and opens markers.
pub(super) struct Markers(Sealing);

/// What a marker belongs to.
pub(super) struct Bound<'a> {
    pub(super) owner: &'a str,
    pub(super) connection: &'a str,
    pub(super) directory: &'a Path<'a>,
}

impl Bound<'_> {
    fn parts(&self) -> [&[u8]; 3] {
        [self.owner.as_bytes(), self.connection.as_bytes(), self.directory.as_bytes()]
    }
}

impl Markers {
    /// By these keys. Markers of another gateway open if it shares one of them.
    pub(super) fn new(key: &ServerKey) -> Self {
        Self(Sealing::new(key, PURPOSE))
    }

    /// The marker of a place. `None` when the system gives no random bytes.
    pub(super) fn seal(&self, bound: &Bound<'_>, place: &Place) -> Option<String> {
        let mut sealed = vec![match place.want {
            Want::All => b'a',
            Want::Folders => b'd',
            Want::Files => b'f',
        }];
        if let Some(after) = &place.after {
            sealed.push(b'/');
            sealed.extend_from_slice(after.as_bytes());
        }
        sealed.push(PAD_BEGINS);
        sealed.resize(place.padded_len(sealed.len()), 0);
        Some(hex(&self.0.seal(&bound.parts(), sealed)?))
    }

    /// The place of a marker: `None` for one that this listing did not give.
    pub(super) fn open(&self, bound: &Bound<'_>, marker: &str) -> Option<Place> {
        if marker.len() > MAX_MARKER_LEN || !marker.is_ascii() || !marker.len().is_multiple_of(2) {
            return None;
        }
        let bytes: Vec<u8> = (0..marker.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(marker.get(at..at + 2)?, 16).ok())
            .collect::<Option<_>>()?;
        let opened = self.0.open(&bound.parts(), &bytes)?;
        let len = opened.iter().rposition(|byte| *byte != 0)?;
        let opened = opened.get(..len).filter(|_| opened.get(len) == Some(&PAD_BEGINS))?;
        let (want, after) = opened.split_first()?;
        Some(Place {
            want: match want {
                b'a' => Want::All,
                b'd' => Want::Folders,
                b'f' => Want::Files,
                _ => return None,
            },
            after: match after.split_first() {
                Some((_, after)) => Some(std::str::from_utf8(after).ok()?.into()),
                None => None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_opens_only_where_it_was_sealed() {
        let markers = Markers::new(&ServerKey::random().unwrap());
        let (here, there) = (Path::new("pub/data/").unwrap(), Path::new("pub/dat/").unwrap());
        let bound = |owner, connection, directory| Bound { owner, connection, directory };
        let place = Place { want: Want::Files, after: Some("b ü".into()) };
        let marker = markers.seal(&bound("ana", "s3+t", &here), &place).unwrap();

        assert_eq!(markers.open(&bound("ana", "s3+t", &here), &marker), Some(place.clone()));
        for other in [
            bound("bob", "s3+t", &here),
            bound("ana", "s3+u", &here),
            bound("ana", "s3+t", &there),
            bound("anas3", "+t", &here),
        ] {
            assert_eq!(markers.open(&other, &marker), None);
        }
        assert_eq!(
            Markers::new(&ServerKey::random().unwrap()).open(&bound("ana", "s3+t", &here), &marker),
            None
        );
        let whole = bound("ana", "s3+t", &here);
        for at in 0..marker.len() {
            let mut forged = marker.clone().into_bytes();
            if let Some(byte) = forged.get_mut(at) {
                *byte = if *byte == b'0' { b'1' } else { b'0' };
            }
            assert_eq!(markers.open(&whole, std::str::from_utf8(&forged).unwrap()), None);
        }
        for forged in
            ["", "0", "zz", "pub/data/x", "é", &marker[..marker.len() - 2], &"0".repeat(9_000)]
        {
            assert_eq!(markers.open(&whole, forged), None, "{forged}");
        }
        let start = Place { want: Want::All, after: None };
        let marker = markers.seal(&whole, &start).unwrap();
        assert_eq!(markers.open(&whole, &marker), Some(start));
    }

    #[test]
    fn how_long_a_marker_is_tells_nothing_of_what_is_not_shown() {
        let markers = Markers::new(&ServerKey::random().unwrap());
        let directory = Path::new("pub/").unwrap();
        let bound = Bound { owner: "ana", connection: "s3+t", directory: &directory };
        let mut seal = |after: &str| {
            let place = Place { want: Want::All, after: Some(after.into()) };
            let marker = markers.seal(&bound, &place).unwrap();
            assert_eq!(markers.open(&bound, &marker), Some(place));
            marker.len()
        };
        let longest = format!("\0{}\u{10ffff}", "k".repeat(1_024));
        let lengths = ["\0", "\0a", "\0a/b\u{10ffff}", longest.as_str()].map(&mut seal);
        assert!(lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
        let lengths = ["a", "abc/", &"n".repeat(50)].map(&mut seal);
        assert!(lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
        assert!(seal(&"n".repeat(1_024)) <= MAX_MARKER_LEN);
    }
}
