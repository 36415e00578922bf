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
async fn a_key_for_some_connections_follows_them_and_ends_with_the_last() {
    let world = World::start().await;
    let (identity, revision) = world.made(&world.draft("one", &["pub/data/"])).await;
    world.made(&world.draft("two", &["pub/data/"])).await;
    let key = json!({ "id": "agent", "access": "read-only", "connections": ["s3+one"] });
    let made = world.send("POST", "/v1/keys", Some(&key)).await.is(201).json();
    assert_eq!(made["connections"], json!(["s3+one"]));
    let secret = made["key"].as_str().unwrap();
    let headers = [("Authorization", secret)];
    let read = async |label: &str| {
        let target = format!("/v1/data/s3+{label}://pub/data/x");
        ask(world.data, "GET", &target, &headers, None).await.status
    };
    assert_eq!([read("one").await, read("two").await], [200, 403]);

    let at = format!("/v1/connections/{identity}");
    let draft = world.draft("uno", &["pub/data/"]);
    let one = world.change("PUT", &at, &revision, Some(&draft)).await.is(200).json();
    assert_eq!([read("one").await, read("uno").await, read("two").await], [403, 200, 403]);
    let listed = world.send("GET", "/v1/keys", None).await.json();
    let agent = listed["keys"].as_array().unwrap().iter().find(|k| k["id"] == "agent").unwrap();
    assert_eq!(agent["connections"], json!(["s3+uno"]));

    let revision = one["revision"].as_str().unwrap();
    assert!(world.change("DELETE", &at, revision, None).await.status < 300);
    assert_eq!([read("uno").await, read("two").await], [401, 401]);
    // Whoever is called so next is not the key's.
    world.made(&world.draft("uno", &["pub/data/"])).await;
    assert_eq!(read("uno").await, 401);

    for (connections, manage, message) in [
        (json!(["s3+gone"]), false, "there is no connection `s3+gone`"),
        // Bob's.
        (json!(["s3+two", "s3+bobs"]), false, "there is no connection `s3+bobs`"),
        (json!(["s3+two"]), true, "a key that manages reaches all"),
    ] {
        let key =
            json!({ "id": "x", "access": "none", "manage": manage, "connections": connections });
        let answer = world.send("POST", "/v1/keys", Some(&key)).await;
        assert!(answer.is(422).error().contains(message), "{key}: {}", answer.error());
    }
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
        (json!({ "id": "x", "access": "none", "connections": "s3+t" }), "expected a sequence"),
        (json!({ "id": "x", "access": "none", "connections": [] }), "`connections` is empty"),
        (json!({ "id": "x", "access": "none", "connections": ["s3"] }), "has no label"),
        (json!({ "id": "x", "access": "none", "connections": ["gs+t"] }), "the protocol is `s3`"),
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
