//! Processes that are killed while they write: what they said was done is there, and nothing is torn.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use pathward::store::{Draft, DraftRule, Store, StoreError};

use super::draft;

/// How often a process is killed.
const KILLS: u64 = 60;

/// The variable that makes this program one that writes until it is killed.
const WRITE: &str = "PATHWARD_TEST_WRITES_INTO";

/// What the processes of the other test do: adds a restriction after the other, moves the default between
/// two files, makes connections and keys and takes them away, and says so when it is done.
#[test]
fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(WRITE) else { return };
    let store = Store::open(Path::new(&folder), None).unwrap();
    for n in 0.. {
        let id = std::process::id();
        let name = format!("{id}-{n}");
        let stored = store.get("ana", "ana-first").unwrap();
        let mut draft = stored.draft();
        draft.restrictions.as_mut().unwrap().push(DraftRule::path(format!("done/{name}")));
        store.change("ana", &stored.identity, &stored.revision, &draft).unwrap();
        println!("\nrule {name}");
        store.create("ana", &Draft::new(format!("c{name}"))).unwrap();
        println!("\nconnection {name}");
        let which = if n % 2 == 0 { "ana-second" } else { "ana-first" };
        let chosen = store.get("ana", which).unwrap();
        store.make_default("ana", which, &chosen.revision).unwrap();
        println!("\ndefault {which}");
        store
            .create_key("ana", &name, pathward::AccessSet::NONE, false, &pathward::Reach::ALL)
            .unwrap();
        println!("\nkey {name}");
        if n > 0 {
            store.revoke_key("ana", &format!("{id}-{}", n - 1)).unwrap();
            println!("\nrevoked {id}-{}", n - 1);
        }
    }
}

#[test]
fn kill_9_loses_nothing_acknowledged_and_leaves_nothing_torn() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), None).unwrap();
    let mut first = draft("first", &["start/*"]);
    first.is_default = true;
    store.create("ana", &first).unwrap();
    store.create("ana", &draft("second", &["start/*"])).unwrap();
    let (mut rules, mut connections) = (BTreeSet::new(), BTreeSet::new());
    let (mut keys, mut revoked) = (BTreeSet::new(), BTreeSet::new());
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::writes_until_it_is_killed", "--nocapture"])
            .env(WRITE, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let said = Mutex::new(Vec::new());
        let is_writing = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for line in out.lines().map_while(Result::ok) {
                    is_writing.fetch_or(line.starts_with("rule "), Ordering::Relaxed);
                    said.lock().unwrap().push(line);
                }
            });
            while !is_writing.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(1));
            }
            // At another moment each time, over a few whole rounds of writing.
            thread::sleep(Duration::from_micros(10_000 + kill * 1_357));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        for line in said.into_inner().unwrap() {
            match line.split_once(' ') {
                Some(("rule", name)) => drop(rules.insert(format!("done/{name}"))),
                Some(("connection", name)) => drop(connections.insert(format!("c{name}"))),
                Some(("key", name)) => drop(keys.insert(name.to_owned())),
                Some(("revoked", name)) => drop(revoked.insert(name.to_owned())),
                _ => {}
            }
        }
        let store = Store::open(folder.path(), None).unwrap_or_else(|error| panic!("{error}"));
        let stored = store.get("ana", "ana-first").unwrap();
        let has: BTreeSet<String> =
            stored.draft().restrictions.unwrap().into_iter().map(|rule| rule.text).collect();
        let lost: Vec<_> = rules.difference(&has).collect();
        assert!(lost.is_empty(), "kill {kill}: {lost:?}");
        let all = store.list("ana").unwrap();
        let has: BTreeSet<String> =
            all.iter().filter_map(|one| one.connection.id().label()).map(str::to_owned).collect();
        assert!(connections.is_subset(&has), "kill {kill}");
        assert_eq!(all.iter().filter(|one| one.connection.is_default()).count(), 1, "kill {kill}");
        let has: BTreeSet<String> =
            store.keys("ana").unwrap().into_iter().map(|key| key.id).collect();
        assert!(revoked.is_disjoint(&has), "kill {kill}: a revoked key is there again");
        let live: BTreeSet<_> = keys.difference(&revoked).cloned().collect();
        // What was being revoked when it was killed may be gone.
        let lost: Vec<_> = live.difference(&has).collect();
        assert!(lost.len() <= usize::try_from(kill).unwrap() + 1, "kill {kill}: {lost:?}");
        for name in &lost {
            revoked.insert((*name).clone());
        }
        // Whatever was half done does not keep the next one from writing.
        match store.change("ana", "ana-first", &stored.revision, &stored.draft()) {
            Ok(_) => {}
            Err(StoreError::Conflict { .. }) => panic!("it changed by itself"),
            Err(error) => panic!("kill {kill}: {error}"),
        }
    }
    assert!(rules.len() >= usize::try_from(KILLS).unwrap(), "{} rules", rules.len());
    println!(
        "{KILLS} kills; {} rules, {} connections, {} keys and {} revocations acknowledged",
        rules.len(),
        connections.len(),
        keys.len(),
        revoked.len()
    );
    // What was half written is in one file, which the next change overwrites.
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let hidden: BTreeSet<String> = names
        .map(|name| name.into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(hidden.iter().all(|name| [".pathward.lock", ".pathward.new"].contains(&&**name)));
}
