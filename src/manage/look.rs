//! Looking through a connection, and testing it: through the gateway, as any request.

use super::{
    Manager,
    answers::{Browsed, BrowsedFile, Health, Refusal, Tested},
};
use crate::{
    escape::escape,
    executor::{DirectoryPage, ExecuteError},
    gateway::respond::Failure,
    path::Path,
    policy::ConnectionId,
};

impl Manager {
    /// What a caller with full permission is shown of a directory: exactly the Data API's listing.
    /// `path` is `bucket/dir/`, or empty for the root; `marker` is the one of the page before.
    ///
    /// # Errors
    ///
    /// What the Data API would answer: a denial, and the same for a connection that is not the
    /// owner's as for one that is not there; a marker of another listing; a failure of the server.
    pub async fn browse(
        &self,
        owner: &str,
        connection: &ConnectionId<'_>,
        path: &str,
        marker: Option<&str>,
    ) -> Result<Browsed, Refusal> {
        let directory = Path::from_vec(path.as_bytes().to_vec()).and_then(Path::into_directory);
        let directory = directory.map_err(|error| Failure::invalid(error.to_string()))?;
        let id = connection.clone().into_owned();
        let (page, marker) = self.gateway().browse(owner, id, directory, marker).await?;
        let file = |file: crate::executor::FileEntry| BrowsedFile {
            name: file.name,
            size: file.size,
            last_modified: file.last_modified,
        };
        Ok(Browsed {
            folders: page.folders,
            files: page.files.into_iter().map(file).collect(),
            marker,
        })
    }

    /// Asks the connection's server for one listing of something that the connection permits.
    ///
    /// # Errors
    ///
    /// When the owner has no such connection.
    pub async fn test(
        &self,
        owner: &str,
        connection: &ConnectionId<'_>,
    ) -> Result<Tested, Refusal> {
        let probed = self.gateway().probe(owner, connection.clone().into_owned()).await?;
        Ok(match probed {
            Some(probed) => told(&probed.directory, &probed.page),
            None => Tested {
                health: Health::Untested,
                listed: None,
                words: "the connection permits no listing, so that nothing can be asked without \
                        changing something"
                    .to_owned(),
            },
        })
    }
}

/// What came of a listing, in our own words: nothing that the server said is in them.
fn told(directory: &Path<'_>, page: &Result<DirectoryPage, ExecuteError>) -> Tested {
    let what = match directory.is_root() {
        true => "its buckets".to_owned(),
        false => format!("`{}`", escape(&directory.to_string())),
    };
    let bucket = String::from_utf8_lossy(directory.bucket());
    let bucket = escape(&bucket);
    let (health, words) = match page {
        Ok(page) if directory.is_root() && page.folders.is_empty() => (
            Health::Missing,
            "the server takes the credentials, and shows no bucket that the restrictions permit"
                .to_owned(),
        ),
        Ok(page) if page.exists => {
            (Health::Works, format!("the server takes the credentials, and listed {what}"))
        }
        Ok(_) | Err(ExecuteError::Missing) => (
            Health::Missing,
            match directory.key().is_empty() {
                true => format!(
                    "the server answered, and there is no bucket `{bucket}`: look at the name in the \
                     restriction, and at the endpoint and region"
                ),
                false => format!(
                    "the server answered, and there is nothing in {what}, or no bucket `{bucket}`"
                ),
            },
        ),
        Err(error) => of_error(error, &what),
    };
    let listed = Some(directory.to_string());
    Tested { health, listed, words }
}

fn of_error(error: &ExecuteError, what: &str) -> (Health, String) {
    const SKEWED: &str =
        "the server says that the request comes from another time: set this machine's clock";
    match error {
        ExecuteError::Refused { code, .. } => {
            let words = match code.as_deref() {
                Some("InvalidAccessKeyId") => {
                    "the server does not know this access key id: enter it again".to_owned()
                }
                Some("SignatureDoesNotMatch") => {
                    "the secret does not belong to the access key id: enter both again".to_owned()
                }
                Some("ExpiredToken" | "InvalidToken") => {
                    "the session of the access key is over: enter a new key".to_owned()
                }
                Some("RequestTimeTooSkewed") => SKEWED.to_owned(),
                _ => format!(
                    "the server refuses to list {what} with these credentials: either they are wrong, \
                     or they may not list it"
                ),
            };
            (Health::Refused, words)
        }
        ExecuteError::Credentials => (
            Health::Credentials,
            "the connection's credentials could not be had: what they refer to is not there, or they \
             do not open"
                .to_owned(),
        ),
        ExecuteError::Unreachable => (
            Health::Unreachable,
            "the server cannot be reached: look at the endpoint, its port, and `http` or `https`; one in \
             a private network has to be allowed by whoever runs Pathward"
                .to_owned(),
        ),
        ExecuteError::TimedOut => (
            Health::TimedOut,
            "the server took too long to answer: look at the endpoint, and try again".to_owned(),
        ),
        ExecuteError::Busy { .. } => {
            (Health::Busy, "the server is busy: try again later".to_owned())
        }
        ExecuteError::Failed { code: Some(code), .. }
            if matches!(
                &**code,
                "PermanentRedirect"
                    | "AuthorizationHeaderMalformed"
                    | "IllegalLocationConstraintException"
            ) =>
        {
            (Health::Configuration, "the bucket is in another region: set the region".to_owned())
        }
        ExecuteError::Configuration => (
            Health::Configuration,
            "the connection is not configured completely: set its region".to_owned(),
        ),
        ExecuteError::Missing
        | ExecuteError::KeyNotSendable
        | ExecuteError::Unnamable
        | ExecuteError::Withdrawn(_)
        | ExecuteError::Body(_)
        | ExecuteError::TooLarge
        | ExecuteError::NotModified { .. }
        | ExecuteError::PreconditionFailed
        | ExecuteError::ConditionsNotHonoured
        | ExecuteError::RangeNotSatisfiable { .. }
        | ExecuteError::NotOffered
        | ExecuteError::NoSuchUpload
        | ExecuteError::InvalidParts(_)
        | ExecuteError::Failed { .. } => (
            Health::Failed,
            "the server failed, or is none that speaks the protocol of S3: look at the endpoint"
                .to_owned(),
        ),
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self {
            status: failure.status,
            code: failure.code as u32,
            message: failure.message,
            retry_after: failure.retry_after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_server_says_is_told_in_words_of_ours() {
        let refused =
            |code: Option<&str>| ExecuteError::Refused { status: 403, code: code.map(Into::into) };
        let failed =
            |code: &str| ExecuteError::Failed { status: Some(400), code: Some(code.into()) };
        for (error, health, part) in [
            (refused(Some("InvalidAccessKeyId")), Health::Refused, "access key id"),
            (refused(Some("SignatureDoesNotMatch")), Health::Refused, "secret"),
            (refused(Some("ExpiredToken")), Health::Refused, "session"),
            (refused(Some("AccessDenied")), Health::Refused, "`pub/data/`"),
            (refused(None), Health::Refused, "`pub/data/`"),
            (ExecuteError::Missing, Health::Missing, "no bucket `pub`"),
            (ExecuteError::Credentials, Health::Credentials, "could not be had"),
            (ExecuteError::Configuration, Health::Configuration, "region"),
            (failed("PermanentRedirect"), Health::Configuration, "region"),
            (failed("Secret10dot0dot0dot1"), Health::Failed, "endpoint"),
            (ExecuteError::Unreachable, Health::Unreachable, "endpoint"),
            (ExecuteError::TimedOut, Health::TimedOut, "too long"),
            (ExecuteError::Busy { retry_after: None }, Health::Busy, "busy"),
        ] {
            let told = told(&Path::new("pub/data/").unwrap(), &Err(error.clone()));
            assert_eq!(told.health, health, "{error:?}");
            assert!(told.words.contains(part), "{}", told.words);
            assert!(!told.words.contains("Secret10"), "{}", told.words);
        }
    }
}
