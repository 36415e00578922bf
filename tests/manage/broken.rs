//! A store that cannot be changed: what its owners are told, and that nothing of it is in an answer.

use std::fs;

use serde_json::json;

use super::world::{World, ask};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_beside_a_file_that_does_not_load_but_what_is_taken_away() {
    let world = World::start().await;
    let draft = world.draft("t", &["pub/data/"]);
    let (identity, revision) = world.made(&draft).await;
    let at = format!("/v1/connections/{identity}");
    let broken = world.folder().join("other.yaml");
    fs::write(&broken, "connections: [SECRET-LINE").unwrap();
    let new = world.draft("new", &["pub/"]);
    let key = json!({ "id": "x", "access": "none" });
    for (method, target, body) in
        [("POST", "/v1/connections", &new), ("POST", "/v1/keys", &key), ("PUT", &at, &draft)]
    {
        let refused = world.change(method, target, &revision, Some(body)).await;
        let said = refused.is(503).error();
        assert!(said.contains("until its operator has mended it"), "{said}");
        assert!(!said.contains("SECRET-LINE") && !said.contains("other.yaml"), "{said}");
    }
    // What was served is served on; a key is revoked all the same.
    let headers = [("Authorization", world.ana_data.as_str())];
    let target = "/v1/data/s3+t://pub/data/x";
    assert_eq!(ask(world.data, "GET", target, &headers, None).await.status, 200);
    world.send("DELETE", "/v1/keys/data", None).await.is(204);
    assert_eq!(ask(world.data, "GET", target, &headers, None).await.status, 401);
    fs::remove_file(&broken).unwrap();
    world.send("POST", "/v1/connections", Some(&new)).await.is(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_gone_is_a_failure_and_what_was_served_is_served_on() {
    let world = World::start().await;
    world.made(&world.draft("t", &["pub/data/"])).await;
    fs::remove_dir_all(world.folder()).unwrap();
    let new = world.draft("new", &["pub/"]);
    let failed = world.send("POST", "/v1/connections", Some(&new)).await;
    let said = failed.is(500).error();
    let folder = world.folder().to_string_lossy();
    assert!(!said.contains(&*folder), "{said}");
    let headers = [("Authorization", world.ana_data.as_str())];
    let target = "/v1/data/s3+t://pub/data/x";
    assert_eq!(ask(world.data, "GET", target, &headers, None).await.status, 200);
}
