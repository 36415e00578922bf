//! The API keys of an owner.

use axum::{extract::State, response::Response};
use http::StatusCode;

use super::{
    Portal,
    fields::in_address,
    respond,
    sources::{refused, sentence},
    view::{KeyRow, KeyShownPage, KeysPage, RemovePage},
    visit::Visit,
    words,
};
use crate::{access::AccessSet, store::StoreError};

/// What a key may do with data: values and texts.
const ACCESSES: &[(&str, &str)] =
    &[("read-only", "read only"), ("read-write", "read, write and delete"), ("none", "no data")];

/// What was filled in, for the form.
#[derive(Default)]
struct Filled {
    id: String,
    access: String,
    manage: bool,
    problem: Option<String>,
}

/// The list.
pub(super) async fn list(State(_): State<Portal>, visit: Visit) -> Result<Response, Response> {
    page(&visit, StatusCode::OK, Filled::default()).await
}

async fn page(visit: &Visit, status: StatusCode, filled: Filled) -> Result<Response, Response> {
    let keys = match visit.wait(|store, owner| store.keys(owner)).await? {
        Ok(keys) => keys,
        Err(error) => return Err(refused(visit, &error)),
    };
    let rows = keys.into_iter().map(|key| KeyRow {
        href: in_address(&key.id),
        access: words::access(key.access),
        writes: words::writes(key.access),
        manage: key.manage,
        is_own: key.id == visit.session.opener.key_id,
        id: key.id,
    });
    let title = if filled.problem.is_some() { "Error: API keys" } else { "API keys" };
    let page = KeysPage {
        frame: visit.frame(title, "keys"),
        rows: rows.collect(),
        problem: filled.problem,
        id: filled.id,
        access: filled.access,
        manage: filled.manage,
        accesses: ACCESSES,
    };
    Ok(respond::page(status, &page))
}

/// Makes a key and shows it, once. The answer is the page itself: a secret is kept for no other one.
pub(super) async fn make(State(_): State<Portal>, visit: Visit) -> Result<Response, Response> {
    let id = visit.form.get("id").trim().to_owned();
    let access = match visit.form.get("access") {
        "read-write" => AccessSet::READ_WRITE,
        "none" => AccessSet::NONE,
        _ => AccessSet::READ_ONLY,
    };
    let manage = visit.form.is_ticked("manage");
    let again = |problem: String| Filled {
        id: id.clone(),
        access: visit.form.get("access").to_owned(),
        manage,
        problem: Some(problem),
    };
    if let Some(problem) = wrong_id(&id) {
        return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, again(problem.to_owned())).await;
    }
    let made = visit
        .wait({
            let id = id.clone();
            move |store, owner| store.create_key(owner, &id, access, manage)
        })
        .await?;
    let (info, secret) = match made {
        Ok(made) => made,
        Err(StoreError::Taken { .. }) => {
            let problem = format!("You have a key {id} already. Choose another name.");
            return page(&visit, StatusCode::CONFLICT, again(problem)).await;
        }
        Err(StoreError::Invalid(_)) => {
            let problem = "This cannot be the name of a key. Use letters, digits, _ . and -.";
            return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, again(problem.to_owned())).await;
        }
        Err(error @ StoreError::Quota { .. }) => {
            let problem = sentence(&error.to_string());
            return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, again(problem)).await;
        }
        Err(error) => return Err(refused(&visit, &error)),
    };
    let shown = KeyShownPage {
        frame: visit.frame("Your new API key", "keys"),
        access: sentence(&format!("with data: {}", words::access(info.access))),
        id: info.id,
        secret: secret.to_string(),
        manage: info.manage,
        is_first: false,
        gateway: visit.portal.shared.options.gateway.clone(),
        next: ("/keys", "Go to the API keys"),
    };
    Ok(respond::page(StatusCode::OK, &shown))
}

/// What is wrong with a key's name.
fn wrong_id(id: &str) -> Option<&'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if id.is_empty() {
        Some("Enter a name for the key.")
    } else if id.len() > 64 || !id.bytes().all(is_plain) {
        Some("A key's name has at most 64 letters, digits, _ . and -.")
    } else {
        None
    }
}

/// Asks whether a key is to be revoked.
pub(super) async fn ask(State(_): State<Portal>, visit: Visit) -> Result<Response, Response> {
    let id = visit.query.get("id").to_owned();
    let keys = visit.wait(|store, owner| store.keys(owner)).await?;
    let keys = keys.map_err(|error| refused(&visit, &error))?;
    let Some(key) = keys.iter().find(|key| key.id == id) else {
        return Err(respond::missing(visit.frame("", "keys")));
    };
    let mut lines = vec![
        "Requests that come with it are refused from then on. It cannot be taken back: make another key instead.".to_owned(),
    ];
    if key.id == visit.session.opener.key_id {
        lines.push("You are signed in with this key: you are signed out with it.".to_owned());
    }
    if key.manage && keys.iter().filter(|key| key.manage).count() == 1 {
        lines.push("It is your last key that opens this portal. Without one, only whoever runs the gateway can make another.".to_owned());
    }
    let page = RemovePage {
        frame: visit.frame(format!("Revoke the key {id}"), "keys"),
        lines,
        action: "/keys/revoke".to_owned(),
        hidden: vec![("id", id.clone())],
        button: format!("Revoke {id}"),
        cancel: "/keys".to_owned(),
        back: "/keys",
        list: "API keys",
    };
    Ok(respond::page(StatusCode::OK, &page))
}

/// Revokes a key: when the answer is there, it opens nothing any more.
pub(super) async fn revoke(State(_): State<Portal>, visit: Visit) -> Result<Response, Response> {
    let id = visit.form.get("id").to_owned();
    let revoked = visit
        .wait({
            let id = id.clone();
            move |store, owner| store.revoke_key(owner, &id)
        })
        .await?;
    revoked.map_err(|error| refused(&visit, &error))?;
    let said = format!("The key {id} was revoked.");
    visit.portal.shared.sessions.say(&visit.session, said);
    Ok(respond::see_other("/keys"))
}
