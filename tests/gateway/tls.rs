//! The gateway by TLS: everything that holds without it, the handshake, and certificates that change.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use pathward::gateway::{Options, Tls, raise_descriptor_limit};
use rustls::{
    ClientConfig, DEFAULT_VERSIONS, HandshakeKind,
    pki_types::{CertificateDer, ServerName},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    canaries::decisions,
    certificates::{Files, ONE, TWO, client},
    world::{ALL, Answer, CONNECTIONS, World, ask, parse},
};

/// How soon others are to be answered, on a machine that does much else.
const SOON: Duration = Duration::from_secs(5);

/// A world whose gateway listens once more, by TLS.
struct Secure {
    world: World,
    folder: tempfile::TempDir,
    tls: Tls,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Secure {
    async fn start(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::at(listener, options).await
    }

    async fn at(listener: TcpListener, options: Options) -> Self {
        let world = World::with(CONNECTIONS, options).await;
        // It serves already, and goes on without.
        assert_eq!(ask(world.address, "GET", "/healthz", &[], b"").await.status, 200);
        let folder = tempfile::tempdir().unwrap();
        ONE.put(folder.path());
        let file = |name: &str| folder.path().join(name);
        let tls = Tls::load(&file("tls.pem"), &file("tls.key")).unwrap();
        world.gateway.use_tls(tls.clone());
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let gateway = world.gateway.clone();
        let serving =
            tokio::spawn(
                async move { gateway.serve(listener, async { drop(stopped.await) }).await },
            );
        Self { world, folder, tls, address, stop: Some(stop), serving }
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        connect(self.address, &client(DEFAULT_VERSIONS, &[])).await.unwrap()
    }

    /// The certificate that a new connection gets.
    async fn shown(&self) -> CertificateDer<'static> {
        own(&self.connect().await)
    }

    /// Waits until new connections get this certificate.
    async fn shows(&self, files: Files) {
        let began = Instant::now();
        while self.shown().await != files.own() {
            assert!(began.elapsed() < 2 * SOON, "it stays");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn store(&self, key: &str, size: usize) -> Vec<u8> {
        let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at / 7 % 251).unwrap()).collect();
        self.world.embedded.put("pub", key, "x/y", bytes.clone().into()).await.unwrap();
        bytes
    }
}

fn own(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

async fn connect(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    secure(TcpStream::connect(address).await?, config).await
}

async fn secure(stream: TcpStream, config: &Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::clone(config)).connect(name, stream).await
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\r\n")
}

/// Reads one answer with a length.
async fn read(stream: &mut TlsStream<TcpStream>) -> Answer {
    let mut bytes = Vec::new();
    loop {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "it ended");
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let answer = parse(&bytes);
        let length: usize = answer.header("content-length").unwrap().parse().unwrap();
        if bytes.len() == end + 4 + length {
            return answer;
        }
    }
}

/// Sends bytes, all of them: TLS keeps what the connection has no room for.
async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_by_tls_takes_and_gives_what_one_without_does() {
    let secure = Secure::start(Options::default()).await;
    let large = secure.store("data/large", 5_000_000).await;
    for version in [&TLS12, &TLS13] {
        let config = client(&[version], &["h2", "http/1.1"]);
        let mut stream = connect(secure.address, &config).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        // One after the other, on the same connection.
        for (target, status, body) in [
            ("/v1/data/s3+t://pub/data/large", 200, &large[..]),
            ("/healthz", 200, b"{\"status\":\"ok\"}"),
            ("/v1/data/s3+t://pub/secret", 403, b""),
            ("/v1/data/s3+t://pub/data/x", 200, b"x of data"),
        ] {
            send(&mut stream, get(target).as_bytes()).await;
            let answer = read(&mut stream).await;
            assert_eq!(answer.status, status, "{target}");
            assert!(answer.body == body || status == 403, "{target}");
        }
        let head = format!(
            "PUT /v1/data/s3+t://pub/data/new HTTP/1.1\r\nHost: g\r\nAuthorization: {ALL}\r\n\
             Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
            large.len()
        );
        send(&mut stream, head.as_bytes()).await;
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).await.unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        send(&mut stream, &large).await;
        assert_eq!(read(&mut stream).await.status, 200);
        let stored = ask(
            secure.world.address,
            "GET",
            "/v1/data/s3+t://pub/data/new",
            &[("Authorization", ALL)],
            b"",
        );
        assert!(stored.await.body == large);
    }
    // Who speaks something else within it alone is told so in the handshake.
    connect(secure.address, &client(DEFAULT_VERSIONS, &["h2"])).await.expect_err("no protocol");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_taken_and_what_runs_goes_on() {
    let secure = Secure::start(Options::default()).await;
    let large = secure.store("data/large", 20_000_000).await;
    let mut running = secure.connect().await;
    send(&mut running, get("/v1/data/s3+t://pub/data/large").as_bytes()).await;
    let mut bytes = vec![0; 100_000];
    running.read_exact(&mut bytes).await.unwrap();
    // Whoever comes back has to do less, as long as the certificate is the same.
    let config = client(DEFAULT_VERSIONS, &[]);
    let kind = async || {
        let mut stream = connect(secure.address, &config).await.unwrap();
        send(&mut stream, get("/healthz").as_bytes()).await;
        assert_eq!(read(&mut stream).await.status, 200);
        stream.get_ref().1.handshake_kind().unwrap()
    };
    assert_eq!((kind().await, kind().await), (HandshakeKind::Full, HandshakeKind::Resumed));

    TWO.put(secure.folder.path());
    secure.shows(TWO).await;
    assert_eq!((kind().await, kind().await), (HandshakeKind::Full, HandshakeKind::Resumed));
    assert_eq!(own(&running), ONE.own());
    while bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4 + large.len()
        > bytes.len()
    {
        assert_ne!(running.read_buf(&mut bytes).await.unwrap(), 0);
    }
    assert!(parse(&bytes).body == large);
    send(&mut running, get("/healthz").as_bytes()).await;
    assert_eq!(read(&mut running).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_pair_change_nothing() {
    let secure = Secure::start(Options::default()).await;
    let half = |text: &'static str| &text[..text.len() / 2];
    for broken in [
        Files { key: TWO.key, ..ONE },
        Files { certificate: half(TWO.certificate), key: TWO.key },
        Files { key: half(TWO.key), ..TWO },
        Files { certificate: "", key: "" },
    ] {
        broken.put(secure.folder.path());
        sleep(Duration::from_millis(2_500)).await;
        assert_eq!(secure.shown().await, ONE.own());
    }
    std::fs::remove_file(secure.folder.path().join("tls.key")).unwrap();
    secure.tls.reload();
    assert_eq!(secure.shown().await, ONE.own());
    TWO.put(secure.folder.path());
    secure.tls.reload();
    assert_eq!(secure.shown().await, TWO.own());
}

#[test]
fn debug_shows_nothing_of_the_key() {
    let folder = tempfile::tempdir().unwrap();
    ONE.put(folder.path());
    let file = |name: &str| folder.path().join(name);
    let tls = Tls::load(&file("tls.pem"), &file("tls.key")).unwrap();
    let shown = format!("{tls:?}");
    assert!(shown.starts_with("Tls { certificate: ") && shown.len() < 300, "{shown}");
    std::fs::write(file("tls.key"), ONE.key.replace("-----END", "no end")).unwrap();
    let error = Tls::load(&file("tls.pem"), &file("tls.key")).unwrap_err();
    let shown = format!("{error} {error:?}");
    for line in ONE.key.lines().filter(|line| !line.starts_with('-')) {
        assert!(!shown.contains(line), "{shown}");
    }
}

#[test]
fn files_that_are_no_pair_are_told_with_what_to_do() {
    const EXPIRED: &str = include_str!("../data/tls/expired.pem");
    const SEC1: &str = include_str!("../data/tls/expired.key");
    const ENCRYPTED: &str = include_str!("../data/tls/encrypted.key");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let load = |certificate: &str, key: &str| {
        std::fs::write(path("tls.pem"), certificate).unwrap();
        std::fs::write(path("tls.key"), key).unwrap();
        Tls::load(&path("tls.pem"), &path("tls.key"))
    };
    let in_one = format!("{}{}", ONE.key, ONE.certificate);
    let with_text = format!("Subject: CN=localhost\n{}", TWO.certificate);
    for (certificate, key) in [
        (ONE.certificate, ONE.key),
        (&*with_text, TWO.key),
        // Expired, which is told in the log and nowhere else.
        (EXPIRED, SEC1),
        (&*in_one, &*in_one),
    ] {
        load(certificate, key).unwrap_or_else(|error| panic!("{error}"));
    }
    let reversed: Vec<&str> =
        ONE.certificate.split_inclusive("-----END CERTIFICATE-----\n").collect();
    let reversed = format!("{}{}", reversed[1], reversed[0]);
    let half = |text: &'static str| &text[..text.len() / 2];
    let damaged = ONE.certificate.replacen("MII", "!II", 1);
    let nonsense = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let too_long = "x".repeat((1 << 20) + 1);
    for (certificate, key, file, part) in [
        ("", ONE.key, "tls.pem", "is not PEM"),
        (&*too_long, ONE.key, "tls.pem", "is longer than 1048576 bytes"),
        (half(ONE.certificate), ONE.key, "tls.pem", "ends early"),
        (&*damaged, ONE.key, "tls.pem", "other characters in it"),
        (ONE.key, ONE.certificate, "tls.pem", "change them about"),
        (no_certificate, ONE.key, "tls.pem", "cannot be read"),
        (ONE.certificate, "key", "tls.key", "is not PEM"),
        (ONE.certificate, half(ONE.key), "tls.key", "ends early"),
        (ONE.certificate, ONE.certificate, "tls.key", "has a certificate and no private key"),
        (ONE.certificate, ENCRYPTED, "tls.key", "openssl pkey -in FILE -out KEY"),
        (ONE.certificate, nonsense, "tls.key", "is damaged, or of a kind"),
        (ONE.certificate, TWO.key, "tls.key", "does not belong to the first certificate of `"),
        (&*reversed, ONE.key, "tls.key", "the server's own comes first"),
    ] {
        let error = load(certificate, key).unwrap_err();
        assert_eq!(error.path(), path(file), "{part}: {error}");
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("`{}`: ", path(file).display())), "{shown}");
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let missing = Tls::load(&path("none.pem"), &path("tls.key")).unwrap_err().to_string();
    assert!(missing.contains("none.pem`: there is no such file"), "{missing}");
    let no_file = Tls::load(&path("tls.pem"), folder.path()).unwrap_err().to_string();
    assert!(no_file.contains("is no file"), "{no_file}");
}

/// Whoever connects and says nothing, or half of what it has to, has a place until somebody else needs it.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_handshakes_that_do_not_go_on_keep_nobody_out() {
    raise_descriptor_limit();
    let options = Options { max_connections: 128, ..Default::default() };
    let secure = Secure::start(options).await;
    let mut silent = Vec::new();
    for number in 0..1_000 {
        let mut stream = TcpStream::connect(secure.address).await.unwrap();
        if number % 2 == 0 {
            // The head of a record of 512 bytes, and of a ClientHello in it.
            let _ = stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await;
        }
        silent.push(stream);
    }
    for _ in 0..20 {
        let answered = async {
            let mut stream = secure.connect().await;
            send(&mut stream, get("/v1/data/s3+t://pub/data/x").as_bytes()).await;
            read(&mut stream).await.status
        };
        assert_eq!(timeout(SOON, answered).await.expect("an answer"), 200);
    }
}

/// However many addresses begin one at once, and however dear the key makes each.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_handshakes_at_once_are_no_more_than_one_owner() {
    const MANY: u16 = 1_000;
    raise_descriptor_limit();
    let secure = Secure::start(Options::default()).await;
    TWO.put(secure.folder.path());
    secure.tls.reload();
    let mut known = secure.connect().await;
    let mut hello = Vec::new();
    let name = ServerName::try_from("localhost").unwrap();
    let config = client(DEFAULT_VERSIONS, &[]);
    let mut connection = rustls::ClientConnection::new(config, name).unwrap();
    connection.write_tls(&mut hello).unwrap();
    let mut all = Vec::new();
    for number in 0..MANY {
        let socket = TcpSocket::new_v4().unwrap();
        let [high, low] = number.to_be_bytes();
        socket.bind(SocketAddr::from(([127, 7, high, low], 0))).unwrap();
        all.push(socket.connect(secure.address).await.unwrap());
    }
    for stream in &mut all {
        send(stream, &hello).await;
    }
    for _ in 0..5 {
        send(&mut known, get("/v1/data/s3+t://pub/data/x").as_bytes()).await;
        assert_eq!(timeout(SOON, read(&mut known)).await.expect("an answer").status, 200);
    }
    let answered = |stream: &TcpStream| stream.try_read(&mut [0; 1]).is_ok_and(|count| count == 1);
    let before = all.iter().filter(|stream| answered(stream)).count();
    assert!(before < 700, "five requests waited for {before} handshakes");
    for stream in &all {
        timeout(4 * SOON, stream.readable()).await.expect("an answer").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_may_take_as_long_as_a_head() {
    let options = Options { head_timeout: Duration::from_secs(1), ..Default::default() };
    let secure = Secure::start(options).await;
    for sent in [&b""[..], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut stream = TcpStream::connect(secure.address).await.unwrap();
        send(&mut stream, sent).await;
        let mut rest = Vec::new();
        let ended = timeout(SOON, stream.read_to_end(&mut rest)).await.expect("an end");
        assert!(ended.is_err() || rest.is_empty(), "{rest:?}");
    }
    // And one that is over does not begin that time anew.
    let mut stream = secure.connect().await;
    let mut rest = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut rest)).await.expect("an end");
    assert!(rest.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_http_where_tls_is_spoken_gets_no_answer_and_the_other_way_round() {
    let secure = Secure::start(Options::default()).await;
    let mut stream = TcpStream::connect(secure.address).await.unwrap();
    send(&mut stream, get("/healthz").as_bytes()).await;
    let mut rest = Vec::new();
    let began = Instant::now();
    let _ = timeout(SOON, stream.read_to_end(&mut rest)).await.expect("an end");
    assert!(began.elapsed() < SOON / 2);
    // Nothing, or an alert.
    assert!(rest.is_empty() || rest[0] == 0x15 && rest.len() == 7, "{rest:?}");

    let mut stream = TcpStream::connect(secure.world.address).await.unwrap();
    let hello = b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n";
    send(&mut stream, hello).await;
    let _ = timeout(SOON, stream.read_to_end(&mut rest)).await.expect("an end");
    let text = String::from_utf8_lossy(&rest);
    assert!(text.contains("HTTP/1.1 400 "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_by_tls_is_what_its_records_had() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(4 << 10).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let secure = Secure::at(socket.listen(16).unwrap(), Options::default()).await;
    let config = client(DEFAULT_VERSIONS, &[]);
    for size in [60_000, 500_000, 2_000_000] {
        let key = format!("data/tls-{size}");
        secure.store(&key, size).await;
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        let stream = socket.connect(secure.address).await.unwrap();
        let mut stream = self::secure(stream, &config).await.unwrap();
        send(&mut stream, get(&format!("/v1/data/s3+t://pub/{key}")).as_bytes()).await;
        let mut got = vec![0; 20_000];
        stream.read_exact(&mut got).await.unwrap();
        let head = String::from_utf8_lossy(&got).to_lowercase();
        let id = head.split("x-request-id: ").nth(1).and_then(|rest| rest.split('\r').next());
        let id = id.expect("an id");
        sleep(Duration::from_millis(300)).await;
        assert!(decisions(id).is_empty(), "{size}");
        stream.get_ref().0.set_zero_linger().unwrap();
        drop(stream);
        let line = line_of(id).await;
        assert_eq!(line["ended"], "cut", "{size}: {line}");
        // What was read came in two records or more; and no more than buffers hold is on its way.
        let sent = line["bytes"].as_u64().unwrap();
        assert!((15_000..50_000).contains(&sent), "{size}: {line}");
    }
    let mut stream = secure.connect().await;
    send(&mut stream, get("/v1/data/s3+t://pub/data/tls-500000").as_bytes()).await;
    let answer = read(&mut stream).await;
    let line = line_of(answer.header("x-request-id").unwrap()).await;
    assert_eq!((&line["ended"], &line["bytes"]), (&"whole".into(), &500_000.into()));
}

async fn line_of(id: &str) -> serde_json::Value {
    let began = Instant::now();
    loop {
        if let [line] = &decisions(id)[..] {
            return line.clone();
        }
        assert!(began.elapsed() < SOON, "no line");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_by_tls_that_is_no_longer_allowed_ends() {
    let secure = Secure::start(Options::default()).await;
    secure.store("data/large", 50_000_000).await;
    let mut stream = secure.connect().await;
    send(&mut stream, get("/v1/data/s3+t://pub/data/large").as_bytes()).await;
    let mut some = vec![0; 100_000];
    stream.read_exact(&mut some).await.unwrap();
    secure.world.replace(&CONNECTIONS.replace("[pub/data/*, pub/team.jpg]", "[pub/team.jpg]"));
    sleep(Duration::from_millis(2_500)).await;
    let mut rest = Vec::new();
    // It is cut, which is no end as TLS has it.
    let error = timeout(SOON, stream.read_to_end(&mut rest)).await.expect("an end").unwrap_err();
    assert!(
        matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset),
        "{error:?}"
    );
    assert!(rest.len() < 49_000_000, "{}", rest.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_stops_lets_what_runs_by_tls_end() {
    let mut secure = Secure::start(Options::default()).await;
    let large = secure.store("data/large", 20_000_000).await;
    let mut idle = secure.connect().await;
    send(&mut idle, get("/healthz").as_bytes()).await;
    assert_eq!(read(&mut idle).await.status, 200);
    let mut shaking = TcpStream::connect(secure.address).await.unwrap();
    let mut running = secure.connect().await;
    send(&mut running, get("/v1/data/s3+t://pub/data/large").as_bytes()).await;
    let mut bytes = vec![0; 100_000];
    running.read_exact(&mut bytes).await.unwrap();
    drop(secure.stop.take());
    let mut rest = Vec::new();
    // The one that does nothing ends as TLS has it, and the one that says nothing ends too.
    assert_eq!(timeout(SOON, idle.read_to_end(&mut rest)).await.expect("an end").unwrap(), 0);
    let _ = timeout(SOON, shaking.read_to_end(&mut rest)).await.expect("an end");
    assert!(rest.is_empty() && !secure.serving.is_finished());
    running.read_to_end(&mut bytes).await.unwrap();
    assert!(parse(&bytes).body == large);
    timeout(SOON, &mut secure.serving).await.expect("it stops").unwrap();
}
