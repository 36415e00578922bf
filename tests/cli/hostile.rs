//! What goes wrong when commands meet each other, odd files and odd numbers.

use std::{fs, process::Stdio};

use super::Folder;

const USERS: &str = "users:\n  - name: ana\n    keys:\n      - { id: first, sha256: 1111111111111111111111111111111111111111111111111111111111111111, access: none }\n";

/// Each took the file as it was before the other: the later one took the earlier one's key out,
/// which had been shown as made.
#[test]
fn keys_that_are_made_at_once_are_all_there_or_said_not_to_be() {
    let folder = Folder::with(USERS);
    let mut running = Vec::new();
    for number in 0..12 {
        let mut command = folder.command();
        let id = format!("k{number}");
        command.args(["key", "new", "--policy", "policy.yaml", "--user", "ana", "--id", &id]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        running.push((id, command.spawn().expect("it runs")));
    }
    let ended: Vec<_> = running
        .into_iter()
        .map(|(id, child)| (id, child.wait_with_output().expect("it ends")))
        .collect();
    let text = fs::read_to_string(folder.0.path().join("policy.yaml")).expect("text");
    let mut made = 0;
    for (id, output) in ended {
        let is_there = text.contains(&format!("id: {id},"));
        assert_eq!(output.status.success(), is_there, "{id}: {output:?}\n{text}");
        made += u32::from(is_there);
    }
    assert!(made > 0 && text.contains("id: first"), "{text}");
    assert_eq!(fs::read_dir(folder.0.path()).expect("a folder").count(), 1, "nothing is left");
}

/// A policy that is a link, as where files are kept under version control, became a file.
#[cfg(unix)]
#[test]
fn a_key_goes_where_a_link_leads() {
    let folder = Folder::new();
    let kept = folder.file("kept.txt", USERS.as_bytes());
    let link = folder.0.path().join("linked.yaml");
    std::os::unix::fs::symlink("kept.txt", &link).expect("a link");
    let made = folder.run(["key", "new", "-p", "linked.yaml", "--user", "ana", "--id", "k"]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    assert!(fs::read_to_string(kept).expect("text").contains("id: k,"));
}

#[cfg(feature = "gateway")]
#[test]
fn limits_that_cannot_be_are_wrong_usage() {
    let folder = Folder::with(USERS);
    for limit in [
        "--max-requests=0",
        "--max-requests=18446744073709551615",
        "--max-connections=0",
        "--idle-timeout=0",
        "--idle-timeout=18446744073709551615",
        "--request-timeout=18446744073709551615",
        "--shutdown-timeout=18446744073709551615",
    ] {
        let serve = ["serve", "--policy", "policy.yaml", "--listen", "127.0.0.1:0", limit];
        assert_eq!(folder.run(serve).code, 2, "{limit}");
    }
}

/// S7, in the log as `serve` writes it.
#[cfg(all(unix, feature = "gateway"))]
#[test]
fn s07_credentials_that_everyone_may_read_are_warned_of() {
    use std::{
        io::{BufRead as _, BufReader, Read as _, Write as _},
        os::unix::fs::PermissionsExt as _,
    };
    for (mode, is_warned) in [(0o644, true), (0o602, true), (0o640, false), (0o600, false)] {
        let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let policy = format!(
            "connections:\n  - id: s3+t\n    owner: ana\n    endpoint: http://127.0.0.1:1\n    \
             credentials: {{ file: secrets }}\n    restrictions: [pub/]\nusers:\n  - name: ana\n    \
             keys: [{{ id: k, sha256: {hash}, access: read-only }}]\n"
        );
        let folder = Folder::with(&policy);
        let file = folder
            .file("secrets", b"[default]\naws_access_key_id = K\naws_secret_access_key = HUSH\n");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
        let mut command = folder.command();
        command.args(["serve", "--policy", "policy.yaml", "--listen", "127.0.0.1:0"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let address = line.trim().rsplit('/').next().expect("an address").to_owned();
        let mut stream = std::net::TcpStream::connect(address).expect("it listens");
        let head = "GET /v1/data/s3+t://pub/x HTTP/1.1\r\nHost: g\r\nAuthorization: test\r\n\
                    Connection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
        child.kill().expect("it ends");
        let logged = child.wait_with_output().expect("it ended").stderr;
        let logged = String::from_utf8_lossy(&logged);
        assert_eq!(logged.contains("chmod o="), is_warned, "{mode:o}: {logged}");
        assert!(!logged.contains("HUSH"), "{logged}");
    }
}
