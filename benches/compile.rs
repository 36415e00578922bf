//! What compiling costs in time, and what the result costs in memory.
//!
//! `cargo bench --bench compile`. The bytes a restriction are printed before the times.

#![expect(clippy::print_stderr, reason = "sizes are printed beside the times")]

#[expect(dead_code, reason = "what is only asked of, not compiled, is for the other benchmarks")]
mod workload;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use workload::{Mix, Workload};

fn compile(criterion: &mut Criterion) {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(10);
    for (mix, n) in [
        (Mix::M1, 1_000),
        (Mix::M1, 100_000),
        (Mix::M2, 10),
        (Mix::M2, 1_000),
        (Mix::M2, 10_000),
        (Mix::M2, 100_000),
        (Mix::M3, 10_000),
        (Mix::M1, 1_000_000),
    ] {
        if is_test && n > 1_000 {
            continue;
        }
        let rules = Workload::rules_of(mix, n);
        let stats = Workload::compile(&rules).stats();
        assert_eq!(stats.rules, n);
        let text: usize = rules.iter().map(|(restriction, _)| restriction.text().len()).sum();
        eprintln!(
            "{mix:?} {n}: {} bytes a restriction, of {} bytes; {} nodes, {} starred, {} in the crowd",
            stats.bytes / n,
            text / n,
            stats.nodes,
            stats.starred,
            stats.crowd
        );
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(BenchmarkId::new(format!("{mix:?}"), n), |bencher| {
            bencher.iter(|| Workload::compile(&rules));
        });
    }
    group.finish();
}

criterion_group!(benches, compile);
criterion_main!(benches);
