//! Pathward gives code that is not fully trusted exactly the object-storage paths it may have.

pub mod access;
pub mod automaton;
#[cfg(feature = "cli")]
pub mod cli;
pub mod engine;
pub mod escape;
#[doc(hidden)]
pub mod internal;
pub mod path;
pub mod policy;
pub mod restriction;

pub use access::{Access, AccessSet};
pub use automaton::{Automaton, Below, Effect, Entry, RuleId, TooLarge, Verdict};
pub use engine::{Approved, Caller, Decision, Engine, Operation};
pub use path::{Path, PathError};
pub use policy::{
    Connection, ConnectionId, ConnectionIdError, CredentialsRef, Diagnostic, Keys, Location,
    Policy, PolicyErrors, Protocol, Revision, Rule, User,
};
pub use restriction::{Dialect, Restriction, RestrictionError};
