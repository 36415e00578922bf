//! API keys: made, used, listed, revoked.

use serde_json::json;

use super::world::{World, ask};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_works_with_what_it_was_made_with() {
    let world = World::start().await;
    world.made(&world.draft("t", &["pub/data/"])).await;
    for (access, read) in [("none", 403), ("read-only", 200), ("read-write", 200)] {
        let key = json!({ "id": access, "access": access });
        let made = world.send("POST", "/v1/keys", Some(&key)).await.is(201).json();
        assert_eq!((&made["access"], &made["manage"]), (&json!(access), &json!(false)));
        let secret = made["key"].as_str().unwrap();
        let headers = [("Authorization", secret)];
        let answer = ask(world.data, "GET", "/v1/data/s3+t://pub/data/x", &headers, None).await;
        assert_eq!(answer.status, read, "{access}");
        // What untrusted code holds manages nothing.
        world.raw("GET", "/v1/connections", &headers, None).await.is(403);
        let listed = world.send("GET", "/v1/keys", None).await;
        assert!(!String::from_utf8_lossy(&listed.body).contains(secret));
    }
    let listed = world.send("GET", "/v1/keys", None).await.json();
    let ids: Vec<_> = listed["keys"].as_array().unwrap().iter().map(|k| k["id"].clone()).collect();
    assert_eq!(ids, ["portal", "data", "none", "read-only", "read-write"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_key_is_refused_by_its_field() {
    let world = World::start().await;
    for (key, message) in [
        (json!({ "access": "none" }), "missing field `id`"),
        (json!({ "id": "x" }), "missing field `access`"),
        (json!({ "id": "x", "access": "all" }), "expected "),
        (json!({ "id": "x", "access": "none", "manage": "yes" }), "expected a boolean"),
        (json!({ "id": "x", "access": "none", "owner": "bob" }), "unknown field `owner`"),
        (json!([]), "expected "),
    ] {
        let answer = world.send("POST", "/v1/keys", Some(&key)).await;
        assert!(answer.is(400).error().contains(message), "{key}: {}", answer.error());
    }
    for id in ["", "a\nb", &"x".repeat(5_000), "\u{202e}x", "a: b\n- {"] {
        let key = json!({ "id": id, "access": "none" });
        let status = world.send("POST", "/v1/keys", Some(&key)).await.status;
        assert!(matches!(status, 201 | 422), "{id:?}: {status}");
    }
    // Whatever was taken, the store loads.
    assert_eq!(world.store.snapshot().invalid(), None);
    for id in ["..", "%2e%2e%2f", "a%2Fb", "%00", "x'y"] {
        let status = world.send("DELETE", &format!("/v1/keys/{id}"), None).await.status;
        assert!(matches!(status, 404 | 400), "{id}: {status}");
    }
}
