//! What servers' errors mean. Nothing of what a server says survives but a code.

use std::time::Duration;

use crate::executor::{ExecuteError, InvalidParts};

/// A server's answer that makes no sense.
pub(super) fn senseless() -> ExecuteError {
    ExecuteError::Failed { status: None, code: None }
}

/// What a server's status and the code of its error mean.
pub(super) fn from_answer(
    status: Option<u16>,
    code: Option<&str>,
    retry_after: Option<Duration>,
) -> ExecuteError {
    let code = code.filter(|code| is_code(code));
    let owned = || code.map(Into::into);
    match (status, code) {
        // An upload that is gone says nothing about the object.
        (_, Some("NoSuchUpload")) => ExecuteError::NoSuchUpload,
        (_, Some("InvalidPart")) => ExecuteError::InvalidParts(InvalidParts::Missing),
        (_, Some("InvalidPartOrder")) => ExecuteError::InvalidParts(InvalidParts::Order),
        (_, Some("EntityTooSmall")) => ExecuteError::InvalidParts(InvalidParts::TooSmall),
        (_, Some("NoSuchKey" | "NoSuchBucket" | "NotFound")) | (Some(404), _) => {
            ExecuteError::Missing
        }
        (_, Some("PreconditionFailed")) | (Some(412), _) => ExecuteError::PreconditionFailed,
        (_, Some("EntityTooLarge")) | (Some(413), _) => ExecuteError::TooLarge,
        (_, Some("SlowDown" | "Throttling" | "ThrottlingException" | "TooManyRequests"))
        | (Some(429 | 503), _) => ExecuteError::Busy { retry_after },
        (_, Some("RequestTimeout")) | (Some(408 | 504), _) => ExecuteError::TimedOut,
        (
            _,
            Some(
                "AccessDenied"
                | "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "ExpiredToken"
                | "InvalidToken",
            ),
        )
        | (Some(401 | 403), _) => {
            ExecuteError::Refused { status: status.unwrap_or(403), code: owned() }
        }
        _ => ExecuteError::Failed { status, code: owned() },
    }
}

/// Whether text looks like the code of an error, and not like something that tells more.
pub(super) fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let refused = |status, code: Option<&str>| ExecuteError::Refused {
            status,
            code: code.map(Into::into),
        };
        let failed = |status, code: Option<&str>| ExecuteError::Failed {
            status,
            code: code.map(Into::into),
        };
        for (status, code, expected) in [
            (404, None, ExecuteError::Missing),
            (404, Some("NoSuchKey"), ExecuteError::Missing),
            (404, Some("NoSuchUpload"), ExecuteError::NoSuchUpload),
            (400, Some("InvalidPart"), ExecuteError::InvalidParts(InvalidParts::Missing)),
            (400, Some("InvalidPartOrder"), ExecuteError::InvalidParts(InvalidParts::Order)),
            (400, Some("EntityTooSmall"), ExecuteError::InvalidParts(InvalidParts::TooSmall)),
            (403, None, refused(403, None)),
            (403, Some("AccessDenied"), refused(403, Some("AccessDenied"))),
            (403, Some("secret/key is not yours"), refused(403, None)),
            (400, Some("EntityTooLarge"), ExecuteError::TooLarge),
            (503, Some("SlowDown"), ExecuteError::Busy { retry_after: None }),
            (400, Some("RequestTimeout"), ExecuteError::TimedOut),
            (500, Some("InternalError"), failed(Some(500), Some("InternalError"))),
            (500, Some(""), failed(Some(500), None)),
            (301, Some("PermanentRedirect"), failed(Some(301), Some("PermanentRedirect"))),
        ] {
            assert_eq!(from_answer(Some(status), code, None), expected, "{status} {code:?}");
        }
    }
}
