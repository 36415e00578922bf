//! Whether a request's conditions hold: `If-Match` and its kin.

use std::time::SystemTime;

use s3s::{
    S3Result,
    dto::{ETagCondition, Timestamp},
    s3_error,
};

use crate::embedded::store::Object;

/// What is asked of an object before it is read.
#[derive(Default)]
pub(super) struct Conditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

fn names(condition: &ETagCondition, object: &Object) -> bool {
    condition.as_etag().is_none_or(|etag| etag.value() == object.etag)
}

fn is_after(modified: SystemTime, time: &Timestamp) -> bool {
    Timestamp::from(modified) > *time
}

impl Conditions {
    /// Whether the object may be read. An entity tag counts more than a date, as in RFC 9110.
    ///
    /// # Errors
    ///
    /// `PreconditionFailed`, or `NotModified`.
    pub(super) fn check(&self, object: &Object) -> S3Result<()> {
        let matched = self.if_match.as_ref().map(|condition| names(condition, object));
        let unmodified =
            self.if_unmodified_since.as_ref().map(|time| !is_after(object.modified, time));
        if !matched.or(unmodified).unwrap_or(true) {
            return Err(s3_error!(PreconditionFailed));
        }
        let differs = self.if_none_match.as_ref().map(|condition| !names(condition, object));
        let modified = self.if_modified_since.as_ref().map(|time| is_after(object.modified, time));
        if !differs.or(modified).unwrap_or(true) {
            return Err(s3_error!(NotModified));
        }
        Ok(())
    }
}

/// Whether what is there, if anything, may be replaced or deleted.
///
/// # Errors
///
/// `PreconditionFailed`, or `NoSuchKey` where one must be there to match.
pub(super) fn check_write(
    before: Option<&Object>,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    let holds = match (before, if_match, if_none_match) {
        (None, Some(_), _) => return Err(s3_error!(NoSuchKey)),
        (None, None, _) => true,
        (Some(object), wanted, unwanted) => {
            wanted.is_none_or(|condition| names(condition, object))
                && unwanted.is_none_or(|condition| !names(condition, object))
        }
    };
    if holds { Ok(()) } else { Err(s3_error!(PreconditionFailed)) }
}
