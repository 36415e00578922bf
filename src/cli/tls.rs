//! `pathward serve` by TLS: its certificate, and what follows that.

use std::path::PathBuf;

use clap::Args;

use super::{
    output::Failure,
    signals::{HangUps, reload_certificate},
};
use crate::gateway::Tls;

/// With what certificate TLS is spoken, if it is.
#[derive(Debug, Args)]
pub(super) struct TlsArgs {
    /// Speak HTTPS with this certificate, the portal too: a file in PEM, the server's own certificate first
    /// and the chain to its authority behind it. The file is followed
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The private key of the certificate: a file in PEM, without a passphrase (PKCS#8, SEC1 or PKCS#1).
    /// The file is followed
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl TlsArgs {
    /// Reads the two files, and from then on once more whenever the process is told to hang up.
    pub(super) fn load(&self) -> Result<Option<Tls>, Failure> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(None);
        };
        let tls = Tls::load(certificate, key).map_err(|error| {
            Failure::question(format!("the certificate does not load: {error}"))
        })?;
        tokio::spawn(reload_certificate(tls.clone(), HangUps::new()));
        Ok(Some(tls))
    }
}
