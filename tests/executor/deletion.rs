//! Deletions: of one, of many, of directories; each key decided before anything goes: D1, D3, D9.

use super::{
    DirectoryDeletion, ExecuteError, Setup, TreeError,
    backend::{Fault, deleted_keys},
};

#[tokio::test]
async fn a_missing_object_is_missing() {
    let setup = Setup::new().await;
    setup.backend.put("pub/x", b"");
    assert_eq!(setup.delete("pub/x").await, Ok(()));
    assert_eq!(setup.delete("pub/x").await, Err(ExecuteError::Missing));
    assert_eq!(setup.delete("gone/x").await, Err(ExecuteError::Missing));
    assert_eq!(setup.copy("pub/x", "pub/y").await, Err(ExecuteError::Missing));
    assert_eq!(setup.write("gone/x", b"").await, Err(ExecuteError::Missing));
}

/// As IAM has it for a connection that only writes: objects are refused, there or not, and their names listed.
#[tokio::test]
async fn what_may_not_be_read_can_be_deleted() {
    let setup = Setup::with("access: [write, delete]").await;
    setup.backend.put("pub/x", b"");
    setup.backend.put("pub/x/below", b"");
    let refused = Fault::Answer { status: 403, headers: "", body: String::new() };
    setup.backend.fail(9, |request| request.method == "HEAD", refused.clone());
    assert_eq!(setup.delete("pub/x").await, Ok(()));
    assert_eq!(setup.delete("pub/x").await, Err(ExecuteError::Missing), "not what is below it");
    assert_eq!(setup.backend.objects(), ["pub/x/below"]);

    // Where not even names are listed nothing is deleted, nor said of what is there.
    setup.backend.forget_requests();
    setup.backend.fail(9, |request| request.method == "GET", refused);
    for path in ["pub/x/below", "pub/none"] {
        let result = setup.delete(path).await;
        assert_eq!(result, Err(ExecuteError::Refused { status: 403, code: None }), "{path}");
    }
    assert!(setup.backend.requests().iter().all(|request| request.method != "DELETE"));
}

#[tokio::test]
async fn each_of_many_has_its_own_result() {
    let setup = Setup::new().await;
    let paths: Vec<String> = (0..2_100).map(|number| format!("pub/{number}")).collect();
    for path in &paths {
        setup.backend.put(path, b"");
    }
    setup.backend.put("more/x", b"");
    let mut all: Vec<&str> = paths.iter().map(String::as_str).collect();
    all.insert(7, "more/x");
    all.insert(9, "x--op-s3/k");
    all.insert(11, "pub/none");
    all.insert(12, "pub/7");
    let results = setup.delete_many(&all).await;
    for (path, result) in all.iter().zip(results) {
        match *path {
            "x--op-s3/k" => assert_eq!(result, Err(ExecuteError::KeyNotSendable)),
            _ => assert_eq!(result, Ok(()), "{path}"),
        }
    }
    assert_eq!(setup.backend.objects(), Vec::<String>::new());
    for request in setup.backend.requests().iter().filter(|request| request.method == "POST") {
        let keys = deleted_keys(std::str::from_utf8(&request.body).expect("XML"));
        assert!(keys.len() <= 1_000);
    }
}

#[tokio::test]
async fn what_the_server_does_not_confirm_is_not_taken_for_deleted() {
    let setup = Setup::new().await;
    for path in ["pub/a", "pub/b", "pub/c"] {
        setup.backend.put(path, b"");
    }
    let body = "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key>\
                <Code>AccessDenied</Code><Message>canary</Message></Error></DeleteResult>";
    let fault = Fault::Answer { status: 200, headers: "", body: body.into() };
    setup.backend.fail(1, |request| request.method == "POST", fault);
    let refused = ExecuteError::Refused { status: 403, code: Some("AccessDenied".into()) };
    let results = setup.delete_many(&["pub/a", "pub/b", "pub/c"]).await;
    assert_eq!(results, [Ok(()), Err(refused), Ok(())]);
    // The one that was not spoken of was deleted by itself.
    assert_eq!(setup.backend.objects(), ["pub/a", "pub/b"]);
}

#[tokio::test]
async fn a_server_without_the_request_for_many_is_asked_one_by_one() {
    let setup = Setup::new().await;
    for path in ["pub/a", "pub/b"] {
        setup.backend.put(path, b"");
    }
    let fault = Fault::Error { status: 501, code: "NotImplemented", message: "" };
    setup.backend.fail(9, |request| request.method == "POST", fault);
    assert_eq!(setup.delete_many(&["pub/a", "pub/b"]).await, [Ok(()), Ok(())]);
    assert_eq!(setup.backend.objects(), Vec::<String>::new());
}

#[tokio::test]
async fn a_directory_goes_when_it_is_empty() {
    let setup = Setup::new().await;
    setup.backend.bucket("pub");
    setup.create_directory("pub/d/").await.expect("made");
    setup.backend.put("pub/d/x", b"");
    setup.backend.put("pub/d2/x", b"");
    assert_eq!(setup.delete_directory("pub/d/").await, Ok(DirectoryDeletion::NotEmpty));
    setup.delete("pub/d/x").await.expect("deleted");
    assert_eq!(setup.delete_directory("pub/d/").await, Ok(DirectoryDeletion::Deleted));
    assert_eq!(setup.delete_directory("pub/d/").await, Ok(DirectoryDeletion::Missing));
    assert_eq!(setup.backend.objects(), ["pub/d2/x"]);
}

#[tokio::test]
async fn what_a_connection_does_not_reach_does_not_keep_a_directory() {
    let fields = "access: read-write\nrestrictions: [pub/d/, pub/d/mine*]\ndeny: [pub/d/hidden*]";
    let setup = Setup::with(fields).await;
    setup.backend.put("pub/d/", b"");
    for number in 0..1_500 {
        setup.backend.put(&format!("pub/d/hidden{number}"), b"");
    }
    assert_eq!(setup.delete_directory("pub/d/").await, Ok(DirectoryDeletion::Deleted));
    // And that it is there is not learned of either.
    assert_eq!(setup.delete_directory("pub/d/").await, Ok(DirectoryDeletion::Missing));
    setup.backend.put("pub/d/mine", b"");
    assert_eq!(setup.delete_directory("pub/d/").await, Ok(DirectoryDeletion::NotEmpty));
}

#[tokio::test]
async fn a_tree_goes_with_all_in_it_and_nothing_beside() {
    let setup = Setup::new().await;
    for number in 0..2_100 {
        setup.backend.put(&format!("pub/data/{}/{number} +%41", number % 7), b"");
    }
    for key in ["data/", "data/sub/", "data//x", "data/\u{fffe}", "data/ ", "data/<&>"] {
        setup.backend.put(&format!("pub/{key}"), b"");
    }
    setup.backend.put("pub/data2/x", b"");
    setup.backend.put("pub/data", b"");
    assert_eq!(setup.delete_tree("pub/data/").await, Ok(2_106));
    assert_eq!(setup.backend.objects(), ["pub/data", "pub/data2/x"]);
    assert_eq!(setup.delete_tree("pub/data/").await, Ok(0));
}

#[tokio::test]
async fn a_tree_with_a_key_that_cannot_be_decided_stays_whole() {
    for (fields, key) in [
        ("access: read-write", "data/a\nb"),
        ("access: read-write", "data/../x"),
        ("access: read-write\nkeys: plain", "data//x"),
        ("access: read-write\nkeys: plain", "data/..\\x"),
    ] {
        let setup = Setup::with(fields).await;
        // The key is on the last page.
        for number in 0..1_500 {
            setup.backend.put(&format!("pub/data/!{number}"), b"");
        }
        setup.backend.put(&format!("pub/{key}"), b"");
        let error = setup.delete_tree("pub/data/").await.expect_err("not deleted");
        assert_eq!((error.deleted, error.error), (0, ExecuteError::Unnamable), "{key:?}");
        assert_eq!(setup.backend.objects().len(), 1_501, "{key:?}");
        assert!(setup.backend.requests().iter().all(|request| request.method == "GET"));
    }
}

/// Servers that keep directories as such have one until its own key is deleted, and do not delete it before
/// what is in it.
#[tokio::test]
async fn the_directory_itself_goes_last() {
    for has_marker in [true, false] {
        let setup = Setup::new().await;
        if has_marker {
            setup.backend.put("pub/data/", b"");
        }
        for number in 0..2_500 {
            setup.backend.put(&format!("pub/data/{number}"), b"");
        }
        setup.backend.put("pub/data/sub/", b"");
        assert_eq!(setup.delete_tree("pub/data/").await, Ok(2_501 + u64::from(has_marker)));
        let requests = setup.backend.requests();
        let (last, before) = requests.split_last().expect("some");
        assert_eq!((last.method.as_str(), last.raw_path()), ("DELETE", "/pub/data/"));
        for request in before {
            let keys = deleted_keys(std::str::from_utf8(&request.body).expect("XML"));
            assert!(request.raw_path() != "/pub/data/" && !keys.contains(&"data/".to_owned()));
        }
    }
    // Where there is nothing, nothing is deleted.
    let setup = Setup::new().await;
    setup.backend.bucket("pub");
    assert_eq!(setup.delete_tree("pub/data/").await, Ok(0));
    assert!(setup.backend.requests().iter().all(|request| request.method == "GET"));
}

/// Servers that keep directories as such have those below it still, too, and do not delete what has some.
#[tokio::test]
async fn a_tree_goes_with_the_directories_that_a_server_keeps() {
    let deep: String = (0..200).map(|_| "a/").collect();
    for (objects, deleted) in [
        (&["d/a", "d/b/c", "d/b/d"][..], 3),
        (&["d/", "d/b/", "d/b/c"], 3),
        (&["d/b/c/x", "d/b/y/z", "d/b/y+ %41/z", "d/e/f/g/h/i"], 4),
        (&["d/x/1", "d/x/2", "d/y/1"], 3),
        (&[&format!("d/{deep}x"), "d/a/b"], 2),
    ] {
        let setup = Setup::new().await;
        setup.backend.keep_directories();
        for key in objects.iter().copied().chain(["e/x", "d2/x", "dx"]) {
            setup.backend.put(&format!("pub/{key}"), b"");
        }
        assert_eq!(setup.delete_tree("pub/d/").await, Ok(deleted), "{objects:?}");
        assert_eq!(setup.backend.objects(), ["pub/d2/x", "pub/dx", "pub/e/x"]);
        assert_eq!(setup.backend.directories(), ["pub/d2/", "pub/e/"], "{objects:?}");
        assert!(!setup.list("pub/d/", None, 10).await.expect("a page").exists);
        assert_eq!(setup.list_all("pub/", 10).await, ["d2/", "e/", "dx"]);
        assert_eq!(setup.delete_tree("pub/d/").await, Ok(0));
    }
}

/// They have it, too, when what was in it went by itself: then it is there, and empty, or has directories.
#[tokio::test]
async fn a_directory_that_a_server_keeps_goes_when_nothing_is_in_it() {
    let setup = Setup::new().await;
    setup.backend.keep_directories();
    for key in ["d/b/c", "d/x", "e/x"] {
        setup.backend.put(&format!("pub/{key}"), b"");
        setup.delete(&format!("pub/{key}")).await.expect("deleted");
    }
    assert_eq!(setup.list_all("pub/", 10).await, ["d/", "e/"]);
    assert_eq!(setup.list_all("pub/d/", 10).await, ["b/"]);
    // A folder is in it, and it would not go.
    assert_eq!(setup.delete_directory("pub/d/").await, Ok(DirectoryDeletion::NotEmpty));
    assert_eq!(setup.delete_directory("pub/e/").await, Ok(DirectoryDeletion::Deleted));
    assert_eq!(setup.backend.directories(), ["pub/d/", "pub/d/b/"]);
    assert_eq!(setup.delete_tree("pub/d/").await, Ok(1));
    assert_eq!(setup.backend.directories(), Vec::<String>::new());
    assert_eq!(setup.delete_tree("pub/d/").await, Ok(0));
    assert_eq!(setup.delete_directory("pub/d/").await, Ok(DirectoryDeletion::Missing));
}

/// Of a directory that does not go, nobody says that it went; and nobody tries for ever.
#[tokio::test]
async fn a_directory_that_comes_again_is_not_said_to_be_gone() {
    let setup = Setup::new().await;
    setup.backend.keep_directories();
    setup.backend.put("pub/d/b/c", b"");
    let fault = Fault::Answer { status: 204, headers: "", body: String::new() };
    let is_directory = |request: &super::backend::Request| {
        request.method == "DELETE" && request.raw_path() == "/pub/d/b/"
    };
    setup.backend.fail(usize::MAX, is_directory, fault);
    let failed = ExecuteError::Failed { status: None, code: None };
    assert_eq!(setup.delete_tree("pub/d/").await, Err(TreeError { deleted: 1, error: failed }));
    assert!(setup.backend.requests().len() < 40);
    // One that is refused is.
    let setup = Setup::new().await;
    setup.backend.keep_directories();
    setup.backend.put("pub/d/b/c", b"");
    let fault = Fault::Error { status: 403, code: "AccessDenied", message: "canary" };
    setup.backend.fail(usize::MAX, is_directory, fault);
    let refused = ExecuteError::Refused { status: 403, code: Some("AccessDenied".into()) };
    assert_eq!(setup.delete_tree("pub/d/").await, Err(TreeError { deleted: 1, error: refused }));
}

/// A folder in a listing may stand for what is not reached: whether there is some is not told.
#[tokio::test]
async fn folders_of_what_is_not_reached_keep_no_directory() {
    let fields = "access: read-write\nrestrictions: [pub/d/]\ndeny: [pub/d/sub/hidden]";
    for keeps in [false, true] {
        let setup = Setup::with(fields).await;
        if keeps {
            setup.backend.keep_directories();
        }
        setup.backend.put("pub/d/", b"");
        setup.backend.put("pub/d/sub/hidden", b"");
        assert_eq!(setup.delete_directory("pub/d/").await, Ok(DirectoryDeletion::Deleted));
    }
}

/// A directory of which a listing says that it is there is there for its deletion, too.
#[tokio::test]
async fn listing_and_deletion_agree_on_what_is_there() {
    for keys in ["exact", "plain"] {
        for key in ["d/ctl\u{1}.txt", "d/../x", "d/a//b", "d/\\"] {
            // Passed through, and narrowed.
            for rules in ["restrictions: [pub/]", "restrictions: [pub/d/]\ndeny: [pub/d/no]"] {
                let setup =
                    Setup::with(&format!("access: read-write\nkeys: {keys}\n{rules}")).await;
                setup.backend.put(&format!("pub/{key}"), b"");
                let exists = setup.list("pub/d/", None, 0).await.expect("a page").exists;
                let shown = setup.list("pub/d/", None, 10).await.expect("a page").exists;
                let deleted = setup.delete_directory("pub/d/").await.expect("an answer");
                let expected = match exists {
                    true => DirectoryDeletion::NotEmpty,
                    false => DirectoryDeletion::Missing,
                };
                assert_eq!((shown, deleted), (exists, expected), "{keys} {key:?} {rules}");
            }
        }
    }
}

#[tokio::test]
async fn batches_are_no_larger_than_what_comes_back() {
    let setup = Setup::new().await;
    let keys: Vec<String> =
        (0..1_500).map(|n| format!("pub/data/{n:04}{}", "k".repeat(900))).collect();
    for key in &keys {
        setup.backend.put(key, b"");
    }
    assert_eq!(setup.delete_tree("pub/data/").await, Ok(1_500));
    for request in setup.backend.requests() {
        assert!(request.body_len < 400 << 10, "{}", request.body_len);
    }
}

#[tokio::test]
async fn a_tree_that_fails_half_way_says_what_went() {
    let setup = Setup::new().await;
    for number in 0..2_500 {
        setup.backend.put(&format!("pub/data/{number}"), b"");
    }
    let fault = Fault::Error { status: 403, code: "AccessDenied", message: "canary" };
    setup.backend.fail_after(1, 99, |request| request.method == "POST", fault);
    let refused = ExecuteError::Refused { status: 403, code: Some("AccessDenied".into()) };
    let error = TreeError { deleted: 1_000, error: refused };
    assert_eq!(setup.delete_tree("pub/data/").await, Err(error));
    assert_eq!(setup.backend.objects().len(), 1_500);

    // The second page of the first look fails: nothing goes.
    let setup = Setup::new().await;
    for number in 0..2_500 {
        setup.backend.put(&format!("pub/data/{number}"), b"");
    }
    let is_second =
        |request: &super::backend::Request| request.query("continuation-token").is_some();
    let fault = Fault::Error { status: 500, code: "InternalError", message: "canary" };
    setup.backend.fail(99, is_second, fault);
    let failed = ExecuteError::Failed { status: Some(500), code: Some("InternalError".into()) };
    let error = TreeError { deleted: 0, error: failed };
    assert_eq!(setup.delete_tree("pub/data/").await, Err(error));
    assert_eq!(setup.backend.objects().len(), 2_500);
}
