//! The policies of one installation, one after the other.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use crate::policy::Policy;

/// The policy as it is now: shared by all engines of one line of succession, and by all that they
/// approved.
pub(super) struct Line {
    now: RwLock<Arc<Policy>>,
}

impl Line {
    pub(super) fn new(policy: Arc<Policy>) -> Arc<Self> {
        Arc::new(Self { now: RwLock::new(policy) })
    }

    /// Makes a policy the one that holds now.
    pub(super) fn set(&self, policy: Arc<Policy>) {
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *now, policy);
        drop(now);
        // It may be large, and is not taken apart while others wait.
        drop(before);
    }

    /// Asks the policy that holds now. However long that takes, nobody waits for it who makes another policy
    /// the one that holds.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&Policy) -> T) -> T {
        let now = Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner));
        question(&now)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("now", &self.ask(Policy::revision)).finish()
    }
}
