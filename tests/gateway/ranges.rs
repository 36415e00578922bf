//! Some of a file's bytes, and files that the caller has already.

use super::world::{ALL, Answer, World, each_way};

const TARGET: &str = "/v1/data/s3+t://pub/data/alphabet";
const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz";

async fn with_alphabet() -> World {
    let world = World::start().await;
    world.embedded.put("pub", "data/alphabet", "text/plain", ALPHABET.into()).await.unwrap();
    world
}

async fn get(world: &World, headers: &[(&str, &str)]) -> Answer {
    let headers = [&[("Authorization", ALL)], headers].concat();
    world.send_with("GET", TARGET, &headers, b"").await
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_one_range_is_given_and_no_more_is_asked_for() {
    let world = with_alphabet().await;
    for (range, bytes, said) in [
        ("bytes=0-0", &b"a"[..], "bytes 0-0/26"),
        ("bytes=2-4", b"cde", "bytes 2-4/26"),
        ("bytes=24-", b"yz", "bytes 24-25/26"),
        ("bytes=24-99", b"yz", "bytes 24-25/26"),
        ("bytes=-3", b"xyz", "bytes 23-25/26"),
        ("bytes=-99", ALPHABET, "bytes 0-25/26"),
        ("bytes=0-", ALPHABET, "bytes 0-25/26"),
    ] {
        world.taken();
        let answer = get(&world, &[("Range", range)]).await;
        assert_eq!((answer.status, &*answer.body), (206, bytes), "{range}: {answer:?}");
        assert_eq!(answer.header("content-range"), Some(said), "{range}");
        assert_eq!(answer.header("content-length"), Some(&*bytes.len().to_string()), "{range}");
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
        let sent = String::from_utf8_lossy(&world.taken()).to_lowercase();
        assert!(sent.contains(&format!("range: {range}\r\n")), "{sent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_what_is_no_single_range_gives_the_file() {
    let world = with_alphabet().await;
    for range in ["bytes=0-1,4-5", "bytes=5-2", "bytes=a-b", "items=0-1", "bytes=", "0-1"] {
        let answer = get(&world, &[("Range", range)]).await;
        assert_eq!((answer.status, &*answer.body), (200, ALPHABET), "{range}: {answer:?}");
        assert_eq!(answer.header("content-range"), None);
    }
    // A HEAD has no body that could be a part.
    let headers = [("Authorization", ALL), ("Range", "bytes=0-1")];
    let head = world.send_with("HEAD", TARGET, &headers, b"").await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("26")));
    assert_eq!(head.header("accept-ranges"), Some("bytes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_a_range_behind_the_end_is_said_with_the_size() {
    let world = with_alphabet().await;
    for range in ["bytes=26-", "bytes=26-30", "bytes=-0"] {
        let answer = get(&world, &[("Range", range)]).await;
        assert_eq!(answer.status, 416, "{range}: {answer:?}");
        assert_eq!(answer.header("content-range"), Some("bytes */26"), "{range}");
        answer.error();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_who_has_the_file_does_not_get_it_again() {
    let world = with_alphabet().await;
    let whole = get(&world, &[]).await;
    let etag = whole.header("etag").unwrap().to_owned();
    let date = whole.header("last-modified").unwrap().to_owned();
    let old = "Sun, 06 Nov 1994 08:49:37 GMT";
    let weak = format!("W/{etag}");
    let list = format!("\"x\", {etag}");
    for (header, value, status) in [
        ("If-None-Match", &*etag, 304),
        ("If-None-Match", &weak, 304),
        ("If-None-Match", &list, 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", "\"x\"", 200),
        ("If-Match", &etag, 200),
        ("If-Match", &list, 200),
        ("If-Match", "*", 200),
        ("If-Match", "\"x\"", 412),
        ("If-Modified-Since", &date, 304),
        ("If-Modified-Since", old, 200),
        ("If-Modified-Since", "yesterday", 200),
        ("If-Unmodified-Since", &date, 200),
        ("If-Unmodified-Since", old, 412),
    ] {
        for method in ["GET", "HEAD"] {
            let headers = [("Authorization", ALL), (header, value)];
            let answer = world.send_with(method, TARGET, &headers, b"").await;
            assert_eq!(answer.status, status, "{method} {header}: {value}: {answer:?}");
            match status {
                304 => {
                    assert_eq!(answer.header("etag"), Some(&*etag), "{answer:?}");
                    assert!(answer.body.is_empty() && answer.header("content-length").is_none());
                }
                412 if method == "GET" => drop(answer.error()),
                200 if method == "GET" => assert_eq!(answer.body, ALPHABET),
                _ => {}
            }
        }
    }
}

/// What was begun with one object is gone on with by that one, or begun anew.
#[tokio::test(flavor = "multi_thread")]
async fn b5_versions_are_never_mixed() {
    let world = with_alphabet().await;
    let etag = get(&world, &[]).await.header("etag").unwrap().to_owned();
    let date = get(&world, &[]).await.header("last-modified").unwrap().to_owned();
    let resumed = [("Range", "bytes=13-"), ("If-Range", &*etag)];
    let answer = get(&world, &resumed).await;
    assert_eq!((answer.status, &*answer.body), (206, &b"nopqrstuvwxyz"[..]));
    // Dates and weak tags say too little.
    for odd in [&*date, &format!("W/{etag}"), etag.trim_matches('"')] {
        let answer = get(&world, &[("Range", "bytes=13-"), ("If-Range", odd)]).await;
        assert_eq!((answer.status, &*answer.body), (200, ALPHABET), "{odd}");
    }
    let upper = ALPHABET.to_ascii_uppercase();
    world.embedded.put("pub", "data/alphabet", "text/plain", upper.clone().into()).await.unwrap();
    let answer = get(&world, &resumed).await;
    assert_eq!((answer.status, &answer.body), (200, &upper));
    // A condition of the caller's stays one.
    let both = [("If-None-Match", "*"), resumed[0], resumed[1]];
    assert_eq!(get(&world, &both).await.status, 304);
    let now = get(&world, &[]).await.header("etag").unwrap().to_owned();
    let other = [("If-Match", "\"x\""), ("Range", "bytes=13-"), ("If-Range", &*now)];
    assert_eq!(get(&world, &other).await.status, 412);
}

#[tokio::test(flavor = "multi_thread")]
async fn b5_conditions_and_ranges_tell_nothing_of_what_is_denied() {
    each_way(async |world: &World| {
        for header in [("If-None-Match", "*"), ("If-Match", "\"x\""), ("Range", "bytes=99999-")] {
            let headers = [("Authorization", ALL), header];
            for method in ["GET", "HEAD"] {
                for target in ["/v1/data/s3+t://pub/secret.txt", "/v1/data/s3+t://pub/nothing"] {
                    world.taken();
                    let answer = world.send_with(method, target, &headers, b"").await;
                    assert_eq!(answer.status, 403, "{method} {target} {header:?}: {answer:?}");
                    assert_eq!(world.upstream(), [""; 0]);
                }
            }
        }
        let missing = "/v1/data/s3+t://pub/data/nothing";
        let headers = [("Authorization", ALL), ("Range", "bytes=0-1"), ("If-Match", "\"x\"")];
        assert_eq!(world.send_with("GET", missing, &headers, b"").await.status, 404);
    })
    .await;
}
