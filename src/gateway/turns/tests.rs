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
    lateness_beside(hog, 200, Duration::from_micros(100), has_turns)
}

/// How late it is after each of some sleeps, at the median.
async fn lateness_of_sleeps() -> Duration {
    let mut late = Vec::new();
    for _ in 0..60 {
        let at = tokio::time::Instant::now() + Duration::from_millis(3);
        tokio::time::sleep_until(at).await;
        late.push(at.elapsed());
        burn(Duration::from_micros(50));
    }
    late.sort_unstable();
    late[late.len() / 2]
}

/// How late it runs beside so many, each poll of which takes so long.
fn lateness_beside(hog: &'static str, count: usize, poll: Duration, has_turns: bool) -> Duration {
    lateness_among(|runtime, turns| {
        for _ in 0..count {
            let busy = always_ready(poll);
            match has_turns {
                true => drop(runtime.spawn(turns.take(turns.ticket(hog), busy))),
                false => drop(runtime.spawn(busy)),
            }
        }
    })
}

/// How late it runs among what is begun before it, on one processor.
fn lateness_among(begin: impl FnOnce(&tokio::runtime::Runtime, &Arc<Turns>)) -> Duration {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let turns = Turns::new(1);
    begin(&runtime, &turns);
    let late = runtime.spawn(turns.take(turns.ticket("other"), lateness_of_sleeps()));
    let late = runtime.block_on(late).unwrap();
    runtime.shutdown_background();
    late
}

async fn always_ready(poll: Duration) {
    loop {
        burn(poll);
        yield_now().await;
    }
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

/// How late one owner's connection runs beside handshakes that two hundred addresses have begun.
fn lateness_beside_handshakes(have_turns_of_their_own: bool) -> Duration {
    lateness_among(|runtime, turns| {
        for address in 0..200 {
            let ticket = turns.ticket(address);
            if have_turns_of_their_own {
                turns.begins_handshake(&ticket);
            }
            runtime.spawn(turns.take(ticket, always_ready(Duration::from_micros(100))));
        }
    })
}

#[test]
fn handshakes_of_many_addresses_delay_others_as_one_owner_does() {
    let without = lateness_beside_handshakes(false);
    let with = lateness_beside_handshakes(true);
    assert!(without > Duration::from_millis(10), "{without:?}");
    assert!(with < without / 4, "{with:?} beside {without:?}");
}

/// One address that begins many is ahead of no other that begins one.
#[test]
fn handshakes_take_turns_by_address() {
    let turns = Turns::new(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let done = runtime.block_on(async {
        let done = Arc::new(Mutex::new(Vec::new()));
        let one = |address: u32| {
            let ticket = turns.ticket(address);
            turns.begins_handshake(&ticket);
            let done = Arc::clone(&done);
            tokio::spawn(turns.take(ticket, async move {
                burn(QUANTUM);
                done.lock().unwrap().push(address);
            }))
        };
        let mut all: Vec<_> = (0..50).map(|_| one(1)).collect();
        all.extend([one(2), one(3)]);
        for one in all {
            one.await.unwrap();
        }
        std::mem::take(&mut *done.lock().unwrap())
    });
    assert_eq!(done.len(), 52);
    for address in [2, 3] {
        let place = done.iter().position(|one| *one == address).unwrap();
        assert!(place < 6, "{address}: {done:?}");
    }
}

/// Longer than the dearest decision: nobody else waits until it is over.
#[test]
fn a_long_poll_is_interrupted_for_others() {
    let poll = Duration::from_millis(100);
    let late = lateness_beside("hog", 20, poll, true);
    assert!(late < poll / 4, "{late:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn long_polls_of_one_owner_run_one_after_the_other() {
    let turns = Turns::new(1);
    let [now, most] = [const { AtomicU64::new(0) }; 2].map(Arc::new);
    let all = (0..20).map(|_| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        let does = async move {
            for _ in 0..4 {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                burn(2 * LONG);
                now.fetch_sub(1, Ordering::SeqCst);
                yield_now().await;
            }
        };
        tokio::spawn(turns.take(turns.ticket("ana"), does))
    });
    for one in all.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    // One may have begun before it was known that they are long.
    assert!(most.load(Ordering::SeqCst) <= 2, "{most:?}");
    assert_eq!(turns.lock().long, 0);
}

#[test]
fn rounds_go_on_in_another_runtime() {
    let turns = Turns::new(1);
    let runtime = || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(1).enable_all().build().unwrap()
    };
    let busy = |turn: Duration| async move {
        for _ in 0..100 {
            burn(turn);
            yield_now().await;
        }
    };
    let first = runtime();
    for _ in 0..20 {
        first.spawn(turns.take(turns.ticket("ana"), busy(QUANTUM)));
    }
    std::thread::sleep(Duration::from_millis(20));
    assert!(turns.are_awaited.load(Ordering::Relaxed));
    drop(first);
    let second = runtime();
    let take = || second.spawn(turns.take(turns.ticket("bob"), busy(QUANTUM / 10)));
    let all: Vec<_> = std::iter::repeat_with(take).take(20).collect();
    let ended = async {
        let all = futures_util::future::join_all(all);
        tokio::time::timeout(Duration::from_secs(20), all).await
    };
    assert!(second.block_on(ended).is_ok());
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
        turns.has_run(&all[0], Turn::Short, QUANTUM);
        let wake_all = || all.iter().all(|ticket| turns.turn(ticket, waker).is_none());
        assert!(wake_all());
        let began = Instant::now();
        for _ in 0..100_000 / count {
            assert!(wake_all());
        }
        let took = began.elapsed();
        assert_eq!(turns.lock().owners.values().map(|own| own.waiting.len()).sum::<usize>(), count);
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
    turns.has_run(&first, Turn::Short, QUANTUM);
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
    let is_granted = |one: &Taking<_>| matches!(*one.ticket.lock(), State::Granted(_));
    assert!(is_granted(&stays[0]) && !is_granted(&stays[1]));
    // What is let run and is dropped passes that on.
    drop(stays.remove(0));
    assert!(is_granted(&stays[0]));
}

/// For how long an owner's polls are taken to be long goes by how long one was: one that took long by chance is soon
/// forgotten, and a short one forgets nothing.
#[test]
fn one_long_poll_is_soon_forgotten() {
    let turns = Turns::new(1);
    let ticket = turns.ticket("ana");
    for took in [LONG, 10 * LONG] {
        turns.has_run(&ticket, Turn::Short, took);
        turns.has_run(&ticket, Turn::Short, LONG / 2);
        let rounds = turns.lock();
        let own = &rounds.owners[&ticket.owner.load(Ordering::Relaxed)];
        let now = Instant::now();
        assert!(own.is_long(now));
        assert!(!own.is_long(now + took * STAYS_LONG));
    }
}
