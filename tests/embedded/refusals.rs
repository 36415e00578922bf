//! Who is refused, and what is not stored: by requests that the client would not send.

use std::{net::Ipv4Addr, time::Duration};

use aws_sdk_s3::{presigning::PresigningConfig, primitives::ByteStream};
use pathward::embedded::{Embedded, EmbeddedOptions};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Server, client, disk::files, over_both, refused};

/// Sends bytes, and reads what comes back until the end.
async fn send(server: &Server, request: &[u8]) -> String {
    let mut stream = connect(server).await;
    stream.write_all(request).await.unwrap();
    read(&mut stream).await
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(address(server)).await.unwrap()
}

fn address(server: &Server) -> String {
    server.embedded.endpoint().trim_start_matches("http://").to_owned()
}

async fn read(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer));
    reading.await.expect("the connection ends").ok();
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request as a presigned one of the client, with the signature in its query.
async fn presigned(server: &Server, bucket: &str) -> String {
    let config = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let put = server.client.put_object().bucket(bucket).key("k").presigned(config).await.unwrap();
    put.uri().trim_start_matches(&server.embedded.endpoint()).to_owned()
}

over_both! {
    async fn only_the_key_signs(server: &Server) {
        let bucket = &server.bucket().await;
        server.put(bucket, "k", b"x").await;
        let (endpoint, id) = (server.embedded.endpoint(), server.embedded.access_key_id());
        let wrong = client(&endpoint, id, "not the secret, which has forty letters.");
        let got = wrong.get_object().bucket(bucket).key("k").send().await;
        assert_eq!(refused(got), (403, "SignatureDoesNotMatch".to_owned()));
        let put = wrong.put_object().bucket(bucket).key("new").send().await;
        assert_eq!(refused(put), (403, "SignatureDoesNotMatch".to_owned()));
        let unknown = client(&endpoint, "UNKNOWN", server.embedded.secret_access_key());
        let got = unknown.get_object().bucket(bucket).key("k").send().await;
        assert_eq!(refused(got).0, 403);
        assert_eq!(server.keys(bucket).await, ["k"]);
    }

    async fn nobody_is_refused(server: &Server) {
        let bucket = &server.bucket().await;
        server.put(bucket, "k", b"the content").await;
        let targets = [
            ("GET", "/"), ("GET", "/B"), ("GET", "/B?list-type=2"), ("GET", "/B/k"),
            ("HEAD", "/B/k"), ("PUT", "/B/new"), ("DELETE", "/B/k"), ("DELETE", "/B"),
            ("POST", "/B?delete"), ("PUT", "/other-bucket"), ("OPTIONS", "/B/k"),
        ];
        for (method, target) in targets {
            let target = target.replace("/B", &format!("/{bucket}"));
            let request = format!(
                "{method} {target} HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\n\
                 connection: close\r\n\r\n",
                address(server)
            );
            let answer = send(server, request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 403 "), "{method} {target}: {answer}");
            assert!(!answer.contains("the content"));
        }
        assert_eq!(server.keys(bucket).await, ["k"]);
    }

    async fn presigned_requests_and_forms_are_refused(server: &Server) {
        let bucket = &server.bucket().await;
        server.put(bucket, "secret", b"secret").await;
        let target = presigned(server, bucket).await;
        for extra in ["", &format!("x-amz-copy-source: {bucket}/secret\r\n")] {
            let request = format!(
                "PUT {target} HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\n{extra}\
                 connection: close\r\n\r\n",
                address(server)
            );
            let answer = send(server, request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        }
        let form = format!(
            "POST /{bucket} HTTP/1.1\r\nhost: {}\r\ncontent-type: multipart/form-data; boundary=b\r\n\
             content-length: 8\r\nconnection: close\r\n\r\n--b--\r\n\r\n",
            address(server)
        );
        let answer = send(server, form.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert_eq!(server.keys(bucket).await, ["secret"]);
    }

    async fn a_header_that_is_not_signed_is_refused(server: &Server) {
        let bucket = &server.bucket().await;
        server.put(bucket, "secret", b"secret").await;
        // The signature of the client covers what it had; then a header is added.
        let put = server.client.put_object().bucket(bucket).key("k").customize();
        let source = format!("{bucket}/secret");
        let put = put.interceptor(AddAfterSigning("x-amz-copy-source", source)).send().await;
        assert_eq!(refused(put), (403, "AccessDenied".to_owned()));
        assert_eq!(server.keys(bucket).await, ["secret"]);
    }

    async fn a_body_cut_short_stores_nothing(server: &Server) {
        let (bucket, body) = (&server.bucket().await, vec![b'x'; 300_000]);
        // What the client sends, recorded, and sent again without its end.
        for (key, trailer) in [("plain", false), ("chunked", true)] {
            let recorded = record(server, bucket, key, &body, trailer).await;
            let whole = send(server, &recorded).await;
            assert!(whole.starts_with("HTTP/1.1 200 "), "{key}: {whole}");
            server.client.delete_object().bucket(bucket).key(key).send().await.unwrap();
            for cut in [1, 3, 50, 200_000, 299_999] {
                let mut stream = connect(server).await;
                stream.write_all(&recorded[..recorded.len() - cut]).await.unwrap();
                stream.shutdown().await.unwrap();
                let answer = read(&mut stream).await;
                assert!(!answer.starts_with("HTTP/1.1 2"), "{key} {cut}: {answer}");
                assert_eq!(server.keys(bucket).await, [""; 0], "{key} {cut}");
            }
            // The same bytes with one of them changed.
            let mut changed = recorded.clone();
            changed[recorded.len() - 150_000] = b'y';
            let answer = send(server, &changed).await;
            // Each chunk of the second has a signature of its own.
            let expected = if trailer { "HTTP/1.1 403 " } else { "HTTP/1.1 400 " };
            assert!(answer.starts_with(expected), "{key}: {answer}");
            assert_eq!(server.keys(bucket).await, [""; 0]);
        }
        if let Some(folder) = &server.folder {
            assert_eq!(files(folder.path()), 0, "no bytes are left");
        }
    }
}

/// Adds a header to a request that is signed already.
#[derive(Debug)]
struct AddAfterSigning(&'static str, String);

impl aws_sdk_s3::config::Intercept for AddAfterSigning {
    fn name(&self) -> &'static str {
        "AddAfterSigning"
    }

    fn modify_before_transmit(
        &self,
        context: &mut aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut<'_>,
        _: &aws_sdk_s3::config::RuntimeComponents,
        _: &mut aws_sdk_s3::config::ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        context.request_mut().headers_mut().insert(self.0, self.1.clone());
        Ok(())
    }
}

/// The bytes of a PUT as the client sends it to the server, with the connection to close.
///
/// The host is part of what is signed, so the client is told the server's; what it connects to
/// is a listener of ours.
async fn record(server: &Server, bucket: &str, key: &str, body: &[u8], trailer: bool) -> Vec<u8> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (id, secret) = (server.embedded.access_key_id(), server.embedded.secret_access_key());
    let put = client(&endpoint, id, secret).put_object().bucket(bucket).key(key);
    // The checksum of a body that is read from a file comes behind it.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), body).unwrap();
    let body = match trailer {
        true => ByteStream::from_path(file.path()).await.unwrap(),
        false => ByteStream::from(body.to_vec()),
    };
    let put = put.body(body);
    let sending = tokio::spawn(put.customize().interceptor(SignFor(address(server))).send());
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut recorded, mut buffer) = (Vec::new(), vec![0; 65536]);
    let mut end = None;
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the client sends all");
        recorded.extend_from_slice(&buffer[..read]);
        if end.is_none()
            && let Some(at) = recorded.windows(4).position(|bytes| bytes == b"\r\n\r\n")
        {
            let head = String::from_utf8(recorded[..at].to_vec()).unwrap().to_lowercase();
            assert_eq!(head.contains("x-amz-trailer"), trailer, "{head}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            end = Some(at + 4 + length.expect("a length").parse::<usize>().unwrap());
        }
        if end.is_some_and(|end| recorded.len() >= end) {
            break;
        }
    }
    sending.abort();
    let line = recorded.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    recorded.splice(line..line, b"connection: close\r\n".iter().copied());
    recorded
}

/// Signs for a host that is not the one connected to.
#[derive(Debug)]
struct SignFor(String);

impl aws_sdk_s3::config::Intercept for SignFor {
    fn name(&self) -> &'static str {
        "SignFor"
    }

    fn modify_before_signing(
        &self,
        context: &mut aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut<'_>,
        _: &aws_sdk_s3::config::RuntimeComponents,
        _: &mut aws_sdk_s3::config::ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        context.request_mut().headers_mut().insert("host", self.0.clone());
        Ok(())
    }
}

#[tokio::test]
async fn it_listens_on_loopback_and_shows_no_secret() {
    let options = EmbeddedOptions::default().with_credentials("CANARYID", "CANARYSECRET");
    assert!(!format!("{options:?}").contains("CANARY"));
    let server = Embedded::start(options).await.unwrap();
    assert!(server.endpoint().starts_with("http://127.0.0.1:"));
    assert_eq!((server.access_key_id(), server.secret_access_key()), ("CANARYID", "CANARYSECRET"));
    assert!(!format!("{server:?}").contains("CANARY"), "{server:?}");

    let other = Embedded::start(EmbeddedOptions::default()).await.unwrap();
    assert_eq!(other.access_key_id().len(), 20);
    assert_eq!(other.secret_access_key().len(), 40);
    let third = Embedded::start(EmbeddedOptions::default()).await.unwrap();
    assert_ne!(other.secret_access_key(), third.secret_access_key());
}

#[tokio::test]
async fn it_ends_when_it_is_told_to_and_when_it_is_dropped() {
    for dropped in [true, false] {
        let server = Server::in_memory().await;
        let (bucket, address) = (server.bucket().await, address(&server));
        server.put(&bucket, "k", b"x").await;
        match dropped {
            true => drop(server.embedded),
            false => server.embedded.shutdown().await,
        }
        let mut refused = false;
        for _ in 0..100 {
            refused = TcpStream::connect(&address).await.is_err();
            if refused {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(refused, "dropped: {dropped}");
    }
}
