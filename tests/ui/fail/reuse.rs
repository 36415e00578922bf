//! It cannot be run again.
use pathward::{Approved, engine::DeleteObject};

fn run<'a>(approved: Approved<DeleteObject<'a>>) -> (DeleteObject<'a>, DeleteObject<'a>) {
    (approved.into_operation(), approved.into_operation())
}

fn main() {
    let _ = run;
}
