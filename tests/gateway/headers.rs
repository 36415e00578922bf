//! Catalogue c.4 and c.6: what a header may bring about, which is next to nothing.

use super::world::{ALL, World, each_way};

#[tokio::test(flavor = "multi_thread")]
async fn h01_h02_c08_only_what_is_kept_with_a_file_goes_on() {
    each_way(async |world: &World| {
        let headers = [
            ("Authorization", ALL),
            ("Content-Type", "text/x-kept"),
            ("x-amz-copy-source", "pub/secret"),
            ("x-goog-copy-source", "pub/secret"),
            ("x-amz-acl", "public-read"),
            ("x-amz-grant-read", "uri=everyone"),
            ("x-amz-tagging", "a=b"),
            ("x-amz-website-redirect-location", "http://evil"),
            ("x-amz-bypass-governance-retention", "true"),
            ("x-amz-object-lock-mode", "GOVERNANCE"),
            ("x-amz-server-side-encryption-customer-key", "a2V5"),
            ("x-amz-security-token", "token"),
            ("Cookie", "session=mine"),
            ("Referer", "http://mine"),
            ("X-Forwarded-For", "10.0.0.1"),
            ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("Range", "bytes=0-1"),
        ];
        let answer =
            world.send_with("PUT", "/v1/data/s3+t://pub/data/new", &headers, b"body").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let sent = String::from_utf8_lossy(&world.taken()).to_lowercase();
        assert!(sent.contains("content-type: text/x-kept"), "{sent}");
        for (name, value) in &headers[2..] {
            let (name, value) = (name.to_lowercase(), value.to_lowercase());
            // The signed client has headers of its own of some of these names.
            let is_sent = sent.contains(&format!("{name}: {value}"));
            assert!(
                !is_sent && (!name.starts_with("x-amz") || !sent.contains(&format!("\n{name}:"))),
                "{name}"
            );
        }
        assert!(!sent.contains(&ALL.to_lowercase()), "the API key stays here");
        assert_eq!(world.get("/v1/data/s3+t://pub/data/new").await.body, b"body");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c01_c04_copying_has_no_way_in() {
    each_way(async |world: &World| {
        // A copy's source in a header is nothing: what is stored is the body.
        let headers =
            [("Authorization", ALL), ("x-amz-copy-source", "/pub/data/x%3FversionId%3D1")];
        world.send_with("PUT", "/v1/data/s3+t://pub/data/copy", &headers, b"own").await;
        assert_eq!(world.get("/v1/data/s3+t://pub/data/copy").await.body, b"own");
        let answer = world.send_with("PUT", "/v1/data/s3+t://pub/secret", &headers, b"own").await;
        assert_eq!(answer.status, 403);
        world.taken();
        world.refused(400, "PUT", "/v1/data/s3+t://pub/data/x?partNumber=1&uploadId=a").await;
        world.refused(405, "COPY", "/v1/data/s3+t://pub/data/x").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h03_files_are_nothing_that_a_browser_runs() {
    each_way(async |world: &World| {
        world.embedded.put("pub", "data/page", "text/html", "<script>".into()).await.unwrap();
        let answer = world.get("/v1/data/s3+t://pub/data/page").await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'; sandbox"));
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        for answer in
            [world.get("/v1/data/s3+t://pub/data").await, world.get("/v1/data/s3+t://pub/x").await]
        {
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h04_headers_do_not_say_who_asks() {
    each_way(async |world: &World| {
        for (name, value) in [
            ("X-User", "bob"),
            ("X-Forwarded-User", "bob"),
            ("groups", "admin"),
            ("X-Caller", "bob"),
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-HTTP-Method-Override", "GET"),
            ("X-Original-URL", "/v1/data/s3+bobs://pub/secret"),
        ] {
            let headers = [("Authorization", ALL), (name, value)];
            let answer =
                world.send_with("GET", "/v1/data/s3+bobs://pub/secret", &headers, b"").await;
            assert_eq!(answer.status, 403, "{name}");
        }
        assert_eq!(world.taken().len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h07_methods_are_what_they_are() {
    each_way(async |world: &World| {
        for method in ["get", "OPTIONS", "TRACE", "CONNECTX", "PROPFIND", "LIST", "Delete"] {
            world.refused(405, method, "/v1/data/s3+t://pub/data/x").await;
        }
        let headers =
            [("Authorization", ALL), ("X-HTTP-Method-Override", "DELETE"), ("X-Method", "PUT")];
        assert_eq!(
            world.send_with("GET", "/v1/data/s3+t://pub/data/x", &headers, b"").await.body,
            b"x of data"
        );
        let head = world.send("HEAD", "/v1/data/s3+t://pub/data/x", b"").await;
        assert_eq!(
            (head.status, head.header("content-length"), head.body.len()),
            (200, Some("9"), 0)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h08_what_the_backend_says_of_itself_stays_here() {
    each_way(async |world: &World| {
        for target in [
            "/v1/data/s3+t://pub/data/x",
            "/v1/data/s3+t://pub/data",
            "/v1/data/s3+t://pub/data/none",
        ] {
            let answer = world.get(target).await;
            for (name, value) in &answer.headers {
                let ours = [
                    "x-data-type",
                    "content-length",
                    "content-type",
                    "etag",
                    "last-modified",
                    "accept-ranges",
                    "date",
                    "x-content-type-options",
                    "content-security-policy",
                    "cache-control",
                    "x-request-id",
                    "x-error-message",
                    "connection",
                ];
                assert!(ours.contains(&name.as_str()), "{name}: {value}");
            }
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(
                !text.contains("127.0.0.1") && !text.contains("<?xml") && !text.contains("NoSuch")
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h10_framing_is_never_ambiguous() {
    each_way(async |world: &World| {
    let put = |lines: &str, body: &str| {
        format!(
            "PUT /v1/data/s3+t://pub/data/f HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\nConnection: close\r\n{lines}\r\n{body}"
        )
    };
    for (lines, body) in [
        ("Content-Length: 4\r\nContent-Length: 5\r\n", "12345"),
        ("Content-Length: -1\r\n", ""),
        ("Content-Length: 4, 4\r\n", "1234"),
        ("Transfer-Encoding: gzip\r\n", "1234"),
        ("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
        ("Host: other\r\nContent-Length: 0\r\n", ""),
            ("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "1\r\n1\r\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", "1\r\n1\r\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("Content-Length : 4\r\n", "1234"),
    ] {
        let answer = world.raw(put(lines, body).as_bytes()).await;
        assert_eq!(answer.status, 400, "{lines}: {answer:?}");
        answer.error();
        assert_eq!(world.taken().len(), 0, "{lines}");
    }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_and_targets_have_limits_and_the_answers_are_json() {
    each_way(async |world: &World| {
        let long = "a".repeat(17 << 10);
        for (target, header, status) in [
            (format!("/v1/data/s3+t://pub/{long}"), "x".to_owned(), 414),
            ("/v1/data/s3+t://pub/data/x".to_owned(), "x".repeat(40 << 10), 431),
            ("/v1/data/s3+t://pub/data/x".to_owned(), "x".repeat(200 << 10), 431),
            (format!("/v1/data/s3+t://pub/{}", long.repeat(5)), "x".to_owned(), 414),
        ] {
            let headers = [("Authorization", ALL), ("X-Long", header.as_str())];
            let answer = world.send_with("GET", &target, &headers, b"").await;
            assert_eq!(answer.status, status, "{} {}", target.len(), header.len());
            answer.error();
        }
        assert_eq!(world.taken().len(), 0);
    })
    .await;
}

/// Some clients look names up as S3 and Algorithmia wrote them: PHP's for `Content-Type` and
/// `Content-Length`, without which it has no type, date and size.
#[tokio::test(flavor = "multi_thread")]
async fn names_are_spelled_as_clients_look_for_them() {
    each_way(async |world: &World| {
        world.send("PUT", "/v1/data/s3+t://pub/data/spelled", b"12345").await;
        let file = [
            "Content-Type",
            "Content-Length",
            "Last-Modified",
            "ETag",
            "X-Data-Type",
            "X-Request-Id",
            "Cache-Control",
            "Date",
        ];
        let directory = ["Content-Type", "Content-Length", "X-Data-Type"];
        let failure = ["Content-Type", "Content-Length", "X-Error-Message", "X-Request-Id"];
        let unknown = ["WWW-Authenticate", "Content-Type", "X-Error-Message"];
        for (method, target, key, names) in [
            ("GET", "/v1/data/s3+t://pub/data/spelled", ALL, &file[..]),
            ("HEAD", "/v1/data/s3+t://pub/data/spelled", ALL, &file),
            ("GET", "/v1/connector/s3+t/pub/data/spelled", ALL, &file),
            ("GET", "/v1/data/s3+t://pub/data", ALL, &directory),
            ("GET", "/v1/data/s3+t://pub/secret", ALL, &failure),
            ("HEAD", "/v1/data/s3+t://pub/secret", ALL, &failure),
            ("GET", "/v1/data/s3+t://pub/data/x#y", ALL, &failure),
            ("GET", "/v1/data/s3+t://pub/data/spelled", "simUnknown", &unknown),
            ("GET", "/nothing", ALL, &["Content-Type"]),
        ] {
            // What the caller writes in lower case makes no difference.
            let headers = [("authorization", key), ("etag", "x"), ("content-type", "a/b")];
            let answer = world.send_with(method, target, &headers, b"").await;
            for name in names {
                let found = answer.spelled.iter().find(|found| found.eq_ignore_ascii_case(name));
                assert_eq!(found.map(String::as_str), Some(*name), "{method} {target}");
            }
            for name in &answer.spelled {
                let is_title = name.split('-').all(|part| part.starts_with(char::is_uppercase));
                assert!(is_title, "{method} {target}: {name}");
            }
        }
    })
    .await;
}
