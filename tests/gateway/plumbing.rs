//! Catalogue c.7 and c.8: who asks, what a change of policy changes, and what stays secret.

use super::world::{ALL, BOB, CONNECTIONS, NONE, READ, World, ask};

#[tokio::test(flavor = "multi_thread")]
async fn a02_a11_what_cannot_be_resolved_is_denied() {
    let world = World::start().await;
    world.refused(403, "GET", "/v1/data/s3+none://pub/data/x").await;
    world.refused(403, "GET", "/v1/data/s3+t://pub/elsewhere").await;
    // Without its last restriction but one, less is allowed and nothing more.
    world.replace(&CONNECTIONS.replace("[pub/data/*, pub/team.jpg]", "[pub/team.jpg]"));
    world.refused(403, "GET", "/v1/data/s3+t://pub/data/x").await;
    assert_eq!(world.get("/v1/data/s3+t://pub/team.jpg").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_a_key_takes_away_and_never_gives() {
    let world = World::start().await;
    let send = |key: &'static str, method: &'static str| {
        let headers = [("Authorization", key)];
        let world = &world;
        async move { world.send_with(method, "/v1/data/s3+t://pub/data/x", &headers, b"").await.status }
    };
    assert_eq!(
        (send(READ, "GET").await, send(READ, "PUT").await, send(READ, "DELETE").await),
        (200, 403, 403)
    );
    assert_eq!(
        (send(NONE, "GET").await, send(NONE, "HEAD").await, send(NONE, "PUT").await),
        (403, 403, 403)
    );
    assert_eq!(send(BOB, "GET").await, 403, "Bob has no connection of this name");
    // The default connection by its bare name is the same connection.
    assert_eq!(world.get("/v1/data/s3://pub/data/x").await.status, 200);
    assert_eq!(world.send("PUT", "/v1/data/s3://pub/data/x", b"").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a05_c07_nobody_reaches_anothers_connection() {
    let world = World::start().await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "POST"] {
        world.refused(403, method, "/v1/data/s3+bobs://pub/data/x").await;
    }
    let bob = [("Authorization", BOB)];
    assert_eq!(
        world.send_with("GET", "/v1/data/s3+bobs://pub/data/x", &bob, b"").await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a07_what_is_revoked_is_denied_at_the_next_request() {
    let world = World::start().await;
    assert_eq!(world.get("/v1/data/s3+t://pub/data/x").await.status, 200);
    world.replace(&CONNECTIONS.replace("id: s3+t\n", "id: s3+renamed\n"));
    world.taken();
    world.refused(403, "GET", "/v1/data/s3+t://pub/data/x").await;
    assert_eq!(world.get("/v1/data/s3+renamed://pub/data/x").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a08_an_upload_that_is_no_longer_allowed_ends_and_stores_nothing() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::start().await;
    let now = |old: &str, new: &str| world.replace(&CONNECTIONS.replace(old, new));
    let no_key = || {
        let users = "users: [{ name: ana, keys: [] }]\n";
        let policy = pathward::Policy::from_yaml("policy.yaml", users).unwrap();
        world.gateway.replace(pathward::Engine::new(policy));
    };
    let changes: [(&str, &dyn Fn()); 6] = [
        ("allowed.rule", &|| now("read-write", "[read, write]")),
        ("deny.access", &|| now("read-write", "read-only")),
        ("deny.no_match", &|| now("pub/data/*", "pub/other/*")),
        ("deny.unknown_connection", &|| now("s3+t", "s3+renamed")),
        ("deny.changed_connection", &|| now("keys: exact", "keys: exact\n    region: eu-west-9")),
        ("deny.unknown_key", &no_key),
    ];
    for (reason, change) in changes {
        let mut stream = tokio::net::TcpStream::connect(world.address).await.unwrap();
        let head = format!(
            "PUT /v1/data/s3+t://pub/data/slow HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\
             Connection: close\r\nContent-Length: 10\r\n\r\nabcde"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        change();
        stream.write_all(b"fghij").await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = super::world::parse(&answer);
        let stands = reason == "allowed.rule";
        assert_eq!(answer.status, if stands { 200 } else { 403 }, "{reason}");
        let lines = super::canaries::decisions(answer.header("x-request-id").unwrap());
        let [line] = &lines[..] else { panic!("{lines:?}") };
        let decision = if stands { "allow" } else { "deny" };
        assert_eq!((&line["decision"], &line["reason_code"]), (&decision.into(), &reason.into()));
        let error = &line["upstream_error"];
        assert!(if stands { error.is_null() } else { error == "withdrawn" }, "{line}");
        assert_eq!(line["rule_id"].is_number(), stands, "{line}");
        world.replace(CONNECTIONS);
        let stored = world.get("/v1/data/s3+t://pub/data/slow").await;
        assert_eq!(stored.status, if stands { 200 } else { 404 }, "{reason}");
        world.send("DELETE", "/v1/data/s3+t://pub/data/slow", b"").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a09_an_unknown_key_and_a_wrong_one_are_the_same() {
    let world = World::start().await;
    let mut answers = Vec::new();
    for key in [None, Some("simNobody"), Some(&ALL[..16]), Some("simAna0read0writE"), Some("")] {
        let headers: Vec<_> = key.map(|key| ("Authorization", key)).into_iter().collect();
        let answer = world.send_with("GET", "/v1/data/s3+t://pub/data/x", &headers, b"").await;
        assert_eq!((answer.status, answer.json()["error"]["code"].as_u64()), (401, Some(2002)));
        answers.push(answer.without_id());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(world.taken().len(), 0);
}

/// An upload of Ana's that has begun and does not go on.
async fn slow_upload(world: &World) -> tokio::net::TcpStream {
    let mut slow = tokio::net::TcpStream::connect(world.address).await.unwrap();
    let head = format!(
        "PUT /v1/data/s3+t://pub/data/slow HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\nContent-Length: 10\r\n\r\n"
    );
    tokio::io::AsyncWriteExt::write_all(&mut slow, head.as_bytes()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    slow
}

#[tokio::test(flavor = "multi_thread")]
async fn more_requests_than_there_is_room_for_are_told_to_come_again() {
    let options = pathward::gateway::Options { max_requests: 1, ..Default::default() };
    let world = World::with(CONNECTIONS, options).await;
    let slow = slow_upload(&world).await;
    let answer = world.get("/v1/data/s3+t://pub/data/x").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    answer.error();
    drop(slow);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(world.get("/v1/data/s3+t://pub/data/x").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_does_not_take_everybodys_places() {
    let options = pathward::gateway::Options { max_requests_per_user: 1, ..Default::default() };
    let world = World::with(CONNECTIONS, options).await;
    let slow = slow_upload(&world).await;
    let address = world.address;
    let get = |key, target| async move {
        ask(address, "GET", target, &[("Authorization", key)], b"").await
    };
    let own = get(READ, "/v1/data/s3+t://pub/data/x").await;
    assert_eq!((own.status, own.header("retry-after")), (503, Some("1")), "another key of hers");
    own.error();
    assert_eq!(get(BOB, "/v1/data/s3+bobs://pub/data/x").await.status, 200);
    drop(slow);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(get(READ, "/v1/data/s3+t://pub/data/x").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stops_coming_is_not_waited_for() {
    let options = pathward::gateway::Options {
        idle_timeout: std::time::Duration::from_millis(300),
        ..Default::default()
    };
    let world = World::with(CONNECTIONS, options).await;
    let head = format!(
        "PUT /v1/data/s3+t://pub/data/slow HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\nContent-Length: 10\r\n\r\nabc"
    );
    let began = std::time::Instant::now();
    let answer = world.raw(head.as_bytes()).await;
    assert_eq!(answer.status, 408);
    answer.error();
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
    assert_eq!(world.get("/v1/data/s3+t://pub/data/slow").await.status, 404);
}

/// A refused body, and one whose right was taken away meanwhile: whoever sends slowly hears it at once, and
/// whoever sends all of it before listening hears it too.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_does_not_wait_for_the_rest_of_the_body() {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        time::timeout,
    };
    const SOON: std::time::Duration = std::time::Duration::from_secs(2);
    const LONG: usize = 3 << 20;
    let world = World::start().await;
    let put = |path: &str, length: &str, key: &str| {
        format!(
            "PUT /v1/data/s3+t://{path} HTTP/1.1\r\nHost: g\r\nAuthorization: {key}\r\n{length}\r\n\r\n"
        )
    };
    let chunked = "Transfer-Encoding: chunked";
    let fixed = format!("Content-Length: {LONG}");
    for (path, length, key, status) in [
        ("pub/other/x", chunked, ALL, 403),
        ("pub/other/x", &fixed, ALL, 403),
        ("pub/data/x", chunked, "unknown", 401),
    ] {
        // Slowly: a little comes, and nothing more.
        let mut stream = tokio::net::TcpStream::connect(world.address).await.unwrap();
        stream.write_all(put(path, length, key).as_bytes()).await.unwrap();
        stream.write_all(b"3\r\nabc\r\n").await.unwrap();
        let mut start = [0; 12];
        timeout(SOON, stream.read_exact(&mut start)).await.expect("an answer").unwrap();
        assert_eq!(start, format!("HTTP/1.1 {status}").as_bytes());
        // All of it before listening, and then something else on the same connection.
        let mut stream = tokio::net::TcpStream::connect(world.address).await.unwrap();
        let body = match length == chunked {
            true => format!("{LONG:x}\r\n{}\r\n0\r\n\r\n", "a".repeat(LONG)),
            false => "a".repeat(LONG),
        };
        stream.write_all(put(path, length, key).as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        let next = format!(
            "GET /v1/data/s3+t://pub/data/x HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(next.as_bytes()).await.unwrap();
        let mut all = String::new();
        timeout(SOON, stream.read_to_string(&mut all)).await.expect("two answers").unwrap();
        let statuses: Vec<_> =
            all.match_indices("HTTP/1.1 ").map(|(at, _)| &all[at + 9..at + 12]).collect();
        assert_eq!(statuses, [status.to_string().as_str(), "200"], "{path} {length}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_folder_of_hosted_data_is_the_callers_name() {
    let world = World::start().await;
    for (key, name) in [(ALL, "ana"), (NONE, "ana"), (BOB, "bob")] {
        let answer = world.send_with("GET", "/v1/data/", &[("Authorization", key)], b"").await;
        assert_eq!(answer.names("folders"), [name]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s02_a_backend_that_refuses_the_signature_is_not_quoted() {
    let world = World::start().await;
    let wrong = std::env::temp_dir().join(format!("pathward-wrong-{}", std::process::id()));
    std::fs::write(
        &wrong,
        "[default]\naws_access_key_id = CANARYID\naws_secret_access_key = CANARYSECRET\n",
    )
    .unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&wrong, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    world.replace(&CONNECTIONS.replace("file: CREDENTIALS", &format!("file: {}", wrong.display())));
    for (method, target) in [
        ("GET", "/v1/data/s3+t://pub/data/x"),
        ("PUT", "/v1/data/s3+t://pub/data/x"),
        ("DELETE", "/v1/data/s3+t://pub/data/x"),
        ("GET", "/v1/data/s3+t://pub/data"),
        ("DELETE", "/v1/data/s3+t://pub/data?force=true"),
    ] {
        let answer = world.send(method, target, b"").await;
        assert_eq!(answer.status, 502, "{method} {target}: {answer:?}");
        let text = format!("{answer:?}");
        for word in ["CANARY", "Signature", "AccessKey", "AWS", "xml", "127.0.0.1"] {
            assert!(!text.contains(word), "{text}");
        }
    }
    std::fs::remove_file(wrong).unwrap();
}
