//! Policies: connections and users, as files say them.
//!
//! ```yaml
//! connections:
//!   - id: s3+saha                      # protocol+label
//!     owner: steph                     # the user whose connection it is
//!     default: true                    # also answers to bare `s3`; one per owner
//!     endpoint: https://s3.example     # for servers that are not AWS: a host and a port
//!     keys: plain                      # or exact; `plain` where there is an endpoint
//!     conditions: none                 # or honoured; `none` where there is an endpoint
//!     region: eu-west-1
//!     credentials: { profile: saha }   # or { env: SAHA }, { file: PATH }: never the secret
//!     access: read-only                # the default; read-write; or a list: [read, write]
//!     restrictions:                    # without this field: everything
//!       - Algorithmia/team.jpg
//!       - { path: Algorithmia/out/, access: read-write }
//!       - { glob: "logs/{app,web}/**/*.gz" }
//!     deny:
//!       - Algorithmia/out/locked/
//! users:
//!   - name: steph
//!     keys:
//!       - { id: laptop, sha256: 9f86d0…, access: read-write }
//!       - { id: job, sha256: 2c26b4…, access: read-only, connections: [s3+saha] }
//! ```
//!
//! Three of these have more than one reading, and this is the one they have:
//!
//! * A `deny` without `access` takes away every access, whatever the connection's own is: a deny
//!   never takes less than its author may have thought. For the same reason a deny cannot say
//!   `read-only`, which could mean what is taken or what is left; it says `[read]` or
//!   `[write, delete]`.
//! * A text without quotes is what is written: `true`, `1e3` and `0x1F` are names of buckets. `~`
//!   and `null` are refused.
//! * Aliases, anchors, merges, tags and directives of YAML are not read but refused: in a policy
//!   they are paths whose author forgot the quotes.
//!
//! A file is refused with everything that is wrong in it, not only with the first of it:
//! [`PolicyErrors`]. Secrets that stand where a reference belongs are never shown.

mod advice;
mod connection;
mod credentials;
mod diagnostic;
mod endpoint;
mod fields;
mod key_index;
mod load;
mod part;
#[cfg(feature = "executor")]
mod private;
mod reach;
mod report;
#[cfg(any(feature = "store", all(feature = "cli", feature = "gateway")))]
pub(crate) mod reserve;
mod rules;
mod schema;
mod secrets;
mod test_file;
mod traps;
#[cfg(any(feature = "executor", feature = "store"))]
mod unseal;
mod users;
#[cfg(any(feature = "cli", feature = "store"))]
pub(crate) mod written;
mod yaml;

use std::{collections::HashMap, fmt, sync::Arc};

pub use self::connection::{
    Conditions, Connection, ConnectionId, ConnectionIdError, CredentialsRef, Keys, Location,
    MAX_LABEL_LEN, Protocol, Rule, Sealed,
};
#[cfg(all(feature = "cli", feature = "portal"))]
pub(crate) use self::endpoint::is_endpoint;
#[cfg(feature = "executor")]
pub(crate) use self::endpoint::is_off_limits;
pub(crate) use self::fields::distance;
#[cfg(feature = "executor")]
pub use self::private::PrivateEndpoints;
#[cfg(feature = "executor")]
pub(crate) use self::private::is_private;
#[cfg(any(feature = "executor", feature = "store"))]
pub use self::unseal::{Opened, Unseal, UnsealError};
#[cfg(feature = "store")]
pub use self::written::DraftRule;
pub use self::{
    advice::Fix,
    diagnostic::{Diagnostic, PolicyErrors, Severity, Snippet},
    load::{MAX_FILE_SIZE, MAX_RULES, is_policy_file},
    reach::{MAX_KEY_CONNECTIONS, Reach},
    report::MAX_DIAGNOSTICS,
    schema::MAX_NAME_LEN,
    test_file::{Check, Expected, Never, PolicyTest, TestFile},
    yaml::{MAX_YAML_DEPTH, MAX_YAML_NODES},
};
use crate::{access::AccessSet, automaton::Budget};

/// All connections and users of one installation. Loaded whole or not at all, never changed.
#[derive(Debug)]
pub struct Policy {
    connections: Vec<Arc<Connection>>,
    users: Vec<User>,
    by_owner: HashMap<Box<str>, OwnConnections>,
    by_hash: key_index::KeyIndex,
    warnings: Vec<Diagnostic>,
    revision: Revision,
    /// What its files say, one by one: for reading it again after a change.
    parts: Vec<Arc<part::Part>>,
}

/// The connections of one owner, as places in [`Policy::connections`].
#[derive(Debug, Default)]
struct OwnConnections {
    by_label: HashMap<Box<str>, usize>,
    default: Option<usize>,
}

/// A policy, while its files are read.
#[derive(Debug, Default)]
struct Building {
    connections: Vec<Arc<Connection>>,
    users: Vec<User>,
    by_owner: HashMap<Box<str>, OwnConnections>,
    places: load::Places,
    /// Those of the file that is read.
    claimed: Vec<Place>,
    rules: usize,
    budget: Budget,
    /// Only what is wrong is asked, and the policy is not used.
    is_trial: bool,
    /// Only users are read.
    is_of_users: bool,
}

/// Something that may be defined only once.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Place {
    /// A connection of an owner, or with a bare protocol the default one.
    Connection(Box<str>, Box<str>),
    /// A user.
    User(Box<str>),
    /// The key of this hash.
    Hash([u8; 32]),
}

/// Without the hash of a key.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(owner, id) => {
                f.debug_tuple("Connection").field(owner).field(id).finish()
            }
            Self::User(name) => f.debug_tuple("User").field(name).finish(),
            Self::Hash(_) => f.write_str("Hash"),
        }
    }
}

impl Policy {
    /// The policy that allows nothing, because nothing is configured.
    pub fn empty() -> Self {
        Self {
            connections: Vec::new(),
            users: Vec::new(),
            by_owner: HashMap::new(),
            by_hash: key_index::KeyIndex::default(),
            warnings: Vec::new(),
            revision: Revision(0),
            parts: Vec::new(),
        }
    }

    /// Every connection, in the order of the files' names and then of the files.
    pub fn connections(&self) -> &[Arc<Connection>] {
        &self.connections
    }

    /// Every user.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// The owner's connection of this name. Another owner's connection is not found, exactly as
    /// one that does not exist.
    pub fn connection(&self, owner: &str, id: &ConnectionId<'_>) -> Option<&Arc<Connection>> {
        let Protocol::S3 = id.protocol();
        let own = self.by_owner.get(owner)?;
        let place = match id.label() {
            Some(label) => *own.by_label.get(label)?,
            None => own.default?,
        };
        self.connections.get(place)
    }

    /// The API key of this SHA-256, and the user whose key it is. Takes as long for one that is
    /// nearly known as for any other, and no longer for many users or keys.
    pub fn api_key(&self, sha256: &[u8; 32]) -> Option<(&User, &ApiKey)> {
        self.by_hash.find(&self.users, sha256)
    }

    /// What is probably not meant in its files, though they load.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// What this policy says, as a number: equal for equal files.
    pub fn revision(&self) -> Revision {
        self.revision
    }
}

/// A user who may hold API keys.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct User {
    /// The name that connections give as their owner.
    pub name: Box<str>,
    /// The user's API keys, as hashes.
    pub keys: Vec<ApiKey>,
    /// Where the user's name is written.
    pub location: Location,
}

/// An API key, as a policy holds it: its hash, never the key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiKey {
    /// What the owner calls it.
    pub id: Box<str>,
    /// SHA-256 of the key.
    pub sha256: [u8; 32],
    /// The data permission of the key, on top of each connection's own access.
    pub access: AccessSet,
    /// Whether it may change its user's own connections and keys, and sign in to the portal. Never
    /// true of a key that untrusted code holds.
    pub manage: bool,
    /// Which of its user's connections it reaches: all, where it manages.
    pub reach: Reach,
    /// Where the key is written.
    pub location: Location,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("id", &self.id)
            .field("access", &self.access)
            .field("manage", &self.manage)
            .field("reach", &format_args!("{}", self.reach))
            .finish()
    }
}

/// A policy's revision: the first 8 bytes of the SHA-256 of its files' names and bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revision(u64);

impl fmt::Display for Revision {
    /// Sixteen hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revision({self})")
    }
}
