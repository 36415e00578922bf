//! `POST /v1/users/{username}/connectors`, as programs of the old API send it.

use serde_json::{Value, json};

use super::world::{World, ask};

fn connector() -> Value {
    json!({
        "username": "ana",
        "protocol": "s3",
        "label": "saha",
        "cred_type": "iam",
        "cred_data": World::credentials(),
        "path": "pub/data/*",
        "writeable": false,
        "is_default": true,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn both_listeners_take_it_and_answer_in_the_old_shape() {
    let world = World::start().await;
    let body = serde_json::to_vec(&connector()).unwrap();
    let headers = [("Authorization", world.ana.as_str())];
    let target = "/v1/users/ana/connectors";
    let made = ask(world.data, "POST", target, &headers, Some(&body)).await;
    let made = made.is(200).json();
    assert_eq!(
        made,
        json!({
            "connector_id": made["connector_id"], "username": "ana", "label": "saha",
            "protocol": "s3", "is_default": true, "permissions": ["read"],
        })
    );
    world.page.fits_component("Connector", &made).unwrap();
    let identity = made["connector_id"].as_str().unwrap();
    let shown = world.send("GET", &format!("/v1/connections/{identity}"), None).await.json();
    assert_eq!(shown["restrictions"], json!([{ "path": "pub/data/*" }]));
    // Other routes of the management API are not on the gateway's listener.
    assert_eq!(ask(world.data, "GET", "/v1/keys", &headers, None).await.status, 404);

    let mut second = connector();
    second["writeable"] = true.into();
    second["is_default"] = false.into();
    for field in ["label", "path", "username"] {
        second.as_object_mut().unwrap().remove(field);
    }
    let made = world.send("POST", target, Some(&second)).await.is(200).json();
    assert_eq!(made["permissions"], json!(["read", "write", "delete"]));
    assert_eq!(made["label"], "data");
    let made = world.send("POST", target, Some(&second)).await.is(200).json();
    assert_eq!(made["label"], "data-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_for_the_keys_own_user() {
    let world = World::start().await;
    let bob = world.send("POST", "/v1/users/bob/connectors", Some(&connector())).await;
    let nobody = world.send("POST", "/v1/users/nobody/connectors", Some(&connector())).await;
    assert_eq!(bob.is(403).error(), nobody.is(403).error());
    let mut other = connector();
    other["username"] = "bob".into();
    world.send("POST", "/v1/users/ana/connectors", Some(&other)).await.is(403);
    let headers = [("Authorization", world.ana_data.as_str())];
    let body = serde_json::to_vec(&connector()).unwrap();
    world.raw("POST", "/v1/users/ana/connectors", &headers, Some(&body)).await.is(403);
    world.raw("POST", "/v1/users/ana/connectors", &[], Some(&body)).await.is(401);
    assert!(world.store.list("ana").unwrap().is_empty());
    assert!(world.store.list("bob").unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_400_and_what_is_there_409() {
    let world = World::start().await;
    let target = "/v1/users/ana/connectors";
    for (field, value, message) in [
        ("protocol", json!("dropbox"), "`protocol`"),
        ("cred_type", json!("oauth"), "`cred_type`"),
        ("cred_data", json!({ "access_key_id": "A" }), "secret_access_key"),
        ("cred_data", json!({ "access_key_id": "A", "secret_access_key": "b c" }), "secret"),
        ("label", json!("no label"), "label"),
        ("path", json!("/pub"), "`/`"),
        ("writable", json!(true), "unknown field `writable`"),
    ] {
        let mut bad = connector();
        bad[field] = value;
        let answer = world.send("POST", target, Some(&bad)).await;
        assert!(answer.is(400).error().contains(message), "{field}: {}", answer.error());
    }
    world.send("POST", target, Some(&connector())).await.is(200);
    world.send("POST", target, Some(&connector())).await.is(409);
}
