//! `pathward serve` by TLS, as a program: its lines, its listeners, and the files that it follows.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustls::{ClientConnection, DEFAULT_VERSIONS, StreamOwned, pki_types::ServerName};

use super::{
    Folder,
    certificates::{Files, ONE, TWO, client},
    serve::{Served, read},
};

const EXPIRED: Files = Files {
    certificate: include_str!("../data/tls/expired.pem"),
    key: include_str!("../data/tls/expired.key"),
};

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn connect(address: &str) -> Stream {
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(client(DEFAULT_VERSIONS, &[]), name).expect("a client");
    let stream = TcpStream::connect(address).expect("connects");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    StreamOwned::new(connection, stream)
}

fn send(address: &str, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer that ends");
    answer
}

fn get(address: &str, target: &str) -> String {
    let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    send(address, &request)
}

fn serve(folder: &Folder, args: &str) -> Served {
    let mut command = folder.command();
    command.args("serve --listen 127.0.0.1:0 --tls-cert tls.pem --tls-key tls.key".split(' '));
    command.args(args.split(' '));
    Served::start(&mut command, if args.contains("--store") { "first?link" } else { "listening" })
}

fn folder(files: Files) -> Folder {
    let folder = Folder::new();
    files.put(folder.0.path());
    folder
}

/// Whether a new connection is shown this certificate.
fn shows(address: &str, files: Files) -> bool {
    let mut stream = connect(address);
    let _ = stream.conn.complete_io(&mut stream.sock);
    stream.conn.peer_certificates().and_then(|all| all.first()) == Some(&files.own())
}

#[test]
fn the_gateway_and_the_portal_speak_tls_and_say_so() {
    let folder = folder(ONE);
    let served = serve(&folder, "--store data --portal 127.0.0.1:0");
    let said = served.said().to_owned();
    assert!(said.starts_with("listening on https://127.0.0.1:"), "{said}");
    assert!(get(served.address(), "/healthz").ends_with("{\"status\":\"ok\"}"));
    let portal = said.lines().find_map(|line| line.strip_prefix("portal on https://"));
    let portal = portal.expect("the portal's address");
    let link = said.rsplit_once(": https://").expect("a link").1.trim_end();
    let target = link.strip_prefix(portal).expect("the portal's");
    assert!(get(portal, target).starts_with("HTTP/1.1 200 OK\r\n"));
    let made = folder.run("key new --store data --user ana --id one --manage".split(' '));
    let form = format!("key={}", made.out.trim_end());
    let sign_in = |origin: &str| {
        send(
            portal,
            &format!(
                "POST /sign-in HTTP/1.1\r\nHost: {portal}\r\nConnection: close\r\nOrigin: {origin}\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
                form.len()
            ),
        )
    };
    // The store is followed: the key is known soon.
    let began = Instant::now();
    let answer = loop {
        let answer = sign_in(&format!("https://{portal}"));
        if answer.starts_with("HTTP/1.1 303") || began.elapsed() > Duration::from_secs(10) {
            break answer;
        }
        thread::sleep(Duration::from_millis(200));
    };
    let cookie = answer.lines().find(|line| line.to_lowercase().starts_with("set-cookie: "));
    assert!(cookie.is_some_and(|cookie| cookie.ends_with("; Secure")), "{answer}");
    // A page that came without TLS is none of the portal's.
    let answer = sign_in(&format!("http://{portal}"));
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[test]
fn the_demos_lines_have_the_scheme() {
    let folder = folder(ONE);
    let mut command = folder.command();
    command.args("serve --demo --listen 127.0.0.1:0 --portal 127.0.0.1:0".split(' '));
    command.args("--tls-cert tls.pem --tls-key tls.key".split(' '));
    let served = Served::start(&mut command, "Ctrl-C");
    let said = served.said();
    let base = format!("https://{}", served.address());
    assert!(said.contains(&format!("' {base}/v1/connector/")), "{said}");
    assert!(
        said.contains(&format!(", '{base}')")) && said.contains("  https://127.0.0.1:"),
        "{said}"
    );
}

#[test]
fn a_pair_that_does_not_load_is_wrong_usage() {
    let folder = folder(ONE);
    fs::write(folder.0.path().join("two.key"), TWO.key).expect("written");
    for (args, parts) in [
        ("--tls-cert tls.pem", &["--tls-key <FILE>"][..]),
        ("--tls-key tls.key", &["--tls-cert <FILE>"]),
        ("--tls-cert none.pem --tls-key tls.key", &["`none.pem`", "no such file"]),
        ("--tls-cert tls.pem --tls-key two.key", &["`two.key`", "`tls.pem`", "does not belong"]),
        ("--tls-cert tls.key --tls-key tls.pem", &["`tls.key`", "change them about"]),
    ] {
        for way in ["--policy .", "--store data"] {
            let ran = folder.run(format!("serve --listen 0 {way} {args}").split(' '));
            assert_eq!(ran.code, 2, "{args}: {}", ran.err);
            assert!(parts.iter().all(|part| ran.err.contains(part)), "{args}: {}", ran.err);
            assert_eq!(ran.out, "");
        }
    }
}

#[test]
fn files_that_change_are_followed_and_what_is_no_pair_is_told_once() {
    let folder = folder(ONE);
    let path = folder.0.path().to_owned();
    let served = serve(&folder, "--policy .");
    let address = served.address();
    assert!(shows(address, ONE));
    TWO.put(&path);
    served.logged("the certificate changed");
    assert!(shows(address, TWO));

    Files { key: ONE.key, ..TWO }.put(&path);
    let line = served.logged("does not load again");
    assert!(
        line.contains("WARN") && line.contains("`tls.key`: its private key does not"),
        "{line}"
    );
    let key = ONE.key.lines().nth(1).expect("a line");
    assert!(!line.contains(key), "{line}");
    // Not again, until it changes again.
    thread::sleep(Duration::from_secs(3));
    fs::remove_file(path.join("tls.pem")).expect("removed");
    let line = served.logged("does not load again");
    assert!(line.contains("`tls.pem`: there is no such file"), "{line}");
    assert!(shows(address, TWO));

    EXPIRED.put(&path);
    served.logged("the certificate changed");
    let line = served.logged("WARN");
    assert!(line.contains("expired on Sun, 01 Feb 2026 00:00:00 GMT"), "{line}");
}

#[cfg(unix)]
#[test]
fn a_hang_up_takes_a_new_certificate_at_once_and_a_key_that_all_can_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder(EXPIRED);
    let path = folder.0.path();
    let readable = |path: &Path| {
        fs::set_permissions(path.join("tls.key"), fs::Permissions::from_mode(0o604)).expect("set");
    };
    readable(path);
    for args in ["--policy .", "--store data --no-portal"] {
        EXPIRED.put(path);
        readable(path);
        let mut command = folder.command();
        command.args("serve --listen 127.0.0.1:0 --tls-cert tls.pem --tls-key tls.key".split(' '));
        let served = Served::start(command.args(args.split(' ')), "listening");
        let line = served.logged("WARN");
        assert!(line.contains("can read or change this private key: `chmod o= FILE`"), "{line}");
        assert!(served.logged("WARN").contains("`tls.pem`: the certificate expired on"));
        Files { key: ONE.key, ..TWO }.put(path);
        served.signal("-HUP");
        served.logged("does not load again");
        ONE.put(path);
        served.signal("-HUP");
        served.logged("the certificate changed");
        assert!(shows(served.address(), ONE));
    }
}

/// A client that was there before goes on with what it was shown.
#[test]
fn nothing_is_dropped_for_a_new_certificate() {
    let folder = folder(ONE);
    let served = serve(&folder, "--policy .");
    let mut stream = connect(served.address());
    let request = b"GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n";
    let mut ask = || {
        stream.write_all(request).expect("sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"{\"status\":\"ok\"}") {
            let mut some = [0; 1_024];
            let count = read(&mut stream, &mut some).expect("an answer");
            assert_ne!(count, 0);
            answer.extend_from_slice(&some[..count]);
        }
    };
    ask();
    TWO.put(folder.0.path());
    served.logged("the certificate changed");
    ask();
    assert_eq!(stream.conn.peer_certificates().and_then(|all| all.first()), Some(&ONE.own()));
}
