//! What of this machine, and of the networks it is in, owners may use.

use super::{answers::Problem, change::ChangeError, review};
use crate::{
    escape::escape,
    policy::{Connection, CredentialsRef, PrivateEndpoints},
    store::{Draft, DraftCredentials},
};

/// What owners may use, by the operator's word.
#[derive(Clone, Debug)]
pub(super) struct Allowed {
    /// Whether credentials of this machine: a variable, a file, a profile, or what AWS's tools find.
    pub(super) references: bool,
    /// Which servers in private networks.
    pub(super) private: PrivateEndpoints,
}

impl Default for Allowed {
    fn default() -> Self {
        Self { references: false, private: PrivateEndpoints::none() }
    }
}

impl Allowed {
    /// Refuses what is no connection, or is not to be had here, before the store is asked: with each
    /// field and row. `old` is what it takes the place of.
    pub(super) fn check(
        &self,
        owner: &str,
        draft: &Draft,
        old: Option<&Connection>,
    ) -> Result<(), ChangeError> {
        let mut problems = review::problems(owner, draft);
        problems.extend(self.problems(draft, old));
        match problems.is_empty() {
            true => Ok(()),
            false => Err(ChangeError::Invalid(problems)),
        }
    }

    /// What a draft asks for that is not to be had here.
    pub(super) fn problems(
        &self,
        draft: &Draft,
        old: Option<&Connection>,
    ) -> impl Iterator<Item = Problem> {
        self.of_credentials(draft, old).into_iter().chain(self.of_endpoint(draft))
    }

    /// Credentials of this machine where owners may not choose them. Those that `old` has are not kept
    /// either: whoever runs Pathward gave them for the paths that it has now, and for its server.
    fn of_credentials(&self, draft: &Draft, old: Option<&Connection>) -> Option<Problem> {
        let kept = old.filter(|_| matches!(draft.credentials, DraftCredentials::Keep));
        let is_own = match kept {
            Some(old) => matches!(old.credentials(), Some(CredentialsRef::Sealed(_))),
            None => matches!(draft.credentials, DraftCredentials::Secret(_)),
        };
        let (message, help) = match kept {
            Some(_) => (
                "the connection has credentials of this machine, which whoever runs Pathward gave it \
                 for what it allows now",
                "enter an access key of your own, or ask whoever runs Pathward for the change",
            ),
            None => (
                "there is no access key, and credentials of this machine may not be used here",
                "enter an access key's id and its secret; who runs Pathward may allow references, or \
                 write the connection with the command",
            ),
        };
        (!is_own && !self.references).then(|| Problem {
            field: "credentials",
            row: None,
            code: "credentials.reference",
            message: message.to_owned(),
            help: Some(help.to_owned()),
        })
    }

    /// A server in a private network that is not for owners, as far as its address says so.
    fn of_endpoint(&self, draft: &Draft) -> Option<Problem> {
        let endpoint = draft.endpoint.as_deref()?;
        self.private.refuses(endpoint).then(|| Problem {
            field: "endpoint",
            row: None,
            code: "endpoint.private",
            message:
                "the address is of a private network or of this machine, which connections may not \
                      reach here"
                    .to_owned(),
            help: Some(format!(
                "use another server, or have whoever runs Pathward start it with \
                 `--allow-private-endpoint {}`",
                escape(endpoint.trim_end_matches('/'))
            )),
        })
    }
}
