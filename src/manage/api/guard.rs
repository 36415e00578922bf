//! Failed attempts: how many an address may make.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    gateway::{Peer, network},
    manage::limit::Limit,
};

/// How many attempts may fail at once, and how long it takes until one more may.
const LIMIT: Limit = Limit { burst: 20, every: Duration::from_secs(3) };
/// How many addresses are remembered at most.
const REMEMBERED: usize = 10_000;

/// Remembers failed attempts. Of an address that has had too many, further ones are told to come later,
/// and are not logged. A right key is let in at any time: keys are too many to be guessed, and who
/// shares an address with its owner must not be able to lock them out.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    /// When all of an address's failures will be forgotten.
    clear: Mutex<HashMap<Option<IpAddr>, Instant>>,
}

impl Guard {
    /// How long this address has to wait, if it has to.
    pub(crate) fn is_shut(&self, peer: Option<Peer>) -> Option<Duration> {
        self.is_shut_at(peer, Instant::now())
    }

    /// An attempt from this address failed.
    pub(crate) fn failed(&self, peer: Option<Peer>) {
        self.failed_at(peer, Instant::now());
    }

    fn is_shut_at(&self, peer: Option<Peer>, now: Instant) -> Option<Duration> {
        let clear = self.clear.lock().unwrap_or_else(PoisonError::into_inner);
        LIMIT.wait(*clear.get(&address(peer))?, now)
    }

    fn failed_at(&self, peer: Option<Peer>, now: Instant) {
        let mut all = self.clear.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.retain(|_, clear| *clear > now);
        }
        // So many addresses at once share what one has.
        let counted = if all.len() >= REMEMBERED { None } else { address(peer) };
        LIMIT.count(all.entry(counted).or_insert(now), now);
    }
}

/// The address that counts: of IPv6, the network that one customer has.
fn address(peer: Option<Peer>) -> Option<IpAddr> {
    peer.map(|Peer(address)| network(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BURST: u32 = LIMIT.burst;
    const EVERY: Duration = LIMIT.every;

    fn peer(text: &str) -> Option<Peer> {
        Some(Peer(text.parse().unwrap()))
    }

    #[test]
    fn an_address_that_fails_is_shut_out_and_let_in_again() {
        let (guard, now) = (Guard::default(), Instant::now());
        let (one, other) = (peer("192.0.2.1"), peer("192.0.2.2"));
        for _ in 0..BURST {
            assert_eq!(guard.is_shut_at(one, now), None);
            guard.failed_at(one, now);
        }
        assert_eq!(guard.is_shut_at(one, now), Some(EVERY));
        assert_eq!(guard.is_shut_at(other, now), None);
        assert_eq!(guard.is_shut_at(one, now + EVERY), None);
        guard.failed_at(one, now + EVERY);
        assert_eq!(guard.is_shut_at(one, now + EVERY), Some(EVERY));
        assert_eq!(guard.is_shut_at(one, now + EVERY * (BURST + 1)), None);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_and_memory_is_bounded() {
        let (guard, now) = (Guard::default(), Instant::now());
        for n in 0..=BURST {
            guard.failed_at(peer(&format!("2001:db8:1:2::{n:x}")), now);
        }
        assert!(guard.is_shut_at(peer("2001:db8:1:2:ffff::1"), now).is_some());
        assert!(guard.is_shut_at(peer("2001:db8:1:3::1"), now).is_none());
        for n in 0..2 * REMEMBERED {
            let [_, a, b, c] = u32::try_from(n).unwrap().to_be_bytes();
            guard.failed_at(Some(Peer([10, a, b, c].into())), now);
        }
        assert!(guard.clear.lock().unwrap().len() <= REMEMBERED + 1);
    }
}
