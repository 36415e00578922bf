//! The engine makes an approval.
use pathward::{
    Approved, Caller, ConnectionId, Engine,
    engine::ReadObject,
};

fn make<'a>(engine: &Engine, id: &ConnectionId<'_>, read: ReadObject<'a>) -> Option<Approved<ReadObject<'a>>> {
    engine.approve(Caller::with_full_permission("steph"), id, read).ok()
}

fn main() {
    let _ = make;
}
