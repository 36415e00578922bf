//! What was approved can be looked at as often as one likes.
use pathward::{Approved, engine::ReadObject};

fn look(approved: &Approved<ReadObject<'static>>) -> (ReadObject<'static>, ReadObject<'static>) {
    (approved.operation().clone(), approved.operation().clone())
}

fn main() {
    let _ = look;
}
