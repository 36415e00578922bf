//! An approval comes out of `Engine::approve`, decision and all.
use pathward::{Approved, Caller, ConnectionId, Engine, engine::ReadObject};

fn make<'a>(engine: &Engine, id: &ConnectionId<'_>, read: ReadObject<'a>) -> Option<Approved<ReadObject<'a>>> {
    let _decision = engine.decide(Caller::with_full_permission("steph"), id, &read);
    engine.approve(Caller::with_full_permission("steph"), id, read).ok()
}

fn main() {
    let _ = make;
}
