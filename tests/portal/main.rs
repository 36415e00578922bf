//! The portal from a browser's socket: every request here is bytes on a connection.

#![cfg(all(feature = "portal", feature = "embedded"))]
#![expect(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "tests")]

mod canary;
mod doors;
mod forms;
mod hostile;
mod shares;
mod world;
