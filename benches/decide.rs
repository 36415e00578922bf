//! What a decision costs: M1, M2 and M3 with 1 to 100,000 restrictions, beside globset's
//! `is_match` and the cost of hashing a path and probing a table for it.
//!
//! `cargo bench --bench decide`, for times; the README's table is from `ratios`. Every engine's
//! answers are checked before it is timed. With `-- --test` each workload up to 1,000 restrictions
//! is checked and run once.

mod workload;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pathward::Verdict;

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

criterion_group!(benches, decide);
criterion_main!(benches);
