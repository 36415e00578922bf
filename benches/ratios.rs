//! What a decision costs, as multiples of what else there is.
//!
//! `cargo bench --bench ratios` takes some minutes. On a machine that others use too, a time alone
//! says little; here every round times all engines one after the other on the same requests, and
//! the table has the medians of the rounds and of their ratios. `-- 100000` measures that size
//! only, `-- --no-globset` leaves globset out.

#![expect(clippy::print_stdout, reason = "the table is the point")]

#[expect(dead_code, reason = "restrictions without requests are for compiling alone")]
mod workload;

use std::{hint::black_box, time::Instant};

use pathward::Verdict;

use workload::{Mix, REQUESTS, Workload};

const ROUNDS: usize = 21;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let sizes: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let with_globset = !arguments.iter().any(|argument| argument == "--no-globset");
    if arguments.iter().any(|argument| argument == "--test") {
        measure(Mix::M2, 100, true, 1);
        return;
    }
    println!(
        "| mix | restrictions | pathward, ns | hash-and-probe, ns | × hash-and-probe | side by side, × faster | globset, ns | × faster than globset |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    for mix in [Mix::M1, Mix::M2, Mix::M3] {
        for n in [1, 10, 100, 1_000, 10_000, 100_000] {
            let too_many = mix == Mix::M3 && n > 10_000;
            if !too_many && (sizes.is_empty() || sizes.contains(&n)) {
                // globset takes minutes and gigabytes for M3 beyond.
                let globset = with_globset && (mix != Mix::M3 || n <= 100);
                println!("{}", measure(mix, n, globset, ROUNDS));
            }
        }
    }
}

/// One row of the table.
fn measure(mix: Mix, n: usize, with_globset: bool, rounds: usize) -> String {
    let workload = Workload::new(mix, n);
    let requests = &workload.requests;
    let automaton = workload.automaton();
    let table = workload.table();
    let sets = with_globset.then(|| workload.globsets());

    let mut times: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds {
        times[0].push(time(REQUESTS / 2, || {
            let allowed = |request: &&workload::Request| {
                let verdict = automaton.here(request.path.as_bytes(), request.access);
                matches!(verdict, Verdict::Allowed(_))
            };
            requests.iter().filter(allowed).count()
        }));
        times[1].push(time(REQUESTS, || {
            requests.iter().filter(|request| table.contains(&*request.path)).count()
        }));
        times[3].push(time(REQUESTS / 2, || {
            let mut allowed = 0;
            let questions =
                requests.iter().map(|request| (request.path.as_bytes(), request.access));
            automaton.here_batch(questions, |verdict| {
                allowed += usize::from(matches!(verdict, Verdict::Allowed(_)));
            });
            allowed
        }));
        if let Some(sets) = &sets {
            times[2].push(time(REQUESTS / 2, || {
                requests.iter().filter(|request| sets.allows(request)).count()
            }));
        }
    }
    let ratio = |a: &[f64], b: &[f64]| median(a.iter().zip(b).map(|(a, b)| a / b).collect());
    let [pathward, hash, globset, together] = &times;
    let (globset_ns, faster) = match globset.is_empty() {
        true => ("–".to_owned(), "–".to_owned()),
        false => {
            (format!("{:.0}", median(globset.clone())), format!("{:.1}", ratio(globset, pathward)))
        }
    };
    format!(
        "| {mix:?} | {n} | {:.0} | {:.0} | {:.1} | {:.1} | {globset_ns} | {faster} |",
        median(pathward.clone()),
        median(hash.clone()),
        ratio(pathward, hash),
        ratio(pathward, together),
    )
}

/// Nanoseconds a request, checking the count of those that hold.
fn time(expected: usize, run: impl Fn() -> usize) -> f64 {
    let start = Instant::now();
    let count = black_box(run());
    let elapsed = start.elapsed();
    assert_eq!(count, expected, "an engine answers wrongly");
    elapsed.as_nanos() as f64 / REQUESTS as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
