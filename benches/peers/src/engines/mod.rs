//! The engines, each in the file of its crate or family, and the list of them.

mod casbin;
mod cedar;
mod limits;
mod oso;
mod pathward;
mod regorus;
mod sets;
mod wildcards;

use std::io;

use crate::{
    child,
    engine::{About, Engine, Kind, Task},
};

/// An engine that can be run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// What the results say about it.
    pub(crate) about: About,
    /// Runs it in this process, which the parent asks over stdin.
    pub(crate) serve: fn(&Task) -> io::Result<()>,
}

impl Entry {
    const fn of<E: Engine>() -> Self {
        Self { about: E::ABOUT, serve: child::serve::<E> }
    }
}

/// All engines, in the order of the tables.
pub(crate) const ALL: &[Entry] = &[
    Entry::of::<pathward::Here>(),
    Entry::of::<pathward::Batch>(),
    Entry::of::<pathward::Decide>(),
    Entry::of::<pathward::FromBytes>(),
    Entry::of::<sets::Globset>(),
    Entry::of::<sets::Dense>(),
    Entry::of::<sets::Lazy>(),
    Entry::of::<sets::Regexes>(),
    Entry::of::<wildcards::Star>(),
    Entry::of::<wildcards::Recursive>(),
    Entry::of::<wildcards::Wildmatch>(),
    Entry::of::<cedar::PerAccess>(),
    Entry::of::<cedar::PerRestriction>(),
    Entry::of::<regorus::Rego>(),
    Entry::of::<casbin::Casbin>(),
    Entry::of::<oso::Polar>(),
    Entry::of::<limits::Load>(),
    Entry::of::<limits::Compare>(),
    Entry::of::<limits::Hash>(),
    Entry::of::<limits::Probe>(),
    Entry::of::<limits::Step>(),
];

/// The engine of this id.
pub(crate) fn find(id: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.about.id == id)
}

/// The title of the engine of this id, for notes.
pub(crate) fn is_ours(id: &str) -> bool {
    find(id).is_some_and(|entry| entry.about.kind == Kind::Ours)
}
