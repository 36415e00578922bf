//! Finding out how a server reads keys: which of its keys are other keys, too; and whether it honours conditions.
//!
//! An owner's tool. It writes a few objects under a prefix that it is given, tries to reach each by
//! the name of another, and deletes them. It runs approved operations like everything else, by a
//! policy of its own with one connection: the same server and credentials, and that prefix alone.

mod conditions;

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};

pub use self::conditions::{Conditional, Heed};
use super::{Body, ExecuteError, Executor, ReadOptions, Upload, WriteConditions};
use crate::{
    engine::{Caller, DeleteObject, DeleteTree, Engine, ReadObject, WriteObject},
    path::Path,
    policy::{Conditions, Connection, ConnectionId, CredentialsRef, Keys, Policy},
};

/// How much is read of an object.
const MAX_CONTENT: usize = 64;

/// What a server could take two keys for one by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alias {
    /// `a//b` and `a/b`.
    EmptySegment,
    /// `/a` and `a`.
    LeadingSlash,
    /// `a\b` and `a/b`.
    Backslash,
    /// `a/` and `a`.
    TrailingSlash,
    /// `A` and `a`.
    Case,
    /// `a+b` and `a b`.
    Plus,
    /// `a%41` and `aA`.
    Percent,
    /// The two forms of `é`, composed and decomposed.
    Unicode,
    /// `a ` and `a`.
    TrailingSpace,
}

impl Alias {
    /// All of them, in the order in which they are tried.
    pub const ALL: [Self; 9] = [
        Self::EmptySegment,
        Self::LeadingSlash,
        Self::Backslash,
        Self::TrailingSlash,
        Self::Case,
        Self::Plus,
        Self::Percent,
        Self::Unicode,
        Self::TrailingSpace,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EmptySegment => "empty-segment",
            Self::LeadingSlash => "leading-slash",
            Self::Backslash => "backslash",
            Self::TrailingSlash => "trailing-slash",
            Self::Case => "case",
            Self::Plus => "plus",
            Self::Percent => "percent",
            Self::Unicode => "unicode",
            Self::TrailingSpace => "trailing-space",
        }
    }

    /// The two keys, as they would be under the prefix.
    pub const fn keys(self) -> [&'static str; 2] {
        match self {
            Self::EmptySegment => ["segment//x", "segment/x"],
            Self::LeadingSlash => ["/lead", "lead"],
            Self::Backslash => ["back\\x", "back/x"],
            Self::TrailingSlash => ["trail/", "trail"],
            Self::Case => ["CASE", "case"],
            Self::Plus => ["plus+x", "plus x"],
            Self::Percent => ["percent%41", "percentA"],
            Self::Unicode => ["\u{e9}", "e\u{301}"],
            Self::TrailingSpace => ["space ", "space"],
        }
    }

    /// Whether `keys: plain` refuses such keys, so that the alias does no harm.
    pub const fn is_refused_by_plain(self) -> bool {
        matches!(self, Self::EmptySegment | Self::LeadingSlash | Self::Backslash)
    }
}

/// What a server does with two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Treatment {
    /// They are two objects.
    Exact,
    /// What is done to one is done to the other: a policy on one of them is bypassed.
    Aliased,
    /// It does not store one of them, which does no harm.
    Refused,
}

impl Treatment {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Aliased => "aliased",
            Self::Refused => "refused",
        }
    }
}

/// What was found out about a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeReport {
    /// Each pair of keys, in the order of [`Alias::ALL`].
    pub findings: Vec<(Alias, Treatment)>,
    /// Each thing that may be done on a condition, in the order of [`Conditional::ALL`].
    pub conditional: Vec<(Conditional, Heed)>,
    /// Whether all that was written could be deleted.
    pub is_clean: bool,
}

impl ProbeReport {
    /// The aliases that there are.
    pub fn aliases(&self) -> impl Iterator<Item = Alias> {
        self.findings
            .iter()
            .filter(|(_, treatment)| *treatment == Treatment::Aliased)
            .map(|(alias, _)| *alias)
    }

    /// The setting that is right for the server.
    pub fn keys(&self) -> Keys {
        match self.aliases().any(Alias::is_refused_by_plain) {
            true => Keys::Plain,
            false => Keys::Exact,
        }
    }

    /// The setting of `conditions` that is right for the server: that they are honoured only if it ignores none.
    pub fn conditions(&self) -> Conditions {
        match self.conditional.iter().any(|(_, heed)| *heed == Heed::Ignored) {
            true => Conditions::None,
            false => Conditions::Honoured,
        }
    }

    /// Aliases against which no setting helps: restrictions have to be written so that both keys
    /// are allowed, or neither.
    pub fn unguarded(&self) -> impl Iterator<Item = Alias> {
        self.aliases().filter(|alias| !alias.is_refused_by_plain())
    }
}

/// Why a server could not be probed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbeError {
    /// The prefix is not one to probe under: it is a directory in a bucket, with no `*`, no `\`
    /// and no empty segment, short enough for a little more.
    Prefix,
    /// The server did not do what was asked.
    Execute(ExecuteError),
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix => f.write_str(
                "a server is probed under a directory in a bucket, `bucket/prefix/`, without `*`, \
                 `\\` and empty segments, of at most 512 bytes",
            ),
            Self::Execute(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProbeError {}

impl From<ExecuteError> for ProbeError {
    fn from(error: ExecuteError) -> Self {
        Self::Execute(error)
    }
}

/// Probes a connection's server under a prefix, `bucket/prefix/`. What the connection may do is not
/// looked at, but its server and its credentials are used.
///
/// Writes and deletes in a new directory under the prefix alone. One key outside it is read: that
/// directory's with a `/` before it.
///
/// # Errors
///
/// A prefix that is none to probe under; a server that does not store and delete a plain key, or
/// that goes away in between.
pub async fn probe(
    executor: &dyn Executor,
    connection: &Connection,
    prefix: &Path<'_>,
) -> Result<ProbeReport, ProbeError> {
    let prober = Prober::new(executor, connection, prefix)?;
    let found = async { Ok::<_, ProbeError>((prober.run().await?, prober.conditions().await?)) };
    let found = found.await;
    // Also after an error: nothing is to stay behind.
    let is_clean = prober.clean_up().await;
    let (findings, conditional) = found?;
    Ok(ProbeReport { findings, conditional, is_clean })
}

struct Prober<'e> {
    executor: &'e dyn Executor,
    engine: Engine,
    owner: String,
    id: ConnectionId<'static>,
    /// A new directory, `bucket/prefix/name/`.
    directory: String,
    /// The same with a `/` before its key.
    slashed: String,
}

impl<'e> Prober<'e> {
    fn new(
        executor: &'e dyn Executor,
        connection: &Connection,
        prefix: &Path<'_>,
    ) -> Result<Self, ProbeError> {
        let (bucket, key) = (text(prefix.bucket())?, text(prefix.key())?);
        let is_directory = key.ends_with('/') && key.trim() == key && key != "/";
        if !is_directory || prefix.alias_at().is_some() || key.contains('*') || key.len() > 512 {
            return Err(ProbeError::Prefix);
        }
        // No one else's name: a moment, and this process.
        let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let name = format!("pathward-probe-{moment:x}-{:x}", std::process::id());
        let directory = format!("{bucket}/{key}{name}/");
        let slashed = format!("{bucket}//{key}{name}/");
        let mut yaml = format!(
            "connections:\n  - id: s3+probe\n    owner: {}\n    keys: exact\n    conditions: honoured\n    restrictions:\n      \
             - {{ path: {}, access: read-write }}\n      - {{ path: {}, access: read-only }}\n",
            // Sealed credentials open for their owner alone.
            quoted(connection.owner()),
            quoted(&directory),
            quoted(&slashed)
        );
        let mut field = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                yaml.push_str(&format!("    {name}: {}\n", quoted(value)));
            }
        };
        field("endpoint", connection.endpoint());
        field("region", connection.region());
        if let Some(credentials) = connection.credentials() {
            let fields = match credentials {
                CredentialsRef::Sealed(sealed) => {
                    let (text, ends) = (quoted(sealed.text()), quoted(sealed.id_ends()));
                    format!("sealed: {text}, id-ends: {ends}")
                }
                reference => {
                    let (kind, place) = reference.kind_and_place();
                    format!("{kind}: {}", quoted(place))
                }
            };
            yaml.push_str(&format!("    credentials: {{ {fields} }}\n"));
        }
        let policy = Policy::from_yaml("probe", &yaml).map_err(|_| ExecuteError::Configuration)?;
        let id = ConnectionId::parse("s3+probe").map_err(|_| ExecuteError::Configuration)?;
        let owner = connection.owner().to_owned();
        Ok(Self { executor, engine: Engine::new(policy), owner, id, directory, slashed })
    }

    async fn run(&self) -> Result<Vec<(Alias, Treatment)>, ProbeError> {
        // What does not work for a plain key says nothing about odd ones.
        let plain = self.path("plain")?;
        self.write(&plain, "plain").await?;
        if self.read(&plain).await?.as_deref() != Some("plain") {
            return Err(ExecuteError::Failed { status: None, code: None }.into());
        }
        self.delete(&plain).await?;
        let mut findings = Vec::new();
        for alias in Alias::ALL {
            findings.push((alias, self.treatment(alias).await?));
        }
        Ok(findings)
    }

    async fn treatment(&self, alias: Alias) -> Result<Treatment, ProbeError> {
        let [one, other] = alias.keys();
        if alias == Alias::LeadingSlash {
            // The slash is the key's first byte, so that the other key is outside the prefix: it
            // is read and nothing else.
            let (stored, reached) = (self.path(other)?, owned(format!("{}{other}", self.slashed))?);
            self.write(&stored, "1").await?;
            return Ok(match self.read(&reached).await {
                Ok(None) => Treatment::Exact,
                Ok(Some(_)) => Treatment::Aliased,
                Err(error) => refused(error)?,
            });
        }
        let (one, other) = (self.path(one)?, self.path(other)?);
        // Either way round: some servers see the one through the other and not the other way.
        for (first, second) in [(&one, &other), (&other, &one)] {
            match self.pair(first, second).await {
                Ok(true) => return Ok(Treatment::Aliased),
                Ok(false) => {}
                Err(error) => return Ok(refused(error)?),
            }
        }
        Ok(Treatment::Exact)
    }

    /// Whether what is done to one key is seen at the other.
    async fn pair(
        &self,
        first: &Path<'static>,
        second: &Path<'static>,
    ) -> Result<bool, ExecuteError> {
        let is = async |path, content| {
            Ok::<_, ExecuteError>(self.read(path).await?.as_deref() == Some(content))
        };
        self.write(first, "1").await?;
        if self.read(second).await?.is_some() {
            return Ok(true);
        }
        self.write(second, "2").await?;
        if !is(first, "1").await? || !is(second, "2").await? {
            return Ok(true);
        }
        self.delete(second).await?;
        let is_hurt = !is(first, "1").await?;
        self.delete(first).await?;
        Ok(is_hurt)
    }

    fn path(&self, key: &str) -> Result<Path<'static>, ProbeError> {
        owned(format!("{}{key}", self.directory))
    }

    fn caller(&self) -> Caller<'_> {
        Caller::with_full_permission(&self.owner)
    }

    async fn write(&self, path: &Path<'static>, content: &'static str) -> Result<(), ExecuteError> {
        let body = Body::from_bytes(Bytes::from_static(content.as_bytes()));
        let upload = Upload::new(body, Some(content.len() as u64));
        let write = WriteObject { path: path.clone() };
        let approved = self.engine.approve(self.caller(), &self.id, write).map_err(unapproved)?;
        self.executor.write(approved, upload).await?;
        Ok(())
    }

    /// `None` for an object that is not there.
    async fn read(&self, path: &Path<'static>) -> Result<Option<String>, ExecuteError> {
        let read = ReadObject { path: path.clone() };
        let approved = self.engine.approve(self.caller(), &self.id, read).map_err(unapproved)?;
        let object = match self.executor.read(approved, ReadOptions::default()).await {
            Ok(object) => object,
            Err(ExecuteError::Missing) => return Ok(None),
            Err(error) => return Err(error),
        };
        // Whatever it is, it need not be long to be another.
        if object.info.size > 64 {
            return Ok(Some(String::new()));
        }
        // Fewer bytes than were announced: SeaweedFS does so where a directory took an object's
        // place. It is there, and it is not what was stored.
        // What was written is shorter. A longer one is not what was written.
        let body = Limited::new(object.body, MAX_CONTENT).collect().await;
        let bytes = body.map(|body| body.to_bytes()).unwrap_or_default();
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    async fn delete(&self, path: &Path<'static>) -> Result<(), ExecuteError> {
        let delete = DeleteObject { path: path.clone() };
        let approved = self.engine.approve(self.caller(), &self.id, delete).map_err(unapproved)?;
        match self.executor.delete(approved, WriteConditions::default()).await {
            Err(ExecuteError::Missing) => Ok(()),
            result => result,
        }
    }

    async fn clean_up(&self) -> bool {
        let Ok(path) = owned(self.directory.clone()) else { return false };
        let tree = DeleteTree { path };
        let Ok(approved) = self.engine.approve(self.caller(), &self.id, tree) else {
            return false;
        };
        self.executor.delete_tree(approved).await.is_ok()
    }
}

/// An answer that says that a server does not want a key; other errors say nothing about keys.
fn refused(error: ExecuteError) -> Result<Treatment, ExecuteError> {
    match error {
        ExecuteError::Failed { status: Some(_), .. }
        | ExecuteError::Refused { .. }
        | ExecuteError::Missing
        | ExecuteError::KeyNotSendable => Ok(Treatment::Refused),
        error => Err(error),
    }
}

fn unapproved(_: crate::engine::Decision<'_>) -> ExecuteError {
    // The policy is made for these very operations.
    ExecuteError::Configuration
}

fn text(bytes: &[u8]) -> Result<&str, ProbeError> {
    std::str::from_utf8(bytes).map_err(|_| ProbeError::Prefix)
}

fn owned(path: String) -> Result<Path<'static>, ProbeError> {
    Path::from_vec(path.into_bytes()).map_err(|_| ProbeError::Prefix)
}

/// Text in YAML's double quotes. It has no control characters: neither paths nor names have.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
