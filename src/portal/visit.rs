//! A request, once it is known whose it is.

use std::{net::IpAddr, time::Duration};

use axum::{
    body::{Bytes, to_bytes},
    extract::{FromRequest, Request},
    response::Response,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use tokio::time::timeout;

use super::{
    Portal,
    fields::{Fields, in_address},
    judge, respond,
    session::Session,
    view::Frame,
};
use crate::{
    gateway::{Asker, Peer},
    store::Store,
};

/// The longest form, in bytes: some thousand restrictions.
const MAX_BODY: usize = 1 << 20;
/// How many cookies of the portal's name are looked at.
const MOST_COOKIES: usize = 4;
/// The longest form of somebody who is not signed in, in bytes: a key, or a name.
const MAX_GUEST_BODY: usize = 8 << 10;
/// How long a form may take to come.
const BODY: Duration = Duration::from_secs(20);

/// A request of nobody in particular.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) portal: Portal,
    pub(super) query: Fields,
    /// What a form says; nothing for a GET.
    pub(super) form: Fields,
    pub(super) headers: HeaderMap,
    pub(super) peer: IpAddr,
    method: Method,
    target: String,
}

impl FromRequest<Portal> for Guest {
    type Rejection = Response;

    async fn from_request(request: Request, portal: &Portal) -> Result<Self, Response> {
        Self::read(request, portal, MAX_GUEST_BODY).await
    }
}

/// What is longer than it may be.
fn too_long(line: &str) -> Response {
    respond::notice(StatusCode::PAYLOAD_TOO_LARGE, Frame::new("That is too long"), line)
}

impl Guest {
    /// Reads a request, with a form of at most so many bytes.
    async fn read(request: Request, portal: &Portal, longest: usize) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let many = || {
            too_long(
                "The form has more fields than the portal takes, and nothing was changed. Edit the \
                 connection's file, or use the management API.",
            )
        };
        let form = match parts.method == Method::POST {
            true => Fields::read(&whole(&parts, body, longest).await?).ok_or_else(many)?,
            false => Fields::default(),
        };
        let peer = parts.extensions.get().map_or(IpAddr::from([0, 0, 0, 0]), |Peer(peer)| *peer);
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        Ok(Self {
            portal: portal.clone(),
            query: Fields::read(parts.uri.query().unwrap_or_default().as_bytes())
                .ok_or_else(many)?,
            form,
            headers: parts.headers,
            peer,
            method: parts.method,
            target,
        })
    }
}

/// The whole body of a form.
async fn whole(parts: &Parts, body: axum::body::Body, longest: usize) -> Result<Bytes, Response> {
    let wrong =
        |status, line: &str| respond::notice(status, Frame::new("That cannot be read"), line);
    let content_type =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let line = "The portal takes what its own forms send.";
        return Err(wrong(StatusCode::UNSUPPORTED_MEDIA_TYPE, line));
    }
    match timeout(BODY, to_bytes(body, longest)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            Err(too_long("The form is longer than the portal takes, or did not come whole."))
        }
        Err(_) => Err(wrong(StatusCode::REQUEST_TIMEOUT, "The form did not come in time.")),
    }
}

impl Guest {
    /// The session that the request belongs to. Another page of this machine's name may have set a
    /// cookie of the same name beside ours, which is none where it is no session. Of two sessions neither
    /// counts: one may be somebody else's, who waits for what is entered.
    pub(super) fn session(&self) -> Option<Session> {
        let name = &self.portal.shared.cookie;
        let cookies = self.headers.get_all(header::COOKIE).iter();
        let values = cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value);
        let shared = &self.portal.shared;
        let gateway = shared.manager.gateway();
        let is_open = |opener: &_| super::keyring::is_open(gateway, opener);
        let values: Vec<_> = values.take(MOST_COOKIES + 1).collect();
        if values.len() > MOST_COOKIES {
            return None;
        }
        let mut found = values.iter().filter_map(|value| shared.sessions.find(value, is_open));
        let session = found.next()?;
        found.all(|other| other.place == session.place).then_some(session)
    }
}

/// A request of someone who is signed in. A form that comes here holds the session's token.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) portal: Portal,
    pub(super) session: Session,
    pub(super) query: Fields,
    pub(super) form: Fields,
    /// Whether the page's script asks, and wants no page of its own.
    pub(super) is_live: bool,
}

impl FromRequest<Portal> for Visit {
    type Rejection = Response;

    async fn from_request(request: Request, portal: &Portal) -> Result<Self, Response> {
        // Who asks comes first: a body of somebody unknown is not read.
        let (parts, body) = request.into_parts();
        let bare = Request::from_parts(with_method(&parts, Method::GET), axum::body::Body::empty());
        let guest = Guest::from_request(bare, portal).await?;
        let Some(session) = guest.session() else {
            return Err(not_signed_in(&parts, &guest.target));
        };
        // A form that comes slowly is one of its owner's, and its connection may be closed for another.
        let asker = parts.extensions.get::<Asker>().cloned();
        if let Some(asker) = &asker {
            asker.is_known(&session.opener.owner).map_err(|_| too_many())?;
        }
        let guest = Guest::read(Request::from_parts(parts, body), portal, MAX_BODY).await?;
        if let Some(asker) = &asker {
            asker.has_come().map_err(|_| too_many())?;
        }
        if guest.method == Method::POST && !session.is_csrf(guest.form.get("csrf")) {
            let line = "The form is not of this session. Go back, load the page again and repeat what you did.";
            let frame = Frame::new("That was not done");
            return Err(respond::notice(StatusCode::FORBIDDEN, frame, line));
        }
        let is_live = guest.headers.contains_key("x-live");
        Ok(Self { portal: portal.clone(), session, query: guest.query, form: guest.form, is_live })
    }
}

/// More runs at once than there is room for, of one owner or of all.
fn too_many() -> Response {
    let line = "Too many requests run at once. Go back, and try again in a moment.";
    let frame = Frame::new("That was not done");
    let mut response = respond::notice(StatusCode::SERVICE_UNAVAILABLE, frame, line);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn with_method(parts: &Parts, method: Method) -> Parts {
    let mut parts = parts.clone();
    parts.method = method;
    parts
}

fn not_signed_in(parts: &Parts, target: &str) -> Response {
    if parts.headers.contains_key("x-live") {
        let line = "You are not signed in any more.";
        return respond::notice(StatusCode::UNAUTHORIZED, Frame::new("Signed out"), line);
    }
    match parts.method {
        Method::GET if target != "/" => {
            respond::see_other(&format!("/sign-in?next={}", in_address(target)))
        }
        _ => respond::see_other("/sign-in"),
    }
}

impl Visit {
    /// Whose data sources these are.
    pub(super) fn owner(&self) -> &str {
        &self.session.opener.owner
    }

    /// The frame of a page of this session.
    pub(super) fn frame(&self, title: impl Into<String>, at: &'static str) -> Frame {
        let is_broken = self.portal.shared.store.snapshot().invalid().is_some();
        let sessions = &self.portal.shared.sessions;
        Frame {
            owner: Some(self.owner().to_owned()),
            csrf: self.session.csrf().to_owned(),
            at,
            // Taken by the page that is looked at, and not by what its script asks.
            said: if self.is_live { None } else { sessions.take_said(&self.session) },
            warning: is_broken.then(|| {
                "whoever runs the gateway finds the file and the line in its log. Until then, changes are refused.".to_owned()
            }),
            ..Frame::new(title)
        }
    }

    /// Runs something that waits for files and locks, where a thread may wait.
    ///
    /// # Errors
    ///
    /// A page that says that too much runs at once.
    pub(super) async fn wait<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store, &str) -> T + Send + 'static,
    ) -> Result<T, Response> {
        let owner = self.owner().to_owned();
        let manager = &self.portal.shared.manager;
        let done = manager.run(self.owner(), move |store| work(store, &owner)).await;
        done.map_err(|refusal| judge::refused(self, &refusal))
    }
}
