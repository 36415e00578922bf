//! Connections: listed, made, shown, changed, deleted, made the default, tested.

use axum::body::Body as HttpBody;
use http::{
    StatusCode,
    header::{IF_MATCH, LOCATION},
};
use serde_json::json;

use super::{
    Answer, Call, bad,
    body::{self, LARGE},
    done,
    shapes::{self, ConnectionIn},
    tagged,
};
use crate::{
    gateway::respond::{Code, json_response},
    manage::{Manager, answers::Refusal},
};

impl Manager {
    pub(super) async fn list_connections(&self, call: &Call) -> Answer {
        let all = self.list(&call.who.user).await?;
        let all: Vec<_> = all.iter().map(shapes::connection).collect();
        // Why, which shows lines of files, is for the operator.
        let is_stale = self.store().snapshot().invalid().is_some();
        let value = json!({ "connections": all, "stale": is_stale });
        Ok(json_response(StatusCode::OK, &value))
    }

    pub(super) async fn create_connection(&self, call: &Call, body: HttpBody) -> Answer {
        let draft: ConnectionIn = body::read(&call.parts, body, LARGE).await?;
        let stored = self.create(&call.who.user, draft.into_draft()?).await?;
        let value = shapes::connection(&stored);
        let mut response = tagged(StatusCode::CREATED, &value, &stored.revision);
        if let Ok(location) = format!("/v1/connections/{}", stored.identity).parse() {
            response.headers_mut().insert(LOCATION, location);
        }
        Ok(response)
    }

    pub(super) async fn show_connection(&self, call: &Call) -> Answer {
        let stored = self.get(&call.who.user, &call.parameter).await?;
        Ok(tagged(StatusCode::OK, &shapes::connection(&stored), &stored.revision))
    }

    pub(super) async fn change_connection(&self, call: &Call, body: HttpBody) -> Answer {
        let revision = call.revision()?;
        let draft: ConnectionIn = body::read(&call.parts, body, LARGE).await?;
        draft.says_what_may_be_done()?;
        let draft = draft.into_draft()?;
        let stored = self.change(&call.who.user, &call.parameter, &revision, draft).await?;
        Ok(tagged(StatusCode::OK, &shapes::connection(&stored), &stored.revision))
    }

    pub(super) async fn delete_connection(&self, call: &Call) -> Answer {
        self.delete(&call.who.user, &call.parameter, &call.revision()?).await?;
        Ok(done())
    }

    pub(super) async fn make_connection_default(&self, call: &Call, body: HttpBody) -> Answer {
        let revision = call.revision()?;
        body::nothing(body).await?;
        let stored = self.make_default(&call.who.user, &call.parameter, &revision).await?;
        Ok(tagged(StatusCode::OK, &shapes::connection(&stored), &stored.revision))
    }

    pub(super) async fn test_connection(&self, call: &mut Call, body: HttpBody) -> Answer {
        body::nothing(body).await?;
        let stored = self.get(&call.who.user, &call.parameter).await?;
        call.who.leave();
        let tested = self.test(&call.who.user, stored.connection.id()).await?;
        let value = json!({
            "health": tested.health.name(),
            "listed": tested.listed,
            "message": tested.words,
        });
        Ok(json_response(StatusCode::OK, &value))
    }
}

impl Call {
    /// The revision that a change was decided on: in `If-Match`, as `ETag` gave it. Without it, whoever
    /// comes second would undo what the first did.
    fn revision(&self) -> Result<String, Refusal> {
        let mut values = self.parts.headers.get_all(IF_MATCH).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Refusal::new(
                StatusCode::PRECONDITION_REQUIRED,
                Code::InvalidRequest,
                "name the revision that you change: one `If-Match` with what `ETag` gave you",
            ));
        };
        let value = value.to_str().unwrap_or_default().trim();
        let revision = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let is_revision = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let revision = revision.filter(is_revision).ok_or_else(|| {
            bad("`If-Match` is one revision in quotes, as `ETag` gave it; `*` and lists are not taken")
        })?;
        Ok(revision.to_owned())
    }
}
