//! See `bodies::proxy_header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::proxy_header(data));
