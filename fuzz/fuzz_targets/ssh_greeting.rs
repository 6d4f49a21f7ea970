//! See `bodies::ssh_greeting`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::ssh_greeting(data));
