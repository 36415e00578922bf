//! API keys: listed, made, revoked.

use axum::body::Body as HttpBody;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answer, Call,
    body::{self, SMALL},
    done,
    shapes::KeyAccess,
};
use crate::{gateway::respond::json_response, manage::Manager, store::KeyInfo};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct KeyIn {
    id: String,
    access: KeyAccess,
    #[serde(default)]
    manage: bool,
}

impl Manager {
    pub(super) async fn list_keys(&self, call: &Call) -> Answer {
        let keys = self.keys(&call.who.user).await?;
        let keys: Vec<Value> = keys.iter().map(key_json).collect();
        Ok(json_response(StatusCode::OK, &json!({ "keys": keys })))
    }

    pub(super) async fn make_key(&self, call: &Call, body: HttpBody) -> Answer {
        let KeyIn { id, access, manage } = body::read(&call.parts, body, SMALL).await?;
        let (info, key) = self.create_key(&call.who.user, &id, access.set(), manage).await?;
        let mut value = key_json(&info);
        value["key"] = key.as_str().into();
        Ok(json_response(StatusCode::CREATED, &value))
    }

    pub(super) async fn revoke(&self, call: &Call) -> Answer {
        self.revoke_key(&call.who.user, &call.parameter).await?;
        Ok(done())
    }
}

fn key_json(info: &KeyInfo) -> Value {
    json!({ "id": info.id, "access": info.access.to_string(), "manage": info.manage })
}
