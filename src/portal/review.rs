//! What a change does, shown before it is saved.

use axum::response::Response;
use http::StatusCode;

use super::{
    form::Form,
    respond,
    sources::{href, sentence},
    view::{Delta, Field, ReviewPage},
    visit::Visit,
    words,
};
use crate::{
    access::Access,
    escape::escape,
    manage::{Opened, Review},
    policy::{Conditions, Keys},
    store::{Draft, DraftCredentials, DraftRule, Stored},
};

/// The page.
pub(super) fn page(
    visit: &Visit,
    old: &Stored,
    form: &Form,
    fields: Vec<Field>,
    review: &Review,
) -> Response {
    let id = old.connection.id();
    let is_behind = form.view.revision != old.revision;
    let page = ReviewPage {
        frame: visit.frame(format!("Review the changes to {id}"), "sources"),
        id: id.to_string(),
        action: href(&old.identity),
        note: is_behind.then(|| {
            "Somebody else changed this data source since you opened it: saving it will not work. Go back to editing and look at what is stored now.".to_owned()
        }),
        fields,
        opened: review.opened.iter().map(delta).collect(),
        lost: review.lost.iter().map(delta).collect(),
        undecided: (review.undecided > 0).then(|| {
            "Not every question about this change was decided in time: more may be newly allowed, or no longer, than stands here.".to_owned()
        }),
        hidden: [vec![("csrf".to_owned(), visit.session.csrf().to_owned())], form.hidden()].concat(),
    };
    respond::page(StatusCode::OK, &page)
}

fn delta(opened: &Opened) -> Delta {
    Delta {
        // `read-only` here would be said of what else there is.
        access: opened.access.iter().map(Access::name).collect::<Vec<_>>().join(", "),
        words: sentence(&escape(&opened.words)),
        example: escape(&opened.path).into_owned(),
    }
}

/// What changes of what is set.
pub(super) fn fields(old: &Stored, draft: &Draft, is_new_key: bool) -> Vec<Field> {
    let was = old.draft();
    let mut fields = Vec::new();
    let mut compare = |name, was: String, now: String, note| {
        if was != now {
            let was = Some(was).filter(|was| !was.is_empty());
            let now = if now.is_empty() { "nothing".to_owned() } else { now };
            fields.push(Field { name, was, now, note });
        }
    };
    let named = |label: &str| escape(&format!("s3+{label}")).into_owned();
    let note = Some("Code that names the old one is denied from then on.");
    compare("Name", named(&was.label), named(&draft.label), note);
    let default = |is_default: bool| (if is_default { "yes" } else { "no" }).to_owned();
    let note = draft.is_default.then_some("Another one is the default no longer.");
    compare("Default", default(was.is_default), default(draft.is_default), note);
    let place = |endpoint: &Option<String>| endpoint.clone().unwrap_or("Amazon S3".to_owned());
    compare("Server", place(&was.endpoint), place(&draft.endpoint), None);
    let region = |region: &Option<String>| region.clone().unwrap_or_default();
    compare("Region", region(&was.region), region(&draft.region), None);
    compare("Keys are read", keys(was.keys), keys(draft.keys), None);
    let of = |draft: &Draft| conditions(draft.conditions);
    compare("Conditions on writing", of(&was), of(draft), None);
    compare("Access", words::access(was.access), words::access(draft.access), None);
    let everything = [DraftRule::path("*")];
    let list = |rules: &Option<Vec<DraftRule>>| texts(rules.as_deref().unwrap_or(&everything));
    compare("Restrictions", list(&was.restrictions), list(&draft.restrictions), None);
    compare("Deny", texts(&was.deny), texts(&draft.deny), None);
    let stored = words::credentials(old.connection.credentials());
    match &draft.credentials {
        _ if is_new_key => fields.push(Field {
            name: "Credentials",
            was: Some(stored),
            now: "the key that you entered".to_owned(),
            note: Some("It is sealed when you save."),
        }),
        DraftCredentials::None => {
            let now = words::credentials(None);
            fields.push(Field { name: "Credentials", was: Some(stored), now, note: None });
        }
        DraftCredentials::Reference(reference) => {
            let now = escape(&words::credentials(Some(reference))).into_owned();
            fields.push(Field { name: "Credentials", was: Some(stored), now, note: None });
        }
        DraftCredentials::Keep | DraftCredentials::Secret(_) => {}
    }
    fields
}

fn keys(keys: Option<Keys>) -> String {
    match keys {
        None => "as is usual for the server",
        Some(Keys::Exact) => "exactly",
        Some(Keys::Plain) => "plainly",
    }
    .to_owned()
}

fn conditions(conditions: Option<Conditions>) -> String {
    match conditions {
        None => "as is usual for the server",
        Some(Conditions::Honoured) => "honoured by the server",
        Some(Conditions::None) => "refused",
    }
    .to_owned()
}

/// Restrictions, as a line.
fn texts(rules: &[DraftRule]) -> String {
    let one = |rule: &DraftRule| {
        let mut text = escape(&rule.text).into_owned();
        if rule.glob {
            text = format!("glob {text}");
        }
        if let Some(access) = rule.access {
            text = format!("{text} ({})", words::access(access));
        }
        text
    };
    rules.iter().map(one).collect::<Vec<_>>().join(", ")
}
