//! See `bodies::soap_reply`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::soap_reply(data));
