//! Every key that a path can have is on the wire as it is: catalogue N5 to N8, N16, C3, C4.

use proptest::prelude::*;

use super::{
    Setup,
    backend::{deleted_keys, percent_decode},
};

/// Keys that something between a program and a disk has been known to change.
const ODD: &[&str] = &[
    "a//b",
    "/lead",
    "//",
    "trail/",
    "a///",
    " a",
    "a ",
    "a b",
    "a  b",
    "a+b",
    "a%2Fb",
    "a%41",
    "%",
    "%%",
    "a%",
    "%252e%252e/x",
    "%2e%2e/x",
    "a\\b",
    "a\\..\\b",
    "\\",
    "...",
    ".a",
    "a.",
    "..a/b..",
    "a?b",
    "a?versionId=1",
    "a#b",
    "a&b=c",
    "a;b",
    "a=b",
    "a:b",
    "a@b",
    "a,b",
    "a!b",
    "a'b",
    "a\"b",
    "a*b",
    "a(b)",
    "a[b]",
    "a{b}",
    "a|b",
    "a<b>",
    "a^b",
    "a`b",
    "a~b",
    "a$b",
    "<Key>&amp;</Key>",
    "é",
    "e\u{301}",
    "\u{212b}",
    "ü/ö",
    "日本語",
    "😀",
    "\u{feff}bom",
    "\u{fffd}",
    "\u{fffe}",
    "\u{ffff}",
    "a\u{2028}b",
    "a\u{85}",
    "\u{a0}x",
    "x\u{a0}",
    "\u{3000}x",
    "\u{202e}rtl",
    "a\u{80}b",
    "CON",
    "NUL.txt",
    "-rf",
    "uploads",
    "uploadId",
    "x/?uploads",
    "acl",
    "?acl",
    "$metadata",
];

fn keys() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(ODD).prop_map(str::to_owned),
        2 => "[ -~]{1,12}",
        1 => proptest::collection::vec(any::<char>(), 1..8).prop_map(|chars| chars.into_iter().collect()),
    ];
    proptest::collection::vec(piece, 1..4)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("what a path is", |key| {
            pathward::Path::new(&format!("pub/{key}")).is_ok() && !key.is_empty()
        })
}

/// Runs every operation on a key, and looks at what went out.
async fn check(setup: &Setup, key: &str) {
    let path = format!("pub/{key}");
    setup.backend.forget_requests();
    assert_eq!(setup.write(&path, b"content").await, Ok(7), "{key:?}");
    assert_eq!(setup.read(&path).await.as_deref(), Ok(&b"content"[..]), "{key:?}");
    assert_eq!(setup.stat(&path).await, Ok(7), "{key:?}");
    for request in setup.backend.requests() {
        assert_eq!(request.bucket_and_key(), (b"pub".to_vec(), key.as_bytes().to_vec()), "{key:?}");
        // Nothing on the way may take the path for another one.
        let raw = request.raw_path();
        assert!(!raw.split('/').any(|segment| matches!(segment, "." | "..")), "{raw}");
        assert!(raw.bytes().all(|byte| byte.is_ascii_graphic()), "{raw}");
    }
    setup.backend.forget_requests();
    setup.copy(&path, "pub/copied").await.expect("copied");
    setup.copy("pub/copied", &path).await.expect("copied");
    let requests = setup.backend.requests();
    let source = requests[0].header("x-amz-copy-source").expect("a source");
    assert_eq!(percent_decode(source), path.as_bytes(), "{key:?}");
    assert!(!source.contains('?'), "{source}");
    assert_eq!(requests[1].bucket_and_key().1, key.as_bytes(), "{key:?}");

    let listed = setup.list_all("pub/", 1_000).await;
    let (first, rest) =
        key.split_once('/').map_or((key, None), |(first, rest)| (first, Some(rest)));
    let shown = match rest {
        Some(_) => format!("{first}/"),
        None => first.to_owned(),
    };
    assert_eq!(listed.contains(&shown), !first.is_empty(), "{key:?} in {listed:?}");

    setup.backend.forget_requests();
    let other = format!("pub/{key}.other");
    // The marker of a key that ends with a slash may have no room for more.
    let both: Vec<&str> = match pathward::Path::new(&other) {
        Ok(_) => vec![&path, &other],
        Err(_) => vec![&path],
    };
    assert!(setup.delete_many(&both).await.iter().all(Result::is_ok), "{key:?}");
    let mut deleted = Vec::new();
    for request in setup.backend.requests() {
        match request.method.as_str() {
            "POST" => {
                deleted.extend(deleted_keys(std::str::from_utf8(&request.body).expect("XML")))
            }
            _ => deleted.push(String::from_utf8(request.bucket_and_key().1).expect("UTF-8")),
        }
    }
    deleted.sort();
    let mut expected: Vec<&str> = both.iter().map(|path| &path[4..]).collect();
    expected.sort_unstable();
    assert_eq!(deleted, expected, "{key:?}");
    assert_eq!(setup.backend.get(path.as_bytes()).map(|_| ()), None, "{key:?}");

    setup.write(&path, b"").await.expect("written");
    setup.backend.forget_requests();
    setup.delete(&path).await.expect("deleted");
    for request in setup.backend.requests() {
        assert_eq!(request.bucket_and_key().1, key.as_bytes(), "{key:?}");
    }
    assert_eq!(setup.backend.requests().len(), 2, "a HEAD, a DELETE");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn n06_every_odd_key_is_sent_as_it_is() {
    runtime().block_on(async {
        for percent_spaces in [false, true] {
            let setup = Setup::new().await;
            setup.backend.bucket("pub");
            if percent_spaces {
                setup.backend.percent_spaces();
            }
            for key in ODD {
                check(&setup, key).await;
            }
            check(&setup, &"k".repeat(1_024)).await;
            check(&setup, &"ü/".repeat(341)).await;
        }
    });
}

#[test]
fn n06_any_key_is_sent_as_it_is() {
    let runtime = runtime();
    let setup = runtime.block_on(Setup::new());
    setup.backend.bucket("pub");
    let config =
        ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(key in keys())| runtime.block_on(check(&setup, &key)));
}

#[tokio::test]
async fn buckets_with_old_names_are_sent_as_they_are() {
    let setup = Setup::new().await;
    for bucket in ["Algorithmia", "my_bucket", "a.b", "...", "x--s3", "B--x-s3", &"b".repeat(255)] {
        setup.backend.bucket(bucket);
        let path = format!("{bucket}/k");
        match setup.write(&path, b"x").await {
            Ok(_) => assert!(setup.backend.get(path.as_bytes()).is_some(), "{bucket}"),
            // S3 Express has buckets of this form, which are spoken to otherwise.
            Err(error) => {
                assert_eq!(error, super::ExecuteError::Configuration, "{bucket}");
                assert!(bucket.ends_with("--x-s3"), "{bucket}");
            }
        }
    }
}

#[tokio::test]
async fn n06_keys_of_white_space_alone_are_sent_as_they_are() {
    let setup = Setup::new().await;
    setup.backend.bucket("pub");
    for key in [" ", "   ", "\u{a0}", "\u{3000}", "\u{2028} "] {
        check(&setup, key).await;
    }
}

#[tokio::test]
async fn n06_parts_of_an_upload_have_the_key_too() {
    let setup = Setup::new().await;
    setup.backend.bucket("pub");
    for key in ["a//b+c %41\\d", "é/?uploads"] {
        setup.backend.forget_requests();
        let path = format!("pub/{key}");
        let bytes = vec![7; (8 << 20) + 1];
        let body = super::Body::from_bytes(bytes.into());
        assert_eq!(setup.upload(&path, body, None).await, Ok((8 << 20) + 1));
        let requests = setup.backend.requests();
        assert_eq!(requests.len(), 4, "create, two parts, complete");
        for request in requests {
            assert_eq!(request.bucket_and_key().1, key.as_bytes());
        }
        assert_eq!(
            setup.backend.get(path.as_bytes()).map(|stored| stored.len),
            Some((8 << 20) + 1)
        );
    }
}
