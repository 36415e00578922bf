//! Owners take turns at the processors.
//!
//! A runtime polls what is ready in the order in which it became so: of one owner with five hundred
//! requests and another with one, the other waits for all five hundred, each time that something came for
//! it. Here the connections of an owner have [`QUANTUM`] together in each round, and then wait for the next
//! one, which begins when everybody else who was ready has had theirs. What one poll takes beyond that, the
//! owner has less of in the rounds that follow. Who has shown no key counts by their address.
//!
//! A handshake of TLS costs more than most requests, and anybody can begin one. So all handshakes together
//! have the turns of one owner, and take them by address: however many begin, others lose no more than that.
//!
//! A poll cannot be interrupted by us. What the polls of an owner with a policy made for it take, others
//! would have to wait for: so while an owner's polls are [`LONG`], they run one at a time on each
//! processor, on a thread that is no worker meanwhile; and from that the system takes the processor, when
//! something comes for others. It does so at once for who has slept for a while, and later, up to its tick, for
//! who has just gone to sleep: while long polls have the processors, a worker that others needed stays
//! awake for a moment, for what comes next for them.

mod queue;

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::{block_in_place, yield_now},
};

use self::queue::Queue;
use crate::worked::Worked;

/// How long the connections of one owner run in a round, on each processor.
const QUANTUM: Duration = Duration::from_micros(250);
/// How long a poll takes from which on its owner's are long.
const LONG: Duration = Duration::from_micros(500);
/// For how many times as long as it took they are then: one that takes others by surprise takes no more than this part
/// of their time, and one that took long by chance, as where a machine stands still for a moment, is soon forgotten.
const STAYS_LONG: u32 = 32;
/// How many long polls run at once, of all owners, for each processor. With one alone, whoever has had a long one by
/// chance waits for those of a policy that was made for it: 26 times an ordinary owner's median.
const LONG_AT_ONCE: u32 = 4;
/// For how long a worker stays awake for others.
const AWAKE: Duration = Duration::from_millis(1);
/// How many owners are remembered who do not wait.
const REMEMBERED: usize = 1_024;

/// Whose turn it is, among all connections of a gateway.
#[derive(Debug)]
pub(super) struct Turns {
    rounds: Mutex<Rounds>,
    hasher: RandomState,
    /// The owner of all handshakes.
    handshakes: u64,
    processors: u32,
    /// Somebody waits for the next round, or a worker stays awake, and a task sees to it. Changed while the
    /// rounds are locked, or by a task that ends before its time.
    are_awaited: AtomicBool,
}

#[derive(Debug, Default)]
struct Rounds {
    owners: HashMap<u64, Own>,
    /// How many long polls run.
    long: u32,
    /// Until when a worker stays awake.
    awake_until: Option<Instant>,
}

/// What one owner has of a round.
#[derive(Debug, Default)]
struct Own {
    /// How long its connections ran.
    used: Duration,
    /// Until when its polls are long.
    long_until: Option<Instant>,
    /// How many of its long polls run.
    long: u32,
    /// Those that wait for the next round, or for another one to have run; and those that did, and are
    /// gone.
    waiting: Queue,
}

/// A connection, as those who take turns know it.
#[derive(Debug)]
pub(super) struct Ticket {
    owner: AtomicU64,
    /// Whose it was at first.
    from: u64,
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
    Granted(Turn),
    /// It is no more, and is passed over where it stands in a queue.
    Gone,
}

/// How a connection runs when it is its turn.
#[derive(Clone, Copy, Debug)]
enum Turn {
    /// As everything does.
    Short,
    /// Where the system can take the processor from it; as one of the long polls of this owner.
    Long(u64),
}

impl Turns {
    /// Turns for so many processors.
    pub(super) fn new(processors: usize) -> Arc<Self> {
        let hasher = RandomState::new();
        Arc::new(Self {
            rounds: Mutex::default(),
            handshakes: hasher.hash_one(()),
            hasher,
            processors: u32::try_from(processors).unwrap_or(u32::MAX).max(1),
            are_awaited: AtomicBool::new(false),
        })
    }

    /// For a connection of whom this names.
    pub(super) fn ticket(&self, owner: impl Hash) -> Arc<Ticket> {
        let from = self.hasher.hash_one(owner);
        Arc::new(Ticket { owner: AtomicU64::new(from), from, state: Mutex::default() })
    }

    /// From now on the connection is this owner's. Whether it was another's.
    pub(super) fn belongs_to(&self, ticket: &Ticket, owner: impl Hash) -> bool {
        let owner = self.hasher.hash_one(owner);
        ticket.owner.swap(owner, Ordering::Relaxed) != owner
    }

    /// From now on, until it belongs to somebody, the connection takes the turns of handshakes.
    pub(super) fn begins_handshake(&self, ticket: &Ticket) {
        ticket.owner.store(self.handshakes, Ordering::Relaxed);
    }

    /// Runs what a connection does in its owner's turns.
    pub(super) fn take<F: Future>(self: &Arc<Self>, ticket: Arc<Ticket>, does: F) -> Taking<F> {
        Taking { turns: Arc::clone(self), ticket, does: Box::pin(does) }
    }

    fn lock(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn quantum(&self) -> Duration {
        QUANTUM.saturating_mul(self.processors)
    }

    /// The turn of a connection, if it may run now; if not, it is woken when it may.
    fn turn(self: &Arc<Self>, ticket: &Arc<Ticket>, waker: &Waker) -> Option<Turn> {
        match &mut *ticket.lock() {
            State::Waiting(known) => {
                // Woken for something else: it has its place already.
                known.clone_from(waker);
                return None;
            }
            state => {
                if let State::Granted(turn) = std::mem::take(state) {
                    return Some(turn);
                }
            }
        }
        let mut rounds = self.lock();
        let Rounds { owners, long, .. } = &mut *rounds;
        let owner = ticket.owner.load(Ordering::Relaxed);
        let own = owners.entry(owner).or_default();
        if own.waiting.is_empty()
            && let Some(turn) = own.turn(owner, long, self)
        {
            return Some(turn);
        }
        let Ok(runtime) = Handle::try_current() else { return Some(Turn::Short) };
        *ticket.lock() = State::Waiting(waker.clone());
        let kind = if owner == self.handshakes { ticket.from } else { owner };
        own.waiting.push(kind, Arc::clone(ticket));
        self.await_rounds(&runtime);
        None
    }

    fn has_run(self: &Arc<Self>, ticket: &Ticket, turn: Turn, took: Duration) {
        let mut rounds = self.lock();
        let Rounds { owners, long, .. } = &mut *rounds;
        if let Turn::Long(owner) = turn {
            *long = long.saturating_sub(1);
            if let Some(own) = owners.get_mut(&owner) {
                own.long = own.long.saturating_sub(1);
            }
        }
        let owner = ticket.owner.load(Ordering::Relaxed);
        let own = owners.entry(owner).or_default();
        own.used += took;
        if took >= LONG {
            let until = Instant::now().checked_add(took.saturating_mul(STAYS_LONG));
            own.long_until = own.long_until.max(until);
        }
        own.grant(owner, long, self);
        let is_long = matches!(turn, Turn::Long(_));
        let is_short_of_processors = *long >= self.processors;
        if !is_long && is_short_of_processors {
            rounds.awake_until = Instant::now().checked_add(AWAKE);
        }
        // Others may have waited for a long one to end, whoever they are.
        if (is_long || is_short_of_processors)
            && let Ok(runtime) = Handle::try_current()
        {
            self.await_rounds(&runtime);
        }
        if rounds.owners.len() > REMEMBERED && !self.are_awaited.load(Ordering::Relaxed) {
            rounds.owners.retain(|_, own| own.long > 0 || !own.waiting.is_empty());
        }
    }

    /// Somebody waits for a round. The rounds are locked.
    fn await_rounds(self: &Arc<Self>, runtime: &Handle) {
        if !self.are_awaited.swap(true, Ordering::Relaxed) {
            let awaited = Awaited { turns: Arc::clone(self), is_over: false };
            runtime.spawn(awaited.begin_rounds());
        }
    }

    /// Begins a round, if somebody waits for it. Whether somebody may wait for the one after it, or a worker
    /// stays awake.
    fn next_round(&self) -> bool {
        let quantum = self.quantum();
        let now = Instant::now();
        let mut rounds = self.lock();
        let Rounds { owners, long, awake_until } = &mut *rounds;
        // Rounds in which nobody who waits could run are passed over. Who waits for a long poll to end
        // waits for no round.
        let behind = |own: &Own| own.used.as_nanos() / quantum.as_nanos();
        let waiting =
            owners.values().filter(|own| !own.waiting.is_empty() && own.has_room(*long, self, now));
        let Some(least) = waiting.map(behind).min() else {
            let is_awake = *long >= self.processors && awake_until.is_some_and(|until| now < until);
            self.are_awaited.store(is_awake, Ordering::Relaxed);
            return is_awake;
        };
        let passed = quantum.saturating_mul(u32::try_from(least).unwrap_or(u32::MAX).max(1));
        owners.retain(|owner, own| {
            own.used = own.used.saturating_sub(passed);
            for _ in 0..self.processors {
                own.grant(*owner, long, self);
            }
            !own.waiting.is_empty() || !own.used.is_zero() || own.long > 0 || own.is_long(now)
        });
        true
    }
}

impl Own {
    fn is_long(&self, now: Instant) -> bool {
        self.long_until.is_some_and(|until| now < until)
    }

    /// Whether nothing but what it used up keeps it from running, with so many long polls of all owners.
    fn has_room(&self, long: u32, turns: &Turns, now: Instant) -> bool {
        let most = turns.processors.saturating_mul(LONG_AT_ONCE);
        !self.is_long(now) || self.long < turns.processors && long < most
    }

    /// The turn of one of its connections, if there is one now.
    fn turn(&mut self, owner: u64, long: &mut u32, turns: &Turns) -> Option<Turn> {
        let now = Instant::now();
        if self.used >= turns.quantum() || !self.has_room(*long, turns, now) {
            return None;
        }
        if !self.is_long(now) {
            return Some(Turn::Short);
        }
        self.long += 1;
        *long += 1;
        Some(Turn::Long(owner))
    }

    /// Lets the connection run that waits for longest, if it has a turn now. Those that are gone are passed
    /// over, each once.
    fn grant(&mut self, owner: u64, long: &mut u32, turns: &Turns) {
        while let Some(ticket) = self.waiting.first().map(Arc::clone) {
            let mut state = ticket.lock();
            if let State::Waiting(waker) = &*state {
                let Some(turn) = self.turn(owner, long, turns) else { return };
                let waker = waker.clone();
                *state = State::Granted(turn);
                self.waiting.pass();
                drop(state);
                return waker.wake();
            }
            self.waiting.pass();
        }
    }
}

impl Ticket {
    /// Where the rounds are locked too, they are so first.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What begins rounds. If it ends before its time, with its runtime, whoever waits next begins another.
struct Awaited {
    turns: Arc<Turns>,
    is_over: bool,
}

impl Awaited {
    /// Begins round after round, for as long as somebody waits for one.
    async fn begin_rounds(mut self) {
        while !self.is_over {
            // Behind everything that is ready now.
            yield_now().await;
            self.is_over = !self.turns.next_round();
        }
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        if !self.is_over {
            self.turns.are_awaited.store(false, Ordering::Relaxed);
        }
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
        let Some(turn) = this.turns.turn(&this.ticket, context.waker()) else {
            return Poll::Pending;
        };
        let _running =
            Running { turns: &this.turns, ticket: &this.ticket, turn, began: Worked::now() };
        let does = this.does.as_mut();
        match turn {
            Turn::Long(_) if has_many_threads() => block_in_place(|| does.poll(context)),
            _ => does.poll(context),
        }
    }
}

/// A connection that runs, and has run when this is dropped, whatever came of it.
struct Running<'a> {
    turns: &'a Arc<Turns>,
    ticket: &'a Ticket,
    turn: Turn,
    began: Worked,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.turns.has_run(self.ticket, self.turn, self.began.elapsed());
    }
}

/// Whether the runtime goes on while one of its threads does something else.
fn has_many_threads() -> bool {
    Handle::try_current()
        .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
}

impl<F> Drop for Taking<F> {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut *self.ticket.lock(), State::Gone);
        // One that was let run and never does so passes that on.
        if let State::Granted(turn) = state {
            self.turns.has_run(&self.ticket, turn, Duration::ZERO);
        }
    }
}

#[cfg(test)]
mod tests;
