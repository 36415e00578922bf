//! The needs of an operation are those that its type states.
use pathward::engine::{Accesses, CopyObject, Operate};

fn needs<'a>(operation: &'a CopyObject<'_>) -> Accesses<'a> {
    operation.accesses()
}

fn main() {
    let _ = needs;
}
