//! Any bytes as a schema are compiled or refused, and never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluse::xsd::{Schema, SchemaDocument};

fuzz_target!(|data: &[u8]| {
    let _ = Schema::compile(&[SchemaDocument { name: "fuzz.xsd", bytes: data }]);
});
