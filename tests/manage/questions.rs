//! `check`: the command's answers, of what is served and of what is not yet.

use serde_json::{Value, json};

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn stored_and_drafted_are_decided_alike_and_as_the_engine_does() {
    let world = World::start().await;
    let mut draft = world.draft("t", &["pub/data/", "pub/out/"]);
    draft["restrictions"][1] = json!({ "path": "pub/out/", "access": "read-write" });
    draft["deny"] = json!(["pub/out/locked/"]);
    world.made(&draft).await;
    for (op, path, decision, reason, rule) in [
        ("read", "pub/data/x", "allow", "allowed.rule", Some(("restrictions", 0))),
        ("read", "s3+t://pub/data/x", "allow", "allowed.rule", Some(("restrictions", 0))),
        ("write", "pub/data/x", "deny", "deny.access", Some(("restrictions", 0))),
        ("write", "pub/out/x", "allow", "allowed.rule", Some(("restrictions", 1))),
        ("read", "pub/out/locked/x", "deny", "deny.rule", Some(("deny", 0))),
        ("read", "pub/x", "deny", "deny.no_match", None),
        ("list", "", "allow", "allowed.rule", None),
        ("read-acl", "pub/data/x", "deny", "deny.acl", None),
        ("read", "pub/../x", "invalid", "invalid.path", None),
        ("read", "pub//x", "invalid", "invalid.path", None),
        ("read", "s3+other://pub/data/x", "invalid", "invalid.operation", None),
        ("nonsense", "pub/data/x", "invalid", "invalid.operation", None),
    ] {
        let mut answers: Vec<Value> = Vec::new();
        for (name, value) in [("connection", json!("s3+t")), ("draft", draft.clone())] {
            let mut body = json!({ "op": op, "path": path });
            body[name] = value;
            let mut answer = world.send("POST", "/v1/check", Some(&body)).await.is(200).json();
            assert_eq!(answer["revision"].is_null(), name == "draft");
            answer.as_object_mut().unwrap().remove("revision");
            answers.push(answer);
        }
        assert_eq!(answers[0], answers[1]);
        let found = &answers[0];
        assert_eq!(
            (&found["decision"], &found["reason"]),
            (&json!(decision), &json!(reason)),
            "{op} {path}"
        );
        if let Some((field, row)) = rule {
            assert_eq!(
                (&found["rule"]["field"], &found["rule"]["row"]),
                (&json!(field), &json!(row)),
                "{found}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_have_two_paths_and_drafts_may_be_broken() {
    let world = World::start().await;
    let mut draft = world.draft("t", &["pub/data/"]);
    draft["restrictions"] = json!(["pub/data/", { "path": "pub/out/", "access": ["write"] }]);
    let mut copy = json!({ "draft": draft, "op": "copy", "path": "pub/data/x", "to": "pub/out/x" });
    let answer = world.send("POST", "/v1/check", Some(&copy)).await.is(200).json();
    assert_eq!((&answer["decision"], &answer["to"]), (&json!("allow"), &json!("pub/out/x")));
    copy["to"] = "pub/data/y".into();
    let answer = world.send("POST", "/v1/check", Some(&copy)).await.is(200).json();
    assert_eq!(answer["reason"], "deny.access");
    copy["op"] = "read".into();
    let answer = world.send("POST", "/v1/check", Some(&copy)).await.is(200).json();
    assert_eq!(answer["reason"], "invalid.operation");

    copy["draft"]["restrictions"][0] = "/pub".into();
    let answer = world.send("POST", "/v1/check", Some(&copy)).await.is(200).json();
    assert_eq!(
        (&answer["decision"], &answer["reason"]),
        (&json!("invalid"), &json!("invalid.draft"))
    );
    for body in [
        json!({ "op": "read", "path": "pub/x" }),
        json!({ "op": "read", "path": "pub/x", "connection": "s3", "draft": draft }),
        json!({ "op": "read", "path": "pub/x", "connection": "ftp+x" }),
        json!({ "connection": "s3", "path": "pub/x" }),
    ] {
        world.send("POST", "/v1/check", Some(&body)).await.is(400);
    }
    // Another's connection, or none: the same words.
    let body = json!({ "op": "read", "path": "pub/x", "connection": "s3+none" });
    let answer = world.send("POST", "/v1/check", Some(&body)).await.is(200).json();
    assert_eq!(answer["reason"], "deny.unknown_connection");
}

/// Whoever may not write by one name, and may by another, has been given write access.
#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_compared_with_the_owners_other_connections() {
    let world = World::start().await;
    let read_only = world.draft("t", &["pub/data/"]);
    let (identity, _) = world.made(&read_only).await;
    let mut wider = world.draft("wide", &["pub/"]);
    wider["access"] = json!("read-write");
    let found = |review: &Value| {
        let all = review["findings"].as_array().unwrap();
        all.iter().find(|one| one["code"] == "lint.overlap").cloned()
    };
    let review = json!({ "draft": wider });
    let beside = world.send("POST", "/v1/review", Some(&review)).await.is(200).json();
    let overlap = found(&beside).unwrap();
    assert!(overlap["message"].as_str().unwrap().contains("`s3+t`"), "{overlap}");
    assert!(overlap["witness"].as_str().unwrap().starts_with("pub/data/"), "{overlap}");
    // Not with itself as it is, nor with what another owner has.
    wider["label"] = json!("t");
    let review = json!({ "draft": wider, "identity": identity });
    let itself = world.send("POST", "/v1/review", Some(&review)).await.is(200).json();
    assert_eq!(found(&itself), None);
    let review = serde_json::to_vec(&json!({ "draft": wider })).unwrap();
    let bob = [("Authorization", world.bob.as_str())];
    let other = world.raw("POST", "/v1/review", &bob, Some(&review)).await.is(200).json();
    assert_eq!(found(&other), None);
}
