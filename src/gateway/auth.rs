//! Who asks: from an `Authorization` header to a user and the permission of a key.

use std::{collections::HashMap, sync::Arc};

use http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::Current;
use crate::{engine::Caller, policy::User};

/// A caller whose key was known.
#[derive(Clone, Debug)]
pub(super) struct Authenticated<'c> {
    caller: Caller<'c>,
    /// What the owner calls the key.
    pub(super) key_id: &'c str,
    /// Whether the key may change its user's connections and keys.
    #[cfg(feature = "portal")]
    pub(super) manage: bool,
    /// The user's places for requests, whichever key they come with.
    pub(super) places: Arc<Semaphore>,
}

impl<'c> Authenticated<'c> {
    pub(super) fn caller(&self) -> Caller<'c> {
        self.caller
    }
}

/// The places of each user for requests.
pub(super) struct UserPlaces(HashMap<Box<str>, Arc<Semaphore>>);

impl UserPlaces {
    /// So many places for each of these users. Those who were in `before` keep the places that they
    /// have there: what runs still takes them.
    pub(super) fn new(users: &[User], places: usize, before: Option<&Self>) -> Self {
        let of = |user: &User| {
            let places = match before.and_then(|before| before.0.get(&user.name)) {
                Some(places) => Arc::clone(places),
                None => Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            };
            (user.name.clone(), places)
        };
        Self(users.iter().map(of).collect())
    }

    /// Of one who is in no policy, and has no connections either, there is one.
    fn of(&self, user: &str) -> Arc<Semaphore> {
        self.0.get(user).map_or_else(|| Arc::new(Semaphore::new(1)), Arc::clone)
    }
}

impl Current {
    /// The owner of connections, who looks through them without a key that takes anything away: who
    /// asks knows them already. `key_id` is what the log has in the key's place.
    #[cfg(any(feature = "portal", test))]
    pub(super) fn owner<'c>(&self, user: &'c str, key_id: &'c str) -> Authenticated<'c> {
        Authenticated {
            caller: Caller::with_full_permission(user),
            key_id,
            #[cfg(feature = "portal")]
            manage: false,
            places: self.places.of(user),
        }
    }

    /// Whose key came with the request: `None` without a key, with one that is not known, and with
    /// two.
    pub(super) fn authenticate(&self, headers: &HeaderMap) -> Option<Authenticated<'_>> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        let key = key_in(value.as_bytes());
        if key.is_empty() {
            return None;
        }
        self.holder(&Sha256::digest(key).into())
    }

    /// Whose key has this hash.
    pub(super) fn holder(&self, sha256: &[u8; 32]) -> Option<Authenticated<'_>> {
        let (user, key) = self.engine.policy().api_key(sha256)?;
        Some(Authenticated {
            caller: Caller::of_key(user, key),
            key_id: &key.id,
            #[cfg(feature = "portal")]
            manage: key.manage,
            places: self.places.of(&user.name),
        })
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
    use crate::{engine::Engine, gateway::Options, policy::Policy};

    fn current(before: Option<&Current>) -> Arc<Current> {
        let key = |id: &str, key: &str| {
            let hash: String =
                Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
            format!("      - {{ id: {id}, sha256: {hash}, access: read-only }}\n")
        };
        let text = format!(
            "users:\n  - name: ana\n    keys:\n{}{}  - name: bob\n    keys:\n{}",
            key("laptop", "simA"),
            key("job", "simB"),
            key("laptop", "simC"),
        );
        let engine = Engine::new(Policy::from_yaml("users.yaml", &text).unwrap());
        let options = Options { max_requests_per_user: 1, ..Options::default() };
        Current::new(engine, &options, before)
    }

    #[test]
    fn a_user_keeps_the_places_that_are_taken_when_the_policy_is_another() {
        let before = current(None);
        let held = before.owner("ana", "").places.try_acquire_owned().unwrap();
        let after = current(Some(&before));
        assert!(after.owner("ana", "").places.try_acquire_owned().is_err());
        assert!(after.owner("bob", "").places.try_acquire_owned().is_ok());
        drop(held);
        assert!(after.owner("ana", "").places.try_acquire_owned().is_ok());
    }

    #[test]
    fn keys_are_known_in_each_form_that_a_client_sends() {
        let current = current(None);
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
            let found = current.authenticate(&headers);
            let found = found.as_ref().map(|found| (found.caller().name(), found.key_id));
            assert_eq!(found, who, "{value}");
        }
        assert!(current.authenticate(&HeaderMap::new()).is_none());
        let mut twice = HeaderMap::new();
        twice.append(AUTHORIZATION, "simA".parse().unwrap());
        twice.append(AUTHORIZATION, "simA".parse().unwrap());
        assert!(current.authenticate(&twice).is_none());
    }
}
