//! And nowhere else.
use pathward::{Path, PathError};

fn path() -> Result<Path<'static>, PathError> {
    Ok(Path(std::borrow::Cow::Borrowed(b"pub/../x")))
}

fn main() {
    let _ = path();
}
