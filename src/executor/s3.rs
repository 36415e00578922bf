//! S3, by `aws-sdk-s3`.

/// Runs approved operations on S3 and on servers that speak its protocol.
#[derive(Debug, Default)]
pub struct S3 {}
