//! Who may: a key that manages, for what its user owns, until it is revoked.

use serde_json::json;

use super::world::{World, ask};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_reaches_its_own_users_things_and_no_others() {
    let world = World::start().await;
    let (identity, revision) = world.made(&world.draft("mine", &["pub/data/"])).await;
    let at = format!("/v1/connections/{identity}");
    let tag = format!("\"{revision}\"");
    let bob = [("Authorization", world.bob.as_str()), ("If-Match", tag.as_str())];
    let draft = serde_json::to_vec(&world.draft("mine", &["*"])).unwrap();
    let nothing = "/v1/connections/nothing";
    for (method, end, body) in [
        ("GET", "", None),
        ("PUT", "", Some(&draft[..])),
        ("DELETE", "", None),
        ("POST", "/default", None),
        ("POST", "/test", None),
    ] {
        let others = world.raw(method, &format!("{at}{end}"), &bob, body).await;
        let none = world.raw(method, &format!("{nothing}{end}"), &bob, body).await;
        assert_eq!(others.is(404).error(), none.is(404).error(), "{method}");
    }
    let listed = world.raw("GET", "/v1/connections", &bob, None).await.json();
    assert_eq!(listed, json!({ "connections": [], "stale": false }));
    let ask_of = |name: &str| {
        serde_json::to_vec(&json!({ "connection": name, "op": "read", "path": "pub/data/x" }))
            .unwrap()
    };
    let others = world.raw("POST", "/v1/check", &bob, Some(&ask_of("s3+mine"))).await.json();
    assert_eq!(others["reason"], "deny.unknown_connection");
    let review = json!({ "draft": world.draft("mine", &["*"]), "identity": identity });
    let review = serde_json::to_vec(&review).unwrap();
    world.raw("POST", "/v1/review", &bob, Some(&review)).await.is(404);
    // Of the other's keys neither.
    world.raw("DELETE", "/v1/keys/data", &bob, None).await.is(404);
    // And Bob's own of the same label is another.
    world.raw("POST", "/v1/connections", &bob[..1], Some(&draft)).await.is(201);
    assert_eq!(world.send("GET", &at, None).await.json()["revision"], revision.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_authorization_header_counts_and_never_a_cookie() {
    let world = World::start().await;
    let key = world.ana.as_str();
    let simple = format!("Simple {key}");
    world.raw("GET", "/v1/keys", &[("Authorization", simple.as_str())], None).await.is(200);
    for headers in [
        vec![],
        vec![("Cookie", key)],
        vec![("X-Api-Key", key)],
        vec![("Authorization", "")],
        vec![("Authorization", key), ("Authorization", key)],
        vec![("Authorization", "Basic YTpi")],
    ] {
        let answer = world.raw("GET", "/v1/keys", &headers, None).await;
        assert!(answer.is(401).header("www-authenticate").is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_is_refused_from_the_next_request_on() {
    let world = World::start().await;
    let key = json!({ "id": "second", "access": "read-only", "manage": true });
    let made = world.send("POST", "/v1/keys", Some(&key)).await.is(201).json();
    let second = made["key"].as_str().unwrap();
    let headers = [("Authorization", second)];
    world.raw("GET", "/v1/keys", &headers, None).await.is(200);
    world.send("DELETE", "/v1/keys/second", None).await.is(204);
    world.raw("GET", "/v1/keys", &headers, None).await.is(401);
    // So is one that revokes itself.
    world.send("DELETE", "/v1/keys/portal", None).await.is(204);
    world.send("GET", "/v1/keys", None).await.is(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_tries_keys_is_slowed_and_cannot_lock_the_owner_out() {
    let world = World::start().await;
    let mut statuses = Vec::new();
    for n in 0..30 {
        let key = format!("simGuess{n}");
        let answer = world.raw("GET", "/v1/keys", &[("Authorization", &key)], None).await;
        statuses.push(answer.status);
    }
    assert_eq!(statuses[..20], [401; 20]);
    assert!(statuses[22..].iter().all(|status| *status == 429), "{statuses:?}");
    // Keys are too many to be guessed; and what is on the owner's machine, or comes through the same
    // proxy, is not to keep the owner from revoking a key.
    world.send("GET", "/v1/keys", None).await.is(200);
    // The Data API is another thing.
    let target = "/v1/connector/s3/";
    let headers = [("Authorization", world.ana.as_str())];
    assert_eq!(ask(world.data, "GET", target, &headers, None).await.status, 403);
}
