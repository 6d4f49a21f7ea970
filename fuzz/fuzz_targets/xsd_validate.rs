//! See `bodies::xsd_validate`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::xsd_validate(data));
