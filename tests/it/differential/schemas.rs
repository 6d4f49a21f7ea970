//! Schemas with elements and attributes changed: are they schemas?

use super::chance::Chance;
use super::known::{Case, Peer, Said};
use super::mutated_elements::{SCHEMA, mutant};
use super::ours::Ours;
use super::tally::Tally;
use super::{SEEDS, fixture, mutated_bytes, rounds, seed};
use crate::peers::Xerces;

/// Mutants of each schema in a bounded run.
const MUTANTS: usize = 400;

#[test]
fn mutants_are_schemas_to_us_as_to_others() {
    let Some(mut xerces) = Xerces::start() else { return };
    let mut tally = Tally::default();
    for name in SEEDS {
        let schema = String::from_utf8(fixture(&format!("differential/{name}.xsd"))).expect("seeds are UTF-8");
        let mut chance = Chance::new(seed());
        for _ in 0..rounds(MUTANTS) {
            let mutant = mutant(&schema, &SCHEMA, &mut chance);
            let ours = Ours::schema(mutant.as_bytes());
            let theirs = xerces.schema(mutant.as_bytes());
            tally.take(&Case {
                about: &format!("schema {name}"),
                input: &mutated_bytes::difference(schema.as_bytes(), mutant.as_bytes()),
                ours_accepts: ours.is_ok(),
                ours: ours.as_ref().err().map_or("", String::as_str),
                peers: &[(Peer::Xerces, Said { accepts: theirs.accepts(), message: theirs.message() })],
            });
        }
    }
    tally.close("schemas");
}
