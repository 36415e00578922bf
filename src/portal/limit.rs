//! How often somebody may fail to sign in.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How many failures an address has in a row.
const EACH: u32 = 10;
/// After how long an address has one of them back.
const EACH_BACK: Duration = Duration::from_secs(30);
/// How many failures all addresses have together.
const ALL: u32 = 200;
/// After how long they have one of them back.
const ALL_BACK: Duration = Duration::from_millis(500);
/// How many addresses are remembered.
const REMEMBERED: usize = 4_096;

/// Failures that are left: a bucket that fills again with time.
#[derive(Clone, Copy)]
struct Bucket {
    spent: u32,
    since: Instant,
}

impl Bucket {
    fn new(now: Instant) -> Self {
        Self { spent: 0, since: now }
    }

    /// Gives back what the time since the last look is worth.
    fn refill(&mut self, back: Duration, now: Instant) {
        let passed = now.saturating_duration_since(self.since);
        let given = u32::try_from(passed.as_millis() / back.as_millis().max(1)).unwrap_or(u32::MAX);
        if given >= self.spent {
            *self = Self::new(now);
        } else {
            self.spent -= given;
            self.since += back * given;
        }
    }

    /// How long until there is one failure left, or `None` when there is one.
    fn wait(&self, most: u32, back: Duration, now: Instant) -> Option<Duration> {
        (self.spent >= most).then(|| back.saturating_sub(now.saturating_duration_since(self.since)))
    }
}

struct Spent {
    all: Bucket,
    by_address: HashMap<IpAddr, Bucket>,
}

/// The failures to sign in, by address and of all.
pub(super) struct Attempts(Mutex<Spent>);

impl Attempts {
    /// Nobody has failed yet.
    pub(super) fn new() -> Self {
        let all = Bucket::new(Instant::now());
        Self(Mutex::new(Spent { all, by_address: HashMap::new() }))
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
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spent.all.refill(ALL_BACK, now);
        let of_all = spent.all.wait(ALL, ALL_BACK, now);
        let of_it = spent.by_address.get_mut(&network(address)).and_then(|bucket| {
            bucket.refill(EACH_BACK, now);
            bucket.wait(EACH, EACH_BACK, now)
        });
        of_all.max(of_it)
    }

    fn failed_at(&self, address: IpAddr, now: Instant) {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spent.all.spent = spent.all.spent.saturating_add(1);
        if spent.by_address.len() >= REMEMBERED {
            spent.by_address.retain(|_, bucket| {
                bucket.refill(EACH_BACK, now);
                bucket.spent > 0
            });
        }
        // Beyond that many, the limit of all holds alone.
        if spent.by_address.len() < REMEMBERED {
            let bucket =
                spent.by_address.entry(network(address)).or_insert_with(|| Bucket::new(now));
            bucket.refill(EACH_BACK, now);
            bucket.spent = bucket.spent.saturating_add(1);
        }
    }
}

/// Who is counted as one: of IPv6, whoever has a /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) if !six.is_loopback() => IpAddr::V6((u128::from(six) >> 64 << 64).into()),
        other => other,
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
        for _ in 0..EACH {
            assert_eq!(attempts.wait_at(one, now), None);
            attempts.failed_at(one, now);
        }
        let wait = attempts.wait_at(one, now).unwrap();
        assert!(wait > Duration::ZERO && wait <= EACH_BACK, "{wait:?}");
        assert_eq!(attempts.wait_at(other, now), None);
        assert_eq!(attempts.wait_at(one, now + EACH_BACK), None);
        attempts.failed_at(one, now + EACH_BACK);
        assert!(attempts.wait_at(one, now + EACH_BACK).is_some());
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
