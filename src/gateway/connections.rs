//! Open connections: how many there are, whose they are, and which of them is closed for a new one.
//!
//! Nobody is refused while there are places. When they run out, the connection that has been idle for
//! longest is closed, of the address that has most of them; first those that have shown no API key within
//! [`PATIENCE`]. One on which a request of a known key runs is never closed for another, and of those there
//! are never so many that none is left to close ([`Shares`]).

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet, VecDeque},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Notify, time::timeout};

use super::{
    share::{Share, Shares},
    turns::{Taking, Ticket, Turns},
    wire::Watch,
    written::Written,
};

/// How long a connection may be open without having shown a key, and how long it may take no byte of an
/// answer that is done, before it is closed for others.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many connections to close are chosen at once: looking at all of them takes as long as some tens of
/// new ones do, and who opens new ones all the time must not make others pay for that.
const CHOSEN: usize = 64;
/// How many new ones have their places while those that are closed for them are still there, at most: who comes
/// behind many others waits for all of them. Their descriptors are among those that are kept back.
const AHEAD: usize = 32;
/// For how long a choice holds.
const CHOICE: Duration = Duration::from_secs(1);

/// The connections of a listener.
#[derive(Debug)]
pub(super) struct Connections {
    limit: usize,
    turns: Arc<Turns>,
    shares: Arc<Shares>,
    all: Mutex<All>,
    /// A place may be free, and somebody waits for one.
    freed: Notify,
    is_awaited: AtomicBool,
}

#[derive(Debug, Default)]
struct All {
    open: HashMap<u64, Arc<Open>>,
    /// Those of them that are being closed.
    closing: HashSet<u64>,
    /// How many each address has.
    counts: HashMap<IpAddr, usize>,
    next: u64,
    /// Those to close next, as they were when they were chosen.
    chosen: VecDeque<(Weak<Open>, Instant)>,
    chosen_at: Option<Instant>,
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Open {
    number: u64,
    opened: Instant,
    state: Mutex<State>,
    close: Notify,
    connections: Arc<Connections>,
    /// Whose turns it takes: its address's, until it has shown a key.
    ticket: Arc<Ticket>,
}

#[derive(Debug)]
struct State {
    /// Whom it counts for.
    address: IpAddr,
    /// Whether its last request was of somebody known.
    has_key: bool,
    /// Whether it is known who asks what runs.
    is_known: bool,
    /// The place of its request, where that is somebody's.
    share: Option<Share>,
    doing: Doing,
    /// Since when it does that; of an answer that is done, when some of it was taken last.
    since: Instant,
}

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// Waits for a request, or for the rest of one that is refused.
    Idle,
    /// Answers a request.
    Running,
    /// The library has all of an answer, and may not have written it.
    Ending,
    /// It is being closed: no request begins any more.
    Closing,
}

impl Connections {
    /// For so many connections, and at least one, which take these turns.
    pub(super) fn new(limit: usize, turns: Arc<Turns>) -> Arc<Self> {
        let limit = limit.max(1);
        Arc::new(Self {
            limit,
            turns,
            shares: Shares::of(limit),
            all: Mutex::default(),
            freed: Notify::new(),
            is_awaited: AtomicBool::new(false),
        })
    }

    /// Takes a place for a connection from this address, once there is one.
    pub(super) async fn admit(self: &Arc<Self>, address: IpAddr) -> Seat {
        loop {
            self.is_awaited.store(true, Ordering::SeqCst);
            {
                let mut all = self.lock();
                if all.staying() >= self.limit {
                    all.close_one();
                }
                let most = self.limit + (self.limit / 128).min(AHEAD);
                if all.staying() < self.limit && all.open.len() < most {
                    self.is_awaited.store(false, Ordering::SeqCst);
                    return Seat(all.open(self, address, Instant::now()));
                }
            }
            // Woken when one is closed or becomes idle. That one has waited for too long is told by
            // nobody.
            let _ = timeout(PATIENCE / 15, self.freed.notified()).await;
        }
    }

    /// Closes one connection, if there is one that may be closed: something that all share has run out.
    pub(super) fn close_one(&self) {
        self.lock().close_one();
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        if self.is_awaited.load(Ordering::SeqCst) {
            self.freed.notify_one();
        }
    }
}

impl All {
    fn open(
        &mut self,
        connections: &Arc<Connections>,
        address: IpAddr,
        opened: Instant,
    ) -> Arc<Open> {
        let number = self.next;
        self.next += 1;
        let state = State {
            address,
            has_key: false,
            is_known: false,
            share: None,
            doing: Doing::Idle,
            since: opened,
        };
        let open = Arc::new(Open {
            number,
            opened,
            state: Mutex::new(state),
            close: Notify::new(),
            connections: Arc::clone(connections),
            ticket: connections.turns.ticket(address),
        });
        *self.counts.entry(address).or_default() += 1;
        self.open.insert(number, Arc::clone(&open));
        open
    }

    fn close(&mut self, open: &Open) {
        self.open.remove(&open.number);
        self.closing.remove(&open.number);
        let mut state = open.lock();
        state.share = None;
        self.leave(state.address);
    }

    /// How many are open and are not being closed.
    fn staying(&self) -> usize {
        self.open.len().saturating_sub(self.closing.len())
    }

    fn leave(&mut self, address: IpAddr) {
        if let Some(count) = self.counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&address);
            }
        }
    }

    fn close_one(&mut self) {
        if let Some(open) = self.choose(Instant::now()) {
            open.close.notify_one();
        }
    }

    /// The connection to close next, from now on closing. `None` where none may be closed.
    fn choose(&mut self, now: Instant) -> Option<Arc<Open>> {
        if self.chosen_at.is_some_and(|at| now.duration_since(at) > CHOICE) {
            self.chosen.clear();
        }
        for is_fresh in [false, true] {
            while let Some((open, since)) = self.chosen.pop_front() {
                // One that has just been closed by the other side may still be held by what it leaves.
                if let Some(open) = open.upgrade()
                    && self.open.contains_key(&open.number)
                    && open.lock().try_close(since, now)
                {
                    self.closing.insert(open.number);
                    return Some(open);
                }
            }
            if !is_fresh {
                self.chosen = self.candidates(now);
                self.chosen_at = Some(now);
            }
        }
        None
    }

    /// Those to close next, in their order.
    fn candidates(&self, now: Instant) -> VecDeque<(Weak<Open>, Instant)> {
        let [mut keyless, mut others] = [const { Vec::new() }; 2];
        for open in self.open.values() {
            let state = open.lock();
            if !state.may_close(now) {
                continue;
            }
            let is_keyless =
                !state.has_key && now.saturating_duration_since(open.opened) >= PATIENCE;
            let kind = if is_keyless { &mut keyless } else { &mut others };
            kind.push((state.address, state.since, open));
        }
        let mut counts = self.counts.clone();
        let mut chosen = VecDeque::new();
        for kind in [keyless, others] {
            take_from_most(kind, &mut counts, &mut chosen);
        }
        chosen
    }
}

/// Chooses of connections of one kind, each with its address and since when it waits.
fn take_from_most(
    kind: Vec<(IpAddr, Instant, &Arc<Open>)>,
    counts: &mut HashMap<IpAddr, usize>,
    chosen: &mut VecDeque<(Weak<Open>, Instant)>,
) {
    let mut by_address = HashMap::<IpAddr, Vec<_>>::new();
    for (address, since, open) in kind {
        by_address.entry(address).or_default().push((since, open));
    }
    // The one that waits for longest is at the end of its address's, and before others of addresses that
    // have as many.
    let mut most = BinaryHeap::new();
    for (address, waiting) in &mut by_address {
        waiting.sort_unstable_by_key(|(since, _)| Reverse(*since));
        let count = counts.get(address).copied().unwrap_or_default();
        most.extend(waiting.last().map(|(since, _)| (count, Reverse(*since), *address)));
    }
    while chosen.len() < CHOSEN
        && let Some((_, _, address)) = most.pop()
        && let Some(waiting) = by_address.get_mut(&address)
        && let Some((since, open)) = waiting.pop()
    {
        chosen.push_back((Arc::downgrade(open), since));
        let count = counts.entry(address).or_default();
        *count = count.saturating_sub(1);
        most.extend(waiting.last().map(|(since, _)| (*count, Reverse(*since), address)));
    }
}

impl State {
    /// Whether the connection may be closed for another.
    fn may_close(&self, now: Instant) -> bool {
        let waits = now.saturating_duration_since(self.since);
        let is_kept = self.share.as_ref().is_some_and(Share::is_kept);
        match self.doing {
            Doing::Closing => false,
            Doing::Idle => true,
            // Nothing is done for whoever has shown no key: it sends slowly, or does not listen.
            Doing::Running => !is_kept,
            Doing::Ending => !is_kept || waits >= PATIENCE,
        }
    }

    fn try_close(&mut self, since: Instant, now: Instant) -> bool {
        let may_close = self.since == since && self.may_close(now);
        if may_close {
            self.doing = Doing::Closing;
        }
        may_close
    }

    /// Goes on, unless it is being closed.
    fn go_on(&mut self, doing: Doing) -> bool {
        let goes_on = self.doing != Doing::Closing;
        if goes_on {
            (self.doing, self.since) = (doing, Instant::now());
        }
        if goes_on && doing == Doing::Idle {
            self.share = None;
        }
        goes_on
    }
}

impl Open {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs what the connection does in the turns of its owner.
    pub(super) fn in_turns<F: Future>(&self, does: F) -> Taking<F> {
        self.connections.turns.take(Arc::clone(&self.ticket), does)
    }

    /// A handshake begins on it, before it runs.
    pub(super) fn begins_handshake(&self) {
        self.connections.turns.begins_handshake(&self.ticket);
    }

    /// The handshake is over: the connection is its address's, as it would be without one.
    pub(super) fn ends_handshake(&self) {
        let address = self.lock().address;
        self.connections.turns.belongs_to(&self.ticket, address);
    }

    /// Resolves when the connection is to be closed.
    pub(super) async fn closed(&self) {
        self.close.notified().await;
    }

    /// A request begins, which somebody at this address asks: from now on the connection counts for it.
    /// `None` where the connection is being closed, and no request begins any more.
    pub(super) fn begin(self: &Arc<Self>, address: IpAddr) -> Option<Running> {
        let mut state = self.lock();
        if !state.go_on(Doing::Running) {
            return None;
        }
        state.is_known = false;
        let is_moved = address != state.address;
        if is_moved && !state.has_key {
            self.connections.turns.belongs_to(&self.ticket, address);
        }
        drop(state);
        if is_moved {
            // In the order in which a choice locks.
            let mut all = self.connections.lock();
            let before = std::mem::replace(&mut self.lock().address, address);
            all.leave(before);
            *all.counts.entry(address).or_default() += 1;
        }
        Some(Running(Asker { open: Arc::clone(self), written: Arc::default() }))
    }

    fn is_idle(&self, was: Doing) {
        let mut state = self.lock();
        if state.doing == was && state.go_on(Doing::Idle) {
            drop(state);
            self.connections.tell();
        }
    }
}

impl Watch for Arc<Open> {
    fn wrote(&self) {
        let mut state = self.lock();
        if state.doing == Doing::Ending {
            state.since = Instant::now();
        }
    }

    fn flushed(&self) {
        self.is_idle(Doing::Ending);
    }
}

/// The place of a connection, for as long as this is there.
#[derive(Debug)]
pub(super) struct Seat(pub(super) Arc<Open>);

impl Drop for Seat {
    fn drop(&mut self) {
        let Self(open) = self;
        open.connections.lock().close(open);
        open.connections.tell();
    }
}

/// A request that runs on a connection, until the library has all of its answer.
#[derive(Debug)]
pub(super) struct Running(Asker);

impl Running {
    /// For those who answer: what they find out of who asks.
    pub(super) fn asker(&self) -> Asker {
        self.0.clone()
    }

    /// How much of its answer was written.
    pub(super) fn written(&self) -> &Arc<Written> {
        &self.0.written
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let open = &self.0.open;
        let mut state = open.lock();
        // What nobody known has asked is no reason to take it for the last one's who was.
        if !state.is_known {
            state.has_key = false;
            open.connections.turns.belongs_to(&open.ticket, state.address);
        }
        state.go_on(Doing::Ending);
    }
}

/// Whoever asks on a connection. Among the extensions of each request that the gateway serves.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    open: Arc<Open>,
    written: Arc<Written>,
}

/// One owner has as many requests as they may have on a listener's connections, or all have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Asker {
    /// Has shown an API key that is known, or what stands for one, of this owner: the connection is not closed
    /// for another as long as the request runs. Whether the connection was another's before: then it has not
    /// waited for its owner's turn yet.
    ///
    /// # Errors
    ///
    /// [`NoRoom`]: nothing is to be done for the request.
    pub(crate) fn has_key(&self, owner: &str) -> Result<bool, NoRoom> {
        let was_anothers = self.is_known(owner)?;
        self.has_come()?;
        Ok(was_anothers)
    }

    /// Is known to ask for this owner, and has still to send what it asks: until it [has](Self::has_come), the
    /// connection may be closed for another. Whether the connection was another's before.
    ///
    /// # Errors
    ///
    /// [`NoRoom`]: nothing is to be read of the request.
    pub(crate) fn is_known(&self, owner: &str) -> Result<bool, NoRoom> {
        let Self { open, .. } = self;
        let was_anothers = open.connections.turns.belongs_to(&open.ticket, owner);
        let mut state = open.lock();
        (state.has_key, state.is_known) = (true, true);
        // The answer before it may still be on its way.
        if !state.share.as_ref().is_some_and(|share| share.is_of(owner)) {
            state.share = Some(open.connections.shares.take(owner).ok_or(NoRoom)?);
        }
        Ok(was_anothers)
    }

    /// Has sent all that it asks.
    ///
    /// # Errors
    ///
    /// [`NoRoom`]: nothing is to be done for the request.
    pub(crate) fn has_come(&self) -> Result<(), NoRoom> {
        let mut state = self.open.lock();
        state.share.as_mut().is_some_and(Share::keep).then_some(()).ok_or(NoRoom)
    }

    /// Is refused, and sends what nobody wants: the connection may be closed for another.
    pub(crate) fn is_refused(&self) {
        self.open.is_idle(Doing::Running);
    }

    /// How much of the answer was written.
    pub(super) fn written(&self) -> &Arc<Written> {
        &self.written
    }
}

#[cfg(test)]
mod tests;
