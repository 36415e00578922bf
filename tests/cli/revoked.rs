//! A right that is taken away is gone within a second, whatever callers hold and however many change the
//! store; and nothing is served on what cannot be read, where that is asked for.

use std::{
    fs,
    io::Write as _,
    net::TcpStream,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use pathward::{AccessSet, Reach, store::Store};

use super::{
    Folder, Ran,
    serve::{Served, read},
};

/// How long a revocation may take; and how long it takes at most on a machine that does much else.
const SOON: Duration = Duration::from_secs(1);
const BUSY: Duration = Duration::from_secs(4);

/// Denied to whoever has a key.
const TARGET: &str = "/v1/connector/s3+t/pub/secret";

/// A folder with a store, in which Ana has a connection that leads nowhere and these keys.
fn world(ids: &[&str]) -> (Folder, Vec<String>) {
    let folder = Folder::new();
    let make = "connection new s3+t --owner ana --endpoint http://127.0.0.1:1 --allow pub/data/";
    let made = run(&folder, &format!("{make} --env NOT_SET"));
    assert_eq!(made.code, 0, "{}", made.err);
    let key = |id: &&str| {
        let made = run(&folder, &format!("key new --user ana --id {id}"));
        assert_eq!(made.code, 0, "{}", made.err);
        made.out.trim().to_owned()
    };
    let keys = ids.iter().map(key).collect();
    (folder, keys)
}

fn run(folder: &Folder, args: &str) -> Ran {
    folder.run(args.split_whitespace().chain(["--store", "data"]))
}

/// A gateway that follows the store, started by this shell command before its own.
fn serve(folder: &Folder, before: &str, more: &str) -> Served {
    let mut command = Command::new("sh");
    command.current_dir(folder.0.path()).env_remove("PATHWARD_FORMAT");
    let pathward = env!("CARGO_BIN_EXE_pathward");
    let serve = format!(
        "{before} exec {pathward} serve --store data --no-portal --listen 127.0.0.1:0 {more}"
    );
    Served::start(command.args(["-c", &serve]), "listening")
}

/// A connection that is kept, and what it asks.
struct Kept(TcpStream);

impl Kept {
    fn to(served: &Served) -> Self {
        let stream = TcpStream::connect(served.address()).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        Self(stream)
    }

    fn ask(&mut self, target: &str, key: &str) -> u16 {
        let head =
            format!("GET {target} HTTP/1.1\r\nHost: g\r\nAuthorization: Simple {key}\r\n\r\n");
        self.0.write_all(head.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        let whole = |answer: &[u8]| {
            let text = String::from_utf8_lossy(answer).into_owned();
            let (head, body) = text.split_once("\r\n\r\n")?;
            let length = head.to_ascii_lowercase().split("content-length: ").nth(1)?.to_owned();
            let length: usize = length.lines().next()?.parse().ok()?;
            (body.len() >= length).then(|| head.split(' ').nth(1)?.parse().ok()).flatten()
        };
        loop {
            if let Some(status) = whole(&answer) {
                return status;
            }
            let mut some = [0; 4_096];
            let count = read(&mut self.0, &mut some).expect("an answer");
            assert!(count > 0, "it ended: {}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&some[..count]);
        }
    }
}

fn revoke(folder: &Folder, id: &str) -> (Ran, Duration) {
    let began = Instant::now();
    let revoked = run(folder, &format!("key revoke --user ana --id {id}"));
    assert_eq!(revoked.code, 0, "{}", revoked.err);
    (revoked, began.elapsed())
}

fn within<T>(limit: Duration, what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(done) = done() {
            return done;
        }
        assert!(began.elapsed() < limit, "{what}: not in {limit:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// 1,100 connections of somebody without a key took all of the usual 1,024 descriptors: the store could
/// not be read any more, and a key that was revoked stayed valid for as long as they were there.
#[test]
fn connections_of_nobody_keep_no_key_valid() {
    pathward::gateway::raise_descriptor_limit();
    // The limit that many systems have, which can be raised; and one that cannot.
    for before in ["ulimit -Sn 1024;", "ulimit -n 1024;"] {
        let (folder, keys) = world(&["leaked", "good"]);
        let served = serve(&folder, before, "");
        assert_eq!(served.get(TARGET, &keys[0]).0, 403);
        let hold: Vec<_> = (0..1_100)
            .map(|_| {
                let mut stream = TcpStream::connect(served.address()).expect("connects");
                // One that is closed for another is none that cannot be opened.
                let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: g\r\n\r\n");
                stream
            })
            .collect();
        assert_eq!(served.get(TARGET, &keys[0]).0, 403, "who has a key is let in");
        let (revoked, took) = revoke(&folder, "leaked");
        assert!(revoked.out.contains("taken by 1 gateway\n"), "{}", revoked.out);
        assert_eq!(served.get(TARGET, &keys[0]).0, 401);
        assert!(took < BUSY, "{took:?}");
        let began = Instant::now();
        assert_eq!(served.get(TARGET, &keys[1]).0, 403, "others are let in");
        assert_eq!(served.get("/healthz", "").0, 200);
        assert!(began.elapsed() < BUSY, "{:?}", began.elapsed());
        println!("{before} revoked in {took:?}, let in within {:?}", began.elapsed());
        drop(hold);
    }
}

/// As many as a gateway has places, from one address, and all of them idle.
#[test]
fn idle_connections_of_one_address_keep_nobody_out() {
    pathward::gateway::raise_descriptor_limit();
    let (folder, keys) = world(&["good"]);
    let served = serve(&folder, "", "");
    let mut hold = Vec::new();
    for _ in 0..4_096 {
        hold.push(TcpStream::connect(served.address()).expect("connects"));
    }
    let mut times: Vec<_> = (0..50)
        .map(|_| {
            let began = Instant::now();
            assert_eq!(served.get(TARGET, &keys[0]).0, 403);
            began.elapsed()
        })
        .collect();
    times.sort();
    println!("beside 4,096 idle connections: median {:?}, slowest {:?}", times[25], times[49]);
    assert!(times[25] < SOON && times[49] < BUSY, "{times:?}");
    drop(hold);
}

/// No descriptor can be opened: what the store keeps back is enough.
#[test]
fn a_revocation_needs_no_descriptor_that_others_leave() {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
    let (folder, keys) = world(&["leaked", "good"]);
    let served = serve(&folder, "", "");
    let mut kept = Kept::to(&served);
    assert_eq!(kept.ask(TARGET, &keys[0]), 403);
    let pid = served.pid();
    let open: Vec<u64> = fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("descriptors")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    let first_free = (0..).find(|number| !open.contains(number)).expect("a number");
    let pid = Pid::from_raw(pid.try_into().expect("a process")).expect("a process");
    let none = Rlimit { current: Some(first_free), ..getrlimit(Resource::Nofile) };
    let before = prlimit(Some(pid), Resource::Nofile, none).expect("a limit");
    let (revoked, took) = revoke(&folder, "leaked");
    assert!(revoked.out.contains("taken by 1 gateway\n"), "{}", revoked.out);
    assert_eq!(kept.ask(TARGET, &keys[0]), 401);
    println!("revoked without a descriptor in {took:?}");
    assert!(took < BUSY, "{took:?}");
    // Nobody waited, so the connection was kept. For one that waits the idle one makes place.
    let began = Instant::now();
    assert_eq!(Kept::to(&served).ask(TARGET, &keys[1]), 403);
    assert!(began.elapsed() < BUSY, "{:?}", began.elapsed());
    assert_eq!(read(&mut kept.0, &mut [0]).expect("the end"), 0);
    prlimit(Some(pid), Resource::Nofile, before).expect("a limit");
    assert_eq!(served.get(TARGET, &keys[1]).0, 403);
}

/// Others change the store all the time meanwhile, each in a process or thread of its own.
#[test]
fn a_revocation_is_taken_while_many_change_the_store() {
    let ids = ["one", "two", "three"];
    let (folder, keys) = world(&ids);
    let served = serve(&folder, "", "");
    let stop = Arc::new(AtomicBool::new(false));
    let others: Vec<_> = (0..4)
        .map(|number| {
            let (stop, path) = (Arc::clone(&stop), folder.0.path().join("data"));
            thread::spawn(move || {
                let store = Store::open(&path, None).expect("a store");
                let (user, mut count) = (format!("user-{number}"), 0);
                while !stop.load(Ordering::Relaxed) {
                    let access = AccessSet::READ_ONLY;
                    let made = store.create_key(&user, "k", access, false, &Reach::ALL);
                    let gone = store.revoke_key(&user, "k");
                    count += u32::from(made.is_ok()) + u32::from(gone.is_ok());
                }
                count
            })
        })
        .collect();
    let mut kept = Kept::to(&served);
    for (id, key) in ids.iter().zip(&keys) {
        assert_eq!(kept.ask(TARGET, key), 403);
        let began = Instant::now();
        let (revoked, took) = revoke(&folder, id);
        within(BUSY, "the key is refused", || (kept.ask(TARGET, key) == 401).then_some(()));
        println!(
            "revoked in {took:?}, refused after {:?}: {}",
            began.elapsed(),
            revoked.out.trim()
        );
    }
    stop.store(true, Ordering::Relaxed);
    let changes: u32 = others.into_iter().map(|other| other.join().expect("ends")).sum();
    println!("{changes} changes meanwhile");
    assert!(changes > 20, "{changes}");
}

#[test]
fn who_has_not_taken_a_revocation_is_named() {
    let (folder, keys) = world(&["a", "b", "c", "d"]);
    let (revoked, _) = revoke(&folder, "d");
    assert!(revoked.out.contains("no running gateway says"), "{}", revoked.out);
    let (one, other) = (serve(&folder, "", ""), serve(&folder, "", ""));
    let (revoked, _) = revoke(&folder, "a");
    assert_eq!(revoked.out, "key `a` of ana is revoked: taken by 2 gateways\n");
    assert_eq!((one.get(TARGET, &keys[0]).0, other.get(TARGET, &keys[0]).0), (401, 401));

    // One that is stopped answers nobody, and nobody knows for how long.
    other.signal("-STOP");
    let (revoked, took) = revoke(&folder, "b");
    let name = other.address();
    assert!(revoked.out.contains("taken by 1 gateway, NOT taken by"), "{}", revoked.out);
    assert!(revoked.out.contains(name) && took >= SOON, "{} {took:?}", revoked.out);
    other.signal("-CONT");
    within(BUSY, "it is taken", || (other.get(TARGET, &keys[1]).0 == 401).then_some(()));

    // What does not load keeps what was served, and no key that is revoked.
    let broken = folder.file("data/broken.yaml", b"connections: [nonsense]\n");
    let (revoked, _) = revoke(&folder, "c");
    assert_eq!(revoked.out, "key `c` of ana is revoked: taken by 2 gateways\n");
    assert_eq!((one.get(TARGET, &keys[2]).0, other.get(TARGET, &keys[2]).0), (401, 401));
    fs::remove_file(broken).expect("removed");

    // Those who were killed are not waited for, and leave nothing behind.
    drop(other);
    drop(one);
    run(&folder, "key new --user ana --id e");
    let json = run(&folder, "key revoke --user ana --id e --format json").json();
    assert_eq!(json["gateways"], serde_json::json!([]));
    let left = fs::read_dir(folder.0.path().join("data")).expect("a folder");
    let left: Vec<_> = left
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("gateway"))
        .collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn what_cannot_be_read_any_more_is_served_as_long_as_is_said() {
    let (folder, keys) = world(&["a"]);
    let (strict, lax) = (serve(&folder, "", "--max-stale 1"), serve(&folder, "", ""));
    let (data, away) = (folder.0.path().join("data"), folder.0.path().join("away"));
    let statuses = || (strict.get(TARGET, &keys[0]).0, lax.get(TARGET, &keys[0]).0);
    assert_eq!(statuses(), (403, 403));
    // What is read and does not load is no reason.
    let broken = folder.file("data/broken.yaml", b"connections: [nonsense]\n");
    thread::sleep(Duration::from_millis(1_800));
    assert_eq!(statuses(), (403, 403));
    fs::remove_file(broken).expect("removed");
    within(BUSY, "it is well", || strict.get("/healthz", "").1.ends_with(r#""ok"}"#).then_some(()));

    fs::rename(&data, &away).expect("moved");
    within(BUSY, "it stops", || (strict.get(TARGET, &keys[0]).0 == 503).then_some(()));
    let (status, body) = strict.get(TARGET, &keys[0]);
    assert!(status == 503 && body.contains("cannot be read"), "{status} {body}");
    assert_eq!(strict.get("/v1/nothing", "").0, 503);
    let stale = r#"{"policy":"stale","serving":false,"status":"ok"}"#;
    assert_eq!(strict.get("/healthz", ""), (200, stale.to_owned()));
    assert_eq!(lax.get("/healthz", ""), (200, r#"{"policy":"stale","status":"ok"}"#.to_owned()));
    assert_eq!(lax.get(TARGET, &keys[0]).0, 403);
    lax.logged("cannot be read");
    fs::rename(&away, &data).expect("moved");
    within(BUSY, "it serves again", || (strict.get(TARGET, &keys[0]).0 == 403).then_some(()));
    within(BUSY, "it is well", || {
        strict.get("/healthz", "").1.ends_with(r#"{"status":"ok"}"#).then_some(())
    });
}

/// A policy that is not followed is found unreadable when it is to be loaded again, and then tried until
/// it is read.
#[test]
fn a_policy_that_cannot_be_read_at_a_reload_is_tried_again() {
    let folder = Folder::with(
        "connections: [{ id: s3+t, owner: ana, endpoint: 'http://127.0.0.1:1', restrictions: [pub/data/] }]\n",
    );
    let key = folder.run("key new --policy policy.yaml --user ana --id a".split(' '));
    assert_eq!(key.code, 0, "{}", key.err);
    let key = key.out.trim();
    let mut command = folder.command();
    command.args("serve --policy policy.yaml --listen 127.0.0.1:0 --max-stale 1".split(' '));
    let served = Served::start(&mut command, "listening");
    let (policy, away) = (folder.0.path().join("policy.yaml"), folder.0.path().join("away"));
    fs::rename(&policy, &away).expect("moved");
    thread::sleep(Duration::from_millis(1_500));
    assert_eq!(served.get(TARGET, key).0, 403, "it is not looked at before it is to be loaded");
    served.signal("-HUP");
    served.logged("the last one stays");
    within(BUSY, "it stops", || (served.get(TARGET, key).0 == 503).then_some(()));
    fs::rename(&away, &policy).expect("moved");
    within(BUSY, "it serves again", || (served.get(TARGET, key).0 == 403).then_some(()));
    served.logged("loaded again");
    assert_eq!(served.get("/healthz", "").1, r#"{"status":"ok"}"#);
}

/// Everything that a gateway has places for is taken, and most of it by uploads that go on: what runs with
/// the key ends, too.
#[cfg(feature = "embedded")]
#[test]
fn a_revocation_is_taken_with_all_places_taken_and_uploads_open() {
    use pathward::embedded::{Embedded, EmbeddedOptions};
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let options = EmbeddedOptions::default().with_credentials("ID", "SECRET");
    let embedded = runtime.block_on(Embedded::start(options)).expect("a server");
    let put = embedded.put("pub", "data/x", "text/plain", "x".into());
    runtime.block_on(put).expect("an object");
    let folder = Folder::new();
    let mut keys = Vec::new();
    for owner in ["ana", "bob"] {
        let endpoint = embedded.endpoint();
        let make = format!("connection new s3+t --owner {owner} --endpoint {endpoint} --env UP");
        let made = run(&folder, &format!("{make} --allow pub/data/ --access read-write"));
        assert_eq!(made.code, 0, "{}", made.err);
        let made = run(&folder, &format!("key new --user {owner} --id k --access read-write"));
        assert_eq!(made.code, 0, "{}", made.err);
        keys.push(made.out.trim().to_owned());
    }
    let before = "export UP_ACCESS_KEY_ID=ID UP_SECRET_ACCESS_KEY=SECRET;";
    let served = serve(&folder, before, "--max-connections 64");
    let mut uploads = Vec::new();
    for (number, key) in (0..40).flat_map(|number| keys.iter().map(move |key| (number, key))) {
        let mut stream = TcpStream::connect(served.address()).expect("connects");
        let head = format!(
            "PUT /v1/connector/s3+t/pub/data/{number} HTTP/1.1\r\nHost: g\r\n\
             Authorization: Simple {key}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"
        );
        // One that is closed for another is none that cannot be opened.
        let _ = stream.write_all(head.as_bytes());
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        uploads.push((key, stream));
    }
    let idle: Vec<_> = (0..64).map(|_| TcpStream::connect(served.address())).collect();
    assert_eq!(served.get(TARGET, "").0, 401);
    let (revoked, took) = revoke(&folder, "k");
    let began = Instant::now();
    assert!(revoked.out.contains("taken by 1 gateway\n"), "{}", revoked.out);
    assert_eq!(served.get(TARGET, &keys[0]).0, 401);
    // Each has ended when its line is there.
    for _ in 0..16 {
        served.logged("withdrawn");
    }
    let mut denied = 0;
    for (_, stream) in uploads.iter_mut().filter(|(key, _)| **key == keys[0]) {
        let mut some = [0; 12];
        let read = read(stream, &mut some).unwrap_or(0);
        match &some[..read] {
            b"HTTP/1.1 403" => denied += 1,
            // Those for which there was no room.
            other => assert!(matches!(other, b"" | b"HTTP/1.1 503"), "{other:?}"),
        }
    }
    let ended = began.elapsed();
    println!("revoked in {took:?}, and {denied} uploads were told {ended:?} later");
    assert!(took < BUSY && ended < BUSY, "{took:?} {ended:?}");
    assert!(denied >= 16, "{denied}");
    let key = &keys[1];
    let began = Instant::now();
    within(BUSY, "another's key", || matches!(served.get(TARGET, key).0, 403 | 503).then_some(()));
    assert!(began.elapsed() < BUSY);
    drop(idle);
}

/// Names of servers are looked up by threads that may block, and a name that nobody answers has one for as
/// long as the system waits. Here all of them are taken, and many more wait.
#[test]
fn a_revocation_needs_no_thread_that_names_can_take() {
    use pathward::{
        Engine,
        executor::S3,
        gateway::{Gateway, Options},
    };
    let (folder, keys) = world(&["leaked", "good"]);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).max_blocking_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let store = Store::open(&folder.0.path().join("data"), None).expect("a store");
    let engine = || Engine::new(Arc::clone(store.snapshot().policy()));
    let gateway = Gateway::new(engine(), Arc::new(S3::default()), Options::default());
    let gateway = gateway.expect("a gateway");
    let replaced = gateway.clone();
    store.on_change(Box::new(move |snapshot| {
        replaced.replace(Engine::new(Arc::clone(snapshot.policy())));
    }));
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
    let listener = listener.expect("a listener");
    let address = listener.local_addr().expect("an address");
    let _follower = store.follow_as(&address.to_string(), |_| {}).expect("is followed");
    runtime.spawn(async move { gateway.serve(listener, std::future::pending()).await });
    let stop = Arc::new(AtomicBool::new(false));
    let looked_up: Vec<_> = (0..64)
        .map(|_| {
            let stop = Arc::clone(&stop);
            runtime.spawn_blocking(move || {
                while !stop.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(10));
                }
            })
        })
        .collect();
    let mut kept = Kept(TcpStream::connect(address).expect("connects"));
    kept.0.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    assert_eq!(kept.ask(TARGET, &keys[0]), 403);
    let (revoked, took) = revoke(&folder, "leaked");
    assert!(revoked.out.contains("taken by 1 gateway\n"), "{}", revoked.out);
    assert_eq!(kept.ask(TARGET, &keys[0]), 401);
    assert_eq!(kept.ask(TARGET, &keys[1]), 403);
    assert!(looked_up.iter().all(|one| !one.is_finished()), "the threads were taken");
    println!("revoked in {took:?} without a thread");
    assert!(took < BUSY, "{took:?}");
    stop.store(true, Ordering::Relaxed);
}
