//! Every checked-in input of the fuzz targets, through the target's body.
//!
//! That of `iam_import`, which needs the feature `cli`, is run by tests/cli.

use arbitrary::{Arbitrary, Unstructured};
use pathward::internal;

use crate::common::{Chance, comparisons, from_env};

#[path = "../common/corpus.rs"]
mod corpus;
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
    ];
    for (name, body) in targets {
        corpus::run(name, *body);
    }
}
