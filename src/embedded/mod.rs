//! An S3 server inside the process.
