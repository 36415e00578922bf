//! The one place where an approval is made is private.
use pathward::{Approved, Caller, ConnectionId, Engine, engine::ReadObject};

fn make<'a>(engine: &Engine, id: &ConnectionId<'_>, read: ReadObject<'a>) -> Option<Approved<ReadObject<'a>>> {
    let decision = engine.decide(Caller::with_full_permission("steph"), id, &read);
    let connection = engine.policy().connection("steph", id)?;
    Some(Approved::assertion(engine, Caller::with_full_permission("steph"), connection, &decision, read))
}

fn main() {
    let _ = make;
}
