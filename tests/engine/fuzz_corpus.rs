//! Every checked-in input of the fuzz targets, through the target's body.
//!
//! `fuzz/corpus/TARGET` are inputs made by hand; `fuzz/regressions/TARGET` are those that once
//! failed, each with its cause in the `README.md` there.

use std::path::Path;

use arbitrary::{Arbitrary, Unstructured};
use pathward::internal;

use crate::common::{Chance, comparisons, from_env};

#[path = "../../fuzz/near.rs"]
mod near;

/// As the fuzz target does: what is too short for a case is none.
fn near_misses(data: &[u8]) -> internal::Reasons {
    match near::Case::arbitrary_take_rest(Unstructured::new(data)) {
        Ok(case) => internal::near_misses(&case.rules(), &case.paths()),
        Err(_) => internal::Reasons::default(),
    }
}

/// Random bytes make policies and paths of which many miss by little: no reason is rare.
#[test]
fn near_misses_have_every_reason() {
    let seed = from_env("PATHWARD_SEED").unwrap_or(31);
    let mut chance = Chance(seed);
    let mut reasons = internal::Reasons::default();
    for _ in 0..comparisons(200_000, 2_000) {
        let data: Vec<u8> = (0..600).map(|_| chance.below(256) as u8).collect();
        let of_case = near_misses(&data);
        reasons.iter_mut().zip(of_case).for_each(|(sum, count)| *sum += count);
    }
    let all: u64 = reasons.iter().sum();
    println!("near misses: {all} decisions, {reasons:?} by reason, PATHWARD_SEED={seed}");
    assert!(reasons.iter().all(|count| *count * 20 > all), "{reasons:?}");
}

#[test]
fn the_corpus_holds() {
    type Body = fn(&[u8]);
    let targets: &[(&str, Body)] = &[
        ("restriction_text", internal::restriction_text),
        ("policy_yaml", internal::policy_yaml),
        ("path_parsing", internal::path_parsing),
        ("decide_vs_reference", internal::decide_vs_reference),
        ("listing_plan", internal::listing_plan),
        ("algebra", internal::algebra),
        ("near_misses", |data| {
            near_misses(data);
        }),
        #[cfg(feature = "cli")]
        ("iam_import", internal::iam_import),
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for (name, body) in targets {
        assert!(root.join(format!("fuzz_targets/{name}.rs")).exists(), "{name} is a target");
        let mut run = 0;
        for kind in ["corpus", "regressions"] {
            // A target has no regressions until it has had one.
            let Ok(entries) = std::fs::read_dir(root.join(kind).join(name)) else { continue };
            for entry in entries {
                let path = entry.expect("an entry").path();
                let data = std::fs::read(&path).expect("a readable file");
                println!("{}", path.display());
                body(&data);
                run += 1;
            }
        }
        assert!(run >= 3, "{name} has a corpus");
    }
}
