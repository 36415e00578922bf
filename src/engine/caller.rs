//! On whose behalf a request comes.

use std::fmt;

use crate::{
    access::AccessSet,
    policy::{ApiKey, Policy, Reach, User},
};

/// On whose behalf a request comes, and with what rights.
///
/// Made of the API key that came with the request, by [`Engine::caller`](super::Engine::caller);
/// of rights that were found some other way, by [`Caller::new`]; or for an owner's own tools, by
/// [`Caller::with_full_permission`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Caller<'a> {
    name: &'a str,
    permission: AccessSet,
    reach: &'a Reach,
    key: Option<&'a [u8; 32]>,
}

impl<'a> Caller<'a> {
    /// A caller with these rights, which no API key of a policy stands behind.
    ///
    /// Only connections that the user `name` owns and `reach` includes can be reached, and
    /// `permission` is what may be done there at most.
    pub const fn new(name: &'a str, permission: AccessSet, reach: &'a Reach) -> Self {
        Self { name, permission, reach, key: None }
    }

    /// A caller whose key takes nothing away: for an owner's own tools. A request's caller has the
    /// permission of the key that it came with.
    pub const fn with_full_permission(name: &'a str) -> Self {
        Self::new(name, AccessSet::READ_WRITE, &Reach::ALL)
    }

    /// The user who holds this API key, with the rights of the key.
    pub fn of_key(user: &'a User, key: &'a ApiKey) -> Self {
        Self { name: &user.name, permission: key.access, reach: &key.reach, key: Some(&key.sha256) }
    }

    /// The user. Only connections that this user owns can be reached.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// What may be done with data, on top of each connection's own access.
    pub const fn permission(&self) -> AccessSet {
        self.permission
    }

    /// Which of the user's connections are reached.
    pub const fn reach(&self) -> &'a Reach {
        self.reach
    }
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("name", &self.name)
            .field("permission", &self.permission)
            .field("reach", &format_args!("{}", self.reach))
            .finish_non_exhaustive()
    }
}

/// The rights that an approval was given for, kept to be looked up again.
///
/// It has no name: who is approved is the owner of the connection.
#[derive(Clone)]
pub(super) enum Rights {
    /// Those of the API key of this hash.
    Key([u8; 32]),
    /// Those that a caller without an API key had.
    Fixed(AccessSet, Reach),
}

impl Rights {
    pub(super) fn of(caller: Caller<'_>) -> Self {
        match caller.key {
            Some(key) => Self::Key(*key),
            None => Self::Fixed(caller.permission, caller.reach.clone()),
        }
    }

    /// The caller with these rights as a policy says them, or `None` when the key is not there or
    /// is another user's.
    pub(super) fn caller<'a>(&'a self, policy: &'a Policy, name: &'a str) -> Option<Caller<'a>> {
        match self {
            Self::Key(sha256) => {
                let (user, key) = policy.api_key(sha256)?;
                (*user.name == *name).then(|| Caller::of_key(user, key))
            }
            Self::Fixed(permission, reach) => Some(Caller::new(name, *permission, reach)),
        }
    }
}
