//! What a request costs the gateway, whatever the policy: whole requests to a process of its own, whose
//! processor time the system counts.

#![expect(clippy::print_stdout, reason = "what was measured is printed")]

use std::{fs, io::Write as _, net::TcpStream, time::Duration};

use pathward::embedded::{Embedded, EmbeddedOptions};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Folder,
    serve::{Served, read},
    slow::{self, Slow},
};

/// What is escaped in a request's target: more than has to be.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.');
/// What a denied request may cost with 250 ordinary rules and a path of a kilobyte, where it is optimised.
const ORDINARY: Duration = Duration::from_micros(300);

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
        let count = read(stream, &mut buffer).expect("an answer");
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

/// Ordinary rules, of an ordinary number, and paths of a kilobyte; what is denied is in this folder. Of `web`
/// there may be a folder of its name that is not denied, and the server is asked for it.
fn ordinary(count: usize, folder: &str) -> Slow {
    let path = |folder: &str, end: &str| {
        format!("logs/{folder}/{}part-7-x.{end}", "2026/11/29/".repeat(91))
    };
    Slow {
        what: "ordinary rules",
        allow: (0..count)
            .map(|n| match n {
                // About as many as one path may meet.
                ..120 => format!("glob:logs/{{app,web,db,api}}/**/part-{n}-*.{{gz,zst}}"),
                _ => format!("logs/web/*/part-{n}-*.gz"),
            })
            .collect(),
        deny: Vec::new(),
        denied: path(folder, "xz"),
        allowed: path("web", "gz"),
    }
}

/// A denied request asked for the nearest of up to 256 rules: 11 s of processor time for one, with a
/// policy of 44 KB, and 45 to 75 ms with ordinary globs.
#[test]
fn a_denied_request_costs_no_more_than_an_allowed_one() {
    costs_no_more([slow::globs_of_many_steps(10), ordinary(120, "web")]);
}

#[test]
#[ignore = "`tests/long shares` runs it, optimised: loading the policies takes minutes in other builds"]
fn a_denied_request_costs_no_more_than_an_allowed_one_whatever_the_policy() {
    let [.., denied] = costs_no_more([ordinary(250, "job")])[0];
    assert!(cfg!(debug_assertions) || denied <= ORDINARY, "{denied:?} with ordinary rules");
    costs_no_more([ordinary(250, "web")]);
    costs_no_more(slow::all());
}

/// Asks for the path of each policy that is allowed and for the one that is denied, and holds what they cost
/// against each other: the processor's time for each.
fn costs_no_more(cases: impl IntoIterator<Item = Slow>) -> Vec<[Duration; 2]> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let options = EmbeddedOptions::default().with_credentials("id", "secret");
    let server = runtime.block_on(Embedded::start(options)).expect("a server");
    let mut found = Vec::new();
    for case in cases {
        let (bucket, key) = case.allowed.split_once('/').expect("a key");
        runtime.block_on(server.put(bucket, key, "text/plain", "x".into())).expect("stored");
        let policy = format!(
            "connections:\n  - id: s3+m\n    owner: ana\n    endpoint: {}\n    keys: exact\n    \
             region: us-east-1\n    credentials: {{ env: DEMO }}\n{}",
            server.endpoint(),
            case.yaml(4)
        );
        let folder = Folder::with(&policy);
        let made = folder.run("key new --policy . --user ana --id k".split(' '));
        let key = made.out.trim_end();
        let mut command = folder.command();
        command.args("serve --policy . --listen 127.0.0.1:0 --log-format json".split(' '));
        command.env("DEMO_ACCESS_KEY_ID", "id").env("DEMO_SECRET_ACCESS_KEY", "secret");
        let served = Served::start(&mut command, "listening");
        let mut stream = TcpStream::connect(served.address()).expect("connects");
        let asked = [(&case.allowed, 200), (&case.denied, 403)];
        let mut costs = [const { Vec::new() }; 2];
        for _ in 0..11 {
            for ((path, status), costs) in asked.iter().zip(&mut costs) {
                let target = format!("/v1/connector/s3+m/{}", utf8_percent_encode(path, ESCAPED));
                let before = processor_time(served.pid());
                for _ in 0..5 {
                    let (answered, body) = get(&mut stream, &target, key);
                    assert_eq!(answered, *status, "{}: {body}", case.what);
                }
                costs.push((processor_time(served.pid()) - before) / 5);
            }
        }
        let [allowed, denied] = costs.map(|mut costs| {
            costs.sort_unstable();
            Duration::from_nanos(costs[costs.len() / 2])
        });
        println!(
            "costs: {}, {} rules: {allowed:.1?} allowed, {denied:.1?} denied, {:.2} times",
            case.what,
            case.allow.len() + case.deny.len(),
            denied.as_secs_f64() / allowed.as_secs_f64()
        );
        found.push((case.what, [allowed, denied]));
    }
    for (what, [allowed, denied]) in &found {
        assert!(*denied <= 2 * *allowed, "{what}: {denied:?} denied, {allowed:?} allowed");
    }
    found.into_iter().map(|(_, costs)| costs).collect()
}
