//! Uploads in parts that have not ended: listed, and ended where they are old.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use pathward::{
    Caller, ConnectionId, Engine, Path, Policy,
    embedded::{Embedded, EmbeddedOptions},
    engine::CreateUpload,
    executor::{Executor as _, Metadata, S3},
};
use serde_json::Value;

use super::Folder;

/// A policy for a server; its credentials are in the variables that start with `UP`.
fn policy(endpoint: &str) -> String {
    format!(
        "connections:\n  - id: s3+t\n    owner: ana\n    endpoint: {endpoint}\n    credentials: {{ env: UP }}\n    \
         access: read-write\n    restrictions: [pub/in/, {{ path: pub/out/, access: read-only }}]\n"
    )
}

#[test]
fn uploads_are_listed_where_the_connection_may_write() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let embedded = runtime.block_on(async {
        let embedded = Embedded::start(EmbeddedOptions::default()).await.expect("a server");
        embedded.put("pub", "in/there", "text/plain", "x".into()).await.expect("stored");
        embedded
    });
    let folder = Folder::with(&policy(&embedded.endpoint()));
    // Uploads everywhere, by somebody else.
    let keys = folder.file(
        "keys",
        format!(
            "[default]\naws_access_key_id={}\naws_secret_access_key={}\n",
            embedded.access_key_id(),
            embedded.secret_access_key()
        )
        .as_bytes(),
    );
    let all = format!(
        "connections: [{{ id: s3+t, owner: o, endpoint: '{}', credentials: {{ file: {} }}, access: read-write }}]",
        embedded.endpoint(),
        keys.display()
    );
    let engine = Engine::new(Policy::from_yaml("all.yaml", &all).expect("a policy"));
    let id = ConnectionId::parse("s3+t").expect("an id");
    let s3 = S3::default();
    for path in ["pub/in/one", "pub/in/two", "pub/out/three", "pub/other/four"] {
        let path = Path::new(path).expect(path).into_owned();
        let owner = Caller::with_full_permission("o");
        let approved = engine.approve(owner, &id, CreateUpload { path }).expect("allowed");
        runtime.block_on(s3.create_upload(approved, Metadata::default())).expect("begun");
    }
    let ask = |args: &str| {
        let mut command = folder.command();
        command.args(["uploads", "s3+t", "--policy", "policy.yaml"]).args(args.split(' '));
        command.env("UP_ACCESS_KEY_ID", embedded.access_key_id());
        command.env("UP_SECRET_ACCESS_KEY", embedded.secret_access_key());
        super::ran(&mut command)
    };
    let listed = ask("--under pub --format json");
    assert_eq!(listed.code, 0, "{}", listed.err);
    let json: Value = serde_json::from_str(&listed.out).expect("JSON");
    let paths: Vec<_> = json["uploads"].as_array().expect("a list").iter().collect();
    let path = |upload: &&Value| upload["path"].as_str().expect("a path").to_owned();
    assert_eq!(paths.iter().map(path).collect::<Vec<_>>(), ["pub/in/one", "pub/in/two"]);
    assert!(paths.iter().all(|upload| upload["aborted"].is_null() && upload["age"].is_u64()));
    // None of them is old, so that none is ended.
    let aborted = ask("--under pub/in/ --older-than 1m --abort");
    assert_eq!((aborted.code, &*aborted.out), (0, ""), "{}", aborted.err);
    assert!(aborted.err.contains("no unfinished upload of that age under `pub/in/`"));
    let text = ask("--under pub/in/o");
    assert!(text.out.starts_with("pub/in/one  begun "), "{}", text.out);
    assert!(text.err.contains("1 unfinished under `pub/in/o`; some may still go on"));
    for (args, code, words) in [
        ("--under pub --abort", 2, "--older-than"),
        ("--under pub --older-than 7 --abort", 2, "such as `7d`"),
        ("--under pub/out/", 5, "may write nothing there"),
        ("--under pub/../x", 2, "is no prefix"),
        ("--under other/in/", 5, "may write nothing there"),
    ] {
        let ran = ask(args);
        assert_eq!((ran.code, &*ran.out), (code, ""), "{args}: {}", ran.err);
        assert!(ran.err.contains(words), "{args}: {}", ran.err);
    }
    runtime.block_on(embedded.shutdown());
}

/// A server that has these uploads and nothing else, and notes what it is asked to end.
fn server(uploads: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let ended = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&ended);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (uploads, notes) = (uploads.clone(), Arc::clone(&notes));
            thread::spawn(move || serve(&stream, &uploads, &notes));
        }
    });
    (endpoint, ended)
}

fn serve(mut stream: &TcpStream, uploads: &str, notes: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    while let Some(line) = lines.next() {
        lines.by_ref().take_while(|line| !line.is_empty()).for_each(drop);
        let answer = match line.strip_prefix("DELETE ") {
            Some(rest) => {
                let target = rest.split(' ').next().unwrap_or_default();
                notes.lock().expect("no panic").push(target.to_owned());
                match target.contains("stuck") {
                    true => "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".to_owned(),
                    false => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
                }
            }
            None => {
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{uploads}", uploads.len())
            }
        };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn old_uploads_are_ended_and_no_others() {
    let upload = |key: &str, id: &str, initiated: &str| {
        format!(
            "<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>{initiated}</Initiated></Upload>"
        )
    };
    let (old, new) = ("2020-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z");
    let uploads = [
        upload("in/old", "a+b/c=", old),
        upload("in/new", "n", new),
        upload("in/unknown", "u", "yesterday"),
        upload("out/old", "o", old),
        upload("secret/old", "s", old),
        upload("in/stuck", "k", old),
    ];
    let (endpoint, ended) = server(format!(
        "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{}</ListMultipartUploadsResult>",
        uploads.concat()
    ));
    let folder = Folder::with(&policy(&endpoint));
    let ask = |args: &str| {
        let mut command = folder.command();
        command.args(["uploads", "s3+t", "--policy", "policy.yaml"]).args(args.split(' '));
        command.env("UP_ACCESS_KEY_ID", "id").env("UP_SECRET_ACCESS_KEY", "secret");
        super::ran(&mut command)
    };
    let listed = ask("--under pub/ --older-than 7d");
    assert_eq!(listed.code, 0, "{}", listed.err);
    let paths: Vec<_> = listed.out.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(paths, ["pub/in/old", "pub/in/stuck"]);
    assert_eq!(*ended.lock().expect("no panic"), [""; 0]);
    let aborted = ask("--under pub/ --older-than 7d --abort");
    // One of them could not be ended, and that is said.
    assert_eq!(aborted.code, 1, "{}", aborted.err);
    let lines: Vec<_> = aborted.out.lines().collect();
    assert!(lines[0].starts_with("pub/in/old ") && lines[0].ends_with("  aborted"), "{lines:?}");
    assert!(
        lines[1].starts_with("pub/in/stuck ") && lines[1].contains("NOT aborted: "),
        "{lines:?}"
    );
    assert_eq!(
        *ended.lock().expect("no panic"),
        ["/pub/in/old?uploadId=a%2Bb%2Fc%3D", "/pub/in/stuck?uploadId=k"]
    );
}
