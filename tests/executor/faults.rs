//! Whatever a server does, callers get an error of ours, and nothing of what the server said.

use std::time::Duration;

use super::{
    DirectoryPage, ExecuteError, Executor, KEY_ID, ReadConditions, S3, SECRET, Setup, StatObject,
    backend::{Fault, Request},
    options, owned,
};

const CANARY: &str = "canary-text-of-the-server";

/// The errors of all operations, when every request has this fault.
async fn errors(fault: &Fault) -> Vec<ExecuteError> {
    let setup = Setup::hasty().await;
    setup.backend.put("pub/d/x", b"x");
    setup.backend.fail(usize::MAX, |_| true, fault.clone());
    // At once: some faults take their time.
    let results = tokio::join!(
        async { setup.read("pub/d/x").await.map(drop) },
        async { setup.stat("pub/d/x").await.map(drop) },
        async { setup.write("pub/d/x", b"").await.map(drop) },
        setup.create_directory("pub/d/"),
        setup.delete("pub/d/x"),
        setup.copy("pub/d/x", "pub/y"),
        async { setup.delete_tree("pub/d/").await.map(drop).map_err(|error| error.error) },
        async { setup.delete_directory("pub/d/").await.map(drop) },
        async { setup.list("pub/", None, 10).await.map(drop) },
        async { setup.list("", None, 10).await.map(drop) },
        setup.delete_many(&["pub/a", "pub/b"]),
    );
    let (read, stat, write, create, delete, copy, tree, directory, list, root, many) = results;
    let mut errors: Vec<_> = [read, stat, write, create, delete, copy, tree]
        .into_iter()
        .map(|result| result.expect_err("a fault"))
        .collect();
    // Of these some are answers when something is not there.
    errors.extend([directory, list, root].into_iter().chain(many).filter_map(Result::err));
    errors
}

#[tokio::test]
async fn errors_say_what_kind_they_are_and_nothing_else() {
    let answer = |status, code| Fault::Error { status, code, message: CANARY };
    let refused =
        |status, code: Option<&str>| ExecuteError::Refused { status, code: code.map(Into::into) };
    let failed = |status, code: Option<&str>| ExecuteError::Failed {
        status: Some(status),
        code: code.map(Into::into),
    };
    for (fault, expected) in [
        (answer(403, "AccessDenied"), refused(403, Some("AccessDenied"))),
        (answer(403, "canary-text-of-the-server"), refused(403, None)),
        (answer(500, "InternalError"), failed(500, Some("InternalError"))),
        (answer(503, "SlowDown"), ExecuteError::Busy { retry_after: None }),
        (
            Fault::Answer { status: 503, headers: "retry-after: 7\r\n", body: CANARY.into() },
            ExecuteError::Busy { retry_after: Some(Duration::from_secs(7)) },
        ),
        (answer(400, "EntityTooLarge"), ExecuteError::TooLarge),
        (Fault::Close, ExecuteError::Unreachable),
        (Fault::Delay(Duration::from_secs(30)), ExecuteError::TimedOut),
        (
            Fault::Answer {
                status: 302,
                headers: "location: http://127.0.0.1:9/canary-text-of-the-server\r\n",
                body: String::new(),
            },
            failed(302, None),
        ),
    ] {
        for error in errors(&fault).await {
            // A HEAD's answer has no body, and so no code.
            let bare = match &expected {
                ExecuteError::Refused { status, .. } => refused(*status, None),
                ExecuteError::Failed { status: Some(status), .. } => failed(*status, None),
                ExecuteError::TooLarge => failed(400, None),
                other => other.clone(),
            };
            assert!(error == expected || error == bare, "{fault:?}: {error:?}, not {expected:?}");
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("canary"), "{shown}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_missing() {
    let answer = |code| Fault::Error { status: 404, code, message: CANARY };
    for fault in [answer("NoSuchKey"), answer("NoSuchBucket"), answer("Odd")] {
        for error in errors(&fault).await {
            assert_eq!(error, ExecuteError::Missing);
        }
    }
}

#[tokio::test]
async fn answers_that_make_no_sense_are_failures() {
    for (headers, body) in [
        ("", "<ListBucketResult><Contents><Key>canary"),
        ("", "canary, and no XML"),
        (
            "content-type: application/xml\r\n",
            "<?xml version='1.0'?><!DOCTYPE canary [<!ENTITY a 'canary'>]><x>&a;</x>",
        ),
    ] {
        let setup = Setup::hasty().await;
        setup.backend.put("pub/d/x", b"x");
        let fault = Fault::Answer { status: 200, headers, body: body.into() };
        setup.backend.fail(usize::MAX, |_| true, fault);
        for result in [
            setup.list("pub/", None, 10).await.map(|_| ()),
            setup.list("", None, 10).await.map(|_| ()),
        ] {
            let shown = format!("{result:?}");
            assert!(!shown.contains("canary"), "{shown}");
        }
        drop(setup.delete_tree("pub/d/").await);
        drop(setup.delete_many(&["pub/a", "pub/b"]).await);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_cannot_be_reached() {
    let setup = Setup::hasty().await;
    // Nobody listens on the port of a listener that is gone.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = gone.local_addr().expect("an address");
    drop(gone);
    let policy = pathward::Policy::from_yaml(
        "policy.yaml",
        &format!("connections: [{{ id: s3+t, owner: o, endpoint: 'http://{address}', credentials: {{ file: {} }} }}]", super::credentials().path().display()),
    )
    .expect("a policy");
    let lost = Setup { engine: pathward::Engine::new(policy), ..setup };
    // Nor is the file of its credentials there any more.
    assert_eq!(lost.stat("pub/x").await, Err(ExecuteError::Credentials));
    let setup = Setup::hasty().await;
    let file = super::credentials();
    let policy = pathward::Policy::from_yaml(
        "policy.yaml",
        &format!("connections: [{{ id: s3+t, owner: o, endpoint: 'http://{address}', credentials: {{ file: {} }} }}]", file.path().display()),
    )
    .expect("a policy");
    let lost = Setup { engine: pathward::Engine::new(policy), ..setup };
    assert_eq!(lost.stat("pub/x").await, Err(ExecuteError::Unreachable));
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let setup = Setup::hasty().await;
    setup.backend.put("pub/x", b"x");
    let faults = [
        Fault::Error { status: 500, code: "InternalError", message: "" },
        Fault::Error { status: 503, code: "SlowDown", message: "" },
        Fault::Close,
    ];
    for fault in faults {
        setup.backend.fail(1, |_| true, fault.clone());
        assert_eq!(setup.read("pub/x").await.as_deref(), Ok(&b"x"[..]), "{fault:?}");
        setup.backend.fail(1, |_| true, fault.clone());
        assert_eq!(setup.write("pub/y", b"y").await, Ok(1), "{fault:?}");
    }
}

#[tokio::test]
async fn a_listing_whose_second_page_fails_fails() {
    let setup = Setup::hasty().await;
    for number in 0..1_500 {
        setup.backend.put(&format!("pub/{number}"), b"");
    }
    let is_second = |request: &Request| request.query("continuation-token").is_some();
    setup.backend.fail(
        99,
        is_second,
        Fault::Error { status: 500, code: "InternalError", message: CANARY },
    );
    let result = setup.list("pub/", None, 5_000).await;
    assert_eq!(
        result,
        Err(ExecuteError::Failed { status: Some(500), code: Some("InternalError".into()) })
    );
    let page = setup.list("pub/", None, 500).await.expect("the first page is enough");
    assert_eq!(page, DirectoryPage { next: page.next.clone(), ..page.clone() });
}

#[tokio::test]
async fn no_secret_shows() {
    let setup = Setup::hasty().await;
    setup.backend.put("pub/x", b"x");
    setup.read("pub/x").await.expect("read");
    let shown = format!("{:?} {:#?}", setup.s3, setup.s3);
    assert!(!shown.contains(KEY_ID) && !shown.contains(SECRET), "{shown}");
    for request in setup.backend.requests() {
        assert!(!format!("{request:?}").contains(SECRET));
        // The id is part of a signature; nothing else of ours is sent.
        assert!(request.header("authorization").is_some_and(|value| value.contains(KEY_ID)));
    }
}

#[tokio::test]
async fn connections_to_one_account_share_a_client() {
    let backend = super::Backend::start().await;
    backend.put("pub/x", b"x");
    let file = super::credentials();
    let other = super::credentials();
    let connection = |label: &str, file: &tempfile::NamedTempFile| {
        format!(
            "{{ id: s3+{label}, owner: o, endpoint: '{}', credentials: {{ file: {} }} }}",
            backend.endpoint(),
            file.path().display()
        )
    };
    let text = format!(
        "connections: [{}, {}, {}]",
        connection("a", &file),
        connection("b", &file),
        connection("c", &other)
    );
    let policy = pathward::Policy::from_yaml("policy.yaml", &text).expect("a policy");
    let engine = pathward::Engine::new(policy);
    let s3 = S3::new(options());
    for label in ["s3+a", "s3+b", "s3+c", "s3+a"] {
        let id = pathward::ConnectionId::parse(label).expect("an id");
        let caller = pathward::Caller::with_full_permission("o");
        let approved = engine.approve(caller, &id, StatObject { path: owned("pub/x") });
        assert_eq!(
            s3.stat(approved.expect("allowed"), ReadConditions::default())
                .await
                .map(|info| info.size),
            Ok(1)
        );
    }
    assert!(format!("{s3:?}").contains("made: 2"), "{s3:?}");
}
