//! Two files, and the certificate and key that are in them.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use memchr::memmem::find;
use rustls::{
    CertificateError, Error, InconsistentKeys, RootCertStore, ServerConfig,
    client::verify_server_cert_signed_by_trust_anchor,
    crypto::aws_lc_rs::{Ticketer, default_provider},
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject as _},
    server::{NoServerSessionStorage, ParsedCertificate},
    sign::{CertifiedKey, SingleCertAndKey},
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{
    escape::escape,
    readers::{Unread, read_secret},
};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// Why two files are no certificate with its key. It names the file, says what to do, and holds nothing of
/// what is in the file.
#[derive(Debug)]
pub struct TlsError {
    path: PathBuf,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Io(io::Error),
    NotAFile,
    TooLong,
    NotPem,
    Damaged,
    NoCertificate {
        has_key: bool,
    },
    BadCertificate,
    NoKey {
        has_certificate: bool,
    },
    Encrypted,
    BadKey,
    /// The key is not that of the first certificate in this file.
    Mismatch {
        certificate: PathBuf,
    },
    Other(Error),
}

impl TlsError {
    fn new(path: &Path, why: Why) -> Self {
        Self { path: path.to_owned(), why }
    }

    /// The file that is to be mended.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |path: &Path| escape(&path.display().to_string()).into_owned();
        write!(f, "`{}`: ", shown(&self.path))?;
        match &self.why {
            Why::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "there is no such file: write the path of one in PEM")
            }
            Why::Io(error) => {
                write!(f, "cannot be read: {error}: let the user who runs this read it")
            }
            Why::NotAFile => write!(f, "is no file: write the path of a file in PEM"),
            Why::TooLong => write!(
                f,
                "is longer than {LONGEST} bytes: write the path of a file that has one certificate, its \
                 chain and its key in it, and nothing else"
            ),
            Why::NotPem => write!(
                f,
                "is not PEM, which has a line `-----BEGIN …-----`: convert it, `openssl x509 -inform der` \
                 for a certificate and `openssl pkey -inform der` for a key"
            ),
            Why::Damaged => write!(
                f,
                "is PEM that ends early or has other characters in it: copy the whole file anew"
            ),
            Why::NoCertificate { has_key: true } => write!(
                f,
                "has a private key and no certificate: if the two files stand in each other's place, change \
                 them about"
            ),
            Why::NoCertificate { has_key: false } => write!(
                f,
                "has no certificate: write the path of a file with `-----BEGIN CERTIFICATE-----`"
            ),
            Why::BadCertificate => write!(
                f,
                "its first certificate cannot be read: put the server's own there, an X.509 certificate of \
                 version 3"
            ),
            Why::NoKey { has_certificate: true } => write!(
                f,
                "has a certificate and no private key: write the path of its key, a file with \
                 `-----BEGIN PRIVATE KEY-----`"
            ),
            Why::NoKey { has_certificate: false } => write!(
                f,
                "has no private key: write the path of a file with `-----BEGIN PRIVATE KEY-----`"
            ),
            Why::Encrypted => write!(
                f,
                "its private key is encrypted, and nobody is asked for a passphrase: take that off, \
                 `openssl pkey -in FILE -out KEY`, and let nobody else read the new file"
            ),
            Why::BadKey => write!(
                f,
                "its private key is damaged, or of a kind that is not known: make one of ECDSA (P-256, P-384, \
                 P-521), Ed25519, or RSA with 2048 bits to 8192"
            ),
            Why::Mismatch { certificate } => write!(
                f,
                "its private key does not belong to the first certificate of `{}`: the server's own comes \
                 first there, its chain behind it; take the key that it was made with",
                shown(certificate)
            ),
            Why::Other(error) => write!(f, "cannot be served: {error}: try another pair"),
        }
    }
}

impl std::error::Error for TlsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.why {
            Why::Io(error) => Some(error),
            Why::Other(error) => Some(error),
            _ => None,
        }
    }
}

/// What two files have in them. Has no `Debug`: one holds the key.
pub(super) struct Files<'a> {
    certificate: (&'a Path, Zeroizing<Vec<u8>>),
    key: (&'a Path, Zeroizing<Vec<u8>>),
}

/// A certificate whose key is known, as far as it is remembered beside what serves it.
pub(super) struct Pair {
    /// What was in the files.
    pub(super) digest: [u8; 32],
    chain: Vec<CertificateDer<'static>>,
}

impl<'a> Files<'a> {
    /// Reads the two.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: one cannot be read, or is none that could be meant.
    pub(super) fn read(certificate: &'a Path, key: &'a Path) -> Result<Self, TlsError> {
        Ok(Self { certificate: (certificate, read(certificate)?), key: (key, read(key)?) })
    }

    /// Tells apart what is in the files at one time and at another.
    pub(super) fn digest(&self) -> [u8; 32] {
        let (_, certificate) = &self.certificate;
        let (_, key) = &self.key;
        let mut hash = Sha256::new();
        hash.update(certificate.len().to_le_bytes());
        hash.update(certificate);
        hash.update(&**key);
        hash.finalize().into()
    }

    /// The pair, and what serves it.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: the files do not make one.
    pub(super) fn pair(&self) -> Result<(Pair, Arc<ServerConfig>), TlsError> {
        let (certificate, _) = self.certificate;
        let (path, _) = self.key;
        let chain = self.chain()?;
        let provider = default_provider();
        let key = provider.key_provider.load_private_key(self.private_key()?);
        let key = key.map_err(|_| TlsError::new(path, Why::BadKey))?;
        let certified = CertifiedKey::new(chain.clone(), key);
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(Error::InconsistentKeys(_)) => {
                let certificate = certificate.to_owned();
                return Err(TlsError::new(path, Why::Mismatch { certificate }));
            }
            Err(_) => return Err(TlsError::new(certificate, Why::BadCertificate)),
        }
        let other = |error| TlsError::new(certificate, Why::Other(error));
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Who comes back shows what it was given: nothing is kept of it here that others could push out. Of
        // another pair, nobody comes back.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = Ticketer::new().map_err(other)?;
        Ok((Pair { digest: self.digest(), chain }, Arc::new(config)))
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let (path, text) = &self.certificate;
        let failed = |why| TlsError::new(path, why);
        if !has(text, "-----BEGIN ") {
            return Err(failed(Why::NotPem));
        }
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
        let chain = chain.map_err(|_| failed(Why::Damaged))?;
        if chain.is_empty() {
            let has_key = has(text, "PRIVATE KEY-----");
            return Err(failed(Why::NoCertificate { has_key }));
        }
        Ok(chain)
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let (path, text) = &self.key;
        let why = if !has(text, "-----BEGIN ") {
            Why::NotPem
        } else if has(text, "BEGIN ENCRYPTED PRIVATE KEY") || has(text, "Proc-Type: 4,ENCRYPTED") {
            Why::Encrypted
        } else {
            match PrivateKeyDer::pem_slice_iter(text).next() {
                Some(Ok(key)) => return Ok(key),
                Some(Err(_)) => Why::Damaged,
                None => Why::NoKey { has_certificate: has(text, "BEGIN CERTIFICATE-----") },
            }
        };
        Err(TlsError::new(path, why))
    }
}

fn has(text: &[u8], part: &str) -> bool {
    find(text, part.as_bytes()).is_some()
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    read_secret(path, LONGEST).map_err(|unread| {
        let why = match unread {
            Unread::Io(error) => Why::Io(error),
            Unread::NotAFile => Why::NotAFile,
            Unread::TooLong => Why::TooLong,
        };
        TlsError::new(path, why)
    })
}

impl Pair {
    /// Which certificate is not valid now, and since or until when.
    pub(super) fn out_of_date(&self) -> Option<String> {
        let roots = RootCertStore::empty();
        let algorithms = default_provider().signature_verification_algorithms.all;
        let now = UnixTime::now();
        self.chain.iter().enumerate().find_map(|(index, certificate)| {
            // Its dates are looked at before anything else, and it is signed by nobody whom we know.
            let certificate = ParsedCertificate::try_from(certificate).ok()?;
            let verified = verify_server_cert_signed_by_trust_anchor(
                &certificate,
                &roots,
                &[],
                now,
                algorithms,
            );
            let Err(Error::InvalidCertificate(why)) = verified else { return None };
            let why = match why {
                CertificateError::Expired => "has expired".to_owned(),
                CertificateError::ExpiredContext { not_after, .. } => {
                    format!("expired on {}", date(not_after))
                }
                CertificateError::NotValidYet => "is not valid yet".to_owned(),
                CertificateError::NotValidYetContext { not_before, .. } => {
                    format!("is not valid before {}", date(not_before))
                }
                _ => return None,
            };
            Some(match index {
                0 => format!("the certificate {why}"),
                _ => format!("certificate {} of the chain {why}", index + 1),
            })
        })
    }
}

fn date(time: UnixTime) -> String {
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()));
    // Later than 9999 there are no dates of HTTP.
    let last = Duration::from_secs(253_402_300_799);
    let last = SystemTime::UNIX_EPOCH + last;
    httpdate::fmt_http_date(time.unwrap_or(last).min(last))
}
