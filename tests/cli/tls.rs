//! S3 by way of TLS, as AWS has it: a certificate is checked against what the system trusts.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use pathward::embedded::{Embedded, EmbeddedOptions};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use super::{
    Folder,
    serve::{Served, read},
};

const TRUSTED: &str = include_str!("../data/tls/trusted.pem");
const KEY: &str = include_str!("../data/tls/trusted.key");
const OTHER: &str = include_str!("../data/tls/other.pem");

/// Takes TLS off before the server, and says at which port.
fn with_tls(server: SocketAddr) -> u16 {
    let certificate = CertificateDer::from_pem_slice(TRUSTED.as_bytes()).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a configuration");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let server = TcpStream::connect(server).expect("the server");
            thread::spawn(move || pass_on(StreamOwned::new(connection, stream), server));
        }
    });
    port
}

/// Passes bytes on in both directions, by turns, until one side ends.
fn pass_on(mut from: StreamOwned<ServerConnection, TcpStream>, mut to: TcpStream) {
    let turn = Some(Duration::from_millis(5));
    from.sock.set_read_timeout(turn).expect("a timeout");
    to.set_read_timeout(turn).expect("a timeout");
    let mut buffer = [0; 4_096];
    loop {
        let asked = pass(&mut from, &mut to, &mut buffer);
        let answered = pass(&mut to, &mut from, &mut buffer);
        if !asked || !answered {
            return;
        }
    }
}

/// Passes on what there is; whether more may come. A client that does not trust the certificate
/// ends the connection here.
fn pass(from: &mut impl Read, to: &mut impl Write, buffer: &mut [u8]) -> bool {
    match read(from, buffer) {
        Ok(0) => false,
        Ok(count) => buffer.get(..count).is_some_and(|bytes| to.write_all(bytes).is_ok()),
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

#[test]
fn a_server_is_reached_by_tls_where_its_certificate_is_trusted() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let embedded = runtime.block_on(async {
        let embedded = Embedded::start(EmbeddedOptions::default()).await.expect("a server");
        embedded.put("pub", "data/x", "text/plain", "by TLS".into()).await.expect("stored");
        embedded
    });
    let server = embedded.endpoint();
    let server = server.strip_prefix("http://").expect("http").parse().expect("an address");
    let folder = Folder::with(&format!(
        "connections:\n  - id: s3+t\n    owner: ana\n    endpoint: https://localhost:{}\n    \
         credentials: {{ env: TLS }}\n    restrictions: [pub/data/]\n",
        with_tls(server)
    ));
    let key = folder.run("key new --policy . --user ana --id laptop".split(' ')).out;
    for (name, roots, status) in [("trusted", TRUSTED, 200), ("other", OTHER, 502)] {
        let mut command = folder.command();
        command.args("serve --policy . --listen 127.0.0.1:0".split(' '));
        command.env("TLS_ACCESS_KEY_ID", embedded.access_key_id());
        command.env("TLS_SECRET_ACCESS_KEY", embedded.secret_access_key());
        command
            .env("SSL_CERT_FILE", folder.file(name, roots.as_bytes()))
            .env_remove("SSL_CERT_DIR");
        let served = Served::start(&mut command, "listening");
        let (got, body) = served.get("/v1/connector/s3+t/pub/data/x", key.trim_end());
        assert_eq!(got, status, "{body}");
        assert_eq!(got == 200, body == "by TLS", "{body}");
    }
}
