//! What an owner does with their connections: write one and see what it means, try it, save it, look
//! through it. One set of functions, which the management API and the portal both call.
//!
//! Nothing is decided here: a draft is judged as the very [`Policy`](crate::Policy) that would be
//! served, and what is looked at in a data source goes through the gateway as any request does.
//!
//! Over HTTP it is for API keys with `manage` alone, each for its own user's things: see `README.md`
//! beside this file, and `openapi.json`, which tests hold true.

mod answers;

use std::sync::Arc;

pub use self::answers::{
    Attempt, Browsed, BrowsedFile, Finding, Health, Meaning, Opened, Problem, Refusal, Review,
    RuleRef, Tested,
};
use crate::{
    gateway::Gateway,
    policy::ConnectionId,
    store::{Draft, Store, Stored},
};

/// What owners do, over a store and the gateway that serves from it. Cheap to clone, every clone the
/// same.
///
/// Whoever makes one lets the gateway follow the store ([`Store::on_change`]): an API key is known
/// here exactly as long as the gateway knows it.
#[derive(Clone, Debug)]
pub struct Manager {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    gateway: Gateway,
}

#[expect(unused_variables, clippy::unused_async, reason = "the interface first, for the portal")]
impl Manager {
    /// Over this store and the gateway that serves from it.
    pub fn new(store: Store, gateway: Gateway) -> Self {
        Self { shared: Arc::new(Shared { store, gateway }) }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// The gateway.
    pub fn gateway(&self) -> &Gateway {
        &self.shared.gateway
    }

    /// Runs something that blocks, such as a call of the store, where it holds up no other request;
    /// only so many at once for one owner.
    ///
    /// # Errors
    ///
    /// [`Refusal`], when too much of this owner's runs already.
    pub async fn run<T: Send + 'static>(
        &self,
        owner: &str,
        work: impl FnOnce(&Store) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        Err(Refusal::busy())
    }

    /// What is wrong with a draft, what it means, and what would change.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn review(
        &self,
        owner: &str,
        draft: Draft,
        old: Option<Stored>,
    ) -> Result<Review, Refusal> {
        Err(Refusal::busy())
    }

    /// Whether a draft would allow this, and by which of its rows.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn attempt(
        &self,
        owner: &str,
        draft: Draft,
        operation: &str,
        path: &str,
    ) -> Result<Attempt, Refusal> {
        Err(Refusal::busy())
    }

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
        Err(Refusal::busy())
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
        Err(Refusal::busy())
    }

    /// The management API. Has no fallback, so that it can be merged with other routes; everything
    /// under `/v1/` is its own.
    pub fn router(&self) -> axum::Router {
        axum::Router::new()
    }

    /// The one route of the management API that the gateway's listener has too:
    /// `POST /v1/users/{username}/connectors`, as the old API had it.
    pub fn connectors_router(&self) -> axum::Router {
        axum::Router::new()
    }
}
