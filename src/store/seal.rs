//! Sealing credentials, and the key that it takes.
//!
//! What is sealed is a file of `age` with the credentials, their owner and their endpoint, so that a
//! sealed text which is copied to another owner's connection, or whose connection is pointed at another
//! server, does not open.

use std::{
    collections::HashMap,
    fmt,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use age::{
    DecryptError, Decryptor, Identity, scrypt,
    secrecy::{ExposeSecret as _, SecretString},
    x25519,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Opened, Secret, StoreError, Unseal, UnsealError};
use crate::policy::Sealed;

/// The variable that a key may be in.
pub const SEAL_KEY_VARIABLE: &str = "PATHWARD_SEAL_KEY";

/// How a line starts that is a key and no passphrase.
const PREFIX: &str = "AGE-SECRET-KEY-";
/// How keys start that are no secret, or not ours: none is a passphrase.
const FOREIGN: [&str; 4] = ["age1", "ssh-", "-----BEGIN", "age-secret-key-"];
/// The shortest passphrase.
const MIN_PASSPHRASE: usize = 16;
/// The work for a passphrase, as a power of two: a quarter of a second and 64 MiB. It makes up for what a
/// passphrase of words lacks; keys of `age` do not need it.
const WORK: u8 = 16;
/// The most work that is done to open something: 256 MiB.
const MOST_WORK: u8 = 18;
/// The work for passphrases is done once at a time, so that it takes no more memory than that.
static WORKING: Mutex<()> = Mutex::new(());
/// For how long it is known that something does not open with a passphrase, without trying again.
const REMEMBERED: Duration = Duration::from_secs(10);
/// Of how many things that is known.
const MOST_REMEMBERED: usize = 1_024;
/// The longest file of a key that is read.
const MAX_KEY_FILE: u64 = 64 << 10;

/// What seals credentials and opens them: keys of `age` (`AGE-SECRET-KEY-1…`), of which the first
/// seals and all open, or a passphrase. `Debug` shows nothing of it.
pub struct SealKey {
    /// Where it was read; it is read again when something does not open, which may be newer.
    file: Option<PathBuf>,
    keys: RwLock<Arc<Keys>>,
    /// What did not open with the passphrase, by its hash, and when that was.
    failures: Mutex<HashMap<[u8; 32], Instant>>,
}

enum Keys {
    Identities(Vec<x25519::Identity>),
    Passphrase(SecretString),
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealKey").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Why there is no key to seal with.
#[derive(Debug)]
#[non_exhaustive]
pub enum SealKeyError {
    /// Its file cannot be read.
    Io(PathBuf, std::io::Error),
    /// There is nothing in it.
    Empty,
    /// A line is no key of `age`, and others are; or there are two passphrases.
    Line(usize),
    /// A line is a key of another kind: a public one, or of another program.
    Foreign(usize),
    /// The passphrase is too short.
    Short,
}

impl fmt::Display for SealKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => {
                let path = crate::escape::escape(&path.to_string_lossy()).into_owned();
                write!(f, "the seal key in `{path}` cannot be read: {error}")
            }
            Self::Empty => f.write_str(
                "the seal key is empty: make one with `pathward key seal FILE`, or write a \
                 passphrase there",
            ),
            Self::Line(line) => write!(
                f,
                "line {line} of the seal key is no key of age: it has lines `{PREFIX}1…`, or one \
                 line with a passphrase"
            ),
            Self::Foreign(line) => write!(
                f,
                "line {line} of the seal key is a public key, or one of another program, and no \
                 passphrase: a seal key starts with `{PREFIX}1` (in capitals), and `pathward key \
                 seal FILE` makes one"
            ),
            Self::Short => write!(
                f,
                "the passphrase that is the seal key has less than {MIN_PASSPHRASE} characters: \
                 take a longer one, or make a key with `pathward key seal FILE`"
            ),
        }
    }
}

impl std::error::Error for SealKeyError {}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Content<'c> {
    access_key_id: &'c str,
    secret_access_key: &'c str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_token: Option<&'c str>,
    #[serde(borrow)]
    owner: std::borrow::Cow<'c, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'c str>,
}

impl SealKey {
    /// The key in a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or holds neither keys of `age` nor a passphrase.
    pub fn read(path: &Path) -> Result<Self, SealKeyError> {
        let keys = read_keys(path)?;
        Ok(Self::new(Some(path.to_owned()), keys))
    }

    /// The key that a text is: lines with keys of `age`, of which the first seals, or a passphrase of
    /// at least 16 characters. Empty lines and those that start with `#` mean nothing.
    ///
    /// # Errors
    ///
    /// The text is neither.
    pub fn parse(text: &str) -> Result<Self, SealKeyError> {
        Ok(Self::new(None, parse(text)?))
    }

    /// The key in [`SEAL_KEY_VARIABLE`]; `None` where it is not set or empty.
    ///
    /// # Errors
    ///
    /// As [`SealKey::parse`].
    pub fn from_env() -> Result<Option<Self>, SealKeyError> {
        match std::env::var(SEAL_KEY_VARIABLE).map(Zeroizing::new) {
            Ok(text) if !text.is_empty() => Self::parse(&text).map(Some),
            _ => Ok(None),
        }
    }

    /// A new key of `age`, as the line of a file.
    pub fn generate() -> Zeroizing<String> {
        Zeroizing::new(x25519::Identity::generate().to_string().expose_secret().to_owned())
    }

    fn new(file: Option<PathBuf>, keys: Keys) -> Self {
        Self { file, keys: RwLock::new(Arc::new(keys)), failures: Mutex::default() }
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys as their file has them now: what is sealed with a key that was rotated away meanwhile
    /// would not open again.
    fn read_again(&self) -> Result<Arc<Keys>, StoreError> {
        let Some(file) = &self.file else { return Ok(self.keys()) };
        let keys = Arc::new(read_keys(file).map_err(StoreError::SealKey)?);
        if !keys.is_same_passphrase(&self.keys()) {
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&keys);
        Ok(keys)
    }

    /// The key that seals, without those that only open.
    pub(super) fn sealing(&self) -> Result<Self, StoreError> {
        let keys = match &*self.read_again()? {
            Keys::Identities(all) => Keys::Identities(all.iter().take(1).cloned().collect()),
            Keys::Passphrase(passphrase) => Keys::Passphrase(passphrase.clone()),
        };
        Ok(Self::new(None, keys))
    }

    /// Seals an access key for an owner and an endpoint. While the store is locked, so that nobody
    /// takes the key away that this reads.
    pub(super) fn seal(
        &self,
        secret: &Secret,
        owner: &str,
        endpoint: Option<&str>,
    ) -> Result<Sealed, StoreError> {
        check(secret)?;
        let content = Content {
            access_key_id: &secret.access_key_id,
            secret_access_key: &secret.secret_access_key,
            session_token: secret.session_token.as_ref().map(|token| token.as_str()),
            owner: owner.into(),
            endpoint,
        };
        // As large as it can get, so that no part of it is left behind where it was smaller.
        let mut plain = Zeroizing::new(Vec::with_capacity(16 << 10));
        let failed = || StoreError::InvalidSecret { what: "the access key cannot be sealed" };
        serde_json::to_writer(&mut *plain, &content).map_err(|_| failed())?;
        let sealed = match &*self.read_again()? {
            Keys::Identities(identities) => {
                let first = identities.first().ok_or(StoreError::NoSealKey)?;
                age::encrypt(&first.to_public(), &plain)
            }
            Keys::Passphrase(passphrase) => {
                let mut recipient = scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(WORK);
                let _turn = WORKING.lock().unwrap_or_else(PoisonError::into_inner);
                age::encrypt(&recipient, &plain)
            }
        };
        let id = secret.access_key_id.as_str();
        let ends = id.get(id.len().saturating_sub(4)..).unwrap_or_default();
        Ok(Sealed::new(STANDARD.encode(sealed.map_err(|_| failed())?), ends))
    }

    /// What is sealed, whoever it was entered for.
    pub(super) fn open(&self, sealed: &Sealed) -> Result<OpenedContent, UnsealError> {
        let bytes = STANDARD.decode(sealed.text()).map_err(|_| UnsealError::Damaged)?;
        let keys = self.keys();
        let first = self.open_with(&keys, &bytes);
        let (Err(UnsealError::WrongKey), Some(file)) = (&first, &self.file) else { return first };
        // The key was rotated, perhaps.
        let Ok(now) = read_keys(file) else { return first };
        if now.is_same_passphrase(&keys) {
            return first;
        }
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let again = self.open_with(&now, &bytes);
        if again.is_ok() {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(now);
        }
        again
    }

    /// Opens with these keys. Of a passphrase, what did not open a moment ago is not tried again.
    fn open_with(&self, keys: &Keys, bytes: &[u8]) -> Result<OpenedContent, UnsealError> {
        let Keys::Passphrase(_) = keys else { return open(keys, bytes) };
        let hash = Sha256::digest(bytes).into();
        let failures = || self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let has_failed =
            || failures().get(&hash).is_some_and(|failed: &Instant| failed.elapsed() < REMEMBERED);
        if has_failed() {
            return Err(UnsealError::WrongKey);
        }
        let _turn = WORKING.lock().unwrap_or_else(PoisonError::into_inner);
        // Someone else has tried meanwhile.
        if has_failed() {
            return Err(UnsealError::WrongKey);
        }
        let opened = open(keys, bytes);
        if let Err(UnsealError::WrongKey) = opened {
            let mut failures = failures();
            failures.retain(|_, failed| failed.elapsed() < REMEMBERED);
            if failures.len() < MOST_REMEMBERED {
                failures.insert(hash, Instant::now());
            }
        }
        opened
    }
}

impl Keys {
    fn is_same_passphrase(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Passphrase(one), Self::Passphrase(other)) => {
                one.expose_secret() == other.expose_secret()
            }
            _ => false,
        }
    }
}

impl Unseal for SealKey {
    fn unseal(
        &self,
        sealed: &Sealed,
        owner: &str,
        endpoint: Option<&str>,
    ) -> Result<Opened, UnsealError> {
        let content = self.open(sealed)?;
        if content.owner != owner {
            return Err(UnsealError::OtherOwner);
        }
        if content.endpoint.as_deref() != endpoint {
            return Err(UnsealError::OtherEndpoint);
        }
        let Secret { access_key_id, secret_access_key, session_token } = content.secret;
        Ok(Opened { access_key_id, secret_access_key, session_token })
    }
}

/// What was sealed.
pub(super) struct OpenedContent {
    pub(super) secret: Secret,
    pub(super) owner: String,
    pub(super) endpoint: Option<String>,
}

fn read_keys(path: &Path) -> Result<Keys, SealKeyError> {
    let failed = |error| SealKeyError::Io(path.to_owned(), error);
    let mut text = Zeroizing::new(String::with_capacity(4 << 10));
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_KEY_FILE).read_to_string(&mut text).map_err(failed)?;
    parse(&text)
}

fn parse(text: &str) -> Result<Keys, SealKeyError> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let lines: Vec<_> =
        lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect();
    let is_foreign = |line: &str| FOREIGN.iter().any(|start| line.starts_with(start));
    if let Some((line, _)) = lines.iter().find(|(_, line)| is_foreign(line)) {
        return Err(SealKeyError::Foreign(*line));
    }
    let lines = lines.into_iter();
    let (keys, others): (Vec<_>, Vec<_>) = lines.partition(|(_, line)| line.starts_with(PREFIX));
    if keys.is_empty() {
        return match *others {
            [] => Err(SealKeyError::Empty),
            [(_, line)] if line.chars().count() < MIN_PASSPHRASE => Err(SealKeyError::Short),
            [(_, line)] => Ok(Keys::Passphrase(SecretString::from(line.to_owned()))),
            [_, (line, _), ..] => Err(SealKeyError::Line(line)),
        };
    }
    if let Some((line, _)) = others.first() {
        return Err(SealKeyError::Line(*line));
    }
    let identity = |(at, line): (usize, &str)| line.parse().map_err(|_| SealKeyError::Line(at));
    Ok(Keys::Identities(keys.into_iter().map(identity).collect::<Result<_, _>>()?))
}

fn open(keys: &Keys, bytes: &[u8]) -> Result<OpenedContent, UnsealError> {
    let decryptor = Decryptor::new(bytes).map_err(|_| UnsealError::Damaged)?;
    let reader = match keys {
        Keys::Identities(all) => decryptor.decrypt(all.iter().map(|one| one as &dyn Identity)),
        Keys::Passphrase(passphrase) => {
            let mut identity = scrypt::Identity::new(passphrase.clone());
            identity.set_max_work_factor(MOST_WORK);
            decryptor.decrypt(std::iter::once(&identity as &dyn Identity))
        }
    };
    let mut reader = reader.map_err(|error| match error {
        DecryptError::NoMatchingKeys
        | DecryptError::KeyDecryptionFailed
        | DecryptError::DecryptionFailed => UnsealError::WrongKey,
        _ => UnsealError::Damaged,
    })?;
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader.read_to_end(&mut plain).map_err(|_| UnsealError::Damaged)?;
    let content: Content<'_> = serde_json::from_slice(&plain).map_err(|_| UnsealError::Damaged)?;
    Ok(OpenedContent {
        secret: Secret {
            access_key_id: Zeroizing::new(content.access_key_id.to_owned()),
            secret_access_key: Zeroizing::new(content.secret_access_key.to_owned()),
            session_token: content.session_token.map(|token| Zeroizing::new(token.to_owned())),
        },
        owner: content.owner.into_owned(),
        endpoint: content.endpoint.map(str::to_owned),
    })
}

/// A part of an access key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Id,
    Secret,
    Token,
}

/// The parts of a secret that are none: empty, too long, or with characters that no key has. JSON's
/// escapes are not needed for what is left.
pub(crate) fn wrong_parts(secret: &Secret) -> impl Iterator<Item = Part> {
    let is = |text: &str, max: usize| {
        (1..=max).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\'))
    };
    let token = secret.session_token.as_ref();
    [
        (Part::Id, is(&secret.access_key_id, 128)),
        (Part::Secret, is(&secret.secret_access_key, 256)),
        (Part::Token, token.is_none_or(|token| is(token, 8 << 10))),
    ]
    .into_iter()
    .filter_map(|(part, is_right)| (!is_right).then_some(part))
}

/// Refuses what no access key is.
pub(super) fn check(secret: &Secret) -> Result<(), StoreError> {
    let what = match wrong_parts(secret).next() {
        None => return Ok(()),
        Some(Part::Id) => {
            "the access key's id is empty, too long, or has characters that no id has"
        }
        Some(Part::Secret) => {
            "the secret access key is empty, too long, or has characters that no secret has"
        }
        Some(Part::Token) => {
            "the session token is empty, too long, or has characters that no token has"
        }
    };
    Err(StoreError::InvalidSecret { what })
}

/// No key: nothing opens.
#[derive(Debug)]
pub(super) struct NoKey;

impl Unseal for NoKey {
    fn unseal(&self, _: &Sealed, _: &str, _: Option<&str>) -> Result<Opened, UnsealError> {
        Err(UnsealError::NoKey)
    }
}
