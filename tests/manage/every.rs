//! Every operation of the page, and every status that it has there, as they are met.

use pathward::gateway::Options;
use serde_json::{Value, json};

use super::world::World;

/// Statuses that take a broken machine or half a minute; `broken` and unit tests meet them.
const ELSEWHERE: [u16; 3] = [408, 500, 503];

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_with_every_status_of_the_page() {
    let world = World::with(false, Options::default()).await;
    good(&world).await;
    for (method, route, _) in world.page.operations() {
        refused(&world, &method, route).await;
    }
    bodies(&world).await;
    revisions(&world).await;
    conflicts(&world).await;
    // Last: from here on the address is shut out.
    for _ in 0..40 {
        world.raw("GET", "/v1/keys", &[("Authorization", "unknown")], None).await;
    }
    for (method, route, operation) in world.page.operations() {
        if world.page.statuses(operation).contains(&429) {
            let unknown = [("Authorization", "unknown")];
            let answer = world.raw(&method, &filled(route), &unknown, None).await;
            assert!(answer.is(429).header("retry-after").is_some());
        }
    }
    let met = world.met.lock().unwrap();
    let mut missing = Vec::new();
    for (method, route, operation) in world.page.operations() {
        for status in world.page.statuses(operation) {
            let is_met = met.contains(&(method.clone(), route.to_owned(), status));
            if !is_met && !ELSEWHERE.contains(&status) {
                missing.push(format!("{method} {route} {status}"));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}

/// A target of this route, which names nothing that there is.
fn filled(route: &str) -> String {
    route.replace("{username}", "ana").replace("{identity}", "none").replace("{id}", "none")
}

/// What goes well.
async fn good(world: &World) {
    world.raw("GET", "/v1/openapi.json", &[], None).await.is(200);
    let (identity, revision) = world.made(&world.draft("one", &["pub/data/"])).await;
    let at = format!("/v1/connections/{identity}");
    let listed = world.send("GET", "/v1/connections", None).await.is(200).json();
    assert_eq!(listed["connections"][0]["label"], "one");
    assert_eq!(listed["stale"], false);
    let shown = world.send("GET", &at, None).await;
    assert_eq!(shown.is(200).header("etag"), Some(format!("\"{revision}\"").as_str()));
    assert_eq!(shown.json(), listed["connections"][0]);
    let tested = world.send("POST", &format!("{at}/test"), None).await.is(200).json();
    assert_eq!((&tested["health"], &tested["listed"]), (&json!("works"), &json!("pub/data/")));
    let mut draft = world.draft("two", &["pub/data/", "pub/team.jpg"]);
    draft.as_object_mut().unwrap().remove("credentials");
    let changed = world.change("PUT", &at, &revision, Some(&draft)).await.is(200).json();
    assert_eq!((&changed["identity"], &changed["label"]), (&json!(identity), &json!("two")));
    assert_eq!(changed["credentials"]["sealed"]["id_ends"], "5678");
    let revision = changed["revision"].as_str().unwrap();
    let made = world.change("POST", &format!("{at}/default"), revision, None).await;
    let revision = made.is(200).json()["revision"].as_str().unwrap().to_owned();
    let check = json!({ "connection": "s3", "op": "read", "path": "pub/team.jpg" });
    let checked = world.send("POST", "/v1/check", Some(&check)).await.is(200).json();
    assert_eq!(checked["decision"], "allow");
    assert_eq!(
        checked["rule"],
        json!({ "field": "restrictions", "row": 1, "text": "pub/team.jpg" })
    );
    let review = json!({ "draft": world.draft("two", &["pub/"]), "identity": identity });
    let review = world.send("POST", "/v1/review", Some(&review)).await.is(200).json();
    assert_eq!(
        (&review["valid"], &review["opened"][0]["restriction"]),
        (&json!(true), &json!("pub/"))
    );
    world.change("DELETE", &at, &revision, None).await.is(204);
    world.send("GET", &at, None).await.is(404);
    let key = json!({ "id": "new", "access": "read-only" });
    world.send("POST", "/v1/keys", Some(&key)).await.is(201);
    world.send("GET", "/v1/keys", None).await.is(200);
    world.send("DELETE", "/v1/keys/new", None).await.is(204);
    let connector = json!({
        "protocol": "s3", "label": "old", "cred_type": "iam", "cred_data": World::credentials(),
    });
    world.send("POST", "/v1/users/ana/connectors", Some(&connector)).await.is(200);
}

/// What every operation refuses: who may not, what takes no query, methods that are none, names of
/// nothing.
async fn refused(world: &World, method: &str, route: &str) {
    let target = filled(route);
    let body = b"{}".as_slice();
    if route == "/v1/openapi.json" {
        world.raw(method, "/v1/openapi.json?x", &[], None).await.is(400);
        world.raw("POST", &target, &[], None).await.is(405);
        world.met.lock().unwrap().insert((method.to_owned(), route.to_owned(), 405));
        return;
    }
    world.raw(method, &target, &[], Some(body)).await.is(401);
    let data_key = [("Authorization", world.ana_data.as_str())];
    world.raw(method, &target, &data_key, Some(body)).await.is(403);
    let query = format!("{target}?x=1");
    let answer = world.send_with(method, &query, &[("If-Match", "\"a\"")], Some(&json!({}))).await;
    answer.is(400);
    let not = world.send("TRACE", &target, None).await;
    let allowed = not.is(405).header("allow").unwrap().to_owned();
    assert!(allowed.split(", ").any(|one| one == method), "{allowed}");
    // One 405 stands for all methods of a route: the page has it at each.
    world.met.lock().unwrap().insert((method.to_owned(), route.to_owned(), 405));
    if route.contains("{identity}") || route.contains("{id}") {
        let draft = world.draft("x", &["pub/"]);
        let body = (method == "PUT").then_some(&draft);
        world.change(method, &target, "abc", body).await.is(404);
    }
    if route == "/v1/review" {
        let body = json!({ "draft": world.draft("x", &["pub/"]), "identity": "none" });
        world.send(method, &target, Some(&body)).await.is(404);
    }
}

/// What a body may not be.
async fn bodies(world: &World) {
    for (method, route, operation) in world.page.operations() {
        let (target, statuses) = (filled(route), world.page.statuses(operation));
        let headers = [("Authorization", world.ana.as_str()), ("If-Match", "\"a\"")];
        if statuses.contains(&413) {
            let large = vec![b' '; (1 << 20) + 1];
            world.raw(&method, &target, &headers, Some(&large)).await.is(413);
        }
        if statuses.contains(&415) {
            let mut headers = headers.to_vec();
            headers.push(("Content-Type", "text/plain"));
            world.raw(&method, &target, &headers, Some(b"{}")).await.is(415);
        }
        if statuses.contains(&422) && !operation["requestBody"].is_null() {
            let (bad, at) = match route {
                "/v1/keys" => (json!({ "id": "a\u{1}", "access": "none" }), target),
                "/v1/connections" => (world.draft("no label", &["pub/"]), target),
                _ => {
                    let (identity, _) = world.made(&world.draft("for-422", &["pub/"])).await;
                    (world.draft("for-422", &["/pub"]), format!("/v1/connections/{identity}"))
                }
            };
            world.change(&method, &at, "a", Some(&bad)).await.is(422);
        }
    }
}

/// Changes without a revision, and of one that is over.
async fn revisions(world: &World) {
    let (identity, _) = world.made(&world.draft("for-412", &["pub/"])).await;
    let draft = world.draft("for-412", &["pub/data/"]);
    let at = format!("/v1/connections/{identity}");
    let default = format!("{at}/default");
    for (method, at, body) in
        [("PUT", &at, Some(&draft)), ("DELETE", &at, None), ("POST", &default, None)]
    {
        world.send(method, at, body).await.is(428);
        for wrong in ["*", "abc", "\"a\", \"b\"", "W/\"a\"", ""] {
            world.send_with(method, at, &[("If-Match", wrong)], body).await.is(400);
        }
        world.change(method, at, "0123456789abcdef", body).await.is(412);
    }
}

/// What is there already, and what cannot be changed.
async fn conflicts(world: &World) {
    let (identity, revision) = world.made(&world.draft("taken", &["pub/"])).await;
    let again = world.draft("taken", &["pub/"]);
    let label = world.send("POST", "/v1/connections", Some(&again)).await;
    assert!(label.is(409).error().contains("label"), "{}", label.error());
    let connector = json!({
        "protocol": "s3", "label": "taken", "cred_type": "iam", "cred_data": World::credentials(),
    });
    world.send("POST", "/v1/users/ana/connectors", Some(&connector)).await.is(409);
    // Sealed for one server, and kept for another.
    let at = format!("/v1/connections/{identity}");
    let mut moved = world.draft("taken", &["pub/"]);
    moved["endpoint"] = "https://other.example".into();
    moved.as_object_mut().unwrap().remove("credentials");
    world.change("PUT", &at, &revision, Some(&moved)).await.is(409);
    let key = json!({ "id": "portal", "access": "none" });
    world.send("POST", "/v1/keys", Some(&key)).await.is(409);
    by_hand(world).await;
}

/// A file and a user that stand in forms which are not to be changed by a program.
async fn by_hand(world: &World) {
    let hash = |n: u8| format!("{n:02x}").repeat(32);
    // Comments inside of what changes, and a key that has a line of its own.
    let text = format!(
        "connections: [\n  {{ id: s3+hand, owner: cleo, restrictions: [pub/x] }}, # why\n  \
         {{ id: s3+hand2, owner: cleo, restrictions: [pub/x] }}\n]\n\
         users:\n  - name: cleo\n    keys: [\n      {{ id: a, sha256: {}, access: none }}, # why\n      \
         {{ id: m, sha256: {}, access: none, manage: true }}\n    ]\n",
        hash(7),
        sha256("simCleo0manages")
    );
    std::fs::write(world.folder().join("hand.yaml"), text).unwrap();
    let text =
        "connections:\n  - ? id\n    : s3+asked\n    owner: cleo\n    restrictions: [pub/x]\n";
    std::fs::write(world.folder().join("hand-asked.yaml"), text).unwrap();
    let _following = world.store.follow().unwrap();
    let headers = [("Authorization", "simCleo0manages")];
    let mut listed = world.raw("GET", "/v1/connections", &headers, None).await;
    for _ in 0..100 {
        if listed.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        // Not by a request: each that fails counts.
        if world.store.list("cleo").is_ok_and(|all| all.len() == 3) {
            listed = world.raw("GET", "/v1/connections", &headers, None).await;
        }
    }
    let listed = listed.is(200).json();
    let of = |n: usize, name: &str| listed["connections"][n][name].as_str().unwrap().to_owned();
    let at = |n: usize| format!("/v1/connections/{}", of(n, "identity"));
    for (method, at, revision) in [
        ("DELETE", at(1), of(1, "revision")),
        ("POST", format!("{}/default", at(0)), of(0, "revision")),
        ("DELETE", "/v1/keys/a".into(), "none".into()),
    ] {
        let tag = format!("\"{revision}\"");
        let headers = [headers[0], ("If-Match", tag.as_str())];
        let answer = world.raw(method, &at, &headers, None).await;
        let shown = answer.is(409).error();
        assert!(!shown.contains(".yaml") && !shown.contains('/'), "{shown}");
    }
}

fn sha256(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn examples_of_the_page_read_as_the_program_reads_them() {
    // What the program takes and the page does not say, or the other way round, shows here.
    let page = super::page::Page::read();
    let draft = json!({
        "label": "x", "is_default": true, "endpoint": null, "region": "eu-west-1", "keys": "plain",
        "credentials": { "env": "X" }, "access": ["read", "write"],
        "restrictions": ["pub/", { "path": "a", "access": "read-write" }, { "glob": "b/**" }],
        "deny": [{ "path": "pub/x", "access": ["write"] }],
    });
    assert_eq!(page.fits_component("ConnectionIn", &draft), Ok(()));
    for (field, value) in [("labl", json!("x")), ("keys", json!("both")), ("access", json!("all"))]
    {
        let mut bad: Value = draft.clone();
        bad[field] = value;
        page.fits_component("ConnectionIn", &bad).unwrap_err();
    }
}
