//! See `bodies::xml_tokenizer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::xml_tokenizer(data));
