//! What is made of the numbers: a page with tables, plots, and a list of targets.

mod answers;
mod page;
mod plot;
mod plots;
mod svg;
mod tables;
mod targets;
mod units;

use std::{fs, io, path::Path};

pub(crate) use self::{
    answers::{answers, help},
    targets::check_targets,
};
use crate::record::Results;

/// Writes the page and the plots into a folder.
///
/// # Errors
///
/// Those of writing.
pub(crate) fn write(results: &Results, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let plots = plots::all(results);
    for (name, svg) in &plots {
        fs::write(folder.join(name), svg)?;
    }
    let names: Vec<&str> = plots.iter().map(|(name, _)| &**name).collect();
    fs::write(folder.join("README.md"), page::page(results, &names))
}
