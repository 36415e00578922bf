//! Keys that are for some connections: to them, the others are as if they were not there.

use super::world::{Answer, CONNECTIONS, SOME, World};
use pathward::gateway::Options;

/// All of an answer, but for the connection's id, and what is different in every one.
fn said(answer: &Answer, id: &str) -> String {
    let request = answer.header("x-request-id").unwrap();
    let mut headers = answer.headers.clone();
    headers.retain(|(name, _)| name != "date");
    let text = format!("{headers:?}{}", String::from_utf8_lossy(&answer.body));
    text.replace(request, "REQUEST").replace(id, "ID")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_uses_what_it_is_for_and_nothing_else_is_there() {
    let world = World::start().await;
    let headers = [("Authorization", SOME)];
    let get = async |target: &str| world.send_with("GET", target, &headers, b"").await;
    assert_eq!(get("/v1/data/s3+t://pub/data/x").await.body, b"x of data");
    assert_eq!(get("/v1/connector/S3+csv/pub/box/a.csv").await.status, 200);
    world.taken();
    // `s3+ro` is Ana's default connection, and not what the key is for.
    for (there, not_there) in [("s3+ro", "s3+no"), ("s3+all", "s3+nix"), ("s3+bobs", "s3+nope")] {
        for (method, path) in [
            ("GET", "pub/data/x"),
            ("HEAD", "pub/data/x"),
            ("GET", "pub"),
            ("GET", ""),
            ("PUT", "pub/data/new"),
            ("POST", "pub/data"),
            ("DELETE", "pub/data/x"),
            ("DELETE", "pub/data?force=true"),
        ] {
            let ask = async |id: &str| {
                let target = format!("/v1/connector/{id}/{path}");
                let body = if method == "POST" { &b"{\"name\":\"n\"}"[..] } else { b"" };
                let answer = world.send_with(method, target, &headers, body).await;
                assert_eq!(answer.status, 403, "{method} {id} {path}: {answer:?}");
                said(&answer, id)
            };
            // The ids are equally long, so that all of the answer is.
            assert_eq!(ask(there).await, ask(not_there).await, "{method} {there} {path}");
        }
    }
    assert_eq!(get("/v1/data/s3://pub/team.jpg").await.status, 403);
    assert_eq!(world.upstream(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bare_s3_is_the_default_connection_where_the_key_is_for_it() {
    let text = CONNECTIONS.replace("    default: true\n", "").replace(
        "  - id: s3+t\n    owner: ana\n",
        "  - id: s3+t\n    owner: ana\n    default: true\n",
    );
    let world = World::with(&text, Options::default()).await;
    let headers = [("Authorization", SOME)];
    let answer = world.send_with("GET", "/v1/data/s3://pub/data/x", &headers, b"").await;
    assert_eq!(answer.body, b"x of data");
    // A connection of that name is another one as soon as the policy says so.
    world.replace(&text.replace("id: s3+t\n", "id: s3+u\n"));
    let answer = world.send_with("GET", "/v1/data/s3://pub/data/x", &headers, b"").await;
    assert_eq!(answer.status, 403);
}
