//! See `bodies::xsd_pattern`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::xsd_pattern(data));
