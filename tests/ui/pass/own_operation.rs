//! An operation of this crate, whatever it is, can be approved.
use pathward::{
    Path,
    engine::{Accesses, Operate as _, ReadObject},
};

struct Harmless<'a>(ReadObject<'a>);

impl Harmless<'_> {
    fn accesses(&self) -> Accesses<'_> {
        self.0.accesses()
    }
}

fn main() {
    let _ = Harmless(ReadObject { path: Path::ROOT }).accesses();
}
