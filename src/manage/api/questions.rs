//! Questions: what a decision would be, and what there is to say of a draft.

use axum::body::Body as HttpBody;
use http::StatusCode;
use serde::Deserialize;

use super::{
    Answer, Call, bad,
    body::{self, LARGE},
    shapes::{self, ConnectionIn},
};
use crate::{
    gateway::respond::json_response,
    manage::{Manager, answers::Attempt},
    policy::ConnectionId,
};

/// A question about one of the owner's connections, or about a draft of one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct CheckIn {
    connection: Option<String>,
    draft: Option<ConnectionIn>,
    op: String,
    path: String,
    to: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct ReviewIn {
    draft: ConnectionIn,
    identity: Option<String>,
}

impl Manager {
    pub(super) async fn check(&self, call: &Call, body: HttpBody) -> Answer {
        let asked: CheckIn = body::read(&call.parts, body, LARGE).await?;
        let user = call.who.user.as_str();
        let to = asked.to.as_deref();
        let (name, attempt, revision): (String, Attempt, Option<String>) =
            match (asked.connection, asked.draft) {
                (Some(name), None) => {
                    let id = ConnectionId::parse(&name).map_err(|error| bad(error.to_string()))?;
                    let (attempt, revision) =
                        self.attempt_stored(user, &id, &asked.op, &asked.path, to).await?;
                    (id.to_string(), attempt, Some(revision))
                }
                (None, Some(draft)) => {
                    let draft = draft.into_draft()?;
                    let name = format!("s3+{}", draft.label);
                    let attempt = self.attempt_to(user, draft, &asked.op, &asked.path, to).await?;
                    (name, attempt, None)
                }
                _ => return Err(bad("name one of `connection` and `draft`").into()),
            };
        let mut value = shapes::attempt(&attempt);
        value.insert("connection".to_owned(), name.into());
        value.insert("caller".to_owned(), user.into());
        value.insert("op".to_owned(), asked.op.into());
        value.insert("path".to_owned(), asked.path.into());
        value.insert("to".to_owned(), asked.to.into());
        value.insert("revision".to_owned(), revision.into());
        Ok(json_response(StatusCode::OK, &value))
    }

    pub(super) async fn review_connection(&self, call: &Call, body: HttpBody) -> Answer {
        let asked: ReviewIn = body::read(&call.parts, body, LARGE).await?;
        let old = match &asked.identity {
            Some(identity) => Some(self.get(&call.who.user, identity).await?),
            None => None,
        };
        let review = self.review(&call.who.user, asked.draft.into_draft()?, old).await?;
        Ok(json_response(StatusCode::OK, &shapes::review(&review)))
    }
}
