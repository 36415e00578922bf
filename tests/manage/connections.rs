//! Connections: what is sent comes back, what is wrong is named, and who comes second loses nothing.

use std::{collections::BTreeSet, sync::Arc};

use pathward::gateway::Options;
use serde_json::{Value, json};

use super::world::{World, ask};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_can_be_sent_back_and_changes_nothing() {
    let world = World::start().await;
    let mut draft = world.draft("t", &[]);
    draft["region"] = "eu-west-1".into();
    draft["keys"] = "exact".into();
    draft["access"] = json!(["read", "write"]);
    draft["restrictions"] = json!([
        "pub/data/",
        { "path": "pub/out/", "access": "read-write" },
        { "glob": "pub/{a,b}/**/*.gz" },
        { "path": "pub/#x: - \"'[{*\u{e9}", "access": ["delete"] },
    ]);
    draft["deny"] = json!([
        "pub/out/locked/",
        { "path": "pub/a", "access": ["read"] },
        { "path": "pub/b", "access": ["write", "delete"] },
    ]);
    let (identity, revision) = world.made(&draft).await;
    let at = format!("/v1/connections/{identity}");
    let mut shown = world.send("GET", &at, None).await.json();
    assert_eq!(shown["restrictions"][3]["path"], draft["restrictions"][3]["path"]);
    assert_eq!(shown["deny"][1], json!({ "path": "pub/a", "access": ["read"] }));
    for field in ["identity", "revision", "id", "credentials"] {
        shown.as_object_mut().unwrap().remove(field);
    }
    let same = world.change("PUT", &at, &revision, Some(&shown)).await.is(200).json();
    assert_eq!(same["revision"], revision.as_str());
    // And it is what is served.
    let headers = [("Authorization", world.ana.as_str())];
    let read = ask(world.data, "GET", "/v1/data/s3+t://pub/data/x", &headers, None).await;
    assert_eq!((read.status, &read.body[..]), (200, &b"x of data"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_names_its_field_and_row() {
    let world = World::start().await;
    let with = |field: &str, value: Value| {
        let mut draft = world.draft("t", &["pub/"]);
        draft[field] = value;
        draft
    };
    for (draft, field, row) in [
        (with("label", "no label".into()), "label", None),
        (with("label", "".into()), "label", None),
        (with("restrictions", json!(["pub/", "/pub", "pub/../x"])), "restrictions", Some(1)),
        (with("restrictions", json!([])), "restrictions", None),
        (with("restrictions", json!([{ "glob": "pub/[a" }])), "restrictions", Some(0)),
        (with("deny", json!(["pub/x", "a\nb"])), "deny", Some(1)),
        (with("endpoint", "ftp://x".into()), "endpoint", None),
        (with("access", json!([])), "access", None),
        (
            with("credentials", json!({ "access_key_id": "a b", "secret_access_key": "x" })),
            "credentials",
            None,
        ),
        (with("credentials", Value::Null), "credentials", None),
        (with("credentials", json!({ "profile": "admin" })), "credentials", None),
    ] {
        let answer = world.send("POST", "/v1/connections", Some(&draft)).await;
        let problems = answer.is(422).json()["problems"].clone();
        assert_eq!(
            (&problems[0]["field"], &problems[0]["row"]),
            (&json!(field), &json!(row)),
            "{problems}"
        );
    }
    for (draft, message) in [
        (with("labl", "x".into()), "unknown field `labl`"),
        (json!({}), "missing field `label`"),
        (with("deny", json!([{ "path": "x", "access": "read-only" }])), "row 0 of `deny`"),
        (with("deny", json!([{ "path": "x", "glob": "y" }])), "row 0 of `deny`"),
        (with("restrictions", json!([{}])), "row 0 of `restrictions`"),
        (with("restrictions", json!([{ "path": "x", "acces": 1 }])), "unknown field `acces`"),
        (with("restrictions", json!("*")), "expected "),
        (with("credentials", json!({ "env": "A", "file": "b" })), "`credentials` is"),
        (with("credentials", json!({ "access_key_id": "A" })), "`credentials` is"),
        (with("credentials", json!({ "sealed": "x" })), "unknown field `sealed`"),
        (with("access", json!("everything")), "expected `read-only`"),
        (with("keys", json!("both")), "expected `exact`"),
    ] {
        let answer = world.send("POST", "/v1/connections", Some(&draft)).await;
        assert!(answer.is(400).error().contains(message), "{}", answer.error());
    }
    assert_eq!(world.send("GET", "/v1/connections", None).await.json()["connections"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn references_are_for_those_whom_the_operator_lets() {
    let world = World::with(true, Options::default()).await;
    for (n, credentials) in [
        json!({ "profile": "admin" }),
        json!({ "env": "ADMIN" }),
        json!({ "file": "/etc/credentials" }),
        Value::Null,
    ]
    .into_iter()
    .enumerate()
    {
        let mut draft = world.draft(&format!("t{n}"), &["pub/"]);
        draft["credentials"] = credentials.clone();
        let made = world.send("POST", "/v1/connections", Some(&draft)).await.is(201).json();
        assert_eq!(made["credentials"], credentials);
    }
}

/// Whoever runs Pathward gave the credentials of the machine for what the connection allows.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_the_machine_are_not_taken_over() {
    let world = World::start().await;
    let text = "connections:\n  - id: s3+given\n    owner: ana\n    credentials: { env: SAHA }\n    \
                restrictions: [pub/ana/]\n";
    std::fs::write(world.folder().join("ana-given.yaml"), text).unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let _follower = world.store.follow();
    let at = "/v1/connections/ana-given";
    let shown = loop {
        let answer = world.send("GET", at, None).await;
        if answer.status == 200 || std::time::Instant::now() > deadline {
            break answer.is(200).json();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let revision = shown["revision"].as_str().unwrap();
    for restrictions in [json!(["*"]), Value::Null, json!(["pub/ana/"])] {
        let draft = json!({
            "label": "given", "access": "read-write", "restrictions": restrictions, "deny": [],
        });
        let answer = world.change("PUT", at, revision, Some(&draft)).await.is(422).json();
        assert_eq!(answer["problems"][0]["code"], "credentials.reference", "{answer}");
    }
    // A change that leaves out what may be done is none.
    for field in ["access", "restrictions", "deny"] {
        let mut draft = world.draft("given", &["pub/ana/"]);
        draft.as_object_mut().unwrap().remove(field);
        world.change("PUT", at, revision, Some(&draft)).await.is(400);
    }
    assert_eq!(world.send("GET", at, None).await.json(), shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_change_one_revision_one_wins() {
    let world = Arc::new(World::start().await);
    let (identity, mut revision) = world.made(&world.draft("t", &["pub/data/"])).await;
    let at = format!("/v1/connections/{identity}");
    for round in 0..5 {
        let editors: Vec<_> = (0..8)
            .map(|n| {
                let (world, at, revision) = (Arc::clone(&world), at.clone(), revision.clone());
                tokio::spawn(async move {
                    let row = format!("pub/{round}-{n}/");
                    let mut draft = world.draft("t", &[&row]);
                    draft.as_object_mut().unwrap().remove("credentials");
                    let answer = world.change("PUT", &at, &revision, Some(&draft)).await;
                    (answer.status, row)
                })
            })
            .collect();
        let mut won = Vec::new();
        for editor in editors {
            match editor.await.unwrap() {
                (200, row) => won.push(row),
                (status, _) => assert_eq!(status, 412),
            }
        }
        let shown = world.send("GET", &at, None).await.json();
        let stored = shown["restrictions"][0]["path"].as_str().unwrap().to_owned();
        assert_eq!(won, [stored]);
        revision = shown["revision"].as_str().unwrap().to_owned();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_default_at_most_whoever_asks_when() {
    let world = World::start().await;
    let mut all = Vec::new();
    for n in 0..3 {
        all.push(world.made(&world.draft(&format!("t{n}"), &["pub/data/"])).await);
    }
    for (identity, _) in &all {
        let at = format!("/v1/connections/{identity}");
        let revision = world.send("GET", &at, None).await.json()["revision"].clone();
        let target = format!("{at}/default");
        world.change("POST", &target, revision.as_str().unwrap(), None).await.is(200);
        let listed = world.send("GET", "/v1/connections", None).await.json();
        let defaults: BTreeSet<_> = listed["connections"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["is_default"] == true)
            .map(|one| one["identity"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(defaults, BTreeSet::from([identity.clone()]));
    }
    let mut fourth = world.draft("t4", &["pub/data/"]);
    fourth["is_default"] = true.into();
    world.send("POST", "/v1/connections", Some(&fourth)).await.is(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_nowhere_in_the_files() {
    let world = World::start().await;
    world.made(&world.draft("t", &["pub/data/"])).await;
    let mut searched = 0;
    for entry in std::fs::read_dir(world.folder()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert_eq!(super::canary::found(&bytes), None);
        searched += bytes.len();
    }
    assert!(searched > 500, "{searched}");
    let shown = format!("{:?} {:?}", world.manager, world.store.list("ana").unwrap());
    assert_eq!(super::canary::found(shown.as_bytes()), None);
}
