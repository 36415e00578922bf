//! The form of a data source: making one, changing one, and what is said of it meanwhile.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;

use super::{
    Portal, form,
    form::Form,
    judge::{Judged, judge, refused as cannot},
    respond, review,
    sources::{find, href, refused, sentence},
    view::{CredentialsView, EditPage, Problem, Tested},
    visit::Visit,
    words,
};
use crate::{
    escape::escape,
    manage::{ChangeError, Health},
    policy::CredentialsRef,
    store::{Draft, DraftCredentials, StoreError, Stored},
};

/// The form of a new data source.
pub(super) async fn new(State(_): State<Portal>, visit: Visit) -> Result<Response, Response> {
    let label = visit.portal.shared.manager.suggest_label(visit.owner()).await;
    let label = label.map_err(|error| cannot(&visit, &error.refusal()))?;
    let form = Form::new(label, is_compatible(&visit));
    Editing { visit: &visit, old: None, form }.show(StatusCode::OK, Shown::default()).await
}

/// Whether the form is for a server that is not AWS, whose address it asks for first.
fn is_compatible(visit: &Visit) -> bool {
    visit.query.get("kind") == "compatible"
}

/// Makes it, or answers one of the form's other buttons.
pub(super) async fn create(State(_): State<Portal>, visit: Visit) -> Result<Response, Response> {
    let mut form = Form::read(&visit.form);
    form.view.server_open |= is_compatible(&visit);
    let editing = Editing { form, visit: &visit, old: None };
    match visit.form.get("do") {
        "save" => editing.save().await,
        button => editing.press(button).await,
    }
}

/// The form of a stored one.
pub(super) async fn show(
    State(_): State<Portal>,
    Path(identity): Path<String>,
    visit: Visit,
) -> Result<Response, Response> {
    let old = find(&visit, &identity).await?;
    let form = Form::of(&old);
    Editing { visit: &visit, old: Some(old), form }.show(StatusCode::OK, Shown::default()).await
}

/// Shows what a change does, saves it, or answers one of the form's other buttons.
pub(super) async fn change(
    State(_): State<Portal>,
    Path(identity): Path<String>,
    visit: Visit,
) -> Result<Response, Response> {
    let old = find(&visit, &identity).await?;
    let editing = Editing { form: Form::read(&visit.form), visit: &visit, old: Some(old) };
    match visit.form.get("do") {
        "review" => editing.review().await,
        "save" => editing.save().await,
        button => editing.press(button).await,
    }
}

/// Asks the backend whether the stored data source works.
pub(super) async fn test(
    State(_): State<Portal>,
    Path(identity): Path<String>,
    visit: Visit,
) -> Result<Response, Response> {
    let old = find(&visit, &identity).await?;
    let manager = &visit.portal.shared.manager;
    let tested = manager.test(visit.owner(), old.connection.id()).await;
    let tested = tested.map_err(|refusal| cannot(&visit, &refusal))?;
    let tested = Tested {
        ok: matches!(tested.health, Health::Works | Health::Missing),
        words: sentence(&escape(&tested.words)),
    };
    let form = Form::of(&old);
    let shown = Shown { tested: Some(tested), ..Shown::default() };
    Editing { visit: &visit, old: Some(old), form }.show(StatusCode::OK, shown).await
}

/// A form that is being filled in.
struct Editing<'a> {
    visit: &'a Visit,
    /// The stored one that it changes.
    old: Option<Stored>,
    form: Form,
}

/// What a page shows beside the form and what is said of it.
#[derive(Default)]
struct Shown {
    /// Whether all problems are listed at the top.
    is_checked: bool,
    credentials: Option<Problem>,
    note: Option<String>,
    tested: Option<Tested>,
}

impl Editing<'_> {
    /// Answers a button that saves nothing.
    async fn press(mut self, button: &str) -> Result<Response, Response> {
        self.hold()?;
        let is_row = self.form.press(button);
        // The script sends no secret: whether one is missing shows when it is saved.
        let is_checked = !is_row && button == "check" && !self.visit.is_live;
        let credentials = if is_checked { self.credentials().err() } else { None };
        self.show(StatusCode::OK, Shown { is_checked, credentials, ..Shown::default() }).await
    }

    /// Takes a key that was entered out of the form, for as long as that is not saved.
    #[expect(clippy::result_large_err, reason = "the answer that is sent then")]
    fn hold(&mut self) -> Result<(), Response> {
        let Ok(Some(secret)) = self.form.secret() else { return Ok(()) };
        let sessions = &self.visit.portal.shared.sessions;
        sessions.let_go(&self.visit.session, &self.form.view.held);
        let name = sessions.hold(&self.visit.session, secret);
        self.form.view.held =
            name.map_err(|error| respond::failed(self.visit.frame("", ""), &error))?;
        Ok(())
    }

    /// What becomes of the credentials, or what is wrong with them.
    fn credentials(&self) -> Result<DraftCredentials, Problem> {
        let wrong = |field: &str, message: &str| Problem {
            field: field.to_owned(),
            message: message.to_owned(),
            help: None,
        };
        let view = &self.form.view;
        if let Some(secret) = self.form.secret()? {
            return Ok(DraftCredentials::Secret(secret));
        }
        let shared = &self.visit.portal.shared;
        if let Some(secret) = shared.sessions.held(&self.visit.session, &view.held) {
            return Ok(DraftCredentials::Secret(secret));
        }
        let stored = self.old.as_ref().map(|old| old.connection.credentials());
        let (kind, name) = match stored {
            Some(None) => ("none", ""),
            Some(Some(CredentialsRef::Sealed(_))) | None => ("", ""),
            Some(Some(reference)) => reference.kind_and_place(),
        };
        let is_as_stored = stored.is_some()
            && (!shared.manager.allows_references()
                || (view.reference_kind == kind
                    && (view.reference_name == name || kind == "none" || kind.is_empty())));
        if is_as_stored {
            let is_sealed = matches!(stored, Some(Some(CredentialsRef::Sealed(_))));
            let endpoint = self.old.as_ref().and_then(|old| old.connection.endpoint());
            if is_sealed && endpoint.unwrap_or_default() != view.endpoint {
                return Err(wrong(
                    "access_key_id",
                    "The stored key was entered for another endpoint. Enter its id and secret again for this one.",
                ));
            }
            return Ok(DraftCredentials::Keep);
        }
        let named = || match view.reference_name.is_empty() {
            true => Err(wrong(
                "reference_name",
                "Say the name of the profile, of the variables or of the file.",
            )),
            false => Ok(view.reference_name.as_str().into()),
        };
        match view.reference_kind.as_str() {
            "profile" if shared.manager.allows_references() => {
                Ok(DraftCredentials::Reference(CredentialsRef::Profile(named()?)))
            }
            "env" if shared.manager.allows_references() => {
                Ok(DraftCredentials::Reference(CredentialsRef::Env(named()?)))
            }
            "file" if shared.manager.allows_references() => {
                Ok(DraftCredentials::Reference(CredentialsRef::File(named()?)))
            }
            "none" if shared.manager.allows_references() => Ok(DraftCredentials::None),
            _ => Err(wrong("access_key_id", "Enter an access key: its id and its secret.")),
        }
    }

    /// The draft that is judged, and what is wrong with the credentials.
    fn draft_to_judge(&self) -> (Draft, Option<Problem>) {
        let (credentials, problem) = match self.credentials() {
            Ok(credentials) => (credentials, None),
            Err(problem) => (DraftCredentials::Keep, Some(problem)),
        };
        (self.form.draft(self.old.as_ref(), credentials), problem)
    }

    /// Judges the form for saving: whatever is wrong counts.
    async fn judge(&mut self) -> Result<Judged, Response> {
        let (draft, problem) = self.draft_to_judge();
        judge(self.visit, &mut self.form, &draft, self.old.as_ref(), problem).await
    }

    /// Shows what a change does.
    async fn review(mut self) -> Result<Response, Response> {
        let judged = self.judge().await?;
        if !judged.problems.is_empty() {
            return self.refuse(judged).await;
        }
        let is_new_key = matches!(self.credentials(), Ok(DraftCredentials::Secret(_)));
        self.hold()?;
        let (draft, _) = self.draft_to_judge();
        let Some(old) = &self.old else { return Err(respond::missing(self.visit.frame("", ""))) };
        let fields = review::fields(old, &draft, is_new_key);
        if fields.is_empty() && self.form.view.revision == old.revision {
            let said = format!("Nothing was changed in {}.", old.connection.id());
            self.visit.portal.shared.sessions.say(&self.visit.session, said);
            return Ok(respond::see_other("/sources"));
        }
        Ok(review::page(self.visit, old, &self.form, fields, &judged.review))
    }

    /// Saves it, if nothing is wrong with it.
    async fn save(mut self) -> Result<Response, Response> {
        let judged = self.judge().await?;
        let credentials = match self.credentials() {
            Ok(credentials) if judged.problems.is_empty() => credentials,
            _ => return self.refuse(judged).await,
        };
        let draft = self.form.draft(self.old.as_ref(), credentials);
        let manager = &self.visit.portal.shared.manager;
        let owner = self.visit.owner();
        let saved = match &self.old {
            None => manager.create(owner, draft).await,
            Some(old) => {
                manager.change(owner, &old.identity, &self.form.view.revision, draft).await
            }
        };
        match saved {
            Ok(stored) => {
                let id = stored.connection.id();
                let said = match self.old {
                    None => {
                        format!(
                            "{id} was created. Code with an API key for all data sources can name it now."
                        )
                    }
                    Some(_) => format!("{id} was saved, and is served as it is now."),
                };
                let sessions = &self.visit.portal.shared.sessions;
                sessions.let_go(&self.visit.session, &self.form.view.held);
                sessions.say(&self.visit.session, said);
                Ok(respond::see_other(&href(&stored.identity)))
            }
            Err(ChangeError::Store(error)) => self.not_saved(error).await,
            Err(other) => Err(cannot(self.visit, &other.refusal())),
        }
    }

    /// Shows the form again with what is wrong with it.
    async fn refuse(mut self, judged: Judged) -> Result<Response, Response> {
        self.hold()?;
        let shown = Shown { is_checked: true, ..Shown::default() };
        Ok(self.page(StatusCode::UNPROCESSABLE_ENTITY, judged, shown))
    }

    /// Shows the form again with why the store did not take it.
    async fn not_saved(mut self, error: StoreError) -> Result<Response, Response> {
        self.hold()?;
        let mut shown = Shown { is_checked: true, ..Shown::default() };
        let status = match &error {
            StoreError::Conflict { .. } => {
                let Some(old) = &self.old else { return Err(refused(self.visit, &error)) };
                // From here on, saving replaces what the other one saved: the review says what
                // that changes.
                let now = find(self.visit, &old.identity).await?;
                self.form.view.revision.clone_from(&now.revision);
                self.old = Some(now);
                shown.note = Some(
                    "Somebody else changed this data source meanwhile. What you see is what you filled in; the review compares it with what is stored now.".to_owned(),
                );
                StatusCode::CONFLICT
            }
            StoreError::NoSealKey | StoreError::SecretNeeded => {
                let message = match error {
                    StoreError::NoSealKey => "The gateway has no key to seal the secret with, so that it cannot be kept. Whoever runs the gateway starts it with --seal-key FILE, which pathward key seal makes.".to_owned(),
                    _ => sentence(&error.to_string()),
                };
                let field = "access_key_id".to_owned();
                shown.credentials = Some(Problem { field, message, help: None });
                StatusCode::CONFLICT
            }
            StoreError::Invalid(_) => {
                shown.note = Some(
                    "The store did not take this data source as it is. Check what is filled in."
                        .to_owned(),
                );
                StatusCode::UNPROCESSABLE_ENTITY
            }
            StoreError::Quota { .. } | StoreError::QuotaOfWork => {
                shown.note = Some(sentence(&error.to_string()));
                StatusCode::UNPROCESSABLE_ENTITY
            }
            StoreError::NamedByKey { .. } => {
                shown.note = Some(sentence(&error.to_string()));
                StatusCode::CONFLICT
            }
            _ => return Err(refused(self.visit, &error)),
        };
        self.show(status, shown).await
    }

    /// The form with what is said of it.
    async fn show(mut self, status: StatusCode, shown: Shown) -> Result<Response, Response> {
        let (draft, _) = self.draft_to_judge();
        let wrong = shown.credentials.clone();
        let judged = judge(self.visit, &mut self.form, &draft, self.old.as_ref(), wrong).await?;
        Ok(self.page(status, judged, shown))
    }

    fn page(self, status: StatusCode, judged: Judged, shown: Shown) -> Response {
        let Self { visit, old, form } = self;
        let options = &visit.portal.shared.options;
        let references = visit.portal.shared.manager.allows_references();
        let problems = if shown.is_checked { judged.problems } else { Vec::new() };
        let what = match &old {
            None if form.view.server_open => "New data source: S3-compatible server".to_owned(),
            None => "New data source: Amazon S3".to_owned(),
            Some(old) => old.connection.id().to_string(),
        };
        let title = if problems.is_empty() { what.clone() } else { format!("Error: {what}") };
        let credentials = CredentialsView {
            stored: old.as_ref().map(|old| words::stored(old.connection.credentials())),
            references_allowed: references,
            other_open: references && !form.view.reference_kind.is_empty(),
            kinds: form::KINDS,
        };
        let mut frame = visit.frame(title, "sources");
        if shown.is_checked && problems.is_empty() && shown.note.is_none() {
            let said = "Nothing is wrong with what is filled in. It is not saved, and the server was not asked.";
            frame.said = Some(said.to_owned());
        }
        let page = EditPage {
            frame,
            heading: what,
            id: old.as_ref().map(|old| old.connection.id().to_string()),
            action: match &old {
                Some(old) => href(&old.identity),
                None if is_compatible(visit) => "/sources/new?kind=compatible".to_owned(),
                None => "/sources/new".to_owned(),
            },
            credentials,
            restrictions: form.restrictions,
            deny: form.deny,
            blank: form::blank(),
            form: form.view,
            problems,
            said: judged.said,
            findings: judged.findings,
            note: shown.note,
            attempt: judged.attempt,
            can_test: old.is_some(),
            tested: shown.tested,
            gateway: options.gateway.clone(),
            accesses: form::ACCESSES,
            deny_accesses: form::DENY_ACCESSES,
            details: form::DETAILS,
            operations: form::OPERATIONS,
        };
        respond::page(status, &page)
    }
}
