//! The decision log: one line for each decision.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::{
    engine::{ListMode, Operate, Outcome, Withdrawn},
    escape::escape,
    executor::ExecuteError,
    path::Path,
    policy::Revision,
};

/// A decision, until its line is written.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) caller: String,
    pub(super) key_id: String,
    pub(super) connection: String,
    pub(super) op: &'static str,
    /// The path; `None` when it was none.
    pub(super) path: Option<Path<'static>>,
    pub(super) outcome: Outcome,
    pub(super) reason: &'static str,
    pub(super) rule: Option<usize>,
    pub(super) list: Option<ListMode>,
    pub(super) revision: Revision,
    pub(super) duration: Duration,
}

/// What became of an allowed operation.
#[derive(Debug, Default)]
pub(super) struct Upstream {
    /// The status of the server's answer, where there was one.
    pub(super) status: Option<u16>,
    /// How many bytes of an object went through.
    pub(super) bytes: Option<u64>,
    /// Of a download that began, how it ended.
    pub(super) ended: Option<Ended>,
    /// Why it was not done.
    pub(super) error: Option<&'static str>,
    /// The code of the server's error.
    pub(super) code: Option<Box<str>>,
    /// That it was denied in the end, and why.
    withdrawn: Option<Withdrawn>,
}

/// How a download ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// With its last byte.
    Whole,
    /// The caller went away, or stopped reading.
    Cut,
    /// The server broke off, or sent nothing for too long.
    Failed,
    /// It was allowed when it began, and was not any more.
    Withdrawn,
}

impl Ended {
    const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Cut => "cut",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Upstream {
    pub(super) fn done(bytes: Option<u64>) -> Self {
        Self { status: Some(200), bytes, ..Self::default() }
    }

    /// A download that the server began to answer, with all of an object or with some of it.
    pub(super) fn sent(is_partial: bool, bytes: u64, ended: Ended) -> Self {
        let status = Some(if is_partial { 206 } else { 200 });
        Self { status, ended: Some(ended), ..Self::done(Some(bytes)) }
    }

    /// The caller went away, or it took too long.
    pub(super) fn given_up() -> Self {
        Self { error: Some("given_up"), ..Self::default() }
    }

    pub(super) fn failed(error: &ExecuteError) -> Self {
        let code = match error {
            ExecuteError::Refused { code, .. } | ExecuteError::Failed { code, .. } => code.clone(),
            _ => None,
        };
        let withdrawn = match error {
            ExecuteError::Withdrawn(withdrawn) => Some(*withdrawn),
            _ => None,
        };
        let (status, error) = match error {
            ExecuteError::Missing => (Some(404), "missing"),
            ExecuteError::NotModified { .. } => (Some(304), "not_modified"),
            ExecuteError::PreconditionFailed => (Some(412), "precondition_failed"),
            ExecuteError::ConditionsNotHonoured => (None, "conditions_not_honoured"),
            ExecuteError::RangeNotSatisfiable { .. } => (Some(416), "range_not_satisfiable"),
            ExecuteError::NotOffered => (None, "not_offered"),
            ExecuteError::NoSuchUpload => (Some(404), "no_such_upload"),
            ExecuteError::InvalidParts(_) => (Some(400), "invalid_parts"),
            ExecuteError::KeyNotSendable => (None, "key_not_sendable"),
            ExecuteError::Unnamable => (None, "unnamable"),
            ExecuteError::Withdrawn(_) => (None, "withdrawn"),
            ExecuteError::Body(_) => (None, "body"),
            ExecuteError::TooLarge => (Some(400), "too_large"),
            ExecuteError::Credentials => (None, "credentials"),
            ExecuteError::Configuration => (None, "configuration"),
            ExecuteError::Refused { status, .. } => (Some(*status), "refused"),
            ExecuteError::Busy { .. } => (Some(503), "busy"),
            ExecuteError::Unreachable => (None, "unreachable"),
            ExecuteError::TimedOut => (None, "timed_out"),
            ExecuteError::Failed { status, .. } => (*status, "failed"),
        };
        Self { status, error: Some(error), code, withdrawn, ..Self::default() }
    }
}

impl Entry {
    pub(super) fn log(&self, request_id: &str, upstream: &Upstream) {
        static DECISIONS: AtomicU64 = AtomicU64::new(1);
        let text = |bytes: &[u8]| escape(&String::from_utf8_lossy(bytes)).into_owned();
        let key = self.path.as_ref().map(|path| key(path.key()));
        // What was allowed when it began, and was not when it would have been done, is denied: by no rule of
        // the policy that it began with.
        let (outcome, reason, rule, list) = match upstream.withdrawn {
            Some(withdrawn) => (Outcome::Deny, withdrawn.code(), None, None),
            None => (self.outcome, self.reason, self.rule, self.list),
        };
        tracing::info!(
            target: "pathward::decision",
            decision_id = DECISIONS.fetch_add(1, Ordering::Relaxed),
            request_id,
            revision = %self.revision,
            connection = %escape(&self.connection),
            caller = %escape(&self.caller),
            key_id = %escape(&self.key_id),
            op = self.op,
            s3_operation = s3_operation(self.op, self.path.as_ref()),
            bucket = self.path.as_ref().map(|path| text(path.bucket())),
            key = key.as_ref().map(|(key, _)| &**key),
            key_encoding = key.as_ref().map_or("utf8", |(_, encoding)| *encoding),
            decision = match outcome {
                Outcome::Allow => "allow",
                Outcome::Deny => "deny",
                Outcome::Invalid => "invalid",
            },
            reason_code = reason,
            rule_id = rule,
            list_mode = list.map(|mode| match mode {
                ListMode::Pass => "pass",
                ListMode::Narrow => "narrow",
            }),
            duration_ns = u64::try_from(self.duration.as_nanos()).unwrap_or(u64::MAX),
            upstream_status = upstream.status,
            upstream_error = upstream.error,
            upstream_code = upstream.code.as_deref(),
            bytes = upstream.bytes,
            ended = upstream.ended.map(Ended::name),
        );
    }
}

/// A key, and how it is written: what has hidden characters is escaped so that it can be read back.
fn key(bytes: &[u8]) -> (Cow<'_, str>, &'static str) {
    const ALL_BUT_PLAIN: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');
    match std::str::from_utf8(bytes) {
        Ok(text) if matches!(escape(text), Cow::Borrowed(_)) => (text.into(), "utf8"),
        _ => (percent_encode(bytes, ALL_BUT_PLAIN).to_string().into(), "pct"),
    }
}

/// What S3 calls it: the request that an operation comes to, or would have.
fn s3_operation(op: &str, path: Option<&Path<'_>>) -> Option<&'static str> {
    Some(match op {
        "read" => "GetObject",
        "stat" => "HeadObject",
        "write" | "create-directory" => "PutObject",
        "delete" | "delete-directory" => "DeleteObject",
        "delete-tree" => "DeleteObjects",
        "list" if path.is_some_and(Path::is_root) => "ListBuckets",
        "list" | "list-prefix" => "ListObjectsV2",
        "copy" => "CopyObject",
        "delete-many" => "DeleteObjects",
        "create-upload" => "CreateMultipartUpload",
        "upload-part" => "UploadPart",
        "copy-part" => "UploadPartCopy",
        "list-parts" => "ListParts",
        "complete-upload" => "CompleteMultipartUpload",
        "abort-upload" => "AbortMultipartUpload",
        "list-uploads" => "ListMultipartUploads",
        _ => return None,
    })
}

/// The path that a line is about: the first that the operation touches.
pub(super) fn path_of<Op: Operate>(operation: &Op) -> Option<Path<'static>> {
    operation.accesses().next().map(|need| need.path.clone().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_logged_so_that_it_can_be_read_back() {
        for (bytes, written, encoding) in [
            (&b"a b/%2F+"[..], "a b/%2F+", "utf8"),
            ("ü".as_bytes(), "ü", "utf8"),
            (br"\u{202e}", r"\u{202e}", "utf8"),
            ("a b/\u{202e}%".as_bytes(), "a%20b/%E2%80%AE%25", "pct"),
        ] {
            assert_eq!(key(bytes), (written.into(), encoding));
            let back: Vec<u8> = match encoding {
                "pct" => percent_encoding::percent_decode_str(written).collect(),
                _ => written.as_bytes().to_vec(),
            };
            assert_eq!(back, bytes);
        }
    }
}
