//! The embedded S3 server as a process of its own, for trying S3 clients on it:
//!
//! ```sh
//! cargo run --example embedded-s3
//! ```
//!
//! prints its address and its credentials as one line of JSON, and runs until it is stopped.

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use pathward::embedded::{Embedded, EmbeddedOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Embedded::start(EmbeddedOptions::default()).await?;
    println!(
        "{}",
        serde_json::json!({
            "endpoint": server.endpoint(),
            "access_key": server.access_key_id(),
            "secret_key": server.secret_access_key(),
        })
    );
    tokio::signal::ctrl_c().await?;
    server.shutdown().await;
    Ok(())
}
