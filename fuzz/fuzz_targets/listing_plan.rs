#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pathward::internal::listing_plan(data));
