//! The conformance suite: our own executor passes it, and each wrong one fails in the check that is for that.
#![cfg(all(feature = "conformance", feature = "embedded"))]
#![expect(clippy::expect_used, reason = "these are tests")]

mod memory;

use std::{io::Write as _, time::Duration};

use futures_util::future::join_all;
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
    assert!(report.passed().len() >= 24, "{report}");
    // It leaves nothing behind, and can be run again.
    let again = conformance::run(&s3, &place).await;
    assert!(again.is_passed(), "{again}");
    embedded.shutdown().await;
}

async fn run(wrong: Option<Wrong>) -> Report {
    let place = Place {
        bucket: "conformance".into(),
        connection:
            "endpoint: http://127.0.0.1:1\nconditions: honoured\ncredentials: { env: NONE }".into(),
    };
    conformance::run(&Memory::new("conformance", wrong), &place).await
}

/// An executor that is not ours, and needs nothing but what is public.
#[tokio::test]
async fn another_one_passes() {
    let report = run(None).await;
    assert!(report.is_passed() && report.skipped().is_empty(), "{report}");
}

#[tokio::test]
async fn each_fault_is_found_by_the_check_that_is_for_it() {
    let reports = join_all(Wrong::ALL.map(|(wrong, _)| run(Some(wrong)))).await;
    for ((wrong, check), report) in Wrong::ALL.into_iter().zip(reports) {
        let failed: Vec<_> = report.failed().iter().map(|(name, _)| *name).collect();
        println!("{wrong:?}: {}", failed.join(", "));
        assert!(failed.contains(&check), "{wrong:?}: {report}");
        // It is about that, and not everything goes down with it.
        assert!(failed.len() <= 5, "{wrong:?}: {report}");
    }
}
