//! Connections: what an owner configured, as the rest of the program sees it.

use std::{borrow::Cow, fmt, sync::Arc};

use crate::{
    access::{Access, AccessSet},
    automaton::{Automaton, Below, Effect, RuleId, Verdict},
    path::Path,
    restriction::Restriction,
};

/// The longest label.
pub const MAX_LABEL_LEN: usize = 64;

/// What speaks to the storage behind a connection. Written without regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// Amazon S3 and what is compatible with it.
    S3,
}

impl Protocol {
    /// The name in a connection id.
    pub const fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
        }
    }
}

/// How a connection is named: `protocol+label`, or the bare protocol for the owner's default.
///
/// The protocol is read without regard to case, the label exactly: `[A-Za-z0-9_.-]{1,64}`.
///
/// ```
/// use pathward::ConnectionId;
///
/// assert_eq!(ConnectionId::parse("S3+saha")?, ConnectionId::parse("s3+saha")?);
/// assert_ne!(ConnectionId::parse("s3+Saha")?, ConnectionId::parse("s3+saha")?);
/// assert_eq!(ConnectionId::parse("s3")?.label(), None);
/// assert!(ConnectionId::parse("s3+a+b").is_err());
/// # Ok::<(), pathward::ConnectionIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId<'a> {
    protocol: Protocol,
    label: Option<Cow<'a, str>>,
}

impl<'a> ConnectionId<'a> {
    /// Reads `protocol+label` or `protocol`.
    ///
    /// # Errors
    ///
    /// An unknown protocol; a label that is empty, longer than 64 bytes or has another character.
    pub fn parse(text: &'a str) -> Result<Self, ConnectionIdError> {
        let (protocol, label) = match text.split_once('+') {
            Some((protocol, label)) => (protocol, Some(label)),
            None => (text, None),
        };
        if !protocol.eq_ignore_ascii_case("s3") {
            return Err(ConnectionIdError::Protocol);
        }
        match label {
            Some(label) if label.is_empty() || label.len() > MAX_LABEL_LEN => {
                Err(ConnectionIdError::LabelLength { len: label.len() })
            }
            Some(label) => {
                let in_label = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
                match label.bytes().position(|byte| !in_label(byte)) {
                    Some(at) => {
                        Err(ConnectionIdError::LabelCharacter { at: protocol.len() + 1 + at })
                    }
                    None => Ok(Self { protocol: Protocol::S3, label: Some(label.into()) }),
                }
            }
            None => Ok(Self { protocol: Protocol::S3, label: None }),
        }
    }

    /// The protocol.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The label, or `None` for the owner's default connection of the protocol.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The id with a label of its own.
    pub fn into_owned(self) -> ConnectionId<'static> {
        ConnectionId {
            protocol: self.protocol,
            label: self.label.map(|label| Cow::Owned(label.into_owned())),
        }
    }
}

impl fmt::Display for ConnectionId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.protocol.name())?;
        match &self.label {
            Some(label) => write!(f, "+{label}"),
            None => Ok(()),
        }
    }
}

/// Why text is not a [`ConnectionId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionIdError {
    /// The protocol is not one that there is.
    Protocol,
    /// The label is empty or longer than 64 bytes.
    LabelLength {
        /// Its length.
        len: usize,
    },
    /// The label has a character that no label has.
    LabelCharacter {
        /// Where in the id it stands, in bytes.
        at: usize,
    },
}

impl fmt::Display for ConnectionIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol => f.write_str(
                "a connection is named `protocol+label`, such as `s3+reports`; the protocol is `s3`",
            ),
            Self::LabelLength { len } => write!(
                f,
                "the label behind `+` has {len} characters; it has 1 to {MAX_LABEL_LEN}"
            ),
            Self::LabelCharacter { at } => write!(
                f,
                "the character at byte {at} cannot be in a label, which is made of A-Z a-z 0-9 _ . -"
            ),
        }
    }
}

impl std::error::Error for ConnectionIdError {}

/// How the server behind a connection reads keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keys {
    /// A key is its bytes, as on AWS: every canonical path is sent as it is.
    Exact,
    /// The server may read `a//b`, `/a` or `a\b` as another key: such paths are malformed here.
    Plain,
}

impl Keys {
    /// As a policy says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Plain => "plain",
        }
    }

    /// The one that a policy names so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Exact, Self::Plain].into_iter().find(|one| one.name() == name)
    }

    /// Whether paths of this form are taken at all: not one that such a server may read as another.
    pub fn admit(self, path: &Path<'_>) -> bool {
        self == Self::Exact || path.alias_at().is_none()
    }
}

/// Whether the server behind a connection honours conditions on what is written or deleted: on storing an
/// object, on completing an upload in parts, and on deleting.
///
/// A server that ignores one overwrites what it was there to keep, and answers that all is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Conditions {
    /// It does all that is asked for on a condition only if that is met, as AWS does.
    Honoured,
    /// It may ignore them: what has a condition is not asked of it.
    None,
}

impl Conditions {
    /// As a policy says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Honoured => "honoured",
            Self::None => "none",
        }
    }

    /// The one that a policy names so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Honoured, Self::None].into_iter().find(|one| one.name() == name)
    }
}

/// Where a connection's credentials are. Never the credentials themselves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CredentialsRef {
    /// `{ env: NAME }`: in the environment, under this prefix.
    Env(Box<str>),
    /// `{ file: PATH }`: in this file.
    File(Box<str>),
    /// `{ profile: NAME }`: in this profile of the shared AWS configuration.
    Profile(Box<str>),
    /// `{ sealed: TEXT, id-ends: WXYZ }`: here, sealed with a key that is somewhere else.
    Sealed(Sealed),
}

impl CredentialsRef {
    /// The kind of place, as a policy names it, and the place: of sealed credentials, what the key's
    /// id ends with.
    pub fn kind_and_place(&self) -> (&'static str, &str) {
        match self {
            Self::Env(name) => ("env", name),
            Self::File(path) => ("file", path),
            Self::Profile(name) => ("profile", name),
            Self::Sealed(sealed) => ("sealed", sealed.id_ends()),
        }
    }
}

/// Credentials that only the holder of a key can open. `Debug` shows what the key's id ends with.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sealed {
    pub(super) text: Box<str>,
    pub(super) id_ends: Box<str>,
}

impl Sealed {
    #[cfg(feature = "store")]
    pub(crate) fn new(text: String, id_ends: &str) -> Self {
        Self { text: text.into(), id_ends: id_ends.into() }
    }

    /// The sealed text: base64 of a file of `age`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The last characters of the access key's id, by which its owner knows it. At most four.
    pub fn id_ends(&self) -> &str {
        &self.id_ends
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("id_ends", &self.id_ends).finish_non_exhaustive()
    }
}

/// A place in a policy's files. Lines and columns count from 1, columns in characters; line 0 is
/// the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// The file, as it was named when the policy was loaded.
    pub file: Arc<str>,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl fmt::Display for Location {
    /// `file:line:column`, or `file`. Escape it before it reaches a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{}", self.file, self.column),
        }
    }
}

/// One entry of a connection's `restrictions` or `deny`.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it matches.
    pub restriction: Restriction,
    /// The accesses that it gives or takes.
    pub access: AccessSet,
    /// Whether it gives or takes.
    pub effect: Effect,
    /// Where it is written; `None` for the `*` of a connection without `restrictions`.
    pub location: Option<Location>,
}

/// One configured data source, compiled.
///
/// `Debug` names it and says how many rules it has: logs are no place for more.
pub struct Connection {
    pub(super) id: ConnectionId<'static>,
    pub(super) owner: Box<str>,
    pub(super) is_default: bool,
    pub(super) endpoint: Option<Box<str>>,
    pub(super) keys: Keys,
    pub(super) conditions: Conditions,
    pub(super) region: Option<Box<str>>,
    pub(super) credentials: Option<CredentialsRef>,
    pub(super) access: AccessSet,
    pub(super) rules: Box<[Rule]>,
    pub(super) automaton: Automaton,
    /// What compiling it took of the policy's budget.
    pub(super) spent: u32,
    pub(super) location: Location,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &format_args!("{}", self.id))
            .field("owner", &self.owner)
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// `protocol+label`.
    pub fn id(&self) -> &ConnectionId<'static> {
        &self.id
    }

    /// The user whose connection it is.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Whether it also answers to the bare protocol.
    pub fn is_default(&self) -> bool {
        self.is_default
    }

    /// The server, where it is not AWS.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// How its server reads keys.
    pub fn keys(&self) -> Keys {
        self.keys
    }

    /// Whether its server honours conditions on what is written or deleted.
    pub fn conditions(&self) -> Conditions {
        self.conditions
    }

    /// The region, where one is given.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Where its credentials are; `None` for the provider chain of the AWS tools.
    pub fn credentials(&self) -> Option<&CredentialsRef> {
        self.credentials.as_ref()
    }

    /// Whether what is sent to `other` goes where it goes on this connection, and is read there as
    /// it is here: the same endpoint, region and credentials, and the same reading of keys.
    pub fn has_same_server(&self, other: &Self) -> bool {
        (&self.endpoint, &self.region, &self.credentials, self.keys)
            == (&other.endpoint, &other.region, &other.credentials, other.keys)
    }

    /// Whether `other` has these rules: the same restrictions and denies, with the same accesses, in the
    /// same order. Where they are written does not count.
    pub fn has_same_rules(&self, other: &Self) -> bool {
        let parts = |rule: &'_ Rule| (rule.access, rule.effect);
        self.rules.len() == other.rules.len()
            && self.rules.iter().zip(&other.rules).all(|(one, other)| {
                parts(one) == parts(other) && one.restriction == other.restriction
            })
    }

    /// The access of every restriction that has none of its own.
    pub fn access(&self) -> AccessSet {
        self.access
    }

    /// Its restrictions, then its denies, each in the order of the file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of this id, or `None` for an id of another connection that has more rules.
    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(id.index())
    }

    /// What it says of an access at a path: what its rules say, or `None` for a path that is malformed
    /// here ([`Keys::admit`]), whatever they say.
    pub fn verdict(&self, path: &Path<'_>, access: Access) -> Option<Verdict> {
        self.keys.admit(path).then(|| self.automaton.here(path.as_bytes(), access))
    }

    /// Whether it gives an access at a path.
    pub fn allows(&self, path: &Path<'_>, access: Access) -> bool {
        matches!(self.verdict(path, access), Some(Verdict::Allowed(_)))
    }

    /// What it gives below a path, itself included; nothing where the path is malformed here.
    ///
    /// That some of it is given says so of names that rules leave open; each path that is malformed
    /// here is still refused, whatever is given of all.
    pub fn below(&self, path: &Path<'_>) -> Below {
        match self.keys.admit(path) {
            true => self.automaton.below(path.as_bytes()),
            false => Below::default(),
        }
    }

    /// Its rules, compiled. They do not know which paths are malformed here: decisions are made by
    /// [`verdict`](Self::verdict) and [`below`](Self::below).
    pub fn automaton(&self) -> &Automaton {
        &self.automaton
    }

    /// How much of what compiling a whole policy may cost was used up by its rules, of
    /// [`WHOLE_BUDGET`](crate::automaton::WHOLE_BUDGET): next to nothing, unless there are many denies
    /// with wildcards, or globs made to be hard.
    pub fn budget_spent(&self) -> u32 {
        self.spent
    }

    /// Where it is defined.
    pub fn location(&self) -> &Location {
        &self.location
    }
}
