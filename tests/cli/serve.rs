//! `pathward serve` and `pathward key new`, as programs.

use std::{
    fs,
    io::{BufRead as _, BufReader, ErrorKind, Read, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::Folder;

/// Reads some, of what may have a limit of time: a machine that was stopped for a moment wakes whoever waits
/// with one.
pub(super) fn read(from: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// A gateway that runs until it is dropped.
pub(super) struct Served {
    child: Child,
    address: String,
    /// What it said on standard output up to here.
    said: String,
    log: mpsc::Receiver<String>,
}

impl Served {
    /// Starts it; `last` is in the last line that it says before it waits.
    pub(super) fn start(command: &mut Command, last: &str) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut said = String::new();
        while !said.contains(last) {
            assert_ne!(out.read_line(&mut said).expect("text"), 0, "it ended: {said}");
        }
        let first = said.lines().next().expect("a line");
        let (scheme, address) = first.split_once("://").expect("an address");
        assert!(matches!(scheme, "listening on http" | "listening on https"), "{first}");
        let address = address.to_owned();
        let err = BufReader::new(child.stderr.take().expect("a pipe"));
        let (lines, log) = mpsc::channel();
        thread::spawn(move || {
            err.lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
        });
        Self { child, address, said, log }
    }

    pub(super) fn get(&self, target: &str, key: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("connects");
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: g\r\nConnection: close\r\nAuthorization: {key}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).expect("a status").parse().expect("a number");
        let body = answer.split_once("\r\n\r\n").expect("a body").1.to_owned();
        (status, body)
    }

    /// What it said on standard output before it waited.
    pub(super) fn said(&self) -> &str {
        &self.said
    }

    /// The next line of the log that has this in it.
    pub(super) fn logged(&self, part: &str) -> String {
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(20)).expect(part);
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Where it listens.
    #[cfg(any(target_os = "linux", feature = "portal"))]
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Its process.
    #[cfg(target_os = "linux")]
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    #[cfg(unix)]
    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().expect("kill runs").success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A connection to a server that nothing listens at: what is denied never finds out.
const POLICY: &str = "\
connections:
  - id: s3+t
    owner: ana
    endpoint: http://127.0.0.1:1
    credentials: { env: NOT_SET }
    restrictions: [pub/data/]
";

fn new_key(folder: &Folder, args: &str) -> super::Ran {
    folder.run(format!("key new --policy . {args}").split_whitespace())
}

#[test]
fn a_new_key_opens_the_gateway_and_the_policy_has_its_hash_alone() {
    let folder = Folder::with(POLICY);
    let made = new_key(&folder, "--user ana --id laptop --access read-write");
    assert_eq!(made.code, 0, "{}", made.err);
    let key = made.out.trim_end();
    assert!(key.starts_with("sim") && key.len() == 43, "{key}");
    assert!(made.err.contains("not shown again"), "{}", made.err);
    let other = new_key(&folder, "--user ana --id job --format json");
    let json = other.json();
    assert_eq!(
        (json["access"].as_str(), json["file"].as_str()),
        (Some("read-only"), Some("./user-ana.yaml"))
    );
    for file in fs::read_dir(folder.0.path()).expect("a folder") {
        let text = fs::read_to_string(file.expect("a file").path()).expect("text");
        assert!(!text.contains(key) && !text.contains(json["key"].as_str().expect("a key")));
    }

    let mut command = folder.command();
    command.args("serve --policy . --listen 127.0.0.1:0 --log-format json".split(' '));
    let served = Served::start(&mut command, "listening");
    let target = "/v1/connector/s3+t/pub/secret";
    for known in [key, json["key"].as_str().expect("a key")] {
        let (status, body) = served.get(target, &format!("Simple {known}"));
        assert_eq!(status, 403, "{body}");
        // The file's; its directory is another decision.
        let line = served.logged(r#""op":"read""#);
        let line: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
        for (field, value) in [
            ("op", "read"),
            ("caller", "ana"),
            ("connection", "s3+t"),
            ("bucket", "pub"),
            ("key", "secret"),
            ("decision", "deny"),
            ("reason_code", "deny.no_match"),
            ("key_encoding", "utf8"),
            ("s3_operation", "GetObject"),
        ] {
            assert_eq!(line[field], value, "{line}");
        }
        assert!(line["decision_id"].is_number() && line["duration_ns"].is_number());
        assert!(line["revision"].is_string() && line["request_id"].is_string());
        assert!(!line.to_string().contains(known));
    }
    assert_eq!(served.get(target, "simNobody").0, 401);
    // Allowed, but the connection's credentials are nowhere: the owner's mistake, said so.
    let (status, body) = served.get("/v1/connector/s3+t/pub/data/x", key);
    assert_eq!((status, body.contains("credentials")), (500, true), "{body}");
}

#[test]
fn a_key_for_one_connection_says_so_in_the_policy() {
    let folder = Folder::with(POLICY);
    let made = new_key(&folder, "--user ana --id job --connection S3+t --connection s3+nix");
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.err.contains("ana has no connection s3+nix"), "{}", made.err);
    let text = fs::read_to_string(folder.0.path().join("user-ana.yaml")).expect("a file");
    assert!(text.contains("access: read-only, connections: [s3+nix, s3+t] }"), "{text}");
    let lint = folder.run(["lint", "--policy", "."]);
    assert!(lint.out.contains("lint.key_connection"), "{}", lint.out);
}

#[test]
fn keys_that_cannot_be_made_change_nothing() {
    let folder = Folder::with(POLICY);
    assert_eq!(new_key(&folder, "--user ana --id laptop").code, 0);
    let before = fs::read_to_string(folder.0.path().join("user-ana.yaml")).expect("text");
    let again = new_key(&folder, "--user ana --id laptop");
    assert_eq!((again.code, again.out.as_str()), (2, ""), "{}", again.err);
    assert_eq!(folder.run(["key", "new", "--policy", "."]).code, 2);
    assert_eq!(folder.run(["key", "new", "--policy", "none", "--user", "a", "--id", "b"]).code, 3);
    let flow = folder.file("flow.yaml", b"users: [{ name: bob }]\n");
    let by_hand = new_key(&folder, "--user bob --id laptop");
    assert_eq!(by_hand.code, 1);
    assert!(
        by_hand.err.contains("ask again") && !by_hand.err.contains("sha256:"),
        "{}",
        by_hand.err
    );
    assert_eq!(fs::read(flow).expect("a file"), b"users: [{ name: bob }]\n");
    assert_eq!(fs::read_to_string(folder.0.path().join("user-ana.yaml")).expect("text"), before);
}

#[test]
fn a_file_without_users_takes_the_first_and_one_with_users_says_how() {
    let folder = Folder::with(POLICY);
    let new = |user| {
        let options = format!("key new --policy policy.yaml --id laptop --user {user}");
        folder.run(options.split(' '))
    };
    let first = new("ana");
    assert_eq!((first.code, first.err.contains("reaches nothing")), (0, false), "{}", first.err);
    let text = fs::read_to_string(folder.0.path().join("policy.yaml")).expect("text");
    assert!(
        text.starts_with(POLICY.trim_end()) && text.contains("users:\n  - name: ana\n"),
        "{text}"
    );
    let second = new("bob");
    assert_eq!((second.code, second.out.as_str()), (1, ""), "{}", second.err);
    assert!(second.err.contains("`- name: bob` under its `users`"), "{}", second.err);
    folder.file("policy.yaml", format!("{text}  - name: bob\n").as_bytes());
    let third = new("bob");
    assert_eq!((third.code, third.err.contains("reaches nothing")), (0, true), "{}", third.err);
}

#[cfg(unix)]
#[test]
fn a_policy_is_loaded_again_whole_or_not_at_all() {
    let folder = Folder::with(POLICY);
    let key = new_key(&folder, "--user ana --id laptop").out;
    let key = key.trim_end();
    let mut command = folder.command();
    command.args("serve --policy . --listen 127.0.0.1:0".split(' '));
    let served = Served::start(&mut command, "listening");
    let status = || served.get("/v1/connector/s3+t/pub/other/x", key).0;
    assert_eq!(status(), 403);

    folder.file("policy.yaml", POLICY.replace("pub/data/", "pub/other/").as_bytes());
    assert_eq!(status(), 403, "nothing changes before it is told to");
    served.signal("-HUP");
    served.logged("loaded again");
    assert_eq!(status(), 500, "allowed now, and the credentials are nowhere");

    folder.file("policy.yaml", b"connections: [nonsense]\n");
    served.signal("-HUP");
    served.logged("the last one stays");
    assert_eq!(status(), 500);
}

#[cfg(unix)]
#[test]
fn it_stops_when_told_to_and_says_why_it_does_not_start() {
    let folder = Folder::with(POLICY);
    let mut command = folder.command();
    command.args("serve --policy policy.yaml --listen 127.0.0.1:0".split(' '));
    for signal in ["-TERM", "-INT"] {
        let mut served = Served::start(&mut command, "listening");
        served.signal(signal);
        assert_eq!(served.child.wait().expect("ends").code(), Some(0), "{signal}");
    }
    let served = Served::start(&mut command, "listening");
    let taken = folder.run(["serve", "--policy", "policy.yaml", "--listen", &served.address]);
    assert_eq!(taken.code, 1, "{}", taken.err);
    let says = format!("cannot listen on {}: ", served.address);
    assert!(taken.err.contains(&says), "{}", taken.err);
    assert!(taken.err.contains("write another port, `--listen ADDRESS:PORT`"), "{}", taken.err);
    assert_eq!(folder.run(["serve", "--policy", "none.yaml"]).code, 3);
    assert_eq!(folder.run(["serve"]).code, 2);
    for nowhere in ["nowhere", "nowhere:80", "80:80", "70000", "localhost", "localhost:x", ":80"] {
        let ran = folder.run(["serve", "--policy", "policy.yaml", "--listen", nowhere]);
        assert_eq!(ran.code, 2, "{nowhere}");
        assert!(ran.err.contains("an IP address and a port, `127.0.0.1:9000`"), "{}", ran.err);
    }
}

/// A port, and this machine by its name, were refused as no syntax of an address.
#[test]
fn this_machine_is_meant_by_a_port_alone_and_by_its_name() {
    let folder = Folder::with(POLICY);
    for listen in ["localhost:0", "LocalHost:0", "0"] {
        let mut command = folder.command();
        command.args(["serve", "--policy", "policy.yaml", "--listen", listen]);
        let served = Served::start(&mut command, "listening");
        assert!(served.address.starts_with("127.0.0.1:"), "{listen}: {}", served.address);
    }
}

#[cfg(feature = "embedded")]
#[test]
fn the_demos_lines_do_what_they_say() {
    let folder = Folder::with(POLICY);
    let data = folder.0.path().join("data");
    for kept in [false, true, true] {
        let mut command = folder.command();
        command.args("serve --demo --listen 127.0.0.1:0 --portal 127.0.0.1:0".split(' '));
        if kept {
            command.arg("--data").arg(&data);
        }
        let served = Served::start(&mut command, "Ctrl-C stops");
        let lines: Vec<&str> = served.said.lines().map(str::trim).collect();
        let curls: Vec<_> = lines.iter().filter(|line| line.starts_with("curl ")).collect();
        assert_eq!(curls.len(), 2, "{}", served.said);
        let parts: Vec<_> = curls.iter().map(|line| line.split('\'').collect::<Vec<_>>()).collect();
        let target = |curl: &[&str]| {
            let url = curl.get(2).expect("an address").trim().to_owned();
            url.strip_prefix(&format!("http://{}", served.address)).expect("our address").to_owned()
        };
        let asked: Vec<_> = parts
            .iter()
            .map(|curl| {
                let header = curl.get(1).expect("a header");
                let key = header.strip_prefix("Authorization: ").expect("a key");
                served.get(&target(curl), key)
            })
            .collect();
        assert!(
            matches!(asked.as_slice(), [(200, csv), (403, _)] if csv.starts_with("id,name")),
            "{asked:?}"
        );
        assert_eq!(lines.iter().filter(|line| line.starts_with("python3 -c ")).count(), 1);
    }
}

/// A decision log as the gateway writes it, to standard error and line by line.
#[test]
fn what_is_logged_can_be_replayed_and_suggested_from() {
    let folder = Folder::with(POLICY);
    let key = new_key(&folder, "--user ana --id laptop").out;
    let mut command = folder.command();
    command.args("serve --policy . --listen 127.0.0.1:0 --log-format json".split(' '));
    let served = Served::start(&mut command, "listening");
    let key = format!("Simple {}", key.trim());
    let asked = [
        "pub/data/a.csv",
        "pub/data/line%0Abreak",
        "pub/data/%E2%80%AEx",
        "pub/secret",
        "pub/data",
    ];
    for path in asked {
        let (status, body) = served.get(&format!("/v1/connector/s3+t/{path}"), &key);
        assert_eq!(status == 403, path == "pub/secret", "{path}: {status} {body}");
    }
    drop(served.get("/v1/connector/s3+other/x", &key));
    drop(served.get("/v1/connector/s3+t/pub/data/last", &key));
    let mut lines = String::new();
    while !lines.contains("data/last") {
        lines += &served.log.recv_timeout(Duration::from_secs(20)).expect("a line");
        lines += "\n";
    }
    folder.file("serve.log", lines.as_bytes());

    let replayed = folder.run("replay --policy . --log serve.log --format json".split(' '));
    let json = replayed.json();
    assert_eq!(replayed.code, 0, "{json} of {lines}");
    // A line break in a key is no path, and another's connection none of hers.
    let counts = ["malformed", "invalid", "compared"].map(|field| json[field].as_u64());
    // What is denied as a file is asked for as a directory, too.
    assert_eq!(counts, [Some(0), Some(2), Some(7)], "{json} of {lines}");
    assert!(lines.contains(r#""key":"data/%E2%80%AEx","key_encoding":"pct""#), "{lines}");

    let suggested = folder.run("suggest --policy . --log serve.log --format json".split(' '));
    let json = suggested.json();
    assert_eq!(suggested.code, 0, "{json} of {lines}");
    let ours = &json["connections"][0];
    assert_eq!(ours["connection"], "s3+t");
    // The keys that were read, which are enough for the listing too.
    let yaml = ours["yaml"].as_str().expect("a text");
    for line in ["- pub/data/a.csv\n", "- pub/data/last\n", r#"- "pub/data/\U0000202ex""#] {
        assert!(yaml.contains(line), "{yaml}");
    }
    assert_eq!(ours["denied"]["deny.no_match"], 3, "{json}");
}

/// What a log at its most talkative has of one request that goes all the way, and of the answer.
#[cfg(feature = "embedded")]
#[test]
fn s03_no_signature_key_or_header_is_logged() {
    let folder = Folder::with(POLICY);
    let mut command = folder.command();
    command.args(
        "serve --demo --listen 127.0.0.1:0 --portal 127.0.0.1:0 --log-level trace".split(' '),
    );
    let served = Served::start(&mut command, "Ctrl-C stops");
    let key = served.said.split("Simple ").nth(1).and_then(|rest| rest.split('\'').next());
    let key = key.expect("a key");
    assert_eq!(served.get("/v1/connector/s3+saha/Algorithmia/test_data.csv", key).0, 200);
    assert_eq!(served.get("/v1/connector/s3+saha/Algorithmia/private/x", key).0, 403);
    let mut lines = vec![served.logged("test_data.csv"), served.logged("private/x")];
    lines.extend(served.log.try_iter());
    let text = lines.join("\n");
    for word in ["Signature", "AWS4", "uthorization", "Credential", key, "x-amz", "secret_access"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[test]
fn s04_a_connection_is_shown_with_where_its_credentials_are_and_never_with_them() {
    let folder = Folder::with(&POLICY.replace("NOT_SET", "SAHA"));
    for args in ["inspect --policy policy.yaml", "inspect --policy policy.yaml --format json"] {
        let mut command = folder.command();
        command.args(args.split(' '));
        command.env("SAHA_ACCESS_KEY_ID", "CANARYID").env("SAHA_SECRET_ACCESS_KEY", "CANARYSECRET");
        let output = command.output().expect("runs");
        let text = format!("{output:?}");
        assert!(output.status.success() && text.contains("SAHA"), "{text}");
        assert!(!text.contains("CANARY"), "{text}");
    }
}

#[test]
fn s05_without_a_key_in_the_policy_nobody_gets_in() {
    let folder = Folder::with(POLICY);
    let mut command = folder.command();
    command.args("serve --policy policy.yaml --listen 127.0.0.1:0".split(' '));
    let served = Served::start(&mut command, "listening");
    for key in ["", "admin", "Simple admin", "minioadmin", "ana", "Basic YWRtaW46YWRtaW4=", "sim"] {
        assert_eq!(served.get("/v1/connector/s3+t/pub/data/x", key).0, 401, "{key}");
    }
}

/// The operator learns why, and whoever asks only that it is so.
#[test]
fn why_credentials_cannot_be_loaded_is_in_the_log() {
    let hush = "HUSH/9f86d081884c7d659a2feaa0c55ad015a3bf";
    for (reference, file, why) in [
        (
            "{ profile: nope }",
            "[saha]\naws_access_key_id = K\naws_secret_access_key = HUSH",
            "nope",
        ),
        ("{ file: away }", "", "away"),
        (
            "{ file: secrets }",
            "[saha]\naws_access_key_id = K\naws_secret_access_key = HUSH",
            "default",
        ),
        ("{ file: secrets }", "[default]\naws_access_key_id = K\nHUSH", "could not parse"),
        ("{ env: NOPE }", "", "the variable NOPE_ACCESS_KEY_ID is not set"),
    ] {
        let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let folder = Folder::with(&format!(
            "connections:\n  - id: s3+t\n    owner: ana\n    endpoint: http://127.0.0.1:1\n    credentials: \
             {reference}\n    restrictions: [pub/]\nusers:\n  - name: ana\n    keys: [{{ id: k, sha256: {hash}, \
             access: read-only }}]\n"
        ));
        let secrets = folder.file("secrets", file.replace("HUSH", hush).as_bytes());
        let mut command = folder.command();
        command.args("serve --policy policy.yaml --listen 127.0.0.1:0".split(' '));
        command
            .env("AWS_SHARED_CREDENTIALS_FILE", secrets)
            .env("AWS_EC2_METADATA_DISABLED", "true");
        let served = Served::start(&mut command, "listening");
        let (status, body) = served.get("/v1/data/s3+t://pub/x", "test");
        assert_eq!(status, 500, "{body}");
        assert!(body.contains("credentials could not be loaded") && !body.contains(why), "{body}");
        let line = served.logged("credentials could not be loaded");
        assert!(line.contains(why) && !line.contains(hush), "{reference}: {line}");
    }
}

/// Whose connections count for whom, where one has to be closed: of a proxy that is trusted for those it asks
/// for, and of everybody else for themselves, whatever they say.
#[cfg(target_os = "linux")]
#[test]
fn a_trusted_proxys_callers_count_apart_and_nobody_elses() {
    let folder = Folder::with(POLICY);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let serve = || {
        let mut command = folder.command();
        let args = "serve --policy . --listen 127.0.0.1:0 --max-connections 8";
        command.args(args.split(' ')).args(["--trusted-proxy", "127.0.0.2"]);
        Served::start(&mut command, "listening")
    };
    // A connection from this address that has asked once, for somebody.
    let asked = |served: &Served, from: [u8; 4], header: &str| {
        let to = served.address.parse().expect("an address");
        let stream = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
            socket.bind((from, 0).into()).expect("an address of this machine");
            socket.connect(to).await.expect("connects").into_std().expect("a stream")
        });
        stream.set_nonblocking(false).expect("blocks");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        let mut stream = stream;
        let head = format!("GET /healthz HTTP/1.1\r\nHost: g\r\n{header}\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            let mut some = [0; 1_024];
            let count = read(&mut stream, &mut some).expect("an answer");
            assert!(count > 0, "it ended");
            answer.extend_from_slice(&some[..count]);
        }
        stream
    };
    let is_open = |stream: &mut TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a limit");
        match read(stream, &mut [0]) {
            Ok(0) => false,
            Ok(_) => panic!("it answers what nobody asked"),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                true
            }
        }
    };
    // One is closed, and which of them is another test's: the gateway knows a little later than whoever reads
    // an answer that it was written.
    let one_is_closed = |of: &mut [TcpStream], whose: &str| {
        let open: Vec<_> = of.iter_mut().map(is_open).collect();
        assert_eq!(open.iter().filter(|is_open| !**is_open).count(), 1, "{whose}: {open:?}");
    };
    let all_are_open = |of: &mut [TcpStream], whose: &str| {
        let open: Vec<_> = of.iter_mut().map(is_open).collect();
        assert!(open.iter().all(|is_open| *is_open), "{whose}: {open:?}");
    };
    let (proxy, other, direct) = ([127, 0, 0, 2], [127, 0, 0, 3], [127, 0, 0, 1]);
    for forged in ["", "Forwarded: for=203.0.113.9\r\n"] {
        let (served, for_one) = (serve(), "X-Forwarded-For: 198.51.100.1\r\n");
        let mut one = asked(&served, proxy, "X-Forwarded-For: 198.51.100.2\r\n");
        let mut many: Vec<_> =
            (0..4).map(|_| asked(&served, proxy, &format!("{for_one}{forged}"))).collect();
        let mut rest: Vec<_> = (0..3).map(|_| asked(&served, direct, "")).collect();
        let _new = asked(&served, direct, "");
        one_is_closed(&mut many, &format!("the caller who has most {forged:?}"));
        assert!(is_open(&mut one), "another caller behind the proxy");
        all_are_open(&mut rest, "those that come themselves");
    }
    let served = serve();
    let mut forging: Vec<_> = (0..5)
        .map(|n| asked(&served, other, &format!("X-Forwarded-For: 198.51.100.{n}\r\n")))
        .collect();
    let mut rest: Vec<_> = (0..3).map(|_| asked(&served, direct, "")).collect();
    let _new = asked(&served, direct, "");
    one_is_closed(&mut forging, "who says that they are five");
    all_are_open(&mut rest, "those that come themselves");
}
