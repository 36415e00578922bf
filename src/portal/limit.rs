//! How often somebody may fail to sign in.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{gateway::network, manage::limit::Limit};

/// How often an address may fail.
const EACH: Limit = Limit { burst: 10, every: Duration::from_secs(30) };
/// How often all addresses may fail together.
const ALL: Limit = Limit { burst: 200, every: Duration::from_millis(500) };
/// How many addresses are remembered.
const REMEMBERED: usize = 4_096;

/// When the failures of all, and of each address, will be forgotten.
struct Clear {
    all: Instant,
    by_address: HashMap<IpAddr, Instant>,
}

/// The failures to sign in, by address and of all.
pub(super) struct Attempts(Mutex<Clear>);

impl Attempts {
    /// Nobody has failed yet.
    pub(super) fn new() -> Self {
        Self(Mutex::new(Clear { all: Instant::now(), by_address: HashMap::new() }))
    }

    /// How long somebody at this address has to wait before trying again, if at all.
    pub(super) fn wait(&self, address: IpAddr) -> Option<Duration> {
        self.wait_at(address, Instant::now())
    }

    /// Counts a failure.
    pub(super) fn failed(&self, address: IpAddr) {
        self.failed_at(address, Instant::now());
    }

    fn wait_at(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let clear = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it = clear.by_address.get(&network(address));
        ALL.wait(clear.all, now).max(of_it.and_then(|clear| EACH.wait(*clear, now)))
    }

    fn failed_at(&self, address: IpAddr, now: Instant) {
        let mut clear = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ALL.count(&mut clear.all, now);
        if clear.by_address.len() >= REMEMBERED {
            clear.by_address.retain(|_, clear| *clear > now);
        }
        // Beyond that many, the limit of all holds alone.
        if clear.by_address.len() < REMEMBERED {
            EACH.count(clear.by_address.entry(network(address)).or_insert(now), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_after_failures_and_others_do_not() {
        let attempts = Attempts::new();
        let (one, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let now = Instant::now();
        for _ in 0..EACH.burst {
            assert_eq!(attempts.wait_at(one, now), None);
            attempts.failed_at(one, now);
        }
        let wait = attempts.wait_at(one, now).unwrap();
        assert!(wait > Duration::ZERO && wait <= EACH.every, "{wait:?}");
        assert_eq!(attempts.wait_at(other, now), None);
        assert_eq!(attempts.wait_at(one, now + EACH.every), None);
        attempts.failed_at(one, now + EACH.every);
        assert!(attempts.wait_at(one, now + EACH.every).is_some());
    }

    #[test]
    fn many_addresses_together_wait_too_and_take_no_memory() {
        let attempts = Attempts::new();
        let now = Instant::now();
        for number in 0..10_000_u32 {
            attempts.failed_at(IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(attempts.wait_at(IpAddr::from([200, 0, 0, 1]), now).is_some());
        assert!(attempts.0.lock().unwrap().by_address.len() <= REMEMBERED);
    }

    #[test]
    fn addresses_of_one_network_are_one() {
        let six = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(network(six("2001:db8::1")), network(six("2001:db8::ffff:1")));
        assert_ne!(network(six("2001:db8::1")), network(six("2001:db8:0:1::1")));
        assert_eq!(network(six("::ffff:127.0.0.1")), six("127.0.0.1"));
    }
}
