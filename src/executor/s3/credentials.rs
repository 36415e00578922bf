//! Credentials, from where a connection says they are.

#![expect(
    deprecated,
    reason = "`aws-runtime`, where the two names of files are now, would be a dependency for them alone"
)]

use aws_config::{
    default_provider::{credentials::DefaultCredentialsChain, region::DefaultRegionChain},
    meta::region::ProvideRegion,
    profile::{
        ProfileFileCredentialsProvider, ProfileFileRegionProvider,
        profile_file::{ProfileFileKind, ProfileFiles},
    },
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials as _, SharedCredentialsProvider, error::CredentialsError},
};
use aws_smithy_runtime_api::client::identity::Identity;

use std::{
    error::Error as _,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use super::{clients::Account, fault::Fault};
use crate::{
    executor::{ExecuteError, Unseal},
    policy::{CredentialsRef, Sealed},
    readers::warn_of_readers,
};

/// How long before they end credentials are loaded anew.
const EARLY: Duration = Duration::from_secs(60);
/// How long loading them may take.
const LOADING: Duration = Duration::from_secs(5);

/// What a connection's reference leads to. Has no `Debug`: it holds the secret.
pub(super) struct Loaded {
    pub(super) keys: Keys,
    /// The region that stands beside the credentials, if one does.
    pub(super) region: Option<Box<str>>,
}

impl Loaded {
    fn new(provider: SharedCredentialsProvider, region: Option<String>) -> Self {
        Self { keys: Keys::new(provider), region: region.map(Into::into) }
    }
}

/// Credentials for as long as they are good, and those that come after them. Has no `Debug`: it holds the
/// secret.
pub(super) struct Keys {
    provider: SharedCredentialsProvider,
    held: Mutex<Option<Identity>>,
    /// Taken by who loads them.
    loads: tokio::sync::Mutex<()>,
}

impl Keys {
    fn new(provider: SharedCredentialsProvider) -> Self {
        Self { provider, held: Mutex::default(), loads: tokio::sync::Mutex::default() }
    }

    fn held(&self, early: Duration) -> Option<Identity> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = |end: SystemTime| SystemTime::now() + early < end;
        held.clone().filter(|identity| identity.expiration().is_none_or(is_good))
    }

    /// The credentials as they are now. They are loaded by one request, which others wait for.
    pub(super) async fn get(&self) -> Result<Identity, Fault> {
        if let Some(identity) = self.held(EARLY) {
            return Ok(identity);
        }
        let _loads = self.loads.lock().await;
        if let Some(identity) = self.held(EARLY) {
            return Ok(identity);
        }
        let loaded = tokio::time::timeout(LOADING, self.provider.provide_credentials()).await;
        match loaded.unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(LOADING))) {
            Ok(credentials) => {
                let identity = Identity::from(credentials);
                *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(identity.clone());
                Ok(identity)
            }
            Err(why) => {
                warn_of(&why);
                // Those that are about to end are better than none.
                self.held(Duration::ZERO).ok_or(Fault::Credentials)
            }
        }
    }
}

/// Follows a reference.
///
/// * `env: SAHA`: the variables `SAHA_ACCESS_KEY_ID`, `SAHA_SECRET_ACCESS_KEY` and, where there is
///   one, `SAHA_SESSION_TOKEN`; `SAHA_REGION` is the region of a connection that names none.
/// * `file: PATH`: the profile `default` of a file in the form of `~/.aws/credentials`.
/// * `profile: NAME`: that profile of the shared AWS configuration.
/// * `sealed: TEXT`: in the text, which `unseal` opens.
/// * none: the provider chain of the AWS tools.
pub(super) async fn load(
    account: &Account,
    unseal: Option<&Arc<dyn Unseal>>,
) -> Result<Loaded, ExecuteError> {
    Ok(match account.credentials.as_ref() {
        Some(CredentialsRef::Sealed(sealed)) => from_sealed(sealed, account, unseal).await?,
        Some(CredentialsRef::Env(prefix)) => from_environment(prefix)?,
        Some(CredentialsRef::File(path)) => {
            warn_of_readers(path.as_ref().as_ref(), "this file of credentials");
            let files = ProfileFiles::builder()
                .with_file(ProfileFileKind::Credentials, path.as_ref())
                .build();
            let credentials = ProfileFileCredentialsProvider::builder()
                .profile_files(files.clone())
                .profile_name("default")
                .build();
            let region = ProfileFileRegionProvider::builder()
                .profile_files(files)
                .profile_name("default")
                .build();
            let region = region.region().await;
            Loaded::new(
                SharedCredentialsProvider::new(credentials),
                region.map(|region| region.to_string()),
            )
        }
        Some(CredentialsRef::Profile(name)) => {
            let credentials =
                ProfileFileCredentialsProvider::builder().profile_name(&**name).build();
            let region = ProfileFileRegionProvider::builder().profile_name(&**name).build();
            let region = region.region().await;
            Loaded::new(
                SharedCredentialsProvider::new(credentials),
                region.map(|region| region.to_string()),
            )
        }
        None => {
            let region = DefaultRegionChain::builder().build().region().await;
            Loaded::new(
                SharedCredentialsProvider::new(DefaultCredentialsChain::builder().build().await),
                region.map(|region| region.to_string()),
            )
        }
    })
}

/// Says to the operator why credentials could not be had: a profile that is not there, a file that cannot be
/// read. Callers learn only that it is so.
fn warn_of(why: &CredentialsError) {
    let mut text = why.to_string();
    let mut next = why.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    if matches!(why, CredentialsError::CredentialsNotLoaded(_)) {
        text += ": none are where the connection says (of a file, the profile `default` is read)";
    }
    tracing::warn!("credentials could not be loaded: {}", crate::escape::escape(&text));
}

/// Opens sealed credentials, where a thread may wait: a passphrase takes a second.
async fn from_sealed(
    sealed: &Sealed,
    account: &Account,
    unseal: Option<&Arc<dyn Unseal>>,
) -> Result<Loaded, ExecuteError> {
    let Some(unseal) = unseal.map(Arc::clone) else {
        tracing::warn!("a connection's credentials are sealed, and there is no key to open them");
        return Err(ExecuteError::Credentials);
    };
    let (sealed, account) = (sealed.clone(), account.clone());
    let opening = tokio::task::spawn_blocking(move || {
        let owner = &account.owner;
        let opened = unseal.unseal(&sealed, owner, account.endpoint.as_deref());
        opened.inspect_err(|error| {
            tracing::warn!(
                owner = %crate::escape::escape(owner),
                id_ends = %sealed.id_ends(),
                "sealed credentials do not open: {error}"
            );
        })
    });
    let Ok(Ok(opened)) = opening.await else { return Err(ExecuteError::Credentials) };
    let credentials = Credentials::new(
        opened.access_key_id.as_str(),
        opened.secret_access_key.as_str(),
        opened.session_token.as_ref().map(|token| token.as_str().to_owned()),
        None,
        "pathward",
    );
    Ok(Loaded::new(SharedCredentialsProvider::new(credentials), None))
}

fn from_environment(prefix: &str) -> Result<Loaded, ExecuteError> {
    let variable = |name: &str| {
        std::env::var(format!("{prefix}_{name}")).ok().filter(|value| !value.is_empty())
    };
    let needed = |name: &str| {
        variable(name).ok_or_else(|| {
            tracing::warn!(
                "credentials could not be loaded: the variable {prefix}_{name} is not set"
            );
            ExecuteError::Credentials
        })
    };
    let id = needed("ACCESS_KEY_ID")?;
    let secret = needed("SECRET_ACCESS_KEY")?;
    let credentials = Credentials::new(id, secret, variable("SESSION_TOKEN"), None, "pathward");
    Ok(Loaded::new(SharedCredentialsProvider::new(credentials), variable("REGION")))
}
