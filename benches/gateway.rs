//! What the gateway costs: every backend asked directly and through it, in turns.
//!
//! `cargo bench --bench gateway` takes some minutes; which backends, and which of `small`, `large`
//! and `slow` to measure, can be named behind `--`, and `log=null` throws the decision log away.
//! `fair` measures something else: what one owner at all their limits leaves to another.
//! `-- --test` does everything once and tiny. See benches/README.md.
//!
//! The gateway, the backend and this program, which asks, are processes of their own. Each round
//! measures the direct way and the way through the gateway one after the other; the tables have
//! medians of the rounds, and ratios of those of one round.

#![expect(clippy::print_stdout, reason = "the tables are the point")]
#![expect(clippy::expect_used, clippy::panic, reason = "a benchmark that errs is to fail")]

#[cfg(target_os = "linux")]
#[path = "gateway/fair.rs"]
mod fair;
#[path = "gateway/load.rs"]
mod load;
#[path = "../tests/common/slow.rs"]
mod slow;
#[path = "gateway/world.rs"]
mod world;

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::task::LocalSet;

use load::{Asked, Connection, Request, Way, ask};
use world::{Backend, Gateway, SERVE_EMBEDDED};

/// How much is measured.
struct Scale {
    rounds: usize,
    time: Duration,
    large: usize,
    large_rounds: usize,
    slow: usize,
    slow_size: usize,
    slow_time: Duration,
}

const FULL: Scale = Scale {
    rounds: 11,
    time: Duration::from_millis(600),
    large: 256 << 20,
    // RADOS keeps what was overwritten for hours, and the store in memory has 4 GiB.
    large_rounds: 5,
    slow: 200,
    slow_size: 64 << 20,
    slow_time: Duration::from_secs(10),
};

const TINY: Scale = Scale {
    rounds: 1,
    time: Duration::from_millis(50),
    large: 1 << 20,
    large_rounds: 1,
    slow: 10,
    slow_size: 1 << 20,
    slow_time: Duration::from_millis(300),
};

/// How many objects the small requests go to.
const OBJECTS: usize = 64;
const SMALL: usize = 1_024;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if has(SERVE_EMBEDDED) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        return runtime.block_on(world::serve_embedded());
    }
    // One thread asks: what it takes is not there for those who answer.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let installed = world::installed();
    let (scale, backends) = match has("--test") {
        true => (TINY, vec!["embedded".to_owned()]),
        false => {
            let named: Vec<String> = ["embedded", "seaweedfs", "ceph"]
                .map(String::from)
                .into_iter()
                .filter(|b| has(b))
                .collect();
            (FULL, if named.is_empty() { installed } else { named })
        }
    };
    #[cfg(target_os = "linux")]
    if has("fair") {
        let (full, tiny) = (Duration::from_millis(800), Duration::from_millis(200));
        let scale = match has("--test") {
            true => fair::Scale { rounds: 1, time: tiny, connections: 100 },
            false => fair::Scale { rounds: 7, time: full, connections: 1_024 },
        };
        return runtime.block_on(fair::fair(&scale, has("--test")));
    }
    let parts = ["small", "large", "slow"];
    let wanted = |part: &str| has(part) || !parts.iter().any(|part| has(part));
    runtime.block_on(async {
        for name in backends {
            let backend = Backend::start(&name).await;
            println!("\n### {name}\n");
            if wanted("small") {
                small(&backend, &scale, !has("log=null")).await;
            }
            if wanted("large") {
                large(&backend, &scale).await;
            }
            if wanted("slow") {
                slow(&backend, &scale).await;
            }
        }
    });
}

/// Small objects over 1, 16 and 128 connections.
async fn small(backend: &Backend, scale: &Scale, log_to_file: bool) {
    let gateway = Gateway::start(backend, log_to_file);
    for number in 0..OBJECTS {
        backend.store(&format!("small/{number}"), vec![b'x'; SMALL]).await;
    }
    println!(
        "| 1 KiB | connections | direct, /s | through, /s | ratio | median, ms | added | p99, ms | added | gateway's CPU, µs |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for method in ["GET", "PUT"] {
        let (mut direct, mut through) = (Vec::new(), Vec::new());
        for number in 0..OBJECTS {
            let body = || vec![b'y'; SMALL];
            let (one, other) = match method {
                "GET" => {
                    let key = format!("small/{number}");
                    let size = SMALL as u64;
                    (backend.get(&key, size), Gateway::get(&key, size))
                }
                _ => {
                    let key = format!("put/{number}");
                    (backend.put(&key, body()), Gateway::put(&key, body()))
                }
            };
            direct.push(one);
            through.push(other);
        }
        let direct = Rc::new(Way { address: backend.address(), requests: direct });
        let through = Rc::new(Way { address: gateway.address, requests: through });
        for connections in [1, 16, 128] {
            let (mut one, mut other) = (Vec::<Asked>::new(), Vec::<Asked>::new());
            for way in [&direct, &through] {
                ask(way, connections, scale.time / 3).await;
            }
            let mut cpu = 0.0;
            for _ in 0..scale.rounds {
                one.push(ask(&direct, connections, scale.time).await);
                let before = gateway.cpu();
                other.push(ask(&through, connections, scale.time).await);
                cpu += gateway.cpu() - before;
            }
            let count: usize = other.iter().map(|asked| asked.count).sum();
            println!("{}", row(method, connections, &one, &other, cpu * 1e6 / count as f64));
        }
    }
    println!();
}

fn row(method: &str, connections: usize, one: &[Asked], other: &[Asked], cpu: f64) -> String {
    let of =
        |f: &dyn Fn(&Asked, &Asked) -> f64| median(one.iter().zip(other).map(|(a, b)| f(a, b)));
    format!(
        "| {method} | {connections} | {:.0} | {:.0} | **{:.2}** | {:.2} | {:+.2} | {:.2} | {:+.2} | {cpu:.0} |",
        of(&|a, _| a.per_second),
        of(&|_, b| b.per_second),
        of(&|a, b| b.per_second / a.per_second),
        of(&|_, b| b.quantile(0.5) / 1e3),
        of(&|a, b| (b.quantile(0.5) - a.quantile(0.5)) / 1e3),
        of(&|_, b| b.quantile(0.99) / 1e3),
        of(&|a, b| (b.quantile(0.99) - a.quantile(0.99)) / 1e3),
    )
}

/// One large object, up and down, each way over a connection of its own that is kept.
async fn large(backend: &Backend, scale: &Scale) {
    let gateway = Gateway::start(backend, true);
    let mib = scale.large as f64 / f64::from(1 << 20);
    println!(
        "| {mib} MiB | direct, MiB/s | through, MiB/s | ratio | gateway's CPU, ms | its peak, MiB |"
    );
    println!("|---|--:|--:|--:|--:|--:|");
    backend.store("large", vec![b'z'; scale.large]).await;
    for method in ["GET", "PUT"] {
        let size = scale.large as u64;
        let (direct, through): (Request, Request) = match method {
            "GET" => (backend.get("large", size), Gateway::get("large", size)),
            _ => {
                let body = vec![b'z'; scale.large];
                (backend.put("large", body.clone()), Gateway::put("large", body))
            }
        };
        let mut ways = [
            (Connection::new(backend.address()).await, direct),
            (Connection::new(gateway.address).await, through),
        ];
        let (mut times, mut cpu) = ([Vec::new(), Vec::new()], Vec::new());
        for round in 0..=scale.large_rounds {
            // The first round warms up what can be, but not at the cost of the store's space.
            if round == 0 && method == "PUT" {
                continue;
            }
            let before = gateway.cpu();
            for ((connection, request), times) in ways.iter_mut().zip(&mut times) {
                let began = Instant::now();
                connection.ask(request).await;
                if round > 0 {
                    times.push(mib / began.elapsed().as_secs_f64());
                }
            }
            cpu.push((gateway.cpu() - before) * 1e3);
        }
        let [direct, through] = &times;
        println!(
            "| {method} | {:.0} | {:.0} | **{:.2}** | {:.0} | {:.0} |",
            median(direct.iter().copied()),
            median(through.iter().copied()),
            median(direct.iter().zip(through).map(|(a, b)| b / a)),
            median(cpu),
            gateway.peak_memory(),
        );
    }
    println!();
}

/// Many callers who read slowly.
async fn slow(backend: &Backend, scale: &Scale) {
    let gateway = Gateway::start(backend, true);
    backend.store("slow", vec![b's'; scale.slow_size]).await;
    let request = Rc::new(Gateway::get("slow", scale.slow_size as u64));
    let before = gateway.peak_memory();
    let local = LocalSet::new();
    let end = Instant::now() + scale.slow_time;
    let taken = Rc::new(Cell::new(0));
    for _ in 0..scale.slow {
        let (request, address, taken) = (Rc::clone(&request), gateway.address, Rc::clone(&taken));
        local.spawn_local(async move {
            let mut connection = Connection::slow(address, 64 << 10).await;
            let mut left = connection.begin(&request).await;
            while Instant::now() < end {
                let count = connection.read().await;
                taken.set(taken.get() + count);
                left -= count as u64;
                assert_ne!(left, 0, "it was not slow");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }
    local.await;
    println!(
        "{} downloads at once of {} MiB each, {:.1} MiB of each taken in {:.0} s: the gateway had at \
         most **{:.0} MiB** ({before:.0} before)\n",
        scale.slow,
        scale.slow_size >> 20,
        taken.get() as f64 / scale.slow as f64 / f64::from(1 << 20),
        scale.slow_time.as_secs_f64(),
        gateway.peak_memory(),
    );
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
