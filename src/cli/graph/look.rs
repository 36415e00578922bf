//! What places look like: words and colours, the same in every kind of picture.

use crate::{
    access::{Access, AccessSet},
    analysis::{Decided, Place},
};

/// What a place is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Nothing,
    List,
    Read,
    Both,
    Write,
    Delete,
}

impl Kind {
    pub(super) const ALL: [Self; 6] =
        [Self::Read, Self::Both, Self::Write, Self::Delete, Self::List, Self::Nothing];

    fn of(has: AccessSet) -> Self {
        match (has.contains(Access::Read), has.contains(Access::Write)) {
            (true, true) => Self::Both,
            (false, true) => Self::Write,
            _ if has.contains(Access::Delete) => Self::Delete,
            (true, false) => Self::Read,
            (false, false) => Self::Nothing,
        }
    }

    /// Its class in a style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Nothing => "n",
            Self::List => "l",
            Self::Read => "r",
            Self::Both => "b",
            Self::Write => "w",
            Self::Delete => "d",
        }
    }

    /// Its colours: of the area, of the line; for light pages, then for dark ones. They are told apart
    /// by those who do not see red or green, and every place says in words what it is.
    pub(super) const fn colors(self) -> [&'static str; 4] {
        match self {
            Self::Nothing => ["#ffffff", "#6b7280", "#0d1117", "#8b949e"],
            Self::List => ["#eceff3", "#57606a", "#262c36", "#9aa4b0"],
            Self::Read => ["#cfe6fb", "#0b62a8", "#123a5c", "#6cb6ff"],
            Self::Both => ["#c9efdf", "#00694b", "#0d4435", "#4fd1a5"],
            Self::Write => ["#fdeab8", "#8a5a00", "#4d3a08", "#e3b341"],
            Self::Delete => ["#f3d9ea", "#8a3a6c", "#4c2640", "#f0a0d0"],
        }
    }

    /// What it means.
    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::List => "list: shows what leads on",
            Self::Read => "read",
            Self::Both => "read and write",
            Self::Write => "write without read",
            Self::Delete => "delete without write",
        }
    }
}

/// The lines of what is denied: of the area, of the line; light, then dark.
pub(super) const DENIED: [&str; 4] = ["#fbd5c5", "#b02a00", "#55200f", "#ff9166"];

/// One part of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) kind: Kind,
    /// Whether something is denied.
    pub(super) is_denied: bool,
    pub(super) lines: Vec<String>,
}

/// A place: what it is itself, and what all is that starts so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) here: Cell,
    pub(super) below: Option<Cell>,
}

impl Look {
    /// What starts so is not said of a place that is an exception in its parent's area, and only
    /// itself.
    pub(super) fn of(place: &Place, parent: Option<&Place>) -> Self {
        let here = place.here.unwrap_or(place.below);
        let is_alone =
            here != place.below && parent.is_some_and(|parent| parent.below == place.below);
        let is_shown = !is_alone && !place.below.is_nothing();
        let below = is_shown.then(|| match here == place.below {
            true => Cell { lines: vec!["*".into()], ..cell(place.below, false) },
            false => {
                let mut below = cell(place.below, false);
                below.lines[0].insert_str(0, "* ");
                below
            }
        });
        Self { here: cell(here, place.lists), below }
    }

    /// All of it on one line.
    pub(super) fn line(&self) -> String {
        let mut line = self.here.lines.join(", ");
        if let Some(below) = &self.below {
            line.push(' ');
            line.push_str(&below.lines.join(", "));
        }
        line
    }

    /// Both parts.
    pub(super) fn cells(&self) -> impl Iterator<Item = &Cell> {
        std::iter::once(&self.here).chain(&self.below)
    }
}

fn cell(decided: Decided, lists: bool) -> Cell {
    let has = decided.has();
    let is_denied = !decided.denied.is_empty();
    let denied = match decided.is_shut {
        true => "denied".into(),
        false => format!("{} denied", names(decided.denied)),
    };
    let (kind, lines) = match (has.is_empty(), is_denied) {
        (false, false) => (Kind::of(has), vec![names(has)]),
        (false, true) => (Kind::of(has), vec![names(has), denied]),
        (true, true) => (Kind::Nothing, vec![denied]),
        (true, false) if lists => (Kind::List, vec!["list".into()]),
        (true, false) => (Kind::Nothing, vec!["nothing".into()]),
    };
    Cell { kind, is_denied, lines }
}

/// The accesses, each by its name: `read-write` leaves out that it deletes.
pub(super) fn names(set: AccessSet) -> String {
    set.iter().map(Access::name).collect::<Vec<_>>().join(", ")
}
