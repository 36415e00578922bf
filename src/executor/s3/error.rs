//! What the client's errors mean. Nothing of what a server says survives but a code.

use std::{error::Error, time::Duration};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::{engine::Withdrawn, executor::ExecuteError};

/// The longest pause that a server is believed to want, so that none makes a caller wait for ever.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// The error of a request, as callers may learn of it.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it by value")]
pub(super) fn from_sdk<E>(error: SdkError<E, HttpResponse>) -> ExecuteError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(withdrawn) = find::<Withdrawn>(&error) {
        return ExecuteError::Withdrawn(*withdrawn);
    }
    if let Some(why) = find::<CredentialsError>(&error) {
        super::credentials::warn_of(why);
        return ExecuteError::Credentials;
    }
    match &error {
        SdkError::ServiceError(service) => {
            let raw = service.raw();
            let retry_after = raw
                .headers()
                .get("retry-after")
                .and_then(|value| value.parse().ok())
                .map(Duration::from_secs)
                .map(|pause| pause.min(MAX_RETRY_AFTER));
            from_answer(Some(raw.status().as_u16()), service.err().code(), retry_after)
        }
        SdkError::TimeoutError(_) => ExecuteError::TimedOut,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => ExecuteError::TimedOut,
        SdkError::DispatchFailure(_) => ExecuteError::Unreachable,
        SdkError::ConstructionFailure(_) => ExecuteError::Configuration,
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            match status {
                // Its head said that all is well: what makes no sense is a body that broke off, or
                // that is not what was asked for.
                200..=299 => ExecuteError::Failed { status: None, code: None },
                _ => from_answer(Some(status), None, None),
            }
        }
        _ => ExecuteError::Failed { status: None, code: None },
    }
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
        (_, Some("NoSuchUpload")) => ExecuteError::Failed { status, code: owned() },
        (_, Some("NoSuchKey" | "NoSuchBucket" | "NotFound")) | (Some(404), _) => {
            ExecuteError::Missing
        }
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
fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

/// What caused an error, if it is of this kind.
pub(super) fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
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
            (404, Some("NoSuchUpload"), failed(Some(404), Some("NoSuchUpload"))),
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
