//! Looking through a connection, and testing it: the Data API's answers, and nothing of the server's.

use pathward::{
    ConnectionId,
    gateway::Options,
    manage::{Browsed, Health},
};
use serde_json::json;

use super::world::{World, ask};

fn names(page: &Browsed) -> (Vec<String>, Vec<String>) {
    (page.folders.clone(), page.files.iter().map(|file| file.name.clone()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sees_what_a_caller_sees() {
    let world = World::start().await;
    world.made(&world.draft("t", &["pub/data/", "pub/team.jpg"])).await;
    let id = ConnectionId::parse("s3+t").unwrap();
    for (path, folders, files) in [
        ("", &["pub"][..], &[][..]),
        ("pub", &["data"], &["team.jpg"]),
        ("pub/", &["data"], &["team.jpg"]),
        ("pub/data/", &["sub"], &["x"]),
    ] {
        let page = world.manager.browse("ana", &id, path, None).await.unwrap();
        assert_eq!(
            names(&page),
            (
                folders.iter().map(|f| (*f).into()).collect(),
                files.iter().map(|f| (*f).into()).collect()
            ),
            "{path}"
        );
        // The Data API's own page.
        let headers = [("Authorization", world.ana.as_str())];
        let target = format!("/v1/data/s3+t://{path}");
        let wire = ask(world.data, "GET", &target, &headers, None).await.is(200).json();
        let list = |name: &str, field: &str| -> Vec<String> {
            let all = wire[name].as_array().unwrap();
            all.iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&page), (list("folders", "name"), list("files", "filename")), "{path}");
    }
    let page = world.manager.browse("ana", &id, "pub/data", None).await.unwrap();
    assert_eq!(page.files[0].size, 9);
    assert!(page.files[0].last_modified.is_some() && page.marker.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_is_the_data_apis_and_so_is_another_owners_connection() {
    let world = World::start().await;
    world.made(&world.draft("t", &["pub/data/"])).await;
    let headers = [("Authorization", world.ana.as_str())];
    let bob = [("Authorization", world.bob.as_str())];
    for (who, key, name, path) in [
        ("ana", &headers, "s3+t", "pub/hidden/"),
        ("ana", &headers, "s3+t", "other/"),
        ("ana", &headers, "s3+none", "pub/"),
        ("bob", &bob, "s3+t", "pub/data/"),
        ("ana", &headers, "s3+t", "pub/../x/"),
        ("ana", &headers, "s3+t", "pub/data//"),
        ("ana", &headers, "s3+t", "pub/data/none/"),
    ] {
        let id = ConnectionId::parse(name).unwrap();
        let refusal = world.manager.browse(who, &id, path, None).await.unwrap_err();
        let target = format!("/v1/data/{name}://{path}");
        let wire = ask(world.data, "GET", &target, key, None).await;
        assert_eq!(
            (refusal.status.as_u16(), &refusal.message),
            (wire.status, &wire.error()),
            "{name} {path}"
        );
    }
    let (theirs, none) =
        (ConnectionId::parse("s3+t").unwrap(), ConnectionId::parse("s3+t2").unwrap());
    let theirs = world.manager.test("bob", &theirs).await.unwrap_err();
    let none = world.manager.test("bob", &none).await.unwrap_err();
    assert_eq!(theirs.message.replace("s3+t", ""), none.message.replace("s3+t2", ""));
    assert_eq!(theirs.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_and_their_markers_are_good_nowhere_else() {
    let options = Options { page: 3, ..Options::default() };
    let world = World::with(false, options).await;
    for n in 0..7 {
        let key = format!("many/{n}");
        world.embedded.put("pub", &key, "text/plain", "x".into()).await.unwrap();
    }
    world.made(&world.draft("t", &["pub/many/", "pub/data/"])).await;
    world.made(&world.draft("u", &["pub/many/"])).await;
    let id = ConnectionId::parse("s3+t").unwrap();
    let (mut marker, mut seen, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = world.manager.browse("ana", &id, "pub/many/", marker.as_deref()).await.unwrap();
        seen.extend(names(&page).1);
        pages += 1;
        let Some(next) = page.marker else { break };
        // Sealed: it names nothing, and belongs to this directory of this connection.
        assert!(!next.contains("many"));
        let other = ConnectionId::parse("s3+u").unwrap();
        for (id, path) in [(&other, "pub/many/"), (&id, "pub/data/")] {
            let refused = world.manager.browse("ana", id, path, Some(&next)).await.unwrap_err();
            assert_eq!((refused.status.as_u16(), refused.code), (400, 5002));
        }
        marker = Some(next);
    }
    assert_eq!((seen, pages), ((0..7).map(|n| n.to_string()).collect(), 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_says_what_came_of_it_in_our_words() {
    let world = World::with(true, Options::default()).await;
    let dead = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let mut cases = vec![
        (world.draft("works", &["pub/data/*"]), Health::Works, Some("pub/data/")),
        (world.draft("root", &["*"]), Health::Works, Some("")),
        (world.draft("second", &["*.csv", "pub/data/*"]), Health::Works, Some("pub/data/")),
        (world.draft("bucket", &["none/*"]), Health::Missing, Some("none/")),
        (world.draft("folder", &["pub/none/*"]), Health::Missing, Some("pub/none/")),
    ];
    let with = |label: &str, field: &str, value| {
        let mut draft = world.draft(label, &["pub/"]);
        draft[field] = value;
        draft
    };
    let key = |id: &str, secret: &str| json!({ "access_key_id": id, "secret_access_key": secret });
    cases.push((
        with("secret", "credentials", key(super::canary::ID, "wrong0secret")),
        Health::Refused,
        Some("pub/"),
    ));
    cases.push((
        with("id", "credentials", key("AKIAWRONG", super::canary::SECRET)),
        Health::Refused,
        Some("pub/"),
    ));
    cases.push((with("dead", "endpoint", dead.clone().into()), Health::Unreachable, Some("pub/")));
    cases.push((
        with("gone", "credentials", json!({ "file": "/nonexistent/credentials" })),
        Health::Credentials,
        Some("pub/"),
    ));
    cases.push((with("write", "access", json!(["write"])), Health::Untested, None));
    for (draft, health, listed) in cases {
        let (identity, _) = world.made(&draft).await;
        let target = format!("/v1/connections/{identity}/test");
        let tested = world.send("POST", &target, None).await.is(200).json();
        assert_eq!(tested["health"], health.name(), "{tested} {draft}");
        assert_eq!(tested["listed"], json!(listed), "{tested}");
        let words = tested["message"].as_str().unwrap();
        let address = dead.trim_start_matches("http://");
        assert!(!words.contains(address) && !words.contains("nonexistent"), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lies_is_quoted_nowhere() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4_096];
            let _ = stream.read(&mut head).await;
            let body = "<Error><Code>Canary</Code><Message>INTERNAL 10.0.0.7</Message></Error>";
            let answer = format!(
                "HTTP/1.1 403 INTERNAL\r\nx-amz-internal: INTERNAL\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let world = World::start().await;
    let mut draft = world.draft("liar", &["pub/"]);
    draft["endpoint"] = endpoint.into();
    let (identity, _) = world.made(&draft).await;
    let target = format!("/v1/connections/{identity}/test");
    let answer = world.send("POST", &target, None).await;
    let text = String::from_utf8_lossy(&answer.is(200).body).into_owned();
    assert!(
        text.contains("refused") && !text.contains("INTERNAL") && !text.contains("Canary"),
        "{text}"
    );
}
