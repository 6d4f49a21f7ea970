//! See `bodies::chunking`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::chunking(data));
