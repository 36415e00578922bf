//! What other logs call the operations of S3: one of ours, or none that a connection gives.

use std::borrow::Cow;

use super::line::{Fields, Line};
use crate::{engine::Outcome, escape::escape};

/// The code of the reason where a server allowed it.
pub(super) const ALLOWED: &str = "s3.allowed";
/// The code of the reason where a server denied it.
pub(super) const DENIED: &str = "s3.denied";
/// How much of a name is kept to count it.
const MOST_NAME: usize = 64;

/// A format that is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Format {
    /// AWS: the S3 server access log, as lines or as JSON.
    AccessLog,
    /// AWS: CloudTrail.
    CloudTrail,
    /// MinIO's audit log.
    MinIo,
    /// The operations log of Ceph's gateway.
    Ceph,
}

impl Format {
    /// Its name in JSON.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AccessLog => "s3-access-log",
            Self::CloudTrail => "cloudtrail",
            Self::MinIo => "minio-audit",
            Self::Ceph => "ceph-ops",
        }
    }

    /// Its name for people.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::AccessLog => "the S3 server access log",
            Self::CloudTrail => "CloudTrail",
            Self::MinIo => "MinIO's audit log",
            Self::Ceph => "the operations log of Ceph's gateway",
        }
    }
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Read,
    Stat,
    Write,
    /// Reads one object and writes another.
    Copy,
    Delete,
    List,
    Buckets,
}

/// The operations that a connection gives, by the names that logs have for them.
const OPERATIONS: [(&str, Does); 51] = [
    ("REST.GET.OBJECT", Does::Read),
    ("REST.HEAD.OBJECT", Does::Stat),
    ("REST.PUT.OBJECT", Does::Write),
    ("REST.POST.OBJECT", Does::Write),
    ("REST.POST.UPLOADS", Does::Write),
    ("REST.PUT.PART", Does::Write),
    ("REST.POST.UPLOAD", Does::Write),
    // Of a copy there are two lines.
    ("REST.COPY.OBJECT", Does::Write),
    ("REST.COPY.OBJECT_GET", Does::Read),
    ("REST.COPY.PART", Does::Write),
    ("REST.COPY.PART_GET", Does::Read),
    ("REST.DELETE.OBJECT", Does::Delete),
    ("BATCH.DELETE.OBJECT", Does::Delete),
    ("REST.GET.BUCKET", Does::List),
    ("REST.GET.SERVICE", Does::Buckets),
    // CloudTrail, and MinIO, which has some of its own.
    ("GetObject", Does::Read),
    ("HeadObject", Does::Stat),
    ("PutObject", Does::Write),
    ("PostObject", Does::Write),
    ("PostPolicyBucket", Does::Write),
    ("CreateMultipartUpload", Does::Write),
    ("NewMultipartUpload", Does::Write),
    ("UploadPart", Does::Write),
    ("PutObjectPart", Does::Write),
    ("CompleteMultipartUpload", Does::Write),
    ("CopyObject", Does::Copy),
    ("UploadPartCopy", Does::Copy),
    ("CopyObjectPart", Does::Copy),
    ("DeleteObject", Does::Delete),
    ("DeleteMultipleObjects", Does::Delete),
    ("ListObjects", Does::List),
    ("ListObjectsV1", Does::List),
    ("ListObjectsV2", Does::List),
    ("ListObjectsV1M", Does::List),
    ("ListObjectsV2M", Does::List),
    ("ListBuckets", Does::Buckets),
    // Ceph.
    ("get_obj", Does::Read),
    ("stat_obj", Does::Stat),
    ("put_obj", Does::Write),
    ("post_obj", Does::Write),
    ("init_multipart", Does::Write),
    ("complete_multipart", Does::Write),
    ("copy_obj", Does::Copy),
    ("delete_obj", Does::Delete),
    ("multi_object_delete", Does::Delete),
    ("list_bucket", Does::List),
    ("list_buckets", Does::Buckets),
    ("get_obj_layout", Does::Stat),
    ("head_obj", Does::Stat),
    ("put_obj_part", Does::Write),
    ("list_objects", Does::List),
];

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was done.
    Done,
    /// It was allowed, and nothing was there.
    Missing,
    /// The server denied it.
    Denied,
    /// It failed before or after it was decided: why.
    Failed(String),
}

impl Ended {
    /// By the status of the answer and the code of its error, if it has one.
    pub(super) fn of(status: u16, error: Option<&str>) -> Self {
        match (status, error) {
            (200..=299 | 304 | 412 | 416, _) => Self::Done,
            (404, _) => Self::Missing,
            (403, None | Some("AccessDenied" | "AllAccessDisabled" | "Forbidden")) => Self::Denied,
            (status, Some(error)) => Self::Failed(format!("{status} {error}")),
            (status, None) => Self::Failed(status.to_string()),
        }
    }

    /// By the code of the error alone.
    pub(super) fn of_error(error: Option<&str>) -> Self {
        match error {
            None | Some("" | "NotModified" | "PreconditionFailed" | "InvalidRange") => Self::Done,
            Some("NoSuchKey" | "NoSuchBucket" | "NotFound" | "404") => Self::Missing,
            Some("AccessDenied" | "AllAccessDisabled" | "Forbidden" | "403") => Self::Denied,
            Some(error) => Self::Failed(error.to_owned()),
        }
    }
}

/// A request in another's log.
#[derive(Clone, Debug)]
pub(super) struct Event<'l> {
    pub(super) format: Format,
    pub(super) name: &'l str,
    pub(super) bucket: Cow<'l, str>,
    pub(super) key: Cow<'l, [u8]>,
    /// Whether the key could be read in two ways.
    pub(super) is_guessed: bool,
    /// What a listing asks for.
    pub(super) prefix: Cow<'l, [u8]>,
    /// What a copy reads, `bucket/key`.
    pub(super) source: Option<Vec<u8>>,
    /// Whether it is about a version, which no connection gives.
    pub(super) has_version: bool,
    pub(super) ended: Ended,
}

impl<'l> Event<'l> {
    /// The line that says it.
    pub(super) fn line(self) -> Result<Line<'l>, String> {
        let Self { format, name, bucket, key, is_guessed, prefix, source, has_version, ended } =
            self;
        let known = OPERATIONS.iter().find(|(known, _)| *known == name).map(|(_, does)| *does);
        let Some(does) = known else { return Ok(skipped(format, name, "")) };
        if has_version {
            return Ok(skipped(format, name, " of a version"));
        }
        let is_read = matches!(does, Does::Read | Does::Stat | Does::List);
        match &ended {
            Ended::Failed(why) => {
                return Ok(skipped(format, name, &format!(" that failed ({why})")));
            }
            Ended::Missing if !is_read => {
                return Ok(skipped(format, name, " that failed (404)"));
            }
            _ => {}
        }
        let at = |key: &[u8]| [bucket.as_bytes(), b"/", key].concat();
        let (op, path, to) = match (does, source) {
            (Does::Read, _) => ("read", at(&key), None),
            (Does::Stat, _) => ("stat", at(&key), None),
            (Does::Copy, Some(source)) => ("copy", source, Some(at(&key))),
            // What it read is not said.
            (Does::Write | Does::Copy, _) => ("write", at(&key), None),
            (Does::Delete, _) => ("delete", at(&key), None),
            (Does::Buckets, _) => ("list", Vec::new(), None),
            (Does::List, _) => {
                // A connection lists directories: the one that the prefix is in.
                let end = memchr::memrchr(b'/', &prefix).map_or(0, |at| at + 1);
                ("list", at(&prefix[..end]), None)
            }
        };
        if does != Does::Buckets && (bucket.is_empty() || bucket == "-") {
            return Err(format!("`{}` names no bucket", escape(name)));
        }
        if matches!(does, Does::Read | Does::Stat | Does::Write | Does::Copy | Does::Delete)
            && (key.is_empty() || *key == *b"-")
        {
            return Ok(skipped(format, name, " without a key"));
        }
        let (outcome, reason) = match ended {
            Ended::Denied => (Outcome::Deny, DENIED),
            _ => (Outcome::Allow, ALLOWED),
        };
        Ok(Line::Record(Fields {
            op: op.into(),
            path: path.into(),
            to: to.map(Cow::from),
            verdict: Some((outcome, reason.into())),
            is_missing: ended == Ended::Missing,
            is_guessed,
            format: Some(format),
            ..Fields::default()
        }))
    }
}

/// A line of a log that is no operation of a connection.
pub(super) fn skipped<'l>(format: Format, name: &str, more: &str) -> Line<'l> {
    let mut what: String = name.chars().take(MOST_NAME).collect();
    what.extend(more.chars().take(MOST_NAME));
    Line::Skipped(format, what)
}
