//! What an owner's tools ask of a gateway: who has a key that manages, and what a caller is shown.
//!
//! Looking through a connection goes the way of every request, with the line of the log that it has
//! there; only that the owner is known already, and no key takes anything away.

use std::sync::Arc;

use http::HeaderMap;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    Current, Gateway, Shared,
    auth::Authenticated,
    decide::{Allowed, Ask},
    files::NoFile,
    respond::Failure,
};
use crate::{
    access::Access,
    automaton::Effect,
    engine::ListDirectory,
    executor::{DirectoryPage, ExecuteError, PageRequest, Want},
    path::Path,
    policy::{Connection, ConnectionId},
};

/// What the log has in place of a key's id, where an owner's tool asks.
const KEY_ID: &str = "(portal)";
/// How many rules are looked at for one below which something may be listed.
const LOOKED_AT: usize = 256;

/// A request that may manage its user's connections and keys, and its places.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The user.
    pub(crate) user: String,
    /// What the user calls the key.
    pub(crate) key_id: String,
    places: Option<[OwnedSemaphorePermit; 2]>,
}

impl Admitted {
    /// Gives its places back, to one that comes of it and takes its own.
    pub(crate) fn leave(&mut self) {
        self.places = None;
    }
}

/// Why a request may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAdmitted {
    /// Its key is missing or unknown.
    Unknown,
    /// Its key is for data alone.
    DataKey,
    /// Too many requests run at once.
    Full,
}

/// What came of the test of a connection.
#[derive(Debug)]
pub(crate) struct Probed {
    /// What was listed.
    pub(crate) directory: Path<'static>,
    /// What came of it.
    pub(crate) page: Result<DirectoryPage, ExecuteError>,
}

impl Gateway {
    /// Whose request this is, if its API key may manage. The key is looked up and compared as any
    /// request's.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> Result<Admitted, NotAdmitted> {
        let current = self.shared.current();
        let who = current.authenticate(headers).ok_or(NotAdmitted::Unknown)?;
        if !who.manage {
            return Err(NotAdmitted::DataKey);
        }
        let place = |places: &Arc<Semaphore>| {
            Arc::clone(places).try_acquire_owned().map_err(|_| NotAdmitted::Full)
        };
        let places = [place(&self.shared.running)?, place(&who.places)?];
        Ok(Admitted {
            user: who.caller().name().to_owned(),
            key_id: who.key_id.to_string(),
            places: Some(places),
        })
    }

    /// Whose key has this hash, and what it is called, if it may manage. Found as any request's.
    pub(crate) fn manager_of(&self, sha256: &[u8; 32]) -> Option<(String, String)> {
        let current = self.shared.current();
        let who = current.holder(sha256).filter(|who| who.manage)?;
        Some((who.caller().name().to_owned(), who.key_id.to_string()))
    }

    /// A page of a directory as a caller with full permission is shown it, and the marker of the next.
    pub(crate) async fn browse(
        &self,
        owner: &str,
        id: ConnectionId<'static>,
        path: Path<'static>,
        marker: Option<&str>,
    ) -> Result<(DirectoryPage, Option<String>), Failure> {
        let seat = self.seat(owner)?;
        let who = seat.who();
        let ask = seat.ask(&who, id, path);
        let late = |_| Err(Failure::of(&ExecuteError::TimedOut, ""));
        timeout(seat.shared.options.request_timeout, ask.listed(NoFile::Directory, marker))
            .await
            .unwrap_or_else(late)
    }

    /// Lists one thing that the connection permits to list. `None` where it permits none.
    pub(crate) async fn probe(
        &self,
        owner: &str,
        id: ConnectionId<'static>,
    ) -> Result<Option<Probed>, Failure> {
        let seat = self.seat(owner)?;
        let who = seat.who();
        let ask = seat.ask(&who, id, Path::ROOT);
        let Some(connection) = seat.current.engine.policy().connection(owner, &ask.id) else {
            // The refusal that every operation on it has.
            return Err(match ask.approve(ListDirectory { path: Path::ROOT }) {
                Err(refused) => refused,
                Ok(_) => ask.failed(&ExecuteError::Configuration),
            });
        };
        let Some(allowed) = something_permitted(&ask, connection) else { return Ok(None) };
        let Allowed { approved, line } = allowed;
        let directory = approved.operation().path.clone();
        let request = PageRequest { after: None, want: Want::All, limit: 1, brief: false };
        let listing = seat.shared.executor.list(approved, request);
        let listed = timeout(seat.shared.options.request_timeout, listing).await;
        let page = line.end(listed.unwrap_or(Err(ExecuteError::TimedOut)), |_| None);
        Ok(Some(Probed { directory, page }))
    }

    /// A place for what an owner asks, among those of requests.
    fn seat(&self, owner: &str) -> Result<Seat, Failure> {
        let full = |_| Failure::full("too many requests run at once; try again later");
        let shared = Arc::clone(&self.shared);
        let current = shared.current();
        let own = current.owner(owner, KEY_ID).places;
        let places = [
            Arc::clone(&shared.running).try_acquire_owned().map_err(full)?,
            own.try_acquire_owned().map_err(full)?,
        ];
        let (owner, request_id) = (owner.to_owned(), super::ask::request_id().into());
        Ok(Seat { shared, current, owner, request_id, headers: HeaderMap::new(), _places: places })
    }
}

/// What a question of an owner's tool keeps to, as a request does.
struct Seat {
    shared: Arc<Shared>,
    current: Arc<Current>,
    owner: String,
    request_id: Arc<str>,
    headers: HeaderMap,
    _places: [OwnedSemaphorePermit; 2],
}

impl Seat {
    fn who(&self) -> Authenticated<'_> {
        self.current.owner(&self.owner, KEY_ID)
    }

    fn ask<'a>(
        &'a self,
        who: &'a Authenticated<'_>,
        id: ConnectionId<'static>,
        path: Path<'static>,
    ) -> Ask<'a> {
        Ask {
            shared: &self.shared,
            current: &self.current,
            who,
            request_id: &self.request_id,
            id,
            path,
            headers: &self.headers,
            asker: None,
        }
    }
}

/// The listing of a directory that some restriction is about, or else of the root.
fn something_permitted(
    ask: &Ask<'_>,
    connection: &Connection,
) -> Option<Allowed<ListDirectory<'static>>> {
    let directories = connection
        .rules()
        .iter()
        .take(LOOKED_AT)
        .filter(|rule| rule.effect == Effect::Allow && rule.access.contains(Access::Read))
        .filter_map(|rule| {
            let prefix = rule.restriction.patterns().first()?.prefix();
            let end = prefix.iter().rposition(|byte| *byte == b'/')?;
            Path::from_vec(prefix.get(..=end)?.to_vec()).ok()
        });
    directories.chain([Path::ROOT]).find_map(|path| ask.approve(ListDirectory { path }).ok())
}
