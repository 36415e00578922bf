//! An S3 server inside the process, for trying things out and for tests.
//!
//! It listens on loopback only, on a port that the system chooses, with credentials made at each
//! start, and is meant to be asked through the same signed HTTP client as any other S3, so that
//! what works with it goes the whole way.
//!
//! Keys are kept exactly as they are sent, and listed in the order of their bytes: there is no
//! file system below them that could resolve `..`, merge `//` or fold case. That is why it has a
//! store of its own: the ready-made servers in crates do one or the other.
//!
//! What it is not: a server for data that matters. The index of all keys is in memory (some
//! hundred bytes a key), also when [`EmbeddedOptions::data`] keeps it on disk. There are no
//! versions, no access control lists and no encryption.
//!
//! ```
//! use pathward::embedded::{Embedded, EmbeddedOptions};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let server = Embedded::start(EmbeddedOptions::default()).await?;
//! server.put("Algorithmia", "team.txt", "text/plain", "us".into()).await?;
//! assert!(server.endpoint().starts_with("http://127.0.0.1:"));
//! server.shutdown().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod credentials;
pub mod demo;
mod error;
mod guard;
mod server;
mod service;
mod store;

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc};

use bytes::Bytes;

pub use self::error::EmbeddedError;
use self::{credentials::Credentials, server::Server, store::Store};

/// How an [`Embedded`] server is to be. The default keeps everything in memory.
///
/// `Debug` does not show the secret.
#[derive(Clone, Default)]
pub struct EmbeddedOptions {
    /// The folder to keep objects in, made where it is missing. `None`: in memory, gone at the end.
    pub data: Option<PathBuf>,
    /// The key id and the secret that clients sign with. `None`: random ones. Fixed ones are for
    /// tests that compare signatures.
    pub credentials: Option<(String, String)>,
    /// The port of loopback to listen on; 0 takes a free one.
    pub port: u16,
}

impl EmbeddedOptions {
    /// Objects are kept in this folder.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { data: Some(folder.into()), ..Self::default() }
    }

    /// Clients sign with this key id and secret.
    #[must_use]
    pub fn with_credentials(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.credentials = Some((id.into(), secret.into()));
        self
    }
}

impl EmbeddedOptions {
    /// It listens on this port.
    #[must_use]
    pub fn at_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }
}

impl fmt::Debug for EmbeddedOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedOptions").field("data", &self.data).finish_non_exhaustive()
    }
}

/// A running S3 server on loopback. Dropping it ends it at once; [`Embedded::shutdown`] lets the
/// requests under way end first.
///
/// `Debug` shows neither the key id nor the secret.
pub struct Embedded {
    address: SocketAddr,
    credentials: Credentials,
    store: Arc<Store>,
    server: Server,
}

impl Embedded {
    /// Opens the store and listens on 127.0.0.1. Must be called in a tokio runtime, which then
    /// runs the server.
    ///
    /// # Errors
    ///
    /// The folder cannot be used or another process has it open, no port can be listened on, or
    /// the system gives no random bytes.
    pub async fn start(options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let credentials = match options.credentials {
            Some((id, secret)) => Credentials { id, secret },
            None => Credentials::random()?,
        };
        let store = Arc::new(Store::open(options.data).await?);
        let service = service::build(&store, &credentials);
        let (server, address) = Server::start(service, options.port).await?;
        Ok(Self { address, credentials, store, server })
    }

    /// The address to give to clients, such as `http://127.0.0.1:40123`. Buckets are in the path.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port of loopback that it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The id of the key that requests are signed with: 20 characters.
    pub fn access_key_id(&self) -> &str {
        &self.credentials.id
    }

    /// The secret that requests are signed with: 40 characters.
    pub fn secret_access_key(&self) -> &str {
        &self.credentials.secret
    }

    /// Puts an object into the store, not by way of HTTP, and makes the bucket where it is missing.
    ///
    /// # Errors
    ///
    /// The bucket's name or the key is not one that S3 has, or the disk fails.
    pub async fn put(
        &self,
        bucket: &str,
        key: &str,
        content_type: &str,
        bytes: Bytes,
    ) -> Result<(), EmbeddedError> {
        service::seed(&self.store, bucket, key, content_type, &bytes)
            .await
            .map_err(|refused| EmbeddedError::Refused(refused.code().as_str().to_owned()))
    }

    /// Whether there is such a bucket.
    pub fn has_bucket(&self, name: &str) -> bool {
        self.store.read(|state| state.buckets.contains_key(name))
    }

    /// Ends the server: nothing new is accepted, and what is under way has five seconds to end.
    pub async fn shutdown(self) {
        self.server.shutdown().await;
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("address", &self.address).finish_non_exhaustive()
    }
}
