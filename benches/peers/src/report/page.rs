//! The page of results.

use std::fmt::{self, Write};

use super::{
    tables::{self, Notes},
    targets,
};
use crate::{
    engines, machine,
    record::{FILE, Results},
    workloads::MIXES,
};

const LEGEND: &str = "\
Median ns a decision over the rounds, caches warm; k = µs, M = ms, G = s. ✗ did not build, refused, was \
killed or died: the footnote says why. – not run, because it failed with fewer restrictions or took more \
than 10 ms a decision with them; the CSV says which. † wrong answers. *Italics*: no engine, but what the \
machine needs for a part of any decision. Trust ratios, not absolutes.";

const HOSTILE: &str = "\
ns a decision, each path timed by itself: the median path and the worst. A1: `*a*a*a*a*a*b`. A2: 200 with \
several stars. A3: a thousand `*A*B*`. A4: a thousand at which one-backtrack matchers are quadratic. A5: \
1,024 in nested directories. A6: a thousand whose pieces are ends of each other. From A3 on, paths have \
1,024 bytes.";

/// The page, which shows the plots of these names.
pub(super) fn page(results: &Results, plots: &[&str]) -> String {
    let mut page = String::new();
    // Writing into a string does not fail.
    let _ = write_page(&mut page, results, plots);
    page
}

fn write_page(page: &mut String, results: &Results, plots: &[&str]) -> fmt::Result {
    writeln!(page, "# Pathward beside its peers: results\n")?;
    writeln!(
        page,
        "Written by the benchmark, from [{FILE}]({FILE}). [What is measured, and how](../README.md).\n"
    )?;
    writeln!(page, "| | |\n|---|---|")?;
    for (name, value) in &results.about {
        writeln!(page, "| {name} | {} |", tables::escape(value))?;
    }
    writeln!(page, "\n{LEGEND}\n")?;

    let mut notes = Notes::default();
    let plot = |page: &mut String, name: &str, what: &str| match plots.contains(&name) {
        true => writeln!(page, "![{what}]({name})\n"),
        false => Ok(()),
    };
    // The realistic one first.
    for name in ["M2", "M1", "M3"] {
        if MIXES.iter().all(|(mix, _)| *mix != name) || tables::sizes(results, name).is_empty() {
            continue;
        }
        let head = match name {
            "M1" => "M1: literals and prefixes only",
            "M2" => "M2: realistic",
            _ => "M3: all `*A*B*`",
        };
        writeln!(page, "## {head}\n")?;
        plot(page, &format!("ns-{name}.svg"), &format!("{name}: ns a decision by restrictions"))?;
        writeln!(page, "{}", tables::decisions(results, name, &mut notes))?;
        writeln!(page, "Multiples of hash-and-probe, medians of the rounds' own:\n")?;
        writeln!(page, "{}", tables::multiples(results, name, &mut notes))?;
        writeln!(page, "Building, in ns (k = µs, M = ms, G = s), from the restrictions' texts:\n")?;
        plot(
            page,
            &format!("build-{name}.svg"),
            &format!("{name}: time of building by restrictions"),
        )?;
        writeln!(page, "{}", tables::builds(results, name, &mut notes))?;
        writeln!(page, "Bytes a restriction, once all requests were answered:\n")?;
        plot(page, &format!("bytes-{name}.svg"), &format!("{name}: bytes a restriction"))?;
        writeln!(page, "{}", tables::memory(results, name, &mut notes))?;
    }

    if let Some(table) = tables::hostile(results, &mut notes) {
        writeln!(page, "## Hostile sets\n\n{HOSTILE}\n\n{table}")?;
    }

    writeln!(
        page,
        "## Targets\n\n| workload | N | | asked | measured | |\n|---|--:|---|--:|--:|---|"
    )?;
    for target in targets::all(results) {
        writeln!(
            page,
            "| {} | {} | {} | {} {} | {} | {} |",
            target.cell.name,
            tables::size(target.cell.n),
            target.what,
            target.bound(),
            target.asked,
            target.number(),
            target.verdict()
        )?;
    }

    writeln!(page, "\n## Notes\n\n{}", notes.list())?;
    writeln!(page, "## How each is used, and what is for and against it\n")?;
    for entry in engines::ALL {
        let about = &entry.about;
        let versions: Vec<String> = about
            .crates
            .iter()
            .map(|name| format!("{name} {}", machine::version(name).unwrap_or("?")))
            .collect();
        let versions = match versions.is_empty() {
            true => String::new(),
            false => format!(" ({})", versions.join(", ")),
        };
        writeln!(page, "* **{}** `{}`{versions}. {}", about.title, about.id, about.bias)?;
    }
    Ok(())
}
