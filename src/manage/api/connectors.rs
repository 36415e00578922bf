//! `POST /v1/users/{username}/connectors`: a connection as users of the old API make one.

use axum::body::Body as HttpBody;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    Answer, Call, bad,
    body::{self, SMALL},
    shapes::names,
};
use crate::{
    access::AccessSet,
    gateway::respond::{Code, json_response},
    manage::{ChangeError, Manager, answers::Refusal},
    store::{Draft, DraftCredentials, DraftRule, Secret},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct ConnectorIn {
    username: Option<String>,
    protocol: String,
    label: Option<String>,
    cred_type: String,
    cred_data: CredData,
    path: Option<String>,
    #[serde(default)]
    writeable: bool,
    #[serde(default)]
    is_default: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct CredData {
    access_key_id: String,
    secret_access_key: String,
}

impl Manager {
    pub(super) async fn create_connector(&self, call: &Call, body: HttpBody) -> Answer {
        let user = call.who.user.as_str();
        // The same for a user that there is as for one that there is not.
        let is_own = |name: &str| match name == user {
            true => Ok(()),
            false => Err(Refusal::new(
                StatusCode::FORBIDDEN,
                Code::NotAuthorized,
                "this API key is for connectors of its own user alone",
            )),
        };
        is_own(&call.parameter)?;
        let connector: ConnectorIn = body::read(&call.parts, body, SMALL).await?;
        // Both are secret from here on, whatever else is wrong.
        let secret = Secret {
            access_key_id: Zeroizing::new(connector.cred_data.access_key_id),
            secret_access_key: Zeroizing::new(connector.cred_data.secret_access_key),
            session_token: None,
        };
        connector.username.as_deref().map_or(Ok(()), is_own)?;
        if !connector.protocol.eq_ignore_ascii_case("s3") {
            return Err(bad("`protocol` is `s3`: there is no other here").into());
        }
        if connector.cred_type != "iam" {
            return Err(bad("`cred_type` is `iam`: there is no other for `s3`").into());
        }
        let label = match connector.label {
            Some(label) => label,
            None => self.suggest_label(user).await?,
        };
        let mut draft = Draft::new(label);
        draft.is_default = connector.is_default;
        draft.credentials = DraftCredentials::Secret(secret);
        draft.restrictions = Some(vec![DraftRule::path(connector.path.as_deref().unwrap_or("*"))]);
        if connector.writeable {
            draft.access = AccessSet::READ_WRITE;
        }
        let stored = self.create(user, draft).await.map_err(as_of_old)?;
        let draft = stored.draft();
        let value = json!({
            "connector_id": stored.identity,
            "username": user,
            "label": draft.label,
            "protocol": "s3",
            "is_default": draft.is_default,
            "permissions": names(draft.access),
        });
        Ok(json_response(StatusCode::OK, &value))
    }
}

/// The old API answers 400 to what cannot be saved.
fn as_of_old(error: ChangeError) -> super::Refused {
    let mut refused = super::Refused::from(error);
    if refused.refusal.status == StatusCode::UNPROCESSABLE_ENTITY {
        refused.refusal.status = StatusCode::BAD_REQUEST;
        if let Some(problem) = refused.problems.first() {
            refused.refusal.message = problem.message.clone();
        }
    }
    refused
}
