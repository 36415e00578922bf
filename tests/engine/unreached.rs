//! To an API key that does not reach a connection, it is as if there were none: also by how long it takes.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use pathward::{ConnectionId, Engine, Path, Policy, engine::ReadObject};

/// How many decisions are timed at once, and how often: of those the medians are compared, taken in turn, so
/// that whatever else the machine does meets both.
const AT_ONCE: u32 = 5_000;
const TIMES: usize = 401;

/// The look-up of one that was there took 140 to 290 ns more, when that of none took some 100.
#[test]
fn it_takes_as_long_whether_or_not_there_is_one() {
    // The connections' rules are what a look-up would come by.
    let connection = |n| {
        format!(
            "  - {{ id: s3+c{n:02}, owner: ana, credentials: {{ env: E }}, restrictions: ['pub/*/x-*', 'pub/{n}/*'] }}\n"
        )
    };
    let connections: String = (0..100).map(connection).collect();
    // Of the text `key`.
    let sha256 = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
    let key = format!("{{ id: k, sha256: {sha256}, access: read-only, connections: [s3+c07] }}");
    let text = format!("connections:\n{connections}users: [{{ name: ana, keys: [{key}] }}]\n");
    let engine = Engine::new(Policy::from_yaml("policy.yaml", &text).expect("a policy"));
    let caller = engine.caller(b"key").expect("the key");
    let read = ReadObject { path: Path::new("bucket/folder/object").expect("a path") };
    let [there, none] =
        ["s3+c42", "s3+d42"].map(|id| ConnectionId::parse(id).expect("a connection's id"));
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..TIMES {
        for (id, times) in [&there, &none].into_iter().zip(&mut times) {
            let began = Instant::now();
            for _ in 0..AT_ONCE {
                let decision = engine.decide(caller, id, black_box(&read));
                assert_eq!(decision.reason().code(), "deny.unknown_connection");
            }
            times.push(began.elapsed());
        }
    }
    let [there, none] = times.map(|mut times: Vec<Duration>| {
        times.sort_unstable();
        times[TIMES / 2]
    });
    println!("{AT_ONCE} decisions: not reached {there:?}, not there {none:?}");
    let (less, more) = (there.min(none), there.max(none));
    assert!(more < less * 5 / 4, "{there:?} {none:?}");
}
