//! What a decision costs: M1, M2 and M3 with 1 to 100,000 restrictions, beside globset's
//! `is_match` and the cost of hashing a path and probing a table for it.
//!
//! `cargo bench --bench decide`, for times; the README's table is from `peers`. Every engine's
//! answers are checked before it is timed. With `-- --test` each workload up to 1,000 restrictions
//! is checked and run once.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run is to fail")]

#[expect(dead_code, reason = "restrictions without requests are for compiling alone")]
mod workload;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pathward::{
    Caller, ConnectionId, Engine, Path, Policy, Verdict,
    engine::{ListDirectory, ListMode},
};

use workload::{Mix, REQUESTS, Workload};

fn decide(criterion: &mut Criterion) {
    let is_test = std::env::args().any(|argument| argument == "--test");
    for (mix, sizes) in [
        (Mix::M1, &[10, 1_000, 100_000][..]),
        (Mix::M2, &[1, 10, 100, 1_000, 10_000, 100_000]),
        (Mix::M3, &[10, 100, 1_000, 10_000]),
    ] {
        let mut group = criterion.benchmark_group(format!("{mix:?}"));
        group.throughput(Throughput::Elements(REQUESTS as u64));
        group.sample_size(20);
        for &n in sizes {
            if is_test && n > 1_000 {
                continue;
            }
            let workload = Workload::new(mix, n);
            let requests = &workload.requests;

            let automaton = workload.automaton();
            let allows = |path: &str, access| {
                matches!(automaton.here(path.as_bytes(), access), Verdict::Allowed(_))
            };
            for request in requests {
                assert_eq!(allows(&request.path, request.access), request.granted, "{request:?}");
            }
            group.bench_function(BenchmarkId::new("pathward", n), |bencher| {
                bencher.iter(|| {
                    let count = requests.iter().filter(|r| allows(&r.path, r.access)).count();
                    assert_eq!(black_box(count), REQUESTS / 2);
                });
            });

            // globset compiles M3 for minutes and gigabytes from here on.
            if mix != Mix::M3 || n <= 1_000 {
                let sets = workload.globsets();
                for request in requests {
                    assert_eq!(sets.allows(request), request.granted);
                }
                group.bench_function(BenchmarkId::new("globset", n), |bencher| {
                    bencher.iter(|| {
                        let count = requests.iter().filter(|r| sets.allows(r)).count();
                        assert_eq!(black_box(count), REQUESTS / 2);
                    });
                });
            }

            let table = workload.table();
            group.bench_function(BenchmarkId::new("hash-and-probe", n), |bencher| {
                bencher.iter(|| {
                    let count = requests.iter().filter(|r| table.contains(&*r.path)).count();
                    assert_eq!(black_box(count), REQUESTS);
                });
            });
        }
        group.finish();
    }
}

/// A page of a narrowed listing: which of a thousand keys are shown, with a hundred restrictions.
fn listing(criterion: &mut Criterion) {
    let workload = Workload::new(Mix::M2, 100);
    let restrictions: String = workload
        .rules
        .iter()
        .map(|(restriction, _)| format!("      - '{}'\n", restriction.text()))
        .collect();
    let policy = Policy::from_yaml(
        "policy.yaml",
        &format!("connections:\n  - id: s3+t\n    owner: o\n    restrictions:\n{restrictions}"),
    )
    .expect("a policy");
    let engine = Engine::new(policy);
    let id = ConnectionId::parse("s3+t").expect("an id");
    let root = ListDirectory { path: Path::ROOT };
    let approved = engine
        .approve(Caller::with_full_permission("o"), &id, root)
        .expect("something is readable");
    let listing = approved.listing();
    assert_eq!(listing.mode(), ListMode::Narrow);
    let page: Vec<Path<'_>> = workload.requests[..1_000]
        .iter()
        .map(|request| Path::new(&request.path).expect("a path"))
        .collect();
    let readable = workload.requests[..1_000].iter().filter(|request| request.granted).count();
    criterion.bench_function("a listing's page of 1,000 keys, M2 100", |bencher| {
        bencher.iter(|| {
            let shown = page.iter().filter(|path| listing.shows_object(path)).count();
            // Denied requests may be for writing what can be read.
            assert!(black_box(shown) >= readable);
        });
    });
}

criterion_group!(benches, decide, listing);
criterion_main!(benches);
