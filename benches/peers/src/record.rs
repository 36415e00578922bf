//! What was measured, as rows; and the CSV file that keeps them.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead, Write},
    path::Path,
};

use crate::{statistics::median, workloads::Cell};

/// The file's name.
pub(crate) const FILE: &str = "measurements.csv";

/// One number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// The name of the workload: `M1`, `M2`, `M3`, `long`, or `A1` to `A6`.
    pub(crate) workload: String,
    /// How many restrictions.
    pub(crate) n: usize,
    /// The engine's id.
    pub(crate) engine: String,
    /// What was measured: see [`measure`].
    pub(crate) measure: String,
    /// The round, from 1; 0 for what is measured once.
    pub(crate) round: usize,
    /// The number.
    pub(crate) value: f64,
    /// Why, where the number alone does not say it.
    pub(crate) note: String,
}

/// The names of measures.
pub(crate) mod measure {
    /// Nanoseconds a decision, caches warm: the mean over the requests timed in a round.
    pub(crate) const NS: &str = "ns";
    /// How many requests were timed in that round.
    pub(crate) const TIMED: &str = "timed";
    /// Nanoseconds of building, the median of some builds.
    pub(crate) const BUILD_NS: &str = "build_ns";
    /// Bytes that are allocated when it is built, and at most while it is being built.
    pub(crate) const BYTES: &str = "bytes";
    pub(crate) const PEAK_BYTES: &str = "peak_bytes";
    /// Bytes that are allocated once all requests were answered.
    pub(crate) const USED_BYTES: &str = "used_bytes";
    /// By how many bytes the process grew with the first build: pages, with what the allocator keeps.
    pub(crate) const RSS_BYTES: &str = "rss_bytes";
    /// How many requests were checked before anything was timed, and how many answers were wrong.
    pub(crate) const CHECKED: &str = "checked";
    pub(crate) const WRONG: &str = "wrong";
    /// Nanoseconds of a decision with caches flushed: the median, without the clock; what the
    /// clock took, and how many were timed.
    pub(crate) const COLD_NS: &str = "cold_ns";
    pub(crate) const COLD_TIMER_NS: &str = "cold_timer_ns";
    pub(crate) const COLD_TIMED: &str = "cold_timed";
    /// Nanoseconds of decisions timed one by one: the median path, and the worst; how many paths.
    pub(crate) const MEDIAN_NS: &str = "median_ns";
    pub(crate) const WORST_NS: &str = "worst_ns";
    pub(crate) const PATHS: &str = "paths";
    /// It has no numbers because it failed: why is in the note.
    pub(crate) const FAILED: &str = "failed";
    /// It was not run: why is in the note.
    pub(crate) const SKIPPED: &str = "skipped";
}

/// All rows, and under what circumstances they were measured.
#[derive(Clone, Debug, Default)]
pub(crate) struct Results {
    /// Machine, versions, date and command, by name.
    pub(crate) about: Vec<(String, String)>,
    /// The numbers, in the order in which they were measured.
    pub(crate) rows: Vec<Row>,
}

impl Results {
    /// Keeps a number.
    pub(crate) fn add(
        &mut self,
        cell: &Cell,
        engine: &str,
        measure: &str,
        round: usize,
        value: f64,
    ) {
        self.rows.push(Row {
            workload: cell.name.to_owned(),
            n: cell.n,
            engine: engine.to_owned(),
            measure: measure.to_owned(),
            round,
            value,
            note: String::new(),
        });
    }

    /// Keeps that there are no more numbers, and why.
    pub(crate) fn note(&mut self, cell: &Cell, engine: &str, measure: &str, why: &str) {
        self.add(cell, engine, measure, 0, 1.0);
        if let Some(row) = self.rows.last_mut() {
            row.note = why.to_owned();
        }
    }

    /// The numbers of a measure, by round.
    pub(crate) fn rounds(&self, cell: &Cell, engine: &str, measure: &str) -> BTreeMap<usize, f64> {
        self.rows_of(cell, engine, measure).map(|row| (row.round, row.value)).collect()
    }

    /// The median of a measure over its rounds.
    pub(crate) fn value(&self, cell: &Cell, engine: &str, measure: &str) -> Option<f64> {
        let mut values: Vec<f64> = self.rounds(cell, engine, measure).into_values().collect();
        (!values.is_empty()).then(|| median(&mut values))
    }

    /// How many times more time one engine takes for a decision than another: the median of what
    /// it is in each round, since what disturbs a machine disturbs both in the same round.
    pub(crate) fn ratio(&self, cell: &Cell, engine: &str, to: &str) -> Option<f64> {
        let [engine, to] = [engine, to].map(|engine| self.rounds(cell, engine, measure::NS));
        let mut ratios: Vec<f64> =
            engine.iter().filter_map(|(round, ns)| Some(ns / to.get(round)?)).collect();
        (!ratios.is_empty()).then(|| median(&mut ratios))
    }

    /// How many wrong answers an engine gave, the most in any pass over the requests.
    pub(crate) fn wrong(&self, cell: &Cell, engine: &str) -> f64 {
        self.rounds(cell, engine, measure::WRONG).into_values().fold(0.0, f64::max)
    }

    /// The note of an engine that failed or was not run.
    pub(crate) fn why(&self, cell: &Cell, engine: &str, measure: &str) -> Option<&str> {
        self.rows_of(cell, engine, measure).next().map(|row| &*row.note)
    }

    /// Whether anything is known of an engine there.
    pub(crate) fn has(&self, cell: &Cell, engine: &str) -> bool {
        self.rows
            .iter()
            .any(|row| row.workload == cell.name && row.n == cell.n && row.engine == engine)
    }

    fn rows_of(&self, cell: &Cell, engine: &str, measure: &str) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| {
            row.workload == cell.name
                && row.n == cell.n
                && row.engine == engine
                && row.measure == measure
        })
    }

    /// Writes the file into a folder, which is made if need be.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = io::BufWriter::new(fs::File::create(folder.join(FILE))?);
        for (name, value) in &self.about {
            writeln!(file, "# {name}: {value}")?;
        }
        let mut csv = csv::Writer::from_writer(file);
        csv.write_record(["workload", "n", "engine", "measure", "round", "value", "note"])?;
        for row in &self.rows {
            let [n, round] = [row.n, row.round].map(|number| number.to_string());
            let value = row.value.to_string();
            csv.write_record([
                &row.workload,
                &n,
                &row.engine,
                &row.measure,
                &round,
                &value,
                &row.note,
            ])?;
        }
        csv.flush()
    }

    /// Reads the file of a folder.
    ///
    /// # Errors
    ///
    /// Those of reading, and a row that is none.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let mut results = Self::default();
        let path = folder.join(FILE);
        for line in io::BufReader::new(fs::File::open(&path)?).lines() {
            let line = line?;
            match line.strip_prefix("# ").and_then(|line| line.split_once(": ")) {
                Some((name, value)) => results.about.push((name.to_owned(), value.to_owned())),
                None => break,
            }
        }
        let mut csv = csv::ReaderBuilder::new().comment(Some(b'#')).from_path(&path)?;
        for record in csv.records() {
            let record = record?;
            let row = row(&record).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, format!("not a row: {record:?}"))
            })?;
            results.rows.push(row);
        }
        Ok(results)
    }
}

fn row(record: &csv::StringRecord) -> Option<Row> {
    Some(Row {
        workload: record.get(0)?.to_owned(),
        n: record.get(1)?.parse().ok()?,
        engine: record.get(2)?.to_owned(),
        measure: record.get(3)?.to_owned(),
        round: record.get(4)?.parse().ok()?,
        value: record.get(5)?.parse().ok()?,
        note: record.get(6)?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: Cell = Cell { name: "M2", n: 10 };

    #[test]
    fn ratios_are_of_the_same_round() {
        let mut results = Results::default();
        for (round, (a, b)) in [(10.0, 1.0), (40.0, 2.0), (30.0, 10.0)].into_iter().enumerate() {
            results.add(&CELL, "a", measure::NS, round + 1, a);
            results.add(&CELL, "b", measure::NS, round + 1, b);
        }
        assert_eq!(results.value(&CELL, "a", measure::NS), Some(30.0));
        assert_eq!(results.ratio(&CELL, "a", "b"), Some(10.0));
        assert_eq!(results.ratio(&CELL, "a", "c"), None);
    }

    #[test]
    fn what_is_written_is_read() {
        let folder =
            std::env::temp_dir().join(format!("pathward-peers-csv-{}", std::process::id()));
        let mut results = Results::default();
        results.about.push(("cpu".to_owned(), "a: b, \"c\"".to_owned()));
        results.add(&CELL, "here", measure::NS, 2, 12.5);
        results.note(&CELL, "oso", measure::FAILED, "panicked: \"x\", # y");
        results.write(&folder).unwrap();
        let read = Results::read(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(read.about, results.about);
        assert_eq!(read.rows, results.rows);
    }
}
