//! The question of `check` and `explain`: who asks for what, on which connection.

use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    fmt,
    path::{Path as FilePath, PathBuf},
};

use clap::{Args, ValueEnum};

use super::{
    exit::Exit,
    output::{Failure, escape_bytes},
};
use crate::{
    access::AccessSet,
    engine::{Caller, CopyObject, Operation, Reason},
    escape::escape,
    path::{Path, PathError},
    policy::{ConnectionId, Policy, Reach},
};

/// The names that OP takes: those on one path, and `copy`.
fn operations() -> impl Iterator<Item = &'static str> {
    Operation::NAMES.into_iter().chain(["copy"])
}

/// The same, for messages.
fn operation_names() -> String {
    operations().collect::<Vec<_>>().join(", ")
}

/// Where the policy is.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// The policy: a file, or a folder whose files make one policy
    #[arg(long, short, value_name = "FILE|DIR")]
    pub policy: PathBuf,
}

/// On whose behalf.
#[derive(Debug, Args)]
pub struct CallerArgs {
    /// The caller. May be left out when one owner alone has a connection of this name
    #[arg(long = "as", value_name = "OWNER")]
    pub caller: Option<String>,

    /// The data permission of the caller's key
    #[arg(long, value_name = "PERMISSION", value_enum, default_value_t = KeyAccess::ReadWrite)]
    pub key_access: KeyAccess,
}

/// The data permission of a key.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KeyAccess {
    /// No data at all.
    None,
    /// Read and list.
    ReadOnly,
    /// Read, write and delete.
    ReadWrite,
}

impl From<KeyAccess> for AccessSet {
    fn from(access: KeyAccess) -> Self {
        match access {
            KeyAccess::None => Self::NONE,
            KeyAccess::ReadOnly => Self::READ_ONLY,
            KeyAccess::ReadWrite => Self::READ_WRITE,
        }
    }
}

/// Loads a policy, or says everything that is wrong with it.
pub(super) fn load(path: &FilePath) -> Result<Policy, Failure> {
    Policy::load(path).map_err(|errors| Failure::Said(Exit::Policy, errors.to_string()))
}

/// CONNECTION or URI, read.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) id: ConnectionId<'a>,
    /// What stands behind `://`, if it is a URI: bytes, as they are.
    pub(super) path: Option<&'a [u8]>,
}

impl<'a> Target<'a> {
    pub(super) fn parse(text: &'a OsStr) -> Result<Self, Failure> {
        let bytes = text.as_encoded_bytes();
        let (id, path) = match memchr::memmem::find(bytes, b"://") {
            Some(at) => (&bytes[..at], Some(&bytes[at + 3..])),
            None => (bytes, None),
        };
        let wrong = |why: &dyn fmt::Display| {
            let hint = match operations().any(|op| op.as_bytes() == id) {
                true => "; the connection comes before the operation",
                false => "",
            };
            Failure::question(format!("`{}` names no connection: {why}{hint}", escape_bytes(id)))
        };
        let id = std::str::from_utf8(id).map_err(|_| wrong(&"it is not UTF-8"))?;
        let id = ConnectionId::parse(id).map_err(|error| wrong(&error))?;
        Ok(Self { id, path })
    }
}

/// The caller: as given, or the one owner who can be meant. The empty name, which owns nothing,
/// when nobody has such a connection.
pub(super) fn caller<'p>(
    policy: &'p Policy,
    id: &ConnectionId<'_>,
    args: &'p CallerArgs,
) -> Result<Caller<'p>, Failure> {
    let permission = args.key_access.into();
    let called = |name| Caller::new(name, permission, &Reach::ALL);
    if let Some(name) = &args.caller {
        return Ok(called(name));
    }
    let mut owners: Vec<&str> = policy
        .connections()
        .iter()
        .map(|connection| connection.owner())
        .filter(|owner| policy.connection(owner, id).is_some())
        .collect();
    owners.sort_unstable();
    owners.dedup();
    match *owners {
        [] => Ok(called("")),
        [name] => Ok(called(name)),
        _ => {
            let names: Vec<String> =
                owners.iter().take(10).map(|owner| format!("`--as {}`", escape(owner))).collect();
            let more = if owners.len() > 10 { " …" } else { "" };
            Err(Failure::question(format!(
                "{} owners have a connection `{id}`: say whose is meant with {}{more}",
                owners.len(),
                names.join(" or ")
            )))
        }
    }
}

/// The question of `check` and `explain`.
#[derive(Debug, Args)]
pub struct QuestionArgs {
    /// `s3+label`, or `s3` for the owner's default connection; or a URI that has the path,
    /// `s3+label://bucket/key`
    #[arg(value_name = "CONNECTION|URI")]
    pub target: OsString,

    /// What is to be done: read, stat, write, create-directory, delete, list, delete-directory,
    /// delete-tree, copy, create-upload, upload-part, list-parts, complete-upload, abort-upload,
    /// list-prefix, list-uploads, read-acl, write-acl
    #[arg(value_name = "OP")]
    pub operation: Option<String>,

    /// The path, `bucket/key`: bytes, never percent-decoded. `list` takes the root without it
    #[arg(value_name = "PATH")]
    pub path: Option<OsString>,

    /// Where `copy` puts the object
    #[arg(long, value_name = "PATH")]
    pub to: Option<OsString>,
}

/// One question, with its words read and its paths not yet looked at.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) id: ConnectionId<'a>,
    pub(super) op: &'a str,
    pub(super) path: &'a [u8],
    pub(super) to: Option<&'a [u8]>,
}

impl<'a> Question<'a> {
    pub(super) fn parse(args: &'a QuestionArgs) -> Result<Self, Failure> {
        let target = Target::parse(&args.target)?;
        let op = args.operation.as_deref().ok_or_else(|| {
            Failure::question(format!(
                "OP is missing behind `{}`: write what is to be done, such as `read`",
                escape_bytes(args.target.as_encoded_bytes())
            ))
        })?;
        if op.contains("://") {
            return Err(Failure::question(format!(
                "`{}` stands where the operation does: a URI stands in place of the connection and has the \
                 path: write `{}://{} read`",
                escape(op),
                target.id,
                path_of_uri(op.as_bytes())
            )));
        }
        known_operation(op)?;
        let given = args.path.as_deref().map(OsStr::as_encoded_bytes);
        let path = match (target.path, given) {
            (Some(_), Some(_)) => {
                return Err(Failure::question(
                    "the path is given twice: leave PATH out behind a URI",
                ));
            }
            (Some(path), None) | (None, Some(path)) => path,
            (None, None) if op == "list" => b"",
            (None, None) => {
                return Err(Failure::question(format!(
                    "PATH is missing: write `{} {op} bucket/key`",
                    target.id
                )));
            }
        };
        let to = args.to.as_deref().map(OsStr::as_encoded_bytes);
        match (op, to) {
            ("copy", None) => {
                Err(Failure::question("`copy` needs a second path: write `--to PATH`"))
            }
            (op, Some(_)) if op != "copy" => {
                Err(Failure::question(format!("`--to` is for `copy` alone; `{op}` has one path")))
            }
            _ => Ok(Self { id: target.id, op, path, to }),
        }
    }

    /// The operation, or why it cannot be asked for.
    pub(super) fn operation(&self) -> Result<Operation<'a>, Refused> {
        operation(self.op, self.path, self.to)
    }
}

/// The path of a URI of a bucket's object, for messages; of what is none, and names no bucket in a way that is
/// known, what a path looks like.
pub(super) fn path_of_uri(uri: &[u8]) -> Cow<'_, str> {
    match memchr::memmem::find(uri, b"://").map(|at| (&uri[..at], &uri[at + 3..])) {
        Some((scheme, path)) if scheme.starts_with(b"s3") && !path.is_empty() => escape_bytes(path),
        _ => "bucket/key".into(),
    }
}

/// One of the two paths of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// What is copied.
    Source,
    /// Where it is copied to.
    Destination,
}

impl End {
    /// The path at this end, which has to be there.
    fn path(self, bytes: &[u8]) -> Result<Path<'_>, Refused> {
        match bytes {
            [] => Err(Refused::Missing(self)),
            _ => Path::new(bytes).map_err(|error| Refused::End(self, error)),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Destination => "destination",
        })
    }
}

/// What cannot be asked, because it is no question: neither allowed nor denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// A path is malformed.
    Path(PathError),
    /// Of the two paths of a copy this one is.
    End(End, PathError),
    /// Of the two paths of a copy this one is missing.
    Missing(End),
    /// There is no such operation on these paths.
    Operation,
    /// A line of a batch that is to name its operation does not.
    Line,
    /// A line of a batch names another connection than the batch is of.
    Connection,
}

impl Refused {
    /// The stable reason code.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Path(error) | Self::End(_, error) => error.code(),
            Self::Missing(_) | Self::Operation | Self::Line | Self::Connection => {
                Reason::InvalidOperation.code()
            }
        }
    }
}

impl From<PathError> for Refused {
    fn from(error: PathError) -> Self {
        Self::Path(error)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(error) => error.fmt(f),
            Self::End(end, error) => write!(f, "the {end} of the copy: {error}"),
            Self::Missing(end) => write!(
                f,
                "`copy` has no {end}: it needs two paths, on a line the source, a tab and the destination, in \
                 JSON `path` and `to`"
            ),
            Self::Operation => {
                write!(f, "there is no such operation; there are {}", operation_names())
            }
            Self::Connection => {
                f.write_str("the URI is of another connection than the batch: a batch is of one")
            }
            Self::Line => f.write_str(
                "no operation: a line is the operation, a tab and the path, unless OP is given",
            ),
        }
    }
}

/// The operation of this name on these paths.
pub(super) fn operation<'a>(
    op: &str,
    path: &'a [u8],
    to: Option<&'a [u8]>,
) -> Result<Operation<'a>, Refused> {
    if op == "copy" {
        let source = End::Source.path(path)?;
        let destination = End::Destination.path(to.unwrap_or_default())?;
        return Ok(Operation::Copy(CopyObject { source, destination }));
    }
    Operation::named(op, Path::new(path)?)?.ok_or(Refused::Operation)
}

/// Refuses a name that is no operation's, with the names that there are.
pub(super) fn known_operation(op: &str) -> Result<(), Failure> {
    if operations().any(|name| name == op) {
        return Ok(());
    }
    Err(Failure::question(format!(
        "there is no operation `{}`; there are {}",
        escape(op),
        operation_names()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_an_operation() {
        for op in operations() {
            let to = (op == "copy").then_some(&b"pub/b"[..]);
            let operation = operation(op, b"pub/a", to).expect(op);
            assert_eq!(crate::engine::Operate::name(&operation), op);
        }
    }

    /// It was said that there is no such operation as `copy`, in a list of those that has it.
    #[test]
    fn of_a_copy_it_is_said_which_path_is_wrong() {
        for (path, to, message) in [
            ("pub/a", None, "`copy` has no destination: it needs two paths"),
            ("pub/a", Some(""), "`copy` has no destination"),
            ("", Some("pub/b"), "`copy` has no source"),
            ("pub/../a", Some("pub/b"), "the source of the copy: "),
            ("pub/a", Some("pub/../b"), "the destination of the copy: "),
        ] {
            let refused =
                operation("copy", path.as_bytes(), to.map(str::as_bytes)).expect_err(path);
            assert!(refused.to_string().starts_with(message), "{path} {to:?}: {refused}");
            let is_malformed = matches!(refused, Refused::End(..));
            assert_eq!(refused.code() == "invalid.path", is_malformed, "{path} {to:?}");
        }
    }

    #[test]
    fn a_uri_is_split_at_its_first_mark_and_never_decoded() {
        for (text, id, path) in [
            ("s3+saha", "s3+saha", None),
            ("S3+saha://pub/a%20b#c?d", "s3+saha", Some(&b"pub/a%20b#c?d"[..])),
            ("s3://pub/x://y", "s3", Some(b"pub/x://y")),
            ("s3+saha://", "s3+saha", Some(b"")),
        ] {
            let target = Target::parse(OsStr::new(text)).expect(text);
            assert_eq!((&*target.id.to_string(), target.path), (id, path));
        }
        for text in ["", "s3+", "data://x", "s3%2Bsaha", "s3+a+b", "s3+../x", "s3+a/b"] {
            assert!(Target::parse(OsStr::new(text)).is_err(), "{text}");
        }
    }
}
