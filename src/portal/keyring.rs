//! The API keys that open the portal: found and compared as the gateway does with any request's.

use sha2::{Digest as _, Sha256};

use super::session::Opener;
use crate::gateway::Gateway;

/// Whose key this is, if it may manage.
pub(super) fn find(gateway: &Gateway, key: &str) -> Option<Opener> {
    let sha256: [u8; 32] = Sha256::digest(key.trim().as_bytes()).into();
    let (owner, key_id) = gateway.manager_of(&sha256)?;
    Some(Opener { owner, key_id, sha256 })
}

/// Whether a session's key is still a key that may manage.
pub(super) fn is_open(gateway: &Gateway, opener: &Opener) -> bool {
    let now = gateway.manager_of(&opener.sha256);
    now.is_some_and(|(owner, key_id)| owner == opener.owner && key_id == opener.key_id)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{engine::Engine, escape::hex, executor::S3, gateway::Options, policy::Policy};

    fn gateway(keys: &str) -> Gateway {
        let text = format!("users:\n  - name: ana\n    keys:\n{keys}");
        let engine = Engine::new(Policy::from_yaml("p.yaml", &text).unwrap());
        Gateway::new(engine, Arc::new(S3::default()), Options::default()).unwrap()
    }

    fn key(id: &str, key: &str, rest: &str) -> String {
        let hash = hex(&Sha256::digest(key));
        format!("      - {{ id: {id}, sha256: {hash}, access: none{rest} }}\n")
    }

    #[test]
    fn only_keys_that_may_manage_open_and_only_as_long_as_they_are_there() {
        let both = gateway(&(key("portal", "simA", ", manage: true") + &key("job", "simB", "")));
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
            assert!(!is_open(&gateway(&other), &opener), "{other}");
        }
    }
}
