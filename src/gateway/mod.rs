//! The Data API over HTTP: requests to operations, and what became of them to responses.
//!
//! A request's way: limits → who asks → parse → decide → run → respond. Nothing is decided here,
//! and nothing reaches an [`Executor`] but what the [`Engine`] approved.
//!
//! ```no_run
//! use std::sync::Arc;
//! use pathward::{Engine, Policy, executor::S3, gateway::{Gateway, Options}};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(Policy::load("policies".as_ref())?);
//! let gateway = Gateway::new(engine, Arc::new(S3::default()), Options::default())?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! gateway.serve(listener, async { drop(tokio::signal::ctrl_c().await) }).await;
//! # Ok(())
//! # }
//! ```

mod ask;
mod audit;
mod auth;
mod body;
mod connections;
pub(crate) mod dates;
mod decide;
mod descriptors;
mod directories;
mod files;
mod headers;
mod listing;
mod marker;
#[cfg(feature = "portal")]
mod owner;
mod proxies;
mod query;
pub(crate) mod respond;
mod sealing;
mod sending;
mod serve;
mod server_key;
mod share;
mod spelling;
mod stale;
mod target;
mod tls;
mod turns;
mod types;
mod upload_ids;
mod wire;
mod written;

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError, RwLock},
    thread::available_parallelism,
    time::{Duration, Instant},
};

use axum::{Router, extract::Request, routing::any};
use tokio::sync::Semaphore;

use self::descriptors::Descriptors;
#[cfg(feature = "portal")]
pub(crate) use self::{
    ask::request_id,
    connections::Asker,
    owner::{Admitted, NotAdmitted},
    proxies::network,
    respond::refused,
    serve::Site,
    wire::Refusal,
};
pub use self::{
    descriptors::raise_descriptor_limit,
    proxies::{NotAProxy, Proxy},
    serve::Peer,
    server_key::{ServerKey, ServerKeyError},
    target::{Family, PREFIXES},
    tls::{Tls, TlsError},
    upload_ids::UploadIds,
};
use crate::{engine::Engine, executor::Executor};

#[doc = include_str!("shares.md")]
pub mod shares {}

/// The limits of a gateway. What they are for stands in [`shares`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The longest body that is stored, in bytes.
    pub max_body: u64,
    /// The longest request target, in bytes.
    pub max_target: usize,
    /// The longest head of a request, in bytes.
    pub max_head: usize,
    /// How many requests run at once; further ones are told to come again.
    pub max_requests: usize,
    /// How many of them may be one user's, so that nobody takes all places.
    pub max_requests_per_user: usize,
    /// How many connections are open at once, at most: fewer where the process may have too few file
    /// descriptors for so many. For a further one, the connection is closed that has been idle for longest, of
    /// the address that has most; one on which a request runs is not. Requests run on three quarters of them at
    /// most, and one user's on half; further ones are told to come again.
    pub max_connections: usize,
    /// How long a head may take to come.
    pub head_timeout: Duration,
    /// How long a body may pause, in either direction.
    pub idle_timeout: Duration,
    /// How long anything but a transfer or a deletion may take.
    pub request_timeout: Duration,
    /// How long the deletion of a directory may take.
    pub delete_timeout: Duration,
    /// How long running requests may go on after the gateway was told to stop.
    pub shutdown_timeout: Duration,
    /// For how long requests are still answered while what is configured cannot be read
    /// ([`Gateway::set_unread`]): for good, where nothing is said.
    pub max_stale: Option<Duration>,
    /// How many entries a page of a listing has at most. Algorithmia's had 1,000.
    pub page: usize,
}

impl Options {
    /// How many connections to servers this process may have beside those that these options let callers
    /// have, by its limit of file descriptors as it is now: for
    /// [`S3Options::sockets`](crate::executor::S3Options::sockets).
    pub fn sockets(&self) -> usize {
        Descriptors::shared_out(self.max_connections).servers
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_body: 5 << 40,
            max_target: 16 << 10,
            max_head: 32 << 10,
            max_requests: 1_024,
            max_requests_per_user: 512,
            max_connections: 4_096,
            head_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(60),
            request_timeout: Duration::from_secs(60),
            delete_timeout: Duration::from_secs(600),
            shutdown_timeout: Duration::from_secs(30),
            max_stale: None,
            page: 1_000,
        }
    }
}

/// A gateway: cheap to clone, every clone the same.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("revision", &self.shared.current().engine.policy().revision())
            .finish_non_exhaustive()
    }
}

/// What all requests share.
struct Shared {
    current: RwLock<Arc<Current>>,
    /// Held by who replaces it.
    replacing: Mutex<()>,
    executor: Arc<dyn Executor>,
    markers: RwLock<Arc<marker::Markers>>,
    options: Options,
    running: Arc<Semaphore>,
    sight: stale::Sight,
    /// Whose turn it is at the processors.
    turns: Arc<turns::Turns>,
    /// Those that are believed when they say for whom they ask.
    proxies: RwLock<Arc<proxies::Proxies>>,
    /// With what listeners speak TLS, if they do.
    tls: RwLock<Option<Tls>>,
}

/// What one policy says. A request keeps to the one that it began with.
struct Current {
    engine: Engine,
    places: auth::UserPlaces,
}

impl Current {
    fn new(engine: Engine, options: &Options, before: Option<&Self>) -> Arc<Self> {
        let places = options.max_requests_per_user;
        let before = before.map(|before| &before.places);
        let places = auth::UserPlaces::new(engine.policy().users(), places, before);
        Arc::new(Self { engine, places })
    }
}

impl Shared {
    fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn proxies(&self) -> Arc<proxies::Proxies> {
        Arc::clone(&self.proxies.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn markers(&self) -> Arc<marker::Markers> {
        Arc::clone(&self.markers.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn tls(&self) -> Option<Tls> {
        self.tls.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The system gives no random bytes, without which pages of listings cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the system gives no random bytes")
    }
}

impl std::error::Error for NoRandomness {}

impl Gateway {
    /// A gateway that decides by this engine and runs what it approves on this executor.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`].
    pub fn new(
        engine: Engine,
        executor: Arc<dyn Executor>,
        options: Options,
    ) -> Result<Self, NoRandomness> {
        let key = ServerKey::random().map_err(|_| NoRandomness)?;
        let markers = RwLock::new(Arc::new(marker::Markers::new(&key)));
        Ok(Self {
            shared: Arc::new(Shared {
                current: RwLock::new(Current::new(engine, &options, None)),
                replacing: Mutex::new(()),
                executor,
                markers,
                options,
                running: Arc::new(Semaphore::new(options.max_requests)),
                sight: stale::Sight::default(),
                turns: turns::Turns::new(available_parallelism().map_or(1, NonZeroUsize::get)),
                proxies: RwLock::default(),
                tls: RwLock::default(),
            }),
        })
    }

    /// Decides by another engine's policy from the next request on. Requests that run keep to the
    /// policy that approved them as far as this one allows it too
    /// ([`Approved::still_stands`](crate::Approved::still_stands)), and count among what their user
    /// may run.
    pub fn replace(&self, engine: Engine) {
        // One after the other, so that what approvals are asked by is what is served.
        let _one = self.shared.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.shared.current();
        let engine = before.engine.replace(engine);
        let current = Current::new(engine, &self.shared.options, Some(&before));
        *self.shared.current.write().unwrap_or_else(PoisonError::into_inner) = current;
    }

    /// Says whether the policy that is served is older than what is configured, because that does not
    /// load. [`HEALTH`] tells those who watch the gateway.
    pub fn set_stale(&self, is_stale: bool) {
        self.shared.sight.set_stale(is_stale);
    }

    /// Says since when what is configured cannot be read: its folder is gone, say. [`HEALTH`] tells those
    /// who watch the gateway. After [`Options::max_stale`], where that is set, every request but theirs is
    /// answered with 503, until this says that it was read (`None`).
    ///
    /// Whoever reads it says so before each time, too, and hears of nothing that never comes back.
    pub fn set_unread(&self, since: Option<Instant>) {
        self.shared.sight.set_unread(since);
    }

    /// Believes these proxies when they say in `X-Forwarded-For` or in `Forwarded` for whom they ask:
    /// connections from them count for that address when one has to be closed. Where a request has both and they
    /// name two, it counts for the proxy: whoever asks could have written the one that the proxy passes on. For
    /// those who begin to [serve](Gateway::serve) then.
    pub fn trust_proxies(&self, proxies: impl IntoIterator<Item = Proxy>) {
        let proxies = Arc::new(proxies::Proxies(proxies.into_iter().collect()));
        *self.shared.proxies.write().unwrap_or_else(PoisonError::into_inner) = proxies;
    }

    /// Seals what callers bring back with this key, which other gateways share, and not with one of its own.
    pub fn use_server_key(&self, key: &ServerKey) {
        let markers = Arc::new(marker::Markers::new(key));
        *self.shared.markers.write().unwrap_or_else(PoisonError::into_inner) = markers;
    }

    /// Speaks TLS, with this certificate, at every listener on which the gateway, or a
    /// portal over it, begins to [serve](Gateway::serve) from now on.
    pub fn use_tls(&self, tls: Tls) {
        *self.shared.tls.write().unwrap_or_else(PoisonError::into_inner) = Some(tls);
    }

    /// Whether listeners on which it begins to serve speak TLS.
    #[cfg(any(feature = "cli", feature = "portal"))]
    pub(crate) fn speaks_tls(&self) -> bool {
        self.shared.tls().is_some()
    }

    /// The scheme of addresses at which it serves.
    #[cfg(any(feature = "cli", feature = "portal"))]
    pub(crate) fn scheme(&self) -> &'static str {
        if self.speaks_tls() { "https" } else { "http" }
    }

    /// The routes: every one but `/healthz`, which says that the process is there, leads to a
    /// decision. What is under none of them is answered with 404.
    pub fn router(&self) -> Router {
        let mut router = {
            let gateway = self.clone();
            let health = move || async move {
                let Shared { sight, options, .. } = &*gateway.shared;
                ask::health(sight.is_stale(), sight.is_over(options.max_stale))
            };
            Router::new().route(HEALTH, any(health))
        };
        for path in routes() {
            let gateway = self.clone();
            let handler = move |request: Request| async move { gateway.answer(request).await };
            router = router.route(&path, any(handler));
        }
        router.fallback(ask::no_route)
    }
}

/// The one route that no decision stands behind.
pub const HEALTH: &str = "/healthz";

/// The routes behind which a decision stands, in the form of [`axum`].
pub fn routes() -> Vec<String> {
    PREFIXES
        .into_iter()
        .flat_map(|(prefix, _)| ["", "/", "/{*target}"].map(|rest| format!("{prefix}{rest}")))
        .collect()
}
