//! Signing in and out.

use axum::{extract::State, response::Response};
use http::{HeaderValue, StatusCode, header};

use super::{
    Portal, guard, keyring, respond,
    session::Opener,
    view::{Frame, SignInPage},
    visit::{Guest, Visit},
};

/// The page where one signs in.
pub(super) async fn show(State(_): State<Portal>, guest: Guest) -> Response {
    let next = local(guest.query.get("next"));
    match guest.session() {
        Some(_) => respond::see_other(&next),
        None => page(StatusCode::OK, next, None),
    }
}

/// Begins a session, for a key that may manage.
pub(super) async fn sign_in(State(portal): State<Portal>, guest: Guest) -> Response {
    let next = local(guest.form.get("next"));
    let gateway = portal.shared.manager.gateway();
    let Some(opener) = keyring::find(gateway, guest.form.get("key")) else {
        // Whoever has the key is let in all the same: code on the owner's own machine, and a page of
        // another site, could otherwise keep the owner from revoking its key.
        let attempts = &portal.shared.attempts;
        if let Some(wait) = attempts.wait(guest.peer) {
            return too_many(wait, next);
        }
        attempts.failed(guest.peer);
        tracing::warn!(target: "pathward::portal", peer = %guest.peer, "a sign-in failed");
        let problem = "This key is unknown, or may not manage data sources.".to_owned();
        return page(StatusCode::FORBIDDEN, next, Some(problem));
    };
    if let Some(session) = guest.session() {
        portal.shared.sessions.end(&session);
    }
    begin(&guest, opener, respond::see_other(&next))
}

/// Ends the session.
pub(super) async fn sign_out(State(portal): State<Portal>, visit: Visit) -> Response {
    portal.shared.sessions.end(&visit.session);
    let mut response = respond::see_other("/sign-in");
    let cookie = format!("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0", portal.shared.cookie);
    set(&mut response, &cookie);
    response
}

/// Begins a session, and gives its cookie with this answer.
pub(super) fn begin(guest: &Guest, opener: Opener, mut response: Response) -> Response {
    let shared = &guest.portal.shared;
    tracing::info!(
        target: "pathward::portal",
        owner = %crate::escape::escape(&opener.owner),
        key = %crate::escape::escape(&opener.key_id),
        peer = %guest.peer,
        "signed in"
    );
    match shared.sessions.begin(opener) {
        Ok((cookie, _)) => {
            let is_tls = shared.manager.gateway().speaks_tls();
            let is_secure = is_tls || guard::is_https(&guest.headers);
            let secure = if is_secure { "; Secure" } else { "" };
            let name = &shared.cookie;
            set(
                &mut response,
                &format!("{name}={cookie}; Path=/; HttpOnly; SameSite=Strict{secure}"),
            );
            response
        }
        Err(error) => respond::failed(Frame::new(""), &error),
    }
}

/// Whoever has failed too often waits.
pub(super) fn too_many(wait: std::time::Duration, next: String) -> Response {
    let seconds = wait.as_secs() + 1;
    let problem = format!("Too many attempts. Try again in {seconds} seconds.");
    let mut response = page(StatusCode::TOO_MANY_REQUESTS, next, Some(problem));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn page(status: StatusCode, next: String, problem: Option<String>) -> Response {
    let mut frame = Frame::new("Sign in");
    if problem.is_some() {
        "Error: Sign in".clone_into(&mut frame.title);
    }
    respond::page(status, &SignInPage { frame, problem, next })
}

fn set(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Where to go afterwards: a page of the portal, whatever is asked for.
fn local(next: &str) -> String {
    let is_path = next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path { next.to_owned() } else { "/sources".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_leads_to_the_portal_alone() {
        for (next, to) in [
            ("/keys", "/keys"),
            ("/sources?q=a%20b", "/sources?q=a%20b"),
            ("", "/sources"),
            ("//evil.example", "/sources"),
            ("/\\evil.example", "/sources"),
            ("https://evil.example", "/sources"),
            ("/a\r\nX: y", "/sources"),
            ("javascript:alert(1)", "/sources"),
        ] {
            assert_eq!(local(next), to, "{next}");
        }
    }
}
