//! See `bodies::broker_archive`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::broker_archive(data));
