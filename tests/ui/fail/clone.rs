//! The approval itself is there once.
use pathward::{Approved, engine::ReadObject};

fn look(approved: Approved<ReadObject<'static>>) -> (Approved<ReadObject<'static>>, Approved<ReadObject<'static>>) {
    (approved.clone(), approved)
}

fn main() {
    let _ = look;
}
