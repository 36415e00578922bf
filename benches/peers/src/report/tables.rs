//! Markdown tables.

use super::units;
use crate::{
    engine::Kind,
    engines::{self, Entry},
    hostile,
    record::{Results, measure},
    workloads::{Cell, LONG},
};

/// A column: its head, and what it has for an engine.
type Column<'r> = (String, Box<dyn Fn(&Entry, &mut Notes) -> String + 'r>);

/// Footnotes, in the order in which they were first needed.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<String>);

impl Notes {
    /// The mark of a footnote.
    fn mark(&mut self, text: String) -> String {
        let place = self.0.iter().position(|known| *known == text).unwrap_or_else(|| {
            self.0.push(text);
            self.0.len() - 1
        });
        format!("<sup>{}</sup>", place + 1)
    }

    /// All of them, as a list.
    pub(super) fn list(&self) -> String {
        let line = |(n, text): (usize, &String)| format!("{}. {}\n", n + 1, escape(text));
        self.0.iter().enumerate().map(line).collect()
    }
}

/// Nanoseconds a decision of a mixture, by size.
pub(super) fn decisions(results: &Results, name: &'static str, notes: &mut Notes) -> String {
    let mut columns = by_size(results, name, |cell, entry, notes| {
        number(results, cell, entry, measure::NS, notes, units::ns)
    });
    if name == "M2" {
        for n in [10, 1_000] {
            let cell = Cell { name, n };
            if measured(results, &cell, measure::COLD_NS) {
                columns.push((
                    format!("cold, {}", size(n)),
                    Box::new(move |entry, notes| {
                        number(results, &cell, entry, measure::COLD_NS, notes, units::ns)
                    }),
                ));
            }
        }
        let cell = Cell { name: LONG, n: 1_000 };
        for (head, measure) in [("mean", measure::NS), ("worst", measure::WORST_NS)] {
            let cell = cell.clone();
            if measured(results, &cell, measure) {
                columns.push((
                    format!("1,024 bytes, 1k, {head}"),
                    Box::new(move |entry, notes| {
                        number(results, &cell, entry, measure, notes, units::ns)
                    }),
                ));
            }
        }
    }
    table(results, &columns, |_| true, notes)
}

/// Multiples of hash-and-probe, by size.
pub(super) fn multiples(results: &Results, name: &'static str, notes: &mut Notes) -> String {
    let columns = by_size(results, name, |cell, entry, notes| {
        match results.ratio(cell, entry.about.id, "probe") {
            Some(ratio) => units::ratio(ratio),
            None => number(results, cell, entry, measure::NS, notes, units::ns),
        }
    });
    table(results, &columns, |entry| entry.about.id != "probe", notes)
}

/// Nanoseconds of building, by size.
pub(super) fn builds(results: &Results, name: &'static str, notes: &mut Notes) -> String {
    let columns = by_size(results, name, |cell, entry, notes| {
        number(results, cell, entry, measure::BUILD_NS, notes, units::ns)
    });
    table(results, &columns, |entry| entry.about.kind != Kind::Limit, notes)
}

/// Bytes a restriction once all requests were answered, by size.
pub(super) fn memory(results: &Results, name: &'static str, notes: &mut Notes) -> String {
    let columns = by_size(results, name, |cell, entry, notes| {
        let each = |bytes: f64| units::bytes(bytes / cell.n as f64);
        number(results, cell, entry, measure::USED_BYTES, notes, each)
    });
    table(results, &columns, |entry| entry.about.kind != Kind::Limit, notes)
}

/// The hostile sets: the median path and the worst; `None` if none was measured.
pub(super) fn hostile(results: &Results, notes: &mut Notes) -> Option<String> {
    let mut columns: Vec<Column<'_>> = Vec::new();
    for name in hostile::SETS {
        let cell = Cell { name, n: hostile::len(name) };
        for (head, measure) in [("median", measure::MEDIAN_NS), ("worst", measure::WORST_NS)] {
            let cell = cell.clone();
            if measured(results, &cell, measure) {
                columns.push((
                    format!("{name} {head}"),
                    Box::new(move |entry, notes| {
                        number(results, &cell, entry, measure, notes, units::ns)
                    }),
                ));
            }
        }
    }
    let is_engine = |entry: &Entry| entry.about.kind != Kind::Limit;
    (!columns.is_empty()).then(|| table(results, &columns, is_engine, notes))
}

/// The sizes in which a mixture was measured.
pub(super) fn sizes(results: &Results, name: &str) -> Vec<usize> {
    let mut sizes: Vec<usize> =
        results.rows.iter().filter(|row| row.workload == name).map(|row| row.n).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// A size as tables and plots write it.
pub(super) fn size(n: usize) -> String {
    match n {
        n if n >= 1_000 && n.is_multiple_of(1_000) => format!("{}k", n / 1_000),
        n => n.to_string(),
    }
}

/// Text within a table.
pub(super) fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

fn by_size<'r>(
    results: &'r Results,
    name: &'static str,
    text: impl Fn(&Cell, &Entry, &mut Notes) -> String + Copy + 'r,
) -> Vec<Column<'r>> {
    let column = |n| -> Column<'r> {
        let cell = Cell { name, n };
        (size(n), Box::new(move |entry, notes| text(&cell, entry, notes)))
    };
    sizes(results, name).into_iter().map(column).collect()
}

/// A number, or why there is none.
fn number(
    results: &Results,
    cell: &Cell,
    entry: &Entry,
    measure: &str,
    notes: &mut Notes,
    format: impl Fn(f64) -> String,
) -> String {
    let id = entry.about.id;
    let Some(value) = results.value(cell, id, measure) else {
        return match results.why(cell, id, measure::FAILED) {
            Some(why) => format!("✗{}", notes.mark(format!("{id}: {why}"))),
            None => "–".to_owned(),
        };
    };
    let mut text = format(value);
    if matches!(measure, measure::BUILD_NS | measure::USED_BYTES) {
        return text;
    }
    let checked = results.value(cell, id, measure::CHECKED);
    let requests = results.value(cell, "probe", measure::CHECKED);
    if let (Some(checked), Some(requests)) = (checked, requests) {
        let wrong = results.wrong(cell, id);
        if wrong > 0.0 {
            let [wrong, checked] = [wrong, checked].map(units::thousands);
            text.push('†');
            text.push_str(&notes.mark(format!("{id}: {wrong} of {checked} answers are wrong")));
        } else if checked < requests {
            let [checked, requests] = [checked, requests].map(units::thousands);
            text.push_str(&notes.mark(format!(
                "{id}: too slow to be checked on all {requests} requests; right on the {checked} it was checked on"
            )));
        }
    }
    text
}

/// Whether any engine has this.
fn measured(results: &Results, cell: &Cell, measure: &str) -> bool {
    engines::ALL.iter().any(|entry| results.value(cell, entry.about.id, measure).is_some())
}

/// A row for each engine that was run at all, Pathward's in bold, limits in italics.
fn table(
    results: &Results,
    columns: &[Column<'_>],
    has_row: impl Fn(&Entry) -> bool,
    notes: &mut Notes,
) -> String {
    let heads: Vec<&str> = columns.iter().map(|(head, _)| &**head).collect();
    let mut text =
        format!("| engine | {} |\n|---|{}\n", heads.join(" | "), "--:|".repeat(columns.len()));
    let was_run = |id| results.rows.iter().any(|row| row.engine == id);
    for entry in engines::ALL.iter().filter(|entry| was_run(entry.about.id) && has_row(entry)) {
        let mark = match entry.about.kind {
            Kind::Ours => "**",
            Kind::Peer => "",
            Kind::Limit => "*",
        };
        let numbers: Vec<String> = columns.iter().map(|(_, text)| text(entry, notes)).collect();
        let title = escape(entry.about.title);
        text.push_str(&format!("| {mark}{title}{mark} | {} |\n", numbers.join(" | ")));
    }
    text
}
