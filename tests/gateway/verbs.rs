//! Every verb on files, as the Data API has them.

use super::world::{ALL, World};

#[tokio::test(flavor = "multi_thread")]
async fn files_are_stored_looked_at_read_and_deleted() {
    let world = World::start().await;
    let target = "/v1/data/s3+t://pub/data/new file.bin".replace(' ', "%20");
    assert_eq!(world.get(&target).await.status, 404);
    assert_eq!(world.send("HEAD", &target, b"").await.status, 404);
    let put = world.send("PUT", &target, b"\x00\xFFbytes").await;
    assert_eq!((put.status, put.header("content-type")), (200, Some("application/json")));
    assert_eq!(put.body, br#"{"result":"s3+t://pub/data/new file.bin"}"#);
    let head = world.send("HEAD", &target, b"").await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("7")));
    assert_eq!(head.header("x-data-type"), Some("file"));
    let get = world.get(&target).await;
    assert_eq!(
        (get.body.as_slice(), get.header("x-data-type")),
        (&b"\x00\xFFbytes"[..], Some("file"))
    );
    assert_eq!(get.header("content-type"), Some("application/octet-stream"));
    assert!(get.header("etag").unwrap().starts_with('"') && get.header("last-modified").is_some());
    let delete = world.send("DELETE", &target, b"").await;
    assert_eq!(delete.body, br#"{"result":{"deleted":1}}"#);
    assert_eq!(world.send("DELETE", &target, b"").await.status, 404);
    assert_eq!(
        world.get(&target).await.error(),
        "there is no file or directory s3+t://pub/data/new%20file.bin"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_every_length_arrive_whole() {
    let world = World::start().await;
    for length in [0_usize, 1, 65_535, 128 << 10, (128 << 10) + 1, 1 << 20, 20 << 20] {
        let body: Vec<u8> = (0..length).map(|at| (at * 31 % 251) as u8).collect();
        assert_eq!(
            world.send("PUT", "/v1/data/s3+t://pub/data/sized", &body).await.status,
            200,
            "{length}"
        );
        let got = world.get("/v1/data/s3+t://pub/data/sized").await;
        assert!(
            got.body == body && got.header("content-length") == Some(&*length.to_string()),
            "{length}"
        );

        // The same in chunks, whose sum nobody announces.
        let mut request = format!(
            "PUT /v1/data/s3+t://pub/data/chunked HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\
             Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        .into_bytes();
        for chunk in body.chunks(70_000) {
            request.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            request.extend_from_slice(chunk);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"0\r\n\r\n");
        let answer = world.raw(&request).await;
        assert_eq!(answer.status, 200, "{length}: {answer:?}");
        assert!(world.get("/v1/data/s3+t://pub/data/chunked").await.body == body, "{length}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_type_is_the_stored_one_or_what_the_node_client_needs() {
    let world = World::start().await;
    for (stored, accept, given) in [
        ("application/json", "*/*", "application/json"),
        ("text/csv", "*/*", "text/csv; charset=utf-8"),
        ("text/csv; charset=latin1", "*/*", "text/csv; charset=latin1"),
        ("image/jpeg", "text/plain", "text/plain; charset=utf-8"),
        ("image/jpeg", "application/json", "application/json"),
        ("text/plain", "application/octet-stream", "application/octet-stream"),
        ("text/plain", "text/html, text/plain", "text/plain; charset=utf-8"),
    ] {
        let headers = [("Authorization", ALL), ("Content-Type", stored), ("Accept", accept)];
        for (method, body) in [("PUT", &b"{}"[..]), ("GET", b""), ("HEAD", b"")] {
            let answer =
                world.send_with(method, "/v1/data/s3+t://pub/data/typed", &headers, body).await;
            assert_eq!(answer.status, 200);
            if method != "PUT" {
                assert_eq!(
                    answer.header("content-type"),
                    Some(given),
                    "{method} {stored} {accept}"
                );
            }
        }
    }
}

/// Clients say `application/json` (R, and the one in TypeScript) or `application/octet-stream` (PHP) of
/// whatever they store, or nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_the_type_of_its_name_where_what_is_said_tells_nothing() {
    const JSON: &str = "application/json";
    const BYTES: &str = "application/octet-stream";
    const R: &str = "libcurl/7.88.1 r-curl/5.2.0 httr/1.4.7";
    let world = World::start().await;
    for (name, said, agent, stored) in [
        ("notes.txt", Some(JSON), "", "text/plain; charset=utf-8"),
        ("table.csv", Some("Application/JSON; charset=utf-8"), "", "text/csv; charset=utf-8"),
        ("photo.PNG", Some(JSON), "", "image/png"),
        ("photo.png", Some(BYTES), "", "image/png"),
        ("photo.png", None, "", "image/png"),
        ("photo.png", Some(""), "", "image/png"),
        ("folder.d/photo.png", Some(JSON), "", "image/png"),
        ("two.tar.gz", None, "", "application/gzip"),
        ("places.geojson", Some(JSON), "", "application/geo+json"),
        // What tells something is believed, whatever the name is.
        ("photo.png", Some("image/jpeg"), "", "image/jpeg"),
        ("notes.txt", Some("application/x-json"), R, "application/x-json"),
        ("list.json", Some("text/csv"), "", "text/csv; charset=utf-8"),
        // A name without a type of its own has nothing against what is said.
        ("config", Some(JSON), "", JSON),
        ("config", Some("application/json; charset=utf-8"), "", "application/json; charset=utf-8"),
        (
            "list.json",
            Some("application/json; charset=utf-8"),
            "",
            "application/json; charset=utf-8",
        ),
        ("lines.no-such", Some(JSON), "", JSON),
        ("photo.png/config", Some(JSON), "", JSON),
        (".png", Some(JSON), "", JSON),
        ("png", Some(JSON), "", JSON),
        ("photo.png.", Some(JSON), "", JSON),
        ("config", Some(JSON), "httr2/1.0.0 r-curl/5.2.0 libcurl/8.5.0", JSON),
        ("config", Some(BYTES), "", BYTES),
        ("config", None, "", BYTES),
        ("list.json", None, "", JSON),
        ("list.json", Some(BYTES), "", JSON),
        // R says so of everything.
        ("config", Some(JSON), R, BYTES),
        ("config", Some(JSON), "httr/1.4.7", BYTES),
        ("list.json", Some(JSON), R, JSON),
        ("notes.txt", Some(JSON), R, "text/plain; charset=utf-8"),
        ("config", Some("text/plain"), R, "text/plain; charset=utf-8"),
    ] {
        let target = format!("/v1/data/s3+t://pub/data/types/{name}");
        let mut headers = vec![("Authorization", ALL), ("User-Agent", agent)];
        headers.extend(said.map(|said| ("Content-Type", said)));
        assert_eq!(world.send_with("PUT", &target, &headers, b"{}").await.status, 200, "{name}");
        let given = world.get(&target).await;
        assert_eq!(given.header("content-type"), Some(stored), "{name} {said:?} {agent:?}");
        assert_eq!(given.body, b"{}");
        assert_eq!(world.send("DELETE", &target, b"").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_and_a_folder_of_one_name_are_told_apart_by_the_slash() {
    let world = World::start().await;
    for (key, text) in [("data/both", "file"), ("data/both/in", "inside")] {
        world.embedded.put("pub", key, "text/plain", text.into()).await.unwrap();
    }
    assert_eq!(world.get("/v1/data/s3+t://pub/data/both").await.body, b"file");
    assert_eq!(world.get("/v1/data/s3+t://pub/data/both/").await.names("files"), ["in"]);
    let parent = world.get("/v1/data/s3+t://pub/data").await;
    assert!(
        parent.names("folders").contains(&"both".into())
            && parent.names("files").contains(&"both".into())
    );
    // `force` is of folders alone, whatever its value: the file of the name stays.
    let both = "/v1/data/s3+t://pub/data/both";
    assert_eq!(world.send("DELETE", format!("{both}?force=false"), b"").await.status, 409);
    assert_eq!(world.send("DELETE", format!("{both}?force=true"), b"").await.status, 200);
    assert_eq!(world.get(format!("{both}/in")).await.status, 404);
    assert_eq!(world.get(both).await.body, b"file");
    for force in ["true", "false"] {
        assert_eq!(world.send("DELETE", format!("{both}?force={force}"), b"").await.status, 404);
    }
    // Without it the file goes first, then the folder.
    world.embedded.put("pub", "data/both/", "text/plain", "".into()).await.unwrap();
    assert_eq!(world.send("DELETE", both, b"").await.status, 200);
    assert_eq!(world.get(both).await.header("x-data-type"), Some("directory"));
    assert_eq!(world.send("DELETE", both, b"").await.status, 200);
    assert_eq!(world.send("DELETE", both, b"").await.status, 404);
    // A file's name has no slash at its end.
    world.taken();
    world.refused(400, "PUT", "/v1/data/s3+t://pub/data/x/").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_have_a_limit_announced_or_not() {
    let options = pathward::gateway::Options { max_body: 1_000, ..Default::default() };
    let world = World::with(super::world::CONNECTIONS, options).await;
    let answer = world.send("PUT", "/v1/data/s3+t://pub/data/big", &[b'x'; 1_001]).await;
    assert_eq!(answer.status, 413);
    answer.error();
    assert_eq!(world.taken().len(), 0);
    let chunked = format!(
        "PUT /v1/data/s3+t://pub/data/big HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\
         Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n",
        "x".repeat(1_001)
    );
    let answer = world.raw(chunked.as_bytes()).await;
    assert_eq!(answer.status, 413);
    answer.error();
    assert_eq!(world.get("/v1/data/s3+t://pub/data/big").await.status, 404);
    assert_eq!(world.send("PUT", "/v1/data/s3+t://pub/data/big", &[b'x'; 1_000]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let world = World::start().await;
    for head in
        ["Content-Length: 300000\r\n", "Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n"]
    {
        let mut stream = tokio::net::TcpStream::connect(world.address).await.unwrap();
        let request = format!(
            "PUT /v1/data/s3+t://pub/data/cut HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n{head}\r\n5\r\nabcde\r\n"
        );
        tokio::io::AsyncWriteExt::write_all(&mut stream, &request.as_bytes()[..request.len() - 2])
            .await
            .unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        drop(stream);
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        assert_eq!(world.get("/v1/data/s3+t://pub/data/cut").await.status, 404, "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_heard_by_a_caller_that_is_still_sending() {
    let world = World::start().await;
    let body = vec![b'x'; 3 << 20];
    let answer = world.send("PUT", "/v1/data/s3+t://pub/secret", &body).await;
    assert_eq!(answer.status, 403);
    assert_eq!(world.taken().len(), 0);
}
