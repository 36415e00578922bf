//! What version 1 wrote is read for good, by the command: `tests/version1`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{Folder, Ran};

fn written(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/version1").join(name)
}

fn json(name: &str) -> Value {
    let text = fs::read_to_string(written(name)).expect(name);
    serde_json::from_str(&text).expect(name)
}

/// Everything that version 1 said is said again. What is new may stand beside it, and a revision and what
/// a connection takes in memory may be another.
fn assert_says(now: &Value, then: &Value, place: &str) {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            let is_compiled = place.ends_with(".compiled");
            let may_differ = |name: &str| name == "revision" || (name == "bytes" && is_compiled);
            for (name, then) in then.iter().filter(|(name, _)| !may_differ(name)) {
                let place = format!("{place}.{name}");
                let now = now.get(name).unwrap_or_else(|| panic!("{place} is gone: {then}"));
                assert_says(now, then, &place);
            }
        }
        (Value::Array(now), Value::Array(then)) => {
            assert_eq!(now.len(), then.len(), "{place}: {now:?}, and then {then:?}");
            for (n, (now, then)) in now.iter().zip(then).enumerate() {
                assert_says(now, then, &format!("{place}[{n}]"));
            }
        }
        _ => assert_eq!(now, then, "{place}"),
    }
}

/// Runs it in `tests/version1`, whose paths then are those that version 1 was given.
fn ask(args: &str) -> Ran {
    let mut command = Folder::new().command();
    command.current_dir(written("")).args(args.split(' '));
    super::ran(&mut command)
}

#[test]
fn policies_load_and_say_what_their_tests_say() {
    let ran = ask("test --policy policies");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("34 passed, 0 failed; 215 of 215 expectations met"), "{}", ran.out);
    let inspected = ask("inspect --policy policies --format json");
    assert_says(&inspected.json(), &json("logs/inspected.json"), "inspect");
}

/// By the policy that was served then nothing flips, and by one that lacks its user all does.
#[test]
fn a_log_is_replayed_and_suggested_from_as_then() {
    for (name, args, code) in [
        ("replayed", "replay --policy demo/store", 0),
        ("flipped", "replay --policy policies/algorithmia.yaml", 4),
        ("suggested", "suggest --policy demo/store", 0),
    ] {
        let ran = ask(&format!("{args} --log logs/serve.jsonl --format json"));
        assert_eq!(ran.code, code, "{name}: {}", ran.err);
        assert_says(&ran.json(), &json(&format!("logs/{name}.json")), name);
    }
}

#[cfg(all(feature = "store", feature = "embedded", feature = "gateway"))]
mod served {
    use std::{fs, path::Path};

    use super::{super::serve::Served, Folder, json, written};

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("it is there") {
            let entry = entry.expect("an entry");
            let to = to.join(entry.file_name());
            match entry.file_type().expect("a type").is_dir() {
                true => copy(&entry.path(), &to),
                false => drop(fs::copy(entry.path(), to).expect("copied")),
            }
        }
    }

    fn status(served: &Served, target: &str, key: &str) -> u16 {
        served.get(&format!("/v1/connector/{target}"), &format!("Simple {key}")).0
    }

    #[test]
    fn the_keys_of_a_store_open_what_they_opened() {
        let folder = Folder::new();
        copy(&written("store"), &folder.0.path().join("data"));
        fs::copy(written("seal.key"), folder.0.path().join("seal.key")).expect("copied");
        let mut command = folder.command();
        let serve = "serve --store data --seal-key seal.key --listen 127.0.0.1:0 --no-portal";
        command.args(serve.split(' '));
        let served = Served::start(&mut command, "listening");
        let keys = json("keys.json");
        let key = |name: &str| keys[name].as_str().expect(name).to_owned();
        // A path that the connection's restrictions do not have: the key is known, and nothing is asked.
        let denied = "s3+sealed/reports/private/x";
        assert_eq!(status(&served, denied, &key("laptop")), 403);
        assert_eq!(status(&served, denied, &key("agent")), 403);
        assert_eq!(status(&served, denied, &key("portal")), 403);
        assert_eq!(status(&served, "s3+later/other/x", &key("dashboard")), 403);
        assert_eq!(status(&served, denied, &key("lost")), 401);
        assert_eq!(status(&served, denied, "simNobodysKey"), 401);
        // The agent's key is for one connection: another is as one that does not exist.
        let other = "s3+profile/other/x";
        let nobody = status(&served, "s3+nobody/other/x", &key("agent"));
        assert_eq!(status(&served, other, &key("laptop")), 403);
        assert_eq!(status(&served, other, &key("agent")), nobody);
    }

    #[test]
    fn the_folder_of_a_demo_serves_its_objects() {
        let folder = Folder::new();
        copy(&written("demo"), &folder.0.path().join("demo"));
        let mut command = folder.command();
        command.args("serve --demo --data demo --listen 127.0.0.1:0 --no-portal".split(' '));
        let served = Served::start(&mut command, "Ctrl-C stops");
        let key = served.said().split("Simple ").nth(1).expect("a key");
        let key: String = key.chars().take_while(char::is_ascii_alphanumeric).collect();
        let get = |key: &str, path: &str| {
            served
                .get(&format!("/v1/connector/s3+saha/Algorithmia/{path}"), &format!("Simple {key}"))
        };
        assert_eq!(get(&key, "out/kept.txt"), (200, "written by version 1".to_owned()));
        let odd = get(&key, "out/%C3%BC%20ordner/a%2Bb.txt");
        assert_eq!(odd, (200, "written by version 1, too".to_owned()));
        assert_eq!(get(&key, "out/gone.txt").0, 404);
        assert_eq!(get(&key, "private/salaries.csv").0, 403);
        let (status, csv) = get(&key, "reports/2026/2026-01.csv");
        assert!(status == 200 && csv.starts_with("day,orders,revenue\n"), "{status} {csv}");
    }
}
