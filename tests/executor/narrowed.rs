//! A narrowed listing says what may be shown, and takes a bounded part of anybody's time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Instant,
};

use super::{
    DirectoryDeletion, DirectoryPage, Executor, ListDirectory, PageRequest, Setup, Want, owned,
};

/// The most requests of one page: those that are stated, and a few to find its end.
const REQUESTS: usize = 32 + 4;

async fn page(setup: &Setup, path: &str, after: Option<Box<str>>) -> DirectoryPage {
    setup.backend.forget_requests();
    let approved = setup.approve(ListDirectory { path: owned(path) });
    let request = PageRequest { after, want: Want::All, limit: 1_000, brief: false };
    let page = setup.s3.list(approved, request).await.expect("a page");
    let count = setup.backend.requests().len();
    assert!(count <= REQUESTS, "{count} requests");
    page
}

/// What a listing says is the same whether or not what is hidden is there.
#[tokio::test]
async fn what_is_hidden_changes_nothing() {
    for fields in [
        "restrictions: [lake/x/, lake/y/]\ndeny: ['lake/x/draft-*', 'lake/y/draft-*']",
        "restrictions: ['lake/*.csv']",
        "restrictions: [lake/x/]\ndeny: ['lake/*draft*']",
        "restrictions: [{ glob: 'lake/*/[a-c]*' }]",
    ] {
        let setup = Setup::with(&format!("access: read-write\n{fields}")).await;
        setup.backend.bucket("lake");
        let mut answers = Vec::new();
        for hidden in [&[][..], &["x/draft-1"], &["x/draft-1", "x/draft-2/er/1", "draft-3"]] {
            for key in hidden {
                setup.backend.put(&format!("lake/{key}"), b"SECRET");
            }
            let mut said = Vec::new();
            for path in ["", "lake/", "lake/x/", "lake/x/draft-2/", "lake/y/"] {
                let id = pathward::ConnectionId::parse("s3+t").expect("an id");
                let caller = pathward::Caller::with_full_permission("o");
                let list = ListDirectory { path: owned(path) };
                if setup.engine.approve(caller, &id, list).is_err() {
                    continue;
                }
                for limit in [0, 1, 100] {
                    said.push(format!("{path} {:?}", setup.list(path, None, limit).await));
                }
            }
            if fields.contains("lake/y/") {
                let deleted = setup.delete_directory("lake/x/").await;
                assert_eq!(deleted, Ok(DirectoryDeletion::Missing));
            }
            answers.push(said);
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{fields}: {answers:#?}");
    }
    // What is shown is, with what is hidden beside it.
    let setup = Setup::with("restrictions: [lake/x/]\ndeny: ['lake/x/draft-*']").await;
    for key in ["x/draft-1", "x/final"] {
        setup.backend.put(&format!("lake/{key}"), b"");
    }
    assert_eq!(setup.list_all("lake/", 10).await, ["x/"]);
    assert_eq!(setup.list_all("lake/x/", 10).await, ["final"]);
    // And a directory that has nothing but its own marker, if that may be read.
    for (deny, exists) in [("deny: [lake/y/no]", true), ("deny: [lake/y/]", false)] {
        let setup = Setup::with(&format!("restrictions: [lake/y/, lake/z]\n{deny}")).await;
        setup.backend.put("lake/y/", b"");
        setup.backend.put("lake/z", b"");
        let names = setup.list_all("lake/", 10).await;
        assert_eq!(names.contains(&"y/".to_owned()), exists, "{deny}");
        if exists {
            assert!(setup.list("lake/y/", None, 0).await.expect("a page").exists);
        }
    }
}

/// However much is hidden, each page takes so many requests and no more, and the pages together have all.
#[tokio::test]
async fn a_page_ends_where_too_much_is_hidden() {
    let setup = Setup::with("restrictions: ['lake/*.csv']").await;
    for number in 0..70_000 {
        setup.backend.put(&format!("lake/big/hidden-{number:05}"), b"");
    }
    for key in ["a.csv", "big/z.csv", "other/hidden", "z.csv"] {
        setup.backend.put(&format!("lake/{key}"), b"");
    }
    for directory in ["lake/", "lake/big/"] {
        let (mut names, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let is_first = after.is_none();
            let page = page(&setup, directory, after).await;
            // Of a bucket it is known that it is there; of what much is hidden, nothing yet.
            assert_eq!(page.exists, !is_first || directory == "lake/");
            names.extend(page.folders.into_iter().map(|name| format!("{name}/")));
            names.extend(page.files.into_iter().map(|file| file.name));
            (after, pages) = (page.next, pages + 1);
            if after.is_none() {
                break;
            }
        }
        let expected = match directory {
            "lake/" => vec!["a.csv", "big/", "z.csv"],
            _ => vec!["z.csv"],
        };
        assert_eq!((names, pages), (expected.into_iter().map(str::to_owned).collect(), 3));
    }
    // Nor is it known to who asks only that.
    assert!(!setup.list("lake/big/", None, 0).await.expect("a page").exists);
}

/// Whether a directory is there is told in the same way by a question and by a listing, whatever number of
/// things is hidden in it; and where one look has to do, after one request.
#[tokio::test]
async fn whether_a_directory_is_there_does_not_tell_how_much_is_hidden() {
    let setup = Setup::with("restrictions: ['lake/*.csv']").await;
    setup.backend.bucket("lake");
    let mut put = 0;
    for count in [0, 999, 1_000, 29_999, 30_000, 40_000] {
        while put < count {
            setup.backend.put(&format!("lake/h/{put:05}"), b"");
            put += 1;
        }
        for shown in [false, true] {
            if shown {
                setup.backend.put("lake/h/z.csv", b"");
            }
            for brief in [false, true] {
                let mut said = Vec::new();
                for limit in [0, 10, 1_000] {
                    setup.backend.forget_requests();
                    let approved = setup.approve(ListDirectory { path: owned("lake/h/") });
                    let request = PageRequest { after: None, want: Want::All, limit, brief };
                    let page = setup.s3.list(approved, request).await.expect("a page");
                    said.push(page.exists);
                    let requests = setup.backend.requests().len();
                    assert!(requests <= if brief { 1 } else { REQUESTS }, "{count}: {requests}");
                }
                let seen = if brief { 1_000 } else { 30_000 };
                assert_eq!(said, [shown && count < seen; 3], "{count}, shown: {shown}, {brief}");
            }
            setup.backend.remove("lake/h/z.csv");
        }
    }
}

/// Where rules name what is in a directory, one look finds it.
#[tokio::test]
async fn one_look_finds_what_rules_name() {
    for count in [2, 4, 5, 40] {
        let rules: Vec<String> = (0..count).map(|n| format!("lake/d/{n:02}/")).collect();
        let setup = Setup::with(&format!("restrictions: [{}]", rules.join(", "))).await;
        setup.backend.put("lake/d/00/x", b"");
        setup.backend.put("lake/d/hidden", b"");
        let last = format!("lake/d/{:02}/x", count - 1);
        for there in [false, true] {
            setup.backend.remove("lake/d/00/x");
            if there {
                setup.backend.put(&last, b"");
            }
            setup.backend.forget_requests();
            for limit in [0, 10] {
                let approved = setup.approve(ListDirectory { path: owned("lake/d/") });
                let request = PageRequest { after: None, want: Want::All, limit, brief: true };
                let page = setup.s3.list(approved, request).await.expect("a page");
                assert_eq!(page.exists, there, "{count}");
                let requests = setup.backend.requests().len();
                assert!(
                    there || requests <= 4 * (1 + usize::from(limit > 0)),
                    "{count}: {requests}"
                );
            }
        }
    }
}

/// Restrictions by the hundred, each of which has to be looked for.
#[tokio::test]
async fn looking_for_folders_is_bounded_too() {
    for (count, there) in [(900, 0), (900, 900), (900, 3), (3_000, 3_000)] {
        let texts: Vec<String> = (0..count).map(|n| format!("lake/d{n:04}/in/")).collect();
        let setup = Setup::with(&format!("restrictions: [{}]", texts.join(", "))).await;
        setup.backend.bucket("lake");
        for n in 0..there {
            setup.backend.put(&format!("lake/d{:04}/in/x", n * (count / there)), b"");
            setup.backend.put(&format!("lake/d{:04}/hidden", n * (count / there)), b"");
        }
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let page = page(&setup, "lake/", after).await;
            names.extend(page.folders);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(names.len(), there, "{count}");
        assert!(names.is_sorted_by(|one, other| one < other));
    }
}

/// Denies that all wait for the end of a path.
/// Denies of pieces that all stand in [`slow_name`], but not in their order.
fn slow_policy() -> String {
    let run = |n: usize| "a".repeat(n);
    let denies: Vec<String> = (0..4_096)
        .map(|n| format!("'pub/*{}*{}*C*B*C*'", run(1 + n / 64), run(1 + n % 64)))
        .collect();
    format!("access: read-write\nrestrictions: [pub/]\ndeny: [{}]", denies.join(", "))
}

fn slow_name(number: usize) -> String {
    format!("{}BCaCB{number:03}", "a".repeat(995))
}

/// A policy made to be slow: deciding a page of a thousand takes seconds, and nobody waits for it.
#[tokio::test]
async fn others_have_their_turn_while_a_slow_policy_is_asked() {
    let setup = Setup::with(&slow_policy()).await;
    for number in 0..1_000 {
        setup.backend.put(&format!("pub/d/{}", slow_name(number)), b"");
    }
    let turns = Arc::new(AtomicUsize::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    // On one thread: what is not given back is not had.
    let (counted, stopped) = (Arc::clone(&turns), Arc::clone(&stop));
    let others = tokio::spawn(async move {
        while !stopped.load(Ordering::SeqCst) {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    });
    let path = format!("pub/d/{}", slow_name(0));
    let began = Instant::now();
    let connection = &setup.engine.policy().connections()[0];
    assert!(connection.allows(&owned(&path), pathward::Access::Read));
    let decision = began.elapsed();
    println!("a decision: {decision:?}");
    let (mut names, mut after, mut pages) = (0, None, 0);
    loop {
        let before = turns.load(Ordering::SeqCst);
        let page = page(&setup, "pub/d/", after).await;
        // After each decision, which takes longer than a slice.
        let had = turns.load(Ordering::SeqCst) - before;
        assert!(had >= page.files.len(), "{had} turns while {} were decided", page.files.len());
        names += page.files.len();
        (after, pages) = (page.next, pages + 1);
        if after.is_none() {
            break;
        }
    }
    stop.store(true, Ordering::SeqCst);
    others.await.expect("no panic");
    assert_eq!(names, 1_000);
    // Each page has its 200 ms of work, and a decision that goes beyond.
    let whole = decision * 1_000;
    let least = usize::try_from(whole.as_millis() / 2_000).expect("not so many");
    assert!(pages > least, "{pages} pages of {whole:?} of work");
}
