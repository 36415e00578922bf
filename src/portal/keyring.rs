//! The API keys that open the portal.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::session::Opener;
use crate::policy::Policy;

/// Whose key this is, if it may manage. Every key is compared, in constant time.
pub(super) fn find(policy: &Policy, key: &str) -> Option<Opener> {
    let hash: [u8; 32] = Sha256::digest(key.trim().as_bytes()).into();
    let mut found = None;
    for user in policy.users() {
        for known in &user.keys {
            if bool::from(known.sha256.ct_eq(&hash)) && known.manage {
                found = Some(Opener {
                    owner: user.name.to_string(),
                    key_id: known.id.to_string(),
                    sha256: known.sha256,
                });
            }
        }
    }
    found
}

/// Whether a session's key is still a key that may manage.
pub(super) fn is_open(policy: &Policy, opener: &Opener) -> bool {
    let user = policy.users().iter().find(|user| *user.name == *opener.owner);
    user.is_some_and(|user| {
        user.keys
            .iter()
            .any(|key| key.manage && *key.id == *opener.key_id && key.sha256 == opener.sha256)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(keys: &str) -> Policy {
        Policy::from_yaml("p.yaml", &format!("users:\n  - name: ana\n    keys:\n{keys}")).unwrap()
    }

    fn key(id: &str, key: &str, rest: &str) -> String {
        let hash: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("      - {{ id: {id}, sha256: {hash}, access: none{rest} }}\n")
    }

    #[test]
    fn only_keys_that_may_manage_open_and_only_as_long_as_they_are_there() {
        let both = policy(&(key("portal", "simA", ", manage: true") + &key("job", "simB", "")));
        let opener = find(&both, " simA\n").unwrap();
        assert_eq!((&*opener.owner, &*opener.key_id), ("ana", "portal"));
        assert_eq!(find(&both, "simB"), None);
        assert_eq!(find(&both, "simC"), None);
        assert_eq!(find(&both, ""), None);
        assert!(is_open(&both, &opener));
        for other in [
            key("job", "simB", ""),
            key("portal", "simA", ""),
            key("portal", "simD", ", manage: true"),
            key("other", "simA", ", manage: true"),
        ] {
            assert!(!is_open(&policy(&other), &opener), "{other}");
        }
    }
}
