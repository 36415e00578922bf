#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pathward::internal::iam_import(data));
