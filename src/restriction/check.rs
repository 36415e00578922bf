//! What holds for the texts of both forms.

use super::{
    Pattern, Token,
    kind::{MAX_RESTRICTION_LEN, Refused, RestrictionErrorKind},
};
use crate::path::{MAX_BUCKET_LEN, MAX_PATH_LEN, MIN_BUCKET_LEN, dot_segment, is_bucket_byte};

/// What holds for the text of both forms, before it is read.
pub(super) fn check_text(text: &str) -> Result<(), Refused> {
    let fail = |kind, at| Err(Refused::new(kind, at));
    if text.is_empty() {
        return fail(RestrictionErrorKind::Empty, 0);
    }
    if text.len() > MAX_RESTRICTION_LEN {
        return fail(RestrictionErrorKind::TooLong, MAX_RESTRICTION_LEN);
    }
    if text.starts_with('/') {
        return fail(RestrictionErrorKind::LeadingSlash, 0);
    }
    if let Some(at) = text.bytes().position(|byte| byte < 0x20 || byte == 0x7f) {
        return fail(RestrictionErrorKind::Control, at);
    }
    if text.starts_with("arn:") {
        return fail(RestrictionErrorKind::Protocol, 0);
    }
    let protocol = text.split("://").next().unwrap_or_default();
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '_' | '.' | '-');
    if text[protocol.len()..].starts_with("://") && protocol.chars().all(of_name) {
        return fail(RestrictionErrorKind::Protocol, 0);
    }
    Ok(())
}

/// Refuses a pattern that no path could match, which can only be a mistake.
pub(super) fn check_reachable(pattern: &Pattern, text: &str) -> Result<(), Refused> {
    let fail = |kind, at| Err(Refused::new(kind, at));
    if pattern.prefix().starts_with(b"/") {
        return fail(RestrictionErrorKind::LeadingSlash, 0);
    }
    if pattern.min_len() > MAX_PATH_LEN {
        return fail(RestrictionErrorKind::LongerThanPath, 0);
    }
    if has_dot_segment(pattern) {
        let at = dot_segment(text.as_bytes()).unwrap_or(0);
        return fail(RestrictionErrorKind::DotSegment, at);
    }
    let prefix = pattern.prefix();
    let whole = matches!(pattern.tokens(), [] | [Token::Literal(_)]);
    let slash = prefix.iter().position(|byte| *byte == b'/');
    let bucket = &prefix[..slash.unwrap_or(prefix.len())];
    if let Some(at) = bucket.iter().position(|byte| !is_bucket_byte(*byte)) {
        return fail(RestrictionErrorKind::BucketCharacter, at);
    }
    let complete = slash.is_some() || whole;
    if bucket.len() > MAX_BUCKET_LEN || complete && bucket.len() < MIN_BUCKET_LEN {
        return fail(RestrictionErrorKind::BucketLength, 0);
    }
    Ok(())
}

/// Whether a segment that no wildcard touches is `.` or `..`.
fn has_dot_segment(pattern: &Pattern) -> bool {
    // A wildcard becomes a byte that is neither a dot nor a slash.
    let sample: Vec<u8> = pattern
        .tokens()
        .iter()
        .flat_map(|token| match token {
            Token::Literal(bytes) => bytes.to_vec(),
            Token::One(_) | Token::Run(_) => vec![b'x'],
        })
        .collect();
    dot_segment(&sample).is_some()
}
