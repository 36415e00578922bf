//! The portal: pages where owners make and change their data sources, and nothing else.
//!
//! HTML made here, with a style sheet and a little script of its own, on a listener of its own: no
//! stored object is ever served from its origin. Whoever signs in does so with an API key that may
//! manage, sees what is their own, and is asked for no password that was there before them.
//!
//! ```no_run
//! use pathward::{portal::{Portal, PortalOptions}, manage::Manager};
//!
//! # async fn run(manager: Manager) -> Result<(), Box<dyn std::error::Error>> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8081").await?;
//! let portal = Portal::new(manager, listener.local_addr()?, PortalOptions::default());
//! if let Some(link) = portal.first_link()? {
//!     println!("set up: {link}");
//! }
//! portal.serve(listener, async { drop(tokio::signal::ctrl_c().await) }).await;
//! # Ok(())
//! # }
//! ```

mod assets;
mod browse;
mod edit;
mod fields;
mod first;
mod form;
mod guard;
mod invite;
mod judge;
mod keyring;
mod keys;
mod limit;
mod respond;
mod review;
mod serve;
mod session;
mod sign_in;
mod sources;
mod view;
mod visit;
mod words;

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use http::{Method, StatusCode};

use self::{guard::Hosts, invite::Invite, limit::Attempts, session::Sessions, view::Frame};
use crate::{manage::Manager, store::Store};

/// How a portal is to be.
#[derive(Clone, Debug)]
pub struct PortalOptions {
    /// Names, beside those of its address, that it answers to: those that a proxy has before it.
    pub hosts: Vec<String>,
    /// How long a session may be unused.
    pub idle: Duration,
    /// How long a session may last.
    pub longest: Duration,
    /// The gateway's address, for the examples on the pages.
    pub gateway: Option<String>,
    /// The name that the first user is offered.
    pub first_user: String,
}

impl Default for PortalOptions {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            idle: Duration::from_secs(30 * 60),
            longest: Duration::from_secs(12 * 60 * 60),
            gateway: None,
            first_user: String::new(),
        }
    }
}

/// A portal: cheap to clone, every clone the same.
#[derive(Clone)]
pub struct Portal {
    shared: Arc<Shared>,
}

impl fmt::Debug for Portal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Portal").field("address", &self.shared.address).finish_non_exhaustive()
    }
}

/// What all requests share.
struct Shared {
    store: Store,
    manager: Manager,
    options: PortalOptions,
    address: SocketAddr,
    hosts: Hosts,
    /// The name of the cookie. It has the port in it: browsers keep cookies of all ports together.
    cookie: String,
    sessions: Sessions,
    attempts: Attempts,
    invite: Arc<Invite>,
}

impl Portal {
    /// A portal that listens at this address.
    pub fn new(manager: Manager, address: SocketAddr, options: PortalOptions) -> Self {
        let hosts = Hosts::new(address, &options.hosts);
        let invite = Arc::new(Invite::new());
        // Once somebody can sign in, however that came, no link is out any more.
        manager.store().on_change({
            let invite = Arc::clone(&invite);
            Box::new(move |snapshot| {
                if snapshot.has_users() {
                    invite.withdraw();
                }
            })
        });
        Self {
            shared: Arc::new(Shared {
                store: manager.store().clone(),
                manager,
                hosts,
                address,
                cookie: format!("pathward-{}", address.port()),
                sessions: Sessions::new(options.idle, options.longest),
                attempts: Attempts::new(),
                invite,
                options,
            }),
        }
    }

    /// A link that makes the first key, once, within a day; in place of any before it. `None` when
    /// some key opens the portal already.
    ///
    /// # Errors
    ///
    /// The system gives no random bytes.
    pub fn first_link(&self) -> Result<Option<String>, std::io::Error> {
        if self.shared.store.has_users() {
            return Ok(None);
        }
        let link = self.shared.invite.issue().map_err(std::io::Error::other)?;
        let scheme = self.shared.manager.gateway().scheme();
        Ok(Some(format!("{scheme}://{}/first?link={link}", self.shared.address)))
    }

    /// The portal's pages, and the management API under `/v1`.
    pub fn router(&self) -> Router {
        let pages = Router::new()
            .route("/", get(sources::home))
            .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
            .route("/sign-out", post(sign_in::sign_out))
            .route("/first", get(first::show).post(first::make))
            .route("/sources", get(sources::list))
            .route("/sources/new", get(edit::new).post(edit::create))
            .route("/sources/{identity}", get(edit::show).post(edit::change))
            .route("/sources/{identity}/test", post(edit::test))
            .route("/sources/{identity}/delete", get(sources::ask).post(sources::delete))
            .route("/sources/{identity}/browse", get(browse::browse))
            .route("/keys", get(keys::list).post(keys::make))
            .route("/keys/revoke", get(keys::ask).post(keys::revoke))
            .fallback(no_page)
            .method_not_allowed_fallback(no_page)
            .layer(from_fn_with_state(self.clone(), only_from_here))
            .with_state(self.clone());
        pages
            .merge(self.shared.manager.router())
            .layer(from_fn_with_state(self.clone(), under_our_name))
    }
}

/// What is at no route: assets, and what is not there.
async fn no_page(request: Request) -> Response {
    let asset = (request.method() == Method::GET).then(|| assets::answer(request.uri().path()));
    asset.flatten().unwrap_or_else(|| respond::missing(Frame::new("")))
}

/// Refuses what comes under another name, and says to the browser what holds for every answer.
async fn under_our_name(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let mut response = match portal.shared.hosts.host(request.headers()) {
        Some(_) => next.run(request).await,
        None => {
            let line = "The portal does not answer to this name. Use the address that it printed, \
                        or start it with --portal-host and the name.";
            respond::notice(StatusCode::MISDIRECTED_REQUEST, Frame::new("Another name"), line)
        }
    };
    guard::seal(&mut response);
    response
}

/// Refuses what other origins' pages send.
async fn only_from_here(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let refused =
        |line: &str| respond::notice(StatusCode::FORBIDDEN, Frame::new("That was not done"), line);
    if guard::is_embedding(request.method(), headers) {
        return refused("The portal's pages are for themselves.");
    }
    let is_tls = portal.shared.manager.gateway().speaks_tls();
    let host = portal.shared.hosts.host(headers);
    let is_ours = host.is_some_and(|host| guard::is_same_origin(headers, host, is_tls));
    if !matches!(*request.method(), Method::GET | Method::HEAD) && !is_ours {
        return refused("The form came from another origin than the portal's own pages.");
    }
    next.run(request).await
}
