//! An operation of one's own cannot, however harmless the needs are that it states.
use pathward::{
    Path,
    engine::{Accesses, Operate, ReadObject},
};

struct Harmless<'a>(ReadObject<'a>);

impl Operate for Harmless<'_> {
    fn name(&self) -> &'static str {
        "harmless"
    }

    fn accesses(&self) -> Accesses<'_> {
        self.0.accesses()
    }
}

fn main() {
    let _ = Harmless(ReadObject { path: Path::ROOT }).accesses();
}
