//! One client for each account that connections name, made when it is first needed.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_s3::{
    Client, Config,
    config::{BehaviorVersion, Region, RequestChecksumCalculation, ResponseChecksumValidation},
};
use tokio::sync::OnceCell;

use super::{
    S3Options, credentials,
    endpoint::{PathStyle, ShortAgent},
    http,
    share::Share,
};
use crate::{
    executor::{ExecuteError, Unseal},
    policy::{Connection, CredentialsRef, Policy, PrivateEndpoints},
};

/// Used where neither the connection nor its credentials name a region: most servers but AWS take
/// any, and AWS takes this one as its first.
const DEFAULT_REGION: &str = "us-east-1";

/// What makes two connections share a client.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Account {
    pub(super) endpoint: Option<Box<str>>,
    region: Option<Box<str>>,
    pub(super) credentials: Option<CredentialsRef>,
    /// Of sealed credentials, which open for their owner alone: who that is.
    pub(super) owner: Option<Box<str>>,
}

impl Account {
    fn of(connection: &Connection) -> Self {
        let is_sealed = matches!(connection.credentials(), Some(CredentialsRef::Sealed(_)));
        Self {
            endpoint: connection.endpoint().map(Into::into),
            region: connection.region().map(Into::into),
            credentials: connection.credentials().cloned(),
            owner: is_sealed.then(|| connection.owner().into()),
        }
    }
}

/// Who has a share of their own: owners who entered their own keys, and with them chose a server. Others'
/// servers are the operator's choice.
#[derive(PartialEq, Eq, Hash)]
enum Whose {
    Owner(Box<str>),
    Server(Option<Box<str>>),
}

impl Account {
    fn whose(&self) -> Whose {
        match &self.owner {
            Some(owner) => Whose::Owner(owner.clone()),
            None => Whose::Server(self.endpoint.clone()),
        }
    }
}

/// Clients by account. `Debug` shows how many.
pub(super) struct Clients {
    options: S3Options,
    unseal: Option<Arc<dyn Unseal>>,
    private: PrivateEndpoints,
    made: Mutex<HashMap<Account, Arc<OnceCell<Client>>>>,
    shares: Mutex<HashMap<Whose, Share>>,
}

impl Clients {
    pub(super) fn new(options: S3Options) -> Self {
        let private = PrivateEndpoints::All;
        Self { options, unseal: None, private, made: Mutex::default(), shares: Mutex::default() }
    }

    pub(super) fn unseal_by(&mut self, unseal: Arc<dyn Unseal>) {
        self.unseal = Some(unseal);
    }

    pub(super) fn private_endpoints(&mut self, private: PrivateEndpoints) {
        self.private = private;
    }

    /// Forgets the clients of accounts that no connection of the policy names any more.
    pub(super) fn retain(&self, policy: &Policy) {
        let named: HashSet<Account> =
            policy.connections().iter().map(|connection| Account::of(connection)).collect();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.retain(|account, _| named.contains(account));
        drop(made);
        // A share that some client has, or some request that still runs, stays the one that it is.
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|_, share| !share.is_alone());
    }

    pub(super) fn options(&self) -> &S3Options {
        &self.options
    }

    /// The connection's client. One that could not be made is tried again the next time.
    pub(super) async fn get(&self, connection: &Connection) -> Result<Client, ExecuteError> {
        let account = Account::of(connection);
        let cell = {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(made.entry(account.clone()).or_default())
        };
        cell.get_or_try_init(|| self.make(&account)).await.cloned()
    }

    /// Built from nothing but the connection: what else the environment has for the AWS tools,
    /// such as another endpoint, is not for us to follow.
    async fn make(&self, account: &Account) -> Result<Client, ExecuteError> {
        let endpoint = account.endpoint.as_deref();
        if endpoint.is_some_and(|endpoint| self.private.refuses(endpoint)) {
            tracing::warn!(
                target: "pathward::executor",
                "{} is a private address, which no connection may reach without \
                 `--allow-private-endpoint`",
                crate::escape::escape(endpoint.unwrap_or_default()),
            );
            return Err(ExecuteError::Unreachable);
        }
        // Where AWS is in a private network, its own names say so.
        let private = endpoint.is_none_or(|endpoint| self.private.has(endpoint));
        let loaded = credentials::load(account, self.unseal.as_ref()).await?;
        let region = match &account.region {
            Some(region) => Region::new(region.to_string()),
            None => loaded.region.unwrap_or_else(|| Region::from_static(DEFAULT_REGION)),
        };
        let share = {
            let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
            let whose = account.whose();
            let new = match &whose {
                Whose::Owner(_) => Share::default(),
                Whose::Server(_) => Share::of_operator(),
            };
            shares.entry(whose).or_insert(new).clone()
        };
        let http = http::client(endpoint, private, &share, self.options.connect_timeout)?;
        let resolver = endpoint.map(|endpoint| PathStyle::new(endpoint, region.as_ref()));
        let mut config = Config::builder()
            .http_client(http)
            .interceptor(ShortAgent)
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .credentials_provider(loaded.provider)
            .force_path_style(true)
            // Not every server knows the newer checksums; requests that need one have it still.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .disable_s3_express_session_auth(true)
            .timeout_config(self.options.timeouts())
            .retry_config(self.options.retries())
            .stalled_stream_protection(S3Options::stalls());
        if let Some(resolver) = resolver {
            config = config.endpoint_resolver(resolver);
        }
        Ok(Client::from_conf(config.build()))
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Clients").field("made", &made.len()).finish_non_exhaustive()
    }
}
