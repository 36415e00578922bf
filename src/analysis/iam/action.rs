//! The actions that connections give, and what the text of an action in a policy stands for.

use super::catalogue;
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

    /// Whether it is a part of writing that is no access by itself.
    pub const fn is_part(self) -> bool {
        matches!(self, Self::AbortMultipartUpload | Self::ListMultipartUploadParts)
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

/// What the text of an action stands for. `*` in it is any run of characters and `?` any one, without regard to
/// case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// Actions of S3.
    S3(Actions),
    /// Actions of another service, such as `ec2:DescribeVolumes`: nothing of S3.
    Elsewhere,
    /// None that there is: a slip of the pen, which IAM takes and which allows nothing.
    Nothing {
        /// What to write instead, as a phrase that stands alone.
        help: String,
    },
}

/// Actions of S3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// Those that connections give or that list.
    pub known: Vec<Action>,
    /// One that no connection gives, where there is one.
    pub beyond: Option<&'static str>,
}

impl Meant {
    /// What a text stands for.
    pub fn by(text: &str) -> Self {
        let (service, name) = match text {
            "*" | "*:*" => ("s3", "*"),
            text => text.split_once(':').unwrap_or_default(),
        };
        let is_word = |text: &str, more: &[u8]| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
        };
        let is_s3 = service.eq_ignore_ascii_case("s3");
        let signs: &[u8] = if is_s3 { b"*?" } else { b"*?-_/." };
        let is_slip =
            !is_word(service, b"-") || !is_word(name, signs) || catalogue::is_slip(service);
        if !is_s3 && !is_slip {
            return Self::Elsewhere;
        }
        let actions = if is_slip { Actions::default() } else { Actions::matching(name) };
        match actions {
            Actions { known, beyond: None } if known.is_empty() => {
                Self::Nothing { help: catalogue::instead_of(text) }
            }
            actions => Self::S3(actions),
        }
    }
}

impl Actions {
    /// Those whose name behind `s3:` a text matches.
    fn matching(text: &str) -> Self {
        let mut pattern = Pattern::default();
        pattern.push_bytes(b"s3:");
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
            beyond: catalogue::beyond().find(|name| is_meant(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(text: &str) -> Actions {
        match Meant::by(text) {
            Meant::S3(actions) => actions,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn actions_of_s3_are_known_by_name_and_by_wildcard() {
        for (text, known, beyond) in [
            ("s3:GetObject", &[Action::Get][..], None),
            ("S3:getobject", &[Action::Get], None),
            ("s3:GetObjec?", &[Action::Get], None),
            ("s3:GetObjectAcl", &[], Some("s3:GetObjectAcl")),
            ("s3:describe*", &[], Some("s3:DescribeJob")),
            ("s3:HeadBucket", &[], Some("s3:HeadBucket")),
            ("s3:Delete*", &[Action::Delete], Some("s3:DeleteObjectAnnotation")),
        ] {
            assert_eq!(s3(text), Actions { known: known.to_vec(), beyond }, "{text}");
        }
        for text in ["*", "*:*", "s3:*", "s3:**"] {
            assert_eq!(s3(text).known, Action::ALL, "{text}");
            assert!(s3(text).beyond.is_some());
        }
    }

    #[test]
    fn other_services_are_elsewhere_and_slips_are_nothing() {
        for text in [
            "ec2:DescribeVolumes",
            "kms:*",
            "s3-object-lambda:Get*",
            "s3express:CreateSession",
            "s3tables:*",
            "s3-outposts:GetObject",
            "sts:AssumeRole",
            "admin:*",
        ] {
            assert_eq!(Meant::by(text), Meant::Elsewhere, "{text}");
        }
        for (text, help) in [
            ("s3:GetObjects", "`s3:GetObject`"),
            ("s3:getObjets", "`s3:GetObject`"),
            ("s3:GetObjectTaging", "`s3:GetObjectTagging`"),
            ("s3:HeadObject", "`s3:GetObject` allows it"),
            ("s3:ListObjectsV2", "`s3:ListBucket` allows it"),
            ("s3:DeleteObjects", "`s3:DeleteObject` allows it"),
            ("GetObject", "`s3:GetObject`"),
            ("s3.GetObject", "`s3:GetObject`"),
            ("s3 :GetObject", "`s3:GetObject`"),
            (" s3:GetObject", "`s3:GetObject`"),
            ("s3:GetObject ", "`s3:GetObject`"),
            ("s3::GetObject", "`s3:GetObject`"),
            ("ss3:GetObject", "`s3:GetObject`"),
            ("s4:GetObject", "`s3:GetObject`"),
            ("s3s:PutObject", "`s3:PutObject`"),
            ("aws:s3:GetObject", "`s3:GetObject`"),
            ("s3*:GetObject", "`s3:GetObject`"),
            ("*:GetObject", "`s3:GetObject`"),
            ("s3:", "take it out"),
            ("s3:Foo*", "take it out"),
            ("", "take it out"),
        ] {
            match Meant::by(text) {
                Meant::Nothing { help: found } => assert!(found.contains(help), "{text}: {found}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
