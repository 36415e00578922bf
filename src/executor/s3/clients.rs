//! One client for each account that connections name, made when it is first needed.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OnceCell;

use super::{
    S3Options, client::Client, credentials, http::Pool, lookup::Lookup, room::Room, share::Share,
    sockets::Sockets,
};
use crate::{
    executor::{ExecuteError, Unseal},
    policy::{Connection, CredentialsRef, Policy, PrivateEndpoints},
};

/// Used where neither the connection nor its credentials name a region: most servers but AWS take
/// any, and AWS takes this one as its first.
const DEFAULT_REGION: &str = "us-east-1";

/// What makes two connections share a client: whose they are, and what they lead to.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Account {
    pub(super) owner: Box<str>,
    pub(super) endpoint: Option<Box<str>>,
    region: Option<Box<str>>,
    pub(super) credentials: Option<CredentialsRef>,
}

impl Account {
    fn of(connection: &Connection) -> Self {
        Self {
            owner: connection.owner().into(),
            endpoint: connection.endpoint().map(Into::into),
            region: connection.region().map(Into::into),
            credentials: connection.credentials().cloned(),
        }
    }

    /// Owners who entered their own keys chose a server with them. Others' servers are the operator's choice.
    fn server(&self) -> Server {
        let is_sealed = matches!(self.credentials, Some(CredentialsRef::Sealed(_)));
        Server { chosen_by: is_sealed.then(|| self.owner.clone()), endpoint: self.endpoint.clone() }
    }
}

/// A server, and the owner who chose it, if one did.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Server {
    chosen_by: Option<Box<str>>,
    endpoint: Option<Box<str>>,
}

/// The clients that were made, or are being made.
type Made = HashMap<Account, Arc<OnceCell<Client>>>;

/// Clients by account. `Debug` shows how many.
pub(super) struct Clients {
    options: S3Options,
    unseal: Option<Arc<dyn Unseal>>,
    private: PrivateEndpoints,
    room: Room,
    sockets: Sockets,
    made: Mutex<Made>,
    pools: Mutex<HashMap<Server, Pool>>,
    shares: Mutex<HashMap<Box<str>, Share>>,
}

impl Clients {
    pub(super) fn new(options: S3Options) -> Self {
        Self {
            options,
            unseal: None,
            private: PrivateEndpoints::All,
            room: Room::new(options.upload_memory),
            sockets: Sockets::new(options.sockets),
            made: Mutex::default(),
            pools: Mutex::default(),
            shares: Mutex::default(),
        }
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
        locked(&self.made).retain(|account, _| named.contains(account));
        // What some client has, or some request that still runs, stays the one that it is.
        locked(&self.pools).retain(|_, pool| !pool.is_alone());
        locked(&self.shares).retain(|_, share| !share.is_alone());
    }

    pub(super) fn options(&self) -> &S3Options {
        &self.options
    }

    /// What the connection's owner may take.
    pub(super) fn share(&self, connection: &Connection) -> Share {
        self.share_of(connection.owner())
    }

    fn share_of(&self, owner: &str) -> Share {
        let mut shares = locked(&self.shares);
        match shares.get(owner) {
            Some(share) => share.clone(),
            None => {
                shares.entry(owner.into()).or_insert(Share::new(&self.room, &self.sockets)).clone()
            }
        }
    }

    /// The connections to a server. Those that an operator chose one are shared by all its owners.
    fn pool(&self, server: Server) -> Result<Pool, ExecuteError> {
        if let Some(pool) = locked(&self.pools).get(&server) {
            return Ok(pool.clone());
        }
        let endpoint = server.endpoint.as_deref();
        // Where AWS is in a private network, its own names say so.
        let private = endpoint.is_none_or(|endpoint| self.private.has(endpoint));
        let (lookup, sockets) = match &server.chosen_by {
            Some(owner) => {
                let share = self.share_of(owner);
                (share.lookup(), share.sockets())
            }
            None => (Lookup::of_operator(), self.sockets.of_operator()),
        };
        let pool = Pool::new(endpoint, private, lookup, &sockets, self.options.connect_timeout)?;
        // Made without the lock: it reads files. Who else made one was first.
        Ok(locked(&self.pools).entry(server).or_insert(pool).clone())
    }

    /// The connection's client. One that could not be made is tried again the next time.
    pub(super) async fn get(&self, connection: &Connection) -> Result<Client, ExecuteError> {
        let account = Account::of(connection);
        let cell = {
            let mut made = locked(&self.made);
            match made.get(&account) {
                Some(cell) => Arc::clone(cell),
                None => Arc::clone(made.entry(account.clone()).or_default()),
            }
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
        let loaded = credentials::load(account, self.unseal.as_ref()).await?;
        let region = account.region.clone().or(loaded.region).unwrap_or(DEFAULT_REGION.into());
        // It is part of the name of AWS's servers.
        if endpoint.is_none()
            && !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return Err(ExecuteError::Configuration);
        }
        let pool = self.pool(account.server())?;
        let share = self.share_of(&account.owner);
        Ok(Client::new(endpoint, region, loaded.keys, pool, share, self.options))
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = locked(&self.made);
        f.debug_struct("Clients").field("made", &made.len()).finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
