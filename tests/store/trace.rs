//! The canary search: a secret that is entered, stored, opened and used is in no line of any log down
//! to the level of traces, in no answer, and in no file.

use std::{
    fs, io,
    sync::{Arc, Mutex},
};

use pathward::{
    AccessSet, Engine, Reach,
    embedded::{Embedded, EmbeddedOptions},
    executor::S3,
    gateway::{Gateway, Options},
    store::{DraftCredentials, SealKey, Secret, Store},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tracing_subscriber::{fmt, layer::SubscriberExt as _};

use super::{draft, files};

const ID: &str = "CANARYSTOREID0123456";
const SECRET: &str = "CANARY/stored+secret=0123456789abcdefghi";

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_in_no_log_no_answer_and_no_file() {
    let log = Log::default();
    let lines = log.clone();
    let layer = fmt::layer().with_ansi(false).with_writer(move || lines.clone());
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    let server =
        Embedded::start(EmbeddedOptions::default().with_credentials(ID, SECRET)).await.unwrap();
    server.put("always", "k", "text/plain", "hello".into()).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let key = SealKey::generate();
    let store = Store::open(folder.path(), Some(SealKey::parse(&key).unwrap())).unwrap();
    let _follower = store.follow().unwrap();
    let mut draft = draft("x", &["always/*"]);
    draft.endpoint = Some(server.endpoint());
    draft.credentials = DraftCredentials::Secret(Secret::new(ID, SECRET));
    let stored = store.create("ana", &draft).unwrap();
    let mut renamed = stored.draft();
    renamed.label = "y".into();
    store.change("ana", &stored.identity, &stored.revision, &renamed).unwrap();
    assert_eq!(store.reseal(None).unwrap(), 1);
    // What fails says why, and not with what.
    store.create("ana", &draft).map(drop).unwrap_or_default();
    store.change("ana", "ana-x", "old", &draft).unwrap_err();
    fs::write(folder.path().join("wrong.yaml"), format!("connections:\n  - secret: {SECRET}\n"))
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(900)).await;
    let why = store.snapshot().invalid().expect("it does not load").to_owned();
    fs::remove_file(folder.path().join("wrong.yaml")).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(900)).await;

    let (_, api_key) =
        store.create_key("ana", "job", AccessSet::READ_ONLY, false, &Reach::ALL).unwrap();
    let none = Store::open(folder.path(), None).unwrap();
    let other =
        Store::open(folder.path(), Some(SealKey::parse(&SealKey::generate()).unwrap())).unwrap();
    let mut answers = Vec::new();
    for (opened, status) in [(&store, "200"), (&none, "502"), (&other, "502")] {
        let engine = Engine::new(Arc::clone(opened.snapshot().policy()));
        let executor = Arc::new(S3::default().unseal_by(opened.unseal()));
        let gateway = Gateway::new(engine, executor, Options::default()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { gateway.serve(listener, std::future::pending()).await });
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET /v1/connector/s3+y/always/k HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\
             Authorization: Simple {}\r\n\r\n",
            api_key.as_str()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let first = answer.lines().next().unwrap();
        assert!(first.contains(status) || status != "200" && first.contains(" 5"), "{answer}");
        answers.push(answer);
    }
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("sealed with another key"), "the log says why");
    assert!(logged.lines().count() > 20, "{} lines", logged.lines().count());
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    // Of base64, what is in it wherever it starts.
    let forms = [SECRET, "stored+secret", "stored%2Bsecret", &hex, api_key.as_str(), key.as_str()];
    let all = files(folder.path()).into_values().chain(answers).chain([why]);
    for text in all.chain([logged.clone()]) {
        for form in forms {
            assert!(!text.contains(form), "{form} is in {}", &text[..text.len().min(2_000)]);
        }
    }
    // The crates of the AWS SDK say the key's id, which is no secret; `serve` logs no lines of theirs.
    for line in logged.lines().filter(|line| !line.contains("aws_") && !line.contains(" s3s")) {
        assert!(!line.contains(ID), "{line}");
    }
}
