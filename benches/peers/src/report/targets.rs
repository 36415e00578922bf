//! What is asked of Pathward, beside what was measured.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::process::ExitCode;

use super::units::ratio;
use crate::{
    record::{Results, measure},
    workloads::Cell,
};

/// The engine that the targets are about.
const SUBJECT: &str = "here";

/// One thing that is asked.
pub(super) struct Target {
    /// Of which workload.
    pub(super) cell: Cell,
    /// What is measured, in words.
    pub(super) what: &'static str,
    /// How much is asked, and whether at most or at least so much.
    pub(super) asked: f64,
    pub(super) is_most: bool,
    /// How much it is; `None` if it was not measured.
    pub(super) measured: Option<f64>,
}

impl Target {
    /// Whether it is met.
    pub(super) fn is_met(&self) -> bool {
        self.measured.is_some_and(|measured| match self.is_most {
            true => measured <= self.asked,
            false => measured >= self.asked,
        })
    }

    /// `met`, `MISSED` or `not measured`.
    pub(super) fn verdict(&self) -> &'static str {
        match (self.measured, self.is_met()) {
            (None, _) => "not measured",
            (_, true) => "met",
            (_, false) => "MISSED",
        }
    }

    /// `at most` or `at least`.
    pub(super) fn bound(&self) -> &'static str {
        if self.is_most { "at most" } else { "at least" }
    }

    /// What was measured, as a number.
    pub(super) fn number(&self) -> String {
        self.measured.map_or_else(|| "–".to_owned(), ratio)
    }
}

/// By restrictions of M2: multiples of hash-and-probe at most, times faster than globset and than
/// Cedar with a request per decision at least. Cedar is not run with the most.
const M2: [(usize, f64, f64, Option<f64>); 6] = [
    (1, 0.5, 10.0, Some(350.0)),
    (10, 1.1, 4.5, Some(700.0)),
    (100, 2.0, 5.0, Some(3_500.0)),
    (1_000, 3.0, 6.0, Some(20_000.0)),
    (10_000, 5.0, 14.0, Some(200_000.0)),
    (100_000, 8.0, 40.0, None),
];

/// All that is asked.
pub(super) fn all(results: &Results) -> Vec<Target> {
    let multiple = |cell: &Cell| results.ratio(cell, SUBJECT, "probe");
    let faster = |cell: &Cell, peer| results.ratio(cell, peer, SUBJECT);
    let mut targets = Vec::new();
    for (n, most, globset, cedar) in M2 {
        let cell = Cell { name: "M2", n };
        targets.push(Target {
            measured: multiple(&cell),
            cell: cell.clone(),
            what: "multiple of hash-and-probe",
            asked: most,
            is_most: true,
        });
        let peers = [
            ("globset", "times faster than globset `is_match`", Some(globset)),
            ("cedar", "times faster than Cedar, request per decision", cedar),
        ];
        for (peer, what, asked) in peers {
            if let Some(asked) = asked {
                let measured = faster(&cell, peer);
                let cell = cell.clone();
                targets.push(Target { cell, what, asked, is_most: false, measured });
            }
        }
    }
    let cell = Cell { name: "M3", n: 10_000 };
    targets.push(Target {
        measured: multiple(&cell),
        cell,
        what: "multiple of hash-and-probe",
        asked: 20.0,
        is_most: true,
    });
    for name in ["A3", "A4", "A5", "A6"] {
        let cell = Cell { name, n: crate::hostile::len(name) };
        targets.push(Target {
            measured: results.value(&cell, SUBJECT, measure::WORST_NS).map(|ns| ns / 1e6),
            cell,
            what: "ms for the worst path of 1,024 bytes",
            asked: 0.1,
            is_most: true,
        });
    }
    targets
}

/// Prints the targets, a line of fields between tabs for each. Fails if one is missed, or was not
/// measured.
pub(crate) fn check_targets(results: &Results) -> ExitCode {
    println!("workload\tn\twhat\tbound\tasked\tmeasured\tverdict");
    let targets = all(results);
    for target in &targets {
        let Target { cell, what, asked, .. } = target;
        let measured = target.measured.map_or_else(|| "-".to_owned(), |number| number.to_string());
        println!(
            "{}\t{}\t{what}\t{}\t{asked}\t{measured}\t{}",
            cell.name,
            cell.n,
            target.bound(),
            target.verdict()
        );
    }
    match targets.iter().all(Target::is_met) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
