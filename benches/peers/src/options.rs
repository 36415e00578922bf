//! The command line.

use std::{path::PathBuf, time::Duration};

use crate::{engines, workloads::Cell};

/// What `--help` says.
pub(crate) const HELP: &str = "\
Measures Pathward beside its peers. Behind `--`:

    --quick             checks answers only, up to N = 100; no times
    --only ID,ID        these engines (hash-and-probe comes along, for the ratios)
    --mix NAME,NAME     these workloads: M1, M2, M3, long, hostile, or A1 to A6
    --sizes N,N         these sizes of M1 to M3
    --rounds N          so many rounds, at least 3 (11 if not said)
    --check-seconds N   answers are checked for so long at most, before anything is timed (600 if not
                        said; 120 of it for the hostile sets)
    --out DIR           results go there, and not to benches/peers/results
    --plots             draws tables and plots from the CSV there, without measuring
    --check-targets     prints what is asked of Pathward beside what the CSV there has; exits with 1
                        if a target is missed or was not measured

Engines:";

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Measure,
    Quick,
    Plots,
    CheckTargets,
    Help,
}

/// The options.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) task: Task,
    /// The engines; none means all.
    pub(crate) only: Vec<String>,
    /// The workloads; none means all.
    pub(crate) mixes: Vec<String>,
    /// The sizes; none means all.
    pub(crate) sizes: Vec<usize>,
    pub(crate) rounds: usize,
    /// For how long the answers of one engine on one workload are checked at most.
    pub(crate) check: Duration,
    pub(crate) out: PathBuf,
}

impl Options {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// What is not understood.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            task: Task::Measure,
            only: vec![],
            mixes: vec![],
            sizes: vec![],
            rounds: 11,
            check: Duration::from_secs(600),
            out: concat!(env!("CARGO_MANIFEST_DIR"), "/results").into(),
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("`{argument}` needs a value"));
            match &*argument {
                "--quick" => options.task = Task::Quick,
                "--plots" => options.task = Task::Plots,
                "--check-targets" => options.task = Task::CheckTargets,
                "--help" | "-h" => options.task = Task::Help,
                "--only" => options.only = list(&value()?),
                "--mix" => options.mixes = list(&value()?),
                "--sizes" => {
                    let sizes = list(&value()?).into_iter().map(|size| number(&size));
                    options.sizes = sizes.collect::<Result<_, _>>()?;
                }
                "--rounds" => options.rounds = number(&value()?)?,
                "--check-seconds" => options.check = Duration::from_secs(number(&value()?)? as u64),
                "--out" => options.out = value()?.into(),
                _ => return Err(format!("`{argument}` is no option; `--help` lists them")),
            }
        }
        if let Some(id) = options.only.iter().find(|id| engines::find(id).is_none()) {
            return Err(format!("`{id}` is no engine; `--help` lists them"));
        }
        if let Some(name) = options.mixes.iter().find(|name| !Cell::is_name(name)) {
            return Err(format!("`{name}` is no workload; `--help` lists them"));
        }
        if options.rounds < 3 {
            return Err("a median needs at least 3 rounds".to_owned());
        }
        Ok(options)
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

fn number(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("`{text}` is no number above 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options() {
        let options = parse("--only here,globset --mix M2,A4 --sizes 1,10 --rounds 3").unwrap();
        assert_eq!(options.only, ["here", "globset"]);
        assert_eq!(options.mixes, ["M2", "A4"]);
        assert_eq!((options.sizes, options.rounds), (vec![1, 10], 3));
        for bad in ["--onyl x", "--only x", "--mix M4", "--sizes 0", "--rounds 2", "--out"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
