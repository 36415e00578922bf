//! An approval is used up by what runs it.
use pathward::{Approved, engine::DeleteObject};

fn run(approved: Approved<DeleteObject<'_>>) -> DeleteObject<'_> {
    approved.into_operation()
}

fn main() {
    let _ = run;
}
