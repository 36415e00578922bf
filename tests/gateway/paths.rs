//! Catalogue c.1: what a path is, from a request line to the backend's.

use super::world::{ALL, World, each_way};

#[tokio::test(flavor = "multi_thread")]
async fn n01_dot_segments_are_refused_before_any_decision() {
    each_way(async |world: &World| {
        for path in
            ["pub/data/../secret.txt", "pub/data/%2e%2e/secret.txt", "pub/data%2F..%2Fsecret"]
        {
            for prefix in ["/v1/connector/s3+t/", "/v1/data/s3+t://", "/api/v1/connector/s3%2Bt/"] {
                for method in ["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"] {
                    world.refused(400, method, format!("{prefix}{path}")).await;
                }
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n02_n18_every_form_of_a_dot_segment_is_refused() {
    each_way(async |world: &World| {
        for path in [
            "pub/data/..",
            "pub/data/.",
            "pub/data/./x",
            "../pub/data/x",
            "./pub/data/x",
            "pub/data/x/..",
            "pub/data/%2e",
            "pub/data/%2E%2e",
            "pub/%2e/data/x",
            ".",
            "%2e",
            "./.",
            ".//",
            "..",
            "pub/data/.%2e/x",
            "pub/./",
            "pub/..",
        ] {
            for (method, query) in
                [("GET", ""), ("PUT", ""), ("DELETE", ""), ("DELETE", "?force=true")]
            {
                world.refused(400, method, format!("/v1/connector/s3+t/{path}{query}")).await;
            }
        }
        // Segments that only look like dots.
        assert_eq!(world.get("/v1/connector/s3+t/pub/data/...").await.status, 404);
        assert_eq!(world.get("/v1/connector/s3+t/pub/data/..x").await.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n03_escaped_slashes_are_decoded_once_and_decided_as_decoded() {
    each_way(async |world: &World| {
        let answer = world.get("/v1/connector/s3+t/pub%2Fdata%2Fx").await;
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"x of data"[..]));
        assert_eq!(world.upstream(), ["GET /pub/data/x"]);
        world.refused(400, "GET", "/v1/connector/s3+t/pub/secret%2f..%2fdata/x").await;
        world.refused(400, "GET", "/v1/connector/s3+t/%2e%2e%2fpub/data/x").await;
        world.refused(403, "GET", "/v1/connector/s3+t/pub%2Fsecret").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n04_an_escaped_letter_is_that_letter() {
    each_way(async |world: &World| {
        for target in ["/v1/connector/s3+t/pub/%64ata/x", "/v1/data/s3+t://p%75b/data/%78"] {
            assert_eq!(world.get(target).await.body, b"x of data");
            assert_eq!(world.upstream(), ["GET /pub/data/x"]);
        }
        world.refused(403, "GET", "/v1/connector/s3+t/pub/%73ecret").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n05_nothing_is_decoded_twice() {
    each_way(async |world: &World| {
        assert_eq!(
            world.send("PUT", "/v1/connector/s3+t/pub/data/%252e%252e/x", b"odd").await.status,
            200
        );
        assert_eq!(world.upstream(), ["PUT /pub/data/%252e%252e/x"]);
        assert_eq!(world.get("/v1/data/s3+t://pub/data/%252e%252e/x").await.body, b"odd");
        let listing = world.get("/v1/data/s3+t://pub/data").await;
        assert_eq!(listing.names("folders"), ["%2e%2e", "sub"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n07_double_slashes_are_kept() {
    each_way(async |world: &World| {
        assert_eq!(world.send("PUT", "/v1/data/s3+t://pub/data//x", b"two").await.status, 200);
        assert_eq!(world.upstream(), ["PUT /pub/data//x"]);
        assert_eq!(world.get("/v1/data/s3+t://pub/data/x").await.body, b"x of data");
        assert_eq!(world.get("/v1/data/s3+t://pub/data//x").await.body, b"two");
        world.refused(403, "GET", "/v1/connector/s3+t/pub//data/x").await;
        // The default for a server that is not AWS: such a path may be another one's alias.
        world.refused(400, "GET", "/v1/connector/s3+ro/pub/data//x").await;
        world.refused(400, "GET", "/v1/connector/s3+ro/pub//data/x").await;
        world.refused(400, "GET", "/v1/connector/s3+ro/pub/data%5Cx").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n08_a_backslash_is_an_ordinary_byte() {
    each_way(async |world: &World| {
        let target = "/v1/connector/s3+t/pub/data%5C..%5Csecret";
        world.refused(403, "GET", target).await;
        assert_eq!(
            world.send("PUT", "/v1/connector/s3+t/pub/data/a%5C..%5Cb", b"1").await.status,
            200
        );
        assert_eq!(world.upstream(), ["PUT /pub/data/a%5C..%5Cb"]);
        // Raw, as some clients send it.
        assert_eq!(world.get(b"/v1/connector/s3+t/pub/data/a\\..\\b").await.body, b"1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n09_control_bytes_are_refused_and_never_dropped() {
    each_way(async |world: &World| {
        for escape in ["%00", "%09", "%0A", "%0D", "%1F", "%7F"] {
            world.refused(400, "GET", format!("/v1/connector/s3+t/pub/data/a{escape}b")).await;
            world.refused(400, "PUT", format!("/v1/data/s3+t://pub/data/{escape}")).await;
        }
        // Raw ones are no request line; the answer is still JSON.
        let answer = world.get(b"/v1/connector/s3+t/pub/data/a\tb").await;
        assert_eq!(answer.status, 400);
        answer.error();
        assert_eq!(world.upstream(), [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n10_unicode_is_bytes_and_broken_utf8_is_refused() {
    each_way(async |world: &World| {
        world
            .embedded
            .put("pub", "data/e\u{301}", "text/plain", "decomposed".into())
            .await
            .unwrap();
        let composed = world.get("/v1/connector/s3+t/pub/data/%C3%A9").await;
        assert_eq!(composed.status, 404, "the other normal form is another key");
        assert_eq!(world.get("/v1/connector/s3+t/pub/data/e%CC%81").await.body, b"decomposed");
        for escape in ["%FC", "%C3", "%ED%A0%80", "%F5%80%80%80", "%C0%AF"] {
            world.refused(400, "GET", format!("/v1/connector/s3+t/pub/data/{escape}")).await;
        }
        // A replacement character that was meant is a key's.
        world.embedded.put("pub", "data/\u{FFFD}", "text/plain", "meant".into()).await.unwrap();
        assert_eq!(world.get("/v1/connector/s3+t/pub/data/%EF%BF%BD").await.body, b"meant");
        // The Node client's raw `ü`, and raw UTF-8.
        world.embedded.put("pub", "data/ü", "text/plain", "latin".into()).await.unwrap();
        assert_eq!(world.get(b"/v1/data/s3+t://pub/data/\xFC").await.body, b"latin");
        assert_eq!(world.get("/v1/data/s3+t://pub/data/ü").await.body, b"latin");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n11_case_matters() {
    each_way(async |world: &World| {
        world.refused(403, "GET", "/v1/connector/s3+t/pub/Data/x").await;
        world.refused(403, "GET", "/v1/connector/s3+t/PUB/data/x").await;
        world.refused(403, "GET", "/v1/connector/s3+T/pub/data/x").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n12_the_signs_of_urls_are_bytes_of_a_key() {
    each_way(async |world: &World| {
        world.refused(400, "GET", "/v1/connector/s3+t/pub/data/a%23/../x").await;
        world.refused(400, "GET", "/v1/connector/s3+t/pub/data/x;v=1/..").await;
        for (sent, key) in [("a%23b", "a%23b"), ("a%3Fb", "a%3Fb"), ("a;v=1", "a%3Bv%3D1")] {
            let target = format!("/v1/connector/s3+t/pub/data/{sent}");
            assert_eq!(world.send("PUT", target, b"1").await.status, 200);
            assert_eq!(world.upstream(), [format!("PUT /pub/data/{key}")]);
        }
        // A fragment is not cut off, it is refused; so is a `?` that was meant as a key's.
        let said = world.refused(400, "GET", "/v1/connector/s3+t/pub/data/x#y").await;
        assert!(said.contains("a raw `#`") && said.contains("`%23`"), "{said}");
        world.refused(400, "PUT", "/v1/connector/s3+t/pub/data/x?y").await;
        world.refused(400, "GET", "/v1/connector/s3+t/pub/data/x?versionId=1").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n13_no_request_becomes_one_for_a_bucket() {
    each_way(async |world: &World| {
        for connection in ["s3+t", "s3+all"] {
            for path in ["", "/", "/pub", "/pub/"] {
                for query in ["", "?force=true"] {
                    world
                        .refused(400, "DELETE", format!("/v1/connector/{connection}{path}{query}"))
                        .await;
                }
                world.refused(400, "PUT", format!("/v1/connector/{connection}{path}")).await;
            }
            world.refused(400, "POST", format!("/v1/connector/{connection}")).await;
            world.refused(400, "POST", format!("/v1/connector/{connection}/")).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n14_a_plus_is_a_plus_but_for_clients_that_form_encode_everything() {
    each_way(async |world: &World| {
        for (target, sent) in [
            ("/v1/data/s3+t://pub/data/a+b", "a%2Bb"),
            ("/v1/data/s3+t://pub/data/a%2Bb", "a%2Bb"),
            ("/v1/data/s3+t://pub/data/a%20b", "a%20b"),
            ("/v1/data/s3%2Bt%3A%2F%2Fpub%2Fdata%2Fa+b", "a%20b"),
            ("/v1/data/s3%2Bt%3A%2F%2Fpub%2Fdata%2Fa%2Bb", "a%2Bb"),
        ] {
            assert_eq!(world.send("PUT", target, b"1").await.status, 200, "{target}");
            assert_eq!(world.upstream(), [format!("PUT /pub/data/{sent}")], "{target}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n16_a_name_from_a_listing_reaches_its_own_key() {
    each_way(async |world: &World| {
        for name in ["a%2Fb", "a b", "a+b", "100%", "q?x#y", "'quoted\"", "日本", "&amp;", "<x>"]
        {
            let key = format!("data/names/{name}");
            world.embedded.put("pub", &key, "text/plain", name.to_owned().into()).await.unwrap();
        }
        let names = world.get("/v1/data/s3+t://pub/data/names").await.names("files");
        assert_eq!(names.len(), 9);
        for name in names {
            let escaped: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let answer = world.get(format!("/v1/connector/s3+t/pub/data/names/{escaped}")).await;
            assert_eq!(String::from_utf8(answer.body).unwrap(), name);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n17_keys_have_1024_bytes_at_most() {
    each_way(async |world: &World| {
        let key = |length: usize| format!("data/{}", "%61".repeat(length - 5));
        world.refused(400, "PUT", format!("/v1/connector/s3+t/pub/{}", key(1_025))).await;
        let target = format!("/v1/connector/s3+t/pub/{}", key(1_024));
        assert_eq!(world.send("PUT", &target, b"long").await.status, 200);
        assert_eq!(world.get(&target).await.body, b"long");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n19_what_is_no_connection_is_never_another() {
    each_way(async |world: &World| {
        for id in
            ["s3+t+u", "s3+", "s3++t", "s3+..%2Fx", "s3+t%25", "s3+t%20", "ftp+t", "s3t", "+t"]
        {
            world.refused(400, "GET", format!("/v1/connector/{id}/pub/data/x")).await;
        }
        world.refused(403, "GET", "/v1/connector/s3+nobody/pub/data/x").await;
        for id in ["s3%2Bt", "S3+t", "%53%33%2B%74"] {
            assert_eq!(
                world.get(format!("/v1/connector/{id}/pub/data/x")).await.status,
                200,
                "{id}"
            );
        }
        // Hosted data is another kind of place, which is not kept here.
        world.refused(404, "GET", "/v1/data/.my/x").await;
        world.refused(404, "GET", "/v1/data/..%2Fx").await;
        world.refused(404, "PUT", "/v1/data/pub/data/x").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_request_of_a_connection_is_read_like_the_first() {
    let world = World::start().await;
    let one =
        format!("GET /v1/data/s3+t://pub/data/x HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n");
    let both = format!("{one}\r\n{one}Connection: close\r\n\r\n");
    let stream = world.raw(both.as_bytes()).await;
    // `parse` takes the rest for the body: it has the second answer in it.
    let text = String::from_utf8(stream.body).unwrap();
    assert!(
        text.starts_with("x of dataHTTP/1.1 200 OK\r\n") && text.ends_with("x of data"),
        "{text}"
    );
}
