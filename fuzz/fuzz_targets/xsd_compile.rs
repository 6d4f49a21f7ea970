//! See `bodies::xsd_compile`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::xsd_compile(data));
