//! The first user, by the one-time link.

use axum::{extract::State, response::Response};
use http::StatusCode;

use super::{
    Portal, keyring, respond, sign_in,
    view::{FirstPage, Frame, KeyShownPage},
    visit::Guest,
};
use crate::{access::AccessSet, policy::Reach, store::StoreError};

/// The page that the link opens. Looking at it uses nothing up.
pub(super) async fn show(State(portal): State<Portal>, guest: Guest) -> Response {
    let link = guest.query.get("link");
    if !is_good(&portal, link) {
        return used_up(&portal, &guest);
    }
    page(&portal, StatusCode::OK, link, &portal.shared.options.first_user, None)
}

/// Makes the user and the key, shows it, and signs in.
pub(super) async fn make(State(portal): State<Portal>, guest: Guest) -> Response {
    let (link, name) = (guest.form.get("link"), guest.form.get("name").trim().to_owned());
    if !is_good(&portal, link) {
        return used_up(&portal, &guest);
    }
    if let Some(problem) = wrong_name(&name) {
        return page(&portal, StatusCode::UNPROCESSABLE_ENTITY, link, &name, Some(problem));
    }
    let Some(redeemed) = portal.shared.invite.redeem(link) else {
        return used_up(&portal, &guest);
    };
    let store = portal.shared.store.clone();
    let made = tokio::task::spawn_blocking({
        let name = name.clone();
        move || {
            let names = (1_u32..100).map(|n| match n {
                1 => "portal".to_owned(),
                n => format!("portal-{n}"),
            });
            let mut last = Err(StoreError::Taken { what: "the key's name" });
            for id in names {
                last = store.create_key(&name, &id, AccessSet::NONE, true, &Reach::ALL);
                if !matches!(last, Err(StoreError::Taken { .. })) {
                    break;
                }
            }
            last
        }
    });
    let (info, secret) = match made.await {
        Ok(Ok(made)) => made,
        Ok(Err(StoreError::Quota { .. })) => {
            portal.shared.invite.put_back(redeemed);
            let problem =
                "This user has as many API keys as one may have. Choose another name.".to_owned();
            return page(&portal, StatusCode::UNPROCESSABLE_ENTITY, link, &name, Some(problem));
        }
        Ok(Err(error)) => {
            portal.shared.invite.put_back(redeemed);
            return respond::failed(Frame::new(""), &error);
        }
        Err(error) => {
            portal.shared.invite.put_back(redeemed);
            return respond::failed(Frame::new(""), &error);
        }
    };
    let Some(opener) = keyring::find(portal.shared.manager.gateway(), &secret) else {
        return respond::failed(Frame::new(""), &"the first key is not in the store");
    };
    let shown = KeyShownPage {
        frame: Frame::new("Your portal key"),
        id: info.id,
        secret: secret.to_string(),
        access: "It reads and writes no data: make another key for code.".to_owned(),
        manage: true,
        is_first: true,
        gateway: None,
        next: ("/sources", "Go to the data sources"),
    };
    sign_in::begin(&guest, opener, respond::page(StatusCode::OK, &shown))
}

/// Whether this is the link, and nobody can sign in yet.
fn is_good(portal: &Portal, link: &str) -> bool {
    portal.shared.invite.is_out(link) && !portal.shared.store.has_users()
}

fn used_up(portal: &Portal, guest: &Guest) -> Response {
    portal.shared.attempts.failed(guest.peer);
    let line = "The link was used, or is older than a day, or another one was printed since. \
                If you have a key, sign in with it; if not, start the gateway anew for another link.";
    respond::notice(StatusCode::GONE, Frame::new("This link does not work any more"), line)
}

fn page(
    portal: &Portal,
    status: StatusCode,
    link: &str,
    name: &str,
    problem: Option<String>,
) -> Response {
    let snapshot = portal.shared.store.snapshot();
    let policy = snapshot.policy();
    let owners = policy.connections().iter().map(|connection| connection.owner().to_owned());
    let mut known: Vec<_> =
        policy.users().iter().map(|user| user.name.to_string()).chain(owners).collect();
    known.sort_unstable();
    known.dedup();
    known.truncate(12);
    let title = if problem.is_some() { "Error: Set up" } else { "Set up" };
    let frame = Frame::new(title);
    let (link, name) = (link.to_owned(), name.to_owned());
    respond::page(status, &FirstPage { frame, problem, link, name, known })
}

/// What is wrong with a user's name.
fn wrong_name(name: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if name.is_empty() {
        Some("Enter a name.".to_owned())
    } else if name.len() > 64 || !name.bytes().all(is_plain) || name.starts_with(['.', '-']) {
        Some(
            "A name has at most 64 letters, digits, _ . and -, and begins with a letter, a digit or _."
                .to_owned(),
        )
    } else {
        None
    }
}
