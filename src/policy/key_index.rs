//! From the hash of an API key to the key.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
};

use subtle::ConstantTimeEq;

use super::{ApiKey, User};

/// The API keys of a policy by their hashes.
///
/// A key is found by its hash's hash under a seed of this process, and then compared in constant
/// time: neither step's time tells anything about a key that is not known already.
#[derive(Default)]
pub(super) struct KeyIndex {
    seed: RandomState,
    /// Sorted by the seeded hash.
    entries: Box<[Entry]>,
}

/// The seeded hash of a key's hash, and where the key is.
struct Entry {
    seeded: u64,
    user: usize,
    key: usize,
}

impl KeyIndex {
    pub(super) fn new(users: &[User]) -> Self {
        let seed = RandomState::new();
        let mut entries: Vec<Entry> = users
            .iter()
            .enumerate()
            .flat_map(|(user, of)| {
                of.keys.iter().enumerate().map(move |(key, one)| (user, key, one))
            })
            .map(|(user, key, one)| Entry { seeded: seed.hash_one(one.sha256), user, key })
            .collect();
        entries.sort_unstable_by_key(|entry| entry.seeded);
        Self { seed, entries: entries.into() }
    }

    /// The key of this hash and whose it is, among the users that the index was made of.
    pub(super) fn find<'u>(
        &self,
        users: &'u [User],
        sha256: &[u8; 32],
    ) -> Option<(&'u User, &'u ApiKey)> {
        let seeded = self.seed.hash_one(sha256);
        let first = self.entries.partition_point(|entry| entry.seeded < seeded);
        self.entries
            .iter()
            .skip(first)
            .take_while(|entry| entry.seeded == seeded)
            .filter_map(|entry| {
                let user = users.get(entry.user)?;
                Some((user, user.keys.get(entry.key)?))
            })
            .find(|(_, key)| bool::from(key.sha256.ct_eq(sha256)))
    }
}

impl fmt::Debug for KeyIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyIndex").field("keys", &self.entries.len()).finish_non_exhaustive()
    }
}
