//! A path is made where it is checked.
use pathward::{Path, PathError};

fn path() -> Result<Path<'static>, PathError> {
    Path::new("pub/data/x")
}

fn main() {
    let _ = path();
}
