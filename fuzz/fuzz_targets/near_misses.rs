#![no_main]

#[path = "../near.rs"]
mod near;

libfuzzer_sys::fuzz_target!(|case: near::Case| {
    pathward::internal::near_misses(&case.rules(), &case.paths());
});
