//! A task as a file, so that the parent makes and labels it once and each child reads it.
//!
//! A line for each rule, `rule⇥accesses⇥text`, and for each request, `ask⇥access⇥granted⇥path`.
//! Neither texts nor paths have control bytes.

use std::{fmt::Write, fs, io, path::Path};

use pathward::{Access, AccessSet};

use crate::{
    engine::{Rule, Task},
    workload::Request,
};

/// Writes a task.
///
/// # Errors
///
/// Those of writing the file.
pub(crate) fn write(task: &Task, to: &Path) -> io::Result<()> {
    let mut text = String::new();
    for Rule { text: rule, access } in &task.rules {
        writeln!(text, "rule\t{}\t{rule}", access.bits()).map_err(io::Error::other)?;
    }
    for Request { path, access, granted } in &task.requests {
        writeln!(text, "ask\t{access}\t{granted}\t{path}").map_err(io::Error::other)?;
    }
    fs::write(to, text)
}

/// Reads a task.
///
/// # Errors
///
/// Those of reading the file, and a line that is none of a task.
pub(crate) fn read(from: &Path) -> io::Result<Task> {
    let mut task = Task { rules: vec![], requests: vec![] };
    for line in fs::read_to_string(from)?.lines() {
        let bad = || io::Error::new(io::ErrorKind::InvalidData, format!("not a task: {line}"));
        let fields: Vec<&str> = line.split('\t').collect();
        match *fields {
            ["rule", bits, text] => task.rules.push(Rule {
                text: text.to_owned(),
                access: AccessSet::from_bits(bits.parse().map_err(|_| bad())?),
            }),
            ["ask", access, granted, path] => task.requests.push(Request {
                path: path.to_owned(),
                access: Access::from_name(access).ok_or_else(bad)?,
                granted: granted.parse().map_err(|_| bad())?,
            }),
            _ => return Err(bad()),
        }
    }
    Ok(task)
}
