//! TLS at a gateway's listeners: with a certificate and its key from two files, which are followed.

mod pair;
mod transport;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use rustls::ServerConfig;
use tokio::{task::spawn_blocking, time::sleep};

pub use self::pair::TlsError;
use self::pair::{Files, Pair};
pub(super) use self::transport::Transport;
use crate::escape::escape;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// A certificate and its key, from two files in PEM: cheap to clone, every clone the same.
///
/// While a gateway [serves](super::Gateway::use_tls) by them, the files are looked at every second. New
/// connections get what is in them then, and those that are open stay. Files that do not make a pair are
/// told in the log, once, and the last pair that did stays.
///
/// TLS 1.2 and 1.3 are spoken, and HTTP/1.1 within. Nothing of the key is ever shown.
#[derive(Clone)]
pub struct Tls {
    shared: Arc<Shared>,
}

struct Shared {
    certificate: PathBuf,
    key: PathBuf,
    served: RwLock<Arc<ServerConfig>>,
    seen: Mutex<Seen>,
    /// Held by who follows the files.
    following: tokio::sync::Mutex<()>,
}

/// What was in the files.
struct Seen {
    /// The pair that is served.
    pair: Pair,
    /// Whether it was told that a certificate of the pair is not valid now.
    is_told: bool,
    /// What was in the files since, if that is no pair.
    refused: Option<Refused>,
}

struct Refused {
    found: Found,
    is_told: bool,
}

/// What was found in the files, as far as it is remembered.
#[derive(PartialEq, Eq)]
enum Found {
    Files([u8; 32]),
    Unread(String),
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.shared.certificate)
            .field("key", &self.shared.key)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads a certificate with those that stand between it and its authority, the server's own first, and
    /// the private key of the server's own: PKCS#8, SEC1 or PKCS#1, without a passphrase. Both may be in
    /// one file. It is told in the log if a certificate is not valid now, or if every user of this machine can
    /// read the key.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: a file cannot be read, has not in it what it should, or the key is another
    /// certificate's.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let (pair, config) = Files::read(certificate, key)?.pair()?;
        warn_of_readers(key);
        let shared = Shared {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            served: RwLock::new(config),
            seen: Mutex::new(Seen { pair, is_told: false, refused: None }),
            following: tokio::sync::Mutex::default(),
        };
        shared.seen.lock().unwrap_or_else(PoisonError::into_inner).warn_of_dates(certificate);
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Looks at the files at once, and not only when it is time. New connections get what is in them now;
    /// what is no pair is told in the log, and the last one that was stays. Reads files: not for where a
    /// thread may not wait.
    pub fn reload(&self) {
        self.look(true);
    }

    /// Looks at the files every second, for as long as this is polled. Of several that do so, one looks.
    pub(super) async fn follow(self) {
        let _one = self.shared.following.lock().await;
        loop {
            sleep(EVERY).await;
            let tls = self.clone();
            let _ = spawn_blocking(move || tls.look(false)).await;
        }
    }

    /// What the next connection is served with.
    fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.shared.served.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes what is in the files, if it is another pair. What is no pair is told when it is the same at a
    /// second look: somebody may be writing it. Or at once, to whoever asks for it.
    fn look(&self, is_asked: bool) {
        let Shared { certificate, key, served, seen, .. } = &*self.shared;
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let files = Files::read(certificate, key);
        let found = match &files {
            Ok(files) => Found::Files(files.digest()),
            Err(error) => Found::Unread(error.to_string()),
        };
        if found == Found::Files(seen.pair.digest) {
            seen.refused = None;
            return seen.warn_of_dates(certificate);
        }
        let before = seen.refused.take().filter(|refused| refused.found == found);
        if before.as_ref().is_some_and(|refused| refused.is_told) && !is_asked {
            seen.refused = before;
            return;
        }
        match files.and_then(|files| files.pair()) {
            Ok((pair, config)) => {
                *served.write().unwrap_or_else(PoisonError::into_inner) = config;
                *seen = Seen { pair, is_told: false, refused: None };
                tracing::info!(
                    target: "pathward::tls",
                    certificate = %escape(&certificate.display().to_string()),
                    "the certificate changed, and new connections get the new one"
                );
                warn_of_readers(key);
                seen.warn_of_dates(certificate);
            }
            Err(error) => {
                let is_told = is_asked || before.is_some();
                if is_told {
                    tracing::warn!(
                        target: "pathward::tls",
                        "the certificate does not load again and the last one stays: {error}"
                    );
                }
                seen.refused = Some(Refused { found, is_told });
            }
        }
    }
}

impl Seen {
    /// Says once if clients will refuse a certificate for its dates.
    fn warn_of_dates(&mut self, path: &Path) {
        if self.is_told {
            return;
        }
        if let Some(why) = self.pair.out_of_date() {
            self.is_told = true;
            tracing::warn!(
                target: "pathward::tls",
                "`{}`: {why}: clients refuse it. Put one into the file that is valid, and it is taken \
                 within seconds",
                escape(&path.display().to_string())
            );
        }
    }
}

fn warn_of_readers(key: &Path) {
    crate::readers::warn_of_readers(key, "this private key");
}
