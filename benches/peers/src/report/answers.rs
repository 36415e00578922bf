//! What is printed without measuring: answers that were checked, and the list of engines.

#![expect(clippy::print_stdout, reason = "printing is what these are for")]

use std::process::ExitCode;

use crate::{
    engines,
    options::HELP,
    record::{Results, measure},
    workloads::Cell,
};

/// Prints what `--help` does.
pub(crate) fn help() {
    println!("{HELP}\n");
    for entry in engines::ALL {
        println!("    {:<14}{}", entry.about.id, entry.about.title);
    }
}

/// Prints which engines answered how many requests rightly. Fails if one gave a wrong answer,
/// which would be a mistake in how it is used here, or if Pathward could not answer at all; that a
/// peer cannot is nothing that a change of ours broke.
pub(crate) fn answers(cells: &[Cell], results: &Results) -> ExitCode {
    let mut failures = 0;
    for cell in cells {
        println!("{}, {} restrictions", cell.name, cell.n);
        for entry in engines::ALL {
            let id = entry.about.id;
            let checked = results.value(cell, id, measure::CHECKED).unwrap_or_default();
            let wrong = results.wrong(cell, id);
            let why = results
                .why(cell, id, measure::FAILED)
                .or_else(|| results.why(cell, id, measure::SKIPPED));
            let said = match why {
                Some(why) => why.to_owned(),
                None if !results.has(cell, id) => continue,
                None if wrong > 0.0 => format!("{wrong} of {checked} answers are WRONG"),
                None => format!("{checked} answers are right"),
            };
            let is_failure = wrong > 0.0 || why.is_some() && engines::is_ours(id);
            failures += usize::from(is_failure);
            println!("    {:<14}{said}", id);
        }
    }
    match failures {
        0 => ExitCode::SUCCESS,
        _ => {
            println!("FAILED: {failures} times an engine answers wrongly, or Pathward not at all");
            ExitCode::FAILURE
        }
    }
}
