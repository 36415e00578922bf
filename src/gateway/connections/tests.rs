use super::*;

/// Connections of these addresses, each opened so many seconds ago and idle since.
fn opened(connections: &Arc<Connections>, all: &[(u8, u64)]) -> Vec<Seat> {
    let open = |(last, seconds): &(u8, u64)| {
        let when = Instant::now().checked_sub(Duration::from_secs(*seconds)).unwrap();
        let address = IpAddr::from([192, 0, 2, *last]);
        Seat(connections.lock().open(connections, address, when))
    };
    all.iter().map(open).collect()
}

/// A request of whoever opened the connection.
fn begin(seat: &Seat) -> Option<Running> {
    let address = seat.0.lock().address;
    seat.0.begin(address)
}

/// The places in `seats` of those that are closed, in their order.
fn closed(connections: &Connections, seats: &[Seat], count: usize) -> Vec<usize> {
    let mut closed = Vec::new();
    for _ in 0..count {
        let Some(open) = connections.lock().choose(Instant::now()) else { break };
        closed.extend(seats.iter().position(|seat| Arc::ptr_eq(&seat.0, &open)));
    }
    closed
}

#[test]
fn the_one_that_waits_for_longest_of_the_address_that_has_most() {
    let connections = Connections::new(100, Turns::new(1));
    let seats = opened(&connections, &[(1, 9), (2, 3), (2, 5), (2, 4), (3, 8), (3, 2)]);
    assert_eq!(closed(&connections, &seats, 9), [2, 4, 3, 0, 1, 5]);
    // All are closing now.
    assert_eq!(closed(&connections, &seats, 1), [0_usize; 0]);
    drop(seats);
    let all = connections.lock();
    assert!(all.open.is_empty() && all.counts.is_empty());
}

#[test]
fn those_without_a_key_first_and_none_on_which_a_request_of_a_key_runs() {
    let connections = Connections::new(100, Turns::new(1));
    let seats = opened(&connections, &[(1, 60), (1, 50), (1, 40), (2, 30), (2, 20), (3, 3)]);
    let runs: Vec<_> = [0, 1].map(|at| begin(&seats[at]).unwrap()).into();
    runs[0].asker().has_key("ana").unwrap();
    seats[2].0.lock().has_key = true;
    seats[3].0.lock().has_key = true;
    // One without a key that waits for the rest of a request; one that does nothing; then of all.
    assert_eq!(closed(&connections, &seats, 9), [1, 4, 2, 3, 5]);
    assert!(begin(&seats[2]).is_none(), "no request begins on one that is being closed");
    drop(runs);
    // Its answer may not be written yet.
    assert_eq!(closed(&connections, &seats, 1), [0_usize; 0]);
    seats[0].0.flushed();
    assert_eq!(closed(&connections, &seats, 1), [0]);
}

#[test]
fn a_refused_request_and_an_answer_that_nobody_takes_hold_no_place() {
    let connections = Connections::new(100, Turns::new(1));
    let seats = opened(&connections, &[(1, 1), (1, 1)]);
    let runs: Vec<_> = seats.iter().map(|seat| begin(seat).unwrap()).collect();
    assert!(runs.iter().all(|run| run.asker().has_key("ana").is_ok()));
    assert_eq!(closed(&connections, &seats, 1), [0_usize; 0]);
    runs[0].asker().is_refused();
    assert_eq!(closed(&connections, &seats, 2), [0]);
    drop(runs);
    assert_eq!(closed(&connections, &seats, 1), [0_usize; 0]);
    seats[1].0.lock().since = Instant::now().checked_sub(PATIENCE).unwrap();
    assert_eq!(closed(&connections, &seats, 1), [1]);
}

#[test]
fn a_connection_counts_for_whom_its_last_request_is() {
    let connections = Connections::new(100, Turns::new(1));
    let seats = opened(&connections, &[(1, 5), (1, 4), (1, 3), (2, 9), (2, 8)]);
    for seat in &seats[..2] {
        drop(seat.0.begin(IpAddr::from([192, 0, 2, 7])).unwrap());
        seat.0.flushed();
        seat.0.lock().since = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
    }
    let counts = connections.lock().counts.clone();
    let count = |last| counts.get(&IpAddr::from([192, 0, 2, last])).copied();
    assert_eq!([count(1), count(2), count(7)], [Some(1), Some(2), Some(2)]);
    assert_eq!(closed(&connections, &seats, 2), [0, 3]);
}

#[tokio::test]
async fn a_new_one_waits_for_the_one_that_is_closed_for_it() {
    let connections = Connections::new(1, Turns::new(1));
    let address = IpAddr::from([192, 0, 2, 1]);
    let first = connections.admit(address).await;
    let second = tokio::spawn({
        let connections = Arc::clone(&connections);
        async move { connections.admit(address).await }
    });
    first.0.closed().await;
    assert!(!second.is_finished() && connections.lock().open.len() == 1);
    drop(first);
    let second = second.await.unwrap();
    let run = begin(&second).unwrap();
    run.asker().has_key("ana").unwrap();
    // A request runs on the only one: the next waits until it ends.
    let third = connections.admit(address);
    assert!(timeout(Duration::from_millis(50), third).await.is_err());
    drop(run);
    second.0.flushed();
    let third = connections.admit(address);
    tokio::select! {
        _ = third => panic!("there is no place yet"),
        () = second.0.closed() => {}
    }
}

#[tokio::test]
async fn a_few_new_ones_do_not_wait_for_those_that_are_closed_for_them() {
    let connections = Connections::new(256, Turns::new(1));
    let address = IpAddr::from([192, 0, 2, 1]);
    let mut seats = Vec::new();
    for _ in 0..258 {
        let seat = timeout(Duration::from_secs(5), connections.admit(address)).await;
        seats.push(seat.unwrap());
    }
    let next = connections.admit(address);
    assert!(timeout(Duration::from_millis(50), next).await.is_err());
    let is_closing = |seat: &&Seat| seat.0.lock().doing == Doing::Closing;
    assert_eq!(seats.iter().filter(is_closing).count(), 3);
    seats.retain(|seat| !is_closing(&seat));
    seats.push(connections.admit(address).await);
    assert_eq!(connections.lock().open.len(), 256);
}

#[test]
fn requests_of_keys_leave_some_that_can_be_closed() {
    let connections = Connections::new(8, Turns::new(1));
    let seats = opened(&connections, &[(1, 5); 8]);
    let ask = |at: usize, owner: &str| {
        let run = begin(&seats[at]).unwrap();
        let asked = run.asker().has_key(owner);
        if asked.is_err() {
            run.asker().is_refused();
        }
        (run, asked.is_ok())
    };
    let mut runs: Vec<_> = (0..8).map(|at| ask(at, if at < 5 { "ana" } else { "bob" })).collect();
    let has: Vec<bool> = runs.iter().map(|run| run.1).collect();
    assert_eq!(has, [true, true, true, true, false, true, true, false]);
    assert_eq!(closed(&connections, &seats, 9).len(), 2);
    // An answer on its way has the place that it had, until it is written or nobody takes it.
    drop(runs.remove(0));
    assert!(connections.shares.take("ana").is_none());
    seats[0].0.flushed();
    assert!(connections.shares.take("ana").is_some());
    assert_eq!(closed(&connections, &seats, 9), [0]);
}

#[test]
fn one_whose_request_has_still_to_come_may_be_closed() {
    let connections = Connections::new(8, Turns::new(1));
    let seats = opened(&connections, &[(1, 9), (1, 8)]);
    let runs: Vec<_> = seats.iter().map(|seat| begin(seat).unwrap()).collect();
    assert!(runs.iter().all(|run| run.asker().is_known("ana").is_ok()));
    runs[0].asker().has_come().unwrap();
    assert_eq!(closed(&connections, &seats, 2), [1]);
    drop(seats);
    assert_eq!(connections.shares.take("ana").map(|share| share.is_kept()), Some(false));
}

/// One that the other side has just closed is still held by what closes it.
#[test]
fn what_is_gone_is_not_closed() {
    let connections = Connections::new(4, Turns::new(1));
    let mut seats = opened(&connections, &[(1, 60), (1, 50), (1, 40), (1, 30)]);
    assert_eq!(closed(&connections, &seats, 1), [0]);
    let held = Arc::clone(&seats[1].0);
    drop(seats.remove(1));
    assert_eq!(closed(&connections, &seats, 1), [1], "not the one that is gone");
    drop((held, seats));
    let all = connections.lock();
    assert!(all.open.is_empty() && all.closing.is_empty());
}

/// Those that end by themselves, and those that are closed for others, at once.
#[test]
fn what_ends_by_itself_is_counted_once() {
    const LIMIT: usize = 64;
    let connections = Connections::new(LIMIT, Turns::new(1));
    let (send, receive) = std::sync::mpsc::channel::<Seat>();
    let receive = Mutex::new(receive);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Ok(seat) = { receive.lock().unwrap().recv() } {
                    drop(seat);
                }
            });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(3) {
            let seat = runtime.block_on(connections.admit(IpAddr::from([192, 0, 2, 9])));
            send.send(seat).unwrap();
        }
        drop(send);
    });
    let all = connections.lock();
    assert!(all.open.is_empty() && all.closing.is_empty(), "{:?}", all.closing);
}

/// Behind a proxy one connection is several callers', one after the other.
#[test]
fn what_nobody_known_asks_is_not_the_last_ones() {
    let connections = Connections::new(100, Turns::new(1));
    let seats = opened(&connections, &[(1, 5)]);
    let open = &seats[0].0;
    let [proxy, victim, other] = [1, 7, 8].map(|last| IpAddr::from([192, 0, 2, last]));
    let run = open.begin(victim).unwrap();
    run.asker().has_key("victim").unwrap();
    drop(run);
    open.flushed();
    assert!(open.lock().has_key);
    for (address, count) in [(other, 1), (proxy, 1)] {
        let run = open.begin(address).unwrap();
        assert_eq!(connections.lock().counts, HashMap::from([(address, count)]));
        drop(run);
        open.flushed();
        assert!(!open.lock().has_key);
        assert!(!connections.turns.belongs_to(&open.ticket, address), "its turns");
    }
}
