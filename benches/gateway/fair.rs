//! What one owner at all their limits leaves to another: the other's requests, timed beside them and beside
//! an ordinary owner.
//!
//! The gateway has one processor. Whoever asks it, and the servers behind it, have another one, on which the
//! heavy owner's side gives way to the other's: what is measured is the gateway.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::{
    process::{getpriority_process, setpriority_process},
    thread::{CpuSet, gettid, sched_getaffinity, sched_setaffinity},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream as Stream,
    task::LocalSet,
};

use crate::{
    median,
    slow::{self, Slow},
    world::{Backend, Gateway, User},
};

/// How much is measured.
pub(crate) struct Scale {
    pub(crate) rounds: usize,
    pub(crate) time: Duration,
    /// Connections of the heavy owner, of each kind.
    pub(crate) connections: usize,
}

/// What the other owner's median request may be, of what it is beside an ordinary owner.
const MOST: f64 = 3.0;
/// The heavy owner's policies: those that make the dearest decisions, of which one allows and one denies.
const DEAREST: [&str; 2] = ["16,129 allows that wait and a deny", "pieces out of order"];
/// Between two requests of the owner who is measured.
const PAUSE: Duration = Duration::from_millis(3);
const SIZE: usize = 1_024;
const HEAVY: User = User { name: "ana", key: "simHeavy0key", connection: "s3+heavy" };
const OTHER: User = User { name: "bob", key: "simOther0key", connection: "s3+other" };
const ORDINARY: User = User { name: "eve", key: "simPlain0key", connection: "s3+plain" };

/// The processors that this program may use: one for the gateway, one for all else.
fn processors() -> Option<[usize; 2]> {
    let all = sched_getaffinity(None).expect("Linux");
    let mut all = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu));
    Some([all.next()?, all.next()?])
}

/// From here on this thread, and what it starts, runs on this processor alone.
fn run_on(processor: usize) {
    let mut set = CpuSet::new();
    set.set(processor);
    sched_setaffinity(None, &set).expect("a processor");
}

/// Measures all that there is, and fails where another owner waits too long.
pub(crate) async fn fair(scale: &Scale, is_test: bool) {
    let Some([of_gateway, of_others]) = processors() else {
        println!("fair: not measured: there is only one processor");
        return;
    };
    let mut worst: f64 = 0.0;
    run_on(of_others);
    let heavy = Backend::start_nicely("embedded", 19).await;
    let other = Backend::start("embedded").await;
    other.store("open/one", vec![b'x'; SIZE]).await;
    for policy in slow::all().iter().filter(|policy| DEAREST.contains(&policy.what)) {
        let what = policy.what;
        heavy.fill(policy, 300).await;
        let rules = "    restrictions: [bench/open/*]\n".to_owned();
        let owners = [
            (&HEAVY, &heavy, policy.yaml(4)),
            (&OTHER, &other, rules.clone()),
            (&ORDINARY, &other, rules),
        ];
        run_on(of_gateway);
        let gateway = Gateway::serve(&owners, true);
        run_on(of_others);
        let allowed = OTHER.get("bench/open/one");
        let denied = OTHER.get("bench/shut/one");
        let ordinary = vec![(1, ORDINARY.get("bench/open/one").into_bytes())];
        let load_of_heavy = everything(policy, scale.connections);
        let asked: usize = load_of_heavy.iter().map(|(count, _)| count).sum();
        for (kind, request, status) in [("allowed", &allowed, 200), ("denied", &denied, 403)] {
            let (mut beside_ordinary, mut beside_heavy) = (Vec::new(), Vec::new());
            let mut answers = 0.0;
            for _ in 0..scale.rounds {
                for (load, times) in
                    [(&ordinary, &mut beside_ordinary), (&load_of_heavy, &mut beside_heavy)]
                {
                    let load = Load::start(gateway.address, load.clone());
                    thread::sleep(scale.time / 2);
                    times.push(ask(gateway.address, request, status, scale.time));
                    answers = load.stop();
                }
            }
            let ratios = beside_ordinary.iter().zip(&beside_heavy).map(|(one, other)| other / one);
            let ratio = median(ratios);
            println!(
                "fair: {what}: another owner's {kind} request, median: {:.2} ms beside an ordinary \
                 owner, {:.2} ms beside one with {asked} connections ({answers:.0} answers a second), \
                 {ratio:.2} times",
                median(beside_ordinary),
                median(beside_heavy),
            );
            worst = worst.max(ratio);
        }
    }
    assert!(is_test || worst <= MOST, "another owner waits {worst:.2} times as long");
}

/// All that an owner can ask for, and how many connections ask for each: what is denied, listings,
/// deletions, and uploads whose length is not told.
fn everything(policy: &Slow, connections: usize) -> Vec<(usize, Vec<u8>)> {
    let part = |of: usize| (connections / of).max(1);
    let denied = HEAVY.get(&policy.denied).into_bytes();
    let list = HEAVY.get("pub/").into_bytes();
    let delete = HEAVY.head("DELETE", "pub/a?force=true", "").into_bytes();
    let chunk = [b"8000\r\n", &vec![b'z'; 0x8000][..], b"\r\n"].concat();
    let chunked = HEAVY.head("PUT", &policy.allowed, "Transfer-Encoding: chunked\r\n");
    let upload = [chunked.as_bytes(), &chunk.repeat(8), b"0\r\n\r\n"].concat();
    vec![(part(2), denied), (part(4), list), (part(8), delete), (part(8), upload)]
}

/// Requests over many connections, each of which asks again as soon as it is answered.
struct Load {
    ends: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    began: Instant,
    thread: JoinHandle<()>,
}

impl Load {
    fn start(address: SocketAddr, requests: Vec<(usize, Vec<u8>)>) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let answers = Arc::new(AtomicU64::new(0));
        let (is_over, count) = (Arc::clone(&ends), Arc::clone(&answers));
        let thread = thread::spawn(move || {
            // Whoever is measured comes first.
            let priority = getpriority_process(None).expect("a priority");
            setpriority_process(Some(gettid()), priority + 10).expect("a lower priority");
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let local = LocalSet::new();
            for (connections, request) in requests {
                let request = Arc::new(request);
                for _ in 0..connections {
                    local.spawn_local(keep_asking(
                        address,
                        Arc::clone(&request),
                        Arc::clone(&count),
                    ));
                }
            }
            local.block_on(&runtime.expect("a runtime"), async {
                while !is_over.load(Ordering::Relaxed) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
        });
        Self { ends, answers, began: Instant::now(), thread }
    }

    /// Ends it, and says how many answers came in a second.
    fn stop(self) -> f64 {
        self.ends.store(true, Ordering::Relaxed);
        let answers = self.answers.load(Ordering::Relaxed);
        let time = self.began.elapsed().as_secs_f64();
        self.thread.join().expect("all went well");
        answers as f64 / time
    }
}

/// Asks for the same thing again and again, over a new connection where one was closed.
async fn keep_asking(address: SocketAddr, request: Arc<Vec<u8>>, answers: Arc<AtomicU64>) {
    loop {
        let Ok(mut stream) = Stream::connect(address).await else { continue };
        let mut buffer = vec![0; 64 << 10];
        loop {
            let (mut reads, mut writes) = stream.split();
            let (sent, answered) =
                tokio::join!(writes.write_all(&request), answer(&mut reads, &mut buffer));
            if sent.is_err() || answered.is_none() {
                break;
            }
            answers.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Reads an answer to its end. `None` where the connection ended before, or ends with it.
async fn answer(reads: &mut (impl tokio::io::AsyncRead + Unpin), buffer: &mut [u8]) -> Option<()> {
    let mut filled = 0;
    loop {
        let count = reads.read(&mut buffer[filled..]).await.ok().filter(|count| *count > 0)?;
        filled += count;
        if let Some(rest) = rest(&buffer[..filled]) {
            let mut left = rest?;
            while left > 0 {
                let count = reads.read(buffer).await.ok().filter(|count| *count > 0)?;
                left = left.saturating_sub(count);
            }
            return Some(());
        }
    }
}

/// How much of an answer's body is still to come once its head is there, or `None` in it where that is not
/// said.
fn rest(bytes: &[u8]) -> Option<Option<usize>> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
    let length = crate::load::content_length(&bytes[..end]);
    Some(length.map(|length| (length as usize).saturating_sub(bytes.len() - end)))
}

/// The median time of a request over a connection that is kept, in milliseconds.
fn ask(address: SocketAddr, request: &str, status: u16, time: Duration) -> f64 {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let (mut times, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    let began = Instant::now();
    while began.elapsed() < time || times.len() < 5 {
        let asked = Instant::now();
        stream.write_all(request.as_bytes()).expect("sent");
        let mut filled = 0;
        loop {
            let count = stream.read(&mut buffer[filled..]).expect("an answer");
            assert_ne!(count, 0, "it ended: {}", String::from_utf8_lossy(&buffer[..filled]));
            filled += count;
            if rest(&buffer[..filled]) == Some(Some(0)) {
                break;
            }
        }
        times.push(asked.elapsed().as_secs_f64() * 1e3);
        let answer = &buffer[..filled];
        let right = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(right.as_bytes()), "{}", String::from_utf8_lossy(answer));
        thread::sleep(PAUSE);
    }
    median(times)
}
