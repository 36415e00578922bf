//! File descriptors: shared out so that what takes rights away always has some.
//!
//! Connections of callers and to servers take one each, and callers decide how many there are. The store,
//! the policy, credentials and the log need some, too: without them a key that is revoked would stay valid.

/// Kept for the process itself: its files, its listeners, and what reads the store.
const KEPT: usize = 128;
/// How many connections to the portal there are at once, at most.
const MOST_ASIDE: usize = 256;

/// What a limit of descriptors is shared out to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptors {
    /// Connections to the gateway's own listener.
    pub(crate) callers: usize,
    /// Connections to another listener: who fills the one does not keep owners out of the other.
    pub(crate) aside: usize,
    /// Connections to servers: half of what is left, since while one is made another address may be tried, or a
    /// name looked up.
    pub(crate) servers: usize,
}

impl Descriptors {
    /// Shares out what this process may have, for as many connections as are wanted where that is possible.
    pub(crate) fn shared_out(wanted: usize) -> Self {
        Self::of(limit(), wanted)
    }

    fn of(limit: usize, wanted: usize) -> Self {
        let room = limit.saturating_sub(KEPT).max(limit / 2);
        let aside = wanted.clamp(1, MOST_ASIDE);
        let all = wanted.saturating_add(aside).min(room / 5 * 2);
        let aside = aside.min(all / 8).max(1);
        let callers = all.saturating_sub(aside).clamp(1, wanted.max(1));
        let servers = (room.saturating_sub(callers + aside) / 2).max(1);
        Self { callers, aside, servers }
    }
}

/// How many descriptors this process may have.
#[cfg(unix)]
fn limit() -> usize {
    use rustix::process::{Resource, getrlimit};
    let soft = getrlimit(Resource::Nofile).current;
    soft.and_then(|soft| usize::try_from(soft).ok()).unwrap_or(usize::MAX)
}

#[cfg(not(unix))]
fn limit() -> usize {
    usize::MAX
}

/// Lets this process have as many file descriptors as it may: many systems give a thousand, and as many
/// more as are asked for. For programs that serve; nothing in them may use `select`.
#[cfg(unix)]
pub fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    /// More than anyone needs: some programs that this one may start close each that there could be.
    const ENOUGH: u64 = 1 << 20;
    /// What macOS takes where it says that there is no limit.
    const SOME: u64 = 10_240;
    let limit = getrlimit(Resource::Nofile);
    for wanted in [limit.maximum.unwrap_or(ENOUGH).min(ENOUGH), SOME] {
        let is_more = limit.current.is_some_and(|current| current < wanted);
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        if !is_more || setrlimit(Resource::Nofile, raised).is_ok() {
            break;
        }
    }
}

/// Does nothing: this system has no such limit.
#[cfg(not(unix))]
pub fn raise_descriptor_limit() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_wanted_some_are_left() {
        for limit in [256, 512, 1_024, 4_096, 10_240, 20_000, 65_536, 1 << 20, usize::MAX] {
            for wanted in [1, 16, 512, 4_096, 100_000, u32::MAX as usize] {
                let Descriptors { callers, aside, servers } = Descriptors::of(limit, wanted);
                let taken = callers + aside + 2 * servers;
                assert!(taken <= limit.saturating_sub(KEPT).max(limit / 2) + 3, "{limit} {wanted}");
                assert!(callers >= 1 && aside >= 1 && servers >= 1 && callers <= wanted);
            }
        }
        let usual = Descriptors::of(20_000, 4_096);
        assert_eq!((usual.callers, usual.aside), (4_096, 256));
        let few = Descriptors::of(1_024, 4_096);
        assert!(few.callers > 300 && few.aside > 32 && few.servers > 250, "{few:?}");
    }
}
