//! Catalogue c.5: folders, made and deleted.

use super::world::{ALL, READ, World};
use pathward::gateway::Options;

async fn keys(world: &World, directory: &str) -> Vec<String> {
    let answer = world.get(format!("/v1/data/s3+all://{directory}")).await;
    match answer.status {
        404 => Vec::new(),
        _ => [answer.names("folders"), answer.names("files")].concat(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_made_in_every_form_that_clients_send() {
    let world = World::start().await;
    let json = [("Authorization", ALL), ("Content-Type", "application/json")];
    let plain = [("Authorization", ALL), ("Content-Type", "text/plain")];
    for (number, (target, headers, body, made)) in [
        ("/v1/data/s3+t://pub/data", &json[..], r#"{"name":"d0"}"#, "d0"),
        (
            "/v1/data/s3+t://pub/data/",
            &json,
            r#"{"name":"d1","acl":{"read":["algo://.my/*"],"_dummy":null}}"#,
            "d1",
        ),
        ("/v1/data/s3+t://pub/data/d2", &json, r#"{"name":""}"#, "d2"),
        ("/v1/connector/s3+t/pub/data/d3/", &json, r#"{"name":""}"#, "d3"),
        ("/v1/data/s3+t://pub/data", &plain, "d4", "d4"),
        ("/v1/data/s3+t://pub/data", &plain, r#"{"name":"d5"}"#, "d5"),
        ("/v1/data/s3+t://pub/data", &json[..1], r#"{"name":"d6"}"#, "d6"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = world.send_with("POST", target, headers, body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{number}: {answer:?}");
        assert_eq!(answer.json()["result"], format!("s3+t://pub/data/{made}"));
        let lines = world.upstream();
        assert_eq!(lines, [format!("PUT /pub/data/{made}/")]);
        let listing = world.get(format!("/v1/data/s3+t://pub/data/{made}")).await;
        assert_eq!((listing.names("folders").len(), listing.names("files").len()), (0, 0));
        world.taken();
    }
    for (body, headers) in [
        (&b"{\"name\":\"a/b\"}"[..], &json[..]),
        (b"{\"name\":\"..\"}", &json),
        (b"{\"name\":\"a\\u0000b\"}", &json),
        (b"{\"name\":7}", &json),
        (b"{}", &json),
        (b"[]", &json),
        (b"nonsense", &json),
        (b"", &json),
        (b"\xFF", &plain),
    ] {
        let answer = world.send_with("POST", "/v1/data/s3+t://pub/data", headers, body).await;
        assert_eq!(answer.status, 400, "{body:?}");
        answer.error();
        assert_eq!(world.taken().len(), 0);
    }
    // Into what may not be written, and a bucket.
    let post = |target: &'static str| world.send("POST", target, br#"{"name":"new"}"#);
    assert_eq!(post("/v1/data/s3+t://pub").await.status, 403);
    assert_eq!(post("/v1/data/s3+ro://pub/data").await.status, 403);
    assert_eq!(post("/v1/data/s3+all://").await.status, 400);
    assert_eq!(world.taken().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn d05_forms_are_not_uploads() {
    let world = World::start().await;
    for kind in ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"] {
        let headers = [("Authorization", ALL), ("Content-Type", kind)];
        let body = b"--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nsecret\r\n--x--";
        let answer = world.send_with("POST", "/v1/data/s3+t://pub/data", &headers, body).await;
        assert_eq!(answer.status, 415);
        answer.error();
    }
    assert_eq!(world.taken().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn d09_a_folder_goes_with_what_is_in_it_and_nothing_beside_it() {
    let world = World::start().await;
    // Everything below `pub/data/` may be deleted; `data2` and `data_archive` are others.
    let answer = world.send("DELETE", "/v1/data/s3+t://pub/data", b"").await;
    assert_eq!(answer.status, 409, "it is not empty: {answer:?}");
    answer.error();
    let answer = world.send("DELETE", "/v1/data/s3+t://pub/data?force=true", b"").await;
    assert_eq!((answer.status, answer.body.as_slice()), (200, &br#"{"result":{"deleted":2}}"#[..]));
    // A file of the name may not be read; the directory may be, and is not there.
    assert_eq!(world.get("/v1/data/s3+t://pub/data").await.status, 403);
    assert_eq!(world.get("/v1/data/s3+t://pub/data/").await.status, 404);
    let left = keys(&world, "pub").await;
    assert!(
        ["data2", "data_archive", "secret", "team.jpg"]
            .iter()
            .all(|key| left.contains(&(*key).to_owned()))
    );

    // A deny below, or a restriction that covers only part: refused before anything is deleted.
    world.refused(403, "DELETE", "/v1/data/s3+csv://pub/box?force=true").await;
    world.refused(403, "DELETE", "/v1/data/s3+csv://pub/secret?force=true").await;
    world.refused(403, "DELETE", "/v1/data/s3+ro://pub/box?force=true").await;
    assert_eq!(keys(&world, "pub/box").await, ["locked", "a.csv"]);
    assert_eq!(
        world.send("DELETE", "/v1/data/s3+t://pub/data/none?force=true", b"").await.status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_folders_go_without_force() {
    let world = World::start().await;
    for (end, query) in [("", ""), ("/", ""), ("", "?force=false"), ("", "?force=True")] {
        world.send("POST", "/v1/data/s3+t://pub/data", br#"{"name":"empty"}"#).await;
        let answer =
            world.send("DELETE", format!("/v1/data/s3+t://pub/data/empty{end}{query}"), b"").await;
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (200, &br#"{"result":{"deleted":1}}"#[..])
        );
        let again =
            world.send("DELETE", format!("/v1/data/s3+t://pub/data/empty{end}{query}"), b"").await;
        assert_eq!(again.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn d09_many_objects_go_in_batches() {
    let world = World::start().await;
    for number in 0..2_300 {
        world.embedded.put("pub", &format!("data/many/{number}"), "x/y", "1".into()).await.unwrap();
    }
    let answer = world.send("DELETE", "/v1/data/s3+t://pub/data/many?force=true", b"").await;
    assert_eq!(answer.json()["result"]["deleted"], 2_300);
    assert_eq!(world.get("/v1/data/s3+t://pub/data/many").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn d10_without_write_access_nothing_is_changed() {
    let world = World::start().await;
    for (key, connection) in [(ALL, "s3+ro"), (READ, "s3+t"), (READ, "s3+all"), (ALL, "s3")] {
        for (method, path, body) in [
            ("PUT", "pub/data/new", "1"),
            ("POST", "pub/data", r#"{"name":"new"}"#),
            ("DELETE", "pub/data/x", ""),
            ("DELETE", "pub/data", ""),
            ("DELETE", "pub/data?force=true", ""),
        ] {
            let target = format!("/v1/connector/{connection}/{path}");
            let answer =
                world.send_with(method, &target, &[("Authorization", key)], body.as_bytes()).await;
            assert_eq!(answer.status, 403, "{method} {target}");
            answer.error();
        }
        assert_eq!(world.taken().len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_are_never_changed() {
    let world = World::start().await;
    for target in
        ["/v1/data/s3+t://pub/data", "/v1/connector/s3+all/pub/data/x", "/v1/data/s3+t://"]
    {
        world.refused(400, "PATCH", target).await;
    }
    let unknown = world.refused(403, "PATCH", "/v1/data/s3+nobody://pub/data").await;
    assert!(unknown.contains("nobody"), "{unknown}");
}

/// Readers of JSON take the first of two members of one name, or the last.
#[tokio::test(flavor = "multi_thread")]
async fn members_that_stand_twice_name_no_folder() {
    let world = World::start().await;
    for kind in ["application/json", "text/plain"] {
        let headers = [("Authorization", ALL), ("Content-Type", kind)];
        for body in [
            r#"{"name":"x","name":"y"}"#,
            r#"{"name":"x","name":"x"}"#,
            r#"{"name":"x","n\u0061me":"y"}"#,
            r#"{"name":"x","acl":{"read":[]},"name":"y"}"#,
            r#"{"name":"x","acl":{},"acl":{}}"#,
            r#"{"name":"x","acl":{"read":["user://*"],"read":[]}}"#,
            r#"{"name":"x","acl":[[{"a":1,"b":2,"a":3}]]}"#,
        ] {
            let target = "/v1/data/s3+t://pub/data";
            let answer = world.send_with("POST", target, &headers, body.as_bytes()).await;
            assert_eq!(answer.status, 400, "{kind} {body}");
            assert_eq!(answer.json()["error"]["code"], 2013);
            let message = answer.error();
            assert!(message.contains("twice"), "{message}");
            assert_eq!(world.taken().len(), 0, "{body}");
        }
        // Of two objects each may have it.
        let body = br#"{"name":"once","acl":{"name":"x","read":[{"name":1},{"name":2}]}}"#;
        let answer = world.send_with("POST", "/v1/data/s3+t://pub/data", &headers, body).await;
        assert_eq!(answer.json()["result"], "s3+t://pub/data/once");
        world.taken();
    }
}

/// What is missing is said as it is: the file, and that nothing is told of the directory.
#[tokio::test(flavor = "multi_thread")]
async fn a_denied_directory_is_not_said_to_be_missing() {
    let connections = super::world::CONNECTIONS
        .replace("[pub/data/*, pub/team.jpg]", "[pub/]\n    deny: [pub/secret/]");
    let world = World::with(&connections, Options::default()).await;
    for name in ["pub/gone", "pub/gone/"] {
        let missing = world.get(format!("/v1/data/s3+t://{name}")).await;
        let said = format!("there is no file or directory s3+t://{name}");
        assert_eq!((missing.status, missing.error()), (404, said));
    }
    let said = "there is no file s3+t://pub/secret, and this data connection does not permit that for \
                the directory s3+t://pub/secret/";
    // Whether there is anything in it makes no difference.
    for (is_there, gone) in [(true, "pub/secret"), (false, "pub/secret/k")] {
        let deleted = world.send("DELETE", format!("/v1/data/s3+all://{gone}"), b"").await;
        assert_eq!(deleted.status, 200);
        for (method, target) in [
            ("GET", "/v1/data/s3+t://pub/secret"),
            ("DELETE", "/v1/data/s3+t://pub/secret"),
            ("HEAD", "/v1/connector/s3+t/pub/secret"),
        ] {
            let answer = world.send(method, target, b"").await;
            let message = answer.header("x-error-message");
            assert_eq!((answer.status, message), (404, Some(said)), "{method} {is_there}");
        }
        let denied = world.get("/v1/data/s3+t://pub/secret/").await;
        let said = "this data connection does not permit that for s3+t://pub/secret/";
        assert_eq!((denied.status, denied.error().as_str()), (403, said));
    }
}
