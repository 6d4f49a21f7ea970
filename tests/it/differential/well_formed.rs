//! Documents with bytes changed: are they XML with namespaces?

use super::chance::Chance;
use super::known::{Case, Peer, Said};
use super::ours::Ours;
use super::tally::Tally;
use super::{SEEDS, encoded, fixture, mutated_bytes, rounds, seed};
use crate::peers::{Libxml2, Opinion, Xerces};

/// Mutants of each document in a bounded run.
const MUTANTS: usize = 1_000;

/// Whatever the root, what is not XML is fatal.
const SCHEMA: &[u8] = b"<s:schema xmlns:s='http://www.w3.org/2001/XMLSchema'><s:element name='a'/></s:schema>";

#[test]
fn mutants_are_well_formed_to_us_as_to_others() {
    let (Some(mut xerces), Some(libxml2)) = (Xerces::start(), Libxml2::find()) else { return };
    let ours = Ours::schema(SCHEMA).expect("it is a schema");
    let mut tally = Tally::default();
    for name in SEEDS {
        let document = fixture(&format!("differential/{name}.xml"));
        let mut chance = Chance::new(seed());
        let mutants = (0..rounds(MUTANTS)).map(|_| mutant(&document, &mut chance));
        // Document types are none of ours: every one is refused.
        let mutants: Vec<_> = mutants.filter(|mutant| !mutant.windows(9).any(|nine| nine == b"<!DOCTYPE")).collect();
        let by_libxml2 = libxml2.well_formed(&mutants);
        for (mutant, by_libxml2) in mutants.iter().zip(&by_libxml2) {
            let by_us = ours.document(mutant, &[]);
            let by_xerces = xerces.well_formed(mutant);
            tally.take(&Case {
                about: "well-formed",
                input: &mutated_bytes::difference(&document, mutant),
                ours_accepts: !matches!(by_us, Opinion::Refused(_)),
                ours: by_us.message(),
                peers: &[
                    (Peer::Xerces, Said { accepts: by_xerces.accepts(), message: by_xerces.message() }),
                    (Peer::Libxml2, Said { accepts: by_libxml2.accepts(), message: by_libxml2.message() }),
                ],
            });
        }
    }
    tally.close("well-formedness");
}

/// Some bytes changed, or another encoding, or both.
fn mutant(document: &[u8], chance: &mut Chance) -> Vec<u8> {
    if !chance.once_in(4) {
        return mutated_bytes::mutant(document, chance);
    }
    let text = String::from_utf8_lossy(document).into_owned();
    let encoded = encoded::document(&text, chance);
    if chance.once_in(3) { mutated_bytes::mutant(&encoded, chance) } else { encoded }
}
