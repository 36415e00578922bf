//! Instructions a decision, counted: unlike times they are the same on any machine.
//!
//! `cargo bench --bench instructions` runs itself under callgrind (Debian's `valgrind`) for each
//! workload, prints the counts beside those of `benches/instructions.txt`, and fails when one is
//! more than [`TOLERANCE`] above. `-- --update` writes that file anew; do so in the commit that
//! changes a count, and say why there. `-- --branches` also simulates a branch predictor.

#![expect(clippy::print_stdout, reason = "the table is the point")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot run is to fail")]

#[expect(dead_code, reason = "other benchmarks compare with other engines")]
mod workload;

use std::{fmt::Write as _, hint::black_box, process::Command};

use pathward::{Automaton, Verdict};

use workload::{Mix, REQUESTS, Request, Workload};

/// How much more a decision may take than is written down, as a share. Another compiler or C
/// library changes counts by less.
const TOLERANCE: f64 = 0.03;

const EXPECTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");

/// What is counted.
const WORKLOADS: [(Mix, usize); 11] = [
    (Mix::M1, 10),
    (Mix::M1, 1_000),
    (Mix::M2, 1),
    (Mix::M2, 10),
    (Mix::M2, 100),
    (Mix::M2, 1_000),
    (Mix::M2, 10_000),
    (Mix::M3, 1),
    (Mix::M3, 10),
    (Mix::M3, 100),
    (Mix::M3, 1_000),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if let Some(place) = arguments.iter().position(|argument| argument == "--child") {
        let number = arguments.get(place + 1).and_then(|number| number.parse().ok());
        return child(number.expect("the number of a workload"));
    }
    let written = std::fs::read_to_string(EXPECTED).unwrap_or_default();
    let mut lines = String::new();
    let mut worse = 0;
    println!("| workload | instructions a decision | written down | mispredicted a decision |");
    println!("|---|--:|--:|--:|");
    for (number, (mix, n)) in WORKLOADS.into_iter().enumerate() {
        let name = format!("{mix:?} {n}");
        let (instructions, mispredicted) = count(number, has("--branches"));
        let before = written.lines().find_map(|line| line.strip_prefix(&name)?.trim().parse().ok());
        let is_worse = before.is_none_or(|before: f64| instructions > before * (1.0 + TOLERANCE));
        worse += usize::from(is_worse);
        println!(
            "| {name} | {instructions:.1}{} | {} | {} |",
            if is_worse { " **more**" } else { "" },
            before.map_or("–".to_owned(), |before| format!("{before:.1}")),
            mispredicted.map_or("–".to_owned(), |count| format!("{count:.2}")),
        );
        writeln!(lines, "{name} {instructions:.1}").expect("a string takes all");
    }
    if has("--update") {
        std::fs::write(EXPECTED, lines).expect("benches/instructions.txt can be written");
    } else {
        assert_eq!(worse, 0, "more instructions than benches/instructions.txt allows");
    }
}

/// Decides every request of a workload, under callgrind's eyes.
fn child(number: usize) {
    let (mix, n) = WORKLOADS[number];
    let workload = Workload::new(mix, n);
    let automaton = workload.automaton();
    // The first round warms caches and predictors; callgrind looks at none of it twice.
    let count = black_box(measured_by_callgrind(&automaton, &workload.requests));
    assert_eq!(count, REQUESTS / 2, "the automaton answers wrongly");
}

#[inline(never)]
fn measured_by_callgrind(automaton: &Automaton, requests: &[Request]) -> usize {
    let allowed = |request: &&Request| {
        let verdict = automaton.here(request.path.as_bytes(), request.access);
        matches!(verdict, Verdict::Allowed(_))
    };
    requests.iter().filter(allowed).count()
}

/// Instructions, and mispredicted branches where asked for, of one decision.
fn count(number: usize, branches: bool) -> (f64, Option<f64>) {
    let program = std::env::current_exe().expect("a program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .arg("--toggle-collect=*measured_by_callgrind*")
        .arg(if branches { "--branch-sim=yes" } else { "--branch-sim=no" })
        .arg(program)
        .args(["--child", &number.to_string()])
        .output()
        .expect("valgrind runs (apt-get install valgrind)");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "callgrind failed:\n{log}");
    let events = log.lines().find(|line| line.contains("Events")).expect("callgrind's events");
    let collected = log.lines().find(|line| line.contains("Collected")).expect("callgrind's sum");
    let after = |line: &str| {
        let values = line.split_once(" : ").map(|(_, values)| values.to_owned());
        values.unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let of = |event: &str| {
        let place = after(events).iter().position(|name| name == event)?;
        after(collected).get(place)?.parse::<f64>().ok().map(|sum| sum / REQUESTS as f64)
    };
    let mispredicted = of("Bcm").zip(of("Bim")).map(|(direct, indirect)| direct + indirect);
    (of("Ir").expect("callgrind counts instructions"), mispredicted)
}
