//! Changes of the store, on behalf of an owner.

use std::{fmt, time::Duration};

use http::StatusCode;
use zeroize::Zeroizing;

use super::{
    Manager,
    answers::{Problem, Refusal},
};
use crate::{
    access::AccessSet,
    gateway::respond::Code,
    policy::{PolicyErrors, Reach},
    store::{Draft, KeyInfo, StoreError, Stored},
};

/// Why a change was not made.
#[derive(Debug)]
#[non_exhaustive]
pub enum ChangeError {
    /// Too much runs at once, or the draft asks for what is not to be had here.
    Refused(Refusal),
    /// The draft is no connection: what is wrong with it.
    Invalid(Vec<Problem>),
    /// What the store says.
    Store(StoreError),
}

impl ChangeError {
    /// As the management API answers it, without what is wrong with a draft. Names no file and shows no
    /// line of one: what an operator has to mend is in the log.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal.clone(),
            Self::Invalid(_) => Refusal::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                Code::InvalidRequest,
                "the connection cannot be saved as it is: see `problems`",
            ),
            Self::Store(error) => of_store(error),
        }
    }
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.refusal().message)
    }
}

impl std::error::Error for ChangeError {}

impl From<Refusal> for ChangeError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Manager {
    /// The owner's connections, by label.
    ///
    /// # Errors
    ///
    /// [`ChangeError`].
    pub async fn list(&self, owner: &str) -> Result<Vec<Stored>, ChangeError> {
        let name = owner.to_owned();
        Ok(self.run(owner, move |store| store.list(&name)).await??)
    }

    /// The owner's connection of this identity.
    ///
    /// # Errors
    ///
    /// [`ChangeError`]; for another owner's as for none.
    pub async fn get(&self, owner: &str, identity: &str) -> Result<Stored, ChangeError> {
        let [name, identity] = [owner, identity].map(str::to_owned);
        Ok(self.run(owner, move |store| store.get(&name, &identity)).await??)
    }

    /// Makes a connection.
    ///
    /// # Errors
    ///
    /// [`ChangeError`].
    pub async fn create(&self, owner: &str, draft: Draft) -> Result<Stored, ChangeError> {
        let (name, allowed) = (owner.to_owned(), self.allowed.clone());
        self.run(owner, move |store| {
            store.admits(&draft, None)?;
            allowed.check(&name, &draft, None)?;
            Ok(store.create(&name, &draft)?)
        })
        .await?
    }

    /// Changes a connection, if it still has this revision.
    ///
    /// # Errors
    ///
    /// [`ChangeError`].
    pub async fn change(
        &self,
        owner: &str,
        identity: &str,
        revision: &str,
        draft: Draft,
    ) -> Result<Stored, ChangeError> {
        let [name, identity, revision] = [owner, identity, revision].map(str::to_owned);
        let allowed = self.allowed.clone();
        self.run(owner, move |store| {
            let stored = store.get(&name, &identity)?;
            store.admits(&draft, Some(&stored.connection))?;
            allowed.check(&name, &draft, Some(&stored.connection))?;
            Ok(store.change(&name, &identity, &revision, &draft)?)
        })
        .await?
    }

    /// Deletes a connection, if it still has this revision.
    ///
    /// # Errors
    ///
    /// [`ChangeError`].
    pub async fn delete(
        &self,
        owner: &str,
        identity: &str,
        revision: &str,
    ) -> Result<(), ChangeError> {
        let [name, identity, revision] = [owner, identity, revision].map(str::to_owned);
        Ok(self.run(owner, move |store| store.delete(&name, &identity, &revision)).await??)
    }

    /// Makes a connection the one that bare `s3` names, if it still has this revision.
    ///
    /// # Errors
    ///
    /// [`ChangeError`].
    pub async fn make_default(
        &self,
        owner: &str,
        identity: &str,
        revision: &str,
    ) -> Result<Stored, ChangeError> {
        let [name, identity, revision] = [owner, identity, revision].map(str::to_owned);
        let make =
            move |store: &crate::store::Store| store.make_default(&name, &identity, &revision);
        Ok(self.run(owner, make).await??)
    }

    /// The owner's API keys.
    ///
    /// # Errors
    ///
    /// [`ChangeError`].
    pub async fn keys(&self, owner: &str) -> Result<Vec<KeyInfo>, ChangeError> {
        let name = owner.to_owned();
        Ok(self.run(owner, move |store| store.keys(&name)).await??)
    }

    /// Makes an API key; returns the key itself, this once.
    ///
    /// # Errors
    ///
    /// [`ChangeError`].
    pub async fn create_key(
        &self,
        owner: &str,
        id: &str,
        access: AccessSet,
        manage: bool,
        reach: Reach,
    ) -> Result<(KeyInfo, Zeroizing<String>), ChangeError> {
        let [name, id] = [owner, id].map(str::to_owned);
        let make =
            move |store: &crate::store::Store| store.create_key(&name, &id, access, manage, &reach);
        Ok(self.run(owner, make).await??)
    }

    /// Revokes an API key: when this returns, it is known no longer.
    ///
    /// # Errors
    ///
    /// [`ChangeError`].
    pub async fn revoke_key(&self, owner: &str, id: &str) -> Result<(), ChangeError> {
        let [name, id] = [owner, id].map(str::to_owned);
        Ok(self.run(owner, move |store| store.revoke_key(&name, &id)).await??)
    }

    /// A label that none of the owner's connections has, for one that is new: `data`, `data-2`, …
    ///
    /// # Errors
    ///
    /// [`ChangeError`].
    pub async fn suggest_label(&self, owner: &str) -> Result<String, ChangeError> {
        let stored = self.list(owner).await?;
        let is_taken =
            |label: &String| stored.iter().any(|s| s.connection.id().label() == Some(label));
        let numbered = (2..).map(|n: u32| format!("data-{n}"));
        let mut labels = std::iter::once("data".to_owned()).chain(numbered);
        Ok(labels.find(|label| !is_taken(label)).unwrap_or_default())
    }
}

/// What the store says, as the owner hears it.
fn of_store(error: &StoreError) -> Refusal {
    let conflict =
        |message: &str| Refusal::new(StatusCode::CONFLICT, Code::InvalidRequest, message);
    match error {
        StoreError::Conflict { .. } => Refusal::new(
            StatusCode::PRECONDITION_FAILED,
            Code::InvalidRequest,
            "it was changed meanwhile: look at it again, and repeat the change if it still holds",
        ),
        StoreError::Taken { .. }
        | StoreError::NamedByKey { .. }
        | StoreError::NoSealKey
        | StoreError::SecretNeeded => conflict(&error.to_string()),
        StoreError::Sealed(_) => conflict(
            "the credentials that are stored do not open, so that they cannot be kept: enter them \
             again",
        ),
        StoreError::NotEditable { why, .. } => {
            conflict(&format!("this stands in a file that is to be changed by hand: {why}"))
        }
        StoreError::Missing => Refusal::missing(),
        StoreError::Invalid(errors) => {
            Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, Code::InvalidRequest, first_of(errors))
        }
        StoreError::Quota { .. } | StoreError::QuotaOfWork | StoreError::NoConnection { .. } => {
            Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, Code::InvalidRequest, error.to_string())
        }
        StoreError::InvalidSecret { what } => {
            Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, Code::InvalidRequest, *what)
        }
        StoreError::Busy => {
            let message = "the store is being changed by another process; try again";
            let mut busy = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, Code::Internal, message);
            busy.retry_after = Some(Duration::from_secs(1));
            busy
        }
        StoreError::Broken(_) => {
            tracing::error!(target: "pathward::manage", "a change was refused: {error}");
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                Code::Internal,
                "the store does not load as it is, and nothing is changed until its operator has \
                 mended it; what was served before is served on",
            )
        }
        _ => {
            tracing::error!(target: "pathward::manage", "a change failed: {error}");
            Refusal::internal()
        }
    }
}

/// What is wrong first, without a line of a file.
fn first_of(errors: &PolicyErrors) -> String {
    let first = errors.errors().next();
    first.map_or_else(
        || "it cannot be saved as it is".to_owned(),
        |first| match first.help() {
            Some(help) => format!("{}: {help}", first.message()),
            None => first.message().to_owned(),
        },
    )
}
