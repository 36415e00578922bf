//! Pathward gives code that is not fully trusted exactly the object-storage paths it may have.
//!
//! An owner configures a [`Connection`]: credentials by reference, a label, a list of path
//! restrictions, and what may be done there. Code names `s3+label://bucket/key`; every operation
//! is decided by a compiled [`Automaton`] before anything reaches S3, and only an [`Approved`]
//! operation can be executed at all.
//!
//! # Two journeys
//!
//! Each thing travels through the code once, forward.
//!
//! *A restriction:* YAML → [`policy`] → [`restriction`] → [`automaton`] → a decision.
//!
//! *A request:* bytes → [`Path`] → [`Operation`] → [`Engine::decide`] → [`Approved`] → whatever
//! runs it.
//!
//! ```
//! use pathward::{Caller, ConnectionId, Engine, Path, Policy, engine::ReadObject};
//!
//! let policy = Policy::from_yaml("policy.yaml", "
//! connections:
//!   - id: s3+saha
//!     owner: steph
//!     credentials: { profile: saha }
//!     restrictions:
//!       - Algorithmia/team.jpg
//!       - Algorithmia/reports/*
//! ")?;
//! let engine = Engine::new(policy);
//! let steph = Caller::with_full_permission("steph");
//! let saha = ConnectionId::parse("s3+saha")?;
//!
//! // What a caller sends is checked once, and stays as it is from there on.
//! let read = ReadObject { path: Path::new("Algorithmia/reports/2026.csv")? };
//! let approved = engine.approve(steph, &saha, read).expect("a restriction allows it");
//! assert_eq!(approved.operation().path.key(), b"reports/2026.csv");
//!
//! let read = ReadObject { path: Path::new("Algorithmia/secret.csv")? };
//! let denied = engine.approve(steph, &saha, read).unwrap_err();
//! assert_eq!(denied.reason().code(), "deny.no_match");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Beside them stand questions about policies, which no path travels: whether one allows anything that
//! another does not, and which path shows it, is in [`analysis`].
//!
//! # Who should not use this
//!
//! Whoever can give the code keys of its own that reach no further: a prefix per IAM role is
//! simpler. And whoever wants conditions on time, address or attributes: a decision here depends
//! on the caller, the connection, the operation and the path, and on nothing else.
//!
//! # Features
//!
//! * `cli` (default): the command `pathward` and its module `cli`.
//! * `executor`: approved operations, run on S3.
//! * `conformance`: checks for whoever writes an executor of their own.
//! * `gateway` (default): the Data API over HTTP, with the executor behind it.
//! * `store` (default): connections kept in a folder, changed while they are served.
//! * `portal` (default): where owners make and change their connections, over a store and a gateway.
//! * `embedded` (default): an S3 server inside the process, for trying things out.
//!
//! Without default features the crate is the engine alone: no async runtime, no HTTP, no clap.

pub mod access;
pub mod analysis;
pub mod automaton;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod engine;
pub mod escape;
#[cfg(feature = "executor")]
pub mod executor;
#[cfg(feature = "gateway")]
pub mod gateway;
#[doc(hidden)]
pub mod internal;
#[cfg(any(feature = "cli", feature = "gateway"))]
mod json;
#[cfg(feature = "portal")]
pub mod manage;
pub mod path;
pub mod policy;
#[cfg(feature = "portal")]
pub mod portal;
#[cfg(any(feature = "executor", all(feature = "cli", feature = "store")))]
mod readers;
pub mod restriction;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "executor")]
mod worked;

pub use access::{Access, AccessSet};
pub use automaton::{Automaton, Below, Effect, Entry, RuleId, TooLarge, Verdict};
pub use engine::{Approved, Caller, Decision, Engine, Operation};
pub use path::{Path, PathError};
pub use policy::{
    Connection, ConnectionId, ConnectionIdError, CredentialsRef, Diagnostic, Keys, Location,
    Policy, PolicyErrors, Protocol, Reach, Revision, Rule, User,
};
pub use restriction::{Dialect, Restriction, RestrictionError};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
