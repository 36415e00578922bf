//! Pathward beside its peers: the same restrictions, the same requests, in turns.
//!
//! * [`workloads`], [`hostile`]: restrictions and requests; [`oracle`]: the right answers.
//! * [`engine`], [`engines`]: what is measured, each as its users would use it.
//! * [`run`], [`process`]: the parent, which starts a child for each engine and asks it in rounds.
//! * [`child`], [`cold`]: the child, which builds, checks and times.
//! * [`record`], [`report`]: the numbers, and what is made of them.

mod child;
mod cold;
mod engine;
mod engines;
mod hostile;
mod machine;
mod options;
mod oracle;
mod order;
mod process;
mod record;
mod report;
mod run;
mod statistics;
mod wire;
#[path = "../../workload/mod.rs"]
#[expect(dead_code, reason = "the engines here are built by `engines`")]
mod workload;
mod workloads;

use std::{env, error::Error, path::Path, process::ExitCode};

use options::{Options, Task};
use record::Results;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [child, engine, task] = &*arguments
        && child == "child"
    {
        let entry = engines::find(engine).ok_or("no such engine")?;
        (entry.serve)(&wire::read(Path::new(task))?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let options = Options::parse(arguments.into_iter())?;
    match options.task {
        Task::Help => report::help(),
        Task::Quick => {
            let (cells, results) = run::quick(&options)?;
            return Ok(report::answers(&cells, &results));
        }
        Task::Measure => {
            let results = run::measure(&options)?;
            report::write(&results, &options.out)?;
        }
        Task::Plots => report::write(&Results::read(&options.out)?, &options.out)?,
        Task::CheckTargets => return Ok(report::check_targets(&Results::read(&options.out)?)),
    }
    Ok(ExitCode::SUCCESS)
}
