//! What one owner may not have: more than a part of the store, and servers of other people's networks.

use std::time::{Duration, Instant};

use pathward::{
    executor::PrivateEndpoints,
    gateway::Options,
    store::{Draft, DraftCredentials, DraftRule, Quota, Secret, StoreError},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::world::{World, ask};

async fn world(quota: Quota, private: PrivateEndpoints) -> World {
    World::within(false, Options::default(), quota, private).await
}

/// What is wrong with a draft, by its fields and codes.
fn problems(answer: &Value) -> Vec<(&str, &str)> {
    let problems = answer["problems"].as_array().unwrap();
    problems
        .iter()
        .map(|one| (one["field"].as_str().unwrap(), one["code"].as_str().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_owner_does_not_use_up_what_is_for_all() {
    let quota = Quota { connections: 2, rules: 5, keys: 3, ..Quota::default() };
    let world = world(quota, PrivateEndpoints::All).await;
    world.made(&world.draft("a", &["pub/1", "pub/2"])).await;
    let (second, revision) = world.made(&world.draft("b", &["pub/1", "pub/2", "pub/3"])).await;
    let refused = |answer: super::world::Answer, what: &str| {
        let said = answer.is(422).error();
        assert!(said.contains(what) && said.contains("ask whoever runs Pathward"), "{said}");
    };
    let third = world.draft("c", &["pub/1"]);
    refused(world.send("POST", "/v1/connections", Some(&third)).await, "2 connections");
    // As the old API's users make one, too.
    let old = json!({ "protocol": "s3", "cred_type": "iam", "cred_data": World::credentials() });
    let old = world.send("POST", "/v1/users/ana/connectors", Some(&old)).await;
    assert!(old.is(400).error().contains("2 connections"), "{}", old.error());
    // The alternatives of braces are as many as they are.
    let mut braces = world.draft("b", &[]);
    braces["restrictions"] = json!([{ "glob": "pub/{1,2,3,4}" }]);
    refused(
        world.change("PUT", &format!("/v1/connections/{second}"), &revision, Some(&braces)).await,
        "5 restr",
    );
    // A change is refused when it grows, and what is there stays.
    let target = format!("/v1/connections/{second}");
    let more = world.draft("b", &["pub/1", "pub/2", "pub/3", "pub/4"]);
    refused(
        world.change("PUT", &target, &revision, Some(&more)).await,
        "5 restrictions and denies",
    );
    let mut denying = world.draft("b", &["pub/1", "pub/2", "pub/3"]);
    denying["deny"] = json!(["pub/1"]);
    refused(world.change("PUT", &target, &revision, Some(&denying)).await, "5 restrictions");
    let other = world.draft("b", &["pub/7", "pub/8", "pub/9"]);
    world.change("PUT", &target, &revision, Some(&other)).await.is(200);
    // Keys: there are two.
    let key = |id: &str| json!({ "id": id, "access": "none" });
    world.send("POST", "/v1/keys", Some(&key("x"))).await.is(201);
    refused(world.send("POST", "/v1/keys", Some(&key("y"))).await, "3 API keys");
    world.send("DELETE", "/v1/keys/x", None).await.is(204);
    world.send("POST", "/v1/keys", Some(&key("y"))).await.is(201);
    // Bob has as much of his own.
    let bob = [("Authorization", world.bob.as_str())];
    let draft = serde_json::to_vec(&world.draft("a", &["pub/1", "pub/2"])).unwrap();
    world.raw("POST", "/v1/connections", &bob, Some(&draft)).await.is(201);
    // And the operator writes what they like; it can be changed as long as it does not grow.
    let mut draft = Draft::new("many");
    draft.credentials = DraftCredentials::Secret(Secret::new("AKIAEXAMPLE", "secret"));
    let rules = |n: usize| Some((0..n).map(|n| DraftRule::path(format!("pub/{n}"))).collect());
    draft.restrictions = rules(9);
    let many = world.store.create("ana", &draft).unwrap();
    let owners = world.store.within(quota);
    let mut draft = many.draft();
    draft.restrictions = rules(10);
    let grown = owners.change("ana", &many.identity, &many.revision, &draft);
    assert!(matches!(grown, Err(StoreError::Quota { most: 5, .. })), "{grown:?}");
    draft.restrictions = rules(8);
    owners.change("ana", &many.identity, &many.revision, &draft).unwrap();
}

/// They were compiled, several times over, before anybody looked at how many there were.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_more_than_may_be_saved_is_not_even_compiled() {
    let world = world(Quota::default(), PrivateEndpoints::All).await;
    let mut draft = world.draft("a", &[]);
    // A million alternatives, and nothing that is a mistake.
    let glob = |n: usize| json!({ "glob": format!("pub/{n}-{}", "{a,b}".repeat(6)) });
    draft["restrictions"] = (0..16_384).map(glob).collect();
    let began = Instant::now();
    let asked = json!({ "draft": draft });
    let review = world.send("POST", "/v1/review", Some(&asked)).await.is(200).json();
    assert_eq!(problems(&review), [("restrictions", "store.quota")]);
    assert_eq!(review["valid"], false);
    let asked = json!({ "draft": draft, "op": "read", "path": "pub/x" });
    let attempt = world.send("POST", "/v1/check", Some(&asked)).await.is(200).json();
    assert_eq!(attempt["reason"], "invalid.draft");
    let refused = world.send("POST", "/v1/connections", Some(&draft)).await.is(422).error();
    assert!(refused.contains("50000 restrictions and denies"), "{refused}");
    // Compiling them once takes longer, even where nothing else runs.
    let took = began.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
}

/// A class counted as one byte, whatever its author wrote into it.
#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_a_class_is_text_as_any_other() {
    let quota = Quota { bytes: 100_000, ..Quota::default() };
    let world = world(quota, PrivateEndpoints::All).await;
    let with = |label: &str, count: usize| {
        let mut draft = world.draft(label, &[]);
        let glob = |n: usize| json!({ "glob": format!("pub/{n}[{}]x", "a".repeat(4_000)) });
        draft["restrictions"] = (0..count).map(glob).collect();
        draft
    };
    for (draft, status) in [(with("a", 30), 422), (with("b", 15), 201), (with("c", 15), 422)] {
        let answer = world.send("POST", "/v1/connections", Some(&draft)).await;
        answer.is(status);
        assert!(status == 201 || answer.error().contains("100000 bytes of restrictions"));
    }
}

/// Rules that are few and cost much would leave nothing of a policy's budget to the others.
#[tokio::test(flavor = "multi_thread")]
async fn one_owner_does_not_use_up_the_work_that_is_for_all() {
    let world = world(Quota::default(), PrivateEndpoints::All).await;
    let mut draft = world.draft("a", &[]);
    draft["restrictions"] = (0..4_500).map(|n| json!(format!("pub/d/{n}"))).collect();
    draft["deny"] = (0..4_500).map(|n| json!(format!("pub/d/*x{n}*"))).collect();
    let refused = world.send("POST", "/v1/connections", Some(&draft)).await;
    assert!(refused.is(422).error().contains("denies with wildcards"), "{}", refused.error());
    draft["deny"] = (0..450).map(|n| json!(format!("pub/d/*x{n}*"))).collect();
    let made = world.send("POST", "/v1/connections", Some(&draft)).await.is(201).json();
    // It is little of what all may use, and it is counted.
    let snapshot = world.store.snapshot();
    let own = snapshot.policy().connections().first().unwrap().budget_spent();
    assert!(own > 0 && own < Quota::default().budget, "{own}");
    assert_eq!(made["label"], "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn h09_an_owner_has_the_gateway_reach_no_private_network() {
    // A server on this machine that is not for owners, which counts who comes.
    let internal = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = internal.local_addr().unwrap().port();
    let world = world(Quota::default(), PrivateEndpoints::none()).await;
    let mut hosts: Vec<String> =
        ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::1]", "localhost"]
            .map(|host| format!("http://{host}:{port}"))
            .into();
    hosts.extend(
        ["http://10.0.0.7:9000", "https://192.168.1.1", "http://[fd00::1]"].map(Into::into),
    );
    for endpoint in &hosts {
        let mut draft = world.draft("t", &["pub/"]);
        draft["endpoint"] = json!(endpoint);
        let refused = world.send("POST", "/v1/connections", Some(&draft)).await.is(422).json();
        assert_eq!(problems(&refused), [("endpoint", "endpoint.private")], "{endpoint}");
        let review = json!({ "draft": draft });
        let review = world.send("POST", "/v1/review", Some(&review)).await.is(200).json();
        assert_eq!(problems(&review), [("endpoint", "endpoint.private")], "{endpoint}");
    }
    // Whoever writes the file by hand gets no further, nor does a name that leads there: this machine's.
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    for host in ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]", own.trim()] {
        let mut draft = Draft::new("t");
        draft.endpoint = Some(format!("http://{host}:{port}"));
        draft.credentials = DraftCredentials::Secret(Secret::new("AKIAEXAMPLE", "secret"));
        draft.restrictions = Some(vec![DraftRule::path("pub/")]);
        let made = world.store.create("ana", &draft).unwrap();
        let headers = [("Authorization", world.ana.as_str())];
        let read = ask(world.data, "GET", "/v1/data/s3+t://pub/x", &headers, None).await;
        assert!((500..600).contains(&read.status), "{host}: {}", read.status);
        let tested = format!("/v1/connections/{}/test", made.identity);
        let tested = world.send("POST", &tested, None).await.is(200).json();
        assert_eq!(tested["health"], "unreachable", "{host}");
        assert!(tested["message"].as_str().unwrap().contains("private network"));
        world.store.delete("ana", &made.identity, &made.revision).unwrap();
    }
    let came = tokio::time::timeout(Duration::from_millis(50), internal.accept()).await;
    assert!(came.is_err(), "somebody came");
}

#[tokio::test(flavor = "multi_thread")]
async fn h09_a_private_server_that_is_allowed_is_reached_and_no_other() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // The embedded server's port is known once it runs: the first world's is allowed in the second.
    let first = World::start().await;
    let endpoint = first.embedded.endpoint();
    let world = world(Quota::default(), PrivateEndpoints::only([&endpoint])).await;
    let draft = first.draft("t", &["pub/data/"]);
    world.made(&draft).await;
    let headers = [("Authorization", world.ana.as_str())];
    let read = ask(world.data, "GET", "/v1/data/s3+t://pub/data/x", &headers, None).await;
    assert_eq!((read.status, &*read.body), (200, b"x of data".as_slice()));
    let mut near = draft;
    near["label"] = json!("near");
    near["endpoint"] = json!(format!("http://{}", other.local_addr().unwrap()));
    let refused = world.send("POST", "/v1/connections", Some(&near)).await.is(422).json();
    assert_eq!(problems(&refused), [("endpoint", "endpoint.private")]);
}
