//! Owners take turns at the processors.
//!
//! A runtime polls what is ready in the order in which it became so: of one owner with five hundred
//! requests and another with one, the other waits for all five hundred, each time that something came for
//! it. Here the connections of an owner have [`QUANTUM`] together in each round, and then wait for the next
//! one, which begins when everybody else who was ready has had theirs. What one poll takes beyond that, the
//! owner has less of in the rounds that follow. Who has shown no key counts by their address.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, Hash, RandomState},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, task::yield_now};

/// How long the connections of one owner run in a round, on each processor.
const QUANTUM: Duration = Duration::from_micros(250);
/// How many owners are remembered who do not wait.
const REMEMBERED: usize = 1_024;

/// Whose turn it is, among all connections of a gateway.
#[derive(Debug)]
pub(super) struct Turns {
    rounds: Mutex<Rounds>,
    hasher: RandomState,
    processors: u32,
}

#[derive(Debug, Default)]
struct Rounds {
    owners: HashMap<u64, Own>,
    /// Somebody waits for the next one, and a task begins it.
    are_awaited: bool,
}

/// What one owner has of a round.
#[derive(Debug, Default)]
struct Own {
    /// How long its connections ran.
    used: Duration,
    /// Those that wait for the next round, or for another one to have run; and those that did, and are
    /// gone.
    waiting: VecDeque<Arc<Ticket>>,
}

/// A connection, as those who take turns know it.
#[derive(Debug)]
pub(super) struct Ticket {
    owner: AtomicU64,
    state: Mutex<State>,
}

/// What a connection does about its turn. Where it waits it is in the queue of one owner, once.
#[derive(Debug, Default)]
enum State {
    /// It runs, or has nothing to do.
    #[default]
    Idle,
    Waiting(Waker),
    /// It was let run, and will.
    Granted,
    /// It is no more, and is passed over where it stands in a queue.
    Gone,
}

impl Turns {
    /// Turns for so many processors.
    pub(super) fn new(processors: usize) -> Arc<Self> {
        Arc::new(Self {
            rounds: Mutex::default(),
            hasher: RandomState::new(),
            processors: u32::try_from(processors).unwrap_or(u32::MAX).max(1),
        })
    }

    /// For a connection of whom this names.
    pub(super) fn ticket(&self, owner: impl Hash) -> Arc<Ticket> {
        Arc::new(Ticket {
            owner: AtomicU64::new(self.hasher.hash_one(owner)),
            state: Mutex::default(),
        })
    }

    /// From now on the connection is this owner's.
    pub(super) fn belongs_to(&self, ticket: &Ticket, owner: impl Hash) {
        ticket.owner.store(self.hasher.hash_one(owner), Ordering::Relaxed);
    }

    /// Runs what a connection does in its owner's turns.
    pub(super) fn take<F: Future>(self: &Arc<Self>, ticket: Arc<Ticket>, does: F) -> Taking<F> {
        Taking { turns: Arc::clone(self), ticket, does: Box::pin(does) }
    }

    /// Begins round after round, for as long as somebody waits for one.
    async fn begin_rounds(self: Arc<Self>) {
        loop {
            // Behind everything that is ready now.
            yield_now().await;
            if !self.next_round() {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn quantum(&self) -> Duration {
        QUANTUM.saturating_mul(self.processors)
    }

    /// Whether a connection may run now; if not, it is woken when it may.
    fn may_run(self: &Arc<Self>, ticket: &Arc<Ticket>, waker: &Waker) -> bool {
        match &mut *ticket.lock() {
            state @ State::Granted => {
                *state = State::Idle;
                return true;
            }
            // Woken for something else: it has its place already.
            State::Waiting(known) => {
                known.clone_from(waker);
                return false;
            }
            State::Idle | State::Gone => {}
        }
        let mut rounds = self.lock();
        let own = rounds.owners.entry(ticket.owner.load(Ordering::Relaxed)).or_default();
        if own.used < self.quantum() && own.waiting.is_empty() {
            return true;
        }
        let Ok(runtime) = Handle::try_current() else { return true };
        *ticket.lock() = State::Waiting(waker.clone());
        own.waiting.push_back(Arc::clone(ticket));
        if !rounds.are_awaited {
            rounds.are_awaited = true;
            runtime.spawn(Arc::clone(self).begin_rounds());
        }
        false
    }

    fn has_run(&self, ticket: &Ticket, took: Duration) {
        let mut rounds = self.lock();
        let is_crowded = rounds.owners.len() > REMEMBERED;
        let own = rounds.owners.entry(ticket.owner.load(Ordering::Relaxed)).or_default();
        own.used += took;
        if own.used < self.quantum() {
            own.grant();
        }
        if is_crowded && !rounds.are_awaited {
            rounds.owners.clear();
        }
    }

    /// Begins a round. Whether somebody may wait for the one after it.
    fn next_round(&self) -> bool {
        let quantum = self.quantum();
        let mut rounds = self.lock();
        // Rounds in which nobody who waits could run are passed over.
        let behind = |own: &Own| own.used.as_nanos() / quantum.as_nanos();
        let waiting = rounds.owners.values().filter(|own| !own.waiting.is_empty());
        let Some(least) = waiting.map(behind).min() else {
            rounds.are_awaited = false;
            return false;
        };
        let passed = quantum.saturating_mul(u32::try_from(least).unwrap_or(u32::MAX).max(1));
        rounds.owners.retain(|_, own| {
            own.used = own.used.saturating_sub(passed);
            if own.used < quantum {
                (0..self.processors).for_each(|_| own.grant());
            }
            !own.waiting.is_empty() || !own.used.is_zero()
        });
        true
    }
}

impl Own {
    /// Lets the connection run that waits for longest. Those that are gone are passed over, each once.
    fn grant(&mut self) {
        while let Some(ticket) = self.waiting.pop_front() {
            let mut state = ticket.lock();
            if let State::Waiting(waker) = std::mem::replace(&mut *state, State::Granted) {
                drop(state);
                waker.wake();
                return;
            }
            *state = State::Gone;
        }
    }
}

impl Ticket {
    /// Where the rounds are locked too, they are so first.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a connection does, in its owner's turns.
pub(super) struct Taking<F> {
    turns: Arc<Turns>,
    ticket: Arc<Ticket>,
    does: Pin<Box<F>>,
}

impl<F: Future> Future for Taking<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        if !this.turns.may_run(&this.ticket, context.waker()) {
            return Poll::Pending;
        }
        let began = Instant::now();
        let poll = this.does.as_mut().poll(context);
        this.turns.has_run(&this.ticket, began.elapsed());
        poll
    }
}

impl<F> Drop for Taking<F> {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut *self.ticket.lock(), State::Gone);
        // One that was let run and never does so passes that on.
        if matches!(state, State::Granted) {
            self.turns.has_run(&self.ticket, Duration::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burn(time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            std::hint::spin_loop();
        }
    }

    /// How late one owner's connection runs, at the median, beside two hundred of another that are always
    /// ready, on one processor.
    fn lateness(hog: &'static str, has_turns: bool) -> Duration {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_time()
            .build()
            .unwrap();
        let turns = Turns::new(1);
        for _ in 0..200 {
            let busy = async {
                loop {
                    burn(Duration::from_micros(100));
                    yield_now().await;
                }
            };
            match has_turns {
                true => drop(runtime.spawn(turns.take(turns.ticket(hog), busy))),
                false => drop(runtime.spawn(busy)),
            }
        }
        let other = async {
            let mut late = Vec::new();
            for _ in 0..60 {
                let at = tokio::time::Instant::now() + Duration::from_millis(3);
                tokio::time::sleep_until(at).await;
                late.push(at.elapsed());
                burn(Duration::from_micros(50));
            }
            late.sort_unstable();
            late[late.len() / 2]
        };
        let late = runtime.spawn(turns.take(turns.ticket("other"), other));
        let late = runtime.block_on(late).unwrap();
        runtime.shutdown_background();
        late
    }

    #[test]
    fn one_with_many_connections_delays_another_by_little() {
        let without = lateness("hog", false);
        let with = lateness("hog", true);
        assert!(without > Duration::from_millis(10), "{without:?}");
        assert!(with < without / 4, "{with:?} beside {without:?}");
        // Of one and the same owner, all wait for one another.
        assert!(lateness("other", true) > with);
    }

    #[tokio::test]
    async fn who_is_alone_runs_to_the_end() {
        let turns = Turns::new(2);
        let many = (0..50).map(|number: u32| {
            let does = async move {
                for _ in 0..20 {
                    burn(Duration::from_micros(40));
                    yield_now().await;
                }
                number
            };
            // Some change hands on their way.
            let ticket = turns.ticket("ana");
            if number.is_multiple_of(3) {
                turns.belongs_to(&ticket, "bob");
            }
            tokio::spawn(turns.take(ticket, does))
        });
        let mut sum = 0_u32;
        for one in many.collect::<Vec<_>>() {
            sum += one.await.unwrap();
        }
        assert_eq!(sum, (0..50_u32).sum::<u32>());
    }

    #[tokio::test]
    async fn what_is_dropped_keeps_nobody_waiting() {
        let turns = Turns::new(1);
        for _ in 0..200 {
            let busy = |count| {
                let does = async move {
                    for _ in 0..count {
                        burn(Duration::from_micros(200));
                        yield_now().await;
                    }
                };
                tokio::spawn(turns.take(turns.ticket("ana"), does))
            };
            let (dropped, stays) = (busy(1_000), busy(2));
            yield_now().await;
            dropped.abort();
            tokio::time::timeout(Duration::from_secs(5), stays).await.unwrap().unwrap();
        }
    }

    /// Somebody who sends a byte now and then wakes connections that wait for their turn.
    #[tokio::test]
    async fn who_is_woken_for_nothing_is_not_looked_for() {
        let waker = Waker::noop();
        let woken = |count: usize| {
            let turns = Turns::new(1);
            let all: Vec<_> = (0..count).map(|_| turns.ticket("ana")).collect();
            turns.has_run(&all[0], 2 * QUANTUM);
            let wake_all = || all.iter().all(|ticket| !turns.may_run(ticket, waker));
            assert!(wake_all());
            let began = Instant::now();
            for _ in 0..100_000 / count {
                assert!(wake_all());
            }
            let took = began.elapsed();
            assert_eq!(
                turns.lock().owners.values().map(|own| own.waiting.len()).sum::<usize>(),
                count
            );
            took
        };
        let least = |count| (0..5).map(|_| woken(count)).min().unwrap();
        let (few, many) = (least(100), least(10_000));
        assert!(many < 8 * few, "{many:?} with ten thousand that wait, {few:?} with a hundred");
    }

    #[tokio::test]
    async fn what_is_gone_is_passed_over_once() {
        let turns = Turns::new(1);
        let first = turns.ticket("ana");
        turns.has_run(&first, 2 * QUANTUM);
        let waiting = |count: usize| -> Vec<_> {
            let take = || turns.take(turns.ticket("ana"), std::future::pending::<()>());
            let mut all: Vec<_> = std::iter::repeat_with(take).take(count).collect();
            let context = &mut Context::from_waker(Waker::noop());
            assert!(all.iter_mut().all(|one| Pin::new(one).poll(context).is_pending()));
            all
        };
        let (gone, mut stays) = (waiting(1_000), waiting(2));
        drop(gone);
        let left = || turns.lock().owners.values().map(|own| own.waiting.len()).sum::<usize>();
        assert_eq!(left(), 1_002);
        assert!(turns.next_round());
        assert_eq!(left(), 1);
        let is_granted = |one: &Taking<_>| matches!(*one.ticket.lock(), State::Granted);
        assert!(is_granted(&stays[0]) && !is_granted(&stays[1]));
        // What is let run and is dropped passes that on.
        drop(stays.remove(0));
        assert!(is_granted(&stays[0]));
    }
}
