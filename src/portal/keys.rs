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
use crate::{
    access::AccessSet,
    policy::{ConnectionId, MAX_KEY_CONNECTIONS, Reach},
    store::{Store, StoreError},
};

/// What a key may do with data: values and texts.
const ACCESSES: &[(&str, &str)] =
    &[("read-only", "read only"), ("read-write", "read, write and delete"), ("none", "no data")];

/// What was filled in, for the form.
#[derive(Default)]
struct Filled {
    id: String,
    access: String,
    manage: bool,
    /// Whether it is for some data sources alone, and for which.
    is_for_some: bool,
    sources: Vec<String>,
    problem: Option<Problem>,
}

/// What is wrong with what was filled in, and the field that it is about.
#[derive(Clone)]
struct Problem {
    field: &'static str,
    message: String,
}

impl Problem {
    fn of(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

/// The list.
pub(super) async fn list(State(_): State<Portal>, visit: Visit) -> Result<Response, Response> {
    page(&visit, StatusCode::OK, Filled::default()).await
}

async fn page(visit: &Visit, status: StatusCode, filled: Filled) -> Result<Response, Response> {
    let both = |store: &Store, owner: &str| Ok((store.keys(owner)?, store.list(owner)?));
    let both = visit.wait(both).await?;
    let (keys, sources) = both.map_err(|error| refused(visit, &error))?;
    let ids: Vec<String> = sources.iter().map(|one| one.connection.id().to_string()).collect();
    let rows = keys.into_iter().map(|key| KeyRow {
        href: in_address(&key.id),
        access: words::access(key.access),
        writes: words::writes(key.access),
        manage: key.manage,
        is_own: key.id == visit.session.opener.key_id,
        reach: key.reach.named().map(|named| {
            let one = |id: &ConnectionId<'_>| id.to_string();
            named.iter().map(one).map(|id| (ids.contains(&id), id)).collect()
        }),
        id: key.id,
    });
    let title = if filled.problem.is_some() { "Error: API keys" } else { "API keys" };
    let page = KeysPage {
        frame: visit.frame(title, "keys"),
        rows: rows.collect(),
        problem: filled.problem.map(|problem| (problem.field, problem.message)),
        is_for_some: filled.is_for_some,
        sources: ids.iter().map(|id| (filled.sources.contains(id), id.clone())).collect(),
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
    let ticked = visit.form.iter().filter(|(name, _)| *name == "source");
    let sources: Vec<String> = ticked.map(|(_, value)| value.to_owned()).collect();
    let is_for_some = !matches!(visit.form.get("reach"), "" | "all");
    let again = |problem: Problem| Filled {
        id: id.clone(),
        access: visit.form.get("access").to_owned(),
        manage,
        is_for_some: is_for_some || !sources.is_empty(),
        sources: sources.clone(),
        problem: Some(problem),
    };
    let reach = match wrong_id(&id) {
        Some(problem) => Err(Problem::of("id", problem)),
        None => reach(is_for_some, &sources, manage),
    };
    let reach = match reach {
        Ok(reach) => reach,
        Err(problem) => {
            return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, again(problem)).await;
        }
    };
    let made = visit
        .wait({
            let id = id.clone();
            move |store, owner| store.create_key(owner, &id, access, manage, &reach)
        })
        .await?;
    let (info, secret) = match made {
        Ok(made) => made,
        Err(StoreError::Taken { .. }) => {
            let problem =
                Problem::of("id", format!("You have a key {id} already. Choose another name."));
            return page(&visit, StatusCode::CONFLICT, again(problem)).await;
        }
        Err(StoreError::Invalid(_)) => {
            let problem = "This cannot be the name of a key. Use letters, digits, _ . and -.";
            let problem = again(Problem::of("id", problem));
            return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, problem).await;
        }
        Err(error @ StoreError::Quota { .. }) => {
            let problem = again(Problem::of("id", sentence(&error.to_string())));
            return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, problem).await;
        }
        Err(StoreError::NoConnection { id }) => {
            let problem = format!("You have no data source {id} any more. Choose among these.");
            let problem = again(Problem::of("reach-some", problem));
            return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, problem).await;
        }
        Err(error) => return Err(refused(&visit, &error)),
    };
    let shown = KeyShownPage {
        frame: visit.frame("Your new API key", "keys"),
        access: sentence(&match info.reach.named() {
            None => format!("with data: {}", words::access(info.access)),
            Some(_) => {
                format!("with data: {}, in {} alone", words::access(info.access), info.reach)
            }
        }),
        id: info.id,
        secret: secret.to_string(),
        manage: info.manage,
        is_first: false,
        gateway: visit.portal.shared.options.gateway.clone(),
        next: ("/keys", "Go to the API keys"),
    };
    Ok(respond::page(StatusCode::OK, &shown))
}

/// Which data sources the key is for.
fn reach(is_for_some: bool, sources: &[String], manage: bool) -> Result<Reach, Problem> {
    let wrong = |message| Err(Problem::of("reach-some", message));
    let ids = sources.iter().filter_map(|id| ConnectionId::parse(id).ok());
    let ids: Vec<_> = ids.filter(|id| id.label().is_some()).collect();
    match (is_for_some, sources.is_empty()) {
        (false, true) => Ok(Reach::ALL),
        (false, false) => wrong("You ticked data sources, and chose all. Say which you mean."),
        (true, true) => wrong("Tick the data sources that the key is for."),
        (true, false) if manage => wrong(
            "A key that may manage data sources opens all of them: it could make any other key.",
        ),
        (true, false) if sources.len() > MAX_KEY_CONNECTIONS => {
            wrong("These are more data sources than a key can name. Make several keys.")
        }
        (true, false) if ids.len() < sources.len() => wrong("Choose among these data sources."),
        (true, false) => Ok(Reach::only(ids)),
    }
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
