//! The parent: every engine on every workload, in rounds that are interleaved.

#![expect(clippy::print_stderr, reason = "a run takes long, and says where it is")]

use std::{
    collections::HashMap,
    env, fs,
    io::{self, IsTerminal},
    path::PathBuf,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use crate::{
    engines::{self, Entry},
    options::Options,
    process::{Answer, Process},
    record::{Results, measure},
    wire,
    workloads::Cell,
};

/// How long things may take.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Building, before the child is killed.
    build: Duration,
    /// Checking all requests, after which the check is of those that were answered.
    check: Duration,
    /// Anything else, before the child is killed.
    answer: Duration,
}

/// The most for checking a hostile set, on whose paths some engines take seconds.
const HOSTILE_CHECK: Duration = Duration::from_secs(120);

/// For checking answers alone, in less than a minute.
const QUICK: Limits = Limits {
    build: Duration::from_secs(2),
    check: Duration::from_millis(700),
    answer: Duration::from_secs(3),
};

/// Milliseconds in which a round warms up, and then times.
const WARM_MS: u64 = 60;
const BUDGET_MS: u64 = 200;
/// Milliseconds for timing requests one by one, and with cold caches; how many of the latter.
const WORST_MS: u64 = 300;
const COLD_MS: u64 = 5_000;
const COLD_COUNT: u64 = 400;
/// The most builds whose median is the time of building.
const BUILDS: u64 = 9;
/// An engine with decisions this slow is not run with more restrictions of the same mixture, and
/// timed in so many rounds only.
const TOO_SLOW_NS: f64 = 10e6;
const SLOW_ROUNDS: usize = 3;

/// Measures, writing the CSV after each workload, so that what there is stays if it is stopped.
///
/// # Errors
///
/// Those of files and of starting processes.
pub(crate) fn measure(options: &Options) -> io::Result<Results> {
    let mut results = Results { about: crate::machine::about(options.rounds), rows: vec![] };
    let limits = Limits {
        build: Duration::from_secs(60),
        check: options.check,
        answer: Duration::from_secs(60),
    };
    let mut run = Run::new(options, limits)?;
    for cell in Cell::all(&options.mixes, &options.sizes) {
        let start = Instant::now();
        run.cell(&cell, Some(options.rounds), &mut results)?;
        results.write(&options.out)?;
        progress("");
        eprintln!("{} {}: {:.0?}", cell.name, cell.n, start.elapsed());
    }
    Ok(results)
}

/// Checks answers only, in small sizes.
///
/// # Errors
///
/// As [`measure`].
pub(crate) fn quick(options: &Options) -> io::Result<(Vec<Cell>, Results)> {
    let mut results = Results::default();
    let mut run = Run::new(options, QUICK)?;
    let sizes = if options.sizes.is_empty() { &[1, 10, 100] } else { &*options.sizes };
    let cells = Cell::all(&options.mixes, sizes);
    for cell in &cells {
        run.cell(cell, None, &mut results)?;
    }
    progress("");
    Ok((cells, results))
}

/// A folder for tasks, and who is run.
struct Run {
    folder: PathBuf,
    entries: Vec<&'static Entry>,
    limits: Limits,
    /// Why an engine is not run any more, by mixture and engine.
    given_up: HashMap<(&'static str, &'static str), String>,
}

/// An engine in its child.
struct Running {
    entry: &'static Entry,
    process: Process,
}

impl Run {
    fn new(options: &Options, limits: Limits) -> io::Result<Self> {
        let folder = env::temp_dir().join(format!("pathward-peers-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let is_asked = |entry: &&Entry| {
            let id = entry.about.id;
            options.only.is_empty() || id == "probe" || options.only.iter().any(|only| only == id)
        };
        let entries = engines::ALL.iter().filter(is_asked).collect();
        Ok(Self { folder, entries, limits, given_up: HashMap::new() })
    }

    /// One workload: all are built, one after the other; all are checked; then rounds, each of
    /// which times all. Without rounds it ends with the checks.
    fn cell(
        &mut self,
        cell: &Cell,
        rounds: Option<usize>,
        results: &mut Results,
    ) -> io::Result<()> {
        let file = self.folder.join(format!("{}-{}.task", cell.name, cell.n));
        let task = cell.task().ok_or(io::ErrorKind::NotFound)?;
        wire::write(&task, &file)?;
        drop(task);

        let mut running = Vec::new();
        for entry in self.entries.clone() {
            let id = entry.about.id;
            if let Some(why) = self.given_up.get(&(cell.name, id)) {
                results.note(cell, id, measure::SKIPPED, why);
                continue;
            }
            let process = Process::start(id, &file)?;
            progress(&format!("{} {}: building {id}", cell.name, cell.n));
            let mut one = Running { entry, process };
            match one.build(cell, if rounds.is_some() { BUILDS } else { 1 }, self.limits, results) {
                Ok(()) => running.push(one),
                Err(why) => self.give_up(cell, id, &why, results),
            }
        }
        let checked = self.check(cell, running, results);
        if let Some(rounds) = rounds {
            self.rounds(cell, checked, rounds, results);
        }
        fs::remove_file(&file)
    }

    /// Checks the answers of all, several at a time, since nothing is timed yet.
    fn check(&mut self, cell: &Cell, running: Vec<Running>, results: &mut Results) -> Vec<Running> {
        let check = match cell.is_hostile() {
            true => self.limits.check.min(HOSTILE_CHECK),
            false => self.limits.check,
        };
        let ask = format!("check {}", check.as_millis());
        let limit = check + self.limits.answer;
        let waiting = Mutex::new(running.into_iter());
        let done = Mutex::new(Vec::new());
        let next = || waiting.lock().ok()?.next();
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    while let Some(mut one) = next() {
                        progress(&format!(
                            "{} {}: checking {}",
                            cell.name, cell.n, one.entry.about.id
                        ));
                        let answer = one.process.ask(&ask, limit);
                        if let Ok(mut done) = done.lock() {
                            done.push((one, answer));
                        }
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_default();
        // As they are listed, whoever was ready first.
        done.sort_by_key(|(one, _)| {
            self.entries.iter().position(|e| e.about.id == one.entry.about.id)
        });
        let mut checked = Vec::new();
        for (one, answer) in done {
            let id = one.entry.about.id;
            match answer {
                Ok(answer) => {
                    let built = results.value(cell, id, measure::BYTES).unwrap_or_default();
                    for (name, measure, add) in [
                        ("checked", measure::CHECKED, 0.0),
                        ("wrong", measure::WRONG, 0.0),
                        ("bytes", measure::USED_BYTES, built),
                    ] {
                        results.add(cell, id, measure, 0, add + number(&answer, name));
                    }
                    checked.push(one);
                }
                Err(why) => self.give_up(cell, id, &why, results),
            }
        }
        checked
    }

    /// Rounds of all; cold caches and single requests within them where the workload has them.
    fn rounds(
        &mut self,
        cell: &Cell,
        mut running: Vec<Running>,
        rounds: usize,
        results: &mut Results,
    ) {
        for round in 1..=rounds {
            progress(&format!("{} {}: round {round} of {rounds}", cell.name, cell.n));
            let mut left = Vec::new();
            for mut one in running {
                let id = one.entry.about.id;
                let is_slow =
                    results.value(cell, id, measure::NS).is_some_and(|ns| ns > TOO_SLOW_NS);
                if is_slow && round > SLOW_ROUNDS {
                    left.push(one);
                    continue;
                }
                match one.round(cell, round, self.limits.answer, results) {
                    Ok(()) => left.push(one),
                    Err(why) => self.give_up(cell, id, &why, results),
                }
            }
            running = left;
        }
        for mut one in running {
            let id = one.entry.about.id;
            if cell.has_cold() {
                progress(&format!("{} {}: {id} with cold caches", cell.name, cell.n));
                if let Err(why) = one.cold(cell, self.limits.answer, results) {
                    self.give_up(cell, id, &why, results);
                }
            }
            let ns = results.value(cell, id, measure::NS);
            if let Some(ns) = ns.filter(|ns| *ns > TOO_SLOW_NS) {
                let why = format!("{:.0} ms a decision with {} restrictions", ns / 1e6, cell.n);
                self.given_up.insert((cell.name, id), why);
            }
        }
    }

    /// Keeps why an engine has no more numbers here, and will not be run with more restrictions.
    fn give_up(&mut self, cell: &Cell, id: &'static str, why: &str, results: &mut Results) {
        results.note(cell, id, measure::FAILED, why);
        let why = format!("failed with {} restrictions: {why}", cell.n);
        self.given_up.insert((cell.name, id), why);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // It is in the system's folder for temporary files, which is cleaned up anyway.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Running {
    fn build(
        &mut self,
        cell: &Cell,
        builds: u64,
        limits: Limits,
        results: &mut Results,
    ) -> Result<(), String> {
        let id = self.entry.about.id;
        let answer = self.process.ask(&format!("build {builds}"), limits.build)?;
        results.add(cell, id, measure::BUILD_NS, 0, number(&answer, "ns"));
        results.add(cell, id, measure::RSS_BYTES, 0, number(&answer, "rss"));
        let answer = self.process.ask("count", limits.build * 2)?;
        results.add(cell, id, measure::BYTES, 0, number(&answer, "bytes"));
        results.add(cell, id, measure::PEAK_BYTES, 0, number(&answer, "peak"));
        Ok(())
    }

    fn round(
        &mut self,
        cell: &Cell,
        round: usize,
        limit: Duration,
        results: &mut Results,
    ) -> Result<(), String> {
        let id = self.entry.about.id;
        let answer = self.process.ask(&format!("round {round} {WARM_MS} {BUDGET_MS}"), limit)?;
        results.add(cell, id, measure::NS, round, number(&answer, "ns"));
        results.add(cell, id, measure::TIMED, round, number(&answer, "timed"));
        let wrong = number(&answer, "wrong");
        if wrong > 0.0 {
            results.add(cell, id, measure::WRONG, round, wrong);
        }
        if cell.has_worst() {
            let answer = self.process.ask(&format!("keys {round} {WORST_MS}"), limit)?;
            results.add(cell, id, measure::MEDIAN_NS, round, number(&answer, "median"));
            results.add(cell, id, measure::WORST_NS, round, number(&answer, "worst"));
            results.add(cell, id, measure::PATHS, round, number(&answer, "keys"));
        }
        Ok(())
    }

    fn cold(&mut self, cell: &Cell, limit: Duration, results: &mut Results) -> Result<(), String> {
        let id = self.entry.about.id;
        let answer = self.process.ask(&format!("cold {COLD_COUNT} {COLD_MS}"), limit)?;
        results.add(cell, id, measure::COLD_NS, 0, number(&answer, "ns"));
        results.add(cell, id, measure::COLD_TIMER_NS, 0, number(&answer, "timer"));
        results.add(cell, id, measure::COLD_TIMED, 0, number(&answer, "timed"));
        Ok(())
    }
}

/// Says what is being done, on one line of a terminal that the next one replaces.
fn progress(what: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{what}");
    }
}

fn number(answer: &Answer, name: &str) -> f64 {
    answer.get(name).copied().unwrap_or(f64::NAN)
}
