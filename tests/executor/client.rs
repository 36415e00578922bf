//! How a server is asked: again where that helps, in the region and by the clock that it has, and with credentials
//! that are good.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, SystemTime},
};

use super::{
    ExecuteError, S3, S3Options, Setup,
    backend::{Fault, Request},
    options,
};

fn regions(requests: &[Request]) -> Vec<String> {
    let region = |request: &Request| {
        let signed = request.header("authorization")?;
        Some(signed.split('/').nth(2)?.to_owned())
    };
    requests.iter().map(|request| region(request).expect("signed")).collect()
}

#[tokio::test]
async fn a_bucket_in_another_region_is_asked_there() {
    for status in [301, 400, 403] {
        let setup = Setup::new().await;
        setup.backend.put("pub/x", b"x");
        let elsewhere = Fault::Answer {
            status,
            headers: "x-amz-bucket-region: eu-west-1\r\n",
            body: "<Error><Code>PermanentRedirect</Code></Error>".to_owned(),
        };
        setup.backend.fail(1, |_| true, elsewhere);
        assert_eq!(setup.write("pub/x", b"y").await, Ok(1), "{status}");
        // It is remembered of this bucket.
        assert_eq!(setup.read("pub/x").await.as_deref(), Ok(&b"y"[..]));
        assert_eq!(setup.read("other/x").await, Err(ExecuteError::Missing));
        let asked = regions(&setup.backend.requests());
        assert_eq!(asked, ["us-east-1", "eu-west-1", "eu-west-1", "us-east-1"], "{status}");
    }
}

#[tokio::test]
async fn a_server_that_sends_from_region_to_region_is_not_followed() {
    let setup = Setup::new().await;
    for region in ["eu-west-1", "us-west-2", "eu-west-1"] {
        let headers: &str = match region {
            "eu-west-1" => "x-amz-bucket-region: eu-west-1\r\n",
            _ => "x-amz-bucket-region: us-west-2\r\n",
        };
        setup.backend.fail(
            1,
            |_| true,
            Fault::Answer { status: 301, headers, body: String::new() },
        );
    }
    assert!(matches!(setup.stat("pub/x").await, Err(ExecuteError::Failed { .. })));
    assert_eq!(setup.backend.requests().len(), 2);
    // What is no name of a region is not asked.
    let setup = Setup::new().await;
    let headers = "x-amz-bucket-region: evil.example/\r\n";
    let fault = Fault::Answer { status: 301, headers, body: String::new() };
    setup.backend.fail(9, |_| true, fault);
    assert!(setup.stat("pub/x").await.is_err());
    assert_eq!(regions(&setup.backend.requests()), ["us-east-1"]);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_put_right() {
    let setup = Setup::new().await;
    setup.backend.put("pub/x", b"x");
    let theirs = SystemTime::now() + Duration::from_secs(3_600);
    let headers = format!("date: {}\r\n", httpdate::fmt_http_date(theirs));
    let fault = Fault::Answer {
        status: 403,
        headers: headers.leak(),
        body: "<Error><Code>RequestTimeTooSkewed</Code></Error>".to_owned(),
    };
    setup.backend.fail(1, |_| true, fault.clone());
    assert_eq!(setup.write("pub/y", b"y").await, Ok(1));
    assert_eq!(setup.read("pub/x").await.as_deref(), Ok(&b"x"[..]));
    let requests = setup.backend.requests();
    let sent = |at: usize| requests[at].header("x-amz-date").expect("a date").to_owned();
    assert_eq!(requests.len(), 3);
    // Times of this form are in the order of their texts.
    assert!(sent(1) > sent(0) && sent(2) >= sent(1), "{} {} {}", sent(0), sent(1), sent(2));
    let now: u64 = sent(0)[9..13].parse().expect("hours and minutes");
    let then: u64 = sent(1)[9..13].parse().expect("hours and minutes");
    let minutes = |time: u64| 60 * (time / 100) + time % 100;
    let ahead = (minutes(then) + 1_440 - minutes(now)) % 1_440;
    assert!((59..=61).contains(&ahead), "{ahead} minutes");
    // A server that is not content with its own time is not asked again.
    setup.backend.fail(9, |_| true, fault.clone());
    assert!(matches!(setup.stat("pub/x").await, Err(ExecuteError::Refused { .. })));
    assert_eq!(setup.backend.requests().len(), 4);
    // A time that is no clock's is none.
    for date in ["Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:01 GMT"] {
        let setup = Setup::new().await;
        let headers: &str = format!("date: {date}\r\n").leak();
        let fault = Fault::Answer { status: 403, headers, body: String::new() };
        setup.backend.fail(9, |_| true, fault);
        assert!(matches!(setup.stat("pub/x").await, Err(ExecuteError::Refused { .. })));
        assert_eq!(setup.backend.requests().len(), 1, "{date}");
    }
    // The answer to a HEAD does not say why.
    let setup = Setup::new().await;
    setup.backend.put("pub/x", b"x");
    setup.backend.fail(1, |_| true, fault);
    assert_eq!(setup.stat("pub/x").await, Ok(1));
}

/// Servers that take long answer with a head that says that all is well, before they know.
#[tokio::test]
async fn an_error_in_an_answer_that_is_none_is_one() {
    let inside = |code: &str| Fault::Answer {
        status: 200,
        headers: "",
        body: format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code></Error>"),
    };
    let failed = |code: &str| ExecuteError::Failed { status: None, code: Some(code.into()) };
    for (code, expected) in [
        ("InternalError", failed("InternalError")),
        ("SlowDown", ExecuteError::Busy { retry_after: None }),
        ("AccessDenied", ExecuteError::Refused { status: 403, code: Some("AccessDenied".into()) }),
        ("NoSuchKey", ExecuteError::Missing),
    ] {
        let setup = Setup::new().await;
        setup.backend.put("pub/x", b"x");
        let large = vec![b'x'; 9 << 20];
        setup.backend.fail(usize::MAX, |request| request.method == "POST", inside(code));
        setup.backend.fail(
            usize::MAX,
            |request| request.header("x-amz-copy-source").is_some(),
            inside(code),
        );
        assert_eq!(setup.copy("pub/x", "pub/y").await, Err(expected.clone()), "{code}");
        let deleted = setup.delete_many(&["pub/a", "pub/b"]).await;
        assert_eq!(deleted, [Err(expected.clone()), Err(expected.clone())], "{code}");
        let stored = setup.upload("pub/large", super::Body::from_bytes(large.into()), None).await;
        assert_eq!(stored, Err(expected), "{code}");
        assert!(setup.backend.get(b"pub/large").is_none() && setup.backend.get(b"pub/y").is_none());
    }
    // One that passes is no failure.
    let setup = Setup::new().await;
    setup.backend.put("pub/x", b"x");
    setup.backend.fail(1, |_| true, inside("InternalError"));
    assert_eq!(setup.copy("pub/x", "pub/y").await, Ok(()));
    // An answer of another kind is no answer.
    setup.backend.fail(
        usize::MAX,
        |_| true,
        Fault::Answer { status: 200, headers: "", body: "<ListBucketResult/>".to_owned() },
    );
    let senseless = ExecuteError::Failed { status: None, code: None };
    assert_eq!(setup.copy("pub/x", "pub/z").await, Err(senseless));
}

/// Many requests that all fail are not all sent as often as one may be.
#[tokio::test]
async fn a_server_that_fails_everything_is_asked_little_more_than_once() {
    let setup = Setup::new().await;
    let s3 = S3::new(S3Options { attempts: 3, ..options() });
    let setup = Setup { s3, ..setup };
    setup.backend.fail(
        usize::MAX,
        |_| true,
        Fault::Error { status: 500, code: "InternalError", message: "" },
    );
    for _ in 0..300 {
        assert!(setup.stat("pub/x").await.is_err());
    }
    let asked = setup.backend.requests().len();
    assert!((350..=400).contains(&asked), "{asked} requests for 300");
}

/// Credentials that end are loaded anew a minute before, by one of those who need them.
#[tokio::test]
async fn credentials_that_end_are_loaded_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, program) = (folder.path().join("log"), folder.path().join("program"));
    let make = |seconds: u64, fails: bool| {
        let end = humantime(SystemTime::now() + Duration::from_secs(seconds));
        let text = format!(
            "#!/bin/sh\necho x >> {}\n{}\necho '{{\"Version\":1,\"AccessKeyId\":\"AK\",\
             \"SecretAccessKey\":\"sk\",\"SessionToken\":\"tok\",\"Expiration\":\"{end}\"}}'\n",
            log.display(),
            if fails { "exit 1" } else { "" },
        );
        fs::write(&program, text).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("set");
    };
    let profile = folder.path().join("credentials");
    fs::write(&profile, format!("[default]\ncredential_process = {}\n", program.display()))
        .expect("written");
    let loads = || fs::read_to_string(&log).map_or(0, |text| text.lines().count());
    let setup = Setup::new().await;
    setup.backend.put("pub/x", b"x");
    let by = || {
        let text = setup.text.lines().map(|line| match line.contains("credentials:") {
            true => format!("    credentials: {{ file: {} }}\n", profile.display()),
            false => format!("{line}\n"),
        });
        let policy = pathward::Policy::from_yaml("policy.yaml", &text.collect::<String>());
        pathward::Engine::new(policy.expect("a policy"))
    };
    make(3_600, false);
    let setup = Setup { engine: by(), ..setup };
    let all = (0..8).map(|_| setup.read("pub/x"));
    for read in futures_util::future::join_all(all).await {
        assert!(read.is_ok());
    }
    assert_eq!(loads(), 1);
    assert_eq!(setup.backend.requests()[0].header("x-amz-security-token"), Some("tok"));
    // Those that end within a minute are loaded again for each request; if that fails, they do.
    let setup = Setup { s3: S3::new(options()), ..setup };
    make(30, false);
    assert!(setup.read("pub/x").await.is_ok() && setup.read("pub/x").await.is_ok());
    assert_eq!(loads(), 3);
    make(30, true);
    assert!(setup.read("pub/x").await.is_ok());
    assert_eq!(loads(), 4);
    // Those that ended do not, and nothing is sent.
    let setup = Setup { s3: S3::new(options()), ..setup };
    let before = setup.backend.requests().len();
    assert_eq!(setup.read("pub/x").await, Err(ExecuteError::Credentials));
    assert_eq!(setup.backend.requests().len(), before);
}

/// A time as the AWS tools write it.
fn humantime(time: SystemTime) -> String {
    let time = time::OffsetDateTime::from(time);
    let format =
        time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    time.format(&format).expect("a time")
}
