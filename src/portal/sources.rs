//! The list of data sources, and deleting one.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;

use super::{
    Portal,
    fields::in_address,
    respond,
    view::{RemovePage, SourceRow, SourcesPage},
    visit::Visit,
    words,
};
use crate::{
    automaton::Effect,
    store::{StoreError, Stored},
};

/// How many restrictions the list shows of each.
const SHOWN: usize = 3;

/// The beginning is the list.
pub(super) async fn home(State(_): State<Portal>, _: Visit) -> Response {
    respond::see_other("/sources")
}

/// The list.
pub(super) async fn list(State(_): State<Portal>, visit: Visit) -> Result<Response, Response> {
    let search = visit.query.get("q").trim().to_owned();
    let all = visit.wait(|store, owner| store.list(owner)).await?;
    let all = match all {
        Ok(all) => all,
        Err(error) => return Ok(respond::failed(visit.frame("", ""), &error)),
    };
    let is_empty = all.is_empty();
    let rows = all.iter().filter(|stored| is_found(stored, &search)).map(row).collect();
    let frame = visit.frame("Data sources", "sources");
    Ok(respond::page(StatusCode::OK, &SourcesPage { frame, search, rows, is_empty }))
}

/// Where the page of a data source is.
pub(super) fn href(identity: &str) -> String {
    format!("/sources/{}", in_address(identity))
}

fn row(stored: &Stored) -> SourceRow {
    let connection = &stored.connection;
    let allows = || connection.rules().iter().filter(|rule| rule.effect == Effect::Allow);
    let denies = connection.rules().len() - allows().count();
    let further = allows().count().saturating_sub(SHOWN);
    let mut more = Vec::new();
    if further > 0 {
        more.push(format!("and {further} more"));
    }
    match denies {
        0 => {}
        1 => more.push("but for 1 deny".to_owned()),
        denies => more.push(format!("but for {denies} denies")),
    }
    let given = words::given(connection);
    SourceRow {
        id: connection.id().to_string(),
        href: href(&stored.identity),
        is_default: connection.is_default(),
        place: words::place(connection),
        credentials: words::credentials(connection.credentials()),
        paths: allows()
            .take(SHOWN)
            .map(|rule| crate::escape::escape(rule.restriction.text()).into_owned())
            .collect(),
        more: (!more.is_empty()).then(|| more.join(", ")),
        access: words::access(given),
        writes: words::writes(given),
    }
}

fn is_found(stored: &Stored, search: &str) -> bool {
    let search = search.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&search);
    let connection = &stored.connection;
    has(&connection.id().to_string())
        || connection.endpoint().is_some_and(has)
        || connection.rules().iter().any(|rule| has(rule.restriction.text()))
}

/// Asks whether it is to be deleted.
pub(super) async fn ask(
    State(_): State<Portal>,
    Path(identity): Path<String>,
    visit: Visit,
) -> Result<Response, Response> {
    let stored = find(&visit, &identity).await?;
    confirm(&visit, &stored, StatusCode::OK, None).await
}

/// Deletes it, as it was when that was asked.
pub(super) async fn delete(
    State(_): State<Portal>,
    Path(identity): Path<String>,
    visit: Visit,
) -> Result<Response, Response> {
    let stored = find(&visit, &identity).await?;
    let revision = visit.form.get("revision").to_owned();
    let deleted = visit.wait(move |store, owner| store.delete(owner, &identity, &revision)).await?;
    match deleted {
        Ok(()) => {
            let said = format!(
                "{} was deleted. Code that names it is denied from now on.",
                stored.connection.id()
            );
            visit.portal.shared.sessions.say(&visit.session, said);
            Ok(respond::see_other("/sources"))
        }
        Err(StoreError::Conflict { .. }) => {
            let line =
                "It was changed meanwhile. Look at it again, and delete it if that is still right.";
            let stored = find(&visit, &stored.identity).await?;
            confirm(&visit, &stored, StatusCode::CONFLICT, Some(line)).await
        }
        Err(error) => Err(refused(&visit, &error)),
    }
}

async fn confirm(
    visit: &Visit,
    stored: &Stored,
    status: StatusCode,
    line: Option<&str>,
) -> Result<Response, Response> {
    let keys = visit.wait(|store, owner| store.keys(owner)).await?;
    let keys = keys.map_err(|error| refused(visit, &error))?;
    let id = stored.connection.id();
    let own = keys.iter().filter(|key| key.reach.names_only(id));
    let own: Vec<&str> = own.map(|key| &*key.id).collect();
    let href = href(&stored.identity);
    let mut lines: Vec<String> = line.into_iter().map(str::to_owned).collect();
    lines.push(format!(
        "Code that names {id} is denied from then on. What is stored in {} stays as it is; the credentials that are kept here are gone.",
        words::place(&stored.connection)
    ));
    if stored.connection.is_default() {
        lines.push("It is your default data source: bare s3:// will name none.".to_owned());
    }
    match *own {
        [] => {}
        [key] => lines.push(format!("The API key {key} is for it alone, and is revoked with it.")),
        _ => lines.push(format!(
            "The API keys {} are for it alone, and are revoked with it.",
            own.join(", ")
        )),
    }
    let page = RemovePage {
        frame: visit.frame(format!("Delete {id}"), "sources"),
        lines,
        action: format!("{href}/delete"),
        hidden: vec![("revision", stored.revision.clone())],
        button: format!("Delete {id}"),
        cancel: href,
        back: "/sources",
        list: "Data sources",
    };
    Ok(respond::page(status, &page))
}

/// The owner's data source of this identity.
///
/// # Errors
///
/// The page that says that there is none, also of somebody else's.
pub(super) async fn find(visit: &Visit, identity: &str) -> Result<Stored, Response> {
    let identity = identity.to_owned();
    let found = visit.wait(move |store, owner| store.get(owner, &identity)).await?;
    found.map_err(|error| refused(visit, &error))
}

/// What the store did not do.
pub(super) fn refused(visit: &Visit, error: &StoreError) -> Response {
    let frame = |title: &str| visit.frame(title, "sources");
    let notice = |status, line: String| respond::notice(status, frame("That was not done"), line);
    match error {
        StoreError::Missing => respond::missing(frame("")),
        StoreError::Broken(_) => {
            tracing::error!(target: "pathward::portal", "{error}");
            let line = "A file of the store does not load, and nothing is changed until it does. Whoever runs the gateway finds the file in its log.";
            notice(StatusCode::CONFLICT, line.to_owned())
        }
        StoreError::Busy => notice(
            StatusCode::SERVICE_UNAVAILABLE,
            "Another process has been changing the store for too long. Try again.".to_owned(),
        ),
        StoreError::NotEditable { .. } => {
            tracing::warn!(target: "pathward::portal", "{error}");
            notice(StatusCode::CONFLICT, "This data source stands in a file that was written by hand in a way that cannot be changed here. Whoever runs the gateway can change the file; its log says which.".to_owned())
        }
        StoreError::Conflict { .. }
        | StoreError::Taken { .. }
        | StoreError::NoSealKey
        | StoreError::NoConnection { .. }
        | StoreError::NamedByKey { .. }
        | StoreError::SecretNeeded
        | StoreError::Quota { .. }
        | StoreError::QuotaOfWork => notice(StatusCode::CONFLICT, sentence(&error.to_string())),
        other => respond::failed(frame(""), other),
    }
}

/// An error's text, as a sentence for a person.
pub(super) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    let mut sentence = first.unwrap_or_default() + characters.as_str();
    if !sentence.ends_with(['.', '!', '?', ':']) {
        sentence.push('.');
    }
    sentence
}
