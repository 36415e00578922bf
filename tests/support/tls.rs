//! Certificates of listeners, and clients that trust the authority behind them.

use std::{fs, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

const AUTHORITY: &str = include_str!("../data/tls/authority.pem");

/// A certificate with its chain, and its key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Files {
    pub(crate) certificate: &'static str,
    pub(crate) key: &'static str,
}

/// ECDSA, a chain of two, PKCS#8.
pub(crate) const ONE: Files = Files {
    certificate: include_str!("../data/tls/one.pem"),
    key: include_str!("../data/tls/one.key"),
};
/// RSA, alone, PKCS#1.
pub(crate) const TWO: Files = Files {
    certificate: include_str!("../data/tls/two.pem"),
    key: include_str!("../data/tls/two.key"),
};

impl Files {
    /// Puts them into a folder, in place of others at once, the key for its owner alone.
    pub(crate) fn put(self, folder: &Path) {
        for (name, text) in [("tls.pem", self.certificate), ("tls.key", self.key)] {
            let new = folder.join(format!("{name}.new"));
            fs::write(&new, text).expect("written");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).expect("set");
            }
            fs::rename(new, folder.join(name)).expect("renamed");
        }
    }

    /// The server's own certificate.
    pub(crate) fn own(self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("a certificate")
    }
}

/// A client that trusts the authority of these certificates, with these versions and protocols.
pub(crate) fn client(
    versions: &[&'static rustls::SupportedProtocolVersion],
    protocols: &[&str],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(AUTHORITY.as_bytes()).expect("a certificate");
    roots.add(authority).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}
