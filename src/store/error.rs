//! Why the store did not do what it was asked.

use std::{fmt, io, path::PathBuf};

use crate::{
    escape::escape,
    policy::{ConnectionId, PolicyErrors},
};

/// Why a store cannot be opened, read or changed. When it is returned, nothing was changed; after
/// [`Io`](Self::Io) alone it may be that everything was.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// A file or the folder cannot be read or written.
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Someone else changed it since it was read: read it again, and decide again.
    Conflict {
        /// The revision that it has now.
        current: String,
    },
    /// What has to be the only one of its name is there already.
    Taken {
        /// What, such as `the label`.
        what: &'static str,
    },
    /// An API key of the owner is for a connection of this label, though there is none: it would be the
    /// key's at once.
    NamedByKey {
        /// What the key is called.
        id: String,
    },
    /// There is nothing of this name that belongs to this owner.
    Missing,
    /// What was asked for is not a connection, user or key that a policy can have.
    Invalid(PolicyErrors),
    /// A key is to be for a connection that its user does not have.
    NoConnection {
        /// Which.
        id: ConnectionId<'static>,
    },
    /// The folder does not load as it is, and nothing of it is changed until it does.
    Broken(PolicyErrors),
    /// A secret was given, and there is no key to seal it with.
    NoSealKey,
    /// The key to seal secrets with cannot be read any more.
    SealKey(super::SealKeyError),
    /// What is sealed does not open, so that it cannot be kept or sealed again.
    Sealed(crate::policy::UnsealError),
    /// What was given as an access key is none.
    InvalidSecret {
        /// What is wrong with which part of it.
        what: &'static str,
    },
    /// The endpoint or owner changes, and sealed credentials are for those that they were entered
    /// for: the secret has to be entered again.
    SecretNeeded,
    /// The owner has as much already as may be one owner's ([`Quota`](super::Quota)).
    Quota {
        /// Of what, such as `connections`.
        what: &'static str,
        /// How many they may be.
        most: usize,
    },
    /// With it, compiling the owner's connections would cost more than one owner's may.
    QuotaOfWork,
    /// Another process has been changing the folder for too long.
    Busy,
    /// The file is written in a way that this cannot change without losing something of it.
    NotEditable {
        /// The file.
        file: PathBuf,
        /// What is in the way.
        why: String,
    },
    /// The system gives no random bytes.
    NoRandomness,
}

impl StoreError {
    /// What kind of failure it is: stable, such as `store.conflict`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "store.io",
            Self::Conflict { .. } => "store.conflict",
            Self::Taken { .. } | Self::NamedByKey { .. } => "store.taken",
            Self::Missing => "store.missing",
            Self::Invalid(_) => "store.invalid",
            Self::NoConnection { .. } => "store.no_connection",
            Self::Broken(_) => "store.broken",
            Self::NoSealKey => "store.no_seal_key",
            Self::SealKey(_) => "store.seal_key",
            Self::Sealed(_) => "store.sealed",
            Self::InvalidSecret { .. } => "store.secret",
            Self::SecretNeeded => "store.secret_needed",
            Self::Quota { .. } | Self::QuotaOfWork => "store.quota",
            Self::Busy => "store.busy",
            Self::NotEditable { .. } => "store.not_editable",
            Self::NoRandomness => "store.no_randomness",
        }
    }
}

impl fmt::Display for StoreError {
    /// For people, escaped. [`Invalid`](Self::Invalid) and [`Broken`](Self::Broken) show lines of
    /// files: the latter are for the operator and not for an owner.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, error } => {
                write!(f, "`{}`: {error}", escape(&path.to_string_lossy()))
            }
            Self::Conflict { current } => write!(
                f,
                "it was changed meanwhile, and has the revision {current} now: look at it again, \
                 and repeat the change if it still holds"
            ),
            Self::Taken { what } => write!(f, "{what} is taken already: choose another"),
            Self::NamedByKey { id } => write!(
                f,
                "the API key `{}` is for a connection of this label, which would be open to it at \
                 once: revoke the key, or choose another label",
                escape(id)
            ),
            Self::Missing => f.write_str("there is none of this name"),
            Self::Invalid(errors) => write!(f, "{errors}"),
            Self::NoConnection { id } => {
                write!(f, "there is no connection `{id}` for the key: name one that is there")
            }
            Self::Broken(errors) => {
                write!(f, "the store does not load, and is not changed until it does:\n{errors}")
            }
            Self::NoSealKey => f.write_str(
                "there is no key to seal the secret with: make one with `pathward key seal FILE`, \
                 and give it with `--seal-key FILE` or in the variable PATHWARD_SEAL_KEY",
            ),
            Self::SealKey(error) => write!(f, "{error}"),
            Self::Sealed(error) => write!(f, "{error}"),
            Self::InvalidSecret { what } => f.write_str(what),
            Self::SecretNeeded => f.write_str(
                "the access key was entered for another endpoint: enter its id and secret again \
                 for this one",
            ),
            Self::Quota { what, most } => write!(
                f,
                "one owner may have {most} {what}: delete some, or ask whoever runs Pathward for more"
            ),
            Self::QuotaOfWork => f.write_str(
                "its denies with wildcards, or its globs, cost more than one owner's may: name folders \
                 instead of files, or have fewer of them",
            ),
            Self::Busy => f.write_str(
                "another process has been changing the store for ten seconds: try again",
            ),
            Self::NotEditable { file, why } => {
                write!(f, "`{}` is to be changed by hand: {why}", escape(&file.to_string_lossy()))
            }
            Self::NoRandomness => f.write_str("the system gives no random bytes"),
        }
    }
}

impl std::error::Error for StoreError {}
