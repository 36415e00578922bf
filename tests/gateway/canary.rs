//! S1: the backend's credentials are canaries, and every line that any crate logs while this suite
//! runs is searched for them. So is every answer.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use pathward::{Engine, gateway::Gateway};

pub use super::canaries::{ID, SECRET, found, watch};

#[test]
fn s01_the_search_finds_each_form() {
    let url = "CANARY%2Fsecret%2Bbird%3D0123456789abcdefghijk";
    for text in [
        format!("a {SECRET} b"),
        url.to_owned(),
        url.to_lowercase().replace("canary", "CANARY"),
        BASE64_STANDARD.encode(format!("Basic x:{SECRET}")),
        BASE64_STANDARD.encode(format!("{ID}:x")),
        format!("{:?}", format!("is {ID}").as_bytes()),
        SECRET.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ] {
        assert!(found(text.as_bytes()).is_some(), "{text}");
    }
    assert_eq!(found(b"CANARY and nothing else"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn s01_no_debug_shows_a_secret() {
    let world = super::world::World::start().await;
    assert_eq!(world.get("/v1/data/s3+t://pub/data/x").await.status, 200);
    let shown =
        |gateway: &Gateway, engine: &Engine| format!("{gateway:?} {engine:?} {:?}", world.embedded);
    let policy = pathward::Policy::from_yaml("p.yaml", "users: [{ name: ana }]").unwrap();
    let text = shown(&world.gateway, &Engine::new(policy));
    assert_eq!(found(text.as_bytes()), None, "{text}");
    let executor = format!("{:?}", world.executor);
    assert_eq!(found(executor.as_bytes()), None, "{executor}");
}
