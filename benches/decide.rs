//! What a decision costs: M1, M2 and M3 with 1 to 100,000 restrictions, beside globset's
//! `is_match` and the cost of hashing a path and probing a table for it.
//!
//! `cargo bench --bench decide`, then `benches/ratios` for the table in the README. Every engine's
//! answers are checked before it is timed. With `-- --test` each workload up to 1,000 restrictions
//! is checked and run once.

mod workload;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use pathward::{Access, Verdict};

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
                let sets = [Access::Read, Access::Write].map(|access| globset(&workload, access));
                let allows =
                    |path: &str, access| sets[usize::from(access == Access::Write)].is_match(path);
                for request in requests {
                    assert_eq!(allows(&request.path, request.access), request.granted);
                }
                group.bench_function(BenchmarkId::new("globset", n), |bencher| {
                    bencher.iter(|| {
                        let count = requests.iter().filter(|r| allows(&r.path, r.access)).count();
                        assert_eq!(black_box(count), REQUESTS / 2);
                    });
                });
            }

            let table: hashbrown::HashSet<&str> =
                requests.iter().map(|request| &*request.path).collect();
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

fn globset(workload: &Workload, access: Access) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for (restriction, accesses) in &workload.rules {
        if accesses.contains(access) {
            // The generator's texts have no other metacharacter than the star.
            let glob = GlobBuilder::new(&restriction.to_string()).literal_separator(false).build();
            set.add(glob.expect("a glob"));
        }
    }
    set.build().expect("a set")
}

criterion_group!(benches, decide);
criterion_main!(benches);
