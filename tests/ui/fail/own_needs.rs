//! They cannot be made up or left out.
use pathward::engine::{Accesses, CopyObject};

fn needs<'a>(_operation: &'a CopyObject<'_>) -> Accesses<'a> {
    Accesses { fixed: [None, None], deletes: [].iter() }
}

fn main() {
    let _ = needs;
}
