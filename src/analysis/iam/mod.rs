//! What IAM policies say, as sets of paths: a connection as a policy, and a policy as restrictions.
//!
//! An owner gives a connection credentials of its own, which should reach no further than the
//! connection does. IAM's resources have `*` and `?` over all of `bucket/key`, `/` included, much as
//! plain restrictions do, so that most connections can be said exactly; where one cannot, a
//! [`Relation`] says by how much, with a path. JSON is for the command: here a policy is a
//! [`Document`].
//!
//! * `text`: a pattern as the text of a resource, and back.
//! * `export`: a connection's statements.
//! * `import`: the restrictions of statements, or why there are none.
//! * `relation`: how what a policy allows is related to what a connection does.

mod export;
mod import;
mod relation;
mod text;

pub use self::{
    export::{Export, Rounding, export},
    import::{Imported, Problem, import},
    relation::{Relation, Relations},
};
use crate::{access::Access, automaton::Effect};

/// The version of the policy language in which `${*}`, `${?}` and `${$}` mean what they name.
pub const VERSION: &str = "2012-10-17";
/// The most characters of all inline policies of a user. White space does not count.
pub const MAX_INLINE: usize = 2_048;
/// The most characters of a managed policy. White space does not count.
pub const MAX_MANAGED: usize = 6_144;
/// The most characters of a session policy. White space counts.
pub const MAX_SESSION: usize = 2_048;
/// What the ARN of every bucket and object starts with.
pub const ARN: &str = "arn:aws:s3:::";

/// The actions of S3 that are known here.
///
/// Those that an executor's requests are authorized by, and no more. `HeadObject` is authorized as
/// `GetObject`; `CopyObject` as that and `PutObject`; the making, the parts and the completion of an
/// upload as `PutObject`. What only concerns versions, tags or access control lists is not here, because
/// nothing that a connection gives needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Read.
    Get,
    /// Write.
    Put,
    /// Write: give an upload in parts up, so that none is left behind and paid for.
    AbortMultipartUpload,
    /// Write: see which parts of an upload are there.
    ListMultipartUploadParts,
    /// Delete. Not `DeleteObjectVersion`: what an older version keeps stays.
    Delete,
    /// List a bucket's keys.
    ListBucket,
    /// List the buckets of the account.
    ListAllMyBuckets,
    /// Ask where a bucket is. Consoles and tools want it; nothing here does.
    GetBucketLocation,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 8] = [
        Self::Get,
        Self::Put,
        Self::AbortMultipartUpload,
        Self::ListMultipartUploadParts,
        Self::Delete,
        Self::ListBucket,
        Self::ListAllMyBuckets,
        Self::GetBucketLocation,
    ];

    /// The name as IAM has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "s3:GetObject",
            Self::Put => "s3:PutObject",
            Self::AbortMultipartUpload => "s3:AbortMultipartUpload",
            Self::ListMultipartUploadParts => "s3:ListMultipartUploadParts",
            Self::Delete => "s3:DeleteObject",
            Self::ListBucket => "s3:ListBucket",
            Self::ListAllMyBuckets => "s3:ListAllMyBuckets",
            Self::GetBucketLocation => "s3:GetBucketLocation",
        }
    }

    /// The action of this name, which IAM reads without regard to case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name().eq_ignore_ascii_case(name))
    }

    /// The access that it is, by itself.
    pub const fn access(self) -> Option<Access> {
        match self {
            Self::Get => Some(Access::Read),
            Self::Put => Some(Access::Write),
            Self::Delete => Some(Access::Delete),
            _ => None,
        }
    }

    /// Whether it shows names and reaches no object.
    pub const fn is_listing(self) -> bool {
        matches!(self, Self::ListBucket | Self::ListAllMyBuckets | Self::GetBucketLocation)
    }

    /// The actions of an access: a denial needs the first alone.
    pub const fn of(access: Access) -> &'static [Self] {
        match access {
            Access::Read => &[Self::Get],
            Access::Write => {
                &[Self::Put, Self::AbortMultipartUpload, Self::ListMultipartUploadParts]
            }
            Access::Delete => &[Self::Delete],
        }
    }
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `Allow` or `Deny`.
    pub effect: Effect,
    /// Its actions.
    pub actions: Vec<Action>,
    /// Its resources, without the [`ARN`] before them; `*` is everything.
    pub resources: Vec<String>,
    /// The values of `StringLike` on `s3:prefix`, where it has that condition.
    pub prefixes: Option<Vec<String>>,
}

/// A policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Its statements, in order.
    pub statements: Vec<Statement>,
}
