//! The actions of S3: those that connections give, and others that are known by name.

use crate::{
    access::Access,
    restriction::{ByteSet, Pattern, Token},
};

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

/// Actions on buckets and objects that no connection gives. What is not here either is taken for a slip
/// of the pen; the list need not be whole.
const OTHERS: [&str; 49] = [
    "s3:GetObjectAcl",
    "s3:GetObjectAttributes",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectTagging",
    "s3:GetObjectTorrent",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionTagging",
    "s3:GetObjectVersionTorrent",
    "s3:PutObjectAcl",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectVersionTagging",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:DeleteObjectVersionTagging",
    "s3:BypassGovernanceRetention",
    "s3:ObjectOwnerOverrideToBucketOwner",
    "s3:ReplicateDelete",
    "s3:ReplicateObject",
    "s3:ReplicateTags",
    "s3:RestoreObject",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:GetAccelerateConfiguration",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketLogging",
    "s3:GetBucketNotification",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:PutBucketAcl",
    "s3:PutBucketPolicy",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
];

/// What the text of an action stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// The actions that connections give or that list.
    pub known: Vec<Action>,
    /// One that no connection gives, where there is one.
    pub beyond: Option<&'static str>,
}

impl Actions {
    /// The actions of a text, in which `*` is any run of characters and `?` any one, without regard to
    /// case. Nothing if it stands for none that has a name here.
    pub fn of(text: &str) -> Self {
        let mut pattern = Pattern::default();
        for byte in text.bytes() {
            match byte {
                b'*' => pattern.push(Token::STAR),
                b'?' => pattern.push(Token::One(ByteSet::ALL)),
                byte => pattern.push_byte(byte.to_ascii_lowercase()),
            }
        }
        let is_meant = |name: &str| pattern.matches(name.to_ascii_lowercase().as_bytes());
        Self {
            known: Action::ALL.into_iter().filter(|action| is_meant(action.name())).collect(),
            beyond: OTHERS.into_iter().find(|name| is_meant(name)),
        }
    }
}
