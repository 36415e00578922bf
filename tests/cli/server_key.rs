//! The key that gateways share: made once, read at the start.

use super::{Folder, serve::Served};

const POLICY: &str = "connections:\n  - { id: s3+a, owner: ana, restrictions: [pub/] }\n";

#[cfg(unix)]
#[test]
fn a_key_is_made_for_this_user_alone_and_never_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::with(POLICY);
    let made = folder.run("key server server.key".split(' '));
    assert_eq!((made.code, &*made.out), (0, ""), "{}", made.err);
    let path = folder.0.path().join("server.key");
    let text = std::fs::read_to_string(&path).expect("it is there");
    assert!(text.contains("\npathward-server-key-1:"), "no key");
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = folder.run("key server server.key".split(' '));
    assert_eq!(again.code, 2, "{}", again.err);
    assert!(again.err.contains("is there already"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
}

#[test]
fn serve_takes_the_key_or_says_why_not() {
    let folder = Folder::with(POLICY);
    for (content, said) in [
        (None, "there is no such file: make one with `pathward key server"),
        (Some("# nothing\n"), "there is no server key in it"),
        (Some("SECRET\n"), "line 1 is no server key"),
    ] {
        let path = folder.0.path().join("other.key");
        match content {
            Some(content) => std::fs::write(&path, content).expect("written"),
            None => drop(std::fs::remove_file(&path)),
        }
        let ran =
            folder.run("serve --policy . --listen 127.0.0.1:0 --server-key other.key".split(' '));
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains(said) && !ran.err.contains("SECRET"), "{}", ran.err);
    }
    assert_eq!(folder.run("key server server.key".split(' ')).code, 0);
    let mut command = folder.command();
    command.args("serve --policy . --listen 127.0.0.1:0 --server-key server.key".split(' '));
    let served = Served::start(&mut command, "listening");
    drop(served);
}
