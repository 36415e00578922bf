//! What a keystroke costs, and that no draft holds up the server.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pathward::{
    manage::{STATES, review},
    store::{Draft, DraftRule},
};
use serde_json::{Value, json};

use super::world::World;

fn draft(rows: impl IntoIterator<Item = String>) -> Draft {
    let mut draft = Draft::new("t");
    draft.restrictions = Some(rows.into_iter().map(DraftRule::path).collect());
    draft
}

/// The quickest of some runs: what it costs, and not what else the machine does.
fn cost(new: &Draft, old: &Draft) -> Duration {
    let timed = |_| {
        let began = Instant::now();
        let review = review("ana", new, Some(old), STATES);
        assert!(review.meanings.len() + review.problems.len() > 0);
        began.elapsed()
    };
    (0..5).map(timed).min().unwrap()
}

#[test]
fn a_keystroke_costs_milliseconds() {
    // The name, the rows, and how many milliseconds it may cost where tests are compiled with little
    // optimization and run beside each other.
    let stars = |n: usize, start: &str| -> Vec<String> {
        (0..n).map(|row| format!("{start}{row}*a*b{row}*c*d*e*{row}f*g*h")).collect()
    };
    let plain =
        |n: usize| -> Vec<String> { (0..n).map(|row| format!("bucket/dir-{row}/*")).collect() };
    let covered = |n: usize| -> Vec<String> {
        (0..n).map(|row| format!("b/*k{}*{}", row / 2, "z*y".repeat(row % 2))).collect()
    };
    for (name, rows, most) in [
        ("a usual one", plain(5), 20),
        ("a hundred rows", plain(100), 100),
        ("a thousand rows", plain(1_000), 1_000),
        ("a row of stars", stars(1, "*"), 100),
        ("twenty rows of stars", stars(20, "*"), 1_000),
        ("a thousand rows, each second one covered", covered(1_000), 1_000),
    ] {
        let mut old = rows.clone();
        old[0].push_str("/x");
        let cost = cost(&draft(rows), &draft(old));
        eprintln!("{name}: {cost:?}");
        assert!(cost < Duration::from_millis(most), "{name}: {cost:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_draft_holds_up_nobody() {
    let world = Arc::new(World::start().await);
    // As large as it may be.
    let many: Vec<String> = (0..40_000).map(|row| format!("*a{row}*b{row}*")).collect();
    let few: Vec<String> = (0..200).map(|row| format!("*{}", "a*b?*".repeat(800 - row))).collect();
    let deep: Vec<Value> = (0..150)
        .map(|row| json!({ "glob": format!("b/{}{row}", "{a,b}/**/".repeat(6)) }))
        .collect();
    // Every second of them is covered by another, which is looked for to be named.
    let covered: Vec<String> =
        (0..20_000).map(|row| format!("b/*k{}*{}", row / 2, "z*y".repeat(row % 2))).collect();
    let mut hostile = Vec::new();
    for restrictions in [json!(many), json!(few), json!(deep), json!(covered)] {
        let body = json!({ "draft": { "label": "t", "restrictions": restrictions } });
        hostile.push(body);
    }
    let began = Instant::now();
    let asking: Vec<_> = (0..12)
        .map(|n| {
            let (world, body) = (Arc::clone(&world), hostile[n % 4].clone());
            tokio::spawn(async move { world.send("POST", "/v1/review", Some(&body)).await.status })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    // Meanwhile others are served: with a small question, and with one that thinks, too.
    let bob = [("Authorization", world.bob.as_str())];
    let asked = Instant::now();
    world.raw("GET", "/v1/connections", &bob, None).await.is(200);
    let small = serde_json::to_vec(&json!({ "draft": { "label": "t" } })).unwrap();
    world.raw("POST", "/v1/review", &bob, Some(&small)).await.is(200);
    let waited = asked.elapsed();
    eprintln!("bob waited {waited:?}");
    assert!(waited < Duration::from_secs(3), "{waited:?}");
    for one in asking {
        let status = one.await.unwrap();
        assert!(matches!(status, 200 | 413 | 503), "{status}");
    }
    let took = began.elapsed();
    eprintln!("twelve hostile drafts took {took:?}");
    assert!(took < Duration::from_secs(60), "{took:?}");
}
