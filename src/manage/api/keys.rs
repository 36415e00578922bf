//! API keys: listed, made, revoked.

use axum::body::Body as HttpBody;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answer, Call, bad,
    body::{self, SMALL},
    done,
    shapes::KeyAccess,
};
use crate::{
    gateway::respond::json_response,
    manage::{Manager, answers::Refusal},
    policy::{ConnectionId, Reach},
    store::KeyInfo,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct KeyIn {
    id: String,
    access: KeyAccess,
    #[serde(default)]
    manage: bool,
    /// Left out or `null`: all of the user's.
    connections: Option<Vec<String>>,
}

impl Manager {
    pub(super) async fn list_keys(&self, call: &Call) -> Answer {
        let keys = self.keys(&call.who.user).await?;
        let keys: Vec<Value> = keys.iter().map(key_json).collect();
        Ok(json_response(StatusCode::OK, &json!({ "keys": keys })))
    }

    pub(super) async fn make_key(&self, call: &Call, body: HttpBody) -> Answer {
        let KeyIn { id, access, manage, connections } =
            body::read(&call.parts, body, SMALL).await?;
        let reach = match &connections {
            Some(ids) => reach(ids)?,
            None => Reach::ALL,
        };
        let (info, key) = self.create_key(&call.who.user, &id, access.set(), manage, reach).await?;
        let mut value = key_json(&info);
        value["key"] = key.as_str().into();
        Ok(json_response(StatusCode::CREATED, &value))
    }

    pub(super) async fn revoke(&self, call: &Call) -> Answer {
        self.revoke_key(&call.who.user, &call.parameter).await?;
        Ok(done())
    }
}

/// The connections that a key is to be for.
fn reach(ids: &[String]) -> Result<Reach, Refusal> {
    if ids.is_empty() {
        return Err(bad("`connections` is empty: name some, or leave it out for all"));
    }
    let mut named = Vec::with_capacity(ids.len());
    for id in ids {
        match ConnectionId::parse(id) {
            Ok(id) if id.label().is_some() => named.push(id),
            Ok(_) => return Err(bad(format!("`{id}` in `connections` has no label"))),
            Err(error) => return Err(bad(format!("a name in `connections` is none: {error}"))),
        }
    }
    Ok(Reach::only(named))
}

fn key_json(info: &KeyInfo) -> Value {
    let reach = info.reach.named();
    let connections = reach.map(|ids| ids.iter().map(ToString::to_string).collect::<Vec<_>>());
    json!({
        "id": info.id,
        "access": info.access.to_string(),
        "manage": info.manage,
        "connections": connections,
    })
}
