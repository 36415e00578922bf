//! Names of uploads in parts, as callers have them.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{
    sealing::{OVERHEAD, Sealing},
    server_key::ServerKey,
};
use crate::{executor::UploadId, path::Path, policy::ConnectionId};

/// What the keys of these names are derived for.
const PURPOSE: &str = "pathward upload id 1";
/// The longest name that is looked at, in characters.
const MAX_LEN: usize = (UploadId::MAX_LEN + OVERHEAD).div_ceil(3) * 4;

/// Gives callers names of uploads in parts in place of the server's, and knows them again.
///
/// A name is worth something for one owner, one connection and one path: the same text sent for another is none. Gateways
/// that share a [`ServerKey`] know each other's names, and their own after a restart: they are for as long as an upload
/// may live, so that a key that is replaced is kept for a week. Nothing is stored.
///
/// ```
/// use pathward::{ConnectionId, Path, executor::UploadId, gateway::{ServerKey, UploadIds}};
///
/// let ids = UploadIds::new(&ServerKey::random().expect("random bytes"));
/// let (lake, other) = (ConnectionId::parse("s3+lake")?, ConnectionId::parse("s3+other")?);
/// let path = Path::new("lake/raw/x.csv")?;
/// let id = UploadId::new("2~the-servers-own").expect("a name");
/// let given = ids.seal("ana", &lake, &path, &id).expect("random bytes");
/// assert_eq!(ids.open("ana", &lake, &path, &given), Some(id));
/// assert_eq!(ids.open("ana", &other, &path, &given), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct UploadIds(Sealing);

impl UploadIds {
    /// By this key.
    pub fn new(key: &ServerKey) -> Self {
        Self(Sealing::new(key, PURPOSE))
    }

    /// The name that a caller gets: letters, digits, `-` and `_`. `None` when the system gives no random bytes.
    pub fn seal(
        &self,
        owner: &str,
        connection: &ConnectionId<'_>,
        path: &Path<'_>,
        id: &UploadId,
    ) -> Option<String> {
        let connection = connection.to_string();
        let bound = [owner.as_bytes(), connection.as_bytes(), path.as_bytes()];
        let sealed = self.0.seal(&bound, id.as_str().as_bytes().to_vec())?;
        Some(BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The server's name: `None` for one that was not given for this owner, connection and path.
    pub fn open(
        &self,
        owner: &str,
        connection: &ConnectionId<'_>,
        path: &Path<'_>,
        given: &str,
    ) -> Option<UploadId> {
        if given.len() > MAX_LEN {
            return None;
        }
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(given).ok()?;
        let connection = connection.to_string();
        let bound = [owner.as_bytes(), connection.as_bytes(), path.as_bytes()];
        let opened = self.0.open(&bound, &sealed)?;
        UploadId::new(std::str::from_utf8(&opened).ok()?)
    }
}

impl std::fmt::Debug for UploadIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UploadIds").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_its_owners_connections_and_paths() {
        let key = ServerKey::random().unwrap();
        let ids = UploadIds::new(&key);
        let connection = |text| ConnectionId::parse(text).unwrap();
        let (t, u) = (connection("s3+t"), connection("s3+u"));
        let (here, there) = (Path::new("pub/data/x").unwrap(), Path::new("pub/data/y").unwrap());
        let long = "i".repeat(UploadId::MAX_LEN);
        for text in ["1", "2~x/y+z=", "\u{fc}", &long] {
            let id = UploadId::new(text).unwrap();
            let given = ids.seal("ana", &t, &here, &id).unwrap();
            assert_eq!(ids.open("ana", &t, &here, &given), Some(id.clone()));
            assert_ne!(ids.seal("ana", &t, &here, &id).unwrap(), given, "told apart by nobody");
            assert!(given.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            for (owner, connection, path) in
                [("bob", &t, &here), ("ana", &u, &here), ("ana", &t, &there), ("anas3", &t, &here)]
            {
                assert_eq!(ids.open(owner, connection, path, &given), None);
            }
            // Another gateway that shares the key, and one that does not.
            assert_eq!(UploadIds::new(&key).open("ana", &t, &here, &given), Some(id));
            let other = UploadIds::new(&ServerKey::random().unwrap());
            assert_eq!(other.open("ana", &t, &here, &given), None);
        }
        let id = UploadId::new("secret").unwrap();
        let given = ids.seal("ana", &t, &here, &id).unwrap();
        for at in 0..given.len() {
            let mut forged = given.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(ids.open("ana", &t, &here, &forged), None, "{at}");
        }
        for forged in ["", "A", "=", "é", &given[1..], &format!("{given}="), &"A".repeat(9_000)] {
            assert_eq!(ids.open("ana", &t, &here, forged), None, "{forged}");
        }
        // A marker is no such name.
        let marker = Sealing::new(&key, "pathward marker 1");
        let sealed = marker.seal(&[b"ana", b"s3+t", here.as_bytes()], b"x".to_vec()).unwrap();
        let text = BASE64_URL_SAFE_NO_PAD.encode(sealed);
        assert_eq!(ids.open("ana", &t, &here, &text), None);
        assert!(!format!("{ids:?}").contains("secret"));
    }
}
