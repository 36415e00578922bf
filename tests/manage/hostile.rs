//! Bodies and targets that nobody sends who means well.

use serde_json::{Value, json};

use super::{
    canary,
    world::{World, ask},
};

/// Secrets in places where none belong: no answer may say them, and no line that is logged; `world::ask`
/// and `canary::watch` look for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_wrong_place_is_not_said_again() {
    let world = World::start().await;
    let places = [
        json!({ "label": "t", "credentials": canary::SECRET }),
        json!({ "label": "t", "credentials": [canary::SECRET] }),
        json!({ "label": "t", "credentials": { canary::SECRET: 1 } }),
        json!({ "label": "t", "credentials": { "access_key_id": canary::ID, canary::ID: 1 } }),
        json!({ "label": "t", "credentials": { "env": canary::SECRET } }),
        json!({ "label": "t", "credentials": { "profile": canary::ID } }),
        json!({ "label": "t", "credentials": { "access_key_id": canary::ID, "secret_access_key": [canary::SECRET] } }),
        json!({ "label": "t", "credentials": { "access_key_id": format!("{} x", canary::ID), "secret_access_key": format!(" {}", canary::SECRET) } }),
        json!({ "label": "t", "is_default": canary::SECRET }),
        json!({ "label": "t", "access": canary::SECRET }),
        json!({ "label": "t", "access": [canary::SECRET] }),
        json!({ "label": "t", "keys": canary::SECRET }),
        json!({ "label": "t", canary::SECRET: 1 }),
        json!(canary::SECRET),
    ];
    for body in &places {
        for (method, target) in [("POST", "/v1/connections"), ("POST", "/v1/keys")] {
            let status = world.send(method, target, Some(body)).await.status;
            assert!(matches!(status, 400 | 422), "{status}");
        }
        let review = json!({ "draft": body });
        let status = world.send("POST", "/v1/review", Some(&review)).await.status;
        assert!(matches!(status, 200 | 400), "{status}");
        let connector =
            json!({ "protocol": "s3", "cred_type": "iam", "cred_data": body["credentials"] });
        world.send("POST", "/v1/users/ana/connectors", Some(&connector)).await.is(400);
    }
    for text in [canary::SECRET.to_owned(), format!("{{\"label\": \"{}", canary::SECRET)] {
        let headers = [("Authorization", world.ana.as_str())];
        let sent = world.raw("POST", "/v1/connections", &headers, Some(text.as_bytes())).await;
        assert_eq!(sent.is(400).json()["error"]["code"], 2013);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_json_are_refused() {
    let world = World::start().await;
    let headers = [("Authorization", world.ana.as_str())];
    let nested = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let twice = br#"{"label": "a", "label": "b"}"#.as_slice();
    for body in [
        b"".as_slice(),
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe{}",
        b"{\"label\": \"\\ud800\"}",
        b"{\"label\": \"a\"} {}",
        twice,
        &nested,
    ] {
        world.raw("POST", "/v1/connections", &headers, Some(body)).await.is(400);
    }
    let large = format!("{{\"id\": \"{}\", \"access\": \"none\"}}", "x".repeat(65 << 10));
    world.raw("POST", "/v1/keys", &headers, Some(large.as_bytes())).await.is(413);
    // Nothing belongs behind a default or a test.
    let default = "/v1/connections/none/test";
    world.raw("POST", default, &headers, Some(b"{\"a\": 1}")).await.is(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_stand_twice_are_refused_wherever_they_stand() {
    let world = World::start().await;
    let headers = [("Authorization", world.ana.as_str())];
    let keys = r#""access_key_id": "AKIDA", "secret_access_key": "s""#;
    for (target, body) in [
        ("/v1/connections", r#"{"label": "a", "is_default": false, "is_default": true}"#.to_owned()),
        ("/v1/connections", r#"{"label": "a", "l\u0061bel": "a"}"#.to_owned()),
        ("/v1/connections", r#"{"label": "a", "restrictions": ["pub/"], "restrictions": null}"#.to_owned()),
        ("/v1/connections", r#"{"label": "a", "deny": [{"path": "a/b", "path": "a/c"}]}"#.to_owned()),
        ("/v1/connections", r#"{"label": "a", "restrictions": [{"path": "a/b", "access": "read-only", "access": "read-write"}]}"#.to_owned()),
        ("/v1/connections", format!(r#"{{"label": "a", "credentials": {{{keys}, "access_key_id": "AKIDA"}}}}"#)),
        ("/v1/connections", format!(r#"{{"label": "a", "credentials": {{{keys}}}, "credentials": null}}"#)),
        ("/v1/keys", r#"{"id": "a", "access": "none", "access": "read-write"}"#.to_owned()),
        ("/v1/review", r#"{"draft": {"label": "a"}, "draft": {"label": "b"}}"#.to_owned()),
        ("/v1/review", r#"{"draft": {"label": "a", "label": "b"}}"#.to_owned()),
        ("/v1/users/ana/connectors", format!(r#"{{"protocol": "s3", "cred_type": "iam", "cred_data": {{{keys}, "secret_access_key": "t"}}}}"#)),
        ("/v1/users/ana/connectors", format!(r#"{{"protocol": "s3", "cred_type": "iam", "cred_data": {{{keys}}}, "path": "a/*", "path": "*"}}"#)),
    ] {
        let sent = world.raw("POST", target, &headers, Some(body.as_bytes())).await;
        let error = sent.is(400).json()["error"].clone();
        assert_eq!(error["code"], 2013, "{body}");
        assert!(error["message"].as_str().unwrap().contains("duplicate field"), "{body}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_targets_reach_nothing_else() {
    let world = World::start().await;
    let (identity, _) = world.made(&world.draft("t", &["pub/"])).await;
    let headers = [("Authorization", world.ana.as_str())];
    for name in [
        "..",
        "%2e%2e%2fuser-ana",
        "user-ana",
        "ana-t.yaml",
        "%00",
        "%FF",
        "x%0d%0aInjected:1",
        &"x".repeat(9_000),
        "*",
        "..%5c",
    ] {
        for (method, end) in [("GET", ""), ("POST", "/test"), ("DELETE", "")] {
            let target = format!("/v1/connections/{name}{end}");
            let headers = [headers[0], ("If-Match", "\"a\"")];
            let answer = ask(world.admin, method, &target, &headers, None).await;
            assert!(matches!(answer.status, 400 | 404 | 414), "{name}: {}", answer.status);
            assert_eq!(answer.header("injected"), None);
        }
    }
    assert_eq!(world.send("GET", &format!("/v1/connections/{identity}"), None).await.status, 200);
    assert!(world.folder().join("user-ana.yaml").exists());
}

/// Whatever a field holds, what is written loads, and says what was sent.
#[tokio::test(flavor = "multi_thread")]
async fn every_text_field_holds_what_it_is_sent() {
    let world = World::start().await;
    let texts = [
        "<script>alert(1)</script>",
        "\"quoted\" 'and' `ticked`",
        "pub/a: b",
        "pub/# no comment",
        "pub/\u{202e}txt",
        "- x",
        "{a: b}",
        "pub/\\*",
        "!tag &anchor *alias",
        "null",
        "pub/ ends with a space ",
        "\u{feff}pub/bom",
        "pub/\u{2028}line",
        "${HOME}",
        "%YAML 1.2",
    ];
    for (n, text) in texts.iter().enumerate() {
        for field in ["label", "region", "endpoint", "restrictions", "deny"] {
            let mut draft = world.draft(&format!("h{n}-{field}"), &["pub/"]);
            draft[field] = match field {
                "restrictions" | "deny" => json!([{ "path": text }]),
                _ => Value::from(*text),
            };
            let answer = world.send("POST", "/v1/connections", Some(&draft)).await;
            match answer.status {
                201 => {
                    let made = answer.json();
                    assert_eq!(made[field], draft[field], "{field}: {text:?}");
                }
                status => assert_eq!(status, 422, "{field}: {text:?}"),
            }
            assert_eq!(world.store.snapshot().invalid(), None);
        }
    }
}
