//! Nothing else does: its fields are private.
use pathward::{
    Approved, Caller, ConnectionId, Engine,
    engine::ReadObject,
};

fn make<'a>(engine: &Engine, id: &ConnectionId<'_>, read: ReadObject<'a>) -> Option<Approved<ReadObject<'a>>> {
    let real = engine.approve(Caller::with_full_permission("steph"), id, read.clone()).ok()?;
    Some(Approved { operation: read, ..real })
}

fn main() {
    let _ = make;
}
