//! The conformance suite: our own executor passes it, and each wrong one fails in the check that is for that.
#![cfg(all(feature = "conformance", feature = "embedded"))]
#![expect(clippy::expect_used, reason = "these are tests")]

mod memory;

use std::{io::Write as _, time::Duration};

use futures_util::{StreamExt as _, stream};
use pathward::{
    embedded::{Embedded, EmbeddedOptions},
    executor::{
        S3, S3Options,
        conformance::{self, Place, Report},
    },
};

use self::memory::{Memory, Wrong};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ours_passes_over_the_embedded_server() {
    let embedded = Embedded::start(EmbeddedOptions::default()).await.expect("it starts");
    let mut credentials = tempfile::NamedTempFile::new().expect("a file");
    write!(
        credentials,
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        embedded.access_key_id(),
        embedded.secret_access_key()
    )
    .expect("written");
    // Makes the bucket; beside the directories of the checks it is in nobody's way.
    let made = embedded.put("conformance", "made", "text/plain", "".into()).await;
    made.expect("a bucket");
    let place = Place {
        bucket: "conformance".into(),
        connection: format!(
            "endpoint: {}\nconditions: honoured\ncredentials: {{ file: {} }}",
            embedded.endpoint(),
            credentials.path().display()
        ),
    };
    let s3 = S3::new(S3Options { backoff: Duration::from_millis(1), ..S3Options::default() });
    let report = conformance::run(&s3, &place).await;
    assert!(report.is_passed(), "{report}");
    assert_eq!(report.skipped(), []);
    assert!(report.passed().len() >= 44, "{report}");
    // It leaves nothing behind, and can be run again.
    let again = conformance::run(&s3, &place).await;
    assert!(again.is_passed(), "{again}");
    embedded.shutdown().await;
}

/// Over whatever server `PATHWARD_CONFORMANCE` names: a file with a bucket in its first line, and behind it what a
/// [`Place`] says of the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ours_passes_over_a_named_server() {
    let Some(file) = std::env::var_os("PATHWARD_CONFORMANCE") else { return };
    let text = std::fs::read_to_string(file).expect("it is there");
    let (bucket, connection) = text.split_once('\n').expect("a bucket, and a connection");
    let place = Place { bucket: bucket.into(), connection: connection.trim_end().into() };
    let report = conformance::run(&S3::new(S3Options::default()), &place).await;
    println!("{report}");
    assert!(report.is_passed(), "{report}");
}

/// A place for an executor that has no server.
fn memory() -> Place {
    Place {
        bucket: "conformance".into(),
        connection:
            "endpoint: http://127.0.0.1:1\nconditions: honoured\ncredentials: { env: NONE }".into(),
    }
}

async fn run(wrong: Option<Wrong>) -> Report {
    conformance::run(&Memory::new("conformance", wrong), &memory()).await
}

/// An executor that is not ours, and needs nothing but what is public.
#[tokio::test]
async fn another_one_passes() {
    let report = run(None).await;
    assert!(report.is_passed() && report.skipped().is_empty(), "{report}");
}

/// What an executor may leave out is skipped, and nothing else is.
#[tokio::test]
async fn what_is_not_offered_is_skipped() {
    let report = conformance::run(&Memory::least("conformance"), &memory()).await;
    assert!(report.is_passed(), "{report}");
    let (mut parts, mut prefixes) = (0, 0);
    for (name, why) in report.skipped() {
        match *why {
            "the executor does not offer uploads in parts" => parts += 1,
            "the executor does not offer lists by prefix" => prefixes += 1,
            why => panic!("{name}: {why}"),
        }
    }
    assert_eq!((parts, prefixes), (11, 7), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_is_found_by_the_check_that_is_for_it() {
    // Parts are large: not all of them at once.
    let reports = stream::iter(Wrong::ALL).map(async |(wrong, check)| {
        let report = tokio::spawn(run(Some(wrong))).await.expect("it ends");
        (wrong, check, report)
    });
    let reports: Vec<_> = reports.buffered(16).collect().await;
    for (wrong, check, report) in reports {
        let failed: Vec<_> = report.failed().iter().map(|(name, _)| *name).collect();
        println!("{wrong:?}: {}", failed.join(", "));
        assert!(failed.contains(&check), "{wrong:?}: {report}");
        // It is about that, and not everything goes down with it.
        assert!(failed.len() <= 5, "{wrong:?}: {report}");
    }
}
