//! What a hostile caller or server tries on the executor.

use super::{ExecuteError, Setup};

/// The S3 client takes buckets of some names for aliases of other services, and makes another host
/// of them.
#[tokio::test]
async fn a_buckets_name_chooses_no_host() {
    let setup = Setup::new().await;
    // As the client's rules take it apart: 63 characters, the kind of hardware at the fiftieth.
    for bucket in [
        format!(
            "{}--op-s3",
            "ab0-test-o0123456789abcdefg".repeat(3)[..14].to_owned() + &"e".repeat(42)
        ),
        format!("{}--op-s3", "test-accessp-".to_owned() + &"o".repeat(43)),
        "pathward-test--use1-az4--x-s3".to_owned(),
        "pathward-test--s3alias".to_owned(),
        "pathward-test--ol-s3".to_owned(),
        "arn-aws-s3".to_owned(),
        "pathward.test--use1-az4--x-s3".to_owned(),
        "pathward-test--table-s3".to_owned(),
    ] {
        let path = format!("{bucket}/k");
        setup.backend.put(&path, b"here");
        let read = setup.read(&path).await;
        let refused = matches!(read, Err(ExecuteError::KeyNotSendable));
        assert!(refused || read == Ok(b"here".to_vec()), "{bucket}: {read:?}");
    }
}
