//! Probing finds the aliases that a server has, touches nothing else, and leaves nothing behind.

use pathward::{
    executor::{Alias, Conditional, Heed, ProbeError, ProbeReport, probe},
    policy::Conditions,
};

use super::{ExecuteError, Setup, backend::Fault, owned};

async fn report(setup: &Setup, prefix: &str) -> Result<ProbeReport, ProbeError> {
    let connection = &setup.engine.policy().connections()[0];
    probe(&setup.s3, connection, &owned(prefix)).await
}

#[tokio::test]
async fn aliases_are_found_each_by_itself() {
    type Case = (fn(&str) -> String, &'static [Alias]);
    let cases: [Case; 10] = [
        (|key| key.to_owned(), &[]),
        (|key| key.replace("//", "/"), &[Alias::EmptySegment]),
        (|key| key.trim_start_matches('/').to_owned(), &[Alias::LeadingSlash]),
        (|key| key.replace('\\', "/"), &[Alias::Backslash]),
        (|key| key.trim_end_matches('/').to_owned(), &[Alias::TrailingSlash]),
        (|key| key.to_lowercase(), &[Alias::Case]),
        (|key| key.replace('+', " "), &[Alias::Plus]),
        (|key| key.replace("%41", "A"), &[Alias::Percent]),
        (|key| key.replace('\u{e9}', "e\u{301}"), &[Alias::Unicode]),
        (|key| key.trim_end().to_owned(), &[Alias::TrailingSpace]),
    ];
    for (takes_for, expected) in cases {
        // What the connection may do is not looked at.
        let setup = Setup::with("restrictions: [elsewhere/x]").await;
        setup.backend.put("pub/probe/other", b"kept");
        setup.backend.take_keys_for(takes_for);
        let report = report(&setup, "pub/probe/").await.expect("a report");
        let aliases: Vec<Alias> = report.aliases().collect();
        assert_eq!(aliases, expected);
        assert!(report.is_clean);
        let is_plain = expected.iter().any(|alias| alias.is_refused_by_plain());
        assert_eq!(report.keys() == pathward::Keys::Plain, is_plain, "{expected:?}");
        assert_eq!(setup.backend.objects(), ["pub/probe/other"]);
        for request in setup.backend.requests() {
            let (bucket, key) = request.bucket_and_key();
            let key = String::from_utf8(key).expect("UTF-8");
            assert_eq!(bucket, b"pub");
            let is_inside = key.starts_with("probe/pathward-probe-")
                || (request.method == "GET" && key.starts_with("/probe/pathward-probe-"))
                || (key.is_empty()
                    && request
                        .query("prefix")
                        .is_none_or(|prefix| prefix.starts_with("probe/pathward-probe-")));
            assert!(is_inside, "{} {}", request.method, request.target);
        }
    }
}

#[tokio::test]
async fn conditions_are_tried_each_by_itself() {
    use Conditional::{Complete, Delete, Put};
    for (honours, honoured) in [
        (&["put", "complete", "delete"][..], &[Put, Complete, Delete][..]),
        (&["put"], &[Put]),
        (&["put", "complete"], &[Put, Complete]),
        (&[], &[]),
    ] {
        let setup = Setup::new().await;
        setup.backend.bucket("pub");
        setup.backend.honour(honours);
        let report = report(&setup, "pub/probe/").await.expect("a report");
        for (conditional, heed) in &report.conditional {
            let is_honoured = honoured.contains(conditional);
            assert_eq!(
                *heed == Heed::Honoured,
                is_honoured,
                "{honours:?} {conditional:?} {heed:?}"
            );
            assert_eq!(
                *heed == Heed::Ignored,
                !is_honoured,
                "{honours:?} {conditional:?} {heed:?}"
            );
        }
        assert_eq!(report.conditional.len(), 3);
        let right = if honoured.len() == 3 { Conditions::Honoured } else { Conditions::None };
        assert_eq!(report.conditions(), right, "{honours:?}");
        assert!(report.is_clean);
        assert_eq!(setup.backend.objects(), [""; 0]);
    }
    // One that says that it knows none does no harm.
    let setup = Setup::new().await;
    setup.backend.bucket("pub");
    setup.backend.honour(&["complete", "delete"]);
    let fault = Fault::Error { status: 501, code: "NotImplemented", message: "" };
    let is_put = |request: &super::backend::Request| {
        request.method == "PUT" && request.header("if-none-match").is_some()
    };
    setup.backend.fail(usize::MAX, is_put, fault);
    let report = report(&setup, "pub/probe/").await.expect("a report");
    assert_eq!(report.conditional[0], (Put, Heed::Refused));
    assert_eq!(report.conditions(), Conditions::Honoured);
}

#[tokio::test]
async fn a_prefix_has_to_be_one() {
    let setup = Setup::new().await;
    for prefix in ["", "pub", "pub/", "pub/x", "pub//x/", "pub//", "pub/a*/", "pub/a\\b/", "pub/ /"]
    {
        assert_eq!(report(&setup, prefix).await, Err(ProbeError::Prefix), "{prefix}");
    }
    assert_eq!(setup.backend.requests().len(), 0);
}

#[tokio::test]
async fn a_server_that_fails_is_no_exact_server() {
    let setup = Setup::new().await;
    setup.backend.bucket("pub");
    let fault = Fault::Error { status: 403, code: "AccessDenied", message: "canary" };
    setup.backend.fail(usize::MAX, |_| true, fault);
    let refused = ExecuteError::Refused { status: 403, code: Some("AccessDenied".into()) };
    assert_eq!(report(&setup, "pub/probe/").await, Err(ProbeError::Execute(refused)));

    // One that does not store odd keys has no aliases by them.
    let setup = Setup::new().await;
    setup.backend.bucket("pub");
    let fault = Fault::Error { status: 400, code: "InvalidArgument", message: "" };
    let is_odd = |request: &super::backend::Request| {
        request.bucket_and_key().1.contains(&b'\\') && request.method == "PUT"
    };
    setup.backend.fail(usize::MAX, is_odd, fault);
    let report = report(&setup, "pub/probe/").await.expect("a report");
    assert_eq!(report.aliases().count(), 0);
}

#[cfg(feature = "cli")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_says_which_setting_is_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = folder.path().join("policy.yaml");
    for (takes_for, keys, code) in [
        ((|key| key.to_owned()) as fn(&str) -> String, "exact", 0),
        (|key| key.to_owned(), "plain", 0),
        (|key| key.replace("//", "/"), "plain", 0),
        (|key| key.replace("//", "/"), "exact", 4),
        (|key| key.to_lowercase(), "plain", 4),
    ] {
        let backend = super::Backend::start().await;
        backend.bucket("pub");
        backend.take_keys_for(takes_for);
        // Credentials from the environment, by the prefix that the connection names.
        let text = format!(
            "connections: [{{ id: s3+t, owner: o, endpoint: '{}', keys: {keys}, credentials: {{ env: PROBE }}, restrictions: [x-y/z] }}]",
            backend.endpoint()
        );
        std::fs::write(&policy, text).expect("written");
        let run = |json: bool, secret: &'static str| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pathward"));
            command.args(["probe", "s3+t", "--under", "pub/probe/", "--policy"]).arg(&policy);
            if json {
                command.args(["--format", "json"]);
            }
            command
                .env("PROBE_ACCESS_KEY_ID", super::KEY_ID)
                .env("PROBE_SECRET_ACCESS_KEY", secret);
            tokio::task::block_in_place(|| command.output()).expect("it runs")
        };
        let ran = run(false, super::SECRET);
        let (out, err) =
            (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert_eq!(ran.status.code(), Some(code), "{out}{err}");
        assert!(out.contains(&format!("the connection has `keys: {keys}`")), "{out}");
        assert!(out.contains("`conditions: none` is right for this server"), "{out}");
        let ran = run(true, super::SECRET);
        let json: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON");
        assert_eq!(json["guarded"], code == 0, "{json}");
        assert_eq!(json["findings"].as_array().map(Vec::len), Some(9));
        assert_eq!(
            json["conditional"][2],
            serde_json::json!({"name": "delete", "heed": "ignored"})
        );
        let ran = run(true, "");
        assert_eq!(ran.status.code(), Some(1), "no credentials");
    }
}
