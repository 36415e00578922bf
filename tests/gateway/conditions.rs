//! What is stored and deleted on conditions, what is checked before it is, and what is kept with it.

use super::world::{ALL, Answer, CONNECTIONS, World};
use pathward::gateway::Options;

const NEW: &str = "/v1/data/s3+t://pub/data/new";
const THERE: &str = "/v1/data/s3+t://pub/data/x";

/// A world whose server is said to honour conditions, as it does.
async fn honouring() -> World {
    let connections =
        CONNECTIONS.replace("    keys: exact\n", "    keys: exact\n    conditions: honoured\n");
    World::with(&connections, Options::default()).await
}

async fn send(
    world: &World,
    method: &str,
    target: &str,
    header: (&str, &str),
    body: &[u8],
) -> Answer {
    world.send_with(method, target, &[("Authorization", ALL), header], body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn b2_nothing_is_overwritten_against_a_condition() {
    let world = honouring().await;
    let only_new = ("If-None-Match", "*");
    let answer = send(&world, "PUT", THERE, only_new, b"other").await;
    assert_eq!(answer.status, 412, "{answer:?}");
    answer.error();
    assert_eq!(world.get(THERE).await.body, b"x of data");
    let answer = send(&world, "PUT", NEW, only_new, b"first").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let etag = answer.header("etag").expect("an entity tag").to_owned();
    assert_eq!(world.get(NEW).await.header("etag"), Some(&*etag));
    assert_eq!(send(&world, "PUT", NEW, only_new, b"second").await.status, 412);
    // In place of the one that is known.
    for tag in ["\"0123456789abcdef0123456789abcdef\"", "\"x\""] {
        assert_eq!(send(&world, "PUT", NEW, ("If-Match", tag), b"second").await.status, 412);
    }
    assert_eq!(world.get(NEW).await.body, b"first");
    let answer = send(&world, "PUT", NEW, ("If-Match", &etag), b"second").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(world.get(NEW).await.body, b"second");
    // Not any more.
    assert_eq!(send(&world, "PUT", NEW, ("If-Match", &etag), b"third").await.status, 412);
}

#[tokio::test(flavor = "multi_thread")]
async fn b2_an_upload_in_parts_is_completed_on_its_condition() {
    let world = honouring().await;
    let large = vec![b'l'; 9 << 20];
    let chunked = |condition: &str| {
        let head = format!(
            "PUT {NEW} HTTP/1.1\r\nHost: g\r\nConnection: close\r\nAuthorization: {ALL}\r\n\
             {condition}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
            large.len()
        );
        [head.as_bytes(), &large, b"\r\n0\r\n\r\n"].concat()
    };
    let answer = world.raw(&chunked("If-None-Match: *")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let etag = answer.header("etag").expect("an entity tag").to_owned();
    assert_eq!(world.get(NEW).await.header("etag"), Some(&*etag));
    assert_eq!(world.raw(&chunked("If-None-Match: *")).await.status, 412);
    assert_eq!(world.raw(&chunked(&format!("If-Match: {etag}"))).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn b2_nothing_is_deleted_against_a_condition() {
    let world = honouring().await;
    assert_eq!(send(&world, "DELETE", THERE, ("If-Match", "\"x\""), b"").await.status, 412);
    let etag = world.get(THERE).await.header("etag").unwrap().to_owned();
    assert_eq!(send(&world, "DELETE", THERE, ("If-Match", &etag), b"").await.status, 200);
    assert_eq!(world.get(THERE).await.status, 404);
    // What is not there has no entity tag, and no directory has one.
    for target in [THERE, "/v1/data/s3+t://pub/data/sub", "/v1/data/s3+t://pub/data/sub?force=true"]
    {
        let answer = send(&world, "DELETE", target, ("If-Match", &etag), b"").await;
        assert_eq!(answer.status, 412, "{target}: {answer:?}");
    }
    assert_eq!(world.get("/v1/data/s3+t://pub/data/sub/y").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn b2_a_server_that_may_ignore_conditions_is_not_asked() {
    let world = World::start().await;
    for (method, target, header) in [
        ("PUT", NEW, ("If-None-Match", "*")),
        ("PUT", THERE, ("If-Match", "\"x\"")),
        ("DELETE", THERE, ("If-Match", "\"x\"")),
        // What has no way to be said to a server of S3.
        ("PUT", THERE, ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")),
        ("PUT", THERE, ("If-None-Match", "\"x\"")),
        ("PUT", THERE, ("If-Match", "*")),
        ("PUT", THERE, ("If-Match", "\"x\", \"y\"")),
        ("DELETE", THERE, ("If-None-Match", "*")),
    ] {
        world.taken();
        let body: &[u8] = if method == "PUT" { b"other" } else { b"" };
        let answer = send(&world, method, target, header, body).await;
        assert_eq!(answer.status, 501, "{method} {header:?}: {answer:?}");
        answer.error();
        assert_eq!(world.upstream(), [""; 0], "{method} {header:?}");
    }
    assert_eq!(world.get(THERE).await.body, b"x of data");
    // Of a request that is denied, the decision comes first.
    let secret = "/v1/data/s3+t://pub/secret.txt";
    assert_eq!(send(&world, "PUT", secret, ("If-None-Match", "*"), b"x").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn b1_a_part_of_a_file_does_not_pass_for_the_file() {
    let world = World::start().await;
    for range in ["bytes 5-9/10", "bytes 0-4/5", "bytes */5", "nonsense"] {
        world.taken();
        let answer = send(&world, "PUT", THERE, ("Content-Range", range), b"other").await;
        assert_eq!(answer.status, 400, "{range}: {answer:?}");
        assert_eq!(world.upstream(), [""; 0], "{range}");
    }
    assert_eq!(world.get(THERE).await.body, b"x of data");
}

#[tokio::test(flavor = "multi_thread")]
async fn b3_a_body_is_the_one_that_its_checksum_is_of() {
    let world = World::start().await;
    // The MD5 of `body`, and of nothing.
    let (right, wrong) = ("hBotaJrYa9FhFEdFPCLG/A==", "1B2M2Y8AsgTpgAmY7PhCfg==");
    for (md5, status) in [(wrong, 400), ("nonsense", 400), ("aGFzaA==", 400), (right, 200)] {
        let answer = send(&world, "PUT", NEW, ("Content-MD5", md5), b"body").await;
        assert_eq!(answer.status, status, "{md5}: {answer:?}");
        let stored = world.get(NEW).await.status;
        assert_eq!(stored == 200, status == 200, "{md5}");
    }
    // Other checksums, of `body` and of nothing.
    for (kind, right, wrong) in [
        ("crc32", "26gLsg==", "AAAAAA=="),
        ("crc32c", "Jj/JUA==", "AAAAAA=="),
        ("crc64nvme", "mI+Ji1NHP80=", "AAAAAAAAAAA="),
        ("sha1", "Agg/RXngimEkJcDBoX7ket14O5Q=", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
        (
            "sha256",
            "Iw2DWNyOiJC0xY3utikS7i8gNXrpKlzIYbmOaP4xrLU=",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        ),
    ] {
        let target = format!("/v1/data/s3+t://pub/data/{kind}");
        let header = format!("x-amz-checksum-{kind}");
        for (sum, status) in [(wrong, 400), ("nonsense", 400), (right, 200)] {
            let answer = send(&world, "PUT", &target, (&header, sum), b"body").await;
            assert_eq!(answer.status, status, "{kind}: {sum}: {answer:?}");
            let stored = world.get(&target).await.status;
            assert_eq!(stored == 200, status == 200, "{kind}: {sum}");
        }
    }
    // One of a kind that is not known is not taken for one that is right.
    let header = ("x-amz-checksum-sha512", "AAAA");
    let answer = send(&world, "PUT", "/v1/data/s3+t://pub/data/other", header, b"body").await;
    assert_eq!((answer.status, answer.error().contains("sha512")), (501, true), "{answer:?}");
    // What goes through as it comes, and what goes in parts.
    let large = vec![b'l'; 9 << 20];
    let target = "/v1/data/s3+t://pub/data/large";
    let answer = send(&world, "PUT", target, ("Content-MD5", wrong), &large).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.error().contains("checksum"), "{answer:?}");
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: g\r\nConnection: close\r\nAuthorization: {ALL}\r\n\
         Content-MD5: {wrong}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        large.len()
    );
    let answer = world.raw(&[head.as_bytes(), &large, b"\r\n0\r\n\r\n"].concat()).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(world.get(target).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn b4_what_is_said_of_a_file_is_kept_with_it() {
    let world = World::start().await;
    let said = [
        ("content-type", "text/x-kept; charset=latin1"),
        ("content-encoding", "gzip"),
        ("content-disposition", "attachment; filename=\"a.txt\""),
        ("content-language", "de"),
        ("x-amz-meta-mine", "a value"),
        ("x-amz-meta-other", "1"),
    ];
    let headers = [&[("Authorization", ALL)], &said[..]].concat();
    for body in [&b"small"[..], &vec![b'l'; 9 << 20]] {
        assert_eq!(world.send_with("PUT", NEW, &headers, body).await.status, 200);
        for method in ["GET", "HEAD"] {
            let answer = world.send(method, NEW, b"").await;
            for (name, value) in said {
                assert_eq!(answer.header(name), Some(value), "{method} {name}");
            }
            // What of it the gateway says for itself.
            assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        }
    }
    // Without them nothing is left of it.
    assert_eq!(world.send("PUT", NEW, b"again").await.status, 200);
    let answer = world.get(NEW).await;
    for (name, _) in &said[1..] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b4_what_a_server_would_act_on_is_not_kept() {
    let world = World::start().await;
    let long = "v".repeat(2_048);
    for (header, status) in [
        (("Content-Encoding", "aws-chunked"), 415),
        (("Content-Encoding", "gzip, AWS-Chunked"), 415),
        (("x-amz-meta-snowball-auto-extract", "true"), 400),
        (("x-amz-meta-", "x"), 400),
        (("x-amz-meta-long", &*long), 400),
    ] {
        world.taken();
        let answer = send(&world, "PUT", NEW, header, b"body").await;
        assert_eq!(answer.status, status, "{header:?}: {answer:?}");
        assert_eq!(world.upstream(), [""; 0], "{header:?}");
    }
}
