//! `pathward connection`, `pathward key` on a store, and `pathward serve --store`.

use std::{
    fs,
    io::Write as _,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use super::{Folder, Ran, collect, serve::Served};

fn ask(folder: &Folder, args: &str) -> Ran {
    folder.run(args.split_whitespace().chain(["--store", "data"]))
}

/// The same, with a secret on standard input.
fn feed(folder: &Folder, args: &str, input: &str) -> Ran {
    let mut child = folder
        .command()
        .args(args.split_whitespace().chain(["--store", "data"]))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    drop(child.stdin.take().expect("a pipe").write_all(input.as_bytes()));
    collect(child.wait_with_output().expect("ends"))
}

#[test]
fn a_connection_is_made_shown_changed_and_deleted() {
    let folder = Folder::new();
    let made = ask(
        &folder,
        "connection new s3+saha --owner steph --allow pub/* --deny-glob pub/**/*.key --profile saha",
    );
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.out.starts_with("s3+saha of steph\n"), "{}", made.out);
    assert!(made.out.contains("credentials   profile saha"), "{}", made.out);
    let file = folder.0.path().join("data/steph-saha.yaml");
    let text = fs::read_to_string(&file).expect("a file");
    fs::write(&file, format!("# Ours.\n{text}")).expect("written");
    let shown = ask(&folder, "connection show s3+saha --owner steph --format json").json();
    assert_eq!(shown["identity"], "steph-saha");
    assert_eq!(shown["deny"][0]["dialect"], "glob");
    assert_eq!(shown["restrictions"][0]["access"], serde_json::Value::Null);
    let old = shown["revision"].as_str().expect("a revision").to_owned();
    let set = "connection set s3+saha --owner steph --access read-write --label next --deny-none";
    let changed = ask(&folder, &format!("{set} --revision {old} --format json")).json();
    assert_eq!(changed["connection"], "s3+next");
    assert_eq!(changed["access"], serde_json::json!(["read", "write", "delete"]));
    let text = fs::read_to_string(&file).expect("a file");
    assert!(text.starts_with("# Ours.\n") && !text.contains("deny"), "{text}");
    // Decided on what is no longer so, taken, wrong, and not there.
    let again =
        ask(&folder, &format!("connection set s3+next --owner steph --region x --revision {old}"));
    assert_eq!(again.code, 1, "{}", again.err);
    assert!(again.err.contains("was changed meanwhile"), "{}", again.err);
    for (args, code, says) in [
        ("connection new s3+next --owner steph", 2, "is taken already"),
        ("connection new s3+x --owner steph --allow /pub", 3, "error: "),
        ("connection new s3+x --owner steph --access rwx", 2, "is no access"),
        ("connection new s3 --owner steph", 2, "write its label"),
        ("connection set s3+next --owner steph", 2, "nothing to set of `s3+next`: give what is"),
        ("connection set s3+next --owner steph", 2, " `--label`, `--endpoint`, `--region`, "),
        ("connection show s3+saha --owner steph", 2, "is no connection of steph"),
        ("connection rm s3+next --owner dana", 2, "is no connection of dana"),
        ("connection new s3+x --owner steph --access-key-id AKIAX", 2, "standard input"),
    ] {
        let ran = ask(&folder, args);
        assert_eq!(ran.code, code, "{args}: {}", ran.err);
        assert!(ran.err.contains(says), "{args}: {}", ran.err);
    }
    assert_eq!(ask(&folder, "connection new s3+two --owner steph").code, 0);
    assert_eq!(ask(&folder, "connection default s3+two --owner steph").code, 0);
    assert_eq!(ask(&folder, "connection default s3+next --owner steph").code, 0);
    let listed = ask(&folder, "connection list --owner steph");
    assert_eq!(listed.lines().len(), 2);
    assert!(listed.lines()[0].contains("s3+next") && listed.lines()[0].ends_with("default"));
    assert_eq!(ask(&folder, "connection rm s3+next --owner steph").code, 0);
    assert!(!file.exists());
    // A store is a policy.
    let checked = folder.run(["check", "--policy", "data", "s3+two", "read", "pub/x"]);
    assert_eq!(checked.code, 0, "{}", checked.err);
}

/// Without what it allows, a connection allows everything, and nothing said so.
#[test]
fn a_new_connection_that_allows_everything_unasked_is_warned_of() {
    let folder = Folder::new();
    let made = ask(&folder, "connection new s3+all --owner steph --deny pub/secret/");
    assert_eq!(made.code, 0, "{}", made.err);
    assert_eq!(
        made.err,
        "warning: `s3+all` allows everything that its credentials reach (read-only): neither `--allow` nor \
         `--allow-glob` was given\n\
         help: say what it allows, `pathward connection set s3+all --owner steph --store data --allow \
         bucket/folder/`; with `--allow-all`, `connection new` does not warn\n"
    );
    let lint = folder.run(["lint", "--policy", "data"]);
    assert_eq!(lint.code, 4, "{}", lint.err);
    assert!(lint.out.contains("(lint.no_restrictions)"), "{}", lint.out);
    for said in ["--allow-all", "--allow pub/", "--allow-glob pub/**"] {
        let label = said.len();
        let made = ask(&folder, &format!("connection new s3+a{label} --owner steph {said}"));
        assert_eq!((made.code, &*made.err), (0, ""), "{said}");
    }
    let set = ask(&folder, "connection set s3+all --owner steph --region eu-west-1");
    assert_eq!((set.code, &*set.err), (0, ""));
}

const SECRET: &str = "CANARY/secret+of=the/command0123456789ab";

/// What `validate` warns of is said when a connection is made or changed, and hinders neither.
#[test]
fn what_is_hardly_meant_is_said_when_a_connection_is_made_or_changed() {
    for (n, (options, says)) in [
        (&["--allow", "acme-data/in/[0-9]*"][..], "`[…]` means itself"),
        (
            &["--allow", "acme-data/", "--deny", "acme-data/secret"],
            "`acme-data/secret/a` is still allowed",
        ),
        (
            &["--allow", "acme-data/", "--deny-glob", "**/secret"],
            "`acme-data/secret/a` is still allowed",
        ),
        (
            &["--allow", "acme-data/", "--deny", "acme-data/**/.env"],
            "`acme-data/.env` is still allowed",
        ),
        (&["--allow", "acme-data/home/${USER}/"], "nothing is put in place of `${USER}`"),
        (
            &["--allow", "acme-data/", "--deny", "acme-data/my%20secret/"],
            "`acme-data/my secret/` is another path",
        ),
        (&["--allow", "acme-data/a/*, acme-data/b/*"], "looks like two"),
        (&["--allow", "acme-data/", "--deny", "acme-data/my\u{a0}secret/"], "U+00A0"),
        (&["--allow", "acme-data/", "--deny-glob", "acme-data/@(a|b)/**"], "is no group here"),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = Folder::new();
        let id = format!("s3+c{n}");
        let run = |command: &str, options: &[&str]| {
            let start = ["connection", command, &id, "--owner", "ada", "--store", "data"];
            folder.run(start.iter().chain(options).copied())
        };
        let made = run("new", options);
        assert_eq!(made.code, 0, "{}", made.err);
        assert!(made.err.starts_with("warning: ") && made.err.contains(says), "{}", made.err);
        assert!(made.err.contains("\nhelp: ") && !made.err.contains("{ glob:"), "{}", made.err);
        let changed = run("set", &["--region", "eu-west-1"]);
        assert_eq!(changed.code, 0, "{}", changed.err);
        assert!(changed.err.contains(says), "{}", changed.err);
        // In JSON it is on standard error too.
        let json = run("set", &["--region", "eu-west-2", "--format", "json"]);
        assert!(json.err.contains(says), "{}", json.err);
        assert_eq!(json.json()["region"], "eu-west-2");
        let mended = run("set", &["--allow", "acme-data/", "--deny", "acme-data/x/"]);
        assert_eq!((mended.code, &*mended.err), (0, ""));
    }
}

#[test]
fn a_secret_is_sealed_and_its_key_rotated() {
    let folder = Folder::new();
    let new = "connection new s3+a --owner ana --access-key-id AKIACANARYWXYZ";
    let refused = feed(&folder, new, SECRET);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("pathward key seal"), "{}", refused.err);
    assert_eq!(folder.run(["key", "seal", "seal.key"]).code, 0);
    let taken = folder.run(["key", "seal", "seal.key"]);
    assert_eq!(taken.code, 1, "a key is never overwritten: {}", taken.err);
    let made = feed(&folder, &format!("{new} --seal-key seal.key"), &format!("{SECRET}\n"));
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.out.contains("sealed, of the access key …WXYZ"), "{}", made.out);
    let file = folder.0.path().join("data/ana-a.yaml");
    let before = fs::read_to_string(&file).expect("a file");
    let old = fs::read_to_string(folder.0.path().join("seal.key")).expect("a key");
    let rotated = folder.run(["key", "seal", "seal.key", "--rotate", "--store", "data"]);
    assert_eq!(rotated.code, 0, "{}", rotated.err);
    assert!(rotated.err.contains("1 secret sealed anew"), "{}", rotated.err);
    let after = fs::read_to_string(&file).expect("a file");
    assert_ne!(before, after);
    // The old key stays until it is told to go, and what it would be needed for is looked for first.
    let keys = || {
        let text = fs::read_to_string(folder.0.path().join("seal.key")).expect("a key");
        text.matches("AGE-SECRET-KEY-").count()
    };
    assert_eq!(keys(), 2);
    fs::write(&file, &before).expect("a file");
    let needed = folder.run(["key", "seal", "seal.key", "--forget-old", "--store", "data"]);
    assert_eq!((needed.code, keys()), (1, 2), "{}", needed.err);
    fs::write(&file, &after).expect("a file");
    let gone = folder.run(["key", "seal", "seal.key", "--forget-old", "--store", "data"]);
    assert_eq!((gone.code, keys()), (0, 1), "{}", gone.err);
    // From a key to another, of which the first no longer knows.
    folder.file("old.key", old.as_bytes());
    let wrong = folder.run(["key", "seal", "new", "--store", "data", "--seal-key", "old.key"]);
    assert_eq!(wrong.code, 1, "{}", wrong.err);
    assert!(wrong.err.contains("sealed with another key"), "{}", wrong.err);
    assert_eq!(fs::read_to_string(&file).expect("a file"), after);
    let moved = folder.run(["key", "seal", "new", "--store", "data", "--seal-key", "seal.key"]);
    assert_eq!(moved.code, 0, "{}", moved.err);
    let broken = folder.file("short.key", b"hunter2");
    let short =
        ask(&folder, &format!("connection list --owner ana --seal-key {}", broken.display()));
    assert_eq!(short.code, 2, "{}", short.err);
    let shown = folder.run(["inspect", "--policy", "data", "--format", "json"]);
    for text in [made.out, made.err, rotated.out, shown.out, before, after] {
        assert!(!text.contains("CANARY/") && !text.contains("AKIACANARY"), "{text}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let meta = fs::metadata(folder.0.path().join("seal.key")).expect("a key");
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_key_of_a_policy_waits_for_whoever_changes_the_folder() {
    let folder = Folder::new();
    assert_eq!(folder.run(["key", "new", "--store", "data", "--user", "ana", "--id", "a"]).code, 0);
    let lock = fs::File::options().write(true).open(folder.0.path().join("data/.pathward.lock"));
    let lock = lock.expect("a lock");
    lock.lock().expect("locks");
    let began = Instant::now();
    let letting_go = thread::spawn(move || {
        thread::sleep(Duration::from_millis(700));
        drop(lock);
    });
    let new = folder.run(["key", "new", "--policy", "data", "--user", "ana", "--id", "b"]);
    assert_eq!(new.code, 0, "{}", new.err);
    assert!(began.elapsed().as_millis() >= 600, "it did not wait");
    letting_go.join().expect("ends");
    // What is broken beside it does not keep a key valid.
    fs::write(folder.0.path().join("data/wrong.yaml"), "connections: [").expect("a file");
    let revoked = folder.run(["key", "revoke", "--store", "data", "--user", "ana", "--id", "b"]);
    assert_eq!(revoked.code, 0, "{}", revoked.err);
    let text = fs::read_to_string(folder.0.path().join("data/user-ana.yaml")).expect("a file");
    assert!(!text.contains("id: b,"), "{text}");
}

#[test]
fn keys_of_a_store_are_made_listed_and_revoked() {
    let folder = Folder::new();
    let made = ask(&folder, "key new --user ana --id portal --access none --manage");
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.out.starts_with("sim"));
    assert_eq!(
        ask(&folder, "key list --user ana").lines(),
        ["portal                   none  manage"]
    );
    let taken = ask(&folder, "key new --user ana --id portal");
    assert_eq!(taken.code, 2, "{}", taken.err);
    assert_eq!(ask(&folder, "key revoke --user ana --id portal").code, 0);
    assert_eq!(ask(&folder, "key revoke --user ana --id portal").code, 2);
    let some = ask(&folder, "key new --user ana --id agent --connection s3+x");
    assert_eq!(some.code, 2);
    assert!(some.err.contains("there is no connection `s3+x`"), "{}", some.err);
    for label in ["x", "y"] {
        let new = format!("connection new s3+{label} --owner ana --profile p --allow pub/");
        assert_eq!(ask(&folder, &new).code, 0);
    }
    let some = ask(
        &folder,
        "key new --user ana --id agent --connection s3+y --connection s3+x --format json",
    );
    assert_eq!(some.json()["connections"], serde_json::json!(["s3+x", "s3+y"]));
    assert_eq!(
        ask(&folder, "key list --user ana").lines(),
        ["agent                    read-only  s3+x, s3+y"]
    );
    for (wrong, said) in [
        ("s3", "it has no label"),
        ("x", "the protocol is"),
        ("s3+x --manage", "cannot be used with"),
    ] {
        let ran = ask(&folder, &format!("key new --user ana --id wrong --connection {wrong}"));
        assert!(ran.code == 2 && ran.err.contains(said), "{}", ran.err);
    }
    // The key goes with the last connection that it is for, and that is said.
    assert_eq!(ask(&folder, "key new --user ana --id first --connection s3+x").code, 0);
    let gone = ask(&folder, "connection rm s3+x --owner ana --format json");
    assert_eq!(gone.json()["revoked_keys"], serde_json::json!(["first"]));
    assert_eq!(
        ask(&folder, "key list --user ana").lines(),
        ["agent                    read-only  s3+y"]
    );
    let gone = ask(&folder, "connection rm s3+y --owner ana");
    assert_eq!((gone.code, &*gone.out), (0, ""));
    assert!(gone.err.contains("the API key `agent` was for it alone"), "{}", gone.err);
    assert_eq!(ask(&folder, "key list --user ana").out, "");
    let both = folder.run("key new --user a --id b --policy . --store data".split(' '));
    assert_eq!(both.code, 2);
}

fn within(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        // A second, as `tests/store` measures it, and what a busy machine adds.
        assert!(began.elapsed() < Duration::from_secs(4), "{what} is not taken");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_gateway_follows_a_store_from_nothing() {
    let folder = Folder::new();
    let mut command = folder.command();
    command.args("serve --store data --listen 127.0.0.1:0 --no-portal".split(' '));
    let served = Served::start(&mut command, "listening");
    let key = ask(&folder, "key new --user ana --id job").out.trim().to_owned();
    let target = "/v1/connector/s3+a/pub/x";
    within("a new key", || served.get(target, &key).0 == 403);
    let new = "connection new s3+a --owner ana --endpoint http://127.0.0.1:1 --env NOT_SET";
    assert_eq!(ask(&folder, new).code, 0);
    within("a new connection", || served.get(target, &key).0 >= 500);
    assert_eq!(ask(&folder, "connection set s3+a --owner ana --deny pub/").code, 0);
    within("a change", || served.get(target, &key).0 == 403);
    let wrong = folder.0.path().join("data/wrong.yaml");
    fs::write(&wrong, "connections: [").expect("written");
    within("what is wrong", || served.get("/healthz", "").1.contains("stale"));
    assert_eq!(served.get(target, &key).0, 403);
    fs::remove_file(wrong).expect("removed");
    within("what is right again", || !served.get("/healthz", "").1.contains("stale"));
    assert_eq!(ask(&folder, "key revoke --user ana --id job").code, 0);
    within("a revocation", || served.get(target, &key).0 == 401);
}

/// It was in the log at the first request alone, and a file was said to exist.
#[test]
fn what_cannot_be_served_is_said_at_the_start() {
    let folder = Folder::new();
    assert_eq!(folder.run(["key", "seal", "seal.key"]).code, 0);
    for label in ["a", "b"] {
        let new =
            format!("connection new s3+{label} --owner ana --allow pub/ --access-key-id AKIAX");
        let made = feed(&folder, &format!("{new} --seal-key seal.key"), SECRET);
        assert_eq!(made.code, 0, "{}", made.err);
    }
    let store = "serve --store data --listen 127.0.0.1:0 --no-portal";
    for (serve, warns) in [
        (store.to_owned(), true),
        (format!("{store} --seal-key seal.key"), false),
        ("serve --policy data --listen 127.0.0.1:0".to_owned(), true),
        ("serve --policy data --listen 127.0.0.1:0 --seal-key seal.key".to_owned(), false),
    ] {
        let mut command = folder.command();
        command.args(serve.split(' ')).env_remove("PATHWARD_SEAL_KEY");
        let served = Served::start(&mut command, "listening");
        assert_eq!(served.get("/v1/connector/s3+a/pub/x", "Simple none").0, 401);
        // Before the line of the request.
        let line = served.logged("pathward");
        assert_eq!(line.contains("start with `--seal-key FILE`"), warns, "{serve}: {line}");
        let names = ["s3+a", "connections=2"].map(|part| line.contains(part));
        assert_eq!(names, [warns; 2], "{line}");
    }
    for args in ["serve --listen 127.0.0.1:0", "connection list --owner ana"] {
        for file in ["policy.yaml", "policy.yaml/data"] {
            let ran = folder.run(args.split(' ').chain(["--store", file]));
            assert_eq!(ran.code, 2, "{args} {file}: {}", ran.err);
            let says = "`policy.yaml`: this is a file, and a store is a folder: name a folder";
            assert!(file.ends_with("data") || ran.err.contains(says), "{}", ran.err);
        }
    }
}

#[test]
#[cfg(feature = "portal")]
fn who_serves_a_store_hears_which_servers_are_not_reached() {
    let folder = Folder::new();
    let made = ask(
        &folder,
        "connection new s3+minio --owner ana --endpoint http://127.0.0.1:1 --allow pub/ --profile x",
    );
    assert_eq!(made.code, 0, "{}", made.err);
    assert_eq!(ask(&folder, "key new --user ana --id portal --manage").code, 0);
    let serve = "serve --store data --listen 127.0.0.1:0 --portal 127.0.0.1:0";
    for allowed in [
        "",
        "--allow-private-endpoint http://127.0.0.1:9 --allow-private-endpoint http://127.0.0.1:1/",
        "--allow-private-endpoint all",
        "--no-portal",
        "--no-portal --allow-private-endpoint http://127.0.0.1:9",
    ] {
        let mut command = folder.command();
        command.args(serve.split(' ').chain(allowed.split_whitespace()));
        let last = if allowed.starts_with("--no-portal") { "listening" } else { "portal on" };
        let served = Served::start(&mut command, last);
        assert_eq!(served.get("/v1/connector/s3+minio/pub/x", "Simple none").0, 401);
        // It is a line of the start, before any request.
        let line = served.logged("pathward");
        let warns = line.contains("`--allow-private-endpoint http://127.0.0.1:1`");
        let is_refused = allowed.is_empty() || allowed.ends_with(":9");
        assert_eq!(warns, is_refused, "{allowed}: {line}");
    }
    for wrong in ["10.0.0.7", "http://10.0.0.7/bucket", "http://169.254.169.254", "every"] {
        let wrong = format!("serve --store data --allow-private-endpoint {wrong}");
        let wrong = folder.run(wrong.split(' '));
        assert_eq!(wrong.code, 2, "{}", wrong.err);
        assert!(wrong.err.contains("write the whole address"), "{}", wrong.err);
    }
}
