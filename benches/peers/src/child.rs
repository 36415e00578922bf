//! The child: one engine and one task in a process of its own, asked by the parent.
//!
//! A line on stdin is a command, a line on stdout its answer: `ok` and numbers by name, or
//! `failed` and why. Whatever happens to the engine (a panic, an abort, no more memory, no end)
//! happens to this process alone.
//!
//! | command | does | answers |
//! |---|---|---|
//! | `build REPEAT` | builds, up to so many times | `ns` of each, the median; `rss`, by how many bytes the process grew with the first |
//! | `count` | builds once more, and keeps it | `bytes` that stayed allocated, `peak` |
//! | `check MS` | answers each request once, until the time is over | `checked`, `wrong`, `bytes` that stayed |
//! | `round SEED WARM BUDGET` | times requests, in ms | `ns` a decision, `timed`, `wrong` |
//! | `keys SEED BUDGET` | times each request alone, several times | `mean`, `median`, `worst` ns, `keys` |
//! | `cold COUNT BUDGET` | times requests alone, with caches flushed | `ns`, `timer` in it, `timed` |
//!
//! Allocations are counted by `allocation-counter`: exact, however small, where `/proc/self/statm`
//! has pages, and what an allocator keeps. It would slow down engines that allocate as they
//! decide, so that all timed code runs in its `opt_out`, where it looks at one thread-local number
//! an allocation and does not count. README.md says what is left of that.

use std::{
    fs,
    io::{self, BufRead, Write},
    time::{Duration, Instant},
};

use allocation_counter::{measure, opt_out};

use crate::{
    cold::Caches,
    engine::{Ask, Engine, Task},
    order::shuffled,
    statistics::{mean, median},
};

/// Builds that are repeated end after this long.
const BUILDING: Duration = Duration::from_millis(300);
/// Requests that are checked together.
const PIECE: usize = 64;
/// A decision that takes this long is a slow one.
const SLOW: Duration = Duration::from_millis(1);
/// The most passes over all requests in which each is timed alone.
const MAX_PASSES: usize = 5;

/// Runs an engine until stdin ends.
///
/// # Errors
///
/// Those of stdin and stdout.
pub(crate) fn serve<E: Engine>(task: &Task) -> io::Result<()> {
    let mut engine = None;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split(' ');
        let command = words.next().unwrap_or_default();
        let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
        let answer = match (command, &*numbers, &mut engine) {
            ("build", [repeat], _) => build::<E>(task, *repeat),
            ("count", [], _) => count::<E>(task).map(|(built, answer)| {
                engine = Some(built);
                answer
            }),
            ("check", [ms], Some(engine)) => Ok(check(engine, task, Duration::from_millis(*ms))),
            ("round", [seed, warm, budget], Some(engine)) => {
                Ok(round(engine, task, *seed, [*warm, *budget].map(Duration::from_millis)))
            }
            ("keys", [seed, budget], Some(engine)) => {
                Ok(keys(engine, task, *seed, Duration::from_millis(*budget)))
            }
            ("cold", [count, budget], Some(engine)) => {
                Ok(cold(engine, task, *count as usize, Duration::from_millis(*budget)))
            }
            _ => Err(format!("`{line}` is no command, or comes before `count`")),
        };
        let mut out = io::stdout().lock();
        match answer {
            Ok(answer) => writeln!(out, "ok {answer}")?,
            Err(why) => writeln!(out, "failed {}", why.replace(['\n', '\r'], " "))?,
        }
        out.flush()?;
    }
    Ok(())
}

fn build<E: Engine>(task: &Task, repeat: u64) -> Result<String, String> {
    let mut times = Vec::new();
    let mut rss = 0.0;
    let mut failed = None;
    let start = Instant::now();
    while failed.is_none() && times.len() < repeat as usize && start.elapsed() < BUILDING {
        let before = resident();
        opt_out(|| {
            let start = Instant::now();
            let engine = E::build(task);
            let took = start.elapsed();
            if times.is_empty() {
                rss = resident() - before;
            }
            times.push(took.as_nanos() as f64);
            failed = engine.err();
        });
    }
    match failed {
        Some(why) => Err(why),
        None => Ok(format!("ns={} rss={rss}", median(&mut times))),
    }
}

fn count<E: Engine>(task: &Task) -> Result<(E, String), String> {
    let mut built = Err(String::new());
    let counted = measure(|| built = E::build(task));
    built.map(|engine| {
        (engine, format!("bytes={} peak={}", counted.bytes_current, counted.bytes_max))
    })
}

fn check<E: Engine>(engine: &mut E, task: &Task, limit: Duration) -> String {
    let requests = &task.requests;
    let order = shuffled(requests.len(), 0);
    let asks = asks(task, &order);
    let (mut checked, mut wrong) = (0, 0);
    let start = Instant::now();
    let counted = measure(|| {
        while checked < asks.len() && (checked == 0 || start.elapsed() < limit) {
            // Several, so that an engine that decides several at once is checked in that; a slow
            // one looks at the time after each.
            let is_slow = start.elapsed() >= SLOW * checked as u32;
            let end = asks.len().min(checked + if is_slow { 1 } else { PIECE });
            wrong += wrong_answers(engine, &asks[checked..end]);
            checked = end;
        }
    });
    format!("checked={checked} wrong={wrong} bytes={}", counted.bytes_current)
}

/// How many of these it answers wrongly.
fn wrong_answers<E: Engine>(engine: &mut E, asks: &[Ask<'_>]) -> usize {
    let questions: Vec<_> = asks.iter().map(|ask| engine.question(ask)).collect();
    let mut answers = vec![false; questions.len()];
    engine.answer(&questions, &mut answers);
    compare::<E>(asks, &answers)
}

fn compare<E: Engine>(asks: &[Ask<'_>], answers: &[bool]) -> usize {
    let is_wrong = |(ask, answer): &(&Ask<'_>, &bool)| {
        E::expected(ask).is_some_and(|expected| expected != **answer)
    };
    asks.iter().zip(answers).filter(is_wrong).count()
}

/// Times as many requests as fit the budget, in an order of this round's own.
///
/// The engine is warmed up by the same requests backwards, so that it meets none of them in an
/// order in which it met them before: branch predictors learn even long sequences.
fn round<E: Engine>(
    engine: &mut E,
    task: &Task,
    seed: u64,
    [warm, budget]: [Duration; 2],
) -> String {
    let order = shuffled(task.requests.len(), seed);
    let asks = asks(task, &order);
    let backwards: Vec<_> = asks.iter().rev().map(|ask| engine.question(ask)).collect();
    let questions: Vec<_> = asks.iter().map(|ask| engine.question(ask)).collect();
    let mut answers = vec![false; questions.len()];
    let (mut elapsed, mut timed) = (Duration::ZERO, 0);
    opt_out(|| {
        let start = Instant::now();
        let (mut warmed, mut step) = (0, 1);
        while warmed < backwards.len() && start.elapsed() < warm {
            let end = backwards.len().min(warmed + step);
            engine.answer(&backwards[warmed..end], &mut answers[warmed..end]);
            (warmed, step) = (end, step * 2);
        }
        let each = start.elapsed().as_secs_f64() / warmed.max(1) as f64;
        timed = ((budget.as_secs_f64() / each) as usize).clamp(1, questions.len());
        let start = Instant::now();
        engine.answer(&questions[..timed], &mut answers[..timed]);
        elapsed = start.elapsed();
    });
    let wrong = compare::<E>(&asks[..timed], &answers[..timed]);
    format!("ns={} timed={timed} wrong={wrong}", elapsed.as_nanos() as f64 / timed as f64)
}

/// Times each request by itself, in several passes; a request's time is its fastest, so that an
/// interrupt is not taken for a slow request.
fn keys<E: Engine>(engine: &mut E, task: &Task, seed: u64, budget: Duration) -> String {
    let order = shuffled(task.requests.len(), seed);
    let asks = asks(task, &order);
    let questions: Vec<_> = asks.iter().map(|ask| engine.question(ask)).collect();
    let mut fastest: Vec<f64> = Vec::with_capacity(questions.len());
    let mut answers = vec![false; questions.len()];
    let timer = timer();
    opt_out(|| {
        let start = Instant::now();
        for pass in 0..MAX_PASSES {
            for (place, question) in questions.iter().enumerate() {
                if !fastest.is_empty() && start.elapsed() > budget {
                    return;
                }
                if pass > 0 && place >= fastest.len() {
                    break;
                }
                let start = Instant::now();
                answers[place] = engine.decide(question);
                let ns = (start.elapsed().as_nanos() as f64 - timer).max(0.0);
                match fastest.get_mut(place) {
                    Some(before) => *before = before.min(ns),
                    None => fastest.push(ns),
                }
            }
        }
    });
    let wrong = compare::<E>(&asks[..fastest.len()], &answers[..fastest.len()]);
    let worst = fastest.iter().copied().fold(0.0, f64::max);
    format!(
        "mean={} worst={worst} keys={} wrong={wrong} median={}",
        mean(&fastest),
        fastest.len(),
        median(&mut fastest),
    )
}

/// Times requests by themselves, each after the caches were flushed.
fn cold<E: Engine>(engine: &mut E, task: &Task, count: usize, budget: Duration) -> String {
    let order = shuffled(task.requests.len(), 0);
    let asks = asks(task, &order);
    let questions: Vec<_> = asks.iter().take(count).map(|ask| engine.question(ask)).collect();
    let mut caches = Caches::new();
    let (mut times, mut timers, mut wrong) = (vec![], vec![], 0);
    opt_out(|| {
        let start = Instant::now();
        for (question, ask) in questions.iter().zip(&asks) {
            if !times.is_empty() && start.elapsed() > budget {
                break;
            }
            caches.flush();
            let start = Instant::now();
            timers.push(start.elapsed().as_nanos() as f64);
            caches.flush();
            let start = Instant::now();
            let answer = engine.decide(question);
            times.push(start.elapsed().as_nanos() as f64);
            wrong += usize::from(E::expected(ask).is_some_and(|expected| expected != answer));
        }
    });
    let (timed, timer) = (times.len(), median(&mut timers));
    format!("ns={} timer={timer} timed={timed} wrong={wrong}", median(&mut times) - timer)
}

/// What reading the clock twice takes, in nanoseconds, caches warm.
fn timer() -> f64 {
    let mut times: Vec<f64> = (0..1_000)
        .map(|_| {
            let start = Instant::now();
            start.elapsed().as_nanos() as f64
        })
        .collect();
    median(&mut times)
}

/// Bytes of this process that are in memory, by `/proc/self/statm`.
fn resident() -> f64 {
    let pages = fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse::<f64>().ok());
    pages.unwrap_or_default() * 4_096.0
}

/// The requests in an order. Each path stays in memory of its own, as the paths of different requests to a
/// server are: the processor cannot guess where the next one is.
fn asks<'t>(task: &'t Task, order: &[usize]) -> Vec<Ask<'t>> {
    let requests = order.iter().map(|place| &task.requests[*place]);
    requests
        .map(|request| Ask {
            path: &request.path,
            access: request.access,
            granted: request.granted,
        })
        .collect()
}
