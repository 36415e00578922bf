//! A server that answers anything: nothing panics, and no answer that makes no sense is taken for one that
//! does.

use std::{
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    Body, ExecuteError, S3, S3Options, Setup,
    backend::mangle::{Dice, mangle},
    options,
};

/// How often code that is no test's panicked.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts panics, those of tasks whose panics nobody hears of among them.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let file = info.location().map_or("", |location| location.file());
            if !file.starts_with("tests/") {
                PANICS.fetch_add(1, Ordering::SeqCst);
            }
            before(info);
        }));
    });
}

async fn setup(fields: &str) -> Setup {
    count_panics();
    let mut setup = Setup::with(fields).await;
    let soon = Duration::from_millis(300);
    setup.s3 = S3::new(S3Options {
        attempt_timeout: soon,
        transfer_timeout: soon,
        stall_timeout: soon,
        attempts: 1,
        ..options()
    });
    setup
}

const NARROW: &str = "access: read-write\nrestrictions: ['pub/*']\ndeny: ['pub/*hidden*']";

fn fill(setup: &Setup) {
    for key in ["d/a", "d/b/c", "d/hidden", "d/é +%41", "other/x", "hidden"] {
        setup.backend.put(&format!("pub/{key}"), b"0123456789");
    }
}

/// Every operation, by turns, with every answer mangled.
async fn rounds(seed: u64, count: usize) {
    let mut dice = Dice(seed);
    for round in 0..count {
        let narrow = round % 2 == 0;
        let setup = setup(if narrow { NARROW } else { "access: read-write" }).await;
        fill(&setup);
        let mut own = Dice(dice.below(1 << 30) as u64);
        // Some requests are answered rightly, so that those behind them are reached.
        let spare = own.below(3);
        let mut asked = 0;
        setup.backend.mangle(move |_, answer| {
            asked += 1;
            if asked <= spare { answer } else { mangle(&mut own, &answer) }
        });
        let shown = format!("seed {seed}, round {round}");
        match dice.below(12) {
            0 => drop(setup.read("pub/d/a").await),
            1 => drop(setup.stat("pub/d/a").await),
            2..=4 => {
                let directory = ["pub/", "pub/d/", "pub/none/"][dice.below(3)];
                if let Ok(page) = setup.list(directory, None, [0, 1, 100][dice.below(3)]).await {
                    let names = page.folders.iter().chain(page.files.iter().map(|file| &file.name));
                    for name in names {
                        let is_name = !name.is_empty() && !name.contains('/') && name != "..";
                        assert!(is_name && !name.contains('\u{1}'), "{shown}: {page:?}");
                        let is_hidden = narrow && name.contains("hidden");
                        assert!(!is_hidden, "{shown}: {page:?}");
                    }
                }
            }
            5 => drop(setup.list("", None, 10).await),
            6 => drop(setup.write("pub/d/new", b"1").await),
            7 => {
                let body = Body::from_bytes(vec![7; (8 << 20) + 1].into());
                drop(setup.upload("pub/d/new", body, None).await);
            }
            8 => drop(setup.delete("pub/d/a").await),
            9 => {
                drop(setup.delete_directory("pub/d/").await);
                // Whatever is said to be in it: nothing but the marker is deleted.
                assert!(setup.backend.get(b"pub/d/a").is_some(), "{shown}");
            }
            // A tree that a deny is about is not approved.
            10 if !narrow => {
                drop(setup.delete_tree("pub/d/").await);
                assert!(setup.backend.get(b"pub/other/x").is_some(), "{shown}");
            }
            _ => {
                drop(setup.copy("pub/d/a", "pub/d/copy").await);
                drop(setup.delete_many(&["pub/d/a", "pub/d/b/c"]).await);
            }
        }
        assert_eq!(PANICS.load(Ordering::SeqCst), 0, "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_server_answers_nothing_panics() {
    rounds(1, 1_500).await;
}

/// For `tests/long`, and by hand.
#[test]
#[ignore = "takes minutes"]
fn whatever_a_server_answers_nothing_panics_for_long() {
    for seed in 2..182 {
        // The servers of the rounds end with it.
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(rounds(seed, 500));
    }
}

/// Every beginning of an answer, with a length that is right: none is taken for the whole.
#[tokio::test]
async fn an_answer_that_was_cut_is_no_answer() {
    let setup = setup(NARROW).await;
    fill(&setup);
    for directory in ["pub/", "pub/d/", ""] {
        let whole = setup.list(directory, None, 100).await.expect("a page");
        assert!(whole.exists);
        for at in 0.. {
            let mut was_cut = false;
            let (sent, cut) = std::sync::mpsc::channel();
            setup.backend.mangle(move |request, answer| {
                let text = String::from_utf8(answer.clone()).expect("text");
                let (head, body) = text.split_once("\r\n\r\n").expect("a head");
                // A HEAD has nothing to cut.
                if request.method == "HEAD" || at >= body.len() {
                    return answer;
                }
                let _ = sent.send(());
                let length = format!("content-length: {}\r\n", body.len());
                let head = format!("{head}\r\n").replace(&length, "");
                format!("{head}content-length: {at}\r\n\r\n{}", &body[..at]).into_bytes()
            });
            let page = setup.list(directory, None, 100).await;
            while cut.try_recv().is_ok() {
                was_cut = true;
            }
            match was_cut {
                true => assert_eq!(page, Err(failed()), "{directory} cut at {at}"),
                false => {
                    assert_eq!(page.as_ref(), Ok(&whole));
                    break;
                }
            }
        }
    }
}

/// What the S3 client's reader leaves out of a text, as if it were not there: a key would be another.
#[tokio::test]
async fn a_text_with_something_in_it_is_no_text() {
    let setup = setup("access: read-write").await;
    fill(&setup);
    for (from, to) in [
        ("<Key>d/a", "<Key>d/a<!-- -->"),
        ("<Key>d/", "<Key>d/<!-- -->"),
        ("<Key>d/a", "<Key><![CDATA[d/a]]>"),
        ("<Key>d/a", "<Key>d/a<?x y?>"),
        ("<Key>d/a", "<Key>d/a<x/>"),
        ("<Key>d/a", "<Key><x/>d/a"),
        ("</IsTruncated>", ""),
        ("</ListBucketResult>", ""),
        ("</ListBucketResult>", "</ListBucketResult><ListBucketResult/>"),
        ("<ListBucketResult>", "<!DOCTYPE x><ListBucketResult>"),
    ] {
        setup.backend.mangle(move |_, answer| {
            let text = String::from_utf8(answer).expect("text");
            assert!(text.contains(from), "{from} in {text}");
            let text = text.replacen(from, to, 1);
            let (head, body) = text.split_once("\r\n\r\n").expect("a head");
            let lines = head.split("\r\n").filter(|line| !line.starts_with("content-length"));
            let head: Vec<_> = lines.collect();
            format!("{}\r\ncontent-length: {}\r\n\r\n{body}", head.join("\r\n"), body.len()).into()
        });
        assert_eq!(setup.list("pub/d/", None, 100).await, Err(failed()), "{to}");
        let deleted = setup.delete_directory("pub/d/").await;
        assert_eq!(deleted, Err(failed()), "{to}");
        let error = setup.delete_tree("pub/d/").await.expect_err("not deleted");
        assert_eq!((error.deleted, error.error), (0, failed()), "{to}");
    }
}

fn failed() -> ExecuteError {
    ExecuteError::Failed { status: None, code: None }
}

/// An object has what is known of it, and what makes no sense of it is left out: it can still be read.
#[tokio::test]
async fn what_a_server_says_wrongly_of_an_object_is_left_out() {
    use super::{
        Executor as _, ReadConditions, ReadObject, ReadOptions, StatObject, collect, owned,
    };
    let setup = setup("access: read-write").await;
    fill(&setup);
    let before = setup
        .s3
        .stat(setup.approve(StatObject { path: owned("pub/d/a") }), ReadConditions::default())
        .await;
    let before = before.expect("it is there");
    assert!(before.last_modified.is_some() && before.etag.is_some());
    for (header, date, tag) in [
        ("last-modified: Wed, 31 Dec 1969 23:59:59 GMT", false, true),
        ("last-modified: Sat, 01 Jan 10000 00:00:00 GMT", false, true),
        ("last-modified: Sun, 06 Nov 1994 08:49:37. GMT", false, true),
        ("last-modified: yesterday", false, true),
        ("last-modified: Sunday, 06-Nov-94 08:49:37 GMT", true, true),
        ("etag: \"caf\u{e9}\"", true, false),
        ("etag: \"1\"\r\netag: \"2\"", true, false),
        ("x-amz-mp-parts-count: many", true, true),
        ("x-amz-meta-a: \u{e9}", true, true),
    ] {
        let name = header.split(':').next().expect("a name");
        setup.backend.mangle(move |_, answer| {
            let at = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
            let head = String::from_utf8(answer[..at].to_vec()).expect("text");
            let lines = head.split("\r\n").filter(|line| !line.starts_with(name));
            let head: Vec<_> = lines.chain([header]).collect();
            [head.join("\r\n").as_bytes(), &answer[at..]].concat()
        });
        let object = setup
            .s3
            .read(setup.approve(ReadObject { path: owned("pub/d/a") }), ReadOptions::default())
            .await;
        let object = object.expect(header);
        let has = (object.info.last_modified.is_some(), object.info.etag.is_some());
        assert_eq!(has, (date, tag), "{header}");
        let stat = setup
            .s3
            .stat(setup.approve(StatObject { path: owned("pub/d/a") }), ReadConditions::default())
            .await;
        assert_eq!(stat.as_ref(), Ok(&object.info), "{header}");
        assert_eq!(collect(object.body).await.as_deref(), Ok(&b"0123456789"[..]), "{header}");
    }
    for length in ["-1", "", "18446744073709551616", "1,2", "\u{e9}"] {
        setup.backend.mangle(move |_, answer| {
            String::from_utf8_lossy(&answer)
                .replace("content-length: 10", &format!("content-length: {length}"))
                .into()
        });
        assert!(setup.stat("pub/d/a").await.is_err(), "{length:?}");
        assert!(setup.read("pub/d/a").await.is_err(), "{length:?}");
    }
}
