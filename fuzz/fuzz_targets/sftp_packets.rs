//! See `bodies::sftp_packets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::sftp_packets(data));
