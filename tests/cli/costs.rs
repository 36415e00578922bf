//! What a request costs the gateway, whatever the policy: whole requests to a process of its own, whose
//! processor time the system counts.

#![expect(clippy::print_stdout, reason = "what was measured is printed")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use pathward::embedded::{Embedded, EmbeddedOptions};

use super::{Folder, serve::Served};

/// The processor time that a process has had, in nanoseconds.
fn processor_time(process: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
        .sum()
}

/// Asks for a file and reads the answer: its status, and its body.
fn get(stream: &mut TcpStream, target: &str, key: &str) -> (u16, String) {
    let request = format!("GET {target} HTTP/1.1\r\nHost: g\r\nAuthorization: {key}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let (mut answer, mut buffer) = (Vec::new(), [0; 64 << 10]);
    loop {
        let count = stream.read(&mut buffer).expect("an answer");
        assert_ne!(count, 0, "it ended: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).expect("a length");
        let length: usize = length.lines().next().expect("a line").parse().expect("a number");
        if body.len() >= length {
            let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
            return (status, body.to_owned());
        }
    }
}

/// Rules, a path that they deny and one that they allow, each as costly as the policy makes it.
struct Case {
    what: &'static str,
    rules: Vec<String>,
    denied: String,
    allowed: String,
}

/// Ordinary rules, of an ordinary number.
fn ordinary(count: usize) -> Case {
    let deep = "2026/11/29/".repeat(90);
    Case {
        what: "ordinary globs",
        rules: (0..count)
            .map(|n| format!("{{ glob: \"logs/{{app,web,db,api}}/**/part-{n}-*.{{gz,zst}}\" }}"))
            .collect(),
        denied: format!("logs/web/{deep}part-7-x.bz2"),
        allowed: format!("logs/web/{deep}part-7-x.gz"),
    }
}

/// Policies that were made to be slow, within the limits.
fn hostile() -> Vec<Case> {
    let globs = |count: usize| {
        let classes = "{a,b}?".repeat(6);
        let rules = (0..count)
            .map(|n| format!("{{ glob: \"pub/p{n:03}/{classes}{}x\" }}", "?".repeat(110)));
        Case {
            what: "globs of many alternatives and steps",
            rules: rules.collect(),
            denied: format!("pub/{}", "b".repeat(1_020)),
            allowed: format!("pub/p000/{}{}x", "aa".repeat(6), "y".repeat(110)),
        }
    };
    let quoted = |rules: Vec<String>| rules.into_iter().map(|rule| format!("\"{rule}\"")).collect();
    let stars = (0..250).map(|n| format!("pub/p{n:03}/{}b", "*a".repeat(1_190)));
    // One of them is what allows: the others are looked at, too.
    let nested = (0..4_096).map(|n| {
        let end = if n == 4_095 { "t" } else { "s" };
        format!("pub/*{}*{}*Z*{end}", "a".repeat(1 + n / 64), "a".repeat(1 + n % 64))
    });
    let all_a = |end: &str| format!("pub/{}{end}", "a".repeat(1_000));
    vec![
        globs(250),
        globs(10),
        Case {
            what: "a thousand stars each",
            rules: quoted(stars.chain(["pub/ok*".to_owned()]).collect()),
            denied: format!("pub/{}", "b".repeat(1_020)),
            allowed: format!("pub/ok{}", "b".repeat(1_000)),
        },
        Case {
            what: "patterns that wait for their end",
            rules: quoted(nested.collect()),
            denied: all_a("Zu"),
            allowed: all_a("Zt"),
        },
    ]
}

/// A denied request asked for the nearest of up to 256 rules: 11 s of processor time for one, with a
/// policy of 44 KB, and 45 to 75 ms with ordinary globs.
#[test]
fn a_denied_request_costs_no_more_than_an_allowed_one() {
    costs_no_more(hostile().into_iter().skip(1).take(1).chain([ordinary(120)]));
}

#[test]
#[ignore = "loading the policies takes minutes in a build that is not optimised"]
fn a_denied_request_costs_no_more_than_an_allowed_one_whatever_the_policy() {
    costs_no_more(hostile().into_iter().chain([ordinary(250)]));
}

fn costs_no_more(cases: impl IntoIterator<Item = Case>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let options = EmbeddedOptions::default().with_credentials("id", "secret");
    let server = runtime.block_on(Embedded::start(options)).expect("a server");
    for case in cases {
        let (bucket, key) = case.allowed.split_once('/').expect("a key");
        runtime.block_on(server.put(bucket, key, "text/plain", "x".into())).expect("stored");
        let rules: String = case.rules.iter().map(|rule| format!("      - {rule}\n")).collect();
        let policy = format!(
            "connections:\n  - id: s3+m\n    owner: ana\n    endpoint: {}\n    keys: exact\n    \
             region: us-east-1\n    credentials: {{ env: DEMO }}\n    restrictions:\n{rules}",
            server.endpoint()
        );
        let folder = Folder::with(&policy);
        let made = folder.run("key new --policy . --user ana --id k".split(' '));
        let key = made.out.trim_end();
        let mut command = folder.command();
        command.args("serve --policy . --listen 127.0.0.1:0 --log-format json".split(' '));
        command.env("DEMO_ACCESS_KEY_ID", "id").env("DEMO_SECRET_ACCESS_KEY", "secret");
        let served = Served::start(&mut command, "listening");
        let mut stream = TcpStream::connect(served.address()).expect("connects");
        let mut cost = |path: &str, status: u16| {
            let target = format!("/v1/connector/s3+m/{path}");
            let mut costs = Vec::new();
            for _ in 0..9 {
                let before = processor_time(served.pid());
                for _ in 0..5 {
                    let (answered, body) = get(&mut stream, &target, key);
                    assert_eq!(answered, status, "{}: {body}", case.what);
                }
                costs.push((processor_time(served.pid()) - before) / 5);
            }
            costs.sort_unstable();
            costs[costs.len() / 2]
        };
        let (allowed, denied) = (cost(&case.allowed, 200), cost(&case.denied, 403));
        println!(
            "costs: {}, {} rules: {} µs allowed, {} µs denied",
            case.what,
            case.rules.len(),
            allowed / 1_000,
            denied / 1_000
        );
        assert!(denied <= 2 * allowed, "{}: {denied} ns denied, {allowed} allowed", case.what);
    }
}
