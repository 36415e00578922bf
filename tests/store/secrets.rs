//! Secrets: sealed for their owner and endpoint, and nowhere else.

use std::fs;

use pathward::{
    CredentialsRef,
    store::{
        Draft, DraftCredentials, SealKey, SealKeyError, Secret, Store, StoreError, Unseal as _,
        UnsealError,
    },
};

use super::{draft, files, store};

const ID: &str = "AKIACANARYCANARYWXYZ";
const SECRET: &str = "CanarySecret/0123456789+abcdefghijklmnop";
const TOKEN: &str = "CanaryTokenCanaryTokenCanaryToken==";

pub(crate) fn with_secret(label: &str) -> Draft {
    let mut draft = draft(label, &["aaa/*"]);
    let mut secret = Secret::new(ID, SECRET);
    secret.session_token = Some(TOKEN.to_owned().into());
    draft.credentials = DraftCredentials::Secret(secret);
    draft
}

pub(crate) fn sealed(store: &Store, owner: &str, label: &str) -> pathward::policy::Sealed {
    let id = format!("s3+{label}");
    let found = store.find(owner, &pathward::ConnectionId::parse(&id).unwrap()).unwrap();
    match found.connection.credentials() {
        Some(CredentialsRef::Sealed(sealed)) => sealed.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_secret_opens_for_its_owner_and_endpoint_alone() {
    let (folder, store) = store();
    let mut draft = with_secret("x");
    draft.endpoint = Some("https://s3.example/".into());
    let made = store.create("ana", &draft).unwrap();
    let text = sealed(&store, "ana", "x");
    assert_eq!(text.id_ends(), "WXYZ");
    let opened = store.unseal().unseal(&text, "ana", made.connection.endpoint()).unwrap();
    assert_eq!(opened.access_key_id.as_str(), ID);
    assert_eq!(opened.secret_access_key.as_str(), SECRET);
    assert_eq!(opened.session_token.as_ref().unwrap().as_str(), TOKEN);
    let open = |owner: &str, endpoint: Option<&str>| {
        store.unseal().unseal(&text, owner, endpoint).map(drop).unwrap_err()
    };
    assert_eq!(open("ben", Some("https://s3.example")), UnsealError::OtherOwner);
    assert_eq!(open("ana", Some("https://evil.example")), UnsealError::OtherEndpoint);
    assert_eq!(open("ana", None), UnsealError::OtherEndpoint);
    // The endpoint changes: the secret has to be entered again, and nothing was changed.
    let mut moved = made.draft();
    moved.endpoint = Some("https://evil.example".into());
    let before = files(folder.path());
    assert!(matches!(
        store.change("ana", &made.identity, &made.revision, &moved),
        Err(StoreError::SecretNeeded)
    ));
    assert_eq!(files(folder.path()), before);
    moved.credentials = DraftCredentials::Secret(Secret::new("AKIAOTHER", "x"));
    let moved = store.change("ana", &made.identity, &made.revision, &moved).unwrap();
    let text = sealed(&store, "ana", "x");
    assert!(store.unseal().unseal(&text, "ana", moved.connection.endpoint()).is_ok());
    // Renaming keeps it; a reference replaces it.
    let mut renamed = moved.draft();
    renamed.label = "y".into();
    let renamed = store.change("ana", &moved.identity, &moved.revision, &renamed).unwrap();
    assert_eq!(sealed(&store, "ana", "y"), text);
    let mut referred = renamed.draft();
    referred.credentials = DraftCredentials::Reference(CredentialsRef::Env("SAHA".into()));
    let after = store.change("ana", &renamed.identity, &renamed.revision, &referred).unwrap();
    assert!(!fs::read_to_string(after.file).unwrap().contains("sealed"));
}

#[test]
fn sealed_text_that_is_copied_into_another_connection_is_no_reference() {
    let (_folder, store) = store();
    store.create("ana", &with_secret("x")).unwrap();
    let mut copied = draft("y", &["aaa/*"]);
    copied.credentials =
        DraftCredentials::Reference(CredentialsRef::Sealed(sealed(&store, "ana", "x")));
    assert!(matches!(store.create("ben", &copied), Err(StoreError::SecretNeeded)));
}

#[test]
fn another_key_opens_nothing_and_says_so() {
    let (folder, store) = store();
    store.create("ana", &with_secret("x")).unwrap();
    let text = sealed(&store, "ana", "x");
    let other = SealKey::parse(&SealKey::generate()).unwrap();
    let other = Store::open(folder.path(), Some(other)).unwrap();
    let wrong = other.unseal().unseal(&text, "ana", None).map(drop).unwrap_err();
    assert_eq!(wrong, UnsealError::WrongKey);
    assert!(wrong.to_string().contains("--seal-key"));
    let none = Store::open(folder.path(), None).unwrap();
    let missing = none.unseal().unseal(&text, "ana", None).map(drop).unwrap_err();
    assert_eq!(missing, UnsealError::NoKey);
    assert!(matches!(none.create("ana", &with_secret("y")), Err(StoreError::NoSealKey)));
    assert!(matches!(other.reseal(None), Err(StoreError::Sealed(UnsealError::WrongKey))));
}

#[test]
fn a_passphrase_seals_as_a_key_does() {
    let folder = tempfile::tempdir().unwrap();
    let key = || SealKey::parse("# ours\n correct horse battery staple \n").unwrap();
    let store = Store::open(folder.path(), Some(key())).unwrap();
    store.create("ana", &with_secret("x")).unwrap();
    let text = sealed(&store, "ana", "x");
    assert!(key().unseal(&text, "ana", None).is_ok());
    let other = SealKey::parse("another horse battery staple").unwrap();
    assert_eq!(other.unseal(&text, "ana", None).map(drop).unwrap_err(), UnsealError::WrongKey);
    let key = SealKey::parse(&SealKey::generate()).unwrap();
    assert_eq!(key.unseal(&text, "ana", None).map(drop).unwrap_err(), UnsealError::WrongKey);
}

/// Requests whose secret does not open cost the work of one, and no more memory than that.
#[test]
fn what_a_passphrase_does_not_open_is_tried_once() {
    use std::time::Instant;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, "correct horse battery staple").unwrap();
    let inside = folder.path().join("store");
    let store = Store::open(&inside, Some(SealKey::read(&file).unwrap())).unwrap();
    store.create("ana", &with_secret("x")).unwrap();
    let text = sealed(&store, "ana", "x");
    fs::write(&file, "another horse battery staple").unwrap();
    let other = SealKey::read(&file).unwrap();
    let wrong = || other.unseal(&text, "ana", None).map(drop).unwrap_err();
    let began = Instant::now();
    assert_eq!(wrong(), UnsealError::WrongKey);
    let one = began.elapsed();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(wrong(), UnsealError::WrongKey));
        }
    });
    assert!(began.elapsed() < one * 4, "{:?} and {one:?}", began.elapsed());
    // The right passphrase is taken at once when it comes.
    fs::write(&file, "correct horse battery staple").unwrap();
    other.unseal(&text, "ana", None).unwrap();
}

#[test]
fn what_is_no_key_is_refused() {
    let generated = SealKey::generate();
    for (text, line) in [("a passphrase of words\nand another one", 2), ("AGE-SECRET-KEY-1X", 1)] {
        let error = SealKey::parse(text).unwrap_err();
        assert!(matches!(error, SealKeyError::Line(at) if at == line), "{error}");
    }
    let lower = generated.to_lowercase();
    for text in [
        "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kudnqf6xsqu0lzc",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI me@here",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n",
        &lower,
    ] {
        let error = SealKey::parse(text).unwrap_err();
        assert!(matches!(error, SealKeyError::Foreign(1)), "{error}");
        assert!(!error.to_string().contains(&text[20..40]), "{error}");
    }
    let mixed = format!("{}\nnot a key", generated.as_str());
    assert!(matches!(SealKey::parse(&mixed), Err(SealKeyError::Line(2))));
    assert!(matches!(SealKey::parse("# nothing\n\n"), Err(SealKeyError::Empty)));
    assert!(matches!(SealKey::parse("hunter2"), Err(SealKeyError::Short)));
}

#[test]
fn a_rotated_key_opens_what_it_sealed_and_the_old_one_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let old = SealKey::generate();
    fs::write(&file, old.as_str()).unwrap();
    let inside = folder.path().join("store");
    let store = Store::open(&inside, Some(SealKey::read(&file).unwrap())).unwrap();
    for label in ["x", "y"] {
        store.create("ana", &with_secret(label)).unwrap();
    }
    // One that runs meanwhile, and has read the old key.
    let running = Store::open(&inside, Some(SealKey::read(&file).unwrap())).unwrap();
    let new = SealKey::generate();
    fs::write(&file, format!("{}\n{}\n", new.as_str(), old.as_str())).unwrap();
    let rotating = Store::open(&inside, Some(SealKey::read(&file).unwrap())).unwrap();
    assert_eq!(rotating.reseal(None).unwrap(), 2);
    fs::write(&file, new.as_str()).unwrap();
    let text = sealed(&rotating, "ana", "y");
    assert!(running.unseal().unseal(&text, "ana", None).is_ok());
    let old = SealKey::parse(&old).unwrap();
    assert_eq!(old.unseal(&text, "ana", None).map(drop).unwrap_err(), UnsealError::WrongKey);
}

#[test]
fn what_is_no_access_key_is_refused() {
    let (folder, store) = store();
    for (id, secret) in [("", "x"), ("A B", "x"), ("A", ""), ("A", "x\ny"), ("A\"", "x")] {
        let mut draft = draft("x", &["aaa/*"]);
        draft.credentials = DraftCredentials::Secret(Secret::new(id, secret));
        let refused = store.create("ana", &draft);
        assert!(matches!(refused, Err(StoreError::InvalidSecret { .. })), "{id} {secret}");
    }
    assert!(files(folder.path()).is_empty());
    // Quotes in an owner's name are no quotes in what is sealed.
    store.create("a\"b\\c", &with_secret("x")).unwrap();
    let text = sealed(&store, "a\"b\\c", "x");
    assert!(store.unseal().unseal(&text, "a\"b\\c", None).is_ok());
}

/// Every way that a type of the store can be shown, and every byte that is on the disk.
#[test]
fn the_canary_is_in_nothing_that_is_shown_or_stored() {
    let (folder, store) = store();
    let draft = with_secret("x");
    let mut shown = vec![format!("{draft:?}"), format!("{:#?}", draft.credentials)];
    let made = store.create("ana", &draft).unwrap();
    let opened = store.unseal().unseal(&sealed(&store, "ana", "x"), "ana", None).unwrap();
    shown.push(format!("{made:?} {:?} {store:?} {:?}", made.draft(), store.snapshot()));
    shown.push(format!("{opened:?} {:?} {:?}", store.unseal(), made.connection.credentials()));
    shown.push(format!("{:?}", store.snapshot().policy().connections()));
    let key = SealKey::generate();
    shown.push(format!("{:?}", SealKey::parse(&key).unwrap()));
    for error in [
        store.create("ana", &draft).unwrap_err(),
        store.change("ana", "ana-x", "0", &draft).unwrap_err(),
        store.create("", &draft).unwrap_err(),
    ] {
        shown.push(format!("{error} {error:?}"));
    }
    shown.extend(files(folder.path()).into_values());
    for text in shown {
        // Also the parts that an encoding or a cut would leave.
        for part in [SECRET, TOKEN, &ID[..16], "CanarySecret", "CanaryToken", key.as_str()] {
            assert!(!text.contains(part), "{part} is in {text}");
        }
    }
}
