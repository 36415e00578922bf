//! What an owner does with their connections: write one and see what it means, try it, save it, look
//! through it. One set of functions, which the management API and the portal both call.
//!
//! Nothing is decided here: a draft is judged as the very [`Policy`](crate::Policy) that would be
//! served, and what is looked at in a data source goes through the gateway as any request does.
//!
//! Over HTTP it is for API keys with `manage` alone, each for its own user's things: see `README.md`
//! beside this file, and `openapi.json`, which tests hold true.

mod allowed;
mod answers;
mod api;
mod change;
pub(crate) mod limit;
mod look;
mod places;
mod review;
mod words;

use std::sync::Arc;

use self::{allowed::Allowed, api::guard::Guard, places::Places};
pub use self::{
    answers::{
        Attempt, Browsed, BrowsedFile, Finding, Health, Meaning, Opened, Problem, Refusal, Review,
        RuleRef, Tested,
    },
    api::{OPENAPI, ROUTES},
    change::ChangeError,
    review::{STATES, attempt, review},
};
use crate::{
    engine::Engine,
    gateway::Gateway,
    policy::{ConnectionId, PrivateEndpoints},
    store::{Draft, Quota, Store, Stored},
};

/// What owners do, over a store and the gateway that serves from it. Cheap to clone, every clone the
/// same.
///
/// Whoever makes one lets the gateway follow the store ([`Store::on_change`]): an API key is known
/// here exactly as long as the gateway knows it.
#[derive(Clone, Debug)]
pub struct Manager {
    shared: Arc<Shared>,
    allowed: Allowed,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    gateway: Gateway,
    places: Places,
    guard: Guard,
}

impl Manager {
    /// Over this store and the gateway that serves from it. No owner's part of the store gets larger
    /// than the default [`Quota`], unless the store has [another](Store::within).
    pub fn new(store: Store, gateway: Gateway) -> Self {
        let (places, guard) = (Places::new(), Guard::default());
        let store = match store.quota() {
            Some(_) => store,
            None => store.within(Quota::default()),
        };
        let shared = Arc::new(Shared { store, gateway, places, guard });
        Self { shared, allowed: Allowed::default() }
    }

    /// Whether owners may let a connection use credentials of this machine: a variable, a file, a
    /// profile, or whatever the tools of AWS find here. Not so unless this is called: an owner who is
    /// not the operator would get at what the operator's credentials reach.
    #[must_use]
    pub fn with_references(mut self, allowed: bool) -> Self {
        self.allowed.references = allowed;
        self
    }

    /// Which servers in private networks, and on this machine, a connection may have. Unless this is
    /// called, none whose address says so is taken; where a name leads only the gateway's executor finds
    /// out, which has to be told the same: [`S3::private_endpoints`](crate::executor::S3::private_endpoints)
    /// with [`PrivateEndpoints::none`].
    #[must_use]
    pub fn with_private_endpoints(mut self, allowed: PrivateEndpoints) -> Self {
        self.allowed.private = allowed;
        self
    }

    /// Whether owners may let a connection use credentials of this machine.
    pub fn allows_references(&self) -> bool {
        self.allowed.references
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
        let store = self.shared.store.clone();
        self.shared.places.run(owner, move || work(&store)).await
    }

    /// What is wrong with a draft, what it means, and what would change of `old`.
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
        let (name, allowed) = (owner.to_owned(), self.allowed.clone());
        let store = self.shared.store.clone();
        let think = move || {
            let before = old.as_ref().map(Stored::draft);
            let old = old.as_ref().map(|old| &*old.connection);
            if let Err(error) = store.admits(&draft, old) {
                return review::too_much(&error);
            }
            let (mut review, policy) = review::reviewed(&name, &draft, before.as_ref(), STATES);
            review.problems.extend(allowed.problems(&draft, old));
            let Some(policy) = policy else { return review };
            let snapshot = store.snapshot();
            let all = snapshot.policy().connections().iter();
            let others = all.filter(|one| *one.owner() == *name).map(|one| &**one);
            let others = others.filter(|one| old.is_none_or(|old| one.id() != old.id()));
            review::beside(&policy, others, STATES, &mut review);
            review
        };
        self.shared.places.think(owner, think).await
    }

    /// Whether a draft would allow this, and by which of its rows. The path is `bucket/key`, or the
    /// whole `s3+label://bucket/key`.
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
        self.attempt_to(owner, draft, operation, path, None).await
    }

    async fn attempt_to(
        &self,
        owner: &str,
        draft: Draft,
        operation: &str,
        path: &str,
        to: Option<&str>,
    ) -> Result<Attempt, Refusal> {
        let [name, operation, path] = [owner, operation, path].map(str::to_owned);
        let to = to.map(str::to_owned);
        let store = self.shared.store.clone();
        // What is more than may be saved is not even tried: it would be compiled.
        let think = move || match store.admits(&draft, None) {
            Ok(()) => attempt(&name, &draft, &operation, &path, to.as_deref()),
            Err(error) => review::invalid("invalid.draft", &error.to_string()),
        };
        self.shared.places.think(owner, think).await
    }

    /// What would become of an operation on a connection as it is served, and the policy's revision.
    async fn attempt_stored(
        &self,
        owner: &str,
        id: &ConnectionId<'_>,
        operation: &str,
        path: &str,
        to: Option<&str>,
    ) -> Result<(Attempt, String), Refusal> {
        let [name, operation, path] = [owner, operation, path].map(str::to_owned);
        let (to, id) = (to.map(str::to_owned), id.clone().into_owned());
        let store = self.shared.store.clone();
        let think = move || {
            let engine = Engine::new(Arc::clone(store.snapshot().policy()));
            let draft = store.find(&name, &id).ok().map(|stored| stored.draft());
            let asked = [Some(&*operation), Some(&*path), to.as_deref()];
            let attempt = review::decided(&engine, &name, &id, draft.as_ref(), asked);
            (attempt, engine.policy().revision().to_string())
        };
        self.shared.places.think(owner, think).await
    }
}
