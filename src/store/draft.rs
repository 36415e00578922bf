//! A connection as someone would like to have it, before it is one.

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    access::AccessSet,
    policy::{
        Conditions, CredentialsRef, Diagnostic, Keys, Policy, PolicyErrors, Severity,
        written::Written,
    },
};

pub use crate::policy::DraftRule;

/// A connection as someone would like to have it. Whatever its texts hold, writing it gives a file
/// in which they are texts.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The label, without the protocol.
    pub label: String,
    /// Whether it also answers to bare `s3`.
    pub is_default: bool,
    /// The server, where it is not AWS.
    pub endpoint: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// How the server reads keys; `None` for what follows from the endpoint.
    pub keys: Option<Keys>,
    /// Whether the server honours conditions on what is written; `None` for what follows from the endpoint.
    pub conditions: Option<Conditions>,
    /// The credentials.
    pub credentials: DraftCredentials,
    /// The access of every restriction that has none of its own.
    pub access: AccessSet,
    /// What is allowed; `None` for everything, without a field that says so.
    pub restrictions: Option<Vec<DraftRule>>,
    /// What is taken away.
    pub deny: Vec<DraftRule>,
}

/// What becomes of a connection's credentials. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub enum DraftCredentials {
    /// They stay as they are. Of a connection that is created: none.
    Keep,
    /// The provider chain of the AWS tools.
    None,
    /// They are where this says. Not [`Sealed`](CredentialsRef::Sealed).
    Reference(CredentialsRef),
    /// They are these, to be sealed.
    Secret(Secret),
}

/// An access key. Overwritten when it is dropped, and shown by no `Debug`.
#[derive(Clone)]
pub struct Secret {
    /// The id of the access key.
    pub access_key_id: Zeroizing<String>,
    /// The secret.
    pub secret_access_key: Zeroizing<String>,
    /// The token of a session, where the key is one of a session.
    pub session_token: Option<Zeroizing<String>>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

impl Secret {
    /// A key with its secret, and no session.
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self {
            access_key_id: Zeroizing::new(access_key_id.into()),
            secret_access_key: Zeroizing::new(secret_access_key.into()),
            session_token: None,
        }
    }
}

/// One thing that is wrong, or odd, in a [`Draft`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftError {
    /// The field, as a policy calls it: `id` for the label, `restrictions`, `deny`, `endpoint`.
    pub field: &'static str,
    /// The entry of the field that it is about, from 0, where it is about one.
    pub row: Option<usize>,
    /// Whether the draft is no connection with it.
    pub severity: Severity,
    /// What kind of mistake it is, as [`Diagnostic::code`].
    pub code: &'static str,
    /// What is wrong. Escaped.
    pub message: String,
    /// What to do instead. Escaped.
    pub help: Option<String>,
}

impl Draft {
    /// An empty draft: everything, read-only, on AWS.
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            is_default: false,
            endpoint: None,
            region: None,
            keys: None,
            conditions: None,
            credentials: DraftCredentials::Keep,
            access: AccessSet::READ_ONLY,
            restrictions: None,
            deny: Vec::new(),
        }
    }

    /// The policy of this one connection, as it would be written.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it. [`Draft::problems`] says in which field and row.
    pub fn check(&self, owner: &str) -> Result<Policy, PolicyErrors> {
        Policy::from_yaml("connection", &self.written(owner).text())
    }

    /// Everything that is wrong or odd in it, with its field and row; errors and warnings.
    pub fn problems(&self, owner: &str) -> Vec<DraftError> {
        self.read(owner).0
    }

    /// The same, and the policy of this one connection, if it is one.
    pub(crate) fn read(&self, owner: &str) -> (Vec<DraftError>, Option<Policy>) {
        let written = self.written(owner);
        let places = written.places();
        let (found, policy): (Vec<Diagnostic>, _) =
            match Policy::from_yaml("connection", &written.text()) {
                Ok(policy) => (policy.warnings().to_vec(), Some(policy)),
                Err(errors) => (errors.diagnostics().to_vec(), None),
            };
        let line = |found: &Diagnostic| found.location().line as usize;
        let problems = found
            .iter()
            .map(|found| {
                let (field, row) = places.get(line(found)).copied().unwrap_or(("id", None));
                DraftError {
                    field,
                    row,
                    severity: found.severity(),
                    code: found.code(),
                    message: found.message().to_owned(),
                    help: found.help_in_form().map(str::to_owned),
                }
            })
            .collect();
        (problems, policy)
    }

    /// Which field and row a rule of the checked policy comes from, by its place among
    /// [`Connection::rules`](crate::Connection::rules). `None` for the `*` of a draft without
    /// restrictions.
    pub fn row_of(&self, rule: usize) -> Option<(&'static str, usize)> {
        let allows = self.restrictions.as_ref().map_or(1, Vec::len);
        match rule.checked_sub(allows) {
            Some(row) => Some(("deny", row)),
            None => self.restrictions.is_some().then_some(("restrictions", rule)),
        }
    }
}

impl Draft {
    /// What a file says about it. Its credentials are those that are named; a secret that is still to
    /// be sealed, and what is kept, are not among them.
    pub(super) fn written(&self, owner: &str) -> Written {
        Written {
            label: self.label.clone(),
            owner: owner.to_owned(),
            is_default: self.is_default,
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            keys: self.keys,
            conditions: self.conditions,
            credentials: match &self.credentials {
                DraftCredentials::Reference(reference) => Some(reference.clone()),
                DraftCredentials::Keep | DraftCredentials::None | DraftCredentials::Secret(_) => {
                    None
                }
            },
            access: self.access,
            restrictions: self.restrictions.clone(),
            deny: self.deny.clone(),
        }
    }
}
