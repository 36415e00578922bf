//! Who asks: from an `Authorization` header to a user and the permission of a key.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::{
    access::AccessSet,
    engine::Caller,
    policy::{Reach, User},
};

/// A caller whose key was known.
#[derive(Clone, Debug)]
pub(super) struct Authenticated {
    user: Arc<str>,
    /// What the owner calls the key.
    pub(super) key_id: Arc<str>,
    permission: AccessSet,
    reach: Reach,
    /// Whether the key may change its user's connections and keys.
    #[cfg(feature = "portal")]
    pub(super) manage: bool,
    /// The user's places for requests, whichever key they come with.
    pub(super) places: Arc<Semaphore>,
}

impl Authenticated {
    pub(super) fn caller(&self) -> Caller<'_> {
        Caller { name: &self.user, permission: self.permission, reach: &self.reach }
    }

    /// The owner of connections, who looks through them without a key that takes anything away.
    /// `key_id` is what the log has in the key's place.
    #[cfg(any(feature = "portal", test))]
    fn owner(user: &str, key_id: &str, places: Arc<Semaphore>) -> Self {
        Self {
            user: user.into(),
            key_id: key_id.into(),
            permission: Caller::with_full_permission(user).permission,
            reach: Reach::ALL,
            #[cfg(feature = "portal")]
            manage: false,
            places,
        }
    }
}

/// The hashes of every API key of a policy.
///
/// Keys are found by their hash's hash under a seed of this process, and then compared in constant
/// time: neither step's time tells anything about a key that is not known already.
pub(super) struct KeyRing {
    seed: RandomState,
    keys: HashMap<u64, Vec<([u8; 32], Authenticated)>>,
    /// The places of each user.
    places: HashMap<Arc<str>, Arc<Semaphore>>,
}

impl KeyRing {
    /// The keys of these users, each user with so many places. Those who were in `before` keep the
    /// places that they have there: what runs still takes them.
    pub(super) fn new(users: &[User], places: usize, before: Option<&Self>) -> Self {
        let seed = RandomState::new();
        let mut keys = HashMap::<_, Vec<_>>::new();
        let mut all_places = HashMap::new();
        for user in users {
            let name: Arc<str> = user.name.as_ref().into();
            let places = match before.and_then(|before| before.places.get(&name)) {
                Some(places) => Arc::clone(places),
                None => Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            };
            all_places.insert(Arc::clone(&name), Arc::clone(&places));
            for key in &user.keys {
                let authenticated = Authenticated {
                    user: Arc::clone(&name),
                    key_id: key.id.as_ref().into(),
                    permission: key.access,
                    reach: key.reach.clone(),
                    #[cfg(feature = "portal")]
                    manage: key.manage,
                    places: Arc::clone(&places),
                };
                keys.entry(seed.hash_one(key.sha256))
                    .or_default()
                    .push((key.sha256, authenticated));
            }
        }
        Self { seed, keys, places: all_places }
    }

    /// The owner of this name, who needs no key because who asks knows them already.
    #[cfg(any(feature = "portal", test))]
    pub(super) fn owner(&self, user: &str, key_id: &str) -> Authenticated {
        let places = self.places.get(user).map(Arc::clone);
        // One who is in no policy has no connections either.
        Authenticated::owner(user, key_id, places.unwrap_or_else(|| Arc::new(Semaphore::new(1))))
    }

    /// Whose key came with the request: `None` without a key, with one that is not known, and with
    /// two.
    pub(super) fn authenticate(&self, headers: &HeaderMap) -> Option<Authenticated> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        let key = key_in(value.as_bytes());
        if key.is_empty() {
            return None;
        }
        self.find(&Sha256::digest(key).into()).cloned()
    }

    /// Whose key has this hash.
    pub(super) fn find(&self, sha256: &[u8; 32]) -> Option<&Authenticated> {
        let mut found = None;
        for (known, authenticated) in
            self.keys.get(&self.seed.hash_one(sha256)).into_iter().flatten()
        {
            if bool::from(known.ct_eq(sha256)) {
                found = Some(authenticated);
            }
        }
        found
    }
}

/// The key in a header: behind `Simple` or `Bearer`, or the whole, as the Python client sends it.
fn key_in(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    for scheme in [&b"simple "[..], b"bearer "] {
        if let Some((start, key)) = value.split_at_checked(scheme.len())
            && start.eq_ignore_ascii_case(scheme)
        {
            return key.trim_ascii();
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{ApiKey, Location};

    fn ring() -> KeyRing {
        KeyRing::new(&users(), 1, None)
    }

    fn users() -> [User; 2] {
        let location = Location { file: "users.yaml".into(), line: 1, column: 1 };
        let key = |id: &str, key: &str| ApiKey {
            location: location.clone(),
            id: id.into(),
            sha256: Sha256::digest(key).into(),
            access: AccessSet::READ_ONLY,
            manage: false,
            reach: Reach::ALL,
        };
        let user = |name: &str, keys| User { name: name.into(), keys, location: location.clone() };
        let ana = user("ana", vec![key("laptop", "simA"), key("job", "simB")]);
        [ana, user("bob", vec![key("laptop", "simC")])]
    }

    #[test]
    fn a_user_keeps_the_places_that_are_taken_when_the_policy_is_another() {
        let before = ring();
        let held = before.owner("ana", "").places.try_acquire_owned().unwrap();
        let after = KeyRing::new(&users(), 1, Some(&before));
        assert!(after.owner("ana", "").places.try_acquire_owned().is_err());
        assert!(after.owner("bob", "").places.try_acquire_owned().is_ok());
        drop(held);
        assert!(after.owner("ana", "").places.try_acquire_owned().is_ok());
    }

    #[test]
    fn keys_are_known_in_each_form_that_a_client_sends() {
        for (value, who) in [
            ("simA", Some(("ana", "laptop"))),
            ("Simple simB", Some(("ana", "job"))),
            ("simple  simC ", Some(("bob", "laptop"))),
            ("BEARER simC", Some(("bob", "laptop"))),
            ("simD", None),
            ("Simple", None),
            ("", None),
            ("Basic simA", None),
            ("simA simA", None),
        ] {
            let headers = [(AUTHORIZATION, value.parse().unwrap())].into_iter().collect();
            let found = ring().authenticate(&headers);
            let found = found.as_ref().map(|found| (found.caller().name, &*found.key_id));
            assert_eq!(found, who, "{value}");
        }
        assert!(ring().authenticate(&HeaderMap::new()).is_none());
        let mut twice = HeaderMap::new();
        twice.append(AUTHORIZATION, "simA".parse().unwrap());
        twice.append(AUTHORIZATION, "simA".parse().unwrap());
        assert!(ring().authenticate(&twice).is_none());
    }
}
