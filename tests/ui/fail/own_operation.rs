//! An operation of one's own cannot: the seal is out of reach. (That there is one is shown in
//! `src/internal.rs`, where what the compiler says need not be pinned.)
use pathward::{
    Path,
    engine::{Accesses, Operate, ReadObject},
};

struct Harmless<'a>(ReadObject<'a>);

impl pathward::engine::operation::sealed::Sealed for Harmless<'_> {}

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
