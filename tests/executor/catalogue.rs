//! Entries of the security catalogue that concern operations which the Data API has no request
//! for: copying, and deleting many. Each names its entry.

use pathward::{
    Caller, ConnectionId, PathError,
    engine::{CopyObject, Reason},
    executor::Executor as _,
};

use super::{Setup, owned};
use crate::backend::deleted_keys;

const RULES: &str =
    "access: read-write\nrestrictions: [pub/data/*, { path: pub/in/, access: [read] }]";

fn ids() -> (Caller<'static>, ConnectionId<'static>) {
    (Caller::with_full_permission("o"), ConnectionId::parse("s3+t").expect("an id"))
}

#[tokio::test]
async fn c01_c06_a_copy_needs_its_source_and_its_destination() {
    let setup = Setup::with(RULES).await;
    let (caller, id) = ids();
    for path in ["pub/data/x", "pub/secret", "pub/in/x"] {
        setup.backend.put(path, b"1");
    }
    for (source, destination, reason) in [
        ("pub/secret", "pub/data/y", Reason::NoMatch),
        ("pub/data/x", "pub/secret", Reason::NoMatch),
        ("pub/data/x", "pub/in/y", Reason::Access),
        ("pub/data/x", "pub/", Reason::InvalidOperation),
    ] {
        let copy = CopyObject { source: owned(source), destination: owned(destination) };
        let denied = setup.engine.approve(caller, &id, copy).expect_err("denied");
        assert_eq!(denied.reason(), reason, "{source} {destination}");
    }
    assert!(setup.backend.requests().is_empty());
    setup.copy("pub/in/x", "pub/data/y").await.expect("copied");
    assert_eq!(setup.backend.requests().len(), 1);
}

#[tokio::test]
async fn n15_c03_c04_the_source_of_a_copy_is_one_path_and_no_version() {
    let setup = Setup::with(RULES).await;
    let sources = ["pub/data/x", "pub/data//x", "pub/data/x?versionId=..%2Fsecret", "pub/data/%78"];
    for source in sources {
        setup.backend.put(source, source.as_bytes());
    }
    for source in sources {
        setup.backend.forget_requests();
        setup.copy(source, "pub/data/copy").await.expect("copied");
        let requests = setup.backend.requests();
        let [request] = requests.as_slice() else { panic!("one request: {requests:?}") };
        let sent = request.header("x-amz-copy-source").expect("a source");
        assert!(!sent.contains('?'), "{sent}");
        assert_eq!(crate::backend::percent_decode(sent), source.as_bytes());
        let copied = setup.backend.get(b"pub/data/copy").expect("an object");
        assert_eq!(copied.content, source.as_bytes());
    }
    // A leading slash is another way to write the same source elsewhere; here it is no path.
    let slashed = pathward::Path::new("/pub/data/x");
    assert_eq!(slashed, Err(PathError::LeadingSlash));
}

#[tokio::test]
async fn d01_each_of_many_deletions_is_decided_by_itself() {
    let (caller, id) = ids();
    for (order, allowed) in [
        (vec!["pub/secret", "pub/data/a", "pub/data/b", "pub/secret2"], vec!["data/a", "data/b"]),
        (vec!["pub/data/a", "pub/secret", "pub/data/b"], vec!["data/a", "data/b"]),
        (vec!["pub/data/a", "pub/secret"], vec!["data/a"]),
        (vec!["pub/secret", "pub/in/x"], vec![]),
    ] {
        let setup = Setup::with(RULES).await;
        for path in ["pub/secret", "pub/secret2", "pub/data/a", "pub/data/b", "pub/in/x"] {
            setup.backend.put(path, b"1");
        }
        let paths = order.iter().map(|path| owned(path)).collect();
        let (approved, decisions) = setup.engine.approve_each(caller, &id, paths);
        let decided: Vec<bool> = decisions.iter().map(pathward::Decision::is_allowed).collect();
        let expected: Vec<bool> =
            order.iter().map(|path| allowed.contains(&&path["pub/".len()..])).collect();
        assert_eq!(decided, expected, "{order:?}");
        if let Some(approved) = approved {
            assert!(setup.s3.delete_many(approved).await.iter().all(Result::is_ok));
        }
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let requests = setup.backend.requests();
        let sent: Vec<String> = requests
            .iter()
            .flat_map(|request| match request.method.as_str() {
                "DELETE" => vec![text(request.bucket_and_key().1)],
                _ => deleted_keys(&text(request.body.clone())),
            })
            .collect();
        assert_eq!(sent, allowed, "{order:?}");
        let left = setup.backend.objects();
        assert!(left.contains(&"pub/secret".to_owned()) && left.contains(&"pub/in/x".to_owned()));
    }
}

#[tokio::test]
async fn d02_d03_what_is_deleted_is_written_anew_with_nothing_else_in_it() {
    let setup = Setup::with(RULES).await;
    let keys = ["a</Key><Key>b", "a&amp;b", "<!DOCTYPE x>", "a\"'>b", "x?versionId=1", "ü ]]>"];
    let paths: Vec<String> = keys.iter().map(|key| format!("pub/data/{key}")).collect();
    for path in &paths {
        setup.backend.put(path, b"1");
    }
    setup.backend.put("pub/data/b", b"1");
    let borrowed: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert!(setup.delete_many(&borrowed).await.iter().all(Result::is_ok));
    assert_eq!(setup.backend.objects(), ["pub/data/b"]);
    for request in setup.backend.requests() {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        assert!(!body.contains("VersionId") && !body.contains("<!DOCTYPE"), "{body}");
    }
}
